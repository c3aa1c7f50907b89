/*
 * INTERPOLATE: straight lines between points. scipy's interp1d leaves float64 to numpy.interp and
 * draws float32 lines itself, by another rule.
 */
#include "plan/plan.h"

#include <math.h>

/* The last point whose x is not above the value; the value lies within the points. */
static uint32_t find(const ftl_curve *curve, double value)
{
    uint32_t low = 0, high = curve->n;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (curve->x[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static double line(const ftl_curve *curve, double value)
{
    const double *x = curve->x, *y = curve->y;
    uint32_t j = find(curve, value);
    if (j == curve->n - 1 || x[j] == value)
        return y[j];
    double slope = (y[j + 1] - y[j]) / (x[j + 1] - x[j]);
    double result = slope * (value - x[j]) + y[j];
    if (!isnan(result))
        return result;
    result = slope * (value - x[j + 1]) + y[j + 1];
    return isnan(result) && y[j] == y[j + 1] ? y[j] : result;
}

/* interp1d._call_linear: a value at a point belongs to the line below it. */
static float line_single(const ftl_curve *curve, float value)
{
    uint32_t low = find(curve, (double)value);
    if (low > 0 && (low == curve->n - 1 || curve->x[low] == (double)value))
        low--;
    float x = (float)curve->x[low], y = (float)curve->y[low];
    float slope = ((float)curve->y[low + 1] - y) / ((float)curve->x[low + 1] - x);
    return slope * (value - x) + y;
}

static double evaluate(const ftl_step *step, ftl_exec *exec, const ftl_curve *curve, uint32_t row,
                       double value)
{
    if (curve->n == 1)
        return curve->y[0];
    if (isnan(value))
        return value;
    if (curve->outside == FTL_OUTSIDE_CLIP) {
        value = value < curve->low ? curve->low : value;
        value = value > curve->high ? curve->high : value;
    }
    if (value >= curve->x[0] && value <= curve->x[curve->n - 1])
        return step->op->u.interpolate.single ? line_single(curve, (float)value)
                                              : line(curve, value);
    if (curve->outside == FTL_OUTSIDE_REFUSED)
        ftl_exec_bad(exec, step, row, NULL,
                     "a value is outside the range that the curve was fitted on");
    return NAN;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_interpolate_op *op = &step->op->u.interpolate;
    double *column = ftl_scratch(step, exec);
    uint32_t at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++) {
            ftl_read_f64(step, exec, s, c, column, 1);
            for (uint32_t r = 0; r < exec->rows; r++) {
                double value = op->single ? (double)(float)column[r] : column[r];
                value = evaluate(step, exec, &op->curves[at], r, value);
                size_t i = (size_t)r * step->slot_width + at;
                if (step->is_f32)
                    ((float *)ftl_slot(step, exec))[i] = (float)value;
                else
                    ((double *)ftl_slot(step, exec))[i] = value;
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

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_curve *curves = ftl_keep_records(blob, &op->u.interpolate.curves, op->width,
                                         ftl_curve_record_());
    (void)step;
    for (uint32_t i = 0; curves && i < op->width; i++) {
        ftl_blob_borrow(blob, &curves[i].x, curves[i].n, sizeof(double));
        ftl_blob_borrow(blob, &curves[i].y, curves[i].n, sizeof(double));
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_interpolate = {
    .name = "interpolate", .compile = compile, .keep = keep, .bind = bind};
