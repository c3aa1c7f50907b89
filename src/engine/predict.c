/* Prediction: a batch, block by block, through a session's workspace. */
#include "base/cancel.h"
#include "engine/columns.h"
#include "engine/session.h"

#include <math.h>
#include <string.h>

/* ---- A block ----------------------------------------------------------------------------------- */

/* Whether a step could not go on: no memory for a block of texts. */
static ftl_status run_status(const ftl_session *session, ftl_error *error)
{
    if (session->exec.status != FTL_OK && error)
        *error = session->exec.error;
    return session->exec.status;
}

/* Whether a row of the last run's batch has cells that ftl_session_read could not read. */
static bool is_unreadable(const ftl_session *session, size_t row)
{
    const ftl_session_rows *read = &session->read;
    return read->bad && session->in.columns == read->batch.columns && row < read->batch.rows &&
           read->bad[row];
}

/* Those are as bad as rows that the library refuses. */
static void add_unreadable(ftl_session *session, size_t first)
{
    ftl_exec *exec = &session->exec;
    for (uint32_t i = 0; i < exec->rows; i++) {
        if (exec->bad[i] || !is_unreadable(session, first + i))
            continue;
        exec->bad[i] = 1;
        exec->n_bad++;
        exec->first_bad = i < exec->first_bad ? i : exec->first_bad;
    }
}

static ftl_status explain_unreadable(const ftl_session *session, size_t row, ftl_error *error)
{
    const ftl_session *reader = session->read.reader;
    return reader->reader_ops->explain(reader, row, error);
}

/* The next rows of the batch through the plan. */
static ftl_status run_block(ftl_session *session, const ftl_batch *in, size_t first, uint32_t rows,
                            uint32_t methods, ftl_error *error)
{
    FTL_TRY(ftl_cancel_check(session->cancel, error));
    ftl_exec_run(&session->exec, in, first, rows, methods);
    FTL_TRY(run_status(session, error));
    if (FTL_UNLIKELY(session->read.bad != NULL))
        add_unreadable(session, first);
    return FTL_OK;
}

