/* Sessions: a model's scratch for one thread, and the outputs of its last call. */
#include "engine/session.h"

#include "base/checked.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

/* ---- Creating -------------------------------------------------------------------------------- */

static ftl_type column_type(const ftl_plan *plan, const ftl_output *output)
{
    if (output->as == FTL_AS_FLOAT && plan->steps[output->op].is_f32)
        return FTL_F32;
    return ftl_output_type(output);
}

static size_t value_size(ftl_type type)
{
    switch (type) {
    case FTL_F32:
        return sizeof(float);
    case FTL_BOOL:
    case FTL_STRING:
        return 1;
    default:
        return sizeof(double);
    }
}

static size_t longest_label(const ftl_output *output)
{
    size_t longest = 0;
    for (uint32_t i = 0; output->labels && i < output->labels->count; i++) {
        const ftl_cell *cell = &output->labels->cells[i];
        size_t size = cell->tag == FTL_CELL_STRING ? cell->size : FTL_F64_TEXT_SIZE;
        longest = size > longest ? size : longest;
    }
    return longest;
}

static ftl_status room_for_text(ftl_session *session, ftl_session_column *column, size_t bytes,
                                ftl_error *error)
{
    return ftl_grow(&session->account, &column->values, &column->values_room, bytes, 1, error);
}

static ftl_status grow_column(ftl_session *session, ftl_session_column *column,
                              const ftl_output *output, size_t rows, ftl_error *error)
{
    size_t bytes,
        per_row = column->type == FTL_STRING ? longest_label(output) : value_size(column->type);
    if (!ftl_mul_size(rows, per_row, &bytes))
        return FTL_OOM(error);
    FTL_TRY(room_for_text(session, column, bytes, error));
    if (column->type == FTL_STRING) {
        uint32_t *offsets = ftl_realloc(&session->account, column->offsets,
                                        (rows + 1) * sizeof *offsets);
        if (!offsets)
            return FTL_OOM(error);
        offsets[0] = 0;
        column->offsets = offsets;
    }
    return FTL_OK;
}

/*
 * Room for the outputs of so many rows; sessions start with a block's, so that fixed-width plans
 * allocate nothing later.
 */
static ftl_status grow_outputs(ftl_session *session, size_t rows, ftl_error *error)
{
    if (rows <= session->rows_room)
        return FTL_OK;
    if (rows > UINT32_MAX - 64)
        return FTL_FAIL(error, FTL_LIMIT, "a batch may have at most 4 billion rows");
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_session_method *method = &session->methods[m];
        for (size_t i = 0; i < method->count; i++)
            FTL_TRY(grow_column(session, &method->storage[i],
                                &session->model->graph.methods[m].outputs[i], rows, error));
    }
    uint8_t *validity = ftl_realloc(&session->account, session->validity, rows / 8 + 1);
    if (!validity)
        return FTL_OOM(error);
    session->validity = validity;
    session->rows_room = rows;
    return FTL_OK;
}

static ftl_status make_columns(ftl_session *session, ftl_error *error)
{
    const ftl_plan *plan = session->plan;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        const ftl_method_outputs *outputs = &session->model->graph.methods[m];
        ftl_session_method *method = &session->methods[m];
        if (!(plan->methods & 1u << m))
            continue;
        method->storage = ftl_alloc_zero(&session->account, outputs->count,
                                         sizeof *method->storage);
        method->columns = ftl_alloc_zero(&session->account, outputs->count,
                                         sizeof *method->columns);
        if (!method->storage || !method->columns)
            return FTL_OOM(error);
        method->count = outputs->count;
        for (size_t i = 0; i < outputs->count; i++)
            method->storage[i].type = column_type(plan, &outputs->outputs[i]);
    }
    return grow_outputs(session, plan->block_rows, error);
}

