/* Keyword arguments as options of the library: tables of names, kinds and places. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* ---- Keeping what options point to --------------------------------------------------------------- */

/* A piece of memory that options point into. */
struct core_block {
    core_block *next;
    char data[];
};

void core_keep_clear(core_keep *keep)
{
    for (size_t i = 0; i < keep->n_models; i++) /* the list lies in one of the blocks */
        ftl_model_release(keep->models[i]);
    for (core_block *block = keep->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    core_token_drop(keep->token);
    *keep = (core_keep){0};
}

static void *keep_block(core_keep *keep, size_t n, size_t size)
{
    core_block *block = n <= (SIZE_MAX - sizeof *block) / size ? calloc(1, sizeof *block + n * size)
                                                               : NULL;
    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    block->next = keep->blocks;
    keep->blocks = block;
    return block->data;
}

/* Copies the bytes of an object, whose reference it takes; NULL: an exception is set. */
static const char *keep_bytes(core_keep *keep, PyObject *bytes)
{
    char *text = NULL, *copy = NULL;
    if (!bytes)
        return NULL;
    if (PyBytes_AsStringAndSize(bytes, &text, NULL) == 0)
        copy = keep_block(keep, strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    Py_DECREF(bytes);
    return copy;
}

/* ---- Values -------------------------------------------------------------------------------------- */

PyObject *core_path(PyObject *value)
{
    PyObject *path = NULL;
    if (PyUnicode_FSConverter(value, &path))
        return path;
    return NULL;
}

PyObject *core_text(const char *text)
{
    if (!text)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

bool core_put(PyObject *dict, const char *name, PyObject *value)
{
    if (!value)
        return false;
    bool done = PyDict_SetItemString(dict, name, value) == 0;
    Py_DECREF(value);
    return done;
}

int core_method(core_state *state, PyObject *name)
{
    for (int i = 0; i < FTL_METHOD_COUNT; i++) {
        if (name == state->method_names[i])
            return i;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a method is named by a str, such as \"predict\"");
        return -1;
    }
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    ftl_method method;
    ftl_error error;
    if (!text)
        return -1;
    if (ftl_method_parse(text, &method, &error) == FTL_OK)
        return (int)method;
    core_raise(state, &error, NULL);
    return -1;
}

bool core_methods(core_state *state, PyObject *names, uint32_t *out)
{
    *out = 0;
    if (PyUnicode_Check(names)) {
        int method = core_method(state, names);
        *out = method < 0 ? 0 : 1u << method;
        return method >= 0;
    }
    PyObject *all = PySequence_Tuple(names);
    for (Py_ssize_t i = 0; all && i < PyTuple_Size(all); i++) {
        int method = core_method(state, PyTuple_GetItem(all, i));
        if (method < 0) {
            Py_DECREF(all);
            return false;
        }
        *out |= 1u << method;
    }
    Py_XDECREF(all);
    return all != NULL;
}

static bool read_text(PyObject *value, core_keep *keep, const char **out)
{
    *out = keep_bytes(keep,
                      PyUnicode_Check(value) ? PyUnicode_AsUTF8String(value) : core_path(value));
    return *out != NULL;
}

static bool read_path(PyObject *value, core_keep *keep, const char **out)
{
    *out = keep_bytes(keep, core_path(value));
    return *out != NULL;
}

static bool read_bool(PyObject *value, bool *out)
{
    int truth = PyObject_IsTrue(value);
    *out = truth > 0;
    return truth >= 0;
}

static bool read_count(const char *name, PyObject *value, uint64_t most, uint64_t *out)
{
    PyObject *number = PyNumber_Index(value);
    if (!number)
        return false;
    uint64_t count = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    if ((count == (uint64_t)-1 && PyErr_Occurred()) || count > most) {
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError))
            return false;
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s is a number from 0 to %llu", name,
                     (unsigned long long)most);
        return false;
    }
    *out = count;
    return true;
}

/* One character of ASCII. */
static bool read_char(const char *name, PyObject *value, char *out)
{
    Py_ssize_t size = 0;
    const char *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &size) : NULL;
    if (!text || size != 1) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "%s is a single character", name);
        return false;
    }
    *out = text[0];
    return true;
}

