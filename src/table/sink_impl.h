/* What the sink front (sink.c) and the output formats share. */
#ifndef FTL_TABLE_SINK_IMPL_H
#define FTL_TABLE_SINK_IMPL_H

#include "base/column.h"
#include "table/output.h"
#include "table/sink.h"
#include "table/sink_side.h"

/* An output format. Members that are NULL or zero are not needed. */
typedef struct ftl_sink_kind {
    const char *name;           /* for people */
    const char *keyword;        /* what options.output_format says */
    const char *const *endings; /* of names, such as ".csv", ended by NULL */
    bool text;                  /* may be compressed, as its name says */
    bool json;                  /* takes columns of JSON */
    bool grows; /* resumable: what stands in the file is pieces as they were appended */
    /* what options.compression may say, the usual one first, ended by NULL; NULL: nothing */
    const char *const *compressions;
    size_t state_size; /* of sink->state, zeroed */
    /* Checks the columns and writes what comes before the rows. */
    ftl_status (*begin)(ftl_sink *sink, ftl_error *error);
    /* A piece: rows as text, or in a form of the sink's own; any thread. */
    ftl_status (*format)(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                         ftl_strbuf *out, ftl_error *error);
    /* Takes a piece of so many rows; NULL: its bytes are written as they are. */
    ftl_status (*append)(ftl_sink *sink, const void *data, size_t size, size_t rows,
                         ftl_error *error);
    /*
     * Resumable in parts; NULL: as `grows` says. append leaves sink->skip rows out and counts it
     * down; wherever a part has ended sink->mark is set, and of a resumable sink a record of it
     * appended to sink->log. restore takes all records up to a mark, none for the file's beginning,
     * and makes the state what it was then; CORRUPT when they cannot be its.
     */
    ftl_status (*restore)(ftl_sink *sink, const void *records, size_t size,
                          const ftl_output_mark *mark, ftl_error *error);
    /* With restore: ends a part, if anything is in it. */
    ftl_status (*cut)(ftl_sink *sink, ftl_error *error);
    /* See ftl_sink_share. */
    void (*share)(ftl_sink *sink, ftl_task_group *group, uint32_t width);
    /* Writes what comes after them. */
    ftl_status (*finish)(ftl_sink *sink, ftl_error *error);
    /* Frees what the state holds. */
    void (*close)(ftl_sink *sink);
} ftl_sink_kind;

/* Another output format is another entry. */
#define FTL_SINK_KINDS(X) X(csv) X(npy) X(json) X(jsonl) X(arrow) X(parquet)
#define FTL_DECLARE(name) extern const ftl_sink_kind ftl_sink_##name;
FTL_SINK_KINDS(FTL_DECLARE)
#undef FTL_DECLARE

struct ftl_sink {
    ftl_account *account;
    ftl_arena arena;
    const ftl_sink_kind *kind;
    void *state; /* the kind's */
    ftl_output output;
    bool resumable;
    ftl_sink_column *columns;
    size_t n_columns, n_json;
    char delimiter;
    const char *compression;      /* one of the kind's; NULL: it has none */
    const ftl_encoding *encoding; /* how it is compressed; NULL: not at all */
    uint64_t rows;                /* appended */
    ftl_strbuf scratch;
    /* of kinds with restore */
    ftl_output_mark mark; /* behind the last part: bytes of the file, and rows */
    uint64_t skip;        /* rows that come and are in the file already */
    ftl_strbuf log;       /* records that were not settled yet */
    ftl_sink_side side;   /* the others */
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
