/* Boosters' own model files as objects. */
#ifndef FTL_BUILD_NATIVE_FILE_H
#define FTL_BUILD_NATIVE_FILE_H

#include "formats/sniff.h"
#include "pickle/node.h"

/*
 * The object that a file of that kind (not PICKLE) stands for, in arena. bytes[0..size) is the
 * whole file, NUL-terminated behind its end; it is borrowed. account: for buffers that are freed
 * again.
 */
FTL_MUST_USE ftl_status ftl_native_root(ftl_arena *arena, ftl_account *account, ftl_file_kind kind,
                                        const char *bytes, size_t size, ftl_node **root,
                                        ftl_error *error);

#endif
