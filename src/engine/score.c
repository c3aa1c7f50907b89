/* ftl_score: the driver of a file job. */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/column_watch.h"
#include "engine/context.h"
#include "engine/destinations.h"
#include "engine/inputs.h"
#include "engine/names.h"

#include <string.h>
#include <time.h>

enum { default_batch_rows = 5000, small_input = 1 << 20 };
/* Numbers of a batch, in and out: what each worker holds stays some tens of megabytes however wide
 * the model is. */
enum { default_batch_cells = 1 << 21, least_batch_rows = 16 };

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
    ftl_job job;
    ftl_table *table;
    ftl_sink *sink, *reject;
    ftl_session *session;
    const ftl_score_options *options;
    ftl_score_result result;
    struct timespec started, reported;

    job_piece *pieces;
    size_t n_pieces, n_made;
    size_t head, tail;                       /* counters; the piece is the counter % n_pieces */
    ftl_job_worker workers[FTL_GROUP_WIDTH]; /* by slot; made when a task first has the slot */
} runner;

static double seconds_since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + 1e-9 * (double)(now.tv_nsec - from->tv_nsec);
}

static ftl_status report_progress(runner *run, ftl_error *error)
{
    if (!run->options->progress || seconds_since(&run->reported) < 0.1)
        return FTL_OK;
    clock_gettime(CLOCK_MONOTONIC, &run->reported);
    const ftl_progress progress = {.struct_size = sizeof progress,
                                   .rows = run->result.rows_read,
                                   .bytes_read = ftl_table_bytes_read(run->table),
                                   .bytes_total = ftl_table_bytes_total(run->table)};
    if (!run->options->progress(run->options->progress_user, &progress))
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    return FTL_OK;
}

/* Rows of a batch: what was asked for, else fewer of wide models. Results never depend on it. */
static size_t batch_rows(const runner *run)
{
    const ftl_job *job = &run->job;
    if (run->options->batch_rows)
        return run->options->batch_rows;
    size_t width = job->binding->n_requests + ftl_model_output_count(job->model, job->method) +
                   (job->proba ? ftl_model_output_count(job->model, FTL_PREDICT_PROBA) : 0);
    size_t rows = width ? default_batch_cells / width : default_batch_rows;
    return rows > default_batch_rows ? default_batch_rows
           : rows < least_batch_rows ? least_batch_rows
                                     : rows;
}

/* END when the table or the limit is exhausted. *last: no more will come. */
static ftl_status read_block(runner *run, ftl_job_block *block, bool *last, ftl_error *error)
{
    size_t rows = batch_rows(run);
    if (run->options->limit) {
        uint64_t left = run->options->limit - run->result.rows_read;
        rows = left < rows ? (size_t)left : rows;
        if (rows == 0)
            return FTL_END;
    }
    FTL_TRY(ftl_table_read(run->table, rows, block->raw, error));
    size_t got = ftl_table_block_rows(block->raw);
    run->result.rows_read += got;
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
    FTL_TRY(
        ftl_sink_append(run->sink, block->text.data, block->text.size, block->rows_written, error));
    if (run->reject && block->rejects.size)
        FTL_TRY(ftl_sink_append(run->reject, block->rejects.data, block->rejects.size,
                                block->rows_bad, error));
    run->result.rows_written += block->rows_written;
    if (run->job.on_error == FTL_ON_ERROR_SKIP)
        run->result.rows_rejected += block->rows_bad;
    else
        run->result.rows_nulled += block->rows_bad;
    return report_progress(run, error);
}

/* ---- The ring -------------------------------------------------------------------------------- */

static ftl_status make_pieces(runner *run, size_t n, ftl_error *error)
{
    ftl_account *account = run->job.account;
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
    ftl_free(run->job.account, run->pieces);
}

