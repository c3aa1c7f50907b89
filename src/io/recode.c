#include "io/recode.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 32, PENDING_SIZE = 64, SMALL_ROOM = 16 };

/* ---- Names ----------------------------------------------------------------------------------- */

/* Letters in lower case and digits, without what spellings differ in. False: no name. */
static bool plain_name(const char *name, char out[NAME_SIZE])
{
    size_t n = 0;
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9')) {
            if (n + 1 == NAME_SIZE)
                return false;
            out[n++] = (char)(letter ? c | 0x20 : c);
        } else if (c != '-' && c != '_' && c != '.' && c != ':' && c != ' ') {
            return false;
        }
    }
    out[n] = '\0';
    return n > 0;
}

/* Python's names that iconv does not have as they are. "": UTF-8. */
static const char *known_as(const char *plain)
{
    static const char *const names[][2] = {
        {"utf8", ""},
        {"utf8sig", ""},
        {"u8", ""},
        {"cp65001", ""},
        {"latin1", "ISO-8859-1"},
        {"latin", "ISO-8859-1"},
        {"l1", "ISO-8859-1"},
        {"iso88591", "ISO-8859-1"},
        {"latin9", "ISO-8859-15"},
        {"iso885915", "ISO-8859-15"},
        {"iso88592", "ISO-8859-2"},
        {"windows1252", "CP1252"},
        {"windows1250", "CP1250"},
        {"windows1251", "CP1251"},
        {"ascii", "ASCII"},
        {"usascii", "ASCII"},
        {"utf16", "UTF-16"},
        {"utf16le", "UTF-16LE"},
        {"utf16be", "UTF-16BE"},
        {"utf32", "UTF-32"},
        {"utf32le", "UTF-32LE"},
        {"utf32be", "UTF-32BE"},
        {"macroman", "MACINTOSH"},
        {"koi8r", "KOI8-R"},
        {"koi8u", "KOI8-U"},
        {"shiftjis", "SHIFT_JIS"},
        {"sjis", "SHIFT_JIS"},
        {"eucjp", "EUC-JP"},
        {"euckr", "EUC-KR"},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        if (strcmp(plain, names[i][0]) == 0)
            return names[i][1];
    }
    return NULL;
}

const char *ftl_recode_mark(const uint8_t *data, size_t size)
{
    if (size >= 4 && memcmp(data, "\xff\xfe\0\0", 4) == 0)
        return "UTF-32";
    if (size >= 4 && memcmp(data, "\0\0\xfe\xff", 4) == 0)
        return "UTF-32";
    if (size >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
        return "UTF-16";
    return NULL;
}

/* ---- The stage ------------------------------------------------------------------------------- */

typedef struct recoder {
    ftl_account *account;
    ftl_stream *source; /* NULL until the opening succeeded: a failed one leaves it to the caller */
    iconv_t conversion;
    char name[NAME_SIZE];
    int64_t line; /* 1-based, of the next character */
    bool flushed;
    /* characters for readers with less room than one may need */
    char pending[PENDING_SIZE];
    size_t pending_at, pending_size;
} recoder;

static ftl_status not_text(const recoder *r, unsigned byte, ftl_error *error)
{
    uint64_t offset = ftl_stream_offset(r->source);
    ftl_error_set(error, FTL_VALUE,
                  "line %lld: byte 0x%02x at offset %llu is not text in the encoding %s; look at "
                  "options.encoding",
                  (long long)r->line, byte, (unsigned long long)offset, r->name);
    ftl_error_because(error, FTL_REASON_BAD_CELL, "encoding");
    if (error)
        error->line = r->line;
    return FTL_VALUE;
}

/* Line ends of any kind; CR LF counts once. */
static void count_lines(recoder *r, const char *text, size_t size)
{
    for (const char *end = text + size; (text = memchr(text, '\n', (size_t)(end - text))) != NULL;)
        r->line += 1, text++;
}

/* Converts what the source shows into out; *got 0: it has ended. */
static ftl_status convert(recoder *r, char *out, size_t room, size_t *got, ftl_error *error)
{
    *got = 0;
    for (size_t min = 1;;) {
        const uint8_t *data;
        size_t size;
        FTL_TRY(ftl_stream_ahead(r->source, min, &data, &size, error));
        char *in = (char *)data, *to = out;
        size_t left = size, space = room;
        if (size == 0 && r->flushed)
            return FTL_OK;
        r->flushed = size == 0;
        errno = 0;
        size_t done = iconv(r->conversion, size ? &in : NULL, &left, &to, &space);
        int why = done == (size_t)-1 ? errno : 0;
        ftl_stream_consume(r->source, size - left);
        *got = room - space;
        count_lines(r, out, *got);
        if (*got || size == 0)
            return FTL_OK;
        if (why == EILSEQ || (why == EINVAL && size < min))
            return not_text(r, (unsigned char)*in, error);
        if (why && why != EINVAL)
            return FTL_FAIL(error, FTL_INTERNAL, "iconv made no progress");
        min = left + 1; /* part of a character: more bytes of it */
    }
}

static ftl_status recoder_read(void *opaque, void *out, size_t room, size_t *got, ftl_error *error)
{
    recoder *r = opaque;
    if (room >= SMALL_ROOM && r->pending_at == r->pending_size)
        return convert(r, out, room, got, error);
    if (r->pending_at == r->pending_size) {
        r->pending_at = r->pending_size = 0;
        FTL_TRY(convert(r, r->pending, sizeof r->pending, &r->pending_size, error));
    }
    size_t n = r->pending_size - r->pending_at;
    n = n < room ? n : room;
    memcpy(out, r->pending + r->pending_at, n);
    r->pending_at += n;
    *got = n;
    return FTL_OK;
}

static void recoder_close(void *opaque)
{
    recoder *r = opaque;
    iconv_close(r->conversion);
    ftl_stream_close(r->source);
    ftl_free(r->account, r);
}

static ftl_status recoder_verify(void *opaque, ftl_error *error)
{
    return ftl_stream_verify(((recoder *)opaque)->source, error);
}

static ftl_status unknown_encoding(const char *encoding, ftl_error *error)
{
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "encoding",
                           "options.encoding '%.40s' is no encoding that is known here; such are "
                           "utf-8, latin-1, cp1252 and utf-16",
                           encoding);
}

ftl_status ftl_recode(ftl_account *account, ftl_stream **stream, const char *encoding,
                      ftl_error *error)
{
    static const ftl_stream_ops ops = {
        .read = recoder_read, .close = recoder_close, .verify = recoder_verify};
    char plain[NAME_SIZE];
    if (!plain_name(encoding, plain))
        return unknown_encoding(encoding, error);
    const char *known = known_as(plain);
    if (known && !known[0])
        return FTL_OK;
    recoder *r = ftl_alloc_zero(account, 1, sizeof *r);
    if (!r)
        return FTL_OOM(error);
    r->account = account;
    r->line = 1;
    snprintf(r->name, sizeof r->name, "%s", encoding);
    r->conversion = iconv_open("UTF-8", known ? known : encoding);
    if (r->conversion == (iconv_t)-1) {
        bool no_memory = errno == ENOMEM;
        ftl_free(account, r);
        if (no_memory)
            return FTL_OOM(error);
        return unknown_encoding(encoding, error);
    }
    ftl_stream *made = NULL;
    FTL_TRY(ftl_stream_create(account, &ops, r, 0, &made, error)); /* closes r when it fails */
    r->source = *stream;
    *stream = made;
    return FTL_OK;
}
