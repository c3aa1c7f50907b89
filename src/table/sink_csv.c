/* CSV output: quotes where they are needed, shortest exact numbers, nothing for what is missing. */
#include "base/number.h"
#include "table/sink_impl.h"

#include <string.h>

static bool needs_quotes(const char *text, size_t size, char delimiter)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == delimiter || text[i] == '"' || text[i] == '\n' || text[i] == '\r')
            return true;
    }
    return false;
}

static void put_quoted(ftl_strbuf *out, const char *text, size_t size)
{
    ftl_strbuf_putc(out, '"');
    for (const char *end = text + size; text < end;) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        const char *stop = quote ? quote + 1 : end;
        ftl_strbuf_append(out, text, (size_t)(stop - text));
        if (quote)
            ftl_strbuf_putc(out, '"');
        text = stop;
    }
    ftl_strbuf_putc(out, '"');
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    }
    return true;
}

/* alone: the only cell of its line, where a blank one would make a blank line, which readers skip.
 */
static void put_text(ftl_strbuf *out, const char *text, size_t size, char delimiter, bool alone)
{
    if (needs_quotes(text, size, delimiter) || (alone && is_blank(text, size)))
        put_quoted(out, text, size);
    else
        ftl_strbuf_append(out, text, size);
}

/* A number's text; 0 bytes for a missing one. */
static size_t number_text(const ftl_column *column, size_t row, char text[FTL_F64_TEXT_SIZE])
{
    return ftl_column_is_valid(column, row) ? ftl_column_number_text(column, row, text) : 0;
}

static void put_cell(ftl_strbuf *out, const ftl_column *column, size_t row, char delimiter,
                     bool alone)
{
    if (column->type == FTL_STRING) {
        size_t begin = column->offsets[row];
        size_t size = ftl_column_is_valid(column, row) ? column->offsets[row + 1] - begin : 0;
        put_text(out, size ? (const char *)column->values + begin : "", size, delimiter, alone);
        return;
    }
    char text[FTL_F64_TEXT_SIZE];
    put_text(out, text, number_text(column, row, text), delimiter, alone);
}

ftl_status ftl_csv_format(const ftl_batch *batch, const uint8_t *skip, char delimiter,
                          ftl_strbuf *out, ftl_error *error)
{
    bool alone = batch->n_columns == 1;
    for (size_t row = 0; row < batch->rows; row++) {
        if (skip && skip[row])
            continue;
        for (size_t i = 0; i < batch->n_columns; i++) {
            if (i)
                ftl_strbuf_putc(out, delimiter);
            put_cell(out, &batch->columns[i], row, delimiter, alone);
        }
        ftl_strbuf_putc(out, '\n');
    }
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status csv_begin(ftl_sink *sink, ftl_error *error)
{
    if (sink->delimiter == '"' || sink->delimiter == '\n' || sink->delimiter == '\r')
        return FTL_FAIL(error, FTL_ARG, "the output's delimiter is no quote and no line end");
    for (size_t i = 0; i < sink->n_columns; i++) {
        if (i)
            ftl_strbuf_putc(&sink->scratch, sink->delimiter);
        const char *name = sink->columns[i].name;
        put_text(&sink->scratch, name, strlen(name), sink->delimiter, sink->n_columns == 1);
    }
    ftl_strbuf_putc(&sink->scratch, '\n');
    if (sink->scratch.failed)
        return FTL_OOM(error);
    return ftl_output_write(&sink->output, sink->scratch.data, sink->scratch.size, error);
}

static ftl_status csv_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                             ftl_strbuf *out, ftl_error *error)
{
    return ftl_csv_format(batch, skip, sink->delimiter, out, error);
}

static const char *const csv_endings[] = {".csv", ".tsv", ".tab", ".txt", NULL};

const ftl_sink_kind ftl_sink_csv = {
    .name = "CSV",
    .keyword = "csv",
    .endings = csv_endings,
    .text = true,
    .grows = true,
    .begin = csv_begin,
    .format = csv_format,
};
