#define DISTANCE_NAME(name) ftl_##name##_portable
/* fma() of the C library rounds once on every processor, but it is slow where it is no instruction.
 */
#define DISTANCE_FMA(sum, a, b)             \
    for (size_t lane = 0; lane < 8; lane++) \
    (*(sum))[lane] = fma((*(a))[lane], (*(b))[lane], (*(sum))[lane])
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
