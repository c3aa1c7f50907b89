/* ftl_score_arrow: a table as an Arrow C stream in, the results as one out. */
#include "base/options.h"
#include "engine/column_watch.h"
#include "engine/context.h"
#include "engine/job_ring.h"
#include "engine/stream_out.h"

/* Setup, ring, table and model are the context's. */
typedef struct stream_job {
    ftl_stream_out stream;
    ftl_job_setup setup;
    ftl_job_ring ring;
    ftl_table *table;
    ftl_score_options options; /* without what only setting up looks at */
    ftl_model *model;          /* holds it; NULL: given up */
    ftl_score_result *result;
    ftl_score_result figures;
    double started, reported;
} stream_job;

/* ---- The stream ------------------------------------------------------------------------------ */

static void give_up(ftl_stream_out *stream)
{
    stream_job *job = (stream_job *)stream;
    if (!job->model)
        return;
    ftl_ring_end(&job->ring);
    ftl_job_free(&job->setup);
    ftl_table_close(job->table);
    ftl_model_release(job->model);
    job->model = NULL;
}

static ftl_status report_progress(stream_job *job, const ftl_job_block *block, ftl_error *error)
{
    double now = ftl_job_now();
    if (!job->options.progress || now - job->reported < 0.1)
        return FTL_OK;
    job->reported = now;
    const ftl_progress progress = {.struct_size = sizeof progress, .rows = block->progress.rows};
    return job->options.progress(job->options.progress_user, &progress)
               ? FTL_OK
               : FTL_FAIL(error, FTL_CANCELLED, "cancelled");
}

/* Behind the last batch. */
static ftl_status finish(stream_job *job, ftl_error *error)
{
    FTL_TRY(ftl_job_warn(&job->setup.job, &job->options, error));
    job->figures.rows_read = job->ring.rows_read;
    job->figures.read_seconds = job->ring.read_seconds;
    job->figures.threads = job->ring.width;
    job->figures.batch_rows = (uint32_t)job->ring.batch_rows;
    job->figures.seconds = ftl_job_now() - job->started;
    ftl_out_write(job->result, &job->figures, sizeof job->figures);
    return FTL_END;
}

/* The next batch that has rows: of those that were left out nobody is told. */
static ftl_status next_batch(ftl_stream_out *stream, struct ArrowArray *out, ftl_error *error)
{
    stream_job *job = (stream_job *)stream;
    ftl_job_block *block;
    for (;;) {
        ftl_status status = ftl_ring_next(&job->ring, &block, error);
        if (status == FTL_END)
            return finish(job, error);
        FTL_TRY(status);
        ftl_job_add_block(&job->figures, &job->setup.job, block);
        FTL_TRY(report_progress(job, block, error));
        if (block->rows_written == 0)
            continue;
        *out = block->array;
        block->array.release = NULL;
        return FTL_OK;
    }
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static ftl_status check_options(const ftl_score_options *options, ftl_error *error)
{
    const char *path = options->reject_path     ? "reject_path"
                       : options->input_format  ? "input_format"
                       : options->encoding      ? "encoding"
                       : options->output_format ? "output_format"
                       : options->metrics_path  ? "metrics_path"
                       : options->n_more_inputs ? "more_inputs"
                       : options->resume        ? "resume"
                       : options->flush_early   ? "flush_early"
                                                : NULL;
    if (path)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, path,
                               "options.%s is for files; an Arrow stream has none", path);
    return FTL_OK;
}

/* Nothing of the caller's but what options say outlives the call. */
static void forget_lists(ftl_score_options *options)
{
    options->keep = options->features = options->na_values = NULL;
    options->n_keep = options->n_features = options->n_na_values = 0;
}

static ftl_status set_up(stream_job *job, ftl_model *model, ftl_error *error)
{
    ftl_job_setup *setup = &job->setup;
    ftl_executor *executor;
    ftl_sink_column *columns;
    size_t n;
    FTL_TRY(ftl_job_choose(setup, model, &job->options, error));
    FTL_TRY(ftl_job_bind(setup, job->table, NULL, &job->options, error));
    FTL_TRY(ftl_job_list_outputs(setup, &columns, &n, error));
    FTL_TRY(ftl_stream_out_columns(&job->stream, columns, n, error));
    setup->job.arrow = job->stream.columns;
    setup->job.allocator = &job->stream.own.allocator;
    FTL_TRY(ftl_context_executor(model->context, &executor, error));
    forget_lists(&job->options);
    return ftl_ring_begin(&job->ring, &setup->job, job->table, &job->options, executor, error);
}

ftl_status ftl_score_arrow(ftl_model *model, struct ArrowArrayStream *in,
                           const ftl_score_options *options, struct ArrowArrayStream *out,
                           ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !in || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_score_arrow needs a model, a stream and a place for the results");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    FTL_TRY(ftl_out_check(result, "ftl_score_result", error));
    FTL_TRY(check_options(&chosen, error));
    ftl_account *account = &model->context->account;
    stream_job *job = ftl_stream_out_new(&account->allocator, sizeof *job);
    if (!job)
        return FTL_OOM(error);
    job->stream.next = next_batch;
    job->stream.give_up = give_up;
    job->options = chosen;
    job->result = result;
    job->started = ftl_job_now();
    job->model = ftl_model_retain(model);
    const ftl_table_options table = {.empty_text = chosen.empty_text};
    ftl_status status = ftl_table_open_arrow(account, in, &table, &job->table, error);
    if (status == FTL_OK)
        status = set_up(job, model, error);
    if (status != FTL_OK) {
        if (job->table)
            ftl_table_give_back(job->table, in);
        ftl_stream_out_destroy(&job->stream);
        return status;
    }
    ftl_stream_out_hand(&job->stream, out);
    return FTL_OK;
}
