#ifndef FTL_ENGINE_CONTEXT_H
#define FTL_ENGINE_CONTEXT_H

#include "base/alloc.h"

/*
 * No other global state exists; several contexts may live in one process. Immutable but for the
 * account's counter.
 */
struct ftl_context {
    ftl_account account;
    uint32_t threads;
    ftl_log_fn log;
    void *log_user;
    ftl_log_level log_level;
};

#endif
