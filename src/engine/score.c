/* ftl_score: the driver of a file job. */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/callback_stream.h"
#include "engine/context.h"
#include "engine/destinations.h"
#include "engine/job_ring.h"
#include "engine/resume.h"

#include <string.h>

/* A file job on its way. */
typedef struct runner {
    ftl_job_setup setup;
    ftl_inputs inputs;
    ftl_job_ring ring;
    ftl_table *table;
    const ftl_score_options *options;
    ftl_score_result result;
    ftl_resume resume;
    double started, reported;
} runner;

static ftl_status report_progress(runner *run, const ftl_progress *progress, ftl_error *error)
{
    double now = ftl_job_now();
    if (!run->options->progress || now - run->reported < 0.1)
        return FTL_OK;
    run->reported = now;
    if (!run->options->progress(run->options->progress_user, progress))
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    return FTL_OK;
}

static ftl_status write_rejects(runner *run, const ftl_job_block *block, ftl_error *error)
{
    ftl_sink *reject = run->setup.reject;
    if (reject && block->rejects.size)
        FTL_TRY(ftl_sink_append(reject, block->rejects.data, block->rejects.size, block->rows_bad,
                                error));
    const uint64_t rows = block->progress.rows;
    return reject && rows % ftl_job_reject_part(rows) == 0 ? ftl_sink_cut(reject, error) : FTL_OK;
}

static ftl_status write_block(runner *run, ftl_job_block *block, ftl_error *error)
{
    ftl_job_setup *setup = &run->setup;
    double start = ftl_job_now();
    FTL_TRY(ftl_sink_append(setup->sink, block->text.data, block->text.size, block->rows_written,
                            error));
    FTL_TRY(write_rejects(run, block, error));
    run->result.write_seconds += ftl_job_now() - start;
    ftl_job_add_block(&run->result, &setup->job, block);
    FTL_TRY(ftl_resume_note(&run->resume, &block->end, setup->sink, setup->reject, &run->result,
                            error));
    return report_progress(run, &block->progress, error);
}

static ftl_status run_blocks(runner *run, ftl_executor *executor, ftl_error *error)
{
    ftl_job_block *block;
    ftl_job_ring *ring = &run->ring;
    ring->rows_read = run->result.rows_read; /* those that an earlier call had done */
    ftl_status status = ftl_ring_begin(ring, &run->setup.job, run->table, run->options, executor,
                                       error);
    if (status == FTL_OK && ring->width > 1)
        ftl_sink_share(run->setup.sink, &ring->group, ring->width);
    while (status == FTL_OK) {
        status = ftl_ring_next(ring, &block, error);
        if (status == FTL_OK)
            status = write_block(run, block, error);
    }
    if (status == FTL_END)
        ftl_sink_share(run->setup.sink, NULL, 0);
    ftl_ring_end(ring);
    run->result.threads = ring->width;
    run->result.batch_rows = (uint32_t)ring->batch_rows;
    run->result.rows_read = ring->rows_read;
    run->result.read_seconds = ring->read_seconds;
    return status == FTL_END ? FTL_OK : status;
}

/* Small inputs are over before a thread would have started, or the processors were counted. */
static ftl_status run_all(runner *run, ftl_error *error)
{
    ftl_executor *executor = NULL;
    uint64_t total = ftl_table_bytes_total(run->table);
    bool small = run->options->flush_early || (total && total <= FTL_SMALL_INPUT &&
                                               ftl_table_get_info(run->table)->n_parts <= 1);
    if (!small) {
        FTL_TRY(ftl_context_executor(run->setup.models[0].model->context, &executor, error));
        return run_blocks(run, executor, error);
    }
    FTL_TRY(ftl_executor_create(run->setup.job.account, 0, &executor, error));
    ftl_status status = run_blocks(run, executor, error);
    ftl_executor_destroy(executor);
    return status;
}

static ftl_status run_job(runner *run, const char *output_path, ftl_error *error)
{
    ftl_job_setup *setup = &run->setup;
    FTL_TRY(ftl_job_bind(setup, run->table, output_path, run->options, error));
    FTL_TRY(ftl_resume_open(&run->resume, &setup->job, &run->inputs, output_path, run->options,
                            &setup->arena, error));
    FTL_TRY(ftl_job_open_sinks(setup, output_path, run->options, error));
    FTL_TRY(ftl_resume_go_on(&run->resume, run->table, setup->sink, setup->reject, &run->result,
                             error));
    FTL_TRY(run_all(run, error));
    FTL_TRY(ftl_job_warn(&setup->job, run->options, error));
    /* the last moment: then it is written */
    FTL_TRY(ftl_cancel_check(run->options->cancel, error));
    run->result.bytes_read = ftl_table_bytes_read(run->table);
    double start = ftl_job_now();
    FTL_TRY(ftl_job_commit(setup, &run->result.bytes_written, error));
    run->result.write_seconds += ftl_job_now() - start;
    return FTL_OK;
}

static void end_job(runner *run, ftl_status status)
{
    bool leave = run->resume.fd >= 0 && ftl_sink_may_go_on(status);
    if (leave)
        ftl_job_leave_sinks(&run->setup);
    ftl_resume_close(&run->resume, !leave);
    ftl_job_free(&run->setup);
}

