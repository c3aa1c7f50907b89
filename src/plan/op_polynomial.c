/* Products of columns, multiplied in the order that the front end gives, in the edge's dtype. */
#include "plan/plan.h"

#define FTL_POLYNOMIAL_BODY(TYPE)                                                               \
    bool is_f32;                                                                                \
    const TYPE *data = ftl_matrix_source(step, exec, &is_f32);                                  \
    const ftl_polynomial_op *op = &step->op->u.polynomial;                                      \
    const uint32_t width = step->slot_width, from = ftl_source_step(step, exec, 0)->slot_width; \
    TYPE *out = ftl_slot(step, exec);                                                           \
    for (uint32_t i = 0; i < exec->rows; i++, data += from, out += width) {                     \
        for (uint32_t j = 0; j < width; j++) {                                                  \
            uint32_t k = op->start[j], end = op->start[j + 1];                                  \
            TYPE product = k < end ? data[op->factors[k]] : (TYPE)1;                            \
            for (k++; k < end; k++)                                                             \
                product *= data[op->factors[k]];                                                \
            out[j] = product;                                                                   \
        }                                                                                       \
    }

static void run_f64(const ftl_step *step, ftl_exec *exec) { FTL_POLYNOMIAL_BODY(double) }
static void run_f32(const ftl_step *step, ftl_exec *exec) { FTL_POLYNOMIAL_BODY(float) }

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_polynomial_op *polynomial = &op->u.polynomial;
    size_t width = op->width;
    (void)step;
    ftl_blob_borrow(blob, &polynomial->factors, polynomial->start[width], sizeof(uint32_t));
    ftl_blob_borrow(blob, &polynomial->start, width + 1, sizeof(uint32_t));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    out->run = plan->steps[step->op->segments[0].op].is_f32 ? run_f32 : run_f64;
}

const ftl_op_impl ftl_op_impl_polynomial = {.name = "polynomial", .keep = keep, .bind = bind};
