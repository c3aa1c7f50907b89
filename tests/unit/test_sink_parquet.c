/* The Parquet sink: bytes, runs, statistics, and that nothing half-written is ever left. */
#include "table_helper.h"

#include "base/cancel.h"
#include "table/parquet_write_encode.h"
#include "table/parquet_write_range.h"
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

/* ---- Thrift ---------------------------------------------------------------------------------- */

static void writes_thrift(void **unused)
{
    (void)unused;
    /* by the compact protocol's description: field headers are distance << 4 | type */
    static const uint8_t want[] = {
        0x15, 0x0e,                         /* 1: i32 7 */
        0x15, 0x01,                         /* 2: i32 -1 */
        0x26, 0xd8, 0x04,                   /* 4: i64 300 */
        0x11, 0x12,                         /* 5: true, 6: false */
        0x05, 0x2c, 0x54,                   /* 22: i32 42, too far for four bits */
        0x18, 0x02, 'a',  'b',              /* 23: "ab" */
        0x1c, 0x13, 0x40, 0x14, 0x03, 0x00, /* 24: {1: i8 64, 2: i16 -2} */
        0x19, 0x35, 0x00, 0x02, 0x04,       /* 25: [0, 1, 2] */
        0x19, 0x18, 0x01, 'x',              /* 26: ["x"] */
        0x19, 0x1c, 0x15, 0x02, 0x00,       /* 27: [{1: i32 1}] */
        0x19, 0xfc, 0x0f,                   /* 28: 15 structs would follow */
        0x00,
    };
    static const int32_t three[] = {0, 1, 2};
    ftl_strbuf out;
    ftl_thrift_writer w;
    ftl_strbuf_init(&out, test_account(), 0);
    ftl_thrift_begin_write(&w, &out);
    ftl_thrift_put_i32(&w, 1, 7);
    ftl_thrift_put_i32(&w, 2, -1);
    ftl_thrift_put_i64(&w, 4, 300);
    ftl_thrift_put_bool(&w, 5, true);
    ftl_thrift_put_bool(&w, 6, false);
    ftl_thrift_put_i32(&w, 22, 42);
    ftl_thrift_put_text(&w, 23, "ab", 2);
    ftl_thrift_put_struct(&w, 24);
    ftl_thrift_put_i8(&w, 1, 64);
    ftl_thrift_put_i16(&w, 2, -2);
    ftl_thrift_put_end(&w);
    ftl_thrift_put_i32s(&w, 25, three, 3);
    ftl_thrift_put_lone_text(&w, 26, "x", 1);
    ftl_thrift_put_structs(&w, 27, 1);
    ftl_thrift_put_item(&w);
    ftl_thrift_put_i32(&w, 1, 1);
    ftl_thrift_put_end(&w);
    ftl_thrift_put_structs(&w, 28, 15);
    ftl_thrift_put_end(&w);
    assert_int_equal(out.size, sizeof want);
    assert_memory_equal(out.data, want, sizeof want);
    ftl_strbuf_free(&out);
}

/* ---- Bits and runs --------------------------------------------------------------------------- */

static void moves_bits(void **unused)
{
    (void)unused;
    uint8_t from[40], to[40], want[40];
    for (int round = 0; round < 20000; round++) {
        size_t from_at = next_random() % 100, to_at = next_random() % 100, n = next_random() % 200;
        size_t ones = 0;
        for (size_t i = 0; i < sizeof from; i++) {
            from[i] = (uint8_t)next_random();
            want[i] = to[i] = (uint8_t)next_random();
        }
        bool fill = round % 4 == 0;
        for (size_t i = 0; i < n; i++) {
            bool bit = fill || (from[(from_at + i) / 8] >> (from_at + i) % 8 & 1);
            unsigned mask = 1u << (to_at + i) % 8, old = want[(to_at + i) / 8];
            ones += bit;
            want[(to_at + i) / 8] = (uint8_t)(bit ? old | mask : old & ~mask);
        }
        if (fill)
            ftl_bits_fill(to, to_at, n);
        else
            ftl_bits_copy(to, to_at, from, from_at, n);
        size_t bytes = (to_at + n) / 8, rest = (to_at + n) % 8;
        assert_memory_equal(to, want, bytes);
        if (n && rest) /* what lies behind does not matter */
            assert_int_equal((to[bytes] ^ want[bytes]) & ((1 << rest) - 1), 0);
        if (!fill)
            assert_int_equal(ftl_bits_count(from, from_at, n), ones);
    }
}

