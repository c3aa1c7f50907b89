#include "table/json_cut.h"

#include <string.h>

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int64_t ftl_json_count_lines(const uint8_t *data, size_t size)
{
    int64_t n = 0;
    const uint8_t *end = data + size;
    while (data < end && (data = memchr(data, '\n', (size_t)(end - data)))) {
        n++;
        data++;
    }
    return n;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool is_blank(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_space(data[i]))
            return false;
    }
    return true;
}

static ftl_json_found cut_line(ftl_json_cut *cut, const uint8_t *data, size_t size, bool final,
                               ftl_json_span *row)
{
    while (cut->at < size) {
        size_t from = cut->at + cut->scan.at; /* where no line end was before */
        const uint8_t *end = from < size ? memchr(data + from, '\n', size - from) : NULL;
        if (!end && !final) {
            cut->scan.at = size - cut->at;
            return FTL_JSON_MORE;
        }
        size_t behind = end ? (size_t)(end - data) : size, start = cut->at,
               content = behind - start;
        int64_t line = cut->line;
        cut->line += end != NULL;
        cut->at = behind + (end != NULL);
        cut->scan.at = 0;
        while (content && is_space(data[start + content - 1]))
            content--;
        if (content == 0 || is_blank(data + start, content))
            continue;
        *row = (ftl_json_span){.start = start, .size = content, .line = line};
        return FTL_JSON_ROW;
    }
    return final ? FTL_JSON_END : FTL_JSON_MORE;
}

/* A byte that stands before a row. True: it was passed; *found ROW: the row begins here. */
static bool pass(ftl_json_cut *cut, ftl_json_layout layout, uint8_t c, ftl_json_found *found,
                 const char **what)
{
    uint8_t close = layout == FTL_JSON_MEMBERS ? '}' : ']';
    bool array = layout == FTL_JSON_ELEMENTS || layout == FTL_JSON_MEMBERS;
    if (array && c == close &&
        (cut->expects == FTL_CUT_FIRST || cut->expects == FTL_CUT_SEPARATOR)) {
        cut->at++;
        *found = FTL_JSON_END;
        return false;
    }
    if (array && cut->expects == FTL_CUT_SEPARATOR) {
        if (c != ',') {
            *what = "a comma is missing behind a row";
            *found = FTL_JSON_DAMAGE;
            return false;
        }
        cut->expects = FTL_CUT_NEXT;
        cut->at++;
        return true;
    }
    if (cut->expects == FTL_CUT_COLON) {
        if (c != ':') {
            *what = "there is no colon behind a name";
            *found = FTL_JSON_DAMAGE;
            return false;
        }
        cut->expects = FTL_CUT_VALUE;
        cut->at++;
        return true;
    }
    if (c == ',' || c == ']' || c == '}' || c == ':' ||
        (layout == FTL_JSON_MEMBERS && cut->expects != FTL_CUT_VALUE && c != '"')) {
        *what = "a row is missing";
        *found = FTL_JSON_DAMAGE;
        return false;
    }
    *found = FTL_JSON_ROW;
    return false;
}

ftl_json_found ftl_json_cut_row(ftl_json_cut *cut, ftl_json_layout layout, const uint8_t *data,
                                size_t size, bool final, ftl_json_span *row, const char **what)
{
    if (layout == FTL_JSON_LINES)
        return cut_line(cut, data, size, final, row);
    for (;;) {
        ftl_json_found found = FTL_JSON_MORE;
        while (cut->at < size) {
            if (is_space(data[cut->at])) {
                cut->line += data[cut->at] == '\n';
                cut->at++;
            } else if (!pass(cut, layout, data[cut->at], &found, what)) {
                break;
            }
        }
        if (found == FTL_JSON_MORE && final && layout == FTL_JSON_SEQUENCE &&
            cut->expects != FTL_CUT_COLON)
            return FTL_JSON_END;
        if (found == FTL_JSON_MORE && final) {
            *what = "it ends too early";
            return FTL_JSON_DAMAGE;
        }
        if (found != FTL_JSON_ROW)
            return found;
        if (!ftl_json_scan_value(&cut->scan, data + cut->at, size - cut->at, final)) {
            if (!final)
                return FTL_JSON_MORE;
            *what = "it ends too early";
            return FTL_JSON_DAMAGE;
        }
        *row = (ftl_json_span){.start = cut->at, .size = cut->scan.at, .line = cut->line};
        cut->line += ftl_json_count_lines(data + cut->at, cut->scan.at);
        cut->at += cut->scan.at;
        cut->scan = (ftl_json_scan){0};
        bool key = layout == FTL_JSON_MEMBERS && cut->expects != FTL_CUT_VALUE;
        cut->expects = key ? FTL_CUT_COLON : FTL_CUT_SEPARATOR;
        if (!key)
            return FTL_JSON_ROW;
    }
}
