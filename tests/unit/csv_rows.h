/* Rows of a batch as lines of CSV, as a sink makes them. */
#ifndef FTL_TESTS_CSV_ROWS_H
#define FTL_TESTS_CSV_ROWS_H

#include "table/sink.h"

/* Appends them to out. Columns are of types that sinks take, 16 at most; without any, empty lines.
 */
static inline ftl_status csv_rows(ftl_account *account, const ftl_batch *batch, const uint8_t *skip,
                                  ftl_strbuf *out, ftl_error *error)
{
    enum { MOST_COLUMNS = 16 };
    ftl_sink_column columns[MOST_COLUMNS];
    const ftl_sink_options options = {
        .path = "/dev/null", .format = "csv", .columns = columns, .n_columns = batch->n_columns};
    ftl_sink *sink;
    if (batch->n_columns > MOST_COLUMNS)
        return FTL_FAIL(error, FTL_ARG, "%zu columns", batch->n_columns);
    for (size_t row = 0; batch->n_columns == 0 && row < batch->rows; row++)
        ftl_strbuf_puts(out, skip && skip[row] ? "" : "\n");
    if (batch->n_columns == 0)
        return out->failed ? FTL_OOM(error) : FTL_OK;
    for (size_t i = 0; i < batch->n_columns; i++)
        columns[i] = (ftl_sink_column){"c", batch->columns[i].type};
    FTL_TRY(ftl_sink_open(account, &options, &sink, error));
    ftl_status status = ftl_sink_format(sink, batch, skip, out, error);
    ftl_sink_abort(sink);
    return status;
}

#endif
