/* The catalog's parts; for catalog.c and refresh.c alone. */
#ifndef FTL_SERVER_SERVING_CATALOG_IMPL_H
#define FTL_SERVER_SERVING_CATALOG_IMPL_H

#include "serving/catalog.h"
#include "serving/confine.h"
#include "serving/scan.h"

enum { SRV_CATALOG_SLOTS = 1024 };

struct srv_catalog {
    srv_server *server;
    srv_root root;
    uv_mutex_t lock;
    srv_model *by_path[SRV_CATALOG_SLOTS];
    size_t n_paths;
    srv_model **named; /* those that are listed now, by name and version */
    size_t n_named;
    srv_model *every_named; /* and all that ever were; the refreshing thread's */
    uint64_t looks;         /* at folders, so far */
    bool asks;              /* whether the cache has seen a changed file yet */
    int watch;              /* inotify; -1: there is none */
    char last_problem[300]; /* of the listing, that it is told of once */
};

/* The entries of a listing; *out is the caller's. */
FTL_MUST_USE ftl_status srv_catalog_entries(srv_catalog *catalog, const srv_listing *listing,
                                            srv_model ***out, ftl_error *error);
/* models become those that are listed; the catalog owns the array then. */
void srv_catalog_publish(srv_catalog *catalog, srv_model **models, size_t n);

#endif
