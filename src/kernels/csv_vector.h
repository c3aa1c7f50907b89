/*
 * The vector forms of the CSV kernels, included by instruction sets that define CSV_NAME, csv_find
 * and csv_put_ends (csv_body.h).
 */
#if defined(__AVX512BW__)
#include "kernels/digits_eight.h"
#define CSV_TOGETHER 8
#else
#include "kernels/digits_four.h"
#define CSV_TOGETHER 4
#endif

CSV_INLINE bool csv_short(const uint8_t *end, size_t size, char decimal, double *out)
{
    if (size <= 16)
        return digits_number_16(end, size, decimal, out);
    return size <= 24 && digits_number_32(end, size, decimal, out);
}

/* Where four cells end, and how long they are. */
CSV_INLINE __m128i csv_sizes(const uint8_t *data, const uint32_t *const *ends, const uint8_t **end)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        end[i] = data + *ends[i];
    __m128i low = _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)(ends[0] - 1)),
                                     _mm_loadl_epi64((const void *)(ends[1] - 1)));
    __m128i high = _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)(ends[2] - 1)),
                                      _mm_loadl_epi64((const void *)(ends[3] - 1)));
    __m128i before = _mm_castps_si128(
        _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(2, 0, 2, 0)));
    __m128i own = _mm_castps_si128(
        _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), _MM_SHUFFLE(3, 1, 3, 1)));
    /* without the separator between them */
    return _mm_add_epi32(_mm_sub_epi32(own, before), _mm_set1_epi32(-1));
}

#if CSV_TOGETHER == 8
CSV_INLINE uint32_t csv_together(const uint8_t *data, const uint32_t *const *ends, char decimal,
                                 double *out)
{
    const uint8_t *end[8];
    __m128i low = csv_sizes(data, ends, end), high = csv_sizes(data, ends + 4, end + 4);
    return digits_eight(end, _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1), decimal,
                        out);
}
#else
CSV_INLINE uint32_t csv_together(const uint8_t *data, const uint32_t *const *ends, char decimal,
                                 double *out)
{
    const uint8_t *end[4];
    __m128i sizes = csv_sizes(data, ends, end);
    return digits_four(end, sizes, decimal, out);
}
#endif

#include "kernels/csv_body.h"
