/* Arrow C streams that outlive the call that made them, and the Python objects beside it. */
#ifndef FORETELL_CORE_STREAM_H
#define FORETELL_CORE_STREAM_H

#include "core.h"

typedef struct core_stream {
    struct ArrowArrayStream inner; /* the library's */
    core_home *home;
    core_keep keep; /* what the library's options point to */
} core_stream;

/* Takes over what keep has. NULL: an exception is set. */
core_stream *core_stream_make(core_home *home, core_keep *keep);
/* A capsule "arrow_array_stream" that owns it. NULL: an exception is set, and it is the caller's.
 */
PyObject *core_stream_wrap(core_stream *stream);
void core_stream_free(core_stream *stream);
/* A new reference: the object if it is such a capsule, else what its __arrow_c_stream__ gives. */
PyObject *core_stream_capsule(PyObject *object);

#endif
