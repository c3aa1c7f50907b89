/*
 * GET /openapi.json: what server/openapi/ says of the routes that there are, and the columns of the
 * models that are open. Texts of the files hold marks, such as "{{paths}}", where this writes.
 */
#include "api/api.h"
#include "api/assets.h"
#include "api/models.h"
#include "api/openapi_index.h"
#include "api/pages.h"
#include "api/schema.h"

#include "base/hash.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Models beyond these are described by /api/v1/models alone, and so are very wide ones. */
enum { MOST_MODELS = 50, MOST_COLUMNS = 1000, KEY_SIZE = 72 };

/* A model, with what a request for it looks like. */
typedef struct known_model {
    const char *shown;
    bool named;
    char key[KEY_SIZE];             /* of its schema among the components */
    ftl_strbuf example, v2, schema; /* JSON */
} known_model;

typedef struct srv_document {
    ftl_account *account;
    ftl_strbuf *out;
    known_model *models;
    size_t n_models;
    const known_model *model; /* that whose paths are being written */
    const srv_server *server;
    bool shows_models; /* who may not predict learns of the API, and of no model */
    size_t number;     /* of a route of the configuration */
} srv_document;

/* ---- Models ---------------------------------------------------------------------------------- */

/* Keys of components are letters, digits, '.', '-' and '_'; other names are known by number. */
static void make_key(known_model *model, size_t number)
{
    bool plain = strlen(model->shown) < KEY_SIZE - 8;
    for (const char *at = model->shown; *at && plain; at++)
        plain = isalnum((unsigned char)*at) || strchr(".-_", *at);
    if (plain)
        snprintf(model->key, sizeof model->key, "Row.%s", model->shown);
    else
        snprintf(model->key, sizeof model->key, "Row.model-%zu", number + 1);
}

static ftl_status know_model(srv_document *document, const srv_open_model *open, ftl_error *error)
{
    ftl_model_info info = {.struct_size = sizeof info};
    FTL_TRY(ftl_model_get_info(open->model, &info));
    for (size_t i = 0; i < document->n_models; i++) { /* another version: the last one counts */
        if (strcmp(document->models[i].shown, open->shown) == 0)
            return FTL_OK;
    }
    if (document->n_models == MOST_MODELS || info.n_inputs > MOST_COLUMNS)
        return FTL_OK;
    known_model *model = &document->models[document->n_models];
    *model = (known_model){.shown = open->shown, .named = open->named != NULL};
    make_key(model, document->n_models++);
    ftl_strbuf description;
    ftl_strbuf_init(&description, document->account, 0);
    ftl_strbuf_init(&model->example, document->account, 0);
    ftl_strbuf_init(&model->v2, document->account, 0);
    ftl_strbuf_init(&model->schema, document->account, 0);
    ftl_status status = srv_put_description(&description, open->model, error);
    if (status == FTL_OK && !description.failed) {
        const srv_text text = {description.data, description.size};
        srv_put_example(&model->example, text);
        srv_put_v2_example(&model->v2, text);
        srv_put_row_schema(&model->schema, text);
    }
    if (status == FTL_OK &&
        (description.failed || model->example.failed || model->v2.failed || model->schema.failed))
        status = FTL_OOM(error);
    ftl_strbuf_free(&description);
    return status;
}

static int compare_shown(const void *a, const void *b)
{
    return strcmp(((const srv_open_model *)a)->shown, ((const srv_open_model *)b)->shown);
}

/* By name, so that the document is the same for the same models; of several versions the latest. */
static ftl_status know_models(srv_document *document, const srv_open_models *open, ftl_error *error)
{
    if (open->n)
        qsort(open->items, open->n, sizeof *open->items, compare_shown);
    document->models = ftl_alloc_zero(document->account, MOST_MODELS, sizeof *document->models);
    if (!document->models)
        return FTL_OOM(error);
    for (size_t i = 0; i < open->n; i++) {
        const srv_open_model *model = &open->items[i];
        const srv_text name = {model->shown, strlen(model->shown)};
        srv_model *latest = srv_catalog_named(open->server->catalog, name, (srv_text){0});
        if (!latest || latest == model->named)
            FTL_TRY(know_model(document, model, error));
    }
    return FTL_OK;
}

