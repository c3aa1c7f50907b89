/*
 * The models that the server knows: those of its command line by name, and those that requests
 * name by path. An entry lives as long as the server; whether its model is open is the cache's
 * matter. Thread-safe.
 */
#ifndef FTL_SERVER_SERVING_CATALOG_H
#define FTL_SERVER_SERVING_CATALOG_H

#include "server.h"
#include "serving/figures.h"

/* What the last attempt to open a model came to. */
typedef enum srv_model_state {
    SRV_MODEL_UNKNOWN, /* nobody has asked for it yet */
    SRV_MODEL_OPENED,  /* whether it still is open is the cache's matter */
    SRV_MODEL_FAILED,
    SRV_MODEL_UNLOADED /* taken out of service until it is loaded again */
} srv_model_state;

typedef struct srv_model {
    const char *path;    /* what the cache is asked for */
    const char *shown;   /* to clients: the name, or the path below the root */
    const char *name;    /* NULL: a request named its path */
    const char *version; /* such as "3"; NULL: it has none */
    srv_model_figures figures;
    _Atomic int state;                     /* srv_model_state */
    _Atomic uint64_t last_used;            /* uv_hrtime of the last prediction; 0: none yet */
    _Atomic uint64_t picoseconds_per_byte; /* of a body, as it took of late: 0: not known */
    bool apart;                            /* /metrics tells it from other models; its lock's */
    struct srv_model *next;                /* in its slot */
    bool listed;                           /* by its name; the catalog's, as what follows */
    uint64_t seen;                         /* the last look that found it */
    double ask_until;                      /* of a file that has changed; 0: it has not */
    uint64_t mark;                         /* what its file looked like at the last look */
    char problem[200];                     /* why it cannot be opened; "": it can */
} srv_model;

FTL_MUST_USE ftl_status srv_catalog_create(srv_server *server, srv_catalog **out, ftl_error *error);
void srv_catalog_destroy(srv_catalog *catalog); /* NULL is allowed */
/* Opens the models to warm up, and logs what cannot be. */
void srv_catalog_warm(srv_catalog *catalog);

/*
 * The model of a name, and of a version (data NULL: the latest). NULL: there is none.
 */
srv_model *srv_catalog_named(srv_catalog *catalog, srv_text name, srv_text version);
/*
 * The model of a path of a request: beneath the model root, where an absolute path that begins with
 * the root's is meant so, too; and the path of a model of the command line, or its name, as it
 * stands there. Otherwise NULL with *status 404 or 403, and a reason that tells nothing about what
 * lies outside.
 */
srv_model *srv_catalog_at_path(srv_catalog *catalog, srv_text path, int *status, ftl_error *error);
/* Calls fn for each named model, by name and version. */
void srv_catalog_each(srv_catalog *catalog, void (*fn)(void *user, srv_model *model), void *user);
/*
 * Calls fn for each named model that cannot be opened, or whose changed file cannot; returns how
 * many there are. fn may be NULL, and must not use the catalog.
 */
size_t srv_catalog_problems(srv_catalog *catalog,
                            void (*fn)(void *user, const srv_model *model, const char *problem),
                            void *user);
/* error NULL: there is none any more. True: that is another than before. */
bool srv_model_set_problem(srv_catalog *catalog, srv_model *model, const ftl_error *error);
/* Looks at the folders and files again. One thread at a time, which may wait. */
void srv_catalog_refresh(srv_catalog *catalog);
/* From here on srv_catalog_wait ends when a folder changes. */
void srv_catalog_watch(srv_catalog *catalog);
void srv_catalog_unwatch(srv_catalog *catalog);
/* Waits for a change, for a byte from the pipe, or for so many milliseconds. */
void srv_catalog_wait(srv_catalog *catalog, int kick, int milliseconds);
/* The same for each model that requests named by its path. fn must be short: they wait for it. */
void srv_catalog_each_path(srv_catalog *catalog, void (*fn)(void *user, srv_model *model),
                           void *user);
/* A path of the cache as clients may see it. */
const char *srv_catalog_shown(srv_catalog *catalog, const char *path);
/* As ftl_cache_get; messages have the name or path that clients know. */
FTL_MUST_USE ftl_status srv_model_take(srv_server *server, const srv_model *model,
                                       const ftl_cache_get_options *options,
                                       ftl_cache_answer *answer, ftl_model **out, ftl_error *error);
/* Opens a model and makes its usual plan, on a thread that may wait; notes its state. */
ftl_status srv_model_warm(srv_server *server, srv_model *model, ftl_cache_answer *answer,
                          ftl_error *error);

/* The same for a request's attempt: what is wrong with a named model is a problem that is told. */
void srv_model_note_request(srv_server *server, srv_model *model, ftl_status status,
                            const ftl_error *error);

#endif
