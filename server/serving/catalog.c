#include "serving/catalog_impl.h"

#include "base/hash.h"
#include "serving/score.h"

#include <string.h>
#include <unistd.h>

/* Files that requests name, in all: entries live as long as the server. */
enum { MOST_PATHS = 10000 };

/* ---- Entries --------------------------------------------------------------------------------- */

static char *copy_of(ftl_account *account, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ftl_alloc(account, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static void free_model(ftl_account *account, srv_model *model)
{
    if (!model)
        return;
    ftl_free(account, (char *)model->path);
    ftl_free(account, (char *)model->shown);
    ftl_free(account, (char *)model->name);
    ftl_free(account, (char *)model->version);
    ftl_free(account, model);
}

static srv_model *make_model(srv_catalog *catalog, const char *path, const char *shown,
                             const char *name, const char *version)
{
    ftl_account *account = &catalog->server->account;
    srv_model *model = ftl_alloc_zero(account, 1, sizeof *model);
    if (!model)
        return NULL;
    model->path = copy_of(account, path);
    model->shown = copy_of(account, shown);
    model->name = name ? copy_of(account, name) : NULL;
    model->version = version ? copy_of(account, version) : NULL;
    if (model->path && model->shown && !name == !model->name && !version == !model->version)
        return model;
    free_model(account, model);
    return NULL;
}

static size_t slot_of(const char *path)
{
    return (size_t)ftl_hash_bytes(ftl_hash_seed(), path, strlen(path)) % SRV_CATALOG_SLOTS;
}

/* The entry of a real path, made when there is none. The lock is held. */
static srv_model *entry_of(srv_catalog *catalog, const char *path)
{
    srv_model **slot = &catalog->by_path[slot_of(path)];
    for (srv_model *model = *slot; model; model = model->next) {
        if (strcmp(model->path, path) == 0)
            return model;
    }
    if (catalog->n_paths == MOST_PATHS)
        return NULL;
    srv_model *model = make_model(catalog, path, srv_root_shown(&catalog->root, path), NULL, NULL);
    if (model) {
        model->next = *slot;
        *slot = model;
        catalog->n_paths++;
    }
    return model;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b) { return !a || !b ? a == b : !strcmp(a, b); }

/* The listed model of this name and version. */
static srv_model *find_listed(const srv_catalog *catalog, const srv_found *found)
{
    size_t low = 0, high = catalog->n_named;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        srv_model *model = catalog->named[middle];
        int order = strcmp(model->name, found->name);
        order = order ? order : srv_compare_versions(model->version, found->version);
        if (order == 0)
            return same_text(model->version, found->version) ? model : NULL;
        *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
    }
    return NULL;
}

/* The entry of a model that was listed before, now or then; made when there is none. */
static srv_model *entry_of_found(srv_catalog *catalog, const srv_found *found)
{
    srv_model *listed = find_listed(catalog, found);
    if (listed && strcmp(listed->path, found->path) == 0)
        return listed;
    for (srv_model *model = catalog->every_named; model; model = model->next) {
        if (same_text(model->path, found->path) && same_text(model->name, found->name) &&
            same_text(model->version, found->version))
            return model;
    }
    srv_model *model = make_model(catalog, found->path, found->name, found->name, found->version);
    if (model) {
        model->next = catalog->every_named;
        catalog->every_named = model;
    }
    return model;
}

ftl_status srv_catalog_entries(srv_catalog *catalog, const srv_listing *listing, srv_model ***out,
                               ftl_error *error)
{
    size_t n = listing->n;
    srv_model **models = ftl_alloc_array(&catalog->server->account, n ? n : 1, sizeof *models);
    if (!models)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        models[i] = entry_of_found(catalog, &listing->items[i]);
        if (!models[i]) {
            ftl_free(&catalog->server->account, models);
            return FTL_OOM(error);
        }
    }
    *out = models;
    return FTL_OK;
}

void srv_catalog_publish(srv_catalog *catalog, srv_model **models, size_t n)
{
    uv_mutex_lock(&catalog->lock);
    srv_model **before = catalog->named;
    for (size_t i = 0; i < catalog->n_named; i++)
        before[i]->listed = false;
    for (size_t i = 0; i < n; i++)
        models[i]->listed = true;
    catalog->named = models;
    catalog->n_named = n;
    uv_mutex_unlock(&catalog->lock);
    ftl_free(&catalog->server->account, before);
}