/* A list of texts, or one text. */
static bool read_texts(PyObject *value, bool paths, core_keep *keep, const char *const **out,
                       size_t *n)
{
    PyObject *all = PyUnicode_Check(value) || PyBytes_Check(value) ? PyTuple_Pack(1, value)
                                                                   : PySequence_Tuple(value);
    if (!all)
        return false;
    size_t count = (size_t)PyTuple_Size(all), i = 0;
    const char **texts = keep_block(keep, count, sizeof *texts);
    while (texts && i < count &&
           (paths ? read_path : read_text)(PyTuple_GetItem(all, (Py_ssize_t)i), keep, &texts[i]))
        i++;
    Py_DECREF(all);
    *out = texts;
    *n = count;
    return texts && i == count;
}

/* ---- Options of a model -------------------------------------------------------------------------- */

bool core_model_option(const char *name, PyObject *value, ftl_model_options *out, core_keep *keep,
                       bool *known)
{
    uint64_t count = 0;
    *known = true;
    if (value == Py_None)
        value = NULL;
    if (strcmp(name, "max_bytes") == 0)
        return !value || read_count(name, value, UINT64_MAX, &out->max_bytes);
    if (strcmp(name, "max_objects") == 0)
        return !value || read_count(name, value, UINT64_MAX, &out->max_objects);
    if (strcmp(name, "max_depth") == 0) {
        bool read = !value || read_count(name, value, UINT32_MAX, &count);
        out->max_depth = (uint32_t)count;
        return read;
    }
    if (strcmp(name, "iterations") == 0) {
        if (value && PyUnicode_Check(value) &&
            PyUnicode_CompareWithASCIIString(value, "all") == 0) {
            out->iterations = FTL_ITERATIONS_ALL;
            return true;
        }
        bool read = !value || read_count(name, value, UINT32_MAX, &count);
        out->iterations = (uint32_t)count;
        return read;
    }
    if (strcmp(name, "select") == 0)
        return !value || read_text(value, keep, &out->select);
    if (strcmp(name, "then") == 0)
        return !value || read_texts(value, true, keep, &out->then, &out->n_then);
    if (strcmp(name, "labels") == 0)
        return !value || read_path(value, keep, &out->labels);
    if (strcmp(name, "threshold") == 0) {
        out->threshold_set = value != NULL;
        out->threshold = value ? PyFloat_AsDouble(value) : 0;
        if (PyErr_Occurred())
            return false;
        if (out->threshold >= 0 && out->threshold <= 1)
            return true;
        PyErr_Format(PyExc_ValueError, "threshold is a probability from 0 to 1, not %R", value);
        return false;
    }
    if (strcmp(name, "inverse") == 0)
        return !value || read_bool(value, &out->inverse);
    if (strcmp(name, "classes") == 0)
        return !value || read_bool(value, &out->classes);
    *known = false;
    return true;
}

static bool unknown_keyword(const char *function, const char *name)
{
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%s'", function, name);
    return false;
}

bool core_model_options(const char *function, PyObject *const *values, PyObject *names,
                        ftl_model_options *out, core_keep *keep)
{
    out->struct_size = sizeof *out;
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), NULL);
        bool known;
        if (!name || !core_model_option(name, values[i], out, keep, &known))
            return false;
        if (!known)
            return unknown_keyword(function, name);
    }
    return true;
}

/* ---- Options of a job ---------------------------------------------------------------------------- */

typedef enum option_kind {
    OPTION_BOOL,
    OPTION_U32,
    OPTION_U64,
    OPTION_TEXT,
    OPTION_PATH,
    OPTION_TEXTS, /* the count stands in the field behind */
    OPTION_PATHS,
    OPTION_CHAR
} option_kind;

typedef struct option_row {
    const char *name;
    option_kind kind;
    size_t at, count_at;
} option_row;

