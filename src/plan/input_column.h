/*
 * Input columns of every type as numbers and as text, by one set of rules: see docs/ARROW.md.
 * Columns were checked before (engine/columns.h), so that offsets, views and indices are in range.
 * Everything here reads the batch alone and belongs to the thread of the exec.
 */
#ifndef FTL_PLAN_INPUT_COLUMN_H
#define FTL_PLAN_INPUT_COLUMN_H

#include "plan/plan.h"

/* Bytes of a number type's element; 0 for types whose rows have no width of whole bytes. */
size_t ftl_type_size(ftl_type type);
bool ftl_type_is_integer(ftl_type type);
/* FTL_STRING, FTL_LARGE_STRING or FTL_STRING_VIEW. */
bool ftl_type_is_text(ftl_type type);

/*
 * A place of a column with dictionaries resolved: the column that holds the value and its index
 * there, offset included. False: the row is null.
 */
bool ftl_column_find(const ftl_column **column, size_t row, size_t *index);
/* The bytes of a text at an index of ftl_column_find. */
const char *ftl_column_text(const ftl_column *column, size_t index, size_t *size);
/* The integer at a row, as it is, of a column of an integer type; negative beyond int64. */
int64_t ftl_column_integer(const ftl_column *column, ftl_type type, size_t index);

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
