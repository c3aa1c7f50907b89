/*
 * Batches through the public header: columns of every type, strides, offsets and nulls, matrices of
 * either order, results in the caller's room, why rows are bad, and what is refused.
 */
#include "public_api.h"

#include <math.h>
#include <string.h>

enum { ROWS = 60, NUMBERS = 5, CLASSES = 3, INPUTS = 7, SKIPPED = 3 };

/* ---- Numbers --------------------------------------------------------------------------------- */

static double value_at(size_t row, size_t column)
{
    return (double)((row * 7 + column * 13) % 100);
}

/* Between the forest's thresholds. */
static double small_at(size_t row, size_t column) { return (double)((row * 7 + column * 13) % 5); }

/* The probabilities for numbers from -2 to 2, by way of a row-major matrix. */
static void expected_numbers(opened *o, double out[ROWS * CLASSES])
{
    double data[ROWS * NUMBERS];
    for (size_t i = 0; i < ROWS * NUMBERS; i++)
        data[i] = value_at(i / NUMBERS, i % NUMBERS) / 25 - 2;
    const ftl_matrix in = {data, FTL_F64, ROWS, NUMBERS, NUMBERS, 1};
    assert_int_equal(ftl_predict_matrix(o->session, FTL_PREDICT_PROBA, &in, out, &o->error),
                     FTL_OK);
}

static void same_numbers(opened *o, const ftl_batch *in, const double *expected)
{
    ftl_batch out;
    if (ftl_predict(o->session, FTL_PREDICT_PROBA, in, &out, &o->error) != FTL_OK)
        fail_msg("%s", o->error.message);
    assert_int_equal(out.n_columns, CLASSES);
    for (size_t i = 0; i < in->rows * CLASSES; i++)
        assert_true(((const double *)out.columns[i % CLASSES].values)[i / CLASSES] == expected[i]);
}

/* The half of a whole number from 0 to 99. */
static uint16_t half_of(double value)
{
    int exponent;
    double fraction = frexp(value, &exponent); /* 0.5 .. 1 */
    if (value == 0)
        return 0;
    return (uint16_t)(((exponent + 14) << 10) + ((int)(fraction * 2048) - 1024));
}

#define PUT(T)                    \
    {                             \
        T v = (T)value;           \
        memcpy(at, &v, sizeof v); \
        return sizeof v;          \
    }

/* Writes a whole number as a type; returns the bytes of an element. */
static size_t put(unsigned char *at, ftl_type type, double value)
{
    switch (type) {
    case FTL_F64:
        PUT(double)
    case FTL_F32:
        PUT(float)
    case FTL_F16: {
        uint16_t half = half_of(value);
        memcpy(at, &half, sizeof half);
        return sizeof half;
    }
    case FTL_I8:
        PUT(int8_t)
    case FTL_I16:
        PUT(int16_t)
    case FTL_I32:
        PUT(int32_t)
    case FTL_U8:
        PUT(uint8_t)
    case FTL_U16:
        PUT(uint16_t)
    case FTL_U32:
        PUT(uint32_t)
    case FTL_U64:
        PUT(uint64_t)
    default:
        PUT(int64_t)
    }
}

static const ftl_type number_types[] = {FTL_F64, FTL_F32, FTL_F16, FTL_I8,  FTL_I16, FTL_I32,
                                        FTL_I64, FTL_U8,  FTL_U16, FTL_U32, FTL_U64};

/* A session whose answer to five columns of whole numbers is known: a forest of trees. */
typedef struct number_columns {
    unsigned char bytes[NUMBERS][(ROWS + SKIPPED) * 24];
    ftl_column columns[NUMBERS];
} number_columns;

