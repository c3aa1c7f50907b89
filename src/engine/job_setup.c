/* A file job's models, columns and sinks, from its options. */
#include "engine/column_watch.h"
#include "engine/context.h"
#include "engine/names.h"

#include <stdlib.h>
#include <string.h>

/* ---- Models and methods ---------------------------------------------------------------------- */

static ftl_status add_method(ftl_job_model *model, ftl_method method, ftl_error *error)
{
    FTL_TRY(ftl_model_method_status(model->model, method, error));
    if (ftl_job_methods(model) & 1u << method)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "method",
                               "%s is asked for twice", ftl_method_name(method));
    model->methods[model->n_methods++] = method;
    return FTL_OK;
}

/* What was asked for, or what the model does by default; then probabilities, then the others. */
static ftl_status choose_methods(ftl_job_model *model, const ftl_score_options *options,
                                 ftl_error *error)
{
    ftl_method first = options->method_set ? options->method : model->model->default_method;
    FTL_TRY(add_method(model, first, error));
    if (options->proba && first != FTL_PREDICT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "proba",
                               "options.proba goes with predict; %s is written alone",
                               ftl_method_name(first));
    if (options->proba)
        FTL_TRY(add_method(model, FTL_PREDICT_PROBA, error));
    for (size_t i = 0; i < options->n_more_methods; i++)
        FTL_TRY(add_method(model, options->more_methods[i], error));
    return FTL_OK;
}

ftl_status ftl_job_choose(ftl_job_setup *setup, ftl_model *model, const ftl_score_options *options,
                          ftl_error *error)
{
    ftl_job *job = &setup->job;
    *job = (ftl_job){.account = &model->context->account,
                     .models = setup->models,
                     .n_models = 1 + options->n_more_models,
                     .on_error = options->on_error,
                     .cancel = options->cancel};
    if (job->n_models > FTL_JOB_MODELS)
        return FTL_FAIL(error, FTL_LIMIT, "%zu models at once; %d are the most", job->n_models,
                        FTL_JOB_MODELS);
    for (size_t i = 0; i < job->n_models; i++) {
        ftl_job_model *one = &setup->models[i];
        one->model = i ? options->more_models[i - 1] : model;
        one->prefix = i ? options->more_names[i - 1] : options->name;
        for (size_t k = 0; one->prefix && k < i; k++) {
            if (setup->models[k].prefix && strcmp(setup->models[k].prefix, one->prefix) == 0)
                return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "more_models",
                                       "two models of options.more_models are called '%.80s', and "
                                       "their columns would be, too; give one another name",
                                       one->prefix);
        }
        if (one->model->context != model->context)
            return FTL_FAIL(error, FTL_ARG, "the models of a job are of one context");
        FTL_TRY(choose_methods(one, options, error));
    }
    return FTL_OK;
}

/* ---- Columns and sessions -------------------------------------------------------------------- */

static ftl_status open_session(ftl_job_model *model, ftl_error *error)
{
    const ftl_session_options options = {.struct_size = sizeof options,
                                         .input_dtype = ftl_job_dtype(model->binding),
                                         .methods = ftl_job_methods(model),
                                         .on_error = FTL_ON_ERROR_NULL};
    return ftl_session_create(model->model, &options, &model->session, error);
}

static ftl_status bind_models(ftl_job_setup *setup, const ftl_table *table,
                              const ftl_score_options *options, ftl_error *error)
{
    for (size_t i = 0; i < setup->job.n_models; i++) {
        ftl_job_model *one = &setup->models[i];
        ftl_binding *binding = &setup->bindings[i];
        FTL_TRY(ftl_binding_make(one->model, table, options, i ? binding - 1 : NULL, &setup->arena,
                                 binding, error));
        one->binding = binding;
        setup->job.binding = binding;
    }
    return FTL_OK;
}

/* Columns go from JSON to JSON as they stand. */
static bool keeps_json(const ftl_table *table, const char *path, const ftl_score_options *options)
{
    return ftl_table_get_info(table)->abilities & FTL_TABLE_JSON &&
           ftl_sink_takes_json(path, options->output_format);
}

