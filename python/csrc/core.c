/* The module: its state, functions and slots. */
#include "core.h"

#include <string.h>

/* ---- Functions ----------------------------------------------------------------------------------- */

static PyObject *version(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyUnicode_FromString(ftl_version());
}

static PyObject *supported_classes(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *list = PyList_New(0);
    ftl_class_info info = {.struct_size = sizeof info};
    for (size_t i = 0; list && ftl_supported_class(i, &info) == FTL_OK; i++) {
        PyObject *row = Py_BuildValue("{s:s,s:s,s:s,s:s}", "library", info.library, "package",
                                      info.package, "name", info.name, "kind",
                                      ftl_model_kind_name(info.kind));
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
        info.struct_size = sizeof info;
    }
    return list;
}

static PyObject *set_thread_limit(PyObject *module, PyObject *number)
{
    core_state *state = PyModule_GetState(module);
    unsigned long limit = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return NULL;
    atomic_store_explicit(&state->thread_limit, limit > 65535 ? 65535 : (unsigned)limit,
                          memory_order_relaxed);
    Py_RETURN_NONE;
}

static PyObject *thread_limit(PyObject *module, PyObject *unused)
{
    (void)unused;
    core_state *state = PyModule_GetState(module);
    return PyLong_FromUnsignedLong(
        atomic_load_explicit(&state->thread_limit, memory_order_relaxed));
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, "The version of the library, such as \"0.1.0\"."},
    {"supported_classes", supported_classes, METH_NOARGS,
     "The classes that are run: dicts with library, package, name and kind."},
    {"set_thread_limit", set_thread_limit, METH_O,
     "Limits the threads of predictions and jobs that ask for several; 0: no limit."},
    {"thread_limit", thread_limit, METH_NOARGS, "The limit that was set; 0: none."},
    {"arrow_fields", core_arrow_fields, METH_O,
     "The name and the format of a capsule \"arrow_schema\", and of its children."},
    {"arrow_rows", core_arrow_rows, METH_O, "The rows of a capsule \"arrow_array\"."},
    {"arrow_schema", core_arrow_schema, METH_O,
     "The schema of a capsule \"arrow_array_stream\", as a capsule."},
    {"arrow_next", core_arrow_next, METH_O,
     "The next record batch of such a stream, as a capsule; None at its end."},
    {"typed_stream", core_typed_stream, METH_VARARGS,
     "typed_stream(stream, types, nulls): the Arrow stream as a capsule, its columns of text read "
     "as "
     "the types that types(names) says: a dict of name to type, as Model.outputs gives them."},
    {0}};

/* ---- State --------------------------------------------------------------------------------------- */

static PyObject *attribute(const char *module, const char *name)
{
    PyObject *found = PyImport_ImportModule(module);
    PyObject *value = found ? PyObject_GetAttrString(found, name) : NULL;
    Py_XDECREF(found);
    return value;
}

static PyObject *dtype(PyObject *make, const char *name)
{
    return make ? PyObject_CallFunction(make, "s", name) : NULL;
}

enum { numpy_objects = sizeof(core_numpy) / sizeof(PyObject *) };

static void free_numpy(core_numpy *numpy)
{
    PyObject **objects = (PyObject **)(void *)numpy;
    for (size_t i = 0; numpy && i < numpy_objects; i++)
        Py_XDECREF(objects[i]);
    PyMem_Free(numpy);
}

static core_numpy *import_numpy(void)
{
    core_numpy *n = PyMem_Calloc(1, sizeof *n);
    if (!n) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *make = attribute("numpy", "dtype");
    bool filled = make && (n->ndarray = attribute("numpy", "ndarray")) &&
                  (n->empty = attribute("numpy", "empty")) &&
                  (n->float64 = dtype(make, "float64")) && (n->float32 = dtype(make, "float32")) &&
                  (n->intp = dtype(make, "intp")) && (n->int64 = dtype(make, "int64")) &&
                  (n->uint64 = dtype(make, "uint64")) && (n->boolean = dtype(make, "bool")) &&
                  (n->object = dtype(make, "O")) &&
                  (n->prepare = attribute("foretell._inputs", "prepare")) &&
                  (n->schema = attribute("foretell._inputs", "schema")) &&
                  (n->cell_text = attribute("foretell._inputs", "cell_text")) &&
                  (n->shape = attribute("foretell._results", "shape")) &&
                  (n->join = attribute("foretell._results", "join")) &&
                  (n->classes = attribute("foretell._results", "classes"));
    Py_XDECREF(make);
    if (filled)
        return n;
    free_numpy(n);
    return NULL;
}

const core_numpy *core_numpy_of(core_state *state)
{
    core_numpy *numpy = atomic_load_explicit(&state->numpy, memory_order_acquire);
    if (numpy)
        return numpy;
    core_numpy *made = import_numpy();
    if (!made || atomic_compare_exchange_strong(&state->numpy, &numpy, made))
        return made;
    free_numpy(made); /* another thread was first */
    return numpy;
}

