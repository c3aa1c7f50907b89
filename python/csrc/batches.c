/* Batches and Batch: an Arrow stream as an iterator of record batches, and their columns in numpy.
 */
#include "arrow_parts.h"
#include "core.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct batches {
    PyObject_HEAD struct ArrowArrayStream stream; /* release NULL: given away or ended */
    struct ArrowSchema schema;
    PyObject *names;   /* tuple of the columns' names */
    atomic_flag taken; /* by a thread that asks for the next batch */
} batches;

typedef struct batch {
    PyObject_HEAD batches *of;
    core_shared *shared;
} batch;

static void free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc free_it = PyType_GetSlot(type, Py_tp_free);
    free_it(self);
    Py_DECREF(type);
}

/* ---- Capsules ------------------------------------------------------------------------------------ */

static void free_stream_capsule(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream && stream->release)
        stream->release(stream);
    free(stream);
}

static void free_schema_capsule(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema && schema->release)
        schema->release(schema);
    free(schema);
}

static void free_array_capsule(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array && array->release)
        array->release(array);
    free(array);
}

/* The stream of a capsule or of an object with __arrow_c_stream__, moved to *out. */
static bool take_stream(PyObject *source, struct ArrowArrayStream *out)
{
    PyObject *capsule = PyCapsule_CheckExact(source)
                            ? Py_NewRef(source)
                            : PyObject_CallMethod(source, "__arrow_c_stream__", NULL);
    struct ArrowArrayStream *stream = capsule ? PyCapsule_GetPointer(capsule, "arrow_array_stream")
                                              : NULL;
    bool taken = stream && stream->release;
    if (taken) {
        *out = *stream;
        stream->release = NULL;
    } else if (stream) {
        PyErr_SetString(PyExc_ValueError, "the Arrow stream was used before: make it again");
    }
    Py_XDECREF(capsule);
    return taken;
}

/* What went wrong in a stream, as the library's error when its message begins with a status. */
static PyObject *raise_stream(core_state *state, struct ArrowArrayStream *stream, int number)
{
    const char *message = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    if (!message)
        message = strerror(number);
    for (int status = FTL_ARG; status <= FTL_INTERNAL; status++) {
        const char *name = ftl_status_name((ftl_status)status);
        size_t size = strlen(name);
        if (strncmp(message, name, size) == 0 && strncmp(message + size, ": ", 2) == 0)
            return core_raise_status(state, (ftl_status)status, message + size + 2);
    }
    return core_raise_status(state, FTL_IO, message);
}

/* ---- Batches ------------------------------------------------------------------------------------- */

static PyObject *names_of(const struct ArrowSchema *schema)
{
    PyObject *names = PyTuple_New((Py_ssize_t)schema->n_children);
    for (int64_t i = 0; names && i < schema->n_children; i++) {
        const char *name = schema->children[i]->name ? schema->children[i]->name : "";
        PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");
        if (!text || PyTuple_SetItem(names, (Py_ssize_t)i, text) < 0)
            Py_CLEAR(names);
    }
    return names;
}

static PyObject *batches_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"stream", NULL};
    PyObject *source;
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    int number;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Batches", keywords, &source) ||
        !take_stream(source, &stream))
        return NULL;
    Py_BEGIN_ALLOW_THREADS number = stream.get_schema(&stream, &schema);
    Py_END_ALLOW_THREADS if (number)
    {
        raise_stream(PyType_GetModuleState(type), &stream, number);
        stream.release(&stream);
        return NULL;
    }
    batches *self = (batches *)PyType_GenericAlloc(type, 0);
    if (!self) {
        schema.release(&schema);
        stream.release(&stream);
        return NULL;
    }
    self->stream = stream;
    self->schema = schema;
    atomic_flag_clear(&self->taken);
    self->names = names_of(&schema);
    if (self->names)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void batches_dealloc(PyObject *object)
{
    batches *self = (batches *)object;
    Py_BEGIN_ALLOW_THREADS if (self->stream.release) self->stream.release(&self->stream);
    Py_END_ALLOW_THREADS if (self->schema.release) self->schema.release(&self->schema);
    Py_CLEAR(self->names);
    free_object(object);
}

static PyObject *make_batch(core_state *state, batches *of, struct ArrowArray *array)
{
    core_shared *shared = core_shared_make(array);
    if (!shared) {
        array->release(array);
        return PyErr_NoMemory();
    }
    batch *self = (batch *)PyType_GenericAlloc(state->batch_type, 0);
    if (!self) {
        core_shared_drop(shared);
        return NULL;
    }
    self->of = (batches *)Py_NewRef((PyObject *)of);
    self->shared = shared;
    return (PyObject *)self;
}

