/*
 * Numbers of up to 24 bytes at once, included by the vector forms of the CSV and of the JSON
 * kernels.
 *
 * A cell is loaded so that it ends where the register ends. The bytes up to the separator move on
 * by one and close the gap, bytes that are no digits of the cell become zero, and what is left is a
 * decimal integer of the register's width.
 */
#include "base/number.h"
#include "base/status.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#define DIGITS_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#define DIGITS_EQUAL_16(text, c) (uint32_t)_mm_cmpeq_epi8_mask(text, _mm_set1_epi8(c))
#define DIGITS_EQUAL_32(text, c) (uint32_t)_mm256_cmpeq_epi8_mask(text, _mm256_set1_epi8(c))
#else
#define DIGITS_EQUAL_16(text, c) (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(c)))
#define DIGITS_EQUAL_32(text, c) \
    (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(c)))
#endif

/*
 * By the separator's byte, 16 where there is none: what the digits are divided by, for positive and
 * for negative numbers, and how many bytes move on. Tables, for nothing may branch by a sign or a
 * separator, which come and go from number to number.
 */
static const double digits_divisors[2][17] = {
    {1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1, 1},
    {-1e15, -1e14, -1e13, -1e12, -1e11, -1e10, -1e9, -1e8, -1e7, -1e6, -1e5, -1e4, -1e3, -1e2, -1e1,
     -1, -1}};
/*
 * By the last four bits of the separator's byte and one more, 0 where there is none: what the
 * digits are divided by. Behind the last byte is none as well.
 */
static const double digits_scales[16] = {1,   1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9,
                                         1e8, 1e7,  1e6,  1e5,  1e4,  1e3,  1e2,  1e1};

#if defined(__AVX512BW__) && defined(__AVX512VL__)
static const uint16_t digits_moving[17] = {0x1,    0x3,    0x7,    0xf,    0x1f,  0x3f,
                                           0x7f,   0xff,   0x1ff,  0x3ff,  0x7ff, 0xfff,
                                           0x1fff, 0x3fff, 0x7fff, 0xffff, 0};

/* moved: text, a byte further on. Bytes from first on are digits; false where one is none. */
DIGITS_INLINE bool digits_close_16(__m128i moved, uint32_t separator, uint32_t first, __m128i *text)
{
    moved = _mm_mask_blend_epi8(digits_moving[separator], *text, moved);
    *text = _mm_maskz_sub_epi8((__mmask16)(UINT32_MAX << first), moved, _mm_set1_epi8('0'));
    return !_mm_cmpgt_epu8_mask(*text, _mm_set1_epi8(9));
}
#else
static const int8_t digits_moving[17] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0};
static const uint8_t digits_from[32] = {[16] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

DIGITS_INLINE bool digits_close_16(__m128i moved, uint32_t separator, uint32_t first, __m128i *text)
{
    const __m128i at = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    moved = _mm_blendv_epi8(*text, moved,
                            _mm_cmpgt_epi8(_mm_set1_epi8(digits_moving[separator]), at));
    *text = _mm_and_si128(_mm_sub_epi8(moved, _mm_set1_epi8('0')),
                          _mm_loadu_si128((const void *)(digits_from + 16 - first)));
    return !_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(*text, _mm_set1_epi8(10)), *text));
}
#endif

/* The value of 16 digits, of which 15 - separator stand behind the separator. */
DIGITS_INLINE double digits_value_16(__m128i text, uint32_t separator, uint32_t negative)
{
    /* Digits become pairs, fours and eights: two numbers in the low half. */
    text = _mm_maddubs_epi16(text, _mm_set1_epi16(0x010a));
    text = _mm_madd_epi16(text, _mm_set1_epi32(0x00010064));
    text = _mm_packus_epi32(text, text);
    text = _mm_madd_epi16(text, _mm_set1_epi32(0x00012710));
    uint64_t eights = (uint64_t)_mm_cvtsi128_si64(text);
    uint64_t digits = (eights & UINT32_MAX) * 100000000 + (eights >> 32);
    if (FTL_UNLIKELY(digits >> 53)) {
        double value = ftl_f64_of_decimal(digits, 15 - separator + (separator >> 4));
        return negative ? -value : value;
    }
    return (double)(int64_t)digits / digits_divisors[negative][separator];
}

DIGITS_INLINE bool digits_number_16(const uint8_t *end, size_t size, char decimal, double *out)
{
    __m128i text = _mm_loadu_si128((const void *)(end - 16));
    __m128i moved = _mm_loadu_si128((const void *)(end - 17));
    uint32_t begin = 16 - (uint32_t)size;
    uint32_t separators = DIGITS_EQUAL_16(text, decimal) & UINT32_MAX << begin;
    uint32_t separator = (uint32_t)__builtin_ctz(separators | 1 << 16);
    uint32_t negative = end[-(ptrdiff_t)size] == '-';
    uint32_t first = begin + negative + 1 - (separator >> 4);
    /* a second separator is no digit */
    if (first > 15 || !digits_close_16(moved, separator, first, &text))
        return false;
    *out = digits_value_16(text, separator, negative);
    return true;
}

/* The same in 32 bytes, for the digits of long numbers; of more than 19 the first must be zeros. */
static __attribute__((noinline)) bool digits_number_32(const uint8_t *end, size_t size,
                                                       char decimal, double *out)
{
    const __m256i at = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                                        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    __m256i text = _mm256_loadu_si256((const void *)(end - 32));
    __m256i moved = _mm256_loadu_si256((const void *)(end - 33));
    uint32_t begin = 32 - (uint32_t)size;
    uint32_t separators = DIGITS_EQUAL_32(text, decimal) & UINT32_MAX << begin;
    uint32_t separator = (uint32_t)__builtin_ctz(separators | UINT32_C(1) << 31),
             has = separators != 0;
    uint32_t negative = end[-(ptrdiff_t)size] == '-';
    uint32_t first = begin + negative + has;
    char moving = (char)(has ? separator + 1 : 0);
    text = _mm256_blendv_epi8(text, moved, _mm256_cmpgt_epi8(_mm256_set1_epi8(moving), at));
    text = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    text = _mm256_andnot_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8((char)first), at), text);
    if (DIGITS_EQUAL_32(_mm256_cmpeq_epi8(_mm256_max_epu8(text, _mm256_set1_epi8(10)), text), -1))
        return false;
    text = _mm256_maddubs_epi16(text, _mm256_set1_epi16(0x010a));
    text = _mm256_madd_epi16(text, _mm256_set1_epi32(0x00010064));
    text = _mm256_packus_epi32(text, text);
    text = _mm256_madd_epi16(text, _mm256_set1_epi32(0x00012710));
    uint64_t high = (uint64_t)_mm256_extract_epi64(text, 0);
    uint64_t low = (uint64_t)_mm256_extract_epi64(text, 2);
    if ((high & UINT32_MAX) || high >> 32 >= 1000)
        return false;
    uint64_t digits = (high >> 32) * UINT64_C(10000000000000000) + (low & UINT32_MAX) * 100000000 +
                      (low >> 32);
    /* some have 53 bits and some more, without an order: one way for all of them */
    double value = ftl_f64_scale(digits, has ? (int64_t)separator - 31 : 0);
    *out = negative ? -value : value;
    return true;
}