/* stride 0: contiguous. Negative: the rows lie backwards. */
static void fill(number_columns *n, ftl_type type, ptrdiff_t stride, size_t offset)
{
    unsigned char probe[8];
    ptrdiff_t step = stride ? stride : (ptrdiff_t)put(probe, type, 1);
    for (size_t c = 0; c < NUMBERS; c++) {
        unsigned char *first = n->bytes[c];
        if (step < 0)
            first += -step * (ROWS + SKIPPED - 1);
        for (size_t r = 0; r < ROWS + offset; r++)
            put(first + (ptrdiff_t)r * step, type, r < offset ? 77 : small_at(r - offset, c));
        n->columns[c] = (ftl_column){
            .type = type, .values = first, .stride = stride, .offset = offset};
    }
}

static void test_numbers_of_every_type_stride_and_offset(void **state)
{
    (void)state;
    static number_columns n;
    static const ptrdiff_t strides[] = {0, 8, 11, 24, -8, -13};
    double expected[ROWS * CLASSES];
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 16);
    const ftl_batch in = {.rows = ROWS, .n_columns = NUMBERS, .columns = n.columns};
    fill(&n, FTL_F64, 0, 0);
    ftl_batch out;
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT_PROBA, &in, &out, &o.error), FTL_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        expected[i] = ((const double *)out.columns[i % CLASSES].values)[i / CLASSES];
    assert_memory_not_equal(expected, expected + 2 * CLASSES, CLASSES * sizeof *expected);
    for (size_t t = 0; t < sizeof number_types / sizeof *number_types; t++) {
        for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
            for (size_t offset = 0; offset <= SKIPPED; offset += SKIPPED) {
                fill(&n, number_types[t], strides[s], offset);
                same_numbers(&o, &in, expected);
            }
        }
    }
    close_session(&o);
}

static void test_matrices_of_either_order_and_direction(void **state)
{
    (void)state;
    enum { PADDED = NUMBERS + 2 };
    static double data[ROWS * PADDED];
    static float narrow[ROWS * PADDED];
    double expected[ROWS * CLASSES], got[ROWS * CLASSES];
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 16);
    expected_numbers(&o, expected);
    static const ptrdiff_t strides[][2] = {{NUMBERS, 1}, {PADDED, 1}, {1, ROWS},  {-PADDED, 1},
                                           {PADDED, -1}, {-1, ROWS},  {-1, -ROWS}};
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        ptrdiff_t down = strides[s][0], across = strides[s][1], first = 0;
        first -= down < 0 ? down * (ROWS - 1) : 0;
        first -= across < 0 ? across * (NUMBERS - 1) : 0;
        for (size_t i = 0; i < ROWS * NUMBERS; i++) {
            size_t row = i / NUMBERS, column = i % NUMBERS;
            ptrdiff_t at = first + (ptrdiff_t)row * down + (ptrdiff_t)column * across;
            data[at] = value_at(row, column) / 25 - 2;
            narrow[at] = (float)data[at]; /* trees compare float32 */
        }
        const ftl_matrix in = {data + first, FTL_F64, ROWS, NUMBERS, down, across};
        const ftl_matrix in32 = {narrow + first, FTL_F32, ROWS, NUMBERS, down, across};
        assert_int_equal(ftl_predict_matrix(o.session, FTL_PREDICT_PROBA, &in, got, &o.error),
                         FTL_OK);
        assert_memory_equal(got, expected, sizeof got);
        assert_int_equal(ftl_predict_matrix(o.session, FTL_PREDICT_PROBA, &in32, got, &o.error),
                         FTL_OK);
        assert_memory_equal(got, expected, sizeof got);
    }
    close_session(&o);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static const char *const plans[] = {"basic", "family", "premium", "", "a name of many letters"};

/* The demo's columns: numbers as F64, texts as STRING. Rows at index 2 and on of 5 are null. */
typedef struct demo_columns {
    double numbers[4][ROWS];
    char text[ROWS * 32];
    uint32_t offsets[ROWS + 1];
    int64_t large[ROWS + 1];
    unsigned char views[ROWS][16];
    int32_t codes[ROWS];
    uint8_t validity[ROWS / 8 + 1];
    const void *buffers[1];
    int64_t sizes[1];
    ftl_column dictionary;
    uint32_t dictionary_offsets[6];
    ftl_column columns[INPUTS];
} demo_columns;

