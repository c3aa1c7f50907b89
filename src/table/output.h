/*
 * Where a sink's bytes go. A plain file is written under a temporary name in its folder and gets
 * its own name when complete; standard output, pipes and devices are written as they are.
 */
#ifndef FTL_TABLE_OUTPUT_H
#define FTL_TABLE_OUTPUT_H

#include "base/arena.h"
#include "base/cancel.h"
#include "io/encoder.h"

typedef struct ftl_output {
    ftl_arena arena;       /* the strings */
    int fd;                /* -1: closed */
    uint64_t written;      /* bytes, before they were packed */
    const char *shown;     /* the path as it was given, for messages */
    const char *target;    /* what the temporary file becomes */
    const char *temporary; /* NULL: written in place */
    const char *folder;
    const ftl_cancel *cancel; /* NULL: none */
    ftl_encoder *encoder;     /* NULL: bytes are written as they are */
} ftl_output;

/*
 * cancel: ends the wait for who reads a pipe; may be NULL, outlives the output. encoding: how what
 * is written is compressed, and then it cannot be patched; NULL: not at all. resumable, for plain
 * files that are not compressed: the temporary file has a name of its own for each target,
 * .NAME.foretell-partial, and what an earlier job left in it stays until it is written over or cut.
 * Also one that failed to open is to be aborted or left.
 */
FTL_MUST_USE ftl_status ftl_output_open(ftl_output *output, ftl_account *account, const char *path,
                                        const ftl_encoding *encoding, bool resumable,
                                        const ftl_cancel *cancel, ftl_error *error);
FTL_MUST_USE ftl_status ftl_output_write(ftl_output *output, const void *data, size_t size,
                                         ftl_error *error);
/* Overwrites bytes at the beginning; for plain files. */
FTL_MUST_USE ftl_status ftl_output_patch(ftl_output *output, const void *data, size_t size,
                                         ftl_error *error);
/* Everything that was written is on the disk. */
FTL_MUST_USE ftl_status ftl_output_sync(ftl_output *output, ftl_error *error);
/* Whether a plain file has so many bytes at least. */
bool ftl_output_holds(const ftl_output *output, uint64_t size);
/* Cuts it to so many and goes on there. */
FTL_MUST_USE ftl_status ftl_output_cut(ftl_output *output, uint64_t size, ftl_error *error);
/* As ftl_output_abort, but that a temporary file stays as it is. */
void ftl_output_leave(ftl_output *output);
/* Both close and free the output, the first unless it fails. */
FTL_MUST_USE ftl_status ftl_output_commit(ftl_output *output, ftl_error *error);
void ftl_output_abort(ftl_output *output);

#endif
