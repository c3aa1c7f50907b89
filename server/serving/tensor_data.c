#include "serving/tensor_data.h"

#include "base/checked.h"
#include "base/column.h"
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { VIEW_SIZE = 16, VIEW_INLINE = 12 };
/* buffers of texts; see srv_v2_request */
enum { IN_BODY = 0, ESCAPED = 1 };

/* A place for the values of a tensor: rows x width elements. */
static ftl_status make_room(ftl_arena *arena, const srv_tensor *tensor, void **out,
                            ftl_error *error)
{
    size_t element = tensor->type == FTL_STRING_VIEW ? VIEW_SIZE : ftl_type_size(tensor->type);
    size_t count, bytes;
    if (!ftl_mul_size(tensor->rows, tensor->width, &count) || !ftl_mul_size(count, element, &bytes))
        return FTL_FAIL(error, FTL_SHAPE, "the shape is larger than memory can be");
    void *values = ftl_arena_alloc_aligned(arena, bytes);
    if (!values)
        return FTL_OOM(error);
    *out = values;
    return FTL_OK;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Arrow's view of a text that begins at an offset of a buffer. */
static ftl_status put_view(char *view, int buffer, size_t offset, const char *text, size_t size,
                           ftl_error *error)
{
    if (size > INT32_MAX || offset > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "texts of a body of more than 2 GiB are not taken");
    int32_t numbers[4] = {(int32_t)size, 0, buffer, (int32_t)offset};
    memset(view, 0, VIEW_SIZE);
    if (size <= VIEW_INLINE) {
        memcpy(view, numbers, 4);
        memcpy(view + 4, text, size);
        return FTL_OK;
    }
    memcpy(&numbers[1], text, 4);
    memcpy(view, numbers, VIEW_SIZE);
    return FTL_OK;
}

/* Texts lie column by column: index counts row by row. */
static size_t place_of(const srv_tensor *tensor, size_t index)
{
    return index % tensor->width * tensor->rows + index / tensor->width;
}

static ftl_status read_texts(const char *body, size_t at, size_t size, const srv_tensor *tensor,
                             char *views, ftl_error *error)
{
    size_t end = at + size, n = tensor->rows * tensor->width;
    for (size_t i = 0; i < n; i++) {
        uint32_t length;
        if (end - at < sizeof length)
            return FTL_FAIL(error, FTL_SHAPE, "the data ends at text %zu of %zu", i, n);
        memcpy(&length, body + at, sizeof length);
        at += sizeof length;
        if (length > end - at)
            return FTL_FAIL(error, FTL_SHAPE, "text %zu of %zu is longer than the data", i, n);
        FTL_TRY(put_view(views + place_of(tensor, i) * VIEW_SIZE, IN_BODY, at, body + at, length,
                         error));
        at += length;
    }
    if (at != end)
        return FTL_FAIL(error, FTL_SHAPE, "behind the %zu texts of the shape the data goes on", n);
    return FTL_OK;
}

ftl_status srv_tensor_read_bytes(ftl_arena *arena, const char *body, size_t at, size_t size,
                                 srv_tensor *tensor, ftl_error *error)
{
    size_t count, bytes;
    if (!ftl_mul_size(tensor->rows, tensor->width, &count))
        return FTL_FAIL(error, FTL_SHAPE, "the shape is larger than memory can be");
    if (tensor->type == FTL_STRING_VIEW) {
        void *views = NULL;
        if (count > size / sizeof(uint32_t))
            return FTL_FAIL(error, FTL_SHAPE, "the data has fewer texts than the shape");
        FTL_TRY(make_room(arena, tensor, &views, error));
        tensor->values = views;
        return read_texts(body, at, size, tensor, views, error);
    }
    if (!ftl_mul_size(count, ftl_type_size(tensor->type), &bytes) || bytes != size)
        return FTL_FAIL(error, FTL_SHAPE, "the data has %zu bytes, and the shape is of %zu values",
                        size, count);
    tensor->values = body + at;
    return FTL_OK;
}

/* ---- Numbers of JSON ------------------------------------------------------------------------- */

static ftl_status refuse_value(const ftl_json *json, const srv_tensor *tensor, ftl_error *error)
{
    static const char *const words[] = {"",       "an object", "",     "an array", "",    "",
                                        "a text", NULL,        "true", "false",    "null"};
    const char *word = words[json->token];
    const char *name = srv_datatype_name(tensor->type, false);
    if (word)
        return FTL_FAIL(error, FTL_VALUE, "%s is no value of %s", word, name);
    return FTL_FAIL(error, FTL_VALUE, "%.*s is no value of %s",
                    (int)(json->text_size < 40 ? json->text_size : 40), json->text, name);
}

/* The smallest and the largest value of an integer type but UINT64. */
static void range_of(ftl_type type, int64_t *least, int64_t *most)
{
    unsigned bits = (unsigned)(8 * ftl_type_size(type));
    bool is_signed = type == FTL_I8 || type == FTL_I16 || type == FTL_I32 || type == FTL_I64;
    *most = is_signed ? (int64_t)(UINT64_MAX >> (65 - bits)) : (int64_t)(UINT64_MAX >> (64 - bits));
    *least = is_signed ? -*most - 1 : 0;
}

/* Digits alone, up to 2^64 - 1. */
static bool parse_u64(const char *text, size_t size, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    *out = value;
    return size > 0;
}

/* A whole number within the type: 3, and 3.0 as programs without integers write it. */
static bool parse_integer(const char *text, size_t size, ftl_type type, uint64_t *out)
{
    int64_t integer, least = 0, most = INT64_MAX;
    double number;
    if (type == FTL_U64 && parse_u64(text, size, out))
        return true;
    if (type != FTL_U64)
        range_of(type, &least, &most);
    if (!ftl_parse_i64(text, size, &integer)) {
        if (!ftl_parse_f64(text, size, '.', &number) || !(fabs(number) <= 0x1p53) ||
            number != floor(number))
            return false;
        integer = (int64_t)number;
    }
    if (integer < least || integer > most)
        return false;
    *out = (uint64_t)integer;
    return true;
}

/* The nearest float16 of a float64, ties to even; infinite beyond its range. */
static uint16_t half_of(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value))
        return 0x7e00;
    if (size >= 65520)
        return (uint16_t)(sign | 0x7c00);
    if (size < 0x1p-14)
        return (uint16_t)(sign + (uint16_t)nearbyint(size * 0x1p24));
    int exponent;
    double fraction = frexp(size, &exponent);               /* 0.5 <= fraction < 1 */
    unsigned bits = (unsigned)nearbyint(fraction * 0x1p11); /* 1024 to 2048 */
    return (uint16_t)(sign + ((unsigned)(exponent + 13) << 10) + bits);
}

