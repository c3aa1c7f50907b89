/*
 * TEXT: how often the words of a vocabulary occur in each text, as scikit-learn's CountVectorizer
 * counts them: lower case, accents, tokens, stop words, n-grams. N-grams are looked up where they
 * stand in a buffer and never built: the tokens of a text are copied side by side with one space
 * between, which is how the library joins them.
 */
#include "base/regex.h"
#include "base/unicode.h"
#include "plan/sparse.h"
#include "plan/text_fold.h"
#include "plan/words.h"

#include <string.h>

typedef struct text_state {
    ftl_word_table vocabulary, stop_words;
} text_state;

/* What a thread keeps for a text. */
typedef struct text_local {
    ftl_account *account;
    ftl_regex *regex; /* NULL: runs of word characters */
    ftl_text_buffer lowered, stripped, joined;
    /* Tokens or characters: item i is joined[start[i] .. end[i]) */
    uint32_t *start, *end;
    size_t start_room, end_room;
    uint32_t n_items;
    uint32_t *counts;  /* [width] of this text; all 0 between texts */
    uint32_t *touched; /* words that occur */
    size_t touched_room;
    uint32_t n_touched;
    ftl_error *error;
} text_local;

static void close_local(ftl_account *account, void *memory)
{
    text_local *local = memory;
    if (!local)
        return;
    ftl_regex_destroy(local->regex);
    ftl_free(account, local->lowered.data);
    ftl_free(account, local->stripped.data);
    ftl_free(account, local->joined.data);
    ftl_free(account, local->start);
    ftl_free(account, local->end);
    ftl_free(account, local->counts);
    ftl_free(account, local->touched);
    ftl_free(account, local);
}

static ftl_status open_local(const ftl_step *step, ftl_account *account, void **out,
                             ftl_error *error)
{
    const ftl_text_op *op = &step->op->u.text;
    text_local *local = ftl_alloc_zero(account, 1, sizeof *local);
    if (!local)
        return FTL_OOM(error);
    *out = local;
    local->account = account;
    local->counts = ftl_alloc_zero(account, op->vocabulary.count, sizeof *local->counts);
    if (!local->counts)
        return FTL_OOM(error);
    return op->pattern ? ftl_regex_create(account, op->pattern, &local->regex, error) : FTL_OK;
}

/* ---- Counting -------------------------------------------------------------------------------- */

static ftl_status count_word(const text_state *state, text_local *local, const char *text,
                             size_t size)
{
    int32_t id = ftl_word_find(&state->vocabulary, text, size);
    if (id == FTL_WORD_NONE)
        return FTL_OK;
    if (local->counts[id]++ > 0)
        return FTL_OK;
    if (FTL_UNLIKELY(local->n_touched == local->touched_room))
        FTL_TRY(ftl_grow(local->account, &local->touched, &local->touched_room,
                         local->n_touched + (size_t)1, sizeof *local->touched, local->error));
    local->touched[local->n_touched++] = (uint32_t)id;
    return FTL_OK;
}

static ftl_status add_item(text_local *local, size_t start, size_t end)
{
    size_t needed = local->n_items + (size_t)1;
    if (end > UINT32_MAX)
        return FTL_FAIL(local->error, FTL_LIMIT, "a text is longer than 4 GB");
    FTL_TRY(ftl_grow(local->account, &local->start, &local->start_room, needed,
                     sizeof *local->start, local->error));
    FTL_TRY(ftl_grow(local->account, &local->end, &local->end_room, needed, sizeof *local->end,
                     local->error));
    local->start[local->n_items] = (uint32_t)start;
    local->end[local->n_items++] = (uint32_t)end;
    return FTL_OK;
}

/*
 * All runs of min_n to max_n items, where they stand. No run longer than the longest word is worth
 * looking up, whatever max_n a model asks for.
 */
