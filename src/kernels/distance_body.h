/*
 * The distance kernels, included once per instruction set with DISTANCE_NAME(name) and
 * DISTANCE_FMA(sum, a, b) (pointers to vectors; one rounding) and DISTANCE_BELOW(values, limit),
 * the bits of eight values, defined. Vectors pass through pointers only: by value they would change
 * the calling convention.
 */
#include "kernels/distance.h"

#include <string.h>

typedef double distance_f64x8 __attribute__((vector_size(64)));
typedef int64_t distance_i64x8 __attribute__((vector_size(64)));
#define DISTANCE_INLINE static inline __attribute__((always_inline))

DISTANCE_INLINE void distance_abs(distance_f64x8 *v)
{
    *v = (distance_f64x8)((distance_i64x8)*v & INT64_MAX);
}

DISTANCE_INLINE void distance_add_square(distance_f64x8 *sum, double x, const distance_f64x8 *p)
{
    distance_f64x8 d = x - *p;
    *sum += d * d;
}

DISTANCE_INLINE void distance_add_abs(distance_f64x8 *sum, double x, const distance_f64x8 *p)
{
    distance_f64x8 d = x - *p;
    distance_abs(&d);
    *sum += d;
}

DISTANCE_INLINE void distance_take_max(distance_f64x8 *sum, double x, const distance_f64x8 *p)
{
    distance_f64x8 d = x - *p;
    distance_abs(&d);
    distance_i64x8 more = d > *sum;
    *sum = (distance_f64x8)(((distance_i64x8)d & more) | ((distance_i64x8)*sum & ~more));
}

DISTANCE_INLINE void distance_add_product(distance_f64x8 *sum, double x, const distance_f64x8 *p)
{
    *sum += x * *p;
}

DISTANCE_INLINE void distance_add_fused(distance_f64x8 *sum, double x, const distance_f64x8 *p)
{
    distance_f64x8 wide = x - (distance_f64x8){0};
    DISTANCE_FMA(sum, &wide, p);
}

/* Rows against one group, four at a time: the group's values are loaded once for all of them. */
#define DISTANCE_ROWS(step, store, from, to)                                                 \
    for (; r + 4 <= rows; r += 4) {                                                          \
        const double *a = x + r * stride, *b = a + stride, *c = b + stride, *d = c + stride; \
        distance_f64x8 sum_a = {0}, sum_b = {0}, sum_c = {0}, sum_d = {0}, p;                \
        for (size_t j = from; j < to; j++) {                                                 \
            memcpy(&p, group + j * FTL_DISTANCE_LANES, sizeof p);                            \
            step(&sum_a, a[j], &p);                                                          \
            step(&sum_b, b[j], &p);                                                          \
            step(&sum_c, c[j], &p);                                                          \
            step(&sum_d, d[j], &p);                                                          \
        }                                                                                    \
        double *at = out + r * out_stride + g * FTL_DISTANCE_LANES;                          \
        store(at, &sum_a, from);                                                             \
        store(at + out_stride, &sum_b, from);                                                \
        store(at + 2 * out_stride, &sum_c, from);                                            \
        store(at + 3 * out_stride, &sum_d, from);                                            \
    }                                                                                        \
    for (; r < rows; r++) {                                                                  \
        const double *a = x + r * stride;                                                    \
        distance_f64x8 sum_a = {0}, p;                                                       \
        for (size_t j = from; j < to; j++) {                                                 \
            memcpy(&p, group + j * FTL_DISTANCE_LANES, sizeof p);                            \
            step(&sum_a, a[j], &p);                                                          \
        }                                                                                    \
        store(out + r * out_stride + g * FTL_DISTANCE_LANES, &sum_a, from);                  \
    }

DISTANCE_INLINE void distance_store(double *to, const distance_f64x8 *sum, size_t first)
{
    (void)first;
    memcpy(to, sum, sizeof *sum);
}

#define DISTANCE(name, step)                                                                      \
    void DISTANCE_NAME(name)(size_t rows, size_t n, const double *x, size_t stride,               \
                             const double *points, size_t groups, double *out, size_t out_stride) \
    {                                                                                             \
        for (size_t g = 0; g < groups; g++) {                                                     \
            const double *group = points + g * n * FTL_DISTANCE_LANES;                            \
            size_t r = 0;                                                                         \
            DISTANCE_ROWS(step, distance_store, 0, n)                                             \
        }                                                                                         \
    }

DISTANCE(distance_squares, distance_add_square)
DISTANCE(distance_absolute, distance_add_abs)
DISTANCE(distance_largest, distance_take_max)
DISTANCE(distance_dot, distance_add_product)

/* The number of features that a matrix product of OpenBLAS sums before it adds to the result. */
DISTANCE_INLINE size_t distance_panel(size_t left)
{
    enum { most = 256, unroll = 4 };
    if (left >= 2 * most)
        return most;
    return left > most ? (left / 2 + unroll - 1) / unroll * unroll : left;
}

/* Sums of later panels are added to what the earlier ones left. */
DISTANCE_INLINE void distance_store_panel(double *to, const distance_f64x8 *sum, size_t first)
{
    distance_f64x8 whole = {0};
    if (first > 0)
        memcpy(&whole, to, sizeof whole);
    whole += *sum;
    memcpy(to, &whole, sizeof whole);
}

void DISTANCE_NAME(distance_dot_fused)(size_t rows, size_t n, const double *x, size_t stride,
                                       const double *points, size_t groups, double *out,
                                       size_t out_stride)
{
    for (size_t g = 0; g < groups; g++) {
        const double *group = points + g * n * FTL_DISTANCE_LANES;
        size_t first = 0;
        do {
            size_t end = first + distance_panel(n - first), r = 0;
            DISTANCE_ROWS(distance_add_fused, distance_store_panel, first, end)
            first = end;
        } while (first < n);
    }
}

void DISTANCE_NAME(distance_expand)(double norm, const double *norms, size_t groups, double *values)
{
    for (size_t g = 0; g < groups; g++) {
        distance_f64x8 dot, other;
        memcpy(&dot, values + g * FTL_DISTANCE_LANES, sizeof dot);
        memcpy(&other, norms + g * FTL_DISTANCE_LANES, sizeof other);
        distance_f64x8 square = (norm + -2.0 * dot) + other;
        distance_i64x8 above = square > (distance_f64x8){0};
        square = (distance_f64x8)((distance_i64x8)square & above);
        memcpy(values + g * FTL_DISTANCE_LANES, &square, sizeof square);
    }
}

void DISTANCE_NAME(distance_below)(const double *values, size_t groups, double limit, uint8_t *bits)
{
    for (size_t g = 0; g < groups; g++)
        bits[g] = DISTANCE_BELOW(values + g * FTL_DISTANCE_LANES, limit);
}
