/* numpy's texts: UCS-4, one unit a character. */
#ifndef FTL_PICKLE_UCS4_H
#define FTL_PICKLE_UCS4_H

#include "pickle/node.h"

/* count native-endian UCS-4 units, trailing NULs dropped, into the arena. CORRUPT past U+10FFFF. */
FTL_MUST_USE ftl_status ftl_utf8_from_ucs4(ftl_arena *arena, const unsigned char *data,
                                           size_t count, ftl_node_string *out, ftl_error *error);

#endif
