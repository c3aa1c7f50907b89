/* One worker's part of a file job: a block of records → a batch → outputs → text. */
#include "engine/column_watch.h"
#include "table/parts.h"

#include <string.h>

ftl_status ftl_job_worker_init(ftl_job_worker *worker, const ftl_job *job, ftl_session *session,
                               bool own, ftl_error *error)
{
    size_t n_inputs = job->binding->n_inputs;
    size_t n_outputs = job->binding->n_keep + ftl_model_output_count(job->model, job->method) +
                       (job->proba ? ftl_model_output_count(job->model, FTL_PREDICT_PROBA) : 0);
    *worker = (ftl_job_worker){.job = job, .session = own ? NULL : session, .owns_session = own};
    worker->inputs = ftl_alloc_zero(job->account, n_inputs + 1, sizeof *worker->inputs);
    worker->outputs = ftl_alloc_zero(job->account, n_outputs + 1, sizeof *worker->outputs);
    ftl_status status = worker->inputs && worker->outputs ? FTL_OK : FTL_OOM(error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(job->table, &worker->batch, error);
    if (status == FTL_OK && own)
        status = ftl_plan_borrow(session->plan, &worker->session, error);
    if (status == FTL_OK && own)
        status = ftl_session_set_on_error(worker->session, FTL_ON_ERROR_NULL);
    if (status == FTL_OK)
        status = ftl_session_set_cancel(worker->session, job->cancel);
    if (status != FTL_OK)
        ftl_job_worker_free(worker);
    return status;
}

void ftl_job_worker_free(ftl_job_worker *worker)
{
    if (!worker->job)
        return;
    if (worker->owns_session)
        ftl_plan_return(worker->session);
    ftl_row_batch_destroy(worker->batch);
    ftl_free(worker->job->account, worker->inputs);
    ftl_free(worker->job->account, worker->outputs);
    ftl_free(worker->job->account, worker->validity);
    ftl_free(worker->job->account, worker->bad);
    *worker = (ftl_job_worker){0};
}

static ftl_status room_for_rows(ftl_job_worker *worker, size_t rows, ftl_error *error)
{
    if (rows <= worker->rows_room && worker->bad)
        return FTL_OK;
    uint8_t *bad = ftl_realloc(worker->job->account, worker->bad, rows + 1);
    if (!bad)
        return FTL_OOM(error);
    worker->bad = bad;
    uint8_t *validity = ftl_realloc(worker->job->account, worker->validity, rows / 8 + 1);
    if (!validity)
        return FTL_OOM(error);
    worker->validity = validity;
    worker->rows_room = rows;
    return FTL_OK;
}

static void set_inputs(ftl_job_worker *worker, const ftl_row_view *view)
{
    const ftl_binding *binding = worker->job->binding;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t request = binding->request_of_input[i];
        worker->inputs[i] = request == SIZE_MAX ? (ftl_column){.type = FTL_F64}
                                                : view->batch.columns[request];
    }
}

/* Rows that are bad because of a cell or because of the model. Returns how many. */
static size_t merge_bad(ftl_job_worker *worker, const ftl_row_view *view)
{
    const ftl_session *session = worker->session;
    size_t rows = view->batch.rows, n = 0;
    memset(worker->validity, 0xff, rows / 8 + 1);
    for (size_t i = 0; i < rows; i++) {
        bool refused = session->bad_rows && !((session->validity[i / 8] >> (i % 8)) & 1);
        worker->bad[i] = view->bad[i] || refused;
        if (worker->bad[i]) {
            worker->validity[i / 8] &= (uint8_t)~(1u << (i % 8));
            n++;
        }
    }
    return n;
}

/*
 * Why row i is bad: a cell that cannot be read comes before what the model says of it. next: the
 * next problem of the table.
 */
static ftl_status explain(ftl_job_worker *worker, ftl_job_block *block, const ftl_batch *in,
                          const ftl_row_view *view, size_t row, size_t *next, ftl_error *error)
{
    const ftl_job *job = worker->job;
    if (view->bad[row]) {
        size_t at = SIZE_MAX;
        while (*next < view->n_bad) {
            ftl_row_batch_problem(job->table, block->raw, worker->batch, (*next)++, &at, error);
            if (at == row)
                return error ? error->code : FTL_VALUE;
        }
    }
    ftl_status status = ftl_session_explain(worker->session, ftl_job_methods(job), in, row, error);
    if (error) {
        error->row = (int64_t)(ftl_table_block_first_row(block->raw) + row);
        error->line = ftl_table_block_line(block->raw, row);
    }
    return status == FTL_OK ? FTL_INTERNAL : status;
}

/*
 * Data row and line in front of the reason, when the reason does not begin with its line already.
 */
