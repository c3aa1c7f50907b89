#include "engine/context.h"

#include "engine/plan_cache.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/*
 * Options may come from a program built against an older header: only the bytes that it knows are
 * read.
 */
static void copy_options(ftl_context_options *out, const ftl_context_options *in)
{
    memset(out, 0, sizeof *out);
    if (in)
        memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
}

static uint32_t usable_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (uint32_t)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

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

/*
 * Called from inside of an allocation that the limit refuses, whatever locks that thread holds:
 * what is locked is passed over.
 */
static void reclaim(void *user)
{
    ftl_context *context = user;
    if (pthread_mutex_trylock(&context->models_lock) != 0)
        return;
    for (ftl_model *model = context->models; model; model = model->next)
        (void)ftl_plan_cache_try_trim(model);
    pthread_mutex_unlock(&context->models_lock);
}

/* ---- The context ------------------------------------------------------------------------------ */

ftl_status ftl_context_create(const ftl_context_options *options, ftl_context **out,
                              ftl_error *error)
{
    ftl_context_options chosen;
    if (!out || (options && options->struct_size < sizeof(size_t)))
        return FTL_FAIL(error, FTL_ARG, "set struct_size to sizeof(ftl_context_options)");
    copy_options(&chosen, options);
    ftl_account account;
    ftl_account_init(&account, chosen.allocator, chosen.memory_limit);
    ftl_context *context = ftl_alloc_zero(&account, 1, sizeof *context);
    if (!context)
        return FTL_OOM(error);
    context->account = account;
    context->threads = chosen.threads ? chosen.threads : usable_cpus();
    pthread_mutex_init(&context->models_lock, NULL);
    context->account.reclaim = reclaim;
    context->account.reclaim_user = context;
    *out = context;
    return FTL_OK;
}

void ftl_context_destroy(ftl_context *context)
{
    if (!context)
        return;
    pthread_mutex_destroy(&context->models_lock);
    ftl_account account = context->account;
    ftl_free(&account, context);
}

uint64_t ftl_context_memory_used(const ftl_context *context)
{
    return ftl_account_used(&context->account);
}