static PyObject *batches_next(PyObject *object)
{
    batches *self = (batches *)object;
    core_state *state = core_state_of(object);
    struct ArrowArray array = {0};
    PyObject *result = NULL;
    int number = 0;
    if (atomic_flag_test_and_set(&self->taken)) {
        PyErr_SetString(PyExc_ValueError, "another thread is asking for the next batch just now");
        return NULL;
    }
    if (self->stream.release) {
        Py_BEGIN_ALLOW_THREADS number = self->stream.get_next(&self->stream, &array);
        if (!number && !array.release)
            self->stream.release(&self->stream);
        Py_END_ALLOW_THREADS
    }
    if (number)
        raise_stream(state, &self->stream, number);
    else if (array.release)
        result = make_batch(state, self, &array);
    atomic_flag_clear(&self->taken);
    return result;
}

static PyObject *batches_names(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((batches *)self)->names);
}

static PyGetSetDef batches_getset[] = {
    {"names", batches_names, NULL, "The names of the columns.", NULL}, {0}};

static PyType_Slot batches_slots[] = {
    {Py_tp_doc, "Batches(stream)\n\nAn iterator of the record batches of an Arrow stream: of a "
                "capsule or an object with __arrow_c_stream__. One thread at a time may use it."},
    {Py_tp_new, (void *)batches_new},
    {Py_tp_dealloc, (void *)batches_dealloc},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)batches_next},
    {Py_tp_getset, batches_getset},
    {0}};

PyType_Spec core_batches_spec = {.name = "foretell._core.Batches",
                                 .basicsize = sizeof(batches),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = batches_slots};

/* ---- Columns in numpy ---------------------------------------------------------------------------- */

/* A column's cells: row r is at index first + r of the buffers. */
typedef struct column {
    const struct ArrowArray *array;
    int64_t first, rows;
    bool nulls;
} column;

static bool bit_of(const void *bits, int64_t i)
{
    return ((const uint8_t *)bits)[i / 8] >> (i % 8) & 1;
}

static bool is_null(const column *from, int64_t row)
{
    return from->nulls && !bit_of(from->array->buffers[0], from->first + row);
}

static void fill_doubles(const column *from, char format, double *out)
{
    const void *values = from->array->buffers[1];
    for (int64_t row = 0; row < from->rows; row++) {
        int64_t i = from->first + row;
        if (is_null(from, row))
            out[row] = __builtin_nan("");
        else if (format == 'g')
            out[row] = ((const double *)values)[i];
        else if (format == 'l')
            out[row] = (double)((const int64_t *)values)[i];
        else
            out[row] = (double)((const uint64_t *)values)[i];
    }
}

static void fill_floats(const column *from, float *out)
{
    for (int64_t row = 0; row < from->rows; row++)
        out[row] = is_null(from, row) ? __builtin_nanf("")
                                      : ((const float *)from->array->buffers[1])[from->first + row];
}

static void fill_bools(const column *from, bool *out)
{
    for (int64_t row = 0; row < from->rows; row++)
        out[row] = bit_of(from->array->buffers[1], from->first + row);
}

/* Puts an object into a numpy array of objects, whose cells may be NULL or None; takes it over. */
static bool put_object(PyObject **cell, PyObject *value)
{
    PyObject *old = *cell;
    if (!value)
        return false;
    *cell = value;
    Py_XDECREF(old);
    return true;
}

/* Labels come again and again: rows share the objects of texts that were seen lately. */
typedef struct recent {
    const char *text;
    size_t size;
    PyObject *object;
} recent;

static PyObject *text_object(recent *seen, const char *text, size_t size)
{
    size_t slot = (size * 31 +
                   (size ? (unsigned char)text[0] * 7U + (unsigned char)text[size - 1] : 0U)) %
                  64;
    recent *known = &seen[slot];
    if (known->object && known->size == size && memcmp(known->text, text, size) == 0)
        return Py_NewRef(known->object);
    PyObject *made = PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "strict");
    *known = (recent){text, size, made}; /* borrowed from the array's cell */
    return made;
}

static bool fill_objects(const column *from, char format, PyObject **out)
{
    recent seen[64] = {0};
    const int32_t *offsets = from->array->buffers[1];
    for (int64_t row = 0; row < from->rows; row++) {
        int64_t i = from->first + row;
        PyObject *value;
        if (is_null(from, row))
            value = Py_NewRef(Py_None);
        else if (format == 'b')
            value = PyBool_FromLong(bit_of(from->array->buffers[1], i));
        else
            value = text_object(seen, (const char *)from->array->buffers[2] + offsets[i],
                                (size_t)(offsets[i + 1] - offsets[i]));
        if (!put_object(&out[row], value))
            return false;
    }
    return true;
}

