/*
 * Counting the words of a vocabulary in texts. A text goes through three files: text_fold.c (lower
 * case, accents), text_tokens.c (tokens and n-grams, each looked up in the vocabulary), op_text.c
 * (counts of a row).
 */
#ifndef FTL_PLAN_TEXT_H
#define FTL_PLAN_TEXT_H

#include "base/regex.h"
#include "plan/plan.h"
#include "plan/text_fold.h"
#include "plan/words.h"

typedef struct ftl_text_state {
    const ftl_text_op *op;
    ftl_word_table vocabulary, stop_words;
    uint32_t max_n; /* the model's, or what no word of the vocabulary is longer than */
} ftl_text_state;

typedef struct ftl_text_span {
    uint32_t start, end;
} ftl_text_span;

enum { FTL_TEXT_PENDING = 32 };

/* A text whose slot in the vocabulary's table is on its way from memory. */
typedef struct ftl_text_pending {
    const char *text;
    uint64_t hash;
    uint32_t size;
} ftl_text_pending;

/* What one thread keeps: buffers that grow to the longest text. */
typedef struct ftl_text_local {
    ftl_account *account;
    ftl_error *error; /* of the running block */
    ftl_regex *regex; /* NULL: runs of word characters */
    bool capture;     /* the token is the pattern's group */
    ftl_text_buffer lowered, stripped, joined;
    ftl_text_span *spans; /* tokens, or words of char_wb */
    size_t n_spans, spans_room;
    uint32_t *offsets; /* of characters */
    size_t n_offsets, offsets_room;
    uint32_t *found, *sorted; /* numbers of words, one for every occurrence */
    size_t n_found, found_room, sorted_room;
    ftl_text_pending pending[FTL_TEXT_PENDING];
    uint32_t n_pending;
} ftl_text_local;

/*
 * Puts the numbers of all words of a text into local->found, in any order. VALUE when the text is
 * too much for the pattern; NOMEM and LIMIT end the run.
 */
FTL_MUST_USE ftl_status ftl_text_find(const ftl_text_state *state, ftl_text_local *local,
                                      const char *text, size_t size);

#endif
