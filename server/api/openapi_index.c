#include "api/openapi_index.h"

#include "api/assets.h"
#include "io/json.h"

#include <string.h>
#include <strings.h>

enum { MOST_OPERATIONS = 256, MOST_FILES = 32 };

/* Texts point into what is compiled in. */
static struct operation {
    srv_text pattern, method, value;
    size_t file;
} operations[MOST_OPERATIONS];
static size_t n_operations;
static struct file {
    srv_text schemas;
    bool used; /* one of its operations is a route's */
} files[MOST_FILES];
static size_t n_files;

/* Others are put together by openapi.c. */
static bool is_fragment(const srv_asset *asset)
{
    static const char *const others[] = {"main.json", "model.json", "custom-get.json",
                                         "custom-post.json"};
    size_t size = strlen(asset->name);
    bool fragment = size > 5 && strcmp(asset->name + size - 5, ".json") == 0;
    for (size_t i = 0; i < FTL_ARRAY_LEN(others); i++)
        fragment = fragment && strcmp(asset->name, others[i]) != 0;
    return fragment;
}

/* The key of the next member, or data NULL at the object's end; then the value is to be read. */
static ftl_status next_key(ftl_json *json, srv_text *key, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    if (token == FTL_JSON_KEY)
        *key = (srv_text){json->text, json->text_size};
    else
        *key = (srv_text){0};
    return FTL_OK;
}

static ftl_status open_object(ftl_json *json, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(json, &token, error));
    return token == FTL_JSON_OBJECT
               ? FTL_OK
               : FTL_FAIL(error, FTL_ARG, "an object belongs at byte %zu", json->at);
}

/* The object that comes next, braces included. */
static ftl_status take_object(ftl_json *json, srv_text *out, ftl_error *error)
{
    FTL_TRY(open_object(json, error));
    size_t start = json->at - 1;
    FTL_TRY(ftl_json_skip(json, error));
    *out = (srv_text){json->data + start, json->at - start};
    return FTL_OK;
}

static ftl_status read_path(ftl_json *json, srv_text pattern, ftl_error *error)
{
    srv_text method;
    FTL_TRY(open_object(json, error));
    for (;;) {
        FTL_TRY(next_key(json, &method, error));
        if (!method.data)
            return FTL_OK;
        if (n_operations == MOST_OPERATIONS)
            return FTL_FAIL(error, FTL_ARG, "more than %d operations", MOST_OPERATIONS);
        struct operation *operation = &operations[n_operations++];
        operation->file = n_files - 1;
        operation->pattern = pattern;
        operation->method = method;
        FTL_TRY(take_object(json, &operation->value, error));
    }
}

static ftl_status read_paths(ftl_json *json, ftl_error *error)
{
    srv_text pattern;
    FTL_TRY(open_object(json, error));
    for (;;) {
        FTL_TRY(next_key(json, &pattern, error));
        if (!pattern.data)
            return FTL_OK;
        FTL_TRY(read_path(json, pattern, error));
    }
}

static ftl_status read_schemas(ftl_json *json, ftl_error *error)
{
    srv_text object;
    FTL_TRY(take_object(json, &object, error));
    object.data++;
    object.size -= 2;
    while (object.size && strchr(" \n\r\t", object.data[object.size - 1]))
        object.size--;
    files[n_files - 1].schemas = object;
    return FTL_OK;
}

static ftl_status read_fragment(const srv_asset *asset, ftl_error *error)
{
    ftl_json json;
    srv_text key;
    if (n_files == MOST_FILES)
        return FTL_FAIL(error, FTL_ARG, "more than %d files", MOST_FILES);
    files[n_files++] = (struct file){0};
    ftl_json_init(&json, asset->data, asset->size, 0);
    FTL_TRY(open_object(&json, error));
    for (;;) {
        FTL_TRY(next_key(&json, &key, error));
        if (!key.data)
            return FTL_OK;
        if (srv_text_is(key, "paths"))
            FTL_TRY(read_paths(&json, error));
        else if (srv_text_is(key, "schemas"))
            FTL_TRY(read_schemas(&json, error));
        else
            return FTL_FAIL(error, FTL_ARG, "neither paths nor schemas at byte %zu", json.at);
    }
}

static const struct operation *find(const srv_route *route)
{
    const char *method = llhttp_method_name(route->method);
    for (size_t i = 0; i < n_operations; i++) {
        if (srv_text_is(operations[i].pattern, route->pattern) &&
            srv_text_is_nocase(operations[i].method, method))
            return &operations[i];
    }
    return NULL;
}

ftl_status srv_openapi_index_init(ftl_error *error)
{
    size_t n;
    const srv_route *routes = srv_routes(&n);
    n_operations = n_files = 0;
    for (size_t i = 0; i < srv_n_embedded; i++) {
        ftl_error why;
        ftl_error_clear(&why);
        if (is_fragment(&srv_embedded[i]) && read_fragment(&srv_embedded[i], &why) != FTL_OK)
            return FTL_FAIL(error, FTL_ARG, "server/openapi/%s: %s", srv_embedded[i].name,
                            why.message);
    }
    for (size_t i = 0; i < n; i++) {
        const struct operation *operation = find(&routes[i]);
        if (operation)
            files[operation->file].used = true;
    }
    return FTL_OK;
}

srv_text srv_openapi_operation(const srv_route *route)
{
    const struct operation *operation = find(route);
    return operation ? operation->value : (srv_text){0};
}

size_t srv_openapi_file_count(void) { return n_files; }

srv_text srv_openapi_schemas(size_t file)
{
    return files[file].used ? files[file].schemas : (srv_text){0};
}
