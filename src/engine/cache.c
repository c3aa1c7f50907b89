/* The public face of the cache: making one, asking it, removing models. */
#include "base/options.h"
#include "engine/cache_get.h"
#include "engine/context.h"

#include <string.h>

enum { DEFAULT_SIZE = 15, DEFAULT_CHECK_MS = 1000, FIRST_SLOTS = 64 };

/* ---- Life ------------------------------------------------------------------------------------- */

/* ftl_spare: inside of an allocation, by a thread that may have the lock. */
static bool spare_model(void *user)
{
    ftl_cache *cache = user;
    if (pthread_mutex_trylock(&cache->lock) != 0)
        return false;
    uint32_t spared = ftl_cache_spare(cache, 1);
    ftl_cache_unlock(cache);
    return spared > 0;
}

static ftl_status init(ftl_cache *cache, const ftl_cache_options *options, ftl_error *error)
{
    cache->slots = ftl_alloc_zero(&cache->account, FIRST_SLOTS, sizeof(ftl_cache_name *));
    cache->stripes = ftl_alloc_zero(&cache->account, FTL_CACHE_STRIPES, sizeof *cache->stripes);
    if (!cache->slots || !cache->stripes) {
        ftl_free(&cache->account, cache->slots);
        ftl_free(&cache->account, cache->stripes);
        return FTL_OOM(error);
    }
    cache->n_slots = FIRST_SLOTS;
    cache->cache_size = options->cache_size ? options->cache_size : DEFAULT_SIZE;
    cache->max_bytes = options->max_bytes;
    uint32_t check_ms = options->check_interval_ms ? options->check_interval_ms : DEFAULT_CHECK_MS;
    cache->interval = options->check_always ? 0 : (int64_t)check_ms * 1000000;
    for (int i = 0; i < FTL_CACHE_STRIPES; i++)
        pthread_mutex_init(&cache->stripes[i].lock, NULL);
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->landed, NULL);
    return FTL_OK;
}

ftl_status ftl_cache_create(ftl_context *context, const ftl_cache_options *options, ftl_cache **out,
                            ftl_error *error)
{
    ftl_cache_options chosen;
    if (!context || !out)
        return FTL_FAIL(error, FTL_ARG, "ftl_cache_create needs a context and a place");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_cache_options", error));
    ftl_cache *cache = ftl_alloc_zero(&context->account, 1, sizeof *cache);
    if (!cache)
        return FTL_OOM(error);
    cache->context = context;
    ftl_account_init_child(&cache->account, &context->account);
    ftl_status status = init(cache, &chosen, error);
    if (status != FTL_OK) {
        ftl_free(&context->account, cache);
        return status;
    }
    cache->spare = (ftl_spare){.spare = spare_model, .user = cache};
    ftl_context_add_spare(context, &cache->spare);
    *out = cache;
    return FTL_OK;
}

void ftl_cache_destroy(ftl_cache *cache)
{
    if (!cache)
        return;
    ftl_context_remove_spare(cache->context, &cache->spare);
    (void)ftl_cache_clear(cache);
    for (int i = 0; i < FTL_CACHE_STRIPES; i++)
        pthread_mutex_destroy(&cache->stripes[i].lock);
    pthread_cond_destroy(&cache->landed);
    pthread_mutex_destroy(&cache->lock);
    ftl_free(&cache->account, cache->stripes);
    ftl_free(&cache->account, cache->slots);
    ftl_free(&cache->context->account, cache);
}

/* ---- Asking ----------------------------------------------------------------------------------- */

/* What is open, without waiting for anything. */
static ftl_status get_at_once(ftl_cache *cache, const ftl_cache_request *request,
                              const ftl_cache_get_options *options, ftl_cache_answer *answer,
                              ftl_model **out, ftl_error *error)
{
    if (options->no_cache)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "no_wait",
                               "options.no_wait gives out what is open, options.no_cache opens");
    *out = ftl_cache_hit_at_once(cache, request, &answer->stale, &answer->due);
    return *out ? FTL_OK : FTL_END;
}

