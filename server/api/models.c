/* GET /api/v1/models and /api/v1/models/{name}: what there is, and what a model takes and gives. */
#include "api/models.h"

#include "api/api.h"
#include "api/schema.h"
#include "serving/digest.h"
#include "serving/lookup.h"
#include "serving/values.h"

#include <stdio.h>
#include <string.h>

/* ---- Models that are open -------------------------------------------------------------------- */

typedef struct path_search {
    const char *path;
    srv_model *found;
} path_search;

static void match_path(void *user, srv_model *model)
{
    path_search *search = user;
    if (strcmp(model->path, search->path) == 0)
        search->found = model;
}

static bool take_open(void *user, const ftl_cache_model *cached)
{
    srv_open_models *models = user;
    srv_server *server = models->server;
    if (cached->select)
        return true;
    if (ftl_grow(&server->account, &models->items, &models->room, models->n + 1,
                 sizeof *models->items, NULL) != FTL_OK) {
        models->failed = true;
        return false;
    }
    path_search search = {.path = cached->path};
    srv_catalog_each(server->catalog, match_path, &search);
    size_t size = strlen(cached->path) + 1;
    char *copy = ftl_alloc(&server->account, size);
    if (!copy) {
        models->failed = true;
        return false;
    }
    memcpy(copy, cached->path, size);
    models->items[models->n++] = (srv_open_model){.named = search.found,
                                                  .model = ftl_model_retain(cached->model),
                                                  .bytes = cached->bytes,
                                                  .path = copy,
                                                  .shown = srv_catalog_shown(server->catalog, copy),
                                                  .stale = cached->stale};
    return true;
}

ftl_status srv_open_models_list(srv_server *server, srv_open_models *out, ftl_error *error)
{
    *out = (srv_open_models){.server = server};
    ftl_status status = ftl_cache_each(server->cache, take_open, out, error);
    if (status == FTL_OK && out->failed)
        status = FTL_OOM(error);
    if (status != FTL_OK)
        srv_open_models_free(out);
    return status;
}

/* NULL: it is not open. */
static const srv_open_model *find_open(const srv_open_models *models, const srv_model *model)
{
    for (size_t i = 0; i < models->n; i++) {
        if (models->items[i].named == model)
            return &models->items[i];
    }
    return NULL;
}

const srv_open_model *srv_open_models_at(const srv_open_models *models, const char *path)
{
    for (size_t i = 0; i < models->n; i++) {
        if (strcmp(models->items[i].path, path) == 0)
            return &models->items[i];
    }
    return NULL;
}

void srv_open_models_free(srv_open_models *models)
{
    for (size_t i = 0; i < models->n; i++) {
        ftl_model_release(models->items[i].model);
        ftl_free(&models->server->account, (char *)models->items[i].path);
    }
    ftl_free(&models->server->account, models->items);
    *models = (srv_open_models){0};
}

/* ---- The list -------------------------------------------------------------------------------- */

static void put_string(ftl_strbuf *out, const char *before, const char *text)
{
    ftl_strbuf_puts(out, before);
    if (text)
        ftl_strbuf_json_string(out, text, strlen(text));
    else
        ftl_strbuf_puts(out, "null");
}

static void put_count(ftl_strbuf *out, const char *name, uint64_t count)
{
    ftl_strbuf_printf(out, ",\"%s\":%llu", name, (unsigned long long)count);
}

/* What is known of a model that is open. */
static void put_open(ftl_strbuf *out, const srv_open_model *open)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(open->model, &info) != FTL_OK)
        return;
    put_string(out, ",\"kind\":", ftl_model_kind_name(info.kind));
    put_string(out, ",\"class\":", info.class_name);
    put_string(out, ",\"library\":", info.library);
    put_string(out, ",\"library_version\":", info.library_version);
    put_count(out, "n_inputs", info.n_inputs);
    put_count(out, "bytes", open->bytes);
}

/* Why a model cannot be opened. */
typedef struct model_problem {
    const srv_model *model;
    char text[200];
} model_problem;

typedef struct listing {
    srv_server *server;
    ftl_strbuf *out;
    const srv_open_models *open;
    model_problem *problems;
    size_t n_problems, room;
    size_t n;
} listing;

