#include "engine/cache_get.h"

#include "engine/cache_open.h"

#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One request on its way. */
typedef struct search {
    ftl_cache *cache;
    const ftl_cache_request *request;
    ftl_cache_target target;
    ftl_cache_entry *old; /* where its name led, pinned; NULL: there is none */
    uint64_t state;       /* of the files of old */
    bool hit, stale;
    ftl_model *model; /* what was found */
} search;

static void found(search *s, const ftl_cache_entry *entry, bool stale)
{
    s->model = ftl_cache_take(s->cache, entry, true, stale);
    s->hit = true;
    s->stale = stale;
}

/* ---- Loads ------------------------------------------------------------------------------------ */

/* Models that nobody uses are given up for one that does not fit, more each time. */
static ftl_status open_or_spare(search *s, ftl_cache_entry **out, ftl_error *error)
{
    ftl_status status;
    for (uint32_t n = 1;; n *= 2) {
        status = ftl_cache_open(s->cache, &s->target.asked, &s->target.mark, out, error);
        if (status != FTL_NOMEM)
            return status;
        ftl_cache_lock(s->cache);
        uint32_t spared = ftl_cache_spare(s->cache, n);
        ftl_cache_unlock(s->cache);
        if (spared == 0)
            return status;
    }
}

static ftl_cache_flight *find_flight(const search *s)
{
    ftl_cache_flight *flight = s->cache->flights;
    while (flight && !(ftl_file_mark_equal(&flight->mark, &s->target.mark) &&
                       ftl_cache_options_equal(flight->asked, &s->target.asked)))
        flight = flight->next;
    return flight;
}

static void unlink_flight(ftl_cache *cache, const ftl_cache_flight *flight)
{
    ftl_cache_flight **place = &cache->flights;
    while (*place != flight)
        place = &(*place)->next;
    *place = flight->next;
}

/* The name's files could not be opened in this state; the entry of before is what there is. */
static void note_failure(search *s, ftl_status status, const ftl_error *error)
{
    ftl_cache_name *name = ftl_cache_find(s->cache, s->request);
    s->old->failures++;
    if (!name || name->entry != s->old)
        return;
    name->failed_state = s->state;
    name->failed_status = status;
    ftl_free(&s->cache->account, name->message);
    size_t size = strlen(error->message) + 1;
    name->message = ftl_alloc(&s->cache->account, size);
    if (name->message)
        memcpy(name->message, error->message, size);
}

/* The name led elsewhere already while this request was at work. */
static bool was_overtaken(const search *s)
{
    const ftl_cache_name *name = ftl_cache_find(s->cache, s->request);
    return name && name->entry != s->old;
}

/*
 * The model that was opened comes into the table, unless its file has changed meanwhile and another
 * request has opened what it became.
 */
static ftl_status keep_entry(search *s, ftl_cache_entry *entry, ftl_error *error)
{
    ftl_cache *cache = s->cache;
    bool late = entry->young && was_overtaken(s);
    ftl_cache_insert(cache, entry);
    ftl_status status = late ? FTL_OK : ftl_cache_set_name(cache, s->request, entry, error);
    if (status == FTL_OK)
        s->model = ftl_cache_take(cache, entry, false, false);
    if (entry->n_names == 0)
        ftl_cache_remove(cache, entry);
    else
        ftl_cache_fit(cache, entry);
    return status;
}

/* Under the lock, with what became of it. */
static void land(search *s, ftl_cache_flight *flight, ftl_cache_entry *entry, double took)
{
    ftl_cache *cache = s->cache;
    unlink_flight(cache, flight);
    cache->counts.loads++;
    cache->counts.load_seconds += took;
    if (flight->status == FTL_OK) {
        entry->load_seconds = took;
        flight->side_files = entry->files != NULL;
        flight->status = keep_entry(s, entry, &flight->error);
    }
    if (flight->status != FTL_OK) {
        cache->counts.failures++;
        if (s->old)
            note_failure(s, flight->status, &flight->error);
    }
    flight->landed = true;
    if (flight->waiters && s->model)
        flight->model = ftl_model_retain(s->model);
    pthread_cond_broadcast(&cache->landed);
}

