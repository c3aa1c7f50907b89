/* The routes, and the handlers of the APIs: a file each. Another route is another line. */
#ifndef FTL_SERVER_API_API_H
#define FTL_SERVER_API_API_H

#include "http/http.h"

#define SRV_NATIVE_PATH "/api/v1/inference"

/* X(method, pattern, handler, role, flags) */
#define SRV_ROUTES(X)                                                                        \
    X(POST, SRV_NATIVE_PATH "/predict", srv_native_predict, SRV_INFERENCE, 0)                \
    X(POST, SRV_NATIVE_PATH "/warmup", srv_native_warmup, SRV_ADMIN, SRV_BLOCKS)             \
    X(GET, SRV_NATIVE_PATH "/cache/stats", srv_native_cache_stats, SRV_METRICS, SRV_BLOCKS)  \
    X(DELETE, SRV_NATIVE_PATH "/cache/clear", srv_native_cache_clear, SRV_ADMIN, SRV_BLOCKS) \
    X(GET, SRV_NATIVE_PATH "/health", srv_native_health, SRV_OPEN, SRV_PROBE)                \
    X(GET, "/api/v1/models", srv_models_list, SRV_INFERENCE, SRV_BLOCKS)                     \
    X(GET, "/api/v1/models/{name}", srv_models_get, SRV_INFERENCE, SRV_BLOCKS)               \
    X(GET, "/metrics", srv_metrics, SRV_METRICS, SRV_BLOCKS | SRV_PROBE)                     \
    X(GET, "/openapi.json", srv_openapi, SRV_OPEN, SRV_BLOCKS)                               \
    X(GET, "/", srv_page_models, SRV_OPEN, 0)                                                \
    X(GET, "/docs", srv_page_docs, SRV_OPEN, 0)                                              \
    X(GET, "/redoc", srv_page_redoc, SRV_OPEN, 0)                                            \
    X(GET, "/api/v1/docs", srv_page_api_docs, SRV_OPEN, 0)                                   \
    X(GET, "/assets/{name}", srv_page_asset, SRV_OPEN, 0)

#define SRV_DECLARE_HANDLER(method, pattern, handler, role, flags) srv_handler handler;
SRV_ROUTES(SRV_DECLARE_HANDLER)
#undef SRV_DECLARE_HANDLER

#endif
