#include "base/unicode.h"

#include "base/unicode_nfkd_table.h"
#include "base/unicode_props_table.h"

#include <string.h>

ftl_char_info ftl_unicode_info(uint32_t code)
{
    uint32_t middle = (uint32_t)props_top[code >> 12] << 6 | (code >> 6 & 63);
    uint32_t record = props_bottom[(uint32_t)props_middle[middle] << 6 | (code & 63)];
    return (ftl_char_info){record_flags[record], record_combining[record], record_lower[record]};
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

size_t ftl_unicode_put(uint32_t code, char out[4])
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

size_t ftl_unicode_ascii_prefix(const char *text, size_t size)
{
    size_t i = 0;
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

/* Bytes of the sequence that a first byte begins; 0: none does. */
static size_t sequence_length(unsigned char first)
{
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool ftl_unicode_valid(const char *text, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0;;) {
        i += ftl_unicode_ascii_prefix(text + i, size - i);
        if (i == size)
            return true;
        size_t length = sequence_length((unsigned char)text[i]);
        if (length == 0 || length > size - i)
            return false;
        for (size_t k = 1; k < length; k++) {
            if (((unsigned char)text[i + k] & 0xc0) != 0x80)
                return false;
        }
        const char *at = text + i;
        uint32_t code = ftl_unicode_next(&at);
        if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return false;
        i += length;
    }
}

/* ---- Decomposition --------------------------------------------------------------------------- */

/* Hangul syllables by the rule of the Unicode standard, 3.12: LV or LVT. */
static size_t decompose_hangul(uint32_t syllable, char out[9])
{
    enum { l_base = 0x1100, v_base = 0x1161, t_base = 0x11a7, v_count = 21, t_count = 28 };
    uint32_t l = syllable / (v_count * t_count), v = syllable / t_count % v_count,
             t = syllable % t_count;
    size_t n = ftl_unicode_put(l_base + l, out);
    n += ftl_unicode_put(v_base + v, out + n);
    if (t) {
        char last[4];
        size_t size = ftl_unicode_put(t_base + t, last);
        memcpy(out + n, last, size);
        n += size;
    }
    return n;
}

bool ftl_unicode_decompose(uint32_t code, char buffer[9], const char **text, size_t *size)
{
    enum { first_syllable = 0xac00, n_syllables = 11172 };
    if (code - first_syllable < n_syllables) {
        *text = buffer;
        *size = decompose_hangul(code - first_syllable, buffer);
        return true;
    }
    uint32_t middle = (uint32_t)nfkd_top[code >> 12] << 6 | (code >> 6 & 63);
    uint32_t place = nfkd_bottom[(uint32_t)nfkd_middle[middle] << 6 | (code & 63)];
    if (place == 0)
        return false;
    *text = (const char *)&nfkd_pool[place + 1];
    *size = nfkd_pool[place];
    return true;
}
