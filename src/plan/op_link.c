/* LINK: scores → probabilities and other functions of a row of scores. */
#include "plan/plan.h"

#include <float.h>
#include <math.h>

#define LINK_T double
#define LINK_NAME(name) name##_f64
#define LINK_EXP exp
#define LINK_LOG log
#define LINK_EPSILON DBL_EPSILON
#include "plan/op_link_body.h"
#undef LINK_T
#undef LINK_NAME
#undef LINK_EXP
#undef LINK_LOG
#undef LINK_EPSILON

#define LINK_T float
#define LINK_NAME(name) name##_f32
#define LINK_EXP expf
#define LINK_LOG logf
#define LINK_EPSILON FLT_EPSILON
#include "plan/op_link_body.h"

static void run_f64(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const double *in = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec);
    size_t n = step->op->segments[0].count, width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++)
        row_f64(step->op->u.link.link, in + r * n, n, out + r * width);
}

static void run_f32(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const float *in = ftl_matrix_source(step, exec, &is_f32);
    float *out = ftl_slot(step, exec);
    size_t n = step->op->segments[0].count, width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++)
        row_f32(step->op->u.link.link, in + r * n, n, out + r * width);
}

/* A float32 source and a float64 edge: the row is widened first. */
static void run_widening(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const float *in = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec), *wide = ftl_scratch(step, exec);
    size_t n = step->op->segments[0].count, width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++) {
        for (size_t k = 0; k < n; k++)
            wide[k] = (double)in[r * n + k];
        row_f64(step->op->u.link.link, wide, n, out + r * width);
    }
}

/* A float64 source and a float32 edge: computed in float64 and rounded. */
static void run_narrowing(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const double *in = ftl_matrix_source(step, exec, &is_f32);
    float *out = ftl_slot(step, exec);
    double *wide = ftl_scratch(step, exec);
    size_t n = step->op->segments[0].count, width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++) {
        row_f64(step->op->u.link.link, in + r * n, n, wide);
        for (size_t k = 0; k < width; k++)
            out[r * width + k] = (float)wide[k];
    }
}

static ftl_status prepare_link(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    const ftl_op *op = step->op;
    bool in_f32 = plan->steps[op->segments[0].op].is_f32;
    if (in_f32 == step->is_f32)
        step->run = in_f32 ? run_f32 : run_f64;
    else {
        uint32_t n = op->segments[0].count > op->width ? op->segments[0].count : op->width;
        step->scratch_fixed = n * sizeof(double);
        step->run = in_f32 ? run_widening : run_narrowing;
    }
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_link = {.name = "link", .prepare = prepare_link};
