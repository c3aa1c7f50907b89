/* ftl_score: the driver of a file job. */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/column_watch.h"
#include "engine/context.h"
#include "engine/destinations.h"
#include "engine/inputs.h"

#include <string.h>

enum { small_input = 1 << 20 };

/* A block on its way, and the task that computes it. */
typedef struct job_piece {
    struct runner *run;
    ftl_task task;
    ftl_job_block block;
} job_piece;

/*
 * A ring of pieces: the calling thread fills at head and writes and empties at tail; what lies
 * between waits for a thread, is being computed or is done.
 */
typedef struct runner {
    ftl_job_setup setup;
    ftl_table *table;
    const ftl_score_options *options;
    ftl_score_result result;
    double started, reported;
    size_t batch_rows;

    job_piece *pieces;
    size_t n_pieces, n_made;
    size_t head, tail;                       /* counters; the piece is the counter % n_pieces */
    ftl_job_worker workers[FTL_GROUP_WIDTH]; /* by slot; made when a task first has the slot */
} runner;

static ftl_status report_progress(runner *run, ftl_error *error)
{
    double now = ftl_job_now();
    if (!run->options->progress || now - run->reported < 0.1)
        return FTL_OK;
    run->reported = now;
    const ftl_progress progress = {.struct_size = sizeof progress,
                                   .rows = run->result.rows_read,
                                   .bytes_read = ftl_table_bytes_read(run->table),
                                   .bytes_total = ftl_table_bytes_total(run->table)};
    if (!run->options->progress(run->options->progress_user, &progress))
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    return FTL_OK;
}

/* END when the table or the limit is exhausted. *last: no more will come. */
static ftl_status read_block(runner *run, ftl_job_block *block, bool *last, ftl_error *error)
{
    size_t rows = run->batch_rows;
    double start = ftl_job_now();
    if (run->options->limit) {
        uint64_t left = run->options->limit - run->result.rows_read;
        rows = left < rows ? (size_t)left : rows;
        if (rows == 0)
            return FTL_END;
    }
    FTL_TRY(ftl_table_read(run->table, rows, block->raw, error));
    size_t got = ftl_table_block_rows(block->raw);
    run->result.rows_read += got;
    run->result.read_seconds += ftl_job_now() - start;
    *last = run->options->limit == run->result.rows_read ||
            (got < rows && ftl_table_bytes_read(run->table) < small_input);
    return FTL_OK;
}

static ftl_status write_block(runner *run, ftl_job_block *block, ftl_error *error)
{
    if (block->status != FTL_OK) {
        if (error)
            *error = block->error;
        return block->status;
    }
    ftl_job_setup *setup = &run->setup;
    double start = ftl_job_now();
    FTL_TRY(ftl_sink_append(setup->sink, block->text.data, block->text.size, block->rows_written,
                            error));
    if (setup->reject && block->rejects.size)
        FTL_TRY(ftl_sink_append(setup->reject, block->rejects.data, block->rejects.size,
                                block->rows_bad, error));
    run->result.write_seconds += ftl_job_now() - start;
    run->result.parse_seconds += block->times.parse;
    run->result.predict_seconds += block->times.predict;
    run->result.format_seconds += block->times.format;
    run->result.rows_written += block->rows_written;
    if (setup->job.on_error == FTL_ON_ERROR_SKIP)
        run->result.rows_rejected += block->rows_bad;
    else
        run->result.rows_nulled += block->rows_bad;
    return report_progress(run, error);
}

/* ---- The ring -------------------------------------------------------------------------------- */

static ftl_status make_pieces(runner *run, size_t n, ftl_error *error)
{
    ftl_account *account = run->setup.job.account;
    run->pieces = ftl_alloc_zero(account, n, sizeof *run->pieces);
    if (!run->pieces)
        return FTL_OOM(error);
    run->n_pieces = n;
    for (; run->n_made < n; run->n_made++) {
        job_piece *piece = &run->pieces[run->n_made];
        FTL_TRY(ftl_table_block_create(run->table, &piece->block.raw, error));
        ftl_strbuf_init(&piece->block.text, account, 0);
        ftl_strbuf_init(&piece->block.rejects, account, 0);
        piece->run = run;
    }
    return FTL_OK;
}

