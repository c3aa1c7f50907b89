/* Cache: open models by their path. */
#include "core.h"

#include <string.h>

static PyObject *cache_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"context",           "cache_size",   "max_bytes",
                            "check_interval_ms", "check_always", NULL};
    core_state *state = PyType_GetModuleState(type);
    ftl_cache_options options = {.struct_size = sizeof options};
    PyObject *context;
    unsigned long long max_bytes = 0;
    int check_always = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|IKIp:Cache", names, state->context_type,
                                     &context, &options.cache_size, &max_bytes,
                                     &options.check_interval_ms, &check_always))
        return NULL;
    options.max_bytes = max_bytes;
    options.check_always = check_always != 0;
    core_home *home = ((core_context *)context)->home;
    ftl_cache *cache = NULL;
    ftl_error error;
    if (ftl_cache_create(home->context, &options, &cache, &error) != FTL_OK)
        return core_raise(state, &error, NULL);
    core_cache *self = (core_cache *)PyType_GenericAlloc(type, 0);
    if (!self) {
        ftl_cache_destroy(cache);
        return NULL;
    }
    self->home = core_home_take(home);
    self->cache = cache;
    self->known = PyDict_New();
    if (self->known)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void cache_dealloc(PyObject *self)
{
    core_cache *cache = (core_cache *)self;
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = PyType_GetSlot(type, Py_tp_free);
    Py_XDECREF(cache->known);
    Py_BEGIN_ALLOW_THREADS ftl_cache_destroy(cache->cache);
    core_home_drop(cache->home);
    Py_END_ALLOW_THREADS free_it(self);
    Py_DECREF(type);
}

/* What a call asks for: path, use_cache or methods, options of the model. */
typedef struct request {
    PyObject *path; /* bytes */
    const char *text;
    bool no_cache;
    uint32_t methods;
    ftl_model_options options;
    core_keep keep;
} request;

static void request_clear(request *wanted)
{
    Py_CLEAR(wanted->path);
    core_keep_clear(&wanted->keep);
}

/* The argument behind the path, by place or by its name. */
static bool read_second(core_state *state, request *wanted, bool warm, PyObject *value)
{
    if (warm)
        return value == Py_None || core_methods(state, value, &wanted->methods);
    int truth = PyObject_IsTrue(value);
    wanted->no_cache = truth == 0;
    return truth >= 0;
}

static bool read_request(core_state *state, bool warm, PyObject *const *args, Py_ssize_t n,
                         PyObject *names, request *wanted)
{
    const char *function = warm ? "warm" : "get", *second = warm ? "methods" : "use_cache";
    PyObject *path = n > 0 ? args[0] : NULL;
    bool known;
    *wanted = (request){.options = {.struct_size = sizeof wanted->options}};
    if (n > 2) {
        PyErr_Format(PyExc_TypeError, "%s() takes a path and %s; options have names", function,
                     second);
        return false;
    }
    if (n == 2 && !read_second(state, wanted, warm, args[1]))
        return false;
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), NULL);
        PyObject *value = args[n + i];
        if (!name)
            return false;
        if (strcmp(name, second) == 0) {
            if (!read_second(state, wanted, warm, value))
                return false;
        } else if (strcmp(name, "path") == 0 && !path) {
            path = value;
        } else {
            if (!core_model_option(name, value, &wanted->options, &wanted->keep, &known))
                return false;
            if (!known) {
                PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%s'",
                             function, name);
                return false;
            }
        }
    }
    if (!path) {
        PyErr_Format(PyExc_TypeError, "%s() needs a path", function);
        return false;
    }
    wanted->path = core_path(path);
    wanted->text = wanted->path ? PyBytes_AsString(wanted->path) : NULL;
    return wanted->text != NULL;
}

