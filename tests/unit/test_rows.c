/* Rows in memory through the public header alone: ftl_session_read. */
#include "public_api.h"

#include <foretell/rows.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Takes any number of columns: its file does not say how many. */
#define OPEN_WIDTH "../fuzz/corpus/model/0.20.4-normalizer_l2"

static ftl_status read_text(opened *o, const char *text, const char *format, size_t *taken,
                            ftl_batch *out)
{
    const ftl_read_options options = {.struct_size = sizeof options, .format = format};
    return ftl_session_read(o->session, text, strlen(text), &options, taken, out, &o->error);
}

static ftl_batch must_read(opened *o, const char *text, const char *format)
{
    ftl_batch in = {0};
    if (read_text(o, text, format, NULL, &in) != FTL_OK)
        fail_msg("%s: %s", text, o->error.message);
    return in;
}

/* The labels of a classifier with whole numbers. */
static const int64_t *labels(opened *o, const ftl_batch *in)
{
    ftl_batch out;
    if (ftl_predict(o->session, FTL_PREDICT, in, &out, &o->error) != FTL_OK)
        fail_msg("%s", o->error.message);
    assert_int_equal(out.rows, in->rows);
    assert_int_equal(out.columns[0].type, FTL_I64);
    return out.columns[0].values;
}

static void test_formats_give_the_same_rows(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text;
    } tables[] = {
        {NULL, "[[1, 2, 3, 4, 5], [0.1, -2.5e3, 7, 1e-300, null]]"},
        {"json", "{\"columns\": [\"a\", \"b\", \"c\", \"d\", \"e\"], \"data\": "
                 "[[1, 2, 3, 4, 5], [0.1, -2.5e3, 7, 1e-300, null]]}"},
        {"json", "{\"a\": [1, 0.1], \"b\": [2, -2500], \"c\": [3, 7], \"d\": [4, 1e-300], "
                 "\"e\": [5, NaN]}"},
        {"jsonl", "[1, 2, 3, 4, 5]\n[0.1, -2.5e3, 7, 1e-300, null]\n"},
        {"csv", "a,b,c,d,e\n1,2,3,4,5\n0.1,-2.5e3,7,1e-300,\n"},
        {NULL, "[{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5},"
               " {\"a\": 0.1, \"b\": -2.5e3, \"c\": 7, \"d\": 1e-300}]"},
    };
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    static const double expected[2][5] = {{1, 2, 3, 4, 5}, {0.1, -2.5e3, 7, 1e-300, NAN}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        ftl_batch in = must_read(&o, tables[i].text, tables[i].format);
        assert_int_equal(in.rows, 2);
        assert_int_equal(in.n_columns, 5);
        for (size_t c = 0; c < 5; c++) {
            assert_int_equal(in.columns[c].type, FTL_F64);
            for (size_t r = 0; r < 2; r++) {
                double value = ((const double *)in.columns[c].values)[r];
                assert_true(value == expected[r][c] || (isnan(value) && isnan(expected[r][c])));
            }
        }
        in.rows = 1;
        (void)labels(&o, &in);
    }
    close_session(&o);
}

static void test_one_value_is_taken(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    const char *text = " [[1, 2, 3, 4, 5]] , \"more\": 1}";
    size_t taken = 0;
    ftl_batch in;
    assert_int_equal(read_text(&o, text, NULL, &taken, &in), FTL_OK);
    assert_int_equal(taken, strlen(" [[1, 2, 3, 4, 5]]"));
    assert_int_equal(in.rows, 1);
    taken = 77;
    assert_int_equal(read_text(&o, "[[1, 2, 3, 4, 5]", NULL, &taken, &in), FTL_CORRUPT);
    assert_int_equal(taken, 77);
    assert_int_equal(read_text(&o, text, NULL, NULL, &in), FTL_CORRUPT);
    assert_int_equal(read_text(&o, text, "csv", &taken, &in), FTL_ARG);
    close_session(&o);
}

