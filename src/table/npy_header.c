#include "table/npy_header.h"

#include <string.h>

/* The dictionary is a Python literal with three keys: 'descr', 'fortran_order' and 'shape'. */
typedef struct reader {
    const char *p, *end;
} reader;

static ftl_status damaged(ftl_error *error, const char *what)
{
    return FTL_FAIL(error, FTL_CORRUPT, "the .npy header is damaged: %s", what);
}

ftl_status ftl_npy_header_size(const uint8_t *data, size_t size, size_t *text, size_t *out,
                               ftl_error *error)
{
    if (size < 10)
        return damaged(error, "the file ends inside it");
    if (data[6] < 1 || data[6] > 3)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "version %u.%u of the .npy format; versions 1 to 3 are read", data[6],
                        data[7]);
    size_t length = (size_t)data[8] | (size_t)data[9] << 8;
    *text = 10;
    if (data[6] >= 2) {
        if (size < 12)
            return damaged(error, "the file ends inside it");
        length |= (size_t)data[10] << 16 | (size_t)data[11] << 24;
        *text = 12;
    }
    if (length > FTL_NPY_HEADER_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "the .npy header has %zu bytes, the most is %d", length,
                        FTL_NPY_HEADER_LIMIT);
    *out = *text + length;
    return FTL_OK;
}

static void skip_spaces(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static bool take(reader *r, char c)
{
    skip_spaces(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool take_word(reader *r, const char *word)
{
    size_t size = strlen(word);
    skip_spaces(r);
    if ((size_t)(r->end - r->p) < size || memcmp(r->p, word, size) != 0)
        return false;
    r->p += size;
    return true;
}

/* A quoted string without escapes. */
static bool take_string(reader *r, const char **text, size_t *size)
{
    skip_spaces(r);
    if (r->p == r->end || (*r->p != '\'' && *r->p != '"'))
        return false;
    const char *begin = r->p + 1;
    const char *close = memchr(begin, *r->p, (size_t)(r->end - begin));
    if (!close || memchr(begin, '\\', (size_t)(close - begin)))
        return false;
    *text = begin;
    *size = (size_t)(close - begin);
    r->p = close + 1;
    return true;
}

static bool take_length(reader *r, uint64_t *out)
{
    skip_spaces(r);
    const char *begin = r->p;
    uint64_t value = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*r->p - '0'), &value))
            return false;
    }
    bool any = r->p > begin;
    take(r, 'L'); /* Python 2 wrote long integers so */
    *out = value;
    return any && value <= INT64_MAX;
}

static ftl_status parse_shape(reader *r, ftl_npy_header *out, ftl_error *error)
{
    out->n_dimensions = 0;
    if (!take(r, '('))
        return damaged(error, "the shape is no tuple");
    while (!take(r, ')')) {
        if (out->n_dimensions == FTL_NPY_DIMENSIONS ||
            !take_length(r, &out->shape[out->n_dimensions]))
            return damaged(error, "the shape is no tuple of sizes");
        out->n_dimensions++;
        if (!take(r, ',')) {
            if (!take(r, ')') || out->n_dimensions == 1) /* (5) is no tuple */
                return damaged(error, "the shape is no tuple of sizes");
            break;
        }
    }
    return FTL_OK;
}

static ftl_status parse_type(reader *r, ftl_npy_header *out, ftl_error *error)
{
    const char *text;
    size_t size;
    skip_spaces(r);
    if (r->p < r->end && *r->p == '[')
        return FTL_FAIL(
            error, FTL_UNSUPPORTED,
            "a .npy file of records (a structured dtype); save a plain array of numbers");
    if (!take_string(r, &text, &size) || size < 2)
        return damaged(error, "the dtype is no string");
    char order = text[0], kind = text[1];
    bool known = size == 3 && (order == '<' || order == '>' || order == '|' || order == '=');
    unsigned width = known ? (unsigned char)text[2] - (unsigned)'0' : 0;
    bool integer = (kind == 'i' || kind == 'u') &&
                   (width == 1 || width == 2 || width == 4 || width == 8);
    bool real = kind == 'f' && (width == 4 || width == 8);
    if (!known || !(integer || real || (kind == 'b' && width == 1)))
        return FTL_FAIL(
            error, FTL_UNSUPPORTED,
            "a .npy file of dtype '%.*s'%s; float64, float32, integers and bool are read",
            (int)(size < 32 ? size : 32), text,
            kind == 'U' || kind == 'S' ? " (text)"
            : kind == 'O'              ? " (Python objects)"
                                       : "");
    out->kind = kind;
    out->width = width;
    char native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    out->swapped = width > 1 && order != native && order != '=' && order != '|';
    return FTL_OK;
}

ftl_status ftl_npy_header_parse(const char *text, size_t size, ftl_npy_header *out,
                                ftl_error *error)
{
    enum { TYPE = 1, ORDER = 2, SHAPE = 4, ALL = 7 };
    reader r = {text, text + size};
    unsigned seen = 0;
    *out = (ftl_npy_header){0};
    if (!take(&r, '{'))
        return damaged(error, "it is no dictionary");
    while (!take(&r, '}')) {
        const char *key;
        size_t key_size;
        if (!take_string(&r, &key, &key_size) || !take(&r, ':'))
            return damaged(error, "it is no dictionary");
        unsigned field;
        if (key_size == 5 && memcmp(key, "descr", 5) == 0) {
            field = TYPE;
            FTL_TRY(parse_type(&r, out, error));
        } else if (key_size == 13 && memcmp(key, "fortran_order", 13) == 0) {
            field = ORDER;
            out->fortran_order = take_word(&r, "True");
            if (!out->fortran_order && !take_word(&r, "False"))
                return damaged(error, "fortran_order is neither True nor False");
        } else if (key_size == 5 && memcmp(key, "shape", 5) == 0) {
            field = SHAPE;
            FTL_TRY(parse_shape(&r, out, error));
        } else {
            return damaged(error, "it has a key that the format does not know");
        }
        if (seen & field)
            return damaged(error, "it has a key twice");
        seen |= field;
        if (!take(&r, ',') && !take(&r, '}'))
            return damaged(error, "it is no dictionary");
        if (r.p[-1] == '}')
            break;
    }
    skip_spaces(&r);
    if (seen != ALL || r.p != r.end)
        return damaged(error, "its three keys are not all there, or something follows them");
    return FTL_OK;
}
