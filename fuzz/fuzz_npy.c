/* .npy tables, row-major; the first byte chooses the columns' types and the sizes of blocks. */
#include "touch_batch.h"

#include <stdlib.h>

enum { MOST_COLUMNS = 8, MOST_ROWS = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    ftl_stream *stream;
    ftl_table *table;
    ftl_table_options options = {.block_bytes = data[0] & 8 ? 64 : 0};
    if (ftl_stream_open_memory(&account, data + 1, size - 1, &stream, NULL) != FTL_OK)
        abort();
    if (ftl_table_open(&account, stream, &options, &table, NULL) != FTL_OK) {
        ftl_stream_close(stream);
        return 0;
    }
    static const ftl_type types[] = {FTL_F64, FTL_STRING};
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t n = ftl_table_get_info(table)->n_columns;
    n = n < MOST_COLUMNS ? n : MOST_COLUMNS;
    for (size_t i = 0; i < n; i++)
        requests[i] = (ftl_table_column_request){
            .index = i, .type = types[(i + data[0]) % 2], .raw = data[0] & 16};
    ftl_table_block *block;
    ftl_row_batch *batch;
    if (ftl_table_bind(table, requests, n, NULL) != FTL_OK ||
        ftl_table_block_create(table, &block, NULL) != FTL_OK ||
        ftl_row_batch_create(table, &batch, NULL) != FTL_OK)
        abort();
    size_t rows = 0;
    volatile size_t seen = 0;
    while (rows < MOST_ROWS && ftl_table_read(table, 1 + data[0] % 7, block, NULL) == FTL_OK) {
        if (ftl_table_convert(table, block, batch, NULL) != FTL_OK)
            abort();
        seen += touch_batch(batch);
        rows += ftl_table_block_rows(block);
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
    if (ftl_account_used(&account) != 0)
        abort();
    return 0;
}
