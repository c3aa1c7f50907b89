/*
 * The one hash of the library's tables, for bytes and for numbers. Seeded from the system's random
 * numbers, so that nobody can choose keys that collide. Hashes never leave the process: they differ
 * from run to run. (Hashes that a model file prescribes are elsewhere: base/cityhash.h and
 * plan/words.h.)
 */
#ifndef FTL_BASE_HASH_H
#define FTL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The process's seed, never 0; the same at every call. Thread-safe. */
uint64_t ftl_hash_seed(void);

/* A 64 x 64 → 128 bit product folded in half mixes every input bit into every output bit. */
static inline uint64_t ftl_hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Twice, because one product spreads the few upper bits of small round doubles unevenly. */
static inline uint64_t ftl_hash_number(uint64_t seed, uint64_t number)
{
    uint64_t hash = ftl_hash_mix(number ^ seed, 0x9e3779b97f4a7c15u);
    return ftl_hash_mix(hash, 0xa0761d6478bd642fu ^ seed);
}

/* All 64 bits of the result are equally good: a table may take any of them. */
static inline uint64_t ftl_hash_bytes(uint64_t seed, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t hash = seed ^ size, tail = 0;
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = ftl_hash_mix(hash ^ word, 0x9e3779b97f4a7c15u);
    }
    if (size >= 4) { /* two loads that overlap instead of a loop over bytes */
        uint32_t low, high;
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + size - 4, 4);
        tail = (uint64_t)high << 32 | low;
    } else if (size) {
        tail = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
    }
    hash = ftl_hash_mix(hash ^ tail, 0xd6e8feb86659fd93u);
    return ftl_hash_mix(hash, 0xa0761d6478bd642fu ^ seed);
}

#endif