/* The lock is taken, and given back meanwhile. */
static ftl_status fly(search *s, ftl_error *error)
{
    ftl_cache *cache = s->cache;
    ftl_cache_entry *entry = NULL;
    ftl_cache_flight *flight = ftl_alloc_zero(&cache->account, 1, sizeof *flight);
    if (!flight)
        return FTL_OOM(error);
    flight->asked = &s->target.asked;
    flight->mark = s->target.mark;
    flight->next = cache->flights;
    cache->flights = flight;
    ftl_cache_unlock(cache);
    double begun = seconds();
    flight->status = open_or_spare(s, &entry, &flight->error);
    double took = seconds() - begun;
    ftl_cache_lock(cache);
    land(s, flight, entry, took);
    ftl_status status = flight->status;
    if (error && status != FTL_OK)
        *error = flight->error;
    if (flight->waiters == 0)
        ftl_free(&cache->account, flight);
    return status;
}

/*
 * Waits for another one's load; *again: what came of it is not for this request. The lock is taken,
 * and given back meanwhile.
 */
static ftl_status join(search *s, ftl_cache_flight *flight, bool *again, ftl_error *error)
{
    ftl_cache *cache = s->cache;
    bool same_path = strcmp(flight->asked->path, s->target.asked.path) == 0;
    flight->waiters++;
    cache->counts.waits++;
    while (!flight->landed)
        pthread_cond_wait(&cache->landed, &cache->lock);
    ftl_status status = flight->status;
    *again = !same_path && (status != FTL_OK || flight->side_files);
    if (!*again && status == FTL_OK)
        s->model = ftl_model_retain(flight->model);
    if (!*again && status != FTL_OK && error)
        *error = flight->error;
    if (--flight->waiters == 0) {
        ftl_model_release(flight->model);
        ftl_free(&cache->account, flight);
    }
    ftl_cache_entry *entry = ftl_cache_find_entry(cache, &s->target.asked, &s->target.mark);
    if (s->model && entry && !was_overtaken(s)) /* the next time it is a hit */
        status = ftl_cache_set_name(cache, s->request, entry, error);
    return status;
}

/* ---- Requests --------------------------------------------------------------------------------- */

/* What may be over without any change of the files. */
static bool may_pass(ftl_status status) { return status == FTL_NOMEM || status == FTL_IO; }

/* The entry that the name leads to, if that needs no look; else s->old, to be looked at. */
static void begin(search *s)
{
    ftl_cache_name *name = ftl_cache_find(s->cache, s->request);
    if (!name)
        return;
    int64_t now = ftl_cache_clock();
    if (now < name->check_at) { /* another request looks, or has looked */
        found(s, name->entry, name->stale);
        return;
    }
    name->check_at = now + s->cache->interval;
    s->old = name->entry;
    s->old->pins++;
}

/* The files of old are no longer what they were; true when it is given out all the same. */
static bool keep_old(search *s)
{
    ftl_cache_name *name = ftl_cache_find(s->cache, s->request);
    if (ftl_file_mark_equal(&s->target.mark, &s->old->mark))
        s->old->outdated = true; /* another file has changed */
    if (!name || name->entry != s->old)
        return false;
    ftl_cache_set_stale(s->cache, name, true);
    bool failed = name->failed_state == s->state && !may_pass(name->failed_status);
    return failed || (s->cache->interval && find_flight(s));
}

static void keep_fresh(search *s)
{
    ftl_cache_name *name = ftl_cache_find(s->cache, s->request);
    if (name && name->entry == s->old)
        ftl_cache_set_stale(s->cache, name, false);
    found(s, s->old, false);
    if (!s->old->removed)
        ftl_cache_fit(s->cache, s->old);
}

