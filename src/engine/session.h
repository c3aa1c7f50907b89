/*
 * Sessions: one thread's workspace for a plan, and the outputs of its last run. A plan keeps idle
 * ones in its pool. What file jobs use beside the public functions is here.
 */
#ifndef FTL_ENGINE_SESSION_H
#define FTL_ENGINE_SESSION_H

#include "plan/plan.h"

/* Storage of one output column; grows to the largest batch seen. */
typedef struct ftl_session_column {
    ftl_type type;
    void *values;
    size_t values_room; /* bytes */
    uint32_t *offsets;  /* STRING: rows + 1 */
    size_t text_size;
    uint8_t *present; /* STRING: one bit a row, 0 = a missing value or a bad row */
    bool has_missing;
} ftl_session_column;

/* A method's outputs: made when the session first computes it. */
typedef struct ftl_session_method {
    size_t count;     /* 0: not made yet */
    size_t rows_room; /* rows that the columns have room for */
    ftl_session_column *storage;
    ftl_column *columns; /* what batches show */
} ftl_session_method;

/* What ftl_session_read gave last. */
typedef struct ftl_session_rows {
    ftl_batch batch;
    const uint8_t *bad; /* [rows] 1: cells of the row could not be read; NULL: they all could */
    const ftl_session *reader; /* the session that read them */
} ftl_session_rows;

/* Of session_read.c, for who ends, empties and runs sessions. */
typedef struct ftl_session_reader_ops {
    void (*forget)(ftl_session *session); /* what was read is not there any more */
    void (*free)(ftl_session *session);
    /* Why a row that is bad is so; returns error->code. */
    ftl_status (*explain)(const ftl_session *session, size_t row, ftl_error *error);
} ftl_session_reader_ops;

struct ftl_session {
    ftl_model *model;
    ftl_plan *plan;
    ftl_account account;
    ftl_exec exec;
    ftl_on_error on_error;
    const ftl_cancel *cancel; /* borrowed; asked before each block; NULL: none */
    bool owned;               /* made by ftl_session_create, not by a pool */
    /* of the last run: */
    uint32_t run_methods;
    size_t rows;
    size_t bad_rows;
    uint8_t *validity; /* one bit a row, shared by all columns */
    size_t validity_room;
    ftl_batch in; /* borrowed; to tell why rows are bad */
    ftl_matrix in_matrix;
    uint32_t in_methods;
    size_t bad_index, bad_row; /* the bad row that was told of last, and its row */
    ftl_session_method methods[FTL_METHOD_COUNT];
    /* what there is room for already, so that most runs need not look */
    uint32_t ready_methods;
    size_t ready_rows;
    /*
     * A model that does not say how many columns it takes: a session of the same model for as many
     * as the last batch had, which runs in this one's place; NULL: none. shows_wide: it did.
     */
    ftl_session *wide;
    bool shows_wide;
    struct ftl_arrow_binding *arrow; /* of the last record batch's schema; NULL: none yet */
    void (*free_arrow)(struct ftl_arrow_binding *binding);
    struct ftl_session_reader *reader; /* of what it reads; NULL: it did not read yet */
    const ftl_session_reader_ops *reader_ops;
    ftl_session_rows read;
    ftl_session *next; /* in a pool */
};

/* ---- Life (session_pool.c) ------------------------------------------------------------------- */

/* A session that belongs to its plan, which outlives it. */
FTL_MUST_USE ftl_status ftl_session_new(ftl_plan *plan, ftl_session **out, ftl_error *error);

typedef struct ftl_session_pool ftl_session_pool;
/* Frees the pool of a plan and the sessions in it. NULL is allowed. */
void ftl_session_pool_destroy(ftl_plan *plan, ftl_session_pool *pool);
FTL_MUST_USE ftl_status ftl_session_pool_create(ftl_plan *plan, ftl_session_pool **out,
                                                ftl_error *error);
/* Frees the sessions that wait. Thread-safe. */
void ftl_session_pool_trim(ftl_session_pool *pool);
uint32_t ftl_session_pool_idle(const ftl_session_pool *pool);

/* ---- Outputs (session_output.c) -------------------------------------------------------------- */

/* The type that a plan yields for an output: F32 where it computes so. */
ftl_type ftl_session_column_type(const ftl_plan *plan, const ftl_output *output);
/* Room for the outputs of some methods (bit set) for so many rows. */
FTL_MUST_USE ftl_status ftl_session_reserve(ftl_session *session, uint32_t methods, size_t rows,
                                            ftl_error *error);
/* Copies the block in the workspace, rows `first` and on of the batch, into the methods' columns.
 */
FTL_MUST_USE ftl_status ftl_session_take(ftl_session *session, uint32_t methods, size_t first,
                                         ftl_error *error);
/*
 * The block's outputs of the room's method as numbers into its rows `first` and on; NaN in rows
 * that were refused.
 */
void ftl_session_take_matrix(const ftl_session *session, const ftl_result_room *room, size_t first);
void ftl_session_free_outputs(ftl_session *session);
/* Outputs of the last run, rows as given there. */
void ftl_session_view(const ftl_session *session, ftl_method method, size_t rows, ftl_batch *out);

/* ---- Running (predict.c) --------------------------------------------------------------------- */

/*
 * Runs rows first .. last of a batch and puts them where they belong in rooms for all of it. The
 * batch passed ftl_batch_check for the session's model.
 */
FTL_MUST_USE ftl_status ftl_session_run_rows(ftl_session *session, const ftl_batch *in,
                                             size_t first, size_t last,
                                             const ftl_result_room *rooms, size_t n,
                                             ftl_error *error);

/*
 * Runs one row alone and tells why the model refuses it; OK when it does not. Outputs of the last
 * run are kept.
 */
FTL_MUST_USE ftl_status ftl_session_explain(ftl_session *session, uint32_t methods,
                                            const ftl_batch *in, size_t row, ftl_error *error);

#endif
