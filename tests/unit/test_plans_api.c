/*
 * Plans, pools and sessions through the public header alone: a plan is made once and shared by all
 * threads, sessions are small, several methods take one pass, and what nobody uses can be given
 * back. Models come from the fuzz targets' corpus.
 */
#include "unit.h"

#include <foretell/foretell.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_THREADS = 4, ROUNDS = 200, ROWS = 300, MOST_COLUMNS = 16 };

#define FOREST "1.9-rf_balanced"

/* ---- Helpers --------------------------------------------------------------------------------- */

static ftl_context *new_context(uint64_t memory_limit)
{
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = memory_limit, .threads = 1};
    ftl_context *context = NULL;
    assert_int_equal(ftl_context_create(&options, &context, NULL), FTL_OK);
    return context;
}

static ftl_model *open_model(ftl_context *context, const char *name)
{
    char path[512];
    ftl_model *model = NULL;
    ftl_error error;
    snprintf(path, sizeof path, FTL_TEST_DIR "/../fuzz/corpus/model/%s", name);
    if (ftl_model_open(context, path, NULL, &model, &error) != FTL_OK)
        fail_msg("%s: %s", path, error.message);
    return model;
}

static ftl_plan *plan_for(ftl_model *model, uint32_t methods)
{
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = methods};
    ftl_plan *plan = NULL;
    ftl_error error;
    if (ftl_model_plan(model, &options, &plan, &error) != FTL_OK)
        fail_msg("%s", error.message);
    return plan;
}

static ftl_model_info info_of_model(const ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    return info;
}

static size_t n_inputs(const ftl_model *model)
{
    const ftl_model_info info = info_of_model(model);
    assert_true(info.n_inputs <= MOST_COLUMNS);
    return info.n_inputs;
}

static ftl_plan_info info_of(const ftl_plan *plan)
{
    ftl_plan_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_plan_get_info(plan, &info), FTL_OK);
    return info;
}

static double numbers[ROWS * MOST_COLUMNS];

static ftl_matrix rows_for(const ftl_model *model, size_t rows)
{
    size_t columns = n_inputs(model);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = (double)((i * 2654435761u) % 2000) / 250.0 - 4.0;
    return (ftl_matrix){.data = numbers,
                        .dtype = FTL_F64,
                        .rows = rows,
                        .columns = columns,
                        .row_stride = (ptrdiff_t)columns,
                        .column_stride = 1};
}

/* A method's outputs of a borrowed session as one array of numbers. The caller frees it. */
static double *probabilities(ftl_plan *plan, ftl_model *model, const ftl_matrix *rows)
{
    size_t width = ftl_model_output_count(model, FTL_PREDICT_PROBA);
    double *out = calloc(rows->rows * width, sizeof *out);
    ftl_session *session = NULL;
    ftl_error error;
    assert_non_null(out);
    assert_int_equal(ftl_plan_borrow(plan, &session, &error), FTL_OK);
    assert_int_equal(ftl_predict_matrix(session, FTL_PREDICT_PROBA, rows, out, &error), FTL_OK);
    ftl_plan_return(session);
    return out;
}

static void close_all(ftl_context *context, ftl_model *model, ftl_plan *plan)
{
    ftl_plan_release(plan);
    ftl_model_release(model);
    ftl_context_destroy(context);
}

/* ---- One plan -------------------------------------------------------------------------------- */

typedef struct asker {
    pthread_t thread;
    ftl_model *model;
    ftl_plan *plan;
} asker;

static void *ask(void *argument)
{
    asker *self = argument;
    const ftl_plan_options options = {.struct_size = sizeof options};
    if (ftl_model_plan(self->model, &options, &self->plan, NULL) != FTL_OK)
        self->plan = NULL;
    return NULL;
}

