#include "base/column.h"

#include "base/fixed_decimal.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

static const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

/* ---- Types and places ------------------------------------------------------------------------ */

size_t ftl_type_size(ftl_type type)
{
    switch (type) {
    case FTL_F64:
    case FTL_I64:
    case FTL_U64:
        return 8;
    case FTL_F32:
    case FTL_I32:
    case FTL_U32:
        return 4;
    case FTL_I16:
    case FTL_U16:
    case FTL_F16:
        return 2;
    case FTL_I8:
    case FTL_U8:
    case FTL_BOOL:
        return 1;
    case FTL_DECIMAL32:
        return 4;
    case FTL_DECIMAL64:
        return 8;
    case FTL_DECIMAL128:
        return 16;
    case FTL_DECIMAL256:
        return 32;
    default:
        return 0;
    }
}

bool ftl_type_is_integer(ftl_type type)
{
    return type == FTL_I64 || (type >= FTL_I8 && type <= FTL_U64);
}

bool ftl_type_is_decimal(ftl_type type) { return type >= FTL_DECIMAL32 && type <= FTL_DECIMAL256; }

bool ftl_type_is_text(ftl_type type)
{
    return type == FTL_STRING || type == FTL_LARGE_STRING || type == FTL_STRING_VIEW;
}

int64_t ftl_column_integer(const ftl_column *column, ftl_type type, size_t index)
{
    const unsigned char *at = ftl_column_at_index(column, type, index);
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint16_t u16;
        uint32_t u32;
    } value = {.i64 = 0};
    memcpy(&value, at, ftl_type_size(type));
    switch (type) {
    case FTL_I8:
        return value.i8;
    case FTL_I16:
        return value.i16;
    case FTL_I32:
        return value.i32;
    case FTL_U8:
        return *at;
    case FTL_U16:
        return value.u16;
    case FTL_U32:
        return value.u32;
    default:
        return value.i64;
    }
}

bool ftl_column_find(const ftl_column **column, size_t row, size_t *index)
{
    const ftl_column *c = *column;
    for (;;) {
        *column = c;
        *index = c->offset + row;
        if (c->type == FTL_NULL || (c->validity && !ftl_bit_at(c->validity, *index)))
            return false;
        if (c->type != FTL_DICTIONARY)
            return true;
        row = (size_t)ftl_column_integer(c, c->index_type, *index);
        c = c->dictionary;
    }
}

/* An element of an array that may lie anywhere, as columns need no alignment: to be copied from. */
static const char *element(const void *array, size_t width, size_t index)
{
    return (const char *)array + width * index;
}

static const char *view_text(const ftl_column *column, size_t index, size_t *size)
{
    const char *view = (const char *)column->values + index * 16;
    int32_t length, buffer, offset;
    memcpy(&length, view, sizeof length);
    *size = (size_t)length;
    if (length <= 12)
        return view + 4;
    memcpy(&buffer, view + 8, sizeof buffer);
    memcpy(&offset, view + 12, sizeof offset);
    return (const char *)column->buffers[buffer] + offset;
}

const char *ftl_column_text(const ftl_column *column, size_t index, size_t *size)
{
    if (column->type == FTL_STRING_VIEW)
        return view_text(column, index, size);
    if (column->type == FTL_LARGE_STRING) {
        int64_t ends[2];
        memcpy(ends, element(column->large_offsets, sizeof *ends, index), sizeof ends);
        *size = (size_t)(ends[1] - ends[0]);
        return *size ? (const char *)column->values + ends[0] : "";
    }
    uint32_t ends[2];
    memcpy(ends, element(column->offsets, sizeof *ends, index), sizeof ends);
    *size = ends[1] - ends[0];
    return *size ? (const char *)column->values + ends[0] : "";
}

/* Exact: every half is a float. */
static double half_to_f64(uint16_t half)
{
    int exponent = (half >> 10) & 31, fraction = half & 1023;
    double value;
    if (exponent == 31)
        value = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 1024, exponent - 25);
    return half & 0x8000 ? -value : value;
}

