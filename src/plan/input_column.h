/*
 * Input columns of every type as numbers and as text, by one set of rules: see docs/ARROW.md.
 * Columns were checked before (engine/columns.h), so that offsets, views and indices are in range.
 * Everything here reads the batch alone and belongs to the thread of the exec.
 */
#ifndef FTL_PLAN_INPUT_COLUMN_H
#define FTL_PLAN_INPUT_COLUMN_H

#include "base/column.h"
#include "plan/plan.h"

/*
 * The block's rows of one input column as float64 or float32, written to out[i * stride]. Texts
 * that are no numbers mark their rows bad for step and are NaN.
 */
void ftl_input_f64(const ftl_step *step, ftl_exec *exec, uint32_t column, double *out,
                   size_t stride);
void ftl_input_f32(const ftl_step *step, ftl_exec *exec, uint32_t column, float *out,
                   size_t stride);
/* The same for one row of the block. */
double ftl_input_value(const ftl_step *step, ftl_exec *exec, uint32_t column, uint32_t row);

/*
 * The number at a row of the block where the column holds numbers, NaN among them; false where it
 * holds texts, or nothing.
 */
bool ftl_input_number(const ftl_exec *exec, uint32_t column, uint32_t row, double *out);

/* Where ftl_input_text keeps the texts of numbers; zero-initialised, freed by its owner. */
typedef struct ftl_input_texts {
    char *data; /* FTL_F64_TEXT_SIZE bytes a row */
    size_t room;
} ftl_input_texts;

/*
 * The block's rows of one input column as cells: texts as they are, numbers as the texts that a CSV
 * file would hold (Python's str), null and NaN MISSING. Ends the run when memory is short.
 */
void ftl_input_cells(const ftl_step *step, ftl_exec *exec, uint32_t column, ftl_input_texts *texts,
                     ftl_cell *out);

#endif