ftl_status ftl_job_bind(ftl_job_setup *setup, ftl_table *table, const char *output_path,
                        const ftl_score_options *options, ftl_error *error)
{
    ftl_job *job = &setup->job;
    job->table = table;
    ftl_arena_init(&setup->arena, job->account);
    setup->bound = true;
    for (size_t i = 0; i < job->n_models; i++) {
        ftl_job_model *one = &setup->models[i];
        FTL_TRY(ftl_model_for_table(one->model, table, options, &one->model, error));
        setup->n_owned++;
    }
    FTL_TRY(bind_models(setup, table, options, error));
    if (keeps_json(table, output_path, options))
        ftl_table_give_json(table);
    FTL_TRY(ftl_table_bind(table, job->binding->requests, job->binding->n_requests, error));
    for (size_t i = 0; i < job->n_models; i++)
        FTL_TRY(open_session(&setup->models[i], error));
    for (size_t i = 0; options->warn && i < job->n_models; i++) {
        ftl_job_model *one = &setup->models[i];
        one->watch = FTL_ARENA_NEW(&setup->arena, ftl_watch);
        if (!one->watch)
            return FTL_OOM(error);
        FTL_TRY(ftl_watch_make(one->session, &setup->arena, one->watch, error));
    }
    return FTL_OK;
}

/*
 * Numbers on their way, in and out, that a thread's batch has by default, however wide the model
 * is: so many that threads seldom wait for each other, and where there is one thread no more than
 * stay in the cache. Blocks of texts end by their bytes before that.
 */
enum {
    usual_cells = 1 << 18,
    alone_cells = 1 << 15,
    least_rows = 16,
    most_rows = 1 << 13,
    bytes_of_a_cell = 40
};

size_t ftl_job_batch_rows(const ftl_job *job, const ftl_score_options *options, size_t pieces)
{
    if (options->batch_rows)
        return options->batch_rows;
    size_t width = job->binding->n_requests;
    for (size_t i = 0; i < job->n_models; i++)
        width += ftl_job_outputs(&job->models[i]);
    bool texts = ftl_table_get_info(job->table)->abilities & FTL_TABLE_CELLS;
    size_t cells = texts || pieces > 1 ? usual_cells : alone_cells;
    if (options->memory && options->memory / bytes_of_a_cell / pieces < cells)
        cells = (size_t)(options->memory / bytes_of_a_cell / pieces);
    size_t rows = cells / (width ? width : 1);
    return rows > most_rows ? most_rows : rows < least_rows ? least_rows : rows;
}

void ftl_job_add_block(ftl_score_result *result, const ftl_job *job, const ftl_job_block *block)
{
    result->parse_seconds += block->times.parse;
    result->predict_seconds += block->times.predict;
    result->format_seconds += block->times.format;
    result->rows_written += block->rows_written;
    if (job->on_error == FTL_ON_ERROR_SKIP)
        result->rows_rejected += block->rows_bad;
    else
        result->rows_nulled += block->rows_bad;
}

static ftl_status warn_of_model(const ftl_job *job, const ftl_job_model *model,
                                const ftl_score_options *options, ftl_error *error)
{
    ftl_status status = FTL_OK;
    ftl_strbuf line;
    ftl_strbuf_init(&line, job->account, 1 << 16);
    for (size_t i = 0; model->watch && i < model->watch->n && status == FTL_OK; i++) {
        ftl_strbuf_clear(&line);
        if (!ftl_watch_warning(model->model, model->watch, i, &line))
            continue;
        const char *text = ftl_strbuf_text(&line);
        if (!options->warn(options->warn_user, text, strlen(text)))
            status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    }
    ftl_strbuf_free(&line);
    return status;
}

