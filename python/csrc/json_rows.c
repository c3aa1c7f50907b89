/* Model.run_json: rows of JSON in, lists that are JSON's values out, as foretell-server has them.
 */
#include "core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct json_call {
    core_state *state;
    ftl_model *model;
    ftl_method methods[FTL_METHOD_COUNT]; /* in the caller's order */
    size_t n;
    uint32_t set;
    ftl_error error;
} json_call;

/* The double that prints as shortly as the float does: 0.1 and not 0.10000000149011612. */
static double shortest(float value)
{
    char text[32];
    double found = (double)value;
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (ftl_number_parse(text, &found) && (float)found == value)
            return found;
    }
    return (double)value;
}

static PyObject *number(double value)
{
    if (!isfinite(value))
        Py_RETURN_NONE; /* JSON has no word for it */
    return PyFloat_FromDouble(value);
}

static PyObject *value_at(const ftl_column *column, size_t row)
{
    size_t i = column->offset + row;
    const char *values = column->values;
    if (column->validity && !(column->validity[i / 8] >> (i % 8) & 1))
        Py_RETURN_NONE;
    ptrdiff_t stride = column->stride;
    double f64;
    float f32;
    int64_t i64;
    switch (column->type) {
    case FTL_F64:
        memcpy(&f64, values + (ptrdiff_t)i * (stride ? stride : 8), sizeof f64);
        return number(f64);
    case FTL_F32:
        memcpy(&f32, values + (ptrdiff_t)i * (stride ? stride : 4), sizeof f32);
        return number(isfinite(f32) ? shortest(f32) : (double)f32);
    case FTL_I64:
        memcpy(&i64, values + (ptrdiff_t)i * (stride ? stride : 8), sizeof i64);
        return PyLong_FromLongLong(i64);
    case FTL_BOOL:
        return PyBool_FromLong(values[(ptrdiff_t)i * (stride ? stride : 1)]);
    case FTL_STRING:
        return PyUnicode_DecodeUTF8(values + column->offsets[i],
                                    (Py_ssize_t)(column->offsets[i + 1] - column->offsets[i]),
                                    "surrogatepass");
    default: /* outputs have no other type */
        Py_RETURN_NONE;
    }
}

/* Whether a row's result is a value and no list of one. */
static bool is_flat(ftl_method method, size_t n_columns)
{
    switch (method) {
    case FTL_PREDICT_PROBA:
    case FTL_PREDICT_LOG_PROBA:
    case FTL_TRANSFORM:
    case FTL_INVERSE_TRANSFORM:
    case FTL_KNEIGHBORS:
        return false;
    default:
        return n_columns == 1;
    }
}

static PyObject *row_of(const ftl_batch *batch, size_t row)
{
    PyObject *list = PyList_New((Py_ssize_t)batch->n_columns);
    for (size_t i = 0; list && i < batch->n_columns; i++) {
        PyObject *value = value_at(&batch->columns[i], row);
        if (!value || PyList_SetItem(list, (Py_ssize_t)i, value) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *rows_of(const ftl_batch *batch, ftl_method method)
{
    PyObject *all = PyList_New((Py_ssize_t)batch->rows);
    bool flat = is_flat(method, batch->n_columns);
    for (size_t row = 0; all && row < batch->rows; row++) {
        PyObject *value = flat ? value_at(&batch->columns[0], row) : row_of(batch, row);
        if (!value || PyList_SetItem(all, (Py_ssize_t)row, value) < 0)
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *results_of(json_call *call, ftl_session *session)
{
    PyObject *all = PyTuple_New((Py_ssize_t)call->n);
    for (size_t i = 0; all && i < call->n; i++) {
        ftl_batch batch;
        PyObject *one = NULL;
        if (ftl_session_result(session, call->methods[i], &batch, &call->error) == FTL_OK)
            one = rows_of(&batch, call->methods[i]);
        else
            core_raise(call->state, &call->error, NULL);
        if (!one || PyTuple_SetItem(all, (Py_ssize_t)i, one) < 0)
            Py_CLEAR(all);
    }
    return all;
}

/* The interpreter is given away while the library reads and predicts. */
static PyObject *run(json_call *call, const Py_buffer *rows)
{
    const ftl_plan_options wanted = {.struct_size = sizeof wanted, .methods = call->set};
    ftl_plan *plan = NULL;
    ftl_session *session = NULL;
    ftl_batch in;
    ftl_status status;
    PyObject *all = NULL;
    Py_BEGIN_ALLOW_THREADS status = ftl_model_plan(call->model, &wanted, &plan, &call->error);
    if (status == FTL_OK)
        status = ftl_plan_borrow(plan, &session, &call->error);
    if (status == FTL_OK)
        status = ftl_session_read(session, rows->buf, (size_t)rows->len, NULL, NULL, &in,
                                  &call->error);
    if (status == FTL_OK)
        status = ftl_session_run(session, call->set, &in, &call->error);
    Py_END_ALLOW_THREADS if (status == FTL_OK) all = results_of(call, session);
    else core_raise(call->state, &call->error, NULL);
    ftl_plan_return(session);
    ftl_plan_release(plan);
    return all;
}

static bool read_methods(json_call *call, PyObject *names)
{
    PyObject *all = PySequence_Tuple(names);
    Py_ssize_t n = all ? PyTuple_Size(all) : 0;
    bool read = all && n >= 1 && n <= FTL_METHOD_COUNT;
    if (all && !read)
        PyErr_SetString(PyExc_ValueError, "run_json() takes one method at least, each once");
    for (Py_ssize_t i = 0; read && i < n; i++) {
        int method = core_method(call->state, PyTuple_GetItem(all, i));
        read = method >= 0;
        if (read) {
            call->methods[call->n++] = (ftl_method)method;
            call->set |= 1u << method;
        }
    }
    Py_XDECREF(all);
    return read;
}

PyObject *core_model_run_json(PyObject *self, PyObject *args)
{
    json_call call = {.state = core_state_of(self), .model = ((core_model *)self)->model};
    PyObject *methods, *all = NULL;
    Py_buffer rows;
    if (!PyArg_ParseTuple(args, "y*O:run_json", &rows, &methods))
        return NULL;
    if (read_methods(&call, methods))
        all = run(&call, &rows);
    PyBuffer_Release(&rows);
    return all;
}
