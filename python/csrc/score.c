/* Jobs over files and streams: Model.score_file, score_stream, check; Context.read_table. */
#include "core.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Callbacks -------------------------------------------------------------------------------------- */

/*
 * The library calls back on the thread that began the job, which put its state away: it is taken up
 * for the callback and put away again. An exception waits there until the job has ended.
 */
static void enter(core_job *job) { PyEval_RestoreThread(job->thread); }

static void leave(core_job *job)
{
    if (PyErr_Occurred() && !job->exception)
        job->exception = core_take_exception();
    PyErr_Clear();
    job->thread = PyEval_SaveThread();
}

static PyObject *progress_dict(const ftl_progress *p)
{
    PyObject *dict = PyDict_New();
    if (dict && core_put(dict, "rows", PyLong_FromUnsignedLongLong(p->rows)) &&
        core_put(dict, "bytes_read", PyLong_FromUnsignedLongLong(p->bytes_read)) &&
        core_put(dict, "bytes_total", PyLong_FromUnsignedLongLong(p->bytes_total)))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

/* Whether to go on: False from the function stops the job, None and everything else does not. */
static bool call_progress(PyObject *function, const ftl_progress *progress)
{
    PyObject *dict = progress_dict(progress);
    PyObject *answer = dict ? PyObject_CallFunctionObjArgs(function, dict, NULL) : NULL;
    bool go_on = answer && answer != Py_False;
    Py_XDECREF(dict);
    Py_XDECREF(answer);
    return go_on;
}

/* ftl_progress_fn: signals are looked at as well, so that Ctrl-C ends a job. */
static bool on_progress(void *user, const ftl_progress *progress)
{
    core_job *job = user;
    enter(job);
    bool go_on = PyErr_CheckSignals() == 0;
    if (go_on && job->progress)
        go_on = call_progress(job->progress, progress);
    leave(job);
    return go_on;
}

/* ftl_text_fn */
static bool on_warning(void *user, const char *text, size_t size)
{
    core_job *job = user;
    enter(job);
    PyObject *line = PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "replace");
    PyObject *answer = line ? PyObject_CallFunctionObjArgs(job->warn, line, NULL) : NULL;
    bool go_on = answer != NULL;
    Py_XDECREF(line);
    Py_XDECREF(answer);
    leave(job);
    return go_on;
}

/* ---- A job ------------------------------------------------------------------------------------------ */

void core_job_clear(core_job *job)
{
    Py_CLEAR(job->exception);
    core_keep_clear(&job->keep);
}

static void job_begin(core_job *job)
{
    job->options.progress = on_progress;
    job->options.progress_user = job;
    job->options.warn = job->warn ? on_warning : NULL;
    job->options.warn_user = job;
    job->thread = PyEval_SaveThread();
}

/* Whether the job succeeded; else an exception is set: the callback's, if one raised. */
static bool job_raise(core_job *job, ftl_status status, const ftl_error *error,
                      const char *filename)
{
    if (job->exception) {
        PyObject *exception = job->exception;
        job->exception = NULL;
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
        return false;
    }
    if (status != FTL_OK)
        core_raise_data(job->state, error, filename);
    return status == FTL_OK;
}

static bool job_end(core_job *job, ftl_status status, const ftl_error *error, const char *filename)
{
    PyEval_RestoreThread(job->thread);
    return job_raise(job, status, error, filename);
}

static PyObject *figures(const ftl_score_result *r)
{
    typedef unsigned long long ull;
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:d,s:K,s:K,s:I,s:I,s:d,s:d,s:d,s:d,s:d}",
                         "rows_read", (ull)r->rows_read, "rows_written", (ull)r->rows_written,
                         "rows_rejected", (ull)r->rows_rejected, "rows_nulled", (ull)r->rows_nulled,
                         "rows_resumed", (ull)r->rows_resumed, "seconds", r->seconds, "bytes_read",
                         (ull)r->bytes_read, "bytes_written", (ull)r->bytes_written, "batch_rows",
                         r->batch_rows, "threads", r->threads, "read_seconds", r->read_seconds,
                         "parse_seconds", r->parse_seconds, "predict_seconds", r->predict_seconds,
                         "format_seconds", r->format_seconds, "write_seconds", r->write_seconds);
}

static bool takes(Py_ssize_t n, Py_ssize_t wanted, const char *message)
{
    if (n == wanted)
        return true;
    PyErr_SetString(PyExc_TypeError, message);
    return false;
}

