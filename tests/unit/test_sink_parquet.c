/* The Parquet sink: its bytes, and that nothing half-written is ever left. */
#include "table_helper.h"

#include "base/cancel.h"
#include "table/sink.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][sizeof folder + 256];
    static unsigned turn;
    char *out = path[turn++ % 2];
    snprintf(out, sizeof path[0], "%s/%s", folder, name);
    return out;
}

static size_t files_in_folder(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static int make_folder(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/test_parquet_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    return rmdir(folder);
}

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state >> 33;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static const double f64[] = {0.1, (double)NAN, 1e22};
static const float f32[] = {0.1f, -0.0f, 1};
static const int64_t i64[] = {-1, INT64_MAX, 0};
static const uint8_t bools[] = {1, 0, 1};
static const uint32_t offsets[] = {0, 3, 7, 7};
static const uint8_t all_but_second[] = {5};

static const ftl_column columns[] = {
    {.type = FTL_STRING, .values = "a,b\"\n q", .offsets = offsets},
    {.type = FTL_F64, .values = f64},
    {.type = FTL_F32, .values = f32},
    {.type = FTL_I64, .values = i64, .validity = all_but_second},
    {.type = FTL_U64, .values = i64, .validity = all_but_second},
    {.type = FTL_BOOL, .values = bools, .validity = all_but_second}};
static const ftl_sink_column names[] = {{"id", FTL_STRING}, {"x", FTL_F64}, {"y", FTL_F32},
                                        {"n", FTL_I64},     {"u", FTL_U64}, {"b", FTL_BOOL}};

static ftl_status write_times(ftl_account *account, ftl_sink *sink, const ftl_batch *batch,
                              size_t times, ftl_error *error)
{
    ftl_strbuf piece;
    ftl_status status = FTL_OK;
    ftl_strbuf_init(&piece, account, 0);
    for (size_t i = 0; status == FTL_OK && i < times; i++) {
        ftl_strbuf_clear(&piece);
        status = ftl_sink_format(sink, batch, NULL, &piece, error);
        if (status == FTL_OK)
            status = ftl_sink_append(sink, piece.data, piece.size, batch->rows, error);
    }
    ftl_strbuf_free(&piece);
    return status;
}

static ftl_status write_file(ftl_account *account, const ftl_sink_options *options,
                             const ftl_column *values, size_t times, ftl_error *error)
{
    ftl_sink *sink;
    const ftl_batch batch = {.rows = 3, .n_columns = options->n_columns, .columns = values};
    FTL_TRY(ftl_sink_open(account, options, &sink, error));
    ftl_status status = write_times(account, sink, &batch, times, error);
    if (status != FTL_OK) {
        ftl_sink_abort(sink);
        return status;
    }
    return ftl_sink_commit(sink, NULL, error);
}

static size_t read_file(const char *path, uint8_t *out, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(out, 1, room, file);
    fclose(file);
    return n;
}

/* One column of int64, of which the second of three is null, byte for byte. */
static void writes_these_bytes(void **unused)
{
    (void)unused;
    static const uint8_t before[] = {
        'P',  'A',  'R',  '1',                                /* */
        0x15, 0x00, 0x15, 0x2c, 0x15, 0x2c,                   /* a data page, 22 bytes twice */
        0x2c, 0x15, 0x06, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, /* 3 values, PLAIN, RLE, RLE */
        0x00, 0x00,                                           /* */
        0x02, 0x00, 0x00, 0x00, 0x03, 0x05,                   /* levels: 8 packed bits, 101 */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,       /* -1 */
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,       /* 0 */
        0x15, 0x02,                                           /* version 1 */
        0x19, 0x2c,                                           /* schema: two elements */
        0x48, 0x06, 's',  'c',  'h',  'e',  'm',  'a',  0x15, 0x02, 0x00,
        0x15, 0x04, 0x25, 0x02, 0x18, 0x01, 'n',  0x00, /* INT64, optional, "n" */
        0x16, 0x06,                                     /* 3 rows */
        0x19, 0x1c, 0x19, 0x1c,                         /* one row group, one column chunk */
        0x26, 0x00, 0x1c,                               /* file_offset 0, meta_data: */
        0x15, 0x04, 0x19, 0x25, 0x00, 0x06,             /* INT64; PLAIN and RLE */
        0x19, 0x18, 0x01, 'n',  0x15, 0x00,             /* ["n"], UNCOMPRESSED */
        0x16, 0x06, 0x16, 0x4e, 0x16, 0x4e,             /* 3 values, 39 bytes twice */
        0x26, 0x08,                                     /* data_page_offset 4 */
        0x3c, 0x36, 0x02,                               /* statistics: one null, */
        0x28, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,       /* max_value 0, */
        0x18, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,       /* min_value -1, */
        0x11, 0x11, 0x00,                                                 /* both exact */
        0x19, 0x1c, 0x15, 0x00, 0x15, 0x00, 0x15, 0x02, 0x00,             /* one PLAIN data page */
        0x00, 0x00,                                                       /* */
        0x16, 0x4e, 0x16, 0x06, 0x26, 0x08, 0x16, 0x4e, 0x14, 0x00, 0x00, /* the row group's */
        0x28};
    static const uint8_t behind[] = {0x19, 0x1c, 0x1c, 0x00, 0x00, 0x00}; /* its type's own order */
    uint8_t bytes[512];
    const char *path = in_folder("out.parquet");
    const ftl_sink_options options = {
        .path = path, .columns = names + 3, .n_columns = 1, .compression = "none"};
    ftl_account *account = test_account();
    assert_int_equal(write_file(account, &options, columns + 3, 1, NULL), FTL_OK);
    assert_int_equal(ftl_account_used(account), 0);
    size_t size = read_file(path, bytes, sizeof bytes);
    unlink(path);
    assert_true(size > sizeof before + sizeof behind + 8);
    for (size_t i = 0; i < sizeof before; i++) {
        if (bytes[i] != before[i])
            fail_msg("byte %zu is %02x, not %02x", i, bytes[i], before[i]);
    }
    const uint8_t *maker = bytes + sizeof before, *end = bytes + size - 8;
    assert_memory_equal(maker + 1, "foretell version ", 17);
    assert_ptr_equal(maker + 1 + maker[0] + sizeof behind, end);
    assert_memory_equal(end - sizeof behind, behind, sizeof behind);
    uint32_t footer;
    memcpy(&footer, end, sizeof footer);
    assert_int_equal(footer, end - (bytes + 43));
    assert_memory_equal(end + 4, "PAR1", 4);
}

static void takes_several_pieces_at_once(void **unused)
{
    (void)unused;
    static uint8_t one[4096], two[4096];
    const char *path = in_folder("out.pq");
    const ftl_sink_options options = {.path = path, .columns = names, .n_columns = 6};
    const ftl_batch batch = {.rows = 3, .n_columns = 6, .columns = columns};
    ftl_account *account = test_account();
    assert_int_equal(write_file(account, &options, columns, 2, NULL), FTL_OK);
    size_t size = read_file(path, one, sizeof one);
    ftl_sink *sink;
    ftl_strbuf pieces;
    ftl_strbuf_init(&pieces, account, 0);
    assert_int_equal(ftl_sink_open(account, &options, &sink, NULL), FTL_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ftl_sink_format(sink, &batch, NULL, &pieces, NULL), FTL_OK);
    assert_int_equal(ftl_sink_append(sink, pieces.data, pieces.size, 6, NULL), FTL_OK);
    assert_int_equal(ftl_sink_commit(sink, NULL, NULL), FTL_OK);
    ftl_strbuf_free(&pieces);
    assert_int_equal(read_file(path, two, sizeof two), size);
    assert_memory_equal(one, two, size);
    unlink(path);
    assert_int_equal(ftl_account_used(account), 0);
}

static void refuses_what_is_not_utf8(void **unused)
{
    (void)unused;
    /* one text, two whose bytes together are UTF-8, and the same behind a null */
    static const uint32_t ends[] = {0, 1, 2, 2};
    static const char *const texts[] = {"\xff ", "\xc3\xa9"};
    ftl_error error;
    const ftl_sink_options options = {
        .path = in_folder("out.parquet"), .columns = names, .n_columns = 1};
    for (size_t i = 0; i < 2; i++) {
        const ftl_column column = {.type = FTL_STRING, .values = texts[i], .offsets = ends};
        assert_int_equal(write_file(test_account(), &options, &column, 1, &error), FTL_VALUE);
        assert_non_null(strstr(error.message, "column 'id' has a text that is not UTF-8"));
    }
    const ftl_sink_column bad = {"\xff", FTL_F64};
    const ftl_sink_options named = {
        .path = in_folder("out.parquet"), .columns = &bad, .n_columns = 1};
    assert_int_equal(write_file(test_account(), &named, columns + 1, 1, &error), FTL_UNSUPPORTED);
    assert_int_equal(files_in_folder(), 0);
}

/* The same once texts are no longer told apart, where they are looked at in another way. */
static void refuses_it_among_many_texts(void **unused)
{
    (void)unused;
    enum { ROWS = 1 << 17, WIDTH = 16 };
    ftl_account *account = test_account();
    char *texts = calloc(ROWS, WIDTH);
    uint32_t *ends = calloc(ROWS + 1, sizeof *ends);
    assert_true(texts && ends);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(texts + i * WIDTH, WIDTH, "é%012u", i);
        texts[i * WIDTH + WIDTH - 1] = ' ';
        ends[i + 1] = (i + 1) * WIDTH;
    }
    const ftl_column column = {.type = FTL_STRING, .values = texts, .offsets = ends};
    const ftl_batch batch = {.rows = ROWS, .n_columns = 1, .columns = &column};
    const ftl_sink_options options = {
        .path = in_folder("out.parquet"), .columns = names, .n_columns = 1};
    ftl_sink *sink;
    ftl_error error;
    assert_int_equal(ftl_sink_open(account, &options, &sink, NULL), FTL_OK);
    assert_int_equal(write_times(account, sink, &batch, 2, NULL), FTL_OK);
    ends[77]++; /* the next one begins in the middle of a character */
    assert_int_equal(write_times(account, sink, &batch, 1, &error), FTL_VALUE);
    ends[77]--;
    texts[78 * WIDTH + 3] = '\xff';
    assert_int_equal(write_times(account, sink, &batch, 1, &error), FTL_VALUE);
    texts[78 * WIDTH + 3] = '0';
    assert_int_equal(write_times(account, sink, &batch, 1, NULL), FTL_OK);
    ftl_sink_abort(sink);
    free(texts);
    free(ends);
    assert_int_equal(files_in_folder(), 0);
    assert_int_equal(ftl_account_used(account), 0);
}

