/* Streams over files, memory and sources of odd manners. */
#include "io/codec.h"
#include "torture.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    ftl_account account;
    char folder[64];
    char file[96];
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    ftl_account_init(&f->account, NULL, 0);
    snprintf(f->folder, sizeof f->folder, "/tmp/ftl-stream-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->file, sizeof f->file, "%s/file", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unlink(f->file);
    rmdir(f->folder);
    int leaked = ftl_account_used(&f->account) != 0;
    free(f);
    return leaked;
}

static uint8_t pattern(size_t i) { return (uint8_t)(i * 31 + (i >> 8)); }

static void write_pattern(const char *path, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(pattern(i), file);
    assert_int_equal(fclose(file), 0);
}

/* A source that gives `step` bytes a call and then ends, or fails with status at the end. */
typedef struct drip {
    size_t size, step, given;
    ftl_status at_end;
    int closed, calls_after_end;
} drip;

static ftl_status drip_read(void *state, void *out, size_t room, size_t *got, ftl_error *error)
{
    drip *d = state;
    size_t n = d->size - d->given;
    if (n == 0) {
        d->calls_after_end++;
        if (d->at_end != FTL_OK)
            return FTL_FAIL(error, d->at_end, "the drip failed");
    }
    n = n < d->step ? n : d->step;
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = pattern(d->given + i);
    d->given += n;
    *got = n;
    return FTL_OK;
}

static void drip_close(void *state) { ((drip *)state)->closed++; }

static const ftl_stream_ops drip_ops = {.read = drip_read, .close = drip_close};

static void file_is_read_in_pieces_of_any_size(void **state)
{
    fixture *f = *state;
    enum { SIZE = 700001 };
    write_pattern(f->file, SIZE);
    static const size_t pieces[] = {1, 7, 4096, 65535, 65536, 262144, 300000, SIZE};
    uint8_t *out = malloc(SIZE);
    assert_non_null(out);
    for (size_t p = 0; p < FTL_ARRAY_LEN(pieces); p++) {
        ftl_stream *stream;
        uint64_t size = 0;
        assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, &size, NULL), FTL_OK);
        assert_int_equal(size, SIZE);
        for (size_t at = 0; at < SIZE;) {
            size_t n = SIZE - at < pieces[p] ? SIZE - at : pieces[p];
            assert_int_equal(ftl_stream_read(stream, out + at, n, NULL), FTL_OK);
            at += n;
            assert_int_equal(ftl_stream_offset(stream), at);
        }
        for (size_t i = 0; i < SIZE; i++) {
            if (out[i] != pattern(i))
                fail_msg("byte %zu differs with pieces of %zu", i, pieces[p]);
        }
        ftl_stream_close(stream);
    }
    free(out);
}

/* Consumes size bytes as they are shown; CORRUPT when the stream ends before. */
static ftl_status read_past(ftl_stream *stream, size_t size, ftl_error *error)
{
    while (size) {
        const uint8_t *data;
        size_t available;
        FTL_TRY(ftl_stream_ahead(stream, 1, &data, &available, error));
        if (available == 0)
            return FTL_CORRUPT;
        size_t n = available < size ? available : size;
        ftl_stream_consume(stream, n);
        size -= n;
    }
    return FTL_OK;
}

static void ahead_shows_without_consuming(void **state)
{
    fixture *f = *state;
    write_pattern(f->file, 600000);
    ftl_stream *stream;
    const uint8_t *data;
    size_t available;
    assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, NULL, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 0, &data, &available, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 10, &data, &available, NULL), FTL_OK);
    assert_true(available >= 10);
    assert_int_equal(ftl_stream_offset(stream), 0);
    ftl_stream_consume(stream, 3);
    assert_int_equal(ftl_stream_ahead(stream, 500000, &data, &available, NULL), FTL_OK);
    assert_true(available >= 500000);
    assert_int_equal(data[0], pattern(3));
    assert_int_equal(data[499999], pattern(500002));
    assert_int_equal(read_past(stream, 599990, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 100, &data, &available, NULL), FTL_OK);
    assert_int_equal(available, 7);
    assert_int_equal(data[0], pattern(599993));
    ftl_stream_close(stream);
}

