#include "plan/input_column.h"

#include "base/cell_text.h"
#include "base/column.h"
#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

/* ---- Numbers --------------------------------------------------------------------------------- */

static double column_number(const ftl_step *step, ftl_exec *exec, uint32_t input, uint32_t row)
{
    const ftl_column *column = &exec->in->columns[input];
    size_t index, size;
    double value = (double)NAN;
    if (!ftl_column_find(&column, exec->in_row + row, &index))
        return value;
    if (!ftl_type_is_text(column->type))
        return ftl_column_number(column, index);
    const char *text = ftl_column_text(column, index, &size);
    if (!ftl_text_to_f64(text, size, '.', &ftl_na_values_default, &value)) {
        if (ftl_exec_bad(exec, step, row, exec->plan->model->inputs[input].name,
                         "'%.*s' is not a number", size > 40 ? 40 : (int)size, text))
            exec->bad_error.column = (int64_t)input; /* also where inputs have no names */
        value = (double)NAN;
    }
    return value;
}

/* Numbers of a matrix may lie at any address. */
static double matrix_number(const ftl_matrix *matrix, size_t row, uint32_t column)
{
    ptrdiff_t at = (ptrdiff_t)row * matrix->row_stride + (ptrdiff_t)column * matrix->column_stride;
    double wide;
    float narrow;
    if (matrix->dtype == FTL_F64) {
        memcpy(&wide, (const char *)matrix->data + at * (ptrdiff_t)sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, (const char *)matrix->data + at * (ptrdiff_t)sizeof narrow, sizeof narrow);
    return (double)narrow;
}

double ftl_input_value(const ftl_step *step, ftl_exec *exec, uint32_t column, uint32_t row)
{
    if (exec->in->matrix)
        return matrix_number(exec->in->matrix, exec->in_row + row, column);
    return column_number(step, exec, column, row);
}

bool ftl_input_number(const ftl_exec *exec, uint32_t input, uint32_t row, double *out)
{
    size_t index;
    if (exec->in->matrix) {
        *out = matrix_number(exec->in->matrix, exec->in_row + row, input);
        return true;
    }
    const ftl_column *column = &exec->in->columns[input];
    if (!ftl_column_find(&column, exec->in_row + row, &index) || ftl_type_is_text(column->type))
        return false;
    *out = ftl_column_number(column, index);
    return true;
}

/*
 * The first row of the block, the step to the next in bytes, and the type, of numbers that lie at
 * equal distances. Nulls are seen to afterwards.
 */
static bool even_numbers(const ftl_exec *exec, uint32_t input, const unsigned char **data,
                         ptrdiff_t *step, ftl_type *type)
{
    const ftl_matrix *matrix = exec->in->matrix;
    if (matrix) {
        ptrdiff_t size = (ptrdiff_t)ftl_type_size(matrix->dtype);
        *type = matrix->dtype;
        *step = matrix->row_stride * size;
        *data = (const unsigned char *)matrix->data +
                (ptrdiff_t)input * matrix->column_stride * size + (ptrdiff_t)exec->in_row * *step;
        return true;
    }
    const ftl_column *column = &exec->in->columns[input];
    size_t size = ftl_type_size(column->type);
    if (size == 0 || column->type == FTL_F16 || column->type == FTL_BOOL ||
        ftl_type_is_decimal(column->type))
        return false;
    *type = column->type;
    *step = ftl_column_step(column, column->type);
    *data = ftl_column_at_index(column, column->type, column->offset + exec->in_row);
    return true;
}

/* One loop for a pair of types; values go through float64, as numpy's astype of integers does. */
#define COPY(S, T)                                                 \
    for (uint32_t i = 0; i < exec->rows; i++) {                    \
        S value;                                                   \
        memcpy(&value, data + (ptrdiff_t)i * step_, sizeof value); \
        out[i * stride] = (T)(double)value;                        \
    }                                                              \
    break;

/* A column as numbers of type T. */
#define INPUT_COLUMN(name, T)                                                               \
    void name(const ftl_step *step, ftl_exec *exec, uint32_t column, T *out, size_t stride) \
    {                                                                                       \
        const unsigned char *data;                                                          \
        ptrdiff_t step_;                                                                    \
        ftl_type type;                                                                      \
        if (!even_numbers(exec, column, &data, &step_, &type)) {                            \
            for (uint32_t i = 0; i < exec->rows; i++)                                       \
                out[i * stride] = (T)ftl_input_value(step, exec, column, i);                \
            return;                                                                         \
        }                                                                                   \
        bool same = type == (sizeof(T) == sizeof(double) ? FTL_F64 : FTL_F32);              \
        if (same && stride == 1 && step_ == (ptrdiff_t)sizeof(T))                           \
            memcpy(out, data, exec->rows * sizeof(T));                                      \
        else                                                                                \
            switch (type) {                                                                 \
            case FTL_F64:                                                                   \
                COPY(double, T)                                                             \
            case FTL_F32:                                                                   \
                COPY(float, T)                                                              \
            case FTL_I8:                                                                    \
                COPY(int8_t, T)                                                             \
            case FTL_I16:                                                                   \
                COPY(int16_t, T)                                                            \
            case FTL_I32:                                                                   \
                COPY(int32_t, T)                                                            \
            case FTL_U8:                                                                    \
                COPY(uint8_t, T)                                                            \
            case FTL_U16:                                                                   \
                COPY(uint16_t, T)                                                           \
            case FTL_U32:                                                                   \
                COPY(uint32_t, T)                                                           \
            case FTL_U64:                                                                   \
                COPY(uint64_t, T)                                                           \
            default:                                                                        \
                COPY(int64_t, T)                                                            \
            }                                                                               \
        const ftl_column *c = exec->in->matrix ? NULL : &exec->in->columns[column];         \
        for (uint32_t i = 0; c && c->validity && i < exec->rows; i++) {                     \
            if (!ftl_bit_at(c->validity, c->offset + exec->in_row + i))                     \
                out[i * stride] = (T)NAN;                                                   \
        }                                                                                   \
    }
INPUT_COLUMN(ftl_input_f64, double)
INPUT_COLUMN(ftl_input_f32, float)

/* ---- Cells ----------------------------------------------------------------------------------- */

static ftl_cell null_cell(const ftl_column *column, size_t index)
{
    ftl_cell cell = {.tag = FTL_CELL_MISSING};
    if (column->type == FTL_STRING && column->flags & FTL_COLUMN_NULL_TEXT) {
        size_t size;
        cell.u.text = ftl_column_text(column, index, &size);
        cell.size = (uint32_t)size;
    }
    return cell;
}

/* Room for the texts of a block's numbers; none is needed by columns of text. */
static bool room_for_texts(const ftl_step *step, ftl_exec *exec, const ftl_column *column,
                           ftl_input_texts *texts)
{
    while (column->type == FTL_DICTIONARY)
        column = column->dictionary;
    if (ftl_type_is_text(column->type) || column->type == FTL_NULL)
        return true;
    ftl_status status = ftl_grow(exec->account, &texts->data, &texts->room,
                                 (size_t)exec->rows * FTL_F64_TEXT_SIZE, 1, NULL);
    if (status != FTL_OK)
        ftl_exec_fail(exec, step, status, "out of memory for the texts of a column of numbers");
    return status == FTL_OK;
}

/* Bytes that are no text make their row bad; nobody looks at them. */
static void refuse_bytes(const ftl_step *step, ftl_exec *exec, uint32_t input, uint32_t row,
                         ftl_cell *cell)
{
    if (ftl_exec_bad(exec, step, row, exec->plan->model->inputs[input].name,
                     "a text that is not UTF-8"))
        exec->bad_error.column = (int64_t)input;
    *cell = (ftl_cell){.tag = FTL_CELL_MISSING};
}

void ftl_input_cells(const ftl_step *step, ftl_exec *exec, uint32_t input, ftl_input_texts *texts,
                     ftl_cell *out)
{
    if (!room_for_texts(step, exec, &exec->in->columns[input], texts))
        return;
    for (uint32_t i = 0; i < exec->rows; i++) {
        const ftl_column *column = &exec->in->columns[input];
        size_t index, size;
        if (!ftl_column_find(&column, exec->in_row + i, &index)) {
            out[i] = null_cell(column, index);
        } else if (ftl_type_is_text(column->type)) {
            const char *text = ftl_column_text(column, index, &size);
            out[i] = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)size, .u.text = text};
            if (FTL_UNLIKELY(!ftl_utf8_valid(text, size)))
                refuse_bytes(step, exec, input, i, &out[i]);
        } else {
            char *text = texts->data + (size_t)i * FTL_F64_TEXT_SIZE;
            size = ftl_column_number_text(column, index, text);
            out[i] = (ftl_cell){.tag = size ? FTL_CELL_STRING : FTL_CELL_MISSING,
                                .size = (uint32_t)size,
                                .u.text = text};
        }
    }
}
