#include "formats/xgboost_source.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

/* Marks in left[]: containers that end with a character of their own. */
static const uint64_t until_brace = UINT64_MAX, until_bracket = UINT64_MAX - 1;

void ftl_xgb_source_init(ftl_xgb_source *source, ftl_arena *arena, ftl_account *account,
                         const char *bytes, size_t size)
{
    *source = (ftl_xgb_source){
        .arena = arena, .account = account, .data = (const unsigned char *)bytes, .size = size};
    /* A key of UBJSON begins with the type of its length, one of JSON with a quote. */
    source->ubj = size >= 2 && bytes[0] == '{' && bytes[1] == 'L';
    ftl_json_init(&source->json, bytes, size, FTL_JSON_NONFINITE);
}

void ftl_xgb_source_free(ftl_xgb_source *source)
{
    ftl_free(source->account, source->buffer);
    ftl_free(source->account, source->wide);
    source->buffer = NULL;
    source->wide = NULL;
}

ftl_status ftl_xgb_broken(const ftl_xgb_source *source, const char *what, ftl_error *error)
{
    return FTL_FAIL_AT(error, FTL_CORRUPT, source->ubj ? source->at : source->json.at,
                       "the XGBoost model is damaged: %s", what);
}

/* ---- UBJSON ---------------------------------------------------------------------------------- */

static bool take(ftl_xgb_source *source, size_t n, const unsigned char **out)
{
    if (n > source->size - source->at)
        return false;
    *out = source->data + source->at;
    source->at += n;
    return true;
}

