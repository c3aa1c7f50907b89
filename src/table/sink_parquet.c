/*
 * Parquet output: optional columns, data pages of version 1, row groups of up to a million rows or
 * 64 MiB. Workers bring each batch's columns into the form that pages have; here they are gathered
 * into pages, which are compressed when they are full and written when the row group is. What is
 * written depends on the rows alone, not on batches or threads, and is never gone back to, so that
 * it may be a pipe.
 *
 * Memory: the compressed pages of one row group, those that are being compressed (two a thread),
 * and of each column one page and one dictionary; all pages are no more than the row group's limit.
 */
#include "base/cancel.h"
#include "base/utf8.h"
#include "table/parquet_state.h"
#include "table/parquet_write_footer.h"

#include <string.h>

enum { GROUP_ROWS = 1 << 20, GROUP_BYTES = 64 << 20 };
static const char magic[] = "PAR1";
enum { MAGIC_SIZE = 4 };

typedef struct parquet_state {
    ftl_parquet_chunk *chunks;   /* [columns] */
    ftl_parquet_cursor *cursors; /* [columns] */
    /* [columns] set when a column's texts are too many for a dictionary: read by any thread */
    atomic_bool *plain;
    size_t n_chunks; /* that were initialized */
    ftl_parquet_press press;
    size_t row_bytes;   /* of values that have a width, and the sizes of texts */
    size_t group_rows;  /* in the row group so far, */
    size_t group_bytes; /* uncompressed */
    ftl_strbuf groups;  /* struct RowGroup of those that were written */
    size_t n_groups;
    uint64_t rows; /* in them */
} parquet_state;

/* ---- Begin ----------------------------------------------------------------------------------- */

static ftl_status check_name(const char *name, ftl_error *error)
{
    if (ftl_utf8_valid(name, strlen(name)))
        return FTL_OK;
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "a column's name is not UTF-8, which Parquet cannot hold; write CSV");
}

static ftl_status parquet_begin(ftl_sink *sink, ftl_error *error)
{
    parquet_state *state = sink->state;
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) /* values are copied as they lie */
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "Parquet is written by little-endian machines only");
    ftl_parquet_press_init(&state->press, sink->account, sink->compression);
    ftl_strbuf_init(&state->groups, sink->account, INT32_MAX);
    state->chunks = ftl_alloc_array(sink->account, sink->n_columns, sizeof *state->chunks);
    state->cursors = ftl_alloc_zero(sink->account, sink->n_columns, sizeof *state->cursors);
    state->plain = ftl_alloc_zero(sink->account, sink->n_columns, sizeof *state->plain);
    if (!state->chunks || !state->cursors || !state->plain)
        return FTL_OOM(error);
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_type type = sink->columns[i].type;
        FTL_TRY(check_name(sink->columns[i].name, error));
        ftl_parquet_chunk_init(&state->chunks[i], sink->account, type);
        state->n_chunks++;
        state->row_bytes += type == FTL_STRING ? FTL_PARQUET_PREFIX : ftl_parquet_width(type);
    }
    return ftl_output_write(&sink->output, magic, MAGIC_SIZE, error);
}

static ftl_status parquet_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                                 ftl_strbuf *out, ftl_error *error)
{
    const parquet_state *state = sink->state;
    return ftl_parquet_put_piece(sink, batch, skip, state->plain, out, error);
}

/* ---- Row groups ------------------------------------------------------------------------------ */

static ftl_status write_page(ftl_sink *sink, ftl_parquet_page *page, ftl_error *error)
{
    parquet_state *state = sink->state;
    FTL_TRY(ftl_parquet_press_wait(&state->press, page, error));
    return ftl_output_write(&sink->output, page->bytes, page->size, error);
}

/* Writes one column of the row group, and its struct ColumnChunk. */
static ftl_status write_chunk(ftl_sink *sink, size_t i, ftl_thrift_writer *writer,
                              uint64_t *unpacked, ftl_error *error)
{
    parquet_state *state = sink->state;
    const ftl_parquet_chunk *chunk = &state->chunks[i];
    uint64_t offset = sink->output.written;
    FTL_TRY(ftl_cancel_check(sink->output.cancel, error));
    if (chunk->dictionary_page)
        FTL_TRY(write_page(sink, chunk->dictionary_page, error));
    for (ftl_parquet_page *page = chunk->first; page; page = page->next)
        FTL_TRY(write_page(sink, page, error));
    ftl_parquet_put_chunk(writer, &sink->columns[i], chunk, ftl_parquet_codec(sink->compression),
                          offset, unpacked);
    return FTL_OK;
}

/*
 * Of a row group, for who goes on behind it: the bytes of its struct RowGroup, for each column
 * whether it has given up its dictionary, and that struct.
 */
