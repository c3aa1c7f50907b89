/*
 * What columns may hold: numbers and cells that are missing, invalid or outliers are kept, replaced
 * or refused.
 */
#include "plan/op_encode.h"

#include <math.h>

static bool is_missing(const ftl_domain_column *column, double x, bool is_f32)
{
    if (isnan(x))
        return column->nan_is_missing;
    for (uint32_t i = 0; i < column->n_missing; i++) {
        if (x == (is_f32 ? (double)(float)column->missing[i] : column->missing[i]))
            return true;
    }
    return false;
}

static double limit(double value, bool is_f32) { return is_f32 ? (double)(float)value : value; }

/* x, or the other value, by the rule; *refused is set where it says so. */
static double treated(ftl_domain_rule rule, double x, double value, bool *refused)
{
    *refused = rule == FTL_DOMAIN_REFUSED;
    return rule == FTL_DOMAIN_REPLACED ? value : x;
}

/* Says why a row is bad; NaN is a missing value whatever the column's missing numbers are. */
static void refuse(const ftl_step *step, ftl_exec *exec, uint32_t row,
                   const ftl_domain_column *column, double x, bool missing)
{
    const char *estimator = step->op->u.domain.estimator;
    bool told;
    if (missing || isnan(x))
        told = ftl_exec_bad(exec, step, row, column->name,
                            "a missing value, which %s does not accept here", estimator);
    else
        told = ftl_exec_bad(exec, step, row, column->name, "%.17g is not a valid value for %s", x,
                            estimator);
    if (told && (missing || isnan(x)))
        exec->bad_error.reason = FTL_REASON_MISSING_VALUE;
}

static double value_of(const ftl_step *step, ftl_exec *exec, uint32_t row,
                       const ftl_domain_column *column, double x, bool is_f32)
{
    bool refused = false, missing = is_missing(column, x, is_f32);
    double value = x;
    if (missing)
        value = treated(column->if_missing, x, column->missing_value, &refused);
    else if (!(x >= column->low && x <= column->high))
        value = treated(column->if_invalid, x, column->invalid_value, &refused);
    else if (x < limit(column->outlier_low, is_f32))
        value = treated(column->if_low, x, column->low_value, &refused);
    else if (x > limit(column->outlier_high, is_f32))
        value = treated(column->if_high, x, column->high_value, &refused);
    if (FTL_UNLIKELY(refused))
        refuse(step, exec, row, column, x, missing);
    return value;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    for (uint32_t r = 0; r < exec->rows; r++) {
        for (uint32_t j = 0; j < step->slot_width; j++) {
            const ftl_domain_column *column = &step->op->u.domain.columns[j];
            size_t at = (size_t)r * step->slot_width + j;
            double x = is_f32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
            double value = value_of(step, exec, r, column, x, is_f32);
            if (is_f32)
                ((float *)ftl_slot(step, exec))[at] = (float)value;
            else
                ((double *)ftl_slot(step, exec))[at] = value;
        }
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_domain_column *columns = ftl_keep_records(blob, &op->u.domain.columns, op->width,
                                                  ftl_domain_column_record_());
    (void)step;
    ftl_blob_borrow_text(blob, &op->u.domain.estimator);
    for (uint32_t j = 0; columns && j < op->width; j++) {
        ftl_blob_borrow(blob, &columns[j].missing, columns[j].n_missing, sizeof(double));
        ftl_blob_borrow_text(blob, &columns[j].name);
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_domain = {.name = "domain", .keep = keep, .bind = bind};

/* ---- Cells ----------------------------------------------------------------------------------- */

static void run_object(const ftl_step *step, ftl_exec *exec)
{
    ftl_cell *out = ftl_slot(step, exec);
    uint32_t j = 0, width = step->slot_width;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, j++) {
            const ftl_encode_column *column = &step->op->u.encode.columns[j];
            const int32_t *found = ftl_encode_column_run(step, exec, s, c, j);
            const ftl_cell *cells = ftl_encode_values(step, exec);
            for (uint32_t i = 0; i < exec->rows; i++) {
                bool known = found[i] >= 0, stays = !known && column->unknown >= 0;
                uint32_t at = known ? (uint32_t)found[i] : column->categories.count;
                int32_t code = !known ? column->unknown : column->codes ? column->codes[at] : 0;
                out[(size_t)i * width + j] = stays ? cells[i] : column->cells[at];
                if (FTL_UNLIKELY(code == FTL_CODE_REFUSED))
                    ftl_encode_refuse(step, exec, i, j);
            }
        }
    }
}

static void bind_object(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_object;
}

const ftl_op_impl ftl_op_impl_domain_object = {.name = "domain_object",
                                               .compile = ftl_encode_compile,
                                               .keep = ftl_encode_keep,
                                               .bind = bind_object};
