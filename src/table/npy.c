/*
 * .npy arrays of numbers as tables: (n,) is one column, (n, k) is k columns. Row-major files
 * stream. Column-major ones are read at many places, a piece of each bound column per block, so
 * memory stays constant there too.
 */
#include "base/checked.h"
#include "table/npy_header.h"
#include "table/table_impl.h"

#include <string.h>

typedef struct npy {
    ftl_npy_header header;
    ftl_type type;
    uint64_t rows;
    size_t row_bytes;
    bool by_column;
    size_t offset; /* of the array in the file */
} npy;

/* Rows of the file as they are, or (by_column) the rows' elements of each bound column in turn, in
 * this machine's byte order. */
typedef struct npy_block {
    ftl_table_block block;
    ftl_block_bytes bytes;
} npy_block;

static int npy_bid(const uint8_t *data, size_t size)
{
    return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0 ? 48 : -1;
}

static ftl_type element_type(const ftl_npy_header *header)
{
    static const ftl_type integers[2][9] = {
        {[1] = FTL_I8, [2] = FTL_I16, [4] = FTL_I32, [8] = FTL_I64},
        {[1] = FTL_U8, [2] = FTL_U16, [4] = FTL_U32, [8] = FTL_U64}};
    if (header->kind == 'f')
        return header->width == 4 ? FTL_F32 : FTL_F64;
    return header->kind == 'b' ? FTL_BOOL : integers[header->kind == 'u'][header->width];
}

/* Columns lie apart in the file, so that it is read at many places, and it must be whole. */
static ftl_status check_by_column(const ftl_table *table, const npy *state, ftl_error *error)
{
    uint64_t size = 0, array = 0, end = 0;
    if (!ftl_stream_extent(table->stream, &size))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a column-major (Fortran order) .npy array is read from a plain file "
                        "alone, which is not compressed; save it with numpy.ascontiguousarray to "
                        "stream it");
    if (!ftl_mul_u64(state->rows, state->row_bytes, &array) ||
        !ftl_add_u64(array, state->offset, &end))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the .npy file claims %llu rows of %llu bytes, which is too large for any "
                        "file",
                        (unsigned long long)state->rows, (unsigned long long)state->row_bytes);
    if (size < end)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the .npy file is truncated: it has %llu bytes and should have %llu",
                        (unsigned long long)size, (unsigned long long)end);
    return FTL_OK;
}

static ftl_status set_shape(ftl_table *table, npy *state, ftl_error *error)
{
    const ftl_npy_header *header = &state->header;
    if (header->n_dimensions < 1 || header->n_dimensions > 2)
        return FTL_FAIL(error, FTL_SHAPE,
                        "the .npy array has %zu dimensions; a table has one or two",
                        header->n_dimensions);
    uint64_t columns = header->n_dimensions == 2 ? header->shape[1] : 1;
    uint64_t row_bytes;
    if (columns == 0)
        return FTL_FAIL(error, FTL_SHAPE, "the .npy array has no columns");
    if (!ftl_mul_u64(columns, header->width, &row_bytes) || row_bytes > table->max_record)
        return FTL_FAIL_OPTION(
            error, FTL_LIMIT, FTL_REASON_RECORD_SIZE, "max_record_bytes",
            "a row of the .npy array (%llu columns) is longer than %zu bytes; the "
            "limit is set with options.max_record_bytes",
            (unsigned long long)columns, table->max_record);
    state->rows = header->shape[0];
    state->row_bytes = (size_t)row_bytes;
    state->by_column = header->fortran_order && columns > 1 &&
                       state->rows > 1; /* otherwise the orders agree */
    table->info.n_columns = (size_t)columns;
    table->info.rows = (int64_t)state->rows;
    state->type = element_type(header);
    return FTL_OK;
}

static ftl_status npy_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    (void)options;
    npy *state = FTL_ARENA_NEW(&table->arena, npy);
    if (!state)
        return FTL_OOM(error);
    table->state = state;
    const uint8_t *data;
    size_t size, text;
    FTL_TRY(ftl_stream_ahead(table->stream, FTL_NPY_PREFIX, &data, &size, error));
    FTL_TRY(ftl_npy_header_size(data, size, &text, &state->offset, error));
    FTL_TRY(ftl_stream_ahead(table->stream, state->offset, &data, &size, error));
    if (size < state->offset)
        return FTL_FAIL(error, FTL_CORRUPT, "the .npy header is damaged: the file ends inside it");
    FTL_TRY(ftl_npy_header_parse((const char *)data + text, state->offset - text, &state->header,
                                 error));
    FTL_TRY(set_shape(table, state, error));
    if (state->by_column)
        FTL_TRY(check_by_column(table, state, error));
    ftl_stream_consume(table->stream, state->offset);
    return FTL_OK;
}

