/*
 * Tokens and n-grams as _VectorizerMixin of sklearn.feature_extraction.text makes them. An n-gram
 * is a slice of a buffer: tokens are written one after another with a space between them, so that
 * nothing is put together twice.
 */
#include "base/unicode.h"
#include "base/utf8.h"
#include "plan/text.h"

#include <string.h>

static ftl_status room(ftl_text_local *local, ftl_text_buffer *buffer, size_t size)
{
    return ftl_grow(local->account, &buffer->data, &buffer->room, size, 1, local->error);
}

/* ---- What was found -------------------------------------------------------------------------- */

static ftl_status add_span(ftl_text_local *local, size_t start, size_t end)
{
    if (FTL_UNLIKELY(local->n_spans == local->spans_room))
        FTL_TRY(ftl_grow(local->account, &local->spans, &local->spans_room, local->n_spans + 1,
                         sizeof *local->spans, local->error));
    local->spans[local->n_spans++] = (ftl_text_span){(uint32_t)start, (uint32_t)end};
    return FTL_OK;
}

/* Texts whose slots are on their way from memory are looked up. */
static ftl_status look_up_pending(const ftl_text_state *state, ftl_text_local *local)
{
    if (FTL_UNLIKELY(local->n_found + FTL_TEXT_PENDING > local->found_room))
        FTL_TRY(ftl_grow(local->account, &local->found, &local->found_room,
                         local->n_found + FTL_TEXT_PENDING, sizeof *local->found, local->error));
    for (uint32_t i = 0; i < local->n_pending; i++)
        ftl_word_fetch(&state->vocabulary, local->pending[i].hash);
    for (uint32_t i = 0; i < local->n_pending; i++) {
        const ftl_text_pending *p = &local->pending[i];
        int32_t word = ftl_word_find_hashed(&state->vocabulary, p->text, p->size, p->hash);
        if (word >= 0)
            local->found[local->n_found++] = (uint32_t)word;
    }
    local->n_pending = 0;
    return FTL_OK;
}

/* The column, and 1 in the lowest bit for a word that counts -1. */
static ftl_status add_hash(const ftl_text_op *op, ftl_text_local *local, const char *text,
                           size_t size)
{
    if (FTL_UNLIKELY(local->n_found == local->found_room))
        FTL_TRY(ftl_grow(local->account, &local->found, &local->found_room, local->n_found + 1,
                         sizeof *local->found, local->error));
    int64_t hash = (int32_t)ftl_word_murmur3(text, size);
    uint32_t column = (uint32_t)((hash < 0 ? -hash : hash) % op->n_hashes);
    if (hash == INT32_MIN) /* has no absolute value in the library's 32 bits */
        column = (uint32_t)(((int64_t)INT32_MAX - (op->n_hashes - 1)) % op->n_hashes);
    local->found[local->n_found++] = column << 1 | (op->signs && hash < 0 ? 1u : 0u);
    return FTL_OK;
}

