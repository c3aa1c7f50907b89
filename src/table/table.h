/*
 * Tables: row sources. A table yields blocks of whole records; a block is converted into a batch of
 * columns.
 *
 *     ftl_table_open ─▶ names, dtype ─▶ ftl_table_bind ─▶ { ftl_table_read ─▶ block ─▶
 * ftl_table_convert ─▶ batch }
 *
 * Reading and converting are apart so that one thread at a time splits the file into blocks while
 * others convert them:
 *  - ftl_table_open, _bind and _read belong to one thread at a time;
 *  - ftl_table_convert reads the table and the block only and writes the batch, so that any number
 * of threads may convert different blocks into their own batches at once, also while ftl_table_read
 * fills another block. Buffers are reused: memory is bounded by the options and the bound columns,
 * never by the file.
 *
 * One file or a few per row format (csv.c, parquet.c), which bid for a table by its first bytes;
 * the name's ending decides where bytes leave a choice, and options.format overrides both. Several
 * tables one behind the other are a table as well (parts.h).
 *
 * Status codes here speak of data, not of models: SHAPE a ragged row, VALUE an unusable cell or an
 * open quote, SCHEMA the header, LIMIT a record that is too long, CORRUPT and UNSUPPORTED a damaged
 * or unusual .npy file, IO the system.
 */
#ifndef FTL_TABLE_TABLE_H
#define FTL_TABLE_TABLE_H

#include "base/executor.h"
#include "base/strbuf.h"
#include "io/stream.h"

typedef struct ftl_table ftl_table;
/* whole rows in a form of the format's own; filled by the reading thread */
typedef struct ftl_table_block ftl_table_block;
typedef struct ftl_row_batch ftl_row_batch; /* converted columns; one per converting thread */

/* Zero in any field means the default. Everything is copied. */
typedef struct ftl_table_options {
    const char *name;     /* of the file, whose ending is looked at; may be NULL */
    const char *format;   /* a format's keyword, such as "csv"; NULL: what bytes and name say */
    const char *encoding; /* what ftl_table_recode found; NULL: UTF-8 */
    char delimiter;       /* 0: sniffed among , ; tab | */
    char decimal;         /* 0: '.' */
    bool no_header;       /* the first record is data */
    /* replaces the default NA list when n_na_values > 0; the empty cell is always missing */
    const char *const *na_values;
    size_t n_na_values;
    size_t max_record_bytes; /* 0: 1 MiB */
    ftl_empty_text empty_text;
    size_t block_bytes; /* a block ends when it holds as many bytes; 0: 1 MiB */
    /*
     * of CSV and JSON lines, and with format: a block ends behind its last whole record where the
     * stream would have to wait for more, and what the table is shows its first record
     */
    bool flush_early;
    /* that the stream will yield, for who asks ftl_table_bytes_total; 0: nobody knows */
    uint64_t bytes_total;
} ftl_table_options;

/*
 * Replaces *stream (already decoded) by its UTF-8, so that every text format reads UTF-8 alone.
 * encoding NULL: what a byte order mark says, else it is UTF-8. *from: the encoding
 * that the stream was in, NULL: UTF-8, and the stream is the same. ARG for an unknown encoding, and
 * for a file that is no text. On failure *stream is still the caller's to close.
 */
FTL_MUST_USE ftl_status ftl_table_recode(ftl_account *account, ftl_stream **stream,
                                         const char *encoding, const char **from, ftl_error *error);

/* Whether a name ends as one of the formats' files do, that of a codec behind it included. */
bool ftl_table_known_ending(const char *name);

/* What ftl_table_find_origin finds. */
#define FTL_TABLE_ORIGIN "filename"

/* What a format is able to do. */
enum {
    /* cells are texts, so that a column may be anything (CSV, JSON); otherwise columns have types
     */
    FTL_TABLE_CELLS = 1u,
    /* rows are records of text: they have lines, and reject files hold them as they came */
    FTL_TABLE_RECORDS = 2u,
    /* copies of columns may be asked for as JSON */
    FTL_TABLE_JSON = 4u
};

/* Takes ownership of stream (already decoded) on success; on failure it is still the caller's. */
FTL_MUST_USE ftl_status ftl_table_open(ftl_account *account, ftl_stream *stream,
                                       const ftl_table_options *options, ftl_table **out,
                                       ftl_error *error);