double ftl_column_number(const ftl_column *column, size_t index)
{
    if (column->type == FTL_BIT)
        return ftl_bit_at(column->values, index) ? 1.0 : 0.0;
    const unsigned char *at = ftl_column_at_index(column, column->type, index);
    double wide;
    float narrow;
    uint64_t natural;
    uint16_t half;
    switch (column->type) {
    case FTL_F64:
        memcpy(&wide, at, sizeof wide);
        return wide;
    case FTL_F32:
        memcpy(&narrow, at, sizeof narrow);
        return (double)narrow;
    case FTL_F16:
        memcpy(&half, at, sizeof half);
        return half_to_f64(half);
    case FTL_BOOL:
        return *at ? 1.0 : 0.0;
    case FTL_U64:
        memcpy(&natural, at, sizeof natural);
        return (double)natural;
    case FTL_DECIMAL32:
    case FTL_DECIMAL64:
    case FTL_DECIMAL128:
    case FTL_DECIMAL256:
        return ftl_fixed_decimal(at, ftl_type_size(column->type), little, column->scale);
    default:
        return (double)ftl_column_integer(column, column->type, index);
    }
}

size_t ftl_column_number_text(const ftl_column *column, size_t index, char out[FTL_F64_TEXT_SIZE])
{
    double value;
    switch (column->type) {
    case FTL_F64:
    case FTL_F32:
    case FTL_F16:
    case FTL_DECIMAL32:
    case FTL_DECIMAL64:
    case FTL_DECIMAL128:
    case FTL_DECIMAL256:
        value = ftl_column_number(column, index);
        if (isnan(value))
            return 0;
        return column->type == FTL_F32 || column->type == FTL_F16 ? ftl_print_f32((float)value, out)
                                                                  : ftl_print_f64(value, out);
    case FTL_BIT:
    case FTL_BOOL:
        if (ftl_column_number(column, index) != 0) {
            memcpy(out, "True", 4);
            return 4;
        }
        memcpy(out, "False", 5);
        return 5;
    case FTL_U64: {
        uint64_t natural;
        memcpy(&natural, ftl_column_at_index(column, FTL_U64, index), sizeof natural);
        if (natural <= INT64_MAX)
            return ftl_print_i64((int64_t)natural, out);
        size_t size = ftl_print_i64((int64_t)(natural / 10), out);
        out[size] = (char)('0' + natural % 10);
        return size + 1;
    }
    default:
        return ftl_print_i64(ftl_column_integer(column, column->type, index), out);
    }
}

enum { VIEW_SIZE = 16, VIEW_INLINE = 12 };

/* ---- Texts ----------------------------------------------------------------------------------- */

static bool is_null(const ftl_column *column, size_t index)
{
    return column->validity && !(column->validity[index / 8] >> (index % 8) & 1);
}

