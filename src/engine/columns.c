#include "engine/columns.h"

#include "base/column.h"

#include <string.h>

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
        ftl_status status = ftl_column_check(&in->columns[i], in->rows, error);
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