static void chooses_the_compression(void **unused)
{
    (void)unused;
    ftl_error error;
    ftl_sink_options options = {
        .path = in_folder("out.parquet"), .columns = names, .n_columns = 6, .compression = "lzma"};
    assert_int_equal(write_file(test_account(), &options, columns, 1, &error), FTL_ARG);
    assert_int_equal(error.reason, FTL_REASON_BAD_OPTION);
    assert_string_equal(error.option, "compression");
    assert_non_null(strstr(error.message, "snappy, none"));
    options.path = in_folder("out.csv");
    options.compression = "snappy";
    assert_int_equal(write_file(test_account(), &options, columns, 1, &error), FTL_ARG);
    assert_non_null(strstr(error.message, "CSV is written"));
    options.path = in_folder("out.parquet.gz"); /* its pages are packed, not the file */
    options.compression = NULL;
    assert_int_equal(write_file(test_account(), &options, columns, 1, &error), FTL_ARG);
    assert_int_equal(files_in_folder(), 0);
}

static void leaves_nothing_half_written(void **unused)
{
    (void)unused;
    ftl_error error;
    ftl_sink *sink;
    ftl_sink_options options = {
        .path = "/dev/full", .format = "parquet", .columns = names, .n_columns = 6};
    assert_int_equal(write_file(test_account(), &options, columns, 1, &error), FTL_IO);
    assert_non_null(strstr(error.message, "No space left on device"));
    options.path = in_folder("out.parquet");
    assert_int_equal(ftl_sink_open(test_account(), &options, &sink, NULL), FTL_OK);
    const ftl_batch batch = {.rows = 3, .n_columns = 6, .columns = columns};
    assert_int_equal(write_times(test_account(), sink, &batch, 5, NULL), FTL_OK);
    assert_int_equal(files_in_folder(), 1);
    ftl_sink_abort(sink);
    assert_int_equal(files_in_folder(), 0);
}