static void test_threads_that_ask_at_once_share_one_plan(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    asker askers[N_THREADS] = {0};
    for (int i = 0; i < N_THREADS; i++) {
        askers[i].model = model;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(askers[i].thread, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        assert_non_null(askers[i].plan);
        assert_ptr_equal(askers[i].plan, askers[0].plan);
        ftl_plan_release(askers[i].plan);
    }
    close_all(context, model, NULL);
}

static void test_a_plan_for_more_methods_serves_one(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *both = plan_for(model, 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA);
    ftl_plan *one = plan_for(model, 1u << FTL_PREDICT_PROBA);
    assert_ptr_equal(one, both);
    const ftl_plan_options narrow = {.struct_size = sizeof narrow, .input_dtype = FTL_F32};
    ftl_plan *other = NULL;
    assert_int_equal(ftl_model_plan(model, &narrow, &other, NULL), FTL_OK);
    assert_ptr_not_equal(other, both);
    ftl_plan_release(other);
    ftl_plan_release(one);
    close_all(context, model, both);
}

static void test_who_may_not_wait_gets_what_is_there(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    const ftl_plan_options both = {.struct_size = sizeof both,
                                   .methods = 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA,
                                   .no_wait = true};
    const ftl_plan_options one = {
        .struct_size = sizeof one, .methods = 1u << FTL_PREDICT, .no_wait = true};
    const ftl_plan_options narrow = {.struct_size = sizeof narrow,
                                     .input_dtype = FTL_F32,
                                     .methods = 1u << FTL_PREDICT,
                                     .no_wait = true};
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(model, &both, &plan, NULL), FTL_END);
    assert_null(plan);
    ftl_plan *made = plan_for(model, both.methods);
    assert_int_equal(ftl_model_plan(model, &both, &plan, NULL), FTL_OK);
    assert_ptr_equal(plan, made);
    ftl_plan_release(plan);
    assert_int_equal(ftl_model_plan(model, &one, &plan, NULL), FTL_OK);
    assert_ptr_equal(plan, made);
    ftl_plan_release(plan);
    assert_int_equal(ftl_model_plan(model, &narrow, &plan, NULL), FTL_END);
    ftl_plan_release(made);
    ftl_model_release(model);
    ftl_context_destroy(context);
}

static void test_a_plan_outlives_the_callers_model(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_matrix rows = rows_for(model, 3);
    ftl_plan *plan = plan_for(model, 0);
    ftl_model_retain(model);
    double *before = probabilities(plan, model, &rows);
    ftl_model_release(model);
    ftl_model_release(model);
    ftl_session *session = NULL;
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    ftl_plan_release(plan); /* the session holds it */
    double after[3 * 8];
    assert_int_equal(ftl_predict_matrix(session, FTL_PREDICT_PROBA, &rows, after, NULL), FTL_OK);
    assert_memory_equal(before, after, 3 * sizeof *before);
    free(before);
    ftl_plan_return(session);
    ftl_context_destroy(context);
}

static void test_every_model_has_a_serial_of_its_own(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *first = open_model(context, FOREST), *second = open_model(context, FOREST);
    uint64_t serials[] = {ftl_model_serial(first), ftl_model_serial(second), 0};
    assert_true(ftl_model_retain(first) == first && ftl_model_serial(first) == serials[0]);
    ftl_model_release(first);
    ftl_model_release(first);
    ftl_model *third = open_model(context, FOREST); /* where the first one lay, perhaps */
    serials[2] = ftl_model_serial(third);
    assert_true(serials[0] != serials[1] && serials[1] != serials[2] && serials[0] != serials[2]);
    ftl_model_release(second);
    ftl_model_release(third);
    ftl_context_destroy(context);
}

/* ---- Pool ------------------------------------------------------------------------------------ */

static void test_a_returned_session_is_borrowed_again(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *plan = plan_for(model, 0);
    ftl_session *first = NULL, *second = NULL, *again = NULL;
    assert_int_equal(ftl_plan_borrow(plan, &first, NULL), FTL_OK);
    assert_int_equal(ftl_plan_borrow(plan, &second, NULL), FTL_OK);
    assert_ptr_not_equal(first, second);
    assert_int_equal(info_of(plan).idle_sessions, 0);
    assert_int_equal(ftl_session_set_on_error(first, FTL_ON_ERROR_NULL), FTL_OK);
    ftl_plan_return(first);
    assert_int_equal(info_of(plan).idle_sessions, 1);
    assert_int_equal(ftl_plan_borrow(plan, &again, NULL), FTL_OK);
    assert_ptr_equal(again, first);
    ftl_plan_return(again);
    ftl_plan_return(second);
    assert_int_equal(info_of(plan).idle_sessions, 2);
    close_all(context, model, plan);
}

