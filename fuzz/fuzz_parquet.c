/* Parquet files; the first byte chooses which columns are kept as they are, and how many rows are
 * read at once. */
#include "fuzz_table.h"

enum { MOST_COLUMNS = 32, MOST_ROWS = 20000, MOST_MEMORY = 256 << 20 };

/* Columns that hold nothing for a model are left out, as binding one alone finds. */
static size_t choose(const uint8_t *data, size_t size, ftl_table_column_request *requests)
{
    size_t n = 0, columns = 1;
    for (size_t i = 0; i < columns && i < MOST_COLUMNS; i++) {
        ftl_account account;
        ftl_table *table;
        fuzz_pieces pieces = {.data = data + 1, .size = size - 1};
        ftl_account_init(&account, NULL, MOST_MEMORY);
        if (fuzz_table_open(&account, &pieces, NULL, &table) != FTL_OK)
            return 0;
        columns = ftl_table_get_info(table)->n_columns;
        if (columns > 0) {
            bool raw = (data[0] + i) % 2;
            ftl_type type = raw ? ftl_table_column_type(table, i) : FTL_F64;
            requests[n] = (ftl_table_column_request){.index = i, .type = type, .raw = raw};
            n += ftl_table_bind(table, &requests[n], 1, NULL) == FTL_OK;
        }
        fuzz_table_end(&account, table);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ftl_table_column_request requests[MOST_COLUMNS];
    ftl_account account;
    ftl_table *table;
    if (size < 5 || data[1] != 'P') /* others are other fuzzers' */
        return 0;
    size_t n = choose(data, size, requests), seen = 0;
    fuzz_pieces pieces = {.data = data + 1, .size = size - 1};
    ftl_account_init(&account, NULL, MOST_MEMORY);
    if (fuzz_table_open(&account, &pieces, NULL, &table) != FTL_OK)
        return 0;
    const fuzz_reading how = {.max_rows = data[0] & 64 ? 4000 : 1 + data[0] % 37,
                              .most_rows = MOST_ROWS,
                              .may_fail = true,
                              .visit = fuzz_touch,
                              .user = &seen};
    if (ftl_table_bind(table, requests, n, NULL) == FTL_OK)
        (void)fuzz_table_read(table, &how);
    fuzz_table_end(&account, table);
    return 0;
}
