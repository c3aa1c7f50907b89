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
 * Large blocks are mapped, at whole huge pages: a fresh 4 KiB page costs more than a microsecond on
 * a virtual machine, which for a large forest is more than everything else that loading does, and
 * the C library's large blocks begin and end in the middle of a huge page. Huge pages are a hint,
 * errors do not matter. The size in the header says which blocks are mapped. Address sanitizers
 * see only what malloc gives.
 */
#if defined(__linux__) && defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
enum { huge_page = 2 << 20, mapped_request = 3 << 20 };

static bool is_mapped(size_t size) { return size >= mapped_request; }

static size_t mapped_bytes(size_t size)
{
    return (size + huge_page - 1) & ~(size_t)(huge_page - 1);
}

/* Room for bytes, which are whole huge pages, at a whole huge page. NULL on failure. */
static void *map_aligned(size_t bytes)
{
    size_t all;
    if (!ftl_add_size(bytes, huge_page, &all))
        return NULL;
    unsigned char *room = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                               0);
    if (room == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)room & (huge_page - 1), after = huge_page - before;
    if (before)
        (void)munmap(room, before);
    (void)munmap(room + before + bytes, after);
    (void)madvise(room + before, bytes, MADV_HUGEPAGE);
    return room + before;
}

/* Pages move, bytes do not. NULL on failure: the old block stays. */
static void *remap(void *pointer, size_t old_bytes, size_t bytes)
{
    if (bytes == old_bytes)
        return pointer;
    if (bytes < old_bytes) {
        (void)munmap((unsigned char *)pointer + bytes, old_bytes - bytes);
        return pointer;
    }
    void *to = map_aligned(bytes);
    if (!to)
        return NULL;
    if (mremap(pointer, old_bytes, old_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
        return to;
    (void)munmap(to, bytes);
    return NULL;
}

static void release(void *pointer, size_t size)
{
    if (is_mapped(size))
        (void)munmap(pointer, mapped_bytes(size));
    else
        free(pointer);
}

static void *system_realloc(void *user, void *pointer, size_t size)
{
    (void)user;
    size_t old_size = pointer ? ((header *)pointer)->size : 0;
    if (size > SIZE_MAX - huge_page)
        return NULL;
    if (!is_mapped(size) && !is_mapped(old_size))
        return realloc(pointer, size);
    if (is_mapped(size) && is_mapped(old_size))
        return remap(pointer, mapped_bytes(old_size), mapped_bytes(size));
    void *block = is_mapped(size) ? map_aligned(mapped_bytes(size)) : malloc(size);
    if (block && pointer) {
        memcpy(block, pointer, old_size < size ? old_size : size);
        release(pointer, old_size);
    }
    return block;
}

static void system_free(void *user, void *pointer)
{
    (void)user;
    if (pointer)
        release(pointer, ((header *)pointer)->size);
}

/* Fresh pages are zero as they come, and cost nothing until they are touched. */
static void *system_zero(size_t size)
{
    if (size > SIZE_MAX - huge_page)
        return NULL;
    return is_mapped(size) ? map_aligned(mapped_bytes(size)) : calloc(1, size);
}
#else
static void *system_zero(size_t size) { return calloc(1, size); }

static void *system_realloc(void *user, void *pointer, size_t size)
{
    (void)user;
    return realloc(pointer, size);
}

static void system_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}
#endif

void ftl_account_init(ftl_account *account, const ftl_allocator *allocator, uint64_t limit)
{
    static const ftl_allocator system_allocator = {system_realloc, system_free, NULL};
    account->allocator = allocator ? *allocator : system_allocator;
    account->limit = limit;
    account->used = 0;
    account->parent = NULL;
    account->budget = NULL;
    account->reclaim = NULL;
}

void ftl_account_init_child(ftl_account *account, ftl_account *parent)
{
    account->allocator = parent->allocator;
    account->limit = 0;
    account->used = 0;
    account->parent = parent;
    account->budget = NULL;
    account->reclaim = NULL;
}

uint64_t ftl_account_used(const ftl_account *account)
{
    return atomic_load_explicit(&account->used, memory_order_relaxed);
}

/* From the account to the top, and charged the other way: a parent holds no less than a child. */
static void discharge(ftl_account *account, uint64_t bytes)
{
    for (; account; account = account->parent)
        (void)atomic_fetch_sub_explicit(&account->used, bytes, memory_order_relaxed);
}

/* Adds bytes only when they fit: a request that is refused leaves nothing for others to see. */
static bool add_within_limit(ftl_account *account, uint64_t bytes)
{
    uint64_t limit = account->limit ? account->limit : UINT64_MAX;
    uint64_t used = atomic_load_explicit(&account->used, memory_order_relaxed);
    do {
        if (used > limit || bytes > limit - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&account->used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* What can be spared is given back when that can make room for the request. */
static bool add_or_reclaim(ftl_account *top, uint64_t bytes)
{
    if (FTL_LIKELY(add_within_limit(top, bytes)))
        return true;
    if (!top->reclaim || bytes > top->limit)
        return false;
    bool added = false;
    for (unsigned times = 0; !added && top->reclaim(top->reclaim_user, times); times++)
        added = add_within_limit(top, bytes);
    return added;
}

/* Budgets are asked first, then the account at the top, which alone has a limit. */
static bool charge(ftl_account *account, uint64_t bytes)
{
    ftl_account *top = account;
    for (;; top = top->parent) {
        if (top->budget && !ftl_budget_memory(top->budget, ftl_account_used(top), bytes))
            return false;
        if (!top->parent)
            break;
    }
    if (!add_or_reclaim(top, bytes))
        return false;
    for (ftl_account *done = top; done != account;) {
        ftl_account *next = account; /* below the one that is done; the tree is a few levels deep */
        while (next->parent != done)
            next = next->parent;
        (void)atomic_fetch_add_explicit(&next->used, bytes, memory_order_relaxed);
        done = next;
    }
    return true;
}

void ftl_account_overflow(ftl_account *account)
{
    for (; account; account = account->parent) {
        if (account->budget)
            account->budget->passed = true;
    }
}

bool ftl_account_work(ftl_account *account, uint64_t units)
{
    for (; account; account = account->parent) {
        if (account->budget && !ftl_budget_work(account->budget, units))
            return false;
    }
    return true;
}

void *ftl_alloc(ftl_account *account, size_t size) { return ftl_realloc(account, NULL, size); }

void *ftl_alloc_array(ftl_account *account, size_t count, size_t size)
{
    size_t bytes;
    if (ftl_mul_size(count, size, &bytes))
        return ftl_alloc(account, bytes);
    ftl_account_overflow(account);
    return NULL;
}

void *ftl_alloc_zero(ftl_account *account, size_t count, size_t size)
{
    size_t bytes, all;
    if (!ftl_mul_size(count, size, &bytes) || !ftl_add_size(bytes, sizeof(header), &all)) {
        ftl_account_overflow(account);
        return NULL;
    }
    if (account->allocator.realloc_fn != system_realloc) {
        void *block = ftl_alloc(account, bytes);
        return block ? memset(block, 0, bytes) : NULL;
    }
    if (!charge(account, all))
        return NULL;
    header *block = system_zero(all);
    if (!block) {
        discharge(account, all);
        return NULL;
    }
    block->size = all;
    return block + 1;
}

void *ftl_realloc(ftl_account *account, void *pointer, size_t size)
{
    header *old = pointer ? (header *)pointer - 1 : NULL;
    size_t old_bytes = old ? old->size : 0;
    size_t bytes;
    if (!ftl_add_size(size, sizeof(header), &bytes)) {
        ftl_account_overflow(account);
        return NULL;
    }
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