/* More sessions than the pool has slots wait as well, and none is lost. */
static void test_a_pool_keeps_any_number_of_sessions(void **state)
{
    (void)state;
    enum { MANY = 150 };
    ftl_session *sessions[MANY];
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *plan = plan_for(model, 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            assert_int_equal(ftl_plan_borrow(plan, &sessions[i], NULL), FTL_OK);
        for (int i = 0; i < MANY; i++)
            ftl_plan_return(sessions[i]);
        assert_int_equal(info_of(plan).idle_sessions, MANY);
    }
    ftl_model_trim(model);
    assert_int_equal(info_of(plan).idle_sessions, 0);
    close_all(context, model, plan);
}

typedef struct worker {
    pthread_t thread;
    ftl_plan *plan;
    ftl_model *model;
    const ftl_matrix *rows;
    const double *expected;
    size_t width;
    bool same;
} worker;

static void *work(void *argument)
{
    worker *self = argument;
    double out[ROWS * 8];
    self->same = true;
    for (int i = 0; i < ROUNDS && self->same; i++) {
        ftl_session *session = NULL;
        ftl_matrix some = *self->rows;
        some.rows = i % 7 ? 1 : ROWS;
        bool ran = ftl_plan_borrow(self->plan, &session, NULL) == FTL_OK &&
                   ftl_predict_matrix(session, FTL_PREDICT_PROBA, &some, out, NULL) == FTL_OK;
        self->same = ran && memcmp(out, self->expected, some.rows * self->width * sizeof *out) == 0;
        ftl_plan_return(session);
        if (i % 50 == 0)
            ftl_model_trim(self->model);
    }
    return NULL;
}

static void test_threads_share_a_plan_and_its_pool(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_matrix rows = rows_for(model, ROWS);
    ftl_plan *plan = plan_for(model, 0);
    double *expected = probabilities(plan, model, &rows);
    worker workers[N_THREADS];
    size_t width = ftl_model_output_count(model, FTL_PREDICT_PROBA);
    assert_true(width <= 8);
    for (int i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){
            .plan = plan, .model = model, .rows = &rows, .expected = expected, .width = width};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_true(workers[i].same);
    }
    free(expected);
    close_all(context, model, plan);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* A session that sees single rows has room for single rows. */
static void test_a_session_has_room_for_what_it_has_seen(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *plan = plan_for(model, 0);
    ftl_matrix one = rows_for(model, 1), many = rows_for(model, ROWS);
    free(probabilities(plan, model, &one));
    uint64_t small = info_of(plan).session_bytes;
    assert_true(small < 16 << 10);
    free(probabilities(plan, model, &many));
    uint64_t large = info_of(plan).session_bytes;
    assert_true(large > small);
    free(probabilities(plan, model, &one));
    assert_int_equal(info_of(plan).session_bytes, large); /* reset, not freed */
    close_all(context, model, plan);
}

/* The columns of a method that no run asked for take no memory. */
static void test_outputs_that_nobody_asked_for_are_not_made(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *plan = plan_for(model, 0);
    ftl_matrix one = rows_for(model, 1);
    one.rows = 100000;
    one.row_stride = 0; /* the same row again and again */
    const ftl_batch in = {.rows = one.rows, .matrix = &one};
    ftl_session *session = NULL;
    ftl_batch out;
    assert_true(ftl_model_output_count(model, FTL_APPLY) > 2);
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    assert_int_equal(ftl_predict(session, FTL_PREDICT, &in, &out, NULL), FTL_OK);
    assert_int_equal(out.n_columns, 1);
    /* a label of one byte with its offset a row, and the workspace of a block */
    assert_true(info_of(plan).session_bytes < 100000 * 16 + (2 << 20));
    ftl_plan_return(session);
    close_all(context, model, plan);
}

