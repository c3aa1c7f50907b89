/*
 * What Python knows about characters: str.lower, str.isalnum, str.isspace and the NFKD form, by
 * tables that tools/make_unicode.py takes from Python itself. Text is UTF-8.
 */
#ifndef FTL_BASE_UNICODE_H
#define FTL_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FTL_CHAR_WORD = 1,     /* \w of Python's re: isalnum() or '_' */
    FTL_CHAR_SPACE = 2,    /* isspace() */
    FTL_CHAR_CASED = 4,    /* Cased, and not ignorable */
    FTL_CHAR_IGNORABLE = 8 /* Case_Ignorable */
};

typedef struct ftl_char_info {
    uint8_t flags;
    uint8_t combining; /* canonical combining class */
    int32_t lower;     /* what lower() adds; U+0130 alone becomes two characters */
} ftl_char_info;

ftl_char_info ftl_unicode_info(uint32_t code);
/*
 * The compatibility decomposition of a character as UTF-8; false when the character is its own.
 * Hangul syllables are written to buffer, others point into a table.
 */
bool ftl_unicode_decompose(uint32_t code, char buffer[9], const char **text, size_t *size);

/* True for shortest forms without surrogates, at most U+10FFFF. */
bool ftl_unicode_valid(const char *text, size_t size);
/* The first position at or after which a byte is not ASCII; size when there is none. */
size_t ftl_unicode_ascii_prefix(const char *text, size_t size);
/* The character at *text, which is moved behind it. The text must be valid. */
static inline uint32_t ftl_unicode_next(const char **text)
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
/* Writes 1 to 4 bytes. */
size_t ftl_unicode_put(uint32_t code, char out[4]);

#endif
