#include "engine/cache_table.h"

#include <string.h>
#include <time.h>

#ifndef CLOCK_MONOTONIC_COARSE
#define CLOCK_MONOTONIC_COARSE CLOCK_MONOTONIC
#endif

int64_t ftl_cache_clock(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 1;
}

/* ---- Locks ------------------------------------------------------------------------------------ */

void ftl_cache_lock(ftl_cache *cache) { pthread_mutex_lock(&cache->lock); }

void ftl_cache_unlock(ftl_cache *cache)
{
    ftl_cache_entry *garbage = cache->garbage;
    cache->garbage = NULL;
    pthread_mutex_unlock(&cache->lock);
    while (garbage) {
        ftl_cache_entry *next = garbage->next;
        ftl_cache_free_entry(cache, garbage);
        garbage = next;
    }
}

static void lock_stripes(ftl_cache *cache)
{
    for (int i = 0; i < FTL_CACHE_STRIPES; i++)
        pthread_mutex_lock(&cache->stripes[i].lock);
}

static void unlock_stripes(ftl_cache *cache)
{
    for (int i = FTL_CACHE_STRIPES; i-- > 0;)
        pthread_mutex_unlock(&cache->stripes[i].lock);
}

static unsigned own_stripe(void)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine; /* + 1; 0: not chosen yet */
    if (FTL_UNLIKELY(mine == 0))
        mine = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % FTL_CACHE_STRIPES + 1;
    return mine - 1;
}

/* ---- Hits ------------------------------------------------------------------------------------- */

ftl_cache_name *ftl_cache_find(const ftl_cache *cache, const ftl_cache_request *request)
{
    size_t mask = cache->n_slots - 1;
    for (size_t i = request->hash & mask; cache->slots[i]; i = (i + 1) & mask) {
        if (ftl_cache_request_equal(cache->slots[i]->request, request))
            return cache->slots[i];
    }
    return NULL;
}

/* With the stripe's lock. */
static ftl_model *use(ftl_cache *cache, unsigned s, const ftl_cache_entry *entry, int64_t now,
                      bool hit)
{
    ftl_cache_stripe *stripe = &cache->stripes[s];
    ftl_cache_use *mine = &entry->use[s];
    mine->last = now;
    mine->order = ++stripe->order;
    mine->hits += hit;
    stripe->hits += hit;
    return ftl_model_retain(entry->model);
}

ftl_model *ftl_cache_hit(ftl_cache *cache, const ftl_cache_request *request, bool *stale)
{
    unsigned s = own_stripe();
    ftl_model *model = NULL;
    int64_t now = ftl_cache_clock();
    pthread_mutex_lock(&cache->stripes[s].lock);
    ftl_cache_name *name = ftl_cache_find(cache, request);
    if (FTL_LIKELY(name && now < atomic_load_explicit(&name->check_at, memory_order_relaxed))) {
        model = use(cache, s, name->entry, now, true);
        *stale = name->stale;
        cache->stripes[s].stale += name->stale;
    }
    pthread_mutex_unlock(&cache->stripes[s].lock);
    return model;
}

/* One in an interval is told. */
static bool tell_due(const ftl_cache *cache, ftl_cache_name *name, int64_t now)
{
    int64_t due_at = atomic_load_explicit(&name->due_at, memory_order_relaxed);
    return now >= atomic_load_explicit(&name->check_at, memory_order_relaxed) && now >= due_at &&
           atomic_compare_exchange_strong_explicit(&name->due_at, &due_at, now + cache->interval,
                                                   memory_order_relaxed, memory_order_relaxed);
}

ftl_model *ftl_cache_hit_at_once(ftl_cache *cache, const ftl_cache_request *request, bool *stale,
                                 bool *due)
{
    unsigned s = own_stripe();
    ftl_model *model = NULL;
    int64_t now = ftl_cache_clock();
    pthread_mutex_lock(&cache->stripes[s].lock);
    ftl_cache_name *name = ftl_cache_find(cache, request);
    if (name) {
        model = use(cache, s, name->entry, now, true);
        *stale = name->stale;
        *due = tell_due(cache, name, now);
        cache->stripes[s].stale += name->stale;
    }
    pthread_mutex_unlock(&cache->stripes[s].lock);
    return model;
}

