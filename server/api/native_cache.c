/* The cache by /api/v1/inference: warmup, cache/stats, cache/clear; and health. */
#include "api/api.h"
#include "api/body.h"
#include "serving/call.h"
#include "serving/lookup.h"
#include "serving/process.h"
#include "serving/score.h"
#include "serving/values.h"

#include <string.h>

/* ---- Warm up --------------------------------------------------------------------------------- */

static bool warm_model(srv_request *request, srv_text path, const char *between, srv_result *result)
{
    srv_server *server = request->server;
    ftl_strbuf *out = &request->out;
    ftl_error error;
    int status;
    ftl_error_clear(&error);
    srv_model *model = srv_lookup_path(request, path, &status, &error);
    if (!model) {
        *result = srv_reply_error(request, status, "%s", error.message);
        return false;
    }
    if (!srv_model_in_service(request, model, result))
        return false;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_model *open = NULL;
    ftl_status warmed = srv_model_warm(server, model, &answer, &error);
    if (warmed == FTL_OK)
        warmed = srv_model_take(server, model, NULL, NULL, &open, &error);
    if (warmed != FTL_OK) {
        *result = srv_reply_failure(request, &error);
        return false;
    }
    ftl_model_info info = {.struct_size = sizeof info};
    uint64_t bytes = 0;
    if (ftl_model_get_info(open, &info) == FTL_OK)
        bytes = info.bytes + info.plan_bytes + info.session_bytes;
    ftl_model_release(open);
    ftl_strbuf_printf(out, "%s{\"model_path\":", between);
    ftl_strbuf_json_string(out, path.data, path.size);
    ftl_strbuf_puts(out, ",\"load_time_seconds\":");
    srv_put_f64(out, answer.load_seconds);
    ftl_strbuf_printf(out, ",\"cached\":true,\"bytes\":%llu}", (unsigned long long)bytes);
    return true;
}

/* The texts of an array of texts; between: what stands in front of the first one. */
static bool warm_all(srv_request *request, const srv_member *paths, const char *between,
                     srv_result *result)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, request->body.data + paths->at, paths->size, 0);
    if (ftl_json_next(&json, &token, NULL) != FTL_OK) /* it was read before */
        token = FTL_JSON_DONE;
    for (; ftl_json_next(&json, &token, NULL) == FTL_OK; between = ",") {
        if (token == FTL_JSON_ARRAY_END)
            return true;
        if (token != FTL_JSON_STRING)
            break;
        srv_text text = {json.text, json.text_size};
        if (json.escaped)
            text.size = ftl_json_unescape(text.data, text.size, (char *)text.data);
        if (!warm_model(request, text, between, result))
            return false;
    }
    *result = srv_reply_invalid(request, "string_type", paths->name,
                                "Input should be a list of texts");
    return false;
}

srv_result srv_native_warmup(srv_request *request)
{
    srv_member members[2] = {{.name = "model_path"}, {.name = "model_paths"}};
    srv_text path;
    srv_result result;
    if (!srv_body_members(request, members, 2, &result) ||
        !srv_member_text(request, &members[0], !members[1].found, &path, &result))
        return result;
    if (members[1].found && members[1].token != FTL_JSON_ARRAY)
        return srv_reply_invalid(request, "list_type", members[1].name,
                                 "Input should be a list of texts");
    ftl_strbuf_puts(&request->out, "{\"status\":\"ok\",\"models\":[");
    if (path.data && !warm_model(request, path, "", &result))
        return result;
    if (members[1].found && !warm_all(request, &members[1], path.data ? "," : "", &result))
        return result;
    ftl_strbuf_puts(&request->out, "]}");
    return srv_reply_json(request, 200);
}

/* ---- Statistics ------------------------------------------------------------------------------ */

typedef struct model_listing {
    ftl_strbuf *out;
    srv_server *server;
    size_t n;
} model_listing;

