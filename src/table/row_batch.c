/* The buffers of converted columns, reused from block to block. */
#include "base/checked.h"
#include "table/table_impl.h"

#include <math.h>
#include <string.h>

ftl_status ftl_row_batch_create(const ftl_table *table, ftl_row_batch **out, ftl_error *error)
{
    if (!table->bound)
        return FTL_FAIL(error, FTL_ARG, "columns are bound before a batch is made");
    ftl_row_batch *batch = ftl_alloc_zero(table->account, 1, sizeof *batch);
    if (!batch)
        return FTL_OOM(error);
    batch->account = table->account;
    batch->format = table->format;
    batch->requests = table->requests;
    batch->n_columns = table->n_requests;
    batch->empty_is_missing = table->empty_is_missing;
    batch->buffers = ftl_alloc_zero(table->account, batch->n_columns, sizeof *batch->buffers);
    batch->columns = ftl_alloc_zero(table->account, batch->n_columns, sizeof *batch->columns);
    for (size_t i = 0; i < batch->n_columns; i++)
        batch->has_texts |= batch->requests[i].type == FTL_STRING;
    size_t state = table->format->batch_size;
    if (state)
        batch->state = ftl_alloc_zero(table->account, 1, state);
    if (!batch->buffers || !batch->columns || (state && !batch->state)) {
        ftl_row_batch_destroy(batch);
        return FTL_OOM(error);
    }
    *out = batch;
    return FTL_OK;
}

void ftl_row_batch_destroy(ftl_row_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; batch->buffers && i < batch->n_columns; i++) {
        ftl_free(batch->account, batch->buffers[i].values);
        ftl_free(batch->account, batch->buffers[i].offsets);
        ftl_free(batch->account, batch->buffers[i].validity);
    }
    if (batch->state && batch->format->batch_free)
        batch->format->batch_free(batch);
    ftl_free(batch->account, batch->state);
    ftl_free(batch->account, batch->buffers);
    ftl_free(batch->account, batch->columns);
    ftl_free(batch->account, batch->bad);
    ftl_free(batch->account, batch->bad_rows);
    ftl_free(batch->account, batch);
}

/* Room for rows in the buffers of a column of cells. */
static ftl_status grow_buffer(ftl_row_batch *batch, size_t column, size_t rows, ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[column];
    ftl_type type = batch->requests[column].type;
    if (type != FTL_STRING)
        return ftl_grow(batch->account, &buffer->values, &buffer->values_room, rows,
                        type == FTL_F32 ? sizeof(float) : sizeof(double), error);
    FTL_TRY(ftl_grow(batch->account, &buffer->offsets, &buffer->offsets_room, rows + 1,
                     sizeof(uint32_t), error));
    FTL_TRY(ftl_grow(batch->account, &buffer->validity, &buffer->validity_room, (rows + 7) / 8, 1,
                     error));
    return ftl_grow(batch->account, &buffer->values, &buffer->values_room, 1, 1,
                    error); /* never NULL */
}

/* Rows first .. rows of a column of texts are missing until they are set. */
static void clear_texts(ftl_column_buffer *buffer, size_t first, size_t rows)
{
    size_t done = (first + 7) / 8; /* bits of this byte were cleared with those before */
    memset(buffer->validity + done, 0, (rows + 7) / 8 - done);
    if (first == 0) {
        buffer->offsets[0] = 0;
        buffer->used = 0;
    }
}

ftl_status ftl_row_batch_extend(ftl_row_batch *batch, size_t first, size_t rows, ftl_error *error)
{
    bool cells = batch->format->abilities & FTL_TABLE_CELLS, grows = rows > batch->rows_room;
    for (size_t i = 0; cells && grows && i < batch->n_columns; i++)
        FTL_TRY(grow_buffer(batch, i, rows, error));
    if (grows)
        FTL_TRY(ftl_grow(batch->account, &batch->bad, &batch->bad_room, rows, 1, error));
    batch->rows_room = grows ? rows : batch->rows_room;
    for (size_t i = 0; cells && batch->has_texts && i < batch->n_columns; i++) {
        if (batch->requests[i].type == FTL_STRING)
            clear_texts(&batch->buffers[i], first, rows);
    }
    if (rows > first)
        memset(batch->bad + first, 0, rows - first);
    if (first == 0)
        batch->n_bad = 0;
    return FTL_OK;
}

