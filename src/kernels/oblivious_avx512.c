#include <immintrin.h>

#define OBLIVIOUS_NAME(name) name##_avx512
#define OBLIVIOUS_BYTES 64
#define OBLIVIOUS_ADD
#include "kernels/oblivious_body.h"

/*
 * A tree's values in PAIRS pairs of registers: each pair is looked up by the low four bits of a
 * leaf's number, and the higher bits choose among the pairs. Gathers would take as many loads as
 * there are rows.
 */
#define OBLIVIOUS_LOOK_UP(PAIRS)                                                              \
    do {                                                                                      \
        __m512d table[2 * PAIRS];                                                             \
        _Pragma("GCC unroll 8") for (int i = 0; i < 2 * PAIRS; i++)                           \
            table[i] = _mm512_loadu_pd(values + 8 * i);                                       \
        for (uint32_t r = 0; r < rows; r += 8) {                                              \
            __m512i number = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(leaf + r))); \
            __m512d value[PAIRS];                                                             \
            _Pragma("GCC unroll 4") for (int i = 0; i < PAIRS; i++)                           \
                value[i] = _mm512_permutex2var_pd(table[2 * i], number, table[2 * i + 1]);    \
            oblivious_choose(value, PAIRS, number);                                           \
            _mm512_storeu_pd(sum + r, _mm512_add_pd(_mm512_loadu_pd(sum + r), value[0]));     \
        }                                                                                     \
    } while (0)

static inline __attribute__((always_inline)) void oblivious_choose(__m512d *value, int pairs,
                                                                   __m512i number)
{
    for (int n = pairs, bit = 16; n > 1; n /= 2, bit *= 2) {
        __mmask8 high = _mm512_test_epi64_mask(number, _mm512_set1_epi64(bit));
        for (int i = 0; i < n / 2; i++)
            value[i] = _mm512_mask_blend_pd(high, value[2 * i], value[2 * i + 1]);
    }
}

void ftl_oblivious_add_avx512(const double *values, uint32_t depth, const uint8_t *leaf,
                              uint32_t rows, double *sum)
{
    if (depth <= 4)
        OBLIVIOUS_LOOK_UP(1);
    else if (depth == 5)
        OBLIVIOUS_LOOK_UP(2);
    else if (depth == 6)
        OBLIVIOUS_LOOK_UP(4);
    else
        oblivious_add(values, leaf, rows, sum);
}
