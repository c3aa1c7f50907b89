/* Missing cells → a cell a column; and the flags of which numbers or cells are missing. */
#include "base/cell_text.h"
#include "base/number.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

/* Whether a text stands for a number or a bool, by the rules of number columns. */
static bool text_is_number(const ftl_cell *text, const ftl_cell *number)
{
    double value;
    int64_t integer;
    bool truth;
    if (number->tag == FTL_CELL_BOOL)
        return ftl_text_to_bool(text->u.text, text->size, &truth) &&
               truth == (number->u.integer != 0);
    if (number->tag == FTL_CELL_INT && ftl_parse_i64(text->u.text, text->size, &integer))
        return integer == number->u.integer;
    return ftl_text_to_f64(text->u.text, text->size, '.', NULL, &value) &&
           value == ftl_cell_number(number);
}

static bool same_cell(const ftl_cell *a, const ftl_cell *missing)
{
    if (missing->tag == FTL_CELL_STRING) {
        /* A missing cell keeps the text that stood in the file: "NA" may be the missing value. */
        bool text = a->tag == FTL_CELL_STRING || a->tag == FTL_CELL_MISSING;
        return text && a->size == missing->size &&
               (a->size == 0 || memcmp(a->u.text, missing->u.text, a->size) == 0);
    }
    if (missing->tag == FTL_CELL_MISSING || a->tag == FTL_CELL_MISSING)
        return missing->tag == a->tag;
    return a->tag == FTL_CELL_STRING ? text_is_number(a, missing)
                                     : ftl_cell_number(a) == ftl_cell_number(missing);
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_impute_object_op *op = &step->op->u.impute_object;
    uint32_t j = 0, width = step->slot_width;
    ftl_cell *out = ftl_slot(step, exec);
    for (; j < width; j++) {
        ftl_read_cells(step, exec, 0, op->columns[j], &out[j], width);
        for (uint32_t i = 0; i < exec->rows; i++) {
            ftl_cell *cell = &out[(size_t)i * width + j];
            if (same_cell(cell, &op->missing))
                *cell = op->fill[j];
            else if (cell->tag == FTL_CELL_MISSING && op->refuse_missing)
                ftl_exec_bad(
                    exec, step, i, NULL,
                    "a missing value, which SimpleImputer(missing_values=…) does not accept");
        }
    }
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_impute_object_op *impute = &op->u.impute_object;
    (void)step;
    ftl_blob_borrow(blob, &impute->columns, op->width, sizeof(uint32_t));
    ftl_keep_cells(blob, &impute->missing, 1);
    ftl_keep_cells(blob, ftl_blob_copy(blob, &impute->fill, op->width, sizeof *impute->fill),
                   op->width);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_impute_object = {.name = "impute_object", .keep = keep, .bind = bind};

/* ---- Indicator ------------------------------------------------------------------------------- */

static bool missing_number(const ftl_step *step, bool is_f32, double value)
{
    const ftl_indicator_op *op = &step->op->u.indicator;
    if (op->missing_is_nan)
        return isnan(value);
    return is_f32 ? (float)value == (float)op->missing_value : value == op->missing_value;
}

static void put(const ftl_step *step, const ftl_exec *exec, uint32_t row, uint32_t column,
                bool missing)
{
    size_t at = (size_t)row * step->slot_width + column;
    if (step->is_f32)
        ((float *)ftl_slot(step, exec))[at] = missing;
    else
        ((double *)ftl_slot(step, exec))[at] = missing;
}

/* Rows in which a column is missing that was never missing in training. */
static void refuse_missing(const ftl_step *step, ftl_exec *exec)
{
    const ftl_indicator_op *op = &step->op->u.indicator;
    bool cells = ftl_source_is_object(step, exec->plan, 0);
    bool is_f32 = !cells && ftl_source_step(step, exec, 0)->is_f32;
    ftl_cell *texts = ftl_scratch(step, exec);
    double *values = ftl_scratch(step, exec);
    for (uint32_t k = 0; k < op->n_refused; k++) {
        if (cells)
            ftl_read_cells(step, exec, 0, op->refused[k], texts, 1);
        else
            ftl_read_f64(step, exec, 0, op->refused[k], values, 1);
        for (uint32_t i = 0; i < exec->rows; i++) {
            if (cells ? same_cell(&texts[i], &op->missing)
                      : missing_number(step, is_f32, values[i]))
                ftl_exec_bad(exec, step, i, NULL,
                             "column %u has a missing value, but had none in training",
                             op->refused[k]);
        }
    }
}

static void run_indicator(const ftl_step *step, ftl_exec *exec)
{
    const ftl_indicator_op *op = &step->op->u.indicator;
    refuse_missing(step, exec);
    for (uint32_t j = 0; j < step->slot_width; j++) {
        if (ftl_source_is_object(step, exec->plan, 0)) {
            ftl_cell *cells = ftl_scratch(step, exec);
            ftl_read_cells(step, exec, 0, op->columns[j], cells, 1);
            for (uint32_t i = 0; i < exec->rows; i++)
                put(step, exec, i, j, same_cell(&cells[i], &op->missing));
        } else {
            double *values = ftl_scratch(step, exec);
            bool is_f32 = ftl_source_step(step, exec, 0)->is_f32;
            ftl_read_f64(step, exec, 0, op->columns[j], values, 1);
            for (uint32_t i = 0; i < exec->rows; i++)
                put(step, exec, i, j, missing_number(step, is_f32, values[i]));
        }
    }
}

static ftl_status compile_indicator(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    step->scratch_per_row = sizeof(ftl_cell);
    return FTL_OK;
}

static void keep_indicator(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.indicator.columns, op->width, sizeof(uint32_t));
    ftl_blob_borrow(blob, &op->u.indicator.refused, op->u.indicator.n_refused, sizeof(uint32_t));
    ftl_keep_cells(blob, &op->u.indicator.missing, 1);
}

static void bind_indicator(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_indicator;
}

const ftl_op_impl ftl_op_impl_indicator = {.name = "indicator",
                                           .compile = compile_indicator,
                                           .keep = keep_indicator,
                                           .bind = bind_indicator};
