/* Replies, and errors as each API has them. */
#include "http/http.h"

#include "server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *srv_reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {{200, "OK"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {302, "Found"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {406, "Not Acceptable"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {417, "Expectation Failed"},
                   {421, "Misdirected Request"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"},
                   {507, "Insufficient Storage"}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "Unknown";
}

srv_result srv_reply(srv_request *request, int status, const char *content_type)
{
    request->status = status;
    request->content_type = content_type;
    return SRV_DONE;
}

srv_result srv_reply_json(srv_request *request, int status)
{
    return srv_reply(request, status, "application/json");
}

void srv_add_header(srv_request *request, const char *name, const char *value)
{
    ftl_strbuf_printf(&request->out_head, "%s: %s\r\n", name, value);
}

/* RFC 9457's members, and FastAPI's detail. */
static srv_result reply_problem(srv_request *request, int status, const char *message)
{
    ftl_strbuf *out = &request->out;
    ftl_strbuf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
                      srv_reason_phrase(status), status);
    ftl_strbuf_json_string(out, message, strlen(message));
    ftl_strbuf_putc(out, '}');
    return srv_reply(request, status, "application/problem+json");
}

static const char *mlflow_code(int status)
{
    switch (status) {
    case 404:
        return "RESOURCE_DOES_NOT_EXIST";
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 429:
    case 503:
        return "TEMPORARILY_UNAVAILABLE";
    default:
        return status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST";
    }
}

static srv_result reply_message(srv_request *request, int status, const char *message)
{
    ftl_strbuf *out = &request->out;
    ftl_strbuf_clear(out);
    if (request->dialect == SRV_NATIVE)
        return reply_problem(request, status, message);
    if (request->dialect == SRV_MLFLOW)
        ftl_strbuf_printf(out, "{\"error_code\":\"%s\",\"message\":", mlflow_code(status));
    else
        ftl_strbuf_puts(out, "{\"error\":");
    ftl_strbuf_json_string(out, message, strlen(message));
    ftl_strbuf_putc(out, '}');
    return srv_reply_json(request, status);
}

srv_result srv_reply_error(srv_request *request, int status, const char *format, ...)
{
    char message[FTL_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return reply_message(request, status, message);
}

int srv_http_status(const ftl_error *error)
{
    switch (error->code) {
    case FTL_NOMEM:
    case FTL_CANCELLED:
        return 503;
    case FTL_LIMIT:
        return 413;
    case FTL_IO:
        return 404;
    case FTL_INTERNAL:
        return 500;
    default:
        return 422;
    }
}

/* "row 7, column 2: ", as far as the message does not say so itself. */
static void put_place(const ftl_error *error, char *out, size_t room)
{
    bool row = error->row >= 0 && !strstr(error->message, "row ");
    bool column = row && error->column >= 0 && !strstr(error->message, "column ");
    char text[32] = "";
    if (column)
        snprintf(text, sizeof text, ", column %lld", (long long)error->column);
    if (row)
        snprintf(out, room, "row %lld%s: ", (long long)error->row, text);
}

srv_result srv_reply_failure(srv_request *request, const ftl_error *error)
{
    int status = srv_http_status(error);
    char place[64] = "";
    char message[sizeof error->message + sizeof error->path + sizeof place + 8];
    put_place(error, place, sizeof place);
    snprintf(message, sizeof message, "%s%s%s%s", place, error->path, error->path[0] ? ": " : "",
             error->message);
    if (status == 503)
        srv_add_header(request, "Retry-After", "1");
    if (status != 422 || request->dialect != SRV_NATIVE)
        return reply_message(request, status == 422 ? 400 : status, message);
    return srv_reply_invalid(request, error->code == FTL_VALUE ? "value_error" : "model_error",
                             error->code == FTL_SHAPE || error->code == FTL_SCHEMA ||
                                     error->code == FTL_VALUE
                                 ? "features"
                                 : "model_path",
                             "%s", message);
}

/* FastAPI's shape of what is wrong with a body. */
srv_result srv_reply_invalid(srv_request *request, const char *type, const char *field,
                             const char *format, ...)
{
    char message[FTL_ERROR_MESSAGE_SIZE + FTL_ERROR_PATH_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (request->dialect != SRV_NATIVE)
        return reply_message(request, 400, message);
    ftl_strbuf *out = &request->out;
    ftl_strbuf_clear(out);
    ftl_strbuf_puts(out, "{\"detail\":[{\"loc\":[\"body\"");
    if (field) {
        ftl_strbuf_putc(out, ',');
        ftl_strbuf_json_string(out, field, strlen(field));
    }
    ftl_strbuf_puts(out, "],\"msg\":");
    ftl_strbuf_json_string(out, message, strlen(message));
    ftl_strbuf_printf(out, ",\"type\":\"%s\"}]}", type);
    return srv_reply_json(request, 422);
}
