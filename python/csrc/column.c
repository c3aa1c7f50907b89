/* Columns of a batch from numpy's arrays: numbers are viewed, texts become UTF-8. */
#include "input.h"

#include <stdlib.h>
#include <string.h>

/* The type of a format of the buffer protocol, in this machine's order of bytes; -1: another one.
 */
int core_format_type(const char *format, Py_ssize_t size)
{
    if (!format)
        return FTL_U8;
    if (*format == '@' || *format == '=' || *format == '^')
        format++;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    else if (*format == '<')
        format++;
#else
    else if (*format == '>' || *format == '!')
        format++;
#endif
    if (!format[0] || format[1])
        return -1;
    static const ftl_type integers[2][4] = {{FTL_I8, FTL_I16, FTL_I32, FTL_I64},
                                            {FTL_U8, FTL_U16, FTL_U32, FTL_U64}};
    int width = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : -1;
    switch (*format) {
    case 'd':
        return FTL_F64;
    case 'f':
        return FTL_F32;
    case 'e':
        return FTL_F16;
    case '?':
        return FTL_BOOL;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
        return width < 0 ? -1 : (int)integers[0][width];
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
        return width < 0 ? -1 : (int)integers[1][width];
    default:
        return -1;
    }
}

/* ---- Memory ---------------------------------------------------------------------------------------- */

void *core_input_block(core_input *input, size_t n, size_t size)
{
    void *block = n <= SIZE_MAX / size ? malloc(n * size + 1) : NULL;
    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    input->blocks[input->n_blocks++] = block;
    return block;
}

/* Bits of rows that are there, all of them at first. */
static uint8_t *make_validity(core_input *input, size_t rows)
{
    uint8_t *bits = core_input_block(input, rows / 8 + 1, 1);
    if (bits)
        memset(bits, 0xff, rows / 8 + 1);
    return bits;
}

static void set_missing(uint8_t *bits, size_t row) { bits[row / 8] &= (uint8_t)~(1u << row % 8); }

/* A view of one dimension that goes with the input; NULL: an exception is set. */
static Py_buffer *view_array(core_input *input, PyObject *array)
{
    Py_buffer *view = &input->views[input->n_views];
    if (PyObject_GetBuffer(array, view, PyBUF_STRIDES | PyBUF_FORMAT) < 0)
        return NULL;
    input->n_views++;
    if (view->ndim == 1)
        return view;
    PyErr_SetString(PyExc_TypeError, "a column is an array of one dimension");
    return NULL;
}

/* ---- Texts ----------------------------------------------------------------------------------------- */

typedef struct texts {
    char *data;
    size_t size, room;
    int64_t *offsets; /* [rows + 1] */
    uint8_t *validity;
    bool has_missing;
} texts;

static bool make_texts(core_input *input, size_t rows, texts *out)
{
    *out = (texts){.offsets = core_input_block(input, rows + 1, sizeof(int64_t))};
    out->validity = out->offsets ? make_validity(input, rows) : NULL;
    if (!out->validity)
        return false;
    out->offsets[0] = 0;
    return true;
}

static char *room_for(texts *t, size_t size)
{
    if (!t->data || size > t->room - t->size) {
        size_t room = (t->size + size) * 2 + 64;
        char *data = realloc(t->data, room);
        if (!data) {
            PyErr_NoMemory();
            return NULL;
        }
        t->data = data;
        t->room = room;
    }
    return t->data + t->size;
}

static bool add_bytes(texts *t, const char *bytes, size_t size)
{
    char *to = room_for(t, size);
    if (!to)
        return false;
    memcpy(to, bytes, size);
    t->size += size;
    return true;
}

/* The texts are the input's from here on, by success and failure alike. */
static bool finish_texts(core_input *input, texts *t, bool done, ftl_column *out)
{
    if (t->data)
        input->blocks[input->n_blocks++] = t->data;
    if (!done)
        return false;
    *out = (ftl_column){.type = FTL_LARGE_STRING,
                        .values = t->data ? t->data : "",
                        .large_offsets = t->offsets,
                        .validity = t->has_missing ? t->validity : NULL};
    return true;
}

static bool add_text(texts *t, PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
    if (bytes)
        return add_bytes(t, bytes, (size_t)size);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return false;
    PyErr_Clear(); /* lone surrogates: the row is bad where the text is looked at, as no UTF-8 is */
    PyObject *other = PyUnicode_AsEncodedString(text, "utf-8", "surrogatepass");
    bool added = other && add_bytes(t, PyBytes_AsString(other), (size_t)PyBytes_Size(other));
    Py_XDECREF(other);
    return added;
}

/* How objects that are no text become cells: as foretell._inputs.cell_text says. */
typedef struct text_rule {
    PyObject *function;
    PyObject *missing, *strict; /* its arguments */
    int none;                   /* what it says of None: 1: missing, 0: something else */
} text_rule;

