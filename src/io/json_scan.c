#include "io/json_scan.h"

#include "kernels/json_find.h"

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* To the end of a text, behind its opening quote. */
static bool scan_text(ftl_json_scan *scan, const uint8_t *data, size_t size)
{
    while (scan->at < size) {
        if (scan->escaped) {
            scan->escaped = false;
            scan->at++;
            continue;
        }
        scan->at = ftl_json_find_quote(data, scan->at, size);
        if (scan->at == size)
            return false;
        scan->text = data[scan->at] != '"';
        scan->escaped = scan->text;
        scan->at++;
        if (!scan->text)
            return true;
    }
    return false;
}

/* Numbers and words, and what is none: up to what may stand behind one. */
static bool scan_scalar(ftl_json_scan *scan, const uint8_t *data, size_t size, bool final)
{
    for (; scan->at < size; scan->at++) {
        uint8_t c = data[scan->at];
        if (is_space(c) || c == ',' || c == ']' || c == '}' || c == ':')
            return true;
    }
    return final;
}

bool ftl_json_scan_value(ftl_json_scan *scan, const uint8_t *data, size_t size, bool final)
{
    if (!scan->begun && size) {
        scan->begun = true;
        scan->text = data[0] == '"';
        scan->depth = data[0] == '{' || data[0] == '[';
        scan->scalar = !scan->text && !scan->depth;
        scan->at = 1;
    }
    if (scan->scalar)
        return scan_scalar(scan, data, size, final);
    while (scan->begun) {
        if (scan->text && !scan_text(scan, data, size))
            return false;
        if (scan->depth == 0)
            return true;
        scan->at = ftl_json_find_structure(data, scan->at, size);
        if (scan->at == size)
            return false;
        uint8_t c = data[scan->at++];
        scan->text = c == '"';
        if (scan->text)
            continue;
        if (c == '{' || c == '[')
            scan->depth++;
        else if (--scan->depth == 0)
            return true;
    }
    return false;
}
