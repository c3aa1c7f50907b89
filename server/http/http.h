/*
 * The HTTP side of the server: connections on libuv loops, parsed by llhttp, that yield requests
 * and write replies. Knows nothing of models.
 *
 * One loop a thread. A connection and its request belong to their loop; a handler runs on the loop,
 * or when it says so (SRV_DEFER) on a thread of the pool, while the loop leaves the request alone.
 * A connection works on one request at a time; what a client sends ahead waits in its socket.
 */
#ifndef FTL_SERVER_HTTP_HTTP_H
#define FTL_SERVER_HTTP_HTTP_H

#include "base/arena.h"
#include "base/strbuf.h"

#include <llhttp.h>
#include <uv.h>

typedef struct srv_server srv_server;
typedef struct srv_loop srv_loop;
typedef struct srv_connection srv_connection;
typedef struct srv_request srv_request;

/* ---- Requests -------------------------------------------------------------------------------- */

/* Bytes of a request; not terminated. */
typedef struct srv_text {
    const char *data;
    size_t size;
} srv_text;

bool srv_text_is(srv_text text, const char *word);
bool srv_text_is_nocase(srv_text text, const char *word);

typedef struct srv_header {
    uint32_t name, name_size, value, value_size; /* in request->head */
} srv_header;

enum { SRV_MOST_HEADERS = 100, SRV_MOST_PARAMS = 4 };

/* Header fields that are looked for in every request: found once. */
#define SRV_KNOWN_HEADERS(X)                \
    X(HOST, "host")                         \
    X(ORIGIN, "origin")                     \
    X(EXPECT, "expect")                     \
    X(API_KEY, "x-api-key")                 \
    X(TRACEPARENT, "traceparent")           \
    X(CONTENT_TYPE, "content-type")         \
    X(REQUEST_ID, "x-request-id")           \
    X(AUTHORIZATION, "authorization")       \
    X(CONTENT_ENCODING, "content-encoding") \
    X(TRANSFER_ENCODING, "transfer-encoding")
typedef enum srv_known {
#define SRV_KNOWN_HEADER(name, text) SRV_##name,
    SRV_KNOWN_HEADERS(SRV_KNOWN_HEADER)
#undef SRV_KNOWN_HEADER
        SRV_N_KNOWN
} srv_known;

typedef enum srv_result {
    SRV_DONE, /* the reply is complete */
    /*
     * the handler has to wait for something or would take long: it is called again on a thread of
     * the pool, with request->on_loop false
     */
    SRV_DEFER,
    SRV_LATER /* the handler has arranged for srv_request_finish */
} srv_result;

typedef srv_result srv_handler(srv_request *request);

/* Who may call a route. */
typedef enum srv_role { SRV_OPEN, SRV_INFERENCE, SRV_ADMIN, SRV_METRICS } srv_role;

enum {
    SRV_BLOCKS = 1u, /* the handler is run on the pool at once */
    SRV_STREAMS = 2u /* the handler is called when the head is there and takes the body itself */
};

typedef struct srv_route {
    llhttp_method_t method;
    /* segments; "{name}" is any one, its text goes to request->params; a segment may end in a
     * ":verb" that is part of the pattern */
    const char *pattern;
    srv_handler *handler;
    srv_role role;
    unsigned flags;
} srv_route;

/* Where errors are written as the API of the path has them. */
typedef enum srv_dialect { SRV_NATIVE, SRV_V2, SRV_MLFLOW } srv_dialect;

struct srv_request {
    srv_loop *loop;
    srv_connection *connection; /* NULL once the client has gone */
    srv_server *server;
    uint64_t number;  /* of the process, from 1 */
    uint64_t started; /* nanoseconds, when its first byte was parsed (uv_hrtime) */
    bool on_loop;     /* the handler must neither block nor take long */
    bool packed;      /* the body is still as its Content-Encoding says */
    bool at_work;     /* a handler has it: it lives until srv_request_finish or srv_stream_end */

    llhttp_method_t method;
    ftl_strbuf head; /* the target, then names and values of headers */
    size_t target_size;
    srv_header headers[SRV_MOST_HEADERS];
    size_t n_headers;
    uint8_t known[SRV_N_KNOWN];   /* 1 + the index of the first of the name; 0: there is none */
    uint8_t n_known[SRV_N_KNOWN]; /* how many there are */
    srv_text path, query;         /* of the target, as they came */
    const srv_route *route;
    srv_dialect dialect;
    srv_text params[SRV_MOST_PARAMS]; /* decoded, in the head */
    size_t n_params;
    ftl_strbuf body;   /* limited by the configuration */
    ftl_arena scratch; /* the handler's: emptied when it is called again, and with the request */

    /* the reply */
    int status;
    const char *content_type; /* static */
    ftl_strbuf out_head;      /* more header lines, each ended by CRLF */
    ftl_strbuf out;           /* the body */
    bool close;               /* the connection ends with the reply */
    bool plain_stream;        /* a reply in pieces that are not framed: HTTP/1.0 */

    /* for the log and the figures */
    double queue_seconds, compute_seconds;
    const char *model;  /* static or the server's */
    const char *client; /* the name of its key; NULL: it needed none */
    uint64_t rows;

    uv_work_t work;
    uint64_t queued; /* uv_hrtime, when it began to wait for a thread of the pool */
    srv_request *next_free;
    void (*stop)(srv_request *request); /* the client has gone; called on the loop; may be NULL */
    void *user;                         /* the handler's, with stop */
    bool end_stops; /* a client that ends what it sends has gone: it is not only half-closed */
};

