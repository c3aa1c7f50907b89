#include "io/snappy.h"

#include <string.h>

/* ---- Decompression --------------------------------------------------------------------------- */

enum {
    MARGIN = 64 /* so far from both ends, whole words may be read and written past a piece's end */
};

static ftl_status damaged(ftl_error *error, const char *why)
{
    return FTL_FAIL(error, FTL_CORRUPT, "snappy data is damaged: %s", why);
}

/* The length in front. Returns the byte behind it; NULL when there is none. */
static const uint8_t *read_length(const uint8_t *in, const uint8_t *end, uint64_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (in == end)
            return NULL;
        uint8_t b = *in++;
        *length |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return in;
    }
    return NULL;
}

static inline uint32_t load_le(const uint8_t *in, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)in[i] << 8 * i;
    return value;
}

/* length bytes from offset back; the two may overlap, and a short offset then repeats itself. */
static inline void copy_back(uint8_t *out, size_t offset, size_t length, bool has_margin)
{
    const uint8_t *from = out - offset;
    if (has_margin && offset >= 16) {
        /* no more than 64 bytes: copies past the end stay within the margin */
        for (size_t i = 0; i < length; i += 16)
            memcpy(out + i, from + i, 16);
        return;
    }
    if (has_margin && offset >= 8) {
        for (size_t i = 0; i < length; i += 8)
            memcpy(out + i, from + i, 8);
        return;
    }
    for (size_t i = 0; i < length; i++)
        out[i] = from[i];
}

/*
 * The tag's low two bits: 0 a literal, whose length stands above them or, from 60 on, in 1 to 4
 * bytes behind; 1 to 3 a copy with 11, 16 or 32 bits of offset.
 */
ftl_status ftl_snappy_decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                                 ftl_error *error)
{
    static const uint8_t offset_bytes[4] = {0, 1, 2, 4};
    const uint8_t *in_end = in + in_size;
    uint8_t *const begin = out, *const out_end = out + out_size;
    uint64_t claimed;
    in = read_length(in, in_end, &claimed);
    if (!in)
        return damaged(error, "it has no length");
    if (claimed != out_size)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "snappy data is damaged: it claims %llu bytes where %zu belong",
                        (unsigned long long)claimed, out_size);
    while (in < in_end) {
        const unsigned tag = *in++, kind = tag & 3;
        size_t length = (tag >> 2) + 1;
        if (kind == 0) {
            if (length <= 16 && in_end - in >= MARGIN && out_end - out >= MARGIN) {
                memcpy(out, in, 16);
                in += length;
                out += length;
                continue;
            }
            if (length > 60) {
                const unsigned bytes = (unsigned)length - 60;
                if ((size_t)(in_end - in) < bytes)
                    return damaged(error, "it ends inside a literal's length");
                length = (size_t)load_le(in, bytes) + 1;
                in += bytes;
            }
            if (length > (size_t)(in_end - in) || length > (size_t)(out_end - out))
                return damaged(error, "a literal is longer than what is left");
            memcpy(out, in, length);
            in += length;
            out += length;
            continue;
        }
        if ((size_t)(in_end - in) < offset_bytes[kind])
            return damaged(error, "it ends inside a copy");
        size_t offset;
        if (kind == 1) {
            length = (tag >> 2 & 7) + 4;
            offset = (size_t)(tag >> 5) << 8 | *in;
        } else {
            offset = load_le(in, kind == 2 ? 2 : 4);
        }
        in += offset_bytes[kind];
        if (offset == 0 || offset > (size_t)(out - begin) || length > (size_t)(out_end - out))
            return damaged(error, "a copy reaches outside of the data");
        copy_back(out, offset, length, out_end - out >= MARGIN + 16);
        out += length;
    }
    return out == out_end ? FTL_OK : damaged(error, "it ends too early");
}

/* ---- Compression ----------------------------------------------------------------------------- */

enum {
    FRAGMENT = 1 << 16, /* matches lie within one, so that places fit 16 bits */
    LEAST_FRAGMENT = 16,
    TABLE_BITS = 14
};

