/*
 * Term frequencies weighed as scikit-learn's TfidfTransformer does it, and what the operations on
 * sparse matrices share. Sums of norms run over the entries in column order, in float64 (csr row
 * norms of sklearn.utils.sparsefuncs_fast), whatever the values' type.
 */
#include "plan/sparse.h"

#include <math.h>
#include <string.h>

bool ftl_sparse_copy(const ftl_step *step, ftl_exec *exec, const ftl_sparse *in)
{
    uint32_t n = in->start[exec->rows];
    if (!ftl_sparse_reserve(step, exec, n))
        return false;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    memcpy(out->start, in->start, (exec->rows + (size_t)1) * sizeof *out->start);
    if (n) {
        memcpy(out->columns, in->columns, n * sizeof *out->columns);
        memcpy(out->values, in->values, n * sizeof *out->values);
    }
    return true;
}

static double row_norm(const double *values, uint32_t n, uint32_t width, ftl_norm norm)
{
    double result = 0;
    switch (norm) {
    case FTL_NORM_L1:
        for (uint32_t i = 0; i < n; i++)
            result += fabs(values[i]);
        return result;
    case FTL_NORM_L2:
        for (uint32_t i = 0; i < n; i++)
            result += values[i] * values[i];
        return sqrt(result);
    case FTL_NORM_MAX_SIGNED:
        /* a zero that is not stored counts, too */
        result = n && n == width ? values[0] : 0;
        for (uint32_t i = 0; i < n; i++)
            result = values[i] > result ? values[i] : result;
        return result;
    default:
        for (uint32_t i = 0; i < n; i++)
            result = fabs(values[i]) > result ? fabs(values[i]) : result;
        return result;
    }
}

void ftl_sparse_normalize(double *values, uint32_t n, uint32_t width, ftl_norm norm, bool is_f32)
{
    double by = row_norm(values, n, width, norm);
    if (by == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        values[i] = is_f32 ? (double)(float)(values[i] / by) : values[i] / by;
}

/* ---- TFIDF ----------------------------------------------------------------------------------- */

static void weigh_row(const ftl_tfidf_op *op, const uint32_t *columns, double *values, uint32_t n,
                      bool is_f32)
{
    for (uint32_t i = 0; i < n; i++) {
        double x = values[i];
        if (op->sublinear) {
            /* counts of 1 are most of all; numpy rounds the logarithm, then the sum */
            x = x == 1 ? 0 : log(x);
            x = is_f32 ? (double)((float)x + 1) : x + 1;
        }
        if (op->idf)
            x *= op->idf[columns[i]];
        values[i] = is_f32 ? (double)(float)x : x;
    }
}

static void run_tfidf(const ftl_step *step, ftl_exec *exec)
{
    const ftl_tfidf_op *op = &step->op->u.tfidf;
    if (!ftl_sparse_copy(step, exec, ftl_sparse_source(step, exec, 0)))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++) {
        uint32_t from = out->start[i], n = out->start[i + 1] - from;
        weigh_row(op, out->columns + from, out->values + from, n, step->is_f32);
        if (op->normalize)
            ftl_sparse_normalize(out->values + from, n, step->op->width, op->norm, step->is_f32);
    }
}

static void keep_tfidf(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.tfidf.idf, op->width, sizeof(double));
}

static void bind_tfidf(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_tfidf;
}

const ftl_op_impl ftl_op_impl_tfidf = {.name = "tfidf", .keep = keep_tfidf, .bind = bind_tfidf};