static void early_end_names_what_is_missing(void **state)
{
    fixture *f = *state;
    write_pattern(f->file, 100);
    ftl_stream *stream;
    ftl_error error;
    uint8_t out[64];
    assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, NULL, NULL), FTL_OK);
    assert_int_equal(ftl_stream_read(stream, out, 64, &error), FTL_OK);
    assert_int_equal(ftl_stream_read(stream, out, 64, &error), FTL_CORRUPT);
    assert_int_equal(error.offset, 100);
    assert_non_null(strstr(error.message, "28 more bytes"));
    assert_int_equal(ftl_stream_read(stream, out, 1, &error), FTL_CORRUPT);
    ftl_stream_close(stream);
}

static void what_is_not_a_file_is_refused(void **state)
{
    fixture *f = *state;
    ftl_stream *stream = NULL;
    ftl_error error;
    assert_int_equal(ftl_stream_open_file(&f->account, f->folder, &stream, NULL, &error), FTL_IO);
    assert_non_null(strstr(error.message, "is a directory"));
    assert_non_null(strstr(error.message, f->folder));
    assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, NULL, &error), FTL_IO);
    assert_non_null(strstr(error.message, f->file));
    assert_non_null(strstr(error.message, "No such file"));
    assert_null(stream);
}

static void memory_is_shown_without_a_copy(void **state)
{
    fixture *f = *state;
    static const uint8_t bytes[5] = {1, 2, 3, 4, 5};
    ftl_stream *stream;
    const uint8_t *data;
    size_t available;
    assert_int_equal(ftl_stream_open_memory(&f->account, bytes, 5, &stream, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 1, &data, &available, NULL), FTL_OK);
    assert_ptr_equal(data, bytes);
    assert_int_equal(available, 5);
    ftl_stream_consume(stream, 99); /* never past what is there */
    assert_int_equal(ftl_stream_offset(stream), 5);
    assert_int_equal(ftl_stream_ahead(stream, 1000000000, &data, &available, NULL), FTL_OK);
    assert_int_equal(available, 0);
    ftl_stream_close(stream);
    assert_int_equal(ftl_stream_open_memory(&f->account, NULL, 0, &stream, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 1, &data, &available, NULL), FTL_OK);
    assert_int_equal(available, 0);
    ftl_stream_close(stream);
}

static void budget_is_exact(void **state)
{
    fixture *f = *state;
    for (uint64_t budget = 999; budget <= 1001; budget++) {
        drip source = {.size = 1000, .step = 13};
        ftl_stream *stream;
        ftl_error error;
        ftl_error_clear(&error);
        assert_int_equal(ftl_stream_create(&f->account, &drip_ops, &source, budget, &stream, NULL),
                         FTL_OK);
        const uint8_t *data;
        size_t available;
        ftl_status expected = budget < 1000 ? FTL_LIMIT : FTL_OK;
        assert_int_equal(ftl_stream_ahead(stream, 2000, &data, &available, &error), expected);
        if (expected == FTL_LIMIT)
            assert_non_null(strstr(error.message, "999"));
        else
            assert_int_equal(available, 1000);
        ftl_stream_close(stream);
        assert_int_equal(source.closed, 1);
    }
}

static void endless_files_end_at_the_budget(void **state)
{
    fixture *f = *state;
    ftl_stream *stream;
    assert_int_equal(ftl_stream_open_file(&f->account, "/dev/zero", &stream, NULL, NULL), FTL_OK);
    assert_int_equal(ftl_codec_decode(&f->account, &stream, 1000000, NULL, 0, NULL), FTL_OK);
    assert_int_equal(read_past(stream, 1000000, NULL), FTL_OK);
    assert_int_equal(read_past(stream, 1, NULL), FTL_LIMIT);
    ftl_stream_close(stream);
}

static void huge_items_are_refused_before_memory_is_taken(void **state)
{
    fixture *f = *state;
    drip source = {.size = 1000, .step = 1000};
    ftl_stream *stream;
    const uint8_t *data;
    size_t available;
    assert_int_equal(ftl_stream_create(&f->account, &drip_ops, &source, 0, &stream, NULL), FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, SIZE_MAX, &data, &available, NULL), FTL_LIMIT);
    assert_true(ftl_account_used(&f->account) < 4096);
    assert_int_equal(ftl_stream_ahead(stream, 16 << 20, &data, &available, NULL), FTL_OK);
    assert_int_equal(available, 1000);
    ftl_stream_close(stream);
}