static void forget_models(srv_document *document)
{
    for (size_t i = 0; i < document->n_models; i++) {
        ftl_strbuf_free(&document->models[i].example);
        ftl_strbuf_free(&document->models[i].v2);
        ftl_strbuf_free(&document->models[i].schema);
    }
    ftl_free(document->account, document->models);
}

/* ---- What stands where a mark is ------------------------------------------------------------- */

static void put_version(srv_document *document) { ftl_strbuf_puts(document->out, ftl_version()); }

static void put_buffer(ftl_strbuf *out, const ftl_strbuf *text)
{
    ftl_strbuf_append(out, text->data, text->size);
}

static void put_string(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_json_string(out, text, strlen(text));
}

/* {"churn": {"value": {"model_path": "churn", ...}}} */
static void put_examples(srv_document *document, void (*put)(ftl_strbuf *, const known_model *))
{
    ftl_strbuf *out = document->out;
    ftl_strbuf_putc(out, '{');
    for (size_t i = 0; i < document->n_models; i++) {
        ftl_strbuf_puts(out, i ? "," : "");
        put_string(out, document->models[i].shown);
        ftl_strbuf_puts(out, ":{\"value\":{\"model_path\":");
        put_string(out, document->models[i].shown);
        put(out, &document->models[i]);
        ftl_strbuf_puts(out, "}}");
    }
    ftl_strbuf_putc(out, '}');
}

static void put_features(ftl_strbuf *out, const known_model *model)
{
    ftl_strbuf_puts(out, ",\"features\":[");
    put_buffer(out, &model->example);
    ftl_strbuf_putc(out, ']');
}

static void put_nothing(ftl_strbuf *out, const known_model *model)
{
    (void)out;
    (void)model;
}

static void put_predict_examples(srv_document *document) { put_examples(document, put_features); }
static void put_warmup_examples(srv_document *document) { put_examples(document, put_nothing); }

static void put_schemas(srv_document *document)
{
    ftl_strbuf *out = document->out;
    bool any = false;
    ftl_strbuf_putc(out, '{');
    for (size_t i = 0; i < srv_openapi_file_count(); i++) {
        const srv_text schemas = srv_openapi_schemas(i);
        if (!schemas.size)
            continue;
        ftl_strbuf_puts(out, any ? "," : "");
        ftl_strbuf_append(out, schemas.data, schemas.size);
        any = true;
    }
    for (size_t i = 0; i < document->n_models; i++, any = true) {
        ftl_strbuf_puts(out, any ? "," : "");
        put_string(out, document->models[i].key);
        ftl_strbuf_putc(out, ':');
        put_buffer(out, &document->models[i].schema);
    }
    ftl_strbuf_putc(out, '}');
}

/* A name in a path: bytes that are no letter, digit or one of -._~ as %XX. */
static void put_encoded(ftl_strbuf *out, const char *name)
{
    for (; *name; name++) {
        if (isalnum((unsigned char)*name) || strchr("-._~", *name))
            ftl_strbuf_putc(out, *name);
        else
            ftl_strbuf_printf(out, "%%%02X", (unsigned)(unsigned char)*name);
    }
}

static void put_path_name(srv_document *document)
{
    put_encoded(document->out, document->model->shown);
}

static void put_key(srv_document *document)
{
    ftl_strbuf_puts(document->out, document->model->key);
}

/* Within a text: without the quotes. */
static void put_name(srv_document *document)
{
    ftl_strbuf quoted;
    ftl_strbuf_init(&quoted, document->account, 0);
    put_string(&quoted, document->model->shown);
    if (quoted.size > 2)
        ftl_strbuf_append(document->out, quoted.data + 1, quoted.size - 2);
    ftl_strbuf_free(&quoted);
}

