/* Parallel predictions through the public header alone: the same numbers as on one thread. */
#include "job_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60000, THREADS = 4, SMALL_ROWS = 100 };

/* ---- Predictions ----------------------------------------------------------------------------- */

enum { MATRIX_ROWS = 200000, COLUMNS = 5 };

static double *matrix_values(void)
{
    double *values = malloc(sizeof *values * MATRIX_ROWS * COLUMNS);
    assert_non_null(values);
    for (size_t i = 0; i < (size_t)MATRIX_ROWS * COLUMNS; i++)
        values[i] = (double)((i * 2654435761u) % 4001) / 400.0 - 5.0;
    return values;
}

static ftl_plan *proba_plan(ftl_model *model)
{
    const ftl_plan_options options = {.struct_size = sizeof options,
                                      .methods = 1u << FTL_PREDICT_PROBA};
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(model, &options, &plan, NULL), FTL_OK);
    return plan;
}

/* Row-major and column-major, backwards too, on any number of threads: the bits of one session. */
static void parallel_predictions_are_the_same(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    ftl_plan *plan = proba_plan(o.model);
    double *values = matrix_values();
    double *one = calloc(MATRIX_ROWS, 2 * sizeof *one),
           *many = calloc(MATRIX_ROWS, 2 * sizeof *one);
    ftl_session *session = NULL;
    assert_true(one && many);
    assert_int_equal(ftl_plan_borrow(plan, &session, NULL), FTL_OK);
    const ftl_matrix matrices[] = {
        {values, FTL_F64, MATRIX_ROWS, COLUMNS, COLUMNS, 1},
        {values, FTL_F64, MATRIX_ROWS, COLUMNS, 1, MATRIX_ROWS},
        {values + (size_t)(MATRIX_ROWS - 1) * COLUMNS, FTL_F64, MATRIX_ROWS, COLUMNS, -COLUMNS, 1},
        {values, FTL_F64, 3, COLUMNS, COLUMNS, 1},
        {values, FTL_F64, 0, COLUMNS, COLUMNS, 1}};
    for (size_t m = 0; m < sizeof matrices / sizeof *matrices; m++) {
        size_t bytes = matrices[m].rows * 2 * sizeof *one;
        assert_int_equal(ftl_predict_matrix(session, FTL_PREDICT_PROBA, &matrices[m], one, NULL),
                         FTL_OK);
        for (uint32_t threads = 0; threads < 3; threads++) {
            const ftl_parallel_options options = {.struct_size = sizeof options,
                                                  .threads = threads};
            size_t bad = 77;
            memset(many, 0, bytes);
            assert_int_equal(ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrices[m], many,
                                                  threads ? &options : NULL, &bad, NULL),
                             FTL_OK);
            assert_int_equal(bad, 0);
            assert_memory_equal(one, many, bytes);
        }
    }
    ftl_plan_return(session);
    ftl_plan_release(plan);
    free(values);
    free(one);
    free(many);
    close_all(&o);
}

