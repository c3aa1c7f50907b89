#include "table/arrow_rows.h"

#include "base/column.h"

#include <string.h>

ftl_status ftl_arrow_rows_create(ftl_account *account, size_t n_columns, size_t n_held,
                                 ftl_arrow_rows **out, ftl_error *error)
{
    ftl_arrow_rows *rows = ftl_alloc_zero(account, 1, sizeof *rows);
    if (!rows)
        return FTL_OOM(error);
    rows->references = 1;
    rows->account = account;
    rows->columns = ftl_alloc_zero(account, n_columns, sizeof *rows->columns);
    rows->text_sizes = ftl_alloc_zero(account, n_columns, sizeof *rows->text_sizes);
    rows->held = ftl_alloc_zero(account, n_held, sizeof *rows->held);
    rows->n_columns = n_columns;
    rows->n_held = rows->held ? n_held : 0;
    if (!rows->columns || !rows->text_sizes || !rows->held) {
        ftl_arrow_rows_release(rows);
        return FTL_OOM(error);
    }
    *out = rows;
    return FTL_OK;
}

ftl_arrow_rows *ftl_arrow_rows_retain(ftl_arrow_rows *rows)
{
    atomic_fetch_add_explicit(&rows->references, 1, memory_order_relaxed);
    return rows;
}

void ftl_arrow_rows_release(ftl_arrow_rows *rows)
{
    if (!rows || atomic_fetch_sub_explicit(&rows->references, 1, memory_order_acq_rel) != 1)
        return;
    if (rows->release)
        rows->release(rows);
    ftl_arrow_rows_let_go(rows); /* one level deep: what is held holds no more */
    ftl_free(rows->account, rows->bytes.data);
    ftl_free(rows->account, rows->columns);
    ftl_free(rows->account, rows->text_sizes);
    ftl_free(rows->account, rows->held);
    ftl_free(rows->account, rows);
}

