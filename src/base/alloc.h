/*
 * The memory account: every byte that the library holds goes through one, so that a limit bounds
 * hostile files and a failing allocator can be injected. Thread-safe. A zero-byte request yields a
 * unique pointer.
 */
#ifndef FTL_BASE_ALLOC_H
#define FTL_BASE_ALLOC_H

#include "base/status.h"

#include <stdatomic.h>

typedef struct ftl_account {
    ftl_allocator allocator;
    uint64_t limit;             /* 0: none */
    _Atomic uint64_t used;      /* bytes handed out, headers included */
    struct ftl_account *parent; /* also charged; NULL for a context's own account */
    /*
     * Of an account with a limit: gives back what can be spared; called once when a request would
     * pass the limit, which is then tried again. From any thread, inside of the request. NULL: no.
     */
    void (*reclaim)(void *user);
    void *reclaim_user;
} ftl_account;

void ftl_account_init(ftl_account *account, const ftl_allocator *allocator, uint64_t limit);
/* An account charged to its parent as well: how one model's or one session's bytes are counted. */
void ftl_account_init_child(ftl_account *account, ftl_account *parent);
uint64_t ftl_account_used(const ftl_account *account);

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
