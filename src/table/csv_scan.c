#include "table/csv_scan.h"

#include <string.h>

static size_t find(const uint8_t *data, size_t from, size_t to, char c)
{
    const uint8_t *at = from < to ? memchr(data + from, c, to - from) : NULL;
    return at ? (size_t)(at - data) : to;
}

/* Moves *at from inside a quoted cell to behind its closing quote; false when that is not in sight.
 */
static bool close_quote(const uint8_t *data, size_t size, bool final, size_t *at)
{
    for (;;) {
        size_t quote = find(data, *at, size, '"');
        *at = quote;
        /* at the very end it may be half of a doubled one */
        if (quote == size || (quote + 1 == size && !final))
            return false;
        if (quote + 1 == size || data[quote + 1] != '"') {
            *at = quote + 1;
            return true;
        }
        *at = quote + 2;
    }
}

/* The next quote in [from, to) that stands at the beginning of a cell, or to. */
static size_t opening_quote(const uint8_t *data, size_t from, size_t to, char delimiter)
{
    size_t quote = find(data, from, to, '"');
    while (quote < to && quote > 0 && data[quote - 1] != (uint8_t)delimiter)
        quote = find(data, quote + 1, to, '"');
    return quote;
}

ftl_csv_found ftl_csv_scan_record(ftl_csv_scan *scan, char delimiter, const uint8_t *data,
                                  size_t size, bool final, size_t *content, size_t *total)
{
    size_t at = scan->at, line_feed = 0;
    /* line_feed holds the first one from at on; found once for all quotes before it */
    bool searched = false;
    for (;;) {
        if (scan->quoted) {
            size_t opened = at;
            bool closed = close_quote(data, size, final, &at);
            if (!scan->lines)
                scan->lines = find(data, opened, at, '\n') < at ||
                              find(data, opened, at, '\r') < at;
            if (!closed) {
                scan->at = at;
                return final ? FTL_CSV_OPEN_QUOTE : FTL_CSV_MORE;
            }
            scan->quoted = false;
        }
        if (!searched || line_feed < at) {
            line_feed = find(data, at, size, '\n');
            searched = true;
        }
        size_t quote = opening_quote(data, at, line_feed, delimiter);
        size_t carriage = find(data, at, quote, '\r');
        if (carriage < quote) {
            if (carriage + 1 == size && !final) {
                scan->at = carriage;
                return FTL_CSV_MORE;
            }
            *content = carriage;
            *total = carriage + 1 + (carriage + 1 < size && data[carriage + 1] == '\n');
            return FTL_CSV_RECORD;
        }
        if (quote == line_feed)
            break;
        scan->quoted = true;
        at = quote + 1;
    }
    if (line_feed == size && !final) {
        scan->at = size;
        return FTL_CSV_MORE;
    }
    *content = line_feed;
    *total = line_feed + (line_feed < size);
    return FTL_CSV_RECORD;
}

size_t ftl_csv_count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || (data[i] == '\r' && (i + 1 == size || data[i + 1] != '\n'));
    return lines;
}

size_t ftl_csv_split(const uint8_t *data, size_t size, char delimiter, uint32_t *ends, size_t max)
{
    size_t n = 0;
    for (size_t at = 0;; at++, n++) {
        if (at < size && data[at] == '"') {
            at++;
            if (!close_quote(data, size, true, &at))
                at = size;
        }
        at = find(data, at, size, delimiter);
        if (n < max)
            ends[n] = (uint32_t)at;
        if (at == size)
            return n + 1;
    }
}

size_t ftl_csv_unquote(const uint8_t *data, size_t size, char *out)
{
    size_t at = 1, n = 0;
    for (;;) {
        size_t quote = find(data, at, size, '"');
        memcpy(out + n, data + at, quote - at);
        n += quote - at;
        if (quote == size)
            return n;
        at = quote + 1;
        if (at == size || data[at] != '"')
            break;
        out[n++] = '"';
        at++;
    }
    memcpy(out + n, data + at, size - at); /* behind the closing quote everything is literal */
    return n + size - at;
}
