/* BINS: how many of a column's edges lie at or below a value. */
#include "plan/plan.h"

#include <math.h>

/* The number of edges that are not above x: edges are ascending. */
static uint32_t bin_of(const double *edges, uint32_t n, double x)
{
    uint32_t low = 0;
    while (n > 0) {
        uint32_t half = n / 2;
        if (edges[low + half] <= x) {
            low += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return low;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_bins_op *op = &step->op->u.bins;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    uint32_t width = step->slot_width;
    for (size_t r = 0; r < exec->rows; r++) {
        for (uint32_t j = 0; j < width; j++) {
            size_t at = r * width + j;
            const double *edges = op->edges + op->start[j];
            uint32_t n = op->start[j + 1] - op->start[j];
            if (is_f32) {
                float x = ((const float *)data)[at];
                if (op->raised)
                    x += 1e-8f + 1e-5f * fabsf(x);
                ((float *)ftl_slot(step, exec))[at] = (float)bin_of(edges, n, (double)x);
            } else {
                double x = ((const double *)data)[at];
                if (op->raised)
                    x += 1e-8 + 1e-5 * fabs(x);
                ((double *)ftl_slot(step, exec))[at] = bin_of(edges, n, x);
            }
        }
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    size_t n = op->width;
    (void)step;
    ftl_blob_borrow(blob, &op->u.bins.edges, op->u.bins.start[n], sizeof(double));
    ftl_blob_borrow(blob, &op->u.bins.start, n + 1, sizeof(uint32_t));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_bins = {.name = "bins", .keep = keep, .bind = bind};
