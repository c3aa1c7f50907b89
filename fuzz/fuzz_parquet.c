/* Parquet files; the first byte chooses which columns are kept as they are, and how many rows are
 * read at once. */
#include "touch_batch.h"

#include <stdlib.h>

enum { MOST_COLUMNS = 32, MOST_ROWS = 20000, MOST_MEMORY = 256 << 20 };

/* Columns that hold nothing for a model are left out, as binding one alone finds. */
static size_t choose(const uint8_t *data, size_t size, ftl_table_column_request *requests)
{
    size_t n = 0, columns = 1;
    for (size_t i = 0; i < columns && i < MOST_COLUMNS; i++) {
        ftl_account account;
        ftl_stream *stream;
        ftl_table *table;
        ftl_account_init(&account, NULL, MOST_MEMORY);
        if (ftl_stream_open_memory(&account, data + 1, size - 1, &stream, NULL) != FTL_OK)
            abort();
        if (ftl_table_open(&account, stream, NULL, &table, NULL) != FTL_OK) {
            ftl_stream_close(stream);
            return 0;
        }
        columns = ftl_table_get_info(table)->n_columns;
        if (columns > 0) {
            bool raw = (data[0] + i) % 2;
            ftl_type type = raw ? ftl_table_column_type(table, i) : FTL_F64;
            requests[n] = (ftl_table_column_request){.index = i, .type = type, .raw = raw};
            n += ftl_table_bind(table, &requests[n], 1, NULL) == FTL_OK;
        }
        ftl_table_close(table);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ftl_table_column_request requests[MOST_COLUMNS];
    ftl_account account;
    ftl_stream *stream;
    ftl_table *table;
    if (size < 5 || data[1] != 'P') /* others are other fuzzers' */
        return 0;
    size_t n = choose(data, size, requests);
    ftl_account_init(&account, NULL, MOST_MEMORY);
    if (ftl_stream_open_memory(&account, data + 1, size - 1, &stream, NULL) != FTL_OK)
        abort();
    if (ftl_table_open(&account, stream, NULL, &table, NULL) != FTL_OK) {
        ftl_stream_close(stream);
        return 0;
    }
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    if (ftl_table_bind(table, requests, n, NULL) == FTL_OK &&
        ftl_table_block_create(table, &block, NULL) == FTL_OK &&
        ftl_row_batch_create(table, &batch, NULL) == FTL_OK) {
        size_t rows = 0, most = data[0] & 64 ? 4000 : 1 + data[0] % 37;
        volatile size_t seen = 0;
        while (rows < MOST_ROWS && ftl_table_read(table, most, block, NULL) == FTL_OK &&
               ftl_table_convert(table, block, batch, NULL) == FTL_OK) {
            seen += touch_batch(batch);
            rows += ftl_table_block_rows(block);
        }
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
    if (ftl_account_used(&account) != 0)
        abort();
    return 0;
}
