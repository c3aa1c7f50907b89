/*
 * Missing numbers → a number a column. The missing value is compared in the edge's dtype, as numpy
 * compares with a scalar.
 */
#include "plan/plan.h"

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

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.impute.columns, op->width, sizeof(uint32_t));
    ftl_blob_borrow(blob, &op->u.impute.fill, op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    out->run = plan->steps[step->op->segments[0].op].is_f32 ? run_f32 : run_f64;
}

const ftl_op_impl ftl_op_impl_impute = {.name = "impute", .keep = keep, .bind = bind};