void ftl_row_batch_show(ftl_row_batch *batch, size_t rows)
{
    batch->rows = rows;
    for (size_t i = 0; i < batch->n_columns; i++)
        batch->columns[i] = (ftl_column){.type = batch->requests[i].type,
                                         .values = batch->buffers[i].values,
                                         .offsets = batch->buffers[i].offsets,
                                         .validity = batch->buffers[i].validity,
                                         .flags = FTL_COLUMN_NULL_TEXT};
}

ftl_status ftl_table_convert(const ftl_table *table, const ftl_table_block *block,
                             ftl_row_batch *batch, ftl_error *error)
{
    batch->rows = 0;
    FTL_TRY(ftl_row_batch_extend(batch, 0, block->rows, error));
    batch->rows = block->rows;
    ftl_status status = block->rows ? table->format->convert(table, block, batch, error) : FTL_OK;
    if (status != FTL_OK) {
        batch->rows = batch->n_bad = 0;
        return status;
    }
    if (table->format->abilities & FTL_TABLE_CELLS)
        ftl_row_batch_show(batch, block->rows);
    return FTL_OK;
}

ftl_status ftl_row_batch_mark_bad(ftl_row_batch *batch, size_t row, ftl_error *error)
{
    if (batch->bad[row])
        return FTL_OK;
    FTL_TRY(ftl_grow(batch->account, &batch->bad_rows, &batch->bad_rows_room, batch->n_bad + 1,
                     sizeof(uint32_t), error));
    batch->bad[row] = 1;
    batch->bad_rows[batch->n_bad++] = (uint32_t)row;
    return FTL_OK;
}

ftl_status ftl_row_batch_set_string(ftl_row_batch *batch, size_t column, size_t row,
                                    const char *text, size_t size, bool valid, ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[column];
    /* A missing cell keeps its text too: "NA" is a country where the model's categories say so. */
    size_t needed;
    if (!ftl_add_size(buffer->used, size, &needed) || needed > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a column of a batch holds more than 4 GiB of text");
    if (FTL_UNLIKELY(needed > buffer->values_room))
        FTL_TRY(ftl_grow(batch->account, &buffer->values, &buffer->values_room, needed, 1, error));
    if (size)
        memcpy((char *)buffer->values + buffer->used, text, size);
    buffer->used = needed;
    if (valid)
        buffer->validity[row / 8] = (uint8_t)(buffer->validity[row / 8] | 1u << row % 8);
    buffer->offsets[row + 1] = (uint32_t)buffer->used;
    return FTL_OK;
}

void ftl_row_batch_blank(ftl_row_batch *batch, size_t row)
{
    for (size_t i = 0; i < batch->n_columns; i++) {
        ftl_column_buffer *buffer = &batch->buffers[i];
        if (batch->requests[i].type == FTL_F64) {
            ((double *)buffer->values)[row] = (double)NAN;
        } else if (batch->requests[i].type == FTL_F32) {
            ((float *)buffer->values)[row] = NAN;
        } else if (!batch->requests[i].raw) {
            buffer->used = buffer->offsets[row];
            buffer->offsets[row + 1] = buffer->offsets[row];
            buffer->validity[row / 8] = (uint8_t)(buffer->validity[row / 8] & ~(1u << row % 8));
        }
    }
}

void ftl_row_batch_view(const ftl_row_batch *batch, ftl_row_view *out)
{
    *out = (ftl_row_view){
        .batch = {.rows = batch->rows, .n_columns = batch->n_columns, .columns = batch->columns},
        .bad = batch->bad,
        .n_bad = batch->n_bad,
    };
}

void ftl_row_batch_problem(const ftl_table *table, const ftl_table_block *block,
                           ftl_row_batch *batch, size_t i, size_t *row, ftl_error *error)
{
    size_t bad = i < batch->n_bad ? batch->bad_rows[i] : 0;
    if (row)
        *row = bad;
    if (!error || !table->format->explain)
        return;
    table->format->explain(table, block, batch, bad, error);
    error->row = (int64_t)(block->first_row + bad);
    error->line = ftl_table_block_line(block, bad);
}