static ftl_status check_offsets(const ftl_column *column, size_t rows, ftl_error *error)
{
    uint32_t from, to;
    const uint32_t *offsets = column->offsets;
    if (!offsets)
        return FTL_FAIL(error, FTL_ARG, "has no offsets");
    memcpy(&from, element(offsets, sizeof from, column->offset), sizeof from);
    const uint32_t first = from;
    for (size_t i = 1; i <= rows; i++, from = to) {
        memcpy(&to, element(offsets, sizeof to, column->offset + i), sizeof to);
        if (to < from)
            return FTL_FAIL(error, FTL_ARG, "has a text of negative length in row %zu", i - 1);
    }
    if (from > first && !column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    return FTL_OK;
}

static ftl_status check_large_offsets(const ftl_column *column, size_t rows, ftl_error *error)
{
    int64_t from, to;
    const int64_t *offsets = column->large_offsets;
    if (!offsets)
        return FTL_FAIL(error, FTL_ARG, "has no large_offsets");
    memcpy(&from, element(offsets, sizeof from, column->offset), sizeof from);
    const int64_t first = from;
    if (from < 0)
        return FTL_FAIL(error, FTL_ARG, "has a negative offset in row 0");
    for (size_t i = 1; i <= rows; i++, from = to) {
        memcpy(&to, element(offsets, sizeof to, column->offset + i), sizeof to);
        if (to < from)
            return FTL_FAIL(error, FTL_ARG, "has a text of negative length in row %zu", i - 1);
        if (to - from > UINT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "has a text of more than 4 GiB in row %zu", i - 1);
    }
    if (from > first && !column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    return FTL_OK;
}

static bool view_is_good(const ftl_column *column, size_t index)
{
    int32_t length, buffer, offset;
    const char *view = (const char *)column->values + index * VIEW_SIZE;
    memcpy(&length, view, sizeof length);
    if (length <= VIEW_INLINE)
        return length >= 0;
    memcpy(&buffer, view + 8, sizeof buffer);
    memcpy(&offset, view + 12, sizeof offset);
    if (buffer < 0 || (size_t)buffer >= column->n_buffers || offset < 0)
        return false;
    int64_t bytes;
    memcpy(&bytes, element(column->buffer_sizes, sizeof bytes, (size_t)buffer), sizeof bytes);
    return column->buffers[buffer] && (int64_t)offset + length <= bytes;
}

static ftl_status check_views(const ftl_column *column, size_t rows, ftl_error *error)
{
    if (!column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    if (column->n_buffers && (!column->buffers || !column->buffer_sizes))
        return FTL_FAIL(error, FTL_ARG, "has no buffers or no buffer_sizes");
    for (size_t i = 0; i < rows; i++) {
        size_t index = column->offset + i;
        if (!is_null(column, index) && !view_is_good(column, index))
            return FTL_FAIL(error, FTL_ARG, "has a view beyond its buffers in row %zu", i);
    }
    return FTL_OK;
}

/* ---- Whole columns --------------------------------------------------------------------------------- */

/* Whether the index behind the last row, times the width, is an address's distance. */
static ftl_status check_reach(const ftl_column *column, size_t rows, ftl_error *error)
{
    size_t end, width = ftl_type_size(column->type);
    if (column->type == FTL_DICTIONARY)
        width = ftl_type_size(column->index_type);
    if (width == 0 && column->stride)
        return FTL_FAIL(error, FTL_ARG, "has a stride, which its type cannot have");
    if (width == 0)
        width = VIEW_SIZE;
    ptrdiff_t reach, stride = column->stride ? column->stride : (ptrdiff_t)width;
    if (__builtin_add_overflow(column->offset, rows, &end) || end > PTRDIFF_MAX / VIEW_SIZE ||
        __builtin_mul_overflow((ptrdiff_t)end, stride, &reach))
        return FTL_FAIL(error, FTL_ARG, "has more rows, offset or stride than memory can hold");
    return FTL_OK;
}

static ftl_status check_dictionary(const ftl_column *column, size_t rows, ftl_error *error)
{
    const ftl_column *dictionary = column->dictionary;
    if (!ftl_type_is_integer(column->index_type))
        return FTL_FAIL(error, FTL_ARG, "is a dictionary whose index_type is no integer type");
    if (!dictionary || dictionary->type == FTL_DICTIONARY)
        return FTL_FAIL(error, FTL_ARG, "is a dictionary without plain values");
    if (!column->values)
        return FTL_FAIL(error, FTL_ARG, "has no values");
    for (size_t i = 0; i < rows; i++) {
        size_t index = column->offset + i;
        if (is_null(column, index))
            continue;
        int64_t at = ftl_column_integer(column, column->index_type, index);
        if (at < 0 || (uint64_t)at >= column->dictionary_rows)
            return FTL_FAIL(error, FTL_ARG, "counts to row %lld of a dictionary of %zu in row %zu",
                            (long long)at, column->dictionary_rows, i);
    }
    return FTL_OK;
}

ftl_status ftl_column_check(const ftl_column *column, size_t rows, ftl_error *error)
{
    FTL_TRY(ftl_column_check_slice(column, rows, error));
    if (column->type != FTL_DICTIONARY || rows == 0)
        return FTL_OK;
    return ftl_column_check_slice(column->dictionary, column->dictionary_rows, error);
}

ftl_status ftl_column_check_slice(const ftl_column *column, size_t rows, ftl_error *error)
{
    if ((unsigned)column->type > FTL_DECIMAL256)
        return FTL_FAIL(error, FTL_ARG, "has the type %u, which is none of ftl_type",
                        (unsigned)column->type);
    if (ftl_type_is_decimal(column->type) &&
        (column->scale > FTL_FIXED_DECIMAL_SCALE || column->scale < -FTL_FIXED_DECIMAL_SCALE))
        return FTL_FAIL(error, FTL_ARG, "has a scale of %d; %d is the most", column->scale,
                        FTL_FIXED_DECIMAL_SCALE);
    FTL_TRY(check_reach(column, rows, error));
    if (rows == 0)
        return FTL_OK;
    switch (column->type) {
    case FTL_NULL:
        return FTL_OK;
    case FTL_STRING:
        return check_offsets(column, rows, error);
    case FTL_LARGE_STRING:
        return check_large_offsets(column, rows, error);
    case FTL_STRING_VIEW:
        return check_views(column, rows, error);
    case FTL_DICTIONARY:
        return check_dictionary(column, rows, error);
    default:
        return column->values ? FTL_OK : FTL_FAIL(error, FTL_ARG, "has no values");
    }
}