static void test_bad_cells_are_bad_rows(void **state)
{
    (void)state;
    const char *text = "[[1, 2, 3, 4, 5], [1, 2, \"x\", 4, 5], [1, 2, 3, 4, 5], [1, [2], 3, 4, 5]]";
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_batch in;
    assert_int_equal(read_text(&o, text, NULL, NULL, &in), FTL_VALUE);
    assert_int_equal(o.error.row, 1);
    assert_int_equal(o.error.column, 2);
    assert_non_null(strstr(o.error.message, "row 1, value 3: 'x' is not a number"));
    assert_int_equal(ftl_session_set_on_error(o.session, FTL_ON_ERROR_NULL), FTL_OK);
    in = must_read(&o, text, NULL);
    assert_int_equal(in.rows, 4);
    (void)labels(&o, &in);
    assert_int_equal(ftl_session_bad_rows(o.session), 2);
    ftl_batch out;
    assert_int_equal(ftl_session_result(o.session, FTL_PREDICT, &out, NULL), FTL_OK);
    assert_int_equal(out.columns[0].validity[0] & 15, 5);
    ftl_error why;
    assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
    assert_int_equal(why.row, 1);
    assert_int_equal(why.column, 2);
    assert_int_equal(ftl_session_bad_row(o.session, 1, &why), FTL_OK);
    assert_int_equal(why.row, 3);
    assert_non_null(strstr(why.message, "row 3, value 2: '[2]' is no single value"));
    assert_int_equal(ftl_session_bad_row(o.session, 2, &why), FTL_END);
    close_session(&o);
}

/* ---- Objects --------------------------------------------------------------------------------- */

#define ROW                                                                               \
    "{\"age\": 44, \"plan\": \"basic\", \"tenure_months\": 7, \"monthly_charge\": 41.5, " \
    "\"support_calls\": 2, \"region\": \"north\", \"payment\": \"card\""

static double probability(opened *o, const ftl_batch *in, size_t row)
{
    double out[16][2];
    const ftl_matrix_out room = {.data = out,
                                 .dtype = FTL_F64,
                                 .rows = in->rows,
                                 .columns = 2,
                                 .row_stride = 2,
                                 .column_stride = 1};
    assert_true(in->rows <= 16);
    if (ftl_predict_into(o->session, FTL_PREDICT_PROBA, in, &room, &o->error) != FTL_OK)
        fail_msg("%s", o->error.message);
    return out[row][0];
}

static void test_objects_are_matched_by_name(void **state)
{
    (void)state;
    static const char *const same[] = {
        "[" ROW "}]",
        "[" ROW ", \"other\": {\"age\": [1, \"]\"]}, \"more\": null}]",
        "[[44, 7, 41.5, 2, \"basic\", \"north\", \"card\"]]",
        "{\"columns\": [\"age\", \"tenure_months\", \"monthly_charge\", \"support_calls\", "
        "\"plan\", "
        "\"region\", \"payment\"], \"data\": [[44, 7, 41.5, 2, \"basic\", \"north\", \"card\"]]}",
        ROW "}",
        "[{\"\\u0061ge\": \"44\", \"payment\": \"c\\u0061rd\", \"tenure_months\": 7.0e0, "
        "\"monthly_charge\": 41.5, \"support_calls\": 2, \"region\": \"north\", \"plan\": "
        "\"basic\"}]",
    };
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    double expected = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const ftl_batch in = must_read(&o, same[i], NULL);
        double got = probability(&o, &in, 0);
        expected = i ? expected : got;
        assert_true(got == expected);
    }
    close_session(&o);
}

static void test_a_key_that_some_rows_lack_is_missing(void **state)
{
    (void)state;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    ftl_batch in = must_read(&o, "[{\"plan\": \"basic\"}, {}, " ROW "}]", NULL);
    assert_int_equal(in.rows, 3);
    const double *age = in.columns[0].values;
    assert_true(isnan(age[0]) && isnan(age[1]) && age[2] == 44);
    assert_int_equal(in.columns[4].validity[0] & 7, 5);
    assert_int_equal(in.columns[5].validity[0] & 7, 4);
    /* one that all rows lack is an error that says what it may be called */
    assert_int_equal(read_text(&o, "[{\"Age\": 1, \"plan\": \"x\"}]", NULL, NULL, &in), FTL_SCHEMA);
    assert_int_equal(o.error.reason, FTL_REASON_MISSING_COLUMNS);
    assert_non_null(strstr(o.error.message, "did you mean 'Age' for 'age'?"));
    /* and comes before what is wrong with a cell */
    assert_int_equal(read_text(&o, "[{\"age\": \"x\"}]", NULL, NULL, &in), FTL_SCHEMA);
    close_session(&o);
}

