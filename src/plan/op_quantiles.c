/* QUANTILES: ranks by numpy.interp's arithmetic, and their place in a normal distribution. */
#include "plan/plan.h"

#include <math.h>

static const double margin = 1e-7;

/* numpy.interp(value, q, ref): where quantiles repeat, the last of them. */
static double rank_from_below(const double *q, const double *ref, uint32_t n, double value)
{
    uint32_t low = 0, high = n;
    if (value < q[0])
        return ref[0];
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (q[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    if (low == n - 1 || q[low] == value)
        return ref[low];
    return (ref[low + 1] - ref[low]) / (q[low + 1] - q[low]) * (value - q[low]) + ref[low];
}

/* -numpy.interp(-value, -q[::-1], -ref[::-1]): where quantiles repeat, the first of them. */
static double rank_from_above(const double *q, const double *ref, uint32_t n, double value)
{
    uint32_t low = 0, high = n - 1;
    if (value > q[n - 1])
        return ref[n - 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (q[middle] >= value)
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0 || q[low] == value)
        return ref[low];
    return -((ref[low] - ref[low - 1]) / (q[low] - q[low - 1]) * (q[low] - value) - ref[low]);
}

/*
 * The value below which a share p of a standard normal distribution lies, 0 < p < 1: formula
 * 26.2.23 of Abramowitz and Stegun (good to 4.5e-4), then Halley's steps on the distribution
 * function, each of which triples the digits.
 */
static double normal_quantile(double p)
{
    const double half_root = 0.70710678118654752440, root_2pi = 2.50662827463100050242;
    double tail = p < 0.5 ? p : 1.0 - p;
    if (tail == 0.5)
        return 0;
    double t = sqrt(-2.0 * log(tail));
    double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                   (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
               t; /* below 0 */
    for (int i = 0; i < 3; i++) {
        double over = tail > 0.25 ? 0.5 * erf(x * half_root) - (tail - 0.5)
                                  : 0.5 * erfc(-x * half_root) - tail;
        double step = over * root_2pi * exp(0.5 * x * x);
        x -= step / (1.0 + 0.5 * x * step);
    }
    return p < 0.5 ? x : -x;
}

typedef struct ends {
    double low, high;
} ends;

/* scikit-learn takes the spacing of 1 off the margin, so that ranks at it are not moved. */
static ends result_ends(bool normal)
{
    double low = margin - 0x1p-52, high = 1.0 - low;
    return normal ? (ends){normal_quantile(low), normal_quantile(high)} : (ends){low, high};
}

/* p may be rounded to float32 in between: X holds the ranks before they are placed. */
static double place(const ftl_quantiles_op *op, const ends *limits, double p)
{
    if (!op->margins)
        return p;
    if (op->normal && p > 0 && p < 1)
        p = normal_quantile(p);
    else if (op->normal)
        p = p <= 0 ? limits->low : limits->high;
    return p < limits->low ? limits->low : p > limits->high ? limits->high : p;
}

static double rank_of(const ftl_quantiles_op *op, const double *q, double x, double below,
                      double above)
{
    double last = q[op->n - 1];
    if (op->margins ? below < q[0] : x == q[0])
        return 0;
    if (op->margins ? above > last : x == last)
        return 1;
    return 0.5 * (rank_from_below(q, op->references, op->n, x) +
                  rank_from_above(q, op->references, op->n, x));
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_quantiles_op *op = &step->op->u.quantiles;
    const ends limits = result_ends(op->normal);
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    for (size_t r = 0; r < exec->rows; r++) {
        for (uint32_t j = 0; j < step->slot_width; j++) {
            size_t at = r * step->slot_width + j;
            const double *q = op->quantiles + (size_t)j * op->n;
            if (is_f32) {
                float x = ((const float *)data)[at], m = (float)margin;
                float p = (float)rank_of(op, q, (double)x, (double)(x - m), (double)(x + m));
                ((float *)ftl_slot(step, exec))[at] = isnan(x)
                                                          ? x
                                                          : (float)place(op, &limits, (double)p);
            } else {
                double x = ((const double *)data)[at];
                double p = rank_of(op, q, x, x - margin, x + margin);
                ((double *)ftl_slot(step, exec))[at] = isnan(x) ? x : place(op, &limits, p);
            }
        }
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    size_t n = op->u.quantiles.n;
    (void)step;
    ftl_blob_borrow(blob, &op->u.quantiles.quantiles, op->width * n, sizeof(double));
    ftl_blob_borrow(blob, &op->u.quantiles.references, n, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_quantiles = {.name = "quantiles", .keep = keep, .bind = bind};
