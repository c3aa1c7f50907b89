/*
 * Pieces of the Parquet sink: the rows of one batch, column by column, as pages will hold them.
 * Making one reads the columns only and may run in any thread; taking one apart is one thread's.
 *
 * A piece is: its head; where a column is text, the bytes of texts in each row; then each column's
 * head, validity (when a row is null), and the values of the rows that are not null:
 *  - numbers and bools (a byte each), one after the other;
 *  - texts as PLAIN bytes, or as indices into the distinct ones among them.
 * All parts begin at whole multiples of eight bytes.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_PIECE_H
#define FTL_TABLE_PARQUET_WRITE_PIECE_H

#include "table/parquet_write_dictionary.h"
#include "table/sink_impl.h"

#include <stdatomic.h>

/* What a column of a piece is, in order of its parts. */
typedef struct ftl_parquet_part {
    size_t rows, n_valid;
    const uint8_t *validity; /* NULL: no nulls */
    bool distinct;           /* texts are indices */
    const uint8_t *values;   /* numbers; PLAIN texts; distinct: PLAIN texts of the entries */
    size_t size;             /* bytes of values */
    size_t n_entries;
    const uint64_t *hashes;  /* [n_entries] */
    const uint32_t *at;      /* [n_entries] where each begins in values */
    const uint32_t *indices; /* [n_valid] */
} ftl_parquet_part;

/*
 * Appends a piece. plain: for each column whether texts are not worth being told apart, which
 * changes while others run.
 */
FTL_MUST_USE ftl_status ftl_parquet_put_piece(const ftl_sink *sink, const ftl_batch *batch,
                                              const uint8_t *skip, const atomic_bool *plain,
                                              ftl_strbuf *out, ftl_error *error);

/* A piece that is read. */
typedef struct ftl_parquet_piece {
    size_t rows;
    const uint32_t *text_bytes; /* [rows]; NULL when no column is text */
    const uint8_t *next;        /* the next column's part */
} ftl_parquet_piece;

/* The piece at data; the bytes that it has. */
size_t ftl_parquet_get_piece(const ftl_sink *sink, const void *data, ftl_parquet_piece *piece);
/* The next column. */
void ftl_parquet_get_part(ftl_parquet_piece *piece, ftl_parquet_part *part);

/* Bytes of a value of a number or a bool in a piece. */
static inline size_t ftl_parquet_width(ftl_type type)
{
    return type == FTL_F32 ? 4 : type == FTL_BOOL ? 1 : 8;
}

#endif