/* The columns that "*" kept not, as many as are soon read. */
static ftl_status warn_of_left_out(const ftl_job *job, const ftl_score_options *options,
                                   ftl_error *error)
{
    enum { most_shown = 8 };
    size_t n = 0;
    ftl_strbuf line;
    ftl_strbuf_init(&line, job->account, 1 << 16);
    for (size_t i = 0; i < ftl_table_get_info(job->table)->n_columns; i++) {
        const char *what = ftl_table_column_refused(job->table, i);
        if (!what || n++ >= most_shown)
            continue;
        const char *name = ftl_table_column_name(job->table, i);
        ftl_strbuf_puts(&line, n > 1 ? ", '" : "columns that cannot be copied were not kept: '");
        ftl_strbuf_printable(&line, name, strlen(name), 0);
        ftl_strbuf_printf(&line, "' (%s)", what);
    }
    if (n > most_shown)
        ftl_strbuf_printf(&line, " and %zu more", n - most_shown);
    const char *text = ftl_strbuf_text(&line);
    ftl_status status = options->warn(options->warn_user, text, strlen(text))
                            ? FTL_OK
                            : FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    ftl_strbuf_free(&line);
    return status;
}

ftl_status ftl_job_warn(const ftl_job *job, const ftl_score_options *options, ftl_error *error)
{
    if (options->warn && job->binding->left_out)
        FTL_TRY(warn_of_left_out(job, options, error));
    for (size_t i = 0; i < job->n_models; i++)
        FTL_TRY(warn_of_model(job, &job->models[i], options, error));
    return FTL_OK;
}

