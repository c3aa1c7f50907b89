/* Lines about the server and about requests: an object of JSON each, on stderr. */
#include "server.h"
#include "serving/figures.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* One write, so that lines of several threads do not mix. */
static void write_line(ftl_strbuf *line)
{
    ftl_strbuf_putc(line, '\n');
    if (!line->failed) {
        ssize_t written = write(STDERR_FILENO, line->data, line->size);
        (void)written;
    }
    ftl_strbuf_free(line);
}

void srv_log(const srv_server *server, const char *level, const char *event, const char *format,
             ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (server->config->quiet && strcmp(level, "info") == 0)
        return;
    ftl_strbuf line;
    ftl_strbuf_init(&line, srv_account_of((srv_server *)server), 0);
    put_time(&line);
    ftl_strbuf_printf(&line, ",\"level\":\"%s\",\"event\":\"%s\",\"message\":", level, event);
    ftl_strbuf_json_string(&line, message, strlen(message));
    ftl_strbuf_putc(&line, '}');
    write_line(&line);
}

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

void srv_log_request(srv_request *request)
{
    double seconds = 1e-9 * (double)(uv_hrtime() - request->started);
    srv_figures_request(request->server->figures, request->status, seconds);
}
