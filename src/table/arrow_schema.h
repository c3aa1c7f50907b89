/*
 * The schema of an Arrow IPC stream or file (format/Schema.fbs of Arrow): which columns there are,
 * of which type, and how many of a record batch's nodes and buffers belong to each. Fields of types
 * that are no columns here are counted like others, so that those behind them are found.
 */
#ifndef FTL_TABLE_ARROW_SCHEMA_H
#define FTL_TABLE_ARROW_SCHEMA_H

#include "base/arena.h"
#include "io/flatbuf.h"

/* What a field takes of a record batch. */
typedef struct ftl_arrow_share {
    size_t nodes, buffers;
    size_t views;      /* fields with a number of further buffers that the batch says */
    size_t once_valid; /* unions and the like: before metadata version 5 they have validity bits */
} ftl_arrow_share;

enum { FTL_ARROW_V4 = 3, FTL_ARROW_V5 = 4 }; /* as the format numbers them */

typedef struct ftl_arrow_field {
    const char *name;
    ftl_type type;       /* DICTIONARY: see index_type, value_type */
    const char *refused; /* a type that no model takes, such as "a timestamp"; NULL: type */
    ftl_type index_type, value_type;
    int32_t scale;     /* of decimals, a dictionary's as well */
    size_t dictionary; /* its place among the schema's */
    ftl_arrow_share share;
} ftl_arrow_field;

/* Dictionaries of columns; those of fields within columns are not counted. */
typedef struct ftl_arrow_dictionary_field {
    int64_t id;
    ftl_type type;
    int32_t scale; /* of decimals */
    const char *refused;
    const char *name; /* of the first column that uses it */
} ftl_arrow_dictionary_field;

typedef struct ftl_arrow_schema {
    size_t n_fields, n_dictionaries;
    ftl_arrow_field *fields;
    ftl_arrow_dictionary_field *dictionaries;
} ftl_arrow_schema;

/* The buffers that a column of a type has in a record batch, without a view's further ones. */
size_t ftl_arrow_buffers_of(ftl_type type);

/* Everything is the arena's. CORRUPT, or UNSUPPORTED for the other order of bytes. */
FTL_MUST_USE ftl_status ftl_arrow_schema_parse(const ftl_fb_table *table, ftl_arena *arena,
                                               ftl_arrow_schema *out, ftl_error *error);

#endif
