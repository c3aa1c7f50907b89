/*
 * Parquet files as tables: the fields at the top of the schema are the columns. What a column holds
 * decides what it is read as (parquet_meta.h); nested columns, timestamps and other types that no
 * model takes are refused when they are asked for and not looked at otherwise.
 *
 * Reading decodes rows into the block, of the wanted columns alone, each column in any thread of a
 * job that has nothing to do; converting borrows them from there.
 */
#include "table/parquet_rows.h"
#include "table/table_impl.h"

enum {
    TEXT_BLOCKS = 16 /* a block of text may be as many times larger than others */
};

/* values: as the rows' wanted columns, n_values of them once it was read into. */
typedef struct parquet_block {
    ftl_table_block block;
    ftl_parquet_values *values;
    size_t n_values;
} parquet_block;

static int parquet_bid(const uint8_t *data, size_t size)
{
    return ftl_parquet_magic(data, size) ? 32 : -1;
}

static ftl_status parquet_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    (void)options;
    ftl_parquet_rows *rows = FTL_ARENA_NEW(&table->arena, ftl_parquet_rows);
    if (!rows)
        return FTL_OOM(error);
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "Parquet files are not read on processors of this byte order");
    table->state = rows;
    FTL_TRY(ftl_parquet_rows_open(rows, table->account, table->stream, table->max_record,
                                  TEXT_BLOCKS * table->block_bytes, error));
    const ftl_parquet_meta *meta = &rows->meta;
    if (meta->n_columns == 0)
        return FTL_FAIL(error, FTL_SHAPE, "the Parquet file has no columns");
    table->names = ftl_arena_array(&table->arena, meta->n_columns + 1, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    for (size_t i = 0; i < meta->n_columns; i++)
        table->names[i] = meta->columns[i].name;
    table->info.n_columns = meta->n_columns;
    table->info.rows = (int64_t)meta->rows;
    return FTL_OK;
}

static void parquet_close(ftl_table *table)
{
    if (table->state)
        ftl_parquet_rows_free(table->state);
}

static ftl_type parquet_column_type(const ftl_table *table, size_t column)
{
    const ftl_parquet_rows *rows = table->state;
    const ftl_column shown = {.type = rows->meta.columns[column].type};
    return rows->meta.columns[column].refused ? FTL_STRING : ftl_plain_type(&shown);
}

static const char *parquet_refused(const ftl_table *table, size_t column)
{
    return ((const ftl_parquet_rows *)table->state)->meta.columns[column].refused;
}

/* Bytes are read at many places: the share of the rows tells how far it is. */
static uint64_t parquet_bytes_read(const ftl_table *table)
{
    uint64_t extent = 0;
    if (!ftl_stream_extent(table->stream, &extent) || table->info.rows <= 0)
        return extent;
    return (uint64_t)((double)extent * ((double)table->rows_read / (double)table->info.rows));
}

static ftl_status parquet_bind(ftl_table *table, ftl_error *error)
{
    size_t *columns = ftl_arena_array(&table->arena, table->n_requests + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < table->n_requests; i++)
        columns[i] = table->requests[i].index;
    return ftl_parquet_rows_want(table->state, columns, table->n_requests, error);
}

static ftl_status parquet_read(ftl_table *table, size_t max_rows, ftl_table_block *into,
                               ftl_error *error)
{
    parquet_block *block = (parquet_block *)into;
    ftl_parquet_rows *rows = table->state;
    if (!block->values) {
        block->values = ftl_alloc_zero(table->account, rows->n_wanted, sizeof *block->values);
        if (!block->values)
            return FTL_OOM(error);
        block->n_values = rows->n_wanted;
    }
    return ftl_parquet_rows_read(rows, max_rows, block->values, &into->rows, error);
}

static void parquet_share(ftl_table *table)
{
    ((ftl_parquet_rows *)table->state)->helpers = table->helpers;
}

static void parquet_block_free(ftl_table_block *block)
{
    parquet_block *own = (parquet_block *)block;
    for (size_t i = 0; i < own->n_values; i++)
        ftl_parquet_values_free(&own->values[i], block->account);
    ftl_free(block->account, own->values);
}

static ftl_status parquet_convert(const ftl_table *table, const ftl_table_block *block,
                                  ftl_row_batch *batch, ftl_error *error)
{
    const ftl_parquet_rows *rows = table->state;
    const parquet_block *own = (const parquet_block *)block;
    for (size_t i = 0; i < batch->n_columns; i++) {
        size_t index = batch->requests[i].index;
        ftl_column column = {.type = rows->meta.columns[index].type};
        if (column.type != FTL_NULL)
            column = ftl_parquet_values_view(&own->values[ftl_parquet_rows_slot(rows, index)],
                                             column.type);
        FTL_TRY(ftl_row_batch_set_column(batch, i, &column, error));
    }
    return FTL_OK;
}

static const char *const parquet_endings[] = {".parquet", ".pq", NULL};

const ftl_table_format ftl_table_parquet = {
    .name = "Parquet",
    .keyword = "parquet",
    .endings = parquet_endings,
    .bid = parquet_bid,
    .open = parquet_open,
    .close = parquet_close,
    .column_type = parquet_column_type,
    .refused = parquet_refused,
    .bytes_read = parquet_bytes_read,
    .bind = parquet_bind,
    .block_size = sizeof(parquet_block),
    .block_free = parquet_block_free,
    .read = parquet_read,
    .share = parquet_share,
    .convert = parquet_convert,
};
