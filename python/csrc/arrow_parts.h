/*
 * Arrow's structures handled in plain C, without Python: sharing a record batch with several
 * consumers, copying a schema, and giving columns of text the types that they had before they were
 * written as text.
 */
#ifndef FORETELL_ARROW_PARTS_H
#define FORETELL_ARROW_PARTS_H

#include "foretell/arrow.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- Sharing (arrow_share.c) --------------------------------------------------------------------- */

/* A record batch with several owners; the last one releases it. Any thread may take and drop. */
typedef struct core_shared core_shared;

/* Takes the array over: its release becomes NULL. NULL, and the array as it was: out of memory. */
core_shared *core_shared_make(struct ArrowArray *array);
void core_shared_drop(core_shared *shared); /* NULL is allowed */
const struct ArrowArray *core_shared_array(const core_shared *shared);
/*
 * *out: the same batch once more, which the receiver releases, its children one by one if it likes;
 * it outlives every other owner. false: out of memory, *out is released.
 */
bool core_shared_export(core_shared *shared, struct ArrowArray *out);

/*
 * A copy of a schema without metadata, which the receiver releases. formats (NULL: none): for each
 * child a format in place of its own; NULL entries leave it. false: out of memory.
 */
bool core_schema_copy(const struct ArrowSchema *schema, const char *const *formats,
                      struct ArrowSchema *out);

/* ---- Types of text columns (arrow_cast.c) -------------------------------------------------------- */

/*
 * *out: the stream of `in`, which is moved, with columns of text read as what formats says: "g"
 * float64, "f" float32, "l" int64, "b" bool; NULL entries and columns that are no text stay as they
 * are. An empty text is NaN among floats and null otherwise; with `nulls` it is null among floats
 * and texts ("u") as well. A text that is none of its type ends the stream with EINVAL. formats is
 * copied, and has an entry for each column of the stream. false: out of memory, `in` as it was.
 */
bool core_cast_stream(struct ArrowArrayStream *in, const char *const *formats, size_t n, bool nulls,
                      struct ArrowArrayStream *out);

#endif
