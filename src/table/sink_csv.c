/* CSV output: quotes where they are needed, shortest exact numbers, nothing for what is missing. */
#include "base/number.h"
#include "table/sink_impl.h"

#include <ctype.h>
#include <string.h>

/* The top bit of each byte that is c, repeated in c8, and of some behind one that is. */
static uint64_t equal_bytes(uint64_t bytes, uint64_t c8)
{
    bytes ^= c8;
    return (bytes - UINT64_C(0x0101010101010101)) & ~bytes & UINT64_C(0x8080808080808080);
}

static bool needs_quotes(const char *text, size_t size, char delimiter)
{
    const uint64_t eight = UINT64_C(0x0101010101010101), delimiters = (uint8_t)delimiter * eight;
    for (; size >= 8; text += 8, size -= 8) {
        uint64_t bytes;
        memcpy(&bytes, text, sizeof bytes);
        if (equal_bytes(bytes, delimiters) | equal_bytes(bytes, '"' * eight) |
            equal_bytes(bytes, '\n' * eight) | equal_bytes(bytes, '\r' * eight))
            return true;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == delimiter || text[i] == '"' || text[i] == '\n' || text[i] == '\r')
            return true;
    }
    return false;
}

/* The put functions write into room that was reserved, and return the place behind. */

static char *put_quoted(char *out, const char *text, size_t size)
{
    *out++ = '"';
    for (const char *end = text + size; text < end;) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        const char *stop = quote ? quote + 1 : end;
        memcpy(out, text, (size_t)(stop - text));
        out += stop - text;
        if (quote)
            *out++ = '"';
        text = stop;
    }
    *out++ = '"';
    return out;
}

static bool is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t')
            return false;
    }
    return true;
}

/* What a text may take, in quotes and all its bytes doubled, and the delimiter. */
static size_t text_room(size_t size) { return 2 * size + 3; }

/* alone: the only cell of its line, where a blank one would make a blank line, which readers skip.
 */
static char *put_text(char *out, const char *text, size_t size, char delimiter, bool alone)
{
    if (needs_quotes(text, size, delimiter) || (alone && is_blank(text, size)))
        return put_quoted(out, text, size);
    memcpy(out, text, size);
    return out + size;
}

/* How rows are written. */
typedef struct layout {
    char delimiter;
    bool alone;         /* there is one column */
    bool plain_numbers; /* no number's text needs quotes */
} layout;

static char *put_number(char *out, const ftl_column *column, size_t row, const layout *l)
{
    char text[FTL_F64_TEXT_SIZE];
    bool valid = ftl_column_is_valid(column, row);
    size_t size;
    if (FTL_LIKELY(valid && column->type == FTL_F64 && l->plain_numbers)) {
        double value;
        memcpy(&value, ftl_column_at(column, row, sizeof value), sizeof value);
        size = value == value ? ftl_print_f64(value, out) : 0;
    } else if (l->plain_numbers) {
        size = valid ? ftl_column_number_text(column, row, out) : 0;
    } else {
        size = valid ? ftl_column_number_text(column, row, text) : 0;
        return put_text(out, text, size, l->delimiter, l->alone);
    }
    return size || !l->alone ? out + size : put_quoted(out, "", 0);
}

static size_t text_size(const ftl_column *column, size_t row)
{
    return ftl_column_is_valid(column, row) ? column->offsets[row + 1] - column->offsets[row] : 0;
}

static size_t row_room(const ftl_batch *batch, size_t row)
{
    size_t room = 1;
    for (size_t i = 0; i < batch->n_columns; i++) {
        const ftl_column *column = &batch->columns[i];
        room += text_room(column->type == FTL_STRING ? text_size(column, row) : FTL_F64_TEXT_SIZE);
    }
    return room;
}

static char *put_row(char *out, const ftl_batch *batch, size_t row, const layout *l)
{
    for (size_t i = 0; i < batch->n_columns; i++) {
        const ftl_column *column = &batch->columns[i];
        if (i)
            *out++ = l->delimiter;
        if (column->type == FTL_STRING) {
            size_t size = text_size(column, row);
            const char *text = size ? (const char *)column->values + column->offsets[row] : "";
            out = put_text(out, text, size, l->delimiter, l->alone);
        } else {
            out = put_number(out, column, row, l);
        }
    }
    *out++ = '\n';
    return out;
}

static ftl_status csv_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                             ftl_strbuf *out, ftl_error *error)
{
    const char delimiter = sink->delimiter;
    const layout l = {.delimiter = delimiter,
                      .alone = batch->n_columns == 1,
                      .plain_numbers = !isalnum((unsigned char)delimiter) &&
                                       !strchr("+-.", delimiter)};
    for (size_t row = 0; row < batch->rows; row++) {
        if (skip && skip[row])
            continue;
        char *begin = ftl_strbuf_reserve(out, row_room(batch, row));
        if (!begin)
            return FTL_OOM(error);
        out->size += (size_t)(put_row(begin, batch, row, &l) - begin);
    }
    return FTL_OK;
}

static ftl_status csv_begin(ftl_sink *sink, ftl_error *error)
{
    if (sink->delimiter == '"' || sink->delimiter == '\n' || sink->delimiter == '\r')
        return FTL_FAIL(error, FTL_ARG, "the output's delimiter is no quote and no line end");
    for (size_t i = 0; i < sink->n_columns; i++) {
        const char *name = sink->columns[i].name;
        char *begin = ftl_strbuf_reserve(&sink->scratch, text_room(strlen(name)));
        if (!begin)
            return FTL_OOM(error);
        char *end = put_text(begin, name, strlen(name), sink->delimiter, sink->n_columns == 1);
        *end++ = i + 1 < sink->n_columns ? sink->delimiter : '\n';
        sink->scratch.size += (size_t)(end - begin);
    }
    return ftl_output_write(&sink->output, sink->scratch.data, sink->scratch.size, error);
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
