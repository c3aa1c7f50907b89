/*
 * Sessions and tokens through the public header alone: a prediction ends within a block of rows
 * once its token is triggered, beforehand or from another thread in the middle of a batch that
 * would take minutes or years; the session goes on working, and its pool forgets the token.
 */
#include "public_api.h"

#include <foretell/arrow.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NEIGHBORS "../fuzz/corpus/model/1.9.1-knn_multi"
#define NORMALIZER "../fuzz/corpus/model/0.20.4-normalizer_l2"

enum { MOST_COLUMNS = 16 };

static const double row[MOST_COLUMNS] = {0.5, 1.5, -1, 2, 0, 1, -2, 0.25};

/* The same row again and again. */
static ftl_matrix repeated(const ftl_model *model, size_t rows)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    assert_true(info.n_inputs <= MOST_COLUMNS);
    return (ftl_matrix){.data = row,
                        .dtype = FTL_F64,
                        .rows = rows,
                        .columns = info.n_inputs,
                        .row_stride = 0,
                        .column_stride = 1};
}

static ftl_cancel *token(const opened *o, bool triggered)
{
    ftl_cancel *cancel = NULL;
    assert_int_equal(ftl_cancel_create(o->context, &cancel, NULL), FTL_OK);
    if (triggered)
        ftl_cancel_trigger(cancel);
    return cancel;
}

/* ---- Triggered beforehand -------------------------------------------------------------------- */

static void expect_cancelled(opened *o, const ftl_matrix *in)
{
    const ftl_batch batch = {.rows = in->rows, .matrix = in};
    double numbers[4][MOST_COLUMNS];
    const size_t width = ftl_model_output_count(o->model, FTL_PREDICT);
    const ftl_matrix_out room = {.data = numbers,
                                 .dtype = FTL_F64,
                                 .rows = in->rows,
                                 .columns = width,
                                 .row_stride = MOST_COLUMNS,
                                 .column_stride = 1};
    ftl_batch out;
    assert_true(in->rows <= 4 && width <= MOST_COLUMNS);
    assert_int_equal(ftl_session_run(o->session, 1u << FTL_PREDICT, &batch, &o->error),
                     FTL_CANCELLED);
    assert_int_equal(o->error.code, FTL_CANCELLED);
    assert_int_equal(ftl_session_result(o->session, FTL_PREDICT, &out, NULL), FTL_ARG);
    assert_int_equal(ftl_predict(o->session, FTL_PREDICT, &batch, &out, NULL), FTL_CANCELLED);
    assert_int_equal(ftl_predict_into(o->session, FTL_PREDICT, &batch, &room, NULL), FTL_CANCELLED);
    assert_int_equal(ftl_predict_matrix(o->session, FTL_PREDICT, in, numbers[0], NULL),
                     FTL_CANCELLED);
}

static void test_a_triggered_token_ends_every_prediction(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_matrix in = repeated(o.model, 3);
    const ftl_batch batch = {.rows = 3, .matrix = &in};
    ftl_batch out;
    ftl_cancel *cancel = token(&o, true), *other = token(&o, false);
    assert_int_equal(ftl_session_set_cancel(o.session, cancel), FTL_OK);
    expect_cancelled(&o, &in);
    assert_int_equal(ftl_session_set_cancel(o.session, other), FTL_OK);
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &batch, &out, NULL), FTL_OK);
    assert_int_equal(ftl_session_set_cancel(o.session, cancel), FTL_OK);
    expect_cancelled(&o, &in);
    assert_int_equal(ftl_session_set_cancel(o.session, NULL), FTL_OK);
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &batch, &out, NULL), FTL_OK);
    assert_int_equal(ftl_session_set_cancel(NULL, cancel), FTL_ARG);
    ftl_cancel_destroy(cancel);
    ftl_cancel_destroy(other);
    close_session(&o);
}

static void never_schema(struct ArrowSchema *schema) { fail_msg("%s released", schema->name); }
static void never_array(struct ArrowArray *array) { fail_msg("%p released", (void *)array); }

