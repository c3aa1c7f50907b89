/*
 * JSON rows of known columns, in memory: an array of arrays or of objects becomes columns in one
 * pass, as the reader of JSON files would make them (json_convert.c converts for both). What a
 * decoder needs is kept, so that rows like those before take no memory of their own.
 *
 * A decoder belongs to one thread at a time.
 */
#ifndef FTL_TABLE_JSON_DECODER_H
#define FTL_TABLE_JSON_DECODER_H

#include "base/alloc.h"

typedef struct ftl_json_decoder ftl_json_decoder;

typedef struct ftl_json_wanted {
    const char *name; /* NULL: it has none; then rows are arrays */
    ftl_type type;    /* F64 or STRING */
    bool unused;      /* nobody looks at it */
} ftl_json_wanted;

/*
 * For rows that are arrays, of one element for each column, or objects, whose keys are the names of
 * columns. Columns and names are copied.
 */
FTL_MUST_USE ftl_status ftl_json_decoder_create(ftl_account *account,
                                                const ftl_json_wanted *columns, size_t n,
                                                bool objects, ftl_json_decoder **out,
                                                ftl_error *error);
void ftl_json_decoder_destroy(ftl_json_decoder *decoder); /* NULL is allowed */

typedef struct ftl_json_rows {
    size_t rows;
    size_t end;          /* of the array in the bytes, behind its bracket */
    ftl_column *columns; /* [n], the decoder's until it decodes again; texts may be missing */
    const uint8_t *bad;  /* one byte a row, as in ftl_row_view */
    size_t n_bad;
    /*
     * Objects: some column is a key of none of them, or has the name of another one. Nothing else
     * is told then.
     */
    bool lacks_columns;
    bool too_many; /* more than max_rows; the same */
} ftl_json_rows;

/*
 * data[0..size) begins with white space and an array, which has a row first or nothing at all.
 * keep_bad false: a bad row is an error, whose message begins with it ("row 3, column 'age': ...").
 * CORRUPT when the array is damaged. data stays in place as long as rows may be explained.
 */
FTL_MUST_USE ftl_status ftl_json_decode(ftl_json_decoder *decoder, const char *data, size_t size,
                                        uint64_t max_rows, bool keep_bad, ftl_json_rows *out,
                                        ftl_error *error);
/* Why a row that is bad is so; returns error->code. */
ftl_status ftl_json_decoder_explain(ftl_json_decoder *decoder, size_t row, ftl_error *error);

#endif