/* The text must stay where it is until all words of the document were looked up. */
static inline ftl_status look_up(const ftl_text_state *state, ftl_text_local *local,
                                 const char *text, size_t size)
{
    if (state->op->n_hashes)
        return add_hash(state->op, local, text, size);
    if (size > state->vocabulary.longest)
        return FTL_OK;
    if (FTL_UNLIKELY(local->n_pending == FTL_TEXT_PENDING))
        FTL_TRY(look_up_pending(state, local));
    local->pending[local->n_pending++] = (ftl_text_pending){
        .text = text,
        .size = (uint32_t)size,
        .hash = ftl_word_hash(&state->vocabulary, text, size)};
    return FTL_OK;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static inline bool next_is_word(const char **p)
{
    unsigned char c = (unsigned char)**p;
    if (FTL_LIKELY(c < 0x80)) {
        /* bits of 0-9, A-Z, _ and a-z */
        static const uint64_t words[2] = {UINT64_C(0x03ff000000000000),
                                          UINT64_C(0x07fffffe87fffffe)};
        *p += 1;
        return words[c >> 6] >> (c & 63) & 1;
    }
    return ftl_unicode_info(ftl_utf8_next(p)).flags & FTL_CHAR_WORD;
}

/*
 * Bit i: byte i of eight ASCII characters belongs to a word. A range is tested by two additions
 * that carry into the top bit of each byte; the product puts the eight top bits side by side.
 */
static inline uint64_t word_bits8(const char *text, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), top = ones * 0x80;
    uint64_t word = 0;
    memcpy(&word, text, size);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    uint64_t folded = word | ones * 0x20;
    uint64_t letter = (folded + ones * (0x80 - 'a')) & ~(folded + ones * (0x7f - 'z'));
    uint64_t digit = (word + ones * (0x80 - '0')) & ~(word + ones * (0x7f - '9'));
    uint64_t underscore = top - (word ^ ones * '_');
    return (((letter | digit | underscore) & top) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The same for up to 64 characters. */
static uint64_t word_bits(const char *text, size_t size)
{
    uint64_t bits = 0;
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        bits |= word_bits8(text + i, 8) << i;
    return i < size ? bits | word_bits8(text + i, size - i) << i : bits;
}

/* The same as word_runs() for ASCII: 64 characters at a time. */
static ftl_status ascii_runs(const ftl_text_op *op, ftl_text_local *local, const char *text,
                             size_t size)
{
    size_t start = 0;
    bool inside = false;
    for (size_t at = 0; at < size; at += 64) {
        size_t n = size - at < 64 ? size - at : 64;
        uint64_t word = word_bits(text + at, n);
        /* where a run begins or ends: a bit that differs from the one before */
        uint64_t edges = word ^ (word << 1 | (inside ? 1u : 0u));
        if (n < 64)
            edges &= (UINT64_C(1) << n) - 1;
        for (; edges; edges &= edges - 1, inside = !inside) {
            size_t edge = at + (size_t)__builtin_ctzll(edges);
            if (!inside)
                start = edge;
            else if (edge - start >= op->min_token)
                FTL_TRY(add_span(local, start, edge));
        }
    }
    return inside && size - start >= op->min_token ? add_span(local, start, size) : FTL_OK;
}

/* \b\w\w+\b and its kin: the longest runs of word characters, when they are long enough. */
static ftl_status word_runs(const ftl_text_op *op, ftl_text_local *local, const char *text,
                            size_t size)
{
    const char *p = text, *end = text + size;
    while (p < end) {
        const char *start = p, *stop;
        if (!next_is_word(&p))
            continue;
        uint32_t n = 1;
        for (stop = p; p < end && next_is_word(&p); stop = p)
            n++;
        if (n >= op->min_token)
            FTL_TRY(add_span(local, (size_t)(start - text), (size_t)(stop - text)));
    }
    return FTL_OK;
}

/* Python's findall: group 1 when there is one; an empty match may follow another match at once. */
static ftl_status pattern_tokens(ftl_text_local *local, const char *text, size_t size)
{
    size_t from = 0, whole[2], part[2];
    bool was_empty = false;
    ftl_regex_begin(local->regex, size);
    for (;;) {
        int found = ftl_regex_next(local->regex, text, size, from, was_empty,
                                   local->capture ? 1 : 0, whole, part);
        if (found == 0)
            return FTL_OK;
        if (found == -2)
            return FTL_OOM(local->error);
        if (found < 0 || whole[0] < from || part[0] > part[1])
            return FTL_FAIL(local->error, FTL_VALUE,
                            "token_pattern takes too many steps on this text");
        FTL_TRY(add_span(local, part[0], part[1]));
        was_empty = whole[0] == whole[1];
        from = whole[1];
    }
}

static void drop_stop_words(const ftl_text_state *state, ftl_text_local *local, const char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < local->n_spans; i++) {
        ftl_text_span span = local->spans[i];
        if (ftl_word_find(&state->stop_words, text + span.start, span.end - span.start) < 0)
            local->spans[kept++] = span;
    }
    local->n_spans = kept;
}

/* The tokens with a space after each; their spans are where they lie now. */
static ftl_status join_tokens(ftl_text_local *local, const char *text)
{
    size_t size = 0;
    for (size_t i = 0; i < local->n_spans; i++)
        size += local->spans[i].end - local->spans[i].start + (size_t)1;
    if (size > UINT32_MAX)
        return FTL_FAIL(local->error, FTL_LIMIT, "a text is longer than 4 GB");
    FTL_TRY(room(local, &local->joined, size));
    char *out = local->joined.data;
    size_t at = 0;
    for (size_t i = 0; i < local->n_spans; i++) {
        size_t n = local->spans[i].end - local->spans[i].start;
        if (n)
            memcpy(out + at, text + local->spans[i].start, n);
        local->spans[i] = (ftl_text_span){(uint32_t)at, (uint32_t)(at + n)};
        out[at + n] = ' ';
        at += n + 1;
    }
    return FTL_OK;
}

static ftl_status find_words(const ftl_text_state *state, ftl_text_local *local, const char *text,
                             size_t size)
{
    const ftl_text_op *op = state->op;
    local->n_spans = 0;
    if (local->regex)
        FTL_TRY(pattern_tokens(local, text, size));
    else
        FTL_TRY(ftl_utf8_ascii_prefix(text, size) == size ? ascii_runs(op, local, text, size)
                                                          : word_runs(op, local, text, size));
    if (op->stop_words.count)
        drop_stop_words(state, local, text);
    if (state->max_n > 1) {
        FTL_TRY(join_tokens(local, text));
        text = local->joined.data;
    }
    const ftl_text_span *spans = local->spans;
    for (size_t n = state->max_n > 1 ? op->min_n : 1; n <= state->max_n && n <= local->n_spans;
         n++) {
        for (size_t i = 0; i + n <= local->n_spans; i++)
            FTL_TRY(look_up(state, local, text + spans[i].start,
                            spans[i + n - 1].end - spans[i].start));
    }
    return FTL_OK;
}

/* ---- Characters ------------------------------------------------------------------------------ */

/* Where the characters of text begin, and where it ends. */
static ftl_status find_offsets(ftl_text_local *local, const char *text, size_t size)
{
    local->n_offsets = 0;
    FTL_TRY(ftl_grow(local->account, &local->offsets, &local->offsets_room, size + 1,
                     sizeof *local->offsets, local->error));
    for (const char *p = text; p < text + size;) {
        local->offsets[local->n_offsets++] = (uint32_t)(p - text);
        (void)ftl_utf8_next(&p);
    }
    local->offsets[local->n_offsets] = (uint32_t)size;
    return FTL_OK;
}

static bool next_is_space(const char **p)
{
    return ftl_unicode_info(ftl_utf8_next(p)).flags & FTL_CHAR_SPACE;
}

/* re.compile(r"\s\s+").sub(" ", text) into joined: one white space stays what it is. */
static ftl_status squeeze_spaces(ftl_text_local *local, const char *text, size_t size)
{
    ftl_text_buffer *out = &local->joined;
    size_t n = 0;
    FTL_TRY(room(local, out, size + 1));
    for (const char *p = text, *end = text + size; p < end;) {
        const char *start = p, *stop;
        bool space = next_is_space(&p);
        uint32_t run = 1;
        for (stop = p; space && p < end && next_is_space(&p); stop = p)
            run++;
        p = stop;
        if (run > 1)
            out->data[n++] = ' ';
        else {
            memcpy(out->data + n, start, (size_t)(stop - start));
            n += (size_t)(stop - start);
        }
    }
    out->size = n;
    return FTL_OK;
}

static ftl_status find_chars(const ftl_text_state *state, ftl_text_local *local, const char *text,
                             size_t size)
{
    const ftl_text_op *op = state->op;
    FTL_TRY(squeeze_spaces(local, text, size));
    text = local->joined.data;
    FTL_TRY(find_offsets(local, text, local->joined.size));
    const uint32_t *at = local->offsets;
    for (size_t n = op->min_n; n <= state->max_n && n <= local->n_offsets; n++) {
        for (size_t i = 0; i + n <= local->n_offsets; i++)
            FTL_TRY(look_up(state, local, text + at[i], at[i + n] - at[i]));
    }
    return FTL_OK;
}

/* The words that white space parts, each with a space on both sides, one after another. */
static ftl_status pad_words(ftl_text_local *local, const char *text, size_t size)
{
    ftl_text_buffer *out = &local->joined;
    size_t at = 0;
    local->n_spans = 0;
    FTL_TRY(room(local, out, 2 * size + 2));
    for (const char *p = text, *end = text + size; p < end;) {
        const char *start = p, *stop;
        if (next_is_space(&p))
            continue;
        for (stop = p; p < end && !next_is_space(&p); stop = p)
            continue;
        size_t n = (size_t)(stop - start);
        out->data[at] = ' ';
        memcpy(out->data + at + 1, start, n);
        out->data[at + n + 1] = ' ';
        FTL_TRY(add_span(local, at, at + n + 2));
        at += n + 2;
    }
    return FTL_OK;
}

/* A word shorter than n counts once, whole, and longer n-grams of it are none. */
static ftl_status find_chars_in_words(const ftl_text_state *state, ftl_text_local *local,
                                      const char *text, size_t size)
{
    const ftl_text_op *op = state->op;
    FTL_TRY(pad_words(local, text, size));
    for (size_t w = 0; w < local->n_spans; w++) {
        text = local->joined.data + local->spans[w].start;
        FTL_TRY(find_offsets(local, text, local->spans[w].end - local->spans[w].start));
        const uint32_t *at = local->offsets;
        size_t length = local->n_offsets;
        for (size_t n = op->min_n; n <= state->max_n; n++) {
            FTL_TRY(look_up(state, local, text, at[n < length ? n : length]));
            for (size_t i = 1; i + n <= length; i++)
                FTL_TRY(look_up(state, local, text + at[i], at[i + n] - at[i]));
            if (n >= length)
                break;
        }
    }
    return FTL_OK;
}

static ftl_status find_all(const ftl_text_state *state, ftl_text_local *local, const char *text,
                           size_t size)
{
    switch (state->op->analyzer) {
    case FTL_ANALYZER_CHAR:
        return find_chars(state, local, text, size);
    case FTL_ANALYZER_CHAR_WB:
        return find_chars_in_words(state, local, text, size);
    default:
        return find_words(state, local, text, size);
    }
}

ftl_status ftl_text_find(const ftl_text_state *state, ftl_text_local *local, const char *text,
                         size_t size)
{
    local->n_found = 0;
    local->n_pending = 0;
    if (size > UINT32_MAX / 4)
        return FTL_FAIL(local->error, FTL_LIMIT, "a text is longer than 1 GB");
    FTL_TRY(find_all(state, local, text, size));
    return look_up_pending(state, local);
}