static ftl_status count_runs(const ftl_text_op *op, const text_state *state, text_local *local,
                             const char *text)
{
    for (uint32_t i = 0; i < local->n_items; i++) {
        uint32_t left = local->n_items - i, most = op->max_n < left ? op->max_n : left;
        for (uint32_t n = op->min_n; n <= most; n++) {
            size_t size = local->end[i + n - 1] - local->start[i];
            if (size > state->vocabulary.longest)
                break;
            FTL_TRY(count_word(state, local, text + local->start[i], size));
        }
    }
    return FTL_OK;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* A token found: counted at once when it stands for itself, else put beside the others. */
static ftl_status take_token(const ftl_text_op *op, const text_state *state, text_local *local,
                             const char *token, size_t size)
{
    if (state->stop_words.slots && ftl_word_find(&state->stop_words, token, size) != FTL_WORD_NONE)
        return FTL_OK;
    if (op->max_n == 1)
        return count_word(state, local, token, size);
    ftl_text_buffer *joined = &local->joined;
    FTL_TRY(ftl_grow(local->account, &joined->data, &joined->room, joined->size + size + 1, 1,
                     local->error));
    if (local->n_items)
        joined->data[joined->size++] = ' ';
    FTL_TRY(add_item(local, joined->size, joined->size + size));
    memcpy(joined->data + joined->size, token, size);
    joined->size += size;
    return FTL_OK;
}

/* Word characters among the first 128: letters, digits and the underscore. */
#define ASCII_WORDS(from, to) [from... to] = 1
static const uint8_t ascii_words[128] = {ASCII_WORDS('0', '9'), ASCII_WORDS('A', 'Z'),
                                         ASCII_WORDS('a', 'z'), ['_'] = 1};

/* The character at text, and whether it belongs to a word; *next moves behind it. */
static inline bool word_character(const char *text, const char **next)
{
    unsigned char c = (unsigned char)*text;
    if (c < 0x80) {
        *next = text + 1;
        return ascii_words[c];
    }
    *next = text;
    return ftl_unicode_info(ftl_unicode_next(next)).flags & FTL_CHAR_WORD;
}

/* Behind the run of word characters that goes on at text; adds how many there are. */
static inline const char *run_end(const char *text, const char *end, uint32_t *characters)
{
    for (;;) {
        const char *at = text, *next;
        while (at < end && (unsigned char)*at < 0x80 && ascii_words[(unsigned char)*at])
            at++;
        *characters += (uint32_t)(at - text);
        if (at == end || (unsigned char)*at < 0x80 || !word_character(at, &next))
            return at;
        ++*characters;
        text = next;
    }
}

/* Runs of at least min_token word characters: \b\w\w+\b and its like. */
static ftl_status find_runs(const ftl_text_op *op, const text_state *state, text_local *local,
                            const char *text, size_t size)
{
    const char *end = text + size, *next;
    for (const char *at = text; at < end; at = next) {
        if (!word_character(at, &next))
            continue;
        uint32_t characters = 1;
        const char *stop = run_end(next, end, &characters);
        if (characters >= op->min_token)
            FTL_TRY(take_token(op, state, local, at, (size_t)(stop - at)));
        next = stop;
    }
    return FTL_OK;
}

/* Every match of the pattern, empty ones too, as re.findall goes from one to the next. */
static ftl_status find_matches(const ftl_text_op *op, const text_state *state, text_local *local,
                               const char *text, size_t size)
{
    size_t from = 0, whole[2], part[2];
    bool was_empty = false;
    for (;;) {
        int found = ftl_regex_next(local->regex, text, size, from, was_empty, op->capture ? 1 : 0,
                                   whole, part);
        if (found == 0)
            return FTL_OK;
        if (found < 0 || whole[0] < from || part[0] > part[1])
            return FTL_FAIL(local->error, FTL_VALUE,
                            "token_pattern takes too many steps on this text");
        FTL_TRY(take_token(op, state, local, text + part[0], part[1] - part[0]));
        was_empty = whole[0] == whole[1];
        from = whole[1];
    }
}

/* ---- Characters ------------------------------------------------------------------------------ */

static bool is_space(const char *text, const char **next)
{
    *next = text;
    return ftl_unicode_info(ftl_unicode_next(next)).flags & FTL_CHAR_SPACE;
}

/* Appends characters to the buffer as they stand. */
static ftl_status append(text_local *local, const char *text, size_t size)
{
    ftl_text_buffer *joined = &local->joined;
    FTL_TRY(ftl_grow(local->account, &joined->data, &joined->room, joined->size + size + 1, 1,
                     local->error));
    memcpy(joined->data + joined->size, text, size);
    joined->size += size;
    return FTL_OK;
}

/* The items become the characters of joined[from..]. */
static ftl_status list_characters(text_local *local, size_t from)
{
    local->n_items = 0;
    const char *data = local->joined.data, *end = data + local->joined.size;
    for (const char *at = data + from; at < end;) {
        const char *begin = at;
        (void)ftl_unicode_next(&at);
        FTL_TRY(add_item(local, (size_t)(begin - data), (size_t)(at - data)));
    }
    return FTL_OK;
}

/* Two or more white spaces become one space; one alone stays what it is. */
static ftl_status count_characters(const ftl_text_op *op, const text_state *state,
                                   text_local *local, const char *text, size_t size)
{
    const char *end = text + size;
    for (const char *at = text, *next = text; at < end; at = next) {
        if (!is_space(at, &next)) {
            FTL_TRY(append(local, at, (size_t)(next - at)));
            continue;
        }
        const char *stop = next;
        uint32_t spaces = 1;
        while (stop < end && is_space(stop, &next)) {
            stop = next;
            spaces++;
        }
        next = stop;
        FTL_TRY(spaces > 1 ? append(local, " ", 1) : append(local, at, (size_t)(stop - at)));
    }
    if (local->joined.size == 0)
        return FTL_OK;
    FTL_TRY(list_characters(local, 0));
    return count_runs(op, state, local, local->joined.data);
}

/* The runs of one word between its spaces; a word shorter than n counts once, as a whole. */
static ftl_status count_padded(const ftl_text_op *op, const text_state *state, text_local *local)
{
    FTL_TRY(list_characters(local, 0));
    const char *data = local->joined.data;
    uint32_t length = local->n_items;
    for (uint32_t n = op->min_n; n <= op->max_n && n < length; n++) {
        for (uint32_t i = 0; i + n <= length; i++)
            FTL_TRY(count_word(state, local, data + local->start[i],
                               local->end[i + n - 1] - local->start[i]));
    }
    return length <= op->max_n ? count_word(state, local, data, local->joined.size) : FTL_OK;
}

static ftl_status count_in_words(const ftl_text_op *op, const text_state *state, text_local *local,
                                 const char *text, size_t size)
{
    const char *end = text + size;
    for (const char *at = text, *next = text; at < end; at = next) {
        if (is_space(at, &next))
            continue;
        const char *stop = next;
        while (stop < end && !is_space(stop, &next))
            stop = next;
        next = stop;
        local->joined.size = 0;
        FTL_TRY(append(local, " ", 1));
        FTL_TRY(append(local, at, (size_t)(stop - at)));
        FTL_TRY(append(local, " ", 1));
        FTL_TRY(count_padded(op, state, local));
    }
    return FTL_OK;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static ftl_status count_text(const ftl_text_op *op, const text_state *state, text_local *local,
                             const char *text, size_t size)
{
    if (op->lowercase) {
        FTL_TRY(ftl_text_lower(local->account, text, size, &local->lowered, local->error));
        text = local->lowered.data;
        size = local->lowered.size;
    }
    if (op->accents != FTL_ACCENTS_KEEP && ftl_unicode_ascii_prefix(text, size) < size) {
        FTL_TRY(ftl_text_strip(local->account, text, size, op->accents, &local->stripped,
                               local->error));
        text = local->stripped.data;
        size = local->stripped.size;
    }
    local->joined.size = 0;
    local->n_items = 0;
    if (op->analyzer == FTL_ANALYZER_CHAR)
        return count_characters(op, state, local, text, size);
    if (op->analyzer == FTL_ANALYZER_CHAR_WB)
        return count_in_words(op, state, local, text, size);
    FTL_TRY(local->regex ? find_matches(op, state, local, text, size)
                         : find_runs(op, state, local, text, size));
    return local->n_items ? count_runs(op, state, local, local->joined.data) : FTL_OK;
}

/* Ascending. Runs of eight by insertion, then merged: qsort's calls would cost more than all else.
 */
static void sort_numbers(uint32_t *numbers, uint32_t *room, uint32_t n)
{
    enum { run = 8 };
    for (uint32_t from = 0; from < n; from += run) {
        uint32_t end = n - from < run ? n : from + run;
        for (uint32_t i = from + 1; i < end; i++) {
            uint32_t value = numbers[i], at = i;
            for (; at > from && numbers[at - 1] > value; at--)
                numbers[at] = numbers[at - 1];
            numbers[at] = value;
        }
    }
    uint32_t *in = numbers, *out = room;
    for (uint64_t width = run; width < n; width *= 2) {
        for (uint64_t from = 0; from < n; from += 2 * width) {
            uint64_t middle = from + width < n ? from + width : n,
                     end = from + 2 * width < n ? from + 2 * width : n, i = from, j = middle;
            for (uint64_t to = from; to < end; to++)
                out[to] = i < middle && (j == end || in[i] < in[j]) ? in[i++] : in[j++];
        }
        uint32_t *swap = in;
        in = out;
        out = swap;
    }
    if (in != numbers)
        memcpy(numbers, in, n * sizeof *numbers);
}

/* Writes the row and clears the counts, also of a text that failed half way. */
static bool finish_row(const ftl_step *step, ftl_exec *exec, text_local *local, uint32_t row,
                       bool keep)
{
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    uint32_t n = out->start[row], added = keep ? local->n_touched : 0;
    bool room = ftl_sparse_reserve(step, exec, (size_t)n + added);
    if (room && added > 1) /* the row's columns are written after the sort, which uses their room */
        sort_numbers(local->touched, out->columns + n, added);
    for (uint32_t i = 0; i < local->n_touched; i++) {
        uint32_t id = local->touched[i];
        if (room && keep) {
            out->columns[n + i] = id;
            out->values[n + i] = step->op->u.text.binary ? 1.0 : (double)local->counts[id];
        }
        local->counts[id] = 0;
    }
    local->n_touched = 0;
    out->start[row + 1] = n + added;
    return room;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_text_op *op = &step->op->u.text;
    text_local *local = exec->locals[step->id];
    ftl_cell *cells = ftl_scratch(step, exec);
    ftl_error error;
    ftl_read_cells(step, exec, 0, 0, cells, 1);
    local->error = &error;
    ftl_sparse_of(step, exec)->start[0] = 0;
    for (uint32_t row = 0; row < exec->rows; row++) {
        const ftl_cell *cell = &cells[row];
        ftl_status status = FTL_OK;
        bool empty = op->empty_is_text && cell->tag == FTL_CELL_MISSING && cell->size == 0;
        if (cell->tag != FTL_CELL_STRING && !empty)
            ftl_exec_bad(exec, step, row, op->column,
                         "%s does not take a missing cell for a text; --na says which cells are "
                         "missing",
                         op->estimator);
        else if (!empty && !ftl_unicode_valid(cell->u.text, cell->size))
            ftl_exec_bad(exec, step, row, op->column, "the text is not valid UTF-8");
        else
            status = count_text(op, step->state, local, empty ? "" : cell->u.text,
                                empty ? 0 : cell->size);
        if (status == FTL_VALUE)
            ftl_exec_bad(exec, step, row, op->column, "%s", error.message);
        if (!finish_row(step, exec, local, row, status == FTL_OK))
            return;
        if (status != FTL_OK && status != FTL_VALUE) {
            ftl_exec_fail(exec, step, status, "%s", error.message);
            return;
        }
    }
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_text_op *op = &step->op->u.text;
    text_state *state = FTL_ARENA_NEW(&plan->arena, text_state);
    if (!state)
        return FTL_OOM(error);
    FTL_TRY(ftl_word_table_make(&plan->arena, &op->vocabulary, &state->vocabulary, error));
    FTL_TRY(ftl_word_table_make(&plan->arena, &op->stop_words, &state->stop_words, error));
    step->state = state;
    step->run = run;
    step->open = open_local;
    step->close = close_local;
    step->scratch_per_row = sizeof(ftl_cell);
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_text = {"text", prepare};
