/*
 * Looks at folders and files again: what is new is tried before it is listed, what has changed is
 * opened beside the old one, what is gone is listed no more. One thread does it.
 */
#include "serving/catalog_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- What files look like -------------------------------------------------------------------- */

/* Another number when the file is another; 0: there is none. */
static uint64_t mark_of(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return 0;
    const uint64_t parts[] = {(uint64_t)about.st_dev,          (uint64_t)about.st_ino,
                              (uint64_t)about.st_size,         (uint64_t)about.st_mtim.tv_sec,
                              (uint64_t)about.st_mtim.tv_nsec, (uint64_t)about.st_ctim.tv_sec,
                              (uint64_t)about.st_ctim.tv_nsec};
    uint64_t mark = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < FTL_ARRAY_LEN(parts); i++)
        mark = (mark ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15) + (mark >> 29);
    return mark ? mark : 1;
}

/* ---- Problems -------------------------------------------------------------------------------- */

bool srv_model_set_problem(srv_catalog *catalog, srv_model *model, const ftl_error *error)
{
    char text[sizeof model->problem] = "";
    if (error)
        snprintf(text, sizeof text, "%.90s%s%.100s", error->path, error->path[0] ? ": " : "",
                 error->message);
    uv_mutex_lock(&catalog->lock);
    bool news = strcmp(model->problem, text) != 0;
    memcpy(model->problem, text, sizeof text);
    uv_mutex_unlock(&catalog->lock);
    return news;
}

size_t srv_catalog_problems(srv_catalog *catalog,
                            void (*fn)(void *user, const srv_model *model, const char *problem),
                            void *user)
{
    size_t n = 0;
    uv_mutex_lock(&catalog->lock);
    for (const srv_model *model = catalog->every_named; model; model = model->next) {
        if (!model->problem[0])
            continue;
        n++;
        if (fn)
            fn(user, model, model->problem);
    }
    uv_mutex_unlock(&catalog->lock);
    return n;
}

/* ---- Models ---------------------------------------------------------------------------------- */

static void tell(srv_catalog *catalog, const srv_model *model, const char *what)
{
    srv_log(catalog->server, "info", "model", "%s%s%s: %s",
            model->name ? model->name : model->shown, model->version ? " version " : "",
            model->version ? model->version : "", what);
}

/* Opens it; with more models than the cache has places nobody has to leave it for a trial. */
static bool try_model(srv_catalog *catalog, srv_model *model, bool keep, bool *opened)
{
    srv_server *server = catalog->server;
    ftl_error error;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_cache_get_options apart = {.struct_size = sizeof apart, .no_cache = true};
    ftl_error_clear(&error);
    ftl_status status;
    if (keep) {
        status = srv_model_warm(server, model, &answer, &error);
        if (status == FTL_OK && answer.stale)
            status = FTL_FAIL(&error, FTL_CORRUPT,
                              "the file has changed and cannot be opened; the model of before is "
                              "in use");
    } else {
        ftl_model *open = NULL;
        status = srv_model_take(server, model, &apart, &answer, &open, &error);
        ftl_model_release(open);
    }
    bool news = srv_model_set_problem(catalog, model, status == FTL_OK ? NULL : &error);
    *opened = status == FTL_OK && !answer.hit;
    if (status != FTL_OK && news)
        srv_log(server, "error", "model", "%s%s%s: %s%s%s", model->shown,
                model->version ? " version " : "", model->version ? model->version : "", error.path,
                error.path[0] ? ": " : "", error.message);
    return status == FTL_OK;
}

static bool is_open(srv_catalog *catalog, const srv_model *model)
{
    const ftl_cache_get_options look = {.struct_size = sizeof look, .no_wait = true};
    ftl_error error;
    ftl_model *open = NULL;
    ftl_error_clear(&error);
    if (srv_model_take(catalog->server, model, &look, NULL, &open, &error) != FTL_OK)
        return false;
    ftl_model_release(open);
    return true;
}

/*
 * A file that is another than at the last look: the open model is opened again. The cache looks at
 * a file once a second, so that it is asked until it must have looked.
 */
static void renew_if_changed(srv_catalog *catalog, srv_model *model)
{
    enum { ASKED_SECONDS = 3 };
    uint64_t mark = mark_of(model->path);
    bool changed = mark != model->mark, opened = false;
    model->mark = mark;
    if (changed && mark == 0)
        tell(catalog, model, "its file is gone");
    if (changed)
        model->ask_until = mark ? srv_now() + ASKED_SECONDS : 0;
    if (model->ask_until == 0)
        return;
    bool asked = model->problem[0] || is_open(catalog, model);
    bool good = asked && try_model(catalog, model, true, &opened);
    if (opened)
        tell(catalog, model, "its file has changed and is open");
    if (!asked || (good && opened) || model->ask_until < srv_now())
        model->ask_until = 0;
    else
        catalog->asks = true;
}

static void renew_paths(srv_catalog *catalog)
{
    for (size_t i = 0; i < SRV_CATALOG_SLOTS; i++) {
        uv_mutex_lock(&catalog->lock);
        srv_model *model = catalog->by_path[i];
        uv_mutex_unlock(&catalog->lock);
        for (; model && !srv_is_ending(catalog->server); model = model->next)
            renew_if_changed(catalog, model);
    }
}