static ftl_status log_group(ftl_sink *sink, size_t at, ftl_error *error)
{
    const parquet_state *state = sink->state;
    const uint64_t size = state->groups.size - at;
    if (!sink->resumable)
        return FTL_OK;
    ftl_strbuf_append(&sink->log, (const char *)&size, sizeof size);
    for (size_t i = 0; i < sink->n_columns; i++)
        ftl_strbuf_putc(&sink->log, state->chunks[i].plain);
    ftl_strbuf_append(&sink->log, state->groups.data + at, size);
    return sink->log.failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status end_group(ftl_sink *sink, ftl_error *error)
{
    parquet_state *state = sink->state;
    const size_t at = state->groups.size;
    uint64_t begin = sink->output.written, unpacked = 0;
    if (state->group_rows == 0)
        return FTL_OK;
    ftl_thrift_writer writer;
    for (size_t i = 0; i < sink->n_columns; i++)
        FTL_TRY(ftl_parquet_chunk_end(&state->chunks[i], &state->press, error));
    ftl_thrift_begin_write(&writer, &state->groups);
    ftl_thrift_put_structs(&writer, 1, sink->n_columns);
    for (size_t i = 0; i < sink->n_columns; i++) {
        uint64_t bytes;
        FTL_TRY(write_chunk(sink, i, &writer, &bytes, error));
        ftl_parquet_chunk_clear(&state->chunks[i]);
        unpacked += bytes;
    }
    ftl_thrift_put_i64(&writer, 2, (int64_t)unpacked);
    ftl_thrift_put_i64(&writer, 3, (int64_t)state->group_rows);
    ftl_thrift_put_i64(&writer, 5, (int64_t)begin);
    ftl_thrift_put_i64(&writer, 6, (int64_t)(sink->output.written - begin));
    if (state->n_groups <= INT16_MAX)
        ftl_thrift_put_i16(&writer, 7, (int16_t)state->n_groups);
    ftl_thrift_put_end(&writer);
    if (state->groups.failed)
        return FTL_OOM(error);
    state->n_groups++;
    state->rows += state->group_rows;
    state->group_rows = state->group_bytes = 0;
    sink->mark = (ftl_output_mark){sink->output.written, state->rows};
    return log_group(sink, at, error);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool group_is_full(const parquet_state *state)
{
    return state->group_rows >= GROUP_ROWS || state->group_bytes >= GROUP_BYTES;
}

/* Counts the rows of the piece from `row` on that go into the row group: one at least. */
static size_t count_rows(parquet_state *state, const ftl_parquet_piece *piece, size_t row)
{
    size_t n = 0;
    while (row + n < piece->rows && !group_is_full(state)) {
        state->group_bytes += state->row_bytes;
        if (piece->text_bytes)
            state->group_bytes += piece->text_bytes[row + n];
        state->group_rows++;
        n++;
    }
    return n;
}

static ftl_status begin_columns(ftl_sink *sink, ftl_error *error)
{
    parquet_state *state = sink->state;
    for (size_t i = 0; i < sink->n_columns; i++)
        FTL_TRY(ftl_parquet_chunk_begin(&state->chunks[i], &state->cursors[i], error));
    return FTL_OK;
}

static ftl_status append_piece(ftl_sink *sink, ftl_parquet_piece *piece, ftl_error *error)
{
    parquet_state *state = sink->state;
    const size_t skip = sink->skip < piece->rows ? (size_t)sink->skip : piece->rows;
    sink->skip -= skip;
    for (size_t i = 0; i < sink->n_columns; i++) {
        state->cursors[i] = (ftl_parquet_cursor){0};
        ftl_parquet_get_part(piece, &state->cursors[i].part);
        ftl_parquet_cursor_skip(&state->cursors[i], sink->columns[i].type, skip);
    }
    for (size_t row = skip; row < piece->rows;) {
        size_t n = count_rows(state, piece, row);
        FTL_TRY(begin_columns(sink, error));
        for (size_t i = 0; i < sink->n_columns; i++) {
            ftl_parquet_chunk *chunk = &state->chunks[i];
            FTL_TRY(ftl_parquet_chunk_take(chunk, &state->press, &state->cursors[i], n, error));
            atomic_store_explicit(&state->plain[i], chunk->plain, memory_order_relaxed);
        }
        row += n;
        if (group_is_full(state))
            FTL_TRY(end_group(sink, error));
    }
    return FTL_OK;
}

/* Several pieces may stand in a row. */
static ftl_status parquet_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                                 ftl_error *error)
{
    (void)rows;
    for (size_t at = 0; at < size;) {
        ftl_parquet_piece piece;
        at += ftl_parquet_get_piece(sink, (const char *)data + at, &piece);
        FTL_TRY(append_piece(sink, &piece, error));
    }
    return FTL_OK;
}

/* ---- End ------------------------------------------------------------------------------------- */

static ftl_status parquet_finish(ftl_sink *sink, ftl_error *error)
{
    parquet_state *state = sink->state;
    FTL_TRY(end_group(sink, error));
    ftl_strbuf *footer = &state->press.body;
    ftl_strbuf_clear(footer);
    ftl_parquet_put_footer(sink, state->rows, &state->groups, state->n_groups, footer);
    if (footer->failed)
        return FTL_OOM(error);
    if (footer->size > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT,
                        "%llu rows of %zu columns need more metadata than a Parquet file can hold; "
                        "write fewer columns or several files",
                        (unsigned long long)state->rows, sink->n_columns);
    uint32_t size = (uint32_t)footer->size;
    ftl_strbuf_append(footer, (const char *)&size, sizeof size);
    ftl_strbuf_append(footer, magic, MAGIC_SIZE);
    if (footer->failed)
        return FTL_OOM(error);
    return ftl_output_write(&sink->output, footer->data, footer->size, error);
}

/* ---- Going on -------------------------------------------------------------------------------- */

static void set_plain(ftl_sink *sink, size_t i, bool plain)
{
    parquet_state *state = sink->state;
    state->chunks[i].plain = plain || sink->columns[i].type != FTL_STRING;
    atomic_store_explicit(&state->plain[i], state->chunks[i].plain, memory_order_relaxed);
}

static void forget_groups(ftl_sink *sink)
{
    parquet_state *state = sink->state;
    ftl_strbuf_clear(&state->groups);
    state->n_groups = 0;
    state->rows = 0;
    for (size_t i = 0; i < sink->n_columns; i++)
        set_plain(sink, i, false);
}

/* What log_group has written; the bytes of it, 0 when that is none. */
static size_t take_group(ftl_sink *sink, const uint8_t *at, size_t left)
{
    parquet_state *state = sink->state;
    uint64_t size;
    const size_t head = sizeof size + sink->n_columns;
    if (left < head)
        return 0;
    memcpy(&size, at, sizeof size);
    if (size > left - head)
        return 0;
    for (size_t i = 0; i < sink->n_columns; i++)
        set_plain(sink, i, at[sizeof size + i]);
    ftl_strbuf_append(&state->groups, (const char *)at + head, (size_t)size);
    state->n_groups++;
    return head + (size_t)size;
}

/* The footer that the file would have now must be one of such a file. */
static ftl_status take_groups(ftl_sink *sink, const uint8_t *at, size_t left,
                              const ftl_output_mark *mark, ftl_error *error)
{
    parquet_state *state = sink->state;
    for (size_t n; left; at += n, left -= n) {
        n = take_group(sink, at, left);
        if (n == 0)
            return FTL_FAIL(error, FTL_CORRUPT, "the row groups' metadata is damaged");
    }
    state->rows = mark->written;
    ftl_strbuf footer;
    ftl_strbuf_init(&footer, sink->account, INT32_MAX);
    ftl_parquet_put_footer(sink, state->rows, &state->groups, state->n_groups, &footer);
    ftl_status status = state->groups.failed || footer.failed ? FTL_OOM(error) : FTL_OK;
    if (status == FTL_OK)
        status = ftl_parquet_check_state(sink->account, &footer, mark, error);
    ftl_strbuf_free(&footer);
    return status;
}

static ftl_status parquet_restore(ftl_sink *sink, const void *records, size_t size,
                                  const ftl_output_mark *mark, ftl_error *error)
{
    forget_groups(sink);
    ftl_status status = take_groups(sink, records, size, mark, error);
    if (status != FTL_OK)
        forget_groups(sink);
    return status;
}

static void parquet_share(ftl_sink *sink, ftl_task_group *group, uint32_t width)
{
    parquet_state *state = sink->state;
    ftl_parquet_press_share(&state->press, group, width);
}

static void parquet_close(ftl_sink *sink)
{
    parquet_state *state = sink->state;
    for (size_t i = 0; i < state->n_chunks; i++)
        ftl_parquet_chunk_free(&state->chunks[i]);
    ftl_free(sink->account, state->chunks);
    ftl_free(sink->account, state->cursors);
    ftl_free(sink->account, state->plain);
    if (!state->press.account)
        return; /* it did not get as far as to begin */
    ftl_parquet_press_free(&state->press);
    ftl_strbuf_free(&state->groups);
}

static const char *const parquet_endings[] = {".parquet", ".pq", NULL};

const ftl_sink_kind ftl_sink_parquet = {
    .name = "Parquet",
    .keyword = "parquet",
    .endings = parquet_endings,
    .compressions = ftl_parquet_codecs,
    .state_size = sizeof(parquet_state),
    .begin = parquet_begin,
    .format = parquet_format,
    .append = parquet_append,
    .restore = parquet_restore,
    .cut = end_group,
    .share = parquet_share,
    .finish = parquet_finish,
    .close = parquet_close,
};
