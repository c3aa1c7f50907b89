/* UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing above U+10FFFF. */
#ifndef FTL_BASE_UTF8_H
#define FTL_BASE_UTF8_H

#include "foretell/experimental.h" /* ftl_utf8_unprintable */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the character at text[0..size), size > 0; 0 when there is none. */
size_t ftl_utf8_length(const char *text, size_t size);
bool ftl_utf8_valid(const char *text, size_t size);
/* The same with lone surrogates let through as three bytes: Python's "surrogatepass". */
bool ftl_utf8_valid_with_surrogates(const char *text, size_t size);
/* The first position at which a byte is not ASCII; size when there is none. */
size_t ftl_utf8_ascii_prefix(const char *text, size_t size);
/* Makes each byte that ftl_utf8_unprintable names a '?'. keep_lines: line breaks stay. */
void ftl_utf8_make_printable(char *text, size_t size, bool keep_lines);
/* Lone surrogates, three bytes each, become U+FFFD, three bytes too: the text is valid UTF-8 then.
 */
void ftl_utf8_replace_surrogates(char *text, size_t size);
/* Writes 1 to 4 bytes; code must be at most 0x10FFFF. */
size_t ftl_utf8_put(uint32_t code, char out[4]);

/* The character at *text, which is moved behind it. The text must be valid and not at its end. */
static inline uint32_t ftl_utf8_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    if (p[0] < 0x80) {
        *text += 1;
        return p[0];
    }
    if (p[0] < 0xe0) {
        *text += 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (p[0] < 0xf0) {
        *text += 3;
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    }
    *text += 4;
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
           (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

#endif
