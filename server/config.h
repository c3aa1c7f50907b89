/*
 * The server's configuration. Every setting is one line of SRV_SETTINGS: its option, its
 * environment variable (FORETELL_SERVE_ and the name in capitals), its key in a file, its default
 * and what --help says. Defaults < file < environment < options.
 */
#ifndef FTL_SERVER_CONFIG_H
#define FTL_SERVER_CONFIG_H

#include "base/alloc.h"

/*
 * X(kind, field, name, default, argument, help)
 * kinds: TEXT a text; LIST texts, given several times; NUMBER a whole number; BYTES one with K, M
 * or G behind it; SWITCH given or not; SECRET a text that is never shown
 */
#define SRV_SETTINGS(X)                                                                           \
    X(TEXT, host, "host", "127.0.0.1", "ADDRESS", "address to listen on")                         \
    X(NUMBER, port, "port", "8000", "N", "port to listen on; 0: one that is free")                \
    X(NUMBER, threads, "threads", "0", "N", "loops; 0: one for each CPU")                         \
    X(TEXT, model_root, "model-root", ".", "DIR", "where the model_path of requests lies")        \
    X(TEXT, data_root, "data-root", ".", "DIR", "where the data_path of requests lies")           \
    X(TEXT, output_root, "output-root", "", "DIR",                                                \
      "where output_path may be written; none: nowhere")                                          \
    X(NUMBER, max_answer_rows, "max-answer-rows", "100000", "N",                                  \
      "rows of a file whose predictions an answer may hold")                                      \
    X(NUMBER, max_jobs, "max-jobs", "2", "N", "files that are worked on at once")                 \
    X(NUMBER, max_waiting_jobs, "max-waiting-jobs", "100", "N", "jobs that may wait for that")    \
    X(NUMBER, job_keep, "job-keep", "3600", "S", "how long a finished job is told of")            \
    X(NUMBER, max_streams, "max-streams", "64", "N", "streams of predictions at once")            \
    X(NUMBER, stream_timeout, "stream-timeout", "300", "S",                                       \
      "until a stream's next bytes; 0: any time")                                                 \
    X(NUMBER, cache_size, "cache-size", "15", "N", "models that stay open: 5, 15, 30")            \
    X(BYTES, cache_bytes, "cache-bytes", "1G", "SIZE", "memory that they may take; 0: any")       \
    X(LIST, warmup, "warmup", NULL, "MODEL", "opened before the server says it is ready")         \
    X(BYTES, max_body, "max-body", "64M", "SIZE", "largest body of a request")                    \
    X(BYTES, max_head, "max-head", "32K", "SIZE", "largest head of a request")                    \
    X(NUMBER, max_connections, "max-connections", "20000", "N", "connections of each loop")       \
    X(NUMBER, max_queue, "max-queue", "1000", "N", "requests that may wait for a thread")         \
    X(NUMBER, queue_ms, "queue-ms", "10000", "MS", "how long they may; 0: any time")              \
    X(NUMBER, inline_us, "inline-us", "200", "US", "work above this leaves the loop")             \
    X(NUMBER, head_timeout, "head-timeout", "10", "S", "until a request's head is there")         \
    X(NUMBER, body_timeout, "body-timeout", "60", "S", "between two pieces of a body or reply")   \
    X(NUMBER, request_timeout, "request-timeout", "300", "S", "until a request is there; 0: any") \
    X(NUMBER, idle_timeout, "idle-timeout", "75", "S", "between two requests of a connection")    \
    X(NUMBER, drain_seconds, "drain-seconds", "20", "S", "for open requests once told to end")    \
    X(NUMBER, metrics_models, "metrics-models", "20", "N",                                        \
      "models that /metrics tells apart, the first ones used")                                    \
    X(SWITCH, quiet, "quiet", "", NULL, "no lines about requests and models")                     \
    SRV_PATH_SETTINGS(X)                                                                          \
    SRV_GUARD_SETTINGS(X)

/* Paths besides those of the APIs. */
#define SRV_PATH_SETTINGS(X)                                              \
    X(LIST, route, "route", NULL, "PATH=MODEL[:METHOD]",                  \
      "an old service's path: plain JSON rows in, a plain list out")      \
    X(LIST, predict_route, "predict-route", NULL, "PATH",                 \
      "another path of TensorFlow Serving's predict, for the only model") \
    X(LIST, health_route, "health-route", NULL, "PATH", "another path that tells readiness")

