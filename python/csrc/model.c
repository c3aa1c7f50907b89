/* Model: what it is and how it is opened. Prediction: run.c; jobs: score.c. */
#include "core.h"
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PyObject *core_model_wrap(core_state *state, core_home *home, PyObject *known, ftl_model *model)
{
    core_model *self = (core_model *)PyType_GenericAlloc(state->model_type, 0);
    if (!self) {
        ftl_model_release(model);
        return NULL;
    }
    self->home = core_home_take(home);
    self->model = model;
    self->known = Py_XNewRef(known);
    return (PyObject *)self;
}

static void model_dealloc(PyObject *self)
{
    core_model *model = (core_model *)self;
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = PyType_GetSlot(type, Py_tp_free);
    core_facts_drop(model->facts);
    Py_XDECREF(model->known);
    Py_BEGIN_ALLOW_THREADS ftl_model_release(model->model);
    core_home_drop(model->home);
    Py_END_ALLOW_THREADS free_it(self);
    Py_DECREF(type);
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)type;
    (void)args;
    (void)kwargs;
    PyErr_SetString(PyExc_TypeError,
                    "models are made by Model.open, Model.open_memory and Cache.get");
    return NULL;
}

/* ---- Opening --------------------------------------------------------------------------------------- */

static bool is_context(core_state *state, PyObject *object, const char *function)
{
    if (PyObject_TypeCheck(object, state->context_type))
        return true;
    PyErr_Format(PyExc_TypeError, "%s() takes a Context first", function);
    return false;
}

static PyObject *opened(core_state *state, core_home *home, ftl_status status, ftl_model *model,
                        const ftl_error *error, const char *filename)
{
    return status == FTL_OK ? core_model_wrap(state, home, NULL, model)
                            : core_raise(state, error, filename);
}

static PyObject *model_open(PyObject *class, PyTypeObject *defining, PyObject *const *args,
                            size_t count, PyObject *names)
{
    (void)class;
    core_state *state = PyType_GetModuleState(defining);
    Py_ssize_t n = (Py_ssize_t)count;
    ftl_model_options options = {0};
    core_keep keep = {0};
    if (n != 2) {
        PyErr_SetString(PyExc_TypeError, "open() takes a Context and a path; options have names");
        return NULL;
    }
    if (!is_context(state, args[0], "open"))
        return NULL;
    core_home *home = ((core_context *)args[0])->home;
    PyObject *path = core_path(args[1]), *result = NULL;
    if (path && core_model_options("open", args + n, names, &options, &keep)) {
        const char *text = PyBytes_AsString(path);
        ftl_model *model = NULL;
        ftl_error error;
        ftl_status status;
        Py_BEGIN_ALLOW_THREADS status = ftl_model_open(home->context, text, &options, &model,
                                                       &error);
        Py_END_ALLOW_THREADS result = opened(state, home, status, model, &error, text);
    }
    Py_XDECREF(path);
    core_keep_clear(&keep);
    return result;
}

