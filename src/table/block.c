/* Blocks of rows: what is asked of one, and the bytes that formats keep in theirs. */
#include "table/table_impl.h"

ftl_status ftl_table_block_create(ftl_table *table, ftl_table_block **out, ftl_error *error)
{
    ftl_table_block *block = ftl_alloc_zero(table->account, 1, table->format->block_size);
    if (!block)
        return FTL_OOM(error);
    block->account = table->account;
    block->format = table->format;
    *out = block;
    return FTL_OK;
}

void ftl_table_block_destroy(ftl_table_block *block)
{
    if (!block)
        return;
    if (block->format->block_free)
        block->format->block_free(block);
    ftl_free(block->account, block);
}

ftl_status ftl_block_bytes_reserve(ftl_account *account, ftl_block_bytes *bytes, size_t size,
                                   ftl_error *error)
{
    if (size <= bytes->room && bytes->data)
        return FTL_OK;
    if (size > FTL_BLOCK_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "a block of %zu bytes is too large", size);
    size_t room = bytes->room ? bytes->room : 4096;
    while (room < size)
        room += room / 2;
    uint8_t *data = ftl_realloc(account, bytes->data, room);
    if (!data)
        return FTL_OOM(error);
    bytes->data = data;
    bytes->room = room;
    return FTL_OK;
}

size_t ftl_table_block_rows(const ftl_table_block *block) { return block->rows; }
uint64_t ftl_table_block_first_row(const ftl_table_block *block) { return block->first_row; }

int64_t ftl_table_block_line(const ftl_table_block *block, size_t row)
{
    return block->format->line && row < block->rows ? block->format->line(block, row) : -1;
}

const char *ftl_table_block_origin(const ftl_table_block *block, uint64_t *first_row)
{
    if (first_row)
        *first_row = block->origin ? block->origin_row : block->first_row;
    return block->origin;
}

ftl_status ftl_table_block_reject(const ftl_table *table, const ftl_table_block *block, size_t row,
                                  const char *reason, ftl_strbuf *out, ftl_error *error)
{
    if (!table->format->reject)
        return FTL_FAIL(error, FTL_INTERNAL, "rows of %s are no records", table->info.format);
    return table->format->reject(table, block, row, reason, out, error);
}
