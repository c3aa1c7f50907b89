/*
 * File jobs: threads of the context's executor read blocks of a table one after the other, and
 * convert, predict and format them side by side; the calling thread, which is one of them, writes
 * them in the order they were read.
 * Memory: a few blocks, whatever the file's size.
 */
#ifndef FTL_ENGINE_JOB_H
#define FTL_ENGINE_JOB_H

#include "engine/session.h"
#include "foretell/arrow.h"
#include "table/sink.h"
#include "table/table.h"

/*
 * What is bound from the table: the inputs of a model, those of models before it, the columns to
 * keep.
 */
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
    /* [n_inputs] what the table may call the first ones of those instead; NULL for others */
    const char **near;
    size_t first_keep, n_keep;
    /* [n_keep] as the table calls them, or column_3 where it has no names; may repeat */
    const char **keep_names;
    bool left_out; /* "*" among those to keep stands for columns that cannot be copied, too */
    size_t first_reject, n_reject; /* for a file of rejected rows of a table without records */
    const char **reject_names;     /* [n_reject] */
    uint32_t
        *seen[2]; /* [columns of the table] of numbers and of texts: the request + 1, 0: none */
} ftl_binding;

/*
 * Matches the table's columns with the model's schema; everything that is missing is listed in one
 * SCHEMA error, and *out tells by_name, missing and near then too (all else is unset, these NULL
 * when it failed earlier). before: of a model that reads the same table, whose requests and columns
 * to keep are the first of this one's; NULL: there is none.
 */