static bool put_model(void *user, const ftl_cache_model *model)
{
    model_listing *listing = user;
    ftl_strbuf *out = listing->out;
    const char *shown = srv_catalog_shown(listing->server->catalog, model->path);
    ftl_strbuf_puts(out, listing->n++ ? ",{\"model_path\":" : "{\"model_path\":");
    ftl_strbuf_json_string(out, shown, strlen(shown));
    ftl_strbuf_printf(out, ",\"bytes\":%llu,\"hits\":%llu,\"loads\":%llu,\"failures\":%llu",
                      (unsigned long long)model->bytes, (unsigned long long)model->hits,
                      (unsigned long long)model->loads, (unsigned long long)model->failures);
    ftl_strbuf_puts(out, ",\"load_time_seconds\":");
    srv_put_f64(out, model->load_seconds);
    ftl_strbuf_puts(out, ",\"age_seconds\":");
    srv_put_f64(out, model->age_seconds);
    ftl_strbuf_puts(out, ",\"idle_seconds\":");
    srv_put_f64(out, model->idle_seconds);
    ftl_strbuf_printf(out, ",\"in_use\":%u,\"stale\":%s}", model->holders,
                      model->stale ? "true" : "false");
    return true;
}

static void put_problem(void *user, const srv_model *model, const char *problem)
{
    model_listing *listing = user;
    ftl_strbuf *out = listing->out;
    ftl_strbuf_puts(out, listing->n++ ? ",{\"model\":" : "{\"model\":");
    ftl_strbuf_json_string(out, model->shown, strlen(model->shown));
    if (model->version) {
        ftl_strbuf_puts(out, ",\"version\":");
        ftl_strbuf_json_string(out, model->version, strlen(model->version));
    }
    ftl_strbuf_puts(out, ",\"error\":");
    ftl_strbuf_json_string(out, problem, strlen(problem));
    ftl_strbuf_putc(out, '}');
}

static void put_named(ftl_strbuf *out, const char *name, double value)
{
    ftl_strbuf_printf(out, "\"%s\":", name);
    srv_put_f64(out, value);
}

static void put_latency(ftl_strbuf *out, const srv_model_figures *figures)
{
    ftl_strbuf_puts(out, ",\"latency\":{");
    put_named(out, "p50", srv_histogram_quantile(&figures->total, 0.50));
    ftl_strbuf_putc(out, ',');
    put_named(out, "p95", srv_histogram_quantile(&figures->total, 0.95));
    ftl_strbuf_putc(out, ',');
    put_named(out, "p99", srv_histogram_quantile(&figures->total, 0.99));
    ftl_strbuf_putc(out, ',');
    put_named(out, "mean", srv_histogram_mean(&figures->total));
    double seconds = 1e-9 * (double)figures->predict.nanoseconds;
    ftl_strbuf_puts(out, "},");
    put_named(out, "throughput_samples_per_sec", seconds > 0 ? (double)figures->rows / seconds : 0);
}

static void put_process(ftl_strbuf *out)
{
    srv_process process;
    srv_process_read(&process);
    ftl_strbuf_puts(out, ",\"process\":{");
    put_named(out, "cpu_seconds", process.cpu_seconds);
    ftl_strbuf_printf(
        out,
        ",\"resident_bytes\":%llu,\"peak_bytes\":%llu,\"read_bytes\":%llu,"
        "\"written_bytes\":%llu,\"open_files\":%llu,\"threads\":%llu}",
        (unsigned long long)process.resident_bytes, (unsigned long long)process.peak_bytes,
        (unsigned long long)process.read_bytes, (unsigned long long)process.written_bytes,
        (unsigned long long)process.open_files, (unsigned long long)process.threads);
}

