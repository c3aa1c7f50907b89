/* Tables without a model: a file as an Arrow C stream, a stream as a file. */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/arrow_export.h"
#include "engine/context.h"
#include "engine/inputs.h"
#include "engine/job.h"

#include <stdio.h>
#include <string.h>

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

/* The structure is memory of its own; all else is the context's, and given up at the end. */
typedef struct table_stream {
    ftl_account own;
    ftl_arena names;      /* of the columns: they outlive the table */
    ftl_context *context; /* NULL: given up */
    ftl_arena arena;
    ftl_inputs inputs;
    ftl_score_options options;
    reader reader;
    copied columns;
    ftl_status status;
    ftl_error error;
    char message[FTL_ERROR_MESSAGE_SIZE + 32];
} table_stream;

static void give_up(table_stream *s)
{
    if (!s->context)
        return;
    end_reading(&s->reader);
    ftl_arena_free(&s->arena);
    s->context = NULL;
}

static void destroy(table_stream *s)
{
    ftl_account account;
    give_up(s);
    ftl_arena_free(&s->names);
    ftl_account_init(&account, &s->own.allocator, 0);
    ftl_free(&account, s);
}

static int fail(table_stream *s, ftl_status status)
{
    give_up(s);
    s->status = status;
    snprintf(s->message, sizeof s->message, "%s: %s", ftl_status_name(status), s->error.message);
    return ftl_arrow_errno(status);
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    table_stream *s = stream->private_data;
    ftl_status status = ftl_arrow_export_schema(&s->own.allocator, s->columns.columns, s->columns.n,
                                                out, &s->error);
    return status == FTL_OK ? 0 : fail(s, status);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    table_stream *s = stream->private_data;
    ftl_batch batch;
    ftl_status status = s->status;
    if (status == FTL_OK)
        status = read_rows(&s->reader, &batch, &s->error);
    if (status == FTL_OK)
        status = ftl_arrow_export_array(&s->own.allocator, s->columns.columns, &batch, NULL, out,
                                        &s->error);
    if (status == FTL_OK)
        return 0;
    if (status != FTL_END)
        return fail(s, status);
    give_up(s);
    s->status = FTL_END;
    *out = (struct ArrowArray){0};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    const table_stream *s = stream->private_data;
    return s->message[0] ? s->message : NULL;
}

static void release(struct ArrowArrayStream *stream)
{
    destroy(stream->private_data);
    stream->release = NULL;
}

/* The names stay until the stream is released, which may be behind the end of all else. */
static ftl_status keep_columns(table_stream *s, ftl_error *error)
{
    ftl_sink_column *columns = ftl_arena_copy(&s->names, s->columns.columns,
                                              s->columns.n * sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < s->columns.n; i++) {
        columns[i].name = ftl_arena_string(&s->names, columns[i].name, strlen(columns[i].name));
        if (!columns[i].name)
            return FTL_OOM(error);
    }
    s->columns.columns = columns;
    return FTL_OK;
}

static ftl_status open_stream(table_stream *s, const char *path, ftl_error *error)
{
    FTL_TRY(ftl_inputs_find(&s->arena, path, &s->options, &s->inputs, error));
    FTL_TRY(ftl_inputs_open(&s->arena, &s->inputs, &s->options, &s->reader.table, error));
    FTL_TRY(choose_columns(s->reader.table, &s->options, &s->arena, &s->columns, error));
    FTL_TRY(keep_columns(s, error));
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
    ftl_account account;
    ftl_account_init(&account, &context->account.allocator, 0);
    table_stream *s = ftl_alloc_zero(&account, 1, sizeof *s);
    if (!s)
        return FTL_OOM(error);
    ftl_account_init(&s->own, &context->account.allocator, 0);
    ftl_arena_init(&s->names, &s->own);
    ftl_arena_init(&s->arena, &context->account);
    ftl_error_clear(&s->error);
    s->context = context;
    s->options = chosen;
    s->reader.options = &s->options;
    ftl_status status = open_stream(s, input_path, error);
    if (status != FTL_OK) {
        destroy(s);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = s};
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
