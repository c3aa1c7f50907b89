/*
 * COMBINE and VOTE: what an ensemble makes of its models' columns. The scratch holds one source
 * column; sums are in the order of the columns whatever the block is.
 */
#include "plan/plan.h"

#include <math.h>

/* Elements of the output as float64, rounded to the edge's dtype when they are stored. */
static double load(const ftl_step *step, const void *slot, size_t i)
{
    return step->is_f32 ? (double)((const float *)slot)[i] : ((const double *)slot)[i];
}

static void store(const ftl_step *step, void *slot, size_t i, double value)
{
    if (step->is_f32)
        ((float *)slot)[i] = (float)value;
    else
        ((double *)slot)[i] = value;
}

static void fill(const ftl_step *step, const ftl_exec *exec, double value)
{
    size_t n = (size_t)exec->rows * step->slot_width;
    for (size_t i = 0; i < n; i++)
        store(step, ftl_slot(step, exec), i, value);
}

/* numpy's logaddexp; equal values are apart so that infinities do not make NaN. */
static double log_add_exp(double a, double b)
{
    static const double log_2 = 0.693147180559945309417232121458176568;
    if (a == b)
        return a + log_2;
    double difference = a - b;
    if (difference > 0)
        return a + log1p(exp(-difference));
    if (difference <= 0)
        return b + log1p(exp(difference));
    return difference; /* NaN */
}

static void add_column(const ftl_step *step, ftl_exec *exec, const double *column, uint32_t at)
{
    const ftl_combine_op *op = &step->op->u.combine;
    void *slot = ftl_slot(step, exec);
    double weight = op->weights ? op->weights[at] : 1.0;
    for (uint32_t r = 0; r < exec->rows; r++) {
        size_t i = (size_t)r * step->slot_width + op->target[at];
        double value = column[r] * weight, sum = load(step, slot, i);
        store(step, slot, i, op->rule == FTL_COMBINE_SUM ? sum + value : log_add_exp(sum, value));
    }
}

static void divide(const ftl_step *step, ftl_exec *exec)
{
    const ftl_combine_op *op = &step->op->u.combine;
    void *slot = ftl_slot(step, exec);
    size_t n = (size_t)exec->rows * step->slot_width;
    double shift = op->rule == FTL_COMBINE_LOGADDEXP ? log(op->divisor) : 0;
    for (size_t i = 0; i < n; i++) {
        double sum = load(step, slot, i);
        store(step, slot, i, op->rule == FTL_COMBINE_SUM ? sum / op->divisor : sum - shift);
    }
}

static void run_combine(const ftl_step *step, ftl_exec *exec)
{
    double *column = ftl_scratch(step, exec);
    uint32_t at = 0;
    fill(step, exec, step->op->u.combine.rule == FTL_COMBINE_SUM ? 0.0 : -INFINITY);
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++) {
            ftl_read_f64(step, exec, s, c, column, 1);
            add_column(step, exec, column, at);
        }
    }
    divide(step, exec);
}

static void vote_column(const ftl_step *step, ftl_exec *exec, const double *column, uint32_t at)
{
    const ftl_vote_op *op = &step->op->u.vote;
    double *out = ftl_slot(step, exec), miss = op->miss ? op->miss[at] : 0.0;
    uint32_t n = op->start[at + 1] - op->start[at], width = step->slot_width;
    for (uint32_t r = 0; r < exec->rows; r++, out += width) {
        double index = column[r];
        uint32_t chosen = index >= 0 && index < (double)n ? op->map[op->start[at] + (uint32_t)index]
                                                          : FTL_VOTE_NONE;
        if (op->miss) {
            for (uint32_t k = 0; k < width; k++)
                out[k] += k == chosen ? op->hit[at] : miss;
        } else if (chosen != FTL_VOTE_NONE)
            out[chosen] += op->hit[at];
    }
}

static void run_vote(const ftl_step *step, ftl_exec *exec)
{
    double *column = ftl_scratch(step, exec), *out = ftl_slot(step, exec);
    uint32_t at = 0;
    fill(step, exec, 0.0);
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++) {
            ftl_read_f64(step, exec, s, c, column, 1);
            vote_column(step, exec, column, at);
        }
    }
    for (size_t i = 0; i < (size_t)exec->rows * step->slot_width; i++)
        out[i] /= step->op->u.vote.divisor;
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    step->scratch_per_row = sizeof(double);
    if (step->op->kind == FTL_OP_VOTE)
        step->is_f32 = false;
    return FTL_OK;
}

static void keep_combine(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    size_t n = ftl_op_source_columns(step->op);
    ftl_blob_borrow(blob, &op->u.combine.target, n, sizeof(uint32_t));
    ftl_blob_borrow(blob, &op->u.combine.weights, n, sizeof(double));
}

static void keep_vote(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    size_t n = ftl_op_source_columns(step->op);
    ftl_vote_op *vote = &op->u.vote;
    ftl_blob_borrow(blob, &vote->map, vote->start[n], sizeof(uint32_t));
    ftl_blob_borrow(blob, &vote->start, n + 1, sizeof(uint32_t));
    ftl_blob_borrow(blob, &vote->hit, n, sizeof(double));
    ftl_blob_borrow(blob, &vote->miss, n, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->kind == FTL_OP_VOTE ? run_vote : run_combine;
}

const ftl_op_impl ftl_op_impl_combine = {
    .name = "combine", .compile = compile, .keep = keep_combine, .bind = bind};
const ftl_op_impl ftl_op_impl_vote = {
    .name = "vote", .compile = compile, .keep = keep_vote, .bind = bind};
