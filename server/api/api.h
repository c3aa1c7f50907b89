/* The routes, and the handlers of the APIs: a file each. Another route is another line. */
#ifndef FTL_SERVER_API_API_H
#define FTL_SERVER_API_API_H

#include "http/http.h"

#define SRV_NATIVE_PATH "/api/v1/inference"

/* Of each table: X(method, pattern, handler, role, flags). */

#define SRV_V2_MODEL "/v2/models/{model}"
#define SRV_V2_VERSION "/v2/models/{model}/versions/{version}"

/* The Open Inference Protocol, version 2, and Triton's extensions of it. */
#define SRV_V2_ROUTES(X)                                                              \
    X(GET, "/v2", srv_v2_server, SRV_OPEN, 0)                                         \
    X(GET, "/v2/health/live", srv_v2_live, SRV_OPEN, 0)                               \
    X(GET, "/v2/health/ready", srv_v2_ready, SRV_OPEN, 0)                             \
    X(GET, "/v2/models", srv_tf_models, SRV_INFERENCE, 0)                             \
    X(GET, "/v2/models/stats", srv_v2_all_stats, SRV_METRICS, SRV_BLOCKS)             \
    X(POST, SRV_V2_MODEL "/infer", srv_v2_infer, SRV_INFERENCE, 0)                    \
    X(POST, SRV_V2_VERSION "/infer", srv_v2_infer, SRV_INFERENCE, 0)                  \
    X(GET, SRV_V2_MODEL, srv_v2_metadata, SRV_INFERENCE, 0)                           \
    X(GET, SRV_V2_VERSION, srv_v2_metadata, SRV_INFERENCE, 0)                         \
    X(GET, SRV_V2_MODEL "/ready", srv_v2_model_ready, SRV_OPEN, 0)                    \
    X(GET, SRV_V2_VERSION "/ready", srv_v2_model_ready, SRV_OPEN, 0)                  \
    X(GET, SRV_V2_MODEL "/config", srv_v2_config, SRV_INFERENCE, 0)                   \
    X(GET, SRV_V2_VERSION "/config", srv_v2_config, SRV_INFERENCE, 0)                 \
    X(GET, SRV_V2_MODEL "/stats", srv_v2_stats, SRV_METRICS, 0)                       \
    X(GET, SRV_V2_VERSION "/stats", srv_v2_stats, SRV_METRICS, 0)                     \
    X(POST, "/v2/repository/index", srv_v2_index, SRV_INFERENCE, SRV_BLOCKS)          \
    X(POST, "/v2/repository/models/{model}/load", srv_v2_load, SRV_ADMIN, SRV_BLOCKS) \
    X(POST, "/v2/repository/models/{model}/unload", srv_v2_unload, SRV_ADMIN, SRV_BLOCKS)

/* MLflow's scoring protocol, which is SageMaker's as well. */
#define SRV_MLFLOW_ROUTES(X)                                          \
    X(POST, "/invocations", srv_mlflow_invocations, SRV_INFERENCE, 0) \
    X(GET, "/ping", srv_mlflow_ping, SRV_OPEN, 0)                     \
    X(GET, "/health", srv_mlflow_ping, SRV_OPEN, 0)                   \
    X(GET, "/version", srv_mlflow_version, SRV_OPEN, 0)

#define SRV_TF_MODEL "/v1/models/{model}"
#define SRV_TF_VERSION "/v1/models/{model}/versions/{version}"

/* TensorFlow Serving's, and KServe's first. */
#define SRV_TF_ROUTES(X)                                                 \
    X(GET, "/v1/models", srv_tf_models, SRV_INFERENCE, 0)                \
    X(POST, SRV_TF_MODEL ":predict", srv_tf_predict, SRV_INFERENCE, 0)   \
    X(POST, SRV_TF_VERSION ":predict", srv_tf_predict, SRV_INFERENCE, 0) \
    X(GET, SRV_TF_MODEL, srv_tf_status, SRV_OPEN, 0)                     \
    X(GET, SRV_TF_VERSION, srv_tf_status, SRV_OPEN, 0)

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
    X(GET, SRV_NATIVE_PATH "/health", srv_native_health, SRV_OPEN, 0)                         \
    X(GET, SRV_NATIVE_PATH "/jobs", srv_native_jobs, SRV_INFERENCE, SRV_BLOCKS)               \
    X(GET, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job, SRV_INFERENCE, SRV_BLOCKS)           \
    X(DELETE, SRV_NATIVE_PATH "/jobs/{id}", srv_native_job_cancel, SRV_INFERENCE, SRV_BLOCKS)

/* What there is: models, and the description of all this. */
#define SRV_MODEL_ROUTES(X)                                                    \
    X(GET, "/api/v1/models", srv_models_list, SRV_INFERENCE, SRV_BLOCKS)       \
    X(GET, "/api/v1/models/{name}", srv_models_get, SRV_INFERENCE, SRV_BLOCKS) \
    X(GET, "/openapi.json", srv_openapi, SRV_OPEN, SRV_BLOCKS)                 \
    X(GET, "/metrics", srv_metrics, SRV_METRICS, SRV_BLOCKS)

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
    SRV_V2_ROUTES(X)     \
    SRV_MLFLOW_ROUTES(X) \
    SRV_TF_ROUTES(X)     \
    SRV_MODEL_ROUTES(X)  \
    SRV_PAGE_ROUTES(X)

#define SRV_DECLARE_HANDLER(method, pattern, handler, role, flags) srv_handler handler;
SRV_ROUTES(SRV_DECLARE_HANDLER)
#undef SRV_DECLARE_HANDLER

srv_handler srv_custom_predict; /* routes of the configuration */

#endif
