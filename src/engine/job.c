/* One worker's part of a file job: a block of records → a batch → outputs → text. */
#include "engine/arrow_export.h"
#include "engine/column_watch.h"
#include "table/parts.h"

#include <string.h>
#include <time.h>

double ftl_job_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The sessions of one model: the caller's, or one from the pool of the same plan. */
static ftl_status init_model(ftl_job_worker *worker, size_t i, ftl_error *error)
{
    const ftl_job_model *from = &worker->job->models[i];
    ftl_worker_model *to = &worker->models[i];
    to->inputs = ftl_alloc_zero(worker->job->account, from->binding->n_inputs + 1,
                                sizeof *to->inputs);
    if (!to->inputs)
        return FTL_OOM(error);
    if (!worker->owns_sessions) {
        to->session = from->session;
    } else {
        FTL_TRY(ftl_plan_borrow(from->session->plan, &to->session, error));
        FTL_TRY(ftl_session_set_on_error(to->session, FTL_ON_ERROR_NULL));
    }
    return ftl_session_set_cancel(to->session, worker->job->cancel);
}

ftl_status ftl_job_worker_init(ftl_job_worker *worker, const ftl_job *job, bool own,
                               ftl_error *error)
{
    *worker = (ftl_job_worker){.job = job, .owns_sessions = own, .n_outputs = job->binding->n_keep};
    for (size_t i = 0; i < job->n_models; i++)
        worker->n_outputs += ftl_job_outputs(&job->models[i]);
    worker->models = ftl_alloc_zero(job->account, job->n_models, sizeof *worker->models);
    worker->outputs = ftl_alloc_zero(job->account, worker->n_outputs + 1, sizeof *worker->outputs);
    ftl_status status = worker->models && worker->outputs ? FTL_OK : FTL_OOM(error);
    for (size_t i = 0; status == FTL_OK && i < job->n_models; i++)
        status = init_model(worker, i, error);
    if (status == FTL_OK)
        status = ftl_row_batch_create(job->table, &worker->batch, error);
    if (status != FTL_OK)
        ftl_job_worker_free(worker);
    return status;
}

