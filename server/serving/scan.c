#include "serving/scan.h"

#include "base/ending.h"
#include "io/codec.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Lists ----------------------------------------------------------------------------------- */

static ftl_status copy_text(srv_listing *listing, const char *text, char **out, ftl_error *error)
{
    size_t size = strlen(text) + 1;
    *out = ftl_alloc(listing->account, size);
    if (!*out)
        return FTL_OOM(error);
    memcpy(*out, text, size);
    return FTL_OK;
}

static ftl_status add_text(srv_listing *listing, const char *text, ftl_error *error)
{
    srv_list *list = &listing->folders;
    FTL_TRY(ftl_grow(listing->account, &list->items, &list->room, list->n + 1, sizeof *list->items,
                     error));
    FTL_TRY(copy_text(listing, text, &list->items[list->n], error));
    list->n++;
    return FTL_OK;
}

static void free_found(srv_listing *listing, srv_found *found)
{
    ftl_free(listing->account, found->path);
    ftl_free(listing->account, found->name);
    ftl_free(listing->account, found->version);
}

void srv_listing_free(srv_listing *listing)
{
    for (size_t i = 0; i < listing->n; i++)
        free_found(listing, &listing->items[i]);
    for (size_t i = 0; i < listing->folders.n; i++)
        ftl_free(listing->account, listing->folders.items[i]);
    ftl_free(listing->account, listing->folders.items);
    ftl_free(listing->account, listing->items);
    *listing = (srv_listing){.account = listing->account};
}

static ftl_status add_found(srv_listing *listing, const char *path, const char *name,
                            const char *version, ftl_error *error)
{
    FTL_TRY(ftl_grow(listing->account, &listing->items, &listing->room, listing->n + 1,
                     sizeof *listing->items, error));
    srv_found found = {0};
    ftl_status status = copy_text(listing, path, &found.path, error);
    if (status == FTL_OK)
        status = copy_text(listing, name, &found.name, error);
    if (status == FTL_OK && version)
        status = copy_text(listing, version, &found.version, error);
    if (status == FTL_OK)
        listing->items[listing->n++] = found;
    else
        free_found(listing, &found);
    return status;
}

/* Versions are numbers mostly: 9 comes before 10. */
int srv_compare_versions(const char *a, const char *b)
{
    size_t na = a ? strlen(a) : 0, nb = b ? strlen(b) : 0;
    bool numbers = strspn(a ? a : "", "0123456789") == na && strspn(b ? b : "", "0123456789") == nb;
    if (numbers && na != nb)
        return na < nb ? -1 : 1;
    return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *a, const void *b)
{
    const srv_found *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : srv_compare_versions(left->version, right->version);
}

/* Two files of one name are an error; one file that is named twice is once there. */
static ftl_status check_names(srv_listing *listing, ftl_error *error)
{
    size_t kept = 0;
    if (listing->n)
        qsort(listing->items, listing->n, sizeof *listing->items, compare);
    for (size_t i = 0; i < listing->n; i++) {
        srv_found *found = &listing->items[i], *last = kept ? &listing->items[kept - 1] : NULL;
        if (!last || compare(last, found) != 0) {
            listing->items[kept++] = *found;
            continue;
        }
        if (strcmp(last->path, found->path) == 0) {
            free_found(listing, found);
            continue;
        }
        ftl_status status = FTL_FAIL(
            error, FTL_ARG, "%s and %s would both be called %s%s%s: rename one", last->path,
            found->path, found->name, found->version ? " version " : "",
            found->version ? found->version : "");
        for (; i < listing->n; i++)
            listing->items[kept++] = listing->items[i];
        listing->n = kept;
        return status;
    }
    listing->n = kept;
    return FTL_OK;
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* "churn" of "models/churn.joblib" and of "churn.json.gz". */
static void stem(const char *path, char out[NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    snprintf(out, NAME_MAX + 1, "%.*s", (int)ftl_codec_strip_ending(name, strlen(name)), name);
    char *dot = strrchr(out, '.');
    if (dot && dot != out)
        *dot = '\0';
}

static bool is_model_name(const char *name)
{
    static const char *const endings[] = {".joblib", ".pkl",   ".pickle", ".json", ".ubj", ".txt",
                                          ".cbm",    ".model", ".bin",    ".lgb",  ".ftl", ".xgb"};
    size_t size = ftl_codec_strip_ending(name, strlen(name));
    for (size_t i = 0; i < FTL_ARRAY_LEN(endings); i++) {
        if (ftl_has_ending(name, size, endings[i]))
            return true;
    }
    return false;
}

/* What scandir keeps: nothing hidden. */
static int is_seen(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* A file, or a link to one: to open a pipe or a device may wait for ever, or do something. */
static bool is_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

/* NAME/VERSION/model.*: the one model of the folder; false: it is no such folder. */
static bool version_model(const char *folder, char out[PATH_MAX])
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_seen, alphasort), found = 0;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (is_model_name(entries[i]->d_name) && size >= PATH_MAX)
            found += 2; /* not to be named */
        else if (is_model_name(entries[i]->d_name) && is_file(path) && found++ == 0)
            memcpy(out, path, (size_t)size + 1);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return found == 1;
}

static ftl_status add_versions(srv_listing *listing, const char *folder, const char *name,
                               ftl_error *error)
{
    struct dirent **entries;
    ftl_status status = add_text(listing, folder, error);
    int n = scandir(folder, &entries, is_seen, alphasort);
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX], model[PATH_MAX];
        struct stat about;
        int size = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool fits = size > 0 && (size_t)size < sizeof path;
        bool folds = fits && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
        if (status == FTL_OK && folds)
            status = add_text(listing, path, error);
        if (status == FTL_OK && folds && version_model(path, model))
            status = add_found(listing, model, name, entries[i]->d_name, error);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return status;
}

