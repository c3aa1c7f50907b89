/*
 * ftl_predict_arrow with structures made by hand: what is borrowed and released, and structures
 * that lie. What pyarrow makes is tried by tests/python/test_arrow.py.
 */
#include "public_api.h"

#include <foretell/arrow.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

enum { ROWS = 20, INPUTS = 7, NUMBERS = 4, EXTRA = 1, CHILDREN = INPUTS + EXTRA };

static const char *const names[CHILDREN] = {"payment",        "region",       "plan",
                                            "extra",          "age",          "tenure_months",
                                            "monthly_charge", "support_calls"};
enum { PAYMENT, REGION, PLAN, EXTRA_CHILD, AGE };

/* A record batch of the demo's columns, in another order and with a column too many. */
typedef struct record {
    struct ArrowSchema schema, fields[CHILDREN], *field_pointers[CHILDREN], values_schema;
    struct ArrowArray array, children[CHILDREN], *child_pointers[CHILDREN], values;
    const void *no_validity[1];
    const void *buffers[CHILDREN][4], *value_buffers[3];
    double numbers[ROWS];
    int32_t offsets[ROWS + 1];
    char text[ROWS * 5];
    int8_t codes[ROWS];
    unsigned char views[ROWS][16];
    int64_t no_sizes[1];
} record;

static void never_schema(struct ArrowSchema *schema) { fail_msg("%s released", schema->name); }
static void never_array(struct ArrowArray *array) { fail_msg("%p released", (void *)array); }

static void set_numbers(record *r, int child)
{
    r->fields[child].format = "g";
    r->buffers[child][1] = r->numbers;
    r->children[child].n_buffers = 2;
}

static void set_texts(record *r, int child)
{
    r->fields[child].format = "u";
    r->buffers[child][1] = r->offsets;
    r->buffers[child][2] = r->text;
    r->children[child].n_buffers = 3;
}

static void set_views(record *r, int child)
{
    r->fields[child].format = "vu";
    r->buffers[child][1] = r->views;
    r->buffers[child][2] = r->no_sizes;
    r->children[child].n_buffers = 3;
}

static void set_dictionary(record *r, int child)
{
    r->values_schema = (struct ArrowSchema){.format = "u", .release = never_schema};
    r->value_buffers[1] = r->offsets;
    r->value_buffers[2] = r->text;
    r->values = (struct ArrowArray){
        .length = 1, .n_buffers = 3, .buffers = r->value_buffers, .release = never_array};
    r->fields[child].format = "c";
    r->fields[child].dictionary = &r->values_schema;
    r->buffers[child][1] = r->codes;
    r->children[child].n_buffers = 2;
    r->children[child].dictionary = &r->values;
}

static void make(record *r)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < ROWS; i++) {
        const int32_t size = 5;
        r->numbers[i] = i;
        memcpy(r->text + i * 5, "basic", 5);
        r->offsets[i + 1] = (i + 1) * 5;
        memcpy(r->views[i], &size, sizeof size);
        memcpy(r->views[i] + 4, "basic", 5);
    }
    for (int c = 0; c < CHILDREN; c++) {
        r->fields[c] = (struct ArrowSchema){
            .name = names[c], .flags = ARROW_FLAG_NULLABLE, .release = never_schema};
        r->children[c] = (struct ArrowArray){
            .length = ROWS, .buffers = r->buffers[c], .release = never_array};
        r->field_pointers[c] = &r->fields[c];
        r->child_pointers[c] = &r->children[c];
        c < AGE ? set_texts(r, c) : set_numbers(r, c);
    }
    r->schema = (struct ArrowSchema){.format = "+s",
                                     .name = "",
                                     .n_children = CHILDREN,
                                     .children = r->field_pointers,
                                     .release = never_schema};
    r->array = (struct ArrowArray){.length = ROWS,
                                   .n_buffers = 1,
                                   .n_children = CHILDREN,
                                   .buffers = r->no_validity,
                                   .children = r->child_pointers,
                                   .release = never_array};
}

static ftl_status predict(opened *o, record *r, struct ArrowSchema *schema, struct ArrowArray *out)
{
    return ftl_predict_arrow(o->session, 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA, &r->schema,
                             &r->array, schema, out, &o->error);
}

