/* The library's errors as Python exceptions. */
#include "core.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* -1 becomes None. */
static PyObject *position(int64_t value)
{
    if (value < 0)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(value);
}

/* Why the system would not open the file, as far as it can still be told; 0: it would. */
static int file_errno(const char *filename)
{
    if (!filename || strcmp(filename, "-") == 0)
        return 0;
    return access(filename, R_OK) == 0 ? 0 : errno;
}

static PyObject *raise_about(core_state *state, const ftl_error *error, const char *filename,
                             bool is_model)
{
    if (PyErr_Occurred())
        return NULL;
    int number = error->code == FTL_IO ? file_errno(filename) : 0;
    PyObject *arguments = Py_BuildValue(
        "(ssNNNNNNNNNO)", ftl_status_name(error->code), ftl_reason_name(error->reason),
        core_text(error->message), core_text(error->path[0] ? error->path : NULL),
        position(error->row), position(error->column), position(error->line),
        position(error->offset), core_text(error->option[0] ? error->option : NULL),
        position(number ? number : -1),
        filename ? PyUnicode_DecodeFSDefault(filename) : core_text(NULL),
        is_model ? Py_True : Py_False);
    if (!arguments)
        return NULL;
    PyObject *exception = PyObject_CallObject(state->make_error, arguments);
    Py_DECREF(arguments);
    if (exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *core_raise(core_state *state, const ftl_error *error, const char *filename)
{
    return raise_about(state, error, filename, true);
}

PyObject *core_raise_data(core_state *state, const ftl_error *error, const char *filename)
{
    return raise_about(state, error, filename, false);
}

PyObject *core_raise_status(core_state *state, ftl_status status, const char *what)
{
    ftl_error error = {.code = status, .offset = -1, .line = -1, .row = -1, .column = -1};
    PyOS_snprintf(error.message, sizeof error.message, "%s", what);
    return core_raise(state, &error, NULL);
}

PyObject *core_take_exception(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value && traceback)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}
