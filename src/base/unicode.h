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

#endif
