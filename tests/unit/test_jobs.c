/*
 * File jobs through the public header alone, on several threads: the same
 * bytes as from one, under memory limits, cancelled midway by a callback or a token, several at
 * once in one context. A job that does not succeed leaves no file and no memory behind.
 */
#include "job_fixture.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 60000, THREADS = 4, SMALL_ROWS = 100 };

static char folder[] = "/tmp/ftl-jobs-XXXXXX";

/* ---- Helpers --------------------------------------------------------------------------------- */

static const char *in_folder(const char *name)
{
    static char paths[16][256];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Rows of five numbers; every 1000th has a cell that is none. */
static void write_rows(FILE *file, int rows)
{
    assert_true(fputs("id,a,b,c,d,e\n", file) >= 0);
    for (int i = 0; i < rows; i++) {
        if (i % 1000 == 999)
            fprintf(file, "%d,bad,1,2,3,4\n", i);
        else
            fprintf(file, "%d,%.6f,%.3f,%d,%.4f,-1.5\n", i, i / 7.0, (i % 97) / 3.0, i % 11,
                    (double)(i % 1013) / -17.0);
    }
}

static int make_folder(void **unused)
{
    (void)unused;
    if (!mkdtemp(folder))
        return -1;
    FILE *file = fopen(in_folder("rows.csv"), "wb"), *small = fopen(in_folder("small.csv"), "wb");
    if (!file || !small)
        return -1;
    write_rows(file, ROWS);
    write_rows(small, SMALL_ROWS);
    return fclose(file) || fclose(small) ? -1 : 0;
}

static int remove_folder(void **unused)
{
    (void)unused;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat status;
    assert_int_equal(fstat(fileno(file), &status), 0);
    char *data = malloc((size_t)status.st_size + 1);
    assert_non_null(data);
    *size = fread(data, 1, (size_t)status.st_size, file);
    assert_int_equal(*size, status.st_size);
    fclose(file);
    return data;
}

static void expect_same_files(const char *a, const char *b)
{
    size_t size_a, size_b;
    char *data_a = read_file(a, &size_a), *data_b = read_file(b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(data_a, data_b, size_a);
    free(data_a);
    free(data_b);
}

static size_t entries(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static const char *const keep[] = {"id"};

static ftl_score_options skipping(void)
{
    return (ftl_score_options){.struct_size = sizeof(ftl_score_options),
                               .proba = true,
                               .batch_rows = 500,
                               .keep = keep,
                               .n_keep = 1,
                               .on_error = FTL_ON_ERROR_SKIP};
}

/* What one thread makes of the rows, for comparison. */
static const char *expected(void)
{
    const char *path = in_folder("expected.csv");
    if (access(path, R_OK) == 0)
        return path;
    opened o = open_with(1, 0);
    ftl_error error;
    ftl_score_options options = skipping();
    if (ftl_score(o.model, in_folder("rows.csv"), path, &options, NULL, &error) != FTL_OK)
        fail_msg("%s", error.message);
    close_all(&o);
    return path;
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void threads_do_not_change_the_bytes(void **unused)
{
    (void)unused;
    const char *wanted = expected(), *out = in_folder("out.csv"), *bad = in_folder("bad.csv");
    opened o = open_with(THREADS, 0);
    ftl_error error;
    for (uint32_t threads = 0; threads <= THREADS; threads += 2) {
        ftl_score_options options = skipping();
        ftl_score_result result = {.struct_size = sizeof result};
        options.threads = threads;
        options.reject_path = bad;
        if (ftl_score(o.model, in_folder("rows.csv"), out, &options, &result, &error) != FTL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(result.rows_read, ROWS);
        assert_int_equal(result.rows_rejected, ROWS / 1000);
        assert_int_equal(result.rows_written, ROWS - ROWS / 1000);
        expect_same_files(out, wanted);
        size_t size;
        char *rejects = read_file(bad, &size);
        assert_non_null(memmem(rejects, size, "\n59999,bad,1,2,3,4,\"line 60001,", 31));
        free(rejects);
    }
    close_all(&o);
}

static void small_inputs_start_no_thread(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    size_t threads = entries("/proc/self/task");
    ftl_score_options options = skipping();
    options.on_error = FTL_ON_ERROR_NULL;
    assert_int_equal(
        ftl_score(o.model, in_folder("small.csv"), in_folder("out.csv"), &options, NULL, NULL),
        FTL_OK);
    assert_int_equal(entries("/proc/self/task"), threads);
    options = skipping();
    assert_int_equal(
        ftl_score(o.model, in_folder("rows.csv"), in_folder("out.csv"), &options, NULL, NULL),
        FTL_OK);
    size_t more = entries("/proc/self/task");
    assert_true(more > threads && more <= threads + THREADS);
    /* The next job has them already. */
    assert_int_equal(
        ftl_score(o.model, in_folder("rows.csv"), in_folder("out.csv"), &options, NULL, NULL),
        FTL_OK);
    assert_true(entries("/proc/self/task") <= threads + THREADS);
    close_all(&o);
}

static void several_inputs_are_one_job(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    const char *rows = in_folder("rows.csv"), *small = in_folder("small.csv");
    const char *out = in_folder("out.csv"), *const more[] = {rows, small, in_folder("s*.csv"),
                                                             NULL};
    const char *const keep_origin[] = {"id", "filename"};
    ftl_error error;
    for (uint32_t threads = 1; threads <= THREADS; threads += 3) {
        ftl_score_options options = skipping();
        ftl_score_result result = {.struct_size = sizeof result};
        options.threads = threads;
        options.keep = keep_origin;
        options.n_keep = 2;
        options.more_inputs = more;
        options.n_more_inputs = 3;
        if (ftl_score(o.model, small, out, &options, &result, &error) != FTL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(result.rows_read, ROWS + 3 * SMALL_ROWS);
        options.limit = ROWS + SMALL_ROWS + 1;
        assert_int_equal(ftl_score(o.model, small, out, &options, &result, &error), FTL_OK);
        assert_int_equal(result.rows_read, ROWS + SMALL_ROWS + 1);

        options.on_error = FTL_ON_ERROR_FAIL; /* the 1000th row of the second file is bad */
        assert_int_equal(ftl_score(o.model, small, out, &options, NULL, &error), FTL_VALUE);
        assert_int_equal(strncmp(error.message, rows, strlen(rows)), 0);
        assert_non_null(strstr(error.message, ": line 1001, column 'a': 'bad' is not a number"));
        assert_int_equal(error.line, 1001);
        assert_int_equal(error.row, SMALL_ROWS + 999);

        options.n_more_inputs = 4;
        assert_int_equal(ftl_score(o.model, small, out, &options, NULL, &error), FTL_ARG);
        assert_string_equal(error.option, "more_inputs");
    }
    close_all(&o);
}

typedef struct caller {
    pthread_t thread;
    ftl_model *model;
    char path[256];
    ftl_status status;
} caller;

static void *score_all(void *user)
{
    caller *c = user;
    const ftl_score_options options = skipping();
    char rows[256];
    snprintf(rows, sizeof rows, "%s/rows.csv", folder);
    c->status = ftl_score(c->model, rows, c->path, &options, NULL, NULL);
    return NULL;
}

static void jobs_side_by_side_share_the_threads(void **unused)
{
    (void)unused;
    enum { CALLERS = 3 };
    const char *wanted = expected();
    opened o = open_with(2, 0);
    caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i].model = o.model;
        snprintf(callers[i].path, sizeof callers[i].path, "%s/out-%d.csv", folder, i);
        assert_int_equal(pthread_create(&callers[i].thread, NULL, score_all, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_int_equal(callers[i].status, FTL_OK);
        expect_same_files(callers[i].path, wanted);
        assert_int_equal(unlink(callers[i].path), 0);
    }
    close_all(&o);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void a_memory_limit_holds_and_leaves_nothing(void **unused)
{
    (void)unused;
    const char *wanted = expected();
    int refused = 0, done = 0;
    (void)unlink(in_folder("out.csv"));
    size_t files = entries(folder);
    for (uint64_t limit = 400000; done < 3; limit += limit / 8) {
        opened o = open_with(THREADS, limit);
        ftl_error error;
        const ftl_score_options options = skipping();
        const char *out = in_folder("out.csv");
        ftl_status status = ftl_score(o.model, in_folder("rows.csv"), out, &options, NULL, &error);
        assert_true(ftl_context_memory_used(o.context) <= limit);
        if (status == FTL_OK) {
            expect_same_files(out, wanted);
            assert_int_equal(unlink(out), 0);
            done++;
        } else {
            assert_int_equal(status, FTL_NOMEM);
            refused++;
        }
        assert_int_equal(entries(folder), files);
        close_all(&o);
    }
    assert_true(refused > 0);
}

/* ---- Cancelling ------------------------------------------------------------------------------ */

typedef struct watcher {
    _Atomic int calls;
    ftl_cancel *cancel; /* NULL: the callback itself says no */
    uint64_t rows;
} watcher;

static bool stop_midway(void *user, const ftl_progress *progress)
{
    watcher *w = user;
    assert_int_equal(progress->struct_size, sizeof *progress);
    assert_true(progress->bytes_read > 0 && progress->bytes_read <= progress->bytes_total);
    w->calls++;
    w->rows = progress->rows;
    if (w->cancel)
        ftl_cancel_trigger(w->cancel);
    return w->cancel != NULL;
}

static void expect_cancelled(opened *o, ftl_score_options *options)
{
    ftl_error error;
    (void)unlink(in_folder("out.csv"));
    size_t files = entries(folder);
    ftl_score_result result = {.struct_size = sizeof result, .rows_read = 77};
    assert_int_equal(
        ftl_score(o->model, in_folder("rows.csv"), in_folder("out.csv"), options, &result, &error),
        FTL_CANCELLED);
    assert_int_equal(error.code, FTL_CANCELLED);
    assert_int_equal(result.rows_read, 77); /* untouched on failure */
    assert_int_equal(entries(folder), files);
}

static void callbacks_and_tokens_stop_a_job_midway(void **unused)
{
    (void)unused;
    opened o = open_with(THREADS, 0);
    watcher w = {0};
    ftl_score_options options = skipping();
    options.progress = stop_midway;
    options.progress_user = &w;
    expect_cancelled(&o, &options);
    assert_int_equal(w.calls, 1);
    assert_true(w.rows < ROWS);

    assert_int_equal(ftl_cancel_create(o.context, &w.cancel, NULL), FTL_OK);
    assert_false(ftl_cancel_triggered(w.cancel));
    options.cancel = w.cancel;
    w.calls = 0;
    expect_cancelled(&o, &options);
    assert_int_equal(w.calls, 1);
    assert_true(ftl_cancel_triggered(w.cancel));

    expect_cancelled(&o, &options); /* a triggered token stops the next job before it begins */
    assert_int_equal(w.calls, 1);
    ftl_cancel_destroy(w.cancel);
    close_all(&o);
}

static bool count_text(void *user, const char *text, size_t size)
{
    (void)text;
    *(size_t *)user += size;
    return true;
}

static void tokens_stop_a_check(void **unused)
{
    (void)unused;
    opened o = open_with(1, 0);
    ftl_cancel *cancel = NULL;
    size_t size = 0;
    assert_int_equal(ftl_cancel_create(o.context, &cancel, NULL), FTL_OK);
    ftl_score_options options = skipping();
    options.cancel = cancel;
    const char *rows = in_folder("rows.csv");
    assert_int_equal(ftl_check(o.model, rows, &options, count_text, &size, NULL), FTL_VALUE);
    assert_true(size > 0);
    size = 0;
    ftl_cancel_trigger(cancel);
    assert_int_equal(ftl_check(o.model, rows, &options, count_text, &size, NULL), FTL_CANCELLED);
    assert_int_equal(size, 0);
    ftl_cancel_destroy(cancel);
    close_all(&o);
}

static void *trigger_later(void *user)
{
    usleep(100000);
    ftl_cancel_trigger(user);
    return NULL;
}

/* A FIFO whose writer says no more, and one that nobody ever opens. */
static void a_token_ends_the_wait_for_a_pipe(void **unused)
{
    (void)unused;
    const char *fifo = in_folder("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (int with_writer = 0; with_writer < 2; with_writer++) {
        opened o = open_with(THREADS, 0);
        ftl_error error;
        pthread_t thread;
        ftl_score_options options = skipping();
        ftl_cancel *cancel = NULL;
        assert_int_equal(ftl_cancel_create(o.context, &cancel, NULL), FTL_OK);
        options.cancel = cancel;
        FILE *writer = with_writer ? fopen(fifo, "r+b") : NULL;
        if (writer)
            write_rows(writer, SMALL_ROWS);
        if (writer)
            assert_int_equal(fflush(writer), 0);
        size_t files = entries(folder);
        assert_int_equal(pthread_create(&thread, NULL, trigger_later, cancel), 0);
        assert_int_equal(ftl_score(o.model, fifo, in_folder("never.csv"), &options, NULL, &error),
                         FTL_CANCELLED);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(entries(folder), files);
        if (writer)
            fclose(writer);
        ftl_cancel_destroy(cancel);
        close_all(&o);
    }
    assert_int_equal(unlink(fifo), 0);
}

/* ---- Reasons --------------------------------------------------------------------------------- */

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

typedef struct refusal {
    const char *table;
    ftl_status code;
    ftl_reason reason;
    const char *option, *says;
} refusal;

/* Of a table, with the options of the other tests: the column id is kept, bad rows end the job. */
static void expect_refusal(ftl_model *model, const refusal *r, ftl_score_options options)
{
    ftl_error error;
    put_file(in_folder("bad.csv"), r->table);
    ftl_status status = ftl_score(model, in_folder("bad.csv"), in_folder("out.csv"), &options, NULL,
                                  &error);
    assert_int_equal(status, r->code);
    assert_int_equal(error.code, r->code);
    assert_string_equal(ftl_reason_name(error.reason), ftl_reason_name(r->reason));
    assert_string_equal(error.option, r->option);
    if (!strstr(error.message, r->says))
        fail_msg("'%s' does not say '%s'", error.message, r->says);
}

static void errors_say_why_and_which_option(void **unused)
{
    (void)unused;
    static const refusal refusals[] = {
        {"id,a,b,c,d,e\n1,2,3,4,5,x\n", FTL_VALUE, FTL_REASON_BAD_CELL, "", "line 2"},
        {"id;a;b;c;d;e\n1;2;3;4;5;6,5\n", FTL_VALUE, FTL_REASON_BAD_CELL, "decimal",
         "options.decimal"},
        {"id,a,b,c,d,e\n1,2,3,4,5\n", FTL_SHAPE, FTL_REASON_RAGGED_ROW, "", "5 cells"},
        {"id,a,b,c,d,e\n1,2,3,4,5,\n", FTL_VALUE, FTL_REASON_MISSING_VALUE, "", "missing"},
        {"id,a,b,c,d,e\n1,2,3,4,5,inf\n", FTL_VALUE, FTL_REASON_INFINITE_VALUE, "", "infinity"},
        {"id,a,b,c,d,e\n1,2,\"3,4,5,6\n", FTL_VALUE, FTL_REASON_OPEN_QUOTE, "", "quote"},
        {"id,a,b\n1,2,3\n", FTL_SHAPE, FTL_REASON_COLUMN_COUNT, "features", "options.features"},
        {"a,b,c,d,e\n1,2,3,4,5\n", FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS, "keep", "'id'"},
        {"id,id,b,c,d,e\n1,2,3,4,5,6\n", FTL_SCHEMA, FTL_REASON_DUPLICATE_COLUMN, "", "2 times"},
    };
    static const char *const five[] = {"id", "b", "c", "d", "e"};
    opened o = open_with(1, 0);
    ftl_score_options options = skipping();
    options.on_error = FTL_ON_ERROR_FAIL;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        options.features = five;
        options.n_features = refusals[i].reason == FTL_REASON_DUPLICATE_COLUMN ? 5 : 0;
        expect_refusal(o.model, &refusals[i], options);
    }
    const char *table = refusals[0].table;
    options = skipping();
    options.max_record_bytes = 20;
    expect_refusal(o.model,
                   &(refusal){"id,a,b,c,d,e\n1,2,3,4,5,000000000000000000000000\n", FTL_LIMIT,
                              FTL_REASON_RECORD_SIZE, "max_record_bytes",
                              "options.max_record_bytes"},
                   options);
    options.max_record_bytes = SIZE_MAX;
    expect_refusal(o.model,
                   &(refusal){table, FTL_ARG, FTL_REASON_BAD_OPTION, "max_record_bytes",
                              "options.max_record_bytes"},
                   options);
    options = skipping();
    options.method_set = true;
    options.method = FTL_DECISION_FUNCTION;
    expect_refusal(o.model,
                   &(refusal){table, FTL_ARG, FTL_REASON_BAD_OPTION, "proba",
                              "options.proba goes with predict"},
                   options);
    options.method = FTL_TRANSFORM;
    expect_refusal(o.model,
                   &(refusal){table, FTL_ARG, FTL_REASON_METHOD_MISSING, "method", "transform"},
                   options);
    options.struct_size = 0;
    expect_refusal(
        o.model,
        &(refusal){table, FTL_ARG, FTL_REASON_STRUCT_SIZE, "struct_size", "ftl_score_options"},
        options);
    close_all(&o);
}

static void every_reason_has_a_name(void **unused)
{
    (void)unused;
    for (int i = 0; i <= FTL_REASON_PLAN_SIZE; i++)
        assert_string_not_equal(ftl_reason_name((ftl_reason)i), "UNKNOWN");
    assert_string_equal(ftl_reason_name((ftl_reason)(FTL_REASON_PLAN_SIZE + 1)), "UNKNOWN");
    assert_string_equal(ftl_reason_name((ftl_reason)-1), "UNKNOWN");
    assert_string_equal(ftl_reason_name(FTL_REASON_INFINITE_VALUE), "INFINITE_VALUE");
}

/* ---- Sizes of structs ------------------------------------------------------------------------ */

static void a_struct_size_of_zero_is_refused(void **unused)
{
    (void)unused;
    ftl_context *context = NULL;
    const ftl_context_options no_size = {.threads = 1};
    assert_int_equal(ftl_context_create(&no_size, &context, NULL), FTL_ARG);
    assert_int_equal(ftl_context_create(NULL, NULL, NULL), FTL_ARG);
    opened o = open_with(1, 0);
    const char *rows = in_folder("small.csv"), *out = in_folder("out.csv");
    ftl_score_options options = {.on_error = FTL_ON_ERROR_NULL};
    ftl_score_result result = {0};
    size_t size = 0;
    (void)unlink(out);
    for (size_t i = 0; i < sizeof(size_t); i++) {
        options.struct_size = i;
        assert_int_equal(ftl_score(o.model, rows, out, &options, NULL, NULL), FTL_ARG);
        assert_int_equal(ftl_check(o.model, rows, &options, count_text, &size, NULL), FTL_ARG);
    }
    options.struct_size = sizeof options;
    assert_int_equal(ftl_score(o.model, rows, out, &options, &result, NULL), FTL_ARG);
    assert_int_not_equal(access(out, F_OK), 0);
    close_all(&o);
}

/* Programs built against an older and a newer header: both get what they know. */
static void other_struct_sizes_work(void **unused)
{
    (void)unused;
    opened o = open_with(1, 0);
    struct {
        ftl_score_result result;
        unsigned char later[16];
    } newer, older;
    ftl_score_options options = skipping();
    options.on_error = FTL_ON_ERROR_NULL;
    memset(&newer, 0xee, sizeof newer);
    memset(&older, 0xee, sizeof older);
    newer.result.struct_size = sizeof newer;
    older.result.struct_size = offsetof(ftl_score_result, rows_written);
    const char *rows = in_folder("small.csv"), *out = in_folder("out.csv");
    assert_int_equal(ftl_score(o.model, rows, out, &options, &newer.result, NULL), FTL_OK);
    assert_int_equal(newer.result.rows_written, SMALL_ROWS);
    assert_int_equal(newer.result.struct_size, sizeof newer);
    assert_int_equal(newer.later[0] | newer.later[15], 0); /* unknown here: zero */
    assert_int_equal(ftl_score(o.model, rows, out, &options, &older.result, NULL), FTL_OK);
    assert_int_equal(older.result.rows_read, SMALL_ROWS);
    assert_int_equal(older.result.rows_written, UINT64_C(0xeeeeeeeeeeeeeeee));
    options.delimiter = ';'; /* beyond what the older caller's struct has */
    options.struct_size = offsetof(ftl_score_options, delimiter);
    options.no_header = true;
    newer.result.struct_size = sizeof newer.result;
    assert_int_equal(ftl_score(o.model, rows, out, &options, &newer.result, NULL), FTL_OK);
    assert_int_equal(newer.result.rows_read, SMALL_ROWS);
    close_all(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_the_bytes),
        cmocka_unit_test(small_inputs_start_no_thread),
        cmocka_unit_test(several_inputs_are_one_job),
        cmocka_unit_test(jobs_side_by_side_share_the_threads),
        cmocka_unit_test(a_memory_limit_holds_and_leaves_nothing),
        cmocka_unit_test(callbacks_and_tokens_stop_a_job_midway),
        cmocka_unit_test(tokens_stop_a_check),
        cmocka_unit_test(a_token_ends_the_wait_for_a_pipe),
        cmocka_unit_test(errors_say_why_and_which_option),
        cmocka_unit_test(every_reason_has_a_name),
        cmocka_unit_test(a_struct_size_of_zero_is_refused),
        cmocka_unit_test(other_struct_sizes_work),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
