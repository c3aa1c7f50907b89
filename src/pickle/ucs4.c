#include "pickle/ucs4.h"

#include "base/utf8.h"

#include <string.h>

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
    char *text = ftl_arena_alloc(arena, bytes + 1);
    if (!text)
        return FTL_OOM(error);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(&code, data + 4 * i, 4);
        at += ftl_utf8_put(code, text + at);
    }
    text[at] = 0;
    *out = (ftl_node_string){text, at};
    return FTL_OK;
}