/* The value of a header, the name in lower case; data NULL: there is none. */
srv_text srv_request_header(const srv_request *request, const char *name);
/* The same of one that is looked for in every request. */
srv_text srv_known_header(const srv_request *request, srv_known name);
/* The value of a query's parameter, not decoded; data NULL: there is none. */
srv_text srv_request_query(const srv_request *request, const char *name);
/* Resolves %XX in place; false for what is no encoding, and for a NUL. */
bool srv_percent_decode(char *text, size_t *size);

/* Where it came from; false: the client has gone. */
bool srv_request_peer(const srv_request *request, struct sockaddr_storage *out);

/* ---- Replies --------------------------------------------------------------------------------- */

/* The reply is request->out with this status. content_type is static. */
srv_result srv_reply(srv_request *request, int status, const char *content_type);
srv_result srv_reply_json(srv_request *request, int status);
/* Replaces whatever was written by an error in the shape of the request's dialect. */
srv_result srv_reply_error(srv_request *request, int status, const char *format, ...)
    FTL_PRINTF(3, 4);
/* The same of a library's error, with the status that it has here. */
srv_result srv_reply_failure(srv_request *request, const ftl_error *error);
/* A body that is not as the API wants it: 422 with FastAPI's detail, or the dialect's 400. */
srv_result srv_reply_invalid(srv_request *request, const char *type, const char *field,
                             const char *format, ...) FTL_PRINTF(4, 5);
int srv_http_status(const ftl_error *error);
const char *srv_reason_phrase(int status);
void srv_add_header(srv_request *request, const char *name, const char *value);

/*
 * The handler that said SRV_LATER has its reply: writes it, whatever has become of the client. On
 * the request's loop.
 */
void srv_request_finish(srv_request *request);

/* ---- Bodies piece by piece ------------------------------------------------------------------- */

/*
 * A handler of a route that SRV_STREAMS sets these, on the loop, before it returns SRV_LATER. Both
 * are called on the loop.
 */
typedef struct srv_body_reader {
    /* a piece of the body; the connection stops reading when it returns false: srv_body_resume */
    bool (*piece)(srv_request *request, const char *data, size_t size);
    void (*end)(srv_request *request);
    void *user;
} srv_body_reader;
void srv_body_read(srv_request *request, const srv_body_reader *reader);
void srv_body_resume(srv_request *request);
/* Begins a chunked reply (status, content_type and out_head are sent). */
void srv_stream_begin(srv_request *request, int status, const char *content_type);
/*
 * Sends a piece; `sent` is called on the loop when the socket has taken it (NULL: nobody wants to
 * know). The data is copied when it cannot be sent at once. False: the client has gone.
 */
bool srv_stream_write(srv_request *request, const char *data, size_t size,
                      void (*sent)(srv_request *request));
/* Ends the reply, and with ok false the connection in the middle of it: an error became known late.
 */
void srv_stream_end(srv_request *request, bool ok);

/* ---- Routes ---------------------------------------------------------------------------------- */

/*
 * Finds the route and the parameters. NULL: *allowed (a bit set of llhttp methods that the path
 * has) tells 405 from 404.
 */
const srv_route *srv_route_find(srv_request *request, uint64_t *allowed);
/*
 * A route of the configuration, which goes before all others: its pattern is a path as it is. What
 * its handler wants to know of it follows.
 */
typedef struct srv_custom {
    srv_route route;
    char *model; /* NULL: the request says which */
    ftl_method method;
    bool has_method; /* else the model's default */
} srv_custom;

/* All routes but those of the configuration, in their order. */
const srv_route *srv_routes(size_t *n);

/* ---- Loops ----------------------------------------------------------------------------------- */

/* What another thread gives a loop to run. */
typedef struct srv_task {
    void (*run)(struct srv_task *task);
    struct srv_task *next;
} srv_task;

struct srv_loop {
    uv_loop_t uv;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t clock;
    uv_thread_t thread;
    uv_mutex_t tasks_lock;
    srv_task *tasks, *last_task;
    srv_server *server;
    uint32_t index;
    uint64_t now; /* uv_hrtime of the last look */
    char *buffer; /* what sockets are read into */
    size_t buffer_room;
    ftl_strbuf wire; /* a reply on its way to the socket */
    srv_request *free_requests;
    size_t n_free_requests;
    srv_connection *connections, *last;         /* a list */
    _Atomic uint64_t n_connections, n_requests; /* requests: those that are not free */
    srv_connection *turns, *last_turn;          /* those that go on once others had their turn */
    uv_idle_t turner;
    bool accept_waits;     /* a connection could not be taken for want of memory */
    uint64_t drains_since; /* uv_hrtime */
    ftl_strbuf sealed;     /* encrypted bytes on their way to the socket */
    char *plain;           /* what was decrypted */
    char date[40];         /* the header line's value */
    uint64_t date_second;
    _Atomic bool listening;
    bool draining, running;
    void *memo; /* serving/: what was looked up, of this loop alone */
};

/* Takes the address; the loop does not listen yet. srv_loop_end is for failures, too. */
ftl_status srv_loop_init(srv_loop *loop, srv_server *server, uint32_t index, ftl_error *error);
/* Listens, on a thread of its own. */
ftl_status srv_loop_start(srv_loop *loop, ftl_error *error);
/* Looks whether the server is stopping: then it listens no more, and ends with its last connection.
 * From any thread. */
void srv_loop_wake(srv_loop *loop);
/* Runs the task on the loop, soon. From any thread. */
void srv_loop_post(srv_loop *loop, srv_task *task);
/* Waits for its end, and frees what it holds. */
void srv_loop_end(srv_loop *loop);
void srv_loop_free_requests(srv_loop *loop);

/* A client that has come. */
void srv_connection_accept(srv_loop *loop);
/* Closes what has waited too long, or what is idle while the server drains. */
void srv_connections_tick(srv_loop *loop);

#endif