/* A task: computes its piece with the tools of its slot. */
static void compute_piece(void *user, uint32_t slot)
{
    job_piece *piece = user;
    ftl_job_worker *worker = &piece->run->workers[slot];
    ftl_job_block *block = &piece->block;
    block->status = FTL_OK;
    if (!worker->job)
        block->status = ftl_job_worker_init(worker, &piece->run->job, piece->run->session,
                                            slot != 0, &block->error);
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
    FTL_TRY(make_pieces(run, width == 1 ? 1 : width + spare_pieces, error));
    ftl_task_group group;
    ftl_group_begin(&group, executor, width);
    ftl_status status = drive(run, &group, error);
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
        FTL_TRY(ftl_context_executor(run->job.model->context, &executor, error));
        return run_pieces(run, executor, error);
    }
    FTL_TRY(ftl_executor_create(run->job.account, 0, &executor, error));
    ftl_status status = run_pieces(run, executor, error);
    ftl_executor_destroy(executor);
    return status;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static ftl_status open_session(runner *run, ftl_error *error)
{
    const ftl_session_options options = {.struct_size = sizeof options,
                                         .input_dtype = ftl_job_dtype(run->job.binding),
                                         .methods = ftl_job_methods(&run->job),
                                         .on_error = FTL_ON_ERROR_NULL};
    return ftl_session_create(run->job.model, &options, &run->session, error);
}

static ftl_status open_sink(runner *run, const char *path, ftl_arena *arena, ftl_error *error)
{
    const ftl_binding *binding = run->job.binding;
    size_t n = 0, room = binding->n_keep + ftl_model_output_count(run->job.model, run->job.method) +
                         ftl_model_output_count(run->job.model, FTL_PREDICT_PROBA);
    ftl_sink_column *columns = ftl_arena_zero_array(arena, room + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_keep; i++)
        columns[n++] = (ftl_sink_column){binding->keep_names[i],
                                         binding->requests[binding->first_keep + i].type};
    for (int pass = 0; pass < (run->job.proba ? 2 : 1); pass++) {
        ftl_method method = pass ? FTL_PREDICT_PROBA : run->job.method;
        for (size_t i = 0; i < ftl_model_output_count(run->job.model, method); i++) {
            ftl_output_column column = {.struct_size = sizeof column};
            FTL_TRY(ftl_session_output(run->session, method, i, &column));
            columns[n++] = (ftl_sink_column){column.name, column.type};
        }
    }
    FTL_TRY(ftl_number_repeats(columns, binding->n_keep, n, arena, error));
    const ftl_sink_options options = {.path = path,
                                      .format = run->options->output_format,
                                      .columns = columns,
                                      .n_columns = n,
                                      .cancel = run->options->cancel};
    return ftl_sink_open(run->job.account, &options, &run->sink, error);
}

/* Its columns are the table's and the reason. */
static ftl_status open_reject(runner *run, ftl_arena *arena, ftl_error *error)
{
    if (!run->options->reject_path)
        return FTL_OK;
    const ftl_table_info *info = ftl_table_get_info(run->table);
    const char *format = ftl_table_reject_format(run->table);
    if (!format)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "reject_path",
                               "options.reject_path needs an input of text, and this is %s",
                               info->format);
    ftl_sink_column *columns = ftl_arena_zero_array(arena, info->n_columns + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < info->n_columns; i++) {
        const char *name = ftl_table_column_name(run->table, i);
        columns[i] = (ftl_sink_column){name ? name : ftl_arena_printf(arena, "column_%zu", i),
                                       FTL_STRING};
        if (!columns[i].name)
            return FTL_OOM(error);
    }
    columns[info->n_columns] = (ftl_sink_column){"error", FTL_STRING};
    const ftl_sink_options options = {.path = run->options->reject_path,
                                      .columns = columns,
                                      .n_columns = info->n_columns + 1,
                                      .expected = format,
                                      .delimiter = info->delimiter,
                                      .cancel = run->options->cancel};
    return ftl_sink_open(run->job.account, &options, &run->reject, error);
}

/* Lines for options->warn about the columns as a whole. */
static ftl_status warn_of_columns(runner *run, const ftl_watch *watch, ftl_error *error)
{
    ftl_status status = FTL_OK;
    ftl_strbuf line;
    ftl_strbuf_init(&line, run->job.account, 1 << 16);
    for (size_t i = 0; i < watch->n && status == FTL_OK; i++) {
        ftl_strbuf_clear(&line);
        if (!ftl_watch_warning(run->job.model, watch, i, &line))
            continue;
        const char *text = ftl_strbuf_text(&line);
        if (!run->options->warn(run->options->warn_user, text, strlen(text)))
            status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    }
    ftl_strbuf_free(&line);
    return status;
}

