/* The encodings by their endings: another one is another file and another entry. */
#include "base/ending.h"
#include "io/encoder.h"

#include <string.h>

static const ftl_encoding *const encodings[] = {&ftl_encoding_gzip, &ftl_encoding_bzip2,
                                                &ftl_encoding_xz, &ftl_encoding_lz4,
                                                &ftl_encoding_zstd};

const ftl_encoding *ftl_encoding_of_name(const char *name, size_t *size)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(encodings); i++) {
        const char *ending = encodings[i]->ending;
        if (!ftl_has_ending(name, *size, ending))
            continue;
        *size -= strlen(ending);
        return encodings[i];
    }
    return NULL;
}
