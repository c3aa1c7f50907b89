#include "api/custom.h"

#include "api/api.h"
#include "api/body.h"
#include "serving/lookup.h"
#include "serving/rows.h"

#include <string.h>

/* ---- Plain rows in, a plain list out --------------------------------------------------------- */

/* The members that rows are called in bodies of such services; the first that is there is meant. */
static const char *const row_names[] = {"features", "instances", "inputs", "data", "rows"};
enum { N_NAMES = sizeof row_names / sizeof row_names[0] };

/* Where the rows stand: the body itself, or one of its members that is a list or an object. */
static bool find_rows(srv_request *request, size_t *at, size_t *size, srv_result *result)
{
    const char *body = request->body.data ? request->body.data : "";
    srv_member members[N_NAMES], *found = NULL;
    size_t begin = 0;
    *at = 0;
    *size = request->body.size;
    while (begin < request->body.size && memchr(" \t\r\n", body[begin], 4))
        begin++;
    if (begin == request->body.size || body[begin] != '{')
        return true;
    for (size_t i = 0; i < N_NAMES; i++)
        members[i] = (srv_member){.name = row_names[i], .passed = true};
    if (!srv_json_members(request, members, N_NAMES, result))
        return false;
    for (size_t i = 0; i < N_NAMES && !found; i++) {
        bool list = members[i].found &&
                    (members[i].token == FTL_JSON_ARRAY || members[i].token == FTL_JSON_OBJECT);
        found = list ? &members[i] : NULL;
    }
    if (found) {
        *at = found->at;
        *size = found->size;
    }
    return true;
}

srv_result srv_custom_predict(srv_request *request)
{
    const srv_custom *custom = (const srv_custom *)request->route;
    srv_result result;
    size_t at, size;
    srv_call call = {.request = request};
    if (!srv_body_may_be_json(request, &result) || !find_rows(request, &at, &size, &result))
        return result;
    const srv_text name = {custom->model, strlen(custom->model)};
    srv_model *model = srv_lookup_name(request, name, (srv_text){0}, &result);
    if (!model)
        return result;
    uint32_t methods = custom->has_method ? 1u << custom->method : SRV_DEFAULT_METHOD;
    const char *body = request->body.data ? request->body.data : "";
    if (srv_call_find(&call, request, model, true, &result) &&
        srv_call_plan(&call, methods, FTL_F64, &result) &&
        srv_rows_read(&call, body + at, size, &result))
        (void)srv_rows_answer(&call, "", "", &result);
    srv_call_close(&call);
    return result;
}

/* ---- Configuration --------------------------------------------------------------------------- */

static ftl_status add_route(srv_server *server, const char *path, size_t size, srv_custom route,
                            ftl_error *error)
{
    if (size == 0 || path[0] != '/' || strcspn(path, "?#{} ") < size)
        return FTL_FAIL(error, FTL_ARG, "'%.*s' is no path of a route: it begins with a /",
                        (int)(size < 200 ? size : 200), path);
    char *copy = ftl_alloc(&server->account, size + 1);
    if (!copy)
        return FTL_OOM(error);
    memcpy(copy, path, size);
    copy[size] = '\0';
    route.route.pattern = copy;
    server->custom[server->n_custom++] = route;
    return FTL_OK;
}

/* "/path=MODEL" or "/path=MODEL:method". */
static ftl_status read_route(srv_server *server, const char *text, ftl_error *error)
{
    const char *equals = strchr(text, '=');
    if (!equals || !equals[1])
        return FTL_FAIL(error, FTL_ARG, "route takes /PATH=MODEL or /PATH=MODEL:METHOD, not %.200s",
                        text);
    srv_custom route = {
        .route = {.method = HTTP_POST, .handler = srv_custom_predict, .role = SRV_INFERENCE}};
    const char *model = equals + 1, *colon = strrchr(model, ':');
    size_t size = strlen(model);
    ftl_error unknown;
    ftl_error_clear(&unknown);
    if (colon && ftl_method_parse(colon + 1, &route.method, &unknown) == FTL_OK) {
        route.has_method = true;
        size = (size_t)(colon - model);
    }
    srv_text name = {model, size}, before = {model, colon ? (size_t)(colon - model) : 0};
    int status;
    if (unknown.code != FTL_OK && srv_catalog_named(server->catalog, before, (srv_text){0}))
        return FTL_FAIL(error, FTL_ARG, "route %.200s: %s", text, unknown.message);
    if (!srv_catalog_named(server->catalog, name, (srv_text){0}) &&
        !srv_catalog_at_path(server->catalog, name, &status, error))
        return FTL_FAIL(error, FTL_ARG, "route %.200s: there is no model %.*s", text,
                        (int)(size < 200 ? size : 200), model);
    route.model = ftl_alloc(&server->account, size + 1);
    if (!route.model)
        return FTL_OOM(error);
    memcpy(route.model, model, size);
    route.model[size] = '\0';
    ftl_status added = add_route(server, text, (size_t)(equals - text), route, error);
    if (added != FTL_OK)
        ftl_free(&server->account, route.model);
    return added;
}

static ftl_status add_all(srv_server *server, const srv_list *paths, srv_custom route,
                          ftl_error *error)
{
    for (size_t i = 0; i < paths->n; i++)
        FTL_TRY(add_route(server, paths->items[i], strlen(paths->items[i]), route, error));
    return FTL_OK;
}

ftl_status srv_custom_create(srv_server *server, ftl_error *error)
{
    const srv_config *config = server->config;
    const srv_custom predict = {
        .route = {.method = HTTP_POST, .handler = srv_tf_predict, .role = SRV_INFERENCE}};
    const srv_custom health = {
        .route = {.method = HTTP_GET, .handler = srv_v2_ready, .role = SRV_OPEN}};
    size_t n = config->route.n + config->predict_route.n + config->health_route.n;
    if (n == 0)
        return FTL_OK;
    server->custom = ftl_alloc_zero(&server->account, n, sizeof *server->custom);
    if (!server->custom)
        return FTL_OOM(error);
    for (size_t i = 0; i < config->route.n; i++)
        FTL_TRY(read_route(server, config->route.items[i], error));
    FTL_TRY(add_all(server, &config->predict_route, predict, error));
    return add_all(server, &config->health_route, health, error);
}

void srv_custom_destroy(srv_server *server)
{
    for (size_t i = 0; i < server->n_custom; i++) {
        ftl_free(&server->account, (char *)server->custom[i].route.pattern);
        ftl_free(&server->account, server->custom[i].model);
    }
    ftl_free(&server->account, server->custom);
    server->custom = NULL;
    server->n_custom = 0;
}
