/* POWER: Box and Cox's and Yeo and Johnson's transformations, in float64 whatever the edge is. */
#include "plan/plan.h"

#include <float.h>
#include <math.h>

/* (x^lambda - 1) / lambda, x > 0. */
static double box_cox(double x, double lambda)
{
    return fabs(lambda) < 1e-19 ? log(x) : expm1(lambda * log(x)) / lambda;
}

static double yeo_johnson(double x, double lambda)
{
    if (x >= 0)
        return fabs(lambda) < DBL_EPSILON ? log1p(x) : (pow(x + 1, lambda) - 1) / lambda;
    lambda = 2 - lambda;
    return fabs(lambda) > DBL_EPSILON ? -(pow(-x + 1, lambda) - 1) / lambda : -log1p(-x);
}

static double yeo_johnson_log(double x, double lambda)
{
    if (x >= 0)
        return fabs(lambda) < DBL_EPSILON ? log1p(x) : expm1(lambda * log1p(x)) / lambda;
    lambda = 2 - lambda;
    return fabs(lambda) > DBL_EPSILON ? -expm1(lambda * log1p(-x)) / lambda : -log1p(-x);
}

static double transformed(const ftl_step *step, ftl_exec *exec, uint32_t row, double x,
                          double lambda)
{
    if (isnan(x))
        return x;
    switch (step->op->u.power.rule) {
    case FTL_POWER_BOX_COX:
        if (x > 0)
            return box_cox(x, lambda);
        ftl_exec_bad(exec, step, row, NULL, "%g is not above 0, as the Box-Cox method needs it", x);
        return NAN;
    case FTL_POWER_YEO_JOHNSON:
        return yeo_johnson(x, lambda);
    default:
        return yeo_johnson_log(x, lambda);
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_power_op *op = &step->op->u.power;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    for (uint32_t r = 0; r < exec->rows; r++) {
        for (uint32_t j = 0; j < step->slot_width; j++) {
            size_t at = (size_t)r * step->slot_width + j;
            double x = is_f32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
            double value = transformed(step, exec, r, x, op->lambdas[j]);
            if (is_f32)
                ((float *)ftl_slot(step, exec))[at] = (float)value;
            else
                ((double *)ftl_slot(step, exec))[at] = value;
        }
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.power.lambdas, op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_power = {.name = "power", .keep = keep, .bind = bind};
