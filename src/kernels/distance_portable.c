#define DISTANCE_NAME(name) ftl_##name##_portable
#define DISTANCE_BYTES 16
/* fma() of the C library rounds once on every processor, but it is slow where it is no instruction.
 */
#define DISTANCE_FMA(sum, a, b)          \
    for (size_t one = 0; one < 2; one++) \
    (*(sum))[one] = fma((*(a))[one], (*(b))[one], (*(sum))[one])
#define DISTANCE_BELOW(values, limit) distance_bits(values, limit)
#include <math.h>
#include <stdint.h>

static inline uint8_t distance_bits(const double *values, double limit)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= (unsigned)!(values[i] >= limit) << i;
    return (uint8_t)bits;
}

#include "kernels/distance_body.h"
