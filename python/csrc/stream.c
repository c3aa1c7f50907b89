#include "stream.h"

#include <stdlib.h>

core_stream *core_stream_make(core_home *home, core_keep *keep)
{
    core_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        PyErr_NoMemory();
        return NULL;
    }
    stream->home = core_home_take(home);
    stream->keep = *keep;
    *keep = (core_keep){0};
    return stream;
}

void core_stream_free(core_stream *stream)
{
    if (stream->inner.release)
        stream->inner.release(&stream->inner);
    core_keep_clear(&stream->keep);
    core_home_drop(stream->home);
    free(stream);
}

/* ---- The stream that others see ---------------------------------------------------------------------- */

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    core_stream *stream = self->private_data;
    return stream->inner.get_schema(&stream->inner, out);
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    core_stream *stream = self->private_data;
    return stream->inner.get_next(&stream->inner, out);
}

static const char *get_last_error(struct ArrowArrayStream *self)
{
    core_stream *stream = self->private_data;
    return stream->inner.get_last_error(&stream->inner);
}

static void release(struct ArrowArrayStream *self)
{
    core_stream_free(self->private_data);
    self->release = NULL;
    self->private_data = NULL;
}

/* Of a capsule whose stream nobody took. */
static void destroy_capsule(PyObject *capsule)
{
    struct ArrowArrayStream *shown = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (!shown)
        return;
    if (shown->release)
        shown->release(shown);
    free(shown);
}

PyObject *core_stream_wrap(core_stream *stream)
{
    struct ArrowArrayStream *shown = malloc(sizeof *shown);
    if (!shown)
        return PyErr_NoMemory();
    *shown = (struct ArrowArrayStream){.get_schema = get_schema,
                                       .get_next = get_next,
                                       .get_last_error = get_last_error,
                                       .release = release,
                                       .private_data = stream};
    PyObject *capsule = PyCapsule_New(shown, "arrow_array_stream", destroy_capsule);
    if (!capsule)
        free(shown);
    return capsule;
}

PyObject *core_stream_capsule(PyObject *object)
{
    if (PyCapsule_IsValid(object, "arrow_array_stream"))
        return Py_NewRef(object);
    PyObject *method = PyObject_GetAttrString(object, "__arrow_c_stream__");
    if (!method) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError,
                        "a stream is a capsule \"arrow_array_stream\", or an object with "
                        "__arrow_c_stream__, such as a pyarrow or polars table");
        return NULL;
    }
    PyObject *capsule = PyObject_CallObject(method, NULL);
    Py_DECREF(method);
    if (capsule && !PyCapsule_IsValid(capsule, "arrow_array_stream")) {
        Py_CLEAR(capsule);
        PyErr_SetString(PyExc_TypeError, "__arrow_c_stream__ gave no capsule of a stream");
    }
    return capsule;
}