static void add_position(const ftl_table_block *block, ftl_error *error)
{
    uint64_t first_row = 0; /* of the block, in its part */
    ftl_table_block_origin(block, &first_row);
    char message[FTL_ERROR_MESSAGE_SIZE];
    memcpy(message, error->message, sizeof message);
    ftl_error copy = *error;
    if (strncmp(message, "line ", 5) == 0 || strncmp(message, "row ", 4) == 0)
        return;
    long long row = copy.row - (long long)(ftl_table_block_first_row(block) - first_row);
    if (error->line >= 0)
        ftl_error_set(error, copy.code, "line %lld (row %lld): %.700s", (long long)copy.line, row,
                      message);
    else
        ftl_error_set(error, copy.code, "row %lld: %.700s", row, message);
    error->line = copy.line;
    error->row = copy.row;
    error->column = copy.column;
    ftl_error_because(error, copy.reason, copy.option);
    ftl_error_in(error, copy.path);
}

/* The reject file: the records as they came, each with its reason. */
static ftl_status write_rejects(ftl_job_worker *worker, ftl_job_block *block, const ftl_batch *in,
                                const ftl_row_view *view, ftl_error *error)
{
    size_t next = 0;
    for (size_t row = 0; row < view->batch.rows; row++) {
        ftl_error why;
        ftl_error_clear(&why);
        if (!worker->bad[row])
            continue;
        if (explain(worker, block, in, view, row, &next, &why) == FTL_OK)
            continue;
        ftl_table_name_origin(&why, ftl_table_block_origin(block->raw, NULL));
        FTL_TRY(ftl_table_block_reject(worker->job->table, block->raw, row, why.message,
                                       &block->rejects, error));
    }
    return FTL_OK;
}

static ftl_status first_problem(ftl_job_worker *worker, ftl_job_block *block, const ftl_batch *in,
                                const ftl_row_view *view, ftl_error *error)
{
    size_t row = 0, next = 0;
    while (!worker->bad[row])
        row++;
    ftl_status status = explain(worker, block, in, view, row, &next, error);
    if (error)
        add_position(block->raw, error);
    ftl_table_name_origin(error, ftl_table_block_origin(block->raw, NULL));
    return status;
}

static void set_outputs(ftl_job_worker *worker, const ftl_row_view *view, size_t n_bad,
                        ftl_batch *out)
{
    const ftl_job *job = worker->job;
    size_t n = 0;
    for (size_t i = 0; i < job->binding->n_keep; i++)
        worker->outputs[n++] = view->batch.columns[job->binding->first_keep + i];
    for (int pass = 0; pass < (job->proba ? 2 : 1); pass++) {
        ftl_batch part;
        ftl_session_view(worker->session, pass ? FTL_PREDICT_PROBA : job->method, view->batch.rows,
                         &part);
        for (size_t i = 0; i < part.n_columns; i++) {
            worker->outputs[n] = part.columns[i];
            worker->outputs[n++].validity = n_bad ? worker->validity : NULL;
        }
    }
    *out = (ftl_batch){.rows = view->batch.rows, .n_columns = n, .columns = worker->outputs};
}

static ftl_status compute(ftl_job_worker *worker, ftl_job_block *block, ftl_error *error)
{
    const ftl_job *job = worker->job;
    ftl_row_view view;
    FTL_TRY(ftl_table_convert(job->table, block->raw, worker->batch, error));
    ftl_row_batch_view(worker->batch, &view);
    set_inputs(worker, &view);
    FTL_TRY(room_for_rows(worker, view.batch.rows, error));
    if (job->watch)
        ftl_watch_block(job->watch, worker->inputs, view.batch.rows);
    const ftl_batch in = {
        .rows = view.batch.rows, .n_columns = job->binding->n_inputs, .columns = worker->inputs};
    FTL_TRY(ftl_session_run(worker->session, ftl_job_methods(job), &in, error));
    size_t n_bad = 0;
    if (view.n_bad || worker->session->bad_rows)
        n_bad = merge_bad(worker, &view);
    block->rows_bad = n_bad;
    if (n_bad && job->on_error == FTL_ON_ERROR_FAIL)
        return first_problem(worker, block, &in, &view, error);
    bool skip = n_bad && job->on_error == FTL_ON_ERROR_SKIP;
    block->rows_written = view.batch.rows - (skip ? n_bad : 0);
    if (job->sink) {
        ftl_batch out;
        set_outputs(worker, &view, n_bad, &out);
        FTL_TRY(ftl_sink_format(job->sink, &out, skip ? worker->bad : NULL, &block->text, error));
    }
    if (n_bad && job->want_rejects)
        FTL_TRY(write_rejects(worker, block, &in, &view, error));
    return FTL_OK;
}

void ftl_job_compute(ftl_job_worker *worker, ftl_job_block *block)
{
    ftl_strbuf_clear(&block->text);
    ftl_strbuf_clear(&block->rejects);
    ftl_error_clear(&block->error);
    block->rows_written = block->rows_bad = 0;
    block->status = compute(worker, block, &block->error);
}
