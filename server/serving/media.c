#include "serving/media.h"

#include <string.h>

static const srv_media lines = {"application/x-ndjson", "jsonl", "reply.jsonl", true};
static const srv_media csv = {"text/csv; charset=utf-8", "csv", "reply.csv", true};
static const srv_media arrow_stream = {"application/vnd.apache.arrow.stream", "arrow",
                                       "reply.arrows", true};
static const srv_media arrow_file = {"application/vnd.apache.arrow.file", "arrow", "reply.arrow",
                                     false};
static const srv_media parquet = {"application/vnd.apache.parquet", "parquet", "reply.parquet",
                                  false};

static const struct {
    const char *type;
    const srv_media *media;
} names[] = {{"application/x-ndjson", &lines},
             {"application/ndjson", &lines},
             {"application/jsonl", &lines},
             {"application/x-jsonlines", &lines},
             {"application/json-lines", &lines},
             {"text/csv", &csv},
             {"application/csv", &csv},
             {"application/vnd.apache.arrow.stream", &arrow_stream},
             {"application/vnd.apache.arrow.file", &arrow_file},
             {"application/vnd.apache.parquet", &parquet},
             {"application/x-parquet", &parquet}};

static srv_text trim(srv_text text)
{
    const char *semicolon = text.size ? memchr(text.data, ';', text.size) : NULL;
    if (semicolon)
        text.size = (size_t)(semicolon - text.data);
    while (text.size && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static const srv_media *media_of(srv_text type)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        if (srv_text_is_nocase(type, names[i].type))
            return names[i].media;
    }
    return NULL;
}

const srv_media *srv_media_of_body(const srv_request *request)
{
    return media_of(trim(srv_request_header(request, "content-type")));
}

const srv_media *srv_media_accepted(const srv_request *request, bool *anything)
{
    srv_text accept = srv_request_header(request, "accept");
    const srv_media *found = NULL;
    *anything = accept.size == 0;
    if (*anything)
        return NULL;
    const char *at = accept.data, *end = at + accept.size;
    while (at < end && !found) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        srv_text type = trim((srv_text){at, (size_t)(stop - at)});
        found = media_of(type);
        *anything |= srv_text_is(type, "*/*") || srv_text_is(type, "application/*") ||
                     srv_text_is(type, "text/*");
        at = stop + 1;
    }
    return found;
}
