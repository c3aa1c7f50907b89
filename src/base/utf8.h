/* UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing above U+10FFFF. */
#ifndef FTL_BASE_UTF8_H
#define FTL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at text[0..size), size > 0; 0 when there is none. */
size_t ftl_utf8_length(const char *text, size_t size);
bool ftl_utf8_is_text(const char *text, size_t size);

#endif
