/*
 * A row of JSON, an object or an array, as cells: the members that are wanted, where they stand.
 * Knows nothing of tables.
 *
 * Everything is checked against the grammar (RFC 8259 and Python's NaN, Infinity, -Infinity), but
 * for UTF-8, which the caller has seen to.
 */
#ifndef FTL_TABLE_JSON_ROW_H
#define FTL_TABLE_JSON_ROW_H

#include "base/alloc.h"
#include "kernels/json.h"

/* What is wrong with a row. */
typedef enum ftl_json_fault {
    FTL_JSON_SOUND,
    FTL_JSON_BROKEN,     /* no JSON */
    FTL_JSON_OTHER_KIND, /* an object for an array, or the other way round, or neither */
    FTL_JSON_TWICE,      /* a wanted member; ftl_json_split.fault_at says which */
    FTL_JSON_COUNT       /* ftl_json_split.n_elements is another number than that of the columns */
} ftl_json_fault;

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
    /* what stood before values in an earlier row, and mostly stands there in the next */
    ftl_json_lead *leads;
    size_t n_leads, leads_room;
    ftl_json_values_fn *values; /* a kernel; NULL: none is used */
    char *key;                  /* escapes resolved */
    size_t key_room;
} ftl_json_split;

FTL_MUST_USE ftl_status ftl_json_split_init(ftl_json_split *split, ftl_account *account,
                                            size_t n_cells, ftl_error *error);
void ftl_json_split_free(ftl_json_split *split);

/*
 * Splits row[0..size), white space around it allowed. room: bytes that are readable from row on, at
 * least size; the last values are quicker where there are FTL_JSON_ROOM more. Fails only for
 * memory.
 */
FTL_MUST_USE ftl_status ftl_json_split_row(ftl_json_split *split, const char *row, size_t size,
                                           size_t room, ftl_json_fault *fault, ftl_error *error);

/*
 * The same for a row that begins at `at`, which is no white space, and ends where it ends. *next:
 * behind it; not set where it is BROKEN. end: of what may be read.
 */
FTL_MUST_USE ftl_status ftl_json_split_at(ftl_json_split *split, const char *at, const char *end,
                                          const char **next, ftl_json_fault *fault,
                                          ftl_error *error);

#endif