/* Any object but a str: 1 when it was added, 0 when it is missing, -1 for an exception. */
static int add_object(texts *t, PyObject *object, const text_rule *rule)
{
    if (object == Py_None && rule->none)
        return 0;
    PyObject *text = PyObject_CallFunctionObjArgs(rule->function, object, rule->missing,
                                                  rule->strict, NULL);
    if (!text)
        return -1;
    int added = text == Py_None ? 0 : add_text(t, text) ? 1 : -1;
    Py_DECREF(text);
    return added;
}

static bool add_objects(const Py_buffer *view, const text_rule *rule, texts *t)
{
    for (size_t i = 0; i < (size_t)view->shape[0]; i++) {
        PyObject *object;
        memcpy(&object, (const char *)view->buf + (Py_ssize_t)i * view->strides[0], sizeof object);
        object = Py_NewRef(object ? object : Py_None); /* what is called may change the array */
        int added = PyUnicode_Check(object) ? (add_text(t, object) ? 1 : -1)
                                            : add_object(t, object, rule);
        Py_DECREF(object);
        if (added < 0)
            return false;
        if (added == 0) {
            t->has_missing = true;
            set_missing(t->validity, i);
        }
        t->offsets[i + 1] = (int64_t)t->size;
    }
    return true;
}

/* ("texts", array, missing, strict) */
static bool object_column(core_input *input, PyObject *what, ftl_column *out, size_t *rows)
{
    const char *tag;
    PyObject *array;
    text_rule rule = {.function = input->numpy->cell_text};
    if (!PyArg_ParseTuple(what, "sOOO:column", &tag, &array, &rule.missing, &rule.strict))
        return false;
    PyObject *none = PyObject_CallFunctionObjArgs(rule.function, Py_None, rule.missing, rule.strict,
                                                  NULL);
    const Py_buffer *view = none ? view_array(input, array) : NULL;
    rule.none = none == Py_None;
    Py_XDECREF(none);
    texts t;
    if (!view)
        return false;
    if (!view->format || strcmp(view->format, "O") != 0) {
        PyErr_SetString(PyExc_TypeError, "texts are an array of objects");
        return false;
    }
    *rows = (size_t)view->shape[0];
    return make_texts(input, *rows, &t) &&
           finish_texts(input, &t, add_objects(view, &rule, &t), out);
}

/* ---- Texts of fixed width ---------------------------------------------------------------------------- */

static size_t put_utf8(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | (c >> 18 & 7));
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* numpy's 'U': code points of four bytes, filled up with zeros. */
static bool fixed_column(core_input *input, const Py_buffer *view, ftl_column *out)
{
    size_t rows = (size_t)view->shape[0], width = (size_t)view->itemsize / 4;
    texts t;
    if (!make_texts(input, rows, &t))
        return false;
    bool done = true;
    for (size_t i = 0; done && i < rows; i++) {
        const char *from = (const char *)view->buf + (Py_ssize_t)i * view->strides[0];
        char *to = room_for(&t, width * 4);
        done = to != NULL;
        size_t used = 0, length = 0;
        for (size_t k = 0; done && k < width; k++) {
            uint32_t c;
            memcpy(&c, from + 4 * k, sizeof c);
            used += put_utf8(c, to + used);
            length = c ? used : length; /* zeros at the end are no text */
        }
        t.size += length;
        t.offsets[i + 1] = (int64_t)t.size;
    }
    return finish_texts(input, &t, done, out);
}

/* Whether a format is numpy's 'U' of this machine's order of bytes, such as "<5w" or "5w". */
static bool is_fixed_text(const char *format)
{
    size_t length = format ? strlen(format) : 0;
    return length > 0 && format[length - 1] == 'w' && format[0] != '>' && format[0] != '!';
}

/* ---- Columns --------------------------------------------------------------------------------------- */

static bool array_column(core_input *input, PyObject *array, ftl_column *out, size_t *rows)
{
    const Py_buffer *view = view_array(input, array);
    if (!view)
        return false;
    *rows = (size_t)view->shape[0];
    if (is_fixed_text(view->format))
        return fixed_column(input, view, out);
    int type = core_format_type(view->format, view->itemsize);
    if (type < 0 || (view->strides[0] == 0 && *rows > 1)) {
        PyErr_Format(PyExc_TypeError, "a column of format '%s' is not read",
                     view->format ? view->format : "");
        return false;
    }
    *out = (ftl_column){.type = (ftl_type)type, .values = view->buf, .stride = view->strides[0]};
    return true;
}

