/*
 * .npy output: rows in C order. The header comes first and holds the number of rows, so it is
 * written with room to spare and patched at the end; hence plain files only.
 */
#include "table/sink_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct npy_state {
    ftl_type number; /* of the elements */
} npy_state;

enum { HEADER_BYTES = 128, HEADER_PREFIX = 10 }; /* a multiple of 64, as numpy aligns it */

static ftl_status write_header(ftl_sink *sink, bool patch, ftl_error *error)
{
    const npy_state *state = sink->state;
    char header[HEADER_BYTES] = "\x93NUMPY\1";
    header[8] = (char)(HEADER_BYTES -
                       HEADER_PREFIX); /* version 1.0, 16-bit length, little-endian */
    const char *type = state->number == FTL_F32 ? "f4" : state->number == FTL_I64 ? "i8" : "f8";
    char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char second[32] = "";
    if (sink->n_columns > 1)
        snprintf(second, sizeof second, " %zu", sink->n_columns);
    int n = snprintf(header + HEADER_PREFIX, HEADER_BYTES - HEADER_PREFIX,
                     "{'descr': '%c%s', 'fortran_order': False, 'shape': (%llu,%s), }", order, type,
                     (unsigned long long)sink->rows, second);
    if (n < 0 || n >= HEADER_BYTES - HEADER_PREFIX)
        return FTL_FAIL(error, FTL_INTERNAL, "the .npy header does not fit");
    memset(header + HEADER_PREFIX + n, ' ', (size_t)(HEADER_BYTES - HEADER_PREFIX - n));
    header[HEADER_BYTES - 1] = '\n';
    return patch ? ftl_output_patch(&sink->output, header, sizeof header, error)
                 : ftl_output_write(&sink->output, header, sizeof header, error);
}

static ftl_status npy_begin(ftl_sink *sink, ftl_error *error)
{
    npy_state *state = sink->state;
    state->number = sink->columns[0].type;
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_type type = sink->columns[i].type;
        if (type == FTL_STRING)
            return FTL_FAIL(
                error, FTL_UNSUPPORTED,
                "column '%s' is text, which a .npy file of numbers does not hold; write CSV",
                sink->columns[i].name);
        if (type != state->number || type == FTL_BOOL || type == FTL_U64)
            state->number = FTL_F64;
    }
    if (lseek(sink->output.fd, 0, SEEK_CUR) < 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a .npy file is written to a plain file, not to a pipe");
    return write_header(sink, false, error);
}

/* A value as float64; NaN when missing. */
static double as_double(const ftl_column *column, size_t row)
{
    return ftl_column_is_valid(column, row) ? ftl_column_number(column, row) : (double)NAN;
}

static ftl_status put_value(const ftl_sink *sink, const ftl_column *column, size_t i, size_t row,
                            ftl_strbuf *out, ftl_error *error)
{
    const npy_state *state = sink->state;
    if (state->number == FTL_I64) {
        if (!ftl_column_is_valid(column, row))
            return FTL_FAIL(error, FTL_VALUE,
                            "column '%s' has a missing value, which an integer .npy file cannot "
                            "hold; write CSV",
                            sink->columns[i].name);
        ftl_strbuf_append(out, ftl_column_at(column, row, sizeof(int64_t)), sizeof(int64_t));
        return FTL_OK;
    }
    double wide = as_double(column, row);
    float narrow = (float)wide;
    if (state->number == FTL_F32)
        ftl_strbuf_append(out, (const char *)&narrow, sizeof narrow);
    else
        ftl_strbuf_append(out, (const char *)&wide, sizeof wide);
    return FTL_OK;
}

static ftl_status npy_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                             ftl_strbuf *out, ftl_error *error)
{
    for (size_t row = 0; row < batch->rows; row++) {
        if (skip && skip[row])
            continue;
        for (size_t i = 0; i < batch->n_columns; i++)
            FTL_TRY(put_value(sink, &batch->columns[i], i, row, out, error));
    }
    return out->failed ? FTL_OOM(error) : FTL_OK;
}

static ftl_status npy_finish(ftl_sink *sink, ftl_error *error)
{
    return write_header(sink, true, error);
}

static const char *const npy_endings[] = {".npy", NULL};

const ftl_sink_kind ftl_sink_npy = {
    .name = ".npy",
    .keyword = "npy",
    .grows = true,
    .endings = npy_endings,
    .state_size = sizeof(npy_state),
    .begin = npy_begin,
    .format = npy_format,
    .finish = npy_finish,
};
