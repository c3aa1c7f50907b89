/* Lines about the server and about requests: an object of JSON each, on stderr. */
#include "log_writer.h"
#include "server.h"
#include "serving/figures.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_time(ftl_strbuf *out)
{
    struct timespec now;
    struct tm parts;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    ftl_strbuf_printf(out, "{\"time\":\"%s.%03ldZ\"", text, now.tv_nsec / 1000000);
}

static void write_line(ftl_strbuf *line)
{
    ftl_strbuf_putc(line, '\n');
    if (!line->failed)
        srv_log_write(line->data, line->size);
    ftl_strbuf_free(line);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

static const char *const levels[] = {"debug", "info", "warning", "error", "off"};

static size_t level_of(const char *text)
{
    size_t level = 0;
    while (level < FTL_ARRAY_LEN(levels) && strcmp(levels[level], text) != 0)
        level++;
    return level;
}

ftl_status srv_log_check(const srv_config *config, ftl_error *error)
{
    if (level_of(config->log_level) < FTL_ARRAY_LEN(levels))
        return FTL_OK;
    return FTL_FAIL(error, FTL_ARG, "log-level takes debug, info, warning, error or off, not %.60s",
                    config->log_level);
}

static bool is_wanted(const srv_config *config, const char *level)
{
    const char *least = config->quiet && strcmp(config->log_level, "info") == 0 ? "warning"
                                                                                : config->log_level;
    return level_of(level) >= level_of(least) && strcmp(least, "off") != 0;
}

/* ---- The server itself ----------------------------------------------------------------------- */

void srv_log(const srv_server *server, const char *level, const char *event, const char *format,
             ...)
{
    char message[1024];
    va_list arguments;
    if (!is_wanted(srv_config_of(server), level))
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    ftl_strbuf line;
    ftl_strbuf_init(&line, srv_account_of((srv_server *)server), 0);
    put_time(&line);
    ftl_strbuf_printf(&line, ",\"level\":\"%s\",\"event\":\"%s\",\"message\":", level, event);
    ftl_strbuf_json_string(&line, message, strlen(message));
    ftl_strbuf_putc(&line, '}');
    write_line(&line);
}

/* ---- Requests -------------------------------------------------------------------------------- */

void srv_put_request_id(const srv_request *request, ftl_strbuf *out)
{
    srv_text given = srv_known_header(request, SRV_REQUEST_ID);
    bool usable = given.size > 0 && given.size <= 128;
    for (size_t i = 0; i < given.size && usable; i++)
        usable = given.data[i] > ' ' && given.data[i] < 0x7f && given.data[i] != '"';
    if (usable) {
        ftl_strbuf_append(out, given.data, given.size);
        return;
    }
    static const char digits[] = "0123456789abcdef";
    char text[33];
    uint64_t words[2] = {request->server->run, request->number};
    for (int i = 0; i < 32; i++)
        text[i] = digits[words[i / 16] >> (60 - 4 * (i % 16)) & 15];
    ftl_strbuf_append(out, text, 32);
}

/* W3C's "00-32 hex-16 hex-2 hex"; nothing else is passed on. */
srv_text srv_trace_parent(const srv_request *request)
{
    srv_text given = srv_known_header(request, SRV_TRACEPARENT);
    static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    if (given.size != sizeof form - 1)
        return (srv_text){0};
    for (size_t i = 0; i < given.size; i++) {
        char c = given.data[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (form[i] == 'h' ? !hex : c != '-')
            return (srv_text){0};
    }
    return given;
}

static void put_text(ftl_strbuf *line, const char *name, srv_text text)
{
    if (!text.data)
        return;
    ftl_strbuf_printf(line, ",\"%s\":", name);
    ftl_strbuf_json_string(line, text.data, text.size);
}

static void put_word(ftl_strbuf *line, const char *name, const char *word)
{
    put_text(line, name, (srv_text){word, word ? strlen(word) : 0});
}

/* Whom the connection belongs to, where it is still there. */
static void put_peer(ftl_strbuf *line, const srv_request *request)
{
    struct sockaddr_storage peer;
    char text[64] = "";
    if (!srv_request_peer(request, &peer))
        return;
    if (peer.ss_family == AF_INET6)
        uv_ip6_name((const struct sockaddr_in6 *)&peer, text, sizeof text);
    else
        uv_ip4_name((const struct sockaddr_in *)&peer, text, sizeof text);
    put_word(line, "peer", text);
}

static void write_access(const srv_request *request, double seconds)
{
    ftl_strbuf line;
    ftl_strbuf_init(&line, srv_account_of(request->server), 0);
    put_time(&line);
    ftl_strbuf_puts(&line, ",\"level\":\"info\",\"event\":\"request\",\"request_id\":\"");
    srv_put_request_id(request, &line);
    ftl_strbuf_putc(&line, '"');
    put_text(&line, "traceparent", srv_trace_parent(request));
    if (request->path.data) {
        put_word(&line, "method", llhttp_method_name(request->method));
        put_text(&line, "path", request->path);
    }
    ftl_strbuf_printf(&line, ",\"status\":%d,\"ms\":%.3f,\"queue_ms\":%.3f,\"compute_ms\":%.3f",
                      request->status, 1e3 * seconds, 1e3 * request->queue_seconds,
                      1e3 * request->compute_seconds);
    ftl_strbuf_printf(&line, ",\"bytes_in\":%zu,\"bytes_out\":%zu", request->body.size,
                      request->out.size);
    if (request->model)
        ftl_strbuf_printf(&line, ",\"rows\":%llu", (unsigned long long)request->rows);
    put_word(&line, "model", request->model);
    put_word(&line, "client", request->client);
    put_peer(&line, request);
    if (!request->connection)
        ftl_strbuf_puts(&line, ",\"gone\":true");
    ftl_strbuf_putc(&line, '}');
    write_line(&line);
}

void srv_log_request(srv_request *request)
{
    double seconds = 1e-9 * (double)(uv_hrtime() - request->started);
    const srv_config *config = srv_config_of(request->server);
    srv_figures_request(request->server->figures, request->status, seconds);
    if (config->access_log && is_wanted(config, "info"))
        write_access(request, seconds);
}
