/*
 * COUPLING: probabilities of classes from scores of pairs, in float64: Platt's sigmoid for each
 * pair, then the second method of Wu, Lin and Weng, "Probability estimates for multi-class
 * classification by pairwise coupling" (2004), stopped where libsvm stops.
 */
#include "base/checked.h"
#include "plan/plan.h"

#include <math.h>

enum { least_iterations = 100 };
static const double least_probability = 1e-7;

/* The side that does not cancel. */
static double pair_probability(double score, double a, double b)
{
    double f = score * a + b;
    double p = f >= 0 ? exp(-f) / (1.0 + exp(-f)) : 1.0 / (1 + exp(f));
    /* As C's macros compare: a NaN score gives the least probability. */
    p = p > least_probability ? p : least_probability;
    return p < 1 - least_probability ? p : 1 - least_probability;
}

/* q[t][j] from r[i][j], the probability of i against j. */
static void make_matrix(const double *r, size_t n, double *q)
{
    for (size_t t = 0; t < n; t++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            if (j == t)
                continue;
            sum += r[j * n + t] * r[j * n + t];
            q[t * n + j] = j < t ? q[j * n + t] : -r[j * n + t] * r[t * n + j];
        }
        q[t * n + t] = sum;
    }
}

/* qp = Q p; p' Q p */
static double products(const double *q, const double *p, size_t n, double *qp)
{
    double pqp = 0;
    for (size_t t = 0; t < n; t++) {
        qp[t] = 0;
        for (size_t j = 0; j < n; j++)
            qp[t] += q[t * n + j] * p[j];
        pqp += p[t] * qp[t];
    }
    return pqp;
}

static void sweep(const double *q, size_t n, double pqp, double *qp, double *p)
{
    for (size_t t = 0; t < n; t++) {
        double diff = (-qp[t] + pqp) / q[t * n + t];
        p[t] += diff;
        pqp = (pqp + diff * (diff * q[t * n + t] + 2 * qp[t])) / (1 + diff) / (1 + diff);
        for (size_t j = 0; j < n; j++) {
            qp[j] = (qp[j] + diff * q[t * n + j]) / (1 + diff);
            p[j] /= (1 + diff);
        }
    }
}

static void couple(const double *q, size_t n, double *qp, double *p)
{
    double eps = 0.005 / (double)n;
    size_t most = n > least_iterations ? n : least_iterations;
    for (size_t t = 0; t < n; t++)
        p[t] = 1.0 / (double)n;
    for (size_t iteration = 0; iteration < most; iteration++) {
        double pqp = products(q, p, n, qp), largest = 0;
        for (size_t t = 0; t < n; t++) {
            double off = fabs(qp[t] - pqp);
            largest = off > largest ? off : largest;
        }
        if (largest < eps)
            return;
        sweep(q, n, pqp, qp, p);
    }
}

static void run_coupling(const ftl_step *step, ftl_exec *exec)
{
    const ftl_coupling_op *op = &step->op->u.coupling;
    bool is_f32; /* never: KERNEL_MACHINE yields float64 and validate allows nothing else */
    const double *scores = ftl_matrix_source(step, exec, &is_f32);
    size_t n = step->op->width, pairs = step->op->segments[0].count;
    double *r = ftl_scratch(step, exec), *q = r + n * n, *qp = q + n * n,
           *out = ftl_slot(step, exec);
    for (size_t row = 0; row < exec->rows; row++) {
        const double *d = scores + row * pairs;
        size_t pair = 0;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = i + 1; j < n; j++, pair++) {
                r[i * n + j] = pair_probability(d[pair], op->a[pair], op->b[pair]);
                r[j * n + i] = 1 - r[i * n + j];
            }
        }
        make_matrix(r, n, q);
        couple(q, n, qp, out + row * n);
    }
}

static ftl_status compile_coupling(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    size_t n = step->op->width;
    if (plan->steps[step->op->segments[0].op].is_f32)
        return FTL_FAIL(error, FTL_INTERNAL, "coupled scores are float32");
    step->scratch_fixed = (2 * n * n + n) * sizeof(double);
    step->is_f32 = false;
    return FTL_OK;
}

static void keep_coupling(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    size_t pairs = step->op->segments[0].count;
    ftl_blob_borrow(blob, &op->u.coupling.a, pairs, sizeof(double));
    ftl_blob_borrow(blob, &op->u.coupling.b, pairs, sizeof(double));
}

static void bind_coupling(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_coupling;
}

const ftl_op_impl ftl_op_impl_coupling = {
    .name = "coupling", .compile = compile_coupling, .keep = keep_coupling, .bind = bind_coupling};
