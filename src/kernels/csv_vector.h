/*
 * The vector forms of the CSV kernels, included by instruction sets that define CSV_NAME, csv_find
 * and csv_put_ends (csv_body.h): numbers of up to 24 bytes at once.
 *
 * A cell is loaded so that it ends where the register ends. The bytes up to the separator move on
 * by one and close the gap, bytes that are no digits of the cell become zero, and what is left is a
 * decimal integer of the register's width.
 */
typedef struct csv_place {
    uint32_t digits;   /* bytes that are digits once the gap is closed */
    uint32_t moved;    /* bytes up to the separator */
    unsigned fraction; /* digits behind it */
    bool negative;
} csv_place;

/*
 * size: of the cell, 1 to width; separators: the bytes of the register that are one. False where
 * there are several, and for no digits.
 */
CSV_INLINE bool csv_locate(const uint8_t *end, size_t size, uint32_t separators, unsigned width,
                           csv_place *out)
{
    uint32_t all = width == 32 ? UINT32_MAX : (UINT32_C(1) << width) - 1;
    uint32_t first = UINT32_C(1) << (width - size);
    out->negative = end[-(ptrdiff_t)size] == '-';
    uint32_t cell = (all & -first) & ~(out->negative ? first : 0);
    separators &= cell;
    bool has = separators != 0;
    out->moved = separators | (separators - has);
    out->fraction = has ? width - 32 + (unsigned)__builtin_clz(separators | 1) : 0;
    out->digits = has ? cell & (cell - 1) : cell;
    return !(separators & (separators - has)) && out->digits;
}

CSV_INLINE bool csv_finish(uint64_t digits, const csv_place *place, double *out)
{
    double value = ftl_f64_of_decimal(digits, place->fraction);
    *out = place->negative ? -value : value;
    return true;
}

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#define CSV_SEPARATORS_16(text, c) _mm_cmpeq_epi8_mask(text, _mm_set1_epi8(c))
#define CSV_SEPARATORS_32(text, c) _mm256_cmpeq_epi8_mask(text, _mm256_set1_epi8(c))

CSV_INLINE bool csv_digits_16(const csv_place *place, __m128i text, __m128i moved, __m128i *out)
{
    text = _mm_mask_blend_epi8((__mmask16)place->moved, text, moved);
    *out = _mm_maskz_sub_epi8((__mmask16)place->digits, text, _mm_set1_epi8('0'));
    return !_mm_cmpgt_epu8_mask(*out, _mm_set1_epi8(9));
}

CSV_INLINE bool csv_digits_32(const csv_place *place, __m256i text, __m256i moved, __m256i *out)
{
    text = _mm256_mask_blend_epi8(place->moved, text, moved);
    *out = _mm256_maskz_sub_epi8(place->digits, text, _mm256_set1_epi8('0'));
    return !_mm256_cmpgt_epu8_mask(*out, _mm256_set1_epi8(9));
}
#else
#define CSV_SEPARATORS_16(text, c) \
    (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(c)))
#define CSV_SEPARATORS_32(text, c) \
    (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(c)))

CSV_INLINE bool csv_digits_16(const csv_place *place, __m128i text, __m128i moved, __m128i *out)
{
    const __m128i at = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    char stay = (char)__builtin_ctz(~place->moved), first = (char)__builtin_ctz(place->digits);
    text = _mm_blendv_epi8(text, moved, _mm_cmpgt_epi8(_mm_set1_epi8(stay), at));
    __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    *out = _mm_andnot_si128(_mm_cmpgt_epi8(_mm_set1_epi8(first), at), digits);
    return !_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(*out, _mm_set1_epi8(10)), *out));
}

CSV_INLINE bool csv_digits_32(const csv_place *place, __m256i text, __m256i moved, __m256i *out)
{
    const __m256i at = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                                        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
                                        31);
    char stay = (char)__builtin_ctz(~place->moved), first = (char)__builtin_ctz(place->digits);
    text = _mm256_blendv_epi8(text, moved, _mm256_cmpgt_epi8(_mm256_set1_epi8(stay), at));
    __m256i digits = _mm256_sub_epi8(text, _mm256_set1_epi8('0'));
    *out = _mm256_andnot_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(first), at), digits);
    return !_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(_mm256_max_epu8(*out, _mm256_set1_epi8(10)), *out));
}
#endif

CSV_INLINE bool csv_short_16(const uint8_t *end, size_t size, char decimal, double *out)
{
    csv_place place;
    __m128i text = _mm_loadu_si128((const void *)(end - 16));
    if (!csv_locate(end, size, CSV_SEPARATORS_16(text, decimal), 16, &place) ||
        !csv_digits_16(&place, text, _mm_loadu_si128((const void *)(end - 17)), &text))
        return false;
    /* Digits become pairs, fours and eights: two numbers in the low half. */
    text = _mm_maddubs_epi16(text, _mm_set1_epi16(0x010a));
    text = _mm_madd_epi16(text, _mm_set1_epi32(0x00010064));
    text = _mm_packus_epi32(text, text);
    text = _mm_madd_epi16(text, _mm_set1_epi32(0x00012710));
    uint64_t eights = (uint64_t)_mm_cvtsi128_si64(text);
    return csv_finish((eights & UINT32_MAX) * 100000000 + (eights >> 32), &place, out);
}

/* Of more than 19 digits the first must be zeros. */
static __attribute__((noinline)) bool csv_short_32(const uint8_t *end, size_t size, char decimal,
                                                   double *out)
{
    csv_place place;
    __m256i text = _mm256_loadu_si256((const void *)(end - 32));
    if (!csv_locate(end, size, CSV_SEPARATORS_32(text, decimal), 32, &place) ||
        !csv_digits_32(&place, text, _mm256_loadu_si256((const void *)(end - 33)), &text))
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
    return csv_finish(digits, &place, out);
}

CSV_INLINE bool csv_short(const uint8_t *end, size_t size, char decimal, double *out)
{
    if (size <= 16)
        return csv_short_16(end, size, decimal, out);
    return size <= 24 && csv_short_32(end, size, decimal, out);
}

#include "kernels/csv_body.h"
