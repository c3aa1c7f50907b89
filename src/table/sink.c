#include "table/sink.h"

#include "table/sink_impl.h"

#include <string.h>

/* Another output format is another entry. */
static const ftl_sink_kind *const formats[] = {&ftl_sink_npy, &ftl_sink_csv};

static const ftl_sink_kind *format_by_name(const char *path)
{
    size_t size = strlen(path);
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        const char *ending = formats[i]->ending;
        if (ending && size > strlen(ending) && strcmp(path + size - strlen(ending), ending) == 0)
            return formats[i];
    }
    return &ftl_sink_csv;
}

static ftl_status copy_columns(ftl_sink *sink, const ftl_sink_options *options, ftl_error *error)
{
    sink->n_columns = options->n_columns;
    sink->columns = ftl_arena_zero_array(&sink->arena, sink->n_columns, sizeof *sink->columns);
    if (!sink->columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < sink->n_columns; i++) {
        const ftl_sink_column *column = &options->columns[i];
        sink->columns[i].type = column->type;
        sink->columns[i].name = ftl_arena_string(&sink->arena, column->name, strlen(column->name));
        if (!sink->columns[i].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

ftl_status ftl_sink_open(ftl_account *account, const ftl_sink_options *options, ftl_sink **out,
                         ftl_error *error)
{
    if (options->n_columns == 0)
        return FTL_FAIL(error, FTL_ARG, "an output table has one column at least");
    ftl_sink *sink = ftl_alloc_zero(account, 1, sizeof *sink);
    if (!sink)
        return FTL_OOM(error);
    sink->account = account;
    sink->kind = format_by_name(options->path);
    sink->delimiter = options->delimiter ? options->delimiter : ',';
    sink->output.fd = -1;
    ftl_arena_init(&sink->arena, account);
    ftl_arena_init(&sink->output.arena, account);
    ftl_strbuf_init(&sink->scratch, account, 0);
    ftl_status status = copy_columns(sink, options, error);
    if (status == FTL_OK)
        status = ftl_output_open(&sink->output, account, options->path, options->cancel, error);
    if (status == FTL_OK)
        status = sink->kind->begin(sink, error);
    if (status != FTL_OK) {
        ftl_sink_abort(sink);
        return status;
    }
    *out = sink;
    return FTL_OK;
}

ftl_status ftl_sink_format(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                           ftl_strbuf *out, ftl_error *error)
{
    if (batch->n_columns != sink->n_columns)
        return FTL_FAIL(error, FTL_ARG, "%zu columns for an output table of %zu", batch->n_columns,
                        sink->n_columns);
    for (size_t i = 0; i < sink->n_columns; i++) {
        if (batch->columns[i].type != sink->columns[i].type)
            return FTL_FAIL(error, FTL_ARG, "output column '%s' changes its type",
                            sink->columns[i].name);
    }
    return sink->kind->format(sink, batch, skip, out, error);
}

ftl_status ftl_sink_append(ftl_sink *sink, const void *data, size_t size, size_t rows,
                           ftl_error *error)
{
    FTL_TRY(ftl_output_write(&sink->output, data, size, error));
    sink->rows += rows;
    return FTL_OK;
}

ftl_status ftl_sink_write(ftl_sink *sink, const ftl_batch *batch, ftl_error *error)
{
    ftl_strbuf_clear(&sink->scratch);
    FTL_TRY(ftl_sink_format(sink, batch, NULL, &sink->scratch, error));
    return ftl_sink_append(sink, sink->scratch.data, sink->scratch.size, batch->rows, error);
}

/* Frees everything but the output. */
static void dismantle(ftl_sink *sink)
{
    ftl_strbuf_free(&sink->scratch);
    ftl_arena_free(&sink->arena);
    ftl_free(sink->account, sink);
}

ftl_status ftl_sink_commit(ftl_sink *sink, ftl_error *error)
{
    ftl_status status = sink->kind->finish ? sink->kind->finish(sink, error) : FTL_OK;
    if (status == FTL_OK)
        status = ftl_output_commit(&sink->output, error);
    else
        ftl_output_abort(&sink->output);
    dismantle(sink);
    return status;
}

void ftl_sink_abort(ftl_sink *sink)
{
    if (!sink)
        return;
    ftl_output_abort(&sink->output);
    dismantle(sink);
}

const char *ftl_sink_temporary_path(const ftl_sink *sink) { return sink->output.temporary; }
