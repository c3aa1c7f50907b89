/* The vector form of the JSON kernel, included by instruction sets that define JSON_NAME. */
#include "kernels/digits_vector.h"
#include "kernels/json.h"

/* The bytes of a number that ends in a register, moved to its end; zeros come in before them. */
static const uint8_t json_aligned[32] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15};

DIGITS_INLINE bool json_is_lead(const ftl_json_lead *lead, const char *at)
{
    for (uint32_t i = 0;; i += 16) {
        __m128i here = _mm_loadu_si128((const void *)(at + i));
        __m128i there = _mm_loadu_si128((const void *)(lead->text + i));
        uint32_t other = ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(here, there));
        if (FTL_LIKELY(lead->size - i <= 16))
            return !(other & (UINT32_C(0x1ffff) >> (17 - (lead->size - i))));
        if (other & 0xffff)
            return false;
    }
}

/*
 * A number as RFC 8259 has it, but for exponents, of at most 31 bytes, up to a comma or a closing
 * bracket. Returns its size, 0 for anything else. from: what may be read before it.
 */
DIGITS_INLINE uint32_t json_number(const char *at, const char *from, double *out)
{
    __m256i text = _mm256_loadu_si256((const void *)at);
    __m256i folded = _mm256_or_si256(text, _mm256_set1_epi8(0x20)); /* ] becomes } */
    uint32_t ends = DIGITS_EQUAL_32(text, ',') | DIGITS_EQUAL_32(folded, '}');
    if (FTL_UNLIKELY(!ends))
        return 0;
    uint32_t size = (uint32_t)__builtin_ctz(ends);
    uint32_t points = DIGITS_EQUAL_32(text, '.');
    uint32_t point = (uint32_t)__builtin_ctz(points | ends); /* or the end */
    uint32_t negative = *at == '-', whole = point - negative;
    /* digits before and behind a point, and no zero before other digits */
    if (whole - 1 >= 31 || point + 1 == size || (whole > 1 && at[negative] == '0'))
        return 0;
    if (FTL_LIKELY(size <= 16)) {
        uint32_t begin = 16 - size, separator = point == size ? 16 : begin + point;
        __m128i aligned = _mm_shuffle_epi8(_mm256_castsi256_si128(text),
                                           _mm_loadu_si128((const void *)(json_aligned + size)));
        if (!digits_close_16(_mm_slli_si128(aligned, 1), separator,
                             begin + negative + (point != size), &aligned))
            return 0;
        *out = digits_value_16(aligned, separator, negative);
        return size;
    }
    const uint8_t *end = (const uint8_t *)at + size;
    if (size > 24 || (at - from) + (ptrdiff_t)size < 33 || !digits_number_32(end, size, '.', out))
        return 0;
    return size;
}

/* A text of at most 31 bytes without escapes, behind its opening quote: its size, 32 for others. */
DIGITS_INLINE uint32_t json_text(const char *at)
{
    __m256i text = _mm256_loadu_si256((const void *)at);
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(0x1f)), text);
    uint32_t quotes = DIGITS_EQUAL_32(text, '"');
    uint32_t others = DIGITS_EQUAL_32(text, '\\') | (uint32_t)_mm256_movemask_epi8(control);
    bool plain = quotes && !(others & (quotes ^ (quotes - 1))); /* nothing before the first quote */
    return plain ? (uint32_t)__builtin_ctz(quotes) : 32;
}

/* The value at `at`, but for the cell's kind; behind it, NULL where it is not plain. */
DIGITS_INLINE const char *json_value(const char *at, const char *from, bool text,
                                     ftl_json_cell *cell)
{
    uint32_t size = text ? json_text(++at) : json_number(at, from, &cell->value);
    if (size == (text ? 32 : 0))
        return NULL;
    cell->known = true;
    cell->text = at;
    cell->size = size;
    return at + size + text;
}

size_t JSON_NAME(values)(const ftl_json_lead *leads, size_t n, const char **at, const char *end,
                         const char *readable, ftl_json_cell *cells)
{
    const char *p = *at, *from = p;
    size_t i = 0;
    for (; i < n && readable - p >= FTL_JSON_ROOM; i++) {
        const ftl_json_lead *lead = &leads[i];
        if (lead->size == 0 || !json_is_lead(lead, p))
            break;
        ftl_json_cell unwanted = {.kind = FTL_JSON_ABSENT}, *cell = &unwanted;
        if (lead->wanted >= 0)
            cell = &cells[lead->wanted];
        bool text = p[lead->size] == '"';
        const char *behind = cell->kind == FTL_JSON_ABSENT
                                 ? json_value(p + lead->size, from, text, cell)
                                 : NULL;
        if (!behind || behind >= end)
            break;
        cell->kind = text ? FTL_JSON_PLAIN : FTL_JSON_FINITE;
        p = behind;
    }
    *at = p;
    return i;
}