static ftl_status run_job(runner *run, ftl_model *model, const char *output_path, ftl_arena *arena,
                          ftl_binding *binding, ftl_error *error)
{
    FTL_TRY(ftl_job_model(model, run->table, run->options, &run->job.model, error));
    FTL_TRY(ftl_binding_make(run->job.model, run->table, run->options, arena, binding, error));
    run->job.binding = binding;
    FTL_TRY(ftl_table_bind(run->table, binding->requests, binding->n_requests, error));
    FTL_TRY(open_session(run, error));
    FTL_TRY(open_sink(run, output_path, arena, error));
    run->job.sink = run->sink;
    FTL_TRY(open_reject(run, arena, error));
    run->job.want_rejects = run->reject != NULL;
    ftl_watch watch = {0};
    if (run->options->warn) {
        FTL_TRY(ftl_watch_make(run->session, arena, &watch, error));
        run->job.watch = &watch;
    }
    FTL_TRY(run_all(run, error));
    FTL_TRY(warn_of_columns(run, &watch, error));
    FTL_TRY(
        ftl_cancel_check(run->options->cancel, error)); /* the last moment: then it is written */
    ftl_sink *sink = run->sink, *reject = run->reject;
    run->sink = run->reject = NULL;
    ftl_status status = ftl_sink_commit(sink, error);
    if (status != FTL_OK)
        ftl_sink_abort(reject);
    else if (reject)
        status = ftl_sink_commit(reject, error);
    return status;
}

static ftl_status check_options(const ftl_model *model, const ftl_score_options *options,
                                ftl_job *job, ftl_error *error)
{
    job->method = options->method_set ? options->method : model->default_method;
    job->proba = options->proba && job->method == FTL_PREDICT;
    job->on_error = options->on_error;
    FTL_TRY(ftl_model_method_status(model, job->method, error));
    if (options->proba && job->method != FTL_PREDICT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "proba",
                               "options.proba goes with predict; %s is written alone",
                               ftl_method_name(job->method));
    if (job->proba)
        return ftl_model_method_status(model, FTL_PREDICT_PROBA, error);
    return FTL_OK;
}

static ftl_status open_inputs(runner *run, const ftl_model *model, const char *input_path,
                              const char *output_path, ftl_arena *arena, ftl_error *error)
{
    ftl_inputs inputs;
    FTL_TRY(ftl_inputs_find(arena, input_path, run->options, &inputs, error));
    FTL_TRY(ftl_check_destinations(model, &inputs, output_path, run->options->reject_path, error));
    FTL_TRY(ftl_inputs_open(arena, &inputs, run->options, &run->table, error));
    run->job.table = run->table;
    return FTL_OK;
}

ftl_status ftl_score(ftl_model *model, const char *input_path, const char *output_path,
                     const ftl_score_options *options, ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !input_path || !output_path)
        return FTL_FAIL(error, FTL_ARG, "ftl_score needs a model, an input and an output");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    FTL_TRY(ftl_out_check(result, "ftl_score_result", error));
    runner run = {.job = {.account = &model->context->account, .cancel = chosen.cancel},
                  .options = &chosen};
    FTL_TRY(check_options(model, &chosen, &run.job, error));
    clock_gettime(CLOCK_MONOTONIC, &run.started);
    ftl_arena arena;
    ftl_arena_init(&arena, run.job.account);
    ftl_binding binding = {0};
    ftl_status status = open_inputs(&run, model, input_path, output_path, &arena, error);
    if (status == FTL_OK)
        status = run_job(&run, model, output_path, &arena, &binding, error);
    ftl_sink_abort(run.sink);
    ftl_sink_abort(run.reject);
    free_pieces(&run);
    ftl_session_destroy(run.session);
    ftl_model_release(run.job.model);
    ftl_table_close(run.table);
    ftl_arena_free(&arena);
    if (status == FTL_OK) {
        run.result.seconds = seconds_since(&run.started);
        ftl_out_write(result, &run.result, sizeof run.result);
    }
    return status;
}
