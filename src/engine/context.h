#ifndef FTL_ENGINE_CONTEXT_H
#define FTL_ENGINE_CONTEXT_H

#include "base/executor.h"

#include <pthread.h>

/*
 * No other global state exists; several contexts may live in one process. Immutable but for the
 * account's counter, the list of models and the executor, which any thread may use.
 */
struct ftl_context {
    ftl_account account;
    uint32_t threads;       /* of the executor; 0: one a processor */
    ftl_executor *executor; /* whatever runs on several threads runs here; NULL: nothing did yet */
    pthread_mutex_t executor_lock;
    pthread_mutex_t models_lock;
    ftl_model *models; /* all that are open, for when memory is short */
};

/*
 * The context's executor. It is made when it is first asked for: finding out how many processors
 * there are takes longer than opening a small model. Thread-safe.
 */
FTL_MUST_USE ftl_status ftl_context_executor(ftl_context *context, ftl_executor **out,
                                             ftl_error *error);
void ftl_context_add_model(ftl_context *context, ftl_model *model);
void ftl_context_remove_model(ftl_context *context, ftl_model *model);

#endif