FTL_MUST_USE ftl_status ftl_binding_make(const ftl_model *model, const ftl_table *table,
                                         const ftl_score_options *options,
                                         const ftl_binding *before, ftl_arena *arena,
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
FTL_MUST_USE ftl_status ftl_model_for_table(ftl_model *model, const ftl_table *table,
                                            const ftl_score_options *options, ftl_model **out,
                                            ftl_error *error);

/* Opens a stream as the options say, and takes it over, also on failure. size: its bytes, 0:
 * unknown.
 */
FTL_MUST_USE ftl_status ftl_job_open_stream(ftl_account *account, ftl_stream *stream,
                                            const char *name, uint64_t size,
                                            const ftl_score_options *options, ftl_table **out,
                                            ftl_error *error);
/* Opens one file as the options say. */
FTL_MUST_USE ftl_status ftl_job_open(ftl_account *account, const char *path,
                                     const ftl_score_options *options, ftl_table **out,
                                     ftl_error *error);

/* A model of a job, and what is asked of it. */
typedef struct ftl_job_model {
    ftl_model *model;                     /* of fixed width */
    const char *prefix;                   /* of its output columns: "churn", or NULL */
    ftl_method methods[FTL_METHOD_COUNT]; /* in the order of the outputs */
    size_t n_methods;
    const ftl_binding *binding; /* of its inputs */
    ftl_session *session;       /* the calling thread's; plans of other threads' are its */
    struct ftl_watch *watch;    /* sees the inputs of every block; shared by all; NULL: none */
} ftl_job_model;

/* The methods as a bit set. */
uint32_t ftl_job_methods(const ftl_job_model *model);
/* Columns of all its methods. */
size_t ftl_job_outputs(const ftl_job_model *model);

/* What every worker of a job shares; read-only while it runs. */
typedef struct ftl_job {
    ftl_account *account;
    const ftl_job_model *models;
    size_t n_models;
    const ftl_table *table;
    const ftl_binding *binding; /* of the last model: all requests, and the columns to keep */
    const ftl_sink *sink;       /* NULL: nothing is formatted (check) */
    const ftl_sink *reject;     /* takes columns, of tables without records; NULL: none does */
    /* [outputs] of an Arrow stream: blocks become record batches of them; NULL: they do not */
    const ftl_sink_column *arrow;
    const ftl_allocator *allocator; /* of these, which outlive the job */
    ftl_on_error on_error;
    bool want_rejects;
    const ftl_cancel *cancel; /* ends the prediction of a block; NULL: none */
} ftl_job;

/* Seconds of work on a block. */
typedef struct ftl_job_times {
    double parse, predict, format;
} ftl_job_times;

/* A block on its way: read, then computed by a worker, then written by the calling thread. */
typedef struct ftl_job_block {
    ftl_table_block *raw;
    ftl_strbuf text;        /* formatted rows */
    ftl_strbuf rejects;     /* formatted reject rows */
    ftl_table_position end; /* of its rows in the table */
    ftl_progress progress;  /* of reading, when it was read */
    struct ArrowArray array;
    size_t rows_written, rows_bad;
    ftl_job_times times;
    ftl_status status; /* of the computation */
    ftl_error error;
} ftl_job_block;

/* What a thread has of a model. */
typedef struct ftl_worker_model {
    ftl_session *session;
    ftl_column *inputs; /* [schema columns] */
} ftl_worker_model;

/* One thread's tools. */
typedef struct ftl_job_worker {
    const ftl_job *job;       /* NULL: not made yet */
    ftl_worker_model *models; /* [job->n_models] */
    bool owns_sessions;
    ftl_row_batch *batch;
    size_t n_outputs;
    ftl_column *outputs; /* [n_outputs] keep + the models' outputs */
    uint8_t *validity;   /* bits of rows that were bad in either way */
    uint8_t *bad;        /* bytes */
    size_t rows_room;
    struct ftl_reject_batch *reject; /* of job->reject; NULL: not made yet */
    uint8_t *merged; /* [n_outputs] validities of outputs that miss values of their own */
    size_t merged_room;
} ftl_job_worker;

/*
 * A worker with the sessions of the job's models, which stay the caller's; or, when own is set,
 * with its own from the pools of the same plans. Nothing is left to free on failure.
 */
FTL_MUST_USE ftl_status ftl_job_worker_init(ftl_job_worker *worker, const ftl_job *job, bool own,
                                            ftl_error *error);
void ftl_job_worker_free(ftl_job_worker *worker); /* one that is not made yet is allowed */

/*
 * The file of rejected rows ends a part (table/sink.h) behind each multiple of so many rows of the
 * input, so that a job can go on there however few were rejected; `rows` are before it. The parts
 * grow with the job: there are hundreds at most, and a thirtieth of what was done lies behind the
 * last one.
 */
static inline uint64_t ftl_job_reject_part(uint64_t rows)
{
    uint64_t part = 1 << 16;
    while (part <= rows / 32)
        part *= 2;
    return part;
}

/* ---- Rows (job_rows.c) ----------------------------------------------------------------------- */

/* The batch of a model's inputs: views of what was converted. */
ftl_batch ftl_job_inputs(const ftl_job_worker *worker, size_t model, const ftl_row_view *view);
/* Whether a model refuses a row of the block that it ran last. */
bool ftl_job_refuses(const ftl_job_worker *worker, size_t model, size_t row);
/*
 * Why a row that is bad is so, its line and row in front: a cell that cannot be read comes before
 * what a model says of it.
 * next: the next problem of the table, 0 before the first row of a block.
 */
FTL_MUST_USE ftl_status ftl_job_explain(ftl_job_worker *worker, ftl_job_block *block,
                                        const ftl_row_view *view, size_t row, size_t *next,
                                        ftl_error *error);
/* Appends a block's bad rows to block->rejects (job_reject.c). */
FTL_MUST_USE ftl_status ftl_job_reject(ftl_job_worker *worker, ftl_job_block *block,
                                       const ftl_row_view *view, ftl_error *error);
void ftl_reject_free(ftl_account *account, struct ftl_reject_batch *batch); /* NULL is allowed */
/* Converts, predicts and formats one block; the result is in the block. */
void ftl_job_compute(ftl_job_worker *worker, ftl_job_block *block);
/* Releases the block's record batch, if nobody took it. */
void ftl_job_block_drop(ftl_job_block *block);

double ftl_job_now(void); /* seconds of a clock that only goes on */

/* What numbers are to the model: float32 when all of them are, as in a data frame. */
static inline ftl_type ftl_job_dtype(const ftl_binding *binding)
{
    return binding->has_narrow && !binding->has_wide ? FTL_F32 : FTL_F64;
}

/* ---- Setting up (job_setup.c) ---------------------------------------------------------------- */

enum { FTL_JOB_MODELS = 64 };

/* What belongs to a job beside its table. Zero-initialised; freed whatever became of it. */
typedef struct ftl_job_setup {
    ftl_job job;
    ftl_job_model models[FTL_JOB_MODELS];
    ftl_binding bindings[FTL_JOB_MODELS];
    ftl_arena arena;
    size_t n_owned;              /* models that are held */
    bool bound;                  /* the arena is there */
    const ftl_sink_taker *taker; /* of the output, in the place of a file; NULL: a file */
    ftl_sink *sink, *reject;
} ftl_job_setup;

/* The models and their methods, as the options have them. ARG, UNSUPPORTED. */
FTL_MUST_USE ftl_status ftl_job_choose(ftl_job_setup *setup, ftl_model *model,
                                       const ftl_score_options *options, ftl_error *error);
/*
 * Binds the table's columns, and makes plans and sessions. The table becomes the job's, though its
 * caller closes it. output_path: where results will go, which says how columns are kept.
 */
FTL_MUST_USE ftl_status ftl_job_bind(ftl_job_setup *setup, ftl_table *table,
                                     const char *output_path, const ftl_score_options *options,
                                     ftl_error *error);
/* The columns of the output; the setup's. */
FTL_MUST_USE ftl_status ftl_job_list_outputs(ftl_job_setup *setup, ftl_sink_column **columns,
                                             size_t *n, ftl_error *error);
/* Adds a computed block to the figures, but for reading and writing. */
void ftl_job_add_block(ftl_score_result *result, const ftl_job *job, const ftl_job_block *block);
/*
 * Lines for options->warn about the columns as a whole, behind the last block: those that were to
 * be kept and could not be, and those of which a model knows no value.
 */
FTL_MUST_USE ftl_status ftl_job_warn(const ftl_job *job, const ftl_score_options *options,
                                     ftl_error *error);
/* Opens the output, and the file of rejected rows where one is asked for. */
FTL_MUST_USE ftl_status ftl_job_open_sinks(ftl_job_setup *setup, const char *path,
                                           const ftl_score_options *options, ftl_error *error);
/* Completes the sinks, the output first; *bytes: what was given to it. */
FTL_MUST_USE ftl_status ftl_job_commit(ftl_job_setup *setup, uint64_t *bytes, ftl_error *error);
/* Closes the sinks and leaves what they wrote for a job that goes on with it. */
void ftl_job_leave_sinks(ftl_job_setup *setup);
/* Aborts sinks that were not completed and frees everything. Workers are gone before. */
void ftl_job_free(ftl_job_setup *setup);
/* Rows of a batch: what was asked for, else by the width of rows and the memory that there may be.
 */
size_t ftl_job_batch_rows(const ftl_job *job, const ftl_score_options *options, size_t pieces);

#endif