static uint64_t big_endian(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Bytes of a number of that type; 0: it is none. */
static size_t number_size(char type)
{
    switch (type) {
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
    case 'u':
        return 2;
    case 'l':
    case 'd':
    case 'm':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

/* One number at bytes, as integer when its type is one. */
static double number_at(const unsigned char *bytes, char type, int64_t *integer, bool *is_integer)
{
    uint64_t bits = big_endian(bytes, number_size(type));
    uint32_t narrow = (uint32_t)bits;
    float single;
    double wide;
    *is_integer = type != 'd' && type != 'D';
    *integer = 0;
    if (type == 'd') {
        memcpy(&single, &narrow, sizeof single);
        return (double)single;
    }
    if (type == 'D') {
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
    *integer = type == 'i' || type == 'C' ? (int8_t)bits
               : type == 'I'              ? (int16_t)bits
               : type == 'l'              ? (int32_t)bits
                                          : (int64_t)bits;
    return (double)*integer;
}

/* 'L' and a count that is not negative. */
static bool take_count(ftl_xgb_source *source, uint64_t *out)
{
    const unsigned char *bytes;
    if (!take(source, 9, &bytes) || bytes[0] != 'L')
        return false;
    *out = big_endian(bytes + 1, 8);
    return *out <= INT64_MAX;
}

static ftl_status take_text(ftl_xgb_source *source, ftl_error *error)
{
    uint64_t n;
    const unsigned char *bytes;
    if (!take_count(source, &n) || n > SIZE_MAX || !take(source, (size_t)n, &bytes))
        return ftl_xgb_broken(source, "a text is longer than the file", error);
    source->text = (const char *)bytes;
    source->text_size = (size_t)n;
    return FTL_OK;
}

static ftl_status push(ftl_xgb_source *source, uint64_t left, ftl_error *error)
{
    if (source->depth == FTL_JSON_MAX_DEPTH)
        return FTL_FAIL_AT(error, FTL_LIMIT, source->at, "the model is nested more than %d deep",
                           (int)FTL_JSON_MAX_DEPTH);
    source->left[source->depth++] = left;
    return FTL_OK;
}

static unsigned char peek(const ftl_xgb_source *source)
{
    return source->at < source->size ? source->data[source->at] : 0;
}

static ftl_status begin_array(ftl_xgb_source *source, ftl_error *error)
{
    const unsigned char *type = NULL;
    uint64_t count = until_bracket;
    source->token = FTL_JSON_ARRAY;
    if (peek(source) == '$') {
        source->at++;
        if (!take(source, 1, &type) || number_size((char)*type) == 0)
            return ftl_xgb_broken(source, "an array has numbers of an unknown type", error);
    }
    if (peek(source) == '#') {
        source->at++;
        if (!take_count(source, &count))
            return ftl_xgb_broken(source, "an array has no length", error);
    }
    if (!type)
        return push(source, count, error);
    if (count == until_bracket || count > (source->size - source->at) / number_size((char)*type))
        return ftl_xgb_broken(source, "an array is longer than the file", error);
    source->array_type = (char)*type;
    source->array_count = count;
    return FTL_OK;
}

static ftl_status ubj_value(ftl_xgb_source *source, ftl_error *error)
{
    const unsigned char *bytes;
    if (!take(source, 1, &bytes))
        return ftl_xgb_broken(source, "it ends too early", error);
    char type = (char)*bytes;
    size_t n = number_size(type);
    if (n) {
        if (!take(source, n, &bytes))
            return ftl_xgb_broken(source, "it ends too early", error);
        source->number = number_at(bytes, type, &source->integer, &source->is_integer);
        source->token = FTL_JSON_NUMBER;
        return FTL_OK;
    }
    switch (type) {
    case '{':
        source->token = FTL_JSON_OBJECT;
        return push(source, until_brace, error);
    case '[':
        return begin_array(source, error);
    case 'S':
        source->token = FTL_JSON_STRING;
        return take_text(source, error);
    case 'T':
    case 'F':
        source->token = type == 'T' ? FTL_JSON_TRUE : FTL_JSON_FALSE;
        return FTL_OK;
    case 'Z':
        source->token = FTL_JSON_NULL;
        return FTL_OK;
    default:
        source->at--;
        return ftl_xgb_broken(source, "a value has an unknown type", error);
    }
}

/* Raw numbers that nobody took. */
static void drop_raw(ftl_xgb_source *source)
{
    source->at += (size_t)source->array_count * number_size(source->array_type);
    source->array_type = 0;
}

static ftl_status ubj_next(ftl_xgb_source *source, ftl_error *error)
{
    if (source->array_type) {
        drop_raw(source);
        source->token = FTL_JSON_ARRAY_END;
        return FTL_OK;
    }
    if (source->depth == 0 && source->at > 0) {
        source->token = FTL_JSON_DONE;
        return FTL_OK;
    }
    if (source->depth == 0 || source->token == FTL_JSON_KEY)
        return ubj_value(source, error);
    uint64_t *left = &source->left[source->depth - 1];
    if (*left == until_brace && peek(source) != '}') {
        source->token = FTL_JSON_KEY;
        return take_text(source, error);
    }
    if (*left == until_brace || (*left == until_bracket && peek(source) == ']') || *left == 0) {
        source->token = *left == until_brace ? FTL_JSON_OBJECT_END : FTL_JSON_ARRAY_END;
        source->at += *left != 0;
        source->depth--;
        return FTL_OK;
    }
    *left -= *left != until_bracket;
    return ubj_value(source, error);
}

/* ---- Tokens of both -------------------------------------------------------------------------- */

static ftl_status json_next(ftl_xgb_source *source, ftl_error *error)
{
    FTL_TRY(ftl_json_next(&source->json, &source->token, error));
    source->depth = source->json.depth;
    if (source->token != FTL_JSON_NUMBER)
        return FTL_OK;
    source->is_integer = ftl_json_i64(&source->json, &source->integer, NULL) == FTL_OK;
    return ftl_json_f64(&source->json, &source->number, error);
}

ftl_status ftl_xgb_next(ftl_xgb_source *source, ftl_error *error)
{
    return source->ubj ? ubj_next(source, error) : json_next(source, error);
}

ftl_status ftl_xgb_expect(ftl_xgb_source *source, ftl_json_token token, ftl_error *error)
{
    FTL_TRY(ftl_xgb_next(source, error));
    if (source->token != token)
        return ftl_xgb_broken(source, "a value has another type than expected", error);
    return FTL_OK;
}

ftl_status ftl_xgb_skip(ftl_xgb_source *source, ftl_error *error)
{
    uint32_t depth = source->depth;
    FTL_TRY(ftl_xgb_next(source, error));
    if (source->array_type) {
        drop_raw(source);
        source->token = FTL_JSON_ARRAY_END;
    }
    if (!source->ubj) {
        FTL_TRY(ftl_json_skip(&source->json, error));
        source->depth = source->json.depth;
    }
    while (source->depth > depth)
        FTL_TRY(ftl_xgb_next(source, error));
    return FTL_OK;
}

ftl_status ftl_xgb_member(ftl_xgb_source *source, bool *more, ftl_error *error)
{
    FTL_TRY(ftl_xgb_next(source, error));
    *more = source->token == FTL_JSON_KEY;
    if (!*more && source->token != FTL_JSON_OBJECT_END)
        return ftl_xgb_broken(source, "the name of a member is missing", error);
    return FTL_OK;
}

ftl_status ftl_xgb_element(ftl_xgb_source *source, bool *more, ftl_error *error)
{
    FTL_TRY(ftl_xgb_next(source, error));
    *more = source->token != FTL_JSON_ARRAY_END;
    return FTL_OK;
}

bool ftl_xgb_is(const ftl_xgb_source *source, const char *text)
{
    if (!source->ubj)
        return ftl_json_is(&source->json, text);
    size_t n = strlen(text);
    return (source->token == FTL_JSON_KEY || source->token == FTL_JSON_STRING) &&
           source->text_size == n && memcmp(source->text, text, n) == 0;
}

/* ---- Whole values ---------------------------------------------------------------------------- */

static ftl_status copy_text(ftl_xgb_source *source, const char **out, size_t *size,
                            ftl_error *error)
{
    if (source->token != FTL_JSON_STRING)
        return ftl_xgb_broken(source, "a text is missing", error);
    if (!source->ubj)
        return ftl_json_copy(&source->json, source->arena, out, size, error);
    const char *copy = ftl_arena_string(source->arena, source->text, source->text_size);
    if (!copy)
        return FTL_OOM(error);
    *out = copy;
    if (size)
        *size = source->text_size;
    return FTL_OK;
}

ftl_status ftl_xgb_text(ftl_xgb_source *source, const char **out, size_t *size, ftl_error *error)
{
    FTL_TRY(ftl_xgb_next(source, error));
    return copy_text(source, out, size, error);
}

ftl_status ftl_xgb_int(ftl_xgb_source *source, int32_t *out, ftl_error *error)
{
    FTL_TRY(ftl_xgb_next(source, error));
    int64_t value = source->integer;
    bool good = source->token == FTL_JSON_NUMBER && source->is_integer;
    if (source->token == FTL_JSON_STRING) {
        const char *text = source->ubj ? source->text : source->json.text;
        size_t size = source->ubj ? source->text_size : source->json.text_size;
        good = ftl_parse_i64(text, size, &value);
    }
    if (!good || value < INT32_MIN || value > INT32_MAX)
        return ftl_xgb_broken(source, "an integer is missing, or it is too large", error);
    *out = (int32_t)value;
    return FTL_OK;
}

/* Numbers of a JSON array in its plainest form go to the buffer many at a time. */
static ftl_status read_plain(ftl_xgb_source *source, bool whole, size_t *n, ftl_error *error)
{
    enum { many = 256 };
    for (size_t got = many; got == many && !source->ubj; *n += got) {
        FTL_TRY(ftl_grow(source->account, &source->buffer, &source->room, *n + many,
                         sizeof *source->buffer, error));
        got = ftl_json_numbers(&source->json, whole, source->buffer + *n, many);
        for (size_t i = 0; i < got && whole; i++) {
            double value = source->buffer[*n + i];
            if (value < INT32_MIN || value > INT32_MAX)
                return ftl_xgb_broken(source, "an integer is missing, or it is too large", error);
        }
    }
    return FTL_OK;
}

static bool is_wide(int64_t value)
{
    return value > (int64_t)1 << 53 || value < -((int64_t)1 << 53);
}

static ftl_status note_wide(ftl_xgb_source *source, size_t at, ftl_error *error)
{
    FTL_TRY(ftl_grow(source->account, &source->wide, &source->wide_room, source->n_wide + 1,
                     sizeof *source->wide, error));
    source->wide[source->n_wide++] = (struct ftl_xgb_wide){source->integer, at};
    return FTL_OK;
}

/* All numbers of the next value to buffer. whole: they must be integers of 32 bits. */
static ftl_status read_numbers(ftl_xgb_source *source, bool whole, size_t *count, ftl_error *error)
{
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_ARRAY, error));
    size_t n = 0;
    source->n_wide = 0;
    const unsigned char *raw = NULL;
    char type = source->array_type;
    uint64_t left = source->array_count;
    if (type) {
        (void)take(source, (size_t)left * number_size(type), &raw); /* checked at the beginning */
        source->array_type = 0;
        source->token = FTL_JSON_ARRAY_END;
        FTL_TRY(ftl_grow(source->account, &source->buffer, &source->room, (size_t)left,
                         sizeof *source->buffer, error));
    }
    for (;;) {
        if (type) {
            if (left-- == 0)
                break;
            source->number = number_at(raw, type, &source->integer, &source->is_integer);
            raw += number_size(type);
        } else {
            FTL_TRY(read_plain(source, whole, &n, error));
            FTL_TRY(ftl_xgb_next(source, error));
            if (source->token == FTL_JSON_ARRAY_END)
                break;
            bool boolean = source->token == FTL_JSON_TRUE || source->token == FTL_JSON_FALSE;
            if (boolean) {
                source->integer = source->token == FTL_JSON_TRUE;
                source->number = (double)source->integer;
                source->is_integer = true;
            } else if (source->token != FTL_JSON_NUMBER)
                return ftl_xgb_broken(source, "a number is missing", error);
            FTL_TRY(ftl_grow(source->account, &source->buffer, &source->room, n + 1,
                             sizeof *source->buffer, error));
        }
        if (whole &&
            (!source->is_integer || source->integer < INT32_MIN || source->integer > INT32_MAX))
            return ftl_xgb_broken(source, "an integer is missing, or it is too large", error);
        if (source->is_integer && is_wide(source->integer))
            FTL_TRY(note_wide(source, n, error));
        source->buffer[n++] = source->number;
    }
    *count = n;
    return FTL_OK;
}

ftl_status ftl_xgb_read_ints(ftl_xgb_source *source, ftl_xgb_ints *out, ftl_error *error)
{
    size_t n = 0;
    FTL_TRY(read_numbers(source, true, &n, error));
    int32_t *data = ftl_arena_array(source->arena, n, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        data[i] = (int32_t)source->buffer[i];
    *out = (ftl_xgb_ints){data, n};
    return FTL_OK;
}

ftl_status ftl_xgb_read_floats(ftl_xgb_source *source, ftl_xgb_floats *out, ftl_error *error)
{
    size_t n = 0;
    FTL_TRY(read_numbers(source, false, &n, error));
    float *data = ftl_arena_array(source->arena, n, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        data[i] = (float)source->buffer[i];
    *out = (ftl_xgb_floats){data, n};
    return FTL_OK;
}

static ftl_status read_doubles(ftl_xgb_source *source, double **out, size_t *size, ftl_error *error)
{
    size_t n = 0;
    FTL_TRY(read_numbers(source, false, &n, error));
    double *data = ftl_arena_array(source->arena, n, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    if (n)
        memcpy(data, source->buffer, n * sizeof *data);
    *out = data;
    *size = n;
    return FTL_OK;
}

ftl_status ftl_xgb_read_integers(ftl_xgb_source *source, double **out, int64_t **integers,
                                 size_t *size, ftl_error *error)
{
    FTL_TRY(read_doubles(source, out, size, error));
    *integers = NULL;
    if (source->n_wide == 0)
        return FTL_OK;
    int64_t *exact = ftl_arena_array(source->arena, *size, sizeof *exact);
    if (!exact)
        return FTL_OOM(error);
    for (size_t i = 0; i < *size; i++)
        exact[i] = fabs((*out)[i]) <= 0x1p53 ? (int64_t)(*out)[i] : 0;
    for (size_t i = 0; i < source->n_wide; i++)
        exact[source->wide[i].at] = source->wide[i].value;
    *integers = exact;
    return FTL_OK;
}

void *ftl_xgb_one_more(ftl_xgb_source *source, void *items, size_t n, size_t *room,
                       size_t item_size)
{
    if (n < *room)
        return items;
    size_t wanted = *room ? *room * 2 : 16;
    void *bigger = wanted > *room ? ftl_arena_zero_array(source->arena, wanted, item_size) : NULL;
    if (!bigger)
        return NULL;
    if (n)
        memcpy(bigger, items, n * item_size);
    *room = wanted;
    return bigger;
}

/* A list of texts grows in the arena: few and short. */
ftl_status ftl_xgb_read_texts(ftl_xgb_source *source, ftl_xgb_texts *out, ftl_error *error)
{
    const char **data = NULL;
    size_t n = 0, room = 0;
    FTL_TRY(ftl_xgb_expect(source, FTL_JSON_ARRAY, error));
    for (;;) {
        bool more = false;
        FTL_TRY(ftl_xgb_element(source, &more, error));
        if (!more)
            break;
        data = ftl_xgb_one_more(source, data, n, &room, sizeof *data);
        if (!data)
            return FTL_OOM(error);
        FTL_TRY(copy_text(source, &data[n], NULL, error));
        n++;
    }
    *out = (ftl_xgb_texts){data, n};
    return FTL_OK;
}
