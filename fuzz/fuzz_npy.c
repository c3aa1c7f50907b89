/* .npy tables, row-major; the first byte chooses the columns' types and the sizes of blocks. */
#include "fuzz_table.h"

enum { MOST_COLUMNS = 8, MOST_ROWS = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    ftl_table *table;
    fuzz_pieces pieces = {.data = data + 1, .size = size - 1};
    ftl_table_options options = {.block_bytes = data[0] & 8 ? 64 : 0};
    if (fuzz_table_open(&account, &pieces, &options, &table) != FTL_OK)
        return 0;
    static const ftl_type types[] = {FTL_F64, FTL_STRING};
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t n = ftl_table_get_info(table)->n_columns;
    n = n < MOST_COLUMNS ? n : MOST_COLUMNS;
    for (size_t i = 0; i < n; i++)
        requests[i] = (ftl_table_column_request){
            .index = i, .type = types[(i + data[0]) % 2], .raw = data[0] & 16};
    if (ftl_table_bind(table, requests, n, NULL) != FTL_OK)
        abort();
    size_t seen = 0;
    const fuzz_reading how = {
        .max_rows = 1 + data[0] % 7, .most_rows = MOST_ROWS, .visit = fuzz_touch, .user = &seen};
    (void)fuzz_table_read(table, &how);
    fuzz_table_end(&account, table);
    return 0;
}
