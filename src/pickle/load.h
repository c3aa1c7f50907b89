/*
 * A pickle or joblib stream → object graph (node.h). The machine implements protocols 0–5
 * completely and executes nothing. joblib arrays of every era are read in-stream; NDArrayWrapper
 * side files are opened by base name in the model's folder.
 */
#ifndef FTL_PICKLE_LOAD_H
#define FTL_PICKLE_LOAD_H

#include "io/stream.h"
#include "pickle/node.h"

/*
 * A structured array read row by row into less memory: when the dtype has all the required names,
 * only the fields named here are kept, packed. The node's dtype is then the packed one. This is how
 * a forest's 64-byte nodes never exist in memory at once. The first projection that fits and saves
 * bytes is taken.
 *
 * ignored: fields that may be there as well and are not kept. An array with a field beyond the
 * three lists is not projected, so that who reads it sees that field. NULL: all others are ignored.
 *
 * narrow: int64 fields in native byte order become int32; a number that does not fit becomes
 * INT32_MIN.
 *
 * unless: the projection is not made behind the first mention of a class of one of these names,
 * which want all fields.
 *
 * companion: in joblib's files, an array that comes right behind the projected one in the same dict
 * under this key, with as many rows, keeps only the rows where the projected array's field chooser,
 * an integer, is -1. Its rows_of is then the projected array.
 */
typedef struct ftl_pickle_projection {
    const char *const *required; /* NULL-terminated */
    const char *const *optional; /* NULL-terminated */
    const char *const *ignored;  /* NULL-terminated, or NULL */
    bool narrow;
    const char *companion; /* NULL: none */
    const char *chooser;
    const char *const *unless; /* NULL-terminated; NULL: always made */
} ftl_pickle_projection;

/* The name of a file beside the model that was read. */
typedef struct ftl_side_name {
    const char *name;
    const struct ftl_side_name *next;
} ftl_side_name;

/* A class or function that the file names, and where. */
typedef struct ftl_pickle_global {
    const char *name; /* "mypackage.tools.Cleaner", in the arena */
    uint64_t offset;
} ftl_pickle_global;

/* What was seen beside the graph, and until a failure. Strings live in the arena. */
typedef struct ftl_pickle_report {
    /* first function that runs code or reaches the system, such as "os.system"; or NULL */
    const char *dangerous;
    uint64_t dangerous_offset;
    /* first function or class saved by value, as cloudpickle and dill do; or NULL */
    const char *local_function;
    uint64_t local_function_offset;
    /* classes and functions outside of Python's harmless ones and of known data and model packages,
     * each once, in the order of the file; in the arena */
    const ftl_pickle_global *foreign;
    size_t n_foreign;  /* at most FTL_MAX_FOREIGN */
    bool more_foreign; /* there are further ones */
    uint64_t objects;  /* nodes made */
    uint64_t bytes;    /* read from the stream, up to and with STOP */
    bool trailing;     /* more bytes follow; joblib allows them */
    const ftl_side_name *side_files;
} ftl_pickle_report;

/*
 * max_depth bounds open MARKs: how deep containers of several items nest. The machine itself does
 * not recurse, whatever the nesting; who walks the graph bounds its own depth.
 */
enum { FTL_MAX_FOREIGN = 256 };

typedef struct ftl_pickle_options {
    uint64_t max_objects; /* 0: 50 million */
    uint32_t max_depth;   /* 0: 500 */
    const char *folder;   /* of the model file, for side files; NULL: side files are refused */
    const ftl_pickle_projection *projections;
    size_t n_projections;
    ftl_budget *budget;        /* what loading spends; NULL: one of its own */
    uint64_t max_side_bytes;   /* that side files may decode to, all together; 0: by their sizes */
    ftl_pickle_report *report; /* filled when not NULL and loading succeeds */
} ftl_pickle_options;

/*
 * Reads one pickle from stream into arena. Errors: CORRUPT (damaged), UNSUPPORTED, FORBIDDEN (a
 * side file outside of the folder), LIMIT (budgets), NOMEM, IO. Unknown callables are no error:
 * they stay inert objects and fail where they are used; the report names dangerous ones.
 * error->offset is the offset in stream, and error->path the side file when one failed. On failure
 * the arena keeps what was made until its owner frees it.
 */
FTL_MUST_USE ftl_status ftl_pickle_load(ftl_stream *stream, ftl_arena *arena,
                                        const ftl_pickle_options *options, ftl_node **root,
                                        ftl_error *error);

#endif
