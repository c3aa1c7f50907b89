/* Model.generate: code made from a model. */
#include "core.h"

#include "foretell/codegen.h"

#include <stdlib.h>
#include <string.h>

/* All that was written; grows without the interpreter. */
typedef struct text {
    char *data;
    size_t size, room;
    bool failed; /* no memory */
} text;

/* ftl_text_fn */
static bool take_piece(void *user, const char *piece, size_t size)
{
    text *all = user;
    if (size > all->room - all->size) {
        size_t room = all->room ? all->room : 1 << 16;
        while (room - all->size < size && room <= SIZE_MAX / 2)
            room *= 2;
        char *data = room - all->size < size ? NULL : realloc(all->data, room);
        all->failed = !data;
        if (!data)
            return false;
        all->data = data;
        all->room = room;
    }
    memcpy(all->data + all->size, piece, size);
    all->size += size;
    return true;
}

typedef struct generate_paths {
    PyObject *model, *data, *output; /* bytes, held; NULL: not given */
} generate_paths;

static void drop_paths(generate_paths *paths)
{
    Py_XDECREF(paths->model);
    Py_XDECREF(paths->data);
    Py_XDECREF(paths->output);
}

/* None is not given. */
static bool read_path(PyObject *value, PyObject **bytes, const char **out)
{
    if (value == Py_None)
        return true;
    *bytes = core_path(value);
    char *path = NULL;
    if (!*bytes || PyBytes_AsStringAndSize(*bytes, &path, NULL) != 0)
        return false;
    *out = path;
    return true;
}

static bool read_type(const char *name, ftl_type *out)
{
    if (!name || strcmp(name, "float64") == 0)
        *out = FTL_F64;
    else if (strcmp(name, "float32") == 0)
        *out = FTL_F32;
    else {
        PyErr_Format(PyExc_ValueError, "input_dtype is '%.40s': give \"float64\" or \"float32\"",
                     name);
        return false;
    }
    return true;
}

static PyObject *generate(PyObject *self, const ftl_generate_options *options)
{
    text all = {0};
    ftl_error error;
    ftl_status status;
    const ftl_model *model = ((core_model *)self)->model;
    Py_BEGIN_ALLOW_THREADS status = ftl_generate(model, options, take_piece, &all, &error);
    Py_END_ALLOW_THREADS PyObject *made = NULL;
    if (all.failed)
        PyErr_NoMemory();
    else if (status != FTL_OK)
        core_raise(core_state_of(self), &error, NULL);
    else
        made = PyUnicode_DecodeUTF8(all.data ? all.data : "", (Py_ssize_t)all.size, "replace");
    free(all.data);
    return made;
}

PyObject *core_model_generate(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"target",         "methods",    "input_dtype",   "prefix",
                            "max_code_bytes", "model_path", "data_path",     "output_path",
                            "batch_size",     "plain",      "probabilities", NULL};
    ftl_generate_options options = {.struct_size = sizeof options};
    PyObject *methods = Py_None, *model_path = Py_None, *data_path = Py_None,
             *output_path = Py_None;
    const char *dtype = NULL;
    unsigned long long most = 0;
    unsigned int rows = 0;
    int plain = 0, probabilities = 0;
    generate_paths paths = {0};
    PyObject *made = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|$OzzKOOOIpp:generate", names, &options.target,
                                     &methods, &dtype, &options.prefix, &most, &model_path,
                                     &data_path, &output_path, &rows, &plain, &probabilities))
        return NULL;
    options.max_code_bytes = most;
    options.batch_size = rows;
    options.plain = plain != 0;
    options.probabilities = probabilities != 0;
    if (read_type(dtype, &options.input_dtype) &&
        (methods == Py_None || core_methods(core_state_of(self), methods, &options.methods)) &&
        read_path(model_path, &paths.model, &options.model_path) &&
        read_path(data_path, &paths.data, &options.data_path) &&
        read_path(output_path, &paths.output, &options.output_path))
        made = generate(self, &options);
    drop_paths(&paths);
    return made;
}
