/* A column of a batch from an array of the Arrow C data interface, which stays its capsule's. */
#include "input.h"

#include <stdlib.h>
#include <string.h>

typedef struct arrow_format {
    const char *format;
    ftl_type type;
} arrow_format;

static bool format_is(const char *format, ftl_type *out)
{
    static const arrow_format formats[] = {
        {"n", FTL_NULL}, {"b", FTL_BIT},    {"c", FTL_I8},           {"C", FTL_U8},
        {"s", FTL_I16},  {"S", FTL_U16},    {"i", FTL_I32},          {"I", FTL_U32},
        {"l", FTL_I64},  {"L", FTL_U64},    {"e", FTL_F16},          {"f", FTL_F32},
        {"g", FTL_F64},  {"u", FTL_STRING}, {"U", FTL_LARGE_STRING}, {"vu", FTL_STRING_VIEW}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(format, formats[i].format) == 0) {
            *out = formats[i].type;
            return true;
        }
    }
    return false;
}

/* "d:precision,scale" or "d:precision,scale,bits" */
static bool read_decimal(const char *format, ftl_column *out)
{
    char *end;
    if (strncmp(format, "d:", 2) != 0)
        return false;
    (void)strtol(format + 2, &end, 10);
    if (*end != ',')
        return false;
    long scale = strtol(end + 1, &end, 10), bits = *end == ',' ? strtol(end + 1, &end, 10) : 128;
    if (*end || scale < -1000 || scale > 1000)
        return false;
    out->scale = (int32_t)scale;
    out->type = bits == 32    ? FTL_DECIMAL32
                : bits == 64  ? FTL_DECIMAL64
                : bits == 128 ? FTL_DECIMAL128
                              : FTL_DECIMAL256;
    return bits == 32 || bits == 64 || bits == 128 || bits == 256;
}

static bool refuse(const char *what, const char *format)
{
    PyErr_Format(PyExc_TypeError, "an Arrow column of format '%.40s' %s", format, what);
    return false;
}

/* How many buffers an array of the type has at least. */
static int64_t buffers_of(ftl_type type)
{
    if (type == FTL_NULL)
        return 0;
    return type == FTL_STRING || type == FTL_LARGE_STRING || type == FTL_STRING_VIEW ? 3 : 2;
}

static bool is_index_type(ftl_type type)
{
    return type == FTL_I64 || (type >= FTL_I8 && type <= FTL_U64);
}

/* What is no dictionary. */
static bool plain_column(const struct ArrowSchema *schema, const struct ArrowArray *array,
                         ftl_column *out)
{
    const char *format = schema->format ? schema->format : "";
    *out = (ftl_column){0};
    if (!format_is(format, &out->type) && !read_decimal(format, out))
        return refuse("is not read", format);
    if (array->length < 0 || array->offset < 0 || array->n_buffers < buffers_of(out->type))
        return refuse("is malformed", format);
    out->offset = (size_t)array->offset;
    if (out->type == FTL_NULL)
        return true;
    const void *const *buffers = array->buffers;
    out->validity = buffers[0];
    if (out->type == FTL_STRING || out->type == FTL_LARGE_STRING) {
        static const int64_t none[1] = {0};
        bool empty = !buffers[1] && array->length == 0;
        if (out->type == FTL_STRING)
            out->offsets = empty ? (const void *)none : buffers[1];
        else
            out->large_offsets = empty ? none : buffers[1];
        out->values = buffers[2] ? buffers[2] : "";
    } else {
        out->values = buffers[1];
    }
    if (out->type == FTL_STRING_VIEW) { /* the last buffer has the sizes of those between */
        out->buffers = buffers + 2;
        out->n_buffers = (size_t)array->n_buffers - 3;
        out->buffer_sizes = buffers[array->n_buffers - 1];
    }
    return true;
}

/* Child `index` of both, or themselves when it is below 0. */
static bool find_child(const struct ArrowSchema **schema, const struct ArrowArray **array,
                       long long index, size_t *offset, size_t *rows)
{
    const struct ArrowArray *whole = *array;
    *offset = 0;
    if (whole->length < 0 || whole->offset < 0 || !(*schema)->format)
        return refuse("is malformed", "");
    *rows = (size_t)whole->length;
    if (index < 0)
        return true;
    if (index >= (*schema)->n_children || index >= whole->n_children || !(*schema)->children ||
        !whole->children || !(*schema)->children[index] || !whole->children[index])
        return refuse("has no such child", (*schema)->format);
    *offset = (size_t)whole->offset;
    *schema = (*schema)->children[index];
    *array = whole->children[index];
    if ((*array)->length < whole->offset + whole->length)
        return refuse("is shorter than its record batch",
                      (*schema)->format ? (*schema)->format : "");
    return true;
}

