/*
 * NEIGHBOR_DENSITY: the score of LocalOutlierFactor. The source is a NEIGHBORS step: k distances,
 * then k numbers of points. Means are taken in numpy's pairwise order.
 */
#include "base/pairwise.h"
#include "plan/plan.h"

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_neighbor_density_op *op = &step->op->u.neighbor_density;
    size_t k = step->op->segments[0].count / 2;
    bool is_f32; /* never: NEIGHBORS yields float64 */
    const double *source = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec), *room = ftl_scratch(step, exec);
    for (uint32_t r = 0; r < exec->rows; r++) {
        const double *distance = source + r * 2 * k, *number = distance + k;
        for (size_t i = 0; i < k; i++) {
            double reach = op->reach[(uint32_t)number[i]];
            room[i] = distance[i] > reach ? distance[i] : reach;
        }
        double density = 1.0 / (ftl_pairwise_sum(room, k, false) / (double)k + 1e-10);
        for (size_t i = 0; i < k; i++)
            room[i] = op->density[(uint32_t)number[i]] / density;
        out[r] = -(ftl_pairwise_sum(room, k, false) / (double)k);
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    step->scratch_fixed = step->op->segments[0].count / 2 * sizeof(double);
    step->is_f32 = false;
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_neighbor_density_op *density = &op->u.neighbor_density;
    (void)step;
    ftl_blob_borrow(blob, &density->reach, density->n_points, sizeof(double));
    ftl_blob_borrow(blob, &density->density, density->n_points, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_neighbor_density = {
    .name = "neighbor_density", .compile = compile, .keep = keep, .bind = bind};
