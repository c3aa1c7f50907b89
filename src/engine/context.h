#ifndef FTL_ENGINE_CONTEXT_H
#define FTL_ENGINE_CONTEXT_H

#include "base/executor.h"

#include <pthread.h>

/* Who has something to spare when memory is short: a cache has models that nobody uses. */
typedef struct ftl_spare {
    /* Gives back a part; whether there was one. Inside of an allocation: waits for no lock. */
    bool (*spare)(void *user);
    void *user;
    struct ftl_spare *next;
} ftl_spare;

/*
 * No other global state exists; several contexts may live in one process. Immutable but for the
 * account's counter, the list of models and the executor, which any thread may use.
 */
struct ftl_context {
    ftl_account account;
    uint32_t threads;       /* of the executor; 0: one a processor */
    ftl_executor *executor; /* whatever runs on several threads runs here; NULL: nothing did yet */
    pthread_mutex_t executor_lock;
    atomic_uint_least64_t models_made;
    pthread_mutex_t models_lock;
    ftl_model *models; /* all that are open, for when memory is short */
    pthread_mutex_t spares_lock;
    ftl_spare *spares;
};

/*
 * The context's executor. It is made when it is first asked for: finding out how many processors
 * there are takes longer than opening a small model. Thread-safe.
 */
FTL_MUST_USE ftl_status ftl_context_executor(ftl_context *context, ftl_executor **out,
                                             ftl_error *error);
void ftl_context_add_model(ftl_context *context, ftl_model *model);
void ftl_context_remove_model(ftl_context *context, ftl_model *model);
/* spare stays the caller's and in place until it is removed. */
void ftl_context_add_spare(ftl_context *context, ftl_spare *spare);
void ftl_context_remove_spare(ftl_context *context, ftl_spare *spare);

#endif