/* ---- Listings -------------------------------------------------------------------------------- */

/* Whether a model that was found is to be listed: once it could be opened. */
static bool is_good(srv_catalog *catalog, srv_model *model, bool keep)
{
    if (model->listed)
        return true;
    uint64_t mark = mark_of(model->path);
    if (model->problem[0] && model->mark == mark) /* the same bad file as before */
        return false;
    bool opened;
    model->mark = mark;
    return try_model(catalog, model, keep, &opened);
}

/* Those that came and those that went; true: there are any. */
static bool tell_changes(srv_catalog *catalog, srv_model *const *models, size_t n)
{
    bool any = n != catalog->n_named;
    for (size_t i = 0; i < n; i++) {
        if (!models[i]->listed) {
            tell(catalog, models[i], "new");
            any = true;
        }
    }
    for (size_t i = 0; i < catalog->n_named; i++) {
        srv_model *model = catalog->named[i];
        if (model->seen != catalog->looks) {
            tell(catalog, model, "gone");
            ftl_cache_evict(catalog->server->cache, model->path);
            any = true;
        }
    }
    return any;
}

/* Problems of files that are not there any more are none. */
static void forget_problems(srv_catalog *catalog)
{
    for (srv_model *model = catalog->every_named; model; model = model->next) {
        if (model->problem[0] && model->seen != catalog->looks)
            srv_model_set_problem(catalog, model, NULL);
    }
}

static void relist(srv_catalog *catalog, srv_model **found, size_t n_found)
{
    const srv_config *config = srv_config_of(catalog->server);
    size_t n = 0;
    catalog->looks++;
    for (size_t i = 0; i < n_found; i++)
        found[i]->seen = catalog->looks;
    forget_problems(catalog);
    for (size_t i = 0; i < n_found; i++) {
        if (srv_is_ending(catalog->server))
            break;
        if (is_good(catalog, found[i], n_found <= config->cache_size))
            found[n++] = found[i];
    }
    if (!srv_is_ending(catalog->server) && tell_changes(catalog, found, n))
        srv_catalog_publish(catalog, found, n);
    else
        ftl_free(&catalog->server->account, found);
}

static void watch_folders(srv_catalog *catalog, const srv_list *folders)
{
    const uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                            IN_ATTRIB | IN_ONLYDIR;
    for (size_t i = 0; catalog->watch >= 0 && i < folders->n; i++)
        inotify_add_watch(catalog->watch, folders->items[i], events);
}

void srv_catalog_refresh(srv_catalog *catalog)
{
    srv_server *server = catalog->server;
    const srv_config *config = srv_config_of(server);
    srv_listing listing;
    srv_model **found = NULL;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_status status = srv_scan(&listing, &server->account, &config->models, false, &error);
    if (status == FTL_OK) {
        watch_folders(catalog, &listing.folders);
        uv_mutex_lock(&catalog->lock); /* others read the list of all entries */
        status = srv_catalog_entries(catalog, &listing, &found, &error);
        uv_mutex_unlock(&catalog->lock);
    }
    if (status == FTL_OK) {
        relist(catalog, found, listing.n);
        catalog->last_problem[0] = '\0';
    } else if (strncmp(error.message, catalog->last_problem, sizeof catalog->last_problem - 1)) {
        srv_log(server, "error", "models", "nothing new is listed: %s", error.message);
        snprintf(catalog->last_problem, sizeof catalog->last_problem, "%.299s", error.message);
    }
    srv_listing_free(&listing);
    catalog->asks = false;
    for (size_t i = 0; i < catalog->n_named && !srv_is_ending(server); i++)
        renew_if_changed(catalog, catalog->named[i]);
    renew_paths(catalog);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Takes what inotify has to say, which is only that something changed. */
static void take_events(srv_catalog *catalog)
{
    char events[4096];
    while (read(catalog->watch, events, sizeof events) > 0)
        continue;
}

void srv_catalog_wait(srv_catalog *catalog, int kick, int milliseconds)
{
    enum { SETTLE_MS = 50, ASK_MS = 300 }; /* a copy is many events */
    struct pollfd for_what[2] = {{.fd = kick, .events = POLLIN},
                                 {.fd = catalog->watch, .events = POLLIN}};
    char bytes[64];
    if (catalog->asks && (milliseconds < 0 || milliseconds > ASK_MS))
        milliseconds = ASK_MS;
    int ready = poll(for_what, 2, milliseconds);
    if (ready > 0 && (for_what[0].revents & POLLIN)) {
        ssize_t taken = read(kick, bytes, sizeof bytes);
        (void)taken;
    } else if (ready > 0 && (for_what[1].revents & POLLIN)) {
        poll(for_what, 1, SETTLE_MS);
        take_events(catalog);
    }
}

void srv_catalog_watch(srv_catalog *catalog)
{
    catalog->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void srv_catalog_unwatch(srv_catalog *catalog)
{
    if (catalog->watch >= 0)
        close(catalog->watch);
    catalog->watch = -1;
}
