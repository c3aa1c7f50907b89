/* Parquet: whole files, and files that were damaged in many ways. The files are the seeds of the
 * fuzzer (fuzz/make_parquet_seeds.py). */
#include "table_helper.h"

#include "base/column.h"

#include "parquet_bytes.h"

#include <math.h>
#include <stdio.h>

/* ---- Files ----------------------------------------------------------------------------------- */

static const char *const seeds[] = {"plain", "dictionary", "pages", "delta", "lengths",
                                    "split", "snappy",     "gzip",  "zstd",  "lz4"};
enum { ROWS = 40 };

/* Without the byte that is the fuzzer's. */
static bytes read_seed(const char *name)
{
    static bytes out;
    char path[512];
    snprintf(path, sizeof path, "%s/../fuzz/corpus/parquet/%s", FTL_TEST_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fgetc(file) >= 0, 1);
    out.size = fread(out.data, 1, sizeof out.data, file);
    assert_in_range(out.size, 1, sizeof out.data - 1);
    fclose(file);
    return out;
}

/* What row i of a column of the seeds holds, as text; "" for null. */
static void expected_text(const char *column, int i, char *out, size_t size)
{
    char number[FTL_F64_TEXT_SIZE] = "";
    size_t n = 0;
    out[0] = 0;
    switch (column[0]) {
    case 'b':
        snprintf(out, size, "%s", i % 3 == 1 ? "" : i % 3 == 0 ? "True" : "False");
        return;
    case 'i':
        snprintf(out, size, i % 3 == 1 ? "%.0d" : "%d", i % 3 == 1 ? 0 : i * i % 7 - 3);
        return;
    case 'l':
        snprintf(out, size, "%lld", (long long)i << i);
        return;
    case 'u':
        snprintf(out, size, i % 7 == 1 ? "%.0d" : "%d", i % 7 == 1 ? 0 : i % 5);
        return;
    case 'h':
        n = ftl_print_f64(i / 8.0, number);
        break;
    case 'f':
        n = i % 4 == 1 ? 0 : ftl_print_f64(i / 4.0, number);
        break;
    case 'd':
        n = ftl_print_f64(i % 9 / 3.0, number);
        break;
    case 'm':
        n = i % 6 == 1 ? 0 : ftl_print_f64((double)(i * 1234567890123) / 1e8, number);
        break;
    case 's':
        for (int k = 0; i % 5 != 1 && k < i % 4; k++)
            n += (size_t)snprintf(out + n, size - n, "text %d", i % 6);
        return;
    default:
        return;
    }
    snprintf(out, size, "%.*s", (int)n, number);
}

static bool is_null(const char *column, int i)
{
    int every = strchr("bi", column[0]) ? 3 : column[0] == 'u' ? 7 : column[0] == 'f' ? 4 : 0;
    every = column[0] == 's' ? 5 : column[0] == 'm' ? 6 : every;
    return column[0] == 'n' || (every && i % every == 1);
}

typedef struct reading {
    ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_table_column_request requests[16];
    size_t n;
} reading;

static void end_reading(reading *r)
{
    ftl_row_batch_destroy(r->batch);
    ftl_table_block_destroy(r->block);
    ftl_table_close(r->table);
    *r = (reading){0};
}