/* A token that is triggered before the rows are written. */
static void ends_when_it_is_cancelled(void **unused)
{
    (void)unused;
    ftl_account *account = test_account();
    ftl_cancel cancel = {.account = account};
    const ftl_sink_options options = {
        .path = in_folder("out.parquet"), .columns = names, .n_columns = 6, .cancel = &cancel};
    ftl_sink *sink;
    const ftl_batch batch = {.rows = 3, .n_columns = 6, .columns = columns};
    assert_int_equal(ftl_sink_open(account, &options, &sink, NULL), FTL_OK);
    assert_int_equal(write_times(account, sink, &batch, 5, NULL), FTL_OK);
    atomic_store(&cancel.triggered, true);
    assert_int_equal(ftl_sink_commit(sink, NULL, NULL), FTL_CANCELLED);
    assert_int_equal(files_in_folder(), 0);
    assert_int_equal(ftl_account_used(account), 0);
}

/* A batch of pages' length: numbers at random and texts of their own. */
typedef struct long_batch {
    ftl_column columns[3];
    ftl_batch batch;
} long_batch;

enum { LONG_ROWS = 100000, LONG_WIDTH = 12 };

static void make_long(long_batch *b)
{
    double *numbers = calloc(LONG_ROWS, sizeof *numbers);
    char *texts = calloc(LONG_ROWS + 1, LONG_WIDTH);
    uint32_t *ends = calloc(LONG_ROWS + 1, sizeof *ends);
    uint8_t *validity = calloc(LONG_ROWS / 8 + 1, 1);
    assert_true(numbers && texts && ends && validity);
    for (uint32_t i = 0; i < LONG_ROWS; i++) {
        numbers[i] = (double)next_random();
        snprintf(texts + i * LONG_WIDTH, LONG_WIDTH + 1, "%012u", (unsigned)next_random() % 50000);
        ends[i + 1] = (i + 1) * LONG_WIDTH;
        validity[i / 8] = (uint8_t)next_random();
    }
    b->columns[0] = (ftl_column){.type = FTL_STRING, .values = texts, .offsets = ends};
    b->columns[1] = (ftl_column){.type = FTL_F64, .values = numbers, .validity = validity};
    b->columns[2] = (ftl_column){.type = FTL_F32, .values = numbers};
    b->batch = (ftl_batch){.rows = LONG_ROWS, .n_columns = 3, .columns = b->columns};
}