ftl_model *ftl_cache_take(ftl_cache *cache, const ftl_cache_entry *entry, bool hit, bool stale)
{
    unsigned s = own_stripe();
    pthread_mutex_lock(&cache->stripes[s].lock);
    ftl_model *model = use(cache, s, entry, ftl_cache_clock(), hit);
    cache->stripes[s].stale += stale;
    pthread_mutex_unlock(&cache->stripes[s].lock);
    return model;
}

ftl_cache_use ftl_cache_used(ftl_cache *cache, const ftl_cache_entry *entry)
{
    ftl_cache_use all = {0};
    for (int i = 0; i < FTL_CACHE_STRIPES; i++) {
        pthread_mutex_lock(&cache->stripes[i].lock);
        const ftl_cache_use one = entry->use[i];
        pthread_mutex_unlock(&cache->stripes[i].lock);
        all.hits += one.hits;
        if (ftl_cache_used_before(&all, &one)) {
            all.last = one.last;
            all.order = one.order;
        }
    }
    return all;
}

bool ftl_cache_used_before(const ftl_cache_use *a, const ftl_cache_use *b)
{
    return a->last < b->last || (a->last == b->last && a->order < b->order);
}

void ftl_cache_count_hits(ftl_cache *cache, uint64_t *hits, uint64_t *stale)
{
    *hits = *stale = 0;
    for (int i = 0; i < FTL_CACHE_STRIPES; i++) {
        pthread_mutex_lock(&cache->stripes[i].lock);
        *hits += cache->stripes[i].hits;
        *stale += cache->stripes[i].stale;
        pthread_mutex_unlock(&cache->stripes[i].lock);
    }
}

/* ---- Entries ---------------------------------------------------------------------------------- */

void ftl_cache_free_entry(ftl_cache *cache, ftl_cache_entry *entry)
{
    if (!entry)
        return;
    ftl_model_release(entry->model);
    ftl_arena_free(&entry->arena);
    ftl_free(&cache->account, entry->asked);
    ftl_free(&cache->account, entry->use);
    ftl_free(&cache->account, entry);
}

void ftl_cache_insert(ftl_cache *cache, ftl_cache_entry *entry)
{
    entry->next = cache->entries;
    cache->entries = entry;
    cache->n_entries++;
}

static void to_garbage(ftl_cache *cache, ftl_cache_entry *entry)
{
    entry->next = cache->garbage;
    cache->garbage = entry;
}

void ftl_cache_unpin(ftl_cache *cache, ftl_cache_entry *entry)
{
    if (entry && --entry->pins == 0 && entry->removed)
        to_garbage(cache, entry);
}

ftl_cache_entry *ftl_cache_find_entry(const ftl_cache *cache, const ftl_cache_request *asked,
                                      const ftl_file_mark *mark)
{
    for (ftl_cache_entry *e = cache->entries; e; e = e->next) {
        if (!e->outdated && ftl_file_mark_equal(&e->mark, mark) &&
            ftl_cache_options_equal(e->asked, asked) &&
            (!e->files || strcmp(e->asked->path, asked->path) == 0))
            return e;
    }
    return NULL;
}

static void unlist(ftl_cache *cache, ftl_cache_entry *entry)
{
    ftl_cache_entry **place = &cache->entries;
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    cache->n_entries--;
    entry->removed = true;
    if (entry->pins == 0)
        to_garbage(cache, entry);
}

/* ---- Names ------------------------------------------------------------------------------------ */

static void put(ftl_cache_name **slots, size_t n_slots, ftl_cache_name *name)
{
    size_t i = name->request->hash & (n_slots - 1);
    while (slots[i])
        i = (i + 1) & (n_slots - 1);
    slots[i] = name;
}

