/* Tables without a model: a file as an Arrow C stream, a stream as a file. */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/arrow_export.h"
#include "engine/context.h"
#include "engine/inputs.h"
#include "engine/job.h"
#include "engine/stream_out.h"

enum { USUAL_ROWS = 8192 };

/* The columns of a table that are copied. */
typedef struct copied {
    ftl_table_column_request *requests;
    ftl_sink_column *columns;
    size_t n;
} copied;

static ftl_status add_column(const ftl_table *table, size_t index, ftl_arena *arena, copied *out,
                             ftl_error *error)
{
    const char *name = ftl_table_column_name(table, index);
    ftl_type type = ftl_table_column_type(table, index);
    if (!name)
        name = ftl_arena_printf(arena, "column_%zu", index);
    if (!name)
        return FTL_OOM(error);
    out->requests[out->n] = (ftl_table_column_request){index, type, true};
    out->columns[out->n++] = (ftl_sink_column){name, type};
    return FTL_OK;
}

/* Those that the options keep, else all that can be read; and binds them. */
static ftl_status choose_columns(ftl_table *table, const ftl_score_options *options,
                                 ftl_arena *arena, copied *out, ftl_error *error)
{
    size_t n_columns = ftl_table_get_info(table)->n_columns;
    size_t room = options->n_keep ? options->n_keep : n_columns;
    *out = (copied){.requests = ftl_arena_zero_array(arena, room + 1, sizeof *out->requests),
                    .columns = ftl_arena_zero_array(arena, room + 1, sizeof *out->columns)};
    if (!out->requests || !out->columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < options->n_keep; i++) {
        size_t column = 0;
        FTL_TRY(ftl_binding_find(table, options->keep[i], "keep", &column, error));
        FTL_TRY(add_column(table, column, arena, out, error));
    }
    for (size_t i = 0; options->n_keep == 0 && i < n_columns; i++) {
        if (!ftl_table_column_refused(table, i))
            FTL_TRY(add_column(table, i, arena, out, error));
    }
    if (out->n == 0)
        return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                                "the table has no column of a type that is read");
    return ftl_table_bind(table, out->requests, out->n, error);
}

/* Reads tables in pieces. */
typedef struct reader {
    const ftl_score_options *options;
    ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    uint64_t rows;
} reader;

static ftl_status begin_reading(reader *r, ftl_error *error)
{
    FTL_TRY(ftl_table_block_create(r->table, &r->block, error));
    return ftl_row_batch_create(r->table, &r->batch, error);
}

static void end_reading(reader *r)
{
    ftl_row_batch_destroy(r->batch);
    ftl_table_block_destroy(r->block);
    ftl_table_close(r->table);
    *r = (reader){0};
}

/* END behind the last rows. What cannot be copied ends the work. */
static ftl_status read_rows(reader *r, ftl_batch *out, ftl_error *error)
{
    size_t rows = r->options->batch_rows ? r->options->batch_rows : USUAL_ROWS;
    if (r->options->limit && r->options->limit - r->rows < rows)
        rows = (size_t)(r->options->limit - r->rows);
    if (rows == 0)
        return FTL_END;
    FTL_TRY(ftl_cancel_check(r->options->cancel, error));
    FTL_TRY(ftl_table_read(r->table, rows, r->block, error));
    FTL_TRY(ftl_table_convert(r->table, r->block, r->batch, error));
    ftl_row_view view;
    ftl_row_batch_view(r->batch, &view);
    if (view.n_bad) {
        ftl_error why;
        ftl_error_clear(&why);
        ftl_row_batch_problem(r->table, r->block, r->batch, 0, NULL, &why);
        if (error)
            *error = why;
        return why.code == FTL_OK ? FTL_VALUE : why.code;
    }
    r->rows += view.batch.rows;
    *out = view.batch;
    return FTL_OK;
}

/* ---- A file as a stream ---------------------------------------------------------------------- */

/* Table and arena are the context's. */
typedef struct table_stream {
    ftl_stream_out stream;
    ftl_context *context; /* NULL: given up */
    ftl_arena arena;
    ftl_inputs inputs;
    ftl_score_options options;
    reader reader;
} table_stream;

static void give_up(ftl_stream_out *stream)
{
    table_stream *s = (table_stream *)stream;
    if (!s->context)
        return;
    end_reading(&s->reader);
    ftl_arena_free(&s->arena);
    s->context = NULL;
}

static ftl_status next_batch(ftl_stream_out *stream, struct ArrowArray *out, ftl_error *error)
{
    ftl_batch batch;
    FTL_TRY(read_rows(&((table_stream *)stream)->reader, &batch, error));
    return ftl_arrow_export_array(&stream->own.allocator, stream->columns, &batch, NULL, out,
                                  error);
}

