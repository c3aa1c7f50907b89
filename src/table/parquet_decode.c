#include "table/parquet_decode.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE uint64_t load_64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

/* ---- Unpacking ------------------------------------------------------------------------------- */

/* Eight values of `width` bits, which is known where this is inlined; reads up to 8 bytes beyond.
 */
ALWAYS_INLINE void unpack_eight(const uint8_t *in, unsigned width, uint32_t *out)
{
    const uint32_t mask = width == 32 ? UINT32_MAX : (UINT32_C(1) << width) - 1;
    /* as many values as surely lie in one word, wherever in a byte the first one begins */
    const unsigned together = width <= 8 ? 8 : width <= 16 ? 4 : width <= 30 ? 2 : 1;
    for (unsigned i = 0; i < 8; i += together) {
        uint64_t word = load_64(in + i * width / 8) >> (i * width % 8);
        for (unsigned k = 0; k < together; k++)
            out[i + k] = (uint32_t)(word >> k * width) & mask;
    }
}

#define UNPACK(w)                                                                             \
    static void unpack_##w(const uint8_t *restrict in, uint32_t *restrict out, size_t groups) \
    {                                                                                         \
        for (size_t i = 0; i < groups; i++)                                                   \
            unpack_eight(in + i * w, w, out + 8 * i);                                         \
    }
#define EACH_WIDTH(f)                                                                            \
    f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15) f(16) f(17) \
        f(18) f(19) f(20) f(21) f(22) f(23) f(24) f(25) f(26) f(27) f(28) f(29) f(30) f(31) f(32)
EACH_WIDTH(UNPACK)

typedef void unpack_fn(const uint8_t *restrict in, uint32_t *restrict out, size_t groups);
#define NAME(w) unpack_##w,
static unpack_fn *const unpackers[] = {NULL, EACH_WIDTH(NAME)};

/* Value i; width 1 to 64. */
static uint64_t unpack_one(const uint8_t *in, unsigned width, size_t i)
{
    size_t bit = i * width;
    unsigned shift = (unsigned)(bit % 8);
    uint64_t word = load_64(in + bit / 8) >> shift;
    if (width + shift > 64)
        word |= (uint64_t)in[bit / 8 + 8] << (64 - shift);
    return width == 64 ? word : word & ((UINT64_C(1) << width) - 1);
}

/* Values first .. first + n, width 1 to 32. */
static void unpack_some(const uint8_t *in, unsigned width, size_t first, uint32_t *out, size_t n)
{
    size_t i = 0;
    for (; i < n && (first + i) % 8; i++)
        out[i] = (uint32_t)unpack_one(in, width, first + i);
    size_t groups = (n - i) / 8;
    unpackers[width](in + (first + i) / 8 * width, out + i, groups);
    for (i += 8 * groups; i < n; i++)
        out[i] = (uint32_t)unpack_one(in, width, first + i);
}

/* ---- Bits ------------------------------------------------------------------------------------ */

static void fill_bits(uint8_t *out, size_t at, size_t n, bool value)
{
    if (n == 0)
        return;
    const size_t end = at + n;
    const uint8_t low = (uint8_t)(0xff << at % 8), high = (uint8_t)(0xff >> (7 - (end - 1) % 8));
    uint8_t *first = out + at / 8, *last = out + (end - 1) / 8;
    if (first == last) {
        uint8_t mask = low & high;
        *first = (uint8_t)(value ? *first | mask : *first & ~mask);
        return;
    }
    *first = (uint8_t)(value ? *first | low : *first & ~low);
    memset(first + 1, value ? 0xff : 0, (size_t)(last - first) - 1);
    *last = (uint8_t)(value ? *last | high : *last & ~high);
}

