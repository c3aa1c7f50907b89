/* FILL: missing numbers of the first half of the columns → those of the second half. */
#include "plan/plan.h"

#include <math.h>

/* Columns [0, width) are written first, then the others where NaN is left. */
static void run(const ftl_step *step, ftl_exec *exec)
{
    double *column = ftl_scratch(step, exec);
    uint32_t width = step->op->width, at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++) {
            ftl_read_f64(step, exec, s, c, column, 1);
            for (uint32_t r = 0; r < exec->rows; r++) {
                size_t i = (size_t)r * width + at % width;
                double *wide = ftl_slot(step, exec);
                float *narrow = ftl_slot(step, exec);
                if (at >= width && !isnan(step->is_f32 ? (double)narrow[i] : wide[i]))
                    continue;
                if (step->is_f32)
                    narrow[i] = (float)column[r];
                else
                    wide[i] = column[r];
            }
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    step->scratch_per_row = sizeof(double);
    return FTL_OK;
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_fill = {.name = "fill", .compile = compile, .bind = bind};
