#include "base/alloc.h"

#include "base/checked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Kept before each block so that freeing can be accounted; 16 bytes keep malloc's alignment. */
typedef struct header {
    size_t size;
    size_t guard;
} header;

/*
 * Large blocks ask for huge pages: a fresh 4 KiB page costs half a microsecond, which for a large
 * forest is more than everything else that loading does. Only a hint: whole pages inside the block,
 * errors do not matter.
 */
enum { huge_request = 8 << 20, page = 4096 };

static void prefer_huge_pages(void *block, size_t size)
{
#if defined(MADV_HUGEPAGE)
    uintptr_t from = ((uintptr_t)block + page - 1) & ~(uintptr_t)(page - 1);
    uintptr_t to = ((uintptr_t)block + size) & ~(uintptr_t)(page - 1);
    (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}

static void *system_realloc(void *user, void *pointer, size_t size)
{
    (void)user;
    void *block = realloc(pointer, size);
    if (block && size >= huge_request)
        prefer_huge_pages(block, size);
    return block;
}

static void system_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

void ftl_account_init(ftl_account *account, const ftl_allocator *allocator, uint64_t limit)
{
    static const ftl_allocator system_allocator = {system_realloc, system_free, NULL};
    account->allocator = allocator ? *allocator : system_allocator;
    account->limit = limit;
    account->used = 0;
    account->parent = NULL;
}

void ftl_account_init_child(ftl_account *account, ftl_account *parent)
{
    account->allocator = parent->allocator;
    account->limit = 0;
    account->used = 0;
    account->parent = parent;
}

uint64_t ftl_account_used(const ftl_account *account) { return account->used; }

static void discharge(ftl_account *account, uint64_t bytes)
{
    for (; account; account = account->parent)
        account->used -= bytes;
}

static bool charge(ftl_account *account, uint64_t bytes)
{
    for (ftl_account *a = account; a; a = a->parent) {
        uint64_t before = atomic_fetch_add_explicit(&a->used, bytes, memory_order_relaxed);
        if (a->limit && (before + bytes > a->limit || before + bytes < before)) {
            a->used -= bytes;
            for (ftl_account *done = account; done != a; done = done->parent)
                done->used -= bytes;
            return false;
        }
    }
    return true;
}

void *ftl_alloc(ftl_account *account, size_t size) { return ftl_realloc(account, NULL, size); }

void *ftl_alloc_array(ftl_account *account, size_t count, size_t size)
{
    size_t bytes;
    return ftl_mul_size(count, size, &bytes) ? ftl_alloc(account, bytes) : NULL;
}

void *ftl_alloc_zero(ftl_account *account, size_t count, size_t size)
{
    void *block = ftl_alloc_array(account, count, size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *ftl_realloc(ftl_account *account, void *pointer, size_t size)
{
    header *old = pointer ? (header *)pointer - 1 : NULL;
    size_t old_bytes = old ? old->size : 0;
    size_t bytes;
    if (!ftl_add_size(size, sizeof(header), &bytes))
        return NULL;
    if (bytes > old_bytes && !charge(account, bytes - old_bytes))
        return NULL;
    header *block = account->allocator.realloc_fn(account->allocator.user, old, bytes);
    if (!block) {
        if (bytes > old_bytes)
            discharge(account, bytes - old_bytes);
        return NULL;
    }
    if (bytes < old_bytes)
        discharge(account, old_bytes - bytes);
    block->size = bytes;
    return block + 1;
}

void ftl_free(ftl_account *account, void *pointer)
{
    if (!pointer)
        return;
    header *block = (header *)pointer - 1;
    discharge(account, block->size);
    account->allocator.free_fn(account->allocator.user, block);
}

ftl_status ftl_grow(ftl_account *account, void *items_pointer, size_t *room, size_t needed,
                    size_t item_size, ftl_error *error)
{
    void **items = items_pointer;
    if (needed <= *room)
        return FTL_OK;
    size_t bigger = *room < 8 ? 8 : *room;
    while (bigger < needed) {
        if (!ftl_add_size(bigger, bigger / 2 + 8, &bigger))
            return FTL_OOM(error);
    }
    size_t bytes;
    void *grown = ftl_mul_size(bigger, item_size, &bytes) ? ftl_realloc(account, *items, bytes)
                                                          : NULL;
    if (!grown)
        return FTL_OOM(error);
    *items = grown;
    *room = bigger;
    return FTL_OK;
}