static void a_failed_source_is_not_asked_again(void **state)
{
    fixture *f = *state;
    drip source = {.size = 10, .step = 3, .at_end = FTL_IO};
    ftl_stream *stream;
    ftl_error error;
    uint8_t out[100];
    assert_int_equal(ftl_stream_create(&f->account, &drip_ops, &source, 0, &stream, NULL), FTL_OK);
    assert_int_equal(ftl_stream_read(stream, out, 10, &error), FTL_OK);
    assert_int_equal(ftl_stream_read(stream, out, 1, &error), FTL_IO);
    assert_int_equal(error.offset, 10);
    assert_int_equal(ftl_stream_read(stream, out, 1, &error), FTL_IO);
    assert_int_equal(source.calls_after_end, 1);
    ftl_stream_close(stream);
}

/* joblib.dump truncates and rewrites in place: the reader must not mix two versions. */
static void a_file_that_changes_is_refused(void **state)
{
    fixture *f = *state;
    for (int longer = 0; longer < 2; longer++) {
        write_pattern(f->file, 1000000);
        ftl_stream *stream;
        ftl_error error;
        assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, NULL, NULL), FTL_OK);
        assert_int_equal(read_past(stream, 1000, &error), FTL_OK);
        assert_int_equal(ftl_stream_verify(stream, &error), FTL_OK);
        write_pattern(f->file, longer ? 1200000 : 500000);
        assert_int_equal(ftl_stream_verify(stream, &error), FTL_IO);
        assert_int_equal(read_past(stream, 999000, &error), FTL_IO);
        assert_non_null(strstr(error.message, "changed while it was read"));
        ftl_stream_close(stream);
    }
}

static void a_fifo_is_read(void **state)
{
    fixture *f = *state;
    assert_int_equal(mkfifo(f->file, 0600), 0);
    int holder = open(f->file, O_RDWR);
    assert_true(holder >= 0);
    assert_int_equal(write(holder, "hello", 5), 5);
    ftl_stream *stream;
    uint64_t size = 9;
    char out[6] = "";
    assert_int_equal(ftl_stream_open_file(&f->account, f->file, &stream, &size, NULL), FTL_OK);
    assert_int_equal(size, 0);
    assert_int_equal(ftl_stream_read(stream, out, 5, NULL), FTL_OK);
    assert_string_equal(out, "hello");
    close(holder);
    assert_int_equal(ftl_stream_read(stream, out, 1, NULL), FTL_CORRUPT);
    ftl_stream_close(stream);
}

static void kernel_files_are_read(void **state)
{
    fixture *f = *state;
    ftl_stream *stream;
    const uint8_t *data;
    size_t available;
    assert_int_equal(ftl_stream_open_file(&f->account, "/proc/self/stat", &stream, NULL, NULL),
                     FTL_OK);
    assert_int_equal(ftl_stream_ahead(stream, 100000, &data, &available, NULL), FTL_OK);
    assert_true(available > 10);
    ftl_stream_close(stream);
}

static void every_allocation_may_fail(void **state)
{
    fixture *f = *state;
    write_pattern(f->file, 600000);
    for (long n = 1;; n++) {
        torture t;
        ftl_account account;
        torture_begin(&t, &account, n);
        ftl_stream *stream;
        ftl_status status = ftl_stream_open_file(&account, f->file, &stream, NULL, NULL);
        if (status == FTL_OK) {
            const uint8_t *data;
            size_t available;
            status = ftl_stream_ahead(stream, 500000, &data, &available, NULL);
            ftl_stream_close(stream);
        }
        assert_int_equal(t.held, 0);
        if (torture_over(&t)) {
            assert_int_equal(status, FTL_OK);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(status, FTL_NOMEM);
    }
    drip source = {.size = 10, .step = 1};
    torture t;
    ftl_account account;
    torture_begin(&t, &account, 1);
    ftl_stream *stream;
    assert_int_equal(ftl_stream_create(&account, &drip_ops, &source, 0, &stream, NULL), FTL_NOMEM);
    assert_int_equal(source.closed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_is_read_in_pieces_of_any_size),
        TEST(ahead_shows_without_consuming),
        TEST(early_end_names_what_is_missing),
        TEST(what_is_not_a_file_is_refused),
        TEST(memory_is_shown_without_a_copy),
        TEST(budget_is_exact),
        TEST(endless_files_end_at_the_budget),
        TEST(huge_items_are_refused_before_memory_is_taken),
        TEST(a_failed_source_is_not_asked_again),
        TEST(a_file_that_changes_is_refused),
        TEST(a_fifo_is_read),
        TEST(kernel_files_are_read),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