ftl_status ftl_cache_get(ftl_cache *cache, const char *path, const ftl_cache_get_options *options,
                         ftl_cache_answer *answer, ftl_model **out, ftl_error *error)
{
    ftl_cache_get_options chosen = {0};
    ftl_cache_request request;
    ftl_cache_answer got = {.hit = true};
    ftl_model *model = NULL;
    if (!cache || !path || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_cache_get needs a cache, a path and a place for the model");
    if (answer)
        FTL_TRY(ftl_out_check(answer, "ftl_cache_answer", error));
    if (options)
        FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_cache_get_options", error));
    FTL_TRY(ftl_cache_request_read(&request, path, chosen.model, error));
    if (chosen.no_wait)
        FTL_TRY(get_at_once(cache, &request, &chosen, &got, &model, error));
    else if (chosen.no_cache)
        FTL_TRY(ftl_cache_get_alone(cache, &request, &got, &model, error));
    else if (FTL_UNLIKELY(!(model = ftl_cache_hit(cache, &request, &got.stale))))
        FTL_TRY(ftl_cache_get_slowly(cache, &request, &got, &model, error));
    *out = model;
    if (answer)
        ftl_out_write(answer, &got, sizeof got);
    return FTL_OK;
}

/* The plan that most predictions ask for; false: there is none to make. */
static bool usual_plan(const ftl_model *model, ftl_plan_options *out)
{
    ftl_method method = model->default_method;
    if (model->only_plan || model->open_width || !ftl_model_has_method(model, method))
        return false;
    *out = (ftl_plan_options){.struct_size = sizeof *out, .methods = 1u << method};
    if (ftl_model_method_status(model, FTL_PREDICT_PROBA, NULL) == FTL_OK)
        out->methods |= 1u << FTL_PREDICT_PROBA;
    return true;
}

/* Plans count as well. */
static void fit_again(ftl_cache *cache, const char *path, const ftl_model_options *options)
{
    ftl_cache_request request;
    if (ftl_cache_request_read(&request, path, options, NULL) != FTL_OK)
        return;
    ftl_cache_lock(cache);
    const ftl_cache_name *name = ftl_cache_find(cache, &request);
    if (name)
        ftl_cache_fit(cache, name->entry);
    ftl_cache_unlock(cache);
}

ftl_status ftl_cache_warm(ftl_cache *cache, const char *path, const ftl_cache_get_options *options,
                          const ftl_plan_options *plan, ftl_cache_answer *answer, ftl_error *error)
{
    ftl_model *model = NULL;
    ftl_plan *made = NULL;
    ftl_plan_options usual;
    ftl_status status = FTL_OK;
    ftl_cache_get_options chosen = {0};
    if (options)
        FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_cache_get_options", error));
    if (chosen.no_wait)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "no_wait",
                               "options.no_wait opens nothing, and warming does");
    FTL_TRY(ftl_cache_get(cache, path, options, answer, &model, error));
    if (!plan && usual_plan(model, &usual))
        plan = &usual;
    if (plan)
        status = ftl_model_plan(model, plan, &made, error);
    ftl_plan_release(made);
    ftl_model_release(model);
    if (status == FTL_OK)
        fit_again(cache, path, options ? options->model : NULL);
    return status;
}

/* ---- Removing --------------------------------------------------------------------------------- */

/* The entry of a name of the path; NULL: there is none. */
static ftl_cache_entry *entry_of_path(const ftl_cache *cache, const char *path)
{
    for (size_t i = 0; i < cache->n_slots; i++) {
        const ftl_cache_name *name = cache->slots[i];
        if (name && strcmp(name->request->path, path) == 0)
            return name->entry;
    }
    return NULL;
}

size_t ftl_cache_evict(ftl_cache *cache, const char *path)
{
    size_t n = 0;
    ftl_cache_entry *entry;
    if (!cache || !path)
        return 0;
    ftl_cache_lock(cache);
    for (; (entry = entry_of_path(cache, path)); n++)
        ftl_cache_remove(cache, entry);
    ftl_cache_unlock(cache);
    return n;
}

size_t ftl_cache_clear(ftl_cache *cache)
{
    size_t n = 0;
    if (!cache)
        return 0;
    ftl_cache_lock(cache);
    for (; cache->entries; n++)
        ftl_cache_remove(cache, cache->entries);
    ftl_cache_unlock(cache);
    return n;
}