/* A row among good ones, and what is said of it. */
static void test_bad_rows_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        ftl_status status;
        int64_t column;
        const char *says;
    } bad[] = {
        {"{\"age\": 1, \"age\": 2}", FTL_VALUE, 0, "row 1, column 'age': the row has it twice"},
        {"{\"age\": {\"years\": [2]}}", FTL_VALUE, 0,
         "row 1, column 'age': '{\"years\": [2]}' is no single"},
        {"{\"plan\": [\"basic\"]}", FTL_VALUE, 4,
         "row 1, column 'plan': '[\"basic\"]' is no single value"},
        {"{\"age\": \"old\"}", FTL_VALUE, 0, "row 1, column 'age': 'old' is not a number"},
        {"[1, 2]", FTL_VALUE, -1, "row 1: '[1, 2]' is no object"},
        {"17", FTL_VALUE, -1, "row 1: '17' is no object"},
        {"{\"age\" 1}", FTL_VALUE, -1, "row 1, byte "},
        {"{\"age\": 01}", FTL_VALUE, -1, "row 1, byte "},
        {"{\"plan\": \"\xff\"}", FTL_VALUE, -1, "is not UTF-8"},
        {"{\"plan\": \"a\nb\"}", FTL_VALUE, -1, "row 1, byte "},
    };
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1024];
        ftl_batch in = {.rows = 77};
        snprintf(text, sizeof text, "[%s}, %s, %s}]", ROW, bad[i].row, ROW);
        assert_int_equal(ftl_session_set_on_error(o.session, FTL_ON_ERROR_FAIL), FTL_OK);
        assert_int_equal(read_text(&o, text, NULL, NULL, &in), bad[i].status);
        assert_int_equal(in.rows, 77);
        if (o.error.row != 1 || o.error.column != bad[i].column ||
            !strstr(o.error.message, bad[i].says))
            fail_msg("%s: %s", bad[i].row, o.error.message);
        assert_int_equal(ftl_session_set_on_error(o.session, FTL_ON_ERROR_NULL), FTL_OK);
        in = must_read(&o, text, NULL);
        assert_int_equal(in.rows, 3);
        assert_true(probability(&o, &in, 0) == probability(&o, &in, 2));
        assert_true(isnan(probability(&o, &in, 1)));
        assert_int_equal(ftl_session_bad_rows(o.session), 1);
        ftl_error why;
        assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
        assert_string_equal(why.message, o.error.message);
        assert_int_equal(why.row, 1);
        assert_int_equal(why.code, bad[i].status);
    }
    close_session(&o);
}

static void test_a_row_that_was_read_as_bad_fails_where_none_may_be(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_NULL, 0);
    ftl_batch in = must_read(&o, "[[1, 2, 3, 4, 5], [1, 2, \"x\", 4, 5]]", NULL), out;
    assert_int_equal(ftl_session_set_on_error(o.session, FTL_ON_ERROR_FAIL), FTL_OK);
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error), FTL_VALUE);
    assert_int_equal(o.error.row, 1);
    assert_non_null(strstr(o.error.message, "row 1, value 3: 'x' is not a number"));
    close_session(&o);
}

