/*
 * Elements of numpy arrays by index, whatever the dtype and memory order. Object arrays yield what
 * their nodes are. These are for parameters and small tables; bulk data is read through `data` by
 * those who know its dtype.
 */
#include "pickle/node.h"
#include "pickle/ucs4.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Address of element i in C order; objects and empty arrays have none. */
static const unsigned char *element(const ftl_node_array *array, size_t i)
{
    if (!array->data || i >= array->size)
        return NULL;
    if (array->fortran && array->ndim > 1) {
        size_t place = 0, rest = i, stride[FTL_MAX_DIMS], step = 1;
        for (uint32_t d = 0; d < array->ndim; d++) {
            stride[d] = step;
            step *= array->shape[d];
        }
        for (uint32_t d = array->ndim; d-- > 0;) {
            place += rest % array->shape[d] * stride[d];
            rest /= array->shape[d];
        }
        i = place;
    }
    return (const unsigned char *)array->data + i * array->dtype->item_size;
}

static double half_to_double(uint16_t half)
{
    int exponent = half >> 10 & 31;
    double fraction = (half & 1023) / 1024.0;
    double value;
    if (exponent == 31)
        value = fraction != 0.0 ? (double)NAN : (double)INFINITY;
    else
        value = exponent ? ldexp(1.0 + fraction, exponent - 15) : ldexp(fraction, -14);
    return half & 0x8000 ? -value : value;
}

static bool float_value(const unsigned char *p, uint32_t size, double *out)
{
    if (size == 8) {
        memcpy(out, p, 8);
    } else if (size == 4) {
        float f;
        memcpy(&f, p, 4);
        *out = (double)f;
    } else if (size == 2) {
        uint16_t half;
        memcpy(&half, p, 2);
        *out = half_to_double(half);
    } else if (size == sizeof(long double)) {
        long double wide;
        memcpy(&wide, p, sizeof wide);
        *out = (double)wide;
    } else {
        return false;
    }
    return true;
}

static bool signed_value(const unsigned char *p, uint32_t size, int64_t *out)
{
    int8_t i8;
    int16_t i16;
    int32_t i32;
    switch (size) {
    case 1:
        memcpy(&i8, p, 1);
        *out = i8;
        return true;
    case 2:
        memcpy(&i16, p, 2);
        *out = i16;
        return true;
    case 4:
        memcpy(&i32, p, 4);
        *out = i32;
        return true;
    case 8:
        memcpy(out, p, 8);
        return true;
    default:
        return false;
    }
}

static bool unsigned_value(const unsigned char *p, uint32_t size, uint64_t *out)
{
    int64_t value;
    if (!signed_value(p, size, &value))
        return false;
    *out = size == 8 ? (uint64_t)value : (uint64_t)value & ((1ull << (8 * size)) - 1);
    return true;
}

bool ftl_array_f64_at(const ftl_node_array *array, size_t i, double *out)
{
    /* an element that is itself an object array is no number, so this does not recurse further */
    if (array->objects)
        return i < array->size && ftl_node_as_f64(array->objects[i], out);
    const unsigned char *p = element(array, i);
    int64_t integer;
    uint64_t natural;
    if (!p || array->dtype->item_size == 0)
        return false;
    switch (array->dtype->kind) {
    case 'b':
        *out = *p ? 1.0 : 0.0;
        return true;
    case 'f':
        return float_value(p, array->dtype->item_size, out);
    case 'i':
        if (!signed_value(p, array->dtype->item_size, &integer))
            return false;
        *out = (double)integer;
        return true;
    case 'u':
        if (!unsigned_value(p, array->dtype->item_size, &natural))
            return false;
        *out = (double)natural;
        return true;
    default:
        return false;
    }
}

bool ftl_array_i64_at(const ftl_node_array *array, size_t i, int64_t *out)
{
    if (array->objects)
        return i < array->size && ftl_node_as_int(array->objects[i], out);
    const unsigned char *p = element(array, i);
    uint64_t natural;
    if (!p || array->dtype->item_size == 0)
        return false;
    switch (array->dtype->kind) {
    case 'b':
        *out = *p != 0;
        return true;
    case 'i':
        return signed_value(p, array->dtype->item_size, out);
    case 'u':
        if (!unsigned_value(p, array->dtype->item_size, &natural) || natural > INT64_MAX)
            return false;
        *out = (int64_t)natural;
        return true;
    default:
        return false;
    }
}

ftl_status ftl_array_string_at(const ftl_node_array *array, size_t i, ftl_arena *arena,
                               ftl_node_string *out, ftl_error *error)
{
    if (i >= array->size)
        return FTL_FAIL(error, FTL_CORRUPT, "element %zu is past the end of an array of %zu", i,
                        array->size);
    if (array->objects) {
        if (!ftl_node_as_str(array->objects[i], out))
            return FTL_FAIL(error, FTL_UNSUPPORTED, "element %zu of an object array is not text",
                            i);
        return FTL_OK;
    }
    const unsigned char *p = element(array, i);
    uint32_t size = array->dtype->item_size;
    if (array->dtype->kind == 'U' && (p || size == 0))
        return ftl_utf8_from_ucs4(arena, p, size / 4, out, error);
    if (array->dtype->kind != 'S' || !p)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "an array of dtype kind '%c' holds no text",
                        array->dtype->kind);
    while (size && p[size - 1] == 0)
        size--; /* numpy pads S with NUL */
    char *text = ftl_arena_string(arena, (const char *)p, size);
    if (!text)
        return FTL_OOM(error);
    *out = (ftl_node_string){text, size};
    return FTL_OK;
}

static void dtype_name(const ftl_dtype *dtype, char *out, size_t size)
{
    const char *kind;
    switch (dtype->kind) {
    case 'b':
        kind = "bool";
        break;
    case 'i':
        kind = "int";
        break;
    case 'u':
        kind = "uint";
        break;
    case 'f':
        kind = "float";
        break;
    case 'c':
        kind = "complex";
        break;
    case 'O':
        kind = "object";
        break;
    default:
        snprintf(out, size, "%s%c%u", dtype->n_fields ? "structured " : "", dtype->kind,
                 dtype->kind == 'U' ? dtype->item_size / 4 : dtype->item_size);
        return;
    }
    if (dtype->kind == 'b' || dtype->kind == 'O')
        snprintf(out, size, "%s", kind);
    else
        snprintf(out, size, "%s%u", kind, dtype->item_size * 8);
}

const char *ftl_array_describe(const ftl_node_array *array, char *buffer, size_t size)
{
    char shape[FTL_MAX_DIMS * 22 + 4], dtype[32];
    size_t at = 0;
    shape[0] = '\0';
    for (uint32_t d = 0; d < array->ndim; d++) {
        int n = snprintf(shape + at, sizeof shape - at, "%s%zu%s", d ? ", " : "", array->shape[d],
                         array->ndim == 1 ? "," : "");
        at += n > 0 ? (size_t)n : 0;
    }
    dtype_name(array->dtype, dtype, sizeof dtype);
    snprintf(buffer, size, "numpy.ndarray (%s) %s", shape, dtype);
    return buffer;
}