static void store_number(ftl_type type, void *values, size_t i, double number)
{
    if (type == FTL_F64)
        ((double *)values)[i] = number;
    else if (type == FTL_F32)
        ((float *)values)[i] = (float)number;
    else
        ((uint16_t *)values)[i] = half_of(number);
}

static void store_integer(ftl_type type, void *values, size_t i, uint64_t integer)
{
    size_t size = ftl_type_size(type);
    memcpy((char *)values + i * size, &integer, size); /* little-endian */
}

static bool is_float(ftl_type type)
{
    return type == FTL_F64 || type == FTL_F32 || type == FTL_F16;
}

/* ---- Arrays of JSON -------------------------------------------------------------------------- */

typedef struct reading {
    ftl_arena *arena;
    ftl_json *json;
    srv_tensor *tensor;
    srv_escaped *escaped;
    void *values;
    uint8_t *validity;
    size_t n, count;  /* values so far, and those of the shape */
    size_t row_began; /* nested: values before the array that is open */
    bool flat, nested;
} reading;

/* Nothing stands where a value belongs. */
static ftl_status take_null(reading *r, ftl_error *error)
{
    const srv_tensor *tensor = r->tensor;
    size_t bytes = tensor->rows / 8 + 1, place = place_of(tensor, r->n), row = place % tensor->rows;
    if (is_float(tensor->type)) {
        store_number(tensor->type, r->values, r->n, (double)NAN);
        return FTL_OK;
    }
    if (!r->validity) {
        r->validity = ftl_arena_array(r->arena, tensor->width, bytes);
        if (!r->validity)
            return FTL_OOM(error);
        memset(r->validity, 0xff, tensor->width * bytes);
    }
    r->validity[place / tensor->rows * bytes + row / 8] &= (uint8_t)~(1u << row % 8);
    if (tensor->type == FTL_STRING_VIEW)
        memset((char *)r->values + place * VIEW_SIZE, 0, VIEW_SIZE);
    else
        store_integer(tensor->type, r->values, r->n, 0);
    return FTL_OK;
}

static ftl_status take_text(reading *r, ftl_error *error)
{
    ftl_json *json = r->json;
    srv_escaped *escaped = r->escaped;
    char *view = (char *)r->values + place_of(r->tensor, r->n) * VIEW_SIZE;
    if (!json->escaped)
        return put_view(view, IN_BODY, (size_t)(json->text - json->data), json->text,
                        json->text_size, error);
    if (!escaped->room) { /* what is resolved is no longer than what is left of the JSON */
        escaped->room = json->size - json->at + json->text_size + 1;
        escaped->data = ftl_arena_alloc(r->arena, escaped->room);
        if (!escaped->data) {
            escaped->room = 0;
            return FTL_OOM(error);
        }
    }
    if (json->text_size > escaped->room - escaped->size)
        return FTL_FAIL(error, FTL_INTERNAL, "more escapes than were counted");
    char *text = escaped->data + escaped->size;
    size_t size = ftl_json_unescape(json->text, json->text_size, text);
    FTL_TRY(put_view(view, ESCAPED, escaped->size, text, size, error));
    escaped->size += size;
    return FTL_OK;
}