/* Bad rows are told of while what was read is there. */
static void test_reading_ends_what_was_computed(void **state)
{
    (void)state;
    static const char *const models[] = {FOREST, OPEN_WIDTH};
    for (int i = 0; i < 2; i++) {
        opened o = open_session(models[i], FTL_ON_ERROR_NULL, 0);
        ftl_method method = i ? FTL_TRANSFORM : FTL_PREDICT;
        ftl_batch out, in = must_read(&o, "a,b,c,d,e\n1,2,x,4,5\n", "csv");
        ftl_error why;
        assert_int_equal(ftl_predict(o.session, method, &in, &out, NULL), FTL_OK);
        assert_int_equal(ftl_session_bad_rows(o.session), 1);
        assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
        assert_int_equal(read_text(&o, "a,b,c,d,e\n1,2,\"", "csv", NULL, &in), FTL_VALUE);
        assert_int_equal(ftl_session_bad_rows(o.session), 0);
        assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_END);
        assert_int_equal(ftl_session_result(o.session, method, &out, NULL), FTL_ARG);
        close_session(&o);
    }
}

/* ---- What is no table ------------------------------------------------------------------------ */

static void test_damage_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ftl_status status;
        const char *says;
    } damaged[] = {
        {"", FTL_SCHEMA, "empty"},
        {"[", FTL_CORRUPT, "too early"},
        {"[[1, 2, 3, 4, 5]", FTL_CORRUPT, "row 0, byte 16: the JSON is damaged: it ends too early"},
        {"[[1, 2, 3, 4, 5],", FTL_CORRUPT,
         "row 0, byte 17: the JSON is damaged: it ends too early"},
        {"[[1, 2, 3, 4, 5],]", FTL_CORRUPT,
         "row 1, byte 17: the JSON is damaged: a row is missing"},
        {"[[1, 2, 3, 4, 5] 7]", FTL_CORRUPT, "a comma is missing"},
        {"[[1, 2, 3, 4, 5]] x", FTL_CORRUPT, "byte 18: the JSON is damaged: something follows"},
        {"[[1, 2, 3, 4, 5], [1, 2", FTL_CORRUPT, "too early"},
        {"[[1, 2, 3, 4]]", FTL_SHAPE, "row 0: 4 values where there are 5 columns"},
        {"[[1, 2, 3, 4, 5, 6]]", FTL_SHAPE, "row 0: 6 values where there are 5 columns"},
        {"[[]]", FTL_SHAPE, "row 0: 0 values"},
        {"[1, 2, 3, 4, 5]", FTL_SCHEMA, "[[1, 2], [3, 4]]"},
        {"{\"a\": 1, \"b\": 2}", FTL_SHAPE, "the rows have 2 values and the model takes 5"},
        {"nothing", FTL_CORRUPT, ""},
        {"{\"a\": [1, \"x\"], \"b\": [2, 2], \"c\": [3, 3], \"d\": [4, 4], \"e\": [5, 5]}",
         FTL_VALUE, "row 1, column 'a': 'x' is not a number"},
        {"{\"columns\": [\"a\", \"b\", \"c\", \"d\", \"e\"],\n \"data\": [[1, 2, 3, 4, \"x\"]]}",
         FTL_VALUE, "row 0, column 'e': 'x' is not a number"},
    };
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        ftl_batch in;
        ftl_status status = read_text(&o, damaged[i].text, NULL, NULL, &in);
        if (status != damaged[i].status || !strstr(o.error.message, damaged[i].says))
            fail_msg("%s: %s: %s", damaged[i].text, ftl_status_name(status), o.error.message);
    }
    close_session(&o);
}

