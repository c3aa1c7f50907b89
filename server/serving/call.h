/*
 * One prediction for a request: the model from the cache, a session of its plan, and how long each
 * phase took.
 *
 *     srv_call call;
 *     if (srv_call_open(&call, request, model, methods, true, &result) &&
 *         srv_call_read(&call, rows, size, NULL, &taken, &result) && srv_call_run(&call, &result))
 *         … srv_call_output(&call, FTL_PREDICT, &batch) … result = srv_reply_json(request, 200);
 *     srv_call_close(&call);
 *     return result;
 *
 * On the loop a call that would have to wait (the model is not open, its plan not made) or that
 * would take long gives SRV_DEFER: the handler returns that, and is called again on the pool.
 */
#ifndef FTL_SERVER_SERVING_CALL_H
#define FTL_SERVER_SERVING_CALL_H

#include "serving/catalog.h"

#include <foretell/rows.h>

typedef struct srv_call {
    srv_request *request;
    srv_model *model;
    ftl_model *open; /* NULL: not open (yet) */
    ftl_session *session;
    uint32_t methods;
    ftl_type dtype; /* F64 or F32: of the plan */
    ftl_cache_answer answer;
    ftl_batch in;
    uint64_t began, ready, parsed, predicted; /* uv_hrtime */
    bool failed;
} srv_call;

/* Methods of a call: what a model does by itself, and its probabilities. */
#define SRV_DEFAULT_METHOD 0u

/* methods: bit set of 1u << ftl_method; 0: the model's default. False: *result is the handler's. */
bool srv_call_open(srv_call *call, srv_request *request, srv_model *model, uint32_t methods,
                   bool use_cache, srv_result *result);
/*
 * The same in two steps, for who must know the model before the methods and the type of the numbers
 * are known: first the model (call->open), then a session for methods and for F64 or F32, by which
 * the plan's arithmetic is that of the source library.
 */
bool srv_call_find(srv_call *call, srv_request *request, srv_model *model, bool use_cache,
                   srv_result *result);
bool srv_call_plan(srv_call *call, uint32_t methods, ftl_type dtype, srv_result *result);
/* The request failed before it was predicted: the reply, and a failure of the model's figures. */
bool srv_call_fail(srv_call *call, const ftl_error *error, srv_result *result);
/* Rows of a table in memory become call->in; see ftl_session_read. */
bool srv_call_read(srv_call *call, const char *data, size_t size, const ftl_read_options *options,
                   size_t *taken, srv_result *result);
/* The same for rows that need no reading: within the limits of the configuration? */
bool srv_call_take(srv_call *call, const ftl_batch *rows, srv_result *result);
/* Predicts call->in. */
bool srv_call_run(srv_call *call, srv_result *result);
/* The columns of a method; good until the call is closed. */
bool srv_call_output(srv_call *call, ftl_method method, ftl_batch *out, srv_result *result);
/* Counts it and gives everything back. Whatever became of the call. */
void srv_call_close(srv_call *call);

/* False: the model was taken out of service, and *result says who brings it back. */
bool srv_model_in_service(srv_request *request, const srv_model *model, srv_result *result);

/*
 * The open model, for what is no prediction and is not counted; *open is the caller's to release.
 * On the loop one that is not open is SRV_DEFER.
 */
bool srv_model_get(srv_request *request, srv_model *model, ftl_model **open, srv_result *result);

double srv_call_predict_seconds(const srv_call *call);

#endif
