#include "table/csv_block.h"

#include "table/csv.h"

#include <string.h>

/* Bytes that are indexed at once: ends and lines need room for as many. */
enum { SLICE = 8 * 1024 };

void ftl_csv_block_free(ftl_table_block *block)
{
    ftl_csv_block *csv = (ftl_csv_block *)block;
    ftl_free(block->account, csv->bytes.data);
    ftl_free(block->account, csv->index.ends);
    ftl_free(block->account, csv->index.lines);
    ftl_free(block->account, csv->rows);
}

bool ftl_csv_is_blank(const uint8_t *data, size_t size, char delimiter)
{
    for (size_t i = 0; i < size; i++) {
        if ((data[i] != ' ' && data[i] != '\t') || data[i] == (uint8_t)delimiter)
            return false;
    }
    return true;
}

ftl_status ftl_csv_too_long(const ftl_table *table, ftl_error *error)
{
    const ftl_csv *csv = table->state;
    ftl_error_set(error, FTL_LIMIT,
                  "line %lld: the record that begins here is longer than %zu bytes; look for a "
                  "quote that is not closed, or raise the limit with options.max_record_bytes",
                  (long long)csv->line, table->max_record);
    ftl_error_because(error, FTL_REASON_RECORD_SIZE, "max_record_bytes");
    if (error)
        error->line = csv->line;
    return FTL_LIMIT;
}

ftl_status ftl_csv_open_quote(const ftl_table *table, ftl_error *error)
{
    const ftl_csv *csv = table->state;
    ftl_error_set(error, FTL_VALUE,
                  "line %lld: a quote opened in the record that begins here is never closed",
                  (long long)csv->line);
    ftl_error_because(error, FTL_REASON_OPEN_QUOTE, NULL);
    if (error)
        error->line = csv->line;
    return FTL_VALUE;
}

/* ---- The index ------------------------------------------------------------------------------- */

/* The text begins anew at offset from, the beginning of a record. */
static void restart(ftl_csv_block *block, const ftl_csv *csv, size_t from)
{
    uint8_t *text = ftl_csv_text(block);
    block->bytes.size -= from;
    if (from)
        memmove(text, text + from, block->bytes.size);
    block->index.n_ends = block->index.n_lines = 0;
    block->index.quoted_lines = 0;
    block->index.quoted = false;
    block->at = block->listed = block->start = 0;
    block->walk = FTL_CSV_WALK_NONE;
    block->line = csv->line;
}

static void put_end(ftl_csv_index *index, size_t at)
{
    index->ends[index->n_ends++] = (uint32_t)at;
}

static void put_line(ftl_csv_index *index)
{
    index->lines[index->n_lines++] = (ftl_csv_line){(uint32_t)index->n_ends, index->quoted_lines};
}

/* Back to the beginning of the record at hand, which the kernel could not take. */
static void begin_walk(ftl_csv_block *block)
{
    ftl_csv_index *index = &block->index;
    const ftl_csv_line *last = index->n_lines ? &index->lines[index->n_lines - 1] : NULL;
    index->n_ends = last ? last->ends : 0;
    index->quoted_lines = last ? last->quoted : 0;
    index->quoted = false;
    block->at = block->start;
    block->walk = FTL_CSV_WALK_START;
}

/* The rules of csv_scan.h, byte by byte, up to the end of one record. */
static void walk_record(ftl_csv_block *block, size_t to, char delimiter)
{
    const uint8_t *text = ftl_csv_text(block);
    ftl_csv_index *index = &block->index;
    ftl_csv_walk state = block->walk;
    size_t at = block->at;
    for (; at < to && state != FTL_CSV_WALK_NONE; at++) {
        char c = (char)text[at];
        if (state == FTL_CSV_WALK_QUOTED) {
            index->quoted_lines += c == '\r' || (c == '\n' && text[at - 1] != '\r');
            state = c == '"' ? FTL_CSV_WALK_QUOTE : FTL_CSV_WALK_QUOTED;
        } else if (c == '"' && state != FTL_CSV_WALK_TEXT) {
            state = FTL_CSV_WALK_QUOTED;
        } else if (c == delimiter || c == '\n' || c == '\r') {
            put_end(index, at);
            if (c != delimiter)
                put_line(index);
            state = c == delimiter ? FTL_CSV_WALK_START : FTL_CSV_WALK_NONE;
        } else {
            state = FTL_CSV_WALK_TEXT;
        }
    }
    block->walk = state;
    block->at = at;
}

