/*
 * A row of JSON, an object or an array, as cells: the members that are wanted, where they stand.
 * Knows nothing of tables; reads the row only.
 *
 * Everything is checked against the grammar (RFC 8259 and Python's NaN, Infinity, -Infinity), but
 * for UTF-8, which the caller has seen to.
 */
#ifndef FTL_TABLE_JSON_ROW_H
#define FTL_TABLE_JSON_ROW_H

#include "base/alloc.h"

typedef enum ftl_json_kind {
    FTL_JSON_ABSENT, /* no such member */
    FTL_JSON_IS_NULL,
    FTL_JSON_PLAIN,   /* a text without escapes; what stands between the quotes */
    FTL_JSON_ESCAPED, /* a text with escapes, as written */
    FTL_JSON_FINITE,  /* a number's characters */
    FTL_JSON_WORD,    /* NaN, Infinity, -Infinity */
    FTL_JSON_IS_TRUE,
    FTL_JSON_IS_FALSE,
    FTL_JSON_NESTED /* an object or an array, as it stands */
} ftl_json_kind;

typedef struct ftl_json_cell {
    const char *text;
    uint32_t size;
    ftl_json_kind kind;
    /* FTL_JSON_FINITE, and known: its value. Else it has more digits than are gathered in passing
     */
    bool known;
    double value;
} ftl_json_cell;

/* What is wrong with a row. */
typedef enum ftl_json_fault {
    FTL_JSON_SOUND,
    FTL_JSON_BROKEN,     /* no JSON */
    FTL_JSON_OTHER_KIND, /* an object for an array, or the other way round, or neither */
    FTL_JSON_TWICE,      /* a wanted member; ftl_json_split.fault_at says which */
    FTL_JSON_COUNT       /* ftl_json_split.n_elements is another number than that of the columns */
} ftl_json_fault;

/* A key where it stood in the row before, which is where it mostly stands in the next one. */
typedef struct ftl_json_expected {
    uint32_t size;  /* with its closing quote; 0: nothing is expected */
    int32_t wanted; /* -1: nobody wants it */
    uint64_t mask;  /* of the bytes of the first eight that it has */
    char text[48];
} ftl_json_expected;

/*
 * What splitting a row takes and yields. The caller sets find and user, or columns; the rest is
 * zeroed once and reused from row to row by one thread. Give it back with ftl_json_split_free.
 */
typedef struct ftl_json_split {
    ftl_account *account;
    /* rows are objects: which cell a key belongs to, -1: none */
    int32_t (*find)(const void *user, const char *key, size_t size);
    const void *user;
    /* rows are arrays: which cell element i belongs to */
    const int32_t *columns;
    size_t n_columns;

    ftl_json_cell *cells; /* n_cells of them */
    size_t n_cells;
    int32_t fault_at;
    size_t n_elements;
    ftl_json_expected *expected;
    size_t n_expected, expected_room;
    char *key; /* escapes resolved */
    size_t key_room;
} ftl_json_split;

FTL_MUST_USE ftl_status ftl_json_split_init(ftl_json_split *split, ftl_account *account,
                                            size_t n_cells, ftl_error *error);
void ftl_json_split_free(ftl_json_split *split);

/* Splits row[0..size), white space around it allowed. Fails only for memory. */
FTL_MUST_USE ftl_status ftl_json_split_row(ftl_json_split *split, const char *row, size_t size,
                                           ftl_json_fault *fault, ftl_error *error);

#endif