/* Ctrl-C ends the job also while it waits for a pipe. */
static ftl_status score_files(core_model *model, core_job *job, const char *from, const char *to,
                              ftl_score_result *score, ftl_error *error)
{
    ftl_cancel *own = NULL;
    if (!job->options.cancel && ftl_cancel_create(model->home->context, &own, error) == FTL_OK)
        job->options.cancel = own;
    bool watched = own && core_interrupt_begin(own);
    job_begin(job);
    ftl_status status = ftl_score(model->model, from, to, &job->options, score, error);
    PyEval_RestoreThread(job->thread);
    if (watched)
        core_interrupt_end();
    if (status == FTL_CANCELLED && !job->exception && PyErr_CheckSignals() < 0)
        job->exception = core_take_exception();
    ftl_cancel_destroy(own);
    return status;
}

PyObject *core_score_file(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_job job;
    PyObject *input = NULL, *output = NULL, *result = NULL;
    if (!takes(n, 2, "score_file() takes input_path and output_path; options have names"))
        return NULL;
    if (core_job_options(core_state_of(self), "score_file", args + n, names, &job) &&
        (input = core_path(args[0])) && (output = core_path(args[1]))) {
        const char *from = PyBytes_AsString(input);
        ftl_score_result score = {.struct_size = sizeof score};
        ftl_error error;
        ftl_status status = score_files((core_model *)self, &job, from, PyBytes_AsString(output),
                                        &score, &error);
        if (job_raise(&job, status, &error, from))
            result = figures(&score);
    }
    Py_XDECREF(input);
    Py_XDECREF(output);
    core_job_clear(&job);
    return result;
}

/* ---- Reports ---------------------------------------------------------------------------------------- */

/* Text that is collected without the interpreter. */
typedef struct report {
    char *data;
    size_t size, room;
} report;

static bool add_to_report(void *user, const char *text, size_t size)
{
    report *r = user;
    if (size > r->room - r->size) {
        size_t room = (r->size + size) * 2 + 256;
        char *data = realloc(r->data, room);
        if (!data)
            return false;
        r->data = data;
        r->room = room;
    }
    memcpy(r->data + r->size, text, size);
    r->size += size;
    return true;
}

PyObject *core_check(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_job job;
    PyObject *input = NULL, *result = NULL;
    if (!takes(n, 1, "check() takes input_path; options have names"))
        return NULL;
    if (core_job_options(core_state_of(self), "check", args + n, names, &job) &&
        (input = core_path(args[0]))) {
        const char *from = PyBytes_AsString(input);
        report text = {0};
        ftl_error error;
        job_begin(&job);
        ftl_status status = ftl_check(((core_model *)self)->model, from, &job.options,
                                      add_to_report, &text, &error);
        /* Columns that are missing and rows that would be refused are what the report tells. */
        if (status != FTL_CANCELLED && text.size > 0 && status != FTL_OK)
            status = FTL_OK;
        if (job_end(&job, status, &error, from))
            result = PyUnicode_DecodeUTF8(text.data ? text.data : "", (Py_ssize_t)text.size,
                                          "replace");
        free(text.data);
    }
    Py_XDECREF(input);
    core_job_clear(&job);
    return result;
}

/* ---- Functions in the places of files ---------------------------------------------------------------- */

typedef struct callbacks {
    core_job *job;
    PyObject *read, *write;
} callbacks;

static int64_t copy_bytes(PyObject *bytes, void *data, size_t size)
{
    Py_buffer view;
    if (PyObject_GetBuffer(bytes, &view, PyBUF_SIMPLE) < 0)
        return -EIO;
    int64_t got = view.len;
    if ((size_t)view.len > size) {
        PyErr_SetString(PyExc_ValueError, "read(size) gave more bytes than it was asked for");
        got = -EIO;
    } else {
        memcpy(data, view.buf, (size_t)view.len);
    }
    PyBuffer_Release(&view);
    return got;
}

static int64_t read_callback(void *user, void *data, size_t size)
{
    callbacks *c = user;
    enter(c->job);
    PyObject *bytes = NULL;
    int64_t got = -EIO;
    if (PyErr_CheckSignals() == 0 &&
        (bytes = PyObject_CallFunction(c->read, "n", (Py_ssize_t)size)))
        got = copy_bytes(bytes, data, size);
    Py_XDECREF(bytes);
    leave(c->job);
    return c->job->exception ? -ECANCELED : got;
}

static int write_callback(void *user, const void *data, size_t size)
{
    callbacks *c = user;
    enter(c->job);
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    PyObject *answer = bytes ? PyObject_CallFunctionObjArgs(c->write, bytes, NULL) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(answer);
    leave(c->job);
    return c->job->exception ? ECANCELED : 0;
}

