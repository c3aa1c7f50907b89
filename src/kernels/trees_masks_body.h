/*
 * One row down trees of few leaves without steps (kernels/trees.h), for processors with AVX2:
 * included by the files of the instruction sets that have it.
 */
#include <immintrin.h>

/* The codes that the row has in 32 columns, for 32 nodes. Shuffles look up 16 columns at a time. */
TREES_INLINE __m256i masks_look_up(__m256i low, __m256i high, __m256i column)
{
    /* a column above 15 becomes one of 128 or more, of which a shuffle makes 0; and one below 16 */
    __m256i in_low = _mm256_adds_epu8(column, _mm256_set1_epi8(0x70));
    __m256i in_high = _mm256_sub_epi8(column, _mm256_set1_epi8(16));
    return _mm256_or_si256(_mm256_shuffle_epi8(low, in_low), _mm256_shuffle_epi8(high, in_high));
}

/* The leaves that eight nodes shut off; right: 255 or 0 in each of its low eight bytes. */
TREES_INLINE __m256i masks_shut(__m128i right, const uint32_t *shut)
{
    __m256i nodes = _mm256_loadu_si256((const __m256i *)(const void *)shut);
    return _mm256_and_si256(_mm256_cvtepi8_epi32(right), nodes);
}

TREES_INLINE uint32_t masks_leaf(const ftl_tree_mask *tree, __m256i low, __m256i high)
{
    __m256i column = _mm256_loadu_si256((const __m256i *)(const void *)tree->column);
    __m256i least = _mm256_loadu_si256((const __m256i *)(const void *)tree->least);
    __m256i code = masks_look_up(low, high, column);
    __m256i right = _mm256_cmpeq_epi8(_mm256_max_epu8(code, least), code);
    __m128i first = _mm256_castsi256_si128(right), second = _mm256_extracti128_si256(right, 1);
    __m256i shut = _mm256_or_si256(
        _mm256_or_si256(masks_shut(first, tree->shut),
                        masks_shut(_mm_srli_si128(first, 8), tree->shut + 8)),
        _mm256_or_si256(masks_shut(second, tree->shut + 16),
                        masks_shut(_mm_srli_si128(second, 8), tree->shut + 24)));
    __m128i four = _mm_or_si128(_mm256_castsi256_si128(shut), _mm256_extracti128_si256(shut, 1));
    __m128i two = _mm_or_si128(four, _mm_shuffle_epi32(four, 0x4e));
    uint32_t all = (uint32_t)_mm_cvtsi128_si32(_mm_or_si128(two, _mm_shuffle_epi32(two, 0xb1)));
    return (uint32_t)__builtin_ctz(~all);
}

void TREES_NAME(ftl_tree_row_masks)(const ftl_tree_mask *trees, uint32_t n, const uint8_t *codes,
                                    uint32_t *leaf)
{
    const __m128i *halves = (const __m128i *)(const void *)codes;
    __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128(halves));
    __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128(halves + 1));
    for (uint32_t t = 0; t < n; t++)
        leaf[t] = masks_leaf(trees + t, low, high);
}