static ftl_status take_number(reading *r, ftl_error *error)
{
    ftl_json *json = r->json;
    ftl_type type = r->tensor->type;
    double number;
    uint64_t integer;
    if (is_float(type)) {
        FTL_TRY(ftl_json_f64(json, &number, error));
        store_number(type, r->values, r->n, number);
        return FTL_OK;
    }
    if (type == FTL_STRING_VIEW || !parse_integer(json->text, json->text_size, type, &integer) ||
        (type == FTL_BOOL && integer > 1))
        return refuse_value(json, r->tensor, error);
    store_integer(type, r->values, r->n, integer);
    return FTL_OK;
}

/* A value that is neither array nor object. */
static ftl_status take_value(reading *r, ftl_json_token token, ftl_error *error)
{
    ftl_type type = r->tensor->type;
    if (r->n == r->count)
        return FTL_FAIL(error, FTL_SHAPE, "there are more values than the shape has: %zu",
                        r->count);
    if (token == FTL_JSON_NUMBER)
        FTL_TRY(take_number(r, error));
    else if (token == FTL_JSON_NULL)
        FTL_TRY(take_null(r, error));
    else if (token == FTL_JSON_STRING && type == FTL_STRING_VIEW)
        FTL_TRY(take_text(r, error));
    else if ((token == FTL_JSON_TRUE || token == FTL_JSON_FALSE) && is_float(type))
        store_number(type, r->values, r->n, token == FTL_JSON_TRUE);
    else if ((token == FTL_JSON_TRUE || token == FTL_JSON_FALSE) && type != FTL_STRING_VIEW)
        store_integer(type, r->values, r->n, token == FTL_JSON_TRUE);
    else
        return refuse_value(r->json, r->tensor, error);
    r->n++;
    return FTL_OK;
}

/* As many plain numbers as stand there. */
static void take_plain(reading *r)
{
    double numbers[256];
    ftl_type type = r->tensor->type;
    while (is_float(type) && r->n < r->count) {
        size_t room = r->count - r->n, got;
        if (type == FTL_F64) {
            got = ftl_json_numbers(r->json, false, (double *)r->values + r->n, room);
        } else {
            got = ftl_json_numbers(r->json, false, numbers,
                                   room < FTL_ARRAY_LEN(numbers) ? room : FTL_ARRAY_LEN(numbers));
            for (size_t i = 0; i < got; i++)
                store_number(type, r->values, r->n + i, numbers[i]);
        }
        r->n += got;
        r->flat = r->flat || (got && !r->nested);
        if (!got || type == FTL_F64)
            return;
    }
}

/* An array inside the outer one is a row, or the only value of one. */
static ftl_status check_row(const reading *r, ftl_error *error)
{
    if (r->n - r->row_began == r->tensor->width)
        return FTL_OK;
    return FTL_FAIL(error, FTL_SHAPE, "row %zu has %zu values, and the shape %zu",
                    r->tensor->width ? r->row_began / r->tensor->width : 0, r->n - r->row_began,
                    r->tensor->width);
}

static ftl_status read_array(reading *r, ftl_error *error)
{
    for (uint32_t depth = 1; depth;) {
        ftl_json_token token;
        if (!r->nested || depth == 2)
            take_plain(r);
        FTL_TRY(ftl_json_next(r->json, &token, error));
        if (token == FTL_JSON_ARRAY) {
            if (depth == 2 || r->flat || r->tensor->rank == 1)
                return FTL_FAIL(error, FTL_SHAPE,
                                "the data is neither flat nor nested as the shape is");
            depth++;
            r->nested = true;
            r->row_began = r->n;
        } else if (token == FTL_JSON_ARRAY_END) {
            if (depth-- == 2)
                FTL_TRY(check_row(r, error));
        } else if (r->nested && depth == 1) {
            return FTL_FAIL(error, FTL_SHAPE,
                            "the data is neither flat nor nested as the shape is");
        } else {
            r->flat = r->flat || depth == 1;
            FTL_TRY(take_value(r, token, error));
        }
    }
    return FTL_OK;
}

ftl_status srv_tensor_read_json(ftl_arena *arena, ftl_json *json, srv_tensor *tensor,
                                srv_escaped *escaped, ftl_error *error)
{
    reading r = {.arena = arena, .json = json, .tensor = tensor, .escaped = escaped};
    /* each value takes a byte and a comma at least, so that a shape cannot ask for much */
    if (!ftl_mul_size(tensor->rows, tensor->width, &r.count) ||
        r.count > (json->size - json->at) / 2 + 1)
        return FTL_FAIL(error, FTL_SHAPE, "the shape has more values than the request");
    FTL_TRY(make_room(arena, tensor, &r.values, error));
    FTL_TRY(read_array(&r, error));
    if (r.n != r.count)
        return FTL_FAIL(error, FTL_SHAPE, "there are %zu values, and the shape has %zu", r.n,
                        r.count);
    tensor->values = r.values;
    tensor->validity = r.validity;
    return FTL_OK;
}
