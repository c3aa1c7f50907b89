/*
 * MEDIAN: AdaBoostRegressor's weighted median. The source columns are gathered into the scratch, a
 * row after another; each row's numbers are ordered by a stable merge sort.
 */
#include "plan/plan.h"

#include <math.h>

/* numpy's order: NaN is behind everything. */
static bool less(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

/* One pass: runs of `run` indices become runs twice as long. */
static void merge(const double *values, const uint32_t *from, uint32_t *to, size_t n, size_t run)
{
    for (size_t start = 0; start < n; start += 2 * run) {
        size_t middle = start + run < n ? start + run : n;
        size_t end = start + 2 * run < n ? start + 2 * run : n;
        size_t a = start, b = middle;
        for (size_t i = start; i < end; i++) {
            bool second = a == middle || (b < end && less(values[from[b]], values[from[a]]));
            to[i] = second ? from[b++] : from[a++];
        }
    }
}

/* Indices of values in ascending order; both arrays have n elements. */
static const uint32_t *sorted(const double *values, size_t n, uint32_t *order, uint32_t *other)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t run = 1; run < n; run *= 2) {
        merge(values, order, other, n, run);
        uint32_t *swap = order;
        order = other;
        other = swap;
    }
    return order;
}

static double median(const double *values, const double *weights, size_t n, uint32_t *memory)
{
    const uint32_t *order = sorted(values, n, memory, memory + n);
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[order[i]];
    for (size_t i = 0; i < n; i++) {
        sum += weights[order[i]];
        if (sum >= 0.5 * total)
            return values[order[i]];
    }
    return values[order[0]]; /* no comparison held: argmax of nothing but False */
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    size_t n = ftl_op_source_columns(step->op);
    uint32_t *memory = ftl_scratch(step, exec);
    double *values = (double *)(void *)(memory + 2 * n), *out = values;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, out++)
            ftl_read_f64(step, exec, s, c, out, n);
    }
    for (uint32_t r = 0; r < exec->rows; r++) {
        double value = median(values + r * n, step->op->u.median.weights, n, memory);
        if (step->is_f32)
            ((float *)ftl_slot(step, exec))[r] = (float)value;
        else
            ((double *)ftl_slot(step, exec))[r] = value;
    }
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    size_t n = ftl_op_source_columns(step->op);
    step->scratch_fixed = 2 * n * sizeof(uint32_t);
    step->scratch_per_row = n * sizeof(double);
    step->run = run;
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_median = {.name = "median", .prepare = prepare};
