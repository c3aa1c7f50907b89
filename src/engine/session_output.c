/* Outputs of a session: from the slots of a block to columns or a matrix. */
#include "engine/session.h"

#include "base/checked.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

/* ---- Room ------------------------------------------------------------------------------------ */

ftl_type ftl_session_column_type(const ftl_plan *plan, const ftl_output *output)
{
    if (output->as == FTL_AS_FLOAT && plan->steps[output->op].is_f32)
        return FTL_F32;
    return ftl_output_type(output);
}

static size_t value_size(ftl_type type)
{
    switch (type) {
    case FTL_F32:
        return sizeof(float);
    case FTL_BOOL:
    case FTL_STRING:
        return 1;
    default:
        return sizeof(double);
    }
}

static size_t longest_label(const ftl_output *output)
{
    size_t longest = 0;
    for (uint32_t i = 0; output->labels && i < output->labels->count; i++) {
        const ftl_cell *cell = &output->labels->cells[i];
        size_t size = cell->tag == FTL_CELL_STRING ? cell->size : FTL_F64_TEXT_SIZE;
        longest = size > longest ? size : longest;
    }
    return longest;
}

static ftl_status room_for_text(ftl_session *session, ftl_session_column *column, size_t bytes,
                                ftl_error *error)
{
    return ftl_grow(&session->account, &column->values, &column->values_room, bytes, 1, error);
}

static ftl_status grow_column(ftl_session *session, ftl_session_column *column,
                              const ftl_output *output, size_t rows, ftl_error *error)
{
    size_t bytes,
        per_row = column->type == FTL_STRING ? longest_label(output) : value_size(column->type);
    if (!ftl_mul_size(rows, per_row, &bytes))
        return FTL_OOM(error);
    FTL_TRY(room_for_text(session, column, bytes, error));
    if (column->type == FTL_STRING) {
        uint32_t *offsets = ftl_realloc(&session->account, column->offsets,
                                        (rows + 1) * sizeof *offsets);
        if (!offsets)
            return FTL_OOM(error);
        offsets[0] = 0;
        column->offsets = offsets;
        uint8_t *present = ftl_realloc(&session->account, column->present, rows / 8 + 1);
        if (!present)
            return FTL_OOM(error);
        column->present = present;
    }
    return FTL_OK;
}

static ftl_status make_columns(ftl_session *session, ftl_method m, ftl_error *error)
{
    const ftl_method_outputs *outputs = &session->model->graph.methods[m];
    ftl_session_method *method = &session->methods[m];
    if (!method->storage)
        method->storage = ftl_alloc_zero(&session->account, outputs->count,
                                         sizeof *method->storage);
    if (!method->columns)
        method->columns = ftl_alloc_zero(&session->account, outputs->count,
                                         sizeof *method->columns);
    if (!method->storage || !method->columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < outputs->count; i++)
        method->storage[i].type = ftl_session_column_type(session->plan, &outputs->outputs[i]);
    method->count = outputs->count;
    return FTL_OK;
}

static ftl_status reserve_method(ftl_session *session, ftl_method m, size_t rows, ftl_error *error)
{
    ftl_session_method *method = &session->methods[m];
    if (method->count == 0)
        FTL_TRY(make_columns(session, m, error));
    if (rows <= method->rows_room)
        return FTL_OK;
    for (size_t i = 0; i < method->count; i++)
        FTL_TRY(grow_column(session, &method->storage[i],
                            &session->model->graph.methods[m].outputs[i], rows, error));
    method->rows_room = rows;
    return FTL_OK;
}

ftl_status ftl_session_reserve(ftl_session *session, uint32_t methods, size_t rows,
                               ftl_error *error)
{
    if (FTL_LIKELY(!(methods & ~session->ready_methods) && rows <= session->ready_rows))
        return FTL_OK;
    if (rows > UINT32_MAX - 64)
        return FTL_FAIL(error, FTL_LIMIT, "a batch may have at most 4 billion rows");
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (methods & 1u << m)
            FTL_TRY(reserve_method(session, (ftl_method)m, rows, error));
    }
    FTL_TRY(ftl_grow(&session->account, &session->validity, &session->validity_room, rows / 8 + 1,
                     1, error));
    session->ready_methods = methods;
    session->ready_rows = rows;
    return FTL_OK;
}

void ftl_session_free_outputs(ftl_session *session)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_session_method *method = &session->methods[m];
        for (size_t i = 0; i < method->count; i++) {
            ftl_free(&session->account, method->storage[i].values);
            ftl_free(&session->account, method->storage[i].offsets);
            ftl_free(&session->account, method->storage[i].present);
        }
        ftl_free(&session->account, method->storage);
        ftl_free(&session->account, method->columns);
    }
    ftl_free(&session->account, session->validity);
}

