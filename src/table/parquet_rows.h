/*
 * The rows of a Parquet file, of the columns that are wanted. Of one thread, which others help:
 * each column is decoded by itself.
 */
#ifndef FTL_TABLE_PARQUET_ROWS_H
#define FTL_TABLE_PARQUET_ROWS_H

#include "base/executor.h"
#include "table/parquet_pages.h"

typedef struct ftl_parquet_rows {
    ftl_account *account;
    ftl_parquet_meta meta;
    ftl_arena arena;
    ftl_parquet_shared shared;
    const ftl_parquet_column **wanted; /* in the order of the file, each once */
    ftl_parquet_chunk *chunks;         /* of the row group at hand, as wanted */
    ftl_parquet_cursor *cursors;       /* as wanted */
    ftl_task_group *helpers;           /* NULL: nobody helps */
    size_t n_wanted;
    bool has_text;
    size_t group;        /* the one at hand */
    uint64_t group_left; /* rows of it */
    size_t block_text;   /* about so many bytes of text are read at once */
} ftl_parquet_rows;

/* source is borrowed, and has an extent (io/stream.h). text_limit: bytes of one text; block_text:
 * see above. free is for the caller also on failure. */
FTL_MUST_USE ftl_status ftl_parquet_rows_open(ftl_parquet_rows *rows, ftl_account *account,
                                              const ftl_stream *source, size_t text_limit,
                                              size_t block_text, ftl_error *error);
void ftl_parquet_rows_free(ftl_parquet_rows *rows);

/*
 * Chooses columns by their index; the same one may come twice. Once. SCHEMA for one that holds
 * nothing for a model.
 */
FTL_MUST_USE ftl_status ftl_parquet_rows_want(ftl_parquet_rows *rows, const size_t *columns,
                                              size_t n, ftl_error *error);
/* Where the values of a column are among those that are read; it was wanted and is not of NULLs. */
size_t ftl_parquet_rows_slot(const ftl_parquet_rows *rows, size_t column);

/*
 * The next 1..max_rows rows: values[i] of wanted[i], which are cleared before. *n: how many; when
 * it fails, those before the failure. END when there are none left.
 */
FTL_MUST_USE ftl_status ftl_parquet_rows_read(ftl_parquet_rows *rows, size_t max_rows,
                                              ftl_parquet_values *values, size_t *n,
                                              ftl_error *error);

#endif