/* ---- Sinks ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ftl_sink_column *)a)->name, ((const ftl_sink_column *)b)->name);
}

/* Whether some of a model's columns bear one name. */
static ftl_status have_repeats(const ftl_sink_column *columns, size_t n, ftl_arena *arena,
                               bool *out, ftl_error *error)
{
    ftl_sink_column *sorted = ftl_arena_array(arena, n + 1, sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    memcpy(sorted, columns, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    *out = false;
    for (size_t i = 1; i < n; i++)
        *out = *out || by_name(&sorted[i - 1], &sorted[i]) == 0;
    return FTL_OK;
}

/* The columns of a model's methods; method: their names have the method's in front. */
static ftl_status list_outputs(const ftl_job_model *model, bool method, ftl_arena *arena,
                               ftl_sink_column *columns, size_t *n, ftl_error *error)
{
    for (size_t k = 0; k < model->n_methods; k++) {
        size_t count = ftl_model_output_count(model->model, model->methods[k]);
        for (size_t i = 0; i < count; i++) {
            ftl_output_column column = {.struct_size = sizeof column};
            FTL_TRY(ftl_session_output(model->session, model->methods[k], i, &column));
            const char *name = column.name;
            if (method)
                name = ftl_arena_printf(arena, "%s__%s", ftl_method_name(model->methods[k]), name);
            if (name && model->prefix)
                name = ftl_arena_printf(arena, "%s__%s", model->prefix, name);
            if (!name)
                return FTL_OOM(error);
            columns[(*n)++] = (ftl_sink_column){.name = name, .type = column.type};
        }
    }
    return FTL_OK;
}

ftl_status ftl_job_list_outputs(ftl_job_setup *setup, ftl_sink_column **out, size_t *n_out,
                                ftl_error *error)
{
    const ftl_binding *binding = setup->job.binding;
    size_t n = 0, room = binding->n_keep;
    for (size_t i = 0; i < setup->job.n_models; i++)
        room += ftl_job_outputs(&setup->models[i]);
    ftl_sink_column *columns = ftl_arena_zero_array(&setup->arena, room + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < binding->n_keep; i++)
        columns[n++] = (ftl_sink_column){binding->keep_names[i],
                                         binding->requests[binding->first_keep + i].type};
    for (size_t i = 0; i < setup->job.n_models; i++) {
        size_t first = n;
        bool repeats;
        FTL_TRY(list_outputs(&setup->models[i], false, &setup->arena, columns, &n, error));
        FTL_TRY(have_repeats(columns + first, n - first, &setup->arena, &repeats, error));
        n = repeats ? first : n;
        if (repeats)
            FTL_TRY(list_outputs(&setup->models[i], true, &setup->arena, columns, &n, error));
    }
    FTL_TRY(ftl_number_repeats(columns, binding->n_keep, n, &setup->arena, error));
    *out = columns;
    *n_out = n;
    return FTL_OK;
}

static ftl_status open_output(ftl_job_setup *setup, const char *path,
                              const ftl_score_options *options, ftl_error *error)
{
    ftl_sink_column *columns;
    size_t n;
    FTL_TRY(ftl_job_list_outputs(setup, &columns, &n, error));
    const ftl_sink_options sink = {
        .path = path,
        .taker = setup->taker,
        .format = options->output_format,
        .compression = options->compression,
        .columns = columns,
        .n_columns = n,
        .resumable = options->resume,
        .n_json = keeps_json(setup->job.table, path, options) ? setup->job.binding->n_keep : 0,
        .cancel = options->cancel};
    return ftl_sink_open(setup->job.account, &sink, &setup->sink, error);
}

/* The columns of the table, and the reason: as texts, or as they are where records are no texts. */
static ftl_status list_rejects(ftl_job_setup *setup, bool records, ftl_sink_column **out, size_t *n,
                               ftl_error *error)
{
    const ftl_table *table = setup->job.table;
    const ftl_binding *binding = setup->job.binding;
    size_t count = records ? ftl_table_get_info(table)->n_columns : binding->n_reject;
    ftl_sink_column *columns = ftl_arena_zero_array(&setup->arena, count + 1, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    for (size_t i = 0; i < count; i++) {
        const char *name = records ? ftl_table_column_name(table, i) : binding->reject_names[i];
        columns[i].type = records ? FTL_STRING : binding->requests[binding->first_reject + i].type;
        columns[i].name = name ? name : ftl_arena_printf(&setup->arena, "column_%zu", i);
        if (!columns[i].name)
            return FTL_OOM(error);
    }
    columns[count] = (ftl_sink_column){"error", FTL_STRING};
    *out = columns;
    *n = count + 1;
    return records ? FTL_OK : ftl_number_repeats(columns, count, count + 1, &setup->arena, error);
}

static ftl_status open_reject(ftl_job_setup *setup, const ftl_score_options *options,
                              ftl_error *error)
{
    const ftl_table_info *info = ftl_table_get_info(setup->job.table);
    const char *format = ftl_table_reject_format(setup->job.table);
    ftl_sink_column *columns;
    size_t n;
    if (!options->reject_path)
        return FTL_OK;
    FTL_TRY(list_rejects(setup, format != NULL, &columns, &n, error));
    const ftl_sink_options sink = {.path = options->reject_path,
                                   .columns = columns,
                                   .n_columns = n,
                                   .expected = format,
                                   .resumable = options->resume,
                                   .delimiter = info->delimiter,
                                   .cancel = options->cancel};
    FTL_TRY(ftl_sink_open(setup->job.account, &sink, &setup->reject, error));
    setup->job.reject = format ? NULL : setup->reject;
    return FTL_OK;
}

ftl_status ftl_job_open_sinks(ftl_job_setup *setup, const char *path,
                              const ftl_score_options *options, ftl_error *error)
{
    FTL_TRY(open_output(setup, path, options, error));
    setup->job.sink = setup->sink;
    FTL_TRY(open_reject(setup, options, error));
    setup->job.want_rejects = setup->reject != NULL;
    return FTL_OK;
}

ftl_status ftl_job_commit(ftl_job_setup *setup, uint64_t *bytes, ftl_error *error)
{
    ftl_sink *sink = setup->sink, *reject = setup->reject;
    setup->sink = NULL;
    FTL_TRY(ftl_sink_commit(sink, bytes, error));
    setup->reject = NULL;
    return reject ? ftl_sink_commit(reject, NULL, error) : FTL_OK;
}

void ftl_job_leave_sinks(ftl_job_setup *setup)
{
    ftl_sink_leave(setup->sink);
    ftl_sink_leave(setup->reject);
    setup->sink = setup->reject = NULL;
}

void ftl_job_free(ftl_job_setup *setup)
{
    ftl_sink_abort(setup->sink);
    ftl_sink_abort(setup->reject);
    for (size_t i = 0; i < setup->job.n_models; i++)
        ftl_session_destroy(setup->models[i].session);
    for (size_t i = 0; i < setup->n_owned; i++)
        ftl_model_release(setup->models[i].model);
    if (setup->bound)
        ftl_arena_free(&setup->arena);
}
