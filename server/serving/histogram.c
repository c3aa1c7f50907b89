#include "serving/histogram.h"

/* The first eight are a nanosecond each. */
static unsigned bucket_of(uint64_t nanoseconds)
{
    if (nanoseconds < 8)
        return (unsigned)nanoseconds;
    unsigned power = 63 - (unsigned)__builtin_clzll(nanoseconds);
    unsigned bucket = 8 * (power - 2) + (unsigned)(nanoseconds >> (power - 3) & 7);
    return bucket < SRV_BUCKETS ? bucket : SRV_BUCKETS - 1;
}

/* The first nanosecond that is not in the bucket any more. */
static double end_of(unsigned bucket)
{
    if (bucket < 8)
        return bucket + 1;
    return (double)((uint64_t)(9 + bucket % 8) << (bucket / 8 - 1));
}

void srv_histogram_add(srv_histogram *histogram, double seconds)
{
    uint64_t nanoseconds = seconds > 0 ? (uint64_t)(seconds * 1e9) : 0;
    atomic_fetch_add_explicit(&histogram->counts[bucket_of(nanoseconds)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->n, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->nanoseconds, nanoseconds, memory_order_relaxed);
}

double srv_histogram_quantile(const srv_histogram *histogram, double share)
{
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < SRV_BUCKETS; i++)
        all += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    double wanted = share * (double)all;
    for (unsigned i = 0; i < SRV_BUCKETS && all; i++) {
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        if ((double)seen >= wanted && seen)
            return 1e-9 * end_of(i);
    }
    return 0;
}

double srv_histogram_mean(const srv_histogram *histogram)
{
    uint64_t n = atomic_load_explicit(&histogram->n, memory_order_relaxed);
    uint64_t sum = atomic_load_explicit(&histogram->nanoseconds, memory_order_relaxed);
    return n ? 1e-9 * (double)sum / (double)n : 0;
}

uint64_t srv_histogram_below(const srv_histogram *histogram, double seconds)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < SRV_BUCKETS && end_of(i) <= seconds * 1e9 * 1.0000001; i++)
        seen += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    return seen;
}
