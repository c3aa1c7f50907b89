/*
 * Structs that callers hand over begin with struct_size, so that a program built against an older
 * or a newer header works with this library: each side touches only the bytes that both know.
 * A struct_size that cannot hold itself (0 above all: the caller forgot it) is refused.
 */
#ifndef FTL_BASE_OPTIONS_H
#define FTL_BASE_OPTIONS_H

#include "base/status.h"

/*
 * Reads options: *out (out_size bytes, beginning with struct_size) is zero-filled, then receives
 * what the caller's struct has of it. in may be NULL: all defaults. ARG when in's struct_size is
 * unset; name is the type's, for the message.
 */
FTL_MUST_USE ftl_status ftl_options_read(void *out, size_t out_size, const void *in,
                                         const char *name, ftl_error *error);
/* ARG unless out can be filled by ftl_out_write: NULL or with struct_size set. */
FTL_MUST_USE ftl_status ftl_out_check(const void *out, const char *name, ftl_error *error);
/*
 * Fills the caller's struct from filled (filled_size bytes, both beginning with struct_size), as
 * far as the caller's reaches; what it has beyond is zero-filled, its struct_size stays. out may be
 * NULL.
 */
void ftl_out_write(void *out, const void *filled, size_t filled_size);

#endif
