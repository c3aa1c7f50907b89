/* The routes, and the handlers of the APIs: a file each. Another route is another line. */
#ifndef FTL_SERVER_API_API_H
#define FTL_SERVER_API_API_H

#include "http/http.h"

#define SRV_NATIVE_PATH "/api/v1/inference"

/* Of each table: X(method, pattern, handler, role, flags). */

/* The native API: predictions, the cache. */
#define SRV_NATIVE_ROUTES(X)                                                                  \
    X(POST, SRV_NATIVE_PATH "/predict", srv_native_predict, SRV_INFERENCE, 0)                 \
    X(POST, SRV_NATIVE_PATH "/predict-batch", srv_native_predict_batch, SRV_INFERENCE, 0)     \
    X(POST, SRV_NATIVE_PATH "/predict-stream", srv_native_predict_stream, SRV_INFERENCE,      \
      SRV_STREAMS)                                                                            \
    X(POST, "/api/v1/models/{model}/predict-stream", srv_model_predict_stream, SRV_INFERENCE, \
      SRV_STREAMS)                                                                            \
    X(POST, SRV_NATIVE_PATH "/warmup", srv_native_warmup, SRV_ADMIN, SRV_BLOCKS)              \
    X(GET, SRV_NATIVE_PATH "/cache/stats", srv_native_cache_stats, SRV_METRICS, SRV_BLOCKS)   \
    X(DELETE, SRV_NATIVE_PATH "/cache/clear", srv_native_cache_clear, SRV_ADMIN, SRV_BLOCKS)  \
    X(GET, SRV_NATIVE_PATH "/health", srv_native_health, SRV_OPEN, SRV_PROBE)                 \
    X(GET, SRV_NATIVE_PATH "/jobs", srv_native_jobs, SRV_INFERENCE, SRV_BLOCKS)               \
    X(GET, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job, SRV_INFERENCE, SRV_BLOCKS)           \
    X(DELETE, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job_cancel, SRV_INFERENCE, SRV_BLOCKS)

/* What there is: models, and the description of all this. */
#define SRV_MODEL_ROUTES(X)                                                    \
    X(GET, "/api/v1/models", srv_models_list, SRV_INFERENCE, SRV_BLOCKS)       \
    X(GET, "/api/v1/models/{name}", srv_models_get, SRV_INFERENCE, SRV_BLOCKS) \
    X(GET, "/openapi.json", srv_openapi, SRV_OPEN, SRV_BLOCKS)

/* Pages for people. */
#define SRV_PAGE_ROUTES(X)                                 \
    X(GET, "/", srv_page_models, SRV_OPEN, 0)              \
    X(GET, "/docs", srv_page_docs, SRV_OPEN, 0)            \
    X(GET, "/redoc", srv_page_redoc, SRV_OPEN, 0)          \
    X(GET, "/api/v1/docs", srv_page_api_docs, SRV_OPEN, 0) \
    X(GET, "/assets/{name}", srv_page_asset, SRV_OPEN, 0)

/* All of them, in the order in which they are looked through. */
#define SRV_ROUTES(X)    \
    SRV_NATIVE_ROUTES(X) \
    SRV_MODEL_ROUTES(X)  \
    SRV_PAGE_ROUTES(X)

#define SRV_DECLARE_HANDLER(method, pattern, handler, role, flags) srv_handler handler;
SRV_ROUTES(SRV_DECLARE_HANDLER)
#undef SRV_DECLARE_HANDLER

#endif
