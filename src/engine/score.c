/* ftl_score: the driver of a file job. */
#include "engine/context.h"
#include "engine/job.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { default_batch_rows = 5000, max_workers = 64, small_file = 1 << 20 };

typedef enum block_state { BLOCK_FREE, BLOCK_READY, BLOCK_TAKEN, BLOCK_DONE } block_state;

/* A ring of blocks: the reader fills at head, workers take in order, the writer empties at tail. */
typedef struct runner {
    ftl_job job;
    ftl_table *table;
    ftl_sink *sink, *reject;
    ftl_session *session;
    const ftl_score_options *options;
    ftl_score_result result;
    uint64_t bytes_total;
    struct timespec started, reported;

    ftl_job_block *blocks;
    block_state *states;
    size_t n_blocks, n_made;
    size_t head, next, tail; /* counters; slot = counter % n_blocks */
    pthread_mutex_t lock;
    pthread_cond_t ready, done;
    bool stop;
} runner;

typedef struct worker_thread {
    pthread_t thread;
    runner *run;
    ftl_job_worker worker;
} worker_thread;

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
    const ftl_progress progress = {run->result.rows_read, ftl_table_bytes_read(run->table),
                                   run->bytes_total};
    if (!run->options->progress(run->options->progress_user, &progress))
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    return FTL_OK;
}

/* END when the table or the limit is exhausted. */
static ftl_status read_block(runner *run, ftl_job_block *block, ftl_error *error)
{
    size_t rows = run->options->batch_rows ? run->options->batch_rows : default_batch_rows;
    if (run->options->limit) {
        uint64_t left = run->options->limit - run->result.rows_read;
        rows = left < rows ? (size_t)left : rows;
        if (rows == 0)
            return FTL_END;
    }
    FTL_TRY(ftl_table_read(run->table, rows, block->raw, error));
    run->result.rows_read += ftl_table_block_rows(block->raw);
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

static ftl_status make_blocks(runner *run, size_t n, ftl_error *error)
{
    ftl_account *account = run->job.account;
    run->blocks = ftl_alloc_zero(account, n, sizeof *run->blocks);
    run->states = ftl_alloc_zero(account, n, sizeof *run->states);
    if (!run->blocks || !run->states)
        return FTL_OOM(error);
    run->n_blocks = n;
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(ftl_table_block_create(run->table, &run->blocks[i].raw, error));
        ftl_strbuf_init(&run->blocks[i].text, account, 0);
        ftl_strbuf_init(&run->blocks[i].rejects, account, 0);
        run->n_made++;
    }
    return FTL_OK;
}

static void free_blocks(runner *run)
{
    for (size_t i = 0; i < run->n_made; i++) {
        ftl_table_block_destroy(run->blocks[i].raw);
        ftl_strbuf_free(&run->blocks[i].text);
        ftl_strbuf_free(&run->blocks[i].rejects);
    }
    ftl_free(run->job.account, run->blocks);
    ftl_free(run->job.account, run->states);
}

/* ---- One thread ------------------------------------------------------------------------------ */

static ftl_status run_alone(runner *run, ftl_error *error)
{
    ftl_job_worker worker;
    FTL_TRY(make_blocks(run, 1, error));
    ftl_status status = ftl_job_worker_init(&worker, &run->job, NULL, run->session, error);
    while (status == FTL_OK) {
        status = read_block(run, &run->blocks[0], error);
        if (status != FTL_OK)
            break;
        ftl_job_compute(&worker, &run->blocks[0]);
        status = write_block(run, &run->blocks[0], error);
    }
    ftl_job_worker_free(&worker);
    return status == FTL_END ? FTL_OK : status;
}

/* ---- Several threads ------------------------------------------------------------------------- */

