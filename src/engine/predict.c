/* Prediction: a batch, block by block, through a session's workspace. */
#include "engine/session.h"

#include <math.h>
#include <string.h>

/* ---- What comes in --------------------------------------------------------------------------- */

static ftl_status check_matrix(const ftl_session *session, const ftl_matrix *matrix,
                               ftl_error *error)
{
    const ftl_model *model = session->model;
    /* A model without inputs never looks at them, a DummyClassifier say. */
    if (model->graph.n_inputs && matrix->columns != model->graph.n_inputs)
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "the matrix has %zu columns; %s expects %zu", matrix->columns,
                                model->class_name, model->graph.n_inputs);
    if (matrix->dtype != FTL_F64 && matrix->dtype != FTL_F32)
        return FTL_FAIL(error, FTL_ARG, "a matrix holds F64 or F32");
    uint32_t i = session->plan->text_input;
    if (i != UINT32_MAX)
        return FTL_FAIL_BECAUSE(
            error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
            "column %u%s%s is text; give columns instead of a matrix of numbers", i,
            model->inputs[i].name ? " " : "", model->inputs[i].name ? model->inputs[i].name : "");
    return FTL_OK;
}

static ftl_status check_batch(const ftl_session *session, const ftl_batch *in, ftl_error *error)
{
    const ftl_model *model = session->model;
    if (in->matrix) {
        if (in->rows != in->matrix->rows)
            return FTL_FAIL(error, FTL_SHAPE, "the batch and its matrix differ in rows");
        return check_matrix(session, in->matrix, error);
    }
    if (model->graph.n_inputs == 0)
        return FTL_OK;
    if (in->n_columns != model->graph.n_inputs)
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "the batch has %zu columns; %s expects %zu", in->n_columns,
                                model->class_name, model->graph.n_inputs);
    for (size_t i = 0; i < in->n_columns; i++) {
        const ftl_schema_column *expected = &model->inputs[i];
        if (expected->kind == FTL_KIND_UNUSED)
            continue;
        bool text = in->columns[i].type == FTL_STRING;
        if (text != (expected->batch_type == FTL_STRING))
            return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                                    "column %zu%s%s must be %s", i, expected->name ? " " : "",
                                    expected->name ? expected->name : "",
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

static ftl_status check_methods(const ftl_session *session, uint32_t methods, ftl_error *error)
{
    uint32_t others = methods & ~session->plan->methods;
    if (methods && !others)
        return FTL_OK;
    const char *name = methods ? ftl_method_name((ftl_method)__builtin_ctz(others)) : NULL;
    return FTL_FAIL(error, FTL_ARG, "the session was not made for %s", name ? name : "that method");
}

static ftl_status run_blocks(ftl_session *session, uint32_t methods, const ftl_batch *in,
                             ftl_error *error)
{
    FTL_TRY(check_batch(session, in, error));
    FTL_TRY(ftl_session_reserve(session, methods, in->rows, error));
    session->rows = in->rows;
    session->bad_rows = 0;
    memset(session->validity, 0xff, in->rows / 8 + 1);
    for (size_t first = 0; first < in->rows;) {
        size_t left = in->rows - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        ftl_exec_run(&session->exec, in, first, rows, methods);
        FTL_TRY(run_status(session, error));
        FTL_TRY(take_bad_rows(session, first, error));
        FTL_TRY(ftl_session_take(session, methods, first, error));
        first += rows;
    }
    session->run_methods = methods;
    return FTL_OK;
}

/*
 * A model that does not say how many columns it takes was made for one. Batches of another width go
 * to a session of the same model for that width, which is kept for the next batch.
 */
static ftl_status run_wide(ftl_session *session, uint32_t methods, const ftl_batch *in,
                           size_t width, ftl_error *error)
{
    if (session->wide && session->wide->model->graph.n_inputs != width) {
        ftl_session_destroy(session->wide);
        session->wide = NULL;
    }
    if (!session->wide) {
        const ftl_session_options options = {.struct_size = sizeof options,
                                             .input_dtype = session->plan->input_dtype,
                                             .methods = session->plan->methods};
        ftl_model *model = NULL;
        FTL_TRY(ftl_model_with_inputs(session->model, width, &model, error));
        ftl_status status = ftl_session_create(model, &options, &session->wide, error);
        ftl_model_release(model); /* the session holds it */
        FTL_TRY(status);
    }
    session->wide->on_error = session->on_error;
    FTL_TRY(ftl_session_run(session->wide, methods, in, error));
    session->shows_wide = true;
    session->run_methods = methods;
    session->rows = in->rows;
    session->bad_rows = session->wide->bad_rows;
    return FTL_OK;
}

ftl_status ftl_session_run(ftl_session *session, uint32_t methods, const ftl_batch *in,
                           ftl_error *error)
{
    if (!session || !in)
        return FTL_FAIL(error, FTL_ARG, "ftl_session_run needs a session and a batch");
    FTL_TRY(check_methods(session, methods, error));
    session->run_methods = 0;
    session->shows_wide = false;
    if (FTL_UNLIKELY(session->model->open_width)) {
        size_t width = in->matrix ? in->matrix->columns : in->n_columns;
        if (width != session->model->graph.n_inputs)
            return run_wide(session, methods, in, width, error);
    }
    return run_blocks(session, methods, in, error);
}

ftl_status ftl_session_result(const ftl_session *session, ftl_method method, ftl_batch *out,
                              ftl_error *error)
{
    if (!session || !out)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_result needs a session and a place for the result");
    const char *name = ftl_method_name(method);
    if (!name || !(session->run_methods & 1u << method))
        return FTL_FAIL(error, FTL_ARG, "the last run did not compute %s",
                        name ? name : "that method");
    ftl_session_view(session, method, session->rows, out);
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

ftl_status ftl_predict(ftl_session *session, ftl_method method, const ftl_batch *in, ftl_batch *out,
                       ftl_error *error)
{
    if (!session || !in || !out || !ftl_method_name(method))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_predict needs a session, a method, a batch and a place for the result");
    FTL_TRY(ftl_session_run(session, 1u << method, in, error));
    ftl_session_view(session, method, in->rows, out);
    return FTL_OK;
}

ftl_status ftl_predict_matrix(ftl_session *session, ftl_method method, const ftl_matrix *in,
                              double *out, ftl_error *error)
{
    if (!session || !in || (!out && in->rows) || !ftl_method_name(method))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_predict_matrix needs a session, a method, a matrix and a place for the result");
    FTL_TRY(check_methods(session, 1u << method, error));
    FTL_TRY(check_matrix(session, in, error));
    const ftl_method_outputs *outputs = &session->model->graph.methods[method];
    const ftl_batch batch = {.rows = in->rows, .matrix = in};
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->outputs[i].as == FTL_AS_CELL)
            return FTL_FAIL(error, FTL_SCHEMA, "output '%s' is text; use ftl_predict",
                            outputs->outputs[i].name);
    }
    session->bad_rows = 0;
    session->run_methods = 0; /* ftl_session_result has nothing to show */
    for (size_t first = 0; first < in->rows;) {
        size_t left = in->rows - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        ftl_exec_run(&session->exec, &batch, first, rows, 1u << method);
        FTL_TRY(run_status(session, error));
        if (session->exec.n_bad && session->on_error == FTL_ON_ERROR_FAIL)
            return take_bad_rows(session, first, error);
        session->bad_rows += session->exec.n_bad;
        ftl_session_take_matrix(session, outputs, rows, out + first * outputs->count);
        first += rows;
    }
    return FTL_OK;
}

size_t ftl_session_bad_rows(const ftl_session *session) { return session ? session->bad_rows : 0; }
