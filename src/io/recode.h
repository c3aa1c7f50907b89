/*
 * Text in another encoding → UTF-8, as a stage on a byte stream: iconv(3) of the C library does the
 * work. Formats that are text read what comes out and know UTF-8 alone.
 */
#ifndef FTL_IO_RECODE_H
#define FTL_IO_RECODE_H

#include "io/stream.h"

/* The encoding that a byte order mark at the beginning of a text names; NULL: none, or UTF-8's. */
const char *ftl_recode_mark(const uint8_t *data, size_t size);

/*
 * Replaces *stream by its UTF-8; the same one when the encoding is UTF-8 already. encoding: a name
 * that Python or iconv has for it ("latin-1", "cp1252", "utf-16"); unknown ones are ARG. Bytes that
 * are not text in the encoding are a VALUE error with their line. On failure *stream is still the
 * caller's to close.
 */
FTL_MUST_USE ftl_status ftl_recode(ftl_account *account, ftl_stream **stream, const char *encoding,
                                   ftl_error *error);

#endif