static size_t plan_of(size_t row) { return row * 3 % 5; }

static void make_view(demo_columns *d, size_t row, uint32_t size)
{
    const int32_t length = (int32_t)size, buffer = 0, offset = (int32_t)d->offsets[row];
    memset(d->views[row], 0, 16);
    memcpy(d->views[row], &length, 4);
    memcpy(d->views[row] + 4, d->text + d->offsets[row], size < 12 ? size : 4);
    if (size > 12) {
        memcpy(d->views[row] + 8, &buffer, 4);
        memcpy(d->views[row] + 12, &offset, 4);
    }
}

static void make_demo(demo_columns *d)
{
    static char words[64];
    memset(d, 0, sizeof *d);
    for (size_t r = 0; r < ROWS; r++) {
        const char *plan = plans[plan_of(r)];
        uint32_t size = (uint32_t)strlen(plan);
        for (size_t c = 0; c < 4; c++)
            d->numbers[c][r] = value_at(r, c);
        memcpy(d->text + d->offsets[r], plan, size);
        d->offsets[r + 1] = d->offsets[r] + size;
        d->large[r + 1] = d->offsets[r + 1];
        make_view(d, r, size);
        d->codes[r] = (int32_t)plan_of(r);
        if (r % 11 != 4)
            d->validity[r / 8] = (uint8_t)(d->validity[r / 8] | 1u << r % 8);
    }
    for (size_t i = 0; i < 5; i++) {
        d->dictionary_offsets[i + 1] = d->dictionary_offsets[i] + (uint32_t)strlen(plans[i]);
        memcpy(words + d->dictionary_offsets[i], plans[i], strlen(plans[i]));
    }
    d->dictionary = (ftl_column){
        .type = FTL_STRING, .values = words, .offsets = d->dictionary_offsets};
    d->buffers[0] = d->text;
    d->sizes[0] = d->offsets[ROWS];
    for (size_t c = 0; c < 4; c++)
        d->columns[c] = (ftl_column){.type = FTL_F64, .values = d->numbers[c]};
    for (size_t c = 4; c < INPUTS; c++)
        d->columns[c] = (ftl_column){
            .type = FTL_STRING, .values = d->text, .offsets = d->offsets, .validity = d->validity};
}

/* The text column in each of its forms. */
static ftl_column text_form(const demo_columns *d, int form)
{
    switch (form) {
    case 0:
        return d->columns[5];
    case 1:
        return (ftl_column){.type = FTL_LARGE_STRING,
                            .values = d->text,
                            .large_offsets = d->large,
                            .validity = d->validity};
    case 2:
        return (ftl_column){.type = FTL_STRING_VIEW,
                            .values = d->views,
                            .validity = d->validity,
                            .buffers = d->buffers,
                            .buffer_sizes = d->sizes,
                            .n_buffers = 1};
    default:
        return (ftl_column){.type = FTL_DICTIONARY,
                            .values = d->codes,
                            .validity = d->validity,
                            .index_type = FTL_I32,
                            .dictionary = &d->dictionary,
                            .dictionary_rows = 5};
    }
}

enum { TEXT_FORMS = 4 };

static const double *leaves(opened *o, const ftl_batch *in)
{
    ftl_batch out;
    if (ftl_predict(o->session, FTL_PREDICT_PROBA, in, &out, &o->error) != FTL_OK)
        fail_msg("%s", o->error.message);
    return out.columns[0].values;
}

