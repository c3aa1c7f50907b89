#include "plan/point_metric.h"

#include <math.h>

static ftl_metric_kernel kernel_of(const ftl_neighbors_op *op)
{
    switch (op->metric) {
    case FTL_METRIC_EUCLIDEAN:
        return op->search == FTL_SEARCH_EXPANDED         ? FTL_METRIC_DOT_FUSED
               : op->search == FTL_SEARCH_EXPANDED_PLAIN ? FTL_METRIC_DOT
                                                         : FTL_METRIC_SQUARES;
    case FTL_METRIC_MANHATTAN:
        return FTL_METRIC_ABSOLUTE;
    case FTL_METRIC_CHEBYSHEV:
        return FTL_METRIC_LARGEST;
    case FTL_METRIC_COSINE:
        return FTL_METRIC_DOT_FUSED;
    default:
        return FTL_METRIC_BY_POINT;
    }
}

void ftl_point_metric_make(ftl_blob *blob, const ftl_neighbors_op *op, size_t n, bool single,
                           ftl_point_metric *out)
{
    out->kind = op->metric;
    out->p = op->p;
    out->weights = op->weights;
    out->n = n;
    out->squared = op->squared;
    out->single_steps = single && op->metric != FTL_METRIC_EUCLIDEAN &&
                        op->metric != FTL_METRIC_COSINE;
    out->kernel = out->single_steps ? FTL_METRIC_BY_POINT : kernel_of(op);
    ftl_blob_borrow(blob, &out->weights, n, sizeof *out->weights);
}

static ftl_distance_fn *distance_kernel(const ftl_point_metric *metric)
{
    const ftl_distance_kernels *kernels = &ftl_kernels_get()->distance;
    switch (metric->kernel) {
    case FTL_METRIC_DOT:
        return kernels->dot;
    case FTL_METRIC_DOT_FUSED:
        return kernels->dot_fused;
    case FTL_METRIC_SQUARES:
        return kernels->squares;
    case FTL_METRIC_ABSOLUTE:
        return kernels->absolute;
    case FTL_METRIC_LARGEST:
        return kernels->largest;
    default:
        return NULL;
    }
}

static double one_power(const ftl_point_metric *metric, double difference, size_t j)
{
    double power = pow(fabs(difference), metric->p);
    return metric->weights ? metric->weights[j] * power : power;
}

/*
 * The reduced distance of two points, features in order; those of b lie `stride` apart. Where both
 * are float32 in the library, so are differences.
 */
static double reduced_between(const ftl_point_metric *metric, const double *a, const double *b,
                              size_t stride)
{
    double sum = 0, whole = 0;
    for (size_t j = 0; j < metric->n; j++, b += stride) {
        double d = a[j] - *b, size = fabs(a[j]) + fabs(*b);
        if (metric->single_steps)
            d = (double)(float)d;
        switch (metric->kind) {
        case FTL_METRIC_EUCLIDEAN:
            sum += d * d;
            break;
        case FTL_METRIC_MINKOWSKI:
            sum += one_power(metric, d, j);
            break;
        case FTL_METRIC_CHEBYSHEV:
            sum = fmax(sum, fabs(d));
            break;
        case FTL_METRIC_STANDARDIZED:
            sum += d * d / metric->weights[j];
            break;
        case FTL_METRIC_CANBERRA:
            sum += size > 0 ? fabs(d) / size : 0;
            break;
        case FTL_METRIC_HAMMING:
            sum += a[j] != *b;
            break;
        default: /* MANHATTAN, BRAY_CURTIS */
            sum += fabs(d);
            whole += size;
        }
    }
    if (metric->kind == FTL_METRIC_BRAY_CURTIS)
        return whole > 0 ? sum / whole : 0;
    return metric->kind == FTL_METRIC_HAMMING ? sum / (double)metric->n : sum;
}

static double haversine_between(const ftl_point_metric *metric, const double *a, const double *b,
                                size_t stride)
{
    double latitude = a[0] - b[0], longitude = a[1] - b[stride];
    if (metric->single_steps) {
        latitude = (double)(float)latitude;
        longitude = (double)(float)longitude;
    }
    double s = sin(0.5 * latitude), t = sin(0.5 * longitude);
    return s * s + cos(a[0]) * cos(b[0]) * t * t;
}

static double one_point(const ftl_point_metric *metric, const double *a, const double *b,
                        size_t stride)
{
    return metric->kind == FTL_METRIC_HAVERSINE ? haversine_between(metric, a, b, stride)
                                                : reduced_between(metric, a, b, stride);
}

static void point_by_point(const ftl_point_metric *metric, const double *x, const double *packed,
                           size_t groups, double *out)
{
    for (size_t g = 0; g < groups; g++, packed += metric->n * FTL_DISTANCE_LANES) {
        for (size_t lane = 0; lane < FTL_DISTANCE_LANES; lane++)
            *out++ = one_point(metric, x, packed + lane, FTL_DISTANCE_LANES);
    }
}

void ftl_metric_reduced(const ftl_point_metric *metric, size_t rows, const double *x,
                        const double *packed, size_t groups, double *out, size_t out_stride)
{
    ftl_distance_fn *kernel = distance_kernel(metric);
    if (kernel) {
        kernel(rows, metric->n, x, metric->n, packed, groups, out, out_stride);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        point_by_point(metric, x + r * metric->n, packed, groups, out + r * out_stride);
}

double ftl_metric_distance(const ftl_point_metric *metric, double reduced)
{
    switch (metric->kind) {
    case FTL_METRIC_EUCLIDEAN:
        return metric->squared ? reduced : sqrt(reduced);
    case FTL_METRIC_STANDARDIZED:
        return sqrt(reduced);
    case FTL_METRIC_MINKOWSKI:
        return pow(reduced, 1.0 / metric->p);
    case FTL_METRIC_HAVERSINE:
        return 2 * asin(sqrt(reduced));
    default:
        return reduced;
    }
}

double ftl_metric_reduce(const ftl_point_metric *metric, double distance)
{
    double half;
    switch (metric->kind) {
    case FTL_METRIC_EUCLIDEAN:
    case FTL_METRIC_STANDARDIZED:
        return distance * distance;
    case FTL_METRIC_HAVERSINE:
        half = sin(0.5 * distance);
        return half * half;
    case FTL_METRIC_MINKOWSKI:
        return pow(distance, metric->p);
    default:
        return distance;
    }
}

double ftl_metric_between(const ftl_point_metric *metric, const double *a, const double *b)
{
    return ftl_metric_distance(metric, one_point(metric, a, b, 1));
}

/* Four accumulators of four lanes, fused; what is left over is added with rounded products. */
double ftl_squared_norm(const double *x, size_t n, bool plain)
{
    enum { lanes = 16 };
    double sum[lanes] = {0}, half[2], total = 0;
    size_t whole = plain ? 0 : n / lanes * lanes;
    for (size_t j = 0; j < whole; j++)
        sum[j % lanes] = fma(x[j], x[j], sum[j % lanes]);
    for (size_t i = 0; i < 2; i++)
        half[i] = ((sum[i] + sum[i + 2]) + (sum[i + 4] + sum[i + 6])) +
                  ((sum[i + 8] + sum[i + 10]) + (sum[i + 12] + sum[i + 14]));
    if (whole > 0)
        total = half[0] + half[1];
    for (size_t j = whole; j < n; j++)
        total += x[j] * x[j];
    return total;
}
