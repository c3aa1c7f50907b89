#include "http_client.h"

#include "cli.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST_HEAD = 64 << 10, MOST_BODY = 256 << 20, TIMEOUT_SECONDS = 120 };

static bool fail(cli_http *http, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(cli_http *http, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(http->message, sizeof http->message, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

bool cli_http_init(cli_http *http, const char *url)
{
    static const char scheme[] = "http://";
    *http = (cli_http){.descriptor = -1};
    const char *known = getenv("FORETELL_URL");
    http->key = getenv("FORETELL_API_KEY");
    url = url ? url : known && *known ? known : "http://127.0.0.1:8000";
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        return fail(http, "'%.200s' is no URL such as http://127.0.0.1:8000 (https is not spoken)",
                    url);
    const char *host = url + sizeof scheme - 1, *path = host + strcspn(host, "/?#");
    const char *end = path;
    bool is_six = *host == '[';
    const char *close = is_six ? memchr(host, ']', (size_t)(path - host)) : NULL;
    const char *colon = is_six ? (close && close + 1 < path && close[1] == ':' ? close + 1 : NULL)
                               : memchr(host, ':', (size_t)(path - host));
    snprintf(http->port, sizeof http->port, "80");
    if (colon) {
        snprintf(http->port, sizeof http->port, "%.*s", (int)(path - colon - 1), colon + 1);
        end = colon;
    }
    if (is_six) {
        host++;
        end = close ? close : host;
    }
    if (end == host || (size_t)(end - host) >= sizeof http->host ||
        strlen(path) >= sizeof http->path || strpbrk(path, " \r\n") || !*http->port)
        return fail(http, "'%.200s' is no URL such as http://127.0.0.1:8000", url);
    snprintf(http->host, sizeof http->host, "%.*s", (int)(end - host), host);
    snprintf(http->path, sizeof http->path, "%s", strcmp(path, "/") == 0 ? "" : path);
    return true;
}

static void hang_up(cli_http *http)
{
    if (http->descriptor >= 0)
        close(http->descriptor);
    http->descriptor = -1;
    http->size = 0;
}

void cli_http_close(cli_http *http)
{
    hang_up(http);
    free(http->buffer);
    http->buffer = NULL;
    http->room = 0;
}

static int connect_to(const struct addrinfo *address)
{
    const struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
    const int on = 1;
    int descriptor = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC,
                            address->ai_protocol);
    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, (socklen_t)sizeof limit);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, (socklen_t)sizeof limit);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, (socklen_t)sizeof on);
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0)
        return descriptor;
    int why = errno;
    close(descriptor);
    errno = why;
    return -1;
}

static bool dial(cli_http *http)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(http->host, http->port, &hints, &found);
    if (status != 0)
        return fail(http, "%.200s port %s: %s", http->host, http->port, gai_strerror(status));
    errno = 0;
    for (const struct addrinfo *at = found; at && http->descriptor < 0; at = at->ai_next)
        http->descriptor = connect_to(at);
    int why = errno;
    freeaddrinfo(found);
    http->size = 0;
    if (http->descriptor >= 0)
        return true;
    return fail(http, "no server answers at %.200s port %s: %s", http->host, http->port,
                strerror(why));
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static bool send_all(cli_http *http, const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(http->descriptor, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(http, "the server does not take the request: %s", strerror(errno));
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Receives more behind what is there. */
static bool receive(cli_http *http, size_t most)
{
    if (http->size >= most)
        return fail(http, "the server's answer is too large");
    if (http->room - http->size < 4096) {
        size_t room = http->room ? 2 * http->room : 16384;
        char *buffer = realloc(http->buffer, room);
        if (!buffer)
            return fail(http, "out of memory");
        http->buffer = buffer;
        http->room = room;
    }
    for (;;) {
        ssize_t n = recv(http->descriptor, http->buffer + http->size, http->room - http->size - 1,
                         0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return fail(http, "the server closed the connection");
        if (n < 0)
            return fail(http, "no answer: %s",
                        errno == EAGAIN ? "it took too long" : strerror(errno));
        http->size += (size_t)n;
        http->buffer[http->size] = '\0';
        return true;
    }
}

static void drop(cli_http *http, size_t n)
{
    memmove(http->buffer, http->buffer + n, http->size - n);
    http->size -= n;
    http->buffer[http->size] = '\0';
}

/* ---- Replies --------------------------------------------------------------------------------- */

/* The value of a header line of the head, without spaces around; false: it is not there. */
static bool find_header(const char *head, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
            continue;
        const char *value = line + 3 + n;
        value += strspn(value, " \t");
        size_t size = strcspn(value, "\r\n");
        while (size && value[size - 1] == ' ')
            size--;
        snprintf(out, room, "%.*s", (int)(size < room ? size : room - 1), value);
        return true;
    }
    return false;
}

static bool read_count(const char *text, int base, size_t *out)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, base);
    if (errno || end == text || text[0] == '-' || n > MOST_BODY)
        return false;
    *out = (size_t)n;
    return true;
}

