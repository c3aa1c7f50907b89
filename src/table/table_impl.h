/* What the table front (table.c) and the row formats share. Not for the outside: that is table.h.
 */
#ifndef FTL_TABLE_TABLE_IMPL_H
#define FTL_TABLE_TABLE_IMPL_H

#include "base/arena.h"
#include "foretell/arrow.h"
#include "table/table.h"

/*
 * A row format. It fills table->info and table->names in open; what a block holds is its own
 * matter. Members that are NULL or zero are not needed.
 */
typedef struct ftl_table_format {
    const char *name;           /* for people */
    const char *keyword;        /* what options.format says */
    const char *const *endings; /* of names, such as ".csv", ended by NULL */
    unsigned abilities;         /* FTL_TABLE_ */
    const char *reject_format;  /* FTL_TABLE_RECORDS: the keyword of sinks for rejected rows */
    /*
     * How many bits of the beginning of the stream were recognised. 0: it may be anything; -1: not
     * mine, whatever the name says.
     */
    int (*bid)(const uint8_t *data, size_t size);
    /* Sets table->state. On failure close is called with whatever state was set; the stream stays
     * the caller's. */
    ftl_status (*open)(ftl_table *table, const ftl_table_options *options, ftl_error *error);
    void (*close)(ftl_table *table);
    /* What a column is when it is copied; NULL: STRING. */
    ftl_type (*column_type)(const ftl_table *table, size_t column);
    /* What was taken and will be of streams that are not table->stream; NULL: there are none. */
    uint64_t (*bytes_read)(const ftl_table *table);
    uint64_t (*bytes_total)(const ftl_table *table);
    /* What a column holds, when that is nothing that is read; NULL: all are read. */
    const char *(*refused)(const ftl_table *table, size_t column);
    /* Sees the requests and refuses columns that cannot be read. */
    ftl_status (*bind)(ftl_table *table, ftl_error *error);

    /* Fills offset and line; and goes there in a stream that can. Both or none. */
    void (*tell)(const ftl_table *table, ftl_table_position *out);
    ftl_status (*seek)(ftl_table *table, const ftl_table_position *to, ftl_error *error);

    size_t block_size; /* of the format's block, which begins with a ftl_table_block; zeroed */
    void (*block_free)(ftl_table_block *block); /* what it holds */
    /* Fills a block with 1..max_rows rows (block->rows, which is 0 before), or returns END. */
    ftl_status (*read)(ftl_table *table, size_t max_rows, ftl_table_block *block, ftl_error *error);
    /* table->helpers are others. */
    void (*share)(ftl_table *table);
    /* 1-based line on which a row begins. */
    int64_t (*line)(const ftl_table_block *block, size_t row);

    size_t batch_size; /* of batch->state, zeroed: what converting needs beside the columns */
    void (*batch_free)(ftl_row_batch *batch); /* what the state holds */
    /*
     * Fills the columns of a batch. FTL_TABLE_CELLS: batch->buffers have room for block->rows, and
     * the columns become views of them; others set batch->columns.
     */
    ftl_status (*convert)(const ftl_table *table, const ftl_table_block *block,
                          ftl_row_batch *batch, ftl_error *error);
    /* Fills error for a problem that convert noted; NULL when it notes none. */
    void (*explain)(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                    size_t row, ftl_error *error);
    /* FTL_TABLE_RECORDS: see ftl_table_block_reject. */
    ftl_status (*reject)(const ftl_table *table, const ftl_table_block *block, size_t row,
                         const char *reason, ftl_strbuf *out, ftl_error *error);
} ftl_table_format;

/* Another row format is another entry. */
#define FTL_TABLE_FORMATS(X) X(csv) X(npy) X(json) X(jsonl) X(parquet) X(arrow)
#define FTL_DECLARE(name) extern const ftl_table_format ftl_table_##name;
FTL_TABLE_FORMATS(FTL_DECLARE)
#undef FTL_DECLARE
/* Of programs, not of files: see ftl_table_open_arrow. */
extern const ftl_table_format ftl_table_arrow_stream;

