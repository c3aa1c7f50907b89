#include "io/json_scan.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The first quote or backslash at or behind `at`. */
static size_t find_quote(const uint8_t *data, size_t at, size_t size)
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
static size_t find_structure(const uint8_t *data, size_t at, size_t size)
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

/* To the end of a text, behind its opening quote. */
static bool scan_text(ftl_json_scan *scan, const uint8_t *data, size_t size)
{
    while (scan->at < size) {
        if (scan->escaped) {
            scan->escaped = false;
            scan->at++;
            continue;
        }
        scan->at = find_quote(data, scan->at, size);
        if (scan->at == size)
            return false;
        scan->text = data[scan->at] != '"';
        scan->escaped = scan->text;
        scan->at++;
        if (!scan->text)
            return true;
    }
    return false;
}

/* Numbers and words, and what is none: up to what may stand behind one. */
static bool scan_scalar(ftl_json_scan *scan, const uint8_t *data, size_t size, bool final)
{
    for (; scan->at < size; scan->at++) {
        uint8_t c = data[scan->at];
        if (is_space(c) || c == ',' || c == ']' || c == '}' || c == ':')
            return true;
    }
    return final;
}

bool ftl_json_scan_value(ftl_json_scan *scan, const uint8_t *data, size_t size, bool final)
{
    if (!scan->begun && size) {
        scan->begun = true;
        scan->text = data[0] == '"';
        scan->depth = data[0] == '{' || data[0] == '[';
        scan->scalar = !scan->text && !scan->depth;
        scan->at = 1;
    }
    if (scan->scalar)
        return scan_scalar(scan, data, size, final);
    while (scan->begun) {
        if (scan->text && !scan_text(scan, data, size))
            return false;
        if (scan->depth == 0)
            return true;
        scan->at = find_structure(data, scan->at, size);
        if (scan->at == size)
            return false;
        uint8_t c = data[scan->at++];
        scan->text = c == '"';
        if (scan->text)
            continue;
        if (c == '{' || c == '[')
            scan->depth++;
        else if (--scan->depth == 0)
            return true;
    }
    return false;
}
