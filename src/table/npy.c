/*
 * .npy arrays of numbers as tables: (n,) is one column, (n, k) is k columns. Row-major files
 * stream. Column-major ones are read with pread, a piece of each bound column per block, so memory
 * stays constant there too.
 */
#include "base/checked.h"
#include "base/number.h"
#include "table/npy_header.h"
#include "table/table_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A block holds rows of the file as they are, or (by_column) the rows' elements of each bound
 * column in turn. */
typedef struct npy {
    ftl_npy_header header;
    uint64_t rows;
    size_t row_bytes;
    bool by_column;
    int fd;        /* by_column: the file; -1 otherwise */
    size_t offset; /* of the array in the file */
} npy;

static int npy_bid(const uint8_t *data, size_t size)
{
    return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0 ? 48 : -1;
}

static ftl_status system_error(ftl_error *error, const char *path, int number)
{
    char reason[128];
    return FTL_FAIL(error, FTL_IO, "%s: %s", path, strerror_r(number, reason, sizeof reason));
}

/* Opens the file for random access and makes sure that it is the one that the stream shows. */
static ftl_status open_by_column(npy *state, const char *path, const uint8_t *header,
                                 ftl_error *error)
{
    struct stat st;
    uint64_t array = 0, end = 0;
    if (path && strcmp(path, "-") != 0)
        state->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (state->fd < 0 || fstat(state->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a column-major (Fortran order) .npy array is read from a plain file "
                        "alone; save it with "
                        "numpy.ascontiguousarray to stream it");
    uint8_t there[256];
    for (size_t at = 0; at < state->offset; at += sizeof there) {
        size_t n = state->offset - at < sizeof there ? state->offset - at : sizeof there;
        if (pread(state->fd, there, n, (off_t)at) != (ssize_t)n ||
            memcmp(there, header + at, n) != 0)
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "a column-major (Fortran order) .npy array cannot be read from a "
                            "compressed file; unpack "
                            "it first");
    }
    if (!ftl_mul_u64(state->rows, state->row_bytes, &array) ||
        !ftl_add_u64(array, state->offset, &end))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the .npy file claims %llu rows of %llu bytes, which is too large for any "
                        "file",
                        (unsigned long long)state->rows, (unsigned long long)state->row_bytes);
    if ((uint64_t)st.st_size < end)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the .npy file is truncated: it has %lld bytes and should have %llu",
                        (long long)st.st_size, (unsigned long long)end);
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
    table->info.whole = header->kind != 'f';
    table->info.dtype = header->kind == 'f' && header->width == 4 ? FTL_F32 : FTL_F64;
    return FTL_OK;
}

static ftl_status npy_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    npy *state = FTL_ARENA_NEW(&table->arena, npy);
    if (!state)
        return FTL_OOM(error);
    state->fd = -1;
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
        FTL_TRY(open_by_column(state, options->path, data, error));
    ftl_stream_consume(table->stream, state->offset);
    return FTL_OK;
}

static void npy_close(ftl_table *table)
{
    npy *state = table->state;
    if (state && state->fd >= 0)
        close(state->fd);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status truncated(const npy *state, uint64_t rows, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT,
                    "the .npy file is truncated: it ends after %llu of %llu rows",
                    (unsigned long long)rows, (unsigned long long)state->rows);
}

static ftl_status read_rows(ftl_table *table, const npy *state, size_t rows, ftl_table_block *block,
                            ftl_error *error)
{
    FTL_TRY(ftl_table_block_reserve(block, rows * state->row_bytes, error));
    while (block->size < rows * state->row_bytes) {
        size_t got;
        ftl_status status = ftl_stream_read_some(table->stream, block->data + block->size,
                                                 rows * state->row_bytes - block->size, &got,
                                                 error);
        if (status != FTL_OK || got == 0) {
            block->rows = block->size / state->row_bytes;
            return status != FTL_OK ? status
                                    : truncated(state, table->rows_read + block->rows, error);
        }
        block->size += got;
    }
    block->rows = rows;
    return FTL_OK;
}

static ftl_status read_columns(ftl_table *table, const npy *state, size_t rows,
                               ftl_table_block *block, ftl_error *error)
{
    size_t piece = rows * state->header.width;
    FTL_TRY(ftl_table_block_reserve(block, table->n_requests * piece, error));
    for (size_t i = 0; i < table->n_requests; i++) {
        /* In range: open_by_column compared the whole array with the file's size. */
        uint64_t at = state->offset + (table->requests[i].index * state->rows + table->rows_read) *
                                          state->header.width;
        for (size_t done = 0; done < piece;) {
            ssize_t got = pread(state->fd, block->data + block->size, piece - done,
                                (off_t)(at + done));
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return system_error(error, "reading a column", errno);
            if (got == 0)
                return truncated(state, table->rows_read, error);
            done += (size_t)got;
            block->size += (size_t)got;
        }
    }
    block->rows = rows;
    return FTL_OK;
}