#define AT(field) offsetof(ftl_score_options, field)
static const option_row job_rows[] = {
    {"proba", OPTION_BOOL, AT(proba), 0},
    {"threads", OPTION_U32, AT(threads), 0},
    {"batch_rows", OPTION_U32, AT(batch_rows), 0},
    {"limit", OPTION_U64, AT(limit), 0},
    {"keep", OPTION_TEXTS, AT(keep), AT(n_keep)},
    {"features", OPTION_TEXTS, AT(features), AT(n_features)},
    {"reject_path", OPTION_PATH, AT(reject_path), 0},
    {"delimiter", OPTION_CHAR, AT(delimiter), 0},
    {"decimal", OPTION_CHAR, AT(decimal), 0},
    {"no_header", OPTION_BOOL, AT(no_header), 0},
    {"na_values", OPTION_TEXTS, AT(na_values), AT(n_na_values)},
    {"max_record_bytes", OPTION_U64, AT(max_record_bytes), 0},
    {"encoding", OPTION_TEXT, AT(encoding), 0},
    {"target", OPTION_TEXT, AT(target), 0},
    {"json", OPTION_BOOL, AT(json), 0},
    {"input_format", OPTION_TEXT, AT(input_format), 0},
    {"output_format", OPTION_TEXT, AT(output_format), 0},
    {"name", OPTION_TEXT, AT(name), 0},
    {"memory", OPTION_U64, AT(memory), 0},
    {"resume", OPTION_BOOL, AT(resume), 0},
    {"more_inputs", OPTION_PATHS, AT(more_inputs), AT(n_more_inputs)},
    {"compression", OPTION_TEXT, AT(compression), 0},
    {"metrics_path", OPTION_PATH, AT(metrics_path), 0},
    {"flush_early", OPTION_BOOL, AT(flush_early), 0},
};

static bool read_row(const option_row *row, PyObject *value, core_job *job)
{
    char *field = (char *)&job->options + row->at;
    uint64_t count = 0;
    size_t n = 0;
    switch (row->kind) {
    case OPTION_BOOL:
        return read_bool(value, (bool *)field);
    case OPTION_U32:
        if (!read_count(row->name, value, UINT32_MAX, &count))
            return false;
        *(uint32_t *)(void *)field = (uint32_t)count;
        return true;
    case OPTION_U64:
        return read_count(row->name, value, UINT64_MAX, (uint64_t *)(void *)field);
    case OPTION_TEXT:
        return read_text(value, &job->keep, (const char **)(void *)field);
    case OPTION_PATH:
        return read_path(value, &job->keep, (const char **)(void *)field);
    case OPTION_CHAR:
        return read_char(row->name, value, field);
    default:
        if (!read_texts(value, row->kind == OPTION_PATHS, &job->keep,
                        (const char *const **)(void *)field, &n))
            return false;
        if (row->count_at)
            *(size_t *)(void *)((char *)&job->options + row->count_at) = n;
        return true;
    }
}

/* "fail", "skip" or "null". */
static bool read_on_error(PyObject *value, ftl_on_error *out)
{
    static const char *const words[] = {"fail", "skip", "null"};
    for (int i = 0; PyUnicode_Check(value) && i < 3; i++) {
        if (PyUnicode_CompareWithASCIIString(value, words[i]) == 0) {
            *out = (ftl_on_error)i;
            return true;
        }
    }
    PyErr_SetString(PyExc_ValueError, "on_error is 'fail', 'skip' or 'null'");
    return false;
}

static bool read_empty_text(PyObject *value, ftl_empty_text *out)
{
    static const char *const words[] = {"pandas", "missing", "text"};
    for (int i = 0; PyUnicode_Check(value) && i < 3; i++) {
        if (PyUnicode_CompareWithASCIIString(value, words[i]) == 0) {
            *out = (ftl_empty_text)i;
            return true;
        }
    }
    PyErr_SetString(PyExc_ValueError, "empty_text is 'pandas', 'missing' or 'text'");
    return false;
}

static bool read_more_methods(core_job *job, PyObject *value)
{
    PyObject *all = PyUnicode_Check(value) ? PyTuple_Pack(1, value) : PySequence_Tuple(value);
    if (!all)
        return false;
    size_t n = (size_t)PyTuple_Size(all), i = 0;
    ftl_method *methods = keep_block(&job->keep, n, sizeof *methods);
    for (int method = 0; methods && i < n && method >= 0; i += method >= 0) {
        method = core_method(job->state, PyTuple_GetItem(all, (Py_ssize_t)i));
        methods[i] = (ftl_method)(method < 0 ? 0 : method);
    }
    Py_DECREF(all);
    job->options.more_methods = methods;
    job->options.n_more_methods = n;
    return methods && i == n;
}

