/* Triton's extensions of the protocol: the repository of models, and their statistics. */
#include "api/api.h"
#include "api/v2.h"
#include "io/json.h"

#include <string.h>
#include <time.h>

static void put_text(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_json_string(out, text, strlen(text));
}

static void put_named(ftl_strbuf *out, const srv_model *model, bool first)
{
    ftl_strbuf_puts(out, first ? "{\"name\":" : ",{\"name\":");
    put_text(out, model->shown);
    ftl_strbuf_puts(out, ",\"version\":");
    put_text(out, model->version ? model->version : "1");
}

/* ---- The repository -------------------------------------------------------------------------- */

typedef struct listing {
    srv_request *request;
    bool only_ready, any;
} listing;

static void put_entry(void *user, srv_model *model)
{
    static const char *const states[] = {
        [SRV_MODEL_UNKNOWN] = "\"READY\",\"reason\":\"opened by its first request\"}",
        [SRV_MODEL_OPENED] = "\"READY\"}",
        [SRV_MODEL_FAILED] = "\"UNAVAILABLE\",\"reason\":\"it could not be opened\"}",
        [SRV_MODEL_UNLOADED] = "\"UNAVAILABLE\",\"reason\":\"unloaded\"}"};
    listing *list = user;
    ftl_strbuf *out = &list->request->out;
    int state = model->state;
    if (list->only_ready && (state == SRV_MODEL_FAILED || state == SRV_MODEL_UNLOADED))
        return;
    put_named(out, model, !list->any);
    ftl_strbuf_puts(out, ",\"state\":");
    ftl_strbuf_puts(out, states[state]);
    list->any = true;
}

/* {"ready": true} asks for models that are ready alone; an empty body for all. */
static bool asks_for_ready(const srv_request *request)
{
    ftl_json json;
    ftl_json_token token = FTL_JSON_NULL;
    ftl_json_init(&json, request->body.data ? request->body.data : "", request->body.size, 0);
    while (token != FTL_JSON_DONE && ftl_json_next(&json, &token, NULL) == FTL_OK) {
        if (token == FTL_JSON_KEY && json.depth == 1 && ftl_json_is(&json, "ready"))
            return ftl_json_next(&json, &token, NULL) == FTL_OK && token == FTL_JSON_TRUE;
    }
    return false;
}

srv_result srv_v2_index(srv_request *request)
{
    listing list = {.request = request, .only_ready = asks_for_ready(request)};
    ftl_strbuf_putc(&request->out, '[');
    srv_catalog_each(request->server->catalog, put_entry, &list);
    ftl_strbuf_putc(&request->out, ']');
    return srv_reply_json(request, 200);
}

/* Versions of a model, which are loaded and unloaded together. */
typedef struct version_work {
    srv_request *request;
    size_t n;
    ftl_status status; /* the first failure */
    ftl_error error;
} version_work;

static bool is_asked_for(const version_work *work, const srv_model *model)
{
    return srv_text_is(work->request->params[0], model->name);
}

static void load_one(void *user, srv_model *model)
{
    version_work *work = user;
    ftl_error error;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    if (!is_asked_for(work, model))
        return;
    work->n++;
    int unloaded = SRV_MODEL_UNLOADED;
    atomic_compare_exchange_strong(&model->state, &unloaded, SRV_MODEL_UNKNOWN);
    ftl_error_clear(&error);
    ftl_status status = srv_model_warm(work->request->server, model, &answer, &error);
    if (status != FTL_OK && work->status == FTL_OK) {
        work->status = status;
        work->error = error;
    }
}

static void unload_one(void *user, srv_model *model)
{
    version_work *work = user;
    if (!is_asked_for(work, model))
        return;
    work->n++;
    atomic_store(&model->state, SRV_MODEL_UNLOADED);
    ftl_cache_evict(work->request->server->cache, model->path);
}

static srv_result for_versions(srv_request *request, void (*fn)(void *user, srv_model *model))
{
    version_work work = {.request = request};
    ftl_error_clear(&work.error);
    srv_catalog_each(request->server->catalog, fn, &work);
    if (!work.n)
        return srv_reply_error(request, 404, "there is no such model");
    if (work.status != FTL_OK)
        return srv_reply_failure(request, &work.error);
    return srv_reply_json(request, 200);
}

srv_result srv_v2_load(srv_request *request) { return for_versions(request, load_one); }

srv_result srv_v2_unload(srv_request *request) { return for_versions(request, unload_one); }

/* ---- Statistics ------------------------------------------------------------------------------ */

static void put_duration(ftl_strbuf *out, const char *name, uint64_t count, uint64_t nanoseconds)
{
    ftl_strbuf_printf(out, "\"%s\":{\"count\":%llu,\"ns\":%llu}", name, (unsigned long long)count,
                      (unsigned long long)nanoseconds);
}

/* Milliseconds since 1970 of the last prediction; 0: there was none. */
static uint64_t last_used(const srv_model *model)
{
    uint64_t last = model->last_used;
    struct timespec now;
    if (!last)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t milliseconds = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return milliseconds - (uv_hrtime() - last) / 1000000;
}

static void put_stats(ftl_strbuf *out, srv_model *model, bool first)
{
    const srv_model_figures *figures = &model->figures;
    uint64_t count = figures->total.n, failures = figures->failures;
    put_named(out, model, first);
    ftl_strbuf_printf(out,
                      ",\"last_inference\":%llu,\"inference_count\":%llu,\"execution_count\":%llu,"
                      "\"inference_stats\":{",
                      (unsigned long long)last_used(model), (unsigned long long)figures->rows,
                      (unsigned long long)count);
    put_duration(out, "success", count, figures->total.nanoseconds);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "fail", failures, 0);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "queue", count, figures->queue.nanoseconds);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "compute_input", count,
                 figures->load.nanoseconds + figures->parse.nanoseconds);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "compute_infer", count, figures->predict.nanoseconds);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "compute_output", count, figures->format.nanoseconds);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "cache_hit", 0, 0);
    ftl_strbuf_putc(out, ',');
    put_duration(out, "cache_miss", 0, 0);
    ftl_strbuf_puts(out, "},\"batch_stats\":[],\"memory_usage\":[]}");
}

srv_result srv_v2_stats(srv_request *request)
{
    srv_result result;
    srv_model *model = srv_v2_model(request, &result);
    if (!model)
        return result;
    ftl_strbuf_puts(&request->out, "{\"model_stats\":[");
    put_stats(&request->out, model, true);
    ftl_strbuf_puts(&request->out, "]}");
    return srv_reply_json(request, 200);
}

static void put_one(void *user, srv_model *model)
{
    listing *list = user;
    put_stats(&list->request->out, model, !list->any);
    list->any = true;
}

srv_result srv_v2_all_stats(srv_request *request)
{
    listing list = {.request = request};
    ftl_strbuf_puts(&request->out, "{\"model_stats\":[");
    srv_catalog_each(request->server->catalog, put_one, &list);
    ftl_strbuf_puts(&request->out, "]}");
    return srv_reply_json(request, 200);
}
