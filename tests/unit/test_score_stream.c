/*
 * Jobs over callbacks through the public header alone: the bytes of a job over files, and a peer
 * that sends a row and waits for its result.
 */
#include "public_api.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- The bytes of a job over files ------------------------------------------------------------ */

/* Bytes that lie in memory, given out in parts of many sizes; and where they go. */
typedef struct memory {
    const char *data;
    size_t size, at;
    unsigned turn;
    char *got;
    size_t n_got;
    int64_t fails; /* what read gives at the end, in the place of 0 */
    int refuses;   /* what write gives when it has written_most bytes; 0: it takes all */
    size_t written_most;
    pthread_t thread;   /* that may call */
    ftl_cancel *cancel; /* triggered when half was read; NULL: never */
} memory;

static int64_t read_memory(void *user, void *data, size_t size)
{
    static const size_t parts[] = {1, 70000, 3, 4096, 17, 1 << 20};
    memory *m = user;
    assert_true(pthread_equal(m->thread, pthread_self()));
    size_t n = parts[m->turn++ % 6];
    n = n < size ? n : size;
    n = n < m->size - m->at ? n : m->size - m->at;
    if (n == 0)
        return m->fails;
    memcpy(data, m->data + m->at, n);
    m->at += n;
    if (m->cancel && m->at > m->size / 2)
        ftl_cancel_trigger(m->cancel);
    return (int64_t)n;
}

static int write_memory(void *user, const void *data, size_t size)
{
    memory *m = user;
    assert_true(pthread_equal(m->thread, pthread_self()));
    if (m->refuses && m->n_got + size > m->written_most)
        return m->refuses;
    m->got = realloc(m->got, m->n_got + size + 1);
    assert_non_null(m->got);
    memcpy(m->got + m->n_got, data, size);
    m->n_got += size;
    return 0;
}

typedef struct threaded {
    ftl_context *context;
    ftl_model *model;
    ftl_error error;
} threaded;

static threaded open_threaded(uint32_t threads)
{
    threaded t = {0};
    const ftl_context_options options = {.struct_size = sizeof options, .threads = threads};
    assert_int_equal(ftl_context_create(&options, &t.context, NULL), FTL_OK);
    assert_int_equal(ftl_model_open(t.context, FTL_TEST_DIR "/" FOREST, NULL, &t.model, NULL),
                     FTL_OK);
    return t;
}

static void close_threaded(threaded *t)
{
    ftl_model_release(t->model);
    ftl_context_destroy(t->context);
}

static ftl_status score_memory(threaded *t, memory *m, const char *in_name, const char *out_name,
                               ftl_score_options options, ftl_score_result *result)
{
    const ftl_reader reader = {
        .struct_size = sizeof reader, .user = m, .read = read_memory, .name = in_name};
    const ftl_writer writer = {
        .struct_size = sizeof writer, .user = m, .write = write_memory, .name = out_name};
    options.struct_size = sizeof options;
    m->thread = pthread_self();
    m->at = m->n_got = m->turn = 0;
    return ftl_score_stream(t->model, &reader, &writer, &options, result, &t->error);
}

static char *make_rows(bool json, size_t n, size_t *size)
{
    size_t room = n * 80 + 80;
    char *text = malloc(room);
    assert_non_null(text);
    *size = json ? 0 : (size_t)snprintf(text, room, "a,b,c,d,e\n");
    for (size_t i = 0; i < n; i++)
        *size += (size_t)snprintf(text + *size, room - *size,
                                  json ? "{\"a\":%zu,\"b\":%.3f,\"c\":1,\"d\":%d,\"e\":-2}\n"
                                       : "%zu,%.3f,1,%d,-2\n",
                                  i % 91, (double)(i % 1013) / 7, (int)(i % 17));
    return text;
}

static char *read_whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