static void test_no_rows(void **state)
{
    (void)state;
    static const char *const models[] = {FOREST, DEMO};
    for (int i = 0; i < 2; i++) {
        opened o = open_session(models[i], FTL_ON_ERROR_FAIL, 0);
        size_t taken;
        ftl_batch in, out;
        assert_int_equal(read_text(&o, " [ ] x", NULL, &taken, &in), FTL_OK);
        assert_int_equal(taken, 4);
        assert_int_equal(in.rows, 0);
        assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error), FTL_OK);
        assert_int_equal(out.rows, 0);
        close_session(&o);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static const char *const tables[][2] = {
        {"json", "[[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]"},
        {"jsonl", "[1, 2, 3, 4, 5]\n[1, 2, 3, 4, 5]\n[1, 2, 3, 4, 5]\n"},
        {"csv", "a,b,c,d,e\n1,2,3,4,5\n1,2,3,4,5\n1,2,3,4,5\n"},
    };
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    for (int i = 0; i < 3; i++) {
        ftl_batch in;
        ftl_read_options options = {.struct_size = sizeof options, .format = tables[i][0]};
        size_t size = strlen(tables[i][1]);
        options.max_rows = 3;
        options.max_cells = 15;
        assert_int_equal(
            ftl_session_read(o.session, tables[i][1], size, &options, NULL, &in, &o.error), FTL_OK);
        options.max_rows = 2;
        assert_int_equal(
            ftl_session_read(o.session, tables[i][1], size, &options, NULL, &in, &o.error),
            FTL_LIMIT);
        assert_string_equal(o.error.option, "max_rows");
        options.max_rows = 0;
        options.max_cells = 14;
        assert_int_equal(
            ftl_session_read(o.session, tables[i][1], size, &options, NULL, &in, &o.error),
            FTL_LIMIT);
        assert_string_equal(o.error.option, "max_cells");
        options.format = "xlsx";
        assert_int_equal(
            ftl_session_read(o.session, tables[i][1], size, &options, NULL, &in, &o.error),
            FTL_ARG);
        assert_string_equal(o.error.option, "format");
        assert_non_null(strstr(o.error.message, "options.format 'xlsx' is none of csv"));
    }
    close_session(&o);
}

static void test_a_model_of_any_width(void **state)
{
    (void)state;
    opened o = open_session(OPEN_WIDTH, FTL_ON_ERROR_NULL, 0);
    ftl_batch in = must_read(&o, "[[3, 4], [1, \"x\"]]", NULL), out;
    assert_int_equal(in.n_columns, 2);
    if (ftl_predict(o.session, FTL_TRANSFORM, &in, &out, &o.error) != FTL_OK)
        fail_msg("%s", o.error.message);
    assert_int_equal(out.n_columns, 2);
    assert_true(((const double *)out.columns[0].values)[0] == 0.6);
    assert_int_equal(ftl_session_bad_rows(o.session), 1);
    ftl_error why;
    assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
    assert_non_null(strstr(why.message, "row 1, value 2: 'x' is not a number"));
    in = must_read(&o, "[[3, 4, 0]]", NULL);
    assert_int_equal(ftl_predict(o.session, FTL_TRANSFORM, &in, &out, &o.error), FTL_OK);
    assert_int_equal(out.n_columns, 3);
    assert_int_equal(ftl_session_bad_rows(o.session), 0);
    close_session(&o);
}

/* ---- Files of parts -------------------------------------------------------------------------- */

typedef struct bytes {
    char *data;
    size_t size, at;
} bytes;

static void put(bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size + 1);
    assert_non_null(b->data);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static int64_t give(void *user, void *data, size_t size)
{
    bytes *b = user;
    size_t n = b->size - b->at < size ? b->size - b->at : size;
    memcpy(data, b->data + b->at, n);
    b->at += n;
    return (int64_t)n;
}

static int take(void *user, const void *data, size_t size)
{
    put(user, data, size);
    return 0;
}

/* Rows of the demo's columns, some cells of which are missing. */
static bytes make_csv(int rows)
{
    static const char header[] =
        "age,tenure_months,monthly_charge,support_calls,plan,region,payment\n";
    static const char *const texts[] = {"basic", "",     "premium",
                                        "north", "card", "gr\u00f6\u00dfer"};
    bytes b = {0};
    put(&b, header, sizeof header - 1);
    for (int i = 0; i < rows; i++) {
        char line[160], age[16] = "";
        if (i % 7)
            snprintf(age, sizeof age, "%d", i % 91);
        int n = snprintf(line, sizeof line, "%s,%d,%.3f,%d,%s,%s,%s\n", age, i % 50, i / 9.0, i % 5,
                         texts[i % 6], texts[i % 5], texts[i % 4]);
        put(&b, line, (size_t)n);
    }
    return b;
}

