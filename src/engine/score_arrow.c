/* ftl_score_arrow: a table as an Arrow C stream in, the results as one out. */
#include "base/options.h"
#include "engine/arrow_export.h"
#include "engine/column_watch.h"
#include "engine/context.h"
#include "engine/job_ring.h"

#include <stdio.h>
#include <string.h>

/*
 * What the stream that is handed out owns. The structure and the columns' names are memory of its
 * own; all else is the context's, and is given up as soon as the stream has ended or failed.
 */
typedef struct stream_job {
    ftl_account own; /* of this structure and the names */
    ftl_arena names;
    ftl_job_setup setup;
    ftl_job_ring ring;
    ftl_table *table;
    ftl_score_options options; /* without what only setting up looks at */
    ftl_sink_column *columns;
    size_t n_columns;
    ftl_model *model; /* holds it */
    ftl_score_result *result;
    ftl_score_result figures;
    double started, reported;
    ftl_status status; /* not OK: what every further batch is; END behind the last one */
    ftl_error error;
    char message[FTL_ERROR_MESSAGE_SIZE + 32];
} stream_job;

static stream_job *new_job(const ftl_allocator *allocator)
{
    ftl_account account;
    ftl_account_init(&account, allocator, 0);
    stream_job *job = ftl_alloc_zero(&account, 1, sizeof *job);
    if (!job)
        return NULL;
    ftl_account_init(&job->own, allocator, 0);
    ftl_arena_init(&job->names, &job->own);
    ftl_error_clear(&job->error);
    return job;
}

/* Everything that is the context's. */
static void give_up(stream_job *job)
{
    if (!job->model)
        return;
    ftl_ring_end(&job->ring);
    ftl_job_free(&job->setup);
    ftl_table_close(job->table);
    ftl_model_release(job->model);
    job->model = NULL;
}

static void destroy(stream_job *job)
{
    ftl_account account;
    give_up(job);
    ftl_arena_free(&job->names);
    ftl_account_init(&account, &job->own.allocator, 0);
    ftl_free(&account, job);
}

/* ---- The stream ------------------------------------------------------------------------------ */

static int fail(stream_job *job, ftl_status status)
{
    give_up(job);
    job->status = status;
    snprintf(job->message, sizeof job->message, "%s: %s", ftl_status_name(status),
             job->error.message);
    return ftl_arrow_errno(status);
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    stream_job *job = stream->private_data;
    ftl_status status = ftl_arrow_export_schema(&job->own.allocator, job->columns, job->n_columns,
                                                out, &job->error);
    return status == FTL_OK ? 0 : fail(job, status);
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
static ftl_status next_batch(stream_job *job, struct ArrowArray *out, ftl_error *error)
{
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

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    stream_job *job = stream->private_data;
    ftl_status status = job->status;
    if (status == FTL_OK)
        status = next_batch(job, out, &job->error);
    if (status == FTL_OK)
        return 0;
    if (status != FTL_END)
        return fail(job, status);
    give_up(job);
    job->status = FTL_END;
    *out = (struct ArrowArray){0};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    const stream_job *job = stream->private_data;
    return job->message[0] ? job->message : NULL;
}

static void release(struct ArrowArrayStream *stream)
{
    destroy(stream->private_data);
    stream->release = NULL;
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

/* The columns of the results, kept apart. */
static ftl_status list_columns(stream_job *job, ftl_error *error)
{
    ftl_sink_column *columns;
    FTL_TRY(ftl_job_list_outputs(&job->setup, &columns, &job->n_columns, error));
    job->columns = ftl_arena_copy(&job->names, columns, job->n_columns * sizeof *columns);
    if (!job->columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < job->n_columns; i++) {
        job->columns[i].name = ftl_arena_string(&job->names, columns[i].name,
                                                strlen(columns[i].name));
        if (!job->columns[i].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status set_up(stream_job *job, ftl_model *model, ftl_error *error)
{
    ftl_job_setup *setup = &job->setup;
    ftl_executor *executor;
    FTL_TRY(ftl_job_choose(setup, model, &job->options, error));
    FTL_TRY(ftl_job_bind(setup, job->table, NULL, &job->options, error));
    FTL_TRY(list_columns(job, error));
    setup->job.arrow = job->columns;
    setup->job.allocator = &job->own.allocator;
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
    stream_job *job = new_job(&account->allocator);
    if (!job)
        return FTL_OOM(error);
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
        destroy(job);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = job};
    return FTL_OK;
}
