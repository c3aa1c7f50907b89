#include "serving/catalog.h"

#include "base/hash.h"
#include "serving/confine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SLOTS = 1024 };

struct srv_catalog {
    srv_server *server;
    srv_root root;
    uv_mutex_t lock;
    srv_model *by_path[SLOTS];
    srv_model **named; /* sorted by name, then version */
    size_t n_named, named_room;
};

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
    return (size_t)ftl_hash_bytes(ftl_hash_seed(), path, strlen(path)) % SLOTS;
}

/* The entry of a real path, made when there is none. The lock is held. */
static srv_model *entry_of(srv_catalog *catalog, const char *path)
{
    srv_model **slot = &catalog->by_path[slot_of(path)];
    for (srv_model *model = *slot; model; model = model->next) {
        if (strcmp(model->path, path) == 0)
            return model;
    }
    srv_model *model = make_model(catalog, path, srv_root_shown(&catalog->root, path), NULL, NULL);
    if (model) {
        model->next = *slot;
        *slot = model;
    }
    return model;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* Versions are numbers mostly: 9 comes before 10. */
static int compare_versions(const char *a, const char *b)
{
    size_t na = a ? strlen(a) : 0, nb = b ? strlen(b) : 0;
    bool numbers = strspn(a ? a : "", "0123456789") == na && strspn(b ? b : "", "0123456789") == nb;
    if (numbers && na != nb)
        return na < nb ? -1 : 1;
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_named(const void *a, const void *b)
{
    const srv_model *left = *(srv_model *const *)a, *right = *(srv_model *const *)b;
    int order = strcmp(left->name, right->name);
    return order ? order : compare_versions(left->version, right->version);
}

static ftl_status add_named(srv_catalog *catalog, const char *path, const char *name,
                            const char *version, ftl_error *error)
{
    for (size_t i = 0; i < catalog->n_named; i++) {
        const srv_model *other = catalog->named[i];
        if (strcmp(other->name, name) != 0 || compare_versions(other->version, version) != 0)
            continue;
        if (strcmp(other->path, path) == 0)
            return FTL_OK;
        return FTL_FAIL(error, FTL_ARG, "%s and %s would both be called %s%s%s: rename one",
                        other->path, path, name, version ? " version " : "",
                        version ? version : "");
    }
    FTL_TRY(ftl_grow(&catalog->server->account, &catalog->named, &catalog->named_room,
                     catalog->n_named + 1, sizeof *catalog->named, error));
    srv_model *model = make_model(catalog, path, name, name, version);
    if (!model)
        return FTL_OOM(error);
    catalog->named[catalog->n_named++] = model;
    return FTL_OK;
}

/* "churn" of "models/churn.joblib" and of "churn.json.gz". */
static void stem(const char *path, char out[NAME_MAX + 1])
{
    static const char *const packed[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".z"};
    const char *slash = strrchr(path, '/');
    snprintf(out, NAME_MAX + 1, "%s", slash ? slash + 1 : path);
    for (size_t i = 0; i < FTL_ARRAY_LEN(packed); i++) {
        size_t size = strlen(out), n = strlen(packed[i]);
        if (size > n && strcmp(out + size - n, packed[i]) == 0)
            out[size - n] = '\0';
    }
    char *dot = strrchr(out, '.');
    if (dot && dot != out)
        *dot = '\0';
}

static bool is_model_name(const char *name)
{
    static const char *const endings[] = {".joblib", ".pkl",   ".pickle", ".json", ".ubj", ".txt",
                                          ".cbm",    ".model", ".bin",    ".lgb",  ".ftl", ".xgb"};
    char plain[NAME_MAX + 1];
    static const char *const packed[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".z"};
    snprintf(plain, sizeof plain, "%s", name);
    for (size_t i = 0; i < FTL_ARRAY_LEN(packed); i++) {
        size_t size = strlen(plain), n = strlen(packed[i]);
        if (size > n && strcmp(plain + size - n, packed[i]) == 0)
            plain[size - n] = '\0';
    }
    const char *dot = strrchr(plain, '.');
    for (size_t i = 0; dot && i < FTL_ARRAY_LEN(endings); i++) {
        if (strcmp(dot, endings[i]) == 0)
            return true;
    }
    return false;
}

/* What scandir keeps: nothing hidden. */
static int is_seen(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* NAME/VERSION/model.*: the one model of the folder; false: it is no such folder. */
static bool version_model(const char *folder, char out[PATH_MAX])
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_seen, alphasort), found = 0;
    for (int i = 0; i < n; i++) {
        int size = 0;
        if (is_model_name(entries[i]->d_name) && found++ == 0)
            size = snprintf(out, PATH_MAX, "%s/%s", folder, entries[i]->d_name);
        found += size >= PATH_MAX; /* not to be named */
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return found == 1;
}

static ftl_status add_versions(srv_catalog *catalog, const char *folder, const char *name,
                               ftl_error *error)
{
    struct dirent **entries;
    ftl_status status = FTL_OK;
    int n = scandir(folder, &entries, is_seen, alphasort);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX], model[PATH_MAX];
        struct stat about;
        int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool fits = size > 0 && (size_t)size < sizeof path;
        if (status == FTL_OK && fits && stat(path, &about) == 0 && S_ISDIR(about.st_mode) &&
            version_model(path, model))
            status = add_named(catalog, model, name, entries[i]->d_name, error);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return status;
}

static ftl_status add_folder(srv_catalog *catalog, const char *folder, ftl_error *error)
{
    struct dirent **entries;
    ftl_status status = FTL_OK;
    int n = scandir(folder, &entries, is_seen, alphasort);
    if (n < 0)
        return FTL_FAIL(error, FTL_IO, "cannot read the folder %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX], name[NAME_MAX + 1];
        struct stat about;
        const char *entry = entries[i]->d_name;
        int size = snprintf(path, sizeof path, "%s/%s", folder, entry);
        bool fits = size > 0 && (size_t)size < sizeof path && stat(path, &about) == 0;
        if (status == FTL_OK && fits && S_ISDIR(about.st_mode)) {
            status = add_versions(catalog, path, entry, error);
        } else if (status == FTL_OK && fits && is_model_name(entry)) {
            stem(entry, name);
            status = add_named(catalog, path, name, NULL, error);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* NAME=PATH, a file or a folder of models. */
static ftl_status add_argument(srv_catalog *catalog, const char *text, ftl_error *error)
{
    char name[NAME_MAX + 1];
    struct stat about;
    const char *path = text, *equals = strchr(text, '=');
    if (stat(text, &about) != 0 && equals && equals != text &&
        (size_t)(equals - text) <= NAME_MAX && !memchr(text, '/', (size_t)(equals - text)))
        path = equals + 1;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return add_folder(catalog, path, error);
    if (path == text)
        stem(path, name);
    else
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    if (strchr(name, '/') || *name == '\0')
        return FTL_FAIL(error, FTL_ARG, "the model %s needs a name: NAME=%s", path, path);
    if (stat(path, &about) != 0 && !strchr(path, ':'))
        return FTL_FAIL(error, FTL_ARG, "the model %s cannot be opened: %s", path, strerror(errno));
    return add_named(catalog, path, name, NULL, error);
}

ftl_status srv_catalog_create(srv_server *server, srv_catalog **out, ftl_error *error)
{
    const srv_config *config = server->config;
    srv_catalog *catalog = ftl_alloc_zero(&server->account, 1, sizeof *catalog);
    if (!catalog)
        return FTL_OOM(error);
    *out = catalog;
    catalog->server = server;
    catalog->root.descriptor = -1;
    uv_mutex_init(&catalog->lock);
    FTL_TRY(srv_root_open(&catalog->root, config->model_root, "model-root", error));
    for (size_t i = 0; i < config->models.n; i++)
        FTL_TRY(add_argument(catalog, config->models.items[i], error));
    if (catalog->n_named)
        qsort(catalog->named, catalog->n_named, sizeof *catalog->named, compare_named);
    return FTL_OK;
}

void srv_catalog_destroy(srv_catalog *catalog)
{
    if (!catalog)
        return;
    ftl_account *account = &catalog->server->account;
    for (size_t i = 0; i < SLOTS; i++) {
        while (catalog->by_path[i]) {
            srv_model *model = catalog->by_path[i];
            catalog->by_path[i] = model->next;
            free_model(account, model);
        }
    }
    for (size_t i = 0; i < catalog->n_named; i++)
        free_model(account, catalog->named[i]);
    ftl_free(account, catalog->named);
    srv_root_close(&catalog->root);
    uv_mutex_destroy(&catalog->lock);
    ftl_free(account, catalog);
}

/* ---- Finding --------------------------------------------------------------------------------- */

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
            found = model; /* the last one is the latest */
    }
    uv_mutex_unlock(&catalog->lock);
    return found;
}

static srv_model *argument_at(srv_catalog *catalog, srv_text path)
{
    srv_model *found = NULL;
    for (size_t i = 0; i < catalog->n_named; i++) {
        srv_model *model = catalog->named[i];
        if (srv_text_is(path, model->path) || srv_text_is(path, model->name))
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
        ftl_error_set(error, FTL_NOMEM, "out of memory");
    }
    return model;
}

void srv_catalog_each(srv_catalog *catalog, void (*fn)(void *user, srv_model *model), void *user)
{
    for (size_t i = 0; i < catalog->n_named; i++)
        fn(user, catalog->named[i]);
}

void srv_catalog_each_path(srv_catalog *catalog, void (*fn)(void *user, srv_model *model),
                           void *user)
{
    uv_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < SLOTS; i++) {
        for (srv_model *model = catalog->by_path[i]; model; model = model->next)
            fn(user, model);
    }
    uv_mutex_unlock(&catalog->lock);
}

const char *srv_catalog_shown(srv_catalog *catalog, const char *path)
{
    for (size_t i = 0; i < catalog->n_named; i++) {
        if (strcmp(catalog->named[i]->path, path) == 0)
            return catalog->named[i]->shown;
    }
    return srv_root_shown(&catalog->root, path);
}

/* ---- Opening --------------------------------------------------------------------------------- */

void srv_model_note(srv_model *model, bool opened)
{
    int before = atomic_load_explicit(&model->state, memory_order_relaxed);
    int now = opened ? SRV_MODEL_OPENED : SRV_MODEL_FAILED;
    if (before != now && before != SRV_MODEL_UNLOADED) /* a warm request writes nothing */
        atomic_compare_exchange_strong(&model->state, &before, now);
}

ftl_status srv_model_warm(srv_server *server, srv_model *model, ftl_cache_answer *answer,
                          ftl_error *error)
{
    ftl_status status = ftl_cache_warm(server->cache, model->path, NULL, NULL, answer, error);
    srv_model_note(model, status == FTL_OK);
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
    server->warm_failed = true;
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
