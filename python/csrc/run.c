/* Model.run: rows in, one result per method out, in one pass. */
#include "input.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* What a call asks for. */
typedef struct call {
    core_state *state;
    core_model *model;
    core_facts *facts;
    PyObject *X;
    ftl_method methods[FTL_METHOD_COUNT]; /* in the caller's order */
    size_t n;
    uint32_t set;
    uint32_t threads;
    ftl_on_error on_error;
    const ftl_cancel *cancel;
    core_input input;
    PyObject *arrays[FTL_METHOD_COUNT]; /* where the numbers go */
    Py_buffer views[FTL_METHOD_COUNT];
    ftl_result_room rooms[FTL_METHOD_COUNT];
    size_t n_rooms;
    PyObject *bad; /* list of dicts */
    size_t rows;   /* of the blocks before this one */
    ftl_error error;
} call;

/* ---- Arguments ------------------------------------------------------------------------------------- */

static bool read_method_list(call *c, PyObject *names)
{
    PyObject *all = PyTuple_Check(names) ? Py_NewRef(names) : PySequence_Tuple(names);
    if (!all)
        return false;
    Py_ssize_t n = PyTuple_Size(all);
    bool read = n > 0 && n <= FTL_METHOD_COUNT;
    if (!read)
        PyErr_SetString(PyExc_ValueError, "run() takes one method at least, each once");
    for (Py_ssize_t i = 0; read && i < n; i++) {
        int method = core_method(c->state, PyTuple_GetItem(all, i));
        read = method >= 0;
        if (read && c->set >> method & 1u) {
            PyErr_SetString(PyExc_ValueError, "a method is named twice");
            read = false;
        }
        if (read) {
            c->methods[c->n++] = (ftl_method)method;
            c->set |= 1u << method;
        }
    }
    Py_DECREF(all);
    return read;
}

static bool read_keyword(call *c, PyObject *name, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(name, "threads") == 0) {
        long threads = PyLong_AsLong(value);
        if (threads < 0 || threads > 65535) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "threads is a number from 0 to 65535");
            return false;
        }
        c->threads = (uint32_t)threads;
        return true;
    }
    if (PyUnicode_CompareWithASCIIString(name, "on_error") == 0) {
        if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "null") == 0)
            c->on_error = FTL_ON_ERROR_NULL;
        else if (!PyUnicode_Check(value) || PyUnicode_CompareWithASCIIString(value, "fail") != 0) {
            PyErr_SetString(PyExc_ValueError, "on_error is 'fail' or 'null'");
            return false;
        }
        return true;
    }
    if (PyUnicode_CompareWithASCIIString(name, "cancel") == 0) {
        if (value != Py_None && !PyObject_TypeCheck(value, c->state->cancel_type)) {
            PyErr_SetString(PyExc_TypeError, "cancel is a Cancel object");
            return false;
        }
        c->cancel = value == Py_None ? NULL : ((core_cancel *)value)->token->cancel;
        return true;
    }
    if (PyUnicode_CompareWithASCIIString(name, "methods") == 0 && c->n == 0)
        return read_method_list(c, value);
    PyErr_Format(PyExc_TypeError, "run() got an unexpected keyword argument '%U'", name);
    return false;
}

static bool read_call(call *c, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    if (n < 1 || n > 2) {
        PyErr_SetString(PyExc_TypeError,
                        "run() takes X and a tuple of methods; the rest has names");
        return false;
    }
    c->X = args[0];
    if (n == 2 && !read_method_list(c, args[1]))
        return false;
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        if (!read_keyword(c, PyTuple_GetItem(names, i), args[n + i]))
            return false;
    }
    if (c->n == 0)
        PyErr_SetString(PyExc_TypeError, "run() needs a tuple of methods");
    return c->n > 0;
}

/* ---- Room for results ------------------------------------------------------------------------------ */

/* numpy.empty of (rows, columns), or of rows where columns is 0. */
static PyObject *empty(const core_numpy *numpy, size_t rows, size_t columns, PyObject *dtype)
{
    PyObject *shape = columns ? Py_BuildValue("(nn)", (Py_ssize_t)rows, (Py_ssize_t)columns)
                              : PyLong_FromSize_t(rows);
    PyObject *array = shape ? PyObject_CallFunctionObjArgs(numpy->empty, shape, dtype, NULL) : NULL;
    Py_XDECREF(shape);
    return array;
}

/* The float type that the session yields for a method of numbers. */
static ftl_type number_type(const ftl_session *session, ftl_method method)
{
    ftl_output_column column = {.struct_size = sizeof column};
    return ftl_session_output(session, method, 0, &column) == FTL_OK && column.type == FTL_F32
               ? FTL_F32
               : FTL_F64;
}

