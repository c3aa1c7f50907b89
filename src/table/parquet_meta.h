/*
 * What a Parquet file says of itself (parquet.apache.org, parquet.thrift): its footer, the columns
 * of its schema, its row groups, and where a row group's columns lie.
 *
 * The footer stays in memory as it is. Of a row group only its place there is kept: what it says of
 * its columns is read when the row group is begun, for the columns that are wanted, so that memory
 * does not grow with row groups times columns.
 */
#ifndef FTL_TABLE_PARQUET_META_H
#define FTL_TABLE_PARQUET_META_H

#include "base/arena.h"
#include "io/stream.h"

/* How values are stored; as the format numbers them. */
typedef enum ftl_parquet_physical {
    FTL_PARQUET_BOOLEAN = 0,
    FTL_PARQUET_INT32 = 1,
    FTL_PARQUET_INT64 = 2,
    FTL_PARQUET_INT96 = 3,
    FTL_PARQUET_FLOAT = 4,
    FTL_PARQUET_DOUBLE = 5,
    FTL_PARQUET_BYTE_ARRAY = 6,
    FTL_PARQUET_FIXED = 7,
    FTL_PARQUET_GROUP = 8 /* of our own: no value but a group of columns */
} ftl_parquet_physical;

/* A field at the top of the schema. */
typedef struct ftl_parquet_column {
    const char *name;    /* UTF-8 */
    const char *refused; /* what it holds, when that is nothing for a model: "timestamps" */
    uint32_t leaf;       /* its column among those of a row group; its first one, for a group */
    ftl_parquet_physical physical;
    uint32_t width; /* bytes of a value, where values have a fixed size; else 0 */
    ftl_type type;  /* what its values are read as, unless refused */
    bool optional;
    bool decimal; /* integers of any stored form, over 10**scale; read as F64 */
    int32_t scale;
} ftl_parquet_column;

typedef struct ftl_parquet_group {
    uint64_t rows;
    uint32_t at; /* its struct in the footer */
} ftl_parquet_group;

typedef struct ftl_parquet_meta {
    uint8_t *footer;
    size_t footer_size;
    uint64_t footer_at; /* in the file; data ends there */
    ftl_parquet_column *columns;
    size_t n_columns;
    uint32_t n_leaves;
    ftl_parquet_group *groups;
    size_t n_groups;
    uint64_t rows;
} ftl_parquet_meta;

/* The bytes of one column in one row group. */
typedef struct ftl_parquet_chunk {
    uint64_t begin, end; /* in the file, inside of the data */
    int codec;
} ftl_parquet_chunk;

/* Whether data begins as a Parquet file does. */
bool ftl_parquet_magic(const uint8_t *data, size_t size);

/* source has an extent (io/stream.h). The footer and all else lie in the arena. */
FTL_MUST_USE ftl_status ftl_parquet_meta_read(const ftl_stream *source, ftl_arena *arena,
                                              ftl_parquet_meta *out, ftl_error *error);

/*
 * Where the columns wanted[0..n) of a row group lie: chunks[i] is of wanted[i]. wanted: columns
 * that are not refused, in the order of their leaves, each once.
 */
FTL_MUST_USE ftl_status ftl_parquet_chunks(const ftl_parquet_meta *meta, size_t group,
                                           const ftl_parquet_column *const *wanted, size_t n,
                                           ftl_parquet_chunk *chunks, ftl_error *error);

#endif
