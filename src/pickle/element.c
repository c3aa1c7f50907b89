#include "pickle/element.h"

#include <math.h>
#include <string.h>

const unsigned char *ftl_element_at(const ftl_node_array *array, size_t i)
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

bool ftl_element_f64(const ftl_node_array *array, size_t i, double *out)
{
    const unsigned char *p = ftl_element_at(array, i);
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

bool ftl_element_i64(const ftl_node_array *array, size_t i, int64_t *out)
{
    const unsigned char *p = ftl_element_at(array, i);
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

bool ftl_element_u64(const ftl_node_array *array, size_t i, uint64_t *out)
{
    const unsigned char *p = ftl_element_at(array, i);
    return p && array->dtype->kind == 'u' && unsigned_value(p, array->dtype->item_size, out);
}