/* An array for a method's numbers. Indices of classes are made where they are written as floats. */
static bool make_room(call *c, const ftl_session *session, ftl_method method)
{
    const core_method_facts *facts = &c->facts->methods[method];
    size_t at = c->n_rooms, rows = c->input.batch.rows;
    ftl_type type = facts->form == CORE_NUMBERS ? number_type(session, method) : FTL_F64;
    PyObject *dtype = facts->form == CORE_CLASSES ? c->facts->numpy->intp
                      : type == FTL_F32           ? c->facts->numpy->float32
                                                  : c->facts->numpy->float64;
    size_t width = facts->form == CORE_CLASSES || facts->vector ? 0 : facts->count;
    c->arrays[at] = empty(c->facts->numpy, rows, width, dtype);
    if (!c->arrays[at] ||
        PyObject_GetBuffer(c->arrays[at], &c->views[at], PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) < 0)
        return false;
    c->rooms[at] = (ftl_result_room){.method = method,
                                     .class_index = true,
                                     .room = {.data = c->views[at].buf,
                                              .dtype = type,
                                              .rows = rows,
                                              .columns = facts->count,
                                              .row_stride = (ptrdiff_t)facts->count,
                                              .column_stride = 1}};
    c->n_rooms++;
    return true;
}

/* ---- Running --------------------------------------------------------------------------------------- */

/*
 * A run that takes less than this keeps the interpreter: giving it away and taking it back costs
 * as much, and another thread that gets it meanwhile may keep it for milliseconds.
 */
enum { quick_nanoseconds = 10000, quick_rows = 16 };

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static ftl_status run_session(call *c, ftl_session *session)
{
    ftl_status status;
    atomic_uint *row_time = &c->model->row_time[c->methods[0]];
    size_t rows = c->input.batch.rows;
    unsigned known = atomic_load_explicit(row_time, memory_order_relaxed);
    if (known && rows <= quick_rows && known * rows < quick_nanoseconds)
        return ftl_session_run_into(session, &c->input.batch, c->rooms, c->n_rooms, &c->error);
    int64_t begun = now();
    Py_BEGIN_ALLOW_THREADS status = ftl_session_run_into(session, &c->input.batch, c->rooms,
                                                         c->n_rooms, &c->error);
    begun = now() - begun;
    Py_END_ALLOW_THREADS if (status == FTL_OK && rows && rows <= quick_rows)
    {
        int64_t taken = begun / (int64_t)rows + 1;
        unsigned measured = taken > 1000000000 ? 1000000000 : (unsigned)taken;
        /* The first run makes workspaces: it counts for nothing once there are others. */
        unsigned next = known ? known / 4 + measured - measured / 4 : measured;
        atomic_store_explicit(row_time, next, memory_order_relaxed);
    }
    return status;
}

static ftl_status run_threads(call *c, ftl_plan *plan)
{
    const ftl_parallel_options options = {.struct_size = sizeof options,
                                          .threads = core_threads(c->state, c->threads),
                                          .cancel = c->cancel};
    ftl_status status;
    Py_BEGIN_ALLOW_THREADS status = ftl_plan_run_into(plan, &c->input.batch, c->rooms, c->n_rooms,
                                                      &options, NULL, &c->error);
    Py_END_ALLOW_THREADS return status;
}

/* ---- Rows that were refused ------------------------------------------------------------------------ */