/* Values of one bit, packed alone: n bits of data from bit `from` on. The number of ones. */
static size_t copy_bits(uint8_t *out, size_t at, const uint8_t *data, size_t from, size_t n)
{
    size_t ones = 0;
    while (n) {
        /* up to the end of the byte that is written, or many whole bytes */
        size_t step = at % 8 || n < 8 ? 8 - at % 8 : n < 56 ? 8 : 56;
        step = step < n ? step : n;
        uint64_t bits = load_64(data + from / 8) >> from % 8;
        bits &= (UINT64_C(1) << step) - 1;
        ones += (size_t)__builtin_popcountll(bits);
        if (at % 8 == 0 && step % 8 == 0) {
            for (size_t i = 0; i < step / 8; i++)
                out[at / 8 + i] = (uint8_t)(bits >> 8 * i);
        } else {
            uint8_t mask = (uint8_t)(((1u << step) - 1) << at % 8);
            out[at / 8] = (uint8_t)((out[at / 8] & ~mask) | (bits << at % 8 & mask));
        }
        at += step;
        from += step;
        n -= step;
    }
    return ones;
}

/* ---- Runs and packed bits -------------------------------------------------------------------- */

void ftl_rle_init(ftl_rle *rle, const uint8_t *data, size_t size, unsigned width)
{
    *rle = (ftl_rle){.at = data, .end = data + size, .width = width};
}

