/*
 * A small HTTP/1.1 client, for commands that talk to a running server: one connection that is kept,
 * plain sockets, answers of a bounded size.
 */
#ifndef FTL_CLI_HTTP_CLIENT_H
#define FTL_CLI_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_http {
    char host[256], port[8];
    char path[1024]; /* of the URL, "" when it has none */
    int descriptor;  /* -1: not connected */
    char *buffer;    /* what was received and not used yet */
    size_t size, room;
    const char *key;   /* of the environment; NULL: none */
    char message[512]; /* why the last call failed */
} cli_http;

typedef struct cli_reply {
    int status;
    char *body; /* terminated; the caller's to free */
    size_t size;
    double seconds; /* from the first byte sent to the last received */
} cli_reply;

/* Understands http://HOST[:PORT][/PATH]; nothing is connected yet. NULL: the usual URL. */
bool cli_http_init(cli_http *http, const char *url);
void cli_http_close(cli_http *http);
/* body NULL: none; it is JSON. False: http->message tells why there is no reply. */
bool cli_http_ask(cli_http *http, const char *method, const char *path, const char *body,
                  size_t size, cli_reply *reply);

#endif
