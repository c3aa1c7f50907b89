/*
 * The whole server behind its socket: parser, routing, bodies of every API. The first byte says how
 * the rest is cut into pieces. Beyond memory safety: whatever comes, the server answers in whole
 * replies or closes, in time, and the next client is served.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

static uint16_t port;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_http: %s\n", what);
    abort();
}

static struct sockaddr_in address_of(uint16_t number)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(number)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static uint16_t free_port(void)
{
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = address_of(0);
    socklen_t size = (socklen_t)sizeof address;
    must(peer >= 0 && bind(peer, (struct sockaddr *)&address, size) == 0 &&
             getsockname(peer, (struct sockaddr *)&address, &size) == 0,
         "no port is free");
    close(peer);
    return ntohs(address.sin_port);
}

static int try_connect(void)
{
    const struct timeval patience = {.tv_sec = 20};
    struct sockaddr_in address = address_of(port);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    must(peer >= 0, "no socket");
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, (socklen_t)sizeof patience);
    setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, (socklen_t)sizeof patience);
    /* Connections that ended keep their ports for a minute, and thousands end in a second. */
    for (int i = 0; i < 1200; i++) {
        if (connect(peer, (struct sockaddr *)&address, (socklen_t)sizeof address) == 0)
            return peer;
        if (errno != EADDRNOTAVAIL)
            break;
        usleep(100000);
    }
    close(peer);
    return -1;
}

static void run_server(void *user) { srv_run(user); }

static void start_server(void)
{
    static srv_config config;
    static ftl_account account;
    static char port_text[16], folder[] = "/tmp/fuzz_http_XXXXXX";
    static char *words[] = {"foretell-server",
                            "--port",
                            port_text,
                            "--model-root",
                            folder,
                            "--threads",
                            "1",
                            "--log-level",
                            "off",
                            "--max-body",
                            "64K",
                            "--data-root",
                            folder,
                            "--body-timeout",
                            "5",
                            "--access-log"};
    uv_thread_t thread;
    must(mkdtemp(folder) != NULL, "no folder");
    port = free_port();
    snprintf(port_text, sizeof port_text, "%d", port);
    ftl_account_init(&account, NULL, 0);
    must(srv_config_read(&account, (int)FTL_ARRAY_LEN(words), words, &config, NULL) == FTL_OK,
         "no configuration");
    must(uv_thread_create(&thread, run_server, &config) == 0, "no thread");
    int peer = -1;
    for (int i = 0; i < 1000 && peer < 0; i++) {
        usleep(10000);
        peer = try_connect();
    }
    must(peer >= 0, "the server does not start");
    close(peer);
    rmdir(folder); /* it is open */
}

/* All that comes until the end; the end comes in time. */
static size_t read_all(int peer, char *out)
{
    size_t size = 0;
    for (;;) {
        ssize_t n = recv(peer, out + size, MOST - size, 0);
        must(n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK), "the server does not answer");
        if (n <= 0)
            return size;
        size += (size_t)n;
        if (size == MOST) /* more than is looked at */
            size = MOST / 2;
    }
}

/* Whole replies, one behind the other, as far as they are framed by a length. */
static void check_replies(const char *data, size_t size)
{
    static const char start[] = "HTTP/1.1 ", length[] = "\r\nContent-Length: ";
    size_t at = 0;
    while (at < size) {
        must(size - at > 12 && memcmp(data + at, start, sizeof start - 1) == 0, "no reply");
        const char *end = memmem(data + at, size - at, "\r\n\r\n", 4);
        must(end != NULL, "half a head");
        size_t head = (size_t)(end - data) + 4 - at;
        const char *field = memmem(data + at, head, length, sizeof length - 1);
        size_t body = field ? strtoul(field + sizeof length - 1, NULL, 10) : 0;
        if (!field && memmem(data + at, head, "chunked", 7))
            return;
        if (body > size - at - head) /* the reply to HEAD, or one that is cut by a reset */
            body = 0;
        at += head + body;
        if (at < size && memcmp(data + at, start, at + 9 <= size ? 9 : size - at) != 0)
            return;
    }
}

static bool is_well(void)
{
    static const char ask[] = "GET /api/v1/inference/health HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n";
    static char room[MOST];
    int peer = try_connect();
    must(peer >= 0 && send(peer, ask, sizeof ask - 1, MSG_NOSIGNAL) == sizeof ask - 1,
         "nobody listens any more");
    size_t size = read_all(peer, room);
    close(peer);
    return size > 15 && memcmp(room, "HTTP/1.1 200 OK", 15) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[MOST];
    static unsigned runs;
    if (port == 0) {
        start_server();
        for (int i = 0; i < 1000 && !is_well(); i++)
            usleep(10000);
    }
    if (size == 0)
        return 0;
    size_t piece = data[0] ? data[0] * 3u : size;
    int peer = try_connect();
    must(peer >= 0, "nobody listens any more");
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (send(peer, data + at, n, MSG_NOSIGNAL) < 0)
            break; /* it has refused, and closed */
    }
    shutdown(peer, SHUT_WR);
    size_t got = read_all(peer, room);
    close(peer);
    check_replies(room, got);
    if (runs++ % 16 == 0)
        must(is_well(), "it is not well any more");
    return 0;
}