/* All columns that can be read: no timestamps and lists, of the seeds' names. */
static ftl_status begin_reading(ftl_account *account, const bytes *file, reading *r,
                                ftl_error *error)
{
    *r = (reading){0};
    FTL_TRY(open_table(account, file->data, file->size, NULL, &r->table, error));
    const size_t n = ftl_table_get_info(r->table)->n_columns;
    for (size_t i = 0; i < n && r->n < 16; i++) {
        const char *name = ftl_table_column_name(r->table, i);
        if (strcmp(name, "t") != 0 && strcmp(name, "x") != 0)
            r->requests[r->n++] = (ftl_table_column_request){.index = i, .type = FTL_F64};
    }
    ftl_status status = ftl_table_bind(r->table, r->requests, r->n, error);
    if (status == FTL_OK)
        status = ftl_table_block_create(r->table, &r->block, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(r->table, &r->batch, error);
    if (status != FTL_OK)
        end_reading(r);
    return status;
}

static void check_cell(const ftl_column *column, size_t row, const char *name, int i)
{
    char want[256], text[FTL_F64_TEXT_SIZE];
    size_t index, size;
    const char *got = text;
    bool valid = ftl_column_find(&column, row, &index);
    assert_int_equal(valid, !is_null(name, i));
    if (!valid)
        return;
    if (ftl_type_is_text(column->type))
        got = ftl_column_text(column, index, &size);
    else
        size = ftl_column_number_text(column, index, text);
    expected_text(name, i, want, sizeof want);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(got, want, size);
}

static void reads_files(void **unused)
{
    (void)unused;
    for (size_t f = 0; f < sizeof seeds / sizeof seeds[0]; f++) {
        const bytes file = read_seed(seeds[f]);
        for (size_t step = 1; step <= ROWS; step += 6) {
            reading r;
            ftl_error error;
            ftl_status status = begin_reading(test_account(), &file, &r, &error);
            assert_int_equal(status, FTL_OK);
            assert_string_equal(ftl_table_get_info(r.table)->format, "Parquet");
            assert_int_equal(ftl_table_get_info(r.table)->rows, ROWS);
            int rows = 0;
            while ((status = ftl_table_read(r.table, step, r.block, &error)) == FTL_OK) {
                ftl_row_view view;
                assert_int_equal(ftl_table_convert(r.table, r.block, r.batch, NULL), FTL_OK);
                ftl_row_batch_view(r.batch, &view);
                for (size_t row = 0; row < view.batch.rows; row++, rows++) {
                    for (size_t c = 0; c < r.n; c++)
                        check_cell(&view.batch.columns[c], row,
                                   ftl_table_column_name(r.table, r.requests[c].index), rows);
                }
            }
            if (status == FTL_UNSUPPORTED) { /* a codec that was not compiled in */
                assert_non_null(strstr(error.message, "FTL_WITH_"));
            } else {
                assert_int_equal(status, FTL_END);
                assert_int_equal(rows, ROWS);
            }
            end_reading(&r);
        }
    }
    assert_int_equal(live_blocks, 0);
}

static void keeps_columns(void **unused)
{
    (void)unused;
    const bytes file = read_seed("dictionary");
    static const struct {
        const char *name;
        ftl_type type;
    } want[] = {{"b", FTL_BOOL}, {"i", FTL_I64}, {"l", FTL_I64}, {"u", FTL_U64},   {"h", FTL_F32},
                {"f", FTL_F32},  {"d", FTL_F64}, {"m", FTL_F64}, {"s", FTL_STRING}};
    ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_row_view view;
    ftl_table_column_request requests[sizeof want / sizeof want[0]];
    const size_t n = sizeof want / sizeof want[0];
    assert_int_equal(open_table(test_account(), file.data, file.size, NULL, &table, NULL), FTL_OK);
    for (size_t i = 0; i < n; i++) {
        size_t index;
        assert_int_equal(ftl_table_find(table, want[i].name, &index), 1);
        assert_int_equal(ftl_table_column_type(table, index), want[i].type);
        requests[i] = (ftl_table_column_request){index, want[i].type, true};
    }
    assert_int_equal(ftl_table_bind(table, requests, n, NULL), FTL_OK);
    assert_int_equal(ftl_table_block_create(table, &block, NULL), FTL_OK);
    assert_int_equal(ftl_row_batch_create(table, &batch, NULL), FTL_OK);
    assert_int_equal(ftl_table_read(table, 10, block, NULL), FTL_OK);
    assert_int_equal(ftl_table_convert(table, block, batch, NULL), FTL_OK);
    ftl_row_batch_view(batch, &view);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(view.batch.columns[i].type, want[i].type);
        for (size_t row = 0; row < 10; row++)
            check_cell(&view.batch.columns[i], row, want[i].name, (int)row);
    }
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
}

