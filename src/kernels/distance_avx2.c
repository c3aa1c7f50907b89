#include <immintrin.h>

#define DISTANCE_NAME(name) ftl_##name##_avx2
#define DISTANCE_FMA(sum, a, b) \
    distance_fma((double *)(sum), (const double *)(a), (const double *)(b))

static inline __attribute__((always_inline)) void distance_fma(double *sum, const double *a,
                                                               const double *b)
{
    for (int half = 0; half < 8; half += 4)
        _mm256_storeu_pd(sum + half,
                         _mm256_fmadd_pd(_mm256_loadu_pd(a + half), _mm256_loadu_pd(b + half),
                                         _mm256_loadu_pd(sum + half)));
}

#include "kernels/distance_body.h"
