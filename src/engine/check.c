/*
 * ftl_check: matches a table against a model's schema and dry-runs its first rows; nothing is
 * written.
 */
#include "base/cancel.h"
#include "base/options.h"
#include "engine/context.h"
#include "engine/job.h"

#include <string.h>

enum { default_rows = 1000 };

typedef struct checker {
    ftl_job job;
    ftl_table *table;
    ftl_session *session;
    ftl_job_worker worker;
    ftl_table_block *block;
    ftl_strbuf text;
    uint64_t rows, bad;
    bool has_first;
    ftl_error first;
} checker;

static ftl_status dry_run(checker *c, const ftl_score_options *options, ftl_error *error)
{
    const ftl_session_options session = {.struct_size = sizeof session,
                                         .input_dtype = ftl_table_get_info(c->table)->dtype,
                                         .methods = 1u << c->job.method,
                                         .on_error = FTL_ON_ERROR_NULL};
    uint64_t limit = options->limit ? options->limit : default_rows;
    FTL_TRY(ftl_table_bind(c->table, c->job.binding->requests, c->job.binding->n_requests, error));
    FTL_TRY(ftl_session_create(c->job.model, &session, &c->session, error));
    FTL_TRY(ftl_table_block_create(c->table, &c->block, error));
    FTL_TRY(ftl_job_worker_init(&c->worker, &c->job, c->session, false, error));
    while (c->rows < limit) {
        ftl_job_block block = {.raw = c->block};
        uint64_t left = limit - c->rows;
        FTL_TRY(ftl_cancel_check(options->cancel, error));
        ftl_strbuf_init(&block.text, c->job.account, 0);
        ftl_strbuf_init(&block.rejects, c->job.account, 0);
        ftl_status status = ftl_table_read(c->table, left < 5000 ? (size_t)left : 5000, c->block,
                                           error);
        if (status == FTL_END)
            break;
        FTL_TRY(status);
        c->rows += ftl_table_block_rows(c->block);
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
    }
    return FTL_OK;
}

static void tell(checker *c)
{
    const ftl_table_info *info = ftl_table_get_info(c->table);
    const ftl_model *model = c->job.model;
    size_t used = 0;
    for (size_t i = 0; i < c->job.binding->n_inputs; i++)
        used += c->job.binding->request_of_input[i] != SIZE_MAX;
    ftl_strbuf_printf(&c->text, "model   %s, %zu input columns\n", model->class_name,
                      model->graph.n_inputs);
    ftl_strbuf_printf(&c->text, "table   %s, %zu columns, %zu of them used%s\n", info->format,
                      info->n_columns, used,
                      info->has_names && model->has_input_names ? " (matched by name)"
                                                                : " (matched by position)");
    ftl_strbuf_printf(&c->text, "rows    %llu read, %llu refused\n", (unsigned long long)c->rows,
                      (unsigned long long)c->bad);
    if (c->has_first)
        ftl_strbuf_printf(&c->text, "first   %s\n", c->first.message);
    ftl_strbuf_puts(&c->text, c->bad ? "result  some rows would be refused; see options.on_error\n"
                                     : "result  it would run\n");
}

ftl_status ftl_check(ftl_model *model, const char *input_path, const ftl_score_options *options,
                     ftl_text_fn write, void *user, ftl_error *error)
{
    ftl_score_options chosen;
    if (!model || !input_path || !write)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_check needs a model, an input and a function for its text");
    FTL_TRY(ftl_options_read(&chosen, sizeof chosen, options, "ftl_score_options", error));
    checker c = {.job = {.account = &model->context->account,
                         .on_error = FTL_ON_ERROR_FAIL,
                         .cancel = chosen.cancel}};
    c.job.method = chosen.method_set ? chosen.method : model->default_method;
    FTL_TRY(ftl_model_method_status(model, c.job.method, error));
    ftl_job_input input;
    FTL_TRY(ftl_job_open(c.job.account, input_path, &chosen, &input, error));
    c.table = input.table;
    c.job.table = input.table;
    ftl_arena arena;
    ftl_binding binding = {0};
    ftl_arena_init(&arena, c.job.account);
    ftl_strbuf_init(&c.text, c.job.account, 1 << 20);
    ftl_status status = ftl_job_model(model, c.table, &chosen, &c.job.model, error);
    if (status == FTL_OK)
        status = ftl_binding_make(c.job.model, c.table, &chosen, &arena, &binding, error);
    c.job.binding = &binding;
    if (status == FTL_OK)
        status = dry_run(&c, &chosen, error);
    if (status == FTL_OK) {
        tell(&c);
        const char *text = ftl_strbuf_text(&c.text);
        if (!write(user, text, strlen(text)))
            status = FTL_FAIL(error, FTL_CANCELLED, "cancelled");
        else if (c.bad) {
            if (error)
                *error = c.first;
            status = c.first.code;
        }
    }
    ftl_strbuf_free(&c.text);
    ftl_job_worker_free(&c.worker);
    ftl_table_block_destroy(c.block);
    ftl_session_destroy(c.session);
    ftl_model_release(c.job.model);
    ftl_arena_free(&arena);
    ftl_table_close(c.table);
    return status;
}
