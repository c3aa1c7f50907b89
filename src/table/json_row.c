#include "table/json_row.h"

#include "base/number.h"
#include "io/json.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { MOST_EXPECTED = 4096 };

ftl_status ftl_json_split_init(ftl_json_split *split, ftl_account *account, size_t n_cells,
                               ftl_error *error)
{
    split->account = account;
    split->cells = ftl_alloc_zero(account, n_cells + 1, sizeof *split->cells);
    split->n_cells = n_cells;
    return split->cells ? FTL_OK : FTL_OOM(error);
}

void ftl_json_split_free(ftl_json_split *split)
{
    ftl_free(split->account, split->cells);
    ftl_free(split->account, split->expected);
    ftl_free(split->account, split->key);
}

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static inline bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/*
 * Behind the digits at `at`, which are appended to *w; what does not fit in it is lost. Eight at
 * once where the row goes on: the bytes behind the last digit are shifted out, zeros come in before
 * the first.
 */
static inline const char *gather_digits(const char *at, const char *end, uint64_t *w)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    static const uint64_t powers[9] = {1,      10,      100,      1000,     10000,
                                       100000, 1000000, 10000000, 100000000};
    const uint64_t high = UINT64_C(0x8080808080808080), mask = UINT64_C(0x000000ff000000ff);
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, 8);
        bytes ^= UINT64_C(
            0x3030303030303030); /* a digit is its value now, others are more than 9 */
        uint64_t others = (((bytes & ~high) + UINT64_C(0x7676767676767676)) | bytes) & high;
        unsigned n = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
        if (n == 0)
            return at;
        bytes <<= 8 * (8 - n);
        bytes = bytes * 10 + (bytes >> 8); /* pairs in bytes 0, 2, 4, 6 */
        uint64_t value = ((bytes & mask) * UINT64_C(0x000f424000000064) +
                          ((bytes >> 16) & mask) * UINT64_C(0x0000271000000001)) >>
                         32;
        *w = *w * powers[n] + value;
        at += n;
        if (n < 8)
            return at;
    }
#endif
    for (; at < end && is_digit(*at); at++)
        *w = *w * 10 + (uint64_t)(*at - '0');
    return at;
}

/* Behind the exponent at `at`, which is the letter; NULL when it is none. */
static const char *scan_exponent(const char *at, const char *end, int *exponent)
{
    uint64_t size = 0;
    bool down = ++at < end && *at == '-';
    at += at < end && (*at == '+' || *at == '-');
    const char *first = at;
    at = gather_digits(at, end, &size);
    *exponent = at - first > 4 ? 0 : down ? -(int)size : (int)size;
    return at == first ? NULL : at;
}

/* Behind the number at `at`; NULL when there is none. */
static inline const char *scan_number(const char *at, const char *end, ftl_json_cell *cell)
{
    enum { GATHERED = 19 /* digits fit in 64 bits */, LONGEST = 40 };
    const char *text = at;
    uint64_t w = 0;
    int exponent = 0;
    bool negative = at < end && *at == '-';
    const char *first = at += negative;
    for (; at < end && is_digit(*at); at++) /* mostly one or two */
        w = w * 10 + (uint64_t)(*at - '0');
    ptrdiff_t digits = at - first;
    if (digits == 0 || (*first == '0' && digits > 1))
        return NULL;
    ptrdiff_t fraction = 0;
    if (at < end && *at == '.') {
        first = ++at;
        at = gather_digits(at, end, &w);
        fraction = at - first;
        if (fraction == 0)
            return NULL;
    }
    if (at < end && (*at | 0x20) == 'e') {
        const char *letter = at;
        at = scan_exponent(at, end, &exponent);
        if (!at)
            return NULL;
        if (at - letter > 5)
            fraction = LONGEST; /* for the general parser */
    }
    cell->text = text;
    cell->size = (uint32_t)(at - text);
    cell->kind = FTL_JSON_FINITE;
    cell->known = digits + fraction <= GATHERED;
    if (cell->known) {
        double value = exponent ? ftl_f64_scale(w, exponent - fraction)
                                : ftl_f64_of_decimal(w, (unsigned)fraction);
        cell->value = negative ? -value : value;
    }
    return at;
}

