#include "base/unicode.h"

#include "base/unicode_nfkd_pool.h"
#include "base/unicode_nfkd_table.h"
#include "base/unicode_props_table.h"
#include "base/utf8.h"

#include <string.h>

ftl_char_info ftl_unicode_info(uint32_t code)
{
    uint32_t middle = (uint32_t)props_top[code >> 12] << 6 | (code >> 6 & 63);
    uint32_t record = props_bottom[(uint32_t)props_middle[middle] << 6 | (code & 63)];
    return (ftl_char_info){record_flags[record], record_combining[record], record_lower[record]};
}

/* ---- Decomposition --------------------------------------------------------------------------- */

/* Hangul syllables by the rule of the Unicode standard, 3.12: LV or LVT. */
static size_t decompose_hangul(uint32_t syllable, char out[9])
{
    enum { l_base = 0x1100, v_base = 0x1161, t_base = 0x11a7, v_count = 21, t_count = 28 };
    uint32_t l = syllable / (v_count * t_count), v = syllable / t_count % v_count,
             t = syllable % t_count;
    size_t n = ftl_utf8_put(l_base + l, out);
    n += ftl_utf8_put(v_base + v, out + n);
    if (t) {
        char last[4];
        size_t size = ftl_utf8_put(t_base + t, last);
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
