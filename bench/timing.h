/* What the timing programs share: rows from a file, and the order of times. */
#ifndef FTL_BENCH_TIMING_H
#define FTL_BENCH_TIMING_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The whole file as float64, before any clock starts; *count: its numbers. NULL: unreadable. */
static inline double *read_rows(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    double *rows = size > 0 ? malloc((size_t)size) : NULL;
    *count = size > 0 ? (size_t)size / sizeof *rows : 0;
    bool complete = rows && fseek(file, 0, SEEK_SET) == 0 &&
                    fread(rows, sizeof *rows, *count, file) == *count;
    if (file)
        fclose(file);
    if (!complete) {
        free(rows);
        return NULL;
    }
    return rows;
}

#endif
