/* The routes, and the handlers of the APIs: a file each. Another route is another line. */
#ifndef FTL_SERVER_API_API_H
#define FTL_SERVER_API_API_H

#include "http/http.h"

#define SRV_NATIVE_PATH "/api/v1/inference"

/* X(method, pattern, handler, role, flags) */
#define SRV_ROUTES(X)                                                                         \
    X(POST, SRV_NATIVE_PATH "/predict", srv_native_predict, SRV_INFERENCE, 0)                 \
    X(POST, SRV_NATIVE_PATH "/predict-batch", srv_native_predict_batch, SRV_INFERENCE, 0)     \
    X(POST, SRV_NATIVE_PATH "/predict-stream", srv_native_predict_stream, SRV_INFERENCE,      \
      SRV_STREAMS)                                                                            \
    X(POST, "/api/v1/models/{model}/predict-stream", srv_model_predict_stream, SRV_INFERENCE, \
      SRV_STREAMS)                                                                            \
    X(GET, SRV_NATIVE_PATH "/jobs", srv_native_jobs, SRV_INFERENCE, SRV_BLOCKS)               \
    X(GET, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job, SRV_INFERENCE, SRV_BLOCKS)           \
    X(DELETE, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job_cancel, SRV_INFERENCE, SRV_BLOCKS) \
    X(POST, SRV_NATIVE_PATH "/warmup", srv_native_warmup, SRV_ADMIN, SRV_BLOCKS)              \
    X(GET, SRV_NATIVE_PATH "/cache/stats", srv_native_cache_stats, SRV_METRICS, SRV_BLOCKS)   \
    X(DELETE, SRV_NATIVE_PATH "/cache/clear", srv_native_cache_clear, SRV_ADMIN, SRV_BLOCKS)  \
    X(GET, SRV_NATIVE_PATH "/health", srv_native_health, SRV_OPEN, SRV_PROBE)

#define SRV_DECLARE_HANDLER(method, pattern, handler, role, flags) srv_handler handler;
SRV_ROUTES(SRV_DECLARE_HANDLER)
#undef SRV_DECLARE_HANDLER

#endif