static void test_outputs_own_their_memory(void **state)
{
    (void)state;
    static record r;
    struct ArrowSchema schema;
    struct ArrowArray out, label;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 8);
    make(&r);
    if (predict(&o, &r, &schema, &out) != FTL_OK)
        fail_msg("%s", o.error.message);
    close_session(&o);
    assert_string_equal(schema.format, "+s");
    assert_int_equal(schema.n_children, 3);
    assert_string_equal(schema.children[0]->name, "prediction");
    assert_string_equal(schema.children[0]->format, "u");
    assert_string_equal(schema.children[2]->name, "probability_stays");
    assert_string_equal(schema.children[2]->format, "g");
    schema.release(&schema);
    assert_null(schema.release);
    assert_int_equal(out.length, ROWS);
    label = *out.children[0]; /* moved out, as a consumer may: it outlives its parent */
    out.children[0]->release = NULL;
    const double *leaves = out.children[1]->buffers[1], *stays = out.children[2]->buffers[1];
    bool leaves_more[ROWS];
    for (int i = 0; i < ROWS; i++) {
        leaves_more[i] = leaves[i] > stays[i];
        assert_true(fabs(leaves[i] + stays[i] - 1) < 1e-12);
    }
    out.release(&out);
    assert_null(out.release);
    const int32_t *offsets = label.buffers[1];
    for (int i = 0; i < ROWS; i++) {
        int size = offsets[i + 1] - offsets[i];
        assert_int_equal(size, leaves_more[i] ? 6 : 5);
        assert_memory_equal((const char *)label.buffers[2] + offsets[i],
                            leaves_more[i] ? "leaves" : "stays", (size_t)size);
    }
    assert_int_equal(label.n_buffers, 3);
    assert_int_equal(label.null_count, 0);
    label.release(&label);
}

static void test_every_form_of_text_and_part_of_a_batch(void **state)
{
    (void)state;
    static record r;
    struct ArrowArray whole, out;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 8);
    make(&r);
    assert_int_equal(predict(&o, &r, NULL, &whole), FTL_OK);
    for (int form = 0; form < 3; form++) {
        make(&r);
        form == 0   ? set_texts(&r, PLAN)
        : form == 1 ? set_views(&r, PLAN)
                    : set_dictionary(&r, PLAN);
        r.array.offset = 3;
        r.array.length = ROWS - 6;
        assert_int_equal(predict(&o, &r, NULL, &out), FTL_OK);
        assert_int_equal(out.length, ROWS - 6);
        assert_memory_equal(out.children[1]->buffers[1],
                            (const double *)whole.children[1]->buffers[1] + 3,
                            (ROWS - 6) * sizeof(double));
        out.release(&out);
    }
    whole.release(&whole);
    close_session(&o);
}

static void refused(opened *o, record *r, ftl_status status, const char *words)
{
    struct ArrowSchema schema = {.n_children = 77};
    struct ArrowArray out = {.length = 77};
    assert_int_equal(predict(o, r, &schema, &out), status);
    if (!strstr(o->error.message, words))
        fail_msg("'%s' does not say '%s'", o->error.message, words);
    assert_int_equal(out.length, 77); /* untouched */
    assert_int_equal(schema.n_children, 77);
    make(r);
}

static void test_schemas_that_do_not_fit(void **state)
{
    (void)state;
    static record r;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    r.schema.release = NULL;
    refused(&o, &r, FTL_ARG, "schema was released");
    r.schema.format = "g";
    refused(&o, &r, FTL_ARG, "no record batch's");
    r.schema.format = NULL;
    refused(&o, &r, FTL_ARG, "no record batch's");
    r.schema.n_children = -1;
    refused(&o, &r, FTL_ARG, "no children");
    r.schema.children = NULL;
    refused(&o, &r, FTL_ARG, "no children");
    r.field_pointers[2] = NULL;
    refused(&o, &r, FTL_ARG, "column 2 of the Arrow schema has no format");
    r.fields[AGE].format = NULL;
    refused(&o, &r, FTL_ARG, "no format");
    r.fields[AGE].format = "q";
    refused(&o, &r, FTL_ARG, "'q' is no format of Arrow");
    r.fields[AGE].format = "gg";
    refused(&o, &r, FTL_ARG, "'gg' is no format of Arrow");
    r.fields[AGE].format = "tsu:UTC";
    refused(&o, &r, FTL_SCHEMA, "column 4 'age' is a timestamp (format tsu:UTC)");
    r.fields[AGE].format = "+s";
    refused(&o, &r, FTL_SCHEMA, "'age' is a struct");
    r.fields[AGE].n_children = 1;
    refused(&o, &r, FTL_ARG, "'age' has children of its own");
    r.fields[AGE].name = NULL;
    refused(&o, &r, FTL_SCHEMA, "1 column of the model is missing in the record batch: age");
    r.fields[AGE].name = "\xfc"
                         "ge";
    refused(&o, &r, FTL_SCHEMA, "the name of column 4 of the record batch is not UTF-8");
    r.fields[AGE].name = "plan";
    refused(&o, &r, FTL_SCHEMA, "'plan' appears 2 times");
    set_dictionary(&r, PLAN);
    r.fields[PLAN].format = "g";
    refused(&o, &r, FTL_ARG, "indices are no integers");
    struct ArrowSchema plain_schema;
    struct ArrowArray plain; /* the session keeps its binding, which a nested one does not fit */
    set_dictionary(&r, PLAN);
    assert_int_equal(predict(&o, &r, &plain_schema, &plain), FTL_OK);
    plain_schema.release(&plain_schema);
    plain.release(&plain);
    r.values_schema.dictionary = &r.values_schema;
    refused(&o, &r, FTL_SCHEMA, "a dictionary of dictionaries");
    set_dictionary(&r, PLAN);
    r.values_schema.format = NULL;
    refused(&o, &r, FTL_ARG, "no format");
    set_dictionary(&r, PLAN);
    r.values_schema.format = "z";
    refused(&o, &r, FTL_SCHEMA, "'plan' is a dictionary of bytes");
    close_session(&o);
}

