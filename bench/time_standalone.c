/*
 * Times a stand-alone C file that `foretell generate` wrote, as time_predict times the library: the
 * median CPU time per row of blocks of rows, and of rows that come alone. Compiled with the file:
 *
 *     foretell generate MODEL -o model.c
 *     cc -std=gnu99 -O2 -Ibench -Iinclude -DMODEL_FILE='"model.c"' bench/time_standalone.c -o time
 * -lm
 *     ./time ROWS.f64 N_ROWS N_COLUMNS REPEATS
 *
 * MODEL_TYPE is what a row's result is made of (default: double), MODEL_WIDTH how many there are,
 * MODEL_METHOD which function (default: predict).
 */
#include MODEL_FILE

#include "timing.h"

#ifndef MODEL_TYPE
#define MODEL_TYPE double
#endif
#ifndef MODEL_WIDTH
#define MODEL_WIDTH 1
#endif
#ifndef MODEL_METHOD
#define MODEL_METHOD predict
#endif
#define JOIN(a, b) JOINED(a, b)
#define JOINED(a, b) model_##a##b

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: time ROWS.f64 N_ROWS N_COLUMNS REPEATS\n");
        return 1;
    }
    size_t n = strtoull(argv[2], NULL, 10), columns = strtoull(argv[3], NULL, 10);
    size_t repeats = strtoull(argv[4], NULL, 10), count;
    double *rows = read_rows(argv[1], &count);
    MODEL_TYPE *out = malloc(n * MODEL_WIDTH * sizeof *out);
    double *blocks = malloc(repeats * sizeof *blocks), *alone = malloc(repeats * sizeof *alone);
    if (!rows || !out || !blocks || !alone || repeats == 0 || count < n * columns)
        return 1;
    for (size_t i = 0; i < repeats; i++) {
        double before = thread_nanoseconds();
        JOIN(MODEL_METHOD, _batch)(rows, n, out, NULL);
        blocks[i] = (thread_nanoseconds() - before) / (double)n;
        before = thread_nanoseconds();
        for (size_t r = 0; r < n; r++)
            JOIN(MODEL_METHOD, )(rows + r * columns, out + r * MODEL_WIDTH);
        alone[i] = (thread_nanoseconds() - before) / (double)n;
    }
    printf("{\"rows\": %zu, \"ns_per_row\": %.1f, \"ns_per_row_alone\": %.1f}\n", n,
           median_of(blocks, repeats), median_of(alone, repeats));
    free(rows);
    free(out);
    free(blocks);
    free(alone);
    return 0;
}
