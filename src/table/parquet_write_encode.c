#include "table/parquet_write_encode.h"

#include <string.h>

/* ---- Bits ------------------------------------------------------------------------------------ */

/* Bits [at, at + n) in the low end of a byte, n <= 8; only bytes that hold some are read. */
static unsigned bits_at(const uint8_t *bits, size_t at, size_t n)
{
    unsigned shift = at % 8, value = (unsigned)bits[at / 8] >> shift;
    if (shift + n > 8)
        value |= (unsigned)bits[at / 8 + 1] << (8 - shift);
    return value & ((1u << n) - 1);
}

size_t ftl_bits_count(const uint8_t *bits, size_t at, size_t n)
{
    size_t ones = 0;
    for (; n && at % 8; at++, n--)
        ones += bits_at(bits, at, 1);
    bits += at / 8;
    for (; n >= 64; n -= 64, bits += 8) {
        uint64_t word;
        memcpy(&word, bits, sizeof word);
        ones += (size_t)__builtin_popcountll(word);
    }
    for (at = 0; n; n -= n < 8 ? n : 8, at += 8)
        ones += (size_t)__builtin_popcount(bits_at(bits, at, n < 8 ? n : 8));
    return ones;
}

/* Bits of one byte from `at` on, and zeros behind them. */
static void put_bits(uint8_t *to, size_t at, unsigned value)
{
    unsigned before = to[at / 8] & ((1u << at % 8) - 1);
    to[at / 8] = (uint8_t)(before | value << at % 8);
}

void ftl_bits_copy(uint8_t *to, size_t to_at, const uint8_t *from, size_t from_at, size_t n)
{
    size_t part = 8 - to_at % 8; /* up to a whole byte, then in whole bytes */
    for (; n; to_at += part, from_at += part, n -= part, part = 8) {
        part = part < n ? part : n;
        put_bits(to, to_at, bits_at(from, from_at, part));
    }
}

void ftl_bits_fill(uint8_t *to, size_t to_at, size_t n)
{
    size_t part = 8 - to_at % 8;
    for (; n; to_at += part, n -= part, part = 8) {
        part = part < n ? part : n;
        put_bits(to, to_at, (1u << part) - 1);
    }
}

/* ---- Runs ------------------------------------------------------------------------------------ */

static void put_varint(ftl_strbuf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        ftl_strbuf_putc(out, (char)(value | 0x80));
    ftl_strbuf_putc(out, (char)value);
}

/* One value many times, in as many bytes as its width needs. */
static void put_repeated(ftl_strbuf *out, uint32_t value, size_t n, unsigned width)
{
    put_varint(out, (uint64_t)n << 1);
    for (unsigned bit = 0; bit < width; bit += 8)
        ftl_strbuf_putc(out, (char)(value >> bit));
}

enum {
    LEVEL_BYTES = 4,   /* so many equal bytes of levels are a run of their own */
    INDEX_REPEATS = 16 /* and so many equal indices */
};

/* Bytes from `at` on, below `end`, that are the first one again. */
static size_t equal_bytes(const uint8_t *bytes, size_t at, size_t end)
{
    size_t n = 1;
    while (at + n < end && bytes[at + n] == bytes[at])
        n++;
    return n;
}

static bool begins_run(const uint8_t *bytes, size_t at, size_t end)
{
    return (bytes[at] == 0 || bytes[at] == 0xff) && equal_bytes(bytes, at, end) >= LEVEL_BYTES;
}

/* Bits as runs: whole bytes that are all zeros or all ones, and the bytes between them as they are.
 */
static void put_level_runs(ftl_strbuf *out, const uint8_t *bits, size_t rows)
{
    size_t whole = rows / 8, all = (rows + 7) / 8;
    for (size_t at = 0; at < all;) {
        if (at < whole && begins_run(bits, at, whole)) {
            size_t n = equal_bytes(bits, at, whole);
            put_repeated(out, bits[at] & 1u, n * 8, 1);
            at += n;
            continue;
        }
        size_t from = at;
        while (at < all && !(at < whole && begins_run(bits, at, whole)))
            at++;
        put_varint(out, (uint64_t)(at - from) << 1 | 1);
        ftl_strbuf_append(out, (const char *)bits + from, at - from);
    }
}

void ftl_parquet_put_levels(ftl_strbuf *out, const uint8_t *validity, size_t rows)
{
    size_t begin = out->size;
    uint32_t size = 0;
    ftl_strbuf_append(out, (const char *)&size, sizeof size);
    if (validity)
        put_level_runs(out, validity, rows);
    else if (rows)
        put_repeated(out, 1, rows, 1);
    if (out->failed)
        return;
    size = (uint32_t)(out->size - begin - sizeof size);
    memcpy(out->data + begin, &size, sizeof size);
}

/* Groups of eight values, the last one filled up with zeros. */
static void put_packed(ftl_strbuf *out, const uint32_t *values, size_t n, unsigned width)
{
    size_t groups = (n + 7) / 8;
    put_varint(out, (uint64_t)groups << 1 | 1);
    char *to = ftl_strbuf_extend(out, groups * width);
    if (!to)
        return;
    uint64_t bits = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < groups * 8; i++) {
        bits |= (uint64_t)(i < n ? values[i] : 0) << filled;
        for (filled += width; filled >= 8; filled -= 8, bits >>= 8)
            *to++ = (char)bits;
    }
}

static size_t equal_indices(const uint32_t *indices, size_t n)
{
    size_t equal = 1;
    while (equal < n && indices[equal] == indices[0])
        equal++;
    return equal;
}

static bool repeats(const uint32_t *indices, size_t n)
{
    return n >= INDEX_REPEATS && equal_indices(indices, INDEX_REPEATS) == INDEX_REPEATS;
}

void ftl_parquet_put_indices(ftl_strbuf *out, const uint32_t *indices, size_t n, size_t entries)
{
    unsigned width = entries > 2 ? 32u - (unsigned)__builtin_clz((unsigned)entries - 1) : 1u;
    ftl_strbuf_putc(out, (char)width);
    for (size_t at = 0; at < n;) {
        size_t from = at;
        while (at < n && !repeats(indices + at, n - at))
            at += n - at < 8 ? n - at : 8;
        if (at > from)
            put_packed(out, indices + from, at - from, width);
        if (at < n) {
            size_t equal = equal_indices(indices + at, n - at);
            put_repeated(out, indices[at], equal, width);
            at += equal;
        }
    }
}

void ftl_parquet_put_bools(ftl_strbuf *out, const uint8_t *bools, size_t n)
{
    char *to = ftl_strbuf_extend(out, (n + 7) / 8);
    for (size_t i = 0; to && i < n; i += 8) {
        unsigned bits = 0;
        for (size_t j = 0; j < 8 && i + j < n; j++)
            bits |= (unsigned)(bools[i + j] != 0) << j;
        to[i / 8] = (char)bits;
    }
}
