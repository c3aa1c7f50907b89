#include "base/hash.h"

#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

/*
 * Where the system has no random numbers yet, or a sandbox forbids asking for them, the sixteen
 * random bytes that Linux gives a process at its start are taken; the clock is for other systems.
 */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
        return seed;
    const void *start = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    struct timespec now = {0};
    if (start)
        memcpy(&seed, start, sizeof seed);
    else if (clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        seed = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
    return ftl_hash_number(0x6a09e667f3bcc909u, seed);
}

uint64_t ftl_hash_seed(void)
{
    static _Atomic uint64_t process_seed;
    uint64_t seed = atomic_load_explicit(&process_seed, memory_order_relaxed);
    if (seed)
        return seed;
    /* Of threads that come here together the first one's seed stays. */
    uint64_t made = random_seed() | 1;
    return atomic_compare_exchange_strong(&process_seed, &seed, made) ? made : seed;
}
