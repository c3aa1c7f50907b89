/* What the sink front (sink.c) and the output formats share. */
#ifndef FTL_TABLE_SINK_IMPL_H
#define FTL_TABLE_SINK_IMPL_H

#include "table/output.h"
#include "table/sink.h"

typedef struct ftl_sink_kind {
    const char *name;
    /* Checks the columns and writes what comes before the rows. */
    ftl_status (*begin)(ftl_sink *sink, ftl_error *error);
    ftl_status (*format)(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                         ftl_strbuf *out, ftl_error *error);
    /* Writes what comes after them; may be NULL. */
    ftl_status (*finish)(ftl_sink *sink, ftl_error *error);
} ftl_sink_kind;

extern const ftl_sink_kind ftl_sink_csv, ftl_sink_npy;

struct ftl_sink {
    ftl_account *account;
    ftl_arena arena;
    const ftl_sink_kind *kind;
    ftl_output output;
    ftl_sink_column *columns;
    size_t n_columns;
    char delimiter;
    bool packed;     /* in a gzip file */
    ftl_type number; /* .npy: the elements' type */
    uint64_t rows;   /* appended */
    ftl_strbuf scratch;
};

static inline bool ftl_column_is_valid(const ftl_column *column, size_t row)
{
    return !column->validity || column->validity[row / 8] >> row % 8 & 1;
}

/* A row of a fixed-width column, whose width is the one of its type. */
static inline const void *ftl_column_at(const ftl_column *column, size_t row, size_t width)
{
    ptrdiff_t stride = column->stride ? column->stride : (ptrdiff_t)width;
    return (const char *)column->values + (ptrdiff_t)row * stride;
}

#endif