/* Bytes that are no UTF-8, in a text that the model looks at, in every form of text. */
static void test_texts_that_are_no_text(void **state)
{
    (void)state;
    static record r;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    for (int form = 0; form < 3; form++) {
        form == 0   ? set_texts(&r, PLAN)
        : form == 1 ? set_views(&r, PLAN)
                    : set_dictionary(&r, PLAN);
        r.text[3] = (char)0xfc;
        r.views[0][4] = 0xfc;
        refused(&o, &r, FTL_VALUE, "a text that is not UTF-8");
        assert_int_equal(o.error.row, 0);
    }
    close_session(&o);
}

static void test_arrays_that_lie(void **state)
{
    (void)state;
    static record r;
    static const uint8_t some_nulls[ROWS] = {0xfe, 0xff, 0xff};
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    r.array.release = NULL;
    refused(&o, &r, FTL_ARG, "array was released");
    r.array.length = -1;
    refused(&o, &r, FTL_ARG, "length or offset out of range");
    r.array.offset = -1;
    refused(&o, &r, FTL_ARG, "length or offset out of range");
    r.array.offset = INT64_MAX;
    refused(&o, &r, FTL_ARG, "length or offset out of range");
    r.array.length = ROWS + 1;
    refused(&o, &r, FTL_ARG, "has 20 rows; the record batch needs 21");
    r.array.offset = 1;
    refused(&o, &r, FTL_ARG, "has 20 rows; the record batch needs 21");
    r.array.n_children = CHILDREN - 1;
    refused(&o, &r, FTL_ARG, "has 7 columns where its schema has 8");
    r.array.n_children = -1;
    refused(&o, &r, FTL_ARG, "columns where its schema has 8");
    r.array.children = NULL;
    refused(&o, &r, FTL_ARG, "columns where its schema has 8");
    r.array.n_buffers = 0;
    refused(&o, &r, FTL_ARG, "no record batch's");
    r.array.buffers = NULL;
    refused(&o, &r, FTL_ARG, "no record batch's");
    r.array.null_count = -1;
    r.no_validity[0] = some_nulls;
    refused(&o, &r, FTL_ARG, "null as a whole");
    r.child_pointers[AGE] = NULL;
    refused(&o, &r, FTL_ARG, "column 0 'age' is no array");
    r.children[AGE].length = -1;
    refused(&o, &r, FTL_ARG, "column 0 'age' has a length");
    r.children[AGE].offset = -1;
    refused(&o, &r, FTL_ARG, "out of range");
    r.children[AGE].offset = INT64_MAX - ROWS;
    refused(&o, &r, FTL_ARG, "than memory can hold");
    r.children[AGE].null_count = -2;
    refused(&o, &r, FTL_ARG, "out of range");
    r.children[AGE].null_count = 1;
    refused(&o, &r, FTL_ARG, "counts nulls and has no validity");
    r.children[AGE].n_buffers = 3;
    refused(&o, &r, FTL_ARG, "has 3 buffers where its type has 2");
    r.children[AGE].n_buffers = -1;
    refused(&o, &r, FTL_ARG, "buffers where its type has 2");
    r.children[AGE].buffers = NULL;
    refused(&o, &r, FTL_ARG, "has 0 buffers where its type has 2");
    r.buffers[AGE][1] = NULL;
    refused(&o, &r, FTL_ARG, "column 0 'age' has no values");
    r.children[AGE].n_children = 1;
    refused(&o, &r, FTL_ARG, "has children of its own");
    r.children[AGE].dictionary = &r.children[PLAN];
    refused(&o, &r, FTL_ARG, "of which the schema does not tell");
    r.offsets[3] = -4;
    refused(&o, &r, FTL_ARG, "negative length");
    r.buffers[PLAN][1] = NULL;
    refused(&o, &r, FTL_ARG, "column 4 'plan' has no offsets");
    r.buffers[PLAN][2] = NULL;
    refused(&o, &r, FTL_ARG, "column 4 'plan' has no values");
    close_session(&o);
}

