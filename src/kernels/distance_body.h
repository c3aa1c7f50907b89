/*
 * The distance kernels, included once per instruction set with DISTANCE_NAME(name) and
 * DISTANCE_FMA(sum, a, b) (pointers to vectors; one rounding) defined. Vectors pass through
 * pointers only: by value they would change the calling convention.
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

/* N rows against one group: the group's values are loaded once for all of them. */
#define DISTANCE_ROWS(N, step, from, to)                          \
    for (; r + N <= rows; r += N) {                               \
        const double *row = x + r * stride;                       \
        distance_f64x8 sum[N] = {{0}}, p;                         \
        for (size_t j = from; j < to; j++) {                      \
            memcpy(&p, group + j * FTL_DISTANCE_LANES, sizeof p); \
            for (size_t i = 0; i < N; i++)                        \
                step(&sum[i], row[i * stride + j], &p);           \
        }                                                         \
        DISTANCE_STORE(N)                                         \
    }

#define DISTANCE_STORE(N)          \
    for (size_t i = 0; i < N; i++) \
        memcpy(out + (r + i) * out_stride + g * FTL_DISTANCE_LANES, &sum[i], sizeof sum[i]);

#define DISTANCE(name, step)                                                                      \
    void DISTANCE_NAME(name)(size_t rows, size_t n, const double *x, size_t stride,               \
                             const double *points, size_t groups, double *out, size_t out_stride) \
    {                                                                                             \
        for (size_t g = 0; g < groups; g++) {                                                     \
            const double *group = points + g * n * FTL_DISTANCE_LANES;                            \
            size_t r = 0;                                                                         \
            DISTANCE_ROWS(4, step, 0, n)                                                          \
            DISTANCE_ROWS(1, step, 0, n)                                                          \
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

#undef DISTANCE_STORE
#define DISTANCE_STORE(N)                                                 \
    for (size_t i = 0; i < N; i++) {                                      \
        double *to = out + (r + i) * out_stride + g * FTL_DISTANCE_LANES; \
        distance_f64x8 whole = {0};                                       \
        if (first > 0)                                                    \
            memcpy(&whole, to, sizeof whole);                             \
        whole += sum[i];                                                  \
        memcpy(to, &whole, sizeof whole);                                 \
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
            DISTANCE_ROWS(4, distance_add_fused, first, end)
            DISTANCE_ROWS(1, distance_add_fused, first, end)
            first = end;
        } while (first < n);
    }
}
