/* The rows of a large batch on several threads of the context's executor. */
#include "base/options.h"
#include "engine/columns.h"
#include "engine/context.h"
#include "engine/session.h"

#include <string.h>

/* Pieces are a few blocks: large beside what starting one costs, small beside a thread's share. */
enum { piece_blocks = 8 };

typedef struct parallel {
    ftl_plan *plan;
    const ftl_batch *in;
    const ftl_result_room *rooms;
    size_t n_rooms;
    size_t piece_rows;
    ftl_parallel_options options;
    ftl_session *sessions[FTL_GROUP_WIDTH]; /* by slot; borrowed when a piece first has the slot */
    _Atomic size_t bad_rows;
    /* The lowest piece that failed, so that the error is the one that a single thread would give.
     */
    _Atomic size_t failed;
    pthread_mutex_t lock; /* of what follows, and of lowering failed */
    ftl_status status;
    ftl_error error;
} parallel;

static void note_failure(parallel *p, size_t piece, ftl_status status, const ftl_error *error)
{
    pthread_mutex_lock(&p->lock);
    if (piece < p->failed) {
        p->failed = piece;
        p->status = status;
        p->error = *error;
    }
    pthread_mutex_unlock(&p->lock);
}

static ftl_status run_piece(parallel *p, uint32_t slot, size_t piece, ftl_error *error)
{
    if (!p->sessions[slot])
        FTL_TRY(ftl_plan_borrow(p->plan, &p->sessions[slot], error));
    ftl_session *session = p->sessions[slot];
    FTL_TRY(ftl_session_set_on_error(session, p->options.on_error));
    FTL_TRY(ftl_session_set_cancel(session, p->options.cancel));
    size_t first = piece * p->piece_rows, left = p->in->rows - first;
    size_t last = first + (left < p->piece_rows ? left : p->piece_rows);
    FTL_TRY(ftl_session_run_rows(session, p->in, first, last, p->rooms, p->n_rooms, error));
    p->bad_rows += ftl_session_bad_rows(session);
    return FTL_OK;
}

static void piece_task(void *user, uint32_t slot, size_t piece)
{
    parallel *p = user;
    ftl_error error;
    if (piece > p->failed)
        return;
    ftl_error_clear(&error);
    ftl_status status = run_piece(p, slot, piece, &error);
    if (status != FTL_OK)
        note_failure(p, piece, status, &error);
}

static ftl_status read_options(parallel *p, const ftl_parallel_options *options, ftl_error *error)
{
    FTL_TRY(
        ftl_options_read(&p->options, sizeof p->options, options, "ftl_parallel_options", error));
    if (p->options.on_error != FTL_ON_ERROR_FAIL && p->options.on_error != FTL_ON_ERROR_NULL)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "on_error",
                               "options.on_error of a prediction is FAIL or NULL");
    return FTL_OK;
}

static ftl_status run_pieces(parallel *p, ftl_error *error)
{
    ftl_executor *executor = NULL;
    FTL_TRY(ftl_context_executor(p->plan->model->context, &executor, error));
    uint32_t threads = ftl_executor_threads(executor);
    if (p->options.threads && p->options.threads < threads)
        threads = p->options.threads;
    size_t pieces = p->in->rows / p->piece_rows + (p->in->rows % p->piece_rows != 0);
    /* An empty batch is one empty piece: what it must be like is checked there. */
    ftl_executor_for(executor, threads, pieces ? pieces : 1, piece_task, p);
    return FTL_OK;
}

static ftl_status run_parallel(parallel *p, const ftl_parallel_options *options, size_t *bad_rows,
                               ftl_error *error)
{
    p->piece_rows = (size_t)p->plan->block_rows * piece_blocks;
    p->failed = SIZE_MAX;
    FTL_TRY(read_options(p, options, error));
    pthread_mutex_init(&p->lock, NULL);
    ftl_status status = run_pieces(p, error);
    pthread_mutex_destroy(&p->lock);
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        ftl_plan_return(p->sessions[i]);
    FTL_TRY(status);
    if (p->status != FTL_OK) {
        if (error)
            *error = p->error;
        return p->status;
    }
    if (bad_rows)
        *bad_rows = p->bad_rows;
    return FTL_OK;
}

ftl_status ftl_plan_run_into(ftl_plan *plan, const ftl_batch *in, const ftl_result_room *rooms,
                             size_t n_rooms, const ftl_parallel_options *options, size_t *bad_rows,
                             ftl_error *error)
{
    if (!plan || !in || !rooms)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_plan_run_into needs a plan, a batch and room for the results");
    FTL_TRY(ftl_batch_check(plan->model, in, error));
    parallel p = {.plan = plan, .in = in, .rooms = rooms, .n_rooms = n_rooms};
    return run_parallel(&p, options, bad_rows, error);
}

ftl_status ftl_predict_parallel(ftl_plan *plan, ftl_method method, const ftl_matrix *in,
                                double *out, const ftl_parallel_options *options, size_t *bad_rows,
                                ftl_error *error)
{
    if (!plan || !in || (!out && in->rows) || !ftl_method_name(method))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_predict_parallel needs a plan, a method, a matrix and a place for the result");
    FTL_TRY(ftl_matrix_check(plan->model, in, error)); /* as a whole: pieces are found by strides */
    size_t width = plan->model->graph.methods[method].count;
    const ftl_batch batch = {.rows = in->rows, .matrix = in};
    const ftl_result_room room = {.method = method,
                                  .room = {.data = out,
                                           .dtype = FTL_F64,
                                           .rows = in->rows,
                                           .columns = width,
                                           .row_stride = (ptrdiff_t)width,
                                           .column_stride = 1}};
    parallel p = {.plan = plan, .in = &batch, .rooms = &room, .n_rooms = 1};
    return run_parallel(&p, options, bad_rows, error);
}
