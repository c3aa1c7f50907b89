/*
 * Ordinal encoding: the number of each cell's category, as float64 or float32 by the encoder's
 * dtype parameter.
 */
#include "plan/op_encode.h"

#include <math.h>

static double value_of(const ftl_encode_column *column, int32_t found, bool *refused)
{
    *refused = found < 0 ? column->unknown == FTL_CODE_REFUSED
                         : column->codes && column->codes[found] == FTL_CODE_REFUSED;
    if (*refused)
        return NAN;
    return found < 0 ? column->unknown_value : column->values[found];
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const bool columns = ftl_by_columns(step, exec);
    uint32_t j = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, j++) {
            const ftl_encode_column *column = &step->op->u.encode.columns[j];
            const int32_t *found = ftl_encode_column_run(step, exec, s, c, j);
            for (uint32_t i = 0; i < exec->rows; i++) {
                bool refused;
                double value = value_of(column, found[i], &refused);
                size_t at = columns ? (size_t)j * exec->rows + i : (size_t)i * step->slot_width + j;
                if (FTL_UNLIKELY(refused))
                    ftl_encode_refuse(step, exec, i, j);
                if (step->is_f32)
                    ((float *)ftl_slot(step, exec))[at] = (float)value;
                else
                    ((double *)ftl_slot(step, exec))[at] = value;
            }
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    step->writes_columns = true;
    return ftl_encode_compile(plan, step, error);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_ordinal = {
    .name = "ordinal", .compile = compile, .keep = ftl_encode_keep, .bind = bind};