static bool add(cli_http *http, cli_reply *reply, size_t n)
{
    if (reply->size + n > MOST_BODY)
        return fail(http, "the server's answer is too large");
    char *body = realloc(reply->body, reply->size + n + 1);
    if (!body)
        return fail(http, "out of memory");
    memcpy(body + reply->size, http->buffer, n);
    reply->body = body;
    reply->size += n;
    body[reply->size] = '\0';
    return true;
}

/* n bytes of the body, and behind them so many that are passed over. */
static bool take_body(cli_http *http, cli_reply *reply, size_t n, size_t behind)
{
    while (http->size < n + behind) {
        if (!receive(http, n + behind + 65536))
            return false;
    }
    if (!add(http, reply, n))
        return false;
    drop(http, n + behind);
    return true;
}

static bool take_chunks(cli_http *http, cli_reply *reply)
{
    for (;;) {
        char *end;
        while (!http->size || !(end = strstr(http->buffer, "\r\n"))) {
            if (!receive(http, MOST_HEAD))
                return false;
        }
        size_t n;
        if (!read_count(http->buffer, 16, &n))
            return fail(http, "the server's answer is not framed as HTTP is");
        drop(http, (size_t)(end + 2 - http->buffer));
        if (!take_body(http, reply, n, 2))
            return false;
        if (n == 0) {
            if (http->size) /* trailers, which nobody asked for: the next answer has its own start
                             */
                hang_up(http);
            return true;
        }
    }
}

/* until_end: what frames the body is the end of the connection. */
static bool take_rest(cli_http *http, cli_reply *reply)
{
    while (receive(http, MOST_BODY)) {}
    return add(http, reply, http->size);
}

static bool read_reply(cli_http *http, cli_reply *reply)
{
    char value[64];
    const char *end = NULL;
    *reply = (cli_reply){0};
    while (!http->size || !(end = strstr(http->buffer, "\r\n\r\n"))) {
        if (!receive(http, MOST_HEAD))
            return false;
    }
    if (strncmp(http->buffer, "HTTP/1.", 7) != 0 || http->size < 12 || http->buffer[8] != ' ')
        return fail(http, "what answers speaks no HTTP/1.1");
    reply->status = (int)strtol(http->buffer + 9, NULL, 10);
    size_t length = 0, head = (size_t)(end + 4 - http->buffer);
    bool chunked = find_header(http->buffer, "transfer-encoding", value, sizeof value) &&
                   strcasecmp(value, "chunked") == 0;
    bool framed = find_header(http->buffer, "content-length", value, sizeof value);
    if (framed && !read_count(value, 10, &length))
        return fail(http, "the server's answer is too large");
    bool closes = find_header(http->buffer, "connection", value, sizeof value) &&
                  strcasecmp(value, "close") == 0;
    drop(http, head);
    bool done = chunked                ? take_chunks(http, reply)
                : framed               ? take_body(http, reply, length, 0)
                : reply->status == 204 ? add(http, reply, 0)
                                       : take_rest(http, reply);
    if (!done || closes || (!chunked && !framed))
        hang_up(http);
    return done;
}

static bool try_once(cli_http *http, const char *head, size_t head_size, const char *body,
                     size_t size, cli_reply *reply)
{
    if (http->descriptor < 0 && !dial(http))
        return false;
    if (send_all(http, head, head_size) && send_all(http, body ? body : "", size) &&
        read_reply(http, reply))
        return true;
    free(reply->body);
    *reply = (cli_reply){0};
    hang_up(http);
    return false;
}

bool cli_http_ask(cli_http *http, const char *method, const char *path, const char *body,
                  size_t size, cli_reply *reply)
{
    char head[4096];
    bool six = strchr(http->host, ':') != NULL;
    *reply = (cli_reply){0};
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nAccept: application/json\r\n%s%s%s%s"
                     "Content-Length: %zu\r\n\r\n",
                     method, path, six ? "[" : "", http->host, six ? "]" : "", http->port,
                     http->key ? "Authorization: Bearer " : "", http->key ? http->key : "",
                     http->key ? "\r\n" : "", body ? "Content-Type: application/json\r\n" : "",
                     size);
    if (n < 0 || (size_t)n >= sizeof head || (http->key && strpbrk(http->key, "\r\n")))
        return fail(http, "the path or the key is too long");
    double began = cli_now();
    bool kept = http->descriptor >= 0; /* it may have been closed meanwhile */
    bool done = try_once(http, head, (size_t)n, body, size, reply);
    if (!done && kept) {
        began = cli_now();
        done = try_once(http, head, (size_t)n, body, size, reply);
    }
    reply->seconds = cli_now() - began;
    return done;
}
