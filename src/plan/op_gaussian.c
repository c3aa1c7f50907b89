/*
 * GAUSSIAN: the joint log-likelihoods of GaussianNB. A row's terms are added up in numpy's pairwise
 * order, so that float64 rows get the library's own bits.
 */
#include "plan/plan.h"

enum { pairwise_block = 128, pairwise_lanes = 8 };

static double term(double x, double mean, double variance)
{
    double off = x - mean;
    return off * off / variance;
}

/* numpy's pairwise sum: eight lanes up to 128 numbers, halves above; log2(n) deep. */
static double distance(const double *x, const double *mean, const double *variance, uint32_t n)
{
    double r[pairwise_lanes], sum = 0;
    uint32_t i = 0;
    if (n > pairwise_block) {
        uint32_t half = n / 2 - n / 2 % pairwise_lanes;
        return distance(x, mean, variance, half) +
               distance(x + half, mean + half, variance + half, n - half);
    }
    if (n >= pairwise_lanes) {
        for (uint32_t k = 0; k < pairwise_lanes; k++)
            r[k] = term(x[k], mean[k], variance[k]);
        for (i = pairwise_lanes; i < n - n % pairwise_lanes; i += pairwise_lanes) {
            for (uint32_t k = 0; k < pairwise_lanes; k++)
                r[k] += term(x[i + k], mean[i + k], variance[i + k]);
        }
        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; i++)
        sum += term(x[i], mean[i], variance[i]);
    return sum;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_gaussian_op *op = &step->op->u.gaussian;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    uint32_t n = step->op->segments[0].count, width = step->op->width;
    double *wide = ftl_scratch(step, exec);
    for (size_t r = 0; r < exec->rows; r++) {
        const double *x = is_f32 ? wide : (const double *)data + r * n;
        for (uint32_t j = 0; is_f32 && j < n; j++)
            wide[j] = (double)((const float *)data)[r * n + j];
        for (size_t k = 0; k < width; k++) {
            double squares = distance(x, op->mean + k * n, op->variance + k * n, n);
            double value = op->prior[k] + (op->norm[k] - 0.5 * squares);
            if (step->is_f32)
                ((float *)ftl_slot(step, exec))[r * width + k] = (float)value;
            else
                ((double *)ftl_slot(step, exec))[r * width + k] = value;
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    if (plan->steps[step->op->segments[0].op].is_f32)
        step->scratch_fixed = step->op->segments[0].count * sizeof(double);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_gaussian_op *gaussian = &op->u.gaussian;
    size_t width = op->width, n = width * step->op->segments[0].count;
    ftl_blob_borrow(blob, &gaussian->mean, n, sizeof(double));
    ftl_blob_borrow(blob, &gaussian->variance, n, sizeof(double));
    ftl_blob_borrow(blob, &gaussian->prior, width, sizeof(double));
    ftl_blob_borrow(blob, &gaussian->norm, width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_gaussian = {
    .name = "gaussian", .compile = compile, .keep = keep, .bind = bind};
