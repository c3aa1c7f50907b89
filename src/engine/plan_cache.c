#include "engine/plan_cache.h"

#include "base/options.h"
#include "engine/session.h"

#include <pthread.h>

typedef struct entry {
    ftl_plan_options wanted;
    ftl_plan *plan; /* NULL: being made */
    struct entry *next;
} entry;

struct ftl_plan_cache {
    pthread_mutex_t lock; /* guards the list; holders of a plan grow from 0 only under it */
    pthread_cond_t made;
    entry *entries;
};

ftl_status ftl_plan_cache_create(ftl_model *model, ftl_error *error)
{
    ftl_plan_cache *cache = ftl_alloc_zero(&model->account, 1, sizeof *cache);
    if (!cache)
        return FTL_OOM(error);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->made, NULL);
    model->plans = cache;
    return FTL_OK;
}

static void free_plan(ftl_plan *plan)
{
    ftl_session_pool_destroy(plan, plan->pool);
    ftl_plan_destroy(plan);
}

static void free_entry(ftl_model *model, entry *e)
{
    free_plan(e->plan);
    ftl_free(&model->account, e);
}

void ftl_plan_cache_destroy(ftl_model *model)
{
    ftl_plan_cache *cache = model->plans;
    if (!cache)
        return;
    for (entry *e = cache->entries, *next; e; e = next) {
        next = e->next;
        free_entry(model, e);
    }
    pthread_cond_destroy(&cache->made);
    pthread_mutex_destroy(&cache->lock);
    ftl_free(&model->account, cache);
    model->plans = NULL;
}

/* ---- Trimming -------------------------------------------------------------------------------- */

/* Under the lock. */
static void trim(ftl_model *model)
{
    entry **place = &model->plans->entries;
    while (*place) {
        entry *e = *place;
        if (e->plan && !model->only_plan &&
            atomic_load_explicit(&e->plan->holders, memory_order_acquire) == 0) {
            *place = e->next;
            free_entry(model, e);
            continue;
        }
        if (e->plan)
            ftl_session_pool_trim(e->plan->pool);
        place = &e->next;
    }
}

bool ftl_plan_cache_try_trim(ftl_model *model)
{
    if (!model->plans || pthread_mutex_trylock(&model->plans->lock) != 0)
        return false;
    trim(model);
    pthread_mutex_unlock(&model->plans->lock);
    return true;
}

void ftl_model_trim(ftl_model *model)
{
    if (!model)
        return;
    pthread_mutex_lock(&model->plans->lock);
    trim(model);
    pthread_mutex_unlock(&model->plans->lock);
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* A plan for more methods does as well. */
static bool serves(const entry *e, const ftl_plan_options *wanted)
{
    return e->wanted.input_dtype == wanted->input_dtype &&
           e->wanted.block_rows == wanted->block_rows &&
           (e->wanted.methods & wanted->methods) == wanted->methods;
}

/* Every wanted method must exist; 0 means all there are. */
static ftl_status choose_methods(const ftl_model *model, uint32_t *methods, ftl_error *error)
{
    uint32_t all = 0;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (model->graph.methods[m].count)
            all |= 1u << m;
        else if (*methods & 1u << m)
            FTL_TRY(ftl_model_method_status(model, (ftl_method)m, error));
    }
    if (*methods >> FTL_METHOD_COUNT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "methods",
                               "options.methods has bits that stand for no method");
    *methods = *methods ? *methods : all;
    return FTL_OK;
}

static ftl_status read_options(const ftl_model *model, const ftl_plan_options *in,
                               ftl_plan_options *out, ftl_error *error)
{
    FTL_TRY(ftl_options_read(out, sizeof *out, in, "ftl_plan_options", error));
    if (out->input_dtype != FTL_F64 && out->input_dtype != FTL_F32)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "input_dtype",
                               "options.input_dtype is F64 or F32");
    return choose_methods(model, &out->methods, error);
}

static ftl_status make(ftl_model *model, const ftl_plan_options *wanted, bool owns_all,
                       ftl_plan **out, ftl_error *error)
{
    const ftl_compile_options options = {.input_dtype = wanted->input_dtype,
                                         .methods = wanted->methods,
                                         .block_rows = wanted->block_rows,
                                         .owns_all = owns_all};
    ftl_plan *plan = NULL;
    FTL_TRY(ftl_plan_compile(model, &options, &plan, error));
    ftl_status status = ftl_session_pool_create(plan, &plan->pool, error);
    if (status != FTL_OK) {
        free_plan(plan);
        return status;
    }
    *out = plan;
    return FTL_OK;
}

