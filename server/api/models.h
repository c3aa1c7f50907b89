/* The models that clients can name, with what is known of those that are open. */
#ifndef FTL_SERVER_API_MODELS_H
#define FTL_SERVER_API_MODELS_H

#include "serving/catalog.h"

/* A model of the cache, held: srv_open_models_free. */
typedef struct srv_open_model {
    srv_model *named; /* NULL: a request named its path */
    ftl_model *model;
    uint64_t bytes;
    const char *path;  /* the list's */
    const char *shown; /* the name, or the path below the root */
    bool stale;
} srv_open_model;

typedef struct srv_open_models {
    srv_server *server;
    srv_open_model *items;
    size_t n, room;
    bool failed;
} srv_open_models;

/* Those that are in the cache now; asking for them counts as no use. */
ftl_status srv_open_models_list(srv_server *server, srv_open_models *out, ftl_error *error);
const srv_open_model *srv_open_models_at(const srv_open_models *models, const char *path);
void srv_open_models_free(srv_open_models *models);

#endif
