#include "input.h"

#include <stdlib.h>
#include <string.h>

/* ---- Memory ---------------------------------------------------------------------------------------- */

void core_input_close(core_input *input)
{
    for (size_t i = 0; i < input->n_views; i++)
        PyBuffer_Release(&input->views[i]);
    for (size_t i = 0; i < input->n_blocks; i++)
        free(input->blocks[i]);
    if (input->first.obj)
        PyBuffer_Release(&input->first);
    PyMem_Free(input->views);
    PyMem_Free(input->blocks);
    PyMem_Free(input->columns);
    PyMem_Free(input->dictionaries);
    Py_XDECREF(input->prepared);
    *input = (core_input){0};
}

static bool reserve(core_input *input, size_t n)
{
    input->columns = PyMem_Calloc(n + 1, sizeof *input->columns);
    input->dictionaries = PyMem_Calloc(n + 1, sizeof *input->dictionaries);
    input->views = PyMem_Calloc(2 * n + 1, sizeof *input->views);
    input->blocks = PyMem_Calloc(6 * n + 1, sizeof *input->blocks);
    if (input->columns && input->dictionaries && input->views && input->blocks)
        return true;
    PyErr_NoMemory();
    return false;
}

/* ---- Matrices of numbers --------------------------------------------------------------------------- */

/* A matrix of other numbers, or one at odd distances, as columns. */
static bool matrix_columns(core_input *input, const Py_buffer *view, ftl_type type)
{
    size_t n = (size_t)view->shape[1];
    if (!reserve(input, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        input->columns[i] = (ftl_column){.type = type,
                                         .values = (const char *)view->buf +
                                                   (Py_ssize_t)i * view->strides[1],
                                         .stride = view->strides[0]};
    }
    input->batch.columns = input->columns;
    input->batch.n_columns = n;
    return true;
}

/* Rows at distance 0, as of a matrix that was broadcast: a stride of 0 would mean side by side. */
static bool is_broadcast(const Py_buffer *view)
{
    return view->strides[0] == 0 && view->shape[0] > 1 && view->shape[1] > 0;
}

/*
 * A view of two dimensions and a type that columns have: 1. 0: it is none, prepare() is asked.
 * -1: an exception is set.
 */
static int view_matrix(const core_facts *facts, core_input *input)
{
    const Py_buffer *view = &input->first;
    int type = view->ndim == 2 ? core_format_type(view->format, view->itemsize) : -1;
    if (type < 0 || is_broadcast(view) || !facts->numbers_only)
        return 0;
    input->dtype = type == FTL_F32 ? FTL_F32 : FTL_F64;
    input->batch = (ftl_batch){.rows = (size_t)view->shape[0]};
    bool even = view->strides[0] % view->itemsize == 0 && view->strides[1] % view->itemsize == 0;
    if ((type != FTL_F32 && type != FTL_F64) || !even)
        return matrix_columns(input, view, (ftl_type)type) ? 1 : -1;
    input->matrix = (ftl_matrix){.data = view->buf,
                                 .dtype = (ftl_type)type,
                                 .rows = (size_t)view->shape[0],
                                 .columns = (size_t)view->shape[1],
                                 .row_stride = view->strides[0] / view->itemsize,
                                 .column_stride = view->strides[1] / view->itemsize};
    input->batch.matrix = &input->matrix;
    return 1;
}

static int open_matrix(const core_facts *facts, PyObject *array, core_input *input)
{
    if (PyObject_GetBuffer(array, &input->first, PyBUF_STRIDES | PyBUF_FORMAT) < 0) {
        PyErr_Clear(); /* dates and the like: prepare() says what is wrong */
        input->first = (Py_buffer){0};
        return 0;
    }
    int opened = view_matrix(facts, input);
    if (opened == 0) {
        PyBuffer_Release(&input->first);
        input->first = (Py_buffer){0};
    }
    return opened;
}

/* ---- Columns --------------------------------------------------------------------------------------- */

static bool open_columns(core_input *input)
{
    PyObject *rows, *columns;
    int narrow;
    if (!PyArg_ParseTuple(input->prepared, "OpO!:prepare", &rows, &narrow, &PyTuple_Type, &columns))
        return false;
    size_t n = (size_t)PyTuple_Size(columns), length = PyLong_AsSize_t(rows);
    if (PyErr_Occurred() || !reserve(input, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t found = length;
        PyObject *column = PyTuple_GetItem(columns, (Py_ssize_t)i);
        if (column == Py_None) /* the model does not look at it */
            input->columns[i] = (ftl_column){.type = FTL_NULL};
        else if (!core_column_open(input, i, column, &found))
            return false;
        if (found != length) {
            PyErr_Format(PyExc_ValueError, "column %zu has %zu rows; the first one has %zu", i,
                         found, length);
            return false;
        }
    }
    input->dtype = narrow ? FTL_F32 : FTL_F64;
    input->batch = (ftl_batch){.rows = length, .columns = input->columns, .n_columns = n};
    return true;
}

bool core_input_take(const core_facts *facts, PyObject *prepared, core_input *out)
{
    *out = (core_input){.prepared = prepared, .numpy = facts->numpy};
    bool opened;
    if (PyTuple_Check(prepared)) {
        opened = open_columns(out);
    } else {
        int found = open_matrix(facts, prepared, out);
        if (found == 0)
            PyErr_SetString(PyExc_TypeError, "X is no matrix of numbers");
        opened = found > 0;
    }
    if (!opened)
        core_input_close(out);
    return opened;
}

bool core_input_open(const core_facts *facts, PyObject *X, core_input *out, PyObject **blocks)
{
    *out = (core_input){0};
    *blocks = NULL;
    if (Py_TYPE(X) == (PyTypeObject *)facts->numpy->ndarray) {
        int opened = open_matrix(facts, X, out);
        if (opened != 0) {
            if (opened < 0)
                core_input_close(out);
            return opened > 0;
        }
    }
    PyObject *prepared = PyObject_CallFunctionObjArgs(facts->numpy->prepare, X, facts->schema,
                                                      NULL);
    if (!prepared)
        return false;
    if (PyIter_Check(prepared)) {
        *blocks = prepared;
        return true;
    }
    return core_input_take(facts, prepared, out);
}
