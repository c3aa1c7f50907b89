/* Loading a pickle from memory and comparing its graph, for the tests of the pickle machine. */
#ifndef PICKLE_TEST_H
#define PICKLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph_text.h"
#include "pickle/load.h"

typedef struct pickle_test {
    ftl_account account;
    ftl_arena arena;
    ftl_node *root;
    ftl_pickle_report report;
    ftl_error error;
} pickle_test;

/* A source that gives the bytes a few at a time, so that every value is cut at some place. */
typedef struct trickle {
    const char *data;
    size_t size, at, step;
} trickle;

static inline ftl_status trickle_read(void *state, void *out, size_t room, size_t *got,
                                      ftl_error *error)
{
    trickle *t = state;
    size_t n = t->size - t->at < t->step ? t->size - t->at : t->step;
    (void)error;
    n = n < room ? n : room;
    memcpy(out, t->data + t->at, n);
    t->at += n;
    *got = n;
    return FTL_OK;
}

static inline void trickle_close(void *state) { (void)state; }

static const ftl_stream_ops trickle_ops = {.read = trickle_read, .close = trickle_close};

static inline ftl_status load_stream(pickle_test *test, ftl_stream *stream,
                                     const ftl_pickle_options *options)
{
    ftl_pickle_options all = options ? *options : (ftl_pickle_options){0};
    all.report = &test->report;
    test->report = (ftl_pickle_report){0};
    ftl_arena_init(&test->arena, &test->account);
    ftl_status status = ftl_pickle_load(stream, &test->arena, &all, &test->root, &test->error);
    ftl_stream_close(stream);
    return status;
}

static inline ftl_status load_pickle(pickle_test *test, const char *data, size_t size,
                                     const ftl_pickle_options *options)
{
    ftl_stream *stream = NULL;
    ftl_account_init(&test->account, NULL, 0);
    assert_int_equal(ftl_stream_open_memory(&test->account, data, size, &stream, &test->error),
                     FTL_OK);
    return load_stream(test, stream, options);
}

static inline ftl_status load_trickle(pickle_test *test, const char *data, size_t size, size_t step,
                                      const ftl_pickle_options *options)
{
    trickle source = {data, size, 0, step};
    ftl_stream *stream = NULL;
    ftl_account_init(&test->account, NULL, 0);
    assert_int_equal(
        ftl_stream_create(&test->account, &trickle_ops, &source, 0, &stream, &test->error), FTL_OK);
    return load_stream(test, stream, options);
}

static inline void end_pickle(pickle_test *test)
{
    ftl_arena_free(&test->arena);
    assert_int_equal(ftl_account_used(&test->account), 0);
}

static inline void expect_text(pickle_test *test, const char *expected)
{
    ftl_strbuf text;
    ftl_strbuf_init(&text, &test->account, 0);
    graph_text(&text, test->root, 0);
    assert_string_equal(ftl_strbuf_text(&text), expected);
    ftl_strbuf_free(&text);
}

/* From memory and byte by byte. */
static inline void expect_graph(const char *data, size_t size, const char *expected)
{
    pickle_test test;
    for (int trickled = 0; trickled < 2; trickled++) {
        ftl_status status = trickled ? load_trickle(&test, data, size, 1, NULL)
                                     : load_pickle(&test, data, size, NULL);
        assert_int_equal(status, FTL_OK);
        expect_text(&test, expected);
        end_pickle(&test);
    }
}

static inline void expect_failure(const char *data, size_t size, ftl_status expected)
{
    pickle_test test;
    assert_int_equal(load_pickle(&test, data, size, NULL), expected);
    if (expected != FTL_OK) {
        assert_true(test.error.offset >= 0 && test.error.offset <= (int64_t)size);
        assert_true(test.error.message[0] != '\0');
    }
    end_pickle(&test);
}

#endif
