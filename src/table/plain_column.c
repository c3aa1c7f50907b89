/* Columns of every type as those of the few types that outputs have. */
#include "base/checked.h"
#include "base/column.h"
#include "table/table_impl.h"

#include <string.h>

ftl_type ftl_plain_type(const ftl_column *column)
{
    ftl_type type = column->type;
    if (type == FTL_DICTIONARY)
        return ftl_plain_type(column->dictionary);
    if (type == FTL_F64 || type == FTL_F32 || type == FTL_U64)
        return type;
    if (ftl_type_is_decimal(type))
        return FTL_F64;
    if (type == FTL_F16)
        return FTL_F32;
    if (type == FTL_BIT || type == FTL_BOOL)
        return FTL_BOOL;
    return ftl_type_is_integer(type) ? FTL_I64 : FTL_STRING;
}

/* One element of a plain type, from an index of a column that becomes it. */
static void put_number(const ftl_column *from, size_t index, ftl_type type, void *values,
                       size_t row)
{
    switch (type) {
    case FTL_F64:
        ((double *)values)[row] = ftl_column_number(from, index);
        break;
    case FTL_F32:
        ((float *)values)[row] = (float)ftl_column_number(from, index);
        break;
    case FTL_BOOL:
        ((uint8_t *)values)[row] = ftl_column_number(from, index) != 0;
        break;
    default: /* I64 and U64: the same bytes */
        ((int64_t *)values)[row] = ftl_column_integer(from, from->type, index);
    }
}

static ftl_status copy_numbers(ftl_row_batch *batch, size_t i, const ftl_column *from,
                               ftl_type type, ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[i];
    size_t rows = batch->rows, width = ftl_type_size(type);
    FTL_TRY(
        ftl_grow(batch->account, &buffer->values, &buffer->values_room, rows * width, 1, error));
    for (size_t row = 0; row < rows; row++) {
        const ftl_column *column = from;
        size_t index;
        if (ftl_column_find(&column, row, &index)) {
            put_number(column, index, type, buffer->values, row);
            buffer->validity[row / 8] = (uint8_t)(buffer->validity[row / 8] | 1u << row % 8);
        } else {
            memset((char *)buffer->values + row * width, 0, width);
        }
    }
    return FTL_OK;
}

static ftl_status copy_texts(ftl_row_batch *batch, size_t i, const ftl_column *from,
                             ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[i];
    FTL_TRY(ftl_grow(batch->account, &buffer->offsets, &buffer->offsets_room, batch->rows + 1,
                     sizeof(uint32_t), error));
    FTL_TRY(ftl_grow(batch->account, &buffer->values, &buffer->values_room, 1, 1, error));
    buffer->offsets[0] = 0;
    buffer->used = 0;
    for (size_t row = 0; row < batch->rows; row++) {
        const ftl_column *column = from;
        const char *text = "";
        size_t index, size = 0;
        bool valid = ftl_column_find(&column, row, &index);
        if (valid)
            text = ftl_column_text(column, index, &size);
        FTL_TRY(ftl_row_batch_set_string(batch, i, row, text, size, valid, error));
    }
    return FTL_OK;
}

/* The column of texts, or of a dictionary of such, with validity bits that are 0 for empty ones. */
static ftl_status hide_empty(ftl_row_batch *batch, size_t i, const ftl_column *from,
                             ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[i];
    size_t bits = (from->offset + batch->rows + 7) / 8;
    FTL_TRY(ftl_column_check_slice(from, batch->rows, error));
    FTL_TRY(ftl_grow(batch->account, &buffer->validity, &buffer->validity_room, bits, 1, error));
    if (bits)
        memset(buffer->validity, 0, bits);
    for (size_t row = 0; row < batch->rows; row++) {
        const ftl_column *column = from;
        size_t index, size = 0, at = from->offset + row;
        if (ftl_column_find(&column, row, &index))
            (void)ftl_column_text(column, index, &size);
        if (size)
            buffer->validity[at / 8] = (uint8_t)(buffer->validity[at / 8] | 1u << at % 8);
    }
    batch->columns[i].validity = buffer->validity;
    return FTL_OK;
}

/* Whether sinks can take the column as it lies; a file may place its numbers at odd addresses. */
static bool is_plain(const ftl_column *column)
{
    bool text = column->type == FTL_STRING;
    uintptr_t address = (uintptr_t)(text ? (const void *)column->offsets : column->values);
    size_t width = text ? sizeof *column->offsets : ftl_type_size(column->type);
    return column->type == ftl_plain_type(column) && column->type != FTL_NULL &&
           column->offset == 0 && address % width == 0;
}

ftl_status ftl_row_batch_set_column(ftl_row_batch *batch, size_t i, const ftl_column *from,
                                    ftl_error *error)
{
    bool text = ftl_plain_type(from) == FTL_STRING && from->type != FTL_NULL &&
                !(from->type == FTL_DICTIONARY && from->dictionary->type == FTL_NULL);
    batch->columns[i] = *from;
    if (!batch->requests[i].raw && batch->empty_is_missing && text)
        return hide_empty(batch, i, from, error);
    if (!batch->requests[i].raw || is_plain(from))
        return FTL_OK;
    ftl_column_buffer *buffer = &batch->buffers[i];
    ftl_type type = ftl_plain_type(from);
    size_t bits = (batch->rows + 7) / 8;
    FTL_TRY(ftl_column_check_slice(from, batch->rows, error));
    FTL_TRY(ftl_grow(batch->account, &buffer->validity, &buffer->validity_room, bits, 1, error));
    if (bits)
        memset(buffer->validity, 0, bits);
    FTL_TRY(type == FTL_STRING ? copy_texts(batch, i, from, error)
                               : copy_numbers(batch, i, from, type, error));
    batch->columns[i] = (ftl_column){.type = type,
                                     .values = buffer->values,
                                     .offsets = type == FTL_STRING ? buffer->offsets : NULL,
                                     .validity = buffer->validity};
    return FTL_OK;
}
