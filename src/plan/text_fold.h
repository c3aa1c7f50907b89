/*
 * What a text goes through before it is cut into words: str.lower and the stripping of accents, as
 * Python does them (base/unicode.h).
 */
#ifndef FTL_PLAN_TEXT_FOLD_H
#define FTL_PLAN_TEXT_FOLD_H

#include "base/alloc.h"
#include "model/ir.h"

/* A buffer that keeps its room. */
typedef struct ftl_text_buffer {
    char *data;
    size_t size, room;
} ftl_text_buffer;

/* The most bytes that lower() makes of one: U+023A (2) becomes U+2C65 (3), U+0130 (2) "i̇" (3). */
enum { FTL_TEXT_GROWTH = 2 };

/* out = text.lower(); text is valid UTF-8. NOMEM. */
FTL_MUST_USE ftl_status ftl_text_lower(ftl_account *account, const char *text, size_t size,
                                       ftl_text_buffer *out, ftl_error *error);
/* Accents stripped (not KEEP); texts of ASCII alone stay as they are: the caller looks first. */
FTL_MUST_USE ftl_status ftl_text_strip(ftl_account *account, const char *text, size_t size,
                                       ftl_accents accents, ftl_text_buffer *out, ftl_error *error);

#endif
