#include "engine/columns.h"

#include "plan/input_column.h"

#include <string.h>

enum { VIEW_SIZE = 16, VIEW_INLINE = 12 };

/* ---- Texts ----------------------------------------------------------------------------------- */

static bool is_null(const ftl_column *column, size_t index)
{
    return column->validity && !(column->validity[index / 8] >> (index % 8) & 1);
}

static ftl_status check_offsets(const ftl_column *column, size_t rows, ftl_error *error)
{
    uint32_t from, to;
    const uint32_t *offsets = column->offsets;
    if (!offsets)
        return FTL_FAIL(error, FTL_ARG, "has no offsets");
    memcpy(&from, offsets + column->offset, sizeof from);
    const uint32_t first = from;
    for (size_t i = 1; i <= rows; i++, from = to) {
        memcpy(&to, offsets + column->offset + i, sizeof to);
        if (to < from)
            return FTL_FAIL(error, FTL_ARG, "has a text of negative length in row %zu", i - 1);
    }
    if (from > first && !column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    return FTL_OK;
}

static ftl_status check_large_offsets(const ftl_column *column, size_t rows, ftl_error *error)
{
    int64_t from, to;
    const int64_t *offsets = column->large_offsets;
    if (!offsets)
        return FTL_FAIL(error, FTL_ARG, "has no large_offsets");
    memcpy(&from, offsets + column->offset, sizeof from);
    const int64_t first = from;
    if (from < 0)
        return FTL_FAIL(error, FTL_ARG, "has a negative offset in row 0");
    for (size_t i = 1; i <= rows; i++, from = to) {
        memcpy(&to, offsets + column->offset + i, sizeof to);
        if (to < from)
            return FTL_FAIL(error, FTL_ARG, "has a text of negative length in row %zu", i - 1);
        if (to - from > UINT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "has a text of more than 4 GiB in row %zu", i - 1);
    }
    if (from > first && !column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    return FTL_OK;
}

static bool view_is_good(const ftl_column *column, size_t index)
{
    int32_t length, buffer, offset;
    const char *view = (const char *)column->values + index * VIEW_SIZE;
    memcpy(&length, view, sizeof length);
    if (length <= VIEW_INLINE)
        return length >= 0;
    memcpy(&buffer, view + 8, sizeof buffer);
    memcpy(&offset, view + 12, sizeof offset);
    if (buffer < 0 || (size_t)buffer >= column->n_buffers || offset < 0)
        return false;
    int64_t bytes;
    memcpy(&bytes, column->buffer_sizes + buffer, sizeof bytes);
    return column->buffers[buffer] && (int64_t)offset + length <= bytes;
}

static ftl_status check_views(const ftl_column *column, size_t rows, ftl_error *error)
{
    if (!column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    if (column->n_buffers && (!column->buffers || !column->buffer_sizes))
        return FTL_FAIL(error, FTL_ARG, "has no buffers or no buffer_sizes");
    for (size_t i = 0; i < rows; i++) {
        size_t index = column->offset + i;
        if (!is_null(column, index) && !view_is_good(column, index))
            return FTL_FAIL(error, FTL_ARG, "has a view beyond its buffers in row %zu", i);
    }
    return FTL_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Whether the index behind the last row, times the width, is an address's distance. */
static ftl_status check_reach(const ftl_column *column, size_t rows, ftl_error *error)
{
    size_t end, width = ftl_type_size(column->type);
    if (column->type == FTL_DICTIONARY)
        width = ftl_type_size(column->index_type);
    if (width == 0 && column->stride)
        return FTL_FAIL(error, FTL_ARG, "has a stride, which its type cannot have");
    if (width == 0)
        width = VIEW_SIZE;
    ptrdiff_t reach, stride = column->stride ? column->stride : (ptrdiff_t)width;
    if (__builtin_add_overflow(column->offset, rows, &end) || end > PTRDIFF_MAX / VIEW_SIZE ||
        __builtin_mul_overflow((ptrdiff_t)end, stride, &reach))
        return FTL_FAIL(error, FTL_ARG, "has more rows, offset or stride than memory can hold");
    return FTL_OK;
}

static ftl_status check_column(const ftl_column *column, size_t rows, ftl_error *error);

static ftl_status check_dictionary(const ftl_column *column, size_t rows, ftl_error *error)
{
    const ftl_column *dictionary = column->dictionary;
    if (!ftl_type_is_integer(column->index_type))
        return FTL_FAIL(error, FTL_ARG, "is a dictionary whose index_type is no integer type");
    if (!dictionary || dictionary->type == FTL_DICTIONARY)
        return FTL_FAIL(error, FTL_ARG, "is a dictionary without plain values");
    if (!column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    FTL_TRY(check_column(dictionary, column->dictionary_rows, error));
    for (size_t i = 0; i < rows; i++) {
        size_t index = column->offset + i;
        if (is_null(column, index))
            continue;
        int64_t at = ftl_column_integer(column, column->index_type, index);
        if (at < 0 || (uint64_t)at >= column->dictionary_rows)
            return FTL_FAIL(error, FTL_ARG, "counts to row %lld of a dictionary of %zu in row %zu",
                            (long long)at, column->dictionary_rows, i);
    }
    return FTL_OK;
}

static ftl_status check_column(const ftl_column *column, size_t rows, ftl_error *error)
{
    if ((unsigned)column->type > FTL_NULL)
        return FTL_FAIL(error, FTL_ARG, "has the type %u, which is none of ftl_type",
                        (unsigned)column->type);
    FTL_TRY(check_reach(column, rows, error));
    if (rows == 0)
        return FTL_OK;
    switch (column->type) {
    case FTL_NULL:
        return FTL_OK;
    case FTL_STRING:
        return check_offsets(column, rows, error);
    case FTL_LARGE_STRING:
        return check_large_offsets(column, rows, error);
    case FTL_STRING_VIEW:
        return check_views(column, rows, error);
    case FTL_DICTIONARY:
        return check_dictionary(column, rows, error);
    default:
        return column->values ? FTL_OK : FTL_FAIL(error, FTL_ARG, "has no values");
    }
}

void ftl_column_add_place(const ftl_model *model, size_t input, ftl_error *error)
{
    if (!error)
        return;
    /* a model of open width has fewer inputs than the batch has columns */
    const char *name = input < model->graph.n_inputs ? model->inputs[input].name : NULL;
    char message[FTL_ERROR_MESSAGE_SIZE];
    memcpy(message, error->message, sizeof message);
    ftl_error_set(error, error->code, "column %zu%s%.120s%s %.500s", input, name ? " '" : "",
                  name ? name : "", name ? "'" : "", message);
    error->column = (int64_t)input;
}

static ftl_status check_columns(const ftl_model *model, const ftl_batch *in, ftl_error *error)
{
    if (in->n_columns != model->graph.n_inputs)
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "the batch has %zu columns; %s expects %zu", in->n_columns,
                                model->class_name, model->graph.n_inputs);
    if (!in->columns)
        return FTL_FAIL(error, FTL_ARG, "the batch has neither columns nor a matrix");
    for (size_t i = 0; i < in->n_columns; i++) {
        if (model->inputs[i].kind == FTL_KIND_UNUSED)
            continue;
        ftl_status status = check_column(&in->columns[i], in->rows, error);
        if (status != FTL_OK) {
            ftl_column_add_place(model, i, error);
            return status;
        }
    }
    return FTL_OK;
}

/* ---- Matrices and batches -------------------------------------------------------------------- */

static bool reaches(size_t count, ptrdiff_t stride, size_t size, ptrdiff_t *bytes)
{
    ptrdiff_t elements;
    return count <= PTRDIFF_MAX && !__builtin_mul_overflow((ptrdiff_t)count, stride, &elements) &&
           !__builtin_mul_overflow(elements, (ptrdiff_t)size, bytes);
}

ftl_status ftl_matrix_check_reach(const void *data, ftl_type dtype, size_t rows, size_t columns,
                                  ptrdiff_t row_stride, ptrdiff_t column_stride, ftl_error *error)
{
    ptrdiff_t down, across, sum;
    if (dtype != FTL_F64 && dtype != FTL_F32)
        return FTL_FAIL(error, FTL_ARG, "a matrix holds F64 or F32");
    size_t size = ftl_type_size(dtype);
    if (!reaches(rows, row_stride, size, &down) ||
        !reaches(columns, column_stride, size, &across) ||
        __builtin_add_overflow(down, across, &sum))
        return FTL_FAIL(error, FTL_ARG,
                        "the matrix has more rows, columns or strides than memory can hold");
    if (!data && rows && columns)
        return FTL_FAIL(error, FTL_ARG, "the matrix has no data");
    return FTL_OK;
}

ftl_status ftl_matrix_check(const ftl_model *model, const ftl_matrix *matrix, ftl_error *error)
{
    /* A model that does not say how many columns it expects never looks at them. */
    if (model->graph.n_inputs && matrix->columns != model->graph.n_inputs)
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "the matrix has %zu columns; %s expects %zu", matrix->columns,
                                model->class_name, model->graph.n_inputs);
    FTL_TRY(ftl_matrix_check_reach(matrix->data, matrix->dtype, matrix->rows, matrix->columns,
                                   matrix->row_stride, matrix->column_stride, error));
    size_t text = model->first_text_input;
    if (FTL_UNLIKELY(text < model->graph.n_inputs))
        return FTL_FAIL_BECAUSE(
            error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
            "column %zu%s%s is text; give columns instead of a matrix of numbers", text,
            model->inputs[text].name ? " " : "",
            model->inputs[text].name ? model->inputs[text].name : "");
    return FTL_OK;
}

ftl_status ftl_batch_check(const ftl_model *model, const ftl_batch *in, ftl_error *error)
{
    if (in->matrix) {
        if (in->rows != in->matrix->rows)
            return FTL_FAIL(error, FTL_SHAPE, "the batch and its matrix differ in rows");
        return ftl_matrix_check(model, in->matrix, error);
    }
    return model->graph.n_inputs ? check_columns(model, in, error) : FTL_OK;
}