static void refuses_columns_by_name(void **unused)
{
    (void)unused;
    const bytes file = read_seed("plain");
    static const char *const columns[] = {"t", "x"}, *const words[] = {"timestamps", "lists"};
    for (size_t i = 0; i < 2; i++) {
        ftl_table *table;
        ftl_error error;
        ftl_table_column_request request = {.type = FTL_F64};
        assert_int_equal(open_table(test_account(), file.data, file.size, NULL, &table, NULL),
                         FTL_OK);
        assert_int_equal(ftl_table_find(table, columns[i], &request.index), 1);
        assert_int_equal(ftl_table_bind(table, &request, 1, &error), FTL_SCHEMA);
        assert_int_equal(error.reason, FTL_REASON_COLUMN_TYPE);
        assert_non_null(strstr(error.message, columns[i]));
        assert_non_null(strstr(error.message, words[i]));
        ftl_table_close(table);
    }
}

static void wants_random_access(void **unused)
{
    (void)unused;
    const bytes file = read_seed("plain");
    piecewise state = {.data = (const char *)file.data, .size = file.size, .piece = 100};
    ftl_stream *stream;
    ftl_table *table;
    ftl_error error;
    assert_int_equal(ftl_stream_create(test_account(), &piecewise_ops, &state, 0, &stream, NULL),
                     FTL_OK);
    assert_int_equal(ftl_table_open(test_account(), stream, NULL, &table, &error), FTL_UNSUPPORTED);
    assert_non_null(strstr(error.message, "it must be a plain file"));
    ftl_stream_close(stream);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* Everything is read; whatever comes of it, nothing is lost and what is given can be looked at. */
static ftl_status read_damaged(const bytes *file, ftl_error *error)
{
    uint8_t *exact = malloc(file->size ? file->size : 1);
    reading r;
    ftl_account account;
    ftl_account_init(&account, NULL, 64 << 20);
    memcpy(exact, file->data, file->size);
    bytes *copy = malloc(sizeof *copy);
    copy->size = file->size;
    memcpy(copy->data, exact, file->size);
    ftl_status status = begin_reading(&account, copy, &r, error);
    uint64_t rows = 0;
    while (status == FTL_OK && rows < 5000) {
        status = ftl_table_read(r.table, 17, r.block, error);
        if (status != FTL_OK)
            break;
        assert_int_equal(ftl_table_convert(r.table, r.block, r.batch, NULL), FTL_OK);
        ftl_row_view view;
        ftl_row_batch_view(r.batch, &view);
        rows += view.batch.rows;
        for (size_t i = 0; i < view.batch.n_columns; i++)
            assert_int_equal(ftl_column_check(&view.batch.columns[i], view.batch.rows, NULL),
                             FTL_OK);
    }
    if (r.table)
        end_reading(&r);
    assert_int_equal(ftl_account_used(&account), 0);
    free(exact);
    free(copy);
    return status;
}

static bool is_told(ftl_status status)
{
    return status == FTL_OK || status == FTL_END || status == FTL_CORRUPT || status == FTL_LIMIT ||
           status == FTL_UNSUPPORTED || status == FTL_SCHEMA || status == FTL_NOMEM;
}

static void survives_changed_bytes(void **unused)
{
    (void)unused;
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x15, 0x19};
    uint32_t seed = 5;
    for (size_t f = 0; f < sizeof seeds / sizeof seeds[0]; f++) {
        const bytes file = read_seed(seeds[f]);
        static bytes damaged;
        for (unsigned round = 0; round < 1500; round++) {
            damaged = file;
            unsigned changes = 1 + round % 4;
            for (unsigned k = 0; k < changes; k++) {
                size_t at = next(&seed) % file.size;
                uint32_t r = next(&seed) >> 8;
                damaged.data[at] = r % 2 ? telling[r / 2 % sizeof telling] : (uint8_t)(r >> 4);
            }
            ftl_error error;
            assert_true(is_told(read_damaged(&damaged, &error)));
        }
    }
}

