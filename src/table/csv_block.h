/*
 * A block of CSV text and its index. The reading thread fills it: bytes come straight from the
 * stream, each is indexed once (kernels/csv.h), and what lies behind the block's last record begins
 * the next one. Converting needs no more than the index.
 */
#ifndef FTL_TABLE_CSV_BLOCK_H
#define FTL_TABLE_CSV_BLOCK_H

#include "kernels/csv.h"
#include "table/table_impl.h"

/* Where the reading of a record byte by byte stands. */
typedef enum ftl_csv_walk {
    FTL_CSV_WALK_NONE, /* the kernel indexes */
    FTL_CSV_WALK_START,
    FTL_CSV_WALK_TEXT,
    FTL_CSV_WALK_QUOTED,
    FTL_CSV_WALK_QUOTE /* behind a quote in quotes: the closing one or half of a doubled one */
} ftl_csv_walk;

typedef struct ftl_csv_block {
    ftl_table_block block;
    ftl_block_bytes bytes; /* FTL_CSV_MARGIN zeros, then size bytes of text */
    ftl_csv_index index;
    size_t ends_room, lines_room;
    ftl_csv_row *rows; /* block.rows of them */
    size_t rows_room;
    int64_t line; /* of the text's beginning, 1-based */
    bool ragged;  /* not every row has the table's number of cells */

    size_t at;     /* indexed up to here */
    size_t listed; /* lines that are rows, or blank */
    size_t start;  /* where the next record begins */
    ftl_csv_walk walk;
} ftl_csv_block;

static inline uint8_t *ftl_csv_text(const ftl_csv_block *block)
{
    return block->bytes.data + FTL_CSV_MARGIN;
}

/* The record's text without its line end. */
static inline const char *ftl_csv_record(const ftl_csv_block *block, size_t row, size_t *size)
{
    const ftl_csv_row *r = &block->rows[row];
    *size = block->index.ends[r->first + r->cells - 1] - r->start;
    return (const char *)ftl_csv_text(block) + r->start;
}

/* Spaces and tabs alone, or nothing: such a record is skipped. */
bool ftl_csv_is_blank(const uint8_t *data, size_t size, char delimiter);
/* Of the record at the table's line: LIMIT and VALUE. */
ftl_status ftl_csv_too_long(const ftl_table *table, ftl_error *error);
ftl_status ftl_csv_open_quote(const ftl_table *table, ftl_error *error);

/* END when there are no more rows. See ftl_table_format.read. */
ftl_status ftl_csv_read(ftl_table *table, size_t max_rows, ftl_table_block *into, ftl_error *error);
void ftl_csv_block_free(ftl_table_block *block);

#endif
