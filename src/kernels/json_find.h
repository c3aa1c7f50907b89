/*
 * The next byte of JSON that means something: pure functions, inline, with the instructions that
 * every processor of the build has. Nothing is read beyond the end.
 */
#ifndef FTL_KERNELS_JSON_FIND_H
#define FTL_KERNELS_JSON_FIND_H

#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The first quote or backslash at or behind `at`; size when there is none. */
static inline size_t ftl_json_find_quote(const uint8_t *data, size_t at, size_t size)
{
#if defined(__SSE2__)
    for (; size - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + at));
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
        if (mask)
            return at + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (at < size && data[at] != '"' && data[at] != '\\')
        at++;
    return at;
}

/* The first quote, bracket or brace. */
static inline size_t ftl_json_find_structure(const uint8_t *data, size_t at, size_t size)
{
#if defined(__SSE2__)
    for (; size - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(data + at));
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* [ becomes {, ] becomes } */
        __m128i found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        int mask = _mm_movemask_epi8(found);
        if (mask)
            return at + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (at < size && data[at] != '"' && (data[at] | 0x20) != '{' && (data[at] | 0x20) != '}')
        at++;
    return at;
}

/* The first quote, backslash or control character; end when there is none. */
static inline const char *ftl_json_find_special(const char *at, const char *end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(0x1f)),
                                         _mm_set1_epi8(0x1f));
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
        if (mask)
            return at + __builtin_ctz((unsigned)mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

#endif
