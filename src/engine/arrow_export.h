/*
 * Outputs as arrays of the Arrow C data interface. What is made owns its memory and outlives the
 * session, the model and the context; the context's allocator serves it, outside of the account.
 */
#ifndef FTL_ENGINE_ARROW_EXPORT_H
#define FTL_ENGINE_ARROW_EXPORT_H

#include "base/alloc.h"
#include "foretell/arrow.h"

/*
 * Column i of the outputs: its name and a view of it (F64, F32, I64, BOOL or STRING, contiguous,
 * offset 0). All columns have the same rows.
 */
typedef struct ftl_arrow_output {
    const char *name;
    ftl_column column;
} ftl_arrow_output;

/* A record batch's schema; *out stays untouched on failure. */
FTL_MUST_USE ftl_status ftl_arrow_export_schema(const ftl_allocator *allocator,
                                                const ftl_arrow_output *outputs, size_t n,
                                                struct ArrowSchema *out, ftl_error *error);
/* A record batch with copies of the columns; *out stays untouched on failure. */
FTL_MUST_USE ftl_status ftl_arrow_export_array(const ftl_allocator *allocator,
                                               const ftl_arrow_output *outputs, size_t n,
                                               size_t rows, struct ArrowArray *out,
                                               ftl_error *error);

#endif