/* Seven bits a byte, the lowest first. */
static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && *at < end; shift += 7) {
        uint8_t b = *(*at)++;
        value |= (shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0);
        if (b < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The head of the next run: the lowest bit says whether it is packed, the others how long it is. */
static bool next_run(ftl_rle *rle)
{
    uint64_t head;
    if (!varint(&rle->at, rle->end, &head) || head > UINT32_MAX)
        return false;
    const size_t have = (size_t)(rle->end - rle->at);
    rle->packed = head & 1;
    if (rle->packed) {
        uint64_t values = (head >> 1) * 8, bytes = (head >> 1) * rle->width;
        if (bytes > have) { /* the last run's padding may have been left out */
            values = (uint64_t)have * 8 / rle->width;
            bytes = have;
        }
        rle->left = values < UINT32_MAX ? (uint32_t)values : UINT32_MAX;
        rle->bits = rle->at;
        rle->next = 0;
        rle->at += bytes;
        return true;
    }
    const unsigned bytes = (rle->width + 7) / 8;
    if (bytes > have)
        return false;
    rle->value = 0;
    for (unsigned i = 0; i < bytes; i++)
        rle->value |= (uint32_t)rle->at[i] << 8 * i;
    rle->at += bytes;
    rle->left = (uint32_t)(head >> 1);
    return true;
}

/* min(n, what is left of a run); 0 when there is none. */
static size_t take_run(ftl_rle *rle, size_t n)
{
    while (rle->left == 0) {
        if (!next_run(rle))
            return 0;
    }
    return n < rle->left ? n : rle->left;
}

bool ftl_rle_read(ftl_rle *rle, uint32_t *out, size_t n)
{
    while (n) {
        size_t some = take_run(rle, n);
        if (some == 0)
            return false;
        if (!rle->packed) {
            for (size_t i = 0; i < some; i++)
                out[i] = rle->value;
        } else if (rle->width == 0) {
            memset(out, 0, some * sizeof *out);
        } else {
            unpack_some(rle->bits, rle->width, rle->next, out, some);
            rle->next += (uint32_t)some;
        }
        rle->left -= (uint32_t)some;
        out += some;
        n -= some;
    }
    return true;
}

bool ftl_rle_read_bits(ftl_rle *rle, uint8_t *out, size_t at, size_t n, size_t *ones)
{
    *ones = 0;
    while (n) {
        size_t some = take_run(rle, n);
        if (some == 0)
            return false;
        if (rle->packed) {
            *ones += copy_bits(out, at, rle->bits, rle->next, some);
            rle->next += (uint32_t)some;
        } else {
            if (rle->value > 1)
                return false;
            fill_bits(out, at, some, rle->value);
            *ones += rle->value ? some : 0;
        }
        rle->left -= (uint32_t)some;
        at += some;
        n -= some;
    }
    return true;
}

/* ---- Packed differences ---------------------------------------------------------------------- */

static bool zigzag(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    uint64_t value;
    if (!varint(at, end, &value))
        return false;
    *out = (value >> 1) ^ (0 - (value & 1));
    return true;
}

bool ftl_delta_init(ftl_delta *delta, const uint8_t *data, size_t size)
{
    enum { most_values = 1 << 24 }; /* of a block */
    uint64_t block, miniblocks, count, first;
    *delta = (ftl_delta){.at = data, .end = data + size};
    if (!varint(&delta->at, delta->end, &block) || !varint(&delta->at, delta->end, &miniblocks) ||
        !varint(&delta->at, delta->end, &count) || !zigzag(&delta->at, delta->end, &first))
        return false;
    if (block == 0 || block > most_values || miniblocks == 0 || block % miniblocks ||
        block / miniblocks % 8)
        return false;
    delta->miniblocks = (uint32_t)miniblocks;
    delta->per_miniblock = (uint32_t)(block / miniblocks);
    delta->miniblock = delta->miniblocks; /* none is at hand */
    delta->left = count;
    delta->value = first;
    return true;
}

static bool next_block(ftl_delta *delta)
{
    if (!zigzag(&delta->at, delta->end, &delta->least) ||
        (size_t)(delta->end - delta->at) < delta->miniblocks)
        return false;
    delta->widths = delta->at;
    delta->at += delta->miniblocks;
    delta->miniblock = 0;
    return true;
}

/* The last one may be shorter than it should be; what it does not hold is not asked for. */
static bool next_miniblock(ftl_delta *delta)
{
    if (delta->miniblock == delta->miniblocks && !next_block(delta))
        return false;
    const unsigned width = delta->widths[delta->miniblock];
    const size_t have = (size_t)(delta->end - delta->at);
    const size_t full = (size_t)delta->per_miniblock / 8 * width;
    const uint64_t values = delta->left < delta->per_miniblock ? delta->left : delta->per_miniblock;
    if (width > 64 || (values * width + 7) / 8 > have)
        return false;
    delta->bits = delta->at;
    delta->at += full < have ? full : have;
    delta->in_miniblock = (uint32_t)values;
    delta->next = 0;
    return true;
}

/* Differences of the miniblock at hand, n <= in_miniblock, summed up. */
static void sum_miniblock(ftl_delta *delta, int64_t *out, size_t n)
{
    enum { some = 64 };
    const unsigned width = delta->widths[delta->miniblock];
    uint64_t value = delta->value;
    const uint64_t least = delta->least;
    size_t i = 0;
    if (width == 0) {
        for (; i < n; i++)
            out[i] = (int64_t)(value += least);
    }
    while (i < n && width <= 32) {
        uint32_t differences[some];
        size_t piece = n - i < some ? n - i : some;
        unpack_some(delta->bits, width, delta->next + i, differences, piece);
        for (size_t k = 0; k < piece; k++)
            out[i + k] = (int64_t)(value += least + differences[k]);
        i += piece;
    }
    for (; i < n; i++)
        out[i] = (int64_t)(value += least + unpack_one(delta->bits, width, delta->next + i));
    delta->value = value;
    delta->next += (uint32_t)n;
    delta->in_miniblock -= (uint32_t)n;
    delta->left -= n;
    delta->miniblock += delta->in_miniblock == 0;
}

bool ftl_delta_read(ftl_delta *delta, int64_t *out, size_t n)
{
    if (n > delta->left)
        return false;
    if (n && !delta->begun) {
        delta->begun = true;
        delta->left--;
        *out++ = (int64_t)delta->value;
        n--;
    }
    while (n) {
        if (delta->in_miniblock == 0 && !next_miniblock(delta))
            return false;
        size_t some = n < delta->in_miniblock ? n : delta->in_miniblock;
        sum_miniblock(delta, out, some);
        out += some;
        n -= some;
    }
    return true;
}

const uint8_t *ftl_delta_end(const ftl_delta *delta)
{
    ftl_delta rest = *delta;
    if (!rest.begun && rest.left)
        rest.left--;
    while (rest.left) {
        if (!next_miniblock(&rest))
            return NULL;
        rest.left -= rest.in_miniblock;
        rest.miniblock++;
    }
    return rest.at;
}