static void test_parts_of_the_memory_are_told_apart(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    uint64_t opened = ftl_context_memory_used(context);
    const ftl_model_info before = info_of_model(model);
    ftl_plan *plan = plan_for(model, 0);
    ftl_matrix rows = rows_for(model, ROWS);
    free(probabilities(plan, model, &rows));
    const ftl_model_info after = info_of_model(model);
    ftl_plan_info info = info_of(plan);
    assert_true(info.bytes > 0 && info.session_bytes > 0);
    assert_int_equal(before.plan_bytes + before.session_bytes, 0);
    /* the plan's and the session's own structs are counted beside what they hold */
    assert_in_range(after.plan_bytes, info.bytes, info.bytes + 1024);
    assert_in_range(after.session_bytes, info.session_bytes, info.session_bytes + 1024);
    assert_true(after.bytes < before.bytes + 256); /* a place in the list of plans */
    assert_true(ftl_context_memory_used(context) >= after.bytes + info.bytes + info.session_bytes);
    ftl_plan_release(plan);
    ftl_model_trim(model);
    assert_int_equal(ftl_context_memory_used(context), opened);
    close_all(context, model, NULL);
}

static ftl_plan *plan_of_block(ftl_model *model, uint32_t block_rows)
{
    const ftl_plan_options options = {
        .struct_size = sizeof options, .methods = 1u << FTL_APPLY, .block_rows = block_rows};
    ftl_plan *plan = NULL;
    ftl_error error;
    ftl_status status = ftl_model_plan(model, &options, &plan, &error);
    if (status != FTL_OK)
        assert_int_equal(status, FTL_NOMEM);
    return plan;
}

/* Plans that nobody holds make way for one that somebody needs; those that are held do not. */
static void test_a_limit_gives_back_what_nobody_uses(void **state)
{
    (void)state;
    enum { MOST = 4000 };
    ftl_context *context = new_context(4 << 20);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *held[MOST];
    uint32_t n = 0;
    while (n < MOST && (held[n] = plan_of_block(model, n + 1)))
        n++;
    assert_in_range(n, 2, MOST - 1);
    assert_null(plan_of_block(model, n + 1));
    for (uint32_t i = 1; i < n; i++)
        ftl_plan_release(held[i]);
    for (uint32_t i = 0; i < 2 * n; i++) {
        ftl_plan *plan = plan_of_block(model, n + 1 + i);
        assert_non_null(plan);
        ftl_plan_release(plan);
    }
    ftl_plan *again = plan_of_block(model, 1);
    assert_ptr_equal(again, held[0]);
    ftl_plan_release(again);
    close_all(context, model, held[0]);
}

/* ---- Several methods ------------------------------------------------------------------------- */

static void same_columns(const ftl_batch *a, const ftl_batch *b)
{
    assert_int_equal(a->n_columns, b->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        assert_int_equal(a->columns[i].type, b->columns[i].type);
        if (a->columns[i].type == FTL_STRING) {
            assert_memory_equal(a->columns[i].offsets, b->columns[i].offsets,
                                (a->rows + 1) * sizeof(uint32_t));
            assert_memory_equal(a->columns[i].values, b->columns[i].values,
                                a->columns[i].offsets[a->rows]);
        } else if (a->columns[i].type != FTL_BOOL) {
            size_t size = a->columns[i].type == FTL_F32 ? 4 : 8;
            assert_memory_equal(a->columns[i].values, b->columns[i].values, a->rows * size);
        }
    }
}

