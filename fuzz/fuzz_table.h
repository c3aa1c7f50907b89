/*
 * Reading a table from the bytes of a fuzzer: what the targets of all formats of rows share. Blocks
 * are read as jobs read them, each being converted when the next one was read already, so that rows
 * outlive what they came with; also those that are read last.
 */
#ifndef FTL_FUZZ_FUZZ_TABLE_H
#define FTL_FUZZ_FUZZ_TABLE_H

#include "base/column.h"
#include "table/table.h"

#include <stdlib.h>
#include <string.h>

/* ---- Opening --------------------------------------------------------------------------------- */

/* A stream that is no plain file, and yields so many bytes at a time. */
typedef struct fuzz_pieces {
    const uint8_t *data;
    size_t size, at, piece;
} fuzz_pieces;

static inline ftl_status fuzz_read_piece(void *state, void *out, size_t room, size_t *got,
                                         ftl_error *error)
{
    (void)error;
    fuzz_pieces *p = state;
    size_t n = p->size - p->at < p->piece ? p->size - p->at : p->piece;
    n = n < room ? n : room;
    if (n)
        memcpy(out, p->data + p->at, n);
    p->at += n;
    *got = n;
    return FTL_OK;
}

static inline void fuzz_close_pieces(void *state) { (void)state; }

/* piece 0: the bytes are seen as a whole. They and *pieces stay until the table is closed. */
static inline ftl_status fuzz_table_open(ftl_account *account, fuzz_pieces *pieces,
                                         const ftl_table_options *options, ftl_table **out)
{
    static const ftl_stream_ops ops = {.read = fuzz_read_piece, .close = fuzz_close_pieces};
    ftl_stream *stream;
    ftl_status status = pieces->piece ? ftl_stream_create(account, &ops, pieces, 0, &stream, NULL)
                                      : ftl_stream_open_memory(account, pieces->data, pieces->size,
                                                               &stream, NULL);
    if (status != FTL_OK)
        abort();
    status = ftl_table_open(account, stream, options, out, NULL);
    if (status == FTL_OK)
        return FTL_OK;
    ftl_stream_close(stream);
    if (ftl_account_used(account) != 0)
        abort();
    return status;
}

/* Closes it; nothing may be left. */
static inline void fuzz_table_end(ftl_account *account, ftl_table *table)
{
    ftl_table_close(table);
    if (ftl_account_used(account) != 0)
        abort();
}

/* Of a table of cells the first `most` columns, each as a number, a text or a copy, as bits say. */
static inline size_t fuzz_cell_requests(const ftl_table *table, uint8_t bits, size_t most,
                                        ftl_table_column_request *requests)
{
    size_t n = ftl_table_get_info(table)->n_columns;
    n = n < most ? n : most;
    for (size_t i = 0; i < n; i++) {
        unsigned kind = ((unsigned)bits >> i % 8 & 1u) + (i % 3 == 2u);
        requests[i] = (ftl_table_column_request){
            .index = i, .type = kind == 0 ? FTL_F64 : FTL_STRING, .raw = kind == 1};
    }
    return n;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

typedef struct fuzz_reading {
    size_t max_rows;  /* of a block */
    size_t most_rows; /* when there were so many, no more are read; 0: all are */
    bool may_fail;    /* memory may run out, and columns be found damaged when they are converted */
    void (*visit)(void *user, const ftl_table *table, const ftl_table_block *block,
                  ftl_row_batch *batch);
    void *user;
} fuzz_reading;

static inline void fuzz_convert(const fuzz_reading *how, const ftl_table *table,
                                const ftl_table_block *block, ftl_row_batch *batch)
{
    if (ftl_table_convert(table, block, batch, NULL) == FTL_OK)
        how->visit(how->user, table, block, batch);
    else if (!how->may_fail)
        abort();
}

/* Reads the rows of a bound table; why it ended. */
static inline ftl_status fuzz_table_read(ftl_table *table, const fuzz_reading *how)
{
    enum { HELD = 2 };
    ftl_table_block *blocks[HELD] = {NULL};
    ftl_row_batch *batch = NULL;
    ftl_status status = ftl_row_batch_create(table, &batch, NULL);
    for (size_t i = 0; i < HELD && status == FTL_OK; i++)
        status = ftl_table_block_create(table, &blocks[i], NULL);
    if (status != FTL_OK && !how->may_fail)
        abort();
    size_t rows = 0, n = 0;
    while (status == FTL_OK && (how->most_rows == 0 || rows < how->most_rows)) {
        status = ftl_table_read(table, how->max_rows, blocks[n % HELD], NULL);
        if (n)
            fuzz_convert(how, table, blocks[(n - 1) % HELD], batch);
        if (status == FTL_OK)
            rows += ftl_table_block_rows(blocks[n++ % HELD]);
        else
            n = 0; /* the last one was just converted */
    }
    if (n)
        fuzz_convert(how, table, blocks[(n - 1) % HELD], batch);
    ftl_row_batch_destroy(batch);
    for (size_t i = 0; i < HELD; i++)
        ftl_table_block_destroy(blocks[i]);
    return status;
}

/* A visit: looks at every value, as sinks and sessions do. user: a size_t that depends on all. */
static inline void fuzz_touch(void *user, const ftl_table *table, const ftl_table_block *block,
                              ftl_row_batch *batch)
{
    size_t sum = 0;
    ftl_row_view view;
    ftl_row_batch_view(batch, &view);
    if (view.batch.rows != ftl_table_block_rows(block))
        abort();
    (void)table;
    for (size_t i = 0; i < view.batch.n_columns; i++) {
        if (ftl_column_check(&view.batch.columns[i], view.batch.rows, NULL) != FTL_OK)
            abort();
        for (size_t row = 0; row < view.batch.rows; row++) {
            const ftl_column *column = &view.batch.columns[i];
            size_t index, size = 0;
            if (!ftl_column_find(&column, row, &index))
                continue;
            if (ftl_type_is_text(column->type)) {
                const char *text = ftl_column_text(column, index, &size);
                for (size_t k = 0; k < size; k++)
                    sum += (unsigned char)text[k];
            } else {
                sum += ftl_column_number(column, index) > 0;
            }
        }
    }
    *(volatile size_t *)user += sum;
}

#endif
