/* Sinks: what is written, and that nothing half-written is ever left. */
#include "csv_rows.h"
#include "table_helper.h"

#include "table/sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][sizeof folder + 256]; /* a name has 255 bytes at most */
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
    snprintf(folder, sizeof folder, "/tmp/test_sink_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlink(in_folder(entry->d_name));
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

static void expect_file(const char *path, const char *want, size_t size)
{
    char text[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    if (n != size || memcmp(text, want, n) != 0)
        fail_msg("%s holds\n%.*s", path, (int)n, text);
}

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
    {.type = FTL_BOOL, .values = bools, .validity = all_but_second}};
static const ftl_sink_column names[] = {
    {"id, text", FTL_STRING}, {"x", FTL_F64}, {"y", FTL_F32}, {"n", FTL_I64}, {"b", FTL_BOOL}};

static ftl_status write_batch(ftl_account *account, ftl_sink *sink, const ftl_batch *batch,
                              ftl_error *error)
{
    ftl_strbuf piece;
    ftl_strbuf_init(&piece, account, 0);
    ftl_status status = ftl_sink_format(sink, batch, NULL, &piece, error);
    if (status == FTL_OK)
        status = ftl_sink_append(sink, piece.data, piece.size, batch->rows, error);
    ftl_strbuf_free(&piece);
    return status;
}

static ftl_status write_csv(ftl_account *account, const char *path, size_t first, size_t n,
                            ftl_error *error)
{
    ftl_sink *sink;
    const ftl_sink_options options = {.path = path, .columns = names + first, .n_columns = n};
    const ftl_batch batch = {.rows = 3, .n_columns = n, .columns = columns + first};
    FTL_TRY(ftl_sink_open(account, &options, &sink, error));
    ftl_status status = write_batch(account, sink, &batch, error);
    if (status != FTL_OK) {
        ftl_sink_abort(sink);
        return status;
    }
    return ftl_sink_commit(sink, NULL, error);
}

static void writes_csv(void **unused)
{
    (void)unused;
    static const char want[] =
        "\"id, text\",x,y,n,b\n\"a,b\",0.1,0.1,-1,True\n\"\"\"\n q\",,-0.0,,\n,1e+22,1.0,0,True\n";
    ftl_account *account = test_account();
    const char *path = in_folder("out.csv");
    assert_int_equal(write_csv(account, path, 0, 5, NULL), FTL_OK);
    expect_file(path, want, sizeof want - 1);
    assert_int_equal(files_in_folder(), 1);
    /* Over an existing file, whose mode stays; and through a link, which stays a link. */
    assert_int_equal(chmod(path, 0640), 0);
    const char *link = in_folder("link.csv");
    assert_int_equal(symlink("out.csv", link), 0);
    assert_int_equal(write_csv(account, link, 1, 1, NULL), FTL_OK);
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    expect_file(path, "x\n0.1\n\"\"\n1e+22\n", 15);
    unlink(link);
    unlink(path);
    assert_int_equal(ftl_account_used(account), 0);
}

static void honours_the_umask(void **unused)
{
    (void)unused;
    mode_t old = umask(027);
    const char *path = in_folder("new.csv");
    assert_int_equal(write_csv(test_account(), path, 1, 1, NULL), FTL_OK);
    umask(old);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    unlink(path);
}

static void keeps_lone_cells(void **unused)
{
    (void)unused;
    static const uint32_t ends[] = {0, 0, 1, 1, 2};
    static const uint8_t validity[] = {0xb};
    const ftl_column text = {
        .type = FTL_STRING, .values = " x", .offsets = ends, .validity = validity};
    const ftl_batch batch = {.rows = 4, .n_columns = 1, .columns = &text};
    ftl_strbuf out;
    ftl_account *account = test_account();
    ftl_strbuf_init(&out, account, 0);
    assert_int_equal(csv_rows(account, &batch, NULL, &out, NULL), FTL_OK);
    assert_string_equal(ftl_strbuf_text(&out), "\"\"\n\" \"\n\"\"\nx\n");
    ftl_strbuf_clear(&out);
    static const uint8_t skip[] = {1, 0, 1, 0};
    assert_int_equal(csv_rows(account, &batch, skip, &out, NULL), FTL_OK);
    assert_string_equal(ftl_strbuf_text(&out), "\" \"\nx\n");
    ftl_strbuf_free(&out);
}

/* What is written reads back: strings of all awkward characters, numbers of awkward bits. */
static void round_trips(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"plain", "a,b",   "\"",    "\"\"", "x\"y", "\r", "\n",
                                        "\r\n",  " lead", "\"a\"", ",",    "é",    "'"};
    enum { n = sizeof texts / sizeof texts[0] };
    char bytes[256];
    uint32_t ends[n + 1] = {0};
    double numbers[n];
    for (size_t i = 0; i < n; i++) {
        memcpy(bytes + ends[i], texts[i], strlen(texts[i]));
        ends[i + 1] = ends[i] + (uint32_t)strlen(texts[i]);
        numbers[i] = ldexp(1.0 / 3, (int)i * 150 - 1000);
    }
    const ftl_column both[] = {{.type = FTL_STRING, .values = bytes, .offsets = ends},
                               {.type = FTL_F64, .values = numbers}};
    for (size_t columns_used = 1; columns_used <= 2; columns_used++) {
        const ftl_batch batch = {.rows = n, .n_columns = columns_used, .columns = both};
        ftl_account *account = test_account();
        ftl_strbuf out;
        ftl_strbuf_init(&out, account, 0);
        assert_int_equal(csv_rows(account, &batch, NULL, &out, NULL), FTL_OK);
        ftl_table *table;
        ftl_table_block *block;
        ftl_row_batch *rows;
        ftl_row_view view;
        static const ftl_table_options options = {.no_header = true, .delimiter = ','};
        const ftl_table_column_request requests[] = {{0, FTL_STRING, true}, {1, FTL_F64, false}};
        assert_int_equal(open_table(account, out.data, out.size, &options, &table, NULL), FTL_OK);
        assert_int_equal(ftl_table_bind(table, requests, columns_used, NULL), FTL_OK);
        assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &rows, NULL), FTL_OK);
        assert_int_equal(ftl_table_read(table, 100, block, NULL), FTL_OK);
        assert_int_equal(ftl_table_convert(table, block, rows, NULL), FTL_OK);
        ftl_row_batch_view(rows, &view);
        assert_int_equal(view.batch.rows, n);
        assert_int_equal(view.n_bad, 0);
        assert_memory_equal(view.batch.columns[0].offsets, ends, sizeof ends);
        assert_memory_equal(view.batch.columns[0].values, bytes, ends[n]);
        if (columns_used == 2)
            assert_memory_equal(view.batch.columns[1].values, numbers, sizeof numbers);
        ftl_row_batch_destroy(rows);
        ftl_table_block_destroy(block);
        ftl_table_close(table);
        ftl_strbuf_free(&out);
    }
}