static bool fill_methods(core_state *state, PyObject *module)
{
    PyObject *names = PyTuple_New(FTL_METHOD_COUNT);
    for (int i = 0; names && i < FTL_METHOD_COUNT; i++) {
        state->method_names[i] = PyUnicode_InternFromString(ftl_method_name((ftl_method)i));
        if (!state->method_names[i] ||
            PyTuple_SetItem(names, i, Py_NewRef(state->method_names[i])) < 0)
            Py_CLEAR(names);
    }
    bool added = names && PyModule_AddObjectRef(module, "METHODS", names) == 0;
    Py_XDECREF(names);
    return added;
}

static bool add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out)
{
    *out = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *out && PyModule_AddType(module, *out) == 0;
}

static int execute(PyObject *module)
{
    core_state *state = PyModule_GetState(module);
    bool filled = fill_methods(state, module) &&
                  (state->make_error = attribute("foretell.errors", "make")) &&
                  add_type(module, &core_context_spec, &state->context_type) &&
                  add_type(module, &core_cancel_spec, &state->cancel_type) &&
                  add_type(module, &core_cache_spec, &state->cache_type) &&
                  add_type(module, &core_model_spec, &state->model_type) &&
                  add_type(module, &core_batches_spec, &state->batches_type) &&
                  add_type(module, &core_batch_spec, &state->batch_type);
    return filled ? 0 : -1;
}

enum { state_objects = offsetof(core_state, numpy) / sizeof(PyObject *) };

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    core_state *state = PyModule_GetState(module);
    PyObject **objects = (PyObject **)(void *)state;
    PyObject **numpy = state ? (PyObject **)(void *)atomic_load(&state->numpy) : NULL;
    for (size_t i = 0; state && i < state_objects; i++)
        Py_VISIT(objects[i]);
    for (size_t i = 0; numpy && i < numpy_objects; i++)
        Py_VISIT(numpy[i]);
    return 0;
}

static int clear(PyObject *module)
{
    core_state *state = PyModule_GetState(module);
    PyObject **objects = (PyObject **)(void *)state;
    for (size_t i = 0; state && i < state_objects; i++)
        Py_CLEAR(objects[i]);
    PyObject **numpy = state ? (PyObject **)(void *)atomic_load(&state->numpy) : NULL;
    for (size_t i = 0; numpy && i < numpy_objects; i++)
        Py_CLEAR(numpy[i]);
    return 0;
}

static void release(void *module)
{
    core_state *state = PyModule_GetState(module);
    clear(module);
    if (state)
        free_numpy(atomic_exchange(&state->numpy, NULL));
}

/* ---- The module ---------------------------------------------------------------------------------- */

/* Slots of later Pythons than the limited API knows: their numbers are part of the stable ABI. */
#define SLOT_MULTIPLE_INTERPRETERS 3 /* 3.12 */
#define SLOT_GIL 4                   /* 3.13 */
#define PER_INTERPRETER_GIL ((void *)2)
#define GIL_NOT_USED ((void *)1)

PyMODINIT_FUNC PyInit__core(void);

/* By this name others (foretell.threadpool) know the file among all that are called _core. */
__attribute__((visibility("default"))) const char *foretell_core_version(void);
const char *foretell_core_version(void) { return ftl_version(); }

static PyModuleDef_Slot slots_311[] = {{Py_mod_exec, (void *)execute}, {0}};
static PyModuleDef_Slot slots_312[] = {
    {Py_mod_exec, (void *)execute}, {SLOT_MULTIPLE_INTERPRETERS, PER_INTERPRETER_GIL}, {0}};
static PyModuleDef_Slot slots_313[] = {{Py_mod_exec, (void *)execute},
                                       {SLOT_MULTIPLE_INTERPRETERS, PER_INTERPRETER_GIL},
                                       {SLOT_GIL, GIL_NOT_USED},
                                       {0}};

#define DEFINITION(slots)                   \
    {PyModuleDef_HEAD_INIT,                 \
     .m_name = "foretell._core",            \
     .m_doc = "The C library of foretell.", \
     .m_size = sizeof(core_state),          \
     .m_methods = functions,                \
     .m_slots = (slots),                    \
     .m_traverse = traverse,                \
     .m_clear = clear,                      \
     .m_free = release}

/* Each Python gets the slots that it knows. */
static PyModuleDef definition_311 = DEFINITION(slots_311);
static PyModuleDef definition_312 = DEFINITION(slots_312);
static PyModuleDef definition_313 = DEFINITION(slots_313);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(Py_Version >= 0x030D0000   ? &definition_313
                            : Py_Version >= 0x030C0000 ? &definition_312
                                                       : &definition_311);
}