/* Indexes up to `to`, or less: as much as can be listed before more is decided. */
static ftl_status index_slice(const ftl_csv *csv, ftl_csv_block *block, size_t to, ftl_error *error)
{
    ftl_csv_index *index = &block->index;
    ftl_account *account = block->block.account;
    if (to - block->at > SLICE)
        to = block->at + SLICE;
    size_t most = to - block->at + FTL_CSV_ROOM;
    FTL_TRY(ftl_grow(account, &index->ends, &block->ends_room, index->n_ends + most,
                     sizeof *index->ends, error));
    FTL_TRY(ftl_grow(account, &index->lines, &block->lines_room, index->n_lines + most,
                     sizeof *index->lines, error));
    if (block->walk == FTL_CSV_WALK_NONE)
        block->at = csv->kernels->index(ftl_csv_text(block), block->at, to, (uint8_t)csv->delimiter,
                                        index);
    else
        walk_record(block, to, csv->delimiter);
    return FTL_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Makes the lines that were found rows, but for the blank ones. */
static ftl_status list_rows(const ftl_table *table, ftl_csv *csv, ftl_csv_block *block,
                            size_t max_rows, ftl_error *error)
{
    const ftl_csv_index *index = &block->index;
    const uint8_t *text = ftl_csv_text(block);
    FTL_TRY(ftl_grow(block->block.account, &block->rows, &block->rows_room,
                     block->block.rows + (index->n_lines - block->listed), sizeof *block->rows,
                     error));
    for (; block->listed < index->n_lines && block->block.rows < max_rows; block->listed++) {
        const ftl_csv_line *line = &index->lines[block->listed];
        uint32_t first = block->listed ? line[-1].ends : 0;
        uint32_t cells = line->ends - first, end = index->ends[line->ends - 1];
        if (end - block->start > table->max_record)
            return ftl_csv_too_long(table, error);
        if (cells > 1 ||
            !ftl_csv_is_blank(text + block->start, end - block->start, csv->delimiter)) {
            block->rows[block->block.rows++] = (ftl_csv_row){(uint32_t)block->start, first, cells,
                                                             (uint32_t)(csv->line - block->line)};
            block->ragged |= cells != table->info.n_columns;
        }
        block->start = end + 1;
        if (text[end] == '\r' && block->start < block->bytes.size && text[block->start] == '\n')
            block->start++;
        csv->line = block->line + (int64_t)block->listed + 1 + line->quoted;
    }
    return FTL_OK;
}

/* Indexes and lists what is there up to `to`, or max_rows. */
static ftl_status take(const ftl_table *table, ftl_csv *csv, ftl_csv_block *block, size_t to,
                       size_t max_rows, ftl_error *error)
{
    while (block->at < to && block->block.rows < max_rows) {
        bool walked = block->walk != FTL_CSV_WALK_NONE;
        size_t before = block->at;
        FTL_TRY(index_slice(csv, block, to, error));
        FTL_TRY(list_rows(table, csv, block, max_rows, error));
        size_t aim = to - before > SLICE ? before + SLICE : to;
        if (!walked && block->at < aim && block->block.rows < max_rows)
            begin_walk(block);
    }
    return FTL_OK;
}

/* The text ends here: what is left is a record without a line end. */
static ftl_status take_last(const ftl_table *table, ftl_csv *csv, ftl_csv_block *block,
                            size_t max_rows, ftl_error *error)
{
    size_t left = block->bytes.size - block->start;
    if (left == 0)
        return FTL_OK;
    if (left > table->max_record)
        return ftl_csv_too_long(table, error);
    if (block->index.quoted || block->walk == FTL_CSV_WALK_QUOTED)
        return ftl_csv_open_quote(table, error);
    FTL_TRY(ftl_grow(block->block.account, &block->index.ends, &block->ends_room,
                     block->index.n_ends + 1, sizeof *block->index.ends, error));
    FTL_TRY(ftl_grow(block->block.account, &block->index.lines, &block->lines_room,
                     block->index.n_lines + 1, sizeof *block->index.lines, error));
    put_end(&block->index, block->bytes.size);
    put_line(&block->index);
    FTL_TRY(list_rows(table, csv, block, max_rows, error));
    block->start = block->bytes.size;
    return FTL_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* As much text as max_rows take, if they are like those before. */
static size_t wanted_bytes(const ftl_table *table, const ftl_csv *csv, size_t max_rows)
{
    size_t rows = max_rows < table->block_bytes ? max_rows : table->block_bytes;
    size_t bytes = csv->row_bytes ? (rows + 1) * csv->row_bytes : table->block_bytes;
    return bytes < table->block_bytes ? bytes : table->block_bytes;
}

/* Puts the text behind the last row aside, for the next block. */
static ftl_status keep_rest(ftl_table *table, ftl_csv *csv, ftl_csv_block *block, ftl_error *error)
{
    size_t size = block->bytes.size - block->start;
    if (block->block.rows)
        csv->row_bytes = block->start / block->block.rows + 1;
    FTL_TRY(ftl_grow(table->account, &csv->rest, &csv->rest_room, size, 1, error));
    if (size)
        memcpy(csv->rest, ftl_csv_text(block) + block->start, size);
    csv->rest_size = size;
    block->bytes.size = block->start;
    return FTL_OK;
}

static ftl_status reserve(ftl_csv_block *block, size_t size, ftl_error *error)
{
    FTL_TRY(
        ftl_block_bytes_reserve(block->block.account, &block->bytes, FTL_CSV_MARGIN + size, error));
    memset(block->bytes.data, 0, FTL_CSV_MARGIN);
    return FTL_OK;
}

/* Room for a record that is longer than the text so far. Blank lines in front of it are dropped. */
static ftl_status want_more(const ftl_table *table, const ftl_csv *csv, ftl_csv_block *block,
                            size_t *wanted, ftl_error *error)
{
    if (block->start) {
        restart(block, csv, block->start);
        return FTL_OK;
    }
    if (block->at > table->max_record)
        return ftl_csv_too_long(table, error);
    *wanted += *wanted;
    return reserve(block, *wanted, error);
}

static ftl_status fill(ftl_table *table, ftl_csv *csv, ftl_csv_block *block, size_t max_rows,
                       ftl_error *error)
{
    size_t wanted = wanted_bytes(table, csv, max_rows);
    const ftl_table_block *rows = &block->block;
    FTL_TRY(reserve(block, wanted > csv->rest_size ? wanted : csv->rest_size, error));
    uint8_t *text = ftl_csv_text(block);
    if (csv->rest_size)
        memcpy(text, csv->rest, csv->rest_size);
    block->bytes.size = csv->rest_size;
    restart(block, csv, 0);
    for (bool final = false;;) {
        size_t size = block->bytes.size, to = size < wanted ? size : wanted;
        /* what follows a CR at the very end tells whether its line end is CR LF */
        if (to == size && size && !final && text[size - 1] == '\r')
            to--;
        FTL_TRY(take(table, csv, block, to, max_rows, error));
        if (rows->rows == max_rows || (rows->rows && size >= wanted))
            return FTL_OK;
        if (rows->rows && table->flush_early && ftl_stream_waits(table->stream, 1))
            return FTL_OK;
        if (final && to == size)
            return take_last(table, csv, block, max_rows, error);
        if (size < wanted) {
            size_t got;
            FTL_TRY(ftl_stream_read_some(table->stream, text + size, wanted - size, &got, error));
            block->bytes.size += got;
            final = got == 0;
        } else {
            FTL_TRY(want_more(table, csv, block, &wanted, error));
            text = ftl_csv_text(block);
        }
    }
}

ftl_status ftl_csv_read(ftl_table *table, size_t max_rows, ftl_table_block *into, ftl_error *error)
{
    ftl_csv_block *block = (ftl_csv_block *)into;
    ftl_csv *csv = table->state;
    block->ragged = false;
    FTL_TRY(fill(table, csv, block, max_rows, error));
    FTL_TRY(keep_rest(table, csv, block, error));
    return into->rows ? FTL_OK : FTL_END;
}
