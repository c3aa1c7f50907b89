/*
 * Jobs over callbacks through the public header alone: the bytes of a job over files, and a peer
 * that sends a row and waits for its result.
 */
#include "public_api.h"

#include <errno.h>
#include <string.h>

/* A peer with lines to send. */
typedef struct peer {
    const char *const *lines;
    size_t n_lines, sent;
    bool waits; /* sends a line only when there is an answer to those before */
    bool answered;
    char got[4096];
    size_t n_got;
    size_t got_before[16]; /* bytes that were there when line i was asked for */
} peer;

static int64_t send_line(void *user, void *data, size_t size)
{
    peer *p = user;
    if (p->sent == p->n_lines)
        return 0;
    p->got_before[p->sent] = p->n_got;
    const char *line = p->lines[p->sent++];
    assert_true(strlen(line) <= size);
    memcpy(data, line, strlen(line));
    return (int64_t)strlen(line);
}

static int take_bytes(void *user, const void *data, size_t size)
{
    peer *p = user;
    assert_true(size < sizeof p->got - p->n_got);
    memcpy(p->got + p->n_got, data, size);
    p->n_got += size;
    p->got[p->n_got] = '\0';
    return 0;
}

static ftl_status score(opened *o, peer *p, const char *in, const char *out, bool early,
                        ftl_score_result *result)
{
    const ftl_reader reader = {.struct_size = sizeof reader, .user = p, .read = send_line};
    const ftl_writer writer = {.struct_size = sizeof writer, .user = p, .write = take_bytes};
    const ftl_score_options options = {.struct_size = sizeof options,
                                       .input_format = in,
                                       .output_format = out,
                                       .flush_early = early};
    return ftl_score_stream(o->model, &reader, &writer, &options, result, &o->error);
}

static void test_each_row_is_answered_before_the_next_is_read(void **state)
{
    (void)state;
    static const char *const lines[] = {"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}\n",
                                        "{\"a\":1,\"b\":2,\"c\":3,\"d\":", "4,\"e\":5}\n",
                                        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}\n"
                                        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}\n{\"a\":1,",
                                        "\"b\":2,\"c\":3,\"d\":4,\"e\":5}"};
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    peer p = {.lines = lines, .n_lines = 5};
    ftl_score_result result = {.struct_size = sizeof result};
    if (score(&o, &p, "jsonl", "jsonl", true, &result) != FTL_OK)
        fail_msg("%s", o.error.message);
    assert_int_equal(result.rows_read, 5);
    assert_int_equal(result.rows_written, 5);
    size_t row = p.n_got / 5;
    static const size_t answered[] = {0, 1, 1, 2, 4};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(p.got_before[i], answered[i] * row);
    assert_int_equal(p.n_got, 5 * row);
    close_session(&o);
}

static void test_each_record_of_csv_is_answered(void **state)
{
    (void)state;
    static const char *const lines[] = {"a;b;c;d;e\n", "1;2;3;4;5\n", "1;2;3;", "4;5\n1;2;3;4;5\n"};
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    peer p = {.lines = lines, .n_lines = 4};
    if (score(&o, &p, "csv", "csv", true, NULL) != FTL_OK)
        fail_msg("%s", o.error.message);
    size_t header = strlen("prediction\n"), row = (p.n_got - header) / 3;
    assert_int_equal(p.got_before[1], header);
    assert_int_equal(p.got_before[2], header + row);
    assert_int_equal(p.got_before[3], header + row);
    assert_int_equal(p.n_got, header + 3 * row);
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_is_answered_before_the_next_is_read),
        cmocka_unit_test(test_each_record_of_csv_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