static bool masked_column(core_input *input, PyObject *array, PyObject *mask, ftl_column *out,
                          size_t *rows)
{
    if (!array_column(input, array, out, rows))
        return false;
    const Py_buffer *view = view_array(input, mask);
    uint8_t *bits = view ? make_validity(input, *rows) : NULL;
    if (!bits)
        return false;
    if (view->itemsize != 1 || (size_t)view->shape[0] != *rows) {
        PyErr_SetString(PyExc_TypeError, "a mask has a bool for each row");
        return false;
    }
    for (size_t i = 0; i < *rows; i++) {
        if (((const char *)view->buf)[(Py_ssize_t)i * view->strides[0]])
            set_missing(bits, i);
    }
    out->validity = bits;
    return true;
}

static int64_t code_at(const ftl_column *codes, size_t row)
{
    const char *at = (const char *)codes->values + (ptrdiff_t)row * codes->stride;
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
    } u;
    switch (codes->type) {
    case FTL_I8:
        return *(const int8_t *)at;
    case FTL_I16:
        memcpy(&u.i16, at, sizeof u.i16);
        return u.i16;
    case FTL_I32:
        memcpy(&u.i32, at, sizeof u.i32);
        return u.i32;
    default:
        memcpy(&u.i64, at, sizeof u.i64);
        return u.i64;
    }
}

/* An Arrow column: see core_column_open. No dictionary may be in a dictionary. */
static bool arrow_column(PyObject *what, ftl_column *out, ftl_column *dictionary, size_t *rows)
{
    const char *tag, *format;
    PyObject *schema, *array;
    long long child;
    return PyArg_ParseTuple(what, "sOOsL:column", &tag, &schema, &array, &format, &child) &&
           core_arrow_column(schema, array, child, out, dictionary, rows);
}

/* The rows that codes count. */
static bool code_values(core_input *input, PyObject *values, ftl_column *out, size_t *n)
{
    ftl_column inner = {0};
    if (!PyTuple_Check(values))
        return array_column(input, values, out, n);
    if (PyTuple_Size(values) == 4)
        return object_column(input, values, out, n);
    if (!arrow_column(values, out, &inner, n))
        return false;
    if (out->type == FTL_DICTIONARY)
        PyErr_SetString(PyExc_TypeError, "categories are no categories themselves");
    return out->type != FTL_DICTIONARY;
}

/*
 * The codes are copied: the library checks them once and follows them later, and the array is
 * somebody's who may write to it meanwhile.
 */
static bool copy_codes(core_input *input, ftl_column *codes, size_t rows, size_t n)
{
    int32_t *copy = core_input_block(input, rows, sizeof *copy);
    uint8_t *bits = copy ? make_validity(input, rows) : NULL;
    bool missing = false;
    for (size_t i = 0; bits && i < rows; i++) {
        int64_t code = code_at(codes, i);
        if (code >= (int64_t)n || code > INT32_MAX) {
            PyErr_Format(PyExc_ValueError, "row %zu has the code %lld of %zu categories", i,
                         (long long)code, n);
            return false;
        }
        copy[i] = code < 0 ? 0 : (int32_t)code;
        if (code < 0) {
            set_missing(bits, i);
            missing = true;
        }
    }
    codes->values = copy;
    codes->stride = 0;
    codes->index_type = FTL_I32;
    codes->validity = missing ? bits : NULL;
    return bits != NULL;
}

static bool coded_column(core_input *input, PyObject *array, PyObject *values, ftl_column *out,
                         ftl_column *dictionary, size_t *rows)
{
    size_t n = 0;
    if (!array_column(input, array, out, rows) || !code_values(input, values, dictionary, &n))
        return false;
    if (out->type != FTL_I8 && out->type != FTL_I16 && out->type != FTL_I32 &&
        out->type != FTL_I64) {
        PyErr_SetString(PyExc_TypeError, "codes are signed integers");
        return false;
    }
    if (!copy_codes(input, out, *rows, n))
        return false;
    out->type = FTL_DICTIONARY;
    out->dictionary = dictionary;
    out->dictionary_rows = n;
    return true;
}

bool core_column_open(core_input *input, size_t i, PyObject *what, size_t *rows)
{
    const char *tag;
    PyObject *a, *b;
    if (!PyTuple_Check(what))
        return array_column(input, what, &input->columns[i], rows);
    if (PyTuple_Size(what) == 4)
        return object_column(input, what, &input->columns[i], rows);
    if (PyTuple_Size(what) == 5)
        return arrow_column(what, &input->columns[i], &input->dictionaries[i], rows);
    if (!PyArg_ParseTuple(what, "sOO:column", &tag, &a, &b))
        return false;
    if (strcmp(tag, "masked") == 0)
        return masked_column(input, a, b, &input->columns[i], rows);
    if (strcmp(tag, "codes") == 0)
        return coded_column(input, a, b, &input->columns[i], &input->dictionaries[i], rows);
    PyErr_Format(PyExc_ValueError, "no column is '%s'", tag);
    return false;
}
