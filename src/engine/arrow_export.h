/*
 * Outputs as arrays of the Arrow C data interface. What is made owns its memory and outlives the
 * session, the model and the context; the context's allocator serves it, outside of the account.
 */
#ifndef FTL_ENGINE_ARROW_EXPORT_H
#define FTL_ENGINE_ARROW_EXPORT_H

#include "base/alloc.h"
#include "foretell/arrow.h"
#include "table/sink.h"

/* The errno value for a stream's failure: the interface knows no others. */
int ftl_arrow_errno(ftl_status status);

/* Column i: its name and its type, F64, F32, I64, U64, BOOL or STRING. */

/* A record batch's schema; *out stays untouched on failure. */
FTL_MUST_USE ftl_status ftl_arrow_export_schema(const ftl_allocator *allocator,
                                                const ftl_sink_column *columns, size_t n,
                                                struct ArrowSchema *out, ftl_error *error);
/*
 * A record batch with copies of the batch's columns, which have offset 0 and those types. skip (may
 * be NULL): rows with a non-zero byte are left out. *out stays untouched on failure.
 */
FTL_MUST_USE ftl_status ftl_arrow_export_array(const ftl_allocator *allocator,
                                               const ftl_sink_column *columns,
                                               const ftl_batch *batch, const uint8_t *skip,
                                               struct ArrowArray *out, ftl_error *error);

#endif