static void test_views_and_dictionaries_that_lie(void **state)
{
    (void)state;
    static record r;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    const int32_t sizes[] = {-1, 13, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        make(&r);
        set_views(&r, PLAN);
        memcpy(r.views[6], &sizes[i], sizeof sizes[i]);
        refused(&o, &r, FTL_ARG, "view beyond its buffers in row 6");
    }
    set_views(&r, PLAN);
    r.children[PLAN].n_buffers = 2;
    refused(&o, &r, FTL_ARG, "has 2 buffers where its type has 3");
    set_views(&r, PLAN);
    r.children[PLAN].n_buffers = 4; /* one buffer of texts, and no sizes */
    refused(&o, &r, FTL_ARG, "no buffers or no buffer_sizes");
    set_dictionary(&r, PLAN);
    r.children[PLAN].dictionary = NULL;
    refused(&o, &r, FTL_ARG, "has no dictionary");
    set_dictionary(&r, PLAN);
    r.codes[2] = 1;
    refused(&o, &r, FTL_ARG, "counts to row 1 of a dictionary of 1 in row 2");
    set_dictionary(&r, PLAN);
    r.codes[2] = -128;
    refused(&o, &r, FTL_ARG, "counts to row -128");
    set_dictionary(&r, PLAN);
    r.values.length = 0;
    refused(&o, &r, FTL_ARG, "of a dictionary of 0");
    set_dictionary(&r, PLAN);
    r.values.length = -5;
    refused(&o, &r, FTL_ARG, "out of range");
    set_dictionary(&r, PLAN);
    r.values.buffers = NULL;
    refused(&o, &r, FTL_ARG, "buffers where its type has 3");
    close_session(&o);
}

static void test_columns_that_nobody_wants_are_not_looked_at(void **state)
{
    (void)state;
    static record r;
    struct ArrowArray out;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    r.fields[EXTRA_CHILD].format = "no format";
    r.child_pointers[EXTRA_CHILD] = NULL;
    assert_int_equal(predict(&o, &r, NULL, &out), FTL_OK);
    out.release(&out);
    r.children[AGE].null_count = -1; /* not counted yet: allowed */
    assert_int_equal(predict(&o, &r, NULL, &out), FTL_OK);
    out.release(&out);
    close_session(&o);
}

/* A model that does not say how many columns it takes takes all of a record batch. */
static void test_models_of_open_width(void **state)
{
    (void)state;
    static record r;
    struct ArrowArray out;
    opened o = open_session("../fuzz/corpus/model/0.20.4-normalizer_l2", FTL_ON_ERROR_FAIL, 0);
    for (int width = 1; width <= NUMBERS; width++) {
        make(&r);
        r.schema.children += AGE;
        r.array.children += AGE;
        r.schema.n_children = r.array.n_children = width;
        if (ftl_predict_arrow(o.session, 0, &r.schema, &r.array, NULL, &out, &o.error) != FTL_OK)
            fail_msg("%s", o.error.message);
        assert_int_equal(out.n_children, width);
        for (int c = 0; c < width; c++) /* equal numbers in every column */
            assert_true(fabs(((const double *)out.children[c]->buffers[1])[7] -
                             1 / sqrt((double)width)) < 1e-15);
        out.release(&out);
    }
    make(&r);
    r.buffers[AGE + 3][1] = NULL;
    r.schema.children += AGE;
    r.array.children += AGE;
    r.schema.n_children = r.array.n_children = NUMBERS;
    assert_int_equal(ftl_predict_arrow(o.session, 0, &r.schema, &r.array, NULL, &out, &o.error),
                     FTL_ARG);
    assert_string_equal(o.error.message, "column 3 has no values");
    close_session(&o);
}

/* ---- Threads --------------------------------------------------------------------------------- */

enum { N_THREADS = 4, ROUNDS = 100 };

