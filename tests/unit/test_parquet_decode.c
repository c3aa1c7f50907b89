/* Parquet: the encodings against plain ones, decimals. */
#include "parquet_bytes.h"
#include "unit.h"

#include "base/fixed_decimal.h"
#include "table/parquet_decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Encodings ------------------------------------------------------------------------------- */

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
        int32_t scale;
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
        {"\x85", 1, -2, -12300.0},
        {"\x01", 1, -22, 1e22},
        {"\x01", 1, -23, 1e23},
        {"\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x3f\xff\xff\xff\xff", 16, -1, 1e39},
        {"\x01", 1, -1000, (double)INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *from = (const uint8_t *)cases[i].bytes;
        uint8_t turned[16];
        for (size_t k = 0; k < cases[i].size; k++)
            turned[k] = from[cases[i].size - 1 - k];
        double big = ftl_fixed_decimal(from, cases[i].size, false, cases[i].scale);
        double little = ftl_fixed_decimal(turned, cases[i].size, true, cases[i].scale);
        assert_true(big == cases[i].want);
        assert_true(little == cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_runs_of_every_width),
        cmocka_unit_test(unpacks_bits),
        cmocka_unit_test(unpacks_differences),
        cmocka_unit_test(reads_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
