/* Tables over text in memory, and an allocator that fails on request. */
#ifndef FTL_TESTS_TABLE_HELPER_H
#define FTL_TESTS_TABLE_HELPER_H

#include "unit.h"

#include "table/table.h"

#include <stdlib.h>
#include <string.h>

/* The n-th request from now on fails, and all after it; 0: none. */
static _Atomic long fail_after;
static _Atomic long live_blocks;

static inline void *counting_realloc(void *user, void *pointer, size_t size)
{
    (void)user;
    if (fail_after && --fail_after == 0) {
        fail_after = 1;
        return NULL;
    }
    live_blocks += pointer == NULL;
    return realloc(pointer, size);
}

static inline void counting_free(void *user, void *pointer)
{
    (void)user;
    live_blocks--;
    free(pointer);
}

static inline ftl_account *test_account(void)
{
    static ftl_account account;
    static const ftl_allocator allocator = {counting_realloc, counting_free, NULL};
    ftl_account_init(&account, &allocator, 0);
    return &account;
}

/* A stream that yields its bytes in pieces of a fixed size and fails in place of the n-th read (0:
 * never). */
typedef struct piecewise {
    const char *data;
    size_t size, at, piece;
    long fail_read;
} piecewise;

static inline ftl_status piecewise_read(void *state, void *out, size_t room, size_t *got,
                                        ftl_error *error)
{
    piecewise *p = state;
    if (p->fail_read && --p->fail_read == 0)
        return FTL_FAIL(error, FTL_IO, "the read was made to fail");
    size_t n = p->size - p->at < p->piece ? p->size - p->at : p->piece;
    n = n < room ? n : room;
    memcpy(out, p->data + p->at, n);
    p->at += n;
    *got = n;
    return FTL_OK;
}

static inline void piecewise_close(void *state) { (void)state; }

static const ftl_stream_ops piecewise_ops = {.read = piecewise_read, .close = piecewise_close};

static inline ftl_status open_table(ftl_account *account, const void *data, size_t size,
                                    const ftl_table_options *options, ftl_table **out,
                                    ftl_error *error)
{
    ftl_stream *stream;
    FTL_TRY(ftl_stream_open_memory(account, data, size, &stream, error));
    ftl_status status = ftl_table_open(account, stream, options, out, error);
    if (status != FTL_OK)
        ftl_stream_close(stream);
    return status;
}

#endif