/* What ftl_score writes for the same bytes in files of those names. */
static char *score_files(threaded *t, const char *text, size_t n, const char *in, const char *out,
                         size_t *size)
{
    char folder[] = "/tmp/ftl-score-stream-XXXXXX", from[64], to[64];
    assert_non_null(mkdtemp(folder));
    snprintf(from, sizeof from, "%s/%s", folder, in);
    snprintf(to, sizeof to, "%s/%s", folder, out);
    FILE *file = fopen(from, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    if (ftl_score(t->model, from, to, NULL, NULL, &t->error) != FTL_OK)
        fail_msg("%s", t->error.message);
    char *data = read_whole_file(to, size);
    unlink(from);
    unlink(to);
    rmdir(folder);
    return data;
}

static void test_the_bytes_are_those_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        bool json;
        size_t rows;
    } jobs[] = {{"rows.csv", "out.csv", false, 60000},     {"rows.jsonl", "out.jsonl", true, 40000},
                {"rows.jsonl", "out.json", true, 10},      {"rows.csv", "out.arrows", false, 3000},
                {"rows.csv", "out.parquet", false, 60000}, {"rows.csv", "out.csv.gz", false, 3000}};
    threaded t = open_threaded(4);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        memory m = {0};
        size_t size;
        char *text = make_rows(jobs[i].json, jobs[i].rows, &m.size);
        m.data = text;
        ftl_score_result result = {.struct_size = sizeof result};
        if (score_memory(&t, &m, jobs[i].in, jobs[i].out, (ftl_score_options){0}, &result) !=
            FTL_OK)
            fail_msg("%s: %s", jobs[i].in, t.error.message);
        char *wanted = score_files(&t, text, m.size, jobs[i].in, jobs[i].out, &size);
        assert_int_equal(result.rows_written, jobs[i].rows);
        assert_int_equal(result.bytes_read, m.size);
        assert_int_equal(m.n_got, size);
        assert_memory_equal(m.got, wanted, size);
        /* and in small parts, whenever some have come */
        const char *format = jobs[i].json ? "jsonl" : "csv";
        memory early = {.data = text, .size = m.size};
        if (score_memory(&t, &early, NULL, jobs[i].out,
                         (ftl_score_options){.flush_early = true, .input_format = format},
                         NULL) != FTL_OK)
            fail_msg("%s: %s", jobs[i].in, t.error.message);
        if (strstr(jobs[i].out, "csv") || strstr(jobs[i].out, "json")) {
            bool packed = strstr(jobs[i].out, ".gz");
            assert_true(packed || early.n_got == size);
            assert_true(packed || memcmp(early.got, wanted, size) == 0);
        }
        free(early.got);
        free(m.got);
        free(wanted);
        free(text);
    }
    close_threaded(&t);
}

/* ---- What fails ------------------------------------------------------------------------------ */

static void test_errors_of_the_functions(void **state)
{
    (void)state;
    threaded t = open_threaded(2);
    memory m = {.fails = -EIO};
    char *text = make_rows(false, 60000, &m.size);
    const ftl_score_options none = {0};
    uint64_t used = 0;
    m.data = text;
    for (int round = 0; round < 2; round++) { /* the second finds nothing left of the first */
        m.fails = -EIO;
        assert_int_equal(score_memory(&t, &m, "peer", NULL, none, NULL), FTL_IO);
        assert_string_equal(t.error.message, "cannot read peer: Input/output error");
        m.fails = -ECANCELED;
        assert_int_equal(score_memory(&t, &m, "peer", NULL, none, NULL), FTL_CANCELLED);
        m.fails = 1 << 30;
        assert_int_equal(score_memory(&t, &m, "peer", NULL, none, NULL), FTL_ARG);
        m.fails = 0;
        m.refuses = EPIPE;
        m.written_most = 1000;
        assert_int_equal(score_memory(&t, &m, NULL, "peer", none, NULL), FTL_IO);
        assert_int_equal(t.error.reason, FTL_REASON_NOBODY_READS);
        assert_true(m.n_got <= 1000);
        m.refuses = ECANCELED;
        assert_int_equal(score_memory(&t, &m, NULL, NULL, none, NULL), FTL_CANCELLED);
        m.refuses = 0;
        assert_int_equal(ftl_cancel_create(t.context, &m.cancel, NULL), FTL_OK);
        assert_int_equal(score_memory(&t, &m, NULL, NULL,
                                      (ftl_score_options){.cancel = m.cancel, .batch_rows = 64},
                                      NULL),
                         FTL_CANCELLED);
        ftl_cancel_destroy(m.cancel);
        m.cancel = NULL;
        ftl_model_trim(t.model);
        if (round)
            assert_int_equal(ftl_context_memory_used(t.context), used);
        used = ftl_context_memory_used(t.context);
    }
    free(m.got);
    free(text);
    close_threaded(&t);
}

