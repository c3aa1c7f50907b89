/*
 * Eight numbers of up to 16 bytes at once, for AVX-512: as digits_number_16 (digits_vector.h), four
 * numbers to a register and all eight to the division.
 */
#include "kernels/digits_vector.h"

/* What is known of four numbers. Masks have the same bit for all bytes of a number. */
typedef struct digits_quad {
    __m512i fours; /* digits, four to a number of 32 bits */
    __m512i scale; /* for digits_scales, 64 bits */
    __mmask64 negative;
    __mmask64 bad; /* bytes that do not belong there */
} digits_quad;

/* text: four numbers, each at the end of its 16 bytes; begin: its first byte, in each of them. */
DIGITS_INLINE digits_quad digits_of_quad(__m512i text, __m512i begin, char decimal)
{
    const __m512i at = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m512i behind = _mm512_add_epi8(at, _mm512_set1_epi8(1)), zero = _mm512_setzero_si512();
    digits_quad quad;
    /* a second separator makes a wrong sum, and is no digit wherever it is moved to */
    __mmask64 found = _mm512_mask_cmpeq_epi8_mask(_mm512_cmple_epi8_mask(begin, at), text,
                                                  _mm512_set1_epi8(decimal));
    __m512i separator = _mm512_sad_epu8(_mm512_maskz_mov_epi8(found, behind), zero);
    quad.scale = _mm512_add_epi64(separator, _mm512_shuffle_epi32(separator, _MM_PERM_BADC));
    separator = _mm512_shuffle_epi8(quad.scale, zero);
    quad.negative = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(text, begin), _mm512_set1_epi8('-'));
    __m512i first = _mm512_mask_add_epi8(begin, quad.negative, begin, _mm512_set1_epi8(1));
    first = _mm512_add_epi8(first, _mm512_min_epu8(separator, _mm512_set1_epi8(1)));
    text = _mm512_mask_blend_epi8(_mm512_cmpgt_epu8_mask(separator, at), text,
                                  _mm512_bslli_epi128(text, 1));
    text = _mm512_maskz_sub_epi8(_mm512_cmple_epi8_mask(first, at), text, _mm512_set1_epi8('0'));
    quad.bad = _mm512_cmpgt_epu8_mask(text, _mm512_set1_epi8(9)) |
               _mm512_cmpgt_epi8_mask(first, _mm512_set1_epi8(15));
    text = _mm512_maddubs_epi16(text, _mm512_set1_epi16(0x010a));
    quad.fours = _mm512_madd_epi16(text, _mm512_set1_epi32(0x00010064));
    return quad;
}

/* The 16 bytes before end[0], end[2], end[4] and end[6]. */
DIGITS_INLINE __m512i digits_load_quad(const uint8_t *const *end)
{
    __m512i text = _mm512_castsi128_si512(_mm_loadu_si128((const void *)(end[0] - 16)));
    text = _mm512_inserti32x4(text, _mm_loadu_si128((const void *)(end[2] - 16)), 1);
    text = _mm512_inserti32x4(text, _mm_loadu_si128((const void *)(end[4] - 16)), 2);
    return _mm512_inserti32x4(text, _mm_loadu_si128((const void *)(end[6] - 16)), 3);
}

/*
 * Masks of numbers 0, 2, 4, 6 and 1, 3, 5, 7 become one of bytes of eight doubles; in either one a
 * number's bits are the same.
 */
DIGITS_INLINE __mmask64 digits_side_by_side(__mmask64 even, __mmask64 odd)
{
    return (even & UINT64_C(0x00ff00ff00ff00ff)) | (odd & UINT64_C(0xff00ff00ff00ff00));
}

/* Which of eight numbers have a bit. */
static __attribute__((noinline)) uint32_t digits_which(__mmask64 even, __mmask64 odd)
{
    uint32_t which = 0;
    for (unsigned i = 0; i < 8; i++)
        which |= (uint32_t)(((i % 2 ? odd : even) >> i / 2 * 16 & 0xffff) != 0) << i;
    return which;
}

/*
 * The numbers that end at end[0] to end[7]; 16 bytes before each are readable. Returns a bit for
 * each whose form is another, or whose digits are more than a double has; its number is not set.
 */
DIGITS_INLINE uint32_t digits_eight(const uint8_t *const *end, __m256i size, char decimal,
                                    double *out)
{
    const __m512i even = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    const __m512i zero = _mm512_setzero_si512();
    __m512i begin = _mm512_castsi256_si512(_mm256_sub_epi32(_mm256_set1_epi32(16), size));
    digits_quad a = digits_of_quad(digits_load_quad(end),
                                   _mm512_shuffle_epi8(_mm512_permutexvar_epi32(even, begin), zero),
                                   decimal);
    digits_quad b = digits_of_quad(digits_load_quad(end + 1),
                                   _mm512_shuffle_epi8(_mm512_permutexvar_epi32(odd, begin), zero),
                                   decimal);
    __m512i eights = _mm512_madd_epi16(_mm512_packus_epi32(a.fours, b.fours),
                                       _mm512_set1_epi32(0x00012710));
    __m512i digits = _mm512_mul_epu32(eights, _mm512_set1_epi64(100000000));
    digits = _mm512_add_epi64(digits, _mm512_srli_epi64(eights, 32));
    __m512d scale = _mm512_permutex2var_pd(_mm512_loadu_pd(digits_scales),
                                           _mm512_unpacklo_epi64(a.scale, b.scale),
                                           _mm512_loadu_pd(digits_scales + 8));
    __m512d value = _mm512_div_pd(_mm512_cvtepi64_pd(digits), scale);
    __m512i sign = _mm512_maskz_mov_epi8(digits_side_by_side(a.negative, b.negative),
                                         _mm512_set1_epi64(INT64_MIN));
    _mm512_storeu_pd(out, _mm512_xor_pd(value, _mm512_castsi512_pd(sign)));
    uint32_t others = _mm512_cmpgt_epu64_mask(digits, _mm512_set1_epi64((INT64_C(1) << 53) - 1));
    others |= _mm256_cmpgt_epu32_mask(_mm256_sub_epi32(size, _mm256_set1_epi32(1)),
                                      _mm256_set1_epi32(15));
    if (FTL_UNLIKELY(a.bad | b.bad))
        others |= digits_which(a.bad, b.bad);
    return others;
}
