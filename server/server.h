/* foretell-server: what its parts share, and its life. */
#ifndef FTL_SERVER_SERVER_H
#define FTL_SERVER_SERVER_H

#include "config.h"
#include "http/http.h"

#include <foretell/cache.h>

/* The folder that holds swagger-ui/ and redoc/, found from where the program lies, so that an
 * installed tree may be moved. NULL when it is not there. The text is static; the first call looks
 * and must come before other threads. */
const char *ftl_server_web_root(void);

typedef struct srv_catalog srv_catalog; /* serving/catalog.h */
typedef struct srv_figures srv_figures; /* serving/figures.h */
typedef struct srv_jobs srv_jobs;       /* serving/jobs.h */
typedef struct srv_streams srv_streams; /* serving/stream.h */

typedef enum srv_phase {
    SRV_STARTING, /* the models to warm up are being opened: not ready yet */
    SRV_READY,
    SRV_DRAINING, /* told to end: not ready any more, and answers still */
    SRV_STOPPING  /* no new connections; ends with the last request */
} srv_phase;

struct srv_server {
    _Atomic(const srv_config *) config; /* SIGHUP brings another one; those of before stay */
    struct srv_past_config *past;       /* and are freed at the end */
    ftl_account account;                /* of the server's own memory; models are the context's */
    ftl_context *context;
    ftl_cache *cache;
    struct srv_tls_context *tls; /* NULL: none */
    _Atomic(struct srv_keys *) keys;
    srv_catalog *catalog;
    srv_figures *figures; /* of all requests */
    srv_jobs *jobs;
    srv_streams *streams;
    _Atomic int phase; /* srv_phase */
    _Atomic uint64_t numbers;
    _Atomic uint32_t queued;
    double started; /* seconds of the clock that only goes on */
    uint64_t run;   /* random, in front of the request ids */
    struct sockaddr_storage address;
    char address_text[80]; /* http://127.0.0.1:8000 */
    srv_custom *custom;    /* routes of the configuration */
    size_t n_custom;
    srv_loop *loops;
    uint32_t n_loops;
    int kick[2];               /* a pipe: a byte makes the keeper look at models at once */
    _Atomic bool keeper_ended; /* the thread that opens models first and looks at them again */
};

/* Before there are other threads, and before libuv is used. */
void srv_set_pool_size(const srv_config *config);
/* Whether clients may be sent here: the models are open that must be. */
bool srv_is_ready(const srv_server *server);
/*
 * Reads the configuration, keys and certificates again; on failure all stays as it is. On the
 * thread of signals.
 */
void srv_reload(srv_server *server);
void srv_forget_past(srv_server *server);
/* Runs until it is told to end; an exit code. */
int srv_run(const srv_config *config);

/* ---- For http/ ------------------------------------------------------------------------------- */

static inline const srv_config *srv_config_of(const srv_server *server) { return server->config; }
static inline ftl_account *srv_account_of(srv_server *server) { return &server->account; }
static inline bool srv_is_stopping(const srv_server *server)
{
    return server->phase == SRV_STOPPING;
}
/* Clients are told to go elsewhere. */
static inline bool srv_is_ending(const srv_server *server) { return server->phase >= SRV_DRAINING; }
static inline const srv_custom *srv_custom_routes(const srv_server *server, size_t *n)
{
    *n = server->n_custom;
    return server->custom;
}
static inline struct sockaddr_storage *srv_address(srv_server *server) { return &server->address; }
static inline const char *srv_address_text(const srv_server *server)
{
    return server->address_text;
}
static inline uint64_t srv_next_number(srv_server *server) { return ++server->numbers; }
/* A place among the requests that wait for a thread; false: there is none. */
bool srv_queue_entered(srv_server *server);
void srv_queue_left(srv_server *server);
/* May the request have its route? If not it gets its reply. */
void srv_admit(srv_request *request);
/* May the client have what routes of this role tell? Uses up nothing of its key. */
bool srv_may(const srv_request *request, srv_role role);
/* The same of what its head says about the client, whatever the route. */
void srv_admit_client(srv_request *request);
/* ARG when others than this machine could use the server, and nobody said that they may. */
FTL_MUST_USE ftl_status srv_check_exposure(const srv_server *server, const srv_config *config,
                                           const struct srv_keys *keys, ftl_error *error);
void srv_put_request_id(const srv_request *request, ftl_strbuf *out);
/* Counts a request that has its reply, and writes its line. */
void srv_log_request(srv_request *request);
/* What the client said of the trace that the request belongs to; data NULL: nothing usable. */
srv_text srv_trace_parent(const srv_request *request);
/* ARG for a log-level that is none. */
FTL_MUST_USE ftl_status srv_log_check(const srv_config *config, ftl_error *error);
double srv_now(void);
/* A line about the server itself: an object of JSON on stderr; event is one word. */
void srv_log(const srv_server *server, const char *level, const char *event, const char *format,
             ...) FTL_PRINTF(4, 5);

#endif
