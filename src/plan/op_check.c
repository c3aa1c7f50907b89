/*
 * Rows that the library would refuse: NaN, infinity, values too large for float32. The slot is the
 * source's own, wherever that lies in this block.
 */
#include "kernels/kernels.h"
#include "plan/sparse.h"

#include <float.h>
#include <math.h>

static void complain(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t column,
                     double value)
{
    const ftl_check_op *check = &step->op->u.check;
    const char *name = check->names ? check->names[column] : NULL;
    bool told;
    if (isnan(value))
        told = ftl_exec_bad(exec, step, row, name,
                            "a missing value (NaN), which %s does not accept; impute it first",
                            check->estimator);
    else if (isinf(value))
        told = ftl_exec_bad(exec, step, row, name, "infinity, which %s does not accept",
                            check->estimator);
    else
        told = ftl_exec_bad(exec, step, row, name, "%g is too large for float32, which %s works in",
                            value, check->estimator);
    if (told)
        exec->bad_error.reason = isnan(value) ? FTL_REASON_MISSING_VALUE
                                              : FTL_REASON_INFINITE_VALUE;
}

static bool refused(uint32_t refuse, double value)
{
    if (isnan(value))
        return refuse & FTL_CHECK_NAN;
    if (isinf(value))
        return refuse & FTL_CHECK_INF;
    /*
     * numpy casts to float32 by rounding to nearest: the largest value that stays finite is FLT_MAX
     * and half a step.
     */
    return (refuse & FTL_CHECK_F32_RANGE) && isinf((float)value);
}

/* Whole blocks first, then rows, then values: what is refused is rare. */
static void scan_f64(const ftl_step *step, ftl_exec *exec, const double *data)
{
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    uint32_t width = step->slot_width, refuse = step->op->u.check.refuse;
    double limit = refuse & FTL_CHECK_F32_RANGE ? (double)FLT_MAX : DBL_MAX;
    if (kernels->within_f64((size_t)exec->rows * width, data, limit))
        return;
    for (uint32_t i = 0; i < exec->rows; i++) {
        const double *row = data + (size_t)i * width;
        if (kernels->within_f64(width, row, limit))
            continue;
        for (uint32_t j = 0; j < width; j++) {
            if (refused(refuse, row[j])) {
                complain(step, exec, i, j, row[j]);
                break;
            }
        }
    }
}

static void scan_f32(const ftl_step *step, ftl_exec *exec, const float *data)
{
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    uint32_t width = step->slot_width, refuse = step->op->u.check.refuse;
    if (kernels->within_f32((size_t)exec->rows * width, data, FLT_MAX))
        return;
    for (uint32_t i = 0; i < exec->rows; i++) {
        const float *row = data + (size_t)i * width;
        if (kernels->within_f32(width, row, FLT_MAX))
            continue;
        for (uint32_t j = 0; j < width; j++) {
            if (refused(refuse, (double)row[j])) {
                complain(step, exec, i, j, (double)row[j]);
                break;
            }
        }
    }
}

/* Columns of as many values as there are rows. A row's first refused value is the one to tell. */
static void scan_columns(const ftl_step *step, ftl_exec *exec, const void *data, bool is_f32)
{
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    uint32_t refuse = step->op->u.check.refuse, rows = exec->rows;
    double limit = refuse & FTL_CHECK_F32_RANGE ? (double)FLT_MAX : DBL_MAX;
    for (uint32_t j = 0; j < step->slot_width; j++) {
        const float *x32 = (const float *)data + (size_t)j * rows;
        const double *x64 = (const double *)data + (size_t)j * rows;
        if (is_f32 ? kernels->within_f32(rows, x32, FLT_MAX)
                   : kernels->within_f64(rows, x64, limit))
            continue;
        for (uint32_t i = 0; i < rows; i++) {
            double value = is_f32 ? (double)x32[i] : x64[i];
            if (refused(refuse, value))
                complain(step, exec, i, j, value);
        }
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    exec->slots[step->id] = ftl_slot(ftl_source_step(step, exec, 0), exec);
    if (ftl_by_columns(step, exec))
        scan_columns(step, exec, data, is_f32);
    else if (is_f32)
        scan_f32(step, exec, data);
    else
        scan_f64(step, exec, data);
}

/* A sparse matrix has no slot to share: its rows are copied. */
static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    if (!ftl_sparse_copy(step, exec, ftl_sparse_source(step, exec, 0)))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++) {
        for (uint32_t k = out->start[i]; k < out->start[i + 1]; k++) {
            if (FTL_UNLIKELY(refused(step->op->u.check.refuse, out->values[k])))
                complain(step, exec, i, out->columns[k], out->values[k]);
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    uint32_t source = step->op->segments[0].op;
    if (step->op->edge == FTL_EDGE_SPARSE)
        return FTL_OK;
    step->alias_of = plan->steps[source].alias_of != UINT32_MAX ? plan->steps[source].alias_of
                                                                : source;
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow_text(blob, &op->u.check.estimator);
    ftl_blob_copy_texts(blob, &op->u.check.names, op->width);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
}

const ftl_op_impl ftl_op_impl_check = {
    .name = "check", .compile = compile, .keep = keep, .bind = bind};
