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

/* Pieces beyond the threads keep these busy while the caller is elsewhere. */
ftl_status ftl_ring_begin(ftl_job_ring *ring, const ftl_job *job, ftl_table *table,
                          const ftl_score_options *options, ftl_executor *executor,
                          ftl_error *error)
{
    enum { spare_pieces = 2 };
    uint32_t width = ftl_executor_threads(executor);
    if (options->threads && options->threads < width)
        width = options->threads;
    if (width > FTL_GROUP_WIDTH)
        width = FTL_GROUP_WIDTH;
    if (width == 0) /* the caller does everything */
        width = 1;
    size_t n_pieces = width == 1 ? 1 : width + spare_pieces;
    ring->job = job;
    ring->table = table;
    ring->options = options;
    ring->width = width;
    ring->batch_rows = ftl_job_batch_rows(job, options, n_pieces);
    ftl_error_clear(&ring->read_error);
    FTL_TRY(make_pieces(ring, n_pieces, error));
    ftl_group_begin(&ring->group, executor, width);
    ring->begun = true;
    return FTL_OK;
}

void ftl_ring_end(ftl_job_ring *ring)
{
    if (!ring->job)
        return;
    if (ring->begun)
        ftl_group_end(&ring->group);
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

/* END when the table or the limit is exhausted. *last: no more will come. */
static ftl_status read_block(ftl_job_ring *ring, ftl_job_block *block, bool *last, ftl_error *error)
{
    size_t rows = ring->batch_rows;
    double start = ftl_job_now();
    if (ring->options->limit) {
        uint64_t left = ring->options->limit - ring->rows_read;
        rows = left < rows ? (size_t)left : rows;
        if (rows == 0)
            return FTL_END;
    }
    FTL_TRY(ftl_table_read(ring->table, rows, block->raw, error));
    size_t got = ftl_table_block_rows(block->raw);
    ring->rows_read += got;
    ftl_table_tell(ring->table, &block->end);
    ring->read_seconds += ftl_job_now() - start;
    *last = ring->options->limit == ring->rows_read ||
            (got < rows && ftl_table_bytes_read(ring->table) < FTL_SMALL_INPUT);
    return FTL_OK;
}

/* A task: computes its piece with the tools of its slot. */
static void compute_piece(void *user, uint32_t slot)
{
    ftl_ring_piece *piece = user;
    ftl_job_worker *worker = &piece->ring->workers[slot];
    ftl_job_block *block = &piece->block;
    block->status = FTL_OK;
    if (!worker->job)
        block->status = ftl_job_worker_init(worker, piece->ring->job, slot != 0, &block->error);
    if (block->status == FTL_OK)
        ftl_job_compute(worker, block);
}

/* Reads into the head's piece and sees to it that it is computed: by the caller when it is alone.
 */
static ftl_status start_piece(ftl_job_ring *ring, ftl_error *error)
{
    ftl_ring_piece *piece = &ring->pieces[ring->head % ring->n_pieces];
    bool last = false;
    FTL_TRY(ftl_cancel_check(ring->options->cancel, error));
    FTL_TRY(read_block(ring, &piece->block, &last, error));
    piece->task = (ftl_task){.run = compute_piece, .user = piece};
    if (ring->n_pieces == 1 || (last && ring->head == ring->tail)) {
        compute_piece(piece, 0);
        piece->task.state = FTL_TASK_DONE;
    } else {
        ftl_group_submit(&ring->group, &piece->task);
    }
    ring->head++;
    return FTL_OK;
}

/*
 * The calling thread reads, and computes when it would have to wait for a piece that no thread has
 * begun. The oldest piece is always the next one.
 */
ftl_status ftl_ring_next(ftl_job_ring *ring, ftl_job_block **out, ftl_error *error)
{
    while (ring->read_status == FTL_OK && ring->head - ring->tail < ring->n_pieces)
        ring->read_status = start_piece(ring, &ring->read_error);
    if (ring->tail == ring->head) {
        if (ring->read_status != FTL_END && error)
            *error = ring->read_error;
        return ring->read_status;
    }
    ftl_ring_piece *piece = &ring->pieces[ring->tail % ring->n_pieces];
    ftl_group_wait(&ring->group, &piece->task);
    FTL_TRY(ftl_cancel_check(ring->options->cancel, error));
    if (piece->block.status != FTL_OK) {
        if (error)
            *error = piece->block.error;
        return ftl_table_cause(ring->table, piece->block.status, error);
    }
    ring->tail++;
    *out = &piece->block;
    return FTL_OK;
}