static void put_v2_example(srv_document *document)
{
    put_buffer(document->out, &document->model->v2);
}

static void put_number(srv_document *document)
{
    ftl_strbuf_printf(document->out, "%zu", document->number);
}

static void put_paths(srv_document *document);

static const struct {
    const char *mark;
    void (*put)(srv_document *document);
} marks[] = {{"{{version}}", put_version},
             {"\"{{paths}}\"", put_paths},
             {"\"{{schemas}}\"", put_schemas},
             {"\"{{predict_examples}}\"", put_predict_examples},
             {"\"{{warmup_examples}}\"", put_warmup_examples},
             /* of a model's own paths */
             {"{{path_name}}", put_path_name},
             {"{{key}}", put_key},
             {"{{name}}", put_name},
             {"\"{{v2_example}}\"", put_v2_example},
             /* of a path of the configuration */
             {"{{number}}", put_number}};

/* A text of the files, with what its marks stand for. */
static void put_marked(srv_document *document, srv_text text)
{
    const char *end = text.data + text.size, *from = text.data;
    for (const char *at = from; at < end; at++) {
        for (size_t i = 0; i < FTL_ARRAY_LEN(marks); i++) {
            size_t size = strlen(marks[i].mark);
            if ((size_t)(end - at) < size || memcmp(at, marks[i].mark, size) != 0)
                continue;
            ftl_strbuf_append(document->out, from, (size_t)(at - from));
            marks[i].put(document);
            from = at + size;
            at = from - 1;
            break;
        }
    }
    ftl_strbuf_append(document->out, from, (size_t)(end - from));
}

/* ---- Paths ----------------------------------------------------------------------------------- */

/* "post": {...} */
static void put_operation(srv_document *document, const srv_route *route)
{
    char method[16];
    size_t n = 0;
    for (const char *name = llhttp_method_name(route->method); *name && n < 15; name++)
        method[n++] = (char)(*name | 0x20);
    method[n] = '\0';
    ftl_strbuf_printf(document->out, "\"%s\":", method);
    srv_text operation = srv_openapi_operation(route);
    if (operation.data)
        put_marked(document, operation);
    else /* srv_openapi_init has said so */
        ftl_strbuf_puts(document->out, "{\"responses\":{\"default\":{\"description\":\"\"}},"
                                       "\"x-undescribed\":true}");
}

static bool is_first_of_pattern(const srv_route *routes, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
            return false;
    }
    return true;
}

/* The paths of model.json for each model that has a name. */
static void put_model_paths(srv_document *document)
{
    const srv_asset *asset = srv_asset_find("model.json");
    const char *first = asset ? memchr(asset->data, '{', asset->size) : NULL;
    const char *last = asset ? memrchr(asset->data, '}', asset->size) : NULL;
    for (size_t i = 0; first && last && i < document->n_models; i++) {
        document->model = &document->models[i];
        if (!document->model->named)
            continue;
        ftl_strbuf_putc(document->out, ',');
        put_marked(document, (srv_text){first + 1, (size_t)(last - first - 1)});
    }
}

/* Takes the place of a route of the table, or is no path that OpenAPI could name. */
static bool is_hidden(const srv_route *custom)
{
    size_t n;
    const srv_route *routes = srv_routes(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(routes[i].pattern, custom->pattern) == 0)
            return true;
    }
    return custom->pattern[0] != '/' || strpbrk(custom->pattern, "{}?#");
}

/* "post": {...} of one, and of others with the same path. */
static void put_custom_methods(srv_document *document, const srv_custom *custom, size_t i, size_t n)
{
    uint64_t methods = 0;
    for (size_t k = i; k < n; k++) {
        const srv_route *route = &custom[k].route;
        const char *name = route->method == HTTP_POST ? "post" : "get";
        const srv_asset *asset = srv_asset_find(route->method == HTTP_POST ? "custom-post.json"
                                                                           : "custom-get.json");
        if (!asset || strcmp(route->pattern, custom[i].route.pattern) != 0 ||
            methods & UINT64_C(1) << route->method)
            continue;
        ftl_strbuf_printf(document->out, "%s\"%s\":", methods ? "," : "", name);
        methods |= UINT64_C(1) << route->method;
        document->number = k + 1;
        put_marked(document, (srv_text){asset->data, asset->size});
    }
}

