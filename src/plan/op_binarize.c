/* BINARIZE: 1 where a number lies above the threshold, else 0; NaN gives 0. */
#include "plan/sparse.h"

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    size_t n = (size_t)exec->rows * step->slot_width;
    double threshold = step->op->u.binarize.threshold;
    if (is_f32) {
        float *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = ((const float *)data)[i] > (float)threshold ? 1.0f : 0.0f;
    } else {
        double *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = ((const double *)data)[i] > threshold ? 1.0 : 0.0;
    }
}

/* The threshold is not negative: zeros stay zeros. The library stores none of those that result. */
static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    const double given = step->op->u.binarize.threshold;
    const double threshold = step->is_f32 ? (double)(float)given : given;
    const ftl_sparse *in = ftl_sparse_source(step, exec, 0);
    if (!ftl_sparse_reserve(step, exec, in->start[exec->rows]))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    uint32_t n = 0;
    out->start[0] = 0;
    for (uint32_t i = 0; i < exec->rows; i++) {
        for (uint32_t k = in->start[i]; k < in->start[i + 1]; k++) {
            if (!(in->values[k] > threshold))
                continue;
            out->columns[n] = in->columns[k];
            out->values[n++] = 1;
        }
        out->start[i + 1] = n;
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
}

const ftl_op_impl ftl_op_impl_binarize = {.name = "binarize", .bind = bind};
