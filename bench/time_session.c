/*
 * Times what a server pays beside the kernels: a session from a plan's pool, the first session of a
 * plan, and single rows through ftl_predict, warm. Prints one JSON line.
 *
 *     time_session MODEL ROWS.f64 METHOD
 *
 * ROWS.f64 is rows x (the model's columns) raw float64, row-major; the rows are taken in turn.
 */
#include "timing.h"

#include <foretell/foretell.h>

#include <stdio.h>
#include <stdlib.h>

enum { rounds = 21, calls = 20000 };

/* Nanoseconds of the first session of a fresh pool: made and given one row. */
static double first_session(ftl_model *model, ftl_plan *plan, ftl_method method,
                            const ftl_batch *row)
{
    double times[rounds];
    ftl_error error;
    for (int i = 0; i < rounds; i++) {
        ftl_session *session;
        ftl_batch out;
        ftl_model_trim(model); /* the pool is empty, the plan is held */
        double start = thread_nanoseconds();
        check(ftl_plan_borrow(plan, &session, &error), &error);
        times[i] = thread_nanoseconds() - start;
        check(ftl_predict(session, method, row, &out, &error), &error);
        ftl_plan_return(session);
    }
    return median_of(times, rounds);
}

static double borrow_and_return(ftl_plan *plan)
{
    double times[rounds];
    ftl_error error;
    for (int i = 0; i < rounds; i++) {
        double start = thread_nanoseconds();
        for (int k = 0; k < calls; k++) {
            ftl_session *session;
            check(ftl_plan_borrow(plan, &session, &error), &error);
            ftl_plan_return(session);
        }
        times[i] = (thread_nanoseconds() - start) / calls;
    }
    return median_of(times, rounds);
}

static double single_rows(ftl_plan *plan, ftl_method method, ftl_matrix *matrix, const double *rows,
                          size_t n_rows)
{
    double times[rounds];
    ftl_error error;
    ftl_session *session;
    const ftl_batch in = {.rows = 1, .n_columns = matrix->columns, .matrix = matrix};
    check(ftl_plan_borrow(plan, &session, &error), &error);
    for (int i = 0; i < rounds; i++) {
        double start = thread_nanoseconds();
        for (size_t k = 0; k < calls; k++) {
            ftl_batch out;
            matrix->data = rows + k % n_rows * matrix->columns;
            check(ftl_predict(session, method, &in, &out, &error), &error);
        }
        times[i] = (thread_nanoseconds() - start) / calls;
    }
    ftl_plan_return(session);
    return median_of(times, rounds);
}

/* Bytes of a model that was opened for one plan, and of the plan: what they hold together. */
static uint64_t bytes_alone(ftl_context *context, const char *path, const ftl_plan_options *plan)
{
    const ftl_model_options options = {.struct_size = sizeof options, .only_plan = plan};
    ftl_model_info info = {.struct_size = sizeof info};
    ftl_plan_info made = {.struct_size = sizeof made};
    ftl_model *model;
    ftl_plan *only;
    ftl_error error;
    check(ftl_model_open(context, path, &options, &model, &error), &error);
    check(ftl_model_plan(model, plan, &only, &error), &error);
    check(ftl_model_get_info(model, &info), &error);
    check(ftl_plan_get_info(only, &made), &error);
    ftl_plan_release(only);
    ftl_model_release(model);
    return info.bytes + made.bytes;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: time_session MODEL ROWS.f64 METHOD\n");
        return 1;
    }
    size_t count;
    double *rows = read_rows(argv[2], &count);
    if (!rows) {
        fprintf(stderr, "time_session: the rows cannot be read\n");
        return 1;
    }
    ftl_error error;
    ftl_context *context;
    ftl_model *model;
    ftl_plan *plan;
    ftl_method method;
    check(ftl_method_parse(argv[3], &method, &error), &error);
    check(ftl_context_create(NULL, &context, &error), &error);
    check(ftl_model_open(context, argv[1], NULL, &model, &error), &error);
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = 1u << method};
    check(ftl_model_plan(model, &options, &plan, &error), &error);
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return 1;
    ftl_matrix matrix = {.data = rows,
                         .dtype = FTL_F64,
                         .rows = 1,
                         .columns = info.n_inputs,
                         .row_stride = (ptrdiff_t)info.n_inputs,
                         .column_stride = 1};
    const ftl_batch row = {.rows = 1, .n_columns = info.n_inputs, .matrix = &matrix};
    double first = first_session(model, plan, method, &row);
    ftl_plan_info made = {.struct_size = sizeof made};
    check(ftl_plan_get_info(plan, &made), &error);
    double pooled = borrow_and_return(plan);
    double one = single_rows(plan, method, &matrix, rows, count / info.n_inputs);
    uint64_t alone = bytes_alone(context, argv[1], &options);
    printf("{\"borrow_return_ns\": %.1f, \"first_session_ns\": %.0f, \"one_row_ns\": %.1f, "
           "\"session_bytes\": %llu, \"plan_bytes\": %llu, \"model_bytes\": %llu, "
           "\"only_plan_bytes\": %llu}\n",
           pooled, first, one, (unsigned long long)made.session_bytes,
           (unsigned long long)made.bytes, (unsigned long long)info.bytes,
           (unsigned long long)alone);
    free(rows);
    ftl_plan_release(plan);
    ftl_model_release(model);
    ftl_context_destroy(context);
    return 0;
}
