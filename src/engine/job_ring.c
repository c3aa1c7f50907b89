#include "engine/job_ring.h"

#include "base/cancel.h"

/* ---- Pieces ---------------------------------------------------------------------------------- */

static ftl_status make_pieces(ftl_job_ring *ring, size_t n, ftl_error *error)
{
    ftl_account *account = ring->job->account;
    ring->pieces = ftl_alloc_zero(account, n, sizeof *ring->pieces);
    if (!ring->pieces)
        return FTL_OOM(error);
    ring->n_pieces = n;
    for (; ring->n_made < n; ring->n_made++) {
        ftl_ring_piece *piece = &ring->pieces[ring->n_made];
        FTL_TRY(ftl_table_block_create(ring->table, &piece->block.raw, error));
        ftl_strbuf_init(&piece->block.text, account, 0);
        ftl_strbuf_init(&piece->block.rejects, account, 0);
        piece->ring = ring;
    }
    return FTL_OK;
}

/* How many pieces: beyond the threads as many as others finish while the caller computes one. */
static size_t count_pieces(uint32_t width)
{
    enum { least_spare = 2, most_spare = 8 };
    uint32_t spare = width < most_spare ? width : most_spare;
    return width == 1 ? 1 : width + (spare < least_spare ? least_spare : spare);
}

/* How many pieces the calling thread reads before tasks do. */
static size_t count_by_hand(const ftl_job_ring *ring)
{
    enum { first_pieces = 2 }; /* a first block behind which nothing comes needs no thread */
    if (!ring->apart)
        return SIZE_MAX;
    return ftl_table_bytes_total(ring->table) <= FTL_SMALL_INPUT ? first_pieces : 0;
}

ftl_status ftl_ring_begin(ftl_job_ring *ring, const ftl_job *job, ftl_table *table,
                          const ftl_score_options *options, ftl_executor *executor,
                          ftl_error *error)
{
    uint32_t width = ftl_executor_threads(executor);
    if (options->threads && options->threads < width)
        width = options->threads;
    if (width > FTL_GROUP_WIDTH)
        width = FTL_GROUP_WIDTH;
    if (width == 0) /* the caller does everything */
        width = 1;
    size_t n_pieces = count_pieces(width);
    ring->job = job;
    ring->table = table;
    ring->options = options;
    ring->width = width;
    ring->apart = width > 1 && !ftl_table_is_foreign(table);
    ring->by_hand = count_by_hand(ring);
    ring->batch_rows = ftl_job_batch_rows(job, options, n_pieces);
    ftl_error_clear(&ring->read_error);
    FTL_TRY(make_pieces(ring, n_pieces, error));
    ftl_group_begin(&ring->group, executor, width);
    pthread_mutex_init(&ring->lock, NULL);
    if (ring->apart)
        ftl_table_share(table, &ring->group);
    ring->begun = true;
    return FTL_OK;
}

void ftl_ring_end(ftl_job_ring *ring)
{
    if (!ring->job)
        return;
    if (ring->begun) {
        pthread_mutex_lock(&ring->lock);
        ring->closed = true; /* no task makes another one */
        pthread_mutex_unlock(&ring->lock);
        ftl_group_end(&ring->group);
        ftl_table_share(ring->table, NULL);
        pthread_mutex_destroy(&ring->lock);
    }
    for (size_t i = 0; i < ring->n_made; i++) {
        ftl_job_block *block = &ring->pieces[i].block;
        ftl_table_block_destroy(block->raw);
        ftl_job_block_drop(block);
        ftl_strbuf_free(&block->text);
        ftl_strbuf_free(&block->rejects);
    }
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        ftl_job_worker_free(&ring->workers[i]);
    ftl_free(ring->job->account, ring->pieces);
    ring->job = NULL;
}

/* ---- Going round ----------------------------------------------------------------------------- */

/* No block of a job that rejects rows goes beyond where the file of these ends a part. */
static size_t rows_to_part(const ftl_job_ring *ring, size_t rows)
{
    uint64_t part = ftl_job_reject_part(ring->rows_read), left = part - ring->rows_read % part;
    return ring->job->want_rejects && left < rows ? (size_t)left : rows;
}

