/*
 * OBLIVIOUS: trees whose levels ask one question of all rows. A block of rows is turned into codes
 * first: a plane per column and 255 borders holds how many of them a row lies above, in a byte. A
 * tree's level is then a comparison of bytes for the whole block. float32 comparisons, float64 sums
 * in tree order; nothing depends on the place of a row in a block.
 */
#include "kernels/kernels.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { block = 128, few_rows = 4, plane_borders = FTL_TREE_CODES8, most_levels = 16 };
_Static_assert(block % FTL_OBLIVIOUS_ROWS == 0 && block % FTL_TREE_CODE_ROWS == 0, "whole blocks");
_Static_assert((int)most_levels == (int)FTL_OBLIVIOUS_MAX_DEPTH, "as many levels as the IR has");

typedef struct plane {
    uint32_t column, steps;
    const float *edges; /* borders in a search's order (trees.h) */
    uint32_t nan_code;
} plane;

typedef struct oblivious_state {
    uint32_t n_planes, n_columns;
    const plane *planes;
    const ftl_oblivious_level *levels; /* as op->splits */
    const double *values;              /* trees one after the other: [width][padded 2^levels] */
    size_t codes_at, sums_at;          /* offsets in the scratch */
} oblivious_state;

/* Values of one output of a tree, as they are packed. */
static size_t table_size(uint32_t depth)
{
    size_t n = (size_t)1 << depth;
    return n < FTL_OBLIVIOUS_TABLE ? FTL_OBLIVIOUS_TABLE : n;
}

/* ---- Codes ----------------------------------------------------------------------------------- */

/* How many borders x lies above, or what stands for NaN. */
static uint32_t count_below(const plane *p, float x)
{
    uint32_t at = 0;
    if (isnan(x))
        return p->nan_code;
    for (uint32_t step = 0; step < p->steps; step++)
        at = 2 * at + 1 + (x > p->edges[at]);
    return at - ((1u << p->steps) - 1);
}

/* Rows of the source: elements between rows, and between columns. */
typedef struct matrix {
    const float *x;
    size_t row_stride, column_stride;
} matrix;

