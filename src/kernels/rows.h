/*
 * Elementwise work on row-major matrices: a vector for every row (scalers, intercepts, clips), the
 * search for values that a library refuses, and the column of a row's largest value. Each number is
 * rounded as a plain loop would round it.
 */
#ifndef FTL_KERNELS_ROWS_H
#define FTL_KERNELS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ftl_rows_op {
    FTL_ROWS_SUB,
    FTL_ROWS_ADD,
    FTL_ROWS_MUL,
    FTL_ROWS_DIV,
    FTL_ROWS_CLIP_LOW,  /* x < v ? v : x; NaN passes */
    FTL_ROWS_CLIP_HIGH, /* x > v ? v : x */
    FTL_ROWS_OPS
} ftl_rows_op;

/* out[r][j] = x[r][j] op v[j]; out may be x. */
typedef void ftl_rows_f64_fn(ftl_rows_op op, size_t rows, size_t width, const double *x,
                             const double *v, double *out);
typedef void ftl_rows_f32_fn(ftl_rows_op op, size_t rows, size_t width, const float *x,
                             const float *v, float *out);
/* Computed in float64 and rounded. */
typedef void ftl_rows_wide_fn(ftl_rows_op op, size_t rows, size_t width, const float *x,
                              const double *v, float *out);
/* Whether all |x[i]| <= limit; false where there is a NaN. */
typedef bool ftl_rows_within_f64_fn(size_t n, const double *x, double limit);
typedef bool ftl_rows_within_f32_fn(size_t n, const float *x, float limit);
/* numpy's argmax of each row, width at least 1: the first of the largest, or the first NaN. */
typedef void ftl_rows_argmax_f64_fn(size_t rows, size_t width, const double *x, uint32_t *out);
typedef void ftl_rows_argmax_f32_fn(size_t rows, size_t width, const float *x, uint32_t *out);

typedef struct ftl_rows_kernels {
    ftl_rows_f64_fn *apply_f64;
    ftl_rows_f32_fn *apply_f32;
    ftl_rows_wide_fn *apply_wide;
    ftl_rows_within_f64_fn *within_f64;
    ftl_rows_within_f32_fn *within_f32;
    ftl_rows_argmax_f64_fn *argmax_f64;
    ftl_rows_argmax_f32_fn *argmax_f32;
} ftl_rows_kernels;

#define FTL_ROWS_DECLARE(isa)                         \
    ftl_rows_f64_fn ftl_rows_apply_f64_##isa;         \
    ftl_rows_f32_fn ftl_rows_apply_f32_##isa;         \
    ftl_rows_wide_fn ftl_rows_apply_wide_##isa;       \
    ftl_rows_within_f64_fn ftl_rows_within_f64_##isa; \
    ftl_rows_within_f32_fn ftl_rows_within_f32_##isa; \
    ftl_rows_argmax_f64_fn ftl_rows_argmax_f64_##isa; \
    ftl_rows_argmax_f32_fn ftl_rows_argmax_f32_##isa
FTL_ROWS_DECLARE(portable);
FTL_ROWS_DECLARE(avx2);
FTL_ROWS_DECLARE(avx512);

#define FTL_ROWS_KERNELS(isa)                 \
    {.apply_f64 = ftl_rows_apply_f64_##isa,   \
     .apply_f32 = ftl_rows_apply_f32_##isa,   \
     .apply_wide = ftl_rows_apply_wide_##isa, \
     .within_f64 = ftl_rows_within_f64_##isa, \
     .within_f32 = ftl_rows_within_f32_##isa, \
     .argmax_f64 = ftl_rows_argmax_f64_##isa, \
     .argmax_f32 = ftl_rows_argmax_f32_##isa}

#endif
