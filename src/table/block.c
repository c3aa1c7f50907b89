/* Blocks of records: room for them, and what is asked of one. */
#include "table/table_impl.h"

ftl_status ftl_table_block_create(ftl_table *table, ftl_table_block **out, ftl_error *error)
{
    ftl_table_block *block = ftl_alloc_zero(table->account, 1, sizeof *block);
    if (!block)
        return FTL_OOM(error);
    block->account = table->account;
    *out = block;
    return FTL_OK;
}

void ftl_table_block_destroy(ftl_table_block *block)
{
    if (!block)
        return;
    ftl_free(block->account, block->data);
    ftl_free(block->account, block->records);
    ftl_free(block->account, block);
}

ftl_status ftl_table_block_reserve(ftl_table_block *block, size_t size, ftl_error *error)
{
    if (size <= block->room && block->data)
        return FTL_OK;
    if (size > FTL_BLOCK_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "a block of %zu bytes is too large", size);
    size_t room = block->room ? block->room : 4096;
    while (room < size)
        room += room / 2;
    uint8_t *data = ftl_realloc(block->account, block->data, room);
    if (!data)
        return FTL_OOM(error);
    block->data = data;
    block->room = room;
    return FTL_OK;
}

size_t ftl_table_block_rows(const ftl_table_block *block) { return block->rows; }
uint64_t ftl_table_block_first_row(const ftl_table_block *block) { return block->first_row; }

int64_t ftl_table_block_line(const ftl_table_block *block, size_t row)
{
    return block->records && row < block->rows ? block->records[row].line : -1;
}

const char *ftl_table_block_record(const ftl_table_block *block, size_t row, size_t *size)
{
    *size = 0;
    if (!block->records || row >= block->rows)
        return NULL;
    *size = block->records[row].size;
    return (const char *)block->data + block->records[row].start;
}
