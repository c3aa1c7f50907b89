#include "engine/inputs.h"

#include "base/checked.h"
#include "engine/job.h"
#include "table/parts.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MOST_INPUTS = 1000 * 1000,
    MOST_DEPTH = 32 /* folders in folders */
};

/* A folder on the way, so that links lead into no circle. */
typedef struct folder {
    const struct folder *parent;
    dev_t device;
    ino_t inode;
    size_t depth;
} folder;

typedef struct finder {
    ftl_arena *arena;
    ftl_inputs found;
    size_t room;
    size_t looked_at; /* entries of folders */
    bool has_stdin;
} finder;

static ftl_status system_error(const char *what, const char *path, int number, ftl_error *error)
{
    char text[128];
    return FTL_FAIL(error, FTL_IO, "cannot %s \"%s\": %s", what, path,
                    strerror_r(number, text, sizeof text));
}

/* path stays the caller's, and stays. */
static ftl_status add(finder *f, const char *path, ftl_error *error)
{
    if (f->found.n == MOST_INPUTS)
        return FTL_FAIL(error, FTL_LIMIT, "there are more than %d inputs", MOST_INPUTS);
    if (f->found.n == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        const char **paths = ftl_arena_array(f->arena, room, sizeof *paths);
        if (!paths)
            return FTL_OOM(error);
        if (f->found.n)
            memcpy(paths, f->found.paths, f->found.n * sizeof *paths);
        f->found.paths = paths;
        f->room = room;
    }
    f->found.paths[f->found.n++] = path;
    return FTL_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_from(finder *f, size_t first)
{
    if (f->found.n > first)
        qsort(f->found.paths + first, f->found.n - first, sizeof *f->found.paths, by_name);
}

/* ---- Folders --------------------------------------------------------------------------------- */

static ftl_status add_folder(finder *f, const char *path, const struct stat *what,
                             const folder *parent, ftl_error *error);

/* Hidden files, and what other programs leave beside tables: _SUCCESS, _temporary. */
static bool is_set_aside(const char *name) { return name[0] == '.' || name[0] == '_'; }

static ftl_status add_entry(finder *f, const char *path, const folder *in, ftl_error *error)
{
    struct stat what;
    if (++f->looked_at > MOST_INPUTS)
        return FTL_FAIL(error, FTL_LIMIT, "folders of inputs hold more than %d names", MOST_INPUTS);
    if (stat(path, &what) != 0)
        return system_error("look at", path, errno, error);
    if (S_ISDIR(what.st_mode))
        return add_folder(f, path, &what, in, error);
    return ftl_table_known_ending(path) ? add(f, path, error) : FTL_OK;
}

static ftl_status add_entries(finder *f, DIR *entries, const char *path, const folder *in,
                              ftl_error *error)
{
    size_t size = strlen(path);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(entries);
        if (!entry)
            return errno ? system_error("read the folder", path, errno, error) : FTL_OK;
        if (is_set_aside(entry->d_name))
            continue;
        char *name = ftl_arena_printf(f->arena, "%s%s%s", path,
                                      size && path[size - 1] == '/' ? "" : "/", entry->d_name);
        if (!name)
            return FTL_OOM(error);
        FTL_TRY(add_entry(f, name, in, error));
    }
}