static void test_methods_of_one_run_are_those_of_several(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_matrix rows = rows_for(model, ROWS);
    const ftl_batch in = {.rows = ROWS, .matrix = &rows};
    const ftl_method methods[] = {FTL_PREDICT, FTL_PREDICT_PROBA, FTL_APPLY};
    ftl_plan *plan = plan_for(model, 0);
    ftl_session *together = NULL, *alone = NULL;
    uint32_t all = 0;
    assert_int_equal(ftl_plan_borrow(plan, &together, NULL), FTL_OK);
    assert_int_equal(ftl_plan_borrow(plan, &alone, NULL), FTL_OK);
    for (int i = 0; i < 3; i++)
        all |= 1u << methods[i];
    assert_int_equal(ftl_session_run(together, all, &in, NULL), FTL_OK);
    for (int i = 0; i < 3; i++) {
        ftl_batch one, other;
        assert_int_equal(ftl_session_result(together, methods[i], &one, NULL), FTL_OK);
        assert_int_equal(ftl_predict(alone, methods[i], &in, &other, NULL), FTL_OK);
        same_columns(&one, &other);
    }
    ftl_batch none;
    assert_int_equal(ftl_session_result(together, FTL_DECISION_FUNCTION, &none, NULL), FTL_ARG);
    assert_int_equal(ftl_session_result(alone, FTL_PREDICT, &none, NULL), FTL_ARG);
    ftl_plan_return(together);
    ftl_plan_return(alone);
    close_all(context, model, plan);
}

/* ---- Open width ------------------------------------------------------------------------------ */

/* 0.20's Normalizer does not say how many columns it takes: a session takes what it is given. */
static void test_a_model_of_open_width_takes_any_width(void **state)
{
    (void)state;
    static const double values[] = {3, 4, 0, 0, 6, 8, 1, 2, 2, 5, 12, 0};
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, "0.20.4-normalizer_l2");
    ftl_plan *plan = plan_for(model, 0);
    ftl_session *session = NULL;
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    for (size_t width = 1; width <= 4; width++) {
        ftl_matrix matrix = {.data = values,
                             .dtype = FTL_F64,
                             .rows = 12 / width,
                             .columns = width,
                             .row_stride = (ptrdiff_t)width,
                             .column_stride = 1};
        const ftl_batch in = {.rows = matrix.rows, .matrix = &matrix};
        ftl_batch out;
        ftl_error error;
        double numbers_out[12];
        if (ftl_predict(session, FTL_TRANSFORM, &in, &out, &error) != FTL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(out.n_columns, width);
        assert_int_equal(out.rows, matrix.rows);
        for (size_t row = 0; row < matrix.rows; row++) {
            double sum = 0;
            for (size_t c = 0; c < width; c++)
                sum += values[row * width + c] * values[row * width + c];
            double norm = sum > 0 ? sqrt(sum) : 1;
            for (size_t c = 0; c < width; c++) {
                double got = ((const double *)out.columns[c].values)[row];
                assert_true(fabs(got - values[row * width + c] / norm) < 1e-15);
            }
        }
        if (width > 1) /* the caller cannot know how much room that takes */
            assert_int_equal(
                ftl_predict_matrix(session, FTL_TRANSFORM, &matrix, numbers_out, &error),
                FTL_SHAPE);
    }
    ftl_plan_return(session);
    close_all(context, model, plan);
}

/*
 * A session that waits in the pool holds a model of another width, which ends when memory is short
 * and the session is given back.
 */
