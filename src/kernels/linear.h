/*
 * Dense parts of a linear operation: acc += X W, in float64.
 *
 * x is rows × n numbers with `stride` elements between rows. acc is rows × n_out float64,
 * contiguous; kernels add to it. Sums: one output: eight partial sums over j mod 8, then
 * ((0+4)+(2+6))+((1+5)+(3+7)); several outputs: one sum per output, in the order of j. Independent
 * of rows, blocks and instruction set.
 */
#ifndef FTL_KERNELS_LINEAR_H
#define FTL_KERNELS_LINEAR_H

#include <stddef.h>
#include <stdint.h>

enum { FTL_LINEAR_LANES = 8 };

/* Rounded up to whole vectors: the length of packed weights. */
static inline size_t ftl_linear_padded(size_t n)
{
    return (n + FTL_LINEAR_LANES - 1) / FTL_LINEAR_LANES * FTL_LINEAR_LANES;
}

/* One output; w: [ftl_linear_padded(n)], zero beyond n. */
typedef void ftl_linear_one_f64_fn(size_t rows, size_t n, const double *x, size_t stride,
                                   const double *w, double *acc);
typedef void ftl_linear_one_f32_fn(size_t rows, size_t n, const float *x, size_t stride,
                                   const double *w, double *acc);
/* The same of a matrix by columns, with `stride` elements between columns. */
typedef ftl_linear_one_f64_fn ftl_linear_columns_f64_fn;
typedef ftl_linear_one_f32_fn ftl_linear_columns_f32_fn;
/* Several outputs; w: [n][ftl_linear_padded(n_out)], zero beyond n_out. */
typedef void ftl_linear_many_f64_fn(size_t rows, size_t n, size_t n_out, const double *x,
                                    size_t stride, const double *w, double *acc);
typedef void ftl_linear_many_f32_fn(size_t rows, size_t n, size_t n_out, const float *x,
                                    size_t stride, const double *w, double *acc);

typedef struct ftl_linear_kernels {
    ftl_linear_one_f64_fn *one_f64;
    ftl_linear_one_f32_fn *one_f32;
    ftl_linear_columns_f64_fn *columns_f64;
    ftl_linear_columns_f32_fn *columns_f32;
    ftl_linear_many_f64_fn *many_f64;
    ftl_linear_many_f32_fn *many_f32;
} ftl_linear_kernels;

#define FTL_LINEAR_DECLARE(isa)                             \
    ftl_linear_one_f64_fn ftl_linear_one_f64_##isa;         \
    ftl_linear_one_f32_fn ftl_linear_one_f32_##isa;         \
    ftl_linear_columns_f64_fn ftl_linear_columns_f64_##isa; \
    ftl_linear_columns_f32_fn ftl_linear_columns_f32_##isa; \
    ftl_linear_many_f64_fn ftl_linear_many_f64_##isa;       \
    ftl_linear_many_f32_fn ftl_linear_many_f32_##isa
FTL_LINEAR_DECLARE(portable);
FTL_LINEAR_DECLARE(avx2);
FTL_LINEAR_DECLARE(avx512);

#define FTL_LINEAR_KERNELS(isa)                   \
    {.one_f64 = ftl_linear_one_f64_##isa,         \
     .one_f32 = ftl_linear_one_f32_##isa,         \
     .columns_f64 = ftl_linear_columns_f64_##isa, \
     .columns_f32 = ftl_linear_columns_f32_##isa, \
     .many_f64 = ftl_linear_many_f64_##isa,       \
     .many_f32 = ftl_linear_many_f32_##isa}

#endif
