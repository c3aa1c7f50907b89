/*
 * A pickle or joblib stream → object graph (node.h). The machine implements protocols 0–5 completely and executes nothing.
 * joblib arrays of every era are read in-stream; NDArrayWrapper side files are opened by base name in the model's folder.
 */
#ifndef FTL_PICKLE_LOAD_H
#define FTL_PICKLE_LOAD_H

#include "io/stream.h"
#include "pickle/node.h"

/*
 * A structured array read row by row into less memory: when the dtype of a large array has all the names in `fields`
 * (a NULL-terminated list; optional ones last), only those fields are kept, packed. The node's dtype is then the packed one.
 * This is how a forest's 64-byte nodes never exist in memory at once.
 */
typedef struct ftl_pickle_projection {
    const char *const *required; /* NULL-terminated */
    const char *const *optional; /* NULL-terminated */
} ftl_pickle_projection;

typedef struct ftl_pickle_options {
    uint64_t max_objects; /* 0: 50 million */
    uint32_t max_depth;   /* 0: 500 */
    const char *folder;   /* of the model file, for side files; NULL: side files are refused */
    const ftl_pickle_projection *projections;
    size_t n_projections;
} ftl_pickle_options;

/*
 * Reads one pickle from stream into arena. Errors: CORRUPT (damaged), UNSUPPORTED, FORBIDDEN never here (unknown callables
 * stay inert objects and fail where they are used), LIMIT (budgets), NOMEM, IO. error->offset is the offset in stream.
 */
FTL_MUST_USE ftl_status ftl_pickle_load(ftl_stream *stream, ftl_arena *arena, const ftl_pickle_options *options,
                                        ftl_node **root, ftl_error *error);

#endif
