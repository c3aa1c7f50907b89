/*
 * OBLIVIOUS: trees whose levels ask one question of all rows. A block of rows is cut into bytes
 * first: a plane per column and 254 borders holds how many of them a row lies above. A tree's level
 * is then a comparison of bytes for the whole block, and its leaves' numbers are bits put together.
 * float32 comparisons, float64 sums in tree order; nothing depends on the place of a row in a
 * block.
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { block = 128, few_rows = 8, plane_borders = 254 };

typedef struct plane {
    uint32_t column, n;
    const float *borders; /* [n] */
    bool nan_above;
} plane;

typedef struct level {
    uint32_t plane;
    uint8_t least; /* borders of the plane that a row lies above, at least, to answer yes */
} level;

typedef struct oblivious_state {
    uint32_t n_planes, n_columns;
    const plane *planes;
    const level *levels; /* as op->splits */
} oblivious_state;

/* How many borders x lies above; NaN above none. */
static uint8_t count_below(const plane *p, float x)
{
    uint32_t low = 0, high = p->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (x > p->borders[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)low;
}

/* One plane: bytes[0..n) of rows that lie n_columns floats apart. */
static void fill_plane(const plane *p, const float *source, uint32_t n_columns, uint32_t n,
                       uint8_t *bytes)
{
    float x[block] = {0};
    for (uint32_t r = 0; r < n; r++) {
        float value = source[(size_t)r * n_columns + p->column];
        x[r] = isnan(value) && p->nan_above ? INFINITY : value;
    }
    if (n < few_rows) {
        for (uint32_t r = 0; r < n; r++)
            bytes[r] = count_below(p, x[r]);
        return;
    }
    int32_t count[block] = {0};
    for (uint32_t b = 0; b < p->n; b++) {
        float border = p->borders[b];
        for (uint32_t r = 0; r < block; r++)
            count[r] += x[r] > border;
    }
    for (uint32_t r = 0; r < block; r++)
        bytes[r] = (uint8_t)count[r];
}

/* The leaf's number of each row. planes: [n_planes][block] */
static void find_leaves(const level *levels, uint32_t depth, const uint8_t *planes, uint32_t n,
                        uint16_t *leaf)
{
    uint8_t low[block] = {0}, high[block] = {0};
    uint32_t padded = n < few_rows ? n : block;
    for (uint32_t d = 0; d < depth; d++) {
        const uint8_t *bytes = planes + (size_t)levels[d].plane * block;
        uint8_t least = levels[d].least, bit = (uint8_t)(1u << (d % 8));
        uint8_t *out = d < 8 ? low : high;
        for (uint32_t r = 0; r < padded; r++)
            out[r] |= bytes[r] >= least ? bit : 0;
    }
    for (uint32_t r = 0; r < padded; r++)
        leaf[r] = (uint16_t)(low[r] | high[r] << 8);
}

static void add_leaves(const double *values, uint32_t width, const uint16_t *leaf, uint32_t n,
                       double *sum)
{
    if (width == 1) {
        for (uint32_t r = 0; r < n; r++)
            sum[r] += values[leaf[r]];
        return;
    }
    for (uint32_t r = 0; r < n; r++) {
        const double *value = values + (size_t)leaf[r] * width;
        for (uint32_t k = 0; k < width; k++)
            sum[(size_t)r * width + k] += value[k];
    }
}

static void run_rows(const ftl_step *step, const float *source, uint32_t n, uint8_t *planes,
                     double *out)
{
    const oblivious_state *state = step->state;
    const ftl_oblivious_op *op = &step->op->u.oblivious;
    uint16_t leaf[block];
    for (uint32_t p = 0; p < state->n_planes; p++)
        fill_plane(&state->planes[p], source, state->n_columns, n, planes + (size_t)p * block);
    memset(out, 0, (size_t)n * step->op->width * sizeof *out);
    const double *values = op->values;
    for (uint32_t t = 0; t < op->n_trees; t++) {
        uint32_t depth = op->start[t + 1] - op->start[t];
        find_leaves(state->levels + op->start[t], depth, planes, n, leaf);
        if (op->leaf_number) {
            for (uint32_t r = 0; r < n; r++)
                out[(size_t)r * step->op->width + t] = leaf[r];
            continue;
        }
        add_leaves(values, step->op->width, leaf, n, out);
        values += (size_t)step->op->width << depth;
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const oblivious_state *state = step->state;
    bool is_f32;
    const float *source = ftl_matrix_source(step, exec, &is_f32);
    double *out = ftl_slot(step, exec);
    for (uint32_t first = 0; first < exec->rows; first += block) {
        uint32_t n = exec->rows - first < block ? exec->rows - first : block;
        run_rows(step, source + (size_t)first * state->n_columns, n, ftl_scratch(step, exec),
                 out + (size_t)first * step->op->width);
    }
}

/* Planes of all columns with borders; *first receives the first plane of each column. */
static plane *make_planes(ftl_plan *plan, const ftl_oblivious_op *op, uint32_t n_columns,
                          uint32_t *first, uint32_t *n)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < n_columns; c++) {
        first[c] = count;
        count += (op->border_start[c + 1] - op->border_start[c] + plane_borders - 1) /
                 plane_borders;
    }
    plane *planes = ftl_arena_array(&plan->arena, count, sizeof *planes);
    for (uint32_t c = 0; planes && c < n_columns; c++) {
        uint32_t at = op->border_start[c], left = op->border_start[c + 1] - at;
        for (uint32_t p = first[c]; left > 0; p++) {
            uint32_t take = left < plane_borders ? left : plane_borders;
            planes[p] = (plane){c, take, op->borders + at, op->nan_above[c]};
            at += take;
            left -= take;
        }
    }
    *n = count;
    return planes;
}

/* The column that a border belongs to. */
static uint32_t column_of(const ftl_oblivious_op *op, uint32_t n_columns, uint32_t border)
{
    uint32_t low = 0, high = n_columns;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (op->border_start[middle] <= border)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_oblivious_op *op = &step->op->u.oblivious;
    uint32_t n_columns = ftl_op_source_columns(step->op), n_splits = op->start[op->n_trees];
    if (!plan->steps[step->op->segments[0].op].is_f32)
        return FTL_FAIL(error, FTL_INTERNAL, "oblivious trees need float32 columns");
    oblivious_state *state = FTL_ARENA_NEW(&plan->arena, oblivious_state);
    uint32_t *first = ftl_arena_array(&plan->arena, n_columns, sizeof *first);
    level *levels = ftl_arena_array(&plan->arena, n_splits, sizeof *levels);
    if (!state || !first || !levels)
        return FTL_OOM(error);
    state->planes = make_planes(plan, op, n_columns, first, &state->n_planes);
    if (!state->planes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n_splits; i++) {
        uint32_t column = column_of(op, n_columns, op->splits[i]);
        uint32_t at = op->splits[i] - op->border_start[column];
        levels[i] = (level){first[column] + at / plane_borders, (uint8_t)(at % plane_borders + 1)};
    }
    state->levels = levels;
    state->n_columns = n_columns;
    step->scratch_fixed = (size_t)state->n_planes * block;
    step->is_f32 = false;
    step->state = state;
    step->run = run;
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_oblivious = {"oblivious", prepare};
