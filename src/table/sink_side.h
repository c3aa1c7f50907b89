/*
 * The file beside a resumable output, .NAME.foretell-state, that holds what a format must know of
 * the parts that it has written to go on behind them: the metadata that stands at a file's end. It
 * grows by records, and how much of it counts, with a checksum of that, is written elsewhere; what
 * the records say is for the format to check. One thread's.
 */
#ifndef FTL_TABLE_SINK_SIDE_H
#define FTL_TABLE_SINK_SIDE_H

#include "base/arena.h"
#include "base/strbuf.h"

/* More than the metadata of any file that could be written. */
#define FTL_SINK_SIDE_MOST ((size_t)INT32_MAX)

typedef struct ftl_sink_side {
    const char *path;   /* NULL: there is none */
    int fd;             /* -1: not opened yet */
    uint64_t size, sum; /* of what counts of it: bytes, and their CRC-64 */
} ftl_sink_side;

void ftl_sink_side_init(ftl_sink_side *side);
/* partial: the path of the output's own temporary file. The name lives in the arena. */
FTL_MUST_USE ftl_status ftl_sink_side_name(ftl_sink_side *side, const char *partial,
                                           ftl_arena *arena, ftl_error *error);
/*
 * Reads so many bytes, after which records are appended; *holds: they are there and have that
 * checksum. Nothing changes otherwise.
 */
FTL_MUST_USE ftl_status ftl_sink_side_read(ftl_sink_side *side, uint64_t size, uint64_t sum,
                                           ftl_strbuf *out, bool *holds, ftl_error *error);
/* Appends records, if there are any; they are on the disk then. */
FTL_MUST_USE ftl_status ftl_sink_side_append(ftl_sink_side *side, const void *data, size_t size,
                                             ftl_error *error);
/* Removes the file; what is appended afterwards begins another one. */
void ftl_sink_side_remove(ftl_sink_side *side);
void ftl_sink_side_close(ftl_sink_side *side);

#endif
