/*
 * A column chunk in the making: the rows of one column in one row group, as pages. Where pages end
 * depends on the rows alone, never on the batches that they came in. One thread's.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_CHUNK_H
#define FTL_TABLE_PARQUET_WRITE_CHUNK_H

#include "table/parquet_write_page.h"
#include "table/parquet_write_piece.h"
#include "table/parquet_write_range.h"

enum {
    FTL_PARQUET_PAGE_ROWS = 1 << 17,       /* 1 MiB of float64 */
    FTL_PARQUET_PAGE_BYTES = 1 << 20,      /* of PLAIN texts */
    FTL_PARQUET_DICTIONARY_BYTES = 1 << 20 /* more, and the texts become PLAIN */
};

typedef struct ftl_parquet_chunk {
    ftl_account *account;
    ftl_type type;
    /* the page that is being filled */
    size_t rows, n_valid;
    uint8_t *validity; /* has_nulls: bits of the rows */
    size_t validity_room;
    bool has_nulls;
    uint8_t *values; /* numbers, bools, PLAIN texts */
    size_t size, values_room;
    uint32_t *indices; /* texts of the dictionary: [n_valid] */
    size_t indices_room;
    /* the pages before it */
    ftl_parquet_page *first, *last;
    ftl_parquet_page *dictionary_page; /* when the chunk has ended; NULL: it has none */
    int32_t n_indices, n_plain;        /* how many are of indices, and of PLAIN values */
    uint64_t rows_ended;               /* rows in them */
    ftl_parquet_range range;
    /* texts */
    bool plain; /* no dictionary, and never again */
    ftl_parquet_dictionary dictionary;
    uint32_t *map; /* a piece's entries in the dictionary; UINT32_MAX: not looked for yet */
    size_t map_room;
} ftl_parquet_chunk;

/* A column of a piece, some of whose rows were taken already. */
typedef struct ftl_parquet_cursor {
    ftl_parquet_part part;
    size_t row, n_valid; /* taken */
    size_t at;           /* of the next value; of PLAIN texts: in bytes */
} ftl_parquet_cursor;

void ftl_parquet_chunk_init(ftl_parquet_chunk *chunk, ftl_account *account, ftl_type type);
void ftl_parquet_chunk_free(ftl_parquet_chunk *chunk);

/* Passes over rows of a piece. */
void ftl_parquet_cursor_skip(ftl_parquet_cursor *cursor, ftl_type type, size_t rows);
/* Begins a piece. */
FTL_MUST_USE ftl_status ftl_parquet_chunk_begin(ftl_parquet_chunk *chunk,
                                                const ftl_parquet_cursor *cursor, ftl_error *error);
/* Takes the next n rows of the piece. */
FTL_MUST_USE ftl_status ftl_parquet_chunk_take(ftl_parquet_chunk *chunk, ftl_parquet_press *press,
                                               ftl_parquet_cursor *cursor, size_t n,
                                               ftl_error *error);
/*
 * Completes the chunk: its last page, and the dictionary's, which comes first in the file. They
 * stay until the chunk is cleared for the next row group.
 */
FTL_MUST_USE ftl_status ftl_parquet_chunk_end(ftl_parquet_chunk *chunk, ftl_parquet_press *press,
                                              ftl_error *error);
void ftl_parquet_chunk_clear(ftl_parquet_chunk *chunk);

#endif
