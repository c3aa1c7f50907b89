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
        {"n", FTL_NULL},  {"b", FTL_BIT}, {"c", FTL_I8},     {"C", FTL_U8},
        {"s", FTL_I16},   {"S", FTL_U16}, {"i", FTL_I32},    {"I", FTL_U32},
        {"l", FTL_I64},   {"L", FTL_U64}, {"e", FTL_F16},    {"f", FTL_F32},
        {"g", FTL_F64},   {"u", FTL_STRING}, {"U", FTL_LARGE_STRING}, {"vu", FTL_STRING_VIEW}};
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

bool core_arrow_column(core_input *input, PyObject *schema_capsule, PyObject *array_capsule,
                       ftl_column *out, ftl_column *dictionary, size_t *rows)
{
    (void)input;
    const struct ArrowSchema *schema = PyCapsule_GetPointer(schema_capsule, "arrow_schema");
    const struct ArrowArray *array = schema ? PyCapsule_GetPointer(array_capsule, "arrow_array")
                                            : NULL;
    if (!array)
        return false;
    if (!schema->release || !array->release) {
        PyErr_SetString(PyExc_ValueError, "the Arrow column was given away already");
        return false;
    }
    if (!plain_column(schema, array, out))
        return false;
    *rows = (size_t)array->length;
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