static void writes_npy(void **unused)
{
    (void)unused;
    const char *path = in_folder("out.npy");
    static const struct {
        size_t first, n;
        const char *header;
        size_t width;
    } cases[] = {{1, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 8},
                 {2, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 4},
                 {1, 2, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", 16},
                 {4, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(write_csv(test_account(), path, cases[i].first, cases[i].n, NULL), FTL_OK);
        char bytes[512];
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_int_equal(size, 128 + 3 * cases[i].width);
        assert_memory_equal(bytes, "\x93NUMPY\1\0\x76\0", 10);
        assert_memory_equal(bytes + 10, cases[i].header, strlen(cases[i].header));
        assert_int_equal(bytes[127], '\n');
        if (i == 0)
            assert_memory_equal(bytes + 128, f64, sizeof f64);
        ftl_table *table;
        assert_int_equal(open_table(test_account(), bytes, size, NULL, &table, NULL), FTL_OK);
        assert_int_equal(ftl_table_get_info(table)->rows, 3);
        ftl_table_close(table);
    }
    ftl_error error;
    assert_int_equal(write_csv(test_account(), path, 0, 1, &error), FTL_UNSUPPORTED);
    assert_int_equal(write_csv(test_account(), path, 3, 1, &error),
                     FTL_VALUE); /* a missing integer */
    unlink(path);
    assert_int_equal(files_in_folder(), 0);
}

static void leaves_nothing_half_written(void **unused)
{
    (void)unused;
    const char *path = in_folder("out.csv");
    ftl_sink *sink;
    const ftl_sink_options options = {.path = path, .columns = names, .n_columns = 5};
    assert_int_equal(ftl_sink_open(test_account(), &options, &sink, NULL), FTL_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(files_in_folder(), 1);
    ftl_sink_abort(sink);
    assert_int_equal(files_in_folder(), 0);
    ftl_sink_abort(NULL);
}

static void expect_io_error(const char *path, const char *part)
{
    ftl_error error;
    assert_int_equal(write_csv(test_account(), path, 0, 5, &error), FTL_IO);
    if (!strstr(error.message, part))
        fail_msg("%s; expected: %s", error.message, part);
}

static void explains_what_cannot_be_written(void **unused)
{
    (void)unused;
    expect_io_error(folder, "is a directory");
    expect_io_error(in_folder("no/such.csv"), "/no does not exist");
    expect_io_error(in_folder("name/"), "names a folder");
    expect_io_error("", "empty");
    expect_io_error("/dev/full", "No space left on device");
    assert_int_equal(files_in_folder(), 0);
    /* A device is written in place and stays one. */
    assert_int_equal(write_csv(test_account(), "/dev/null", 0, 5, NULL), FTL_OK);
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void writes_to_standard_output(void **unused)
{
    (void)unused;
    int ends[2], saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDOUT_FILENO);
    ftl_error error, broken;
    ftl_status status = write_csv(test_account(), "-", 1, 1, &error);
    close(ends[1]);
    char text[64];
    ssize_t n = read(ends[0], text, sizeof text);
    close(ends[0]);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    ftl_status gone = write_csv(test_account(), "-", 1, 1, &broken); /* nobody reads */
    signal(SIGPIPE, old);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(status, FTL_OK);
    assert_int_equal(n, 15);
    assert_memory_equal(text, "x\n0.1\n\"\"\n1e+22\n", 15);
    assert_int_equal(gone, FTL_IO);
    assert_non_null(strstr(broken.message, "nobody reads"));
}

static void checks_its_columns(void **unused)
{
    (void)unused;
    ftl_account *account = test_account();
    ftl_sink *sink;
    const ftl_sink_options options = {
        .path = in_folder("out.csv"), .columns = names, .n_columns = 2};
    assert_int_equal(ftl_sink_open(account, &options, &sink, NULL), FTL_OK);
    const ftl_batch fewer = {.rows = 3, .n_columns = 1, .columns = columns};
    const ftl_batch others = {.rows = 3, .n_columns = 2, .columns = columns + 1};
    assert_int_equal(write_batch(account, sink, &fewer, NULL), FTL_ARG);
    assert_int_equal(write_batch(account, sink, &others, NULL), FTL_ARG);
    ftl_sink_abort(sink);
    const ftl_sink_options none = {.path = in_folder("out.csv")};
    assert_int_equal(ftl_sink_open(account, &none, &sink, NULL), FTL_ARG);
}

/* The name decides what is written, whatever its capitals, and other formats' names are refused. */
static void goes_by_the_name(void **unused)
{
    (void)unused;
    static const char *const refused[] = {"o.xlsx",   "o.ORC",        "o.npy.zst", "o.npy.gz",
                                          "o.pkl.gz", "o.csv.gz.bz2", "o.xz.xz"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(refused); i++) {
        ftl_error error;
        assert_int_equal(write_csv(test_account(), in_folder(refused[i]), 0, 5, &error), FTL_ARG);
        assert_non_null(strstr(error.message, "its name says"));
        assert_int_equal(error.reason, FTL_REASON_BAD_OPTION);
    }
    assert_int_equal(files_in_folder(), 0);
    const char *path = in_folder("o.TSV");
    assert_int_equal(write_csv(test_account(), path, 1, 2, NULL), FTL_OK);
    expect_file(path, "x\ty\n0.1\t0.1\n\t-0.0\n1e+22\t1.0\n", 28);
    unlink(path);
    const ftl_sink_options options = {
        .path = in_folder("o.tsv"), .columns = names, .n_columns = 5, .delimiter = ';'};
    ftl_sink *sink = NULL;
    assert_int_equal(ftl_sink_open(test_account(), &options, &sink, NULL), FTL_ARG);
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    static const char *const files[] = {"out.csv", "out.npy", "out.csv.gz", "out.bz2", "out.xz"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(files); i++) {
        ftl_status status = FTL_NOMEM;
        const char *path = in_folder(files[i]);
        for (long n = 1; status != FTL_OK; n++) {
            ftl_account *account = test_account();
            fail_after = n;
            status = write_csv(account, path, i % 2, i == 1 ? 2 : 5 - i % 2, NULL);
            fail_after = 0;
            assert_true(status == FTL_OK || status == FTL_NOMEM);
            assert_int_equal(ftl_account_used(account), 0);
            assert_int_equal(files_in_folder(), status == FTL_OK);
            assert_true(n < 1000);
        }
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_csv),
        cmocka_unit_test(honours_the_umask),
        cmocka_unit_test(keeps_lone_cells),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(writes_npy),
        cmocka_unit_test(leaves_nothing_half_written),
        cmocka_unit_test(explains_what_cannot_be_written),
        cmocka_unit_test(writes_to_standard_output),
        cmocka_unit_test(checks_its_columns),
        cmocka_unit_test(goes_by_the_name),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