/*
 * The same for an Arrow C stream, whose structure is moved: the caller's is marked as released. It
 * is read and released by the threads that read and close the table.
 */
struct ArrowArrayStream;
FTL_MUST_USE ftl_status ftl_table_open_arrow(ftl_account *account, struct ArrowArrayStream *stream,
                                             const ftl_table_options *options, ftl_table **out,
                                             ftl_error *error);
/* Moves the stream back, before the first read; the table can only be closed then. */
void ftl_table_give_back(ftl_table *table, struct ArrowArrayStream *stream);
void ftl_table_close(
    ftl_table *table); /* NULL is allowed; blocks and batches are destroyed before their table */

typedef struct ftl_table_info {
    const char *format; /* for people: "CSV", ".npy", ... */
    unsigned abilities; /* FTL_TABLE_ */
    size_t n_columns;
    bool has_names;
    int64_t rows;      /* when the format says so, otherwise -1 */
    char delimiter;    /* CSV: given or sniffed; 0 for other formats */
    char encoding[32]; /* of a text, before it was made UTF-8; "" for other formats */
    /* of a table over parts, whose first one says all else; 0, NULL: it is no such */
    size_t n_parts;
    const char *first_part;
} ftl_table_info;

const ftl_table_info *ftl_table_get_info(const ftl_table *table);
/* Name from the header (UTF-8 as it stands in the file, may be empty); NULL when the table has no
 * names. */
const char *ftl_table_column_name(const ftl_table *table, size_t index);
/* Number of columns of that name; *index receives the first when there is one. */
size_t ftl_table_find(const ftl_table *table, const char *name, size_t *index);
/*
 * A column that is not in the file, and which may be asked for raw: where a row comes from. Its
 * index is n_columns, and its name "filename". False when the table has no such column, or one of
 * that name in the file.
 */
bool ftl_table_find_origin(const ftl_table *table, const char *name, size_t *index);
/*
 * What a column holds, as it is copied to an output: F64, F32, I64, U64, BOOL or STRING. Of a table
 * with FTL_TABLE_CELLS always STRING.
 */
ftl_type ftl_table_column_type(const ftl_table *table, size_t index);
/*
 * NULL when a model may have the column or an output a copy of it. Of others, which are SCHEMA when
 * they are bound, what they hold, in words: "timestamps", "a list".
 */
const char *ftl_table_column_refused(const ftl_table *table, size_t index);
/* How a sink of the same format is called, for files of rejected rows; NULL: there is none. */
const char *ftl_table_reject_format(const ftl_table *table);
/*
 * Why reading ended, or failed with that status and error: half of a new file behind half of an old
 * one looks damaged, or whole. IO when the file is no longer what was opened. Reads ask by
 * themselves.
 */
FTL_MUST_USE ftl_status ftl_table_cause(const ftl_table *table, ftl_status status,
                                        ftl_error *error);
/* Bytes of the (decoded) stream taken so far, and in all (0: unknown), for progress. */
uint64_t ftl_table_bytes_read(const ftl_table *table);
uint64_t ftl_table_bytes_total(const ftl_table *table);

/*
 * A column that is asked for. raw false, an input: tables with FTL_TABLE_CELLS give what type says,
 * F64, F32 or STRING; other tables a column of any type of numbers or texts that a batch may have,
 * as it lies in the file. raw true, a copy: of ftl_table_column_type, cells as they stand, NA cells
 * among them.
 */
typedef struct ftl_table_column_request {
    size_t index; /* column of the table */
    ftl_type type;
    bool raw;
} ftl_table_column_request;

/*
 * Chooses what is converted: batches have these columns in this order. Copied; before the first
 * read, once. SCHEMA for a column of a type that cannot be read.
 */
FTL_MUST_USE ftl_status ftl_table_bind(ftl_table *table, const ftl_table_column_request *requests,
                                       size_t n_requests, ftl_error *error);

/*
 * FTL_TABLE_JSON: raw columns become each cell's JSON as it stands, null where it has none, in the
 * place of its text. Before the columns are bound.
 */
void ftl_table_give_json(ftl_table *table);

/* ---- Reading --------------------------------------------------------------------------------- */

FTL_MUST_USE ftl_status ftl_table_block_create(ftl_table *table, ftl_table_block **out,
                                               ftl_error *error);