/* The first quote, backslash or control character; end when there is none. */
static inline const char *find_special(const char *at, const char *end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(0x1f)),
                                         _mm_set1_epi8(0x1f));
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
        if (mask)
            return at + __builtin_ctz((unsigned)mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

/* The size of the escape at `at`, which begins with a backslash; 0 when it is none. */
static size_t escape_size(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
    if (end - at < 6)
        return 0;
    for (int i = 2; i < 6; i++) {
        if (!is_digit(at[i]) && ((at[i] | 0x20) < 'a' || (at[i] | 0x20) > 'f'))
            return 0;
    }
    return 6;
}

/* A text whose opening quote is at `at`. Behind its closing quote; NULL when it is none. */
static inline const char *scan_text(const char *at, const char *end, ftl_json_cell *cell)
{
    const char *first = ++at;
    cell->kind = FTL_JSON_PLAIN;
    for (;;) {
        at = find_special(at, end);
        if (at == end)
            return NULL;
        if (*at == '"')
            break;
        size_t n = *at == '\\' ? escape_size(at, end) : 0;
        if (n == 0)
            return NULL;
        cell->kind = FTL_JSON_ESCAPED;
        at += n;
    }
    cell->text = first;
    cell->size = (uint32_t)(at - first);
    return at + 1;
}

static const char *scan_word(const char *at, const char *end, ftl_json_cell *cell)
{
    static const struct {
        const char *word;
        ftl_json_kind kind;
    } words[] = {{"true", FTL_JSON_IS_TRUE},  {"false", FTL_JSON_IS_FALSE},
                 {"null", FTL_JSON_IS_NULL},  {"NaN", FTL_JSON_WORD},
                 {"Infinity", FTL_JSON_WORD}, {"-Infinity", FTL_JSON_WORD}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(end - at) < n || memcmp(at, words[i].word, n) != 0)
            continue;
        *cell = (ftl_json_cell){.text = at, .size = (uint32_t)n, .kind = words[i].kind};
        return at + n;
    }
    return NULL;
}

static const char *scan_nested(const char *at, const char *end, ftl_json_cell *cell)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, at, (size_t)(end - at), FTL_JSON_NONFINITE);
    if (ftl_json_next(&json, &token, NULL) != FTL_OK || ftl_json_skip(&json, NULL) != FTL_OK)
        return NULL;
    *cell = (ftl_json_cell){.text = at, .size = (uint32_t)json.at, .kind = FTL_JSON_NESTED};
    return at + json.at;
}

/* The value at `at`: behind it, or NULL. */
static inline const char *scan_value(const char *at, const char *end, ftl_json_cell *cell)
{
    if (at == end)
        return NULL;
    if (*at == '"')
        return scan_text(at, end, cell);
    if (*at == '{' || *at == '[')
        return scan_nested(at, end, cell);
    const char *behind = scan_number(at, end, cell);
    return FTL_LIKELY(behind) ? behind : scan_word(at, end, cell);
}

/* ---- Objects --------------------------------------------------------------------------------- */

/* Remembers the key that stands at a position. */
static ftl_status expect_key(ftl_json_split *split, size_t position, const char *key, size_t size,
                             int32_t wanted, ftl_error *error)
{
    if (position >= MOST_EXPECTED)
        return FTL_OK;
    FTL_TRY(ftl_grow(split->account, &split->expected, &split->expected_room, position + 1,
                     sizeof *split->expected, error));
    ftl_json_expected *expected = &split->expected[position];
    if (position >= split->n_expected) /* positions come one after the other */
        split->n_expected = position + 1;
    expected->wanted = wanted;
    expected->size = size + 1 <= sizeof expected->text ? (uint32_t)size + 1 : 0;
    if (!expected->size)
        return FTL_OK;
    memset(expected->text, 0, sizeof expected->text);
    memcpy(expected->text, key, expected->size);
    uint64_t mask = 0;
    memset(&mask, 0xff, expected->size < sizeof mask ? expected->size : sizeof mask);
    expected->mask = mask;
    return FTL_OK;
}

/* What matches ends at its closing quote, as it did when it was remembered. */
static inline bool is_expected(const ftl_json_expected *expected, const char *at, const char *end)
{
    size_t size = expected->size;
    if (size == 0 || (size_t)(end - at) <= size || *at != '"')
        return false;
    if (FTL_UNLIKELY(end - at <= 8))
        return memcmp(at + 1, expected->text, size) == 0;
    uint64_t here, there;
    memcpy(&here, at + 1, 8);
    memcpy(&there, expected->text, 8);
    return ((here ^ there) & expected->mask) == 0 &&
           (size <= 8 || memcmp(at + 9, expected->text + 8, size - 8) == 0);
}