static void test_texts_of_every_type(void **state)
{
    (void)state;
    static demo_columns d;
    double expected[ROWS];
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 16);
    make_demo(&d);
    ftl_batch in = {.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    memcpy(expected, leaves(&o, &in), sizeof expected);
    for (int form = 0; form < TEXT_FORMS; form++) {
        d.columns[4] = d.columns[6] = text_form(&d, form);
        assert_memory_equal(leaves(&o, &in), expected, sizeof expected);
        for (size_t first = 1; first < 20; first += 6) { /* a part of the batch */
            demo_columns part = d;
            for (size_t c = 0; c < INPUTS; c++)
                part.columns[c].offset = first;
            in = (ftl_batch){.rows = ROWS - first, .n_columns = INPUTS, .columns = part.columns};
            assert_memory_equal(leaves(&o, &in), expected + first,
                                (ROWS - first) * sizeof *expected);
        }
        in = (ftl_batch){.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    }
    close_session(&o);
}

/* A null's text is looked at only when the column says that it stood in a file. */
static void test_the_text_of_a_null(void **state)
{
    (void)state;
    static demo_columns d;
    double nulls[ROWS];
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make_demo(&d);
    memset(d.validity, 0, sizeof d.validity);
    const ftl_batch in = {.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    memcpy(nulls, leaves(&o, &in), sizeof nulls);
    for (size_t c = 4; c < INPUTS; c++)
        d.columns[c] = (ftl_column){.type = FTL_NULL};
    assert_memory_equal(leaves(&o, &in), nulls, sizeof nulls);
    for (size_t c = 4; c < INPUTS; c++) {
        d.columns[c] = text_form(&d, 1);
        d.columns[c].validity = NULL;
    }
    assert_true(memcmp(leaves(&o, &in), nulls, sizeof nulls) != 0);
    close_session(&o);
}

static void test_numbers_as_texts_and_texts_as_numbers(void **state)
{
    (void)state;
    static demo_columns d;
    double expected[ROWS];
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 16);
    make_demo(&d);
    /* age as text; "7", " 7 ", "7e0" and a missing one */
    static const char *const spellings[] = {"7", " 7\t", "7e0", "NA", "True"};
    static const double meant[] = {7, 7, 7, NAN, 1};
    char text[ROWS * 8];
    uint32_t offsets[ROWS + 1] = {0};
    for (size_t r = 0; r < ROWS; r++) {
        size_t size = strlen(spellings[r % 5]);
        memcpy(text + offsets[r], spellings[r % 5], size);
        offsets[r + 1] = offsets[r] + (uint32_t)size;
        d.numbers[0][r] = meant[r % 5];
    }
    const ftl_batch in = {.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    memcpy(expected, leaves(&o, &in), sizeof expected);
    d.columns[0] = (ftl_column){.type = FTL_STRING, .values = text, .offsets = offsets};
    assert_memory_equal(leaves(&o, &in), expected, sizeof expected);
    /* a number where a text belongs is the unknown category that its text is */
    d.columns[5] = (ftl_column){.type = FTL_F64, .values = d.numbers[1]};
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &in, &(ftl_batch){0}, &o.error), FTL_OK);
    close_session(&o);
}

/* ---- Results --------------------------------------------------------------------------------- */

static void test_results_in_the_callers_room(void **state)
{
    (void)state;
    double expected[ROWS * CLASSES], data[ROWS * NUMBERS], wide[ROWS * 8];
    float narrow[ROWS * 8];
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 16);
    expected_numbers(&o, expected);
    for (size_t i = 0; i < ROWS * NUMBERS; i++)
        data[i] = value_at(i / NUMBERS, i % NUMBERS) / 25 - 2;
    const ftl_matrix matrix = {data, FTL_F64, ROWS, NUMBERS, NUMBERS, 1};
    const ftl_batch in = {.rows = ROWS, .matrix = &matrix};
    static const ptrdiff_t strides[][2] = {{CLASSES, 1}, {8, 2}, {1, ROWS}};
    for (size_t s = 0; s < 3; s++) {
        ptrdiff_t down = strides[s][0], across = strides[s][1];
        const ftl_matrix_out out = {wide, FTL_F64, ROWS, CLASSES, down, across};
        const ftl_matrix_out out32 = {narrow, FTL_F32, ROWS, CLASSES, down, across};
        assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &out, &o.error),
                         FTL_OK);
        assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &out32, &o.error),
                         FTL_OK);
        for (size_t i = 0; i < ROWS * CLASSES; i++) {
            ptrdiff_t at = (ptrdiff_t)(i / CLASSES) * down + (ptrdiff_t)(i % CLASSES) * across;
            assert_true(wide[at] == expected[i] && narrow[at] == (float)expected[i]);
        }
    }
    ftl_matrix_out bad = {wide, FTL_F64, ROWS, CLASSES - 1, CLASSES, 1};
    assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &bad, &o.error),
                     FTL_SHAPE);
    bad = (ftl_matrix_out){wide, FTL_I64, ROWS, CLASSES, CLASSES, 1};
    assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &bad, &o.error), FTL_ARG);
    bad = (ftl_matrix_out){wide, FTL_F64, ROWS, CLASSES, PTRDIFF_MAX / 4, 1};
    assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &bad, &o.error), FTL_ARG);
    bad = (ftl_matrix_out){NULL, FTL_F64, ROWS, CLASSES, CLASSES, 1};
    assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &bad, &o.error), FTL_ARG);
    assert_int_equal(ftl_predict_into(NULL, FTL_PREDICT_PROBA, &in, &bad, &o.error), FTL_ARG);
    close_session(&o);
}