/* Names behind the gap move into it, so that looking for them does not end there. */
static void drop_name(ftl_cache *cache, size_t slot)
{
    ftl_cache_name *name = cache->slots[slot];
    size_t mask = cache->n_slots - 1;
    cache->slots[slot] = NULL;
    for (size_t i = (slot + 1) & mask; cache->slots[i]; i = (i + 1) & mask) {
        ftl_cache_name *moved = cache->slots[i];
        cache->slots[i] = NULL;
        put(cache->slots, cache->n_slots, moved);
    }
    cache->n_names--;
    name->entry->n_names--;
    ftl_free(&cache->account, name->request);
    ftl_free(&cache->account, name->message);
    ftl_free(&cache->account, name);
}

static size_t slot_of(const ftl_cache *cache, const ftl_cache_name *name)
{
    size_t i = name->request->hash & (cache->n_slots - 1);
    while (cache->slots[i] != name)
        i = (i + 1) & (cache->n_slots - 1);
    return i;
}

/* With all stripes. */
static void drop_names_of(ftl_cache *cache, const ftl_cache_entry *entry)
{
    for (size_t i = 0; i < cache->n_slots && entry->n_names;) {
        if (cache->slots[i] && cache->slots[i]->entry == entry)
            drop_name(cache, i); /* what moves comes here or behind */
        else
            i++;
    }
}

void ftl_cache_remove(ftl_cache *cache, ftl_cache_entry *entry)
{
    lock_stripes(cache);
    drop_names_of(cache, entry);
    unlock_stripes(cache);
    unlist(cache, entry);
}

/* One more name has room. */
static ftl_status make_room(ftl_cache *cache, ftl_error *error)
{
    if (cache->n_slots && (cache->n_names + 1) * 2 <= cache->n_slots)
        return FTL_OK;
    size_t n_slots = cache->n_slots * 2;
    ftl_cache_name **slots = ftl_alloc_zero(&cache->account, n_slots, sizeof(ftl_cache_name *));
    if (!slots)
        return FTL_OOM(error);
    for (size_t i = 0; i < cache->n_slots; i++) {
        if (cache->slots[i])
            put(slots, n_slots, cache->slots[i]);
    }
    ftl_cache_name **old = cache->slots;
    lock_stripes(cache);
    cache->slots = slots;
    cache->n_slots = n_slots;
    unlock_stripes(cache);
    ftl_free(&cache->account, old);
    return FTL_OK;
}

static ftl_status new_name(ftl_cache *cache, const ftl_cache_request *request, ftl_cache_name **out,
                           ftl_error *error)
{
    FTL_TRY(make_room(cache, error));
    ftl_cache_name *name = ftl_alloc_zero(&cache->account, 1, sizeof *name);
    if (!name)
        return FTL_OOM(error);
    name->request = ftl_cache_request_copy(&cache->account, request);
    if (!name->request) {
        ftl_free(&cache->account, name);
        return FTL_OOM(error);
    }
    *out = name;
    return FTL_OK;
}

/* The name of the entry that was looked at least lately. */
static size_t oldest_name(const ftl_cache *cache, const ftl_cache_entry *entry)
{
    size_t oldest = SIZE_MAX;
    int64_t when = INT64_MAX;
    for (size_t i = 0; i < cache->n_slots; i++) {
        const ftl_cache_name *name = cache->slots[i];
        if (name && name->entry == entry && name->check_at < when) {
            when = name->check_at;
            oldest = i;
        }
    }
    return oldest;
}

void ftl_cache_set_stale(ftl_cache *cache, ftl_cache_name *name, bool stale)
{
    if (name->stale == stale)
        return;
    lock_stripes(cache);
    name->stale = stale;
    unlock_stripes(cache);
}

/* A name that is there leads elsewhere: the entry that it led to may have no other. */
static void move_name(ftl_cache *cache, ftl_cache_name *name, ftl_cache_entry *entry)
{
    ftl_cache_entry *old = name->entry;
    lock_stripes(cache);
    name->entry = entry;
    name->stale = false;
    unlock_stripes(cache);
    name->failed_state = 0;
    if (entry->files) /* was not looked at for this request */
        name->check_at = 0;
    entry->n_names++;
    if (--old->n_names > 0)
        return;
    uint64_t hits = ftl_cache_used(cache, old).hits;
    lock_stripes(cache);
    entry->use[0].hits += hits;
    unlock_stripes(cache);
    entry->loads += old->loads;
    entry->failures += old->failures;
    cache->counts.invalidations++;
    unlist(cache, old);
}