static void free_pieces(runner *run)
{
    for (size_t i = 0; i < run->n_made; i++) {
        ftl_table_block_destroy(run->pieces[i].block.raw);
        ftl_strbuf_free(&run->pieces[i].block.text);
        ftl_strbuf_free(&run->pieces[i].block.rejects);
    }
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        ftl_job_worker_free(&run->workers[i]);
    ftl_free(run->setup.job.account, run->pieces);
}

/* A task: computes its piece with the tools of its slot. */
static void compute_piece(void *user, uint32_t slot)
{
    job_piece *piece = user;
    ftl_job_worker *worker = &piece->run->workers[slot];
    ftl_job_block *block = &piece->block;
    block->status = FTL_OK;
    if (!worker->job)
        block->status = ftl_job_worker_init(worker, &piece->run->setup.job, slot != 0,
                                            &block->error);
    if (block->status == FTL_OK)
        ftl_job_compute(worker, block);
}

/* Reads into the head's piece and sees to it that it is computed: by the caller when it is alone.
 */
static ftl_status start_piece(runner *run, ftl_task_group *group, ftl_error *error)
{
    job_piece *piece = &run->pieces[run->head % run->n_pieces];
    bool last = false;
    FTL_TRY(ftl_cancel_check(run->options->cancel, error));
    FTL_TRY(read_block(run, &piece->block, &last, error));
    piece->task = (ftl_task){.run = compute_piece, .user = piece};
    if (run->n_pieces == 1 || (last && run->head == run->tail)) {
        compute_piece(piece, 0);
        piece->task.state = FTL_TASK_DONE;
    } else {
        ftl_group_submit(group, &piece->task);
    }
    run->head++;
    return FTL_OK;
}

/*
 * The calling thread reads and writes, and computes when it would have to wait for a piece that no
 * thread has begun. The oldest piece is always the next to be written.
 */
static ftl_status drive(runner *run, ftl_task_group *group, ftl_error *error)
{
    ftl_status read_status = FTL_OK;
    ftl_error read_error;
    ftl_error_clear(&read_error);
    for (;;) {
        while (read_status == FTL_OK && run->head - run->tail < run->n_pieces)
            read_status = start_piece(run, group, &read_error);
        if (run->tail == run->head)
            break;
        job_piece *piece = &run->pieces[run->tail % run->n_pieces];
        ftl_group_wait(group, &piece->task);
        FTL_TRY(ftl_cancel_check(run->options->cancel, error));
        FTL_TRY(write_block(run, &piece->block, error));
        run->tail++;
    }
    if (read_status == FTL_END)
        return FTL_OK;
    if (error)
        *error = read_error;
    return read_status;
}

/* Pieces beyond the threads keep these busy while the caller writes. */
static ftl_status run_pieces(runner *run, ftl_executor *executor, ftl_error *error)
{
    enum { spare_pieces = 2 };
    uint32_t width = ftl_executor_threads(executor);
    if (run->options->threads && run->options->threads < width)
        width = run->options->threads;
    if (width > FTL_GROUP_WIDTH)
        width = FTL_GROUP_WIDTH;
    if (width == 0) /* the caller does everything */
        width = 1;
    size_t n_pieces = width == 1 ? 1 : width + spare_pieces;
    run->batch_rows = ftl_job_batch_rows(&run->setup.job, run->options, n_pieces);
    run->result.threads = width;
    run->result.batch_rows = (uint32_t)run->batch_rows;
    FTL_TRY(make_pieces(run, n_pieces, error));
    ftl_task_group group;
    ftl_group_begin(&group, executor, width);
    if (width > 1)
        ftl_sink_share(run->setup.sink, &group, width);
    ftl_status status = drive(run, &group, error);
    if (status == FTL_OK)
        ftl_sink_share(run->setup.sink, NULL, 0);
    ftl_group_end(&group);
    return status;
}

