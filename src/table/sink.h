/*
 * Sinks: row destinations. The file appears under its name only when complete: rows go to a
 * temporary file in the target's folder, and commit syncs and renames it. Standard output and
 * devices get complete rows as they come.
 *
 * Formatting and appending are apart so that workers format batches in parallel and one thread
 * appends in order: ftl_sink_format reads the sink only and may run in any number of threads;
 * everything else belongs to one thread.
 */
#ifndef FTL_TABLE_SINK_H
#define FTL_TABLE_SINK_H

#include "base/executor.h"
#include "base/strbuf.h"

typedef struct ftl_sink ftl_sink;

/* type: F64, F32, I64, U64, BOOL or STRING */
typedef struct ftl_sink_column {
    const char *name;
    ftl_type type;
} ftl_sink_column;

/* What takes the bytes in the place of a file. */
typedef struct ftl_sink_taker {
    void *user;
    int (*write)(void *user, const void *data, size_t size); /* 0 or an errno value */
} ftl_sink_taker;

typedef struct ftl_sink_options {
    const char *path; /* "-" is standard output */
    /* outlives the sink; path is a name for messages and for its ending then. NULL: a file */
    const ftl_sink_taker *taker;
    /*
     * a format's keyword, such as "csv"; NULL: what the path's ending says, which may be refused;
     * CSV on standard output
     */
    const char *format;
    /* the keyword that format NULL stands for, and that the ending must not contradict; NULL: none
     */
    const char *expected;
    const ftl_sink_column *columns; /* copied with their names */
    size_t n_columns;
    /* the first columns, of texts, are JSON that is written as it stands; see ftl_sink_takes_json
     */
    size_t n_json;
    bool resumable; /* see ftl_sink_settle */
    /* of a format that compresses its parts, such as "zstd" of Parquet; NULL: the usual one */
    const char *compression;
    char delimiter; /* CSV; 0: ',', or the tab where the name says so */
    /* waiting for who reads a pipe ends when it is triggered; NULL: none. It outlives the sink */
    const ftl_cancel *cancel;
} ftl_sink_options;

/*
 * Opens the destination; a CSV gets its header line. .npy takes numbers and bools only: float32 or
 * int64 when all columns are, otherwise float64; one column gives shape (n,), several (n, columns).
 */
FTL_MUST_USE ftl_status ftl_sink_open(ftl_account *account, const ftl_sink_options *options,
                                      ftl_sink **out, ftl_error *error);

/* Whether columns may be JSON in a sink of this path and format (NULL: by the path). */
bool ftl_sink_takes_json(const char *path, const char *format);

/*
 * Appends the batch's rows to out in a form that ftl_sink_append takes: the sink's format, or what
 * it is made of. The batch's columns are the sink's, in type
 * and order (its matrix is not looked at). skip (may be NULL): rows with a non-zero byte are left
 * out.
 */
FTL_MUST_USE ftl_status ftl_sink_format(const ftl_sink *sink, const ftl_batch *batch,
                                        const uint8_t *skip, ftl_strbuf *out, ftl_error *error);
/* Appends what ftl_sink_format made of `rows` rows. */
FTL_MUST_USE ftl_status ftl_sink_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                                        ftl_error *error);
/* How far a resumable sink had come. */
typedef struct ftl_sink_place {
    uint64_t bytes;    /* of the file */
    uint64_t unpacked; /* of what it holds */
    uint64_t rows;
} ftl_sink_place;

/*
 * Of sinks that were opened as resumable, whose file is there under a name of its own until it is
 * complete; formats whose files do not grow row by row are ARG at opening, as are compressions
 * whose files cannot follow one another. Before the first rows either begin_anew, which drops what
 * an earlier job has left, or go_on at a place where that job was settled.
 *
 * settle: all rows are on the disk, at that place. That ends a member of a compressed file, so it
 * is worth its while (ftl_sink_may_settle) behind a megabyte.
 */
FTL_MUST_USE ftl_status ftl_sink_begin_anew(ftl_sink *sink, ftl_error *error);
FTL_MUST_USE ftl_status ftl_sink_go_on(ftl_sink *sink, const ftl_sink_place *place,
                                       ftl_error *error);
bool ftl_sink_holds(const ftl_sink *sink, uint64_t bytes); /* also what an earlier job wrote */
bool ftl_sink_may_settle(const ftl_sink *sink);
FTL_MUST_USE ftl_status ftl_sink_settle(ftl_sink *sink, ftl_sink_place *place, ftl_error *error);
/* Closes and leaves the file for a job that goes on with it. NULL is allowed. */
void ftl_sink_leave(ftl_sink *sink);

/*
 * Lends a group of that width, which belongs to the thread that appends: part of the work becomes
 * its tasks. NULL: no more, and those that there are have ended. Before the group ends it is taken
 * back so, unless all that follows is ftl_sink_abort, after the group has ended.
 */
void ftl_sink_share(ftl_sink *sink, ftl_task_group *group, uint32_t width);
/* Whether a job that failed so may be taken up again: the data and the call are not to blame. */
bool ftl_sink_may_go_on(ftl_status status);
/*
 * Completes and closes: sync, rename, sync of the folder. *bytes (may be NULL): the output's size
 * before it was packed. The sink is gone afterwards, also when this fails; of one that is
 * resumable the temporary file stays then, if the job may go on. Opening does the same.
 */
FTL_MUST_USE ftl_status ftl_sink_commit(ftl_sink *sink, uint64_t *bytes, ftl_error *error);
/* Closes and removes what was written, except on standard output and devices. NULL is allowed. */
void ftl_sink_abort(ftl_sink *sink);

#endif
