/*
 * The values of one column, page by page: a cursor over its bytes in a row group, of which one page
 * and the dictionary are in memory at a time. Cursors know nothing of each other but share what
 * decompression needs, so that each may be read by another thread at once.
 */
#ifndef FTL_TABLE_PARQUET_PAGES_H
#define FTL_TABLE_PARQUET_PAGES_H

#include "table/parquet_buffer.h"
#include "table/parquet_codec.h"
#include "table/parquet_decode.h"
#include "table/parquet_meta.h"

#include <pthread.h>

/* What a page is read and decompressed with, by one thread at a time. */
typedef struct ftl_parquet_tools {
    ftl_unpacker unpacker;
    ftl_parquet_buffer read; /* compressed pages as they are read */
    struct ftl_parquet_tools *next;
} ftl_parquet_tools;

/* What the cursors of a file share. */
typedef struct ftl_parquet_shared {
    const ftl_stream *source;
    ftl_account *account;
    size_t text_limit; /* bytes of a text */
    pthread_mutex_t lock;
    ftl_parquet_tools *idle; /* under the lock; as many as threads ever read pages at once */
} ftl_parquet_shared;

void ftl_parquet_shared_init(ftl_parquet_shared *shared, const ftl_stream *source,
                             ftl_account *account, size_t text_limit);
void ftl_parquet_shared_free(ftl_parquet_shared *shared);

/*
 * Rows of a column, appended by cursors: numbers of the column's type, or texts at offsets. Rows
 * that are null are zero or the empty text.
 */
typedef struct ftl_parquet_values {
    size_t rows, nulls;
    uint8_t *data;
    size_t data_room; /* bytes */
    size_t used;      /* bytes of texts */
    uint32_t *offsets;
    size_t offsets_room;
    uint8_t *validity; /* where the column is optional */
    size_t validity_room;
} ftl_parquet_values;

void ftl_parquet_values_clear(ftl_parquet_values *values); /* keeps the room */
void ftl_parquet_values_free(ftl_parquet_values *values, ftl_account *account);
/* A borrowed view. */
ftl_column ftl_parquet_values_view(const ftl_parquet_values *values, ftl_type type);

/* How the values of the page at hand are encoded. */
typedef enum ftl_parquet_form {
    FTL_PARQUET_PLAIN_VALUES, /* numbers, or texts with their lengths */
    FTL_PARQUET_PLAIN_BITS,   /* booleans */
    FTL_PARQUET_RUNS,         /* booleans */
    FTL_PARQUET_DICTIONARY,
    FTL_PARQUET_DELTA,
    FTL_PARQUET_DELTA_LENGTHS,
    FTL_PARQUET_DELTA_TEXTS,
    FTL_PARQUET_SPLIT
} ftl_parquet_form;

typedef struct ftl_parquet_span {
    uint32_t start, size;
} ftl_parquet_span;

typedef struct ftl_parquet_cursor {
    ftl_parquet_shared *shared;
    ftl_parquet_tools *tools; /* while a page is read */
    const ftl_parquet_column *column;
    size_t group;
    int codec;
    uint64_t at, end;   /* what is left of the chunk, in the file */
    uint64_t rows_left; /* of the row group, in pages that were not begun */
    uint64_t page_at;   /* for messages */
    size_t page_bytes;  /* of the last page with its head: how much to read for the next */
    bool begun;         /* a data page was seen */

    ftl_parquet_buffer dictionary; /* numbers, decimals as doubles; or texts where spans say */
    ftl_parquet_span *spans;
    size_t spans_room;
    uint32_t n_dictionary;
    bool has_dictionary;

    ftl_parquet_buffer page;
    uint32_t page_left;  /* rows */
    uint32_t valid_left; /* of them not null, where the page says it; else UINT32_MAX */
    ftl_rle levels;
    ftl_parquet_form form;
    const uint8_t *next, *next_end; /* the values' bytes that were not decoded */
    size_t place, places;           /* PLAIN_BITS and SPLIT: the value that comes next, and all */
    ftl_rle indices;                /* DICTIONARY, RUNS */
    ftl_delta delta;                /* DELTA; lengths of texts, or of what they add */
    ftl_delta prefixes;             /* DELTA_TEXTS */
    ftl_parquet_buffer previous;    /* DELTA_TEXTS: the last text */
    ftl_parquet_values texts;       /* decimals that are stored as bytes, on their way */
} ftl_parquet_cursor;

/* Before the first chunk. */
void ftl_parquet_cursor_init(ftl_parquet_cursor *cursor, ftl_parquet_shared *shared,
                             const ftl_parquet_column *column);
void ftl_parquet_cursor_free(ftl_parquet_cursor *cursor);
/* Goes to the column of a row group. */
FTL_MUST_USE ftl_status ftl_parquet_cursor_begin(ftl_parquet_cursor *cursor, size_t group,
                                                 uint64_t rows, const ftl_parquet_chunk *chunk,
                                                 ftl_error *error);
/* Appends n rows; CORRUPT, LIMIT or UNSUPPORTED with the place in the file. */
FTL_MUST_USE ftl_status ftl_parquet_cursor_read(ftl_parquet_cursor *cursor, size_t n,
                                                ftl_parquet_values *values, ftl_error *error);

/* ---- What parquet_values.c does for parquet_pages.c ------------------------------------------ */

/* n values of `encoding` begin at data. */
FTL_MUST_USE ftl_status ftl_parquet_values_begin(ftl_parquet_cursor *cursor, int encoding,
                                                 const uint8_t *data, size_t size,
                                                 ftl_error *error);
/* The dictionary's n values are in cursor->dictionary, as they stand in the page. */
FTL_MUST_USE ftl_status ftl_parquet_dictionary_take(ftl_parquet_cursor *cursor, uint32_t n,
                                                    ftl_error *error);
/* Room for n more rows. */
FTL_MUST_USE ftl_status ftl_parquet_values_reserve(const ftl_parquet_cursor *cursor,
                                                   ftl_parquet_values *values, size_t n,
                                                   ftl_error *error);
/*
 * Appends n rows that there is room for, `valid` of which are not null, as the validity's bits from
 * values->rows on say.
 */
FTL_MUST_USE ftl_status ftl_parquet_values_decode(ftl_parquet_cursor *cursor, size_t n,
                                                  size_t valid, ftl_parquet_values *values,
                                                  ftl_error *error);

#endif
