/*
 * Four numbers of up to 16 bytes at once, included by the vector forms of the CSV kernels: as
 * digits_number_16 (digits_vector.h), two numbers to a register and all four to the division.
 */
#include "kernels/digits_vector.h"

/* What is known of two numbers; each is told to all bytes of its half, or to both its 64 bits. */
typedef struct digits_two {
    __m256i fours;    /* digits, four to a number of 32 bits */
    __m256i scale;    /* digits_scales, 64 bits */
    __m256i negative; /* all bits or none */
    __m256i bad;      /* a byte that does not belong there */
} digits_two;

/* text: two numbers, each at the end of its half; begin: its first byte, in all bytes. */
DIGITS_INLINE digits_two digits_of_two(__m256i text, __m256i begin, char decimal)
{
    const __m256i at = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m256i behind = _mm256_sub_epi8(at, _mm256_set1_epi8(-1));
    digits_two two;
    /* a second separator makes a wrong sum, and is no digit wherever it is moved to */
    __m256i separator = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(decimal));
    separator = _mm256_andnot_si256(_mm256_cmpgt_epi8(begin, at), separator);
    separator = _mm256_sad_epu8(_mm256_and_si256(separator, behind), _mm256_setzero_si256());
    two.scale = _mm256_add_epi64(separator, _mm256_shuffle_epi32(separator, 0x4e));
    separator = _mm256_shuffle_epi8(two.scale, _mm256_setzero_si256());
    two.negative = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(text, begin), _mm256_set1_epi8('-'));
    __m256i has = _mm256_cmpgt_epi8(separator, _mm256_setzero_si256());
    __m256i first = _mm256_sub_epi8(_mm256_sub_epi8(begin, two.negative), has);
    text = _mm256_blendv_epi8(text, _mm256_slli_si256(text, 1), _mm256_cmpgt_epi8(separator, at));
    text = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    text = _mm256_andnot_si256(_mm256_cmpgt_epi8(first, at), text);
    two.bad = _mm256_cmpeq_epi8(_mm256_max_epu8(text, _mm256_set1_epi8(10)), text);
    two.bad = _mm256_or_si256(two.bad, _mm256_cmpgt_epi8(first, _mm256_set1_epi8(15)));
    text = _mm256_maddubs_epi16(text, _mm256_set1_epi16(0x010a));
    two.fours = _mm256_madd_epi16(text, _mm256_set1_epi32(0x00010064));
    return two;
}

DIGITS_INLINE __m256d digits_scale_four(__m256i scale)
{
    scale = _mm256_and_si256(scale, _mm256_set1_epi64x(15));
    __m128i low = _mm256_castsi256_si128(scale), high = _mm256_extracti128_si256(scale, 1);
    return _mm256_setr_pd(
        digits_scales[_mm_cvtsi128_si64(low)], digits_scales[_mm_extract_epi64(low, 1)],
        digits_scales[_mm_cvtsi128_si64(high)], digits_scales[_mm_extract_epi64(high, 1)]);
}

DIGITS_INLINE __m256i digits_load_two(const uint8_t *first, const uint8_t *second)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const void *)(first - 16))),
        _mm_loadu_si128((const void *)(second - 16)), 1);
}

/*
 * The numbers that end at end[0] to end[3]; 32 bytes before each are readable. Returns a bit for
 * each whose form is another, or whose digits are more than a double has; its number is not set.
 */
DIGITS_INLINE uint32_t digits_four(const uint8_t *const *end, __m128i size, char decimal,
                                   double *out)
{
    const __m256i low = _mm256_setr_epi32(0, 0, 0, 0, 0x08080808, 0x08080808, 0x08080808,
                                          0x08080808);
    const __m256i high = _mm256_add_epi8(low, _mm256_set1_epi8(4));
    __m256i begin = _mm256_broadcastsi128_si256(_mm_sub_epi32(_mm_set1_epi32(16), size));
    digits_two a = digits_of_two(digits_load_two(end[0], end[2]), _mm256_shuffle_epi8(begin, low),
                                 decimal);
    digits_two b = digits_of_two(digits_load_two(end[1], end[3]), _mm256_shuffle_epi8(begin, high),
                                 decimal);
    __m256i eights = _mm256_madd_epi16(_mm256_packus_epi32(a.fours, b.fours),
                                       _mm256_set1_epi32(0x00012710));
    /* 2**52 and a number of 32 bits, as bits and as a sum */
    const __m256d two_52 = _mm256_set1_pd(0x1p52);
    __m256i upper = _mm256_blend_epi32(eights, _mm256_castpd_si256(two_52), 0xaa);
    __m256i lower = _mm256_or_si256(_mm256_srli_epi64(eights, 32), _mm256_castpd_si256(two_52));
    /* below 2**53 every step is exact */
    __m256d value = _mm256_mul_pd(_mm256_sub_pd(_mm256_castsi256_pd(upper), two_52),
                                  _mm256_set1_pd(1e8));
    value = _mm256_add_pd(value, _mm256_sub_pd(_mm256_castsi256_pd(lower), two_52));
    __m256d large = _mm256_cmp_pd(value, _mm256_set1_pd(0x1p53), _CMP_GE_OQ);
    __m256d scale = digits_scale_four(_mm256_unpacklo_epi64(a.scale, b.scale));
    __m256i sign = _mm256_and_si256(_mm256_unpacklo_epi64(a.negative, b.negative),
                                    _mm256_set1_epi64x(INT64_MIN));
    value = _mm256_div_pd(value, scale);
    _mm256_storeu_pd(out, _mm256_xor_pd(value, _mm256_castsi256_pd(sign)));
    __m128i odd = _mm_or_si128(_mm_cmpgt_epi32(size, _mm_set1_epi32(16)),
                               _mm_cmpgt_epi32(_mm_set1_epi32(1), size));
    uint32_t others = (uint32_t)(_mm256_movemask_pd(large) |
                                 _mm_movemask_ps(_mm_castsi128_ps(odd)));
    if (FTL_LIKELY(_mm256_testz_si256(_mm256_or_si256(a.bad, b.bad), _mm256_set1_epi8(-1))))
        return others;
    uint32_t bad_a = (uint32_t)_mm256_movemask_epi8(a.bad),
             bad_b = (uint32_t)_mm256_movemask_epi8(b.bad);
    return others | (uint32_t)((bad_a & 0xffff) != 0) | (uint32_t)((bad_b & 0xffff) != 0) << 1 |
           (uint32_t)(bad_a >> 16 != 0) << 2 | (uint32_t)(bad_b >> 16 != 0) << 3;
}
