/* Several tables as one: names and types of parts, order, memory, errors, threads. */
#include "csv_rows.h"
#include "table_helper.h"

#include "table/parts.h"
#include "table/sink.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WORKERS = 4 };

/* ---- Files ----------------------------------------------------------------------------------- */

/* What a path stands for: text of size 0 is a file that has been removed. */
typedef struct file {
    const char *path, *data;
    size_t size;
} file;

/* Opens files in memory, and counts how many are open. */
typedef struct shelf {
    ftl_account *account;
    const file *files;
    size_t n;
    atomic_int open, most;
} shelf;

typedef struct reader {
    shelf *from;
    const file *file;
    size_t at;
} reader;

static ftl_status reader_read(void *state, void *out, size_t room, size_t *got, ftl_error *error)
{
    (void)error;
    reader *r = state;
    *got = r->file->size - r->at < room ? r->file->size - r->at : room;
    memcpy(out, r->file->data + r->at, *got);
    r->at += *got;
    return FTL_OK;
}

static void reader_close(void *state)
{
    reader *r = state;
    atomic_fetch_sub(&r->from->open, 1);
    ftl_free(r->from->account, r);
}

static ftl_status open_file(void *user, const char *path, ftl_table **out, ftl_error *error)
{
    static const ftl_stream_ops ops = {.read = reader_read, .close = reader_close};
    shelf *from = user;
    const ftl_table_options options = {.name = path, .no_header = strncmp(path, "bare", 4) == 0};
    for (size_t i = 0; i < from->n; i++) {
        if (strcmp(from->files[i].path, path) != 0 || from->files[i].size == 0)
            continue;
        reader *r = ftl_alloc_zero(from->account, 1, sizeof *r);
        if (!r)
            return FTL_OOM(error);
        *r = (reader){from, &from->files[i], 0};
        int open = atomic_fetch_add(&from->open, 1) + 1;
        if (open > from->most)
            from->most = open;
        ftl_stream *stream;
        FTL_TRY(ftl_stream_create(from->account, &ops, r, 0, &stream, error));
        ftl_status status = ftl_table_open(from->account, stream, &options, out, error);
        if (status != FTL_OK)
            ftl_stream_close(stream);
        return status;
    }
    return FTL_FAIL(error, FTL_IO, "cannot open \"%s\": no such file", path);
}

#define CSV(path, text) ((file){path, text, sizeof(text) - 1})

/* A row-major array with a header of version 1. */
static file npy(const char *path, const char *type, const char *shape, const void *data,
                size_t size, char *bytes)
{
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    int text = snprintf(bytes + 10, 200, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n",
                        type, shape);
    bytes[8] = (char)text;
    bytes[9] = 0;
    if (size)
        memcpy(bytes + 10 + text, data, size);
    return (file){path, bytes, 10 + (size_t)text + size};
}

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status open_parts(shelf *from, const char *const *paths, size_t n, bool rejects,
                             ftl_table **out, ftl_error *error)
{
    const ftl_parts_options options = {.paths = paths,
                                       .n_paths = n,
                                       .open = open_file,
                                       .user = from,
                                       .rejects = rejects,
                                       .bytes_total = 1000};
    return ftl_table_open_parts(from->account, &options, out, error);
}