/* With the lock, after the look at the files. *again: the search begins anew. */
static ftl_status finish(search *s, bool changed, bool *again, ftl_error *error)
{
    ftl_cache *cache = s->cache;
    if (s->old && !changed) {
        keep_fresh(s);
        return FTL_OK;
    }
    if (s->old && keep_old(s)) {
        found(s, s->old, true);
        return FTL_OK;
    }
    ftl_cache_entry *entry = ftl_cache_find_entry(cache, &s->target.asked, &s->target.mark);
    if (entry) {
        FTL_TRY(ftl_cache_set_name(cache, s->request, entry, error));
        found(s, entry, false);
        return FTL_OK;
    }
    ftl_cache_flight *flight = find_flight(s);
    ftl_status status = flight ? join(s, flight, again, error) : fly(s, error);
    if (status != FTL_OK && s->old && !*again && !s->model) {
        found(s, s->old, true);
        return FTL_OK;
    }
    return status;
}

/* There is no file that stays: opening it says why, or it is a pipe. */
static ftl_status without_file(search *s, ftl_error *error)
{
    ftl_cache_forget(s->cache, s->request);
    ftl_cache_unpin(s->cache, s->old);
    s->old = NULL;
    if (!s->target.mark.error)
        s->cache->counts.private_loads++;
    ftl_cache_unlock(s->cache);
    const ftl_model_options options = ftl_cache_request_options(s->request);
    double begun = seconds();
    ftl_status status = ftl_model_open(s->cache->context, s->request->path, &options, &s->model,
                                       error);
    ftl_cache_lock(s->cache);
    s->cache->counts.loads++;
    s->cache->counts.failures += status != FTL_OK;
    s->cache->counts.load_seconds += seconds() - begun;
    return status;
}

static ftl_status look(search *s, bool *again, ftl_error *error)
{
    bool changed = true;
    *again = false;
    ftl_cache_lock(s->cache);
    begin(s);
    if (s->model) {
        ftl_cache_unlock(s->cache);
        return FTL_OK;
    }
    ftl_cache_unlock(s->cache);
    ftl_cache_resolve(s->request, &s->target);
    const ftl_file_mark *mark = &s->target.mark;
    if (s->old)
        changed = ftl_cache_changed(s->old, mark, &s->state);
    bool none = ftl_file_mark_gone(mark) || (!mark->error && !mark->regular) ||
                (mark->error && !s->old);
    ftl_cache_lock(s->cache);
    ftl_status status = none ? without_file(s, error) : finish(s, changed, again, error);
    ftl_cache_unpin(s->cache, s->old);
    s->old = NULL;
    s->cache->counts.misses += !s->hit && !*again;
    ftl_cache_unlock(s->cache);
    return status;
}

ftl_status ftl_cache_get_slowly(ftl_cache *cache, const ftl_cache_request *request,
                                ftl_cache_answer *answer, ftl_model **out, ftl_error *error)
{
    search s;
    s.cache = cache;
    s.request = request;
    s.old = NULL;
    s.hit = s.stale = false;
    s.model = NULL;
    double begun = seconds();
    ftl_status status;
    bool again;
    do {
        status = look(&s, &again, error);
    } while (again);
    if (status != FTL_OK) {
        ftl_model_release(s.model); /* opened, but there was no memory to keep it */
        return status;
    }
    answer->hit = s.hit;
    answer->stale = s.stale;
    answer->load_seconds = s.hit ? 0 : seconds() - begun;
    *out = s.model;
    return FTL_OK;
}

ftl_status ftl_cache_get_alone(ftl_cache *cache, const ftl_cache_request *request,
                               ftl_cache_answer *answer, ftl_model **out, ftl_error *error)
{
    const ftl_model_options options = ftl_cache_request_options(request);
    double begun = seconds();
    ftl_status status = ftl_model_open(cache->context, request->path, &options, out, error);
    double took = seconds() - begun;
    ftl_cache_lock(cache);
    cache->counts.private_loads++;
    cache->counts.loads++;
    cache->counts.load_seconds += took;
    cache->counts.failures += status != FTL_OK;
    ftl_cache_unlock(cache);
    *answer = (ftl_cache_answer){.load_seconds = took};
    return status;
}
