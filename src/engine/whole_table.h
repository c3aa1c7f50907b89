/*
 * A table that lies in memory, read whole: the general way of ftl_session_read, for every format
 * and every shape. One thread at a time.
 */
#ifndef FTL_ENGINE_WHOLE_TABLE_H
#define FTL_ENGINE_WHOLE_TABLE_H

#include "engine/job.h"
#include "foretell/rows.h"

/* Rows that were read and converted together. */
typedef struct ftl_table_piece {
    ftl_table_block *block; /* NULL once its rows were copied and none of them is bad */
    ftl_row_batch *batch;
    size_t first, rows;
} ftl_table_piece;

/* Zero before ftl_whole_table_read, and after ftl_whole_table_free. */
typedef struct ftl_whole_table {
    ftl_account *account;
    ftl_arena arena;  /* of the binding and of what is below */
    ftl_model *model; /* held; of as many columns as the table has, where it does not say */
    ftl_table *table;
    ftl_binding binding;
    ftl_table_piece *pieces;
    size_t n_pieces, pieces_room;
    size_t rows, n_bad;
    ftl_column *inputs; /* [binding.n_inputs] */
    const uint8_t *bad; /* [rows] 1: cells of the row could not be read; NULL when n_bad is 0 */
} ftl_whole_table;

/* LIMIT when so many rows are more than the options allow. */
FTL_MUST_USE ftl_status ftl_read_limit(size_t rows, size_t n_inputs,
                                       const ftl_read_options *options, ftl_error *error);
/*
 * Reads all rows. data stays in place until ftl_whole_table_free, which is to be called on failure
 * as well. fail: the first cell that cannot be read is an error.
 */
FTL_MUST_USE ftl_status ftl_whole_table_read(ftl_whole_table *whole, ftl_account *account,
                                             ftl_model *model, const void *data, size_t size,
                                             const ftl_read_options *options, bool fail,
                                             ftl_error *error);
void ftl_whole_table_free(ftl_whole_table *whole);
/* Why a row that is bad is so; returns error->code. */
ftl_status ftl_whole_table_explain(const ftl_whole_table *whole, size_t row, ftl_error *error);

#endif
