/* What the models of a job are asked for, and the rows of a block as they see them. */
#include "engine/job.h"

#include <string.h>

uint32_t ftl_job_methods(const ftl_job_model *model)
{
    uint32_t methods = 0;
    for (size_t i = 0; i < model->n_methods; i++)
        methods |= 1u << model->methods[i];
    return methods;
}

size_t ftl_job_outputs(const ftl_job_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < model->n_methods; i++)
        n += ftl_model_output_count(model->model, model->methods[i]);
    return n;
}

ftl_batch ftl_job_inputs(const ftl_job_worker *worker, size_t model, const ftl_row_view *view)
{
    const ftl_binding *binding = worker->job->models[model].binding;
    ftl_column *inputs = worker->models[model].inputs;
    for (size_t i = 0; i < binding->n_inputs; i++) {
        size_t request = binding->request_of_input[i];
        inputs[i] = request == SIZE_MAX ? (ftl_column){.type = FTL_F64}
                                        : view->batch.columns[request];
    }
    return (ftl_batch){.rows = view->batch.rows, .n_columns = binding->n_inputs, .columns = inputs};
}

bool ftl_job_refuses(const ftl_job_worker *worker, size_t model, size_t row)
{
    const ftl_session *session = worker->models[model].session;
    return session->bad_rows && !((session->validity[row / 8] >> (row % 8)) & 1);
}

/*
 * Data row and line in front of the reason, when the reason does not begin with its line already.
 */
static void add_position(const ftl_table_block *block, ftl_error *error)
{
    uint64_t first_row = 0; /* of the block, in its part */
    ftl_table_block_origin(block, &first_row);
    char message[FTL_ERROR_MESSAGE_SIZE];
    memcpy(message, error->message, sizeof message);
    ftl_error copy = *error;
    if (strncmp(message, "line ", 5) == 0 || strncmp(message, "row ", 4) == 0)
        return;
    long long row = copy.row - (long long)(ftl_table_block_first_row(block) - first_row);
    if (error->line >= 0)
        ftl_error_set(error, copy.code, "line %lld (row %lld): %.700s", (long long)copy.line, row,
                      message);
    else
        ftl_error_set(error, copy.code, "row %lld: %.700s", row, message);
    error->line = copy.line;
    error->row = copy.row;
    error->column = copy.column;
    ftl_error_because(error, copy.reason, copy.option);
    ftl_error_in(error, copy.path);
}

static ftl_status find_why(ftl_job_worker *worker, ftl_job_block *block, const ftl_row_view *view,
                           size_t row, size_t *next, ftl_error *error)
{
    const ftl_job *job = worker->job;
    if (view->bad[row]) {
        size_t at = SIZE_MAX;
        while (*next < view->n_bad) {
            ftl_row_batch_problem(job->table, block->raw, worker->batch, (*next)++, &at, error);
            if (at == row)
                return error ? error->code : FTL_VALUE;
        }
    }
    size_t m = 0;
    while (m + 1 < job->n_models && !ftl_job_refuses(worker, m, row))
        m++;
    const ftl_batch in = ftl_job_inputs(worker, m, view);
    ftl_status status = ftl_session_explain(worker->models[m].session,
                                            ftl_job_methods(&job->models[m]), &in, row, error);
    if (error) {
        error->row = (int64_t)(ftl_table_block_first_row(block->raw) + row);
        error->line = ftl_table_block_line(block->raw, row);
    }
    return status == FTL_OK ? FTL_INTERNAL : status;
}

ftl_status ftl_job_explain(ftl_job_worker *worker, ftl_job_block *block, const ftl_row_view *view,
                           size_t row, size_t *next, ftl_error *error)
{
    ftl_status status = find_why(worker, block, view, row, next, error);
    if (error)
        add_position(block->raw, error);
    return status;
}