bool core_arrow_column(PyObject *schema_capsule, PyObject *array_capsule, long long index,
                       ftl_column *out, ftl_column *dictionary, size_t *rows)
{
    size_t offset;
    const struct ArrowSchema *schema = PyCapsule_GetPointer(schema_capsule, "arrow_schema");
    const struct ArrowArray *array = schema ? PyCapsule_GetPointer(array_capsule, "arrow_array")
                                            : NULL;
    if (!array)
        return false;
    if (!schema->release || !array->release) {
        PyErr_SetString(PyExc_ValueError, "the Arrow column was given away already");
        return false;
    }
    if (!find_child(&schema, &array, index, &offset, rows) || !plain_column(schema, array, out))
        return false;
    out->offset += offset;
    if (!schema->dictionary)
        return true;
    if (!array->dictionary || schema->dictionary->dictionary || !is_index_type(out->type))
        return refuse("has a dictionary that is not read", schema->format);
    if (!plain_column(schema->dictionary, array->dictionary, dictionary))
        return false;
    out->index_type = out->type;
    out->type = FTL_DICTIONARY;
    out->dictionary = dictionary;
    out->dictionary_rows = (size_t)array->dictionary->length;
    return true;
}

/* ---- What Python asks of capsules ------------------------------------------------------------------- */

static PyObject *field(const struct ArrowSchema *schema)
{
    const char *format = schema->dictionary ? schema->dictionary->format : schema->format;
    return Py_BuildValue("(NN)", core_text(schema->name ? schema->name : ""),
                         core_text(format ? format : ""));
}

PyObject *core_arrow_fields(PyObject *module, PyObject *capsule)
{
    (void)module;
    const struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    PyObject *list = schema ? PyList_New(0) : NULL;
    for (int64_t i = -1; list && i < schema->n_children; i++) {
        const struct ArrowSchema *child = i < 0 ? schema : schema->children[i];
        PyObject *row = child ? field(child) : NULL;
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    if (!list && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the Arrow schema is malformed");
    return list;
}

PyObject *core_arrow_rows(PyObject *module, PyObject *capsule)
{
    (void)module;
    const struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    return array ? PyLong_FromLongLong(array->length) : NULL;
}

static void destroy_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema && schema->release)
        schema->release(schema);
    free(schema);
}

static void destroy_array(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array && array->release)
        array->release(array);
    free(array);
}

/* What a stream that failed says. */
static PyObject *raise_stream(struct ArrowArrayStream *stream, int number)
{
    const char *why = stream->get_last_error(stream);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_OSError, "the Arrow stream failed: %.400s",
                     why ? why : strerror(number));
    return NULL;
}

static struct ArrowArrayStream *stream_of(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream && !stream->release) {
        PyErr_SetString(PyExc_ValueError, "the Arrow stream was given away already");
        return NULL;
    }
    return stream;
}

PyObject *core_arrow_schema(PyObject *module, PyObject *capsule)
{
    (void)module;
    struct ArrowArrayStream *stream = stream_of(capsule);
    struct ArrowSchema *schema = stream ? calloc(1, sizeof *schema) : NULL;
    if (!schema)
        return stream ? PyErr_NoMemory() : NULL;
    int number;
    Py_BEGIN_ALLOW_THREADS number = stream->get_schema(stream, schema);
    Py_END_ALLOW_THREADS PyObject *made = number ? raise_stream(stream, number)
                                                 : PyCapsule_New(schema, "arrow_schema",
                                                                 destroy_schema);
    if (!made)
        free(schema);
    return made;
}

/* The next record batch; None at the end. */
PyObject *core_arrow_next(PyObject *module, PyObject *capsule)
{
    (void)module;
    struct ArrowArrayStream *stream = stream_of(capsule);
    struct ArrowArray *array = stream ? calloc(1, sizeof *array) : NULL;
    if (!array)
        return stream ? PyErr_NoMemory() : NULL;
    int number;
    Py_BEGIN_ALLOW_THREADS number = stream->get_next(stream, array);
    Py_END_ALLOW_THREADS if (number == 0 && array->release)
    {
        PyObject *made = PyCapsule_New(array, "arrow_array", destroy_array);
        if (made)
            return made;
        array->release(array);
    }
    free(array);
    if (number)
        return raise_stream(stream, number);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}
