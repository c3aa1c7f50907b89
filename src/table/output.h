/*
 * Where a sink's bytes go. A plain file is written under a temporary name in its folder and gets
 * its own name when complete; standard output, pipes and devices are written as they are.
 */
#ifndef FTL_TABLE_OUTPUT_H
#define FTL_TABLE_OUTPUT_H

#include "base/arena.h"
#include "base/cancel.h"
#include "base/strbuf.h"
#include "io/encoder.h"

/* Takes all bytes in the place of a file: 0 or an errno value. */
typedef int ftl_output_write_fn(void *user, const void *data, size_t size);

/* A place in a file behind which everything can be written anew. */
typedef struct ftl_output_mark {
    uint64_t
        packed; /* bytes of the file; 0, of one in parts: behind what all such files begin with */
    uint64_t written; /* bytes that came, before they were packed */
} ftl_output_mark;

typedef struct ftl_output {
    ftl_arena arena;           /* the strings */
    ftl_output_write_fn *take; /* NULL: a file */
    void *user;                /* of take */
    int fd;                    /* -1: closed */
    uint64_t written;          /* bytes that came, before they are packed */
    uint64_t left_out;         /* up to which they are in the file already; see ftl_output_go_on */
    uint64_t packed;           /* bytes of the file */
    const char *shown;         /* for messages */
    const char *target;        /* what the temporary file becomes */
    const char *temporary;     /* NULL: written in place */
    const char *folder;
    const ftl_cancel *cancel; /* NULL: none */
    ftl_encoder *encoder;     /* NULL: bytes are written as they are */
    /*
     * A resumable output that is compressed is written in parts, each of the same bytes whatever
     * stands before it. Where they end depends on what is written alone. mark: where the last one
     * ended, in the file and in what came
     */
    bool in_parts;
    ftl_output_mark mark;
    /*
     * what was written to a resumable output that is compressed, before it was said where it goes
     * on: nothing of the file changes till then
     */
    bool waiting;
    ftl_strbuf head;
} ftl_output;

/*
 * cancel: ends the wait for who reads a pipe; may be NULL, outlives the output. encoding: how what
 * is written is compressed, and then it cannot be patched; NULL: not at all. resumable, for plain
 * files: the temporary file has a name of its own for each target, .NAME.foretell-partial, and what
 * an earlier job left in it stays until ftl_output_begin_anew or ftl_output_go_on. Also one that
 * failed to open is to be aborted or left.
 */
FTL_MUST_USE ftl_status ftl_output_open(ftl_output *output, ftl_account *account, const char *path,
                                        const ftl_encoding *encoding, bool resumable,
                                        const ftl_cancel *cancel, ftl_error *error);
/* The same for a function in the place of a file; name is for messages. */
FTL_MUST_USE ftl_status ftl_output_open_taker(ftl_output *output, ftl_account *account,
                                              const char *name, ftl_output_write_fn *take,
                                              void *user, const ftl_encoding *encoding,
                                              ftl_error *error);
FTL_MUST_USE ftl_status ftl_output_write(ftl_output *output, const void *data, size_t size,
                                         ftl_error *error);
/* Overwrites bytes at the beginning; for plain files. */
FTL_MUST_USE ftl_status ftl_output_patch(ftl_output *output, const void *data, size_t size,
                                         ftl_error *error);
/* Of a resumable output: the last place from which it could be gone on. */
ftl_output_mark ftl_output_last_mark(const ftl_output *output);
/* Ends a part, if it is written in parts and something came since the last one. */
FTL_MUST_USE ftl_status ftl_output_end_part(ftl_output *output, ftl_error *error);
/* All of the file is on the disk. */
FTL_MUST_USE ftl_status ftl_output_sync(ftl_output *output, ftl_error *error);
/* Whether a plain file goes as far as this mark of it. */
bool ftl_output_holds(const ftl_output *output, const ftl_output_mark *mark);
/* Nothing counts of what an earlier job left. */
FTL_MUST_USE ftl_status ftl_output_begin_anew(ftl_output *output, ftl_error *error);
/*
 * Cuts the file to a mark, and goes on there; what was written since opening does not count. What
 * comes next are the bytes from `from` on, which is the mark's place or before it: those in front
 * of the mark come again and are left out.
 */
FTL_MUST_USE ftl_status ftl_output_go_on(ftl_output *output, const ftl_output_mark *mark,
                                         uint64_t from, ftl_error *error);
/* As ftl_output_abort, but that a temporary file stays as it is. */
void ftl_output_leave(ftl_output *output);
/* Both close and free the output, the first unless it fails. */
FTL_MUST_USE ftl_status ftl_output_commit(ftl_output *output, ftl_error *error);
void ftl_output_abort(ftl_output *output);

#endif
