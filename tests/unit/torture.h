/* An allocator that fails its Nth request and counts what is still held, for allocation-failure
 * tests. */
#ifndef FTL_TESTS_TORTURE_H
#define FTL_TESTS_TORTURE_H

#include "base/alloc.h"

#include <stdlib.h>

typedef struct torture {
    long fail_at; /* 1-based; 0: never */
    long requests;
    long held; /* blocks not yet freed */
} torture;

static inline void *torture_realloc(void *user, void *pointer, size_t size)
{
    torture *t = user;
    if (++t->requests == t->fail_at)
        return NULL;
    void *block = realloc(pointer, size);
    if (block && !pointer)
        t->held++;
    return block;
}

static inline void torture_free(void *user, void *pointer)
{
    ((torture *)user)->held--;
    free(pointer);
}

static inline void torture_begin(torture *t, ftl_account *account, long fail_at)
{
    *t = (torture){.fail_at = fail_at};
    const ftl_allocator allocator = {torture_realloc, torture_free, t};
    ftl_account_init(account, &allocator, 0);
}

/* True once the run needed fewer requests than the one that would have failed. */
static inline bool torture_over(const torture *t) { return t->requests < t->fail_at; }

#endif