static void test_a_limit_gives_back_sessions_of_another_width(void **state)
{
    (void)state;
    static const double values[] = {3, 4, 0, 0, 6, 8};
    ftl_context *context = new_context(2 << 20);
    ftl_model *model = open_model(context, "0.20.4-normalizer_l2");
    ftl_plan *plan = plan_for(model, 0);
    ftl_session *session = NULL;
    const ftl_matrix matrix = {.data = values,
                               .dtype = FTL_F64,
                               .rows = 2,
                               .columns = 3,
                               .row_stride = 3,
                               .column_stride = 1};
    const ftl_batch in = {.rows = 2, .matrix = &matrix};
    ftl_batch out;
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    assert_int_equal(ftl_predict(session, FTL_TRANSFORM, &in, &out, NULL), FTL_OK);
    ftl_plan_return(session);
    assert_int_equal(info_of(plan).idle_sessions, 1);
    /* fill what is left: plans that are held */
    ftl_plan *held[4000];
    size_t n = 0;
    for (uint32_t block = 1; n < 4000; block++, n++) {
        const ftl_plan_options options = {.struct_size = sizeof options, .block_rows = block};
        if (ftl_model_plan(model, &options, &held[n], NULL) != FTL_OK)
            break;
    }
    assert_in_range(n, 1, 3999);
    assert_int_equal(info_of(plan).idle_sessions, 0);
    while (n > 0)
        ftl_plan_release(held[--n]);
    close_all(context, model, plan);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void test_unusable_arguments_are_told(void **state)
{
    (void)state;
    ftl_context *context = new_context(0);
    ftl_model *model = open_model(context, FOREST);
    ftl_plan *plan = NULL;
    ftl_session *session = NULL;
    const ftl_plan_options no_size = {.struct_size = 0};
    const ftl_plan_options bad_type = {.struct_size = sizeof bad_type, .input_dtype = FTL_STRING};
    const ftl_plan_options no_method = {.struct_size = sizeof no_method, .methods = 1u << 30};
    const ftl_plan_options lacks = {.struct_size = sizeof lacks, .methods = 1u << FTL_TRANSFORM};
    assert_int_equal(ftl_model_plan(model, &no_size, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(model, &bad_type, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(model, &no_method, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(model, &lacks, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(NULL, NULL, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(model, NULL, NULL, NULL), FTL_ARG);
    assert_null(plan);
    const ftl_session_options old = {.struct_size = 0};
    const ftl_session_options skip = {.struct_size = sizeof skip, .on_error = FTL_ON_ERROR_SKIP};
    assert_int_equal(ftl_session_create(model, &old, &session, NULL), FTL_ARG);
    assert_int_equal(ftl_session_create(model, &skip, &session, NULL), FTL_ARG);
    assert_null(session);
    plan = plan_for(model, 0);
    ftl_plan_info info = {.struct_size = 0};
    assert_int_equal(ftl_plan_get_info(plan, &info), FTL_ARG);
    assert_int_equal(ftl_plan_get_info(NULL, &info), FTL_ARG);
    assert_int_equal(ftl_plan_borrow(NULL, &session, NULL), FTL_ARG);
    assert_int_equal(ftl_plan_borrow(plan, NULL, NULL), FTL_ARG);
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    assert_int_equal(ftl_session_set_on_error(session, FTL_ON_ERROR_SKIP), FTL_ARG);
    const ftl_batch empty = {0};
    ftl_batch out;
    assert_int_equal(ftl_session_run(session, 0, &empty, NULL), FTL_ARG);
    assert_int_equal(ftl_session_run(session, 1u << FTL_TRANSFORM, &empty, NULL), FTL_ARG);
    assert_int_equal(ftl_session_run(session, 1u << FTL_PREDICT, NULL, NULL), FTL_ARG);
    assert_int_equal(ftl_predict(session, (ftl_method)77, &empty, &out, NULL), FTL_ARG);
    assert_int_equal(ftl_predict(session, FTL_PREDICT, &empty, NULL, NULL), FTL_ARG);
    ftl_plan_return(session);
    ftl_plan_return(NULL);
    ftl_plan_release(NULL);
    ftl_session_destroy(NULL);
    close_all(context, model, plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_that_ask_at_once_share_one_plan),
        cmocka_unit_test(test_a_plan_for_more_methods_serves_one),
        cmocka_unit_test(test_who_may_not_wait_gets_what_is_there),
        cmocka_unit_test(test_a_plan_outlives_the_callers_model),
        cmocka_unit_test(test_every_model_has_a_serial_of_its_own),
        cmocka_unit_test(test_a_returned_session_is_borrowed_again),
        cmocka_unit_test(test_a_pool_keeps_any_number_of_sessions),
        cmocka_unit_test(test_threads_share_a_plan_and_its_pool),
        cmocka_unit_test(test_a_session_has_room_for_what_it_has_seen),
        cmocka_unit_test(test_outputs_that_nobody_asked_for_are_not_made),
        cmocka_unit_test(test_parts_of_the_memory_are_told_apart),
        cmocka_unit_test(test_a_limit_gives_back_what_nobody_uses),
        cmocka_unit_test(test_methods_of_one_run_are_those_of_several),
        cmocka_unit_test(test_a_model_of_open_width_takes_any_width),
        cmocka_unit_test(test_a_limit_gives_back_sessions_of_another_width),
        cmocka_unit_test(test_unusable_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
