/*
 * JSON output: an object a row, in an array (.json) or each on a line (.jsonl). What is missing is
 * null, and so is NaN, as pandas writes it; infinity, which JSON has no word for, is 1e999, which
 * readers take for it.
 */
#include "base/number.h"
#include "table/sink_impl.h"

#include <math.h>
#include <string.h>

/* Begins each value: {"name": of the first column, ,"name": of the others. */
typedef struct json_sink {
    const char **before;
    size_t *sizes;
} json_sink;

static void put_text(ftl_strbuf *out, const char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;
    ftl_strbuf_putc(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (FTL_LIKELY(c >= 0x20 && c != '"' && c != '\\'))
            continue;
        ftl_strbuf_append(out, text + from, i - from);
        from = i + 1;
        if (c >= 0x20) {
            ftl_strbuf_putc(out, '\\');
            ftl_strbuf_putc(out, (char)c);
        } else {
            const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            ftl_strbuf_append(out, escape, sizeof escape);
        }
    }
    ftl_strbuf_append(out, text + from, size - from);
    ftl_strbuf_putc(out, '"');
}

static void put_number(ftl_strbuf *out, const ftl_column *column, size_t row)
{
    char text[FTL_F64_TEXT_SIZE];
    size_t size = ftl_column_number_text(column, row, text);
    if (column->type == FTL_BOOL) {
        ftl_strbuf_puts(out, text[0] == 'T' ? "true" : "false");
        return;
    }
    char last = size ? text[size - 1] : 0; /* of "inf": no other number ends with a letter */
    if (size == 0)
        ftl_strbuf_puts(out, "null");
    else if (last == 'f')
        ftl_strbuf_puts(out, text[0] == '-' ? "-1e999" : "1e999");
    else
        ftl_strbuf_append(out, text, size);
}

static void put_value(ftl_strbuf *out, bool json, const ftl_column *column, size_t row)
{
    if (!ftl_column_is_valid(column, row)) {
        ftl_strbuf_append(out, "null", 4);
        return;
    }
    if (column->type != FTL_STRING) {
        put_number(out, column, row);
        return;
    }
    const char *text = (const char *)column->values + column->offsets[row];
    size_t size = column->offsets[row + 1] - column->offsets[row];
    if (json)
        ftl_strbuf_append(out, text, size);
    else
        put_text(out, text, size);
}

static void put_row(ftl_strbuf *out, const ftl_sink *sink, const ftl_batch *batch, size_t row)
{
    const json_sink *json = sink->state;
    for (size_t i = 0; i < batch->n_columns; i++) {
        ftl_strbuf_append(out, json->before[i], json->sizes[i]);
        put_value(out, i < sink->n_json, &batch->columns[i], row);
    }
}

static ftl_status begin(ftl_sink *sink, ftl_error *error)
{
    json_sink *json = sink->state;
    json->before = ftl_arena_array(&sink->arena, sink->n_columns, sizeof *json->before);
    json->sizes = ftl_arena_array(&sink->arena, sink->n_columns, sizeof *json->sizes);
    if (!json->before || !json->sizes)
        return FTL_OOM(error);
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_strbuf_clear(&sink->scratch);
        ftl_strbuf_putc(&sink->scratch, i ? ',' : '{');
        put_text(&sink->scratch, sink->columns[i].name, strlen(sink->columns[i].name));
        ftl_strbuf_putc(&sink->scratch, ':');
        if (sink->scratch.failed)
            return FTL_OOM(error);
        json->sizes[i] = sink->scratch.size;
        json->before[i] = ftl_arena_string(&sink->arena, sink->scratch.data, sink->scratch.size);
        if (!json->before[i])
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status lines_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                               ftl_strbuf *out, ftl_error *error)
{
    for (size_t row = 0; row < batch->rows; row++) {
        if (skip && skip[row])
            continue;
        put_row(out, sink, batch, row);
        ftl_strbuf_append(out, "}\n", 2);
    }
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

/* Each row with the comma that parts it from the one before. */
static ftl_status array_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                               ftl_strbuf *out, ftl_error *error)
{
    for (size_t row = 0; row < batch->rows; row++) {
        if (skip && skip[row])
            continue;
        ftl_strbuf_append(out, ",\n", 2);
        put_row(out, sink, batch, row);
        ftl_strbuf_putc(out, '}');
    }
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status array_begin(ftl_sink *sink, ftl_error *error)
{
    FTL_TRY(begin(sink, error));
    return ftl_output_write(&sink->output, "[", 1, error);
}

static ftl_status array_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                               ftl_error *error)
{
    (void)rows;
    size_t comma = sink->rows == 0 && size; /* nothing stands before the first row */
    return ftl_output_write(&sink->output, (const char *)data + comma, size - comma, error);
}

static ftl_status array_finish(ftl_sink *sink, ftl_error *error)
{
    return ftl_output_write(&sink->output, "\n]\n", 3, error);
}

static const char *const json_endings[] = {".json", NULL};
static const char *const lines_endings[] = {".jsonl", ".ndjson", NULL};

const ftl_sink_kind ftl_sink_json = {
    .name = "JSON",
    .keyword = "json",
    .endings = json_endings,
    .text = true,
    .json = true,
    .grows = true,
    .state_size = sizeof(json_sink),
    .begin = array_begin,
    .format = array_format,
    .append = array_append,
    .finish = array_finish,
};

const ftl_sink_kind ftl_sink_jsonl = {
    .name = "JSON lines",
    .keyword = "jsonl",
    .endings = lines_endings,
    .text = true,
    .json = true,
    .grows = true,
    .state_size = sizeof(json_sink),
    .begin = begin,
    .format = lines_format,
};
