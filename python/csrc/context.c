/* Context, Cancel and Cache. */
#include "core.h"

#include <stdlib.h>

/* ---- What outlives Python's objects ---------------------------------------------------------------- */

core_home *core_home_take(core_home *home)
{
    atomic_fetch_add_explicit(&home->references, 1, memory_order_relaxed);
    return home;
}

void core_home_drop(core_home *home)
{
    if (home && atomic_fetch_sub_explicit(&home->references, 1, memory_order_acq_rel) == 1) {
        ftl_context_destroy(home->context);
        free(home);
    }
}

core_token *core_token_take(core_token *token)
{
    atomic_fetch_add_explicit(&token->references, 1, memory_order_relaxed);
    return token;
}

void core_token_drop(core_token *token)
{
    if (token && atomic_fetch_sub_explicit(&token->references, 1, memory_order_acq_rel) == 1) {
        ftl_cancel_destroy(token->cancel);
        core_home_drop(token->home);
        free(token);
    }
}

/* ---- Context --------------------------------------------------------------------------------------- */

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"memory_limit", "threads", NULL};
    unsigned long long memory_limit = 0;
    unsigned int threads = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|KI:Context", names, &memory_limit, &threads))
        return NULL;
    const ftl_context_options options = {
        .struct_size = sizeof options, .memory_limit = memory_limit, .threads = threads};
    core_home *home = malloc(sizeof *home);
    if (!home)
        return PyErr_NoMemory();
    *home = (core_home){.references = 1};
    ftl_error error;
    if (ftl_context_create(&options, &home->context, &error) != FTL_OK) {
        free(home);
        return core_raise(PyType_GetModuleState(type), &error, NULL);
    }
    core_context *self = (core_context *)PyType_GenericAlloc(type, 0);
    if (!self) {
        core_home_drop(home);
        return NULL;
    }
    self->home = home;
    self->threads = threads;
    return (PyObject *)self;
}

/* Frees an object of a heap type. */
static void free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = PyType_GetSlot(type, Py_tp_free);
    free_it(self);
    Py_DECREF(type);
}

static void context_dealloc(PyObject *self)
{
    core_home *home = ((core_context *)self)->home;
    Py_BEGIN_ALLOW_THREADS core_home_drop(home);
    Py_END_ALLOW_THREADS free_object(self);
}

static PyObject *context_memory_used(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(
        ftl_context_memory_used(((core_context *)self)->home->context));
}

static PyObject *context_threads(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(((core_context *)self)->threads);
}

static PyMethodDef context_methods[] = {
    {"read_table", (PyCFunction)(void (*)(void))core_read_table, METH_FASTCALL | METH_KEYWORDS,
     "read_table(path, **options): the table of a file as a capsule \"arrow_array_stream\"."},
    {"write_table", (PyCFunction)(void (*)(void))core_write_table, METH_FASTCALL | METH_KEYWORDS,
     "write_table(stream, path, **options): writes a stream of record batches as a file."},
    {0}};

static PyGetSetDef context_getset[] = {
    {"memory_used", context_memory_used, NULL, "Bytes that models, plans and sessions hold.", NULL},
    {"threads", context_threads, NULL, "The threads that were asked for; 0: one per CPU.", NULL},
    {0}};

static PyType_Slot context_slots[] = {
    {Py_tp_doc,
     "Context(memory_limit=0, threads=0)\n\nWhat models and caches live in: its threads and the "
     "account of its memory. Any thread may use it."},
    {Py_tp_new, (void *)context_new},
    {Py_tp_dealloc, (void *)context_dealloc},
    {Py_tp_methods, context_methods},
    {Py_tp_getset, context_getset},
    {0}};

PyType_Spec core_context_spec = {.name = "foretell._core.Context",
                                 .basicsize = sizeof(core_context),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = context_slots};

/* ---- Cancel ---------------------------------------------------------------------------------------- */

static PyObject *cancel_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"context", NULL};
    core_state *state = PyType_GetModuleState(type);
    PyObject *context;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Cancel", names, state->context_type,
                                     &context))
        return NULL;
    core_token *token = malloc(sizeof *token);
    if (!token)
        return PyErr_NoMemory();
    *token = (core_token){.references = 1};
    core_home *home = ((core_context *)context)->home;
    ftl_error error;
    if (ftl_cancel_create(home->context, &token->cancel, &error) != FTL_OK) {
        free(token);
        return core_raise(state, &error, NULL);
    }
    token->home = core_home_take(home);
    core_cancel *self = (core_cancel *)PyType_GenericAlloc(type, 0);
    if (!self) {
        core_token_drop(token);
        return NULL;
    }
    self->token = token;
    return (PyObject *)self;
}

static void cancel_dealloc(PyObject *self)
{
    core_token_drop(((core_cancel *)self)->token);
    free_object(self);
}

static PyObject *cancel_trigger(PyObject *self, PyObject *unused)
{
    (void)unused;
    ftl_cancel_trigger(((core_cancel *)self)->token->cancel);
    Py_RETURN_NONE;
}

static PyObject *cancel_triggered(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(ftl_cancel_triggered(((core_cancel *)self)->token->cancel));
}

static PyMethodDef cancel_methods[] = {
    {"trigger", cancel_trigger, METH_NOARGS,
     "Stops what has the token, within a block of rows. Any thread may call it."},
    {0}};
static PyGetSetDef cancel_getset[] = {
    {"triggered", cancel_triggered, NULL, "Whether trigger() was called.", NULL}, {0}};

static PyType_Slot cancel_slots[] = {
    {Py_tp_doc, "Cancel(context)\n\nA token that stops work. Once triggered it stays so."},
    {Py_tp_new, (void *)cancel_new},
    {Py_tp_dealloc, (void *)cancel_dealloc},
    {Py_tp_methods, cancel_methods},
    {Py_tp_getset, cancel_getset},
    {0}};

PyType_Spec core_cancel_spec = {.name = "foretell._core.Cancel",
                                .basicsize = sizeof(core_cancel),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                .slots = cancel_slots};