/* Which rows are bad is noted from the first bad block on: validity has room for all rows. */
static ftl_status take_bad_rows(ftl_session *session, size_t first, ftl_error *error)
{
    const ftl_exec *exec = &session->exec;
    if (exec->n_bad == 0)
        return FTL_OK;
    if (session->on_error == FTL_ON_ERROR_FAIL) {
        if (is_unreadable(session, first + exec->first_bad))
            return explain_unreadable(session, first + exec->first_bad, error);
        if (error) {
            *error = exec->bad_error;
            error->row = (int64_t)(first + exec->first_bad);
        }
        return FTL_VALUE;
    }
    if (session->bad_rows == 0)
        memset(session->validity, 0xff, session->rows / 8 + 1);
    for (uint32_t i = 0; i < exec->rows; i++) {
        if (exec->bad[i])
            session->validity[(first + i) / 8] &= (uint8_t)~(1u << ((first + i) % 8));
    }
    session->bad_rows += exec->n_bad;
    return FTL_OK;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* A run that fails shows nothing, not what was there before: that batch may be gone. */
static void forget_last_run(ftl_session *session)
{
    session->run_methods = 0;
    session->bad_rows = 0;
    session->shows_wide = false;
}

static ftl_status check_methods(const ftl_session *session, uint32_t methods, ftl_error *error)
{
    uint32_t others = methods & ~session->plan->methods;
    if (methods && !others)
        return FTL_OK;
    const char *name = methods ? ftl_method_name((ftl_method)__builtin_ctz(others)) : NULL;
    return FTL_FAIL(error, FTL_ARG, "the session was not made for %s", name ? name : "that method");
}

/* What the last run was of, for ftl_session_bad_row. */
static void begin_run(ftl_session *session, uint32_t methods, const ftl_batch *in)
{
    session->in = *in;
    if (in->matrix) {
        session->in_matrix = *in->matrix;
        session->in.matrix = &session->in_matrix;
    }
    session->in_methods = methods;
    session->rows = in->rows;
    session->bad_rows = session->bad_index = session->bad_row = 0;
}

static ftl_status run_blocks(ftl_session *session, uint32_t methods, const ftl_batch *in,
                             ftl_error *error)
{
    FTL_TRY(ftl_batch_check(session->model, in, error));
    FTL_TRY(ftl_session_reserve(session, methods, in->rows, error));
    begin_run(session, methods, in);
    for (size_t first = 0; first < in->rows;) {
        size_t left = in->rows - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        FTL_TRY(run_block(session, in, first, rows, methods, error));
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
static ftl_status make_wide(ftl_session *session, size_t width, ftl_error *error)
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
    session->wide->cancel = session->cancel;
    session->wide->read = session->read;
    return FTL_OK;
}

static ftl_status run_wide(ftl_session *session, uint32_t methods, const ftl_batch *in,
                           size_t width, ftl_error *error)
{
    FTL_TRY(make_wide(session, width, error));
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
    forget_last_run(session);
    FTL_TRY(check_methods(session, methods, error));
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

/* ---- Numbers into the caller's room ---------------------------------------------------------- */

static ftl_status check_room(const ftl_session *session, ftl_method method, const ftl_batch *in,
                             const ftl_matrix_out *out, ftl_error *error)
{
    const ftl_method_outputs *outputs = &session->model->graph.methods[method];
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->outputs[i].as == FTL_AS_CELL)
            return FTL_FAIL(error, FTL_SCHEMA, "output '%s' is text; use ftl_predict",
                            outputs->outputs[i].name);
    }
    if (out->rows != in->rows || out->columns != outputs->count)
        return FTL_FAIL(error, FTL_SHAPE,
                        "the result has %zu rows and %zu columns; there is room for %zu and %zu",
                        in->rows, outputs->count, out->rows, out->columns);
    return ftl_matrix_check_reach(out->data, out->dtype, out->rows, out->columns, out->row_stride,
                                  out->column_stride, error);
}

static ftl_status note_bad_rows(ftl_session *session, size_t first, ftl_error *error)
{
    if (session->exec.n_bad && session->on_error == FTL_ON_ERROR_NULL && session->bad_rows == 0)
        FTL_TRY(ftl_session_reserve(session, 0, session->rows, error));
    return take_bad_rows(session, first, error);
}

static ftl_status check_rooms(const ftl_session *session, const ftl_batch *in,
                              const ftl_result_room *rooms, size_t n, uint32_t *methods,
                              ftl_error *error)
{
    *methods = 0;
    for (size_t i = 0; i < n; i++) {
        if (!ftl_method_name(rooms[i].method) || *methods >> rooms[i].method & 1u)
            return FTL_FAIL(error, FTL_ARG, "every result is of another method");
        *methods |= 1u << rooms[i].method;
    }
    FTL_TRY(check_methods(session, *methods, error));
    for (size_t i = 0; i < n; i++)
        FTL_TRY(check_room(session, rooms[i].method, in, &rooms[i].room, error));
    return FTL_OK;
}

ftl_status ftl_session_run_rows(ftl_session *session, const ftl_batch *in, size_t first,
                                size_t last, const ftl_result_room *rooms, size_t n,
                                ftl_error *error)
{
    uint32_t methods;
    FTL_TRY(check_rooms(session, in, rooms, n, &methods, error));
    begin_run(session, methods, in);
    session->run_methods = 0; /* ftl_session_result has nothing to show */
    session->shows_wide = false;
    while (first < last) {
        size_t left = last - first;
        uint32_t rows = left < session->plan->block_rows ? (uint32_t)left
                                                         : session->plan->block_rows;
        FTL_TRY(run_block(session, in, first, rows, methods, error));
        FTL_TRY(note_bad_rows(session, first, error));
        for (size_t i = 0; i < n; i++)
            ftl_session_take_matrix(session, &rooms[i], first);
        first += rows;
    }
    return FTL_OK;
}

/* All rows, of a batch that nobody has looked at. */
static ftl_status run_all(ftl_session *session, const ftl_batch *in, const ftl_result_room *rooms,
                          size_t n, ftl_error *error)
{
    FTL_TRY(ftl_batch_check(session->model, in, error));
    return ftl_session_run_rows(session, in, 0, in->rows, rooms, n, error);
}

ftl_status ftl_session_run_into(ftl_session *session, const ftl_batch *in,
                                const ftl_result_room *rooms, size_t n_rooms, ftl_error *error)
{
    if (!session || !in || !rooms)
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_run_into needs a session, a batch and room for the results");
    forget_last_run(session);
    size_t width = in->matrix ? in->matrix->columns : in->n_columns;
    if (FTL_LIKELY(!session->model->open_width || width == session->model->graph.n_inputs))
        return run_all(session, in, rooms, n_rooms, error);
    FTL_TRY(make_wide(session, width, error));
    FTL_TRY(run_all(session->wide, in, rooms, n_rooms, error));
    session->run_methods = 0;
    session->shows_wide = true;
    session->rows = in->rows;
    session->bad_rows = session->wide->bad_rows;
    return FTL_OK;
}

ftl_status ftl_predict_into(ftl_session *session, ftl_method method, const ftl_batch *in,
                            const ftl_matrix_out *out, ftl_error *error)
{
    if (!session || !in || !out || !ftl_method_name(method))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_predict_into needs a session, a method, a batch and room for the result");
    const ftl_result_room room = {.method = method, .room = *out};
    return ftl_session_run_into(session, in, &room, 1, error);
}

ftl_status ftl_predict_matrix(ftl_session *session, ftl_method method, const ftl_matrix *in,
                              double *out, ftl_error *error)
{
    if (!session || !in || (!out && in->rows) || !ftl_method_name(method))
        return FTL_FAIL(
            error, FTL_ARG,
            "ftl_predict_matrix needs a session, a method, a matrix and a place for the result");
    forget_last_run(session);
    size_t count = session->model->graph.methods[method].count;
    const ftl_batch batch = {.rows = in->rows, .matrix = in};
    const ftl_result_room room = {.method = method,
                                  .room = {.data = out,
                                           .dtype = FTL_F64,
                                           .rows = in->rows,
                                           .columns = count,
                                           .row_stride = (ptrdiff_t)count,
                                           .column_stride = 1}};
    return run_all(session, &batch, &room, 1, error);
}

/* ---- Bad rows -------------------------------------------------------------------------------- */

size_t ftl_session_bad_rows(const ftl_session *session) { return session ? session->bad_rows : 0; }

static bool is_bad(const ftl_session *session, size_t row)
{
    return !(session->validity[row / 8] >> (row % 8) & 1);
}

/* The row of the index-th bad one; goes on from the last when asked in order. */
static size_t find_bad_row(ftl_session *session, size_t index)
{
    if (index < session->bad_index)
        session->bad_index = session->bad_row = 0;
    size_t row = session->bad_row, at = session->bad_index;
    while (!is_bad(session, row))
        row++;
    for (; at < index; at++) {
        row++;
        while (!is_bad(session, row))
            row++;
    }
    session->bad_index = at;
    session->bad_row = row;
    return row;
}

ftl_status ftl_session_bad_row(ftl_session *session, size_t index, ftl_error *why)
{
    if (!session || !why)
        return FTL_ARG;
    if (session->shows_wide)
        return ftl_session_bad_row(session->wide, index, why);
    if (index >= session->bad_rows)
        return FTL_END;
    if (session->shows_wide)
        return ftl_session_bad_row(session->wide, index, why);
    size_t row = find_bad_row(session, index);
    if (is_unreadable(session, row)) {
        (void)explain_unreadable(session, row, why);
        return FTL_OK;
    }
    ftl_status status = ftl_session_explain(session, session->in_methods, &session->in, row, why);
    if (status == FTL_VALUE)
        return FTL_OK;
    if (status == FTL_OK)
        return FTL_FAIL(why, FTL_ARG, "row %zu is good now: the batch has changed since the call",
                        row);
    return status;
}
