/* POST /api/v1/inference/predict. */
#include "api/api.h"
#include "api/body.h"
#include "api/native_answer.h"
#include "api/native_tables.h"
#include "serving/call.h"
#include "serving/lookup.h"
#include "serving/rows.h"
#include "serving/values.h"

typedef struct predict_request {
    srv_text model_path;
    srv_member features;
    bool use_cache, probabilities;
    bool has_method;
    ftl_method method; /* without one: what the model does by itself */
} predict_request;

static bool read_method(srv_request *request, const srv_member *member, predict_request *out,
                        srv_result *result)
{
    srv_text text;
    ftl_error error;
    ftl_error_clear(&error);
    if (member->found && member->token == FTL_JSON_NULL)
        return true;
    if (!srv_member_text(request, member, false, &text, result))
        return false;
    out->has_method = member->found;
    if (!member->found)
        return true;
    if (srv_method_named(text, &out->method, &error) == FTL_OK)
        return true;
    *result = srv_reply_invalid(request, "value_error", "method", "%s", error.message);
    return false;
}

static bool read_request(srv_request *request, predict_request *out, srv_result *result)
{
    enum { MODEL_PATH, FEATURES, USE_CACHE, PROBABILITIES, METHOD, N };
    srv_member members[N] = {[MODEL_PATH] = {.name = "model_path"},
                             [FEATURES] = {.name = "features", .passed = true},
                             [USE_CACHE] = {.name = "use_cache"},
                             [PROBABILITIES] = {.name = "return_probabilities"},
                             [METHOD] = {.name = "method"}};
    *out = (predict_request){.method = FTL_PREDICT};
    if (!srv_body_members(request, members, N, result) ||
        !srv_member_text(request, &members[MODEL_PATH], true, &out->model_path, result) ||
        !srv_member_flag(request, &members[USE_CACHE], true, &out->use_cache, result) ||
        !srv_member_flag(request, &members[PROBABILITIES], false, &out->probabilities, result) ||
        !read_method(request, &members[METHOD], out, result))
        return false;
    out->features = members[FEATURES];
    if (!out->features.found)
        *result = srv_reply_invalid(request, "missing", "features", "Field required");
    else if (out->features.token != FTL_JSON_ARRAY)
        *result = srv_reply_invalid(request, "list_type", "features",
                                    "Input should be a list of rows, such as [[1, 2], [3, 4]]");
    else
        return true;
    return false;
}

/* 0: the model's default. */
static uint32_t methods_of(const predict_request *wanted)
{
    if (wanted->probabilities)
        return 1u << wanted->method | 1u << FTL_PREDICT_PROBA;
    return wanted->has_method ? 1u << wanted->method : SRV_DEFAULT_METHOD;
}

bool srv_native_answer(srv_call *call, bool probabilities, ftl_method method, srv_result *result)
{
    ftl_strbuf *out = &call->request->out;
    ftl_batch batch;
    if (!srv_call_output(call, method, &batch, result))
        return false;
    ftl_strbuf_puts(out, "{\"predictions\":");
    srv_put_rows(out, method, &batch);
    if (probabilities) {
        if (!srv_call_output(call, FTL_PREDICT_PROBA, &batch, result))
            return false;
        ftl_strbuf_puts(out, ",\"probabilities\":");
        srv_put_rows(out, FTL_PREDICT_PROBA, &batch);
    }
    if (ftl_model_class_count(call->open, 0)) {
        ftl_strbuf_puts(out, ",\"classes\":");
        srv_put_classes(out, call->open);
    }
    double seconds = srv_call_predict_seconds(call);
    ftl_strbuf_printf(out, ",\"n_samples\":%zu,\"inference_time_seconds\":", batch.rows);
    srv_put_f64(out, seconds);
    ftl_strbuf_puts(out, ",\"throughput_samples_per_sec\":");
    srv_put_f64(out, seconds > 0 ? (double)batch.rows / seconds : 0);
    ftl_strbuf_puts(out, call->answer.hit ? ",\"cache_hit\":true}" : ",\"cache_hit\":false}");
    return true;
}

srv_result srv_native_predict(srv_request *request)
{
    predict_request wanted;
    ftl_error error;
    int status;
    srv_result result;
    srv_call call = {0};
    ftl_error_clear(&error);
    if (srv_tables_wanted(request))
        return srv_tables_predict(request);
    if (!read_request(request, &wanted, &result))
        return result;
    srv_model *model = srv_lookup_path(request, wanted.model_path, &status, &error);
    if (!model)
        return srv_reply_error(request, status, "%s", error.message);
    if (srv_call_open(&call, request, model, methods_of(&wanted), wanted.use_cache, &result)) {
        bool chosen = wanted.has_method || wanted.probabilities;
        ftl_method method = chosen ? wanted.method : (ftl_method)__builtin_ctz(call.methods);
        if (srv_call_read(&call, request->body.data + wanted.features.at, wanted.features.size,
                          NULL, NULL, &result) &&
            srv_call_run(&call, &result) &&
            srv_native_answer(&call, wanted.probabilities, method, &result))
            result = srv_reply_json(request, 200);
    }
    srv_call_close(&call);
    return result;
}
