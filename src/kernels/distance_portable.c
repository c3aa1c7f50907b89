#define DISTANCE_NAME(name) ftl_##name##_portable
/* One rounding by the library's function: right on every processor, fast on none. */
#define DISTANCE_FMA(sum, a, b)             \
    for (size_t lane = 0; lane < 8; lane++) \
    (*(sum))[lane] = fma((*(a))[lane], (*(b))[lane], (*(sum))[lane])
#include <math.h>

#include "kernels/distance_body.h"
