/* Inside of sessions, for file jobs: run once, take the outputs of several methods. */
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
} ftl_session_column;

typedef struct ftl_session_method {
    size_t count;
    ftl_session_column *storage;
    ftl_column *columns; /* what batches show */
} ftl_session_method;

struct ftl_session {
    ftl_model *model;
    ftl_account account;
    ftl_plan *plan;
    bool owns_plan;
    ftl_exec exec;
    ftl_on_error on_error;
    size_t rows_room;
    uint8_t *validity; /* one bit a row, shared by all columns of the last run */
    size_t bad_rows;
    ftl_session_method methods[FTL_METHOD_COUNT];
    ftl_column *matrix_columns;
};

/*
 * A session of the same kind that shares the plan of `first`, which must outlive it: the workers of
 * a job.
 */
FTL_MUST_USE ftl_status ftl_session_create_like(const ftl_session *first, ftl_session **out,
                                                ftl_error *error);
/* Computes all rows of in for a set of methods (bit set). */
FTL_MUST_USE ftl_status ftl_session_run(ftl_session *session, uint32_t methods, const ftl_batch *in,
                                        ftl_error *error);
/* Outputs of the last run, rows as given there. */
void ftl_session_view(const ftl_session *session, ftl_method method, size_t rows, ftl_batch *out);

/*
 * Runs one row alone and tells why the model refuses it; OK when it does not. Outputs of the last
 * run are kept.
 */
FTL_MUST_USE ftl_status ftl_session_explain(ftl_session *session, uint32_t methods,
                                            const ftl_batch *in, size_t row, ftl_error *error);

#endif