/* shared: another session's plan, or NULL to make one. */
static ftl_status create(ftl_model *model, ftl_plan *shared, const ftl_session_options *chosen,
                         ftl_session **out, ftl_error *error)
{
    ftl_session *session = ftl_alloc_zero(&model->account, 1, sizeof *session);
    if (!session)
        return FTL_OOM(error);
    session->model = ftl_model_retain(model);
    session->on_error = chosen->on_error;
    session->plan = shared;
    session->owns_plan = shared == NULL;
    ftl_account_init_child(&session->account, &model->account);
    ftl_status status = FTL_OK;
    if (!shared)
        status = ftl_plan_create(model, chosen->input_dtype, chosen->methods, chosen->block_rows,
                                 &session->plan, error);
    if (status == FTL_OK)
        status = ftl_exec_init(&session->exec, session->plan, &session->account, error);
    if (status == FTL_OK)
        status = make_columns(session, error);
    if (status != FTL_OK) {
        ftl_session_destroy(session);
        return status;
    }
    *out = session;
    return FTL_OK;
}

ftl_status ftl_session_create(ftl_model *model, const ftl_session_options *options,
                              ftl_session **out, ftl_error *error)
{
    ftl_session_options chosen = {0};
    if (!model || !out || (options && options->struct_size < sizeof(size_t)))
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_create needs a model and options with struct_size set");
    if (options)
        memcpy(&chosen, options,
               options->struct_size < sizeof chosen ? options->struct_size : sizeof chosen);
    return create(model, NULL, &chosen, out, error);
}

ftl_status ftl_session_create_like(const ftl_session *first, ftl_session **out, ftl_error *error)
{
    const ftl_session_options options = {.on_error = first->on_error};
    return create(first->model, first->plan, &options, out, error);
}

void ftl_session_destroy(ftl_session *session)
{
    if (!session)
        return;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_session_method *method = &session->methods[m];
        for (size_t i = 0; i < method->count; i++) {
            ftl_free(&session->account, method->storage[i].values);
            ftl_free(&session->account, method->storage[i].offsets);
        }
        ftl_free(&session->account, method->storage);
        ftl_free(&session->account, method->columns);
    }
    ftl_free(&session->account, session->validity);
    ftl_exec_free(&session->exec, &session->account);
    if (session->owns_plan)
        ftl_plan_destroy(session->plan);
    ftl_model *model = session->model;
    ftl_free(&model->account, session);
    ftl_model_release(model);
}

/* ---- Outputs of a block ---------------------------------------------------------------------- */

static double slot_value(const ftl_session *session, const ftl_output *output, uint32_t row)
{
    const ftl_step *step = &session->plan->steps[output->op];
    size_t at = (size_t)row * step->slot_width + output->column;
    const void *slot = ftl_slot(step, &session->exec);
    return step->is_f32 ? (double)((const float *)slot)[at] : ((const double *)slot)[at];
}

static size_t cell_to_text(const ftl_cell *cell, const char **text, char buffer[FTL_F64_TEXT_SIZE])
{
    *text = buffer;
    switch (cell->tag) {
    case FTL_CELL_STRING:
        *text = cell->u.text;
        return cell->size;
    case FTL_CELL_INT:
        return ftl_print_i64(cell->u.integer, buffer);
    case FTL_CELL_BOOL:
        *text = cell->u.integer ? "True" : "False";
        return cell->u.integer ? 4 : 5;
    case FTL_CELL_FLOAT:
        return ftl_print_f64(cell->u.number, buffer);
    default:
        return 0;
    }
}

static const ftl_cell *label_of(const ftl_output *output, double value)
{
    static const ftl_cell missing = {.tag = FTL_CELL_MISSING};
    if (!(value >= 0) || value >= (double)output->labels->count)
        return &missing;
    return &output->labels->cells[(uint32_t)value];
}

static const ftl_cell *output_cell(const ftl_session *session, const ftl_output *output,
                                   uint32_t row)
{
    const ftl_step *step = &session->plan->steps[output->op];
    if (output->as == FTL_AS_LABEL)
        return label_of(output, slot_value(session, output, row));
    return &((const ftl_cell *)ftl_slot(
        step, &session->exec))[(size_t)row * step->slot_width + output->column];
}

