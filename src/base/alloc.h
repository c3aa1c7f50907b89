/*
 * Memory accounts: every byte that the library holds goes through one, so that a limit bounds
 * hostile files and a failing allocator can be injected.
 *
 * Accounts form a tree. A context's is the top; a model, its object graph, a plan and a session
 * each have one of their own below it, so that what each holds can be read apart. Only the top has
 * a limit. A request is tested before it is added: one that is refused never makes another fail.
 *
 * Thread-safe. A parent outlives its children, and a block goes back to the account that it came
 * from. A request of zero bytes yields a pointer of its own.
 */
#ifndef FTL_BASE_ALLOC_H
#define FTL_BASE_ALLOC_H

#include "base/budget.h"
#include "base/status.h"

#include <stdatomic.h>

typedef struct ftl_account {
    ftl_allocator allocator;
    uint64_t limit;             /* of the top account; 0: none */
    _Atomic uint64_t used;      /* of the account and all below it */
    struct ftl_account *parent; /* NULL for the top */
    /*
     * What the account and all below it may hold while a model is opened, by one thread; NULL:
     * whatever the top allows. A request that passes it fails as one without memory does.
     */
    ftl_budget *budget;
    /*
     * Of the top account: gives back what can be spared; called when a request would pass the
     * limit, which is then tried again, as long as that fails and it returns true. times: how often
     * it was called for this request before. From any thread, inside of the request. NULL: nothing
     * can.
     */
    bool (*reclaim)(void *user, unsigned times);
    void *reclaim_user;
} ftl_account;

/* allocator is copied; NULL: the C library's. limit in bytes; 0: none. */
void ftl_account_init(ftl_account *account, const ftl_allocator *allocator, uint64_t limit);
/* An account below parent, whose allocator it takes. */
void ftl_account_init_child(ftl_account *account, ftl_account *parent);
/*
 * Bytes that the account and the accounts below it hold now, the blocks' headers included. May be
 * read at any time from any thread. While others allocate it is a moment's figure: read children
 * before their parent to find the parent's at least as large, unless blocks are freed in between.
 */
uint64_t ftl_account_used(const ftl_account *account);

/* A size that no memory can hold was asked for: passes the budget, if there is one, so that a file
 * that claims it is told from a machine without memory. */
void ftl_account_overflow(ftl_account *account);

/* Spends work of the budgets at and above the account; false when one is passed. */
bool ftl_account_work(ftl_account *account, uint64_t units);

/* NULL when the allocator fails or the limit would be passed. 16-byte aligned. */
void *ftl_alloc(ftl_account *account, size_t size);
void *ftl_alloc_zero(ftl_account *account, size_t count, size_t size);  /* checked product */
void *ftl_alloc_array(ftl_account *account, size_t count, size_t size); /* checked product */
/* On failure the old block stays valid. */
void *ftl_realloc(ftl_account *account, void *pointer, size_t size);
void ftl_free(ftl_account *account, void *pointer); /* NULL is allowed */

/* Grows *items (of item_size bytes) so that needed fit; geometric. */
FTL_MUST_USE ftl_status ftl_grow(ftl_account *account, void *items_pointer, size_t *room,
                                 size_t needed, size_t item_size, ftl_error *error);

#endif
