#include "codegen/emit.h"

#include "base/number.h"
#include "base/utf8.h"
#include "foretell/experimental.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { most_comment = 200, most_piece = 60, most_line = 4000 };

void ftl_emitter_init(ftl_emitter *out, ftl_text_fn write, void *user, uint64_t limit)
{
    out->write = write;
    out->user = user;
    out->total = 0;
    out->limit = limit;
    out->status = FTL_OK;
    out->size = 0;
}

static void hand_on(ftl_emitter *out)
{
    out->data[out->size] = '\0';
    if (out->status == FTL_OK && out->size && !out->write(out->user, out->data, out->size))
        out->status = FTL_CANCELLED;
    out->size = 0;
}

void ftl_emit_bytes(ftl_emitter *out, const char *text, size_t size)
{
    if (size > out->limit - out->total && out->status == FTL_OK)
        out->status = FTL_LIMIT;
    out->total += out->status == FTL_OK ? size : 0;
    while (size && out->status == FTL_OK) {
        size_t room = FTL_EMITTER_ROOM - 1 - out->size, n = size < room ? size : room;
        memcpy(out->data + out->size, text, n);
        out->size += n;
        text += n;
        size -= n;
        if (out->size == FTL_EMITTER_ROOM - 1)
            hand_on(out);
    }
}

ftl_status ftl_emitter_end(ftl_emitter *out, ftl_error *error)
{
    hand_on(out);
    if (out->status == FTL_LIMIT)
        return FTL_FAIL_OPTION(error, FTL_LIMIT, FTL_REASON_NEEDS_OPTION, "max_code_bytes",
                               "the generated code has more than %llu bytes: raise "
                               "options.max_code_bytes, or run the model by foretell itself",
                               (unsigned long long)out->limit);
    if (out->status != FTL_OK)
        return FTL_FAIL(error, FTL_CANCELLED, "writing the generated code was stopped");
    return FTL_OK;
}

void ftl_emitf(ftl_emitter *out, const char *format, ...)
{
    char line[most_line];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        ftl_emit_bytes(out, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void ftl_emit_c_string(ftl_emitter *out, const char *text, size_t size)
{
    ftl_emit_text(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (i && i % most_piece == 0)
            ftl_emit_text(out, "\" \"");
        if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?')
            ftl_emitf(out, "\\%03o", c);
        else
            ftl_emit_bytes(out, text + i, 1);
    }
    ftl_emit_text(out, "\"");
}

void ftl_emit_c_comment(ftl_emitter *out, const char *text)
{
    size_t size = strlen(text), length = 0;
    bool cut = size > most_comment;
    for (size_t i = 0, n; i < size && i < most_comment; i += n) {
        size_t bad = ftl_utf8_unprintable(text + i, size - i, &length);
        n = bad ? bad : length;
        if (bad || text[i] == '\\' || text[i] == '?' || (text[i] == '/' && i && text[i - 1] == '*'))
            ftl_emit_text(out, "_");
        else
            ftl_emit_bytes(out, text + i, n);
        if (n == 1 && text[i] == '/' && text[i + 1] == '*')
            ftl_emit_text(out, " "); /* a comment that begins in a comment is a warning */
    }
    if (cut)
        ftl_emit_text(out, "...");
}

static void emit_number(ftl_emitter *out, double value, const char *text, size_t size,
                        const char *suffix)
{
    if (isnan(value)) {
        ftl_emit_text(out, "NAN");
        return;
    }
    if (isinf(value)) {
        ftl_emit_text(out, value < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    ftl_emit_bytes(out, text, size);
    if (!memchr(text, '.', size) && !memchr(text, 'e', size))
        ftl_emit_text(out, ".0");
    ftl_emit_text(out, suffix);
}

void ftl_emit_c_f64(ftl_emitter *out, double value)
{
    char text[FTL_F64_TEXT_SIZE];
    emit_number(out, value, text, ftl_print_f64(value, text), "");
}

void ftl_emit_c_f32(ftl_emitter *out, float value)
{
    char text[FTL_F64_TEXT_SIZE];
    emit_number(out, (double)value, text, ftl_print_f32(value, text), "f");
}
