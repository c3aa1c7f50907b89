/*
 * ftl_check: matches a table against a model's schema, predicts its rows and reports; nothing else
 * is written.
 */
#include "engine/check.h"

#include "base/cancel.h"
#include "base/options.h"
#include "engine/context.h"
#include "engine/inputs.h"

#include <string.h>

enum { rows_at_once = 5000 };

typedef struct checker {
    ftl_job job;
    ftl_job_model model;
    ftl_model *owned; /* the job's model, when the columns could be told; NULL before */
    ftl_table *table;
    ftl_job_worker worker;
    ftl_table_block *block;
    ftl_binding binding;
    ftl_arena arena;
    ftl_watch watch;
    ftl_column_counts *counts; /* [n_inputs] */
    ftl_check_target target;
    uint64_t rows, bad;
    bool bound, watching, all_rows, has_first;
    ftl_error first;
} checker;

/* ---- Rows ------------------------------------------------------------------------------------ */

/* How the target is read, and which of the bound columns it is: maybe one to keep as well. */
static ftl_status find_target(checker *c, const ftl_score_options *options, ftl_error *error)
{
    size_t column = SIZE_MAX;
    c->target.decimal = options->decimal ? options->decimal : '.';
    FTL_TRY(ftl_na_values_init(&c->target.na, &c->arena, options->na_values, options->n_na_values,
                               c->target.decimal, error));
    FTL_TRY(ftl_binding_find(c->table, c->target.name, "target", &column, error));
    for (size_t i = c->binding.first_keep; i < c->binding.n_requests; i++) {
        if (c->binding.requests[i].index == column) {
            c->target.request = i;
            return FTL_OK;
        }
    }
    return FTL_FAIL(error, FTL_INTERNAL, "the target is not among the bound columns");
}

static ftl_status count_block(checker *c, ftl_error *error)
{
    ftl_row_view view;
    ftl_row_batch_view(c->worker.batch, &view);
    for (size_t i = 0; i < c->watch.n; i++) {
        if (c->binding.request_of_input[i] != SIZE_MAX)
            ftl_watch_count(&c->watch.columns[i], &c->worker.models[0].inputs[i], view.batch.rows,
                            view.bad, &c->counts[i]);
    }
    if (!c->target.name)
        return FTL_OK;
    ftl_batch predicted = {0}, proba = {0};
    for (size_t i = 0; i < c->model.n_methods; i++)
        ftl_session_view(c->model.session, c->model.methods[i], view.batch.rows,
                         i == 0 ? &predicted : &proba);
    bool any_bad = view.n_bad || c->model.session->bad_rows;
    return ftl_check_target_block(&c->target, &view.batch.columns[c->target.request],
                                  any_bad ? c->worker.bad : NULL, &predicted, &proba, error);
}

static ftl_status run_block(checker *c, ftl_error *error)
{
    ftl_job_block block = {.raw = c->block};
    ftl_strbuf_init(&block.text, c->job.account, 0);
    ftl_strbuf_init(&block.rejects, c->job.account, 0);
    ftl_job_compute(&c->worker, &block);
    c->bad += block.rows_bad;
    if (block.status != FTL_OK && block.rows_bad == 0) {
        if (error)
            *error = block.error;
        return block.status;
    }
    if (block.rows_bad && !c->has_first) {
        c->first = block.error;
        c->has_first = true;
    }
    return count_block(c, error);
}

static ftl_status run_rows(checker *c, const ftl_score_options *options, ftl_error *error)
{
    for (;;) {
        uint64_t left = options->limit ? options->limit - c->rows : rows_at_once;
        FTL_TRY(ftl_cancel_check(options->cancel, error));
        if (left == 0)
            return FTL_OK;
        ftl_status status = ftl_table_read(
            c->table, left < rows_at_once ? (size_t)left : rows_at_once, c->block, error);
        if (status == FTL_END) {
            c->all_rows = true;
            return FTL_OK;
        }
        FTL_TRY(status);
        c->rows += ftl_table_block_rows(c->block);
        FTL_TRY(run_block(c, error));
    }
}

/* ---- Setting up ------------------------------------------------------------------------------ */

/* The options with the target as one more column to keep. */
static ftl_status bind(checker *c, const ftl_score_options *options, ftl_error *error)
{
    ftl_score_options with = *options;
    size_t column;
    const char **keep = ftl_arena_zero_array(&c->arena, options->n_keep + 1, sizeof *keep);
    if (!keep)
        return FTL_OOM(error);
    for (size_t i = 0; i < options->n_keep; i++)
        keep[i] = options->keep[i];
    keep[options->n_keep] = options->target;
    if (options->target)
        FTL_TRY(ftl_binding_find(c->table, options->target, "target", &column, error));
    with.keep = keep;
    with.n_keep += options->target != NULL;
    FTL_TRY(ftl_model_for_table(c->model.model, c->table, &with, &c->owned, error));
    c->model.model = c->owned;
    FTL_TRY(ftl_binding_make(c->model.model, c->table, &with, NULL, &c->arena, &c->binding, error));
    c->job.binding = c->model.binding = &c->binding;
    c->job.models = &c->model;
    c->job.n_models = 1;
    c->bound = true;
    return FTL_OK;
}