static ftl_type npy_column_type(const ftl_table *table, size_t column)
{
    const ftl_column shape = {.type = ((const npy *)table->state)->type};
    (void)column;
    return ftl_plain_type(&shape);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status truncated(const npy *state, uint64_t rows, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "the .npy file is truncated: it ends after %llu of %llu rows",
                    (unsigned long long)rows, (unsigned long long)state->rows);
}

static ftl_status read_rows(ftl_table *table, const npy *state, size_t rows, npy_block *block,
                            ftl_error *error)
{
    ftl_block_bytes *bytes = &block->bytes;
    FTL_TRY(ftl_block_bytes_reserve(table->account, bytes, rows * state->row_bytes, error));
    while (bytes->size < rows * state->row_bytes) {
        size_t got;
        ftl_status status = ftl_stream_read_some(table->stream, bytes->data + bytes->size,
                                                 rows * state->row_bytes - bytes->size, &got,
                                                 error);
        if (status != FTL_OK || got == 0) {
            block->block.rows = bytes->size / state->row_bytes;
            return status != FTL_OK ? status
                                    : truncated(state, table->rows_read + block->block.rows, error);
        }
        bytes->size += got;
    }
    block->block.rows = rows;
    return FTL_OK;
}

static ftl_status read_columns(ftl_table *table, const npy *state, size_t rows, npy_block *block,
                               ftl_error *error)
{
    size_t piece = rows * state->header.width;
    FTL_TRY(
        ftl_block_bytes_reserve(table->account, &block->bytes, table->n_requests * piece, error));
    for (size_t i = 0; i < table->n_requests; i++) {
        /* In range: check_by_column compared the whole array with the file's size. */
        uint64_t at = state->offset + (table->requests[i].index * state->rows + table->rows_read) *
                                          state->header.width;
        FTL_TRY(ftl_stream_read_at(table->stream, at, block->bytes.data + block->bytes.size, piece,
                                   error));
        block->bytes.size += piece;
    }
    block->block.rows = rows;
    return FTL_OK;
}

/* Elements of the other byte order are turned where they lie. */
static void swap_elements(uint8_t *data, size_t size, unsigned width)
{
    for (uint8_t *end = data + size / width * width; data < end; data += width) {
        for (unsigned i = 0; i < width / 2; i++) {
            uint8_t byte = data[i];
            data[i] = data[width - 1 - i];
            data[width - 1 - i] = byte;
        }
    }
}

static ftl_status npy_read(ftl_table *table, size_t max_rows, ftl_table_block *into,
                           ftl_error *error)
{
    npy_block *block = (npy_block *)into;
    const npy *state = table->state;
    uint64_t left = state->rows - table->rows_read;
    if (left == 0)
        return FTL_END;
    size_t row_bytes = state->by_column ? table->n_requests * state->header.width
                                        : state->row_bytes;
    size_t rows = max_rows;
    if (row_bytes)
        rows = row_bytes < table->block_bytes ? table->block_bytes / row_bytes : 1;
    if (rows > max_rows)
        rows = max_rows;
    if (rows > left)
        rows = (size_t)left;
    block->bytes.size = 0;
    ftl_status status = state->by_column ? read_columns(table, state, rows, block, error)
                                         : read_rows(table, state, rows, block, error);
    if (state->header.swapped)
        swap_elements(block->bytes.data, block->bytes.size, state->header.width);
    return status;
}

static void npy_block_free(ftl_table_block *block)
{
    ftl_free(block->account, ((npy_block *)block)->bytes.data);
}

/* ---- Converting ------------------------------------------------------------------------------ */

static ftl_status npy_convert(const ftl_table *table, const ftl_table_block *block,
                              ftl_row_batch *batch, ftl_error *error)
{
    const npy *state = table->state;
    const uint8_t *data = ((const npy_block *)block)->bytes.data;
    size_t width = state->header.width;
    for (size_t i = 0; i < batch->n_columns; i++) {
        size_t at = state->by_column ? i * block->rows : batch->requests[i].index;
        const ftl_column column = {
            .type = state->type,
            .values = data + at * width,
            .stride = (ptrdiff_t)(state->by_column ? width : state->row_bytes)};
        FTL_TRY(ftl_row_batch_set_column(batch, i, &column, error));
    }
    return FTL_OK;
}

static const char *const npy_endings[] = {".npy", NULL};

const ftl_table_format ftl_table_npy = {
    .name = ".npy",
    .keyword = "npy",
    .endings = npy_endings,
    .bid = npy_bid,
    .open = npy_open,
    .column_type = npy_column_type,
    .block_size = sizeof(npy_block),
    .block_free = npy_block_free,
    .read = npy_read,
    .convert = npy_convert,
};