static PyObject *model_open_memory(PyObject *class, PyTypeObject *defining, PyObject *const *args,
                                   size_t count, PyObject *names)
{
    (void)class;
    core_state *state = PyType_GetModuleState(defining);
    Py_ssize_t n = (Py_ssize_t)count;
    ftl_model_options options = {0};
    core_keep keep = {0};
    Py_buffer data;
    if (n != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "open_memory() takes a Context and bytes; options have names");
        return NULL;
    }
    if (!is_context(state, args[0], "open_memory") ||
        PyObject_GetBuffer(args[1], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    core_home *home = ((core_context *)args[0])->home;
    PyObject *result = NULL;
    if (core_model_options("open_memory", args + n, names, &options, &keep)) {
        ftl_model *model = NULL;
        ftl_error error;
        ftl_status status;
        Py_BEGIN_ALLOW_THREADS status = ftl_model_open_memory(
            home->context, data.buf, (size_t)data.len, &options, &model, &error);
        Py_END_ALLOW_THREADS result = opened(state, home, status, model, &error, NULL);
    }
    PyBuffer_Release(&data);
    core_keep_clear(&keep);
    return result;
}

static PyObject *model_with_inputs(PyObject *self, PyObject *number)
{
    core_model *model = (core_model *)self;
    size_t n = PyLong_AsSize_t(number);
    if (PyErr_Occurred())
        return NULL;
    ftl_model *other = NULL;
    ftl_error error;
    ftl_status status;
    Py_BEGIN_ALLOW_THREADS status = ftl_model_with_inputs(model->model, n, &other, &error);
    Py_END_ALLOW_THREADS return opened(core_state_of(self), model->home, status, other, &error,
                                       NULL);
}

/* ---- What it is ------------------------------------------------------------------------------------ */

static PyObject *model_info(PyObject *self, PyObject *unused)
{
    (void)unused;
    ftl_model_info i = {.struct_size = sizeof i};
    ftl_status status = ftl_model_get_info(((core_model *)self)->model, &i);
    if (status != FTL_OK)
        return core_raise_status(core_state_of(self), status, "the model tells nothing of itself");
    PyObject *dict = PyDict_New();
    if (dict && core_put(dict, "kind", core_text(ftl_model_kind_name(i.kind))) &&
        core_put(dict, "class_name", core_text(i.class_name)) &&
        core_put(dict, "library", core_text(i.library)) &&
        core_put(dict, "library_version", core_text(i.library_version)) &&
        core_put(dict, "bytes", PyLong_FromUnsignedLongLong(i.bytes)) &&
        core_put(dict, "plan_bytes", PyLong_FromUnsignedLongLong(i.plan_bytes)) &&
        core_put(dict, "session_bytes", PyLong_FromUnsignedLongLong(i.session_bytes)) &&
        core_put(dict, "file_bytes", PyLong_FromUnsignedLongLong(i.file_bytes)) &&
        core_put(dict, "default_method", core_text(ftl_method_name(i.default_method))) &&
        core_put(dict, "n_inputs", PyLong_FromSize_t(i.n_inputs)) &&
        core_put(dict, "has_input_names", PyBool_FromLong(i.has_input_names)) &&
        core_put(dict, "open_width", PyBool_FromLong(i.open_width)) &&
        core_put(dict, "newer", core_text(i.newer)) &&
        core_put(dict, "parts", core_text(i.parts)) && core_put(dict, "note", core_text(i.note)))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

/* The one that it usually does: the same object each time. */
static PyObject *model_default_method(PyObject *self, void *unused)
{
    (void)unused;
    core_facts *facts = core_facts_of(self);
    return facts ? Py_NewRef(core_state_of(self)->method_names[facts->default_method]) : NULL;
}

static const char *type_name(ftl_type type)
{
    static const char *const names[] = {"float64", "float32", "int64", "bool", "string"};
    return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "other";
}

static PyObject *input_dict(const ftl_schema_column *column)
{
    static const char *const kinds[] = {"numeric", "string", "bool", "mixed", "unused"};
    static const char *const rules[] = {"nan", "none", "refused"};
    PyObject *dict = PyDict_New();
    if (dict && core_put(dict, "name", core_text(column->name)) &&
        core_put(dict, "kind", core_text(kinds[column->kind])) &&
        core_put(dict, "missing", core_text(rules[column->missing])) &&
        core_put(dict, "type", core_text(type_name(column->batch_type))))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

/* Appends an item, whose reference it takes; false: an exception is set. */
static bool append(PyObject *list, PyObject *item)
{
    bool done = item && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return done;
}

static PyObject *model_inputs(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(((core_model *)self)->model, i, &column) != FTL_OK)
            break;
        if (!append(list, input_dict(&column)))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *model_outputs(PyObject *self, PyObject *name)
{
    core_model *model = (core_model *)self;
    int method = core_method(core_state_of(self), name);
    PyObject *list = method < 0 ? NULL : PyList_New(0);
    size_t n = list ? ftl_model_output_count(model->model, (ftl_method)method) : 0;
    for (size_t i = 0; list && i < n; i++) {
        ftl_output_column column = {.struct_size = sizeof column};
        if (ftl_model_output(model->model, (ftl_method)method, i, &column) != FTL_OK)
            break;
        PyObject *row = PyDict_New();
        if (row && (!core_put(row, "name", core_text(column.name)) ||
                    !core_put(row, "type", core_text(type_name(column.type)))))
            Py_CLEAR(row);
        if (!append(list, row))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *model_classes(PyObject *self, PyObject *unused)
{
    (void)unused;
    core_facts *facts = core_facts_of(self);
    return facts ? PySequence_List(facts->classes) : NULL;
}

static PyObject *model_methods(PyObject *self, PyObject *unused)
{
    (void)unused;
    core_state *state = core_state_of(self);
    PyObject *list = PyList_New(0);
    for (int m = 0; list && m < FTL_METHOD_COUNT; m++) {
        if (ftl_model_has_method(((core_model *)self)->model, (ftl_method)m) &&
            PyList_Append(list, state->method_names[m]) < 0)
            Py_CLEAR(list);
    }
    PyObject *methods = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return methods;
}

static PyObject *model_method_status(PyObject *self, PyObject *name)
{
    core_state *state = core_state_of(self);
    int method = core_method(state, name);
    ftl_error error;
    if (method < 0)
        return NULL;
    if (ftl_model_method_status(((core_model *)self)->model, (ftl_method)method, &error) != FTL_OK)
        return core_raise(state, &error, NULL);
    Py_RETURN_NONE;
}

/* ---- Text and files -------------------------------------------------------------------------------- */

/* ftl_text_fn: appends to a list, with the GIL, which describing does not give away. */
static bool take_text(void *user, const char *text, size_t size)
{
    return append(user, PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "replace"));
}

static PyObject *join(PyObject *list)
{
    PyObject *empty = PyUnicode_FromString("");
    PyObject *text = empty ? PyUnicode_Join(empty, list) : NULL;
    Py_XDECREF(empty);
    return text;
}

static PyObject *model_describe(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"json", NULL};
    int json = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:describe", names, &json))
        return NULL;
    PyObject *list = PyList_New(0), *text = NULL;
    ftl_error error;
    if (list && ftl_model_describe(((core_model *)self)->model, json != 0, take_text, list,
                                   &error) != FTL_OK)
        core_raise(core_state_of(self), &error, NULL);
    else if (list && !PyErr_Occurred())
        text = join(list);
    Py_XDECREF(list);
    return text;
}

static PyObject *model_trim(PyObject *self, PyObject *unused)
{
    (void)unused;
    Py_BEGIN_ALLOW_THREADS ftl_model_trim(((core_model *)self)->model);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

/* ftl_bytes_fn */
static bool write_bytes(void *user, const void *data, size_t size)
{
    return fwrite(data, 1, size, user) == size;
}

static ftl_status not_written(const char *path, int number, ftl_error *error)
{
    *error = (ftl_error){.code = FTL_IO, .offset = -1, .line = -1, .row = -1, .column = -1};
    snprintf(error->message, sizeof error->message, "'%.200s' could not be written: %s", path,
             strerror(number));
    return FTL_IO;
}

static ftl_status write_handle(const ftl_model *model, int handle, const char *path,
                               ftl_error *error)
{
    FILE *file = fdopen(handle, "wb");
    if (!file) {
        close(handle);
        return not_written(path, errno, error);
    }
    ftl_status status = ftl_model_write(model, write_bytes, file, error);
    bool flushed = fflush(file) == 0 && !ferror(file) && fsync(handle) == 0;
    int number = errno;
    flushed = fclose(file) == 0 && flushed;
    if (status == FTL_CANCELLED || (status == FTL_OK && !flushed))
        return not_written(path, number, error);
    return status;
}

/* Written beside its place and renamed, so that nobody opens half a file. */
static ftl_status write_file(const ftl_model *model, const char *path, ftl_error *error)
{
    size_t room = strlen(path) + 32;
    char *name = malloc(room);
    if (!name)
        return not_written(path, ENOMEM, error);
    snprintf(name, room, "%s.%ld.partial", path, (long)getpid());
    int handle = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    ftl_status status = handle < 0 ? not_written(path, errno, error)
                                   : write_handle(model, handle, path, error);
    if (status == FTL_OK && rename(name, path) != 0)
        status = not_written(path, errno, error);
    if (status != FTL_OK && handle >= 0)
        unlink(name);
    free(name);
    return status;
}

static PyObject *model_write(PyObject *self, PyObject *path)
{
    PyObject *bytes = core_path(path);
    if (!bytes)
        return NULL;
    const char *text = PyBytes_AsString(bytes);
    ftl_error error;
    ftl_status status;
    Py_BEGIN_ALLOW_THREADS status = write_file(((core_model *)self)->model, text, &error);
    Py_END_ALLOW_THREADS PyObject *result = status == FTL_OK ? Py_NewRef(Py_None)
                                                             : core_raise_data(core_state_of(self),
                                                                               &error, text);
    Py_DECREF(bytes);
    return result;
}

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS

static PyMethodDef model_table[] = {
    {"open", (PyCFunction)(void (*)(void))model_open,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "open(context, path, **model_options): the model of a file."},
    {"open_memory", (PyCFunction)(void (*)(void))model_open_memory,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "open_memory(context, data, **model_options): the model of bytes, which are not kept."},
    {"with_inputs", model_with_inputs, METH_O,
     "The same model for so many columns, when the file does not say how many it takes."},
    {"info", model_info, METH_NOARGS, "What the model is, as a dict."},
    {"inputs", model_inputs, METH_NOARGS, "Its columns: dicts with name, kind, missing and type."},
    {"outputs", model_outputs, METH_O, "The columns of a method: dicts with name and type."},
    {"classes", model_classes, METH_NOARGS, "The classes of each target, as arrays."},
    {"methods", model_methods, METH_NOARGS, "The names of the methods that it has."},
    {"method_status", model_method_status, METH_O, "Raises why it cannot run a method, if so."},
    {"describe", (PyCFunction)(void (*)(void))model_describe, METH_VARARGS | METH_KEYWORDS,
     "describe(json=False): what `foretell inspect` prints."},
    {"generate", (PyCFunction)(void (*)(void))core_model_generate, METH_VARARGS | METH_KEYWORDS,
     "generate(target, **codegen_options): code made from the model, as text."},
    {"run_json", core_model_run_json, METH_VARARGS,
     "run_json(rows, methods): rows of JSON; for each method the values that JSON has, row by "
     "row."},
    {"trim", model_trim, METH_NOARGS, "Gives back plans and workspaces that nobody uses."},
    {"write", model_write, METH_O, "Writes a file of foretell's own, which opens like the model."},
    {"run", FAST(core_model_run),
     "run(X, methods, *, threads=1, on_error=\"fail\", cancel=None): one result per method."},
    {"score_file", FAST(core_score_file),
     "score_file(input_path, output_path, **score_options): the figures of the job."},
    {"score_arrow", FAST(core_score_arrow),
     "score_arrow(stream, **score_options): a capsule \"arrow_array_stream\" of results."},
    {"score_stream", FAST(core_score_stream),
     "score_stream(read, write, **score_options): the figures of the job."},
    {"check", FAST(core_check), "check(input_path, **score_options): a report, as text."},
    {0}};

static PyGetSetDef model_getset[] = {
    {"default_method", model_default_method, NULL,
     "What it usually does: \"predict\", or \"transform\" of a transformer.", NULL},
    {0}};

static PyType_Slot model_slots[] = {
    {Py_tp_doc, "A model: immutable, for any thread. Made by open, open_memory and Cache.get."},
    {Py_tp_new, (void *)model_new},
    {Py_tp_dealloc, (void *)model_dealloc},
    {Py_tp_methods, model_table},
    {Py_tp_getset, model_getset},
    {0}};

PyType_Spec core_model_spec = {.name = "foretell._core.Model",
                               .basicsize = sizeof(core_model),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                               .slots = model_slots};
