#include "kernels/csv_impl.h"

#include <immintrin.h>

#define CSV_NAME(name) ftl_csv_##name##_avx512

CSV_INLINE csv_bytes csv_find(const uint8_t *data, uint8_t delimiter)
{
    __m512i v = _mm512_loadu_si512(data);
    return (csv_bytes){_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8((char)delimiter)),
                       _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')),
                       _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r')),
                       _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"'))};
}

CSV_INLINE void csv_put_ends(uint64_t bits, size_t base, uint32_t *ends)
{
    const __m512i at = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i offsets = _mm512_add_epi32(at, _mm512_set1_epi32((int)base));
    for (int i = 0; i < 4; i++, bits >>= 16) {
        __mmask16 some = (__mmask16)bits;
        _mm512_storeu_si512(ends, _mm512_maskz_compress_epi32(some, offsets));
        ends += __builtin_popcount(some);
        offsets = _mm512_add_epi32(offsets, _mm512_set1_epi32(16));
    }
}

#include "kernels/csv_vector.h"
