/* LINK: scores → probabilities and other functions of a row of scores. */
#include "kernels/kernels.h"
#include "plan/plan.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define LINK_T double
#define LINK_NAME(name) name##_f64
#define LINK_VMATH(name) ftl_kernels_get()->vmath.name##_f64
#define LINK_EXP exp
#define LINK_LOG log
#define LINK_EPSILON DBL_EPSILON
#define LINK_TINY DBL_MIN
#include "plan/op_link_body.h"
#undef LINK_T
#undef LINK_NAME
#undef LINK_VMATH
#undef LINK_EXP
#undef LINK_LOG
#undef LINK_EPSILON
#undef LINK_TINY

#define LINK_T float
#define LINK_NAME(name) name##_f32
#define LINK_VMATH(name) ftl_kernels_get()->vmath.name##_f32
#define LINK_EXP expf
#define LINK_LOG logf
#define LINK_EPSILON FLT_EPSILON
#define LINK_TINY FLT_MIN
#include "plan/op_link_body.h"

static void run_f64(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const double *in = ftl_matrix_source(step, exec, &is_f32);
    block_f64(step->op, exec->rows, in, ftl_slot(step, exec));
}

static void run_f32(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const float *in = ftl_matrix_source(step, exec, &is_f32);
    block_f32(step->op, exec->rows, in, ftl_slot(step, exec));
}

/* A float32 source and a float64 edge: the block is widened first. */
static void run_widening(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const float *in = ftl_matrix_source(step, exec, &is_f32);
    double *wide = ftl_scratch(step, exec);
    size_t n = exec->rows * (size_t)step->op->segments[0].count;
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)in[i];
    block_f64(step->op, exec->rows, wide, ftl_slot(step, exec));
}

/* A float64 source and a float32 edge: computed in float64 and rounded. */
static void run_narrowing(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const double *in = ftl_matrix_source(step, exec, &is_f32);
    float *out = ftl_slot(step, exec);
    double *wide = ftl_scratch(step, exec);
    size_t n = exec->rows * (size_t)step->op->width;
    block_f64(step->op, exec->rows, in, wide);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)wide[i];
}

static ftl_status compile_link(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    const ftl_op *op = step->op;
    bool in_f32 = plan->steps[op->segments[0].op].is_f32;
    if (in_f32 != step->is_f32)
        step->scratch_per_row = (in_f32 ? op->segments[0].count : op->width) * sizeof(double);
    return FTL_OK;
}

static void bind_link(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    bool in_f32 = plan->steps[step->op->segments[0].op].is_f32;
    if (in_f32 == step->is_f32)
        out->run = in_f32 ? run_f32 : run_f64;
    else
        out->run = in_f32 ? run_widening : run_narrowing;
}

const ftl_op_impl ftl_op_impl_link = {.name = "link", .compile = compile_link, .bind = bind_link};
