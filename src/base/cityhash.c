/*
 * CityHash64 1.0.x, as its authors describe it: texts of up to 16, 32 and 64 bytes each have a
 * mixing of their own; longer ones keep 56 bytes of state and take in 64 bytes a round, after the
 * last 64 bytes have seeded the state. Reads are little-endian; all arithmetic is modulo 2^64.
 */
#include "base/cityhash.h"

static const uint64_t prime0 = 0xc3a5c85c97cb3127, prime1 = 0xb492b66fbe98f273,
                      prime2 = 0x9ae16a3b2f90404f, prime3 = 0xc949d7c7509e6557,
                      fold_multiplier = 0x9ddfea08eb382d69;

typedef struct pair {
    uint64_t first, second;
} pair;

static uint64_t read32(const unsigned char *s)
{
    return (uint64_t)s[0] | (uint64_t)s[1] << 8 | (uint64_t)s[2] << 16 | (uint64_t)s[3] << 24;
}

static uint64_t read64(const unsigned char *s) { return read32(s) | read32(s + 4) << 32; }

/* shift: 1 to 63 */
static uint64_t rotate(uint64_t value, unsigned shift)
{
    return value >> shift | value << (64 - shift);
}

static uint64_t shift_mix(uint64_t value) { return value ^ value >> 47; }

/* 128 bits to 64, in the manner of Murmur. */
static uint64_t fold(uint64_t low, uint64_t high)
{
    uint64_t a = shift_mix((low ^ high) * fold_multiplier);
    uint64_t b = shift_mix((high ^ a) * fold_multiplier);
    return b * fold_multiplier;
}

static uint64_t hash_to_16(const unsigned char *s, size_t n)
{
    if (n > 8) {
        uint64_t head = read64(s), tail = read64(s + n - 8);
        return fold(head, rotate(tail + n, (unsigned)n)) ^ tail;
    }
    if (n >= 4)
        return fold(n + (read32(s) << 3), read32(s + n - 4));
    if (n == 0)
        return prime2;
    uint32_t ends = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
    uint32_t start = s[0] + ((uint32_t)s[n / 2] << 8);
    return shift_mix(start * prime2 ^ ends * prime3) * prime2;
}

static uint64_t hash_to_32(const unsigned char *s, size_t n)
{
    uint64_t a = read64(s) * prime1, b = read64(s + 8);
    uint64_t c = read64(s + n - 8) * prime2, d = read64(s + n - 16) * prime0;
    return fold(rotate(a - b, 43) + rotate(c, 30) + d, a + rotate(b ^ prime3, 20) - c + n);
}

/* Half of the mixing of 33 to 64 bytes: 32 bytes at s, the last two words of which are `late`. */
static pair half_of_64(uint64_t start, const unsigned char *s, const unsigned char *late)
{
    uint64_t z = read64(late + 8), a = start, b = rotate(a + z, 52), c = rotate(a, 37);
    a += read64(s + 8);
    c += rotate(a, 7);
    a += read64(late);
    return (pair){a + z, b + rotate(a, 31) + c};
}

static uint64_t hash_to_64(const unsigned char *s, size_t n)
{
    uint64_t first = read64(s) + (n + read64(s + n - 16)) * prime0;
    pair v = half_of_64(first, s, s + 16);
    uint64_t second = read64(s + 16) + read64(s + n - 32);
    pair w = half_of_64(second, s + n - 32, s + n - 16);
    uint64_t mixed = shift_mix((v.first + w.second) * prime2 + (w.first + v.second) * prime0);
    return shift_mix(mixed * prime0 + v.second) * prime2;
}

/* 32 bytes into two words of state. */
static pair weak32(const unsigned char *s, uint64_t a, uint64_t b)
{
    uint64_t z = read64(s + 24);
    a += read64(s);
    b = rotate(b + a + z, 21);
    uint64_t before = a;
    a += read64(s + 8);
    a += read64(s + 16);
    b += rotate(a, 44);
    return (pair){a + z, b + before};
}

uint64_t ftl_cityhash64(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    if (size <= 16)
        return hash_to_16(s, size);
    if (size <= 32)
        return hash_to_32(s, size);
    if (size <= 64)
        return hash_to_64(s, size);
    uint64_t x = read64(s), y = read64(s + size - 16) ^ prime1, z = read64(s + size - 56) ^ prime0;
    pair v = weak32(s + size - 64, size, y), w = weak32(s + size - 32, size * prime1, prime0);
    z += shift_mix(v.second) * prime1;
    x = rotate(z + x, 39) * prime1;
    y = rotate(y, 33) * prime1;
    for (size_t left = (size - 1) / 64; left > 0; left--, s += 64) {
        x = rotate(x + y + v.first + read64(s + 16), 37) * prime1;
        y = rotate(y + v.second + read64(s + 48), 42) * prime1;
        x ^= w.second;
        y ^= v.first;
        uint64_t next_x = rotate(z ^ w.first, 33);
        v = weak32(s, v.second * prime1, x + w.first);
        w = weak32(s + 32, next_x + w.second, y);
        z = x;
        x = next_x;
    }
    return fold(fold(v.first, w.first) + shift_mix(y) * prime1 + z, fold(v.second, w.second) + x);
}