static bool fill(const column *from, char format, PyObject *dtype, const core_numpy *numpy,
                 void *out)
{
    size_t rows = (size_t)from->rows;
    const char *values = from->array->buffers[1];
    if (dtype == numpy->object)
        return fill_objects(from, format, out);
    if (dtype == numpy->float32)
        fill_floats(from, out);
    else if (dtype == numpy->boolean)
        fill_bools(from, out);
    else if (dtype == numpy->float64)
        fill_doubles(from, format, out);
    else if (rows)
        memcpy(out, values + 8 * from->first, 8 * rows);
    return true;
}

/* The dtype of a column's numpy array; NULL: the column is of a type that jobs do not write. */
static PyObject *dtype_of(const core_numpy *numpy, const char *format, bool nulls)
{
    if (strlen(format) != 1)
        return NULL;
    switch (format[0]) {
    case 'g':
        return numpy->float64;
    case 'f':
        return numpy->float32;
    case 'l':
        return nulls ? numpy->float64 : numpy->int64;
    case 'L':
        return nulls ? numpy->float64 : numpy->uint64;
    case 'b':
        return nulls ? numpy->object : numpy->boolean;
    case 'u':
        return numpy->object;
    default:
        return NULL;
    }
}

static PyObject *to_numpy(core_state *state, const column *from, const char *format)
{
    const core_numpy *numpy = core_numpy_of(state);
    if (!numpy)
        return NULL;
    PyObject *dtype = dtype_of(numpy, format, from->nulls);
    if (!dtype)
        return PyErr_Format(PyExc_TypeError, "a column of Arrow's type %s is not given in numpy",
                            format);
    PyObject *array = PyObject_CallFunction(numpy->empty, "LO", (long long)from->rows, dtype);
    Py_buffer view;
    if (!array || PyObject_GetBuffer(array, &view, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) < 0) {
        Py_XDECREF(array);
        return NULL;
    }
    bool filled = fill(from, format[0], dtype, numpy, view.buf);
    PyBuffer_Release(&view);
    if (!filled)
        Py_CLEAR(array);
    return array;
}

/* ---- Batch --------------------------------------------------------------------------------------- */

static void batch_dealloc(PyObject *object)
{
    batch *self = (batch *)object;
    core_shared_drop(self->shared);
    Py_XDECREF((PyObject *)self->of);
    free_object(object);
}

static PyObject *batch_column(PyObject *object, PyObject *key)
{
    batch *self = (batch *)object;
    const struct ArrowArray *array = core_shared_array(self->shared);
    const struct ArrowSchema *schema = &self->of->schema;
    Py_ssize_t i = PyUnicode_Check(key) ? PySequence_Index(self->of->names, key)
                                        : PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        if (PyUnicode_Check(key))
            PyErr_SetObject(PyExc_KeyError, key);
        return NULL;
    }
    if (i < 0 || i >= schema->n_children) {
        PyErr_SetString(PyExc_IndexError, "the batch has no such column");
        return NULL;
    }
    const struct ArrowArray *child = array->children[i];
    const column from = {.array = child,
                         .first = array->offset + child->offset,
                         .rows = array->length,
                         .nulls = child->n_buffers > 0 && child->buffers[0] != NULL};
    return to_numpy(core_state_of(object), &from, schema->children[i]->format);
}

static PyObject *batch_c_schema(PyObject *object, PyObject *unused)
{
    (void)unused;
    struct ArrowSchema *schema = malloc(sizeof *schema);
    if (!schema)
        return PyErr_NoMemory();
    if (!core_schema_copy(&((batch *)object)->of->schema, NULL, schema)) {
        free(schema);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(schema, "arrow_schema", free_schema_capsule);
    if (!capsule) {
        schema->release(schema);
        free(schema);
    }
    return capsule;
}

static PyObject *array_capsule(core_shared *shared)
{
    struct ArrowArray *array = malloc(sizeof *array);
    if (!array)
        return PyErr_NoMemory();
    if (!core_shared_export(shared, array)) {
        free(array);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(array, "arrow_array", free_array_capsule);
    if (!capsule) {
        array->release(array);
        free(array);
    }
    return capsule;
}

static PyObject *batch_c_array(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"requested_schema", NULL};
    PyObject *requested = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_array__", keywords, &requested))
        return NULL;
    PyObject *schema = batch_c_schema(object, NULL);
    PyObject *array = schema ? array_capsule(((batch *)object)->shared) : NULL;
    if (array)
        return Py_BuildValue("(NN)", schema, array);
    Py_XDECREF(schema);
    return NULL;
}

static PyObject *batch_num_rows(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(core_shared_array(((batch *)self)->shared)->length);
}

static Py_ssize_t batch_length(PyObject *self)
{
    return (Py_ssize_t)core_shared_array(((batch *)self)->shared)->length;
}

static PyObject *batch_names(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((batch *)self)->of->names);
}

