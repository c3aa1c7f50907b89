#include "table/json_row.h"

#include "base/number.h"
#include "io/json.h"
#include "kernels/json_find.h"

#include <string.h>

enum { MOST_LEADS = 4096 };

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
    ftl_free(split->account, split->leads);
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
        at = ftl_json_find_special(at, end);
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

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Remembers what stands before the value at a position. */
static ftl_status learn_lead(ftl_json_split *split, size_t position, const char *text, size_t size,
                             int32_t wanted, ftl_error *error)
{
    if (position >= MOST_LEADS)
        return FTL_OK;
    FTL_TRY(ftl_grow(split->account, &split->leads, &split->leads_room, position + 1,
                     sizeof *split->leads, error));
    ftl_json_lead *lead = &split->leads[position];
    if (position >= split->n_leads) /* positions come one after the other */
        split->n_leads = position + 1;
    *lead = (ftl_json_lead){.wanted = wanted};
    if (size <= sizeof lead->text) {
        memcpy(lead->text, text, size);
        lead->size = (uint32_t)size;
    }
    return FTL_OK;
}

static inline bool is_lead(const ftl_json_split *split, size_t position, const char *at,
                           const char *end)
{
    if (position >= split->n_leads || (position == 0 && split->columns)) /* [] is no value */
        return false;
    const ftl_json_lead *lead = &split->leads[position];
    size_t size = lead->size;
    if (size == 0 || (size_t)(end - at) <= size)
        return false;
    if (size < 8)
        return memcmp(lead->text, at, size) == 0;
    /* the first eight bytes, the last eight, and what more there is between them */
    uint64_t here[2], there[2];
    memcpy(&here[0], at, 8);
    memcpy(&there[0], lead->text, 8);
    memcpy(&here[1], at + size - 8, 8);
    memcpy(&there[1], lead->text + size - 8, 8);
    return here[0] == there[0] && here[1] == there[1] &&
           (size <= 16 || memcmp(lead->text + 8, at + 8, size - 16) == 0);
}

/* The key at `at` and its colon: *next behind them, NULL when they are none. */
static ftl_status look_up_key(ftl_json_split *split, const char *at, const char *end,
                              const char **next, int32_t *wanted, ftl_error *error)
{
    ftl_json_cell key;
    const char *behind = at < end && *at == '"' ? scan_text(at, end, &key) : NULL;
    *next = NULL;
    if (!behind)
        return FTL_OK;
    const char *text = key.text;
    size_t size = key.size;
    if (key.kind == FTL_JSON_ESCAPED) {
        FTL_TRY(ftl_grow(split->account, &split->key, &split->key_room, size, 1, error));
        size = ftl_json_unescape(text, size, split->key);
        text = split->key;
    }
    *wanted = split->find(split->user, text, size);
    behind = skip_space(behind, end);
    if (behind < end && *behind == ':')
        *next = behind + 1;
    return FTL_OK;
}

/*
 * What stands before a value, `at` being the row's bracket or the end of the value before. *next:
 * the value, or behind the row's other bracket, where it *ends; NULL when it is broken.
 */
static ftl_status scan_lead(ftl_json_split *split, size_t position, const char *at, const char *end,
                            const char **next, int32_t *wanted, bool *ends, ftl_error *error)
{
    const char close = split->columns ? ']' : '}', *lead = at;
    *next = NULL;
    if (position > 0)
        at = skip_space(at, end);
    bool more = at < end && (position == 0 || *at == ',');
    if (more)
        at = skip_space(at + 1, end);
    if (at < end && *at == close && (position == 0 || !more)) {
        *ends = true;
        *next = at + 1;
        return FTL_OK;
    }
    if (!more)
        return FTL_OK;
    if (split->columns) {
        *wanted = position < split->n_columns ? split->columns[position] : -1;
    } else {
        FTL_TRY(look_up_key(split, at, end, &at, wanted, error));
        if (!at)
            return FTL_OK;
        at = skip_space(at, end);
    }
    *next = at;
    return learn_lead(split, position, lead, (size_t)(at - lead), *wanted, error);
}

/* The values of the row at `at`. *next: behind it, NULL when it is broken. */
static ftl_status split_values(ftl_json_split *split, const char *at, const char *end,
                               const char *readable, const char **next, ftl_json_fault *fault,
                               ftl_error *error)
{
    for (size_t position = 0;; position++) {
        int32_t wanted = -1;
        if (split->values && position < split->n_leads)
            position += split->values(split->leads + position, split->n_leads - position, &at, end,
                                      readable, split->cells);
        if (is_lead(split, position, at, end)) {
            wanted = split->leads[position].wanted;
            at = skip_space(at + split->leads[position].size, end);
        } else {
            bool ends = false;
            FTL_TRY(scan_lead(split, position, at, end, next, &wanted, &ends, error));
            split->n_elements = position;
            at = *next;
            if (!at || ends)
                return FTL_OK;
        }
        ftl_json_cell unwanted, *cell = &unwanted;
        if (wanted >= 0) {
            cell = &split->cells[wanted];
            if (FTL_UNLIKELY(cell->kind != FTL_JSON_ABSENT) && *fault == FTL_JSON_SOUND) {
                *fault = FTL_JSON_TWICE;
                split->fault_at = wanted;
            }
        }
        at = scan_value(at, end, cell);
        *next = NULL;
        if (!at)
            return FTL_OK;
    }
}

/* The row at `at`, in front of end. *next NULL: it is broken. */
static ftl_status split_here(ftl_json_split *split, const char *at, const char *end,
                             const char *readable, const char **next, ftl_json_fault *fault,
                             ftl_error *error)
{
    *fault = FTL_JSON_SOUND;
    *next = NULL;
    for (size_t i = 0; i < split->n_cells; i++)
        split->cells[i].kind = FTL_JSON_ABSENT;
    if (at < end && *at == (split->columns ? '[' : '{')) {
        FTL_TRY(split_values(split, at, end, readable, next, fault, error));
        if (*next && split->columns && split->n_elements != split->n_columns)
            *fault = FTL_JSON_COUNT;
    } else if (at < end) {
        ftl_json_cell whole;
        *next = scan_value(at, end, &whole);
        *fault = FTL_JSON_OTHER_KIND;
    }
    return FTL_OK;
}

ftl_status ftl_json_split_row(ftl_json_split *split, const char *row, size_t size, size_t room,
                              ftl_json_fault *fault, ftl_error *error)
{
    const char *end = row + size, *next;
    FTL_TRY(split_here(split, skip_space(row, end), end, row + room, &next, fault, error));
    if (!next || skip_space(next, end) != end)
        *fault = FTL_JSON_BROKEN;
    return FTL_OK;
}

ftl_status ftl_json_split_at(ftl_json_split *split, const char *at, const char *end,
                             const char **next, ftl_json_fault *fault, ftl_error *error)
{
    const char *behind;
    FTL_TRY(split_here(split, at, end, end, &behind, fault, error));
    if (behind)
        *next = behind;
    else
        *fault = FTL_JSON_BROKEN;
    return FTL_OK;
}