/* Batches of a width of their own, as matrices and as record batches. */
static void test_a_token_ends_predictions_of_open_width(void **state)
{
    (void)state;
    opened o = open_session(NORMALIZER, FTL_ON_ERROR_FAIL, 0);
    ftl_cancel *cancel = token(&o, true);
    const ftl_matrix in = {.data = row,
                           .dtype = FTL_F64,
                           .rows = 1,
                           .columns = 3,
                           .row_stride = 3,
                           .column_stride = 1};
    const ftl_batch batch = {.rows = 1, .matrix = &in};
    double numbers[3];
    const ftl_matrix_out room = {.data = numbers,
                                 .dtype = FTL_F64,
                                 .rows = 1,
                                 .columns = 3,
                                 .row_stride = 3,
                                 .column_stride = 1};
    const void *buffers[2] = {NULL, row}, *none[1] = {NULL};
    struct ArrowSchema field = {.format = "g", .name = "a", .release = never_schema};
    struct ArrowSchema *fields[] = {&field};
    struct ArrowSchema schema = {
        .format = "+s", .name = "", .n_children = 1, .children = fields, .release = never_schema};
    struct ArrowArray column = {
        .length = 2, .n_buffers = 2, .buffers = buffers, .release = never_array};
    struct ArrowArray *columns[] = {&column}, made;
    struct ArrowArray array = {.length = 2,
                               .n_buffers = 1,
                               .n_children = 1,
                               .buffers = none,
                               .children = columns,
                               .release = never_array};
    ftl_batch out;
    for (int turn = 0; turn < 2; turn++) {
        const ftl_status want = turn ? FTL_OK : FTL_CANCELLED;
        assert_int_equal(ftl_session_set_cancel(o.session, turn ? NULL : cancel), FTL_OK);
        assert_int_equal(ftl_predict(o.session, FTL_TRANSFORM, &batch, &out, NULL), want);
        assert_int_equal(ftl_predict_into(o.session, FTL_TRANSFORM, &batch, &room, NULL), want);
        assert_int_equal(ftl_predict_arrow(o.session, 0, &schema, &array, NULL, &made, NULL), want);
        if (turn)
            made.release(&made);
    }
    ftl_cancel_destroy(cancel);
    close_session(&o);
}

/* Who borrows the session next does not know of the token, which may be gone. */
static void test_a_pool_forgets_tokens(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_matrix in = repeated(o.model, 3);
    const ftl_batch batch = {.rows = 3, .matrix = &in};
    ftl_batch out;
    ftl_plan *plan = NULL;
    ftl_session *first = NULL, *second = NULL;
    ftl_cancel *cancel = token(&o, true);
    assert_int_equal(ftl_model_plan(o.model, NULL, &plan, NULL), FTL_OK);
    assert_int_equal(ftl_plan_borrow(plan, &first, NULL), FTL_OK);
    assert_int_equal(ftl_session_set_cancel(first, cancel), FTL_OK);
    assert_int_equal(ftl_predict(first, FTL_PREDICT, &batch, &out, NULL), FTL_CANCELLED);
    ftl_plan_return(first);
    ftl_cancel_destroy(cancel);
    assert_int_equal(ftl_plan_borrow(plan, &second, NULL), FTL_OK);
    assert_ptr_equal(first, second);
    assert_int_equal(ftl_predict(second, FTL_PREDICT, &batch, &out, NULL), FTL_OK);
    ftl_plan_return(second);
    ftl_plan_release(plan);
    close_session(&o);
}

/* ---- Triggered midway ------------------------------------------------------------------------ */

static void *trigger_soon(void *cancel)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    ftl_cancel_trigger(cancel);
    return NULL;
}

/*
 * Columns that are a single row repeated need no memory, so a batch may have any number of rows:
 * were the token not asked, the first would take years and the others minutes.
 */
static void test_a_token_ends_a_prediction_midway(void **state)
{
    (void)state;
    enum { MANY = 1 << 24 };
    opened o = open_session(NEIGHBORS, FTL_ON_ERROR_FAIL, 0);
    const size_t width = ftl_model_output_count(o.model, FTL_PREDICT);
    double *numbers = malloc(sizeof *numbers * MANY * width); /* most is never touched */
    const ftl_matrix endless = repeated(o.model, (size_t)1 << 40), many = repeated(o.model, MANY);
    const ftl_matrix_out room = {
        .data = numbers, .dtype = FTL_F64, .rows = endless.rows, .columns = width};
    const ftl_batch endless_batch = {.rows = endless.rows, .matrix = &endless};
    const ftl_batch batch = {.rows = MANY, .matrix = &many};
    ftl_batch out;
    assert_non_null(numbers);
    for (int turn = 0; turn < 3; turn++) {
        ftl_cancel *cancel = token(&o, false);
        pthread_t thread;
        assert_int_equal(ftl_session_set_cancel(o.session, cancel), FTL_OK);
        assert_int_equal(pthread_create(&thread, NULL, trigger_soon, cancel), 0);
        ftl_status status = turn == 0 ? ftl_predict_into(o.session, FTL_PREDICT, &endless_batch,
                                                         &room, &o.error)
                            : turn == 1
                                ? ftl_predict(o.session, FTL_PREDICT, &batch, &out, &o.error)
                                : ftl_predict_matrix(o.session, FTL_PREDICT, &many, numbers,
                                                     &o.error);
        if (status != FTL_CANCELLED)
            fail_msg("turn %d: %s %s", turn, ftl_status_name(status), o.error.message);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(ftl_session_set_cancel(o.session, NULL), FTL_OK);
        ftl_cancel_destroy(cancel);
    }
    const ftl_matrix few = repeated(o.model, 3);
    const ftl_batch small = {.rows = 3, .matrix = &few};
    assert_int_equal(ftl_predict(o.session, FTL_PREDICT, &small, &out, NULL), FTL_OK);
    free(numbers);
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_triggered_token_ends_every_prediction),
        cmocka_unit_test(test_a_token_ends_predictions_of_open_width),
        cmocka_unit_test(test_a_pool_forgets_tokens),
        cmocka_unit_test(test_a_token_ends_a_prediction_midway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