static const int64_t forest_classes[] = {-5, 7, 1000000000000};

/* predict and predict_proba in one pass: the class as its index or its value, and the same numbers.
 */
static void test_several_results_in_the_callers_rooms(void **state)
{
    (void)state;
    double data[ROWS * NUMBERS], expected[ROWS * CLASSES], label[ROWS], proba[ROWS * CLASSES];
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 16);
    expected_numbers(&o, expected);
    for (size_t i = 0; i < ROWS * NUMBERS; i++)
        data[i] = value_at(i / NUMBERS, i % NUMBERS) / 25 - 2;
    const ftl_matrix matrix = {data, FTL_F64, ROWS, NUMBERS, NUMBERS, 1};
    const ftl_batch in = {.rows = ROWS, .matrix = &matrix};
    ftl_result_room rooms[] = {
        {.method = FTL_PREDICT, .room = {label, FTL_F64, ROWS, 1, 1, 1}},
        {.method = FTL_PREDICT_PROBA, .room = {proba, FTL_F64, ROWS, CLASSES, CLASSES, 1}}};
    for (int index = 0; index < 2; index++) {
        rooms[0].class_index = rooms[1].class_index = index == 1;
        memset(proba, 0, sizeof proba);
        assert_int_equal(ftl_session_run_into(o.session, &in, rooms, 2, &o.error), FTL_OK);
        assert_memory_equal(proba, expected, sizeof proba);
        for (size_t r = 0; r < ROWS; r++) {
            size_t best = 0;
            for (size_t c = 1; c < CLASSES; c++)
                best = expected[r * CLASSES + c] > expected[r * CLASSES + best] ? c : best;
            assert_true(label[r] == (index ? (double)best : (double)forest_classes[best]));
        }
    }
    rooms[1].method = FTL_PREDICT;
    assert_int_equal(ftl_session_run_into(o.session, &in, rooms, 2, &o.error), FTL_ARG);
    rooms[1].method = FTL_TRANSFORM;
    assert_int_equal(ftl_session_run_into(o.session, &in, rooms, 2, &o.error), FTL_ARG);
    rooms[1] = rooms[0];
    rooms[1].method = FTL_PREDICT_PROBA;
    assert_int_equal(ftl_session_run_into(o.session, &in, rooms, 2, &o.error), FTL_SHAPE);
    assert_int_equal(ftl_session_run_into(o.session, &in, NULL, 0, &o.error), FTL_ARG);
    close_session(&o);
}

