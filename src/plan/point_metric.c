#include "plan/point_metric.h"

#include <math.h>

ftl_point_metric ftl_point_metric_of(const ftl_neighbors_op *op, size_t n, bool single)
{
    const ftl_distance_kernels *kernels = &ftl_kernels_get()->distance;
    ftl_point_metric metric = {.kind = op->metric, .p = op->p, .weights = op->weights, .n = n};
    metric.single_steps = single && op->metric != FTL_METRIC_EUCLIDEAN &&
                          op->metric != FTL_METRIC_COSINE;
    if (metric.single_steps)
        return metric;
    switch (op->metric) {
    case FTL_METRIC_EUCLIDEAN:
        metric.kernel = op->search == FTL_SEARCH_EXPANDED         ? kernels->dot_fused
                        : op->search == FTL_SEARCH_EXPANDED_PLAIN ? kernels->dot
                                                                  : kernels->squares;
        break;
    case FTL_METRIC_MANHATTAN:
        metric.kernel = kernels->absolute;
        break;
    case FTL_METRIC_CHEBYSHEV:
        metric.kernel = kernels->largest;
        break;
    case FTL_METRIC_COSINE:
        metric.kernel = kernels->dot_fused;
        break;
    default:
        break;
    }
    return metric;
}

static double one_power(const ftl_point_metric *metric, double difference, size_t j)
{
    double power = pow(fabs(difference), metric->p);
    return metric->weights ? metric->weights[j] * power : power;
}

/* What one feature adds to a sum, or may be the largest of. */
static double one_step(const ftl_point_metric *metric, double difference, size_t j)
{
    if (metric->single_steps)
        difference = (double)(float)difference;
    return metric->kind == FTL_METRIC_MINKOWSKI ? one_power(metric, difference, j)
                                                : fabs(difference);
}

static void steps(const ftl_point_metric *metric, const double *x, const double *packed,
                  size_t groups, double *out)
{
    for (size_t g = 0; g < groups; g++, packed += metric->n * FTL_DISTANCE_LANES) {
        double *sum = out + g * FTL_DISTANCE_LANES;
        for (size_t lane = 0; lane < FTL_DISTANCE_LANES; lane++)
            sum[lane] = 0;
        for (size_t j = 0; j < metric->n; j++) {
            for (size_t lane = 0; lane < FTL_DISTANCE_LANES; lane++) {
                double step = one_step(metric, x[j] - packed[j * FTL_DISTANCE_LANES + lane], j);
                sum[lane] = metric->kind == FTL_METRIC_CHEBYSHEV ? fmax(sum[lane], step)
                                                                 : sum[lane] + step;
            }
        }
    }
}

void ftl_metric_reduced(const ftl_point_metric *metric, size_t rows, const double *x,
                        const double *packed, size_t groups, double *out, size_t out_stride)
{
    if (metric->kernel) {
        metric->kernel(rows, metric->n, x, metric->n, packed, groups, out, out_stride);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        steps(metric, x + r * metric->n, packed, groups, out + r * out_stride);
}

double ftl_metric_distance(const ftl_point_metric *metric, double reduced)
{
    switch (metric->kind) {
    case FTL_METRIC_EUCLIDEAN:
        return sqrt(reduced);
    case FTL_METRIC_MINKOWSKI:
        return pow(reduced, 1.0 / metric->p);
    default:
        return reduced;
    }
}

double ftl_metric_reduce(const ftl_point_metric *metric, double distance)
{
    switch (metric->kind) {
    case FTL_METRIC_EUCLIDEAN:
        return distance * distance;
    case FTL_METRIC_MINKOWSKI:
        return pow(distance, metric->p);
    default:
        return distance;
    }
}

double ftl_metric_between(const ftl_point_metric *metric, const double *a, const double *b)
{
    double sum = 0;
    for (size_t j = 0; j < metric->n; j++) {
        double d = a[j] - b[j];
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
        default:
            sum += fabs(d);
        }
    }
    return ftl_metric_distance(metric, sum);
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
