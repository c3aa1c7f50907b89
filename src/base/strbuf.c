#include "base/strbuf.h"

#include "base/checked.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ftl_strbuf_init(ftl_strbuf *buffer, ftl_account *account, size_t limit)
{
    *buffer = (ftl_strbuf){.account = account, .limit = limit ? limit : (size_t)1 << 30};
}

void ftl_strbuf_free(ftl_strbuf *buffer)
{
    ftl_free(buffer->account, buffer->data);
    ftl_strbuf_init(buffer, buffer->account, buffer->limit);
}

void ftl_strbuf_clear(ftl_strbuf *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

/* Room for size more bytes and a terminator. */
static bool reserve(ftl_strbuf *buffer, size_t size)
{
    size_t needed;
    if (buffer->failed || !ftl_add_size(buffer->size, size, &needed) ||
        !ftl_add_size(needed, 1, &needed) || needed > buffer->limit ||
        ftl_grow(buffer->account, &buffer->data, &buffer->room, needed, 1, NULL) != FTL_OK) {
        buffer->failed = true;
        return false;
    }
    return true;
}

char *ftl_strbuf_reserve(ftl_strbuf *buffer, size_t size)
{
    return reserve(buffer, size) ? buffer->data + buffer->size : NULL;
}

void ftl_strbuf_append(ftl_strbuf *buffer, const char *data, size_t size)
{
    if (!reserve(buffer, size) || size == 0)
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

char *ftl_strbuf_extend(ftl_strbuf *buffer, size_t size)
{
    if (!reserve(buffer, size))
        return NULL;
    char *bytes = buffer->data + buffer->size;
    buffer->size += size;
    return bytes;
}

void ftl_strbuf_puts(ftl_strbuf *buffer, const char *text)
{
    ftl_strbuf_append(buffer, text, strlen(text));
}
void ftl_strbuf_putc(ftl_strbuf *buffer, char c) { ftl_strbuf_append(buffer, &c, 1); }

void ftl_strbuf_printf(ftl_strbuf *buffer, const char *format, ...)
{
    enum { USUAL = 128 }; /* into so much room nearly every text fits, and is formatted once */
    if (buffer->limit > USUAL && buffer->size < buffer->limit - USUAL && !reserve(buffer, USUAL))
        return;
    size_t room = buffer->room > buffer->limit ? buffer->limit : buffer->room;
    room = room > buffer->size ? room - buffer->size : 0;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room ? buffer->data + buffer->size : NULL, room, format, args);
    va_end(args);
    if (n < 0 || ((size_t)n >= room && !reserve(buffer, (size_t)n))) {
        buffer->failed = true;
        return;
    }
    if ((size_t)n >= room) {
        va_start(args, format);
        vsnprintf(buffer->data + buffer->size, (size_t)n + 1, format, args);
        va_end(args);
    }
    buffer->size += (size_t)n;
}

void ftl_strbuf_printable(ftl_strbuf *buffer, const char *text, size_t size, size_t width)
{
    size_t shown = 0;
    for (size_t i = 0, length; i < size; shown++) {
        size_t bad = ftl_utf8_unprintable(text + i, size - i, &length);
        if (bad)
            ftl_strbuf_putc(buffer, '?');
        else
            ftl_strbuf_append(buffer, text + i, length);
        i += bad ? bad : length;
    }
    for (; shown < width; shown++)
        ftl_strbuf_putc(buffer, ' ');
}

/* Escapes of what a JSON text must not hold, and of what a terminal should not see. A lone
 * surrogate is written as its escape, which readers give back as Python has it. */
static void json_escape(ftl_strbuf *buffer, const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    if (size == 1 && at[0] >= 0x80)
        ftl_strbuf_puts(buffer, "\\ufffd");
    else
        ftl_strbuf_printf(buffer, "\\u%04x", (unsigned)ftl_utf8_next(&text));
}

void ftl_strbuf_json_string(ftl_strbuf *buffer, const char *text, size_t size)
{
    ftl_strbuf_putc(buffer, '"');
    for (size_t i = 0, length; i < size;) {
        size_t bad = ftl_utf8_unprintable(text + i, size - i, &length);
        if (bad) {
            json_escape(buffer, text + i, bad);
        } else {
            if (text[i] == '"' || text[i] == '\\')
                ftl_strbuf_putc(buffer, '\\');
            ftl_strbuf_append(buffer, text + i, length);
        }
        i += bad ? bad : length;
    }
    ftl_strbuf_putc(buffer, '"');
}

const char *ftl_strbuf_text(ftl_strbuf *buffer)
{
    if (buffer->failed || !reserve(buffer, 0))
        return "";
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}
