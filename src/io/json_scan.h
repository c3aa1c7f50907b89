/*
 * Where a JSON value ends, by quotes and brackets alone: what it holds is for others to check. A
 * scan goes on where more bytes of the same text are there.
 */
#ifndef FTL_IO_JSON_SCAN_H
#define FTL_IO_JSON_SCAN_H

#include "base/status.h"

/* Inside a value. Zero before it. */
typedef struct ftl_json_scan {
    size_t at;
    uint32_t depth;
    bool begun, scalar, text, escaped;
} ftl_json_scan;

/*
 * Whether the value that begins at data[0], which is no white space, ends in data[0..size): then
 * scan->at is behind it. final: no bytes follow, so that a number may end with them. When it does
 * not, call again with more bytes of the same beginning; or, having dropped the first scan->at of
 * them, with scan->at 0.
 */
bool ftl_json_scan_value(ftl_json_scan *scan, const uint8_t *data, size_t size, bool final);

#endif