static ftl_status npy_read(ftl_table *table, size_t max_rows, ftl_table_block *block,
                           ftl_error *error)
{
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
    return state->by_column ? read_columns(table, state, rows, block, error)
                            : read_rows(table, state, rows, block, error);
}

/* ---- Converting ------------------------------------------------------------------------------ */

/* The bytes of one element as an unsigned integer of its width. */
static uint64_t load(const uint8_t *p, unsigned width, bool swapped)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) {
        unsigned significance = (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) != swapped
                                    ? i
                                    : width - 1 - i;
        value |= (uint64_t)p[i] << 8 * significance;
    }
    return value;
}

static int64_t sign_extend(uint64_t bits, unsigned width)
{
    unsigned shift = 64 - 8 * width; /* the header's reader lets widths of 1 to 8 pass */
    /* NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift) */
    return (int64_t)(bits << shift) >> shift;
}

static double to_double(const ftl_npy_header *header, uint64_t bits)
{
    if (header->kind == 'f' && header->width == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (header->kind == 'f') {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        return (double)value;
    }
    if (header->kind == 'i')
        return (double)sign_extend(bits, header->width);
    return header->kind == 'b' ? (double)(bits != 0) : (double)bits;
}

/* Elements at data + row * stride. */
static void to_f64(const ftl_npy_header *header, const uint8_t *data, size_t stride, size_t rows,
                   double *out)
{
    if (header->kind == 'f' && header->width == 8 && !header->swapped) {
        for (size_t row = 0; row < rows; row++)
            memcpy(&out[row], data + row * stride, sizeof *out);
        return;
    }
    for (size_t row = 0; row < rows; row++)
        out[row] = to_double(header, load(data + row * stride, header->width, header->swapped));
}

static void to_f32(const ftl_npy_header *header, const uint8_t *data, size_t stride, size_t rows,
                   float *out)
{
    if (header->kind == 'f' && header->width == 4 && !header->swapped) {
        for (size_t row = 0; row < rows; row++)
            memcpy(&out[row], data + row * stride, sizeof *out);
        return;
    }
    for (size_t row = 0; row < rows; row++)
        out[row] = (float)to_double(header,
                                    load(data + row * stride, header->width, header->swapped));
}

static size_t to_text(const ftl_npy_header *header, uint64_t bits, char out[FTL_F64_TEXT_SIZE])
{
    if (header->kind == 'b') {
        memcpy(out, bits ? "True" : "False", bits ? 4 : 5);
        return bits ? 4 : 5;
    }
    if (header->kind == 'i')
        return ftl_print_i64(sign_extend(bits, header->width), out);
    if (header->kind == 'u')
        return (size_t)snprintf(out, FTL_F64_TEXT_SIZE, "%llu", (unsigned long long)bits);
    double value = to_double(header, bits);
    if (isnan(value))
        return 0;
    return header->width == 4 ? ftl_print_f32((float)value, out) : ftl_print_f64(value, out);
}

/* A NaN is a missing cell, or an empty one in a raw column. */
static ftl_status to_strings(const ftl_npy_header *header, const uint8_t *data, size_t stride,
                             size_t column, ftl_row_batch *batch, ftl_error *error)
{
    char text[FTL_F64_TEXT_SIZE];
    for (size_t row = 0; row < batch->rows; row++) {
        size_t size = to_text(header, load(data + row * stride, header->width, header->swapped),
                              text);
        bool valid = size > 0 || batch->requests[column].raw;
        FTL_TRY(ftl_row_batch_set_string(batch, column, row, text, size, valid, error));
    }
    return FTL_OK;
}

static ftl_status npy_convert(const ftl_table *table, const ftl_table_block *block,
                              ftl_row_batch *batch, ftl_error *error)
{
    const npy *state = table->state;
    const ftl_npy_header *header = &state->header;
    for (size_t i = 0; i < batch->n_columns; i++) {
        const uint8_t *data = state->by_column
                                  ? block->data + i * block->rows * header->width
                                  : block->data + batch->requests[i].index * header->width;
        size_t stride = state->by_column ? header->width : state->row_bytes;
        if (batch->requests[i].type == FTL_F64)
            to_f64(header, data, stride, block->rows, batch->buffers[i].values);
        else if (batch->requests[i].type == FTL_F32)
            to_f32(header, data, stride, block->rows, batch->buffers[i].values);
        else
            FTL_TRY(to_strings(header, data, stride, i, batch, error));
    }
    return FTL_OK;
}

const ftl_table_format ftl_table_npy = {
    .name = ".npy",
    .bid = npy_bid,
    .open = npy_open,
    .close = npy_close,
    .read = npy_read,
    .convert = npy_convert,
};