static ftl_status take_text(ftl_session *session, const ftl_output *output,
                            ftl_session_column *column, size_t first, ftl_error *error)
{
    if (first == 0)
        column->text_size = 0;
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        char buffer[FTL_F64_TEXT_SIZE];
        const char *text;
        size_t size = cell_to_text(output_cell(session, output, i), &text, buffer);
        FTL_TRY(room_for_text(session, column, column->text_size + size, error));
        if (column->text_size + size > UINT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT,
                            "the text of one batch is larger than 4 GiB; use smaller batches");
        if (size)
            memcpy((char *)column->values + column->text_size, text, size);
        column->text_size += size;
        column->offsets[first + i + 1] = (uint32_t)column->text_size;
    }
    return FTL_OK;
}

/* numpy's cast of a float to int64 is undefined out of range; here it saturates. */
static int64_t to_int(double value)
{
    if (isnan(value))
        return 0;
    if (value >= 9223372036854775808.0)
        return INT64_MAX;
    return value <= -9223372036854775808.0 ? INT64_MIN : (int64_t)value;
}

static void take_labels(const ftl_session *session, const ftl_output *output,
                        ftl_session_column *column, size_t first)
{
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        const ftl_cell *cell = output_cell(session, output, i);
        size_t at = first + i;
        if (column->type == FTL_I64)
            ((int64_t *)column->values)[at] = cell->tag == FTL_CELL_MISSING ? 0 : cell->u.integer;
        else if (column->type == FTL_BOOL)
            ((uint8_t *)column->values)[at] = cell->tag != FTL_CELL_MISSING && cell->u.integer != 0;
        else
            ((double *)column->values)[at] = cell->tag == FTL_CELL_FLOAT ? cell->u.number : NAN;
    }
}

static void take_numbers(const ftl_session *session, const ftl_output *output,
                         ftl_session_column *column, size_t first)
{
    for (uint32_t i = 0; i < session->exec.rows; i++) {
        double value = slot_value(session, output, i);
        size_t at = first + i;
        if (column->type == FTL_F64)
            ((double *)column->values)[at] = value;
        else if (column->type == FTL_F32)
            ((float *)column->values)[at] = (float)value;
        else if (column->type == FTL_I64)
            ((int64_t *)column->values)[at] = to_int(value);
        else
            ((uint8_t *)column->values)[at] = value != 0;
    }
}

static ftl_status take_outputs(ftl_session *session, uint32_t methods, size_t first,
                               ftl_error *error)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (!(methods & 1u << m))
            continue;
        for (size_t i = 0; i < session->methods[m].count; i++) {
            const ftl_output *output = &session->model->graph.methods[m].outputs[i];
            ftl_session_column *column = &session->methods[m].storage[i];
            if (column->type == FTL_STRING)
                FTL_TRY(take_text(session, output, column, first, error));
            else if (output->as == FTL_AS_LABEL)
                take_labels(session, output, column, first);
            else
                take_numbers(session, output, column, first);
        }
    }
    return FTL_OK;
}

static ftl_status take_bad_rows(ftl_session *session, size_t first, ftl_error *error)
{
    const ftl_exec *exec = &session->exec;
    if (exec->n_bad == 0)
        return FTL_OK;
    if (session->on_error == FTL_ON_ERROR_FAIL) {
        if (error) {
            *error = exec->bad_error;
            error->row = (int64_t)(first + exec->first_bad);
        }
        return FTL_VALUE;
    }
    for (uint32_t i = 0; i < exec->rows; i++) {
        if (exec->bad[i])
            session->validity[(first + i) / 8] &= (uint8_t)~(1u << ((first + i) % 8));
    }
    session->bad_rows += exec->n_bad;
    return FTL_OK;
}

/* ---- Running --------------------------------------------------------------------------------- */

static ftl_status check_matrix(const ftl_model *model, const ftl_matrix *matrix, ftl_error *error)
{
    /* A model that does not say how many columns it expects never looks at them. */
    if (model->graph.n_inputs && matrix->columns != model->graph.n_inputs)
        return FTL_FAIL(error, FTL_SHAPE, "the matrix has %zu columns; %s expects %zu",
                        matrix->columns, model->class_name, model->graph.n_inputs);
    if (matrix->dtype != FTL_F64 && matrix->dtype != FTL_F32)
        return FTL_FAIL(error, FTL_ARG, "a matrix holds F64 or F32");
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        if (model->inputs[i].batch_type == FTL_STRING)
            return FTL_FAIL(error, FTL_SCHEMA,
                            "column %zu%s%s is text; give columns instead of a matrix of numbers",
                            i, model->inputs[i].name ? " " : "",
                            model->inputs[i].name ? model->inputs[i].name : "");
    }
    return FTL_OK;
}