static void test_why_each_bad_row_is_bad(void **state)
{
    (void)state;
    static demo_columns d;
    opened o = open_session(DEMO, FTL_ON_ERROR_NULL, 16);
    make_demo(&d);
    char text[ROWS * 2];
    uint32_t offsets[ROWS + 1];
    for (uint32_t r = 0; r <= ROWS; r++)
        offsets[r] = r * 2;
    for (size_t r = 0; r < ROWS; r++)
        memcpy(text + r * 2, r % 20 == 17 ? "4x" : "41", 2);
    d.columns[1] = (ftl_column){.type = FTL_STRING, .values = text, .offsets = offsets};
    const ftl_batch in = {.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    double numbers[ROWS * 2];
    const ftl_matrix_out room = {numbers, FTL_F64, ROWS, 2, 2, 1};
    ftl_batch out;
    for (int pass = 0; pass < 2; pass++) {
        ftl_status status = pass ? ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &room,
                                                    &o.error)
                                 : ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error);
        assert_int_equal(status, FTL_OK);
        assert_int_equal(ftl_session_bad_rows(o.session), 3);
        for (size_t i = 3; i-- > 0;) { /* backwards, then on */
            ftl_error why;
            size_t index = i == 0 ? 2 : i - 1;
            assert_int_equal(ftl_session_bad_row(o.session, index, &why), FTL_OK);
            assert_int_equal(why.code, FTL_VALUE);
            assert_int_equal(why.row, 17 + 20 * index);
            assert_int_equal(why.column, 1);
            assert_string_equal(why.message, "column 'tenure_months': '4x' is not a number");
        }
        assert_int_equal(ftl_session_bad_row(o.session, 3, &o.error), FTL_END);
    }
    assert_true(isnan(numbers[17 * 2]) && isnan(numbers[57 * 2 + 1]) && !isnan(numbers[18 * 2]));
    assert_int_equal(ftl_session_bad_row(NULL, 0, &o.error), FTL_ARG);
    close_session(&o);
}

static void test_classes_have_types(void **state)
{
    (void)state;
    ftl_label label = {.struct_size = sizeof label};
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    assert_int_equal(ftl_model_target_count(o.model), 1);
    assert_int_equal(ftl_model_class_count(o.model, 0), 3);
    assert_int_equal(ftl_model_class_count(o.model, 1), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ftl_model_class(o.model, 0, i, &label), FTL_OK);
        assert_int_equal(label.type, FTL_I64);
        assert_int_equal(label.integer, forest_classes[i]);
        assert_string_equal(label.dtype, "int64");
    }
    assert_int_equal(ftl_model_class(o.model, 0, 3, &label), FTL_ARG);
    assert_int_equal(ftl_model_class(o.model, 1, 0, &label), FTL_ARG);
    assert_int_equal(ftl_model_class(o.model, 0, 0, NULL), FTL_ARG);
    close_session(&o);
    o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    assert_int_equal(ftl_model_class(o.model, 0, 1, &label), FTL_OK);
    assert_int_equal(label.type, FTL_STRING);
    assert_int_equal(label.size, 5);
    assert_memory_equal(label.text, "stays", 5);
    assert_string_equal(label.dtype, "<U6");
    assert_false(ftl_model_result_is_matrix(o.model, FTL_PREDICT));
    assert_false(ftl_model_result_is_matrix(NULL, FTL_PREDICT));
    close_session(&o);
    assert_int_equal(ftl_model_target_count(NULL), 0);
}