/* All rows as CSV, bad ones as lines of # and the reason; what ended it, OK for the end. */
static ftl_status write_all(ftl_table *table, size_t max_rows, ftl_strbuf *out, ftl_error *error)
{
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    ftl_row_view view;
    ftl_status status = ftl_table_block_create(table, &block, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(table, &batch, error);
    while (status == FTL_OK) {
        status = ftl_table_read(table, max_rows, block, error);
        if (status == FTL_OK)
            status = ftl_table_convert(table, block, batch, error);
        if (status != FTL_OK)
            break;
        ftl_row_batch_view(batch, &view);
        status = csv_rows(out->account, &view.batch, view.bad, out, error);
        for (size_t i = 0; i < view.n_bad && status == FTL_OK; i++) {
            ftl_error why;
            size_t row;
            ftl_row_batch_problem(table, block, batch, i, &row, &why);
            ftl_table_name_origin(&why, ftl_table_block_origin(block, NULL));
            ftl_strbuf_printf(out, "# %s (row %lld, column %lld)\n", why.message,
                              (long long)why.row, (long long)why.column);
        }
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    return status == FTL_END ? FTL_OK : status;
}

/* The whole of it, and nothing is left. */
static ftl_status read_parts(shelf *from, const char *const *paths, size_t n,
                             const ftl_table_column_request *requests, size_t n_requests,
                             size_t max_rows, ftl_strbuf *out, ftl_error *error)
{
    ftl_table *table;
    ftl_strbuf_clear(out);
    ftl_status status = open_parts(from, paths, n, false, &table, error);
    if (status != FTL_OK)
        return status;
    status = ftl_table_bind(table, requests, n_requests, error);
    if (status == FTL_OK)
        status = write_all(table, max_rows, out, error);
    ftl_table_close(table);
    assert_int_equal(from->open, 0);
    return status;
}

static void reads(const file *files, size_t n_files, const char *const *paths, size_t n,
                  const ftl_table_column_request *requests, size_t n_requests, const char *expected)
{
    shelf from = {test_account(), files, n_files, 0, 0};
    ftl_strbuf out;
    ftl_strbuf_init(&out, from.account, 0);
    for (size_t max_rows = 1; max_rows < 100; max_rows = 10 * max_rows) {
        ftl_error error;
        ftl_status status = read_parts(&from, paths, n, requests, n_requests, max_rows, &out,
                                       &error);
        if (status != FTL_OK)
            print_error("%s\n", error.message);
        assert_int_equal(status, FTL_OK);
        assert_string_equal(ftl_strbuf_text(&out), expected);
    }
    ftl_strbuf_free(&out);
    assert_int_equal(ftl_account_used(from.account), 0);
}

static void fails(const file *files, size_t n_files, const char *const *paths, size_t n,
                  const ftl_table_column_request *requests, size_t n_requests, ftl_status code,
                  const char *message)
{
    shelf from = {test_account(), files, n_files, 0, 0};
    ftl_strbuf out;
    ftl_error error;
    ftl_strbuf_init(&out, from.account, 0);
    assert_int_equal(read_parts(&from, paths, n, requests, n_requests, 10, &out, &error), code);
    assert_string_equal(error.message, message);
    ftl_strbuf_free(&out);
    assert_int_equal(ftl_account_used(from.account), 0);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void columns_are_found_by_name(void **unused)
{
    (void)unused;
    const file files[] = {CSV("a.csv", "x,y,\"z, z\"\n1,one,u\n2,two,v\n"),
                          CSV("b.csv", "more;\"z, z\";y;x\n-;w;three;3\n"),
                          CSV("only header.csv", "y,x,\"z, z\"\n")};
    const char *const paths[] = {"a.csv", "only header.csv", "b.csv", "a.csv", "only header.csv"};
    const ftl_table_column_request requests[] = {
        {3, FTL_STRING, true}, {2, FTL_STRING, false}, {0, FTL_F64, false}, {1, FTL_STRING, true}};
    reads(files, 3, paths, 5, requests, 4,
          "a.csv,u,1.0,one\na.csv,v,2.0,two\nb.csv,w,3.0,three\na.csv,u,1.0,one\n"
          "a.csv,v,2.0,two\n");
    reads(files, 3, paths + 1, 1, requests, 2, ""); /* (its third column is "z, z") */
    reads(files, 3, paths, 2, requests, 0, "\n\n");
}

static void one_part_tells_of_all(void **unused)
{
    (void)unused;
    const file files[] = {CSV("a.csv", "x,filename\n1,2\n"), CSV("b.csv", "x;y\n1;2\n")};
    const char *const paths[] = {"a.csv", "b.csv"};
    shelf from = {test_account(), files, 2, 0, 0};
    ftl_table *table;
    size_t index = 99;
    assert_int_equal(open_parts(&from, paths, 2, false, &table, NULL), FTL_OK);
    const ftl_table_info *info = ftl_table_get_info(table);
    assert_string_equal(info->format, "CSV");
    assert_int_equal(info->n_parts, 2);
    assert_int_equal(info->n_columns, 2);
    assert_int_equal(info->abilities, FTL_TABLE_CELLS | FTL_TABLE_RECORDS);
    assert_string_equal(ftl_table_reject_format(table), "csv");
    assert_false(ftl_table_find_origin(table, "filename", &index)); /* the file's own */
    assert_int_equal(ftl_table_find(table, "filename", &index), 1);
    assert_int_equal(index, 1);
    ftl_table_close(table);

    assert_int_equal(open_parts(&from, paths + 1, 1, false, &table, NULL), FTL_OK);
    assert_true(ftl_table_find_origin(table, "filename", &index));
    assert_int_equal(index, 2);
    assert_string_equal(ftl_table_column_name(table, 2), "filename");
    assert_int_equal(ftl_table_column_type(table, 2), FTL_STRING);
    assert_false(ftl_table_find_origin(table, "y", &index));
    ftl_table_close(table);
    assert_int_equal(from.open, 0);
    assert_int_equal(ftl_account_used(from.account), 0);
}

static void parts_without_names_have_as_many_columns(void **unused)
{
    (void)unused;
    const file files[] = {CSV("bare1.csv", "1,2\n"), CSV("bare2.csv", "3,4\n"),
                          CSV("bare3.csv", "3,4,5\n"), CSV("named.csv", "a,b\n1,2\n")};
    const ftl_table_column_request requests[] = {{1, FTL_F64, false}, {2, FTL_STRING, true}};
    reads(files, 4, (const char *const[]){"bare1.csv", "bare2.csv"}, 2, requests, 2,
          "2.0,bare1.csv\n4.0,bare2.csv\n");
    fails(files, 4, (const char *const[]){"bare1.csv", "bare3.csv"}, 2, requests, 1, FTL_SHAPE,
          "bare3.csv: it has 3 columns, and bare1.csv has 2");
    fails(files, 4, (const char *const[]){"bare1.csv", "named.csv"}, 2, requests, 1, FTL_SCHEMA,
          "named.csv: it has column names, and bare1.csv has none");
    fails(files, 4, (const char *const[]){"named.csv", "bare1.csv"}, 2, requests, 1, FTL_SCHEMA,
          "bare1.csv: it has no column names, and named.csv has");
}

static void types_of_parts_agree(void **unused)
{
    (void)unused;
    char bytes[5][512];
    const double doubles[] = {1.5, 2.5};
    const float floats[] = {3.5F, 4.5F};
    const int32_t integers[] = {5, 6};
    const file files[] = {npy("f64.npy", "<f8", "(2, 1)", doubles, sizeof doubles, bytes[0]),
                          npy("f32.npy", "<f4", "(2, 1)", floats, sizeof floats, bytes[1]),
                          npy("i32.npy", "<i4", "(2, 1)", integers, sizeof integers, bytes[2]),
                          npy("none.npy", "<f8", "(0, 1)", NULL, 0, bytes[3]),
                          CSV("bare.csv", "7\nx\n")};
    const ftl_table_column_request input = {0, FTL_F64, false}, kept = {0, FTL_F64, true};
    reads(files, 5, (const char *const[]){"none.npy", "f64.npy", "f32.npy", "i32.npy", "bare.csv"},
          5, &input, 1,
          "1.5\n2.5\n3.5\n4.5\n5\n6\n7.0\n"
          "# bare.csv: line 2, cell 1: 'x' is not a number (row 7, column 0)\n");
    reads(files, 5, (const char *const[]){"none.npy", "f64.npy", "none.npy"}, 3, &kept, 1,
          "1.5\n2.5\n");
    fails(files, 5, (const char *const[]){"f64.npy", "i32.npy"}, 2, &kept, 1, FTL_SCHEMA,
          "i32.npy: column 0 is int64 here and float64 in f64.npy; a column that is kept "
          "has one type in all inputs");
    fails(files, 5, (const char *const[]){"f64.npy", "bare.csv"}, 2, &kept, 1, FTL_SCHEMA,
          "bare.csv: column 0 is text here and float64 in f64.npy; a column that is kept has one "
          "type in all inputs");
    fails(files, 5, (const char *const[]){"f32.npy", "f64.npy"}, 2, &input, 1, FTL_SCHEMA,
          "f64.npy: column 0 is float64 here and float32 in f32.npy; give it before the files of "
          "float32, or store all alike");
}

static void errors_name_the_part(void **unused)
{
    (void)unused;
    const file files[] = {
        CSV("a.csv", "x,y\n1,2\n3,4\n"),       CSV("bad.csv", "y,w,x\n5,0,6\n7,0,oh\n8,9\n"),
        CSV("quote.csv", "x,y\n1,2\n3,\"4\n"), CSV("lacks.csv", "y,u,v\n1,2,3\n"),
        CSV("twice.csv", "y,x,x\n1,2,3\n"),    {"gone.csv", "", 0},
        CSV("zero.csv", "x\0,y\n1,2\n"),       CSV("\xff.csv", "x,y\n1,2\n"),
    };
    const ftl_table_column_request requests[] = {
        {0, FTL_F64, false}, {0, FTL_STRING, true}, {1, FTL_STRING, true}};
    const ftl_table_column_request origin = {2, FTL_STRING, true};
    reads(files, 8, (const char *const[]){"a.csv", "bad.csv", "a.csv"}, 3, requests, 1,
          "1.0\n3.0\n6.0\n"
          "# bad.csv: line 3, column 'x': 'oh' is not a number (row 3, column 0)\n"
          "# bad.csv: line 4: 2 cells where the header has 3 (row 4, column -1)\n"
          "1.0\n3.0\n");
    fails(files, 8, (const char *const[]){"a.csv", "lacks.csv"}, 2, requests, 3, FTL_SCHEMA,
          "lacks.csv: 1 column of a.csv is missing here: x");
    fails(files, 8, (const char *const[]){"a.csv", "twice.csv"}, 2, requests, 3, FTL_SCHEMA,
          "twice.csv: column 'x' appears 2 times in the header; rename the others");
    fails(files, 8, (const char *const[]){"a.csv", "gone.csv"}, 2, requests, 3, FTL_IO,
          "cannot open \"gone.csv\": no such file");
    fails(files, 8, (const char *const[]){"gone.csv", "a.csv"}, 2, requests, 3, FTL_IO,
          "cannot open \"gone.csv\": no such file");
    fails(files, 8, (const char *const[]){"a.csv", "zero.csv"}, 2, requests, 3, FTL_SCHEMA,
          "zero.csv: the header line has a zero byte: the input is no text table, or it is "
          "UTF-16; then give options.encoding 'utf-16-le' or 'utf-16-be'");
    fails(files, 8, (const char *const[]){"a.csv", "\xff.csv"}, 2, &origin, 1, FTL_SCHEMA,
          "?.csv: the file's name is not UTF-8, so that options.keep cannot copy it");
    reads(files, 8, (const char *const[]){"\xff.csv"}, 1, requests, 1, "1.0\n");

    /* rows before the damage come, and its row counts from the first part */
    shelf from = {test_account(), files, 8, 0, 0};
    ftl_strbuf out;
    ftl_error error;
    ftl_strbuf_init(&out, from.account, 0);
    assert_int_equal(read_parts(&from, (const char *const[]){"a.csv", "quote.csv"}, 2, requests, 1,
                                10, &out, &error),
                     FTL_VALUE);
    assert_string_equal(
        error.message,
        "quote.csv: line 3: a quote opened in the record that begins here is never closed");
    assert_int_equal(error.row, 3);
    assert_int_equal(error.line, 3);
    assert_int_equal(error.reason, FTL_REASON_OPEN_QUOTE);
    assert_string_equal(ftl_strbuf_text(&out), "1.0\n3.0\n1.0\n");
    ftl_strbuf_free(&out);
}

static void rejects_are_of_one_form(void **unused)
{
    (void)unused;
    const file files[] = {CSV("a.csv", "x,y\n1,2\n"), CSV("same.csv", "x,y\n\"3\" , 4\n"),
                          CSV("order.csv", "y,x\n3,4\n"), CSV("other.csv", "x;y\n3;4\n")};
    static const char message[] =
        "options.reject_path needs inputs of one format, with the same columns in the same order, "
        "and this one differs from a.csv";
    shelf from = {test_account(), files, 4, 0, 0};
    for (size_t i = 1; i < 4; i++) {
        const char *const paths[] = {"a.csv", files[i].path};
        const ftl_table_column_request request = {0, FTL_F64, false};
        ftl_table *table;
        ftl_table_block *block;
        ftl_error error;
        ftl_strbuf out;
        ftl_strbuf_init(&out, from.account, 0);
        assert_int_equal(open_parts(&from, paths, 2, true, &table, NULL), FTL_OK);
        assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
        assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
        assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
        ftl_status status = ftl_table_read(table, 10, block, &error);
        assert_int_equal(status, i == 1 ? FTL_OK : FTL_SCHEMA);
        if (i == 1) {
            assert_int_equal(ftl_table_block_reject(table, block, 0, "why", &out, NULL), FTL_OK);
            assert_string_equal(ftl_strbuf_text(&out), "\"3\" , 4,\"why\"\n");
        } else {
            assert_non_null(strstr(error.message, message));
            assert_int_equal(strncmp(error.message, paths[1], strlen(paths[1])), 0);
        }
        ftl_strbuf_free(&out);
        ftl_table_block_destroy(block);
        ftl_table_close(table);
    }
    assert_int_equal(ftl_account_used(from.account), 0);
}

/* A thousand parts: as many are open as two blocks and a batch need, and memory stays. */
static void parts_are_closed_when_they_were_read(void **unused)
{
    (void)unused;
    enum { parts = 1000 };
    const file files[] = {CSV("a.csv", "x,y\n1,2\n3,4\n5,6\n"), CSV("b.csv", "y,x\n7,8\n")};
    const char *paths[parts];
    for (size_t i = 0; i < parts; i++)
        paths[i] = files[i % 2].path;
    shelf from = {test_account(), files, 2, 0, 0};
    const ftl_table_column_request request = {0, FTL_F64, false};
    ftl_table *table;
    ftl_table_block *blocks[2];
    ftl_row_batch *batch;
    uint64_t early = 0, rows = 0, most = 0;
    assert_int_equal(open_parts(&from, paths, parts, false, &table, NULL), FTL_OK);
    assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
    assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(ftl_table_block_create(table, &blocks[i], NULL), FTL_OK);
    for (size_t turn = 0; ftl_table_read(table, 2, blocks[turn % 2], NULL) == FTL_OK; turn++) {
        assert_int_equal(ftl_table_block_first_row(blocks[turn % 2]), rows);
        rows += ftl_table_block_rows(blocks[turn % 2]);
        assert_int_equal(ftl_table_convert(table, blocks[turn % 2], batch, NULL), FTL_OK);
        uint64_t used = ftl_account_used(from.account);
        if (turn < 30)
            early = used > early ? used : early;
        most = used > most ? used : most;
    }
    assert_int_equal(rows, parts / 2 * 4);
    assert_int_equal(most, early);
    assert_in_range(from.most, 2, 3);
    assert_int_equal(ftl_table_bytes_read(table), parts / 2 * (files[0].size + files[1].size));
    assert_int_equal(ftl_table_bytes_total(table), 0); /* these streams do not say */
    ftl_row_batch_destroy(batch);
    for (size_t i = 0; i < 2; i++)
        ftl_table_block_destroy(blocks[i]);
    ftl_table_close(table);
    assert_int_equal(from.open, 0);
    assert_int_equal(ftl_account_used(from.account), 0);
}

/* What was converted may lie in its part, which stays until something else is converted. */
static void a_batch_keeps_its_part(void **unused)
{
    (void)unused;
    const file files[] = {CSV("a.csv", "x\n1\n"), CSV("b.csv", "x\n2\n")};
    const char *const paths[] = {"a.csv", "b.csv"};
    const ftl_table_column_request request = {0, FTL_F64, false};
    shelf from = {test_account(), files, 2, 0, 0};
    ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    assert_int_equal(open_parts(&from, paths, 2, false, &table, NULL), FTL_OK);
    assert_int_equal(ftl_table_bind(table, &request, 1, NULL), FTL_OK);
    assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
    assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
    assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
    assert_int_equal(from.open, 2);
    assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
    assert_int_equal(from.open, 1);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_END);
    assert_int_equal(from.open, 1);
    ftl_table_block_destroy(block);
    ftl_row_batch_destroy(batch);
    assert_int_equal(from.open, 0);
    ftl_table_close(table);
    assert_int_equal(ftl_account_used(from.account), 0);
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    const file files[] = {CSV("a.csv", "x,y\n1,2\n3,4\n"), CSV("b.csv", "y,x\n5,w\n")};
    const char *const paths[] = {"a.csv", "b.csv", "a.csv"};
    const ftl_table_column_request requests[] = {
        {0, FTL_F64, false}, {1, FTL_STRING, true}, {2, FTL_STRING, true}};
    bool done = false;
    for (long n = 1; !done && n < 1000; n++) {
        shelf from = {test_account(), files, 2, 0, 0};
        ftl_strbuf out;
        ftl_error error;
        ftl_strbuf_init(&out, from.account, 0);
        fail_after = n;
        ftl_status status = read_parts(&from, paths, 3, requests, 3, 1, &out, &error);
        done = status == FTL_OK && fail_after > 1 && !out.failed;
        fail_after = 0;
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        ftl_strbuf_free(&out);
        assert_int_equal(live_blocks, 0);
        assert_int_equal(ftl_account_used(from.account), 0);
    }
    assert_true(done);
}

/* ---- Threads --------------------------------------------------------------------------------- */

typedef struct task {
    const ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_strbuf text;
    ftl_status status;
    pthread_t thread;
} task;

static void *work(void *user)
{
    task *t = user;
    ftl_row_view view;
    t->status = ftl_table_convert(t->table, t->block, t->batch, NULL);
    if (t->status != FTL_OK)
        return NULL;
    ftl_row_batch_view(t->batch, &view);
    t->status = csv_rows(t->text.account, &view.batch, view.bad, &t->text, NULL);
    return NULL;
}

/* Up to workers blocks in flight; while they are converted the next ones are read, and opened. */
static void copy(shelf *from, const char *const *paths, size_t n, size_t workers, size_t rows,
                 ftl_strbuf *out)
{
    static const ftl_table_column_request requests[] = {
        {0, FTL_STRING, true}, {1, FTL_F64, false}, {2, FTL_STRING, true}};
    ftl_table *table;
    task tasks[WORKERS];
    bool running[WORKERS] = {false}, more = true;
    assert_int_equal(open_parts(from, paths, n, false, &table, NULL), FTL_OK);
    assert_int_equal(ftl_table_bind(table, requests, 3, NULL), FTL_OK);
    for (size_t i = 0; i < workers; i++) {
        tasks[i].table = table;
        ftl_strbuf_init(&tasks[i].text, from->account, 0);
        assert_int_equal(ftl_table_block_create(table, &tasks[i].block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &tasks[i].batch, NULL), FTL_OK);
    }
    for (size_t turn = 0, idle = 0; more || idle < workers; turn = (turn + 1) % workers) {
        task *t = &tasks[turn];
        if (running[turn]) {
            assert_int_equal(pthread_join(t->thread, NULL), 0);
            assert_int_equal(t->status, FTL_OK);
            ftl_strbuf_append(out, t->text.data, t->text.size);
            ftl_strbuf_clear(&t->text);
            running[turn] = false;
        }
        more = more && ftl_table_read(table, rows, t->block, NULL) == FTL_OK;
        idle = more ? 0 : idle + 1;
        if (more) {
            assert_int_equal(pthread_create(&t->thread, NULL, work, t), 0);
            running[turn] = true;
        }
    }
    for (size_t i = 0; i < workers; i++) {
        ftl_row_batch_destroy(tasks[i].batch);
        ftl_table_block_destroy(tasks[i].block);
        ftl_strbuf_free(&tasks[i].text);
    }
    ftl_table_close(table);
}

static void threads_do_not_change_the_result(void **unused)
{
    (void)unused;
    enum { parts = 60 };
    static char names[parts][24], texts[parts][4096];
    static file files[parts];
    const char *paths[parts];
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    ftl_strbuf expected, out;
    ftl_strbuf_init(&expected, &account, 0);
    ftl_strbuf_init(&out, &account, 0);
    for (int i = 0, id = 0; i < parts; i++) {
        int size = snprintf(texts[i], sizeof texts[i], "%s\n", i % 2 ? "x,id" : "id,x");
        snprintf(names[i], sizeof names[i], "p%d.csv", i);
        for (int row = 0; row < i * 7 % 50; row++, id++) {
            size += snprintf(texts[i] + size, sizeof texts[i] - (size_t)size,
                             i % 2 ? "%d.5,r%d\n" : "r%2$d,%1$d.5\n", id, id);
            ftl_strbuf_printf(&expected, "r%d,%d.5,p%d.csv\n", id, id, i);
        }
        files[i] = (file){names[i], texts[i], (size_t)size};
        paths[i] = names[i];
    }
    for (size_t workers = 1; workers <= WORKERS; workers++) {
        for (size_t rows = 1; rows < 100; rows = 3 * rows + 1) {
            shelf from = {&account, files, parts, 0, 0};
            ftl_strbuf_clear(&out);
            copy(&from, paths, parts, workers, rows, &out);
            assert_string_equal(ftl_strbuf_text(&out), ftl_strbuf_text(&expected));
            assert_int_equal(from.open, 0);
            /* each worker's block and batch, and the part that is read */
            assert_in_range(from.most, 1, 2 * workers + 1);
        }
    }
    ftl_strbuf_free(&expected);
    ftl_strbuf_free(&out);
    assert_int_equal(ftl_account_used(&account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(one_part_tells_of_all),
        cmocka_unit_test(parts_without_names_have_as_many_columns),
        cmocka_unit_test(types_of_parts_agree),
        cmocka_unit_test(errors_name_the_part),
        cmocka_unit_test(rejects_are_of_one_form),
        cmocka_unit_test(parts_are_closed_when_they_were_read),
        cmocka_unit_test(a_batch_keeps_its_part),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(threads_do_not_change_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