static ftl_status check_batch(const ftl_model *model, const ftl_batch *in, ftl_error *error)
{
    if (in->matrix) {
        if (in->rows != in->matrix->rows)
            return FTL_FAIL(error, FTL_SHAPE, "the batch and its matrix differ in rows");
        return check_matrix(model, in->matrix, error);
    }
    if (model->graph.n_inputs == 0)
        return FTL_OK;
    if (in->n_columns != model->graph.n_inputs)
        return FTL_FAIL(error, FTL_SHAPE, "the batch has %zu columns; %s expects %zu",
                        in->n_columns, model->class_name, model->graph.n_inputs);
    for (size_t i = 0; i < in->n_columns; i++) {
        const ftl_schema_column *expected = &model->inputs[i];
        if (expected->kind == FTL_KIND_UNUSED)
            continue;
        bool text = in->columns[i].type == FTL_STRING;
        if (text != (expected->batch_type == FTL_STRING))
            return FTL_FAIL(error, FTL_SCHEMA, "column %zu%s%s must be %s", i,
                            expected->name ? " " : "", expected->name ? expected->name : "",
                            text ? "numbers" : "text");
        if (in->rows && (!in->columns[i].values || (text && !in->columns[i].offsets)))
            return FTL_FAIL(error, FTL_ARG, "column %zu has no values", i);
    }
    return FTL_OK;
}

/* Whether a step could not go on: no memory for a block of texts. */
static ftl_status run_status(const ftl_session *session, ftl_error *error)
{
    if (session->exec.status != FTL_OK && error)
        *error = session->exec.error;
    return session->exec.status;
}

ftl_status ftl_session_run(ftl_session *session, uint32_t methods, const ftl_batch *in,
                           ftl_error *error)
{
    FTL_TRY(check_batch(session->model, in, error));
    FTL_TRY(grow_outputs(session, in->rows, error));
    session->bad_rows = 0;
    memset(session->validity, 0xff, in->rows / 8 + 1);
    for (size_t first = 0; first < in->rows;) {
        size_t left = in->rows - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        ftl_exec_run(&session->exec, in, first, rows, methods);
        FTL_TRY(run_status(session, error));
        FTL_TRY(take_bad_rows(session, first, error));
        FTL_TRY(take_outputs(session, methods, first, error));
        first += rows;
    }
    return FTL_OK;
}

ftl_status ftl_session_explain(ftl_session *session, uint32_t methods, const ftl_batch *in,
                               size_t row, ftl_error *error)
{
    ftl_exec_run(&session->exec, in, row, 1, methods);
    FTL_TRY(run_status(session, error));
    if (session->exec.n_bad == 0)
        return FTL_OK;
    if (error) {
        *error = session->exec.bad_error;
        error->row = (int64_t)row;
    }
    return FTL_VALUE;
}

void ftl_session_view(const ftl_session *session, ftl_method m, size_t rows, ftl_batch *out)
{
    const ftl_session_method *method = &session->methods[m];
    for (size_t i = 0; i < method->count; i++) {
        const ftl_session_column *column = &method->storage[i];
        method->columns[i] = (ftl_column){.type = column->type,
                                          .values = column->values,
                                          .offsets = column->offsets,
                                          .validity = session->bad_rows ? session->validity : NULL};
    }
    *out = (ftl_batch){.rows = rows, .n_columns = method->count, .columns = method->columns};
}

static ftl_status check_method(const ftl_session *session, ftl_method method, ftl_error *error)
{
    if ((unsigned)method < FTL_METHOD_COUNT && (session->plan->methods & 1u << method))
        return FTL_OK;
    const char *name = ftl_method_name(method);
    return FTL_FAIL(error, FTL_ARG, "the session was not made for %s", name ? name : "that method");
}