static void put_custom_paths(srv_document *document)
{
    size_t n;
    const srv_custom *custom = srv_custom_routes(document->server, &n);
    for (size_t i = 0; i < n; i++) {
        bool again = is_hidden(&custom[i].route);
        for (size_t k = 0; k < i && !again; k++)
            again = strcmp(custom[k].route.pattern, custom[i].route.pattern) == 0;
        if (again)
            continue;
        ftl_strbuf_putc(document->out, ',');
        put_string(document->out, custom[i].route.pattern);
        ftl_strbuf_puts(document->out, ":{");
        put_custom_methods(document, custom, i, n);
        ftl_strbuf_putc(document->out, '}');
    }
}

static void put_paths(srv_document *document)
{
    size_t n;
    const srv_route *routes = srv_routes(&n);
    ftl_strbuf *out = document->out;
    ftl_strbuf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (!is_first_of_pattern(routes, i))
            continue;
        ftl_strbuf_puts(out, i ? "," : "");
        put_string(out, routes[i].pattern);
        ftl_strbuf_puts(out, ":{");
        for (size_t k = i; k < n; k++) {
            if (strcmp(routes[k].pattern, routes[i].pattern) != 0)
                continue;
            ftl_strbuf_puts(out, k > i ? "," : "");
            put_operation(document, &routes[k]);
        }
        ftl_strbuf_putc(out, '}');
    }
    put_model_paths(document);
    if (document->shows_models)
        put_custom_paths(document);
    ftl_strbuf_putc(out, '}');
}

/* ---- The document ---------------------------------------------------------------------------- */

ftl_status srv_openapi_init(srv_server *server, ftl_error *error)
{
    size_t n;
    const srv_route *routes = srv_routes(&n);
    FTL_TRY(srv_openapi_index_init(error));
    for (size_t i = 0; i < n; i++) {
        if (!srv_openapi_operation(&routes[i]).data)
            srv_log(server, "warning", "openapi", "server/openapi/ says nothing of %s %s",
                    llhttp_method_name(routes[i].method), routes[i].pattern);
    }
    return FTL_OK;
}

static ftl_status write_document(srv_request *request, ftl_error *error)
{
    srv_open_models open;
    const srv_asset *main = srv_asset_find("main.json");
    srv_document document = {.account = &request->server->account,
                             .out = &request->out,
                             .server = request->server,
                             .shows_models = srv_may(request, SRV_INFERENCE)};
    if (!main)
        return FTL_FAIL(error, FTL_INTERNAL, "the program was built without main.json");
    FTL_TRY(srv_open_models_list(request->server, &open, error));
    ftl_status status = FTL_OK;
    if (document.shows_models)
        status = know_models(&document, &open, error);
    if (status == FTL_OK)
        put_marked(&document, (srv_text){main->data, main->size});
    forget_models(&document);
    srv_open_models_free(&open);
    return status;
}

srv_result srv_openapi(srv_request *request)
{
    ftl_error error;
    char etag[24];
    ftl_error_clear(&error);
    if (write_document(request, &error) != FTL_OK)
        return srv_reply_failure(request, &error);
    /* Hashes differ from process to process: a client only asks once more. */
    snprintf(
        etag, sizeof etag, "\"%016llx\"",
        (unsigned long long)ftl_hash_bytes(ftl_hash_seed(), request->out.data, request->out.size));
    if (srv_not_modified(request, etag)) {
        ftl_strbuf_clear(&request->out);
        return SRV_DONE;
    }
    return srv_reply_json(request, 200);
}