/* Columns, as a matrix, and two methods in one pass: the numbers of one session. */
static void columns_in_parallel_are_the_same(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    const ftl_plan_options options = {.struct_size = sizeof options, .input_dtype = FTL_F64};
    ftl_plan *plan = NULL;
    double *values = matrix_values(), *one = calloc(MATRIX_ROWS, 2 * sizeof *one),
           *many = calloc(MATRIX_ROWS, 2 * sizeof *one), *label = calloc(MATRIX_ROWS, sizeof *one);
    assert_true(one && many && label);
    assert_int_equal(ftl_model_plan(o.model, &options, &plan, NULL), FTL_OK);
    const ftl_matrix matrix = {values, FTL_F64, MATRIX_ROWS, COLUMNS, COLUMNS, 1};
    ftl_column columns[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = (ftl_column){
            .type = FTL_F64, .values = values + i, .stride = COLUMNS * sizeof *values};
    const ftl_batch in = {.rows = MATRIX_ROWS, .n_columns = COLUMNS, .columns = columns};
    const ftl_result_room rooms[] = {
        {.method = FTL_PREDICT_PROBA, .room = {many, FTL_F64, MATRIX_ROWS, 2, 2, 1}},
        {.method = FTL_PREDICT,
         .class_index = true,
         .room = {label, FTL_F64, MATRIX_ROWS, 1, 1, 1}}};
    size_t bad = 77;
    ftl_error error;
    assert_int_equal(ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, one, NULL, NULL, NULL),
                     FTL_OK);
    assert_int_equal(ftl_plan_run_into(plan, &in, rooms, 2, NULL, &bad, NULL), FTL_OK);
    assert_int_equal(bad, 0);
    assert_memory_equal(one, many, MATRIX_ROWS * 2 * sizeof *one);
    for (size_t r = 0; r < MATRIX_ROWS; r++)
        assert_true(label[r] == (one[2 * r + 1] > one[2 * r]));
    values[150000 * COLUMNS + 2] = NAN;
    assert_int_equal(ftl_plan_run_into(plan, &in, rooms, 2, NULL, &bad, &error), FTL_VALUE);
    assert_int_equal(error.row, 150000);
    columns[1].offset = SIZE_MAX;
    assert_int_equal(ftl_plan_run_into(plan, &in, rooms, 2, NULL, &bad, &error), FTL_ARG);
    assert_int_equal(ftl_plan_run_into(plan, NULL, rooms, 2, NULL, &bad, &error), FTL_ARG);
    ftl_plan_release(plan);
    free(values);
    free(one);
    free(many);
    free(label);
    close_all(&o);
}

static void parallel_predictions_name_the_first_bad_row(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    ftl_plan *plan = proba_plan(o.model);
    double *values = matrix_values(), *out = calloc(MATRIX_ROWS, 2 * sizeof *out);
    const ftl_matrix matrix = {values, FTL_F64, MATRIX_ROWS, COLUMNS, COLUMNS, 1};
    ftl_error error;
    size_t bad = 77;
    assert_non_null(out);
    for (size_t row = 150000; row < MATRIX_ROWS; row += 5000)
        values[row * COLUMNS + 2] = NAN;
    for (int turn = 0; turn < 5; turn++) {
        assert_int_equal(
            ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, out, NULL, &bad, &error),
            FTL_VALUE);
        assert_int_equal(error.row, 150000);
        assert_int_equal(error.reason, FTL_REASON_MISSING_VALUE);
        assert_int_equal(bad, 77);
    }
    ftl_parallel_options options = {.struct_size = sizeof options, .on_error = FTL_ON_ERROR_NULL};
    assert_int_equal(
        ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, out, &options, &bad, NULL), FTL_OK);
    assert_int_equal(bad, 10);
    assert_true(isnan(out[2 * 150000]) && isnan(out[2 * 195000 + 1]) && !isnan(out[2 * 150001]));

    ftl_cancel *cancel = NULL;
    assert_int_equal(ftl_cancel_create(o.context, &cancel, NULL), FTL_OK);
    options.cancel = cancel;
    ftl_cancel_trigger(cancel);
    assert_int_equal(
        ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, out, &options, &bad, &error),
        FTL_CANCELLED);
    ftl_cancel_destroy(cancel);

    options = (ftl_parallel_options){.on_error = FTL_ON_ERROR_NULL};
    assert_int_equal(
        ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, out, &options, NULL, &error),
        FTL_ARG);
    assert_int_equal(error.reason, FTL_REASON_STRUCT_SIZE);
    options = (ftl_parallel_options){.struct_size = sizeof options, .on_error = FTL_ON_ERROR_SKIP};
    assert_int_equal(
        ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &matrix, out, &options, NULL, &error),
        FTL_ARG);
    assert_string_equal(error.option, "on_error");
    const ftl_matrix narrow = {values, FTL_F64, MATRIX_ROWS, 4, COLUMNS, 1};
    assert_int_equal(
        ftl_predict_parallel(plan, FTL_PREDICT_PROBA, &narrow, out, NULL, NULL, &error), FTL_SHAPE);
    assert_int_equal(ftl_predict_parallel(plan, FTL_PREDICT, &matrix, out, NULL, NULL, &error),
                     FTL_ARG);
    ftl_plan_release(plan);
    free(values);
    free(out);
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parallel_predictions_are_the_same),
        cmocka_unit_test(columns_in_parallel_are_the_same),
        cmocka_unit_test(parallel_predictions_name_the_first_bad_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