static ftl_status list_first(srv_catalog *catalog, ftl_error *error)
{
    srv_listing listing;
    srv_model **models = NULL;
    const srv_config *config = srv_config_of(catalog->server);
    ftl_status status = srv_scan(&listing, &catalog->server->account, &config->models, true, error);
    if (status == FTL_OK)
        status = srv_catalog_entries(catalog, &listing, &models, error);
    if (status == FTL_OK)
        srv_catalog_publish(catalog, models, listing.n);
    srv_listing_free(&listing);
    return status;
}

ftl_status srv_catalog_create(srv_server *server, srv_catalog **out, ftl_error *error)
{
    const srv_config *config = server->config;
    srv_catalog *catalog = ftl_alloc_zero(&server->account, 1, sizeof *catalog);
    if (!catalog)
        return FTL_OOM(error);
    *out = catalog;
    catalog->server = server;
    catalog->root.descriptor = catalog->watch = -1;
    uv_mutex_init(&catalog->lock);
    FTL_TRY(srv_root_open(&catalog->root, config->model_root, "model-root", error));
    return list_first(catalog, error);
}

void srv_catalog_destroy(srv_catalog *catalog)
{
    if (!catalog)
        return;
    ftl_account *account = &catalog->server->account;
    for (size_t i = 0; i < SRV_CATALOG_SLOTS; i++) {
        while (catalog->by_path[i]) {
            srv_model *model = catalog->by_path[i];
            catalog->by_path[i] = model->next;
            free_model(account, model);
        }
    }
    while (catalog->every_named) {
        srv_model *model = catalog->every_named;
        catalog->every_named = model->next;
        free_model(account, model);
    }
    ftl_free(account, catalog->named);
    srv_root_close(&catalog->root);
    srv_catalog_unwatch(catalog);
    uv_mutex_destroy(&catalog->lock);
    ftl_free(account, catalog);
}

/* ---- Finding --------------------------------------------------------------------------------- */

/*
 * Of versions the latest whose file is there: one that was just removed is listed until the folder
 * is looked at again.
 */
static bool is_there(const srv_model *model)
{
    return !model->version || access(model->path, F_OK) == 0;
}

srv_model *srv_catalog_named(srv_catalog *catalog, srv_text name, srv_text version)
{
    srv_model *found = NULL;
    bool latest = !version.data || srv_text_is(version, "latest");
    uv_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < catalog->n_named; i++) {
        srv_model *model = catalog->named[i];
        if (!srv_text_is(name, model->name))
            continue;
        if (latest || (model->version && srv_text_is(version, model->version)) ||
            (!model->version && srv_text_is(version, "1")))
            found = !found || !latest || is_there(model) ? model : found; /* the last one */
    }
    uv_mutex_unlock(&catalog->lock);
    return found;
}

static srv_model *argument_at(srv_catalog *catalog, srv_text path)
{
    srv_model *found = NULL;
    for (size_t i = 0; i < catalog->n_named; i++) {
        srv_model *model = catalog->named[i];
        if (srv_text_is(path, model->path))
            return model;
        if (srv_text_is(path, model->name) && (!found || is_there(model)))
            found = model;
    }
    return found;
}

srv_model *srv_catalog_at_path(srv_catalog *catalog, srv_text path, int *status, ftl_error *error)
{
    char real[PATH_MAX];
    *status = 404;
    uv_mutex_lock(&catalog->lock);
    srv_model *model = argument_at(catalog, path);
    uv_mutex_unlock(&catalog->lock);
    if (model)
        return model;
    *status = srv_root_find(&catalog->root, path, real);
    if (*status) {
        ftl_error_set(error, FTL_IO, "the model %.*s %s", (int)(path.size < 200 ? path.size : 200),
                      path.data,
                      *status == 404   ? "is not there: a path is looked for beneath model-root"
                      : *status == 403 ? "is not beneath model-root"
                                       : "is no path");
        return NULL;
    }
    uv_mutex_lock(&catalog->lock);
    model = entry_of(catalog, real);
    uv_mutex_unlock(&catalog->lock);
    if (!model) {
        *status = 503;
        ftl_error_set(error, FTL_NOMEM, "out of memory for another model");
    }
    return model;
}