/* ---- Outputs of a block ---------------------------------------------------------------------- */

static double slot_value(const ftl_session *session, const ftl_output *output, uint32_t row)
{
    const ftl_step *step = &session->plan->steps[output->op];
    size_t at = (size_t)row * step->slot_width + output->column;
    const void *slot = ftl_slot(step, &session->exec);
    return step->is_f32 ? (double)((const float *)slot)[at] : ((const double *)slot)[at];
}

static size_t cell_to_text(const ftl_cell *cell, const char **text, char buffer[FTL_F64_TEXT_SIZE])
{
    *text = buffer;
    switch (cell->tag) {
    case FTL_CELL_STRING:
        *text = cell->u.text;
        return cell->size;
    case FTL_CELL_INT:
        return ftl_print_i64(cell->u.integer, buffer);
    case FTL_CELL_BOOL:
        *text = cell->u.integer ? "True" : "False";
        return cell->u.integer ? 4 : 5;
    case FTL_CELL_FLOAT:
        return ftl_print_f64(cell->u.number, buffer);
    default:
        return 0;
    }
}

static const ftl_cell *label_of(const ftl_output *output, double value)
{
    static const ftl_cell missing = {.tag = FTL_CELL_MISSING};
    if (!(value >= 0) || value >= (double)output->labels->count)
        return &missing;
    return &output->labels->cells[(uint32_t)value];
}

static const ftl_cell *output_cell(const ftl_session *session, const ftl_output *output,
                                   uint32_t row)
{
    const ftl_step *step = &session->plan->steps[output->op];
    if (output->as == FTL_AS_LABEL)
        return label_of(output, slot_value(session, output, row));
    return &((const ftl_cell *)ftl_slot(
        step, &session->exec))[(size_t)row * step->slot_width + output->column];
}

static void set_present(ftl_session_column *column, size_t row, bool present)
{
    uint8_t bit = (uint8_t)(1u << row % 8);
    column->present[row / 8] = (uint8_t)(present ? column->present[row / 8] | bit
                                                 : column->present[row / 8] & ~bit);
    column->has_missing = column->has_missing || !present;
}

static ftl_status take_text(ftl_session *session, const ftl_output *output,
                            ftl_session_column *column, size_t first, ftl_error *error)
{
    if (first == 0) {
        column->text_size = 0;
        column->has_missing = false;
    }
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        char buffer[FTL_F64_TEXT_SIZE];
        const char *text;
        const ftl_cell *cell = output_cell(session, output, i);
        size_t size = cell_to_text(cell, &text, buffer);
        set_present(column, first + i, cell->tag != FTL_CELL_MISSING && !session->exec.bad[i]);
        FTL_TRY(room_for_text(session, column, column->text_size + size, error));
        if (column->text_size + size > UINT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT,
                            "the text of one batch is larger than 4 GiB; use smaller batches");
        if (size)
            memcpy((char *)column->values + column->text_size, text, size);
        column->text_size += size;
        column->offsets[first + i + 1] = (uint32_t)column->text_size;
    }
    return FTL_OK;
}

/* numpy's cast of a float to int64 is undefined out of range; here it saturates. */
static int64_t to_int(double value)
{
    if (isnan(value))
        return 0;
    if (value >= 9223372036854775808.0)
        return INT64_MAX;
    return value <= -9223372036854775808.0 ? INT64_MIN : (int64_t)value;
}

static void take_labels(const ftl_session *session, const ftl_output *output,
                        ftl_session_column *column, size_t first)
{
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        const ftl_cell *cell = output_cell(session, output, i);
        size_t at = first + i;
        if (column->type == FTL_I64)
            ((int64_t *)column->values)[at] = cell->tag == FTL_CELL_MISSING ? 0 : cell->u.integer;
        else if (column->type == FTL_BOOL)
            ((uint8_t *)column->values)[at] = cell->tag != FTL_CELL_MISSING && cell->u.integer != 0;
        else
            ((double *)column->values)[at] = ftl_cell_number(cell);
    }
}

static void take_numbers(const ftl_session *session, const ftl_output *output,
                         ftl_session_column *column, size_t first)
{
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        double value = slot_value(session, output, i);
        size_t at = first + i;
        if (column->type == FTL_F64)
            ((double *)column->values)[at] = value;
        else if (column->type == FTL_F32)
            ((float *)column->values)[at] = (float)value;
        else if (column->type == FTL_I64)
            ((int64_t *)column->values)[at] = to_int(value);
        else
            ((uint8_t *)column->values)[at] = value != 0;
    }
}