static void survives_moved_pieces(void **unused)
{
    (void)unused;
    uint32_t seed = 6;
    for (size_t f = 0; f < sizeof seeds / sizeof seeds[0]; f++) {
        const bytes file = read_seed(seeds[f]);
        static bytes damaged;
        for (unsigned round = 0; round < 300; round++) {
            damaged = file;
            size_t size = 1 + next(&seed) % 40, from = next(&seed) % (file.size - size);
            size_t to = next(&seed) % (file.size - size);
            memmove(damaged.data + to, damaged.data + from, size);
            ftl_error error;
            assert_true(is_told(read_damaged(&damaged, &error)));
        }
    }
}

static void tells_files_that_are_cut_off(void **unused)
{
    (void)unused;
    const bytes file = read_seed("pages");
    for (size_t size = 4; size < file.size; size++) {
        static bytes cut;
        cut = file;
        cut.size = size;
        ftl_error error;
        assert_int_equal(read_damaged(&cut, &error), FTL_CORRUPT);
        assert_non_null(strstr(error.message, "truncated"));
    }
    /* The end is there, and a piece before it is not. */
    for (size_t size = 8; size + 12 < file.size; size += 7) {
        static bytes cut;
        cut = file;
        memmove(cut.data + size, cut.data + size + 5, file.size - size - 5);
        cut.size = file.size - 5;
        ftl_error error;
        ftl_status status = read_damaged(&cut, &error);
        assert_true(is_told(status) && status != FTL_OK && status != FTL_END);
    }
}

/* ---- Files made by hand ---------------------------------------------------------------------- */

/* One column "c" of int64 in one row group; what stands where is for the tests to falsify. */
typedef struct lies {
    uint64_t file_rows, group_rows, chunk_values;
    int64_t page_values, page_size, page_stored;
    int page_encoding, page_type, physical, optional;
    int64_t chunk_offset, chunk_size; /* 0: the truth */
    unsigned n_children;
    const char *body; /* of the page */
    size_t body_size;
} lies;

static void put_field(bytes *out, unsigned step, unsigned type, int64_t value)
{
    out->data[out->size++] = (uint8_t)(step << 4 | type);
    put_zigzag(out, value);
}

static void put_byte(bytes *out, unsigned byte) { out->data[out->size++] = (uint8_t)byte; }

static void put_page(bytes *out, const lies *l)
{
    put_field(out, 1, 5, l->page_type);
    put_field(out, 1, 5, l->page_size);
    put_field(out, 1, 5, l->page_stored);
    if (l->page_type == 2)
        put_byte(out, 0x4c); /* field 7 */
    else
        put_byte(out, 0x2c); /* field 5 */
    put_field(out, 1, 5, l->page_values);
    put_field(out, 1, 5, l->page_encoding);
    put_field(out, 1, 5, 3);
    put_field(out, 1, 5, 3);
    put_byte(out, 0);
    put_byte(out, 0);
    memcpy(out->data + out->size, l->body, l->body_size);
    out->size += l->body_size;
}

static void put_schema(bytes *out, const lies *l)
{
    put_byte(out, 0x19); /* field 2 */
    put_byte(out, 0x2c);
    put_byte(out, 0x48); /* the root: a name and its children */
    put_varint(out, 1);
    put_byte(out, 'r');
    put_field(out, 1, 5, l->n_children);
    put_byte(out, 0);
    put_field(out, 1, 5, l->physical);
    put_field(out, 2, 5, l->optional);
    put_byte(out, 0x18);
    put_varint(out, 1);
    put_byte(out, 'c');
    put_byte(out, 0);
}

