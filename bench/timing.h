/* What the timing programs share: the clock, medians, and rows from a file. */
#ifndef FTL_BENCH_TIMING_H
#define FTL_BENCH_TIMING_H

#include <foretell/foretell.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* CPU time of the calling thread. */
static inline double thread_nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Sorts them. */
static inline double median_of(double *times, size_t n)
{
    qsort(times, n, sizeof *times, by_value);
    return times[n / 2];
}

/* Ends the program with the error's message. */
static inline void check(ftl_status status, const ftl_error *error)
{
    if (status == FTL_OK)
        return;
    fprintf(stderr, "%s\n", error->message);
    exit(1);
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