void ftl_arrow_rows_let_go(ftl_arrow_rows *rows)
{
    for (size_t i = 0; i < rows->n_held; i++) {
        ftl_arrow_rows_release(rows->held[i]);
        rows->held[i] = NULL;
    }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

void ftl_arrow_block_free(ftl_table_block *block)
{
    ftl_arrow_rows_release(((ftl_arrow_block *)block)->rows);
}

void ftl_arrow_block_show(ftl_arrow_block *block, ftl_arrow_rows *rows, const size_t *places,
                          size_t *next, size_t max_rows)
{
    size_t left = rows->rows - *next;
    ftl_arrow_rows_retain(rows);
    ftl_arrow_rows_release(block->rows);
    block->rows = rows;
    block->from = *next;
    block->places = places;
    block->block.rows = left < max_rows ? left : max_rows;
    *next += block->block.rows;
}

ftl_status ftl_arrow_list_wanted(ftl_table *table, size_t **wanted, size_t *n_wanted,
                                 size_t **places, ftl_error *error)
{
    size_t n = table->info.n_columns, found = 0;
    size_t *place_of = ftl_arena_zero_array(&table->arena, n, sizeof *place_of);
    *wanted = ftl_arena_array(&table->arena, n, sizeof **wanted);
    *places = ftl_arena_array(&table->arena, table->n_requests, sizeof **places);
    if (!place_of || !*wanted || !*places)
        return FTL_OOM(error);
    for (size_t i = 0; i < table->n_requests; i++)
        place_of[table->requests[i].index] = 1;
    for (size_t i = 0; i < n; i++) {
        if (!place_of[i])
            continue;
        place_of[i] = found;
        (*wanted)[found++] = i;
    }
    for (size_t i = 0; i < table->n_requests; i++)
        (*places)[i] = place_of[table->requests[i].index];
    *n_wanted = found;
    return FTL_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* The offset behind the last row's text stays within the text; those between do not decrease. */
static bool text_fits(const ftl_column *column, size_t rows, size_t text_size)
{
    uint32_t small;
    int64_t large;
    size_t end = column->offset + rows;
    if (column->type == FTL_STRING) {
        memcpy(&small, (const char *)(const void *)column->offsets + end * sizeof small,
               sizeof small);
        return small <= text_size;
    }
    memcpy(&large, (const char *)(const void *)column->large_offsets + end * sizeof large,
           sizeof large);
    return large >= 0 && (uint64_t)large <= text_size;
}

ftl_status ftl_arrow_long_text(uint64_t size, size_t limit, ftl_error *error)
{
    return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
                           "has a text of %llu bytes, longer than %zu; the limit is set with "
                           "options.max_record_bytes",
                           (unsigned long long)size, limit);
}

/* Of a good column of texts; what lies under nulls is not looked at. */
static ftl_status check_lengths(const ftl_column *column, size_t rows, size_t limit,
                                ftl_error *error)
{
    for (size_t row = 0; row < rows; row++) {
        const ftl_column *from = column;
        size_t index, size = 0;
        if (!ftl_column_find(&from, row, &index))
            continue;
        (void)ftl_column_text(from, index, &size);
        if (size > limit)
            return ftl_arrow_long_text(size, limit, error);
    }
    return FTL_OK;
}

ftl_status ftl_arrow_column_check(const ftl_column *column, size_t rows, size_t text_size,
                                  size_t limit, ftl_error *error)
{
    ftl_status status = ftl_column_check_slice(column, rows, error);
    bool text = column->type == FTL_STRING || column->type == FTL_LARGE_STRING;
    if (status == FTL_OK && rows && text && !text_fits(column, rows, text_size))
        status = FTL_FAIL(error, FTL_CORRUPT, "has a text that reaches beyond its buffer");
    if (status == FTL_OK && ((text && text_size > limit) || column->type == FTL_STRING_VIEW))
        status = check_lengths(column, rows, limit, error);
    if (status == FTL_ARG && error) /* nobody's argument, but a file's */
        error->code = FTL_CORRUPT;
    return status == FTL_ARG ? FTL_CORRUPT : status;
}

/*
 * The column from a row on. Its pointers are moved where the row begins a byte of the validity, so
 * that it needs no offset and outputs take it as it lies.
 */
static ftl_column column_from(const ftl_column *whole, size_t from)
{
    ftl_column column = *whole;
    bool bits = column.type == FTL_BIT || column.validity;
    size_t first = column.offset + from, width = ftl_type_size(column.type);
    column.offset = first;
    if (bits && first % 8)
        return column;
    if (column.type == FTL_DICTIONARY)
        width = ftl_type_size(column.index_type);
    if (column.type == FTL_STRING_VIEW)
        width = 16;
    column.offset = 0;
    if (column.validity)
        column.validity += first / 8;
    if (column.type == FTL_STRING)
        column.offsets += first;
    else if (column.type == FTL_LARGE_STRING)
        column.large_offsets += first;
    else if (column.values)
        column.values = (const char *)column.values +
                        (column.type == FTL_BIT ? first / 8 : first * width);
    return column;
}

/* Puts the place in front of what is wrong, whose rows count from the block's first one. */
static ftl_status misplaced(const ftl_table *table, const ftl_arrow_block *block, size_t i,
                            ftl_status status, ftl_error *error)
{
    const ftl_arrow_rows *rows = block->rows;
    char message[FTL_ERROR_MESSAGE_SIZE];
    size_t index = table->requests[i].index;
    if (!error)
        return status;
    const ftl_error bare = *error;
    memcpy(message, error->message, sizeof message);
    ftl_error_set(error, status, "record batch %llu, from row %llu on: column '%.120s' %.500s",
                  (unsigned long long)rows->batch, (unsigned long long)(rows->first + block->from),
                  table->names[index], message);
    ftl_error_because(error, bare.reason, bare.option);
    error->column = (int64_t)index;
    return status;
}

ftl_status ftl_arrow_convert(const ftl_table *table, const ftl_table_block *block,
                             ftl_row_batch *batch, ftl_error *error)
{
    const ftl_arrow_block *from = (const ftl_arrow_block *)block;
    const ftl_arrow_rows *rows = from->rows;
    size_t limit = table->stream ? table->max_record : SIZE_MAX; /* a program's own texts */
    for (size_t i = 0; i < batch->n_columns; i++) {
        size_t place = from->places[i];
        const ftl_column column = column_from(&rows->columns[place], from->from);
        ftl_status status = ftl_arrow_column_check(&column, block->rows, rows->text_sizes[place],
                                                   limit, error);
        if (status != FTL_OK)
            return misplaced(table, from, i, status, error);
        FTL_TRY(ftl_row_batch_set_column(batch, i, &column, error));
    }
    return FTL_OK;
}
