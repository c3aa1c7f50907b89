/* What Parquet files are made of, as it is written: Thrift, bits and runs, statistics. */
#include "table_helper.h"

#include "table/parquet_write_encode.h"
#include "table/parquet_write_range.h"

#include <math.h>
#include <stdio.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
