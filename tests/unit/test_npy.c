/* .npy tables: element types, orders, shapes, damage. */
#include "table_helper.h"

#include "base/column.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

typedef struct file {
    char bytes[4096];
    size_t size;
} file;

static file npy(int version, const char *dictionary, const void *data, size_t size)
{
    file out = {.bytes = "\x93NUMPY"};
    size_t prefix = version == 1 ? 10 : 12, length = strlen(dictionary);
    out.bytes[6] = (char)version;
    out.bytes[8] = (char)(length & 0xff);
    out.bytes[9] = (char)(length >> 8);
    memcpy(out.bytes + prefix, dictionary, length);
    if (size)
        memcpy(out.bytes + prefix + length, data, size);
    out.size = prefix + length + size;
    return out;
}

static file simple(const char *type, const char *order, const char *shape, const void *data,
                   size_t size)
{
    char dictionary[256];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
             type, order, shape);
    return npy(1, dictionary, data, size);
}

/* Reads everything as float64 into values (row-major). Returns the number of rows. */
static ftl_status read_all(ftl_table *table, size_t max_rows, double *values, size_t *rows,
                           ftl_error *error)
{
    size_t columns = ftl_table_get_info(table)->n_columns;
    ftl_table_column_request requests[16];
    assert_in_range(columns, 1, 16);
    for (size_t i = 0; i < columns; i++)
        requests[i] = (ftl_table_column_request){.index = i, .type = FTL_F64};
    ftl_table_block *block = NULL;
    ftl_row_batch *batch = NULL;
    *rows = 0;
    ftl_status status = ftl_table_bind(table, requests, columns, error);
    if (status == FTL_OK)
        status = ftl_table_block_create(table, &block, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(table, &batch, error);
    while (status == FTL_OK) {
        status = ftl_table_read(table, max_rows, block, error);
        if (status == FTL_OK)
            status = ftl_table_convert(table, block, batch, error);
        if (status != FTL_OK)
            break;
        ftl_row_view view;
        ftl_row_batch_view(batch, &view);
        assert_int_equal(view.n_bad, 0);
        for (size_t row = 0; row < view.batch.rows; row++, ++*rows) {
            for (size_t i = 0; i < columns; i++)
                values[*rows * columns + i] = ftl_column_number(&view.batch.columns[i], row);
        }
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    return status == FTL_END ? FTL_OK : status;
}

static void expect_values(const file *f, const double *want, size_t rows, size_t columns,
                          ftl_type type)
{
    static const size_t batches[] = {1, 2, 1000};
    for (size_t i = 0; i < 3; i++) {
        ftl_account *account = test_account();
        ftl_table *table;
        ftl_error error;
        double values[256];
        size_t got;
        ftl_table_options options = {.block_bytes = i == 1 ? 8 : 0};
        if (open_table(account, f->bytes, f->size, &options, &table, &error) != FTL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(ftl_table_column_type(table, 0), type);
        assert_int_equal(ftl_table_get_info(table)->n_columns, columns);
        assert_int_equal(ftl_table_get_info(table)->rows, rows);
        assert_null(ftl_table_column_name(table, 0));
        if (read_all(table, batches[i], values, &got, &error) != FTL_OK)
            fail_msg("%s", error.message);
        assert_int_equal(got, rows);
        for (size_t k = 0; k < rows * columns; k++)
            assert_true(values[k] == want[k] || (isnan(values[k]) && isnan(want[k])));
        ftl_table_close(table);
        assert_int_equal(ftl_account_used(account), 0);
    }
}

static void expect_error(const file *f, ftl_status code, const char *part)
{
    ftl_account *account = test_account();
    ftl_table *table;
    ftl_error error;
    double values[256];
    size_t rows;
    ftl_status status = open_table(account, f->bytes, f->size, NULL, &table, &error);
    if (status == FTL_OK) {
        status = read_all(table, 2, values, &rows, &error);
        ftl_table_close(table);
    }
    if (status != code || !strstr(error.message, part))
        fail_msg("%s: %s; expected %s: %s", ftl_status_name(status), error.message,
                 ftl_status_name(code), part);
    assert_int_equal(ftl_account_used(account), 0);
}

static void reads_element_types(void **unused)
{
    (void)unused;
    const double want[4] = {1, -2, 100, 0};
    file f;
    f = simple("<f8", "False", "(2, 2)", want, sizeof want);
    expect_values(&f, want, 2, 2, FTL_F64);
    const float narrow[4] = {1, -2, 100, 0};
    f = simple("<f4", "False", "(2, 2)", narrow, sizeof narrow);
    expect_values(&f, want, 2, 2, FTL_F32);
    const int64_t i8[4] = {1, -2, 100, 0};
    f = simple("<i8", "False", "(4,)", i8, sizeof i8);
    expect_values(&f, want, 4, 1, FTL_I64);
    const int32_t i4[4] = {1, -2, 100, 0};
    f = simple("<i4", "False", "(1, 4)", i4, sizeof i4);
    expect_values(&f, want, 1, 4, FTL_I64);
    const int16_t i2[4] = {1, -2, 100, 0};
    f = simple("<i2", "False", "(2, 2)", i2, sizeof i2);
    expect_values(&f, want, 2, 2, FTL_I64);
    const int8_t i1[4] = {1, -2, 100, 0};
    f = simple("|i1", "False", "(2, 2)", i1, sizeof i1);
    expect_values(&f, want, 2, 2, FTL_I64);
    const uint64_t u8[2] = {UINT64_MAX, 7};
    const double large[2] = {18446744073709551615.0, 7};
    f = simple("<u8", "False", "(2,)", u8, sizeof u8);
    expect_values(&f, large, 2, 1, FTL_U64);
    const uint8_t flags[3] = {1, 0, 1};
    const double ones[3] = {1, 0, 1};
    f = simple("|b1", "False", "(3,)", flags, sizeof flags);
    expect_values(&f, ones, 3, 1, FTL_BOOL);
    const uint8_t big[16] = {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0};
    f = simple(">f8", "False", "(2,)", big, sizeof big);
    expect_values(&f, want, 2, 1, FTL_F64);
    const uint8_t big_short[4] = {0, 1, 0xff, 0xfe};
    f = simple(">i2", "False", "(2,)", big_short, sizeof big_short);
    expect_values(&f, want, 2, 1, FTL_I64);
}

static void reads_headers(void **unused)
{
    (void)unused;
    const double want[2] = {(double)NAN, 3};
    file f;
    f = npy(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }   \n", want, sizeof want);
    expect_values(&f, want, 2, 1, FTL_F64);
    f = npy(3, "{\"shape\":(2L,1),\"descr\":\"<f8\",\"fortran_order\":True}", want, sizeof want);
    expect_values(&f, want, 2, 1, FTL_F64); /* one column: both orders are the same */
    f = simple("<f8", "False", "(0, 5)", NULL, 0);
    expect_values(&f, want, 0, 5, FTL_F64);
}

static void reads_column_major_files(void **unused)
{
    (void)unused;
    enum { rows = 5, columns = 3 };
    double by_column[rows * columns], want[rows * columns];
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++)
            by_column[c * rows + r] = want[r * columns + c] = (double)(10 * r + c);
    }
    file f = simple("<f8", "True", "(5, 3)", by_column, sizeof by_column);
    expect_values(&f, want, rows, columns, FTL_F64);
    /* One that is cut off; one that comes through a pipe. */
    f.size--;
    expect_error(&f, FTL_CORRUPT, "truncated");
    f.size++;
    piecewise state = {.data = (const char *)f.bytes, .size = f.size, .piece = 100};
    ftl_stream *stream;
    ftl_table *table;
    ftl_error error;
    assert_int_equal(ftl_stream_create(test_account(), &piecewise_ops, &state, 0, &stream, NULL),
                     FTL_OK);
    assert_int_equal(ftl_table_open(test_account(), stream, NULL, &table, &error), FTL_UNSUPPORTED);
    assert_non_null(strstr(error.message, "column-major"));
    ftl_stream_close(stream);
}

static void refuses_other_types_by_name(void **unused)
{
    (void)unused;
    static const char zeros[64];
    static const char *const types[] = {"<U5",  "|S3", "|O",  "<f2", "<c16", "<M8[ns]",
                                        "<f16", "|V8", "<i3", "f8",  "",     "<"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        file f = simple(types[i], "False", "(2,)", zeros, sizeof zeros);
        if (strlen(types[i]) < 2)
            expect_error(&f, FTL_CORRUPT, "the dtype is no string");
        else
            expect_error(&f, FTL_UNSUPPORTED, types[i]);
    }
    file f = npy(1, "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", zeros,
                 sizeof zeros);
    expect_error(&f, FTL_UNSUPPORTED, "structured");
    f = npy(4, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", zeros, sizeof zeros);
    expect_error(&f, FTL_UNSUPPORTED, "version 4.0");
}

static void refuses_damage(void **unused)
{
    (void)unused;
    static const double data[4] = {1, 2, 3, 4};
    static const char *const dictionaries[] = {
        "",
        "{",
        "{}",
        "[]",
        "{'descr': '<f8'}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } x",
        "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': [2], }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False 'shape': (2,)}",
        "{'descr: '<f8', 'fortran_order': False, 'shape': (2,)}"};
    for (size_t i = 0; i < sizeof dictionaries / sizeof dictionaries[0]; i++) {
        file f = npy(1, dictionaries[i], data, sizeof data);
        expect_error(&f, FTL_CORRUPT, "header is damaged");
    }
    file f = simple("<f8", "False", "()", data, sizeof data);
    expect_error(&f, FTL_SHAPE, "0 dimensions");
    f = simple("<f8", "False", "(1, 1, 1)", data, sizeof data);
    expect_error(&f, FTL_SHAPE, "3 dimensions");
    f = simple("<f8", "False", "(5, 0)", data, sizeof data);
    expect_error(&f, FTL_SHAPE, "no columns");
    f = simple("<f8", "False", "(1, 9223372036854775807)", data, sizeof data);
    expect_error(&f, FTL_LIMIT, "options.max_record_bytes");
    f = simple("<f8", "False", "(9223372036854775807, 2)", data, sizeof data);
    expect_error(&f, FTL_CORRUPT, "ends after 2 of 9223372036854775807 rows");
    f = simple("<f8", "False", "(3, 2)", data, sizeof data - 1);
    expect_error(&f, FTL_CORRUPT, "ends after 1 of 3 rows");
    /* Every place to cut the file off. */
    f = simple("<f8", "False", "(2, 2)", data, sizeof data);
    for (size_t size = 6; size < f.size; size++) {
        file cut = f;
        cut.size = size;
        expect_error(&cut, FTL_CORRUPT,
                     size < f.size - sizeof data ? "header is damaged" : "truncated");
    }
}

static void keeps_types_of_kept_columns(void **unused)
{
    (void)unused;
    static const struct {
        const char *type, *want[2];
        char data[16];
        size_t size;
        ftl_type kept;
    } cases[] = {
        {"<i2", {"1", "-2"}, {1, 0, (char)0xfe, (char)0xff}, 4, FTL_I64},
        {"|b1", {"True", "False"}, {1, 0}, 2, FTL_BOOL},
        {"<u8", {"18446744073709551615", "1"}, "\xff\xff\xff\xff\xff\xff\xff\xff\1", 16, FTL_U64},
        {"<f8",
         {"1.0", ""},
         {0, 0, 0, 0, 0, 0, (char)0xf0, 0x3f, 0, 0, 0, 0, 0, 0, (char)0xf8, 0x7f},
         16,
         FTL_F64},
        {"<f4",
         {"0.1", "2.0"},
         {(char)0xcd, (char)0xcc, (char)0xcc, 0x3d, 0, 0, 0, 0x40},
         8,
         FTL_F32}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        file f = simple(cases[k].type, "False", "(2,)", cases[k].data, cases[k].size);
        ftl_table *table;
        ftl_table_block *block;
        ftl_row_batch *batch;
        ftl_row_view view;
        const ftl_table_column_request requests[2] = {{0, cases[k].kept, true},
                                                      {0, FTL_STRING, false}};
        assert_int_equal(open_table(test_account(), f.bytes, f.size, NULL, &table, NULL), FTL_OK);
        assert_int_equal(ftl_table_bind(table, requests, 2, NULL), FTL_OK);
        assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
        assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
        assert_int_equal(ftl_table_block_line(block, 0), -1);
        assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
        ftl_row_batch_view(batch, &view);
        for (size_t row = 0; row < 2; row++) {
            char text[FTL_F64_TEXT_SIZE];
            size_t size = ftl_column_number_text(&view.batch.columns[0], row, text);
            assert_int_equal(view.batch.columns[0].type, cases[k].kept);
            assert_int_equal(size, strlen(cases[k].want[row]));
            assert_memory_equal(text, cases[k].want[row], size);
            assert_int_equal(ftl_column_number_text(&view.batch.columns[1], row, text), size);
            assert_memory_equal(text, cases[k].want[row], size);
        }
        ftl_row_batch_destroy(batch);
        ftl_table_block_destroy(block);
        ftl_table_close(table);
    }
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    const double data[6] = {1, 2, 3, 4, 5, 6};
    file f = simple("<f8", "False", "(3, 2)", data, sizeof data);
    ftl_status status = FTL_NOMEM;
    for (long n = 1; status != FTL_OK; n++) {
        ftl_account *account = test_account();
        ftl_table *table;
        double values[6];
        size_t rows;
        fail_after = n;
        status = open_table(account, f.bytes, f.size, NULL, &table, NULL);
        if (status == FTL_OK) {
            status = read_all(table, 2, values, &rows, NULL);
            ftl_table_close(table);
        }
        fail_after = 0;
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        assert_int_equal(live_blocks, 0);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_element_types),
        cmocka_unit_test(reads_headers),
        cmocka_unit_test(reads_column_major_files),
        cmocka_unit_test(refuses_other_types_by_name),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(keeps_types_of_kept_columns),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
