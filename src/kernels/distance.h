/*
 * Distances and dot products of rows against many stored points.
 *
 * Points are packed eight together: [groups][n][8] float64, zeros behind the last point. A lane is
 * a point, so every sum runs over the features in their order, as a plain loop over one pair of
 * points does, whatever the instruction set. out[r * out_stride + i] is row r against point i; all
 * lanes of the last group are written.
 */
#ifndef FTL_KERNELS_DISTANCE_H
#define FTL_KERNELS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

enum { FTL_DISTANCE_LANES = 8 };

static inline size_t ftl_distance_groups(size_t n_points)
{
    return (n_points + FTL_DISTANCE_LANES - 1) / FTL_DISTANCE_LANES;
}

typedef void ftl_distance_fn(size_t rows, size_t n, const double *x, size_t stride,
                             const double *points, size_t groups, double *out, size_t out_stride);

/* values[i] = (norm - 2 values[i]) + norms[i], or 0 where that is not above 0; whole groups. */
typedef void ftl_distance_expand_fn(double norm, const double *norms, size_t groups,
                                    double *values);
/* Bit i of bits[g]: values[8 g + i] is not at or above the limit. */
typedef void ftl_distance_below_fn(const double *values, size_t groups, double limit,
                                   uint8_t *bits);

typedef struct ftl_distance_kernels {
    ftl_distance_fn *squares;  /* Σ (x - p)² */
    ftl_distance_fn *absolute; /* Σ |x - p| */
    ftl_distance_fn *largest;  /* max |x - p| */
    ftl_distance_fn *dot;      /* Σ x p, products rounded */
    /*
     * Σ x p with products fused into the sum, and sums of at most a few hundred features at a time:
     * the order and the roundings of the blocked matrix products of OpenBLAS on processors with
     * AVX2.
     */
    ftl_distance_fn *dot_fused;
    ftl_distance_expand_fn *expand;
    ftl_distance_below_fn *below;
} ftl_distance_kernels;

#define FTL_DISTANCE_DECLARE(isa)                     \
    ftl_distance_fn ftl_distance_squares_##isa;       \
    ftl_distance_fn ftl_distance_absolute_##isa;      \
    ftl_distance_fn ftl_distance_largest_##isa;       \
    ftl_distance_fn ftl_distance_dot_##isa;           \
    ftl_distance_fn ftl_distance_dot_fused_##isa;     \
    ftl_distance_expand_fn ftl_distance_expand_##isa; \
    ftl_distance_below_fn ftl_distance_below_##isa
FTL_DISTANCE_DECLARE(portable);
FTL_DISTANCE_DECLARE(avx2);
FTL_DISTANCE_DECLARE(avx512);

#define FTL_DISTANCE_KERNELS(isa)               \
    {.squares = ftl_distance_squares_##isa,     \
     .absolute = ftl_distance_absolute_##isa,   \
     .largest = ftl_distance_largest_##isa,     \
     .dot = ftl_distance_dot_##isa,             \
     .dot_fused = ftl_distance_dot_fused_##isa, \
     .expand = ftl_distance_expand_##isa,       \
     .below = ftl_distance_below_##isa}

#endif