/* Of what keeps a server in production safe and told of. */
#define SRV_GUARD_SETTINGS(X)                                                                    \
    X(NUMBER, grace_seconds, "grace-seconds", "0", "S",                                          \
      "clients are still taken once told to end")                                                \
    X(SECRET, inference_key, "inference-key", "", "KEY",                                         \
      "who has it may predict; several: commas")                                                 \
    X(SECRET, admin_key, "admin-key", "", "KEY", "who has it may do all")                        \
    X(SECRET, metrics_key, "metrics-key", "", "KEY", "who has it may read figures")              \
    X(TEXT, keys_file, "keys-file", "", "FILE", "keys: lines of ROLE KEY [NAME [RATE]]")         \
    X(NUMBER, key_rate, "key-rate", "0", "N", "requests a second with each key; 0: any")         \
    X(SWITCH, no_auth, "no-auth", "", NULL, "serves others than loopback without keys")          \
    X(LIST, allowed_host, "allowed-host", NULL, "NAME", "a name of this server in Host; *: any") \
    X(LIST, cors_origin, "cors-origin", NULL, "ORIGIN", "a site whose pages may use the server") \
    X(TEXT, tls_cert, "tls-cert", "", "FILE", "certificate and its chain (PEM): HTTPS")          \
    X(TEXT, tls_key, "tls-key", "", "FILE", "its private key (PEM); none: in the same file")     \
    X(BYTES, max_rows, "max-rows", "0", "N", "rows of a request; 0: any")                        \
    X(BYTES, max_cells, "max-cells", "64M", "N", "rows x columns of a request; 0: any")          \
    X(BYTES, request_memory, "request-memory", "2G", "SIZE", "of all requests together; 0: any") \
    X(NUMBER, watch_seconds, "watch-seconds", "5", "S", "between looks at folders; 0: none")     \
    X(SWITCH, require_warmup, "require-warmup", "", NULL, "not ready while a model cannot open") \
    X(SWITCH, access_log, "access-log", "", NULL, "a line for each request")                     \
    X(TEXT, log_level, "log-level", "info", "LEVEL", "debug, info, warning, error or off")

typedef struct srv_list {
    char **items;
    size_t n, room;
} srv_list;

#define SRV_FIELD_TEXT(field) char *field;
#define SRV_FIELD_SECRET(field) char *field;
#define SRV_FIELD_LIST(field) srv_list field;
#define SRV_FIELD_NUMBER(field) uint32_t field;
#define SRV_FIELD_BYTES(field) uint64_t field;
#define SRV_FIELD_SWITCH(field) bool field;

typedef struct srv_config {
    ftl_account *account;
    srv_list models; /* what stands without an option: files and folders */
#define SRV_FIELD(kind, field, name, value, argument, help) SRV_FIELD_##kind(field)
    SRV_SETTINGS(SRV_FIELD)
#undef SRV_FIELD
    char *file; /* --config */
    int argc;   /* of the command line, for another reading */
    char **argv;
    bool check;               /* --check-config */
    bool help, version, list; /* --list-settings */
} srv_config;

/* Reads defaults, file, environment and options. ARG with a message that names the setting. */
FTL_MUST_USE ftl_status srv_config_read(ftl_account *account, int argc, char **argv,
                                        srv_config *out, ftl_error *error);
void srv_config_free(srv_config *config);
/*
 * Gives config the running one's values of all settings but those that are named, n of them; names
 * of settings that would have another value go to kept, with commas between.
 */
FTL_MUST_USE ftl_status srv_config_keep(srv_config *config, const srv_config *running,
                                        const char *const *names, size_t n, char *kept,
                                        size_t kept_size, ftl_error *error);
/* The text of a file's line: the first one may begin with a byte order mark. */
char *srv_config_line(char *line, int number);
/* Whether they say the same. */
bool srv_config_is_same(const srv_config *a, const srv_config *b);
/* The effective configuration on standard output, as a file would have it; secrets are hidden. */
void srv_config_print(const srv_config *config);
/* --help */
void srv_config_help(void);
/*
 * --list-settings, for programs: a line each, NAME tab ARGUMENT tab DEFAULT tab HELP. Manual pages
 * and completions of the foretell program are made of it.
 */
void srv_config_list(void);

#endif
