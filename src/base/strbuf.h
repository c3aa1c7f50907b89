/*
 * Growing text buffer with a limit. A failed append is remembered in `failed`, so callers check
 * once at the end.
 */
#ifndef FTL_BASE_STRBUF_H
#define FTL_BASE_STRBUF_H

#include "base/alloc.h"

typedef struct ftl_strbuf {
    ftl_account *account;
    char *data; /* not terminated until ftl_strbuf_text */
    size_t size, room, limit;
    bool failed;
} ftl_strbuf;

void ftl_strbuf_init(ftl_strbuf *buffer, ftl_account *account, size_t limit); /* limit 0: 1 GiB */
void ftl_strbuf_free(ftl_strbuf *buffer);
void ftl_strbuf_clear(ftl_strbuf *buffer);
void ftl_strbuf_append(ftl_strbuf *buffer, const char *data, size_t size);
/*
 * Room for size more bytes, to be written by the caller, who then adds to buffer->size what was
 * written. NULL after a failure.
 */
char *ftl_strbuf_reserve(ftl_strbuf *buffer, size_t size);
/* So many more bytes for the caller to fill; NULL when that failed. */
char *ftl_strbuf_extend(ftl_strbuf *buffer, size_t size);
void ftl_strbuf_puts(ftl_strbuf *buffer, const char *text);
void ftl_strbuf_putc(ftl_strbuf *buffer, char c);
void ftl_strbuf_printf(ftl_strbuf *buffer, const char *format, ...) FTL_PRINTF(2, 3);
/* For one line that people read: what must not be shown becomes '?', line breaks too. At least
 * `width` characters, filled with spaces. */
void ftl_strbuf_printable(ftl_strbuf *buffer, const char *text, size_t size, size_t width);
/* quoted and escaped */
void ftl_strbuf_json_string(ftl_strbuf *buffer, const char *text, size_t size);
const char *ftl_strbuf_text(ftl_strbuf *buffer); /* NUL-terminated; "" after a failure */

#endif