static void take_problem(void *user, const srv_model *model, const char *text)
{
    listing *list = user;
    if (ftl_grow(&list->server->account, &list->problems, &list->room, list->n_problems + 1,
                 sizeof *list->problems, NULL) != FTL_OK)
        return; /* without memory the list says less */
    model_problem *problem = &list->problems[list->n_problems++];
    problem->model = model;
    snprintf(problem->text, sizeof problem->text, "%s", text);
}

static const char *problem_of(const listing *list, const srv_model *model)
{
    for (size_t i = 0; model && i < list->n_problems; i++) {
        if (list->problems[i].model == model)
            return list->problems[i].text;
    }
    return NULL;
}

static void put_entry(const listing *list, const srv_model *model, const srv_open_model *open)
{
    ftl_strbuf *out = list->out;
    const char *problem = problem_of(list, model);
    const char *state = open ? (open->stale || problem ? "stale" : "open")
                             : (problem ? "failed" : "closed");
    put_string(out, "{\"name\":", model ? model->name : NULL);
    put_string(out, ",\"version\":", model ? model->version : NULL);
    put_string(out, ",\"model_path\":", model ? model->shown : open->shown);
    put_string(out, ",\"state\":", state);
    if (problem)
        put_string(out, ",\"error\":", problem);
    if (model) {
        put_count(out, "requests", model->figures.requests);
        put_count(out, "failures", model->figures.failures);
        put_count(out, "rows", model->figures.rows);
    }
    if (open)
        put_open(out, open);
    ftl_strbuf_putc(out, '}');
}

static void put_named(void *user, srv_model *model)
{
    listing *list = user;
    if (list->n++)
        ftl_strbuf_putc(list->out, ',');
    put_entry(list, model, find_open(list->open, model));
}

srv_result srv_models_list(srv_request *request)
{
    ftl_error error;
    srv_open_models open;
    ftl_error_clear(&error);
    if (srv_open_models_list(request->server, &open, &error) != FTL_OK)
        return srv_reply_failure(request, &error);
    listing list = {.server = request->server, .out = &request->out, .open = &open};
    srv_catalog_problems(request->server->catalog, take_problem, &list);
    ftl_strbuf_puts(list.out, "{\"models\":[");
    srv_catalog_each(request->server->catalog, put_named, &list);
    for (size_t i = 0; i < open.n; i++) {
        if (open.items[i].named)
            continue;
        if (list.n++)
            ftl_strbuf_putc(list.out, ',');
        put_entry(&list, NULL, &open.items[i]);
    }
    ftl_strbuf_puts(list.out, "]}");
    ftl_free(&request->server->account, list.problems);
    srv_open_models_free(&open);
    return srv_reply_json(request, 200);
}

/* ---- One model ------------------------------------------------------------------------------- */

typedef struct version_listing {
    ftl_strbuf *out;
    const char *name;
    size_t n;
} version_listing;

static void put_version(void *user, srv_model *model)
{
    version_listing *list = user;
    if (!list->name || strcmp(model->name, list->name) != 0 || !model->version)
        return;
    put_string(list->out, list->n++ ? "," : "", model->version);
}

static void put_methods(ftl_strbuf *out, const char *name, uint32_t methods)
{
    const char *between = "";
    ftl_strbuf_printf(out, ",\"%s\":[", name);
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (methods & 1u << m) {
            ftl_strbuf_printf(out, "%s\"%s\"", between, ftl_method_name((ftl_method)m));
            between = ",";
        }
    }
    ftl_strbuf_putc(out, ']');
}

/* How the model was made ready: the plan that requests use. */
static void put_plan(ftl_strbuf *out, ftl_model *model, uint32_t methods)
{
    const ftl_plan_options options = {.struct_size = sizeof options, .methods = methods};
    ftl_plan_info info = {.struct_size = sizeof info};
    ftl_plan *plan = NULL;
    ftl_strbuf_puts(out, ",\"plan\":");
    if (ftl_model_plan(model, &options, &plan, NULL) != FTL_OK ||
        ftl_plan_get_info(plan, &info) != FTL_OK) {
        ftl_strbuf_puts(out, "null");
    } else {
        ftl_strbuf_printf(out, "{\"input_dtype\":\"%s\"",
                          info.input_dtype == FTL_F32 ? "float32" : "float64");
        put_methods(out, "methods", info.methods);
        put_count(out, "block_rows", info.block_rows);
        put_count(out, "bytes", info.bytes);
        put_count(out, "session_bytes", info.session_bytes);
        put_count(out, "idle_sessions", info.idle_sessions);
        ftl_strbuf_putc(out, '}');
    }
    ftl_plan_release(plan);
}

