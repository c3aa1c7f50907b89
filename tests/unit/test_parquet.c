/* Parquet: the encodings against plain ones, decimals, whole files, and files that were damaged in
 * many ways. The files are the seeds of the fuzzer (fuzz/make_parquet_seeds.py). */
#include "table_helper.h"

#include "base/column.h"
#include "table/parquet_decimal.h"
#include "table/parquet_decode.h"
#include "table/parquet_rows.h"

#include <math.h>
#include <stdio.h>

static uint32_t next(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u; }

/* ---- Encodings ------------------------------------------------------------------------------- */

typedef struct bytes {
    uint8_t data[1 << 16];
    size_t size;
} bytes;

static void put_varint(bytes *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out->data[out->size++] = (uint8_t)(value | 0x80);
    out->data[out->size++] = (uint8_t)value;
}

static void put_zigzag(bytes *out, int64_t value)
{
    put_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

/* Bit by bit. */
static void put_packed(bytes *out, const uint64_t *values, size_t n, unsigned width)
{
    memset(out->data + out->size, 0, (n * width + 7) / 8);
    for (size_t i = 0; i < n * width; i++) {
        if (values[i / width] >> i % width & 1)
            out->data[out->size + i / 8] |= (uint8_t)(1u << i % 8);
    }
    out->size += (n * width + 7) / 8;
}

/* An exact copy with the padding that decoders ask for, filled with what must not matter. */
static uint8_t *padded(const bytes *from)
{
    uint8_t *copy = malloc(from->size + FTL_PARQUET_PADDING);
    assert_non_null(copy);
    memcpy(copy, from->data, from->size);
    memset(copy + from->size, 0xa5, FTL_PARQUET_PADDING);
    return copy;
}

static void unpacks_runs_of_every_width(void **unused)
{
    (void)unused;
    static bytes stream;
    static uint64_t want[3000];
    static uint32_t got[3000];
    uint32_t seed = 1;
    for (unsigned width = 0; width <= 32; width++) {
        const uint64_t mask = (UINT64_C(1) << width) - 1;
        size_t n = 0;
        stream.size = 0;
        for (unsigned run = 0; run < 30; run++) {
            size_t length = 1 + next(&seed) % 40;
            if (run % 2) {
                length = 8 * (1 + length / 8);
                put_varint(&stream, length / 8 << 1 | 1);
                for (size_t i = 0; i < length; i++)
                    want[n + i] = (uint64_t)next(&seed) << 7 & mask;
                put_packed(&stream, want + n, length, width);
            } else {
                uint64_t value = next(&seed) & mask;
                put_varint(&stream, length << 1);
                for (unsigned i = 0; i < (width + 7) / 8; i++)
                    stream.data[stream.size++] = (uint8_t)(value >> 8 * i);
                for (size_t i = 0; i < length; i++)
                    want[n + i] = value;
            }
            n += length;
        }
        uint8_t *data = padded(&stream);
        for (size_t step = 1; step < 100; step += 1 + step / 3) {
            ftl_rle rle;
            ftl_rle_init(&rle, data, stream.size, width);
            for (size_t at = 0; at < n; at += step)
                assert_true(ftl_rle_read(&rle, got + at, n - at < step ? n - at : step));
            for (size_t i = 0; i < n; i++)
                assert_int_equal(got[i], want[i]);
            assert_false(ftl_rle_read(&rle, got, 1));
        }
        free(data);
    }
}

static void unpacks_bits(void **unused)
{
    (void)unused;
    static bytes stream;
    static uint64_t want[4000];
    uint32_t seed = 2;
    stream.size = 0;
    size_t n = 0;
    for (unsigned run = 0; run < 40; run++) {
        size_t length = 1 + next(&seed) % 90;
        if (run % 2) {
            length = 8 * (1 + length / 8);
            put_varint(&stream, length / 8 << 1 | 1);
            for (size_t i = 0; i < length; i++)
                want[n + i] = next(&seed) >> 9 & 1;
            put_packed(&stream, want + n, length, 1);
        } else {
            put_varint(&stream, length << 1);
            stream.data[stream.size++] = run % 4 == 0;
            for (size_t i = 0; i < length; i++)
                want[n + i] = run % 4 == 0;
        }
        n += length;
    }
    uint8_t *data = padded(&stream);
    for (size_t step = 1; step < 300; step += 1 + step / 3) {
        uint8_t out[600];
        size_t ones = 0, some, sum = 0;
        ftl_rle rle;
        ftl_rle_init(&rle, data, stream.size, 1);
        memset(out, step % 2 ? 0xff : 0, sizeof out);
        for (size_t at = 0; at < n; at += step) {
            assert_true(ftl_rle_read_bits(&rle, out, 3 + at, n - at < step ? n - at : step, &some));
            ones += some;
        }
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(out[(3 + i) / 8] >> (3 + i) % 8 & 1, want[i]);
            sum += want[i];
        }
        assert_int_equal(ones, sum);
        assert_int_equal(out[0] & 7, step % 2 ? 7 : 0); /* what was there before */
        assert_false(ftl_rle_read_bits(&rle, out, 0, 1, &some));
    }
    free(data);
    static const uint8_t above_one[2 + FTL_PARQUET_PADDING] = {2, 2}; /* a run of one */
    ftl_rle rle;
    size_t ones;
    uint8_t out[8];
    ftl_rle_init(&rle, above_one, 2, 1);
    assert_false(ftl_rle_read_bits(&rle, out, 0, 1, &ones));
}