static PyObject *answer_dict(const ftl_cache_answer *answer)
{
    PyObject *dict = PyDict_New();
    if (dict && core_put(dict, "hit", PyBool_FromLong(answer->hit)) &&
        core_put(dict, "stale", PyBool_FromLong(answer->stale)) &&
        core_put(dict, "load_seconds", PyFloat_FromDouble(answer->load_seconds)))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *cache_get(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_cache *cache = (core_cache *)self;
    core_state *state = core_state_of(self);
    request wanted;
    if (!read_request(state, false, args, n, names, &wanted)) {
        request_clear(&wanted);
        return NULL;
    }
    const ftl_cache_get_options options = {
        .struct_size = sizeof options, .model = &wanted.options, .no_cache = wanted.no_cache};
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_model *model = NULL;
    ftl_error error;
    ftl_status status;
    Py_BEGIN_ALLOW_THREADS status = ftl_cache_get(cache->cache, wanted.text, &options, &answer,
                                                  &model, &error);
    Py_END_ALLOW_THREADS PyObject *result = NULL;
    if (status != FTL_OK)
        core_raise(state, &error, wanted.text);
    else
        result = Py_BuildValue(
            "(NN)",
            core_model_wrap(state, cache->home, wanted.no_cache ? NULL : cache->known, model),
            answer_dict(&answer));
    request_clear(&wanted);
    return result;
}

static PyObject *cache_warm(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_cache *cache = (core_cache *)self;
    core_state *state = core_state_of(self);
    request wanted;
    if (!read_request(state, true, args, n, names, &wanted)) {
        request_clear(&wanted);
        return NULL;
    }
    const ftl_cache_get_options options = {.struct_size = sizeof options, .model = &wanted.options};
    const ftl_plan_options plan = {.struct_size = sizeof plan, .methods = wanted.methods};
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_error error;
    ftl_status status;
    Py_BEGIN_ALLOW_THREADS status = ftl_cache_warm(cache->cache, wanted.text, &options,
                                                   wanted.methods ? &plan : NULL, &answer, &error);
    Py_END_ALLOW_THREADS PyObject *result = status == FTL_OK
                                                ? answer_dict(&answer)
                                                : core_raise(state, &error, wanted.text);
    request_clear(&wanted);
    return result;
}

static PyObject *cache_evict(PyObject *self, PyObject *path)
{
    PyObject *bytes = core_path(path);
    if (!bytes)
        return NULL;
    size_t count;
    const char *text = PyBytes_AsString(bytes);
    Py_BEGIN_ALLOW_THREADS count = ftl_cache_evict(((core_cache *)self)->cache, text);
    Py_END_ALLOW_THREADS Py_DECREF(bytes);
    return PyLong_FromSize_t(count);
}

static PyObject *cache_clear(PyObject *self, PyObject *unused)
{
    size_t count;
    (void)unused;
    Py_BEGIN_ALLOW_THREADS count = ftl_cache_clear(((core_cache *)self)->cache);
    Py_END_ALLOW_THREADS return PyLong_FromSize_t(count);
}

static PyObject *cache_stats(PyObject *self, PyObject *unused)
{
    (void)unused;
    ftl_cache_stats s = {.struct_size = sizeof s};
    ftl_status status = ftl_cache_get_stats(((core_cache *)self)->cache, &s);
    if (status != FTL_OK)
        return core_raise_status(core_state_of(self), status, "the cache tells no statistics");
    typedef unsigned long long ull;
    return Py_BuildValue(
        "{s:I,s:I,s:d,s:K,s:K,s:K,s:K,s:d,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d}", "models", s.models,
        "cache_size", s.cache_size, "utilization", s.utilization, "bytes", (ull)s.bytes,
        "max_bytes", (ull)s.max_bytes, "hits", (ull)s.hits, "misses", (ull)s.misses, "hit_rate",
        s.hit_rate, "stale_hits", (ull)s.stale_hits, "evictions", (ull)s.evictions, "invalidations",
        (ull)s.invalidations, "loads", (ull)s.loads, "failures", (ull)s.failures, "waits",
        (ull)s.waits, "private_loads", (ull)s.private_loads, "load_seconds", s.load_seconds);
}

/* ---- The models in it ------------------------------------------------------------------------------ */

typedef struct listing {
    core_state *state;
    core_home *home;
    PyObject *list;
} listing;

static bool list_model(void *user, const ftl_cache_model *m)
{
    listing *all = user;
    PyObject *dict = PyDict_New();
    bool done = dict && core_put(dict, "path", PyUnicode_DecodeFSDefault(m->path)) &&
                core_put(dict, "select", core_text(m->select)) &&
                core_put(dict, "bytes", PyLong_FromUnsignedLongLong(m->bytes)) &&
                core_put(dict, "hits", PyLong_FromUnsignedLongLong(m->hits)) &&
                core_put(dict, "loads", PyLong_FromUnsignedLongLong(m->loads)) &&
                core_put(dict, "failures", PyLong_FromUnsignedLongLong(m->failures)) &&
                core_put(dict, "load_seconds", PyFloat_FromDouble(m->load_seconds)) &&
                core_put(dict, "age_seconds", PyFloat_FromDouble(m->age_seconds)) &&
                core_put(dict, "idle_seconds", PyFloat_FromDouble(m->idle_seconds)) &&
                core_put(dict, "holders", PyLong_FromUnsignedLong(m->holders)) &&
                core_put(dict, "stale", PyBool_FromLong(m->stale)) &&
                core_put(dict, "error_message", core_text(m->error_message)) &&
                core_put(
                    dict, "model",
                    core_model_wrap(all->state, all->home, NULL, ftl_model_retain(m->model))) &&
                PyList_Append(all->list, dict) == 0;
    Py_XDECREF(dict);
    return done;
}

/* The library holds no lock while it calls list_model, so the GIL may stay. */
static PyObject *cache_models(PyObject *self, PyObject *unused)
{
    (void)unused;
    core_cache *cache = (core_cache *)self;
    listing all = {.state = core_state_of(self), .home = cache->home, .list = PyList_New(0)};
    ftl_error error;
    if (all.list && ftl_cache_each(cache->cache, list_model, &all, &error) != FTL_OK) {
        core_raise(all.state, &error, NULL);
        Py_CLEAR(all.list);
    } else if (PyErr_Occurred()) {
        Py_CLEAR(all.list);
    }
    return all.list;
}

static PyMethodDef cache_methods[] = {
    {"get", (PyCFunction)(void (*)(void))cache_get, METH_FASTCALL | METH_KEYWORDS,
     "get(path, use_cache=True, **model_options): (model, {hit, stale, load_seconds})."},
    {"warm", (PyCFunction)(void (*)(void))cache_warm, METH_FASTCALL | METH_KEYWORDS,
     "warm(path, methods=None, **model_options): opens a model and makes its plan."},
    {"evict", cache_evict, METH_O, "Removes the models of a path; returns how many."},
    {"clear", cache_clear, METH_NOARGS, "Removes all models; returns how many."},
    {"stats", cache_stats, METH_NOARGS, "Counts since the cache was made, as a dict."},
    {"models", cache_models, METH_NOARGS, "Its models, the most recently used first."},
    {0}};

static PyType_Slot cache_slots[] = {
    {Py_tp_doc, "Cache(context, cache_size=15, max_bytes=0, check_interval_ms=1000, "
                "check_always=False)\n\nOpen models by their paths. Any thread may use it."},
    {Py_tp_new, (void *)cache_new},
    {Py_tp_dealloc, (void *)cache_dealloc},
    {Py_tp_methods, cache_methods},
    {0}};

PyType_Spec core_cache_spec = {.name = "foretell._core.Cache",
                               .basicsize = sizeof(core_cache),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                               .slots = cache_slots};