/* A model that does not say how many columns it takes: bad rows are told for any width. */
static void test_why_rows_of_any_width_are_bad(void **state)
{
    (void)state;
    enum { WIDTH = 4 };
    opened o = open_session("../fuzz/corpus/model/0.20.4-normalizer_l2", FTL_ON_ERROR_NULL, 0);
    double data[3 * WIDTH] = {3, 4, 0, 0, 1, NAN, 1, 1, 0, 6, 8, 0}, numbers[3 * WIDTH];
    const ftl_matrix matrix = {data, FTL_F64, 3, WIDTH, WIDTH, 1};
    const ftl_matrix_out room = {numbers, FTL_F64, 3, WIDTH, WIDTH, 1};
    const ftl_batch in = {.rows = 3, .matrix = &matrix};
    for (int pass = 0; pass < 2; pass++) {
        ftl_batch out;
        ftl_error why;
        ftl_status status = pass ? ftl_predict_into(o.session, FTL_TRANSFORM, &in, &room, &o.error)
                                 : ftl_predict(o.session, FTL_TRANSFORM, &in, &out, &o.error);
        assert_int_equal(status, FTL_OK);
        assert_int_equal(ftl_session_bad_rows(o.session), 1);
        assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
        assert_int_equal(why.row, 1);
        assert_int_equal(ftl_session_bad_row(o.session, 1, &why), FTL_END);
    }
    assert_true(numbers[1] == 0.8 && isnan(numbers[WIDTH]) && numbers[2 * WIDTH + 1] == 0.6);
    close_session(&o);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static void refused(opened *o, const ftl_batch *in, ftl_status status, const char *words)
{
    ftl_batch out;
    assert_int_equal(ftl_predict(o->session, FTL_PREDICT, in, &out, &o->error), status);
    if (!strstr(o->error.message, words))
        fail_msg("'%s' does not say '%s'", o->error.message, words);
}

static void test_batches_that_do_not_fit(void **state)
{
    (void)state;
    static demo_columns d;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make_demo(&d);
    ftl_batch in = {.rows = ROWS, .n_columns = INPUTS};
    refused(&o, &in, FTL_ARG, "neither columns nor a matrix");
    in.columns = d.columns;
    in.n_columns = INPUTS - 1;
    refused(&o, &in, FTL_SHAPE, "has 6 columns");
    in.n_columns = INPUTS;
    in.rows = SIZE_MAX / 2;
    refused(&o, &in, FTL_ARG, "column 0 'age' has more rows");
    const ftl_matrix text = {d.numbers, FTL_F64, ROWS, INPUTS, INPUTS, 1};
    const ftl_batch matrix = {.rows = ROWS, .matrix = &text};
    refused(&o, &matrix, FTL_SCHEMA, "is text");
    close_session(&o);
}

static void test_matrices_that_do_not_fit(void **state)
{
    (void)state;
    double data[NUMBERS] = {0};
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_matrix m = {data, FTL_F64, 1, NUMBERS, NUMBERS, 1};
    ftl_batch in = {.rows = 1, .matrix = &m};
    ftl_batch out;
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error), FTL_OK);
    in.rows = 2;
    refused(&o, &in, FTL_SHAPE, "differ in rows");
    in.rows = m.rows = 1;
    m.columns = NUMBERS + 1;
    refused(&o, &in, FTL_SHAPE, "has 6 columns");
    m.columns = NUMBERS;
    m.dtype = FTL_I64;
    refused(&o, &in, FTL_ARG, "F64 or F32");
    m.dtype = FTL_F64;
    m.data = NULL;
    refused(&o, &in, FTL_ARG, "no data");
    m.data = data;
    m.row_stride = PTRDIFF_MIN;
    refused(&o, &in, FTL_ARG, "than memory can hold");
    m.row_stride = 1;
    m.column_stride = PTRDIFF_MAX / 2;
    refused(&o, &in, FTL_ARG, "than memory can hold");
    m.column_stride = 1;
    in.rows = m.rows = SIZE_MAX;
    refused(&o, &in, FTL_ARG, "than memory can hold");
    close_session(&o);
}