struct ftl_table {
    ftl_account *account;
    ftl_stream *stream;             /* NULL for an Arrow stream */
    struct ArrowArrayStream *arrow; /* this, or while it is opened the caller's */
    struct ArrowArrayStream owned;
    const ftl_table_format *format;
    void *state;
    ftl_arena arena; /* names, options and the formats' state */
    ftl_table_info info;
    const char *reject_format; /* see ftl_table_reject_format */
    bool has_origin;           /* see ftl_table_find_origin */
    uint64_t bytes_total;
    const char **names; /* info.n_columns of them; NULL when there are none */
    struct ftl_name_slot {
        uint32_t column,
            count; /* the first column of a name and how many bear it; count 0: an empty slot */
    } *name_slots; /* open addressing */
    size_t name_mask;
    ftl_table_column_request *requests;
    size_t n_requests;
    bool bound, give_json, foreign;
    bool flush_early;        /* see ftl_table_options */
    ftl_task_group *helpers; /* see ftl_table_share; NULL: none */
    size_t block_bytes, max_record;
    bool empty_is_missing; /* where a format has nulls, an empty text is one, too */
    uint64_t rows_read;
    uint64_t bytes_at; /* how far a format has come that reads at places of its own */
    ftl_error failed;  /* code != FTL_OK: what every further read returns */
};

enum {
    FTL_BLOCK_LIMIT = 1 << 30,          /* keeps offsets in 32 bits */
    FTL_RECORD_LIMIT = 15 * 1024 * 1024 /* what a stream shows at once, less a margin */
};

/* What every block begins with. */
struct ftl_table_block {
    ftl_account *account;
    const ftl_table_format *format;
    size_t rows;
    uint64_t first_row;
    const char *origin; /* of a table over parts, and its rows before these; see parts.c */
    uint64_t origin_row;
};

/*
 * A table that has no stream and no format of its own among table.c's: the caller fills what
 * ftl_table_format.open would. NULL: out of memory.
 */
ftl_table *ftl_table_new(ftl_account *account, const ftl_table_format *format);
/* Makes table->names known to ftl_table_find. */
FTL_MUST_USE ftl_status ftl_table_index_names(ftl_table *table, ftl_error *error);

/* Bytes of a block: grown, reused and freed by its format. */
typedef struct ftl_block_bytes {
    uint8_t *data;
    size_t size, room;
} ftl_block_bytes;

/* Room for size bytes in all; LIMIT beyond FTL_BLOCK_LIMIT. */
FTL_MUST_USE ftl_status ftl_block_bytes_reserve(ftl_account *account, ftl_block_bytes *bytes,
                                                size_t size, ftl_error *error);

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
    const ftl_table_format *format;
    const ftl_table_column_request *requests; /* the table's */
    size_t n_columns;
    bool empty_is_missing; /* the table's */
    ftl_column_buffer *buffers;
    ftl_column *columns; /* the view */
    size_t rows;
    size_t rows_room; /* rows that every column of cells has room for */
    bool has_texts;
    uint8_t *bad;
    size_t bad_room;
    uint32_t *bad_rows;
    size_t bad_rows_room, n_bad;
    void *state; /* the format's */
};

/*
 * Makes rows [first, rows) of a batch ready to be set, all cells of them; those before stay. first
 * 0: the batch begins anew.
 */
FTL_MUST_USE ftl_status ftl_row_batch_extend(ftl_row_batch *batch, size_t first, size_t rows,
                                             ftl_error *error);
/* FTL_TABLE_CELLS: the batch's columns become views of so many rows, which have been set. */
void ftl_row_batch_show(ftl_row_batch *batch, size_t rows);
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
/*
 * For formats with types: column i of the batch is what `from` views, or where it was asked for raw
 * a column of one of the types of outputs (plain_column.c): a view of `from` too where it has such
 * a type, else a copy in the batch's buffers. Empty texts become missing in columns that are not
 * raw, when the table's options say so.
 */
FTL_MUST_USE ftl_status ftl_row_batch_set_column(ftl_row_batch *batch, size_t i,
                                                 const ftl_column *from, ftl_error *error);
/* The type of outputs that a type becomes: F64, F32, I64, U64, BOOL or STRING. */
ftl_type ftl_plain_type(const ftl_column *column);

#endif
