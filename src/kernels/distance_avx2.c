#include <immintrin.h>
#include <stdint.h>

#define DISTANCE_NAME(name) ftl_##name##_avx2
#define DISTANCE_BYTES 32
#define DISTANCE_FMA(sum, a, b) \
    distance_fma((double *)(sum), (const double *)(a), (const double *)(b))

static inline __attribute__((always_inline)) void distance_fma(double *sum, const double *a,
                                                               const double *b)
{
    _mm256_storeu_pd(sum,
                     _mm256_fmadd_pd(_mm256_loadu_pd(a), _mm256_loadu_pd(b), _mm256_loadu_pd(sum)));
}

#define DISTANCE_BELOW(values, limit) distance_bits(values, limit)

static inline __attribute__((always_inline)) uint8_t distance_bits(const double *values,
                                                                   double limit)
{
    __m256d wide = _mm256_set1_pd(limit);
    int low = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(values), wide, _CMP_NGE_UQ));
    int high = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(values + 4), wide, _CMP_NGE_UQ));
    return (uint8_t)(low | high << 4);
}

#include "kernels/distance_body.h"
