/*
 * The distance kernels, included once per instruction set with DISTANCE_NAME(name), DISTANCE_BYTES
 * (of a register), DISTANCE_FMA(sum, a, b) (pointers to vectors; one rounding) and
 * DISTANCE_BELOW(values, limit), the bits of eight values, defined. A group's eight lanes are a
 * tile of one or two registers at a time: vectors wider than a register are no option, as compilers
 * keep those in memory. The arithmetic of a lane is the same on all of them.
 */
#include "kernels/distance.h"

#include <string.h>

enum {
    distance_lanes = DISTANCE_BYTES / sizeof(double),
    distance_tile = distance_lanes < FTL_DISTANCE_LANES ? 2 : 1, /* registers */
    distance_step = distance_tile * distance_lanes
};
typedef double distance_f64 __attribute__((vector_size(DISTANCE_BYTES)));
typedef int64_t distance_i64 __attribute__((vector_size(DISTANCE_BYTES)));
#define DISTANCE_INLINE static inline __attribute__((always_inline))

DISTANCE_INLINE void distance_abs(distance_f64 *v)
{
    *v = (distance_f64)((distance_i64)*v & INT64_MAX);
}

DISTANCE_INLINE void distance_add_square(distance_f64 *sum, double x, const distance_f64 *p)
{
    distance_f64 d = x - *p;
    *sum += d * d;
}

DISTANCE_INLINE void distance_add_abs(distance_f64 *sum, double x, const distance_f64 *p)
{
    distance_f64 d = x - *p;
    distance_abs(&d);
    *sum += d;
}

DISTANCE_INLINE void distance_take_max(distance_f64 *sum, double x, const distance_f64 *p)
{
    distance_f64 d = x - *p;
    distance_abs(&d);
    distance_i64 more = d > *sum;
    *sum = (distance_f64)(((distance_i64)d & more) | ((distance_i64)*sum & ~more));
}

DISTANCE_INLINE void distance_add_product(distance_f64 *sum, double x, const distance_f64 *p)
{
    *sum += x * *p;
}

DISTANCE_INLINE void distance_add_fused(distance_f64 *sum, double x, const distance_f64 *p)
{
    distance_f64 wide = x - (distance_f64){0};
    DISTANCE_FMA(sum, &wide, p);
}

#define DISTANCE_UNROLL _Pragma("GCC unroll 4")

/* N rows against a tile of a group: its values are loaded once for all of them. */
#define DISTANCE_TILE(N, step, store, from, to)                                    \
    for (; r + N <= rows; r += N) {                                                \
        const double *row = x + r * stride;                                        \
        distance_f64 sum[N][distance_tile], p[distance_tile];                      \
        DISTANCE_UNROLL for (size_t i = 0; i < N; i++)                             \
        {                                                                          \
            DISTANCE_UNROLL for (size_t t = 0; t < distance_tile; t++)             \
                sum[i][t] = (distance_f64){0};                                     \
        }                                                                          \
        for (size_t j = from; j < to; j++) {                                       \
            memcpy(p, group + j * FTL_DISTANCE_LANES + lane, sizeof p);            \
            DISTANCE_UNROLL for (size_t i = 0; i < N; i++)                         \
            {                                                                      \
                double value = row[i * stride + j];                                \
                DISTANCE_UNROLL for (size_t t = 0; t < distance_tile; t++)         \
                    step(&sum[i][t], value, &p[t]);                                \
            }                                                                      \
        }                                                                          \
        double *at = out + r * out_stride + g * FTL_DISTANCE_LANES + lane;         \
        DISTANCE_UNROLL for (size_t i = 0; i < N; i++)                             \
        {                                                                          \
            DISTANCE_UNROLL for (size_t t = 0; t < distance_tile; t++)             \
                store(at + i * out_stride + t * distance_lanes, &sum[i][t], from); \
        }                                                                          \
    }

/* All rows against one group. */
#define DISTANCE_ROWS(step, store, from, to)                                  \
    for (size_t lane = 0; lane < FTL_DISTANCE_LANES; lane += distance_step) { \
        size_t r = 0;                                                         \
        DISTANCE_TILE(4, step, store, from, to)                               \
        DISTANCE_TILE(1, step, store, from, to)                               \
    }

DISTANCE_INLINE void distance_store(double *to, const distance_f64 *sum, size_t first)
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
DISTANCE_INLINE void distance_store_panel(double *to, const distance_f64 *sum, size_t first)
{
    distance_f64 whole = {0};
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
            size_t end = first + distance_panel(n - first);
            DISTANCE_ROWS(distance_add_fused, distance_store_panel, first, end)
            first = end;
        } while (first < n);
    }
}

void DISTANCE_NAME(distance_expand)(double norm, const double *norms, size_t groups, double *values)
{
    for (size_t i = 0; i < groups * FTL_DISTANCE_LANES; i += distance_lanes) {
        distance_f64 dot, other;
        memcpy(&dot, values + i, sizeof dot);
        memcpy(&other, norms + i, sizeof other);
        distance_f64 square = (norm + -2.0 * dot) + other;
        distance_i64 above = square > (distance_f64){0};
        square = (distance_f64)((distance_i64)square & above);
        memcpy(values + i, &square, sizeof square);
    }
}

void DISTANCE_NAME(distance_below)(const double *values, size_t groups, double limit, uint8_t *bits)
{
    for (size_t g = 0; g < groups; g++)
        bits[g] = DISTANCE_BELOW(values + g * FTL_DISTANCE_LANES, limit);
}
