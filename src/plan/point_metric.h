/*
 * Metrics between one row and stored points. Searching compares *reduced* distances, which order as
 * distances do: squares for Euclid's metric, sums of powers for Minkowski's, squares of half the
 * chord for the haversine, the distance itself for the others.
 */
#ifndef FTL_PLAN_POINT_METRIC_H
#define FTL_PLAN_POINT_METRIC_H

#include "plan/points.h"

/* Which of the distance kernels computes a metric. */
typedef enum ftl_metric_kernel {
    FTL_METRIC_BY_POINT, /* none */
    FTL_METRIC_DOT,
    FTL_METRIC_DOT_FUSED,
    FTL_METRIC_SQUARES,
    FTL_METRIC_ABSOLUTE,
    FTL_METRIC_LARGEST
} ftl_metric_kernel;

typedef struct ftl_point_metric {
    ftl_metric kind;
    double p;
    bool squared;          /* EUCLIDEAN */
    const double *weights; /* [n], as the operation's */
    ftl_metric_kernel kernel;
    size_t n;
    bool single_steps; /* differences are rounded to float32 */
} ftl_point_metric;

/*
 * out is part of a state piece. single: of float32 numbers, whose differences are rounded to
 * float32.
 */
void ftl_point_metric_make(ftl_blob *blob, const ftl_neighbors_op *op, size_t n, bool single,
                           ftl_point_metric *out);
/* Reduced distances of rows to packed points: out[r * out_stride + i]. */
void ftl_metric_reduced(const ftl_point_metric *metric, size_t rows, const double *x,
                        const double *packed, size_t groups, double *out, size_t out_stride);
double ftl_metric_distance(const ftl_point_metric *metric, double reduced);
double ftl_metric_reduce(const ftl_point_metric *metric, double distance);
/* The distance between two points, features in order. */
double ftl_metric_between(const ftl_point_metric *metric, const double *a, const double *b);
/* Σ x² in order, or, when not plain, as OpenBLAS's ddot adds it on processors with AVX2. */
double ftl_squared_norm(const double *x, size_t n, bool plain);

#endif
