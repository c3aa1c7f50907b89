/*
 * SPLINES: the values of B-spline bases by de Boor's recurrence, in scipy's order of operations,
 * which is float64 whatever the edge is.
 */
#include "plan/plan.h"

#include <math.h>

typedef struct basis {
    const ftl_splines_op *op;
    const double *knots;
    uint32_t last;   /* the last interval of knots */
    double *h, *old; /* [degree + 1] each: h holds the values of the bases that are not 0 */
    double *beyond;  /* [n_splines] room for those at an end */
} basis;

/* The interval [knots[i], knots[i + 1]) with x in it, or the first or last one of the basis. */
static uint32_t interval_of(const basis *b, double x)
{
    uint32_t low = b->op->degree, high = b->last;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (b->knots[middle] <= x)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* One step of the recurrence, from degree j - 1 to j; slope: of the derivative instead. */
static void raise_degree(const basis *b, uint32_t interval, uint32_t j, double x, bool slope)
{
    memcpy(b->old, b->h, j * sizeof(double));
    b->h[0] = 0;
    for (uint32_t n = 1; n <= j; n++) {
        double right = b->knots[interval + n], left = b->knots[interval + n - j];
        b->h[n] = 0;
        if (right == left)
            continue;
        if (slope) {
            double w = j * b->old[n - 1] / (right - left);
            b->h[n - 1] -= w;
            b->h[n] = w;
        } else {
            double w = b->old[n - 1] / (right - left);
            b->h[n - 1] += w * (right - x);
            b->h[n] = w * (x - left);
        }
    }
}

/* Adds the values at x, or the slopes there, times weight, to out[n_splines]. */
static void add_values(const basis *b, double x, bool slope, double weight, double *out)
{
    uint32_t degree = b->op->degree, interval = interval_of(b, x);
    if (slope && degree == 0)
        return;
    b->h[0] = 1;
    for (uint32_t j = 1; j <= degree; j++)
        raise_degree(b, interval, j, x, slope && j == degree);
    for (uint32_t a = 0; a <= degree; a++)
        out[(interval + a - degree) % b->op->n_splines] += weight * b->h[a];
}

/* The splines at `at`, an end of the knots, and, where they go on linearly, their tangents to x. */
static const double *extended(const basis *b, double x, double at)
{
    memset(b->beyond, 0, b->op->n_splines * sizeof *b->beyond);
    add_values(b, at, false, 1, b->beyond);
    if (b->op->ends == FTL_SPLINE_LINEAR)
        add_values(b, at, true, x - at, b->beyond);
    return b->beyond;
}

/*
 * Constant and linear ends. The library moves the ends of low degrees inwards (ftl_splines_op),
 * where they may pass each other: then both are written, the upper one last. Several splines of
 * degree 0 have none for a constant upper end, which the library raises for.
 */
static bool evaluate_ends(const basis *b, uint32_t column, double x, double *out)
{
    const ftl_splines_op *op = b->op;
    uint32_t reach = op->reach[column], n = op->n_splines;
    double low = b->knots[op->edge[column]], high = b->knots[op->n_knots - 1 - op->edge[column]];
    if (x >= low && x <= high)
        add_values(b, x, false, 1, out);
    if (x < low)
        memcpy(out, extended(b, x, low), reach * sizeof *out);
    if (x > high && reach == 0 && n > 1)
        return false;
    if (x > high)
        memcpy(out + (n - reach), extended(b, x, high) + (n - reach), reach * sizeof *out);
    return true;
}

/* Python's x % period. */
static double wrapped(double x, double period)
{
    double rest = fmod(x, period);
    return rest != 0 ? (rest < 0 ? rest + period : rest) : 0.0;
}

/* All splines of a number; false: the library refuses it. out is cleared. */
static bool evaluate(const basis *b, uint32_t column, double x, double *out)
{
    const ftl_splines_op *op = b->op;
    double low = b->knots[op->degree], high = b->knots[b->last + 1];
    switch (op->ends) {
    case FTL_SPLINE_REFUSED:
        if (!(x >= low && x <= high))
            return false;
        break;
    case FTL_SPLINE_PERIODIC:
        x = high > low ? low + wrapped(x - low, high - low) : 0;
        break;
    case FTL_SPLINE_CONTINUED:
        break;
    default:
        return evaluate_ends(b, column, x, out);
    }
    add_values(b, x, false, 1, out);
    return true;
}

static void store(const ftl_step *step, const ftl_exec *exec, size_t at, const double *values,
                  uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (step->is_f32)
            ((float *)ftl_slot(step, exec))[at + i] = (float)values[i];
        else
            ((double *)ftl_slot(step, exec))[at + i] = values[i];
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_splines_op *op = &step->op->u.splines;
    uint32_t n = step->op->segments[0].count;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    double *values = ftl_scratch(step, exec);
    basis b = {.op = op, .last = op->n_knots - op->degree - 2};
    b.beyond = values + op->n_splines;
    b.h = b.beyond + op->n_splines;
    b.old = b.h + op->degree + 1;
    for (uint32_t r = 0; r < exec->rows; r++) {
        for (uint32_t j = 0; j < n; j++) {
            size_t at = (size_t)r * n + j;
            double x = is_f32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
            b.knots = op->knots + (size_t)j * op->n_knots;
            memset(values, 0, op->n_splines * sizeof *values);
            if (!(isnan(x) && op->missing_is_zero) && !evaluate(&b, j, x, values))
                ftl_exec_bad(exec, step, r, NULL, "%g lies beyond the knots of its splines", x);
            store(step, exec, at * op->kept, values, op->kept);
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_splines_op *op = &step->op->u.splines;
    (void)plan;
    (void)error;
    step->scratch_fixed = 2 * ((size_t)op->n_splines + op->degree + 1) * sizeof(double);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_splines_op *splines = &op->u.splines;
    size_t n = step->op->segments[0].count;
    ftl_blob_borrow(blob, &splines->knots, n * splines->n_knots, sizeof(double));
    ftl_blob_borrow(blob, &splines->edge, n, sizeof(uint32_t));
    ftl_blob_borrow(blob, &splines->reach, n, sizeof(uint32_t));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_splines = {
    .name = "splines", .compile = compile, .keep = keep, .bind = bind};
