/*
 * Rows of Arrow columns in memory, of which blocks are slices: what the readers of Arrow IPC and of
 * Arrow C streams share. Rows are counted references: made by the reading thread, held by the
 * blocks that show them, read by any thread.
 */
#ifndef FTL_TABLE_ARROW_ROWS_H
#define FTL_TABLE_ARROW_ROWS_H

#include "table/table_impl.h"

typedef struct ftl_arrow_rows ftl_arrow_rows;
struct ftl_arrow_rows {
    _Atomic size_t references;
    ftl_account *account;
    size_t rows;
    uint64_t batch, first; /* of which record batch, from which of its rows on; for messages */
    ftl_column *columns;
    /* [n_columns] bytes that the texts' offsets may reach; SIZE_MAX: nobody knows */
    size_t *text_sizes;
    size_t n_columns;
    ftl_block_bytes bytes; /* what columns view, unless something else holds it */
    /* other rows that the columns refer to: dictionaries, buffers of views; NULL where none is */
    ftl_arrow_rows **held;
    size_t n_held;
    /* frees what else the columns view; NULL: nothing */
    void (*release)(ftl_arrow_rows *rows);
    void *user;
};

/* With room for so many columns and holds, one reference and no rows. */
FTL_MUST_USE ftl_status ftl_arrow_rows_create(ftl_account *account, size_t n_columns, size_t n_held,
                                              ftl_arrow_rows **out, ftl_error *error);
void ftl_arrow_rows_let_go(ftl_arrow_rows *rows); /* of what it holds */
ftl_arrow_rows *ftl_arrow_rows_retain(ftl_arrow_rows *rows);
void ftl_arrow_rows_release(ftl_arrow_rows *rows); /* NULL is allowed */

/* A block of a table: rows from..from + block.rows of the columns that were asked for. */
typedef struct ftl_arrow_block {
    ftl_table_block block;
    ftl_arrow_rows *rows;
    size_t from;
    const size_t *places; /* of each request among the rows' columns; the table's */
} ftl_arrow_block;

/* Members of ftl_table_format. */
void ftl_arrow_block_free(ftl_table_block *block);
FTL_MUST_USE ftl_status ftl_arrow_convert(const ftl_table *table, const ftl_table_block *block,
                                          ftl_row_batch *batch, ftl_error *error);

/* Shows the next 1..max_rows rows from *next on, which is moved behind them. */
void ftl_arrow_block_show(ftl_arrow_block *block, ftl_arrow_rows *rows, const size_t *places,
                          size_t *next, size_t max_rows);
/*
 * The columns that are asked for, each once and in their order, and the place of each request among
 * them. Both are the table's arena's.
 */
FTL_MUST_USE ftl_status ftl_arrow_list_wanted(ftl_table *table, size_t **wanted, size_t *n_wanted,
                                              size_t **places, ftl_error *error);
/*
 * Whether the offsets, views and indices of all rows stay within what a column has; a dictionary
 * was checked when it came. CORRUPT, with a message that goes on behind the column's name.
 * text_size: as in ftl_arrow_rows. LIMIT when a text is longer than the limit.
 */
FTL_MUST_USE ftl_status ftl_arrow_column_check(const ftl_column *column, size_t rows,
                                               size_t text_size, size_t limit, ftl_error *error);
ftl_status ftl_arrow_long_text(uint64_t size, size_t limit, ftl_error *error);

#endif