static void *work(void *argument)
{
    worker_thread *self = argument;
    runner *run = self->run;
    pthread_mutex_lock(&run->lock);
    for (;;) {
        while (!run->stop && run->next == run->head)
            pthread_cond_wait(&run->ready, &run->lock);
        if (run->stop)
            break;
        size_t slot = run->next++ % run->n_blocks;
        run->states[slot] = BLOCK_TAKEN;
        pthread_mutex_unlock(&run->lock);
        ftl_job_compute(&self->worker, &run->blocks[slot]);
        pthread_mutex_lock(&run->lock);
        run->states[slot] = BLOCK_DONE;
        pthread_cond_signal(&run->done);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* The calling thread reads and writes; the oldest block is always the next to be written. */
static ftl_status drive(runner *run, ftl_error *error)
{
    ftl_status read_status = FTL_OK;
    ftl_error read_error;
    ftl_error_clear(&read_error);
    for (;;) {
        while (read_status == FTL_OK && run->head - run->tail < run->n_blocks) {
            size_t slot = run->head % run->n_blocks;
            read_status = read_block(run, &run->blocks[slot], &read_error);
            if (read_status != FTL_OK)
                break;
            pthread_mutex_lock(&run->lock);
            run->states[slot] = BLOCK_READY;
            run->head++;
            pthread_cond_signal(&run->ready);
            pthread_mutex_unlock(&run->lock);
        }
        if (run->tail == run->head)
            break;
        size_t slot = run->tail % run->n_blocks;
        pthread_mutex_lock(&run->lock);
        while (run->states[slot] != BLOCK_DONE)
            pthread_cond_wait(&run->done, &run->lock);
        run->states[slot] = BLOCK_FREE;
        pthread_mutex_unlock(&run->lock);
        FTL_TRY(write_block(run, &run->blocks[slot], error));
        run->tail++;
    }
    if (read_status == FTL_END)
        return FTL_OK;
    if (error)
        *error = read_error;
    return read_status;
}

static ftl_status run_threads(runner *run, uint32_t n, ftl_error *error)
{
    worker_thread *workers = ftl_alloc_zero(run->job.account, n, sizeof *workers);
    if (!workers)
        return FTL_OOM(error);
    ftl_status status = make_blocks(run, n + 1, error);
    uint32_t started = 0, made = 0;
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->ready, NULL);
    pthread_cond_init(&run->done, NULL);
    for (; status == FTL_OK && made < n; made++) {
        workers[made].run = run;
        status = ftl_job_worker_init(&workers[made].worker, &run->job, run->session,
                                     made == 0 ? run->session : NULL, error);
    }
    for (; status == FTL_OK && started < n; started++) {
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
            break; /* fewer threads do the same work */
    }
    if (status == FTL_OK && started == 0)
        status = FTL_FAIL(error, FTL_NOMEM, "no worker thread could be started");
    if (status == FTL_OK)
        status = drive(run, error);
    pthread_mutex_lock(&run->lock);
    run->stop = true;
    pthread_cond_broadcast(&run->ready);
    pthread_mutex_unlock(&run->lock);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (uint32_t i = 0; i < made; i++) {
        if (i > 0)
            ftl_session_destroy(workers[i].worker.session);
        ftl_job_worker_free(&workers[i].worker);
    }
    pthread_cond_destroy(&run->ready);
    pthread_cond_destroy(&run->done);
    pthread_mutex_destroy(&run->lock);
    ftl_free(run->job.account, workers);
    return status;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static ftl_status open_session(runner *run, ftl_error *error)
{
    const ftl_session_options options = {.struct_size = sizeof options,
                                         .input_dtype = ftl_table_get_info(run->table)->dtype,
                                         .methods = ftl_job_methods(&run->job),
                                         .on_error = FTL_ON_ERROR_NULL};
    return ftl_session_create(run->job.model, &options, &run->session, error);
}

static ftl_status open_sink(runner *run, const char *path, ftl_arena *arena, ftl_error *error)
{
    const ftl_binding *binding = run->job.binding;
    size_t n = 0, room = binding->n_keep + ftl_model_output_count(run->job.model, run->job.method) +
                         ftl_model_output_count(run->job.model, FTL_PREDICT_PROBA);
    ftl_output_column *columns = ftl_arena_zero_array(arena, room + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_keep; i++)
        columns[n++] = (ftl_output_column){run->options->keep[i], FTL_STRING};
    for (int pass = 0; pass < (run->job.proba ? 2 : 1); pass++) {
        ftl_method method = pass ? FTL_PREDICT_PROBA : run->job.method;
        for (size_t i = 0; i < ftl_model_output_count(run->job.model, method); i++)
            FTL_TRY(ftl_session_output(run->session, method, i, &columns[n++]));
    }
    const ftl_sink_options options = {.path = path, .columns = columns, .n_columns = n};
    return ftl_sink_open(run->job.account, &options, &run->sink, error);
}

/* Its columns are the table's and the reason. */
static ftl_status open_reject(runner *run, ftl_arena *arena, ftl_error *error)
{
    if (!run->options->reject_path)
        return FTL_OK;
    const ftl_table_info *info = ftl_table_get_info(run->table);
    if (strcmp(info->format, "CSV") != 0)
        return FTL_FAIL(error, FTL_ARG, "--reject needs a CSV input");
    ftl_output_column *columns = ftl_arena_zero_array(arena, info->n_columns + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < info->n_columns; i++) {
        const char *name = ftl_table_column_name(run->table, i);
        columns[i] = (ftl_output_column){name ? name : ftl_arena_printf(arena, "column_%zu", i),
                                         FTL_STRING};
        if (!columns[i].name)
            return FTL_OOM(error);
    }
    columns[info->n_columns] = (ftl_output_column){"error", FTL_STRING};
    const ftl_sink_options options = {.path = run->options->reject_path,
                                      .columns = columns,
                                      .n_columns = info->n_columns + 1,
                                      .delimiter = run->job.delimiter};
    return ftl_sink_open(run->job.account, &options, &run->reject, error);
}

static ftl_status run_job(runner *run, const char *output_path, ftl_arena *arena,
                          ftl_binding *binding, ftl_error *error)
{
    FTL_TRY(ftl_binding_make(run->job.model, run->table, run->options, arena, binding, error));
    run->job.binding = binding;
    FTL_TRY(ftl_table_bind(run->table, binding->requests, binding->n_requests, error));
    FTL_TRY(open_session(run, error));
    FTL_TRY(open_sink(run, output_path, arena, error));
    run->job.sink = run->sink;
    FTL_TRY(open_reject(run, arena, error));
    run->job.want_rejects = run->reject != NULL;
    uint32_t threads = run->options->threads ? run->options->threads
                                             : run->job.model->context->threads;
    if (threads > max_workers)
        threads = max_workers;
    bool small = run->bytes_total && run->bytes_total <= small_file;
    ftl_status status = threads == 1 || small ? run_alone(run, error)
                                              : run_threads(run, threads, error);
    FTL_TRY(status);
    ftl_sink *sink = run->sink, *reject = run->reject;
    run->sink = run->reject = NULL;
    status = ftl_sink_commit(sink, error);
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
        return FTL_FAIL(error, FTL_ARG, "--proba goes with predict; %s is written alone",
                        ftl_method_name(job->method));
    if (job->proba)
        return ftl_model_method_status(model, FTL_PREDICT_PROBA, error);
    return FTL_OK;
}

ftl_status ftl_score(ftl_model *model, const char *input_path, const char *output_path,
                     const ftl_score_options *options, ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen = {0};
    if (!model || !input_path || !output_path || (options && options->struct_size < sizeof(size_t)))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_score needs a model, an input, an output and options with struct_size set");
    if (options)
        memcpy(&chosen, options,
               options->struct_size < sizeof chosen ? options->struct_size : sizeof chosen);
    runner run = {.job = {.account = &model->context->account}, .options = &chosen};
    FTL_TRY(check_options(model, &chosen, &run.job, error));
    clock_gettime(CLOCK_MONOTONIC, &run.started);
    ftl_job_input input;
    FTL_TRY(ftl_job_open(run.job.account, input_path, &chosen, &input, error));
    run.table = input.table;
    run.job.table = input.table;
    run.bytes_total = input.bytes_total;
    run.job.delimiter = ftl_table_get_info(input.table)->delimiter
                            ? ftl_table_get_info(input.table)->delimiter
                            : ',';
    ftl_arena arena;
    ftl_arena_init(&arena, run.job.account);
    ftl_binding binding = {0};
    ftl_status status = ftl_job_model(model, run.table, &chosen, &run.job.model, error);
    if (status == FTL_OK)
        status = run_job(&run, output_path, &arena, &binding, error);
    ftl_sink_abort(run.sink);
    ftl_sink_abort(run.reject);
    free_blocks(&run);
    ftl_session_destroy(run.session);
    ftl_model_release(run.job.model);
    ftl_arena_free(&arena);
    ftl_table_close(run.table);
    if (status == FTL_OK && result) {
        run.result.seconds = seconds_since(&run.started);
        *result = run.result;
    }
    return status;
}
