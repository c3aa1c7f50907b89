/*
 * The ring of a job: blocks are read in the order of the rows, computed by threads of an executor
 * side by side, and come back in order. One thread at a time; not always the same one.
 *
 * A task reads its block, lets the next task begin, and computes it: no thread reads for others, so
 * that none waits for one that is busy, and a block stays in the cache of who read it. Tables that
 * are a program's own stream are read by the calling thread alone.
 */
#ifndef FTL_ENGINE_JOB_RING_H
#define FTL_ENGINE_JOB_RING_H

#include "base/executor.h"
#include "engine/job.h"

/* Inputs of fewer bytes are over before a thread would have started. */
enum { FTL_SMALL_INPUT = 1 << 20 };

/* A block on its way, and the task that reads and computes it. */
typedef struct ftl_ring_piece {
    struct ftl_job_ring *ring;
    ftl_task task;
    bool read; /* it was read before the task began */
    bool last; /* no more will come */
    ftl_status read_status;
    ftl_job_block block;
} ftl_ring_piece;

/* Pieces are read at head and taken at tail; what lies between is being computed or is done. */
typedef struct ftl_job_ring {
    const ftl_job *job;
    ftl_table *table;
    const ftl_score_options *options;
    size_t batch_rows;
    uint32_t width; /* pieces that are computed at once */
    bool apart;     /* tasks read their blocks themselves */

    /* Of who reads; of the calling thread, when all is done. */
    uint64_t rows_read;
    double read_seconds;
    ftl_error read_error; /* of the piece whose read_status is not OK */

    ftl_task_group group;
    ftl_ring_piece *pieces;
    size_t n_pieces, n_made;
    size_t by_hand; /* so many pieces more are read by the calling thread; no task reads before */
    bool taken;     /* the tail's piece is the caller's */
    ftl_job_worker workers[FTL_GROUP_WIDTH]; /* by slot; made when a task first has the slot */

    bool begun; /* the group and the lock */
    pthread_mutex_t lock;
    /* Under the lock, once tasks read. */
    size_t head, tail; /* counters; the piece is the counter % n_pieces */
    bool pending;      /* the head's piece is a task that has not read it yet */
    bool closed;       /* nothing more is read */
} ftl_job_ring;

/* Zeroed before. What is given is borrowed; ftl_ring_end is called in any case. */
FTL_MUST_USE ftl_status ftl_ring_begin(ftl_job_ring *ring, const ftl_job *job, ftl_table *table,
                                       const ftl_score_options *options, ftl_executor *executor,
                                       ftl_error *error);
/*
 * The next computed block, which is the caller's until the next call; what failed in computing it
 * is this call's failure. END behind the last one.
 */
FTL_MUST_USE ftl_status ftl_ring_next(ftl_job_ring *ring, ftl_job_block **out, ftl_error *error);
/* Waits for what is being computed, and frees everything. */
void ftl_ring_end(ftl_job_ring *ring);

#endif