/*
 * A new entry whose plan the caller makes, without the lock; or, under the lock, NULL and *found,
 * held, after waiting for others to make it. END: neither, and the caller may not wait.
 */
static ftl_status find_or_begin(ftl_model *model, const ftl_plan_options *wanted, ftl_plan **found,
                                entry **begun, ftl_error *error)
{
    ftl_plan_cache *cache = model->plans;
    entry *e = cache->entries;
    while (e) {
        if (!serves(e, wanted)) {
            e = e->next;
        } else if (e->plan) {
            (void)ftl_plan_retain(e->plan);
            *found = e->plan;
            return FTL_OK;
        } else if (wanted->no_wait) {
            return FTL_END;
        } else {
            pthread_cond_wait(&cache->made, &cache->lock);
            e = cache->entries; /* the list may be another now */
        }
    }
    if (model->only_plan)
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "only_plan",
            "the model was opened for the plan of options.only_plan alone, which "
            "is another");
    if (wanted->no_wait)
        return FTL_END;
    e = ftl_alloc_zero(&model->account, 1, sizeof *e);
    if (!e)
        return FTL_OOM(error);
    *e = (entry){.wanted = *wanted, .next = cache->entries};
    cache->entries = e;
    *begun = e;
    return FTL_OK;
}

ftl_status ftl_plan_cache_make_only(ftl_model *model, const ftl_plan_options *options,
                                    ftl_error *error)
{
    entry *e = ftl_alloc_zero(&model->account, 1, sizeof *e);
    if (!e)
        return FTL_OOM(error);
    ftl_status status = read_options(model, options, &e->wanted, error);
    if (status == FTL_OK)
        status = make(model, &e->wanted, true, &e->plan, error);
    if (status != FTL_OK) {
        ftl_free(&model->account, e);
        return status;
    }
    pthread_mutex_lock(&model->plans->lock); /* another thread may be looking for what to spare */
    model->only_plan = true;
    model->plans->entries = e;
    pthread_mutex_unlock(&model->plans->lock);
    return FTL_OK;
}

static void drop(ftl_model *model, entry *gone)
{
    entry **place = &model->plans->entries;
    while (*place != gone)
        place = &(*place)->next;
    *place = gone->next;
    ftl_free(&model->account, gone);
}

ftl_status ftl_model_plan(ftl_model *model, const ftl_plan_options *options, ftl_plan **out,
                          ftl_error *error)
{
    ftl_plan_options wanted;
    if (!model || !out)
        return FTL_FAIL(error, FTL_ARG, "ftl_model_plan needs a model and a place for the plan");
    FTL_TRY(read_options(model, options, &wanted, error));
    ftl_plan_cache *cache = model->plans;
    ftl_plan *plan = NULL;
    entry *begun = NULL;
    pthread_mutex_lock(&cache->lock);
    ftl_status status = find_or_begin(model, &wanted, &plan, &begun, error);
    if (begun) {
        pthread_mutex_unlock(&cache->lock);
        status = make(model, &wanted, false, &plan, error);
        pthread_mutex_lock(&cache->lock);
        if (status == FTL_OK) {
            begun->plan = plan;
            (void)ftl_plan_retain(plan);
        } else {
            drop(model, begun);
        }
        pthread_cond_broadcast(&cache->made);
    }
    pthread_mutex_unlock(&cache->lock);
    if (status == FTL_OK)
        *out = plan;
    return status;
}

ftl_status ftl_plan_get_info(const ftl_plan *plan, ftl_plan_info *out)
{
    if (!plan || !out)
        return FTL_ARG;
    FTL_TRY(ftl_out_check(out, "ftl_plan_info", NULL));
    const ftl_plan_info info = {.input_dtype = plan->input_dtype,
                                .methods = plan->methods,
                                .block_rows = plan->block_rows,
                                .idle_sessions = ftl_session_pool_idle(plan->pool),
                                .bytes = ftl_account_used(&plan->account),
                                .session_bytes = ftl_account_used(&plan->session_account)};
    ftl_out_write(out, &info, sizeof info);
    return FTL_OK;
}
