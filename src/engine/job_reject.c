/* Rows that are rejected: records of text as they came, or the columns of the input; with reasons.
 */
#include "engine/job.h"
#include "table/parts.h"

#include <string.h>

/* What a worker keeps for rows that are rejected as columns. */
struct ftl_reject_batch {
    ftl_column *columns; /* [binding->n_reject + 1] the last one holds the reasons */
    ftl_strbuf reasons;
    uint32_t *ends; /* [rows + 1] of the reasons */
    size_t ends_room;
    uint8_t *good; /* [rows] bytes: not rejected */
    size_t good_room;
};

/*
 * What a message says without its advice: where it speaks of an option, that stands behind the last
 * semicolon. Who reads the rejected rows has not made the call whose options it means.
 */
static size_t reason_size(const ftl_error *why)
{
    size_t size = strlen(why->message);
    for (size_t i = size; why->option[0] && i > 0; i--) {
        if (strncmp(why->message + i, "; ", 2) == 0)
            return i;
    }
    return size;
}

/* The reason of a bad row; *next: see ftl_job_explain. */
static void find_reason(ftl_job_worker *worker, ftl_job_block *block, const ftl_row_view *view,
                        size_t row, size_t *next, ftl_error *why)
{
    ftl_error_clear(why);
    if (ftl_job_explain(worker, block, view, row, next, why) == FTL_OK)
        return;
    why->message[reason_size(why)] = '\0';
    ftl_table_name_origin(why, ftl_table_block_origin(block->raw, NULL));
}

static ftl_status write_records(ftl_job_worker *worker, ftl_job_block *block,
                                const ftl_row_view *view, ftl_error *error)
{
    size_t next = 0;
    for (size_t row = 0; row < view->batch.rows; row++) {
        ftl_error why;
        if (!worker->bad[row])
            continue;
        find_reason(worker, block, view, row, &next, &why);
        FTL_TRY(ftl_table_block_reject(worker->job->table, block->raw, row, why.message,
                                       &block->rejects, error));
    }
    return FTL_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

static ftl_status make_batch(ftl_job_worker *worker, ftl_error *error)
{
    ftl_account *account = worker->job->account;
    size_t n = worker->job->binding->n_reject + 1;
    if (worker->reject)
        return FTL_OK;
    struct ftl_reject_batch *batch = ftl_alloc_zero(account, 1, sizeof *batch);
    if (!batch)
        return FTL_OOM(error);
    ftl_strbuf_init(&batch->reasons, account, 0);
    batch->columns = ftl_alloc_zero(account, n, sizeof *batch->columns);
    worker->reject = batch;
    return batch->columns ? FTL_OK : FTL_OOM(error);
}

void ftl_reject_free(ftl_account *account, struct ftl_reject_batch *batch)
{
    if (!batch)
        return;
    ftl_free(account, batch->columns);
    ftl_strbuf_free(&batch->reasons);
    ftl_free(account, batch->ends);
    ftl_free(account, batch->good);
    ftl_free(account, batch);
}

/* A reason for each row, empty ones for rows that are good. */
static ftl_status put_reasons(ftl_job_worker *worker, ftl_job_block *block,
                              const ftl_row_view *view, ftl_error *error)
{
    struct ftl_reject_batch *batch = worker->reject;
    size_t rows = view->batch.rows, next = 0;
    ftl_strbuf_clear(&batch->reasons);
    FTL_TRY(ftl_grow(worker->job->account, &batch->ends, &batch->ends_room, rows + 1,
                     sizeof *batch->ends, error));
    FTL_TRY(ftl_grow(worker->job->account, &batch->good, &batch->good_room, rows + 1, 1, error));
    batch->ends[0] = 0;
    for (size_t row = 0; row < rows; row++) {
        ftl_error why;
        batch->good[row] = !worker->bad[row];
        if (worker->bad[row]) {
            find_reason(worker, block, view, row, &next, &why);
            ftl_strbuf_puts(&batch->reasons, why.message);
        }
        batch->ends[row + 1] = (uint32_t)batch->reasons.size;
    }
    return batch->reasons.failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status write_columns(ftl_job_worker *worker, ftl_job_block *block,
                                const ftl_row_view *view, ftl_error *error)
{
    const ftl_job *job = worker->job;
    size_t n = job->binding->n_reject;
    FTL_TRY(make_batch(worker, error));
    FTL_TRY(put_reasons(worker, block, view, error));
    struct ftl_reject_batch *batch = worker->reject;
    for (size_t i = 0; i < n; i++)
        batch->columns[i] = view->batch.columns[job->binding->first_reject + i];
    const char *reasons = batch->reasons.data;
    batch->columns[n] = (ftl_column){
        .type = FTL_STRING, .values = reasons ? reasons : "", .offsets = batch->ends};
    const ftl_batch out = {.rows = view->batch.rows, .n_columns = n + 1, .columns = batch->columns};
    return ftl_sink_format(job->reject, &out, batch->good, &block->rejects, error);
}

ftl_status ftl_job_reject(ftl_job_worker *worker, ftl_job_block *block, const ftl_row_view *view,
                          ftl_error *error)
{
    return worker->job->reject ? write_columns(worker, block, view, error)
                               : write_records(worker, block, view, error);
}
