/*
 * MEDIAN: AdaBoostRegressor's weighted median. The source columns are gathered into the scratch, a
 * row after another; each row's numbers are ordered by a stable merge sort. Places of known values
 * are ordered by bits that they set in a set, which has one more bit per word, so that empty words
 * are passed over.
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

/* numpy's order: NaN is behind everything. */
static bool less(double a, double b) { return a < b || (isnan(b) && !isnan(a)); }

/* One pass: runs of `run` indices become runs twice as long. */
static void merge(const double *values, const uint32_t *from, uint32_t *to, size_t n, size_t run)
{
    for (size_t start = 0; start < n; start += 2 * run) {
        size_t middle = start + run < n ? start + run : n;
        size_t end = start + 2 * run < n ? start + 2 * run : n;
        size_t a = start, b = middle;
        for (size_t i = start; i < end; i++) {
            bool second = a == middle || (b < end && less(values[from[b]], values[from[a]]));
            to[i] = second ? from[b++] : from[a++];
        }
    }
}

/* Indices of values in ascending order; both arrays have n elements. */
static const uint32_t *sorted(const double *values, size_t n, uint32_t *order, uint32_t *other)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t run = 1; run < n; run *= 2) {
        merge(values, order, other, n, run);
        uint32_t *swap = order;
        order = other;
        other = swap;
    }
    return order;
}

static double median(const double *values, const double *weights, size_t n, uint32_t *memory)
{
    const uint32_t *order = sorted(values, n, memory, memory + n);
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[order[i]];
    for (size_t i = 0; i < n; i++) {
        sum += weights[order[i]];
        if (sum >= 0.5 * total)
            return values[order[i]];
    }
    return values[order[0]]; /* no comparison held: argmax of nothing but False */
}

/* The rows of the source: as they lie, or gathered into room. */
static const double *rows_of(const ftl_step *step, ftl_exec *exec, size_t n, double *room)
{
    const ftl_step *source = ftl_source_step(step, exec, 0);
    const ftl_op *op = step->op;
    if (op->n_segments == 1 && source->op->kind == FTL_OP_TREES && !source->is_f32 &&
        op->segments[0].count == source->op->width)
        return ftl_slot(source, exec);
    double *out = room;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        for (uint32_t c = 0; c < op->segments[s].count; c++, out++)
            ftl_read_f64(step, exec, s, c, out, n);
    }
    return room;
}

static void store(const ftl_step *step, ftl_exec *exec, uint32_t row, double value)
{
    if (step->is_f32)
        ((float *)ftl_slot(step, exec))[row] = (float)value;
    else
        ((double *)ftl_slot(step, exec))[row] = value;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    size_t n = ftl_op_source_columns(step->op);
    uint32_t *memory = ftl_scratch(step, exec);
    const double *values = rows_of(step, exec, n, (double *)(void *)(memory + 2 * n));
    for (uint32_t r = 0; r < exec->rows; r++)
        store(step, exec, r, median(values + r * n, step->op->u.median.weights, n, memory));
}

/* ---- Places of known values ------------------------------------------------------------------ */

typedef struct places {
    const double *weights; /* [n_values] of the columns that they are of */
    size_t n_words, n_blocks;
} places;

/* All of it is 0 between rows, but for sums and order. */
typedef struct place_set {
    uint64_t *words;  /* [n_words] a bit a place */
    uint64_t *blocks; /* [n_blocks] a bit a word that is not 0 */
    double *sums;     /* [columns] running sums of weights */
    uint32_t *order;  /* [columns] places, ascending */
} place_set;

static void add_places(const ftl_median_op *op, const double *row, size_t n, place_set *set)
{
    for (size_t i = 0; i < n; i++) {
        double at = row[i];
        uint32_t place = at >= 0 && at < op->n_values ? (uint32_t)at : 0;
        set->words[place >> 6] |= (uint64_t)1 << (place & 63);
        set->blocks[place >> 12] |= (uint64_t)1 << (place >> 6 & 63);
    }
}

/* Empties the set into order and sums; the number of places. */
static size_t take_places(const places *known, place_set *set)
{
    size_t n = 0;
    double sum = 0;
    for (size_t b = 0; b < known->n_blocks; b++) {
        for (uint64_t block = set->blocks[b]; block; block &= block - 1) {
            size_t w = b << 6 | (size_t)__builtin_ctzll(block);
            for (uint64_t word = set->words[w]; word; word &= word - 1) {
                size_t place = w << 6 | (size_t)__builtin_ctzll(word);
                sum += known->weights[place];
                set->order[n] = (uint32_t)place;
                set->sums[n++] = sum;
            }
            set->words[w] = 0;
        }
        set->blocks[b] = 0;
    }
    return n;
}

static double median_of_places(const ftl_step *step, const double *row, size_t columns,
                               place_set *set)
{
    const ftl_median_op *op = &step->op->u.median;
    add_places(op, row, columns, set);
    size_t n = take_places(step->state, set), i = 0;
    double half = 0.5 * set->sums[n - 1];
    while (i < n && !(set->sums[i] >= half))
        i++;
    return op->values[set->order[i < n ? i : 0]];
}

static void run_places(const ftl_step *step, ftl_exec *exec)
{
    const places *known = step->state;
    size_t n = ftl_op_source_columns(step->op);
    uint64_t *memory = ftl_scratch(step, exec);
    place_set set = {.words = memory, .blocks = memory + known->n_words};
    double *room = (double *)(void *)(set.blocks + known->n_blocks);
    memset(memory, 0, (known->n_words + known->n_blocks) * sizeof *memory);
    set.sums = room;
    set.order = (uint32_t *)(void *)(room + n);
    const double *rows = rows_of(step, exec, n, room + 2 * n);
    for (uint32_t r = 0; r < exec->rows; r++)
        store(step, exec, r, median_of_places(step, rows + r * n, n, &set));
}

static ftl_status compile_places(ftl_plan *plan, ftl_step *step, size_t n, ftl_error *error)
{
    const ftl_median_op *op = &step->op->u.median;
    places *known = ftl_blob_state(&plan->blob, 1, sizeof *known);
    double *weights = ftl_blob_data(&plan->blob, op->n_values, sizeof *weights);
    if (!known || !weights)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < op->n_values; i++)
        weights[i] = op->weights[op->column[i]];
    *known = (places){.weights = weights,
                      .n_words = ((size_t)op->n_values + 63) / 64,
                      .n_blocks = ((size_t)op->n_values + 4095) / 4096};
    step->scratch_fixed = (known->n_words + known->n_blocks + 2 * n) * sizeof(uint64_t);
    ftl_blob_ref(&plan->blob, &known->weights);
    step->state = known;
    return FTL_OK;
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    size_t n = ftl_op_source_columns(step->op);
    step->scratch_per_row = n * sizeof(double);
    if (step->op->u.median.n_values)
        return compile_places(plan, step, n, error);
    step->scratch_fixed = 2 * n * sizeof(uint32_t);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_median_op *median = &op->u.median;
    median->column = NULL;
    if (median->n_values) /* they have weights of their own */
        median->weights = NULL;
    ftl_blob_borrow(blob, &median->weights, ftl_op_source_columns(step->op), sizeof(double));
    ftl_blob_borrow(blob, &median->values, median->n_values, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->u.median.n_values ? run_places : run;
}

const ftl_op_impl ftl_op_impl_median = {
    .name = "median", .compile = compile, .keep = keep, .bind = bind};