void ftl_table_block_destroy(ftl_table_block *block); /* NULL is allowed */

/*
 * Fills block with the next 1..max_rows records; END when there are none left. When a record cannot
 * be read, the records before it come first and the next call fails.
 */
FTL_MUST_USE ftl_status ftl_table_read(ftl_table *table, size_t max_rows, ftl_table_block *block,
                                       ftl_error *error);

/* Whether reading it calls a program's own functions, which expect the program's thread. */
bool ftl_table_is_foreign(const ftl_table *table);
/* Its stream does, which a table cannot tell. */
void ftl_table_set_foreign(ftl_table *table);
/*
 * From now on a task of the group reads, or its owner, and where a format's reading falls into
 * parts it is shared in the group. NULL: the reading thread does all.
 */
void ftl_table_share(ftl_table *table, ftl_task_group *group);

size_t ftl_table_block_rows(const ftl_table_block *block);
uint64_t ftl_table_block_first_row(const ftl_table_block *block); /* 0-based data row */
/* 1-based line on which a row begins, header included; -1 for formats without lines. */
int64_t ftl_table_block_line(const ftl_table_block *block, size_t row);
/*
 * Of a table over parts the one that the rows are of, as its file is called, and *first_row in it
 * (may be NULL); messages about a row say so. NULL for other tables, and *first_row is
 * ftl_table_block_first_row.
 */
const char *ftl_table_block_origin(const ftl_table_block *block, uint64_t *first_row);
/*
 * Appends the row as a line of a reject file: the record as it stands in the file, and the reason.
 * For tables with FTL_TABLE_RECORDS.
 */
FTL_MUST_USE ftl_status ftl_table_block_reject(const ftl_table *table, const ftl_table_block *block,
                                               size_t row, const char *reason, ftl_strbuf *out,
                                               ftl_error *error);

/*
 * Where a table stands: behind so many rows. offset and line: of the next record in the (decoded)
 * bytes, for formats that can begin there; 0 for others, and once a read has failed.
 */
typedef struct ftl_table_position {
    uint64_t rows, offset;
    int64_t line;
} ftl_table_position;
void ftl_table_tell(const ftl_table *table, ftl_table_position *out);
/*
 * Moves a table that was bound and not read yet to where it, or another one of the same file, once
 * stood: at once where the format and the stream can, else by reading. CORRUPT when there are fewer
 * rows.
 */
FTL_MUST_USE ftl_status ftl_table_seek(ftl_table *table, const ftl_table_position *to,
                                       ftl_error *error);

/* ---- Converting ------------------------------------------------------------------------------ */

FTL_MUST_USE ftl_status ftl_row_batch_create(const ftl_table *table, ftl_row_batch **out,
                                             ftl_error *error);
void ftl_row_batch_destroy(ftl_row_batch *batch); /* NULL is allowed */

/*
 * Converts a block. Data problems do not fail it: they mark rows as bad (see ftl_row_batch_view).
 * Fails only for memory. The block must stay as it is while the batch's problems are asked for.
 */
FTL_MUST_USE ftl_status ftl_table_convert(const ftl_table *table, const ftl_table_block *block,
                                          ftl_row_batch *batch, ftl_error *error);

typedef struct ftl_row_view {
    /*
     * bound columns. Of tables with FTL_TABLE_CELLS: numbers have NaN for missing, no validity and
     * are contiguous; STRING has validity 0 for missing. Others may lie in the block, which must
     * stay as it is while they are looked at
     */
    ftl_batch batch;
    /* one byte a row: 1 = cells of the row could not be converted (they are NaN or missing) */
    const uint8_t *bad;
    size_t n_bad;
} ftl_row_view;

/* Valid until the batch is converted into again. */
void ftl_row_batch_view(const ftl_row_batch *batch, ftl_row_view *out);
/*
 * Why the i-th bad row (in row order, i < n_bad) is bad: *row receives its index in the batch;
 * error its code, line, row (of the whole table), column (of the table) and a message that names
 * line, column and the cell. Both may be NULL. The batch's scratch is used, so this belongs to the
 * batch's thread.
 */
void ftl_row_batch_problem(const ftl_table *table, const ftl_table_block *block,
                           ftl_row_batch *batch, size_t i, size_t *row, ftl_error *error);

#endif
