#include "base/status.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ftl_status_name(ftl_status status)
{
    static const char *const names[] = {"OK",      "END",         "ARG",       "NOMEM",   "IO",
                                        "CORRUPT", "UNSUPPORTED", "FORBIDDEN", "LIMIT",   "SHAPE",
                                        "SCHEMA",  "CANCELLED",   "VALUE",     "INTERNAL"};
    return (unsigned)status < FTL_ARRAY_LEN(names) ? names[status] : "UNKNOWN";
}

const char *ftl_reason_name(ftl_reason reason)
{
    static const char *const names[] = {"NONE",
                                        "STRUCT_SIZE",
                                        "BAD_OPTION",
                                        "NEEDS_OPTION",
                                        "UNKNOWN_METHOD",
                                        "METHOD_MISSING",
                                        "MISSING_COLUMNS",
                                        "DUPLICATE_COLUMN",
                                        "COLUMN_COUNT",
                                        "COLUMN_TYPE",
                                        "NO_HEADER",
                                        "RAGGED_ROW",
                                        "OPEN_QUOTE",
                                        "RECORD_SIZE",
                                        "BAD_CELL",
                                        "ROW_REFUSED",
                                        "UNKNOWN_CATEGORY",
                                        "MISSING_VALUE",
                                        "INFINITE_VALUE",
                                        "FILE_CHANGED",
                                        "NOBODY_READS",
                                        "SAME_FILE",
                                        "PLAN_SIZE"};
    return (unsigned)reason < FTL_ARRAY_LEN(names) ? names[reason] : "UNKNOWN";
}

void ftl_error_because(ftl_error *error, ftl_reason reason, const char *option)
{
    if (!error)
        return;
    error->reason = reason;
    snprintf(error->option, sizeof error->option, "%s", option ? option : "");
}

void ftl_error_clear(ftl_error *error)
{
    if (!error)
        return;
    error->code = FTL_OK;
    error->offset = error->line = error->row = error->column = -1;
    error->path[0] = error->message[0] = error->option[0] = '\0';
    error->reason = FTL_REASON_NONE;
}

/* An error is one line: control characters of hostile names must not reach a terminal or a log. */
static void make_printable(char *text) { ftl_utf8_make_printable(text, strlen(text), false); }

void ftl_error_set(ftl_error *error, ftl_status code, const char *format, ...)
{
    if (!error)
        return;
    ftl_error_clear(error);
    error->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    make_printable(error->message);
}

void ftl_error_at(ftl_error *error, int64_t offset)
{
    if (error && error->offset < 0)
        error->offset = offset;
}

void ftl_error_in(ftl_error *error, const char *path)
{
    if (!error || error->path[0] || !path)
        return;
    snprintf(error->path, sizeof error->path, "%s", path);
    make_printable(error->path);
}

void ftl_error_prefix(ftl_error *error, const char *format, ...)
{
    if (!error)
        return;
    char joined[sizeof error->path];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(joined, sizeof joined, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof joined)
        return;
    const char *dot = (error->path[0] && error->path[0] != '[') ? "." : "";
    int all = snprintf(joined + n, sizeof joined - (size_t)n, "%s%s", dot, error->path);
    if (all < 0)
        return; /* a path that is cut off at the end still leads to the place */
    memcpy(error->path, joined, sizeof joined);
    make_printable(error->path);
}
