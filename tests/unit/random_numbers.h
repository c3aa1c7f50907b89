/* Random numbers of unit tests: Marsaglia's xorshift, the same ones in every run. */
#ifndef FTL_TESTS_RANDOM_NUMBERS_H
#define FTL_TESTS_RANDOM_NUMBERS_H

#include <stdint.h>

static inline uint64_t random_bits(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline uint32_t random_below(uint32_t n) { return (uint32_t)(random_bits() >> 33) % n; }

#endif