void ftl_job_worker_free(ftl_job_worker *worker)
{
    if (!worker->job)
        return;
    ftl_account *account = worker->job->account;
    for (size_t i = 0; worker->models && i < worker->job->n_models; i++) {
        if (worker->owns_sessions)
            ftl_plan_return(worker->models[i].session);
        ftl_free(account, worker->models[i].inputs);
    }
    ftl_row_batch_destroy(worker->batch);
    ftl_free(account, worker->models);
    ftl_free(account, worker->outputs);
    ftl_free(account, worker->validity);
    ftl_free(account, worker->bad);
    ftl_free(account, worker->merged);
    ftl_reject_free(account, worker->reject);
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

/* Rows that are bad because of a cell or because of a model. Returns how many. */
static size_t merge_bad(ftl_job_worker *worker, const ftl_row_view *view)
{
    size_t rows = view->batch.rows, n = 0;
    memset(worker->validity, 0xff, rows / 8 + 1);
    for (size_t i = 0; i < rows; i++) {
        worker->bad[i] = view->bad[i];
        for (size_t m = 0; m < worker->job->n_models && !worker->bad[i]; m++)
            worker->bad[i] = ftl_job_refuses(worker, m, i);
        if (worker->bad[i]) {
            worker->validity[i / 8] &= (uint8_t)~(1u << (i % 8));
            n++;
        }
    }
    return n;
}

static ftl_status first_problem(ftl_job_worker *worker, ftl_job_block *block,
                                const ftl_row_view *view, ftl_error *error)
{
    size_t row = 0, next = 0;
    while (!worker->bad[row])
        row++;
    ftl_status status = ftl_job_explain(worker, block, view, row, &next, error);
    ftl_table_name_origin(error, ftl_table_block_origin(block->raw, NULL));
    return status;
}

/* An output that is missing in bad rows, too, besides those where it has no value. */
static void hide_bad(ftl_job_worker *worker, size_t i, size_t rows)
{
    ftl_column *column = &worker->outputs[i];
    size_t bytes = rows / 8 + 1;
    uint8_t *merged = worker->merged + i * bytes;
    if (!column->validity) {
        column->validity = worker->validity;
        return;
    }
    for (size_t k = 0; k < (rows + 7) / 8; k++)
        merged[k] = column->validity[k] & worker->validity[k];
    column->validity = merged;
}

/* Columns to keep, then each method of each model. */
static ftl_status set_outputs(ftl_job_worker *worker, const ftl_row_view *view, size_t n_bad,
                              ftl_batch *out, ftl_error *error)
{
    const ftl_job *job = worker->job;
    size_t n = 0;
    if (n_bad) /* a row of bits for each output */
        FTL_TRY(ftl_grow(job->account, &worker->merged, &worker->merged_room,
                         worker->n_outputs * (view->batch.rows / 8 + 1), 1, error));
    for (size_t i = 0; i < job->binding->n_keep; i++)
        worker->outputs[n++] = view->batch.columns[job->binding->first_keep + i];
    for (size_t m = 0; m < job->n_models; m++) {
        for (size_t k = 0; k < job->models[m].n_methods; k++) {
            ftl_batch part;
            ftl_session_view(worker->models[m].session, job->models[m].methods[k], view->batch.rows,
                             &part);
            for (size_t i = 0; i < part.n_columns; i++) {
                worker->outputs[n] = part.columns[i];
                if (n_bad)
                    hide_bad(worker, n, view->batch.rows);
                n++;
            }
        }
    }
    *out = (ftl_batch){.rows = view->batch.rows, .n_columns = n, .columns = worker->outputs};
    return FTL_OK;
}

static ftl_status predict(ftl_job_worker *worker, const ftl_row_view *view, ftl_error *error)
{
    const ftl_job *job = worker->job;
    for (size_t m = 0; m < job->n_models; m++) {
        const ftl_batch in = ftl_job_inputs(worker, m, view);
        if (job->models[m].watch)
            ftl_watch_block(job->models[m].watch, in.columns, in.rows);
        FTL_TRY(ftl_session_run(worker->models[m].session, ftl_job_methods(&job->models[m]), &in,
                                error));
    }
    return FTL_OK;
}

static bool any_refused(const ftl_job_worker *worker)
{
    for (size_t m = 0; m < worker->job->n_models; m++) {
        if (worker->models[m].session->bad_rows)
            return true;
    }
    return false;
}

static ftl_status format(ftl_job_worker *worker, ftl_job_block *block, const ftl_row_view *view,
                         size_t n_bad, ftl_error *error)
{
    const ftl_job *job = worker->job;
    bool skip = n_bad && job->on_error == FTL_ON_ERROR_SKIP;
    block->rows_written = view->batch.rows - (skip ? n_bad : 0);
    const uint8_t *left_out = skip ? worker->bad : NULL;
    ftl_batch out;
    if (job->sink || job->arrow)
        FTL_TRY(set_outputs(worker, view, n_bad, &out, error));
    if (job->sink)
        FTL_TRY(ftl_sink_format(job->sink, &out, left_out, &block->text, error));
    if (job->arrow)
        FTL_TRY(ftl_arrow_export_array(job->allocator, job->arrow, &out, left_out, &block->array,
                                       error));
    return n_bad && job->want_rejects ? ftl_job_reject(worker, block, view, error) : FTL_OK;
}

static ftl_status compute(ftl_job_worker *worker, ftl_job_block *block, ftl_error *error)
{
    const ftl_job *job = worker->job;
    ftl_row_view view;
    double start = ftl_job_now();
    FTL_TRY(ftl_table_convert(job->table, block->raw, worker->batch, error));
    ftl_row_batch_view(worker->batch, &view);
    FTL_TRY(room_for_rows(worker, view.batch.rows, error));
    double parsed = ftl_job_now();
    FTL_TRY(predict(worker, &view, error));
    double predicted = ftl_job_now();
    size_t n_bad = view.n_bad || any_refused(worker) ? merge_bad(worker, &view) : 0;
    block->rows_bad = n_bad;
    if (n_bad && job->on_error == FTL_ON_ERROR_FAIL)
        return first_problem(worker, block, &view, error);
    FTL_TRY(format(worker, block, &view, n_bad, error));
    block->times = (ftl_job_times){parsed - start, predicted - parsed, ftl_job_now() - predicted};
    return FTL_OK;
}

void ftl_job_block_drop(ftl_job_block *block)
{
    if (block->array.release)
        block->array.release(&block->array);
    block->array.release = NULL;
}

void ftl_job_compute(ftl_job_worker *worker, ftl_job_block *block)
{
    ftl_job_block_drop(block);
    ftl_strbuf_clear(&block->text);
    ftl_strbuf_clear(&block->rejects);
    ftl_error_clear(&block->error);
    block->rows_written = block->rows_bad = 0;
    block->times = (ftl_job_times){0};
    block->status = compute(worker, block, &block->error);
}