/* The columns of a CSV as another format, in parts of 50 rows. */
static bytes convert(opened *o, bytes *csv, const char *format)
{
    static const char *const keep[] = {"*"};
    bytes out = {0};
    const ftl_reader reader = {.struct_size = sizeof reader, .user = csv, .read = give};
    const ftl_writer writer = {.struct_size = sizeof writer, .user = &out, .write = take};
    const ftl_score_options options = {.struct_size = sizeof options,
                                       .input_format = "csv",
                                       .output_format = format,
                                       .keep = keep,
                                       .n_keep = 1,
                                       .batch_rows = 50};
    csv->at = 0;
    if (ftl_score_stream(o->model, &reader, &writer, &options, NULL, &o->error) != FTL_OK)
        fail_msg("%s: %s", format, o->error.message);
    return out;
}

static void probabilities(opened *o, const bytes *table, const char *format, double *out)
{
    const ftl_read_options options = {.struct_size = sizeof options,
                                      .format = format,
                                      .empty_text = FTL_EMPTY_IS_MISSING}; /* as in CSV */
    ftl_batch in;
    if (ftl_session_read(o->session, table->data, table->size, &options, NULL, &in, &o->error) !=
        FTL_OK)
        fail_msg("%s: %s", format, o->error.message);
    assert_int_equal(in.rows, 333);
    const ftl_matrix_out room = {.data = out,
                                 .dtype = FTL_F64,
                                 .rows = in.rows,
                                 .columns = 2,
                                 .row_stride = 2,
                                 .column_stride = 1};
    assert_int_equal(ftl_predict_into(o->session, FTL_PREDICT_PROBA, &in, &room, NULL), FTL_OK);
}

static void test_parts_are_joined(void **state)
{
    (void)state;
    static const char *const formats[] = {"arrow", "parquet", "jsonl", "json"};
    static double expected[333][2], got[333][2];
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    bytes csv = make_csv(333);
    probabilities(&o, &csv, "csv", expected[0]);
    for (int i = 0; i < 4; i++) {
        bytes other = convert(&o, &csv, formats[i]);
        probabilities(&o, &other, formats[i], got[0]);
        assert_memory_equal(got, expected, sizeof got);
        free(other.data);
    }
    free(csv.data);
    ftl_model_trim(o.model);
    ftl_session_destroy(o.session); /* the job made an executor, which the context keeps */
    ftl_model_release(o.model);
    ftl_context_destroy(o.context);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef struct counting {
    unsigned long requests, fail_at; /* 0: never */
} counting;

static void *counting_realloc(void *user, void *pointer, size_t size)
{
    counting *c = user;
    return ++c->requests == c->fail_at ? NULL : realloc(pointer, size);
}

static void counting_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

static opened open_counting(const char *file, counting *c)
{
    char path[512];
    opened o = {0};
    const ftl_allocator allocator = {counting_realloc, counting_free, c};
    const ftl_context_options context = {.struct_size = sizeof context, .allocator = &allocator};
    snprintf(path, sizeof path, FTL_TEST_DIR "/%s", file);
    assert_int_equal(ftl_context_create(&context, &o.context, NULL), FTL_OK);
    o.empty = ftl_context_memory_used(o.context);
    assert_int_equal(ftl_model_open(o.context, path, NULL, &o.model, NULL), FTL_OK);
    return o;
}

static void test_a_warm_session_takes_no_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {"[" ROW "}, " ROW ", \"other\": 1}]",
                                        "[[44, 7, 41.5, 2, \"basic\", \"north\", \"card\"], [1, 2, "
                                        "3, 4, \"\\u00e9\", \"b\", \"c\"]]"};
    counting c = {0};
    opened o = open_counting(DEMO, &c);
    const ftl_plan_options options = {.struct_size = sizeof options,
                                      .methods = 1u << FTL_PREDICT_PROBA};
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(o.model, &options, &plan, NULL), FTL_OK);
    unsigned long before = 0;
    for (int round = 0; round < 3; round++) {
        before = c.requests;
        for (int i = 0; i < 2; i++) {
            assert_int_equal(ftl_plan_borrow(plan, &o.session, NULL), FTL_OK);
            const ftl_batch in = must_read(&o, texts[i], NULL);
            (void)probability(&o, &in, 0);
            ftl_plan_return(o.session);
        }
    }
    assert_int_equal(c.requests, before);
    ftl_plan_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_plan_get_info(plan, &info), FTL_OK);
    assert_true(info.session_bytes > 0);
    ftl_plan_release(plan);
    ftl_model_release(o.model);
    assert_int_equal(ftl_context_memory_used(o.context), o.empty);
    ftl_context_destroy(o.context);
}