/* codes: [n_planes][block] */
static void make_codes(const oblivious_state *state, const ftl_kernels *kernels,
                       const matrix *source, uint32_t n, int8_t *codes)
{
    const size_t stride = source->row_stride;
    for (uint32_t i = 0; i < state->n_planes; i++, codes += block) {
        const plane *p = &state->planes[i];
        const float *x = source->x + p->column * source->column_stride;
        if (n < few_rows) {
            for (uint32_t r = 0; r < n; r++)
                codes[r] = (int8_t)((int)count_below(p, x[r * stride]) - 128);
            continue;
        }
        for (uint32_t r = 0; r < n; r += FTL_TREE_CODE_ROWS) {
            uint32_t take = n - r < FTL_TREE_CODE_ROWS ? n - r : FTL_TREE_CODE_ROWS;
            kernels->trees.codes8.code_f32(x + r * stride, stride, take, p->edges, p->steps, -1.0,
                                           p->nan_code, codes + r);
        }
    }
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

/* The leaves of n rows: answers to the first eight levels in low, to the others in high. */
static void find_leaves(const ftl_kernels *kernels, const ftl_oblivious_level *levels,
                        uint32_t depth, const int8_t *codes, uint32_t n, uint8_t *low,
                        uint8_t *high)
{
    uint32_t first = depth < FTL_OBLIVIOUS_LEVELS ? depth : FTL_OBLIVIOUS_LEVELS;
    if (n >= few_rows) {
        uint32_t rows = (n + FTL_OBLIVIOUS_ROWS - 1) / FTL_OBLIVIOUS_ROWS * FTL_OBLIVIOUS_ROWS;
        kernels->oblivious.leaves(levels, first, codes, block, rows, low);
        if (depth > first)
            kernels->oblivious.leaves(levels + first, depth - first, codes, block, rows, high);
        return;
    }
    for (uint32_t r = 0; r < n; r++) {
        uint32_t leaf = 0;
        for (uint32_t d = 0; d < depth; d++)
            leaf |= (uint32_t)(codes[levels[d].column * block + r] > levels[d].limit) << d;
        low[r] = (uint8_t)leaf;
        high[r] = (uint8_t)(leaf >> 8);
    }
}

/* sums: [width][block] */
static void add_leaves(const ftl_kernels *kernels, uint32_t depth, uint32_t width,
                       const uint8_t *low, const uint8_t *high, uint32_t n, const double *values,
                       double *sums)
{
    size_t size = table_size(depth);
    for (uint32_t k = 0; k < width; k++, values += size, sums += block) {
        if (n >= few_rows && depth <= FTL_OBLIVIOUS_LEVELS) {
            uint32_t rows = (n + FTL_OBLIVIOUS_ROWS - 1) / FTL_OBLIVIOUS_ROWS * FTL_OBLIVIOUS_ROWS;
            kernels->oblivious.add(values, depth, low, rows, sums);
            continue;
        }
        uint32_t mask = ((uint32_t)1 << depth) - 1; /* high is unset where it is not needed */
        for (uint32_t r = 0; r < n; r++)
            sums[r] += values[(low[r] | (uint32_t)high[r] << 8) & mask];
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static void run_rows(const ftl_step *step, const ftl_kernels *kernels, const matrix *source,
                     uint32_t n, unsigned char *scratch, double *out)
{
    const oblivious_state *state = step->state;
    const ftl_oblivious_op *op = &step->op->u.oblivious;
    int8_t *codes = (int8_t *)(scratch + state->codes_at);
    double *sums = (double *)(void *)(scratch + state->sums_at);
    uint8_t low[block] = {0}, high[block] = {0};
    uint32_t width = step->op->width;
    make_codes(state, kernels, source, n, codes);
    if (!op->leaf_number)
        memset(sums, 0, (size_t)width * block * sizeof *sums);
    const double *values = state->values;
    for (uint32_t t = 0; t < op->n_trees; t++) {
        uint32_t depth = op->start[t + 1] - op->start[t];
        find_leaves(kernels, state->levels + op->start[t], depth, codes, n, low, high);
        if (op->leaf_number) {
            for (uint32_t r = 0; r < n; r++)
                out[(size_t)r * width + t] = depth > FTL_OBLIVIOUS_LEVELS ? low[r] | high[r] << 8
                                                                          : low[r];
            continue;
        }
        add_leaves(kernels, depth, width, low, high, n, values, sums);
        values += width * table_size(depth);
    }
    for (uint32_t k = 0; !op->leaf_number && k < width; k++) {
        for (uint32_t r = 0; r < n; r++)
            out[(size_t)r * width + k] = sums[(size_t)k * block + r];
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const oblivious_state *state = step->state;
    bool is_f32;
    matrix source = {.x = ftl_matrix_source(step, exec, &is_f32),
                     .row_stride = state->n_columns,
                     .column_stride = 1};
    double *out = ftl_slot(step, exec);
    if (ftl_by_columns(ftl_source_step(step, exec, 0), exec)) {
        source.row_stride = 1;
        source.column_stride = exec->rows;
    }
    for (uint32_t first = 0; first < exec->rows; first += block) {
        uint32_t n = exec->rows - first < block ? exec->rows - first : block;
        run_rows(step, exec->plan->kernels, &source, n, ftl_scratch(step, exec),
                 out + (size_t)first * step->op->width);
        source.x += n * source.row_stride;
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static ftl_status make_plane(ftl_plan *plan, const ftl_oblivious_op *op, uint32_t column,
                             uint32_t first, uint32_t n, plane *out, ftl_error *error)
{
    uint32_t steps = ftl_tree_edges_steps(n), room = ftl_tree_edges_room(steps);
    float *edges = ftl_blob_data(&plan->blob, room, sizeof *edges);
    if (!edges)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < room; i++) {
        uint32_t at = i < (1u << steps) - 1 ? ftl_tree_edge_place(i, steps) : i;
        edges[at] = i < n ? op->borders[first + i] : INFINITY;
    }
    out->column = column;
    out->steps = steps;
    out->edges = edges;
    out->nan_code = op->nan_above[column] ? n : 0;
    return FTL_OK;
}

/* Planes of all columns with borders; *first receives the first plane of each column. */
static ftl_status make_planes(ftl_plan *plan, const ftl_oblivious_op *op, oblivious_state *state,
                              uint32_t *first, ftl_error *error)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < state->n_columns; c++) {
        first[c] = count;
        count += (op->border_start[c + 1] - op->border_start[c] + plane_borders - 1) /
                 plane_borders;
    }
    plane *planes = ftl_blob_state(&plan->blob, count, sizeof *planes);
    if (!planes)
        return FTL_OOM(error);
    ftl_blob_ref_each(&plan->blob, &planes[0].edges, count, sizeof *planes);
    for (uint32_t c = 0; c < state->n_columns; c++) {
        uint32_t at = op->border_start[c], left = op->border_start[c + 1] - at;
        for (uint32_t p = first[c]; left > 0; p++) {
            uint32_t take = left < plane_borders ? left : plane_borders;
            FTL_TRY(make_plane(plan, op, c, at, take, &planes[p], error));
            at += take;
            left -= take;
        }
    }
    state->planes = planes;
    ftl_blob_ref(&plan->blob, &state->planes);
    state->n_planes = count;
    return FTL_OK;
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

static ftl_status make_levels(ftl_plan *plan, const ftl_oblivious_op *op, oblivious_state *state,
                              const uint32_t *first, ftl_error *error)
{
    uint32_t n = op->start[op->n_trees];
    ftl_oblivious_level *levels = ftl_blob_zero_data(&plan->blob, n, sizeof *levels);
    if (!levels)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t column = column_of(op, state->n_columns, op->splits[i]);
        uint32_t at = op->splits[i] - op->border_start[column];
        levels[i].column = first[column] + at / plane_borders;
        levels[i].limit = (int8_t)((int)(at % plane_borders) - 128);
    }
    state->levels = levels;
    ftl_blob_ref(&plan->blob, &state->levels);
    return FTL_OK;
}

/* Whether the values stand as the kernels want them. */
static bool is_packed(const ftl_oblivious_op *op, uint32_t width)
{
    bool packed = width == 1;
    for (uint32_t t = 0; packed && t < op->n_trees; t++)
        packed = 1u << (op->start[t + 1] - op->start[t]) >= FTL_OBLIVIOUS_TABLE;
    return packed;
}

/* The values of each tree with those of an output side by side, padded for the kernels. */
static ftl_status pack_values(ftl_plan *plan, const ftl_oblivious_op *op, uint32_t width,
                              oblivious_state *state, ftl_error *error)
{
    size_t total = 0;
    if (is_packed(op, width)) {
        state->values = op->values;
        ftl_blob_borrow(&plan->blob, &state->values, op->n_values, sizeof *state->values);
        return FTL_OK;
    }
    for (uint32_t t = 0; t < op->n_trees; t++)
        total += width * table_size(op->start[t + 1] - op->start[t]);
    double *to = ftl_blob_data(&plan->blob, total, sizeof *to);
    if (!to)
        return FTL_OOM(error);
    state->values = to;
    ftl_blob_ref(&plan->blob, &state->values);
    const double *from = op->values;
    for (uint32_t t = 0; t < op->n_trees; t++) {
        uint32_t depth = op->start[t + 1] - op->start[t], n = 1u << depth;
        for (uint32_t k = 0; k < width; k++) {
            for (uint32_t leaf = 0; leaf < table_size(depth); leaf++)
                *to++ = leaf < n ? from[(size_t)leaf * width + k] : 0.0;
        }
        from += (size_t)width * n;
    }
    return FTL_OK;
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_oblivious_op *op = &step->op->u.oblivious;
    if (!plan->steps[step->op->segments[0].op].is_f32)
        return FTL_FAIL(error, FTL_INTERNAL, "oblivious trees need float32 columns");
    oblivious_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    uint32_t n_columns = ftl_op_source_columns(step->op);
    uint32_t *first = ftl_arena_array(&plan->scratch, n_columns, sizeof *first);
    if (!state || !first)
        return FTL_OOM(error);
    state->n_columns = n_columns;
    FTL_TRY(make_planes(plan, op, state, first, error));
    FTL_TRY(make_levels(plan, op, state, first, error));
    if (!op->leaf_number)
        FTL_TRY(pack_values(plan, op, step->op->width, state, error));
    size_t sums = op->leaf_number ? 0 : (size_t)step->op->width * block * sizeof(double);
    state->sums_at = 0;
    state->codes_at = sums;
    step->scratch_fixed = sums + (size_t)state->n_planes * block;
    step->is_f32 = false;
    step->reads_columns = true;
    step->state = state;
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_oblivious_op *oblivious = &op->u.oblivious;
    (void)step;
    oblivious->splits = oblivious->border_start = NULL; /* levels and planes have them */
    oblivious->borders = NULL;
    oblivious->nan_above = NULL;
    oblivious->values = NULL; /* the state's */
    ftl_blob_borrow(blob, &oblivious->start, (size_t)oblivious->n_trees + 1, sizeof(uint32_t));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_oblivious = {
    .name = "oblivious", .compile = compile, .keep = keep, .bind = bind};
