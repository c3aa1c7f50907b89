/*
 * Rows that lie in memory, such as the body of a request, as what a session runs: ftl_session_read,
 * then ftl_session_run. Conventions: foretell.h; docs/ROWS.md explains.
 *
 * Thread-safety: a session belongs to one thread at a time, and so does what it has read.
 */
#ifndef FORETELL_ROWS_H
#define FORETELL_ROWS_H

#include "foretell/foretell.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ftl_read_options {
    size_t struct_size;
    const char *format; /* "json", "jsonl", "csv", "arrow", "parquet" or "npy"; NULL: JSON */
    uint64_t max_rows;  /* LIMIT when there are more; 0: no limit */
    uint64_t max_cells; /* the same for rows x the model's inputs */
    char delimiter;     /* as in ftl_score_options, from here on */
    char decimal;       /* 0: '.' */
    bool no_header;     /* the first record is data */
    ftl_empty_text empty_text;
    const char *const *na_values; /* replaces the default NA list when n_na_values > 0 */
    size_t n_na_values;
    const char *encoding; /* NULL: UTF-8, and what a byte order mark says */
} ftl_read_options;

/*
 * Reads the rows of a table at data[0..size) into the columns that the session's model takes: *out
 * is what ftl_session_run takes. Cells become inputs as those of a file do (docs/FILES.md), bit for
 * bit. Columns are matched by name where the table and the model have names, else by position.
 *
 * JSON that is an array of arrays, [[1, 2], [3, 4]], or of objects, [{"a": 1}, {"a": 2}], is read
 * in one pass, and without any allocation when the session has read as much before. Arrays have a
 * value for each of the model's inputs, in order. Of objects, keys that the model does not know are
 * passed over; one that some of the rows lack is a missing value there, one that all of them lack
 * is SCHEMA. [] has no rows and is allowed, unless the model does not say which columns it takes.
 *
 * *out is the session's: it is good until the session reads again, goes back to its pool or is
 * destroyed, and it may view data, which stays in place until then. It stays untouched on failure.
 * What the session computed before is gone in any case.
 *
 * *taken, for JSON alone: receives the bytes of the one JSON value that begins at data, and what
 * follows it is not looked at. taken NULL: data is one table and nothing more.
 *
 * Errors: a cell that cannot be read is VALUE, with the row, the input's position as the column,
 * and a message that begins with both: "row 3, column 'age': ...". Where the session's on_error is
 * NULL such rows are no error: their cells are missing, the next ftl_session_run of *out counts
 * them among the bad rows, and ftl_session_bad_row tells why. SHAPE for an array of another length,
 * SCHEMA for columns that are missing, CORRUPT for what is no table, LIMIT for max_rows and
 * max_cells. options may be NULL.
 */
FTL_API FTL_MUST_USE ftl_status ftl_session_read(ftl_session *session, const void *data,
                                                 size_t size, const ftl_read_options *options,
                                                 size_t *taken, ftl_batch *out, ftl_error *error);

#ifdef __cplusplus
}
#endif
#endif