static void test_columns_that_lie(void **state)
{
    (void)state;
    static demo_columns d;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make_demo(&d);
    const ftl_batch in = {.rows = ROWS, .n_columns = INPUTS, .columns = d.columns};
    const ftl_column age = d.columns[0], plan = d.columns[4];

#define REFUSED(column, good, change, words)     \
    do {                                         \
        ftl_column *c = &d.columns[column];      \
        *c = (good);                             \
        change;                                  \
        refused(&o, &in, FTL_ARG, words);        \
        d.columns[0] = age, d.columns[4] = plan; \
    } while (0)

    REFUSED(0, age, c->values = NULL, "column 0 'age' has no values");
    REFUSED(0, age, c->type = (ftl_type)99, "has the type 99");
    REFUSED(0, age, c->type = (ftl_type)-1, "has the type");
    REFUSED(0, age, c->stride = PTRDIFF_MAX / 8, "than memory can hold");
    REFUSED(0, age, c->stride = PTRDIFF_MIN, "than memory can hold");
    REFUSED(0, age, c->offset = SIZE_MAX, "than memory can hold");
    REFUSED(0, age, (c->type = FTL_BIT, c->stride = 8), "has a stride");
    REFUSED(4, plan, c->offsets = NULL, "column 4 'plan' has no offsets");
    REFUSED(4, plan, c->values = NULL, "column 4 'plan' has no values");
    REFUSED(4, plan, c->stride = 4, "has a stride");
    REFUSED(4, text_form(&d, 1), c->large_offsets = NULL, "has no large_offsets");
    REFUSED(4, text_form(&d, 1), c->values = NULL, "has no values");
    REFUSED(4, text_form(&d, 2), c->values = NULL, "has no values");
    REFUSED(4, text_form(&d, 2), c->buffers = NULL, "has no buffers");
    REFUSED(4, text_form(&d, 2), c->n_buffers = 0, "view beyond its buffers");
    REFUSED(4, text_form(&d, 2), d.sizes[0] = 20, "view beyond its buffers");
    REFUSED(4, text_form(&d, 3), c->values = NULL, "has no values");
    REFUSED(4, text_form(&d, 3), c->dictionary = NULL, "without plain values");
    REFUSED(4, text_form(&d, 3), c->dictionary = c, "without plain values");
    REFUSED(4, text_form(&d, 3), c->index_type = FTL_F64, "no integer type");
    REFUSED(4, text_form(&d, 3), c->dictionary_rows = 4, "of a dictionary of 4");
    REFUSED(4, text_form(&d, 3), d.dictionary.offsets = NULL, "has no offsets");
    make_demo(&d);
    REFUSED(4, text_form(&d, 3), d.codes[7] = -1, "counts to row -1");
    d.codes[7] = 0;
    d.offsets[9] = d.offsets[8] - 1;
    refused(&o, &in, FTL_ARG, "negative length in row 8");
    make_demo(&d);
    d.large[0] = -1;
    REFUSED(4, text_form(&d, 1), (void)0, "negative offset");
    d.large[0] = 0;
    d.large[5] = INT64_MAX;
    d.columns[4] = text_form(&d, 1);
    refused(&o, &in, FTL_LIMIT, "more than 4 GiB");
#undef REFUSED
    close_session(&o);
}

static void test_no_rows_need_no_buffers(void **state)
{
    (void)state;
    ftl_column columns[INPUTS] = {{.type = FTL_F64}, {.type = FTL_BIT}, {.type = FTL_NULL}};
    for (size_t c = 3; c < INPUTS; c++)
        columns[c].type = FTL_STRING;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    const ftl_batch in = {.n_columns = INPUTS, .columns = columns};
    const ftl_matrix_out room = {NULL, FTL_F64, 0, 2, 2, 1};
    ftl_batch out;
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error), FTL_OK);
    assert_int_equal(out.rows, 0);
    assert_int_equal(ftl_predict_into(o.session, FTL_PREDICT_PROBA, &in, &room, &o.error), FTL_OK);
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_every_type_stride_and_offset),
        cmocka_unit_test(test_matrices_of_either_order_and_direction),
        cmocka_unit_test(test_texts_of_every_type),
        cmocka_unit_test(test_the_text_of_a_null),
        cmocka_unit_test(test_numbers_as_texts_and_texts_as_numbers),
        cmocka_unit_test(test_results_in_the_callers_room),
        cmocka_unit_test(test_several_results_in_the_callers_rooms),
        cmocka_unit_test(test_why_each_bad_row_is_bad),
        cmocka_unit_test(test_why_rows_of_any_width_are_bad),
        cmocka_unit_test(test_classes_have_types),
        cmocka_unit_test(test_batches_that_do_not_fit),
        cmocka_unit_test(test_matrices_that_do_not_fit),
        cmocka_unit_test(test_columns_that_lie),
        cmocka_unit_test(test_no_rows_need_no_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