void srv_catalog_each(srv_catalog *catalog, void (*fn)(void *user, srv_model *model), void *user)
{
    ftl_account *account = &catalog->server->account;
    uv_mutex_lock(&catalog->lock);
    size_t n = catalog->n_named;
    srv_model **models = n ? ftl_alloc_array(account, n, sizeof *models) : NULL;
    if (models)
        memcpy(models, catalog->named, n * sizeof *models);
    uv_mutex_unlock(&catalog->lock);
    for (size_t i = 0; models && i < n; i++) /* fn may take its time, and use the catalog */
        fn(user, models[i]);
    ftl_free(account, models);
}

void srv_catalog_each_path(srv_catalog *catalog, void (*fn)(void *user, srv_model *model),
                           void *user)
{
    uv_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < SRV_CATALOG_SLOTS; i++) {
        for (srv_model *model = catalog->by_path[i]; model; model = model->next)
            fn(user, model);
    }
    uv_mutex_unlock(&catalog->lock);
}

const char *srv_catalog_shown(srv_catalog *catalog, const char *path)
{
    const char *shown = NULL;
    uv_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < catalog->n_named && !shown; i++) {
        if (strcmp(catalog->named[i]->path, path) == 0)
            shown = catalog->named[i]->shown;
    }
    uv_mutex_unlock(&catalog->lock);
    return shown ? shown : srv_root_shown(&catalog->root, path);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Notes what an attempt to open it came to; a model that was taken out of service stays so. */
static void note(srv_model *model, bool opened)
{
    int before = atomic_load_explicit(&model->state, memory_order_relaxed);
    int now = opened ? SRV_MODEL_OPENED : SRV_MODEL_FAILED;
    if (before != now && before != SRV_MODEL_UNLOADED) /* a warm request writes nothing */
        atomic_compare_exchange_strong(&model->state, &before, now);
}

void srv_model_note_request(srv_server *server, srv_model *model, ftl_status status,
                            const ftl_error *error)
{
    bool had_failed = atomic_load_explicit(&model->state, memory_order_relaxed) == SRV_MODEL_FAILED;
    bool of_file = status != FTL_OK && status != FTL_NOMEM && status != FTL_CANCELLED;
    note(model, status == FTL_OK);
    if (of_file && srv_model_set_problem(server->catalog, model, error) && model->name)
        srv_log(server, "error", "model", "%s: %s%s%s", model->shown, error->path,
                error->path[0] ? ": " : "", error->message);
    else if (status == FTL_OK && had_failed)
        (void)srv_model_set_problem(server->catalog, model, NULL);
}

ftl_status srv_model_take(srv_server *server, const srv_model *model,
                          const ftl_cache_get_options *options, ftl_cache_answer *answer,
                          ftl_model **out, ftl_error *error)
{
    ftl_status status = ftl_cache_get(server->cache, model->path, options, answer, out, error);
    if (status != FTL_OK && error)
        srv_error_replace(error, model->path, model->shown);
    return status;
}

ftl_status srv_model_warm(srv_server *server, srv_model *model, ftl_cache_answer *answer,
                          ftl_error *error)
{
    ftl_status status = ftl_cache_warm(server->cache, model->path, NULL, NULL, answer, error);
    if (status != FTL_OK && error)
        srv_error_replace(error, model->path, model->shown);
    note(model, status == FTL_OK);
    return status;
}

static void warm_one(void *user, srv_model *model)
{
    srv_server *server = user;
    ftl_error error;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_error_clear(&error);
    if (server->phase != SRV_STARTING)
        return;
    if (srv_model_warm(server, model, &answer, &error) == FTL_OK) {
        srv_log(server, "info", "model", "%s: opened in %.1f ms", model->shown,
                1e3 * answer.load_seconds);
        return;
    }
    srv_model_set_problem(server->catalog, model, &error);
    srv_log(server, "error", "model", "%s: %s%s%s", model->shown, error.path,
            error.path[0] ? ": " : "", error.message);
}

/* A server of a few models has them all open from the start. */
void srv_catalog_warm(srv_catalog *catalog)
{
    srv_server *server = catalog->server;
    const srv_config *config = server->config;
    if (catalog->n_named <= config->cache_size)
        srv_catalog_each(catalog, warm_one, server);
    for (size_t i = 0; i < config->warmup.n; i++) {
        ftl_error error;
        int status;
        const char *text = config->warmup.items[i];
        ftl_error_clear(&error);
        srv_model *model = srv_catalog_at_path(catalog, (srv_text){text, strlen(text)}, &status,
                                               &error);
        if (model)
            warm_one(server, model);
        else
            srv_log(server, "error", "model", "warmup: %s", error.message);
    }
}
