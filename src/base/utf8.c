#include "base/utf8.h"

#include <string.h>

size_t ftl_utf8_length(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char c = at[0];
    if (c < 0x80)
        return 1;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || n > size)
        return 0;
    unsigned char low = c == 0xe0   ? 0xa0
                        : c == 0xf0 ? 0x90
                                    : 0x80,
                  high = c == 0xed   ? 0x9f
                         : c == 0xf4 ? 0x8f
                                     : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* A surrogate's three bytes: ED A0 80 to ED BF BF. */
static bool is_surrogate(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    return size >= 3 && at[0] == 0xed && (at[1] & 0xe0) == 0xa0 && (at[2] & 0xc0) == 0x80;
}

static inline bool is_valid(const char *text, size_t size, bool surrogates)
{
    for (size_t i = 0;;) {
        i += ftl_utf8_ascii_prefix(text + i, size - i);
        if (i == size)
            return true;
        size_t n = ftl_utf8_length(text + i, size - i);
        if (n == 0 && surrogates && is_surrogate(text + i, size - i))
            n = 3;
        if (n == 0)
            return false;
        i += n;
    }
}

bool ftl_utf8_valid(const char *text, size_t size) { return is_valid(text, size, false); }

bool ftl_utf8_valid_with_surrogates(const char *text, size_t size)
{
    return is_valid(text, size, true);
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

size_t ftl_utf8_unprintable(const char *text, size_t size, size_t *length)
{
    const char *at = text;
    *length = ftl_utf8_length(text, size);
    if (*length == 0)
        return is_surrogate(text, size) ? 3 : 1;
    return is_control(ftl_utf8_next(&at)) ? *length : 0;
}

void ftl_utf8_make_printable(char *text, size_t size, bool keep_lines)
{
    for (size_t i = 0, length; i < size;) {
        size_t bad = ftl_utf8_unprintable(text + i, size - i, &length);
        if (bad && !(keep_lines && text[i] == '\n'))
            memset(text + i, '?', bad);
        i += bad ? bad : length;
    }
}

void ftl_utf8_replace_surrogates(char *text, size_t size)
{
    for (size_t i = 0; i + 3 <= size; i++) {
        if (is_surrogate(text + i, size - i))
            memcpy(text + i, "\xef\xbf\xbd", 3);
    }
}

size_t ftl_utf8_ascii_prefix(const char *text, size_t size)
{
    size_t i = 0;
    for (; i + 32 <= size; i += 32) {
        uint64_t words[4];
        memcpy(words, text + i, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & UINT64_C(0x8080808080808080))
            break;
    }
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < size && (unsigned char)text[i] < 0x80)
        i++;
    return i;
}

size_t ftl_utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}