static PyObject *bad_row(const ftl_error *why)
{
    PyObject *dict = PyDict_New();
    if (dict && core_put(dict, "row", PyLong_FromLongLong(why->row)) &&
        core_put(dict, "column",
                 why->column < 0 ? core_text(NULL) : PyLong_FromLongLong(why->column)) &&
        core_put(dict, "reason", core_text(ftl_reason_name(why->reason))) &&
        core_put(dict, "message", core_text(why->message)))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

static bool list_bad_rows(call *c, ftl_session *session)
{
    size_t n = ftl_session_bad_rows(session);
    c->bad = PyList_New(0);
    for (size_t i = 0; c->bad && i < n; i++) {
        ftl_error why;
        if (ftl_session_bad_row(session, i, &why) != FTL_OK)
            break;
        PyObject *row = bad_row(&why);
        if (!row || PyList_Append(c->bad, row) < 0)
            Py_CLEAR(c->bad);
        Py_XDECREF(row);
    }
    return c->bad != NULL;
}

/* ---- Columns of text ------------------------------------------------------------------------------- */

static bool bit(const uint8_t *bits, size_t i) { return bits[i / 8] >> i % 8 & 1; }

static PyObject *cell(const ftl_column *column, size_t row)
{
    if (column->validity && !bit(column->validity, row))
        Py_RETURN_NONE;
    switch (column->type) {
    case FTL_F64:
        return PyFloat_FromDouble(((const double *)column->values)[row]);
    case FTL_F32:
        return PyFloat_FromDouble((double)((const float *)column->values)[row]);
    case FTL_I64:
        return PyLong_FromLongLong(((const int64_t *)column->values)[row]);
    case FTL_BOOL:
        return PyBool_FromLong(((const uint8_t *)column->values)[row]);
    default:
        return PyUnicode_DecodeUTF8((const char *)column->values + column->offsets[row],
                                    (Py_ssize_t)(column->offsets[row + 1] - column->offsets[row]),
                                    "replace");
    }
}

/* The columns of a result as lists of Python's values. */
static PyObject *result_columns(const ftl_batch *batch)
{
    PyObject *all = PyList_New(0);
    for (size_t i = 0; all && i < batch->n_columns; i++) {
        PyObject *list = PyList_New((Py_ssize_t)batch->rows);
        for (size_t row = 0; list && row < batch->rows; row++) {
            PyObject *value = cell(&batch->columns[i], row);
            if (!value || PyList_SetItem(list, (Py_ssize_t)row, value) < 0)
                Py_CLEAR(list);
        }
        if (!list || PyList_Append(all, list) < 0)
            Py_CLEAR(all);
        Py_XDECREF(list);
    }
    return all;
}

/* Methods with texts among their results: the session's own columns. */
static ftl_status run_cells(call *c, ftl_session *session)
{
    uint32_t methods = 0;
    ftl_status status;
    for (size_t i = 0; i < c->n; i++)
        methods |= 1u << c->methods[i];
    Py_BEGIN_ALLOW_THREADS status = ftl_session_run(session, methods, &c->input.batch, &c->error);
    Py_END_ALLOW_THREADS for (size_t i = 0; status == FTL_OK && i < c->n; i++)
    {
        ftl_batch batch;
        status = ftl_session_result(session, c->methods[i], &batch, &c->error);
        c->arrays[i] = status == FTL_OK ? result_columns(&batch) : NULL;
        if (status == FTL_OK && !c->arrays[i])
            return FTL_NOMEM; /* the exception is set */
    }
    return status;
}

/* ---- Results --------------------------------------------------------------------------------------- */

/* The indices that were written as floats, in place; false: some are of rows that were refused. */
static bool to_indices(const Py_buffer *view)
{
    size_t n = (size_t)view->len / sizeof(double);
    bool whole = true;
    char *at = view->buf;
    for (size_t i = 0; i < n; i++, at += sizeof(double)) {
        double value;
        memcpy(&value, at, sizeof value);
        bool valid = value >= 0;
        Py_ssize_t index = valid ? (Py_ssize_t)value : -1;
        whole = whole && valid;
        memcpy(at, &index, sizeof index);
    }
    return whole;
}

static PyObject *shaped(call *c, size_t i, PyObject *raw)
{
    ftl_method method = c->methods[i];
    return PyObject_CallFunction(c->facts->numpy->shape, "OOOOs", c->state->method_names[method],
                                 raw, c->facts->classes, c->facts->schema,
                                 c->facts->methods[method].type);
}

static PyObject *result(call *c, size_t i)
{
    const core_method_facts *facts = &c->facts->methods[c->methods[i]];
    PyObject *raw = c->arrays[i];
    if (facts->form == CORE_NUMBERS && c->n_rooms)
        return Py_NewRef(raw);
    if (facts->form == CORE_CLASSES && c->n_rooms && to_indices(&c->views[i]))
        return PyObject_CallFunctionObjArgs(c->facts->take, raw, NULL);
    return shaped(c, i, raw);
}

static PyObject *results(call *c)
{
    PyObject *all = PyTuple_New((Py_ssize_t)c->n);
    for (size_t i = 0; all && i < c->n; i++) {
        PyObject *one = result(c, i);
        if (!one || PyTuple_SetItem(all, (Py_ssize_t)i, one) < 0)
            Py_CLEAR(all);
    }
    if (!all || !c->bad)
        return all;
    return Py_BuildValue("(NO)", all, c->bad);
}

/* ---- Calls ----------------------------------------------------------------------------------------- */

static bool has_cells(const call *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->facts->methods[c->methods[i]].form == CORE_CELLS)
            return true;
    }
    return false;
}