static ftl_status add_folder(srv_listing *listing, const char *folder, ftl_error *error)
{
    struct dirent **entries;
    ftl_status status = add_text(listing, folder, error);
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
            status = add_versions(listing, path, entry, error);
        } else if (status == FTL_OK && fits && S_ISREG(about.st_mode) && is_model_name(entry)) {
            stem(entry, name);
            status = add_found(listing, path, name, NULL, error);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* The folder of a file: the file may be replaced in it. */
static ftl_status add_parent(srv_listing *listing, const char *path, ftl_error *error)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 1;
    if (size >= sizeof folder)
        return FTL_OK;
    snprintf(folder, sizeof folder, "%.*s", (int)(size ? size : 1), slash ? path : ".");
    return add_text(listing, folder, error);
}

/* NAME=FOLDER: the one model in it, or its versions. */
static ftl_status add_named_folder(srv_listing *listing, const char *folder, const char *name,
                                   bool first, ftl_error *error)
{
    char model[PATH_MAX];
    size_t before = listing->n;
    if (version_model(folder, model)) {
        FTL_TRY(add_text(listing, folder, error));
        return add_found(listing, model, name, NULL, error);
    }
    FTL_TRY(add_versions(listing, folder, name, error));
    if (first && listing->n == before)
        return FTL_FAIL(error, FTL_ARG, "%s=%s: the folder holds neither one model nor versions",
                        name, folder);
    return FTL_OK;
}

/* NAME=PATH, a file or a folder of models. */
static ftl_status add_argument(srv_listing *listing, const char *text, bool first, ftl_error *error)
{
    char name[NAME_MAX + 1];
    struct stat about;
    const char *path = text, *equals = strchr(text, '=');
    if (stat(text, &about) != 0 && equals && equals != text &&
        (size_t)(equals - text) <= NAME_MAX && !memchr(text, '/', (size_t)(equals - text)))
        path = equals + 1;
    bool folder = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (folder && path == text)
        return add_folder(listing, path, error);
    if (path == text)
        stem(path, name);
    else
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    if (strchr(name, '/') || *name == '\0')
        return FTL_FAIL(error, FTL_ARG, "the model %s needs a name: NAME=%s", path, path);
    if (folder)
        return add_named_folder(listing, path, name, first, error);
    if (first && stat(path, &about) != 0 && !strchr(path, ':'))
        return FTL_FAIL(error, FTL_ARG, "the model %s cannot be opened: %s", path, strerror(errno));
    bool other = stat(path, &about) == 0 && !S_ISREG(about.st_mode);
    if (first && other)
        return FTL_FAIL(error, FTL_ARG,
                        "the model %s is a pipe or a device; a model that is served is a file, "
                        "which can be opened again",
                        path);
    FTL_TRY(add_parent(listing, path, error));
    return other ? FTL_OK : add_found(listing, path, name, NULL, error);
}

ftl_status srv_scan(srv_listing *listing, ftl_account *account, const srv_list *arguments,
                    bool first, ftl_error *error)
{
    *listing = (srv_listing){.account = account};
    for (size_t i = 0; i < arguments->n; i++)
        FTL_TRY(add_argument(listing, arguments->items[i], first, error));
    return listing->n ? check_names(listing, error) : FTL_OK;
}
