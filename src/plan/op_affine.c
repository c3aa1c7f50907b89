/*
 * Elementwise steps with row vectors, as numpy's in-place operators do them: every step rounds to
 * the edge's dtype. A wide step computes in float64 (numpy's loop for a float64 vector); others
 * round the vector to the edge's dtype first.
 */
#include "plan/plan.h"
#include "plan/sparse.h"

#include <string.h>

typedef struct affine_state {
    /* [n_steps]: the vectors as float32, for steps that are not wide on float32 edges */
    const float **narrow;
} affine_state;

#define FTL_APPLY(KIND, EXPRESSION)          \
    case KIND:                               \
        for (uint32_t j = 0; j < width; j++) \
            row[j] = EXPRESSION;             \
        break

/* NaN compares false, so the clips hand it on. */
#define FTL_APPLY_BODY(TYPE, WORK)                                                            \
    switch (kind) {                                                                           \
        FTL_APPLY(FTL_AFFINE_SUB, (TYPE)((WORK)row[j] - vector[j]));                          \
        FTL_APPLY(FTL_AFFINE_ADD, (TYPE)((WORK)row[j] + vector[j]));                          \
        FTL_APPLY(FTL_AFFINE_MUL, (TYPE)((WORK)row[j] * vector[j]));                          \
        FTL_APPLY(FTL_AFFINE_DIV, (TYPE)((WORK)row[j] / vector[j]));                          \
        FTL_APPLY(FTL_AFFINE_CLIP_LOW, (WORK)row[j] < vector[j] ? (TYPE)vector[j] : row[j]);  \
        FTL_APPLY(FTL_AFFINE_CLIP_HIGH, (WORK)row[j] > vector[j] ? (TYPE)vector[j] : row[j]); \
    }

static void apply_f64(ftl_affine_step_kind kind, double *restrict row,
                      const double *restrict vector, uint32_t width)
{
    FTL_APPLY_BODY(double, double)
}

static void apply_f32(ftl_affine_step_kind kind, float *restrict row, const float *restrict vector,
                      uint32_t width)
{
    FTL_APPLY_BODY(float, float)
}

static void apply_wide(ftl_affine_step_kind kind, float *restrict row,
                       const double *restrict vector, uint32_t width)
{
    FTL_APPLY_BODY(float, double)
}

static void run_f64(const ftl_step *step, ftl_exec *exec)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    uint32_t width = step->slot_width;
    double *row = ftl_slot(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++, row += width) {
        for (uint32_t s = 0; s < affine->n_steps; s++)
            apply_f64(affine->steps[s].kind, row, affine->steps[s].vector, width);
    }
}

static void run_f32(const ftl_step *step, ftl_exec *exec)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    const affine_state *state = step->state;
    uint32_t width = step->slot_width;
    float *row = ftl_slot(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++, row += width) {
        for (uint32_t s = 0; s < affine->n_steps; s++) {
            if (affine->steps[s].wide)
                apply_wide(affine->steps[s].kind, row, affine->steps[s].vector, width);
            else
                apply_f32(affine->steps[s].kind, row, state->narrow[s], width);
        }
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    size_t element = is_f32 ? sizeof(float) : sizeof(double);
    memcpy(ftl_slot(step, exec), data, (size_t)exec->rows * step->slot_width * element);
    if (is_f32)
        run_f32(step, exec);
    else
        run_f64(step, exec);
}

/* One value of a sparse matrix; zeros stay zeros. */
static double apply_value(const ftl_affine_step *step, double x, double v, bool is_f32)
{
    if (is_f32 && !step->wide)
        v = (double)(float)v;
    double y = x;
    switch (step->kind) {
    case FTL_AFFINE_MUL:
        y = x * v;
        break;
    case FTL_AFFINE_DIV:
        y = x / v;
        break;
    case FTL_AFFINE_CLIP_LOW:
        y = x < v ? v : x;
        break;
    case FTL_AFFINE_CLIP_HIGH:
        y = x > v ? v : x;
        break;
    default: /* not reached: validate refuses shifts of sparse matrices */
        break;
    }
    return is_f32 ? (double)(float)y : y;
}

static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    const ftl_sparse *in = ftl_sparse_source(step, exec, 0);
    if (!ftl_sparse_copy(step, exec, in))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    for (uint32_t k = 0; k < out->start[exec->rows]; k++) {
        for (uint32_t s = 0; s < affine->n_steps; s++)
            out->values[k] = apply_value(&affine->steps[s], out->values[k],
                                         affine->steps[s].vector[out->columns[k]], step->is_f32);
    }
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    affine_state *state = FTL_ARENA_NEW(&plan->arena, affine_state);
    step->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
    step->state = state;
    if (!state)
        return FTL_OOM(error);
    if (!step->is_f32 || step->op->edge == FTL_EDGE_SPARSE)
        return FTL_OK;
    state->narrow = ftl_arena_zero_array(&plan->arena, affine->n_steps, sizeof *state->narrow);
    if (!state->narrow)
        return FTL_OOM(error);
    for (uint32_t s = 0; s < affine->n_steps; s++) {
        float *vector = ftl_arena_array(&plan->arena, step->slot_width, sizeof *vector);
        if (!vector)
            return FTL_OOM(error);
        for (uint32_t j = 0; j < step->slot_width; j++)
            vector[j] = (float)affine->steps[s].vector[j];
        state->narrow[s] = vector;
    }
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_affine = {"affine", prepare};