static uint64_t read_varint(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t b = *(*at)++;
        value |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return value;
    }
}

/* Runs and packed groups, by Encodings.md; the number of values, of which the last may be padding.
 */
static size_t read_runs(const uint8_t *at, const uint8_t *end, unsigned width, uint32_t *out)
{
    size_t n = 0;
    while (at < end) {
        uint64_t head = read_varint(&at);
        if (head & 1) {
            for (uint64_t bit = 0; bit < (head >> 1) * 8 * width; bit++) {
                unsigned value = at[bit / 8] >> bit % 8 & 1;
                if (bit % width == 0)
                    out[n++] = 0;
                out[n - 1] |= value << bit % width;
            }
            at += (head >> 1) * width;
        } else {
            uint32_t value = 0;
            for (unsigned i = 0; i < (width + 7) / 8; i++)
                value |= (uint32_t)*at++ << 8 * i;
            for (uint64_t i = 0; i < head >> 1; i++)
                out[n++] = value;
        }
    }
    assert_ptr_equal(at, end);
    return n;
}

static void writes_levels(void **unused)
{
    (void)unused;
    enum { MOST = 3000 };
    static uint8_t validity[MOST / 8 + 1];
    static uint32_t got[MOST + 8];
    ftl_strbuf out;
    ftl_strbuf_init(&out, test_account(), 0);
    for (int round = 0; round < 2000; round++) {
        size_t rows = next_random() % MOST, stretch = 1 + next_random() % 200;
        bool all = round % 10 == 0, bit = false;
        for (size_t i = 0; i < rows; i++) {
            if (next_random() % stretch == 0)
                bit = !bit;
            validity[i / 8] = (uint8_t)(i % 8 ? validity[i / 8] | bit << i % 8 : bit);
        }
        ftl_strbuf_clear(&out);
        ftl_parquet_put_levels(&out, all ? NULL : validity, rows);
        uint32_t size;
        memcpy(&size, out.data, sizeof size);
        assert_int_equal(size + sizeof size, out.size);
        const uint8_t *at = (const uint8_t *)out.data + sizeof size;
        size_t n = read_runs(at, at + size, 1, got);
        assert_true(n >= rows && n < rows + 8);
        for (size_t i = 0; i < rows; i++)
            assert_int_equal(got[i], all || (validity[i / 8] >> i % 8 & 1));
    }
    ftl_strbuf_free(&out);
}

