/* Hashing for tables with a seed of their own, so that nobody can choose keys that collide. */
#ifndef FTL_BASE_HASH_H
#define FTL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A 64 x 64 → 128 bit product folded in half mixes every input bit into every output bit. */
static inline uint64_t ftl_hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* A seed from the place of a table, which differs between runs. */
static inline uint64_t ftl_hash_seed(const void *table)
{
    return ftl_hash_mix((uint64_t)(uintptr_t)table ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu);
}

static inline uint64_t ftl_hash_text(uint64_t seed, const char *text, size_t size)
{
    uint64_t hash = seed ^ size, tail = 0;
    for (; size >= 8; size -= 8, text += 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = ftl_hash_mix(hash ^ word, 0x9e3779b97f4a7c15u);
    }
    if (size >= 4) { /* two loads that overlap instead of a loop over bytes */
        uint32_t low, high;
        memcpy(&low, text, 4);
        memcpy(&high, text + size - 4, 4);
        tail = (uint64_t)high << 32 | low;
    } else if (size) {
        const unsigned char *bytes = (const unsigned char *)text;
        tail = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
    }
    return ftl_hash_mix(hash ^ tail, 0xd6e8feb86659fd93u ^ seed);
}

#endif