ftl_status ftl_cache_set_name(ftl_cache *cache, const ftl_cache_request *request,
                              ftl_cache_entry *entry, ftl_error *error)
{
    ftl_cache_name *name = ftl_cache_find(cache, request);
    if (name && name->entry == entry)
        return FTL_OK;
    bool full = entry->n_names >= FTL_CACHE_NAMES;
    if (!name) {
        FTL_TRY(new_name(cache, request, &name, error));
        name->entry = entry;
        if (!entry->files) /* which were not looked at for this request */
            name->check_at = ftl_cache_clock() + cache->interval;
        lock_stripes(cache);
        if (full)
            drop_name(cache, oldest_name(cache, entry));
        put(cache->slots, cache->n_slots, name);
        unlock_stripes(cache);
        cache->n_names++;
        entry->n_names++;
        return FTL_OK;
    }
    if (full) {
        lock_stripes(cache);
        drop_name(cache, oldest_name(cache, entry));
        unlock_stripes(cache);
    }
    move_name(cache, name, entry);
    return FTL_OK;
}

void ftl_cache_forget(ftl_cache *cache, const ftl_cache_request *request)
{
    ftl_cache_name *name = ftl_cache_find(cache, request);
    if (!name)
        return;
    ftl_cache_entry *entry = name->entry;
    lock_stripes(cache);
    drop_name(cache, slot_of(cache, name));
    unlock_stripes(cache);
    if (entry->n_names == 0) {
        cache->counts.invalidations++;
        unlist(cache, entry);
    }
}

/* ---- What is too much ------------------------------------------------------------------------- */

uint64_t ftl_cache_entry_bytes(const ftl_cache_entry *entry)
{
    return ftl_account_used(&entry->model->account) + sizeof *entry->model;
}

static uint64_t bytes_of_all(const ftl_cache *cache)
{
    uint64_t bytes = 0;
    for (const ftl_cache_entry *e = cache->entries; e; e = e->next)
        bytes += ftl_cache_entry_bytes(e);
    return bytes;
}

/* idle: nobody else has the model. NULL: none. */
static ftl_cache_entry *least_used(ftl_cache *cache, const ftl_cache_entry *keep, bool idle)
{
    ftl_cache_entry *least = NULL;
    ftl_cache_use when = {0};
    for (ftl_cache_entry *e = cache->entries; e; e = e->next) {
        if (e == keep || (idle && atomic_load(&e->model->references) > 1))
            continue;
        const ftl_cache_use used = ftl_cache_used(cache, e);
        if (!least || ftl_cache_used_before(&used, &when)) {
            least = e;
            when = used;
        }
    }
    return least;
}

static void evict(ftl_cache *cache, ftl_cache_entry *entry)
{
    ftl_cache_remove(cache, entry);
    cache->counts.evictions++;
}

static bool too_large(const ftl_cache *cache)
{
    return cache->max_bytes && bytes_of_all(cache) > cache->max_bytes;
}

void ftl_cache_fit(ftl_cache *cache, ftl_cache_entry *keep)
{
    while (cache->n_entries > cache->cache_size || too_large(cache)) {
        ftl_cache_entry *least = least_used(cache, keep, false);
        if (!least) { /* keep alone: what can be made again goes first */
            ftl_model_trim(keep->model);
            if (!too_large(cache))
                return;
            least = keep;
        }
        evict(cache, least);
    }
}

uint32_t ftl_cache_spare(ftl_cache *cache, uint32_t n)
{
    uint32_t spared = 0;
    ftl_cache_entry *least;
    while (spared < n && (least = least_used(cache, NULL, true))) {
        evict(cache, least);
        spared++;
    }
    return spared;
}