/* END when the table or the limit is exhausted. */
static ftl_status read_block(ftl_job_ring *ring, ftl_ring_piece *piece, ftl_error *error)
{
    ftl_job_block *block = &piece->block;
    size_t rows = ring->batch_rows;
    double start = ftl_job_now();
    FTL_TRY(ftl_cancel_check(ring->options->cancel, error));
    if (ring->options->limit) {
        uint64_t left = ring->options->limit - ring->rows_read;
        rows = left < rows ? (size_t)left : rows;
        if (rows == 0)
            return FTL_END;
    }
    rows = rows_to_part(ring, rows);
    FTL_TRY(ftl_table_read(ring->table, rows, block->raw, error));
    size_t got = ftl_table_block_rows(block->raw);
    ring->rows_read += got;
    ftl_table_tell(ring->table, &block->end);
    block->progress = (ftl_progress){.struct_size = sizeof block->progress,
                                     .rows = ring->rows_read,
                                     .bytes_read = ftl_table_bytes_read(ring->table),
                                     .bytes_total = ftl_table_bytes_total(ring->table)};
    ring->read_seconds += ftl_job_now() - start;
    piece->last = ring->options->limit == ring->rows_read ||
                  (got < rows && block->progress.bytes_read < FTL_SMALL_INPUT);
    return FTL_OK;
}

static void run_piece(void *user, uint32_t slot);

/* Makes the head's piece a task that reads and computes it, if one may begin. Under the lock. */
static void submit_next(ftl_job_ring *ring)
{
    if (ring->pending || ring->closed || ring->head - ring->tail == ring->n_pieces)
        return;
    ftl_ring_piece *piece = &ring->pieces[ring->head % ring->n_pieces];
    piece->task = (ftl_task){.run = run_piece, .user = piece};
    piece->read = false;
    ring->pending = true;
    ftl_group_submit(&ring->group, &piece->task);
}

/*
 * Reads the head's piece, and lets the next one be read. What fails is known when the piece is
 * taken.
 */
static void read_piece(ftl_ring_piece *piece)
{
    ftl_job_ring *ring = piece->ring;
    piece->last = false;
    piece->read_status = read_block(ring, piece, &ring->read_error);
    pthread_mutex_lock(&ring->lock);
    ring->closed |= piece->read_status != FTL_OK;
    ring->head++;
    ring->pending = false;
    if (!piece->read)
        submit_next(ring);
    pthread_mutex_unlock(&ring->lock);
}

/* A task: reads its piece, if nobody has, and computes it with the tools of its slot. */
static void run_piece(void *user, uint32_t slot)
{
    ftl_ring_piece *piece = user;
    ftl_job_worker *worker = &piece->ring->workers[slot];
    ftl_job_block *block = &piece->block;
    if (!piece->read)
        read_piece(piece);
    if (piece->read_status != FTL_OK)
        return;
    block->status = FTL_OK;
    if (!worker->job)
        block->status = ftl_job_worker_init(worker, piece->ring->job, slot != 0, &block->error);
    if (block->status == FTL_OK)
        ftl_job_compute(worker, block);
}

/* Reads the head's piece, and computes it or sees to it that it is. */
static void start_piece(ftl_job_ring *ring)
{
    ftl_ring_piece *piece = &ring->pieces[ring->head % ring->n_pieces];
    piece->task = (ftl_task){.run = run_piece, .user = piece};
    piece->read = true;
    bool first = ring->head == ring->tail;
    read_piece(piece);
    if (ring->n_pieces == 1 || piece->read_status != FTL_OK || (piece->last && first)) {
        run_piece(piece, 0);
        piece->task.state = FTL_TASK_DONE;
    } else {
        ftl_group_submit(&ring->group, &piece->task);
    }
}

/* Gets the pieces going that may be, the one that the caller had among them. */
static void start_pieces(ftl_job_ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->tail += ring->taken;
    ring->taken = false;
    pthread_mutex_unlock(&ring->lock);
    for (; ring->by_hand && !ring->closed && ring->head - ring->tail < ring->n_pieces;
         ring->by_hand--)
        start_piece(ring);
    if (ring->by_hand)
        return;
    pthread_mutex_lock(&ring->lock);
    submit_next(ring);
    pthread_mutex_unlock(&ring->lock);
}

/*
 * The calling thread runs tasks, too, when it would have to wait for a piece that no thread has
 * begun. The oldest piece is always the next one.
 */
ftl_status ftl_ring_next(ftl_job_ring *ring, ftl_job_block **out, ftl_error *error)
{
    start_pieces(ring);
    ftl_ring_piece *piece = &ring->pieces[ring->tail % ring->n_pieces];
    ftl_group_wait(&ring->group, &piece->task);
    if (piece->read_status != FTL_OK) {
        if (piece->read_status != FTL_END && error)
            *error = ring->read_error;
        return piece->read_status;
    }
    FTL_TRY(ftl_cancel_check(ring->options->cancel, error));
    if (piece->block.status != FTL_OK) {
        if (error)
            *error = piece->block.error;
        return ftl_table_cause(ring->table, piece->block.status, error);
    }
    ring->taken = true;
    *out = &piece->block;
    return FTL_OK;
}