static void put_group(bytes *out, const lies *l, size_t page_at, size_t page_end)
{
    put_byte(out, 0x19); /* field 4 */
    put_byte(out, 0x1c);
    put_byte(out, 0x19); /* 1: columns */
    put_byte(out, 0x1c);
    put_field(out, 2, 6, 0);
    put_byte(out, 0x1c); /* 3: what it holds */
    put_field(out, 1, 5, l->physical);
    put_byte(out, 0x29); /* 3: path */
    put_byte(out, 0x18);
    put_varint(out, 1);
    put_byte(out, 'c');
    put_field(out, 1, 5, 0);
    put_field(out, 1, 6, (int64_t)l->chunk_values);
    put_field(out, 2, 6, l->chunk_size ? l->chunk_size : (int64_t)(page_end - page_at));
    put_field(out, 2, 6, l->chunk_offset ? l->chunk_offset : (int64_t)page_at);
    put_byte(out, 0);
    put_byte(out, 0);
    put_field(out, 2, 6, (int64_t)l->group_rows);
    put_byte(out, 0);
}

static bytes make(const lies *l)
{
    static bytes out;
    out.size = 0;
    memcpy(out.data, "PAR1", 4);
    out.size = 4;
    put_page(&out, l);
    size_t end = out.size;
    put_field(&out, 1, 5, 1);
    put_schema(&out, l);
    put_field(&out, 1, 6, (int64_t)l->file_rows);
    put_group(&out, l, 4, end);
    put_byte(&out, 0);
    uint32_t size = (uint32_t)(out.size - end);
    memcpy(out.data + out.size, &size, 4);
    memcpy(out.data + out.size + 4, "PAR1", 4);
    out.size += 8;
    return out;
}

static lies truth(void)
{
    return (lies){.file_rows = 2,
                  .group_rows = 2,
                  .chunk_values = 2,
                  .page_values = 2,
                  .page_size = 16,
                  .page_stored = 16,
                  .physical = 2,
                  .n_children = 1,
                  .body = "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0",
                  .body_size = 16};
}

static void tells(const lies *l, ftl_status want, const char *message)
{
    const bytes file = make(l);
    ftl_error error;
    ftl_error_clear(&error);
    ftl_status status = read_damaged(&file, &error);
    if (status != want || !strstr(error.message, message))
        print_error("wanted '%s', got %s: %s\n", message, ftl_status_name(status), error.message);
    assert_int_equal(status, want);
    assert_non_null(strstr(error.message, message));
}

#define TELLS(want, message, ...)      \
    do {                               \
        lies l_ = truth();             \
        __VA_ARGS__;                   \
        tells(&l_, (want), (message)); \
    } while (0)