/* Small inputs are over before a thread would have started, or the processors were counted. */
static ftl_status run_all(runner *run, ftl_error *error)
{
    ftl_executor *executor = NULL;
    uint64_t total = ftl_table_bytes_total(run->table);
    bool small = total && total <= small_input && ftl_table_get_info(run->table)->n_parts <= 1;
    if (!small) {
        FTL_TRY(ftl_context_executor(run->setup.models[0].model->context, &executor, error));
        return run_pieces(run, executor, error);
    }
    FTL_TRY(ftl_executor_create(run->setup.job.account, 0, &executor, error));
    ftl_status status = run_pieces(run, executor, error);
    ftl_executor_destroy(executor);
    return status;
}

/* ---- The job --------------------------------------------------------------------------------- */

/* Lines for options->warn about the columns as a whole. */
static ftl_status warn_of_columns(const runner *run, const ftl_job_model *model, ftl_error *error)
{
    ftl_status status = FTL_OK;
    ftl_strbuf line;
    ftl_strbuf_init(&line, run->setup.job.account, 1 << 16);
    for (size_t i = 0; model->watch && i < model->watch->n && status == FTL_OK; i++) {
        ftl_strbuf_clear(&line);
        if (!ftl_watch_warning(model->model, model->watch, i, &line))
            continue;
        const char *text = ftl_strbuf_text(&line);
        if (!run->options->warn(run->options->warn_user, text, strlen(text)))
            status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    }
    ftl_strbuf_free(&line);
    return status;
}

static ftl_status run_job(runner *run, const char *output_path, ftl_error *error)
{
    ftl_job_setup *setup = &run->setup;
    FTL_TRY(ftl_job_bind(setup, run->table, run->options, error));
    FTL_TRY(ftl_job_open_sinks(setup, output_path, run->options, error));
    FTL_TRY(run_all(run, error));
    for (size_t i = 0; i < setup->job.n_models; i++)
        FTL_TRY(warn_of_columns(run, &setup->models[i], error));
    /* the last moment: then it is written */
    FTL_TRY(ftl_cancel_check(run->options->cancel, error));
    run->result.bytes_read = ftl_table_bytes_read(run->table);
    double start = ftl_job_now();
    FTL_TRY(ftl_job_commit(setup, &run->result.bytes_written, error));
    run->result.write_seconds += ftl_job_now() - start;
    return FTL_OK;
}

static ftl_status open_inputs(runner *run, const char *input_path, const char *output_path,
                              ftl_arena *arena, ftl_error *error)
{
    ftl_inputs inputs;
    const ftl_job *job = &run->setup.job;
    FTL_TRY(ftl_inputs_find(arena, input_path, run->options, &inputs, error));
    for (size_t i = 0; i < job->n_models; i++)
        FTL_TRY(ftl_check_destinations(job->models[i].model, &inputs, output_path,
                                       run->options->reject_path, error));
    return ftl_inputs_open(arena, &inputs, run->options, &run->table, error);
}

ftl_status ftl_score(ftl_model *model, const char *input_path, const char *output_path,
                     const ftl_score_options *options, ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !input_path || !output_path)
        return FTL_FAIL(error, FTL_ARG, "ftl_score needs a model, an input and an output");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    FTL_TRY(ftl_out_check(result, "ftl_score_result", error));
    runner run = {.options = &chosen, .started = ftl_job_now()};
    FTL_TRY(ftl_job_choose(&run.setup, model, &chosen, error));
    ftl_arena arena;
    ftl_arena_init(&arena, run.setup.job.account);
    ftl_status status = open_inputs(&run, input_path, output_path, &arena, error);
    if (status == FTL_OK)
        status = run_job(&run, output_path, error);
    free_pieces(&run);
    ftl_job_free(&run.setup);
    ftl_table_close(run.table);
    ftl_arena_free(&arena);
    if (status == FTL_OK) {
        run.result.seconds = ftl_job_now() - run.started;
        ftl_out_write(result, &run.result, sizeof run.result);
    }
    return status;
}