size_t ftl_snappy_bound(size_t size)
{
    /* A literal of a fragment costs 3 bytes; a copy is never longer than what it copies. */
    return size <= UINT32_MAX ? 32 + size + size / 6 : 0;
}

static inline uint32_t load_32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint64_t load_64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t place_of(uint32_t four_bytes)
{
    return four_bytes * 0x9e3779b1u >> (32 - TABLE_BITS);
}

static uint8_t *put_literal(uint8_t *out, const uint8_t *from, size_t length)
{
    size_t n = length - 1;
    if (n < 60) {
        *out++ = (uint8_t)(n << 2);
    } else if (n < 256) {
        *out++ = 60 << 2;
        *out++ = (uint8_t)n;
    } else {
        *out++ = 61 << 2;
        *out++ = (uint8_t)n;
        *out++ = (uint8_t)(n >> 8);
    }
    memcpy(out, from, length);
    return out + length;
}

/* Pieces of 64 bytes; a rest shorter than 4 would not fit the short form, so 60 come before it. */
static uint8_t *put_copy(uint8_t *out, size_t offset, size_t length)
{
    while (length > 0) {
        size_t piece = length < 64 ? length : length < 68 && length > 64 ? 60 : 64;
        if (piece >= 4 && piece < 12 && offset < 2048) {
            *out++ = (uint8_t)(1 | (piece - 4) << 2 | offset >> 8 << 5);
            *out++ = (uint8_t)offset;
        } else {
            *out++ = (uint8_t)(2 | (piece - 1) << 2);
            *out++ = (uint8_t)offset;
            *out++ = (uint8_t)(offset >> 8);
        }
        length -= piece;
    }
    return out;
}

/* Bytes from a and b on that are equal, b before end. */
static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *start = b;
    while (end - b >= 8) {
        uint64_t different = load_64(a) ^ load_64(b);
        if (different)
            return (size_t)(b - start) + (size_t)__builtin_ctzll(different) / 8;
        a += 8;
        b += 8;
    }
    while (b < end && *a == *b) {
        a++;
        b++;
    }
    return (size_t)(b - start);
}

/* Looks at every place at first and at ever fewer the longer nothing was found. */
static uint8_t *put_fragment(uint8_t *out, const uint8_t *in, size_t size,
                             uint16_t table[FTL_SNAPPY_TABLE])
{
    const uint8_t *end = in + size, *literal = in, *at = in;
    memset(table, 0, FTL_SNAPPY_TABLE * sizeof *table);
    if (size >= LEAST_FRAGMENT) {
        const uint8_t *last = end - 8; /* words are read from there at the latest */
        size_t misses = 32;
        at++;
        while (at < last) {
            uint32_t word = load_32(at), place = place_of(word);
            const uint8_t *candidate = in + table[place];
            table[place] = (uint16_t)(at - in);
            if (load_32(candidate) != word || candidate >= at) {
                at += misses++ >> 5;
                continue;
            }
            if (at > literal)
                out = put_literal(out, literal, (size_t)(at - literal));
            size_t length = 4 + match_length(candidate + 4, at + 4, end);
            out = put_copy(out, (size_t)(at - candidate), length);
            at += length;
            literal = at;
            misses = 32;
            if (at < last)
                table[place_of(load_32(at - 1))] = (uint16_t)(at - 1 - in);
        }
    }
    return end > literal ? put_literal(out, literal, (size_t)(end - literal)) : out;
}

size_t ftl_snappy_compress(const uint8_t *in, size_t in_size, uint8_t *out,
                           uint16_t table[FTL_SNAPPY_TABLE])
{
    uint8_t *next = out;
    size_t rest = in_size;
    for (; rest >= 0x80; rest >>= 7)
        *next++ = (uint8_t)(rest | 0x80);
    *next++ = (uint8_t)rest;
    while (in_size) {
        size_t piece = in_size < FRAGMENT ? in_size : FRAGMENT;
        next = put_fragment(next, in, piece, table);
        in += piece;
        in_size -= piece;
    }
    return (size_t)(next - out);
}
