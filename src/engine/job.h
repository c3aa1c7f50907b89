/*
 * File jobs: a table is read in blocks by the calling thread; threads of the context's executor
 * convert, predict and format blocks side by side; blocks are written in the order they were read.
 * Memory: a few blocks, whatever the file's size.
 */
#ifndef FTL_ENGINE_JOB_H
#define FTL_ENGINE_JOB_H

#include "engine/session.h"
#include "table/sink.h"
#include "table/table.h"

/* What is bound from the table: the model's inputs first, then the columns to keep. */
typedef struct ftl_binding {
    size_t n_requests;
    ftl_table_column_request *requests;
    size_t n_inputs; /* schema columns */
    /* [n_inputs] index into requests, SIZE_MAX for columns that the model never looks at */
    size_t *request_of_input;
    bool has_narrow, has_wide; /* inputs of numbers are float32 in the table, or something else */
    bool by_name;              /* else by position */
    /* [n_inputs] by name: the name that the table lacks, NULL for others; see ftl_binding_make */
    const char **missing;
    size_t first_keep, n_keep;
    /* [n_keep] as the table calls them, or column_3 where it has no names; may repeat */
    const char **keep_names;
} ftl_binding;

/*
 * Matches the table's columns with the model's schema; everything that is missing is listed in one
 * SCHEMA error, and *out tells by_name and missing then too (all else is unset, missing NULL when
 * it failed earlier).
 */
FTL_MUST_USE ftl_status ftl_binding_make(const ftl_model *model, const ftl_table *table,
                                         const ftl_score_options *options, ftl_arena *arena,
                                         ftl_binding *out, ftl_error *error);

/*
 * The table's column of a name or, in a table without names, of a position: "3" or "column_3".
 * option: of ftl_score_options, for messages; static. SCHEMA when there is none, or several.
 */
FTL_MUST_USE ftl_status ftl_binding_find(const ftl_table *table, const char *name,
                                         const char *option, size_t *column, ftl_error *error);

/*
 * The model itself, retained; or, when it does not say how many columns it takes, one made for the
 * table's columns, those to keep set aside.
 */
FTL_MUST_USE ftl_status ftl_job_model(ftl_model *model, const ftl_table *table,
                                      const ftl_score_options *options, ftl_model **out,
                                      ftl_error *error);

/* Opens one file as the options say. */
FTL_MUST_USE ftl_status ftl_job_open(ftl_account *account, const char *path,
                                     const ftl_score_options *options, ftl_table **out,
                                     ftl_error *error);

/* What every worker of a job shares; read-only while it runs. */
typedef struct ftl_job {
    ftl_model *model;
    ftl_account *account;
    const ftl_table *table;
    const ftl_binding *binding;
    const ftl_sink *sink; /* NULL: nothing is formatted (check) */
    ftl_method method;
    bool proba;
    ftl_on_error on_error;
    bool want_rejects;
    const ftl_cancel *cancel; /* ends the prediction of a block; NULL: none */
    struct ftl_watch *watch;  /* sees the inputs of every block; shared by all; NULL: none */
} ftl_job;

/* A block on its way: read by the reader, then computed by a worker, then written. */
typedef struct ftl_job_block {
    ftl_table_block *raw;
    ftl_strbuf text;    /* formatted rows */
    ftl_strbuf rejects; /* formatted reject rows */
    size_t rows_written, rows_bad;
    ftl_status status; /* of the computation */
    ftl_error error;
} ftl_job_block;

/* One thread's tools. */
typedef struct ftl_job_worker {
    const ftl_job *job; /* NULL: not made yet */
    ftl_session *session;
    bool owns_session;
    ftl_row_batch *batch;
    ftl_column *inputs;  /* [schema columns] */
    ftl_column *outputs; /* keep + prediction (+ probabilities) */
    uint8_t *validity;   /* bits of rows that were bad in either way */
    uint8_t *bad;        /* bytes */
    size_t rows_room;
} ftl_job_worker;

/*
 * A worker with session, which stays the caller's; or, when own is set, with one of its own from
 * the pool of the same plan. Nothing is left to free on failure.
 */
FTL_MUST_USE ftl_status ftl_job_worker_init(ftl_job_worker *worker, const ftl_job *job,
                                            ftl_session *session, bool own, ftl_error *error);
void ftl_job_worker_free(ftl_job_worker *worker); /* one that is not made yet is allowed */
/* Converts, predicts and formats one block; the result is in the block. */
void ftl_job_compute(ftl_job_worker *worker, ftl_job_block *block);

/* What numbers are to the model: float32 when all of them are, as in a data frame. */
static inline ftl_type ftl_job_dtype(const ftl_binding *binding)
{
    return binding->has_narrow && !binding->has_wide ? FTL_F32 : FTL_F64;
}

/* The methods of a job as a bit set. */
static inline uint32_t ftl_job_methods(const ftl_job *job)
{
    return 1u << job->method | (job->proba ? 1u << FTL_PREDICT_PROBA : 0);
}

#endif
