/*
 * One tree of values in JSON or in XGBoost's UBJSON, token by token: a reader of models does not
 * see which.
 *
 * UBJSON as XGBoost writes it: keys are 'L' + int64 length + bytes; strings 'S' + the same; arrays
 * are "[#L" + count + values (no end mark), "[" values "]", or "[$" type "#L" count + raw
 * big-endian numbers; objects end with '}'.
 */
#ifndef FTL_FORMATS_XGBOOST_SOURCE_H
#define FTL_FORMATS_XGBOOST_SOURCE_H

#include "formats/xgboost.h"
#include "io/json.h"

typedef struct ftl_xgb_source {
    ftl_arena *arena;
    ftl_account *account;
    bool ubj;
    ftl_json_token token; /* the last one */
    ftl_json json;
    /* UBJSON */
    const unsigned char *data;
    size_t size, at;
    const char *text; /* KEY, STRING */
    size_t text_size;
    double number; /* NUMBER */
    int64_t integer;
    bool is_integer;
    char array_type;      /* ARRAY of raw numbers: their type; else 0 */
    uint64_t array_count; /* of them */
    uint32_t depth;
    /* per open container: how many values are left, or one of the marks in the .c */
    uint64_t left[FTL_JSON_MAX_DEPTH];
    /* for numbers whose count is not known before */
    double *buffer;
    size_t room;
    /* of the numbers in the buffer, the integers that a double rounds, and their places */
    struct ftl_xgb_wide {
        int64_t value;
        size_t at;
    } *wide;
    size_t n_wide, wide_room;
} ftl_xgb_source;

/* bytes are borrowed. ftl_xgb_source_free afterwards, also after failures. */
void ftl_xgb_source_init(ftl_xgb_source *source, ftl_arena *arena, ftl_account *account,
                         const char *bytes, size_t size);
void ftl_xgb_source_free(ftl_xgb_source *source);

FTL_MUST_USE ftl_status ftl_xgb_next(ftl_xgb_source *source, ftl_error *error);
/* The next token must be that one. */
FTL_MUST_USE ftl_status ftl_xgb_expect(ftl_xgb_source *source, ftl_json_token token,
                                       ftl_error *error);
/* The next value, whatever it is, is left out. */
FTL_MUST_USE ftl_status ftl_xgb_skip(ftl_xgb_source *source, ftl_error *error);
/*
 * Inside an object: the next key (*more = true), or its end. for (;;) { member; if (!more) break; }
 */
FTL_MUST_USE ftl_status ftl_xgb_member(ftl_xgb_source *source, bool *more, ftl_error *error);
/* Inside an array: *more = false at its end, else the next value's first token was read. */
FTL_MUST_USE ftl_status ftl_xgb_element(ftl_xgb_source *source, bool *more, ftl_error *error);

/*
 * items with room for one more than n, zeros behind the n: doubled in the arena, since a count is
 * not known before. NULL when out of memory.
 */
void *ftl_xgb_one_more(ftl_xgb_source *source, void *items, size_t n, size_t *room,
                       size_t item_size);

/* The last token's text equals… */
bool ftl_xgb_is(const ftl_xgb_source *source, const char *text);

/* ---- Whole values: the next token and what follows ------------------------------------------- */

FTL_MUST_USE ftl_status ftl_xgb_text(ftl_xgb_source *source, const char **out, size_t *size,
                                     ftl_error *error);
/* A number, or a text that holds one, as parameters do. */
FTL_MUST_USE ftl_status ftl_xgb_int(ftl_xgb_source *source, int32_t *out, ftl_error *error);
/* Arrays; the names of booleans are 0 and 1. */
FTL_MUST_USE ftl_status ftl_xgb_read_ints(ftl_xgb_source *source, ftl_xgb_ints *out,
                                          ftl_error *error);
FTL_MUST_USE ftl_status ftl_xgb_read_floats(ftl_xgb_source *source, ftl_xgb_floats *out,
                                            ftl_error *error);
/* *integers holds the exact integers when a double rounds some of them, else NULL. */
FTL_MUST_USE ftl_status ftl_xgb_read_integers(ftl_xgb_source *source, double **out,
                                              int64_t **integers, size_t *size, ftl_error *error);
FTL_MUST_USE ftl_status ftl_xgb_read_texts(ftl_xgb_source *source, ftl_xgb_texts *out,
                                           ftl_error *error);
/* Error at the place of the last token. */
FTL_MUST_USE ftl_status ftl_xgb_broken(const ftl_xgb_source *source, const char *what,
                                       ftl_error *error);

#endif
