/*
 * Durations, counted in buckets whose width is an eighth of their power of two: quantiles are
 * within 6 % of the truth. Counting is a relaxed atomic addition: any thread, at any time.
 */
#ifndef FTL_SERVER_SERVING_HISTOGRAM_H
#define FTL_SERVER_SERVING_HISTOGRAM_H

#include "base/status.h"

#include <stdatomic.h>

enum { SRV_BUCKETS = 8 * 40 }; /* of nanoseconds: up to 18 minutes */

typedef struct srv_histogram {
    _Atomic uint64_t counts[SRV_BUCKETS];
    _Atomic uint64_t n, nanoseconds;
} srv_histogram;

void srv_histogram_add(srv_histogram *histogram, double seconds);
/* Seconds below which a share (0 to 1) of the durations are; 0 when there are none. */
double srv_histogram_quantile(const srv_histogram *histogram, double share);
double srv_histogram_mean(const srv_histogram *histogram);
/* How many durations are at most so long, but for the width of a bucket. */
uint64_t srv_histogram_below(const srv_histogram *histogram, double seconds);

#endif
