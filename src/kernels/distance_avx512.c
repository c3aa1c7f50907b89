#include <immintrin.h>

#define DISTANCE_NAME(name) ftl_##name##_avx512
#define DISTANCE_BYTES 64
#define DISTANCE_FMA(sum, a, b) \
    distance_fma((double *)(sum), (const double *)(a), (const double *)(b))

static inline __attribute__((always_inline)) void distance_fma(double *sum, const double *a,
                                                               const double *b)
{
    _mm512_storeu_pd(sum,
                     _mm512_fmadd_pd(_mm512_loadu_pd(a), _mm512_loadu_pd(b), _mm512_loadu_pd(sum)));
}

#define DISTANCE_BELOW(values, limit) \
    _mm512_cmp_pd_mask(_mm512_loadu_pd(values), _mm512_set1_pd(limit), _CMP_NGE_UQ)

#include "kernels/distance_body.h"