static void free_long(long_batch *b)
{
    free((void *)b->columns[0].values);
    free((void *)b->columns[0].offsets);
    free((void *)b->columns[1].values);
    free((void *)b->columns[1].validity);
}

/* Writes the batch so often, with the threads' help; false: it failed, and left nothing. */
static bool write_long(ftl_account *account, const char *path, const long_batch *b, size_t times,
                       uint32_t threads, long fail)
{
    const ftl_sink_options options = {
        .path = path, .columns = names, .n_columns = 3, .compression = "snappy"};
    ftl_sink *sink = NULL;
    ftl_executor *executor = NULL;
    ftl_task_group group;
    if (threads)
        assert_int_equal(ftl_executor_create(account, threads, &executor, NULL), FTL_OK);
    fail_after = fail;
    ftl_status status = ftl_sink_open(account, &options, &sink, NULL);
    if (threads)
        ftl_group_begin(&group, executor, threads);
    if (status == FTL_OK && threads)
        ftl_sink_share(sink, &group, threads);
    if (status == FTL_OK)
        status = write_times(account, sink, &b->batch, times, NULL);
    if (status == FTL_OK && threads)
        ftl_sink_share(sink, NULL, 0);
    if (threads)
        ftl_group_end(&group);
    if (status == FTL_OK)
        status = ftl_sink_commit(sink, NULL, NULL);
    else
        ftl_sink_abort(sink);
    fail_after = 0;
    ftl_executor_destroy(executor);
    assert_true(status == FTL_OK || status == FTL_NOMEM);
    assert_int_equal(ftl_account_used(account), 0);
    return status == FTL_OK;
}