srv_result srv_native_cache_stats(srv_request *request)
{
    srv_server *server = request->server;
    ftl_strbuf *out = &request->out;
    ftl_error error;
    ftl_cache_stats stats = {.struct_size = sizeof stats};
    model_listing listing = {.out = out, .server = server};
    ftl_error_clear(&error);
    ftl_status status = ftl_cache_get_stats(server->cache, &stats);
    ftl_strbuf_printf(out,
                      "{\"cache_size\":%u,\"max_size\":%u,\"bytes\":%llu,\"max_bytes\":%llu,"
                      "\"hits\":%llu,\"misses\":%llu,",
                      stats.models, stats.cache_size, (unsigned long long)stats.bytes,
                      (unsigned long long)stats.max_bytes, (unsigned long long)stats.hits,
                      (unsigned long long)stats.misses);
    put_named(out, "hit_rate", stats.hit_rate);
    ftl_strbuf_printf(out,
                      ",\"evictions\":%llu,\"invalidations\":%llu,\"loads\":%llu,"
                      "\"load_failures\":%llu,",
                      (unsigned long long)stats.evictions, (unsigned long long)stats.invalidations,
                      (unsigned long long)stats.loads, (unsigned long long)stats.failures);
    put_named(out, "utilization", stats.utilization);
    ftl_strbuf_puts(out, ",\"models\":[");
    if (status == FTL_OK)
        status = ftl_cache_each(server->cache, put_model, &listing, &error);
    if (status != FTL_OK)
        return srv_reply_failure(request, &error);
    ftl_strbuf_puts(out, "],\"problems\":[");
    listing.n = 0;
    srv_catalog_problems(server->catalog, put_problem, &listing);
    ftl_strbuf_putc(out, ']');
    put_latency(out, &server->figures->models);
    put_process(out);
    ftl_strbuf_putc(out, '}');
    return srv_reply_json(request, 200);
}

/* ?model_path=: this model alone. */
static srv_result clear_model(srv_request *request, srv_text path)
{
    ftl_error error;
    int status;
    ftl_error_clear(&error);
    srv_model *model = srv_lookup_path(request, path, &status, &error);
    if (!model)
        return srv_reply_error(request, status, "%s", error.message);
    ftl_strbuf_printf(&request->out, "{\"status\":\"ok\",\"models_cleared\":%zu}",
                      ftl_cache_evict(request->server->cache, model->path));
    return srv_reply_json(request, 200);
}

srv_result srv_native_cache_clear(srv_request *request)
{
    srv_text path;
    srv_result result;
    ftl_arena arena;
    ftl_arena_init(&arena, &request->server->account);
    bool understood = srv_query_text(request, "model_path", &arena, &path, &result);
    if (understood && path.data)
        result = clear_model(request, path);
    ftl_arena_free(&arena);
    if (!understood || path.data)
        return result;
    ftl_strbuf_printf(&request->out, "{\"status\":\"ok\",\"models_cleared\":%zu}",
                      ftl_cache_clear(request->server->cache));
    return srv_reply_json(request, 200);
}

/* ---- Health ---------------------------------------------------------------------------------- */

srv_result srv_native_health(srv_request *request)
{
    static const char *const phases[] = {"starting", "ok", "draining", "draining"};
    size_t failing = srv_catalog_problems(request->server->catalog, NULL, NULL);
    srv_server *server = request->server;
    ftl_cache_stats stats = {.struct_size = sizeof stats};
    int phase = server->phase;
    bool known = ftl_cache_get_stats(server->cache, &stats) == FTL_OK;
    bool ready = srv_is_ready(server);
    ftl_strbuf_printf(&request->out, "{\"status\":\"%s\",\"version\":\"%s\",",
                      phase == SRV_READY && !ready ? "failing" : phases[phase], ftl_version());
    put_named(&request->out, "uptime_seconds", srv_now() - server->started);
    ftl_strbuf_printf(&request->out, ",\"models_loaded\":%u,\"models_failing\":%zu}",
                      known ? stats.models : 0, failing);
    return srv_reply_json(request, ready ? 200 : 503);
}
