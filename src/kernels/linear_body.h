/*
 * The linear kernels, included once per instruction set with LINEAR_NAME(name) defined. Written
 * with vectors of eight float64, which the compiler lays onto the registers it has; the arithmetic
 * of a lane is the same on all of them. Vectors pass through pointers only: by value they would
 * change the calling convention.
 */
#include "kernels/linear.h"

#include <string.h>

typedef double linear_f64x8 __attribute__((vector_size(64)));
typedef float linear_f32x8 __attribute__((vector_size(32)));
#define LINEAR_INLINE static inline __attribute__((always_inline))

LINEAR_INLINE void linear_load_f64(linear_f64x8 *out, const double *from)
{
    memcpy(out, from, sizeof *out);
}

LINEAR_INLINE void linear_load_f32(linear_f64x8 *out, const float *from)
{
    linear_f32x8 v;
    memcpy(&v, from, sizeof v);
    *out = __builtin_convertvector(v, linear_f64x8);
}

LINEAR_INLINE double linear_fold(const linear_f64x8 *sum)
{
    linear_f64x8 v = *sum;
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

LINEAR_INLINE void linear_add_lanes(double *acc, const linear_f64x8 *sum, size_t lanes)
{
    double v[FTL_LINEAR_LANES];
    memcpy(v, sum, sizeof v);
    for (size_t k = 0; k < lanes; k++)
        acc[k] += v[k];
}

/*
 * One output: N rows at a time keep the adders busy; a row's own sum does not depend on its
 * neighbours. The tail is padded with zeros, as the weights are.
 */
#define LINEAR_ONE_ROWS(N, type, load)                         \
    for (; r + N <= rows; r += N) {                            \
        const type *row = x + r * stride;                      \
        linear_f64x8 sum[N] = {{0}}, xj, wj;                   \
        for (size_t j = 0; j < whole; j += FTL_LINEAR_LANES) { \
            linear_load_f64(&wj, w + j);                       \
            for (size_t i = 0; i < N; i++) {                   \
                load(&xj, row + i * stride + j);               \
                sum[i] += xj * wj;                             \
            }                                                  \
        }                                                      \
        if (whole < n) {                                       \
            linear_load_f64(&wj, w + whole);                   \
            for (size_t i = 0; i < N; i++) {                   \
                type tail[FTL_LINEAR_LANES] = {0};             \
                for (size_t j = whole; j < n; j++)             \
                    tail[j - whole] = row[i * stride + j];     \
                load(&xj, tail);                               \
                sum[i] += xj * wj;                             \
            }                                                  \
        }                                                      \
        for (size_t i = 0; i < N; i++)                         \
            acc[r + i] += linear_fold(&sum[i]);                \
    }

#define LINEAR_ONE(name, type, load)                                                             \
    void LINEAR_NAME(name)(size_t rows, size_t n, const type *x, size_t stride, const double *w, \
                           double *acc)                                                          \
    {                                                                                            \
        size_t whole = n / FTL_LINEAR_LANES * FTL_LINEAR_LANES, r = 0;                           \
        LINEAR_ONE_ROWS(2, type, load)                                                           \
        LINEAR_ONE_ROWS(1, type, load)                                                           \
    }

/* Several outputs: eight of them × N rows of sums at a time. */
#define LINEAR_MANY_ROWS(N, type)                                        \
    for (; r + N <= rows; r += N) {                                      \
        const type *row = x + r * stride;                                \
        linear_f64x8 sum[N] = {{0}}, wj;                                 \
        for (size_t j = 0; j < n; j++) {                                 \
            linear_load_f64(&wj, w + j * padded + k);                    \
            for (size_t i = 0; i < N; i++)                               \
                sum[i] += (double)row[i * stride + j] * wj;              \
        }                                                                \
        for (size_t i = 0; i < N; i++)                                   \
            linear_add_lanes(acc + (r + i) * n_out + k, &sum[i], lanes); \
    }

#define LINEAR_MANY(name, type)                                                                \
    void LINEAR_NAME(name)(size_t rows, size_t n, size_t n_out, const type *x, size_t stride,  \
                           const double *w, double *acc)                                       \
    {                                                                                          \
        size_t padded = ftl_linear_padded(n_out);                                              \
        for (size_t k = 0; k < n_out; k += FTL_LINEAR_LANES) {                                 \
            size_t lanes = n_out - k < FTL_LINEAR_LANES ? n_out - k : FTL_LINEAR_LANES, r = 0; \
            LINEAR_MANY_ROWS(2, type)                                                          \
            LINEAR_MANY_ROWS(1, type)                                                          \
        }                                                                                      \
    }

LINEAR_ONE(linear_one_f64, double, linear_load_f64)
LINEAR_ONE(linear_one_f32, float, linear_load_f32)
LINEAR_MANY(linear_many_f64, double)
LINEAR_MANY(linear_many_f32, float)