ftl_status ftl_session_take(ftl_session *session, uint32_t methods, size_t first, ftl_error *error)
{
    for (uint32_t left = methods; left; left &= left - 1) { /* one bit after the other */
        int m = __builtin_ctz(left);
        for (size_t i = 0; i < session->methods[m].count; i++) {
            const ftl_output *output = &session->model->graph.methods[m].outputs[i];
            ftl_session_column *column = &session->methods[m].storage[i];
            if (column->type == FTL_STRING)
                FTL_TRY(take_text(session, output, column, first, error));
            else if (output->as == FTL_AS_LABEL)
                take_labels(session, output, column, first);
            else
                take_numbers(session, output, column, first);
        }
    }
    return FTL_OK;
}

void ftl_session_view(const ftl_session *session, ftl_method m, size_t rows, ftl_batch *out)
{
    session = session->shows_wide ? session->wide : session;
    const ftl_session_method *method = &session->methods[m];
    for (size_t i = 0; i < method->count; i++) {
        const ftl_session_column *column = &method->storage[i];
        const uint8_t *validity = session->bad_rows ? session->validity : NULL;
        if (rows && column->type == FTL_STRING && column->has_missing)
            validity = column->present;
        /* The other fields are 0 from the start. */
        method->columns[i].type = column->type;
        method->columns[i].values = column->values;
        method->columns[i].offsets = column->offsets;
        method->columns[i].validity = validity;
    }
    *out = (ftl_batch){.rows = rows, .n_columns = method->count, .columns = method->columns};
}

/* Whether the outputs are the columns of one step's matrix, in order. */
static bool outputs_are_slot(const ftl_session *session, const ftl_method_outputs *outputs)
{
    for (size_t j = 0; j < outputs->count; j++) {
        const ftl_output *output = &outputs->outputs[j];
        if (output->op != outputs->outputs[0].op || output->column != j ||
            output->as == FTL_AS_LABEL)
            return false;
    }
    return outputs->count > 0 &&
           session->plan->steps[outputs->outputs[0].op].slot_width == outputs->count;
}

static double output_number(const ftl_session *session, const ftl_output *output, bool class_index,
                            uint32_t row)
{
    double value = slot_value(session, output, row);
    if (output->as == FTL_AS_LABEL && output->labels->type != FTL_STRING && !class_index)
        value = ftl_cell_number(label_of(output, value));
    return value;
}

/* Whether the outputs are the classes of the model's targets, in order. */
static bool outputs_are_classes(const ftl_session *session, const ftl_result_room *room)
{
    const ftl_model *model = session->model;
    const ftl_method_outputs *outputs = &model->graph.methods[room->method];
    bool same = room->class_index && room->method == FTL_PREDICT &&
                outputs->count == model->n_classes;
    for (size_t i = 0; same && i < outputs->count; i++)
        same = outputs->outputs[i].as == FTL_AS_LABEL &&
               outputs->outputs[i].labels == model->classes[i];
    return same;
}

static void put_number(const ftl_matrix_out *out, size_t row, size_t column, double value)
{
    ptrdiff_t at = (ptrdiff_t)row * out->row_stride + (ptrdiff_t)column * out->column_stride;
    if (out->dtype == FTL_F64)
        ((double *)out->data)[at] = value;
    else
        ((float *)out->data)[at] = (float)value;
}

void ftl_session_take_matrix(const ftl_session *session, const ftl_result_room *room, size_t first)
{
    const ftl_matrix_out *out = &room->room;
    const ftl_method_outputs *outputs = &session->model->graph.methods[room->method];
    const size_t count = outputs->count, rows = session->exec.rows;
    const ftl_step *step = &session->plan->steps[outputs->outputs[0].op];
    size_t size = out->dtype == FTL_F64 ? sizeof(double) : sizeof(float);
    bool packed = (step->is_f32 ? FTL_F32 : FTL_F64) == out->dtype && out->column_stride == 1 &&
                  out->row_stride == (ptrdiff_t)count && outputs_are_slot(session, outputs);
    bool index = outputs_are_classes(session, room);
    if (packed) /* the slot may be the batch's own matrix, and the room the same memory */
        memmove((char *)out->data + first * count * size, ftl_slot(step, &session->exec),
                rows * count * size);
    for (uint32_t i = 0; !packed && i < rows; i++) {
        for (size_t j = 0; j < count; j++)
            put_number(out, first + i, j, output_number(session, &outputs->outputs[j], index, i));
    }
    for (uint32_t i = 0; session->exec.n_bad && i < rows; i++) {
        for (size_t j = 0; session->exec.bad[i] && j < count; j++)
            put_number(out, first + i, j, (double)NAN);
    }
}