static ftl_status open_stream(table_stream *s, const char *path, ftl_error *error)
{
    copied columns;
    FTL_TRY(ftl_inputs_find(&s->arena, path, &s->options, &s->inputs, error));
    FTL_TRY(ftl_inputs_open(&s->arena, &s->inputs, &s->options, &s->reader.table, error));
    FTL_TRY(choose_columns(s->reader.table, &s->options, &s->arena, &columns, error));
    FTL_TRY(ftl_stream_out_columns(&s->stream, columns.columns, columns.n, error));
    return begin_reading(&s->reader, error);
}

ftl_status ftl_read_table(ftl_context *context, const char *input_path,
                          const ftl_score_options *options, struct ArrowArrayStream *out,
                          ftl_error *error)
{
    ftl_score_options chosen;
    if (!context || !input_path || !out)
        return FTL_FAIL(error, FTL_ARG, "ftl_read_table needs a context, an input and a stream");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    chosen.flush_early = false;
    table_stream *s = ftl_stream_out_new(&context->account.allocator, sizeof *s);
    if (!s)
        return FTL_OOM(error);
    s->stream.next = next_batch;
    s->stream.give_up = give_up;
    ftl_arena_init(&s->arena, &context->account);
    s->context = context;
    s->options = chosen;
    s->reader.options = &s->options;
    ftl_status status = open_stream(s, input_path, error);
    if (status != FTL_OK) {
        ftl_stream_out_destroy(&s->stream);
        return status;
    }
    ftl_stream_out_hand(&s->stream, out);
    return FTL_OK;
}

/* ---- A stream as a file ---------------------------------------------------------------------- */

static ftl_status report_progress(const reader *r, double *reported, ftl_error *error)
{
    double now = ftl_job_now();
    if (!r->options->progress || now - *reported < 0.1)
        return FTL_OK;
    *reported = now;
    const ftl_progress progress = {.struct_size = sizeof progress, .rows = r->rows};
    return r->options->progress(r->options->progress_user, &progress)
               ? FTL_OK
               : FTL_FAIL(error, FTL_CANCELLED, "cancelled");
}

static ftl_status write_rows(reader *r, ftl_sink *sink, ftl_strbuf *piece, ftl_error *error)
{
    double reported = 0;
    for (;;) {
        ftl_batch batch;
        ftl_status status = read_rows(r, &batch, error);
        if (status == FTL_END)
            return FTL_OK;
        FTL_TRY(status);
        ftl_strbuf_clear(piece);
        FTL_TRY(ftl_sink_format(sink, &batch, NULL, piece, error));
        FTL_TRY(ftl_sink_append(sink, piece->data, piece->size, batch.rows, error));
        FTL_TRY(report_progress(r, &reported, error));
    }
}

static ftl_status write_table(reader *r, ftl_account *account, ftl_arena *arena, const char *path,
                              uint64_t *bytes, ftl_error *error)
{
    copied columns;
    ftl_sink *sink;
    FTL_TRY(choose_columns(r->table, r->options, arena, &columns, error));
    FTL_TRY(begin_reading(r, error));
    const ftl_sink_options options = {.path = path,
                                      .format = r->options->output_format,
                                      .compression = r->options->compression,
                                      .delimiter = r->options->delimiter,
                                      .columns = columns.columns,
                                      .n_columns = columns.n,
                                      .cancel = r->options->cancel};
    FTL_TRY(ftl_sink_open(account, &options, &sink, error));
    ftl_strbuf piece;
    ftl_strbuf_init(&piece, account, 0);
    ftl_status status = write_rows(r, sink, &piece, error);
    ftl_strbuf_free(&piece);
    if (status == FTL_OK)
        return ftl_sink_commit(sink, bytes, error);
    ftl_sink_abort(sink);
    return status;
}

ftl_status ftl_write_table(ftl_context *context, struct ArrowArrayStream *in,
                           const char *output_path, const ftl_score_options *options,
                           ftl_score_result *result, ftl_error *error)
{
    ftl_score_options chosen;
    ftl_score_result figures = {0};
    double start = ftl_job_now();
    if (!context || !in || !output_path)
        return FTL_FAIL(error, FTL_ARG, "ftl_write_table needs a context, a stream and an output");
    ftl_status status = ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options",
                                         error);
    if (status == FTL_OK)
        status = ftl_out_check(result, "ftl_score_result", error);
    reader r = {.options = &chosen};
    const ftl_table_options how = {.empty_text = chosen.empty_text};
    if (status == FTL_OK)
        status = ftl_table_open_arrow(&context->account, in, &how, &r.table, error);
    if (in->release && !r.table) /* it is nobody's else */
        in->release(in);
    if (status != FTL_OK)
        return status;
    ftl_arena arena;
    ftl_arena_init(&arena, &context->account);
    status = write_table(&r, &context->account, &arena, output_path, &figures.bytes_written, error);
    figures.rows_read = figures.rows_written = r.rows;
    end_reading(&r);
    ftl_arena_free(&arena);
    figures.seconds = ftl_job_now() - start;
    if (status == FTL_OK)
        ftl_out_write(result, &figures, sizeof figures);
    return status;
}
