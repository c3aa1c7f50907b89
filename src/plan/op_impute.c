/*
 * Missing numbers → a number a column. The missing value is compared in the edge's dtype, as numpy
 * compares with a scalar. Of a sparse matrix the entries alone are looked at; one that becomes zero
 * is still stored.
 */
#include "plan/sparse.h"

#include <math.h>

#define FTL_IMPUTE_BODY(TYPE)                                                                   \
    bool is_f32;                                                                                \
    const TYPE *data = ftl_matrix_source(step, exec, &is_f32);                                  \
    const ftl_impute_op *op = &step->op->u.impute;                                              \
    const uint32_t width = step->slot_width, from = ftl_source_step(step, exec, 0)->slot_width; \
    const TYPE missing = (TYPE)op->missing_value;                                               \
    TYPE *out = ftl_slot(step, exec);                                                           \
    for (uint32_t i = 0; i < exec->rows; i++, data += from, out += width) {                     \
        for (uint32_t j = 0; j < width; j++) {                                                  \
            TYPE value = data[op->columns[j]];                                                  \
            bool is_missing = op->missing_is_nan ? value != value : value == missing;           \
            out[j] = is_missing ? (TYPE)op->fill[j] : value;                                    \
        }                                                                                       \
    }

static void run_f64(const ftl_step *step, ftl_exec *exec) { FTL_IMPUTE_BODY(double) }
static void run_f32(const ftl_step *step, ftl_exec *exec) { FTL_IMPUTE_BODY(float) }

/* The place of a column among the kept ones, of which the first is at `from`; width: none. */
static uint32_t kept_place(const ftl_impute_op *op, uint32_t width, uint32_t from, uint32_t column)
{
    uint32_t low = from, high = width;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (op->columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < width && op->columns[low] == column ? low : width;
}

static double imputed(const ftl_impute_op *op, bool is_f32, double value, double fill)
{
    double missing = is_f32 ? (double)(float)op->missing_value : op->missing_value;
    if (op->missing_is_nan ? !isnan(value) : value != missing)
        return value;
    return is_f32 ? (double)(float)fill : fill;
}

static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    const ftl_impute_op *op = &step->op->u.impute;
    const ftl_sparse *in = ftl_sparse_source(step, exec, 0);
    if (!ftl_sparse_reserve(step, exec, in->start[exec->rows]))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    uint32_t n = 0;
    out->start[0] = 0;
    for (uint32_t i = 0; i < exec->rows; i++) {
        uint32_t from = 0;
        for (uint32_t k = in->start[i]; k < in->start[i + 1]; k++) {
            uint32_t at = kept_place(op, step->op->width, from, in->columns[k]);
            if (at == step->op->width)
                continue;
            from = at + 1;
            out->columns[n] = at;
            out->values[n++] = imputed(op, step->is_f32, in->values[k], op->fill[at]);
        }
        out->start[i + 1] = n;
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.impute.columns, op->width, sizeof(uint32_t));
    ftl_blob_borrow(blob, &op->u.impute.fill, op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    out->run = step->op->edge == FTL_EDGE_SPARSE              ? run_sparse
               : plan->steps[step->op->segments[0].op].is_f32 ? run_f32
                                                              : run_f64;
}

const ftl_op_impl ftl_op_impl_impute = {.name = "impute", .keep = keep, .bind = bind};