static void test_a_session_in_its_pool_holds_no_table(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    const ftl_plan_options options = {.struct_size = sizeof options};
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(o.model, &options, &plan, NULL), FTL_OK);
    ftl_session *own = o.session;
    assert_int_equal(ftl_plan_borrow(plan, &o.session, NULL), FTL_OK);
    (void)must_read(&o, "[[1, 2, 3, 4, 5]]", NULL);
    uint64_t before = ftl_context_memory_used(o.context);
    (void)must_read(&o, "a,b,c,d,e\n1,2,3,4,5\n", "csv");
    assert_true(ftl_context_memory_used(o.context) > before);
    ftl_plan_return(o.session);
    assert_int_equal(ftl_context_memory_used(o.context), before);
    ftl_plan_release(plan);
    o.session = own;
    close_session(&o);
}

/* Reading and running while the Nth allocation fails, for all N: OK or NOMEM, and nothing stays. */
static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const tables[][2] = {
        {"json", "[" ROW "}, {\"age\": \"x\"}]"},
        {"json", "[[44, 7, 41.5, 2, \"b\\u0061sic\", \"north\", \"card\"]]"},
        {"json", "[{\"Age\": 1}]"},
        {"jsonl", ROW "}\n{\"age\": \"x\"}\n"},
        {"csv",
         "age,tenure_months,monthly_charge,support_calls,plan,region,payment\n1,2,3,x,a,b,c\n"},
    };
    counting c = {0};
    opened o = open_counting(DEMO, &c);
    for (int i = 0; i < 5; i++) {
        ftl_status wanted = FTL_OK;
        for (unsigned long n = 0; n == 0 || c.requests >= n; n++) {
            const ftl_session_options options = {.struct_size = sizeof options,
                                                 .on_error = FTL_ON_ERROR_NULL};
            ftl_batch in, out;
            c = (counting){0};
            assert_int_equal(ftl_session_create(o.model, &options, &o.session, &o.error), FTL_OK);
            c = (counting){.fail_at = n};
            ftl_status status = read_text(&o, tables[i][1], tables[i][0], NULL, &in);
            if (status == FTL_OK)
                status = ftl_predict(o.session, FTL_PREDICT, &in, &out, &o.error);
            ftl_error why;
            if (status == FTL_OK && ftl_session_bad_rows(o.session))
                assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
            wanted = n == 0 ? status : wanted;
            if (status != wanted)
                assert_int_equal(status, FTL_NOMEM);
            ftl_session_destroy(o.session);
        }
        assert_int_equal(wanted, i == 2 ? FTL_SCHEMA : FTL_OK);
    }
    ftl_model_release(o.model);
    assert_int_equal(ftl_context_memory_used(o.context), o.empty);
    ftl_context_destroy(o.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_give_the_same_rows),
        cmocka_unit_test(test_one_value_is_taken),
        cmocka_unit_test(test_bad_cells_are_bad_rows),
        cmocka_unit_test(test_objects_are_matched_by_name),
        cmocka_unit_test(test_a_key_that_some_rows_lack_is_missing),
        cmocka_unit_test(test_bad_rows_are_told_apart),
        cmocka_unit_test(test_a_row_that_was_read_as_bad_fails_where_none_may_be),
        cmocka_unit_test(test_reading_ends_what_was_computed),
        cmocka_unit_test(test_damage_is_told),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_model_of_any_width),
        cmocka_unit_test(test_parts_are_joined),
        cmocka_unit_test(test_a_warm_session_takes_no_memory),
        cmocka_unit_test(test_a_session_in_its_pool_holds_no_table),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
