#ifndef FTL_ENGINE_CONTEXT_H
#define FTL_ENGINE_CONTEXT_H

#include "base/alloc.h"

#include <pthread.h>

/*
 * No other global state exists; several contexts may live in one process. Immutable but for the
 * account's counter and the list of models.
 */
struct ftl_context {
    ftl_account account;
    uint32_t threads;
    pthread_mutex_t models_lock;
    ftl_model *models; /* all that are open, for when memory is short */
};

void ftl_context_add_model(ftl_context *context, ftl_model *model);
void ftl_context_remove_model(ftl_context *context, ftl_model *model);

#endif
