/*
 * Memory for what the library may only read: it is read-only, and behind its last byte comes a page
 * that cannot be read at all.
 */
#ifndef FTL_TEST_GUARDED_H
#define FTL_TEST_GUARDED_H

#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct guarded {
    unsigned char *pages;
    size_t size; /* of the readable ones */
} guarded;

static inline guarded guarded_open(size_t most)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (most / page + 1) * page;
    void *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect((unsigned char *)pages + size, page, PROT_NONE), 0);
    return (guarded){pages, size};
}

/* A copy that ends `behind` bytes before the page that cannot be read. */
static inline void *guarded_copy(const guarded *g, const void *from, size_t size, size_t behind)
{
    unsigned char *to = g->pages + g->size - size - behind;
    assert_true(size + behind <= g->size);
    assert_int_equal(mprotect(g->pages, g->size, PROT_READ | PROT_WRITE), 0);
    if (size)
        memcpy(to, from, size);
    assert_int_equal(mprotect(g->pages, g->size, PROT_READ), 0);
    return to;
}

static inline void guarded_close(const guarded *g)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(munmap(g->pages, g->size + page), 0);
}

#endif
