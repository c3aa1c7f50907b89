/*
 * Generated text on its way to who asked for it: a buffer that is handed on whenever it is full, so
 * that a large model's text is never held. A failure is remembered, and later calls do nothing.
 */
#ifndef FTL_CODEGEN_EMIT_H
#define FTL_CODEGEN_EMIT_H

#include "base/status.h"

#include <string.h>

enum { FTL_EMITTER_ROOM = 1 << 14 };

typedef struct ftl_emitter {
    ftl_text_fn write;
    void *user;
    uint64_t total, limit; /* bytes so far, and the most */
    ftl_status status;     /* CANCELLED or LIMIT once writing failed */
    size_t size;
    char data[FTL_EMITTER_ROOM];
} ftl_emitter;

void ftl_emitter_init(ftl_emitter *out, ftl_text_fn write, void *user, uint64_t limit);
/* Hands on the rest; why writing failed, if it did. */
FTL_MUST_USE ftl_status ftl_emitter_end(ftl_emitter *out, ftl_error *error);

void ftl_emit_bytes(ftl_emitter *out, const char *text, size_t size);
static inline void ftl_emit_text(ftl_emitter *out, const char *text)
{
    ftl_emit_bytes(out, text, strlen(text));
}
/* A line or so: at most 4000 bytes. Names of models come in by the functions below, never by %s. */
void ftl_emitf(ftl_emitter *out, const char *format, ...) FTL_PRINTF(2, 3);

/*
 * A string constant of C, with its quotes: printable ASCII as it is but for quotes, backslashes and
 * question marks (trigraphs), every other byte as three octal digits. Long ones in several pieces.
 */
void ftl_emit_c_string(ftl_emitter *out, const char *text, size_t size);
/*
 * A text inside of a comment of C: no end of comment or line, no backslash, no trigraph; what must
 * not be shown becomes '?'. At most 200 bytes of it.
 */
void ftl_emit_c_comment(ftl_emitter *out, const char *text);
/* A constant of C99 of exactly that value; NAN and INFINITY of <math.h>. */
void ftl_emit_c_f64(ftl_emitter *out, double value);
void ftl_emit_c_f32(ftl_emitter *out, float value);

#endif