static void put_figures(ftl_strbuf *out, const srv_model_figures *figures)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    put_count(out, "requests", figures->requests);
    put_count(out, "failures", figures->failures);
    put_count(out, "rows", figures->rows);
    ftl_strbuf_puts(out, ",\"latency\":{");
    for (size_t i = 0; i < FTL_ARRAY_LEN(shares); i++) {
        ftl_strbuf_printf(out, "\"%s\":", shares[i].name);
        srv_put_f64(out, srv_histogram_quantile(&figures->total, shares[i].share));
        ftl_strbuf_putc(out, ',');
    }
    ftl_strbuf_puts(out, "\"mean\":");
    srv_put_f64(out, srv_histogram_mean(&figures->total));
    ftl_strbuf_putc(out, '}');
}

static void put_head(srv_request *request, srv_model *model, ftl_model *open)
{
    ftl_strbuf *out = &request->out;
    char digest[SRV_DIGEST_SIZE];
    ftl_model_info info = {.struct_size = sizeof info};
    version_listing versions = {.out = out, .name = model->name};
    put_string(out, "{\"name\":", model->name);
    put_string(out, ",\"version\":", model->version);
    ftl_strbuf_puts(out, ",\"versions\":[");
    srv_catalog_each(request->server->catalog, put_version, &versions);
    put_string(out, "],\"model_path\":", model->shown);
    put_string(out, ",\"sha256\":", srv_digest_of(model->path, digest) ? digest : NULL);
    if (ftl_model_get_info(open, &info) != FTL_OK)
        return;
    put_string(out, ",\"default_method\":", ftl_method_name(info.default_method));
    put_count(out, "bytes", info.bytes);
    put_count(out, "plan_bytes", info.plan_bytes);
    put_count(out, "session_bytes", info.session_bytes);
    put_count(out, "file_bytes", info.file_bytes);
    uint32_t methods = 0;
    for (int m = 0; m < FTL_METHOD_COUNT; m++)
        methods |= ftl_model_has_method(open, (ftl_method)m) ? 1u << m : 0;
    put_methods(out, "methods", methods);
    put_plan(out, open, 1u << info.default_method);
}

static srv_result describe(srv_request *request, srv_model *model)
{
    ftl_strbuf *out = &request->out;
    ftl_error error;
    ftl_model *open = NULL;
    ftl_error_clear(&error);
    ftl_status status = srv_model_take(request->server, model, NULL, NULL, &open, &error);
    if (status != FTL_OK)
        return srv_reply_failure(request, &error);
    put_head(request, model, open);
    put_figures(out, &model->figures);
    ftl_strbuf_puts(out, ",\"model\":");
    size_t at = out->size;
    status = srv_put_description(out, open, &error);
    ftl_model_release(open);
    if (status != FTL_OK)
        return srv_reply_failure(request, &error);
    size_t size = out->size - at;
    ftl_strbuf_puts(out, ",\"example\":");
    /* The description lies in the buffer that grows: there is room for a copy of its values. */
    if (ftl_strbuf_reserve(out, size + 64))
        srv_put_example(out, (srv_text){out->data + at, size});
    ftl_strbuf_putc(out, '}');
    return srv_reply_json(request, 200);
}

srv_result srv_models_get(srv_request *request)
{
    ftl_error error;
    int status = 404;
    ftl_error_clear(&error);
    srv_text version = srv_request_query(request, "version");
    srv_model *model = srv_catalog_named(request->server->catalog, request->params[0], version);
    if (!model && !version.data)
        model = srv_lookup_path(request, request->params[0], &status, &error);
    if (!model && version.data)
        return srv_reply_error(request, 404, "there is no model of that name and version");
    if (!model)
        return srv_reply_error(request, status, "%s", error.message);
    return describe(request, model);
}
