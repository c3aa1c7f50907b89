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
    ftl_executor *executor; /* whatever runs on several threads runs here */
    pthread_mutex_t models_lock;
    ftl_model *models; /* all that are open, for when memory is short */
};

void ftl_context_add_model(ftl_context *context, ftl_model *model);
void ftl_context_remove_model(ftl_context *context, ftl_model *model);

#endif
