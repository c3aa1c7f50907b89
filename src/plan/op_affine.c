/*
 * Elementwise steps with row vectors, as numpy's in-place operators do them: every step rounds to
 * the edge's dtype. A wide step computes in float64 (numpy's loop for a float64 vector); others
 * round the vector to the edge's dtype first.
 */
#include "kernels/kernels.h"
#include "plan/plan.h"
#include "plan/sparse.h"

#include <string.h>

typedef struct affine_state {
    /* [n_steps]: the vectors as float32, for steps that are not wide on float32 edges */
    const float *const *narrow;
} affine_state;

_Static_assert((int)FTL_AFFINE_SUB == FTL_ROWS_SUB && (int)FTL_AFFINE_ADD == FTL_ROWS_ADD &&
                   (int)FTL_AFFINE_MUL == FTL_ROWS_MUL && (int)FTL_AFFINE_DIV == FTL_ROWS_DIV &&
                   (int)FTL_AFFINE_CLIP_LOW == FTL_ROWS_CLIP_LOW &&
                   (int)FTL_AFFINE_CLIP_HIGH == FTL_ROWS_CLIP_HIGH,
               "the steps' kinds are the kernels'");

/*
 * The first step reads the source, later ones work in place. A matrix of rows, whose columns are
 * those from `first` on: all of them, or one that lies in one piece.
 */
static void run_f64(const ftl_step *step, ftl_exec *exec, size_t first, size_t width,
                    const double *from, double *out)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    for (uint32_t s = 0; s < affine->n_steps; s++, from = out)
        kernels->apply_f64((ftl_rows_op)affine->steps[s].kind, exec->rows, width, from,
                           affine->steps[s].vector + first, out);
}

static void run_f32(const ftl_step *step, ftl_exec *exec, size_t first, size_t width,
                    const float *from, float *out)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    const affine_state *state = step->state;
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    for (uint32_t s = 0; s < affine->n_steps; s++, from = out) {
        ftl_rows_op op = (ftl_rows_op)affine->steps[s].kind;
        if (affine->steps[s].wide)
            kernels->apply_wide(op, exec->rows, width, from, affine->steps[s].vector + first, out);
        else
            kernels->apply_f32(op, exec->rows, width, from, state->narrow[s] + first, out);
    }
}

/* Columns first .. first + width of the source, which lie as the step's own do. */
static void run_part(const ftl_step *step, ftl_exec *exec, size_t first, size_t width,
                     const void *data)
{
    size_t at = first * exec->rows;
    if (step->is_f32)
        run_f32(step, exec, first, width, (const float *)data + at,
                (float *)ftl_slot(step, exec) + at);
    else
        run_f64(step, exec, first, width, (const double *)data + at,
                (double *)ftl_slot(step, exec) + at);
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    size_t element = is_f32 ? sizeof(float) : sizeof(double);
    bool columns = ftl_by_columns(step, exec);
    if (step->op->u.affine.n_steps == 0)
        memcpy(ftl_slot(step, exec), data, (size_t)exec->rows * step->slot_width * element);
    else if (!columns)
        run_part(step, exec, 0, step->slot_width, data);
    for (size_t j = 0; columns && j < step->slot_width; j++)
        run_part(step, exec, j, 1, data);
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

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_affine_op *affine = &step->op->u.affine;
    step->reads_columns = step->writes_columns = step->op->edge == FTL_EDGE_NUM;
    if (!step->is_f32 || step->op->edge == FTL_EDGE_SPARSE)
        return FTL_OK;
    affine_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    const float **narrow = ftl_blob_state(&plan->blob, affine->n_steps, sizeof *narrow);
    if (!state || !narrow)
        return FTL_OOM(error);
    state->narrow = narrow;
    ftl_blob_ref(&plan->blob, &state->narrow);
    ftl_blob_ref_each(&plan->blob, narrow, affine->n_steps, sizeof *narrow);
    step->state = state;
    for (uint32_t s = 0; s < affine->n_steps; s++) {
        float *vector = ftl_blob_data(&plan->blob, step->slot_width, sizeof *vector);
        if (!vector)
            return FTL_OOM(error);
        for (uint32_t j = 0; j < step->slot_width; j++)
            vector[j] = (float)affine->steps[s].vector[j];
        narrow[s] = vector;
    }
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_affine_op *affine = &op->u.affine;
    ftl_affine_step *steps = ftl_keep_records(blob, &affine->steps, affine->n_steps,
                                              ftl_affine_step_record_());
    (void)step;
    for (uint32_t s = 0; steps && s < affine->n_steps; s++) {
        ftl_blob_borrow(blob, &steps[s].vector, op->width, sizeof(double));
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
}

const ftl_op_impl ftl_op_impl_affine = {
    .name = "affine", .compile = compile, .keep = keep, .bind = bind};
