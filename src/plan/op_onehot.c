/*
 * One-hot encoding: per source column the output column that its category sets, or -1. Nothing is
 * materialised here.
 */
#include "plan/op_encode.h"

static void run(const ftl_step *step, ftl_exec *exec)
{
    int32_t *out = ftl_slot(step, exec);
    uint32_t j = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, j++) {
            const ftl_encode_column *column = &step->op->u.encode.columns[j];
            const int32_t *found = ftl_encode_column_run(step, exec, s, c, j);
            for (uint32_t i = 0; i < exec->rows; i++) {
                int32_t code = found[i] < 0 ? column->unknown : column->codes[found[i]];
                if (FTL_UNLIKELY(code == FTL_CODE_REFUSED)) {
                    ftl_encode_refuse(step, exec, i, j);
                    code = FTL_CODE_NONE;
                }
                out[(size_t)i * step->slot_width + j] = code;
            }
        }
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_onehot = {
    .name = "onehot", .compile = ftl_encode_compile, .keep = ftl_encode_keep, .bind = bind};