static void tells_lies(void **unused)
{
    (void)unused;
    TELLS(FTL_END, "", (void)0);
    TELLS(FTL_CORRUPT, "claims 3 rows and its row groups 2", l_.file_rows = 3);
    TELLS(FTL_CORRUPT, "has 2 values in row group 0 of 3 rows", l_.file_rows = l_.group_rows = 3);
    TELLS(FTL_CORRUPT, "the column ends 1 rows too early",
          l_.file_rows = l_.group_rows = l_.chunk_values = 3);
    TELLS(FTL_CORRUPT, "the column ends 9223372036854775805 rows too early",
          l_.file_rows = l_.group_rows = l_.chunk_values = INT64_MAX);
    TELLS(FTL_CORRUPT, "no number of rows", l_.file_rows = l_.group_rows = UINT64_MAX);
    TELLS(FTL_CORRUPT, "claims 3 rows, and its row group has 2 left", l_.page_values = 3);
    TELLS(FTL_CORRUPT, "no number of values, or a negative one", l_.page_values = -1);
    TELLS(FTL_CORRUPT, "no size, or a negative one", l_.page_size = -1);
    TELLS(FTL_CORRUPT, "no size, or a negative one", l_.page_stored = -1);
    TELLS(FTL_CORRUPT, "longer than 32 bits", l_.page_size = INT64_C(1) << 32);
    TELLS(FTL_LIMIT, "the most is 1073741824", l_.page_size = INT32_MAX);
    TELLS(FTL_CORRUPT, "not compressed and has two sizes", l_.page_size = 1 << 30);
    TELLS(FTL_CORRUPT, "claims 100000 bytes, and its column has 16 left",
          l_.page_stored = l_.page_size = 100000);
    TELLS(FTL_CORRUPT, "holds fewer values than it claims", l_.page_stored = l_.page_size = 15;
          l_.body_size = 15);
    TELLS(FTL_CORRUPT, "a dictionary that there is not", l_.page_encoding = 8);
    TELLS(FTL_UNSUPPORTED, "in encoding 99 are not read", l_.page_encoding = 99);
    TELLS(FTL_CORRUPT, "differences are damaged", l_.page_encoding = 5;
          l_.body = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    TELLS(FTL_CORRUPT, "the column ends 2 rows too early", l_.page_type = 2);
    TELLS(FTL_CORRUPT, "holds fewer values than it claims", l_.page_type = 2;
          l_.page_values = INT32_MAX);
    TELLS(FTL_CORRUPT, "the column ends 2 rows too early", l_.page_type = 1);
    TELLS(FTL_CORRUPT, "the page's levels are longer than the page", l_.optional = 1;
          l_.body = "\xff\xff\xff\xff\xff\xff\xff\xff\1\1\1\1\1\1\1\1");
    TELLS(FTL_CORRUPT, "the page's levels are damaged", l_.optional = 1;
          l_.body = "\2\0\0\0\4\2\0\0\0\0\0\0\0\0\0\0");
    TELLS(FTL_CORRUPT, "the page's levels are damaged", l_.optional = 1;
          l_.body = "\0\0\0\0\4\1\0\0\0\0\0\0\0\0\0\0");
    TELLS(FTL_CORRUPT, "lies outside of it", l_.chunk_offset = 1);
    TELLS(FTL_CORRUPT, "lies outside of it", l_.chunk_offset = INT64_MAX);
    TELLS(FTL_CORRUPT, "lies outside of it", l_.chunk_offset = -5);
    TELLS(FTL_CORRUPT, "lies outside of it", l_.chunk_size = INT64_MAX);
    TELLS(FTL_CORRUPT, "lies outside of it", l_.chunk_size = -1);
    TELLS(FTL_CORRUPT, "the page's head is damaged", l_.chunk_size = 3);
    TELLS(FTL_CORRUPT, "fewer columns than its groups claim", l_.n_children = 2);
    TELLS(FTL_CORRUPT, "fewer columns than its groups claim", l_.n_children = INT32_MAX);
    TELLS(FTL_CORRUPT, "more columns than its groups claim", l_.n_children = 0);
    TELLS(FTL_CORRUPT, "stored in no way that there is", l_.physical = 8);
    TELLS(FTL_CORRUPT, "no repetition that there is", l_.optional = 3);
    TELLS(FTL_SCHEMA, "holds lists", l_.optional = 2);
    TELLS(FTL_SCHEMA, "holds bytes that are not declared to be text", l_.physical = 6);
}

static void survives_failing_allocations(void **unused)
{
    (void)unused;
    static const char *const some[] = {"dictionary", "delta", "gzip", "zstd"};
    for (size_t f = 0; f < 4; f++) {
        const bytes file = read_seed(some[f]);
        ftl_status status = FTL_NOMEM;
        for (long n = 1; status != FTL_END && status != FTL_UNSUPPORTED; n++) {
            ftl_account *account = test_account();
            reading r;
            fail_after = n;
            status = begin_reading(account, &file, &r, NULL);
            while (status == FTL_OK)
                status = ftl_table_read(r.table, 11, r.block, NULL);
            fail_after = 0;
            if (r.table)
                end_reading(&r);
            assert_true(status == FTL_NOMEM || status == FTL_END || status == FTL_UNSUPPORTED);
            assert_int_equal(live_blocks, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(keeps_columns),
        cmocka_unit_test(refuses_columns_by_name),
        cmocka_unit_test(wants_random_access),
        cmocka_unit_test(survives_changed_bytes),
        cmocka_unit_test(survives_moved_pieces),
        cmocka_unit_test(tells_files_that_are_cut_off),
        cmocka_unit_test(tells_lies),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