static ftl_status add_folder(finder *f, const char *path, const struct stat *what,
                             const folder *parent, ftl_error *error)
{
    const folder here = {.parent = parent,
                         .device = what->st_dev,
                         .inode = what->st_ino,
                         .depth = parent ? parent->depth + 1 : 1};
    for (const folder *above = parent; above; above = above->parent) {
        if (above->device == here.device && above->inode == here.inode)
            return FTL_FAIL(error, FTL_IO, "\"%s\" is a link to a folder that holds it", path);
    }
    if (here.depth > MOST_DEPTH)
        return FTL_FAIL(error, FTL_LIMIT, "\"%s\" lies more than %d folders deep", path,
                        MOST_DEPTH);
    DIR *entries = opendir(path);
    if (!entries)
        return system_error("open the folder", path, errno, error);
    ftl_status status = add_entries(f, entries, path, &here, error);
    closedir(entries);
    return status;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static ftl_status add_path(finder *f, const char *path, ftl_error *error)
{
    struct stat what;
    size_t first = f->found.n;
    if (stat(path, &what) != 0) /* now, not when rows of other files are written already */
        return system_error("open", path, errno, error);
    if (!S_ISDIR(what.st_mode))
        return add(f, path, error);
    FTL_TRY(add_folder(f, path, &what, NULL, error));
    if (f->found.n == first)
        return FTL_FAIL(error, FTL_IO,
                        "the folder \"%s\" holds no file that is called as tables are, such as "
                        "rows.csv; give the path of a file in it",
                        path);
    sort_from(f, first);
    f->found.as_parts = true;
    return FTL_OK;
}

static ftl_status no_match(const char *pattern, ftl_error *error)
{
    return FTL_FAIL(error, FTL_IO, "no file is called \"%s\", and none matches it", pattern);
}

static ftl_status add_matches(finder *f, const char *pattern, ftl_error *error)
{
    glob_t matches = {0};
    size_t first = f->found.n;
    errno = 0;
    int failed = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &matches);
    int number = errno;
    ftl_status status = FTL_OK;
    if (failed == GLOB_NOSPACE)
        status = FTL_OOM(error);
    else if (failed == GLOB_ABORTED && number != ENOENT)
        status = system_error("look for files that match", pattern, number, error);
    else if (failed)
        status = no_match(pattern, error);
    for (size_t i = 0; status == FTL_OK && i < matches.gl_pathc; i++) {
        const char *path = ftl_arena_string(f->arena, matches.gl_pathv[i],
                                            strlen(matches.gl_pathv[i]));
        if (path)
            status = add(f, path, error);
        else
            status = FTL_OOM(error);
    }
    globfree(&matches);
    FTL_TRY(status);
    f->found.as_parts = true;
    sort_from(f, first);
    /* a match may be a folder: its files take its place */
    size_t n = f->found.n - first;
    const char **matched = ftl_arena_copy(f->arena, f->found.paths + first, n * sizeof *matched);
    if (!matched)
        return FTL_OOM(error);
    f->found.n = first;
    for (size_t i = 0; i < n; i++)
        FTL_TRY(add_path(f, matched[i], error));
    return FTL_OK;
}

static ftl_status add_input(finder *f, const char *path, ftl_error *error)
{
    struct stat what;
    if (!path)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "more_inputs",
                               "options.more_inputs has a path that is NULL");
    if (strcmp(path, "-") == 0) {
        if (f->has_stdin)
            return FTL_FAIL(error, FTL_ARG, "standard input, -, is named twice as an input");
        f->has_stdin = true;
        return add(f, path, error);
    }
    if (strpbrk(path, "*?[") && stat(path, &what) != 0 && errno == ENOENT)
        return add_matches(f, path, error);
    return add_path(f, path, error);
}

/* Where rows come from is asked of parts, of which a file is one then. */
static bool wants_origin(const ftl_score_options *options)
{
    for (size_t i = 0; i < options->n_keep; i++) {
        if (strcmp(options->keep[i], FTL_TABLE_ORIGIN) == 0)
            return true;
    }
    return false;
}

ftl_status ftl_inputs_find(ftl_arena *arena, const char *input_path,
                           const ftl_score_options *options, ftl_inputs *out, ftl_error *error)
{
    finder f = {.arena = arena};
    FTL_TRY(add_input(&f, input_path, error));
    for (size_t i = 0; i < options->n_more_inputs; i++)
        FTL_TRY(add_input(&f, options->more_inputs[i], error));
    f.found.as_parts |= f.found.n > 1 || wants_origin(options);
    *out = f.found;
    return FTL_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

typedef struct opener {
    ftl_account *account;
    const ftl_score_options *options;
} opener;

static ftl_status open_part(void *user, const char *path, ftl_table **out, ftl_error *error)
{
    const opener *how = user;
    return ftl_job_open(how->account, path, how->options, out, error);
}

/* Bytes of all files; 0: something is no plain file. */
static uint64_t bytes_of(const ftl_inputs *inputs)
{
    uint64_t total = 0;
    struct stat what;
    for (size_t i = 0; i < inputs->n; i++) {
        if (stat(inputs->paths[i], &what) != 0 || !S_ISREG(what.st_mode) ||
            !ftl_add_u64(total, (uint64_t)what.st_size, &total))
            return 0;
    }
    return total;
}

ftl_status ftl_inputs_open(ftl_arena *arena, const ftl_inputs *inputs,
                           const ftl_score_options *options, ftl_table **out, ftl_error *error)
{
    if (!inputs->as_parts)
        return ftl_job_open(arena->account, inputs->paths[0], options, out, error);
    opener *how = FTL_ARENA_NEW(arena, opener);
    if (!how)
        return FTL_OOM(error);
    *how = (opener){arena->account, options};
    const ftl_parts_options parts = {.paths = inputs->paths,
                                     .n_paths = inputs->n,
                                     .open = open_part,
                                     .user = how,
                                     .rejects = options->reject_path != NULL,
                                     .bytes_total = bytes_of(inputs)};
    return ftl_table_open_parts(arena->account, &parts, out, error);
}
