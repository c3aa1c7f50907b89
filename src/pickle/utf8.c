#include "pickle/utf8.h"

#include "base/checked.h"

#include <string.h>

static size_t sequence_length(const uint8_t *p, size_t left)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
    if (n < 2)
        return n;
    if (n > left)
        return 0;
    uint32_t code = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return code < smallest[n] || code > 0x10ffff ? 0 : n;
}

bool ftl_utf8_valid(const uint8_t *data, size_t size)
{
    size_t i = 0;
    while (i < size) {
        uint64_t eight;
        if (size - i >= 8 && (memcpy(&eight, data + i, 8), (eight & 0x8080808080808080ull) == 0)) {
            i += 8;
            continue;
        }
        size_t n = sequence_length(data + i, size - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

size_t ftl_utf8_put(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xc0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return 4;
}

uint32_t ftl_utf8_get(const uint8_t *data, size_t *length)
{
    size_t n = data[0] < 0x80 ? 1 : data[0] < 0xe0 ? 2 : data[0] < 0xf0 ? 3 : 4;
    uint32_t code = n == 1 ? data[0] : data[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (data[i] & 0x3fu);
    *length = n;
    return code;
}

ftl_status ftl_utf8_from_ucs4(ftl_arena *arena, const unsigned char *data, size_t count,
                              ftl_node_string *out, ftl_error *error)
{
    uint32_t code = 0;
    size_t bytes = 0;
    while (count && (memcpy(&code, data + 4 * (count - 1), 4), code == 0))
        count--;
    for (size_t i = 0; i < count; i++) {
        memcpy(&code, data + 4 * i, 4);
        if (code > 0x10ffff)
            return FTL_FAIL(error, FTL_CORRUPT, "a numpy text holds %u, which is not a character",
                            code);
        bytes += code < 0x80      ? 1
                 : code < 0x800   ? 2
                 : code < 0x10000 ? 3
                                  : 4; /* <= 4 * count, which is in memory */
    }
    uint8_t *text = ftl_arena_alloc(arena, bytes + 1);
    if (!text)
        return FTL_OOM(error);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&code, data + 4 * i, 4);
        at += ftl_utf8_put(code, text + at);
    }
    text[at] = 0;
    *out = (ftl_node_string){(char *)text, at};
    return FTL_OK;
}
