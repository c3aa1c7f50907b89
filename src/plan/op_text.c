/* TEXT: how often each word of a vocabulary occurs in a text; the rows of a sparse matrix. */
#include "base/python_pattern.h"
#include "base/utf8.h"
#include "plan/text.h"

#include <math.h>
#include <string.h>

enum { small_sort = 16, few_bits = 5, most_bits = 8 };

/* ---- Counting -------------------------------------------------------------------------------- */

static void insertion_sort(uint32_t *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t value = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > value; j--)
            x[j] = x[j - 1];
        x[j] = value;
    }
}

/* One pass of a radix sort by `bits` bits from `shift` on. */
static void radix_pass(const uint32_t *from, uint32_t *to, size_t n, uint32_t shift, uint32_t bits)
{
    const uint32_t mask = (1u << bits) - 1;
    uint32_t place[1 << most_bits], at = 0;
    memset(place, 0, (mask + (size_t)1) * sizeof *place);
    for (size_t i = 0; i < n; i++)
        place[from[i] >> shift & mask]++;
    for (uint32_t d = 0; d <= mask; d++) {
        uint32_t count = place[d];
        place[d] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[place[from[i] >> shift & mask]++] = from[i];
}

/* The numbers below `limit` in ascending order; *sorted is where they lie. */
static ftl_status sort_found(ftl_text_local *local, uint32_t limit, const uint32_t **sorted)
{
    size_t n = local->n_found;
    uint32_t *from = local->found;
    *sorted = from;
    if (n <= small_sort) {
        insertion_sort(from, n);
        return FTL_OK;
    }
    FTL_TRY(ftl_grow(local->account, &local->sorted, &local->sorted_room, n, sizeof *local->sorted,
                     local->error));
    uint32_t *to = local->sorted, bits = n < 256 ? few_bits : most_bits;
    for (uint32_t shift = 0; shift < 32 && (limit - 1) >> shift; shift += bits) {
        radix_pass(from, to, n, shift, bits);
        uint32_t *other = from;
        from = to;
        to = other;
    }
    *sorted = from;
    return FTL_OK;
}

/* Appends a row to the matrix: entry after entry, equal numbers counted. */
static uint32_t count_words(const ftl_text_op *op, const ftl_sparse *out, const uint32_t *sorted,
                            size_t n_found, uint32_t n)
{
    uint32_t first = n;
    for (size_t i = 0; i < n_found; i++) {
        if (n > first && out->columns[n - 1] == sorted[i]) {
            out->values[n - 1] += op->binary ? 0 : 1;
        } else {
            out->columns[n] = sorted[i];
            out->values[n++] = 1;
        }
    }
    return n;
}

/* The same for hashes; entries that cancel out stay, as zeros: binary makes them 1. */
static uint32_t count_hashes(const ftl_text_op *op, const ftl_sparse *out, const uint32_t *sorted,
                             size_t n_found, uint32_t n)
{
    uint32_t first = n;
    for (size_t i = 0; i < n_found; i++) {
        double one = sorted[i] & 1 ? -1 : 1;
        if (n > first && out->columns[n - 1] == sorted[i] >> 1) {
            out->values[n - 1] += one;
        } else {
            out->columns[n] = sorted[i] >> 1;
            out->values[n++] = one;
        }
    }
    for (uint32_t i = first; i < n; i++) {
        if (op->binary)
            out->values[i] = 1;
        else if (op->absolute)
            out->values[i] = fabs(out->values[i]);
    }
    return n;
}

/* ---- Running --------------------------------------------------------------------------------- */

static ftl_status read_text(const ftl_text_state *state, ftl_text_local *local, const char *text,
                            size_t size)
{
    const ftl_text_op *op = state->op;
    if (op->lowercase) {
        FTL_TRY(ftl_text_lower(local->account, text, size, &local->lowered, local->error));
        text = local->lowered.data;
        size = local->lowered.size;
    }
    if (op->accents != FTL_ACCENTS_KEEP && ftl_utf8_ascii_prefix(text, size) < size) {
        FTL_TRY(ftl_text_strip(local->account, text, size, op->accents, &local->stripped,
                               local->error));
        text = local->stripped.data;
        size = local->stripped.size;
    }
    return ftl_text_find(state, local, text, size);
}

/* The words of one row; false when the row is bad or the run has ended. */
static bool read_row(const ftl_step *step, ftl_exec *exec, uint32_t row, const ftl_cell *cell,
                     const uint32_t **sorted)
{
    const ftl_text_op *op = &step->op->u.text;
    ftl_text_local *local = exec->locals[step->id];
    bool empty = op->empty_is_text && cell->tag == FTL_CELL_MISSING && cell->size == 0;
    const char *text = empty ? "" : cell->u.text;
    if (cell->tag != FTL_CELL_STRING && !empty) {
        if (ftl_exec_bad(exec, step, row, op->column,
                         "%s does not take a missing cell for a text; options.na_values says which "
                         "cells are missing",
                         op->estimator))
            ftl_error_because(&exec->bad_error, FTL_REASON_MISSING_VALUE, "na_values");
        return false;
    }
    if (!empty && !ftl_utf8_valid(text, cell->size)) {
        ftl_exec_bad(exec, step, row, op->column, "the text is not valid UTF-8");
        return false;
    }
    ftl_status status = read_text(step->state, local, text, empty ? 0 : cell->size);
    if (status == FTL_OK)
        status = sort_found(local, step->op->width << (op->n_hashes ? 1 : 0), sorted);
    if (status == FTL_VALUE)
        ftl_exec_bad(exec, step, row, op->column, "%s", local->error->message);
    else if (status != FTL_OK)
        ftl_exec_fail(exec, step, status, "%s", local->error->message);
    return status == FTL_OK;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    ftl_text_local *local = exec->locals[step->id];
    ftl_cell *cells = ftl_scratch(step, exec);
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    ftl_error error;
    uint32_t n = 0;
    local->error = &error;
    ftl_read_cells(step, exec, 0, 0, cells, 1);
    out->start[0] = 0;
    for (uint32_t row = 0; row < exec->rows; row++) {
        const uint32_t *sorted = NULL;
        if (read_row(step, exec, row, &cells[row], &sorted)) {
            if (!ftl_sparse_reserve(step, exec, n + local->n_found))
                return;
            n = step->op->u.text.n_hashes
                    ? count_hashes(&step->op->u.text, out, sorted, local->n_found, n)
                    : count_words(&step->op->u.text, out, sorted, local->n_found, n);
        }
        if (exec->status != FTL_OK)
            return;
        out->start[row + 1] = n;
    }
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static void close_local(ftl_account *account, void *opened)
{
    ftl_text_local *local = opened;
    if (!local)
        return;
    ftl_regex_destroy(local->regex);
    ftl_free(account, local->lowered.data);
    ftl_free(account, local->stripped.data);
    ftl_free(account, local->joined.data);
    ftl_free(account, local->spans);
    ftl_free(account, local->offsets);
    ftl_free(account, local->found);
    ftl_free(account, local->sorted);
    ftl_free(account, local);
}

/* Python's pattern for the PCRE2 at hand: a plan may have been compiled beside another one. */
static ftl_status open_pattern(const char *pattern, ftl_text_local *local, ftl_error *error)
{
    ftl_arena scratch;
    const char *translated;
    ftl_arena_init(&scratch, local->account);
    ftl_status status = ftl_python_pattern_translate(&scratch, pattern, &translated,
                                                     &local->capture, error);
    if (status == FTL_OK)
        status = ftl_regex_create(local->account, translated, &local->regex, error);
    ftl_arena_free(&scratch);
    return status;
}

static ftl_status open_local(const ftl_step *step, ftl_account *account, void **out,
                             ftl_error *error)
{
    const ftl_text_state *state = step->state;
    ftl_text_local *local = ftl_alloc_zero(account, 1, sizeof *local);
    if (!local)
        return FTL_OOM(error);
    *out = local; /* closed by whoever frees the exec, also when what follows fails */
    local->account = account;
    return state->op->pattern ? open_pattern(state->op->pattern, local, error) : FTL_OK;
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_text_op *op = &step->op->u.text;
    ftl_text_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    state->op = op;
    ftl_blob_ref(&plan->blob, &state->op);
    FTL_TRY(ftl_word_table_make(&plan->blob, &op->vocabulary, &state->vocabulary, error));
    FTL_TRY(ftl_word_table_make(&plan->blob, &op->stop_words, &state->stop_words, error));
    /* n tokens have a space between, n characters a byte each: longer runs are no words, and a
     * model may ask for runs of a billion. min_n itself stays: char_wb counts short words by it. */
    size_t longest = state->vocabulary.longest + 1;
    state->max_n = op->max_n;
    if (state->max_n > longest && op->n_hashes == 0)
        state->max_n = op->min_n > longest ? op->min_n : (uint32_t)longest;
    step->state = state;
    step->scratch_per_row = sizeof(ftl_cell);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_text_op *text = &op->u.text;
    (void)step;
    ftl_blob_borrow_text(blob, &text->pattern);
    ftl_blob_borrow_text(blob, &text->estimator);
    ftl_blob_borrow_text(blob, &text->column);
    text->vocabulary.text = text->stop_words.text = NULL; /* the tables have it */
    text->vocabulary.start = text->stop_words.start = NULL;
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
    out->open = open_local;
    out->close = close_local;
}

const ftl_op_impl ftl_op_impl_text = {
    .name = "text", .compile = compile, .keep = keep, .bind = bind};
