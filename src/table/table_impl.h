/* What the table front (table.c) and the row formats share. Not for the outside: that is table.h.
 */
#ifndef FTL_TABLE_TABLE_IMPL_H
#define FTL_TABLE_TABLE_IMPL_H

#include "base/arena.h"
#include "table/table.h"

/* A row format. It fills table->info and table->names in open; blocks and batches mean what it
 * wants them to mean. */
typedef struct ftl_table_format {
    const char *name;
    /* Bits of the beginning of the stream that were recognised; 0: not mine. */
    int (*bid)(const uint8_t *data, size_t size);
    /* Sets table->state. On failure close is called with whatever state was set; the stream stays
     * the caller's. */
    ftl_status (*open)(ftl_table *table, const ftl_table_options *options, ftl_error *error);
    void (*close)(ftl_table *table);
    /* The header record; may be NULL. */
    const char *(*header)(const ftl_table *table, size_t *size);
    /* Fills a cleared block with 1..max_rows rows (block->rows), or returns END. */
    ftl_status (*read)(ftl_table *table, size_t max_rows, ftl_table_block *block, ftl_error *error);
    /* Fills the columns of a batch that has room for block->rows. */
    ftl_status (*convert)(const ftl_table *table, const ftl_table_block *block,
                          ftl_row_batch *batch, ftl_error *error);
    /* Fills error for a problem that convert noted; NULL when it notes none. */
    void (*explain)(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                    size_t row, ftl_error *error);
} ftl_table_format;

extern const ftl_table_format ftl_table_csv, ftl_table_npy;

struct ftl_table {
    ftl_account *account;
    ftl_stream *stream;
    const ftl_table_format *format;
    void *state;
    ftl_arena arena; /* names, options and the formats' state */
    ftl_table_info info;
    const char **names; /* info.n_columns of them; NULL when there are none */
    struct ftl_name_slot {
        uint32_t column,
            count; /* the first column of a name and how many bear it; count 0: an empty slot */
    } *name_slots; /* open addressing */
    size_t name_mask;
    ftl_table_column_request *requests;
    size_t n_requests;
    bool bound;
    size_t block_bytes, max_record;
    uint64_t rows_read;
    ftl_error failed; /* code != FTL_OK: what every further read returns */
};

/* A record of a text format: bytes data[start .. start + size) of its block, without the line end.
 */
typedef struct ftl_record {
    uint32_t start, size;
    int64_t line; /* 1-based */
} ftl_record;

enum {
    FTL_BLOCK_LIMIT = 1 << 30,          /* keeps offsets in 32 bits */
    FTL_RECORD_LIMIT = 15 * 1024 * 1024 /* what a stream shows at once, less a margin */
};

struct ftl_table_block {
    ftl_account *account;
    uint8_t *data;
    size_t size, room;
    ftl_record *records; /* text formats */
    size_t records_room;
    size_t rows;
    uint64_t first_row;
};

/* Room for size bytes in all. */
FTL_MUST_USE ftl_status ftl_table_block_reserve(ftl_table_block *block, size_t size,
                                                ftl_error *error);

/* A column's buffers. Numbers: values. Strings: offsets (rows + 1), bytes, validity. */
typedef struct ftl_column_buffer {
    void *values;
    size_t values_room; /* bytes for strings, rows for numbers */
    size_t used;        /* bytes of strings */
    uint32_t *offsets;
    size_t offsets_room;
    uint8_t *validity;
    size_t validity_room;
} ftl_column_buffer;

struct ftl_row_batch {
    ftl_account *account;
    const ftl_table_column_request *requests; /* the table's */
    size_t n_columns;
    ftl_column_buffer *buffers;
    ftl_column *columns; /* the view */
    size_t rows;
    uint8_t *bad;
    size_t bad_room;
    uint32_t *bad_rows;
    size_t bad_rows_room, n_bad;
    uint32_t *cells; /* CSV: ends of the cells of the record at hand */
    size_t cells_room;
    char *scratch; /* CSV: the text of a quoted cell */
    size_t scratch_room;
};

/* Marks a row as bad, once; rows come in order. */
FTL_MUST_USE ftl_status ftl_row_batch_mark_bad(ftl_row_batch *batch, size_t row, ftl_error *error);
/* Sets the string of a row; rows are set in order, each once. valid false: a missing cell, text is
 * not looked at. */
FTL_MUST_USE ftl_status ftl_row_batch_set_string(ftl_row_batch *batch, size_t column, size_t row,
                                                 const char *text, size_t size, bool valid,
                                                 ftl_error *error);
/* Makes the cells of the row missing in all columns but the raw ones. All columns of the row must
 * have been set. */
void ftl_row_batch_blank(ftl_row_batch *batch, size_t row);

#endif
