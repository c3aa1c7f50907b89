#include "engine/cache_open.h"

#include "base/hash.h"

#include <string.h>

/* ---- Paths ------------------------------------------------------------------------------------ */

/* Where the path of "PATH:ENTRY" ends; NULL: there is no entry. */
static const char *entry_colon(const char *path)
{
    const char *colon = strrchr(path, ':');
    return colon == path ? NULL : colon;
}

void ftl_cache_resolve(const ftl_cache_request *request, ftl_cache_target *out)
{
    out->asked = *request;
    ftl_file_mark_take(request->path, ftl_wall_clock(), &out->mark);
    const char *colon = request->options.select ? NULL : entry_colon(request->path);
    size_t size = colon ? (size_t)(colon - request->path) : 0;
    if (out->mark.error && colon && size < sizeof out->path) {
        ftl_file_mark mark;
        memcpy(out->path, request->path, size);
        out->path[size] = '\0';
        ftl_file_mark_take(out->path, ftl_wall_clock(), &mark);
        if (!mark.error) {
            out->mark = mark;
            ftl_cache_request_select(request, out->path, colon + 1, &out->asked);
        }
    }
    if (strcmp(out->asked.path, "-") == 0) /* standard input, whatever files there are */
        out->mark.regular = false;
}

/* ---- Changes ---------------------------------------------------------------------------------- */

static uint64_t add_mark(uint64_t state, const ftl_file_mark *mark)
{
    const uint64_t fields[] = {
        (uint64_t)mark->error,   mark->device,           mark->inode, (uint64_t)mark->size,
        (uint64_t)mark->written, (uint64_t)mark->changed};
    return ftl_hash_bytes(state, fields, sizeof fields);
}

bool ftl_cache_changed(const ftl_cache_entry *entry, const ftl_file_mark *mark, uint64_t *state)
{
    bool changed = !ftl_file_mark_equal(mark, &entry->mark), young = mark->young;
    uint64_t sum = add_mark(ftl_hash_seed(), mark);
    for (const ftl_cache_file *file = entry->files; file; file = file->next) {
        ftl_file_mark now;
        ftl_file_mark_take(file->path, ftl_wall_clock(), &now);
        changed |= !ftl_file_mark_equal(&now, &file->mark);
        young |= now.young;
        sum = add_mark(sum, &now);
    }
    *state = (ftl_hash_number(sum, young) | 1);
    /* what was read while it was young is read again when its mark means something */
    return changed || (entry->young && !young);
}

/* ---- Opening ---------------------------------------------------------------------------------- */

static ftl_status add_file(ftl_cache_entry *entry, const char *path, size_t size, int64_t since,
                           ftl_error *error)
{
    ftl_cache_file *file = FTL_ARENA_NEW(&entry->arena, ftl_cache_file);
    char *copy = ftl_arena_string(&entry->arena, path, size);
    if (!file || !copy)
        return FTL_OOM(error);
    ftl_file_mark_take(copy, since, &file->mark);
    file->path = copy;
    file->next = entry->files;
    entry->files = file;
    return FTL_OK;
}

/* "PATH" or "PATH:ENTRY": the file, if there is one. */
static ftl_status add_part(ftl_cache_entry *entry, const char *part, int64_t since,
                           ftl_error *error)
{
    ftl_file_mark mark;
    const char *colon = entry_colon(part);
    ftl_file_mark_take(part, since, &mark);
    size_t size = mark.error && colon ? (size_t)(colon - part) : strlen(part);
    return add_file(entry, part, size, since, error);
}

/* The files that the options name, as the caller calls them: a link may lead elsewhere later. */
static ftl_status add_parts(ftl_cache_entry *entry, int64_t since, ftl_error *error)
{
    const ftl_model_options *options = &entry->asked->options;
    for (size_t i = 0; i < options->n_then; i++)
        FTL_TRY(add_part(entry, options->then[i], since, error));
    if (options->labels && options->labels[0] != ':')
        FTL_TRY(add_part(entry, options->labels, since, error));
    return FTL_OK;
}

static bool same_file(const ftl_file_mark *a, const ftl_file_mark *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static bool knows_file(const ftl_cache_entry *entry, const ftl_file_mark *mark)
{
    bool known = same_file(&entry->mark, mark);
    for (const ftl_cache_file *file = entry->files; file && !known; file = file->next)
        known = same_file(&file->mark, mark);
    return known;
}

/* All files that the model was read from: side files are not known before. */
static ftl_status add_side_files(ftl_cache_entry *entry, int64_t since, ftl_error *error)
{
    for (const ftl_model_file *file = entry->model->files; file; file = file->next) {
        ftl_file_mark mark;
        ftl_file_mark_take(file->path, since, &mark);
        if (!knows_file(entry, &mark))
            FTL_TRY(add_file(entry, file->path, strlen(file->path), since, error));
    }
    return FTL_OK;
}

/* Whether any file may have changed since the work began. */
static bool files_are_young(const ftl_cache_entry *entry, int64_t since)
{
    ftl_file_mark now;
    ftl_file_mark_take(entry->asked->path, since, &now);
    bool young = now.young || !ftl_file_mark_equal(&now, &entry->mark);
    for (const ftl_cache_file *file = entry->files; file; file = file->next) {
        ftl_file_mark_take(file->path, since, &now);
        young |= now.young || !ftl_file_mark_equal(&now, &file->mark);
    }
    return young;
}

static ftl_status new_entry(ftl_cache *cache, const ftl_cache_request *asked,
                            const ftl_file_mark *mark, ftl_cache_entry **out, ftl_error *error)
{
    ftl_cache_entry *entry = ftl_alloc_zero(&cache->account, 1, sizeof *entry);
    if (!entry)
        return FTL_OOM(error);
    ftl_arena_init(&entry->arena, &cache->account);
    entry->mark = *mark;
    entry->asked = ftl_cache_request_copy(&cache->account, asked);
    entry->use = ftl_alloc_zero(&cache->account, FTL_CACHE_STRIPES, sizeof *entry->use);
    if (!entry->asked || !entry->use) {
        ftl_cache_free_entry(cache, entry);
        return FTL_OOM(error);
    }
    *out = entry;
    return FTL_OK;
}

ftl_status ftl_cache_open(ftl_cache *cache, const ftl_cache_request *asked,
                          const ftl_file_mark *mark, ftl_cache_entry **out, ftl_error *error)
{
    ftl_cache_entry *entry = NULL;
    int64_t since = ftl_wall_clock();
    FTL_TRY(new_entry(cache, asked, mark, &entry, error));
    const ftl_model_options options = ftl_cache_request_options(entry->asked);
    ftl_status status = add_parts(entry, since, error);
    if (status == FTL_OK)
        status = ftl_model_open(cache->context, asked->path, &options, &entry->model, error);
    if (status == FTL_OK)
        status = add_side_files(entry, since, error);
    if (status != FTL_OK) {
        ftl_cache_free_entry(cache, entry);
        return status;
    }
    entry->young = files_are_young(entry, since);
    entry->loaded = ftl_cache_clock();
    entry->loads = 1;
    *out = entry;
    return FTL_OK;
}
