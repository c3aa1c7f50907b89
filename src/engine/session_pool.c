/* The life of sessions: made for a plan, idle in its pool, borrowed, given back. */
#include "engine/session.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- One session ----------------------------------------------------------------------------- */

/* It belongs to its plan, which outlives it. */
ftl_status ftl_session_new(ftl_plan *plan, ftl_session **out, ftl_error *error)
{
    ftl_session *session = ftl_alloc_zero(&plan->session_account, 1, sizeof *session);
    if (!session)
        return FTL_OOM(error);
    session->plan = plan;
    session->model = (ftl_model *)plan->model;
    ftl_account_init_child(&session->account, &plan->session_account);
    ftl_status status = ftl_exec_init(&session->exec, plan, &session->account, error);
    if (status != FTL_OK) {
        ftl_free(&plan->session_account, session);
        return status;
    }
    *out = session;
    return FTL_OK;
}

static void free_session(ftl_session *session)
{
    ftl_plan *plan = session->plan;
    if (session->reader)
        session->reader_ops->free(session);
    if (session->wide) {
        ftl_plan *wide = session->wide->plan;
        free_session(session->wide);
        ftl_plan_release(wide);
    }
    ftl_session_free_outputs(session);
    if (session->arrow)
        session->free_arrow(session->arrow);
    ftl_exec_free(&session->exec, &session->account);
    ftl_free(&plan->session_account, session);
}

/* ---- Pool ------------------------------------------------------------------------------------ */

/*
 * Idle sessions lie in slots that are taken and filled by one atomic exchange each. A thread begins
 * at a slot of its own, so that it finds the session that it gave back, still in its cache; what
 * finds no slot goes to a list with a lock.
 */
enum { pool_slots = 64 };

struct ftl_session_pool {
    _Atomic(ftl_session *) slots[pool_slots];
    pthread_mutex_t lock;
    ftl_session *rest;
    atomic_uint n_rest;
};

/* Where a thread begins to look. */
static unsigned first_slot(void)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine; /* + 1; 0: not chosen yet */
    if (FTL_UNLIKELY(mine == 0))
        mine = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % pool_slots + 1;
    return mine - 1;
}

ftl_status ftl_session_pool_create(ftl_plan *plan, ftl_session_pool **out, ftl_error *error)
{
    ftl_session_pool *pool = ftl_alloc_zero(&plan->session_account, 1, sizeof *pool);
    if (!pool)
        return FTL_OOM(error);
    pthread_mutex_init(&pool->lock, NULL);
    *out = pool;
    return FTL_OK;
}

static ftl_session *take_from_slots(ftl_session_pool *pool)
{
    unsigned first = first_slot();
    for (unsigned i = 0; i < pool_slots; i++) {
        _Atomic(ftl_session *) *slot = &pool->slots[(first + i) % pool_slots];
        if (!atomic_load_explicit(slot, memory_order_relaxed))
            continue;
        ftl_session *found = atomic_exchange_explicit(slot, NULL, memory_order_acquire);
        if (found)
            return found;
    }
    return NULL;
}

static bool put_into_slots(ftl_session_pool *pool, ftl_session *session)
{
    unsigned first = first_slot();
    for (unsigned i = 0; i < pool_slots; i++) {
        _Atomic(ftl_session *) *slot = &pool->slots[(first + i) % pool_slots];
        ftl_session *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(slot, &empty, session, memory_order_release,
                                                    memory_order_relaxed))
            return true;
    }
    return false;
}

static ftl_session *take_from_rest(ftl_session_pool *pool)
{
    if (atomic_load_explicit(&pool->n_rest, memory_order_relaxed) == 0)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    ftl_session *found = pool->rest;
    if (found) {
        pool->rest = found->next;
        atomic_fetch_sub_explicit(&pool->n_rest, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return found;
}

void ftl_session_pool_trim(ftl_session_pool *pool)
{
    ftl_session *session;
    while ((session = take_from_slots(pool)) || (session = take_from_rest(pool)))
        free_session(session);
}

void ftl_session_pool_destroy(ftl_plan *plan, ftl_session_pool *pool)
{
    if (!pool)
        return;
    ftl_session_pool_trim(pool);
    pthread_mutex_destroy(&pool->lock);
    ftl_free(&plan->session_account, pool);
}

uint32_t ftl_session_pool_idle(const ftl_session_pool *pool)
{
    uint32_t n = atomic_load_explicit(&pool->n_rest, memory_order_relaxed);
    for (unsigned i = 0; i < pool_slots; i++)
        n += atomic_load_explicit(&pool->slots[i], memory_order_relaxed) != NULL;
    return n;
}

ftl_status ftl_plan_borrow(ftl_plan *plan, ftl_session **out, ftl_error *error)
{
    if (!plan || !out)
        return FTL_FAIL(error, FTL_ARG, "ftl_plan_borrow needs a plan and a place for the session");
    ftl_session *session = take_from_slots(plan->pool);
    if (!session)
        session = take_from_rest(plan->pool);
    if (!session)
        FTL_TRY(ftl_session_new(plan, &session, error));
    ftl_plan_retain(plan);
    *out = session;
    return FTL_OK;
}

void ftl_plan_return(ftl_session *session)
{
    if (!session)
        return;
    ftl_plan *plan = session->plan;
    if (session->owned) { /* it never came from a pool */
        free_session(session);
        ftl_plan_release(plan);
        return;
    }
    if (session->reader)
        session->reader_ops->forget(session);
    session->on_error = FTL_ON_ERROR_FAIL;
    session->cancel = NULL;
    session->run_methods = 0;
    session->bad_rows = 0;
    session->shows_wide = false;
    if (!put_into_slots(plan->pool, session)) {
        pthread_mutex_lock(&plan->pool->lock);
        session->next = plan->pool->rest;
        plan->pool->rest = session;
        atomic_fetch_add_explicit(&plan->pool->n_rest, 1, memory_order_relaxed);
        pthread_mutex_unlock(&plan->pool->lock);
    }
    ftl_plan_release(plan);
}

void ftl_session_destroy(ftl_session *session) { ftl_plan_return(session); }