/* Blocks of 128 values in 4 miniblocks, as writers make them. */
static void put_delta(bytes *out, const int64_t *values, size_t n)
{
    put_varint(out, 128);
    put_varint(out, 4);
    put_varint(out, n);
    put_zigzag(out, n ? values[0] : 0);
    for (size_t at = 1; at < n; at += 128) {
        uint64_t differences[128] = {0};
        size_t some = n - at < 128 ? n - at : 128;
        int64_t least = INT64_MAX;
        for (size_t i = 0; i < some; i++) {
            int64_t d = (int64_t)((uint64_t)values[at + i] - (uint64_t)values[at + i - 1]);
            differences[i] = (uint64_t)d;
            least = d < least ? d : least;
        }
        put_zigzag(out, least);
        uint8_t *widths = out->data + out->size;
        out->size += 4;
        for (size_t m = 0; m < 4; m++) {
            unsigned width = 0;
            for (size_t i = 32 * m; i < 32 * m + 32; i++) {
                differences[i] = i < some ? differences[i] - (uint64_t)least : 0;
                while (width < 64 && differences[i] >> width)
                    width++;
            }
            widths[m] = (uint8_t)width;
            if (32 * m < some)
                put_packed(out, differences + 32 * m, 32, width);
        }
    }
}

static void unpacks_differences(void **unused)
{
    (void)unused;
    static bytes stream;
    static int64_t want[700], got[700];
    uint32_t seed = 3;
    for (unsigned round = 0; round < 200; round++) {
        const unsigned bits = round % 65;
        size_t n = round < 65 ? 600 : next(&seed) % 400;
        for (size_t i = 0; i < n; i++) {
            uint64_t value = (uint64_t)next(&seed) << 32 | next(&seed);
            want[i] = bits ? (int64_t)(value >> (64 - bits)) : 7;
        }
        stream.size = 0;
        put_delta(&stream, want, n);
        size_t end = stream.size;
        for (unsigned i = 0; i < 5; i++)
            stream.data[stream.size++] = 0xee; /* what follows is not the values' */
        uint8_t *data = padded(&stream);
        ftl_delta delta;
        assert_true(ftl_delta_init(&delta, data, stream.size));
        assert_ptr_equal(ftl_delta_end(&delta), data + end);
        for (size_t at = 0, step = 1 + round % 50; at < n; at += step)
            assert_true(ftl_delta_read(&delta, got + at, n - at < step ? n - at : step));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(got[i], want[i]);
        assert_false(ftl_delta_read(&delta, got, 1));
        /* Cut off anywhere, it fails or gives a part; nothing beyond the padding is read. */
        for (size_t size = 0; size < end; size += 1 + size / 4) {
            bytes *cut = malloc(sizeof *cut);
            memcpy(cut->data, stream.data, size);
            cut->size = size;
            uint8_t *rest = padded(cut);
            if (ftl_delta_init(&delta, rest, size)) {
                (void)!ftl_delta_end(&delta);
                (void)!ftl_delta_read(&delta, got, n);
            }
            free(rest);
            free(cut);
        }
        free(data);
    }
}

static void reads_decimals(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        size_t size;
        uint32_t scale;
        double want;
    } cases[] = {
        {"", 0, 2, 0.0},
        {"\x01", 1, 0, 1.0},
        {"\xff", 1, 0, -1.0},
        {"\x80", 1, 1, -12.8},
        {"\x00\x7b", 2, 2, 1.23},
        {"\xff\x85", 2, 2, -1.23},
        {"\x80\x00\x00\x00\x00\x00\x00\x00", 8, 0, -9223372036854775808.0},
        {"\x00\x20\x00\x00\x00\x00\x00\x01", 8, 1, 900719925474099.3},
        /* 10**38 - 1 */
        {"\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x3f\xff\xff\xff\xff", 16, 38, 1.0},
        {"\x01", 1, 1000, 0.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *from = (const uint8_t *)cases[i].bytes;
        uint8_t turned[16];
        for (size_t k = 0; k < cases[i].size; k++)
            turned[k] = from[cases[i].size - 1 - k];
        double big = ftl_parquet_decimal(from, cases[i].size, false, cases[i].scale);
        double little = ftl_parquet_decimal(turned, cases[i].size, true, cases[i].scale);
        assert_true(big == cases[i].want);
        assert_true(little == cases[i].want);
    }
}

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
        cmocka_unit_test(unpacks_runs_of_every_width),
        cmocka_unit_test(unpacks_bits),
        cmocka_unit_test(unpacks_differences),
        cmocka_unit_test(reads_decimals),
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