static bool read_more_models(core_job *job, PyObject *value)
{
    PyObject *all = PySequence_Tuple(value);
    if (!all)
        return false;
    size_t n = (size_t)PyTuple_Size(all), i = 0;
    core_keep *keep = &job->keep;
    keep->models = keep_block(keep, n, sizeof(ftl_model *));
    for (; keep->models && i < n; i++) {
        PyObject *item = PyTuple_GetItem(all, (Py_ssize_t)i);
        if (!PyObject_TypeCheck(item, job->state->model_type)) {
            PyErr_SetString(PyExc_TypeError, "more_models is a list of Model objects");
            break;
        }
        keep->models[keep->n_models++] = ftl_model_retain(((core_model *)item)->model);
    }
    Py_DECREF(all);
    job->options.more_models = keep->models;
    job->options.n_more_models = n;
    return keep->models && i == n;
}

static bool read_function(const char *name, PyObject *value, PyObject **out)
{
    if (!PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s is a function", name);
        return false;
    }
    *out = value;
    return true;
}

/* The options that are no plain fields. */
static bool read_special(core_job *job, const char *name, PyObject *value, bool *known)
{
    *known = true;
    if (strcmp(name, "method") == 0) {
        int method = core_method(job->state, value);
        job->options.method = (ftl_method)(method < 0 ? 0 : method);
        job->options.method_set = true;
        return method >= 0;
    }
    if (strcmp(name, "on_error") == 0)
        return read_on_error(value, &job->options.on_error);
    if (strcmp(name, "empty_text") == 0)
        return read_empty_text(value, &job->options.empty_text);
    if (strcmp(name, "more_methods") == 0)
        return read_more_methods(job, value);
    if (strcmp(name, "more_models") == 0)
        return read_more_models(job, value);
    if (strcmp(name, "more_names") == 0)
        return read_texts(value, false, &job->keep, &job->options.more_names, &job->n_more_names);
    if (strcmp(name, "progress") == 0)
        return read_function(name, value, &job->progress);
    if (strcmp(name, "warn") == 0)
        return read_function(name, value, &job->warn);
    if (strcmp(name, "cancel") == 0) {
        if (!PyObject_TypeCheck(value, job->state->cancel_type)) {
            PyErr_SetString(PyExc_TypeError, "cancel is a Cancel object");
            return false;
        }
        job->keep.token = core_token_take(((core_cancel *)value)->token);
        job->options.cancel = job->keep.token->cancel;
        return true;
    }
    if (strcmp(name, "reader_name") == 0)
        return read_text(value, &job->keep, &job->reader_name);
    if (strcmp(name, "writer_name") == 0)
        return read_text(value, &job->keep, &job->writer_name);
    *known = false;
    return true;
}

static bool read_job_option(core_job *job, const char *function, const char *name, PyObject *value)
{
    bool known;
    for (size_t i = 0; i < sizeof job_rows / sizeof job_rows[0]; i++) {
        if (strcmp(name, job_rows[i].name) == 0)
            return value == Py_None || read_row(&job_rows[i], value, job);
    }
    if (value == Py_None) { /* the default, of a name that must be one all the same */
        static const char *const others[] = {
            "method", "on_error",    "empty_text", "more_methods", "progress",   "warn",
            "cancel", "more_models", "more_names", "reader_name",  "writer_name"};
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            if (strcmp(name, others[i]) == 0)
                return true;
        }
        return unknown_keyword(function, name);
    }
    if (!read_special(job, name, value, &known))
        return false;
    return known || unknown_keyword(function, name);
}

static bool check_more_models(const core_job *job)
{
    if (job->options.n_more_models == job->n_more_names)
        return true;
    PyErr_SetString(PyExc_ValueError, "more_names has a name for each of more_models");
    return false;
}

bool core_job_options(core_state *state, const char *function, PyObject *const *values,
                      PyObject *names, core_job *job)
{
    *job = (core_job){.options = {.struct_size = sizeof job->options}, .state = state};
    for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), NULL);
        if (!name || !read_job_option(job, function, name, values[i]))
            return false;
    }
    job->options.threads = core_threads(state, job->options.threads);
    return check_more_models(job);
}