/* run->table, of the files that the names stand for; what they stand for lives in the arena. */
static ftl_status open_inputs(runner *run, const char *input_path, const char *output_path,
                              ftl_arena *arena, ftl_error *error)
{
    const ftl_job *job = &run->setup.job;
    FTL_TRY(ftl_inputs_find(arena, input_path, run->options, &run->inputs, error));
    for (size_t i = 0; i < job->n_models; i++)
        FTL_TRY(ftl_check_destinations(job->models[i].model, &run->inputs, output_path,
                                       run->options, error));
    return ftl_inputs_open(arena, &run->inputs, run->options, &run->table, error);
}

/* Whether rows can be written as they come. */
static ftl_status check_early(const ftl_score_options *options, ftl_error *error)
{
    const char *format = options->input_format ? options->input_format : "";
    if (!options->flush_early)
        return FTL_OK;
    if (strcmp(format, "jsonl") != 0 && strcmp(format, "csv") != 0)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_NEEDS_OPTION, "input_format",
                               "options.flush_early is for rows that come one after the other; "
                               "options.input_format is 'jsonl' or 'csv' then");
    if (options->encoding)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "encoding",
                               "options.encoding does not go with options.flush_early, which reads "
                               "UTF-8");
    return FTL_OK;
}

static ftl_status end_with(runner *run, ftl_status status, ftl_score_result *result)
{
    end_job(run, status);
    ftl_table_close(run->table);
    if (status == FTL_OK) {
        run->result.seconds = ftl_job_now() - run->started;
        ftl_out_write(result, &run->result, sizeof run->result);
    }
    return status;
}

ftl_status ftl_score(ftl_model *model, const char *input_path, const char *output_path,
                     const ftl_score_options *options, ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !input_path || !output_path)
        return FTL_FAIL(error, FTL_ARG, "ftl_score needs a model, an input and an output");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    FTL_TRY(ftl_out_check(result, "ftl_score_result", error));
    FTL_TRY(check_early(&chosen, error));
    runner run = {.options = &chosen, .started = ftl_job_now(), .resume = {.fd = -1}};
    FTL_TRY(ftl_job_choose(&run.setup, model, &chosen, error));
    ftl_arena arena;
    ftl_arena_init(&arena, run.setup.job.account);
    ftl_status status = open_inputs(&run, input_path, output_path, &arena, error);
    if (status == FTL_OK)
        status = run_job(&run, output_path, error);
    status = end_with(&run, status, result);
    ftl_arena_free(&arena);
    return status;
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static ftl_status check_stream_options(const ftl_score_options *options, ftl_error *error)
{
    const char *path = options->reject_path     ? "reject_path"
                       : options->metrics_path  ? "metrics_path"
                       : options->n_more_inputs ? "more_inputs"
                       : options->resume        ? "resume"
                                                : NULL;
    if (path)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, path,
                               "options.%s is for files; a stream has none", path);
    return check_early(options, error);
}

static ftl_status read_callbacks(ftl_reader *in, const ftl_reader *input, ftl_writer *out,
                                 const ftl_writer *output, ftl_error *error)
{
    FTL_TRY(ftl_options_read(in, sizeof *in, input, "ftl_reader", error));
    FTL_TRY(ftl_options_read(out, sizeof *out, output, "ftl_writer", error));
    if (!in->read || !out->write)
        return FTL_FAIL(error, FTL_ARG, "ftl_score_stream needs a function that %s",
                        in->read ? "writes" : "reads");
    return FTL_OK;
}

static ftl_status run_stream(runner *run, const ftl_reader *in, const ftl_writer *out,
                             ftl_error *error)
{
    ftl_stream *stream = NULL;
    FTL_TRY(ftl_stream_open_reader(run->setup.job.account, in, &stream, error));
    FTL_TRY(ftl_job_open_stream(run->setup.job.account, stream, in->name, 0, run->options,
                                &run->table, error));
    ftl_table_set_foreign(run->table);
    return run_job(run, out->name ? out->name : "the output", error);
}

ftl_status ftl_score_stream(ftl_model *model, const ftl_reader *input, const ftl_writer *output,
                            const ftl_score_options *options, ftl_score_result *result,
                            ftl_error *error)
{
    ftl_score_options chosen;
    ftl_reader in;
    ftl_writer out;
    if (!model || !input || !output)
        return FTL_FAIL(error, FTL_ARG, "ftl_score_stream needs a model, an input and an output");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    FTL_TRY(ftl_out_check(result, "ftl_score_result", error));
    FTL_TRY(check_stream_options(&chosen, error));
    FTL_TRY(read_callbacks(&in, input, &out, output, error));
    const ftl_sink_taker taker = {out.user, out.write};
    runner run = {.options = &chosen, .started = ftl_job_now(), .resume = {.fd = -1}};
    run.setup.taker = &taker;
    ftl_status status = ftl_job_choose(&run.setup, model, &chosen, error);
    if (status == FTL_OK)
        status = run_stream(&run, &in, &out, error);
    return end_with(&run, status, result);
}