static PyMethodDef batch_methods[] = {
    {"column", batch_column, METH_O,
     "column(name or number): the column in numpy: numbers and bools as they are, with missing "
     "ones "
     "as float64 with NaN or as objects; texts as objects, None for missing ones."},
    {"__arrow_c_schema__", batch_c_schema, METH_NOARGS, "The schema as a capsule."},
    {"__arrow_c_array__", (PyCFunction)(void (*)(void))batch_c_array, METH_VARARGS | METH_KEYWORDS,
     "The batch as capsules of its schema and its array; the requested schema is not looked at."},
    {0}};

static PyGetSetDef batch_getset[] = {
    {"num_rows", batch_num_rows, NULL, "The number of rows.", NULL},
    {"names", batch_names, NULL, "The names of the columns.", NULL},
    {0}};

static PyType_Slot batch_slots[] = {
    {Py_tp_doc, "A record batch of an Arrow stream. Immutable; any thread may use it."},
    {Py_tp_dealloc, (void *)batch_dealloc},
    {Py_tp_methods, batch_methods},
    {Py_tp_getset, batch_getset},
    {Py_sq_length, (void *)batch_length},
    {Py_mp_subscript, (void *)batch_column},
    {0}};

PyType_Spec core_batch_spec = {.name = "foretell._core.Batch",
                               .basicsize = sizeof(batch),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                        Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = batch_slots};

/* ---- typed_stream -------------------------------------------------------------------------------- */

/* Arrow's format of a type as Model.outputs names it; NULL: none of those. */
static const char *format_named(const char *type)
{
    static const char *const formats[][2] = {
        {"float64", "g"}, {"float32", "f"}, {"int64", "l"}, {"bool", "b"}, {"string", "u"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(type, formats[i][0]) == 0)
            return formats[i][1];
    }
    return NULL;
}

/* The formats of the columns that the dict of types names. */
static const char **formats_of(PyObject *names, PyObject *types)
{
    Py_ssize_t n = PyTuple_Size(names);
    const char **formats = calloc((size_t)n + 1, sizeof *formats);
    if (!formats)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; formats && i < n; i++) {
        PyObject *type = PyDict_GetItemWithError(types, PyTuple_GetItem(names, i));
        const char *text = type ? PyUnicode_AsUTF8AndSize(type, NULL) : NULL;
        if (text)
            formats[i] = format_named(text);
        if (PyErr_Occurred()) {
            free(formats);
            return NULL;
        }
    }
    return formats;
}

static PyObject *stream_capsule(const struct ArrowArrayStream *stream)
{
    struct ArrowArrayStream *kept = malloc(sizeof *kept);
    if (!kept)
        return PyErr_NoMemory();
    *kept = *stream;
    PyObject *capsule = PyCapsule_New(kept, "arrow_array_stream", free_stream_capsule);
    if (!capsule)
        free(kept);
    return capsule;
}

/* The columns that the function says, given their names, as its types. */
static PyObject *cast_stream(core_state *state, struct ArrowArrayStream *stream, PyObject *function,
                             bool nulls)
{
    struct ArrowSchema schema;
    struct ArrowArrayStream cast = {0};
    int number;
    Py_BEGIN_ALLOW_THREADS number = stream->get_schema(stream, &schema);
    Py_END_ALLOW_THREADS if (number) return raise_stream(state, stream, number);
    PyObject *names = names_of(&schema);
    PyObject *types = names ? PyObject_CallFunctionObjArgs(function, names, NULL) : NULL;
    const char **formats = types ? formats_of(names, types) : NULL;
    PyObject *capsule = NULL;
    if (formats && !core_cast_stream(stream, formats, (size_t)schema.n_children, nulls, &cast))
        PyErr_NoMemory();
    if (cast.release && !(capsule = stream_capsule(&cast)))
        cast.release(&cast);
    free(formats);
    Py_XDECREF(types);
    Py_XDECREF(names);
    schema.release(&schema);
    return capsule;
}

PyObject *core_typed_stream(PyObject *module, PyObject *args)
{
    PyObject *source, *function;
    int nulls;
    struct ArrowArrayStream stream;
    if (!PyArg_ParseTuple(args, "OOp:typed_stream", &source, &function, &nulls) ||
        !take_stream(source, &stream))
        return NULL;
    PyObject *capsule = cast_stream(PyModule_GetState(module), &stream, function, nulls != 0);
    if (stream.release)
        stream.release(&stream);
    return capsule;
}
