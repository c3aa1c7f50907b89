/* The state of a CSV table, shared by csv.c (reading), csv_sniff.c and csv_convert.c. */
#ifndef FTL_TABLE_CSV_H
#define FTL_TABLE_CSV_H

#include "base/na_values.h"
#include "table/csv_block.h"
#include "table/csv_scan.h"

/* What converting needs beside the columns. */
typedef struct ftl_csv_scratch {
    char *text; /* of a quoted cell */
    size_t text_room;
} ftl_csv_scratch;

typedef struct ftl_csv {
    char delimiter, decimal;
    ftl_na_values na;
    bool empty_is_text; /* "" in quotes, beside other cells, is a text without letters */
    const ftl_csv_kernels *kernels;

    /* Of reading alone. */
    int64_t line;  /* 1-based line of the next record */
    uint8_t *rest; /* bytes that were read behind the last block's last row */
    size_t rest_size, rest_room;
    size_t row_bytes; /* of a row of the last block; 0 before */
} ftl_csv;

/* The likeliest delimiter of a beginning of a file; final: it is the whole file. decimal is never
 * it. */
char ftl_csv_sniff(const uint8_t *data, size_t size, bool final, char decimal);

/* At most 40 bytes of a text for a message, whole characters; bytes that are no text as \xNN. */
enum { FTL_CSV_SHOWN = 4 * 40 + 4 };
void ftl_csv_show(const char *text, size_t size, char out[FTL_CSV_SHOWN]);

ftl_status ftl_csv_convert(const ftl_table *table, const ftl_table_block *block,
                           ftl_row_batch *batch, ftl_error *error);
void ftl_csv_explain(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                     size_t row, ftl_error *error);

#endif
