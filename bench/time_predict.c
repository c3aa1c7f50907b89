/*
 * Times predictions inside one process: opens a model, predicts a matrix of float64 rows again and
 * again on the calling thread, and prints one JSON line with the median time per row.
 *
 *     time_predict MODEL ROWS.f64 N_ROWS METHOD REPEATS
 *
 * ROWS.f64 is N_ROWS x (the model's columns) raw float64, row-major.
 */
#include "timing.h"

#include <foretell/foretell.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char *what)
{
    fprintf(stderr, "time_predict: %s\n", what);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return fail("usage: time_predict MODEL ROWS.f64 N_ROWS METHOD REPEATS");
    size_t n_rows = strtoull(argv[3], NULL, 10), repeats = strtoull(argv[5], NULL, 10), count;
    ftl_error error;
    ftl_context *context;
    ftl_model *model;
    ftl_session *session;
    ftl_method method;
    double *rows = read_rows(argv[2], &count);
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ftl_method_parse(argv[4], &method, &error) != FTL_OK ||
        ftl_context_create(NULL, &context, &error) != FTL_OK ||
        ftl_model_open(context, argv[1], NULL, &model, &error) != FTL_OK)
        return fail(error.message);
    const ftl_session_options options = {.struct_size = sizeof options, .methods = 1u << method};
    if (ftl_session_create(model, &options, &session, &error) != FTL_OK)
        return fail(error.message);
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return fail("the model tells nothing of itself");
    double *out = malloc(n_rows * ftl_model_output_count(model, method) * sizeof *out);
    double *times = malloc(repeats * sizeof *times);
    if (!rows || !out || !times || repeats == 0 || count < n_rows * info.n_inputs)
        return fail("the rows cannot be read");
    ftl_matrix matrix = {.data = rows,
                         .dtype = FTL_F64,
                         .rows = 1,
                         .columns = info.n_inputs,
                         .row_stride = (ptrdiff_t)info.n_inputs,
                         .column_stride = 1};
    if (ftl_predict_matrix(session, method, &matrix, out, &error) != FTL_OK)
        return fail(error.message);
    double first = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    matrix.rows = n_rows;
    for (size_t i = 0; i < repeats; i++) {
        double before = now(CLOCK_THREAD_CPUTIME_ID);
        if (ftl_predict_matrix(session, method, &matrix, out, &error) != FTL_OK)
            return fail(error.message);
        times[i] = now(CLOCK_THREAD_CPUTIME_ID) - before;
    }
    qsort(times, repeats, sizeof *times, by_value);
    printf("{\"rows\": %zu, \"ns_per_row\": %.1f, \"first_prediction_cpu_s\": %.6f}\n", n_rows,
           1e9 * times[repeats / 2] / (double)n_rows, first);
    free(rows);
    free(out);
    free(times);
    ftl_session_destroy(session);
    ftl_model_release(model);
    ftl_context_destroy(context);
    return 0;
}