typedef struct worker {
    pthread_t thread;
    ftl_plan *plan;
    record *r; /* all threads' */
    const struct ArrowArray *want;
    size_t wrong;
} worker;

/* Whether a result is that of one thread, to the bit. */
static bool same_results(const struct ArrowArray *a, const struct ArrowArray *b)
{
    if (a->n_children != b->n_children || a->n_children != 3 || a->length != b->length)
        return false;
    const int32_t *offsets_a = a->children[0]->buffers[1], *offsets_b = b->children[0]->buffers[1];
    bool same = memcmp(offsets_a, offsets_b, sizeof *offsets_a * (ROWS + 1)) == 0 &&
                memcmp(a->children[0]->buffers[2], b->children[0]->buffers[2],
                       (size_t)offsets_a[ROWS]) == 0;
    for (int c = 1; c < 3; c++)
        same &= memcmp(a->children[c]->buffers[1], b->children[c]->buffers[1],
                       sizeof(double) * ROWS) == 0;
    return same;
}

static ftl_status predict_borrowed(ftl_plan *plan, const record *r, struct ArrowSchema *schema,
                                   struct ArrowArray *out)
{
    ftl_session *session = NULL;
    ftl_status status = ftl_plan_borrow(plan, &session, NULL);
    if (status == FTL_OK)
        status = ftl_predict_arrow(session, 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA, &r->schema,
                                   &r->array, schema, out, NULL);
    ftl_plan_return(session);
    return status;
}

static void *work(void *argument)
{
    worker *self = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct ArrowSchema schema;
        struct ArrowArray out;
        if (predict_borrowed(self->plan, self->r, &schema, &out) != FTL_OK) {
            self->wrong++;
            continue;
        }
        self->wrong += !same_results(&out, self->want);
        schema.release(&schema);
        out.release(&out);
    }
    return NULL;
}

/* One plan and one record batch; sessions of the plan's pool, each call another. */
static void test_threads_share_a_plan_and_a_record_batch(void **state)
{
    (void)state;
    static record r;
    struct ArrowSchema schema;
    struct ArrowArray want;
    ftl_plan *plan = NULL;
    worker workers[N_THREADS];
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    set_views(&r, PAYMENT);
    set_dictionary(&r, PLAN);
    assert_int_equal(ftl_model_plan(o.model, NULL, &plan, &o.error), FTL_OK);
    assert_int_equal(predict_borrowed(plan, &r, &schema, &want), FTL_OK);
    for (int i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.plan = plan, .r = &r, .want = &want};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    schema.release(&schema);
    want.release(&want);
    ftl_plan_release(plan);
    close_session(&o);
}

static void test_arguments(void **state)
{
    (void)state;
    static record r;
    struct ArrowArray out;
    ftl_error error;
    opened o = open_session(DEMO, FTL_ON_ERROR_FAIL, 0);
    make(&r);
    assert_int_equal(ftl_predict_arrow(NULL, 0, &r.schema, &r.array, NULL, &out, &error), FTL_ARG);
    assert_int_equal(ftl_predict_arrow(o.session, 0, NULL, &r.array, NULL, &out, &error), FTL_ARG);
    assert_int_equal(ftl_predict_arrow(o.session, 0, &r.schema, NULL, NULL, &out, &error), FTL_ARG);
    assert_int_equal(ftl_predict_arrow(o.session, 0, &r.schema, &r.array, NULL, NULL, &error),
                     FTL_ARG);
    assert_int_equal(
        ftl_predict_arrow(o.session, 1u << FTL_TRANSFORM, &r.schema, &r.array, NULL, &out, &error),
        FTL_ARG);
    assert_int_equal(
        ftl_predict_arrow(o.session, 1u << 31, &r.schema, &r.array, NULL, &out, &error), FTL_ARG);
    assert_int_equal(ftl_predict_arrow(o.session, 0, &r.schema, &r.array, NULL, &out, NULL),
                     FTL_OK);
    assert_int_equal(out.n_children, 1 + 2 + 2 + 1); /* every method */
    out.release(&out);
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs_own_their_memory),
        cmocka_unit_test(test_every_form_of_text_and_part_of_a_batch),
        cmocka_unit_test(test_schemas_that_do_not_fit),
        cmocka_unit_test(test_texts_that_are_no_text),
        cmocka_unit_test(test_arrays_that_lie),
        cmocka_unit_test(test_views_and_dictionaries_that_lie),
        cmocka_unit_test(test_columns_that_nobody_wants_are_not_looked_at),
        cmocka_unit_test(test_models_of_open_width),
        cmocka_unit_test(test_threads_share_a_plan_and_a_record_batch),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
