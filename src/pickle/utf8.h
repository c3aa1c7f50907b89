/* Text as pickles carry it: UTF-8 with lone surrogates let through, numpy's UCS-4, Latin-1. */
#ifndef FTL_PICKLE_UTF8_H
#define FTL_PICKLE_UTF8_H

#include "pickle/node.h"

/* Python's "surrogatepass": shortest forms, at most U+10FFFF, surrogates allowed as three bytes. */
bool ftl_utf8_valid(const uint8_t *data, size_t size);
/* Writes 1..4 bytes; code must be at most 0x10FFFF. */
size_t ftl_utf8_put(uint32_t code, uint8_t out[4]);
/* The code point at data (valid UTF-8, size > 0) and its length. */
uint32_t ftl_utf8_get(const uint8_t *data, size_t *length);
/* count native-endian UCS-4 units, trailing NULs dropped, into the arena. CORRUPT past U+10FFFF. */
FTL_MUST_USE ftl_status ftl_utf8_from_ucs4(ftl_arena *arena, const unsigned char *data,
                                           size_t count, ftl_node_string *out, ftl_error *error);

#endif