ftl_status ftl_predict(ftl_session *session, ftl_method method, const ftl_batch *in, ftl_batch *out,
                       ftl_error *error)
{
    if (!session || !in || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_predict needs a session, a batch and a place for the result");
    FTL_TRY(check_method(session, method, error));
    FTL_TRY(ftl_session_run(session, 1u << method, in, error));
    ftl_session_view(session, method, in->rows, out);
    return FTL_OK;
}

/* Whether the outputs are the columns of one step's matrix, in order. */
static bool outputs_are_slot(const ftl_session *session, const ftl_method_outputs *outputs)
{
    for (size_t j = 0; j < outputs->count; j++) {
        const ftl_output *output = &outputs->outputs[j];
        if (output->op != outputs->outputs[0].op || output->column != j ||
            output->as == FTL_AS_LABEL)
            return false;
    }
    return outputs->count > 0 &&
           session->plan->steps[outputs->outputs[0].op].slot_width == outputs->count;
}

/* The block's outputs as numbers, row by row; NaN in rows that were refused. */
static void take_matrix(const ftl_session *session, const ftl_method_outputs *outputs,
                        uint32_t rows, double *out)
{
    const size_t count = outputs->count;
    const ftl_step *step = &session->plan->steps[outputs->outputs[0].op];
    bool whole = outputs_are_slot(session, outputs);
    if (whole && !step->is_f32)
        memcpy(out, ftl_slot(step, &session->exec), rows * count * sizeof *out);
    for (size_t i = 0; whole && step->is_f32 && i < rows * count; i++)
        out[i] = (double)((const float *)ftl_slot(step, &session->exec))[i];
    for (uint32_t i = 0; !whole && i < rows; i++) {
        for (size_t j = 0; j < count; j++) {
            const ftl_output *output = &outputs->outputs[j];
            double value = slot_value(session, output, i);
            if (output->as == FTL_AS_LABEL && output->labels->type != FTL_STRING) {
                const ftl_cell *cell = label_of(output, value);
                value = cell->tag == FTL_CELL_FLOAT ? cell->u.number : (double)cell->u.integer;
            }
            out[i * count + j] = value;
        }
    }
    for (uint32_t i = 0; session->exec.n_bad && i < rows; i++) {
        for (size_t j = 0; session->exec.bad[i] && j < count; j++)
            out[i * count + j] = NAN;
    }
}

ftl_status ftl_predict_matrix(ftl_session *session, ftl_method method, const ftl_matrix *in,
                              double *out, ftl_error *error)
{
    if (!session || !in || (!out && in->rows))
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_predict_matrix needs a session, a matrix and a place for the result");
    FTL_TRY(check_method(session, method, error));
    FTL_TRY(check_matrix(session->model, in, error));
    const ftl_method_outputs *outputs = &session->model->graph.methods[method];
    const ftl_batch batch = {.rows = in->rows, .matrix = in};
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->outputs[i].as == FTL_AS_CELL)
            return FTL_FAIL(error, FTL_SCHEMA, "output '%s' is text; use ftl_predict",
                            outputs->outputs[i].name);
    }
    session->bad_rows = 0;
    for (size_t first = 0; first < in->rows;) {
        size_t left = in->rows - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        ftl_exec_run(&session->exec, &batch, first, rows, 1u << method);
        FTL_TRY(run_status(session, error));
        if (session->exec.n_bad && session->on_error == FTL_ON_ERROR_FAIL)
            return take_bad_rows(session, first, error);
        session->bad_rows += session->exec.n_bad;
        take_matrix(session, outputs, rows, out + first * outputs->count);
        first += rows;
    }
    return FTL_OK;
}

ftl_status ftl_session_output(const ftl_session *session, ftl_method method, size_t index,
                              ftl_output_column *out)
{
    if (!session || !out || (unsigned)method >= FTL_METHOD_COUNT ||
        index >= session->methods[method].count)
        return FTL_ARG;
    *out = (ftl_output_column){.name = session->model->graph.methods[method].outputs[index].name,
                               .type = session->methods[method].storage[index].type};
    return FTL_OK;
}

size_t ftl_session_bad_rows(const ftl_session *session) { return session->bad_rows; }
