/*
 * Arrow IPC streams and files; the first byte chooses the columns' uses, the sizes of blocks, and
 * whether the bytes can be read at any place or come one behind the other.
 */
#include "fuzz_table.h"

enum { MOST_COLUMNS = 16, MOST_ROWS = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    ftl_account account;
    ftl_account_init(&account, NULL, (uint64_t)256 << 20);
    fuzz_pieces pieces = {.data = data + 1,
                          .size = size - 1,
                          .piece = data[0] & 32 ? SIZE_MAX : 0}; /* a pipe, or a file */
    ftl_table *table;
    const ftl_table_options options = {.format = "arrow"};
    if (fuzz_table_open(&account, &pieces, &options, &table) != FTL_OK)
        return 0;
    static const ftl_type types[] = {FTL_F64, FTL_STRING};
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t columns = ftl_table_get_info(table)->n_columns, n = 0;
    for (size_t i = 0; i < columns && n < MOST_COLUMNS; i++) {
        bool raw = data[0] & 16;
        if (!(data[0] & 64) || i % 2) /* or every other column */
            requests[n++] = (ftl_table_column_request){.index = i,
                                                       .type = raw ? ftl_table_column_type(table, i)
                                                                   : types[(i + data[0]) % 2],
                                                       .raw = raw};
    }
    size_t seen = 0;
    const fuzz_reading how = {.max_rows = 1 + data[0] % 7,
                              .most_rows = MOST_ROWS,
                              .may_fail = true,
                              .visit = fuzz_touch,
                              .user = &seen};
    if (ftl_table_bind(table, requests, n, NULL) == FTL_OK)
        (void)fuzz_table_read(table, &how);
    fuzz_table_end(&account, table);
    return 0;
}
