/*
 * NEIGHBOR_VOTE and NEIGHBOR_MEAN: what the neighbours of a row say. The source is a NEIGHBORS
 * step: k distances, then k numbers of points. Sums run over the neighbours from the nearest on.
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

/* 1 / distance; where that is infinite for any neighbour, 1 for those and 0 for the others. */
static void weigh(const double *distance, size_t k, bool by_distance, double *weight)
{
    bool infinite = false;
    for (size_t i = 0; i < k; i++) {
        weight[i] = by_distance ? 1.0 / distance[i] : 1.0;
        infinite = infinite || isinf(weight[i]);
    }
    for (size_t i = 0; infinite && i < k; i++)
        weight[i] = isinf(weight[i]) ? 1.0 : 0.0;
}

static bool all_zero(const double *weight, size_t k)
{
    for (size_t i = 0; i < k; i++) {
        if (weight[i] != 0)
            return false;
    }
    return true;
}

static void run_vote(const ftl_step *step, ftl_exec *exec)
{
    const ftl_neighbor_vote_op *op = &step->op->u.neighbor_vote;
    size_t k = step->op->segments[0].count / 2, width = step->op->width;
    bool is_f32; /* never: NEIGHBORS yields float64 */
    const double *source = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec), *weight = ftl_scratch(step, exec);
    memset(out, 0, exec->rows * width * sizeof *out);
    for (uint32_t r = 0; r < exec->rows; r++) {
        const double *row = source + r * 2 * k;
        weigh(row, k, op->by_distance, weight);
        if (op->refuse_zero && all_zero(weight, k))
            ftl_exec_bad(exec, step, r, NULL, "all neighbors of the row get zero weight");
        for (size_t i = 0; i < k; i++)
            out[r * width + op->classes[(uint32_t)row[k + i]]] += weight[i];
    }
}

static void run_mean(const ftl_step *step, ftl_exec *exec)
{
    const ftl_neighbor_mean_op *op = &step->op->u.neighbor_mean;
    size_t k = step->op->segments[0].count / 2, width = step->op->width;
    bool is_f32;
    const double *source = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec), *weight = ftl_scratch(step, exec);
    memset(out, 0, exec->rows * width * sizeof *out);
    for (uint32_t r = 0; r < exec->rows; r++) {
        const double *row = source + r * 2 * k;
        double total = 0;
        weigh(row, k, op->by_distance, weight);
        for (size_t i = 0; i < k; i++) {
            const double *values = op->values + (size_t)row[k + i] * width;
            total += weight[i];
            for (size_t j = 0; j < width; j++)
                out[r * width + j] += values[j] * weight[i];
        }
        for (size_t j = 0; j < width; j++)
            out[r * width + j] /= total;
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

static void keep_vote(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_neighbor_vote_op *vote = &op->u.neighbor_vote;
    (void)step;
    ftl_blob_borrow(blob, &vote->classes, vote->n_points, sizeof(uint32_t));
}

static void keep_mean(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_neighbor_mean_op *mean = &op->u.neighbor_mean;
    (void)step;
    ftl_blob_borrow(blob, &mean->values, (size_t)mean->n_points * op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->kind == FTL_OP_NEIGHBOR_VOTE ? run_vote : run_mean;
}

const ftl_op_impl ftl_op_impl_neighbor_vote = {
    .name = "neighbor_vote", .compile = compile, .keep = keep_vote, .bind = bind};
const ftl_op_impl ftl_op_impl_neighbor_mean = {
    .name = "neighbor_mean", .compile = compile, .keep = keep_mean, .bind = bind};
