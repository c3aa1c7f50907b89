#include "plan/text_fold.h"

#include "base/status.h"
#include "base/unicode.h"
#include "base/utf8.h"

#include <string.h>

enum {
    capital_i_with_dot = 0x130,
    capital_sigma = 0x3a3,
    small_sigma = 0x3c3,
    final_sigma = 0x3c2
};

static ftl_status reserve(ftl_account *account, ftl_text_buffer *buffer, size_t needed,
                          ftl_error *error)
{
    return ftl_grow(account, &buffer->data, &buffer->room, needed, 1, error);
}

/* Whether a cased character follows, those that do not count passed over. */
static bool cased_follows(const char *at, const char *end)
{
    while (at < end) {
        uint8_t flags = ftl_unicode_info(ftl_utf8_next(&at)).flags;
        if (!(flags & FTL_CHAR_IGNORABLE))
            return flags & FTL_CHAR_CASED;
    }
    return false;
}

/* Python's rule of the Greek capital sigma: the final form at the end of a word. */
static uint32_t lower_sigma(bool cased_before, const char *next, const char *end)
{
    return cased_before && !cased_follows(next, end) ? final_sigma : small_sigma;
}

/* Eight bytes at a time: the top bit of each byte tells whether it lies in A to Z. */
static void lower_ascii(const char *text, size_t size, char *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        uint64_t from_a = word + ones * (0x80 - 'A'), beyond_z = word + ones * (0x7f - 'Z');
        word |= (from_a & ~beyond_z & ones * 0x80) >> 2;
        memcpy(out + i, &word, sizeof word);
    }
    for (; i < size; i++) {
        char c = text[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
}

ftl_status ftl_text_lower(ftl_account *account, const char *text, size_t size, ftl_text_buffer *out,
                          ftl_error *error)
{
    size_t room;
    if (__builtin_mul_overflow(size, FTL_TEXT_GROWTH, &room) ||
        __builtin_add_overflow(room, 8, &room))
        return FTL_OOM(error);
    FTL_TRY(reserve(account, out, room, error));
    size_t ascii = ftl_utf8_ascii_prefix(text, size);
    lower_ascii(text, ascii, out->data);
    out->size = ascii;
    if (ascii == size)
        return FTL_OK;
    bool cased = false; /* the last character that counts has case */
    for (size_t i = ascii; i-- > 0;) {
        uint8_t flags = ftl_unicode_info((unsigned char)text[i]).flags;
        cased = flags & FTL_CHAR_CASED;
        if (!(flags & FTL_CHAR_IGNORABLE))
            break;
    }
    for (const char *at = text + ascii, *end = text + size; at < end;) {
        uint32_t code = ftl_utf8_next(&at);
        ftl_char_info info = ftl_unicode_info(code);
        uint32_t lower = (uint32_t)((int32_t)code + info.lower);
        if (code == capital_sigma)
            lower = lower_sigma(cased, at, end);
        if (code == capital_i_with_dot) {
            memcpy(out->data + out->size, "i\xcc\x87", 3);
            out->size += 3;
        } else {
            out->size += ftl_utf8_put(lower, out->data + out->size);
        }
        if (!(info.flags & FTL_CHAR_IGNORABLE))
            cased = info.flags & FTL_CHAR_CASED;
    }
    return FTL_OK;
}

/* Whether normalize("NFKD") leaves the text alone: no decompositions, combining marks in order. */
static bool is_decomposed(const char *text, size_t size)
{
    uint8_t last = 0;
    for (const char *at = text, *end = text + size; at < end;) {
        uint32_t code = ftl_utf8_next(&at);
        uint8_t combining = ftl_unicode_info(code).combining;
        char buffer[9];
        const char *form;
        size_t length;
        if ((combining && combining < last) || ftl_unicode_decompose(code, buffer, &form, &length))
            return false;
        last = combining;
    }
    return true;
}

/* Appends what stays of characters in their decomposed form. */
static void keep_plain(ftl_text_buffer *out, const char *text, size_t size, bool ascii)
{
    for (const char *at = text, *end = text + size; at < end;) {
        const char *from = at;
        uint32_t code = ftl_utf8_next(&at);
        if (ascii ? code >= 0x80 : ftl_unicode_info(code).combining != 0)
            continue;
        memcpy(out->data + out->size, from, (size_t)(at - from));
        out->size += (size_t)(at - from);
    }
}

ftl_status ftl_text_strip(ftl_account *account, const char *text, size_t size, ftl_accents accents,
                          ftl_text_buffer *out, ftl_error *error)
{
    out->size = 0;
    bool same = accents == FTL_ACCENTS_OLD_UNICODE && is_decomposed(text, size);
    FTL_TRY(reserve(account, out, size + 1, error));
    if (same) {
        memcpy(out->data, text, size);
        out->size = size;
        return FTL_OK;
    }
    for (const char *at = text, *end = text + size; at < end;) {
        const char *from = at, *form;
        char buffer[9];
        size_t length;
        uint32_t code = ftl_utf8_next(&at);
        if (!ftl_unicode_decompose(code, buffer, &form, &length)) {
            form = from;
            length = (size_t)(at - from);
        }
        FTL_TRY(reserve(account, out, out->size + length + 1, error));
        keep_plain(out, form, length, accents == FTL_ACCENTS_ASCII);
    }
    return FTL_OK;
}
