/*
 * Jobs that can be taken up again: a journal beside the output says how far a job had come.
 *
 * The output and the file of rejected rows grow under fixed names in their folders until they are
 * complete. From time to time they are synced, and then a line of the journal tells how much of
 * each counts, which ends with a whole part (table/sink.h), and a row of the input in front of
 * which everything is in those parts. Who takes the job up cuts both files to them and goes on with
 * that row; what comes again of the parts, a file at a time, is left out, so that the result has
 * the bytes that it would have had. What stands in front of those lines says which job it is: the
 * model's contents, the input's size, time and beginning, the options; another job is refused.
 *
 * A journal belongs to one thread; a lock on it keeps two jobs apart.
 */
#ifndef FTL_ENGINE_RESUME_H
#define FTL_ENGINE_RESUME_H

#include "engine/inputs.h"
#include "engine/job.h"

/* The end of a block: how many rows of the input lie before it, and what became of them. */
typedef struct ftl_resume_spot {
    ftl_table_position at;
    uint64_t written, rejected, nulled;
    uint64_t amounts[2]; /* of the output and of the file of rejected rows */
} ftl_resume_spot;

enum { FTL_RESUME_SPOTS = 64 };

typedef struct ftl_resume {
    ftl_account *account;
    int fd; /* of the journal; -1: the job cannot be taken up */
    const char *path;
    uint64_t size; /* of the journal, but for a line that was not finished */
    uint64_t head; /* of that, what says which job it is */
    /* how far the job had come; at.rows 0: it begins */
    ftl_resume_spot from;
    ftl_sink_place output, reject;
    /* from the last one that could be noted to where the job is, some of them */
    ftl_resume_spot spots[FTL_RESUME_SPOTS];
    size_t n_spots;
    size_t stride, since; /* blocks from one spot to the next, and behind the last one */
    uint64_t noted;       /* rows in front of the last one that was */
    double last, pause;   /* when the last note was made, and until when none is; as ftl_job_now */
} ftl_resume;

/*
 * Opens the journal of the job and finds how far it came. ARG when the input cannot be read again,
 * the output is no plain file, another process works on it, or the journal is of another job; the
 * files are as they were then.
 */
FTL_MUST_USE ftl_status ftl_resume_open(ftl_resume *resume, const ftl_job *job,
                                        const ftl_inputs *inputs, const char *output_path,
                                        const ftl_score_options *options, ftl_arena *arena,
                                        ftl_error *error);
/*
 * Cuts the sinks to where the job was, and passes over the rows of the table that were done; tells
 * of them in result. Nothing when the job begins.
 */
FTL_MUST_USE ftl_status ftl_resume_go_on(ftl_resume *resume, ftl_table *table, ftl_sink *sink,
                                         ftl_sink *reject, ftl_score_result *result,
                                         ftl_error *error);
/* Every now and then: notes that all rows before `at` are in the sinks. */
FTL_MUST_USE ftl_status ftl_resume_note(ftl_resume *resume, const ftl_table_position *at,
                                        ftl_sink *sink, ftl_sink *reject,
                                        const ftl_score_result *result, ftl_error *error);
/* Closes the journal. done: the job cannot or need not be taken up any more, and it is removed. */
void ftl_resume_close(ftl_resume *resume, bool done);

#endif