static bool run_in_session(call *c, ftl_plan *plan)
{
    ftl_session *session = NULL;
    ftl_status status = ftl_plan_borrow(plan, &session, &c->error);
    if (status == FTL_OK)
        status = ftl_session_set_on_error(session, c->on_error);
    if (status == FTL_OK)
        status = ftl_session_set_cancel(session, c->cancel);
    bool made = true;
    if (status == FTL_OK && has_cells(c)) {
        status = run_cells(c, session);
    } else if (status == FTL_OK) {
        for (size_t i = 0; made && i < c->n; i++)
            made = make_room(c, session, c->methods[i]);
        bool parallel = c->threads != 1 && c->on_error == FTL_ON_ERROR_FAIL &&
                        !c->facts->open_width;
        if (made)
            status = parallel ? run_threads(c, plan) : run_session(c, session);
    }
    if (status != FTL_OK && c->error.row >= 0)
        c->error.row += (int64_t)c->rows;
    if (status != FTL_OK && !PyErr_Occurred())
        core_raise(c->state, &c->error, NULL);
    bool done = made && status == FTL_OK &&
                (c->on_error == FTL_ON_ERROR_FAIL || list_bad_rows(c, session));
    ftl_plan_return(session);
    return done;
}

static bool run_call(call *c)
{
    const ftl_plan_options options = {
        .struct_size = sizeof options, .input_dtype = c->input.dtype, .methods = c->set};
    ftl_plan *plan = NULL;
    ftl_status status = FTL_END;
    ftl_plan_options quick = options;
    quick.no_wait = true;
    status = ftl_model_plan(c->model->model, &quick, &plan, &c->error);
    if (status == FTL_END) { /* it has to be made */
        Py_BEGIN_ALLOW_THREADS status = ftl_model_plan(c->model->model, &options, &plan, &c->error);
        Py_END_ALLOW_THREADS
    }
    if (status != FTL_OK) {
        core_raise(c->state, &c->error, NULL);
        return false;
    }
    bool done = run_in_session(c, plan);
    ftl_plan_release(plan);
    return done;
}

/* The rows of one input; NULL: an exception is set. The input is closed. */
static PyObject *run_input(call *c)
{
    PyObject *all = run_call(c) ? results(c) : NULL;
    for (size_t i = 0; i < c->n_rooms; i++)
        PyBuffer_Release(&c->views[i]);
    for (size_t i = 0; i < c->n; i++)
        Py_CLEAR(c->arrays[i]);
    Py_CLEAR(c->bad);
    c->n_rooms = 0;
    c->rows += c->input.batch.rows;
    core_input_close(&c->input);
    return all;
}

/* Runs a block and notes its results and rows. */
static bool run_block(call *c, PyObject *block, PyObject *pieces, PyObject *rows)
{
    if (!core_input_take(c->facts, block, &c->input))
        return false;
    PyObject *n = PyLong_FromSize_t(c->input.batch.rows), *piece = run_input(c);
    bool noted = n && piece && PyList_Append(pieces, piece) == 0 && PyList_Append(rows, n) == 0;
    Py_XDECREF(n);
    Py_XDECREF(piece);
    return noted;
}

static PyObject *run_blocks(call *c, PyObject *blocks)
{
    PyObject *pieces = PyList_New(0), *rows = PyList_New(0), *block, *all = NULL;
    bool going = pieces && rows;
    while (going && (block = PyIter_Next(blocks)))
        going = run_block(c, block, pieces, rows);
    if (going && !PyErr_Occurred())
        all = PyObject_CallFunctionObjArgs(c->facts->numpy->join, pieces, rows,
                                           c->on_error == FTL_ON_ERROR_NULL ? Py_True : Py_False,
                                           NULL);
    Py_XDECREF(pieces);
    Py_XDECREF(rows);
    return all;
}

static size_t width_of(const core_input *input)
{
    return input->batch.matrix ? input->batch.matrix->columns : input->batch.n_columns;
}

/* The call for the same model of another width, where the file does not say how wide it is. */
static PyObject *run_widened(PyObject *self, size_t width, PyObject *const *args, Py_ssize_t n,
                             PyObject *names)
{
    PyObject *wide = PyObject_CallMethod(self, "with_inputs", "n", (Py_ssize_t)width);
    PyObject *all = wide ? core_model_run(wide, args, n, names) : NULL;
    Py_XDECREF(wide);
    return all;
}

PyObject *core_model_run(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    call c = {.state = core_state_of(self), .model = (core_model *)self, .threads = 1};
    PyObject *blocks;
    if (!read_call(&c, args, n, names) || !(c.facts = core_facts_of(self)) ||
        !core_input_open(c.facts, c.X, &c.input, &blocks))
        return NULL;
    if (!blocks && c.facts->open_width && width_of(&c.input) != c.facts->n_inputs) {
        size_t width = width_of(&c.input);
        core_input_close(&c.input);
        return run_widened(self, width, args, n, names);
    }
    if (!blocks)
        return run_input(&c);
    PyObject *all = run_blocks(&c, blocks);
    Py_DECREF(blocks);
    return all;
}
