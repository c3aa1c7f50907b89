#include "io/json.h"

#include "base/number.h"
#include "base/utf8.h"
#include "io/json_scan.h"

#include <string.h>

/* What may come next. */
enum {
    EXPECT_VALUE,        /* at the beginning, behind a colon */
    EXPECT_FIRST_VALUE,  /* behind [: or its end */
    EXPECT_FIRST_KEY,    /* behind {: or its end */
    EXPECT_COMMA_OR_END, /* behind a value in a container */
    EXPECT_NOTHING       /* behind the outermost value */
};

void ftl_json_init(ftl_json *json, const char *data, size_t size, unsigned options)
{
    *json = (ftl_json){.data = data, .size = size, .options = options};
}

static ftl_status broken(const ftl_json *json, const char *what, ftl_error *error)
{
    return FTL_FAIL_AT(error, FTL_CORRUPT, json->at, "the JSON is damaged: %s", what);
}

static void skip_space(ftl_json *json)
{
    while (json->at < json->size) {
        char c = json->data[json->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
        json->at++;
    }
}

/* The next character, or 0 at the end: NUL is no character of JSON outside of strings. */
static char peek(const ftl_json *json) { return json->at < json->size ? json->data[json->at] : 0; }

static bool inside_object(const ftl_json *json)
{
    uint32_t d = json->depth - 1;
    return json->depth && (json->objects[d >> 3] >> (d & 7) & 1);
}

static void after_value(ftl_json *json)
{
    json->expects = json->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

/* ---- Strings --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u; -1 when they are none. */
static int hex4(const char *text, size_t size)
{
    int value = 0;
    if (size < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The size of the escape at text, which begins with a backslash; 0 when it is none. */
static size_t escape_length(const char *text, size_t size)
{
    if (size < 2)
        return 0;
    if (text[1] == 'u')
        return hex4(text + 2, size - 2) >= 0 ? 6 : 0;
    return strchr("\"\\/bfnrt", text[1]) && text[1] ? 2 : 0;
}

/* A string whose opening quote is at `at`. */
static ftl_status scan_string(ftl_json *json, ftl_error *error)
{
    json->at++;
    json->text = json->data + json->at;
    json->escaped = false;
    size_t first = json->at;
    for (;;) {
        if (json->at == json->size)
            return broken(json, "a text does not end", error);
        unsigned char c = (unsigned char)json->data[json->at];
        size_t n = 1, left = json->size - json->at;
        if (c == '"')
            break;
        if (c == '\\') {
            n = escape_length(json->data + json->at, left);
            json->escaped = true;
        } else if (c >= 0x80)
            n = ftl_utf8_length(json->data + json->at, left);
        if (n == 0 || c < 0x20)
            return broken(json, "a text holds a character that it may not hold", error);
        json->at += n;
    }
    json->text_size = json->at - first;
    json->at++;
    return FTL_OK;
}

/* One character or escape of a scanned text: its bytes to out (at most 4), its size is returned. */
static size_t decode_one(const char *text, size_t size, char out[4], size_t *n)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    *n = 1;
    out[0] = text[0];
    if (text[0] != '\\')
        return 1;
    if (text[1] != 'u') {
        out[0] = meant[strchr(plain, text[1]) - plain];
        return 2;
    }
    uint32_t c = (uint32_t)hex4(text + 2, size - 2), used = 6;
    bool pair = c >= 0xd800 && c < 0xdc00 && size >= 12 && text[6] == '\\' && text[7] == 'u';
    uint32_t low = pair ? (uint32_t)hex4(text + 8, size - 8) : 0;
    if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        used = 12;
    } else if (c >= 0xd800 && c < 0xe000)
        c = 0xfffd;
    *n = ftl_utf8_put(c, out);
    return used;
}

size_t ftl_json_unescape(const char *text, size_t size, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        char bytes[4];
        size_t n;
        i += decode_one(text + i, size - i, bytes, &n);
        memcpy(out + used, bytes, n);
        used += n;
    }
    return used;
}

bool ftl_json_is(const ftl_json *json, const char *text)
{
    size_t size = strlen(text), at = 0;
    if (json->token != FTL_JSON_KEY && json->token != FTL_JSON_STRING)
        return false;
    if (!json->escaped)
        return size == json->text_size && memcmp(text, json->text, size) == 0;
    for (size_t i = 0; i < json->text_size;) {
        char bytes[4];
        size_t n;
        i += decode_one(json->text + i, json->text_size - i, bytes, &n);
        if (n > size - at || memcmp(text + at, bytes, n) != 0)
            return false;
        at += n;
    }
    return at == size;
}

ftl_status ftl_json_copy(const ftl_json *json, ftl_arena *arena, const char **text, size_t *size,
                         ftl_error *error)
{
    if (json->token != FTL_JSON_KEY && json->token != FTL_JSON_STRING)
        return broken(json, "a text is missing", error);
    /* An escape is never shorter than what it stands for. */
    char *copy = ftl_arena_string(arena, json->text, json->text_size);
    if (!copy)
        return FTL_OOM(error);
    size_t used = json->text_size;
    if (json->escaped) {
        used = ftl_json_unescape(json->text, json->text_size, copy);
        copy[used] = '\0';
    }
    *text = copy;
    if (size)
        *size = used;
    return FTL_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static size_t digits(const ftl_json *json, size_t at)
{
    size_t first = at;
    while (at < json->size && json->data[at] >= '0' && json->data[at] <= '9')
        at++;
    return at - first;
}

static bool scan_word(ftl_json *json, size_t at, const char *word)
{
    size_t n = strlen(word);
    if (json->size - at < n || memcmp(json->data + at, word, n) != 0)
        return false;
    json->at = at + n;
    return true;
}

static ftl_status scan_number(ftl_json *json, ftl_error *error)
{
    size_t at = json->at, first = at, n;
    at += json->data[at] == '-';
    json->text = json->data + first;
    bool nonfinite = (json->options & FTL_JSON_NONFINITE) &&
                     (scan_word(json, at, "Infinity") ||
                      (at == first && scan_word(json, at, "NaN")));
    if (nonfinite) {
        json->text_size = json->at - first;
        return FTL_OK;
    }
    n = digits(json, at);
    if (n == 0 || (n > 1 && json->data[at] == '0'))
        return broken(json, "a value is missing, or a number is malformed", error);
    at += n;
    if (at < json->size && json->data[at] == '.') {
        n = digits(json, at + 1);
        if (n == 0)
            return broken(json, "a number is malformed", error);
        at += 1 + n;
    }
    if (at < json->size && (json->data[at] == 'e' || json->data[at] == 'E')) {
        at++;
        at += at < json->size && (json->data[at] == '+' || json->data[at] == '-');
        n = digits(json, at);
        if (n == 0)
            return broken(json, "a number is malformed", error);
        at += n;
    }
    json->text_size = at - first;
    json->at = at;
    return FTL_OK;
}

ftl_status ftl_json_f64(const ftl_json *json, double *out, ftl_error *error)
{
    if (json->token != FTL_JSON_NUMBER || !ftl_parse_f64(json->text, json->text_size, '.', out))
        return broken(json, "a number is missing", error);
    return FTL_OK;
}

ftl_status ftl_json_i64(const ftl_json *json, int64_t *out, ftl_error *error)
{
    if (json->token != FTL_JSON_NUMBER || !ftl_parse_i64(json->text, json->text_size, out))
        return broken(json, "an integer is missing", error);
    return FTL_OK;
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { MOST_DIGITS = 19 }; /* that fit 64 bits, whatever they are */

/* Digits at `at`, appended to *value; more than fit are counted alone. The position behind. */
static inline const char *plain_digits(const char *at, const char *end, uint64_t *value,
                                       int *n_digits)
{
    const char *first = at;
    while (at < end && (unsigned char)(*at - '0') < 10)
        *value = *value * 10 + (uint64_t)(*at++ - '0');
    *n_digits = (int)(at - first < 100 ? at - first : 100);
    return at;
}

/*
 * A number of the plainest form at `at`; NULL when it is none. Where digits and power are both
 * exact doubles, their product or quotient is rounded once, as strtod rounds (Clinger 1990).
 */
static const char *plain_number(const char *at, const char *end, bool whole, double *out)
{
    uint64_t value = 0;
    int n = 0, n_fraction = 0, exponent = 0;
    bool negative = at < end && *at == '-', integer = true;
    const char *digits_at = at + negative;
    at = plain_digits(digits_at, end, &value, &n);
    if (n == 0 || n > MOST_DIGITS || (n > 1 && *digits_at == '0'))
        return NULL;
    if (!whole && at < end && *at == '.') {
        integer = false;
        at = plain_digits(at + 1, end, &value, &n_fraction);
        if (n_fraction == 0 || n + n_fraction > MOST_DIGITS)
            return NULL;
    }
    if (!whole && at < end && (*at | 0x20) == 'e') {
        bool down = end - at > 1 && at[1] == '-';
        uint64_t size = 0;
        integer = false;
        at = plain_digits(at + 1 + (down || (end - at > 1 && at[1] == '+')), end, &size, &n);
        if (n == 0 || n > 3)
            return NULL;
        exponent = down ? -(int)size : (int)size;
    }
    exponent -= n_fraction;
    bool exact = value >> 53 == 0 && exponent >= -22 && exponent <= 22;
    if (integer && !exact) /* who reads it may want all of its digits */
        return NULL;
    double number = !exact         ? ftl_f64_scale(value, exponent)
                    : exponent < 0 ? (double)value / exact_powers[-exponent]
                                   : (double)value * exact_powers[exponent];
    *out = negative ? -number : number;
    return at;
}

size_t ftl_json_numbers(ftl_json *json, bool whole, double *out, size_t room)
{
    bool first = json->expects == EXPECT_FIRST_VALUE;
    if (!json->depth || inside_object(json) || (!first && json->expects != EXPECT_COMMA_OR_END))
        return 0;
    const char *end = json->data + json->size;
    size_t n = 0;
    while (n < room) {
        const char *at = json->data + json->at;
        if (!first && (at == end || *at++ != ','))
            break;
        at += !first && at < end && *at == ' '; /* as Python puts one behind each comma */
        const char *behind = plain_number(at, end, whole, &out[n]);
        if (!behind || behind == end || (*behind != ',' && *behind != ']'))
            break;
        json->text = at;
        json->text_size = (size_t)(behind - at);
        json->at = (size_t)(behind - json->data);
        first = false;
        n++;
    }
    if (n) {
        json->token = FTL_JSON_NUMBER;
        after_value(json);
    }
    return n;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static ftl_status open_container(ftl_json *json, bool object, ftl_error *error)
{
    uint32_t d = json->depth;
    if (d == FTL_JSON_MAX_DEPTH)
        return FTL_FAIL_AT(error, FTL_LIMIT, json->at, "the JSON is nested more than %d deep",
                           (int)FTL_JSON_MAX_DEPTH);
    json->at++;
    uint8_t bit = (uint8_t)(1u << (d & 7));
    json->objects[d >> 3] = (uint8_t)(object ? json->objects[d >> 3] | bit
                                             : json->objects[d >> 3] & ~bit);
    json->depth = d + 1;
    json->expects = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
    json->token = object ? FTL_JSON_OBJECT : FTL_JSON_ARRAY;
    return FTL_OK;
}

static void close_container(ftl_json *json)
{
    json->at++;
    json->token = inside_object(json) ? FTL_JSON_OBJECT_END : FTL_JSON_ARRAY_END;
    json->depth--;
    after_value(json);
}

static ftl_status scan_value(ftl_json *json, ftl_error *error)
{
    static const struct {
        const char *word;
        ftl_json_token token;
    } words[] = {{"true", FTL_JSON_TRUE}, {"false", FTL_JSON_FALSE}, {"null", FTL_JSON_NULL}};
    char c = peek(json);
    if (c == '{' || c == '[')
        return open_container(json, c == '{', error);
    if (c == '"') {
        FTL_TRY(scan_string(json, error));
        json->token = FTL_JSON_STRING;
        after_value(json);
        return FTL_OK;
    }
    for (size_t i = 0; i < FTL_ARRAY_LEN(words); i++) {
        if (c == words[i].word[0] && scan_word(json, json->at, words[i].word)) {
            json->token = words[i].token;
            after_value(json);
            return FTL_OK;
        }
    }
    if (c == 0)
        return broken(json, json->at < json->size ? "it holds a NUL" : "it ends too early", error);
    FTL_TRY(scan_number(json, error));
    json->token = FTL_JSON_NUMBER;
    after_value(json);
    return FTL_OK;
}

static ftl_status scan_key(ftl_json *json, ftl_error *error)
{
    if (peek(json) != '"')
        return broken(json, "the name of a member is missing", error);
    FTL_TRY(scan_string(json, error));
    skip_space(json);
    if (peek(json) != ':')
        return broken(json, "there is no colon behind a name", error);
    json->at++;
    json->token = FTL_JSON_KEY;
    json->expects = EXPECT_VALUE;
    return FTL_OK;
}

static ftl_status scan(ftl_json *json, ftl_error *error)
{
    skip_space(json);
    char c = peek(json), end = inside_object(json) ? '}' : ']';
    switch (json->expects) {
    case EXPECT_NOTHING:
        if (json->at < json->size)
            return broken(json, "something follows its end", error);
        json->token = FTL_JSON_DONE;
        return FTL_OK;
    case EXPECT_COMMA_OR_END:
        if (c == end) {
            close_container(json);
            return FTL_OK;
        }
        if (c != ',')
            return broken(json, "a comma is missing", error);
        json->at++;
        skip_space(json);
        return end == '}' ? scan_key(json, error) : scan_value(json, error);
    case EXPECT_FIRST_KEY:
    case EXPECT_FIRST_VALUE:
        if (c == end) {
            close_container(json);
            return FTL_OK;
        }
        return end == '}' ? scan_key(json, error) : scan_value(json, error);
    default:
        return scan_value(json, error);
    }
}

ftl_status ftl_json_next(ftl_json *json, ftl_json_token *token, ftl_error *error)
{
    FTL_TRY(scan(json, error));
    *token = json->token;
    return FTL_OK;
}

ftl_status ftl_json_pass(ftl_json *json, ftl_error *error)
{
    if (json->token != FTL_JSON_OBJECT && json->token != FTL_JSON_ARRAY)
        return FTL_OK;
    ftl_json_scan scan = {.begun = true, .depth = 1};
    const uint8_t *rest = (const uint8_t *)json->data + json->at;
    if (!ftl_json_scan_value(&scan, rest, json->size - json->at, true))
        return FTL_FAIL_AT(error, FTL_CORRUPT, json->size, "the JSON ends too early");
    json->depth--;
    json->at += scan.at;
    json->token = json->data[json->at - 1] == '}' ? FTL_JSON_OBJECT_END : FTL_JSON_ARRAY_END;
    after_value(json);
    return FTL_OK;
}

ftl_status ftl_json_skip(ftl_json *json, ftl_error *error)
{
    if (json->token != FTL_JSON_OBJECT && json->token != FTL_JSON_ARRAY)
        return FTL_OK;
    uint32_t depth = json->depth - 1;
    double numbers[64];
    while (json->depth > depth) {
        while (ftl_json_numbers(json, false, numbers, FTL_ARRAY_LEN(numbers)) > 0)
            ;
        FTL_TRY(scan(json, error));
    }
    return FTL_OK;
}