PyObject *core_score_stream(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_job job;
    PyObject *result = NULL;
    if (!takes(n, 2, "score_stream() takes read and write; options have names"))
        return NULL;
    if (!PyCallable_Check(args[0]) || !PyCallable_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "read and write are functions: read(size) and write(bytes)");
        return NULL;
    }
    if (core_job_options(core_state_of(self), "score_stream", args + n, names, &job)) {
        callbacks both = {.job = &job, .read = args[0], .write = args[1]};
        const ftl_reader reader = {.struct_size = sizeof reader,
                                   .user = &both,
                                   .read = read_callback,
                                   .name = job.reader_name};
        const ftl_writer writer = {.struct_size = sizeof writer,
                                   .user = &both,
                                   .write = write_callback,
                                   .name = job.writer_name};
        ftl_score_result score = {.struct_size = sizeof score};
        ftl_error error;
        job_begin(&job);
        ftl_status status = ftl_score_stream(((core_model *)self)->model, &reader, &writer,
                                             &job.options, &score, &error);
        if (job_end(&job, status, &error, NULL))
            result = figures(&score);
    }
    core_job_clear(&job);
    return result;
}

/* ---- Arrow ------------------------------------------------------------------------------------------ */

/* Options of a stream: what Python's functions would be called for has no thread of its own. */
static bool stream_options(core_state *state, const char *function, PyObject *const *values,
                           PyObject *names, core_job *job)
{
    if (!core_job_options(state, function, values, names, job))
        return false;
    if (!job->progress && !job->warn)
        return true;
    PyErr_Format(PyExc_TypeError, "%s() calls nobody back: whoever takes its batches sees them",
                 function);
    return false;
}

PyObject *core_score_arrow(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_model *model = (core_model *)self;
    core_job job;
    PyObject *capsule = NULL, *result = NULL;
    if (!takes(n, 1, "score_arrow() takes a stream; options have names"))
        return NULL;
    if (stream_options(core_state_of(self), "score_arrow", args + n, names, &job) &&
        (capsule = core_stream_capsule(args[0]))) {
        struct ArrowArrayStream *in = PyCapsule_GetPointer(capsule, "arrow_array_stream");
        core_stream *stream = in ? core_stream_make(model->home, &job.keep) : NULL;
        ftl_error error;
        ftl_status status = FTL_NOMEM;
        if (stream) {
            Py_BEGIN_ALLOW_THREADS status = ftl_score_arrow(model->model, in, &job.options,
                                                            &stream->inner, NULL, &error);
            Py_END_ALLOW_THREADS result = status == FTL_OK ? core_stream_wrap(stream)
                                                           : core_raise(job.state, &error, NULL);
            if (!result)
                core_stream_free(stream);
        }
    }
    Py_XDECREF(capsule);
    core_job_clear(&job);
    return result;
}

PyObject *core_read_table(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_home *home = ((core_context *)self)->home;
    core_job job;
    PyObject *path = NULL, *result = NULL;
    if (!takes(n, 1, "read_table() takes a path; options have names"))
        return NULL;
    if (stream_options(core_state_of(self), "read_table", args + n, names, &job) &&
        (path = core_path(args[0]))) {
        const char *text = PyBytes_AsString(path);
        core_stream *stream = core_stream_make(home, &job.keep);
        ftl_error error;
        ftl_status status;
        if (stream) {
            Py_BEGIN_ALLOW_THREADS status = ftl_read_table(home->context, text, &job.options,
                                                           &stream->inner, &error);
            Py_END_ALLOW_THREADS result = status == FTL_OK
                                              ? core_stream_wrap(stream)
                                              : core_raise_data(job.state, &error, text);
            if (!result)
                core_stream_free(stream);
        }
    }
    Py_XDECREF(path);
    core_job_clear(&job);
    return result;
}

PyObject *core_write_table(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    core_home *home = ((core_context *)self)->home;
    core_job job;
    PyObject *path = NULL, *capsule = NULL, *result = NULL;
    if (!takes(n, 2, "write_table() takes a stream and a path; options have names"))
        return NULL;
    if (core_job_options(core_state_of(self), "write_table", args + n, names, &job) &&
        (capsule = core_stream_capsule(args[0])) && (path = core_path(args[1]))) {
        struct ArrowArrayStream *in = PyCapsule_GetPointer(capsule, "arrow_array_stream");
        const char *text = PyBytes_AsString(path);
        ftl_score_result score = {.struct_size = sizeof score};
        ftl_error error;
        if (in) {
            job_begin(&job);
            ftl_status status = ftl_write_table(home->context, in, text, &job.options, &score,
                                                &error);
            if (job_end(&job, status, &error, text))
                result = figures(&score);
        }
    }
    Py_XDECREF(path);
    Py_XDECREF(capsule);
    core_job_clear(&job);
    return result;
}
