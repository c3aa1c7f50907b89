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
    bool resumable; /* see ftl_sink_place; ARG for formats that cannot be gone on with */
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
/*
 * Of sinks that were opened as resumable, whose file is there under a name of its own until it is
 * complete: where a job can go on that was stopped. A file can be gone on with behind its last
 * whole part: a row group, a record batch, so many bytes of a text that is compressed, a row of
 * others. Parts end where they would in any job of the same rows, so that the file's bytes are the
 * same; the rows that stand behind the last one and were appended are appended again.
 *
 * Amounts are in a unit of the sink's own: bytes of text, or rows.
 */
typedef struct ftl_sink_place {
    uint64_t bytes;      /* of the file */
    uint64_t done;       /* the amount that they hold */
    uint64_t from, rows; /* the amount before the rows that are appended next, and how many: all
                          * amounts up to done are in the file already and are left out */
    uint64_t state, sum; /* bytes of .NAME.foretell-state beside the file, and their checksum */
} ftl_sink_place;

/* What was appended, and what of it is in whole parts. */
uint64_t ftl_sink_amount(const ftl_sink *sink);
uint64_t ftl_sink_done(const ftl_sink *sink);
/* Ends a part here, if there is anything for one. For places that depend on the rows alone. */
FTL_MUST_USE ftl_status ftl_sink_cut(ftl_sink *sink, ftl_error *error);
/* All whole parts are on the disk. *place: these; from and rows are the caller's to fill. */
FTL_MUST_USE ftl_status ftl_sink_settle(ftl_sink *sink, ftl_sink_place *place, ftl_error *error);
/*
 * Before the first rows: whether what an earlier job left goes as far as it says, and is whole as
 * far as can be told. No file changes. Then either go_on at that place, or begin_anew, which drops
 * all that was left.
 */
FTL_MUST_USE ftl_status ftl_sink_holds(ftl_sink *sink, const ftl_sink_place *place, bool *holds,
                                       ftl_error *error);
FTL_MUST_USE ftl_status ftl_sink_go_on(ftl_sink *sink, const ftl_sink_place *place,
                                       ftl_error *error);
FTL_MUST_USE ftl_status ftl_sink_begin_anew(ftl_sink *sink, ftl_error *error);
/* Closes and leaves the files for a job that goes on with them. NULL is allowed. */
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
