/*
 * Arrow IPC streams and files; the first byte chooses the columns' uses, the sizes of blocks, and
 * whether the bytes can be read at any place or come one behind the other.
 */
#include "touch_batch.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 16, MOST_ROWS = 100000, HELD_BLOCKS = 2 };

/* A stream that is no plain file. */
typedef struct pipe_source {
    const uint8_t *data;
    size_t size, at;
} pipe_source;

static ftl_status pipe_read(void *state, void *out, size_t room, size_t *got, ftl_error *error)
{
    pipe_source *source = state;
    size_t n = source->size - source->at;
    (void)error;
    n = n < room ? n : room;
    if (n)
        memcpy(out, source->data + source->at, n);
    source->at += n;
    *got = n;
    return FTL_OK;
}

static void pipe_close(void *state) { (void)state; }

static const ftl_stream_ops pipe_ops = {.read = pipe_read, .close = pipe_close};

/* Two blocks in turn, so that rows outlive the batch and the dictionary that they came with. */
static void read_rows(ftl_table *table, uint8_t choice)
{
    ftl_table_block *blocks[HELD_BLOCKS];
    ftl_row_batch *batch;
    size_t rows = 0;
    volatile size_t seen = 0;
    for (size_t i = 0; i < HELD_BLOCKS; i++) {
        if (ftl_table_block_create(table, &blocks[i], NULL) != FTL_OK)
            abort();
    }
    if (ftl_row_batch_create(table, &batch, NULL) != FTL_OK)
        abort();
    for (size_t i = 0; rows < MOST_ROWS; i++) {
        ftl_table_block *older = blocks[(i + 1) % HELD_BLOCKS];
        if (ftl_table_read(table, 1 + choice % 7, blocks[i % HELD_BLOCKS], NULL) != FTL_OK)
            break;
        rows += ftl_table_block_rows(blocks[i % HELD_BLOCKS]);
        if (i && ftl_table_convert(table, older, batch, NULL) == FTL_OK)
            seen += touch_batch(batch);
    }
    ftl_row_batch_destroy(batch);
    for (size_t i = 0; i < HELD_BLOCKS; i++)
        ftl_table_block_destroy(blocks[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    ftl_account account;
    ftl_account_init(&account, NULL, (uint64_t)256 << 20);
    pipe_source source = {data + 1, size - 1, 0};
    ftl_stream *stream;
    ftl_table *table;
    const ftl_table_options options = {.format = "arrow"};
    ftl_status status = data[0] & 32
                            ? ftl_stream_create(&account, &pipe_ops, &source, 0, &stream, NULL)
                            : ftl_stream_open_memory(&account, data + 1, size - 1, &stream, NULL);
    if (status != FTL_OK)
        abort();
    if (ftl_table_open(&account, stream, &options, &table, NULL) != FTL_OK) {
        ftl_stream_close(stream);
        return 0;
    }
    static const ftl_type types[] = {FTL_F64, FTL_STRING};
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t columns = ftl_table_get_info(table)->n_columns, n = 0;
    for (size_t i = 0; i < columns && n < MOST_COLUMNS; i++) {
        bool raw = data[0] & 16;
        if (!(data[0] & 64) || i % 2) /* or every other column */
            requests[n++] = (ftl_table_column_request){.index = i,
                                                       .type = raw ? ftl_table_column_type(table, i)
                                                                   : types[(i + data[0]) % 2],
                                                       .raw = raw};
    }
    if (ftl_table_bind(table, requests, n, NULL) == FTL_OK)
        read_rows(table, data[0]);
    ftl_table_close(table);
    if (ftl_account_used(&account) != 0)
        abort();
    return 0;
}
