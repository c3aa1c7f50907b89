#include "engine/context.h"

#include "base/cancel.h"
#include "base/cpu_count.h"
#include "base/options.h"
#include "engine/plan_cache.h"

/* ---- Models ---------------------------------------------------------------------------------- */

void ftl_context_add_model(ftl_context *context, ftl_model *model)
{
    pthread_mutex_lock(&context->models_lock);
    model->next = context->models;
    if (model->next)
        model->next->previous = model;
    context->models = model;
    pthread_mutex_unlock(&context->models_lock);
}

void ftl_context_remove_model(ftl_context *context, ftl_model *model)
{
    pthread_mutex_lock(&context->models_lock);
    if (model->previous)
        model->previous->next = model->next;
    else
        context->models = model->next;
    if (model->next)
        model->next->previous = model->previous;
    pthread_mutex_unlock(&context->models_lock);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

void ftl_context_add_spare(ftl_context *context, ftl_spare *spare)
{
    pthread_mutex_lock(&context->spares_lock);
    spare->next = context->spares;
    context->spares = spare;
    pthread_mutex_unlock(&context->spares_lock);
}

void ftl_context_remove_spare(ftl_context *context, ftl_spare *spare)
{
    pthread_mutex_lock(&context->spares_lock);
    ftl_spare **place = &context->spares;
    while (*place != spare)
        place = &(*place)->next;
    *place = spare->next;
    pthread_mutex_unlock(&context->spares_lock);
}

static bool spare_one(ftl_context *context)
{
    bool spared = false;
    if (pthread_mutex_trylock(&context->spares_lock) != 0)
        return false;
    for (ftl_spare *spare = context->spares; spare && !spared; spare = spare->next)
        spared = spare->spare(spare->user);
    pthread_mutex_unlock(&context->spares_lock);
    return spared;
}

static void trim_models(ftl_context *context)
{
    if (pthread_mutex_trylock(&context->models_lock) != 0)
        return;
    for (ftl_model *model = context->models; model; model = model->next)
        (void)ftl_plan_cache_try_trim(model);
    pthread_mutex_unlock(&context->models_lock);
}

/*
 * Called from inside of an allocation that the limit refuses, whatever locks that thread holds:
 * what is locked is passed over. What can be made again from memory goes before what is read from
 * files.
 */
static bool reclaim(void *user, unsigned times)
{
    ftl_context *context = user;
    if (times == 0)
        trim_models(context);
    return times == 0 || spare_one(context);
}

/* ---- The context ------------------------------------------------------------------------------ */

ftl_status ftl_context_create(const ftl_context_options *options, ftl_context **out,
                              ftl_error *error)
{
    ftl_context_options chosen;
    ftl_account account;
    if (!out)
        return FTL_FAIL(error, FTL_ARG, "ftl_context_create needs a place for the context");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_context_options", error));
    ftl_account_init(&account, chosen.allocator, chosen.memory_limit);
    ftl_context *context = ftl_alloc_zero(&account, 1, sizeof *context);
    if (!context)
        return FTL_OOM(error);
    context->account = account;
    pthread_mutex_init(&context->models_lock, NULL);
    pthread_mutex_init(&context->spares_lock, NULL);
    context->account.reclaim = reclaim;
    context->account.reclaim_user = context;
    pthread_mutex_init(&context->executor_lock, NULL);
    context->threads = chosen.threads;
    *out = context;
    return FTL_OK;
}

ftl_status ftl_context_executor(ftl_context *context, ftl_executor **out, ftl_error *error)
{
    ftl_status status = FTL_OK;
    pthread_mutex_lock(&context->executor_lock);
    if (!context->executor)
        status = ftl_executor_create(&context->account,
                                     context->threads ? context->threads : ftl_cpu_count(),
                                     &context->executor, error);
    *out = context->executor;
    pthread_mutex_unlock(&context->executor_lock);
    return status;
}

void ftl_context_destroy(ftl_context *context)
{
    if (!context)
        return;
    ftl_executor_destroy(context->executor);
    pthread_mutex_destroy(&context->executor_lock);
    pthread_mutex_destroy(&context->models_lock);
    pthread_mutex_destroy(&context->spares_lock);
    ftl_account account = context->account;
    ftl_free(&account, context);
}

uint64_t ftl_context_memory_used(const ftl_context *context)
{
    return ftl_account_used(&context->account);
}

ftl_status ftl_cancel_create(ftl_context *context, ftl_cancel **out, ftl_error *error)
{
    if (!context || !out)
        return FTL_FAIL(error, FTL_ARG, "ftl_cancel_create needs a context and a place");
    ftl_cancel *cancel = ftl_alloc(&context->account, sizeof *cancel);
    if (!cancel)
        return FTL_OOM(error);
    cancel->account = &context->account;
    atomic_init(&cancel->triggered, false);
    *out = cancel;
    return FTL_OK;
}