static void test_a_bad_row_ends_it(void **state)
{
    (void)state;
    threaded t = open_threaded(1);
    memory m = {.data = "a,b,c,d,e\n1,2,3,4,5\n1,2,x,4,5\n1,2,3,4,5\n"};
    m.size = strlen(m.data);
    assert_int_equal(score_memory(&t, &m, NULL, NULL, (ftl_score_options){0}, NULL), FTL_VALUE);
    assert_int_equal(t.error.row, 1);
    ftl_score_result result = {.struct_size = sizeof result};
    const ftl_score_options skip = {
        .on_error = FTL_ON_ERROR_SKIP, .flush_early = true, .input_format = "csv"};
    assert_int_equal(score_memory(&t, &m, NULL, NULL, skip, &result), FTL_OK);
    assert_int_equal(result.rows_rejected, 1);
    assert_int_equal(result.rows_written, 2);
    free(m.got);
    close_threaded(&t);
}

static void test_options_that_are_for_files(void **state)
{
    (void)state;
    threaded t = open_threaded(1);
    memory m = {.data = "a\n1\n", .size = 4};
    const char *more[] = {"x"};
    const struct {
        ftl_score_options options;
        const char *option;
    } refused[] = {
        {{.reject_path = "x"}, "reject_path"},
        {{.metrics_path = "x"}, "metrics_path"},
        {{.resume = true}, "resume"},
        {{.more_inputs = more, .n_more_inputs = 1}, "more_inputs"},
        {{.flush_early = true}, "input_format"},
        {{.flush_early = true, .input_format = "parquet"}, "input_format"},
        {{.flush_early = true, .input_format = "csv", .encoding = "latin-1"}, "encoding"}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(score_memory(&t, &m, NULL, NULL, refused[i].options, NULL), FTL_ARG);
        assert_string_equal(t.error.option, refused[i].option);
        assert_int_equal(m.at, 0);
    }
    ftl_reader reader = {.struct_size = sizeof reader};
    ftl_writer writer = {.struct_size = sizeof writer, .write = write_memory};
    assert_int_equal(ftl_score_stream(t.model, &reader, &writer, NULL, NULL, NULL), FTL_ARG);
    assert_int_equal(ftl_score_stream(t.model, NULL, &writer, NULL, NULL, NULL), FTL_ARG);
    reader.read = read_memory;
    writer.struct_size = 0;
    assert_int_equal(ftl_score_stream(t.model, &reader, &writer, NULL, NULL, &t.error), FTL_ARG);
    assert_int_equal(t.error.reason, FTL_REASON_STRUCT_SIZE);
    writer.struct_size = sizeof writer;
    reader.struct_size = 0;
    assert_int_equal(ftl_score_stream(t.model, &reader, &writer, NULL, NULL, &t.error), FTL_ARG);
    assert_int_equal(t.error.reason, FTL_REASON_STRUCT_SIZE);
    memory rows = {.data = "a,b,c,d,e\n1,2,3,4,5\n", .size = 20};
    assert_int_equal(score_memory(&t, &rows, NULL, "out.npy", (ftl_score_options){0}, NULL),
                     FTL_UNSUPPORTED);
    close_threaded(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_is_answered_before_the_next_is_read),
        cmocka_unit_test(test_each_record_of_csv_is_answered),
        cmocka_unit_test(test_the_bytes_are_those_of_files),
        cmocka_unit_test(test_errors_of_the_functions),
        cmocka_unit_test(test_a_bad_row_ends_it),
        cmocka_unit_test(test_options_that_are_for_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
