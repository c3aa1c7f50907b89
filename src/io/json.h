/*
 * A pull tokenizer for JSON (RFC 8259) in memory. It allocates nothing and does not recurse: open
 * arrays and objects are a bit each, FTL_JSON_MAX_DEPTH at most. Every token is checked against the
 * grammar, text against UTF-8, so that what a caller sees is well-formed up to there.
 *
 *     ftl_json json;
 *     ftl_json_token token;
 *     ftl_json_init(&json, text, size, 0);
 *     FTL_TRY(ftl_json_next(&json, &token, error));
 *
 * A member of an object is a KEY token (its colon included), then the value's. After the end of the
 * outermost value comes FTL_JSON_DONE, once and for ever; anything but white space there is
 * CORRUPT.
 */
#ifndef FTL_IO_JSON_H
#define FTL_IO_JSON_H

#include "base/arena.h"

enum { FTL_JSON_MAX_DEPTH = 256 };

typedef enum ftl_json_token {
    FTL_JSON_DONE,
    FTL_JSON_OBJECT,
    FTL_JSON_OBJECT_END,
    FTL_JSON_ARRAY,
    FTL_JSON_ARRAY_END,
    FTL_JSON_KEY,
    FTL_JSON_STRING,
    FTL_JSON_NUMBER,
    FTL_JSON_TRUE,
    FTL_JSON_FALSE,
    FTL_JSON_NULL
} ftl_json_token;

/* NaN, Infinity and -Infinity are numbers, as Python's json and XGBoost write them. */
enum { FTL_JSON_NONFINITE = 1 };

typedef struct ftl_json {
    const char *data;
    size_t size, at; /* at: behind the last token; also the offset that errors name */
    unsigned options;
    ftl_json_token token; /* the last one */
    /*
     * KEY and STRING: what stands between the quotes, escapes as written; NUMBER: its characters.
     * Points into data.
     */
    const char *text;
    size_t text_size;
    bool escaped; /* the text holds escapes: compare with ftl_json_is, copy with ftl_json_copy */
    uint32_t depth;
    int expects;
    uint8_t objects[FTL_JSON_MAX_DEPTH / 8]; /* bit d: the container at depth d is an object */
} ftl_json;

/* data is borrowed. */
void ftl_json_init(ftl_json *json, const char *data, size_t size, unsigned options);
FTL_MUST_USE ftl_status ftl_json_next(ftl_json *json, ftl_json_token *token, ftl_error *error);
/* Behind an OBJECT or ARRAY token: everything to its end, that included. Other tokens: nothing. */
FTL_MUST_USE ftl_status ftl_json_skip(ftl_json *json, ftl_error *error);

/*
 * The same without a look at what is passed, for who reads it himself: brackets are counted where
 * they are not in texts, of either kind alike.
 */
FTL_MUST_USE ftl_status ftl_json_pass(ftl_json *json, ftl_error *error);

/*
 * A short cut through arrays of numbers: behind an ARRAY token or a value of one, reads as many
 * numbers as stand there in the plainest form (no white space but one behind a comma, at most 19
 * digits, three of an exponent; of integers those up to 2^53) and returns how many; whole:
 * integers alone. The last one is the last token. 0: the next token is for ftl_json_next.
 */
size_t ftl_json_numbers(ftl_json *json, bool whole, double *out, size_t room);

/* ---- The last token --------------------------------------------------------------------------- */

/* KEY or STRING equals text. */
bool ftl_json_is(const ftl_json *json, const char *text);
/*
 * KEY or STRING, escapes resolved, NUL-terminated, in arena; *size may be NULL. A lone half of a
 * surrogate pair becomes U+FFFD.
 */
FTL_MUST_USE ftl_status ftl_json_copy(const ftl_json *json, ftl_arena *arena, const char **text,
                                      size_t *size, ftl_error *error);
/*
 * What stands between the quotes of a text that was scanned, escapes resolved, into out, which has
 * room for size bytes and may be the text itself. Its size is returned.
 */
size_t ftl_json_unescape(const char *text, size_t size, char *out);
/* NUMBER, as strtod reads it. */
FTL_MUST_USE ftl_status ftl_json_f64(const ftl_json *json, double *out, ftl_error *error);
/* NUMBER without fraction and exponent, within int64. */
FTL_MUST_USE ftl_status ftl_json_i64(const ftl_json *json, int64_t *out, ftl_error *error);

#endif