static void writes_indices(void **unused)
{
    (void)unused;
    enum { MOST = 2000 };
    static uint32_t indices[MOST], got[MOST + 8];
    static const size_t sizes[] = {1, 2, 3, 4, 5, 255, 256, 257, 65536, 65537, UINT32_MAX};
    static const unsigned widths[] = {1, 1, 2, 2, 3, 8, 8, 9, 16, 17, 32};
    ftl_strbuf out;
    ftl_strbuf_init(&out, test_account(), 0);
    for (int round = 0; round < 2000; round++) {
        size_t n = next_random() % MOST, kind = next_random() % FTL_ARRAY_LEN(sizes);
        size_t stretch = 1 + next_random() % 60;
        for (size_t i = 0; i < n; i++)
            indices[i] = i == 0 || next_random() % stretch == 0
                             ? (uint32_t)((next_random() << 31 ^ next_random()) % sizes[kind])
                             : indices[i - 1];
        ftl_strbuf_clear(&out);
        ftl_parquet_put_indices(&out, indices, n, sizes[kind]);
        assert_int_equal(out.data[0], widths[kind]);
        const uint8_t *at = (const uint8_t *)out.data;
        size_t found = read_runs(at + 1, at + out.size, widths[kind], got);
        assert_true(found >= n && found < n + 8);
        if (n)
            assert_memory_equal(got, indices, n * sizeof *got);
    }
    ftl_strbuf_free(&out);
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* The fields of a written Statistics. */
typedef struct bounds {
    uint8_t text[2][80]; /* max_value, min_value */
    size_t size[2];
    bool has[2], exact[2];
    int64_t nulls, nans;
    bool has_nans;
} bounds;

static int64_t read_zigzag(const uint8_t **at)
{
    uint64_t value = read_varint(at);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static bounds written(const ftl_parquet_range *range)
{
    bounds b = {0};
    ftl_strbuf out;
    ftl_thrift_writer writer;
    ftl_strbuf_init(&out, test_account(), 0);
    ftl_thrift_begin_write(&writer, &out);
    ftl_parquet_range_write(range, &writer, 1);
    ftl_thrift_put_end(&writer);
    const uint8_t *at = (const uint8_t *)out.data;
    assert_int_equal(*at++, 0x1c);
    for (int field = 0; *at;) {
        unsigned type = *at & 15;
        field += *at++ >> 4;
        if (field == 3)
            b.nulls = read_zigzag(&at);
        else if (field == 5 || field == 6) {
            size_t size = read_varint(&at);
            assert_true(size <= sizeof b.text[0]);
            memcpy(b.text[field - 5], at, size);
            b.size[field - 5] = size;
            b.has[field - 5] = true;
            at += size;
        } else if (field == 7 || field == 8) {
            b.exact[field - 7] = type == 1;
        } else {
            assert_int_equal(field, 9);
            b.nans = read_zigzag(&at);
            b.has_nans = true;
        }
    }
    ftl_strbuf_free(&out);
    return b;
}

static bounds range_of(ftl_type type, const void *values, size_t n)
{
    ftl_parquet_range range;
    ftl_parquet_range_init(&range, type);
    ftl_parquet_range_numbers(&range, values, n / 2);
    const char *rest = (const char *)values + n / 2 *
                                                  (type == FTL_F32    ? 4u
                                                   : type == FTL_BOOL ? 1u
                                                                      : 8u);
    ftl_parquet_range_numbers(&range, rest, n - n / 2);
    return written(&range);
}

static void expect_bounds(const bounds *b, const void *least, const void *greatest, size_t size)
{
    assert_true(b->has[0] && b->has[1] && b->exact[0] && b->exact[1]);
    assert_int_equal(b->size[0], size);
    assert_int_equal(b->size[1], size);
    assert_memory_equal(b->text[0], greatest, size);
    assert_memory_equal(b->text[1], least, size);
}

static void knows_the_range_of_numbers(void **unused)
{
    (void)unused;
    const double nan = (double)NAN, mixed[] = {nan, 3, -2.5, nan, 7e300, -0.0};
    bounds b = range_of(FTL_F64, mixed, 6);
    expect_bounds(&b, &mixed[2], &mixed[4], 8);
    assert_true(b.has_nans && b.nans == 2);
    /* Zeros are widened: -0.0 below, +0.0 above. */
    const double zeros[] = {0.0, -0.0}, lowest = -0.0, highest = 0.0;
    for (size_t i = 0; i < 2; i++) {
        b = range_of(FTL_F64, &zeros[i], 1);
        expect_bounds(&b, &lowest, &highest, 8);
    }
    const float narrow[] = {-0.0f, 0.0f, 5, nanf("")}, low = -0.0f, high = 5;
    b = range_of(FTL_F32, narrow, 4);
    expect_bounds(&b, &low, &high, 4);
    assert_int_equal(b.nans, 1);
    const double ends[] = {(double)INFINITY, -(double)INFINITY};
    b = range_of(FTL_F64, ends, 2);
    expect_bounds(&b, &ends[1], &ends[0], 8);
    b = range_of(FTL_F64, ends, 1);
    expect_bounds(&b, &ends[0], &ends[0], 8);
    /* Nothing but NaN has no bounds; of integers there is no count of NaN. */
    const double nothing[] = {nan, nan, nan};
    b = range_of(FTL_F64, nothing, 3);
    assert_true(!b.has[0] && !b.has[1] && b.nans == 3);
    const int64_t integers[] = {5, INT64_MIN, -1};
    b = range_of(FTL_I64, integers, 3);
    expect_bounds(&b, &integers[1], &integers[0], 8);
    assert_false(b.has_nans);
    b = range_of(FTL_U64, integers, 3); /* the same bits: 2^63 and 2^64 - 1 */
    expect_bounds(&b, &integers[0], &integers[2], 8);
    const uint8_t bools[] = {1, 0, 1};
    b = range_of(FTL_BOOL, bools, 3);
    expect_bounds(&b, &bools[1], &bools[0], 1);
}

/* The bounds of a few texts, each ended by NUL. */
static bounds range_of_texts(const char *const *texts, size_t n)
{
    ftl_parquet_range range;
    ftl_parquet_range_init(&range, FTL_STRING);
    for (size_t i = 0; i < n; i++)
        ftl_parquet_range_text(&range, texts[i], strlen(texts[i]));
    return written(&range);
}

static void knows_the_range_of_texts(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"b", "", "ba", "\xff\xfe", "azzzzzzzzzzz", "é", "b"};
    bounds b = range_of_texts(texts, 7);
    assert_true(b.exact[0] && b.exact[1] && b.has[1] && b.size[1] == 0);
    assert_int_equal(b.size[0], 2);
    assert_memory_equal(b.text[0], "\xff\xfe", 2);
    b = range_of_texts(NULL, 0);
    assert_true(!b.has[0] && !b.has[1] && !b.has_nans);
    /* Every pair of random texts of few bytes. */
    for (int round = 0; round < 20000; round++) {
        char some[6][13];
        const char *pointers[6], *least = NULL, *greatest = NULL;
        for (size_t i = 0; i < 6; i++) {
            size_t size = next_random() % 13;
            for (size_t j = 0; j < size; j++)
                some[i][j] = (char)("ab\x7f\xc3"[next_random() % 4]);
            some[i][size] = '\0';
            pointers[i] = some[i];
            least = !least || strcmp(some[i], least) < 0 ? some[i] : least;
            greatest = !greatest || strcmp(some[i], greatest) > 0 ? some[i] : greatest;
        }
        b = range_of_texts(pointers, 6);
        assert_int_equal(b.size[0], strlen(greatest));
        assert_memory_equal(b.text[0], greatest, b.size[0]);
        assert_int_equal(b.size[1], strlen(least));
        assert_memory_equal(b.text[1], least, b.size[1]);
    }
}

/* A text of so many x, then `tail`, then more. */
static void expect_cut(size_t before, const char *tail, const char *least, const char *greatest)
{
    char text[200], want[2][80];
    const char *pointer = text;
    memset(text, 'x', sizeof text - 1);
    memcpy(text + before, tail, strlen(tail));
    text[sizeof text - 1] = '\0';
    bounds b = range_of_texts(&pointer, 1);
    assert_false(b.exact[0] || b.exact[1]);
    for (size_t i = 0; i < 2; i++) {
        const char *end = i ? least : greatest;
        memset(want[i], 'x', before);
        size_t size = (size_t)snprintf(want[i] + before, 80 - before, "%s", end) + before;
        if (end[0] == '-') { /* the last x went, too */
            size = before;
            want[i][before - 1] = 'y';
        }
        assert_int_equal(b.size[i], size);
        assert_memory_equal(b.text[i], want[i], size);
    }
}

static void cuts_long_texts(void **unused)
{
    (void)unused;
    expect_cut(63, "ab", "a", "b");
    expect_cut(63, "\x7f", "\x7f", "\xc2\x80"); /* the next character is longer */
    expect_cut(62, "é", "é", "ê");
    expect_cut(63, "é", "", "-");                                   /* cut through */
    expect_cut(61, "\xed\x9f\xbf", "\xed\x9f\xbf", "\xee\x80\x80"); /* over the surrogates */
    expect_cut(60, "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "-");    /* none is greater */
    char last[133];
    for (size_t i = 0; i < 132; i += 4)
        memcpy(last + i, "\xf4\x8f\xbf\xbf", 4);
    last[132] = '\0';
    const char *pointer = last;
    bounds b = range_of_texts(&pointer, 1);
    assert_true(!b.has[0] && b.has[1] && b.size[1] == 64 && !b.exact[1]);
    /* A text that ends where others go on: it is the least of them, and not the greatest. */
    char longer[80], shorter[80];
    memset(longer, 'q', 70);
    memset(shorter, 'q', 64);
    longer[70] = shorter[64] = '\0';
    const char *two[] = {longer, shorter};
    for (int turn = 0; turn < 2; turn++) {
        b = range_of_texts(two, 2);
        assert_true(b.exact[1] && !b.exact[0]);
        assert_int_equal(b.text[0][63], 'r');
        const char *first = two[0];
        two[0] = two[1];
        two[1] = first;
    }
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
        cmocka_unit_test(writes_thrift),
        cmocka_unit_test(moves_bits),
        cmocka_unit_test(writes_levels),
        cmocka_unit_test(writes_indices),
        cmocka_unit_test(knows_the_range_of_numbers),
        cmocka_unit_test(knows_the_range_of_texts),
        cmocka_unit_test(cuts_long_texts),
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
