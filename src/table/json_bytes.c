/* The bytes of a document one after the other, where it is not rows. */
#include "table/json.h"

#include <string.h>

ftl_status ftl_json_damaged(const ftl_json_table *json, const char *what, ftl_error *error)
{
    ftl_error_set(error, FTL_CORRUPT, "line %lld: the JSON is damaged: %s",
                  (long long)json->cut.line, what);
    if (error)
        error->line = json->cut.line;
    return FTL_CORRUPT;
}

ftl_status ftl_json_peek(ftl_table *table, char *c, ftl_error *error)
{
    ftl_json_table *json = table->state;
    for (;;) {
        const uint8_t *data;
        size_t size, n = 0;
        FTL_TRY(ftl_stream_ahead(table->stream, 1, &data, &size, error));
        *c = 0;
        if (size == 0)
            return FTL_OK;
        while (n < size && memchr(" \t\r\n", data[n], 4))
            n++;
        json->cut.line += ftl_json_count_lines(data, n);
        *c = n < size ? (char)data[n] : 0;
        bool found = n < size;
        ftl_stream_consume(table->stream, n);
        if (found)
            return *c ? FTL_OK : ftl_json_damaged(json, "it holds a NUL", error);
    }
}

ftl_status ftl_json_expect(ftl_table *table, char wanted, const char *what, ftl_error *error)
{
    char c;
    FTL_TRY(ftl_json_peek(table, &c, error));
    if (c != wanted)
        return ftl_json_damaged(table->state, c ? what : "it ends too early", error);
    ftl_stream_consume(table->stream, 1);
    return FTL_OK;
}

ftl_status ftl_json_pass_value(ftl_table *table, ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_scan scan = {0};
    bool ended = false;
    while (!ended) {
        const uint8_t *data;
        size_t size;
        FTL_TRY(ftl_stream_ahead(table->stream, 1, &data, &size, error));
        if (size && !scan.begun && memchr(",:]}", data[0], 4))
            return ftl_json_damaged(json, "a value is missing", error);
        ended = ftl_json_scan_value(&scan, data, size, size == 0);
        if (!ended && size == 0)
            return ftl_json_damaged(json, "it ends too early", error);
        json->cut.line += ftl_json_count_lines(data, scan.at);
        ftl_stream_consume(table->stream, scan.at);
        scan.at = 0;
    }
    return FTL_OK;
}

ftl_status ftl_json_show_value(ftl_table *table, const char **value, size_t *size, ftl_error *error)
{
    ftl_json_table *json = table->state;
    ftl_json_scan scan = {0};
    for (size_t min = 1;;) {
        const uint8_t *data;
        size_t shown;
        FTL_TRY(ftl_stream_ahead(table->stream, min, &data, &shown, error));
        bool final = shown < min, ended = ftl_json_scan_value(&scan, data, shown, final);
        if ((ended ? scan.at : shown) > table->max_record)
            return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
                                   "line %lld: a value is longer than %zu bytes; raise the limit "
                                   "with options.max_record_bytes",
                                   (long long)json->cut.line, table->max_record);
        if (ended) {
            *value = (const char *)data;
            *size = scan.at;
            return FTL_OK;
        }
        if (final)
            return ftl_json_damaged(json, "it ends too early", error);
        min = shown + 1;
    }
}
