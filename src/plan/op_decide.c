/* DECIDE: scores → class index. ARGMAX takes a row of scores to one index; the sign rules take each
 * score to 0 or 1. */
#include "kernels/kernels.h"
#include "plan/plan.h"

#include <string.h>

static void store(const ftl_step *step, ftl_exec *exec, size_t i, size_t value)
{
    if (step->is_f32)
        ((float *)ftl_slot(step, exec))[i] = (float)value;
    else
        ((double *)ftl_slot(step, exec))[i] = (double)value;
}

static double score_at(const void *scores, bool is_f32, size_t i)
{
    return is_f32 ? (double)((const float *)scores)[i] : ((const double *)scores)[i];
}

static void run_argmax(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *scores = ftl_matrix_source(step, exec, &is_f32);
    const ftl_rows_kernels *kernels = &exec->plan->kernels->rows;
    size_t width = step->op->segments[0].count;
    uint32_t *best = ftl_scratch(step, exec);
    if (is_f32)
        kernels->argmax_f32(exec->rows, width, scores, best);
    else
        kernels->argmax_f64(exec->rows, width, scores, best);
    for (size_t r = 0; r < exec->rows; r++)
        store(step, exec, r, best[r]);
}

static void run_sign(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *scores = ftl_matrix_source(step, exec, &is_f32);
    size_t n = (size_t)exec->rows * step->op->width;
    bool strict = step->op->u.decide.rule == FTL_DECIDE_POSITIVE;
    for (size_t i = 0; i < n; i++) {
        double score = score_at(scores, is_f32, i);
        store(step, exec, i, strict ? score > 0 : score >= 0);
    }
}

/* libsvm's vote: a score above 0 is a vote for the first class of its pair, any other (NaN too) for
 * the second. Votes are counted in the scratch. */
static void run_vote(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *scores = ftl_matrix_source(step, exec, &is_f32);
    size_t width = step->op->segments[0].count, n = ftl_pairs_classes((uint32_t)width);
    uint32_t *votes = ftl_scratch(step, exec);
    for (size_t r = 0; r < exec->rows; r++) {
        size_t pair = r * width, best = 0;
        memset(votes, 0, n * sizeof *votes);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = i + 1; j < n; j++)
                votes[score_at(scores, is_f32, pair++) > 0 ? i : j]++;
        }
        for (size_t i = 1; i < n; i++)
            best = votes[i] > votes[best] ? i : best;
        store(step, exec, r, best);
    }
}

static ftl_status compile_decide(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    ftl_decide rule = step->op->u.decide.rule;
    if (rule == FTL_DECIDE_ARGMAX)
        step->scratch_per_row = sizeof(uint32_t);
    if (rule == FTL_DECIDE_VOTE)
        step->scratch_fixed = ftl_pairs_classes(step->op->segments[0].count) * sizeof(uint32_t);
    return FTL_OK;
}

static void bind_decide(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    ftl_decide rule = step->op->u.decide.rule;
    (void)plan;
    out->run = rule == FTL_DECIDE_ARGMAX ? run_argmax
               : rule == FTL_DECIDE_VOTE ? run_vote
                                         : run_sign;
}

const ftl_op_impl ftl_op_impl_decide = {
    .name = "decide", .compile = compile_decide, .bind = bind_decide};