/* The key at `at` that is not the expected one: *next behind it, NULL when it is none. */
static ftl_status look_up_key(ftl_json_split *split, size_t position, const char *at,
                              const char *end, const char **next, int32_t *wanted, ftl_error *error)
{
    ftl_json_cell key;
    *next = *at == '"' ? scan_text(at, end, &key) : NULL;
    if (!*next)
        return FTL_OK;
    const char *text = key.text;
    size_t size = key.size;
    if (key.kind == FTL_JSON_ESCAPED) {
        FTL_TRY(ftl_grow(split->account, &split->key, &split->key_room, size, 1, error));
        size = ftl_json_unescape(text, size, split->key);
        text = split->key;
    }
    *wanted = split->find(split->user, text, size);
    return expect_key(split, position, key.text, key.size, *wanted, error);
}

/* The members of the object whose brace has been passed. *next: behind it, NULL when it is broken.
 */
static ftl_status split_object(ftl_json_split *split, const char *at, const char *end,
                               const char **next, ftl_json_fault *fault, ftl_error *error)
{
    *next = NULL;
    at = skip_space(at, end);
    if (at < end && *at == '}') {
        *next = at + 1;
        return FTL_OK;
    }
    for (size_t position = 0;; position++) {
        int32_t wanted = -1;
        if (at == end)
            return FTL_OK;
        const ftl_json_expected *expected = position < split->n_expected
                                                ? &split->expected[position]
                                                : NULL;
        if (FTL_LIKELY(expected && is_expected(expected, at, end))) {
            at += 1 + expected->size;
            wanted = expected->wanted;
        } else {
            FTL_TRY(look_up_key(split, position, at, end, &at, &wanted, error));
            if (!at)
                return FTL_OK;
        }
        at = skip_space(at, end);
        if (at == end || *at != ':')
            return FTL_OK;
        ftl_json_cell unwanted, *cell = &unwanted;
        if (wanted >= 0) {
            cell = &split->cells[wanted];
            if (FTL_UNLIKELY(cell->kind != FTL_JSON_ABSENT) && *fault == FTL_JSON_SOUND) {
                *fault = FTL_JSON_TWICE;
                split->fault_at = wanted;
            }
        }
        at = scan_value(skip_space(at + 1, end), end, cell);
        if (!at)
            return FTL_OK;
        at = skip_space(at, end);
        if (at < end && *at == '}') {
            *next = at + 1;
            return FTL_OK;
        }
        if (at == end || *at != ',')
            return FTL_OK;
        at = skip_space(at + 1, end);
    }
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

static const char *split_array(ftl_json_split *split, const char *at, const char *end)
{
    size_t n = 0;
    split->n_elements = 0;
    at = skip_space(at, end);
    if (at < end && *at == ']')
        return at + 1;
    for (;; n++) {
        int32_t wanted = n < split->n_columns ? split->columns[n] : -1;
        ftl_json_cell unwanted;
        at = scan_value(at, end, wanted >= 0 ? &split->cells[wanted] : &unwanted);
        if (!at)
            return NULL;
        at = skip_space(at, end);
        if (at < end && *at == ']') {
            split->n_elements = n + 1;
            return at + 1;
        }
        if (at == end || *at != ',')
            return NULL;
        at = skip_space(at + 1, end);
    }
}

ftl_status ftl_json_split_row(ftl_json_split *split, const char *row, size_t size,
                              ftl_json_fault *fault, ftl_error *error)
{
    const char *end = row + size, *at = skip_space(row, end), *next = NULL;
    *fault = FTL_JSON_SOUND;
    for (size_t i = 0; i < split->n_cells; i++)
        split->cells[i].kind = FTL_JSON_ABSENT;
    bool array = at < end && *at == '[', object = at < end && *at == '{';
    if (split->columns ? array : object) {
        if (array)
            next = split_array(split, at + 1, end);
        else
            FTL_TRY(split_object(split, at + 1, end, &next, fault, error));
        if (next && array && split->n_elements != split->n_columns)
            *fault = FTL_JSON_COUNT;
    } else if (at < end) {
        ftl_json_cell whole;
        next = scan_value(at, end, &whole);
        *fault = FTL_JSON_OTHER_KIND;
    }
    if (!next || skip_space(next, end) != end)
        *fault = FTL_JSON_BROKEN;
    return FTL_OK;
}
