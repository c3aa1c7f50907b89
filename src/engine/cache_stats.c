/* What a cache tells of itself. */
#include "base/options.h"
#include "engine/cache_table.h"

#include <string.h>

ftl_status ftl_cache_get_stats(ftl_cache *cache, ftl_cache_stats *out)
{
    if (!cache || !out)
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_cache_stats", NULL));
    ftl_cache_lock(cache);
    ftl_cache_stats stats = cache->counts;
    ftl_cache_count_hits(cache, &stats.hits, &stats.stale_hits);
    stats.models = cache->n_entries;
    for (const ftl_cache_entry *e = cache->entries; e; e = e->next)
        stats.bytes += ftl_cache_entry_bytes(e);
    ftl_cache_unlock(cache);
    stats.cache_size = cache->cache_size;
    stats.max_bytes = cache->max_bytes;
    stats.utilization = (double)stats.models / cache->cache_size;
    uint64_t requests = stats.hits + stats.misses;
    stats.hit_rate = requests ? (double)stats.hits / (double)requests : 0;
    ftl_out_write(out, &stats, sizeof stats);
    return FTL_OK;
}

/* ---- Models ----------------------------------------------------------------------------------- */

typedef struct listed {
    ftl_cache_entry *entry; /* pinned */
    ftl_cache_use use;
    ftl_cache_model model;
    char *message; /* a copy; NULL: none */
} listed;

static double since(int64_t then, int64_t now)
{
    return now > then ? 1e-9 * (double)(now - then) : 0;
}

static char *copy_text(ftl_account *account, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ftl_alloc(account, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/* Whether a name of the entry leads to changed files; *message: why they are not open. */
static bool is_stale(const ftl_cache *cache, const ftl_cache_entry *entry, const char **message)
{
    bool stale = false;
    for (size_t i = 0; i < cache->n_slots; i++) {
        const ftl_cache_name *name = cache->slots[i];
        if (!name || name->entry != entry || !name->stale)
            continue;
        stale = true;
        if (name->message)
            *message = name->message;
    }
    return stale;
}

static void list_entry(ftl_cache *cache, ftl_cache_entry *entry, listed *out)
{
    int64_t now = ftl_cache_clock();
    const char *message = NULL;
    entry->pins++;
    out->entry = entry;
    out->use = ftl_cache_used(cache, entry);
    uint32_t references = atomic_load(&entry->model->references);
    out->model = (ftl_cache_model){.struct_size = sizeof out->model,
                                   .path = entry->asked->path,
                                   .select = entry->asked->options.select,
                                   .model = entry->model,
                                   .bytes = ftl_cache_entry_bytes(entry),
                                   .hits = out->use.hits,
                                   .loads = entry->loads,
                                   .failures = entry->failures,
                                   .load_seconds = entry->load_seconds,
                                   .age_seconds = since(entry->loaded, now),
                                   .idle_seconds = since(out->use.last, now),
                                   .holders = references - 1};
    out->model.stale = is_stale(cache, entry, &message);
    if (message) /* without memory for it there is none */
        out->message = copy_text(&cache->account, message);
    out->model.error_message = out->message ? out->message : "";
}

/* Insertion: the list is short, and nearly in order. */
static void sort(listed *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        listed moved = list[i];
        size_t k = i;
        for (; k > 0 && ftl_cache_used_before(&list[k - 1].use, &moved.use); k--)
            list[k] = list[k - 1];
        list[k] = moved;
    }
}

ftl_status ftl_cache_each(ftl_cache *cache, ftl_cache_model_fn fn, void *user, ftl_error *error)
{
    size_t n = 0;
    if (!cache || !fn)
        return FTL_FAIL(error, FTL_ARG, "ftl_cache_each needs a cache and a function");
    ftl_cache_lock(cache);
    listed *list = ftl_alloc_zero(&cache->account, cache->n_entries, sizeof *list);
    for (ftl_cache_entry *e = cache->entries; e && list; e = e->next)
        list_entry(cache, e, &list[n++]);
    ftl_cache_unlock(cache);
    if (!list)
        return FTL_OOM(error);
    sort(list, n);
    bool go_on = true;
    for (size_t i = 0; i < n && go_on; i++)
        go_on = fn(user, &list[i].model);
    ftl_cache_lock(cache);
    for (size_t i = 0; i < n; i++) {
        ftl_cache_unpin(cache, list[i].entry);
        ftl_free(&cache->account, list[i].message);
    }
    ftl_cache_unlock(cache);
    ftl_free(&cache->account, list);
    return FTL_OK;
}