static ftl_status begin(checker *c, const ftl_score_options *options, ftl_error *error)
{
    ftl_check_target_init(&c->target, c->job.account, c->model.model, c->model.methods[0],
                          options->target);
    if (options->target)
        FTL_TRY(find_target(c, options, error));
    if (options->proba || c->target.ranks)
        c->model.methods[c->model.n_methods++] = FTL_PREDICT_PROBA;
    const ftl_session_options session = {.struct_size = sizeof session,
                                         .input_dtype = ftl_job_dtype(&c->binding),
                                         .methods = ftl_job_methods(&c->model),
                                         .on_error = FTL_ON_ERROR_NULL};
    FTL_TRY(ftl_table_bind(c->table, c->binding.requests, c->binding.n_requests, error));
    FTL_TRY(ftl_session_create(c->model.model, &session, &c->model.session, error));
    FTL_TRY(ftl_table_block_create(c->table, &c->block, error));
    FTL_TRY(ftl_job_worker_init(&c->worker, &c->job, false, error));
    FTL_TRY(ftl_watch_make(c->model.session, &c->arena, &c->watch, error));
    c->counts = ftl_arena_zero_array(&c->arena, c->watch.n + 1, sizeof *c->counts);
    if (!c->counts)
        return FTL_OOM(error);
    c->model.watch = &c->watch;
    c->watching = true;
    return FTL_OK;
}

static ftl_status run(checker *c, const ftl_score_options *options, ftl_error *error)
{
    FTL_TRY(bind(c, options, error));
    FTL_TRY(begin(c, options, error));
    return run_rows(c, options, error);
}

/* ---- The report ------------------------------------------------------------------------------ */

static ftl_status report(checker *c, const ftl_error *failed, bool json, ftl_text_fn write,
                         void *user, ftl_error *error)
{
    const ftl_check_facts facts = {.model = c->model.model,
                                   .table = c->table,
                                   .missing = c->binding.missing,
                                   .near = c->binding.near,
                                   .binding = c->bound ? &c->binding : NULL,
                                   .watch = c->watching ? &c->watch : NULL,
                                   .counts = c->counts,
                                   .rows = c->rows,
                                   .bad = c->bad,
                                   .all_rows = c->all_rows,
                                   .first = c->has_first ? &c->first : NULL,
                                   .target = &c->target,
                                   .failed = failed};
    ftl_strbuf text;
    ftl_strbuf_init(&text, c->job.account, 0);
    ftl_check_report(&facts, json, &text);
    ftl_status status = text.failed ? FTL_OOM(error) : FTL_OK;
    const char *shown = ftl_strbuf_text(&text);
    if (status == FTL_OK && !write(user, shown, strlen(shown)))
        status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    ftl_strbuf_free(&text);
    return status;
}

/* Whose table it is: the columns, their cells or the file. Other failures are reported by nobody.
 */
static bool is_of_the_table(ftl_status status)
{
    return status == FTL_SCHEMA || status == FTL_SHAPE || status == FTL_VALUE;
}

static ftl_status check_table(checker *c, const ftl_score_options *options, ftl_text_fn write,
                              void *user, ftl_error *error)
{
    ftl_error why;
    ftl_error_clear(&why);
    ftl_status status = run(c, options, &why);
    if (status == FTL_OK || is_of_the_table(status))
        FTL_TRY(report(c, status == FTL_OK ? NULL : &why, options->json, write, user, error));
    if (status == FTL_OK && c->bad) {
        status = c->first.code;
        why = c->first;
    }
    if (status != FTL_OK && error)
        *error = why;
    return status;
}

static ftl_status check_methods(const ftl_model *model, const ftl_score_options *options,
                                ftl_method *method, ftl_error *error)
{
    *method = options->method_set ? options->method : model->default_method;
    FTL_TRY(ftl_model_method_status(model, *method, error));
    if (options->proba && *method != FTL_PREDICT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "proba",
                               "options.proba goes with predict; %s is written alone",
                               ftl_method_name(*method));
    if (options->target && *method != FTL_PREDICT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "target",
                               "options.target is compared with what predict says, not %s",
                               ftl_method_name(*method));
    if (options->target && model->graph.methods[FTL_PREDICT].count != 1)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "target",
                               "options.target is one column; the model predicts %zu",
                               model->graph.methods[FTL_PREDICT].count);
    if (options->target && model->kind == FTL_CLASSIFIER && model->n_classes == 0)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "target",
                               "options.target is compared with classes, and predict of %s gives "
                               "scores of them",
                               model->class_name);
    if (options->target && model->kind == FTL_CLUSTERER)
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "target",
            "options.target: the numbers of clusters are made in training, there "
            "is no target to compare them with");
    return options->proba ? ftl_model_method_status(model, FTL_PREDICT_PROBA, error) : FTL_OK;
}

ftl_status ftl_check(ftl_model *model, const char *input_path, const ftl_score_options *options,
                     ftl_text_fn write, void *user, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !input_path || !write)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_check needs a model, an input and a function for its text");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    chosen.flush_early = false;
    checker c = {.model = {.model = model, .n_methods = 1},
                 .job = {.account = &model->context->account,
                         .on_error = FTL_ON_ERROR_FAIL,
                         .cancel = chosen.cancel}};
    FTL_TRY(check_methods(model, &chosen, &c.model.methods[0], error));
    ftl_inputs inputs;
    ftl_arena_init(&c.arena, c.job.account);
    ftl_status status = ftl_inputs_find(&c.arena, input_path, &chosen, &inputs, error);
    if (status == FTL_OK)
        status = ftl_inputs_open(&c.arena, &inputs, &chosen, &c.table, error);
    c.job.table = c.table;
    if (status == FTL_OK)
        status = check_table(&c, &chosen, write, user, error);
    ftl_check_target_free(&c.target);
    ftl_job_worker_free(&c.worker);
    ftl_table_block_destroy(c.block);
    ftl_session_destroy(c.model.session);
    ftl_model_release(c.owned);
    ftl_table_close(c.table);
    ftl_arena_free(&c.arena);
    return status;
}