/* Two row groups, whose pages are compressed by one thread or several: the file is the same. */
static void lets_threads_help(void **unused)
{
    (void)unused;
    enum { ROOM = 64 << 20 };
    ftl_account account;
    long_batch b;
    ftl_account_init(&account, NULL, 0);
    make_long(&b);
    uint8_t *alone = calloc(ROOM, 1), *helped = calloc(ROOM, 1);
    assert_true(alone && helped);
    assert_true(write_long(&account, in_folder("alone.parquet"), &b, 13, 0, 0));
    size_t size = read_file(in_folder("alone.parquet"), alone, ROOM);
    assert_true(size > 1 << 20 && size < ROOM);
    for (uint32_t threads = 1; threads <= 5; threads += 2) {
        assert_true(write_long(&account, in_folder("helped.parquet"), &b, 13, threads, 0));
        assert_int_equal(read_file(in_folder("helped.parquet"), helped, ROOM), size);
        assert_memory_equal(alone, helped, size);
    }
    unlink(in_folder("alone.parquet"));
    unlink(in_folder("helped.parquet"));
    free(alone);
    free(helped);
    free_long(&b);
}

/* Memory ends while pages are on their way. */
static void survives_failures_of_threads(void **unused)
{
    (void)unused;
    long_batch b;
    make_long(&b);
    bool done = false;
    long n = 1;
    for (; !done; n += n < 40 ? 1 : 7) {
        done = write_long(test_account(), in_folder("out.parquet"), &b, 3, 2, n);
        assert_int_equal(files_in_folder(), done);
        assert_true(n < 2000);
    }
    assert_true(n > 60);
    unlink(in_folder("out.parquet"));
    assert_int_equal(live_blocks, 0);
    free_long(&b);
}

/* Every allocation fails once, with each codec. */
static void survives_failing_allocations(void **unused)
{
    (void)unused;
    static const char *const codecs[] = {NULL, "snappy", "none"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(codecs); i++) {
        ftl_status status = FTL_NOMEM;
        const char *path = in_folder("out.parquet");
        const ftl_sink_options options = {
            .path = path, .columns = names, .n_columns = 6, .compression = codecs[i]};
        long n = 1;
        for (; status != FTL_OK; n++) {
            ftl_account *account = test_account();
            fail_after = n;
            status = write_file(account, &options, columns, 40, NULL);
            fail_after = 0;
            assert_true(status == FTL_OK || status == FTL_NOMEM);
            assert_int_equal(ftl_account_used(account), 0);
            assert_int_equal(files_in_folder(), status == FTL_OK);
            assert_true(n < 2000);
        }
        assert_true(n > 30);
        unlink(path);
    }
    assert_int_equal(live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_these_bytes),
        cmocka_unit_test(takes_several_pieces_at_once),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(refuses_it_among_many_texts),
        cmocka_unit_test(chooses_the_compression),
        cmocka_unit_test(leaves_nothing_half_written),
        cmocka_unit_test(ends_when_it_is_cancelled),
        cmocka_unit_test(lets_threads_help),
        cmocka_unit_test(survives_failures_of_threads),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
