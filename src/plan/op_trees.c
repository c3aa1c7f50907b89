/*
 * TREES: leaf values of an ensemble, summed in tree order, then divided. Sums are float64 whatever
 * the edge, unless the library adds in float32. A block of rows passes one tree after the other; a
 * few rows alone go down several trees at once, which changes nothing in the order of a row's sum.
 */
#include "plan/tree_layout.h"

#include <math.h>

enum { chunk = FTL_TREE_CODE_ROWS, few_rows = 4 }; /* trees per chunk of the single-row walk */

typedef struct trees_state {
    const ftl_tree_layout *layout;
    uint32_t value_width;
} trees_state;

/*
 * values: the tree's leaves; sum: [n][width]. Written once for both types of sum, so that they add
 * in the same order.
 */
#define TREES_ADD(name, type, add_one)                                                \
    static void name(const ftl_step *step, const ftl_kernels *kernels, uint32_t tree, \
                     const type *values, const uint32_t *leaf, uint32_t n, type *sum) \
    {                                                                                 \
        const uint32_t *target = step->op->u.trees.target;                            \
        uint32_t width = step->op->width;                                             \
        if (width == 1) {                                                             \
            kernels->trees.add_one(values, leaf, n, sum);                             \
        } else if (target) {                                                          \
            sum += target[tree];                                                      \
            for (uint32_t r = 0; r < n; r++)                                          \
                sum[(size_t)r * width] += values[leaf[r]];                            \
        } else if (width == 2) {                                                      \
            for (uint32_t r = 0; r < n; r++) {                                        \
                sum[2 * r] += values[2 * leaf[r]];                                    \
                sum[2 * r + 1] += values[2 * leaf[r] + 1];                            \
            }                                                                         \
        } else {                                                                      \
            for (uint32_t r = 0; r < n; r++) {                                        \
                const type *value = values + (size_t)leaf[r] * width;                 \
                for (uint32_t k = 0; k < width; k++)                                  \
                    sum[(size_t)r * width + k] += value[k];                           \
            }                                                                         \
        }                                                                             \
    }
TREES_ADD(add_tree_f64, double, add_one)
TREES_ADD(add_tree_f32, float, add_one_f32)

/* Rows of a block: the source's matrix (by rows), the first of them in it, and their sums. */
typedef struct block {
    const ftl_kernels *kernels;
    const void *source;
    uint32_t first;
    void *sum;
} block;

static double source_value(const trees_state *state, const block *rows, uint32_t row,
                           uint32_t column)
{
    size_t at = (size_t)(rows->first + row) * state->layout->n_columns + column;
    return state->layout->source_f32 ? (double)((const float *)rows->source)[at]
                                     : ((const double *)rows->source)[at];
}

static double linear_leaf(const ftl_trees_op *op, const trees_state *state, const block *rows,
                          uint32_t row, size_t i)
{
    const ftl_linear_leaves *linear = op->linear;
    double sum = linear->constant[i];
    for (uint32_t k = linear->start[i]; k < linear->start[i + 1]; k++) {
        double x = source_value(state, rows, row, linear->column[k]);
        if (isnan(x))
            return state->layout->values[i];
        sum += linear->coef[k] * (fabs(x) <= (double)1e-35f ? 0.0 : x);
    }
    return sum;
}

static void add_linear(const ftl_step *step, const trees_state *state, uint32_t tree,
                       const uint32_t *leaf, uint32_t n, const block *rows, uint32_t row)
{
    const ftl_trees_op *op = &step->op->u.trees;
    double *sum = (double *)rows->sum + (size_t)row * step->op->width;
    sum += op->target ? op->target[tree] : 0;
    for (uint32_t r = 0; r < n; r++)
        sum[(size_t)r * step->op->width] += linear_leaf(
            op, state, rows, row + r, (size_t)state->layout->bases[tree] + leaf[r]);
}

/* Adds a tree's leaves to the sums of rows [row, row + n) of the block. */
static void add_tree(const ftl_step *step, const trees_state *state, uint32_t tree,
                     const uint32_t *leaf, uint32_t n, const block *rows, uint32_t row)
{
    const ftl_trees_op *op = &step->op->u.trees;
    size_t first = (size_t)state->layout->bases[tree] * state->value_width,
           at = (size_t)row * step->op->width;
    void *sum = rows->sum;
    if (op->linear)
        add_linear(step, state, tree, leaf, n, rows, row);
    else if (op->sum_f32)
        add_tree_f32(step, rows->kernels, tree, state->layout->values_f32 + first, leaf, n,
                     (float *)sum + at);
    else
        add_tree_f64(step, rows->kernels, tree, state->layout->values + first, leaf, n,
                     (double *)sum + at);
}

/*
 * One row's leaves in trees [first, first + n), added in the order of the trees. The sums of one
 * or two outputs stay in registers.
 */
#define TREES_ADD_ROW(name, type, all_values)                                        \
    static void name(const ftl_step *step, const trees_state *state, uint32_t first, \
                     const uint32_t *leaf, uint32_t n, type *sum)                    \
    {                                                                                \
        const type *values = state->layout->all_values;                              \
        const uint32_t *base = state->layout->bases + first;                         \
        const uint32_t *target = step->op->u.trees.target;                           \
        const size_t width = step->op->width;                                        \
        if (width == 1) {                                                            \
            type total = sum[0];                                                     \
            for (uint32_t i = 0; i < n; i++)                                         \
                total += values[(size_t)base[i] + leaf[i]];                          \
            sum[0] = total;                                                          \
        } else if (target) {                                                         \
            for (uint32_t i = 0; i < n; i++)                                         \
                sum[target[first + i]] += values[(size_t)base[i] + leaf[i]];         \
        } else if (width == 2) {                                                     \
            type one = sum[0], two = sum[1];                                         \
            for (uint32_t i = 0; i < n; i++) {                                       \
                const type *value = values + 2 * ((size_t)base[i] + leaf[i]);        \
                one += value[0];                                                     \
                two += value[1];                                                     \
            }                                                                        \
            sum[0] = one;                                                            \
            sum[1] = two;                                                            \
        } else {                                                                     \
            for (uint32_t i = 0; i < n; i++) {                                       \
                const type *value = values + ((size_t)base[i] + leaf[i]) * width;    \
                for (size_t k = 0; k < width; k++)                                   \
                    sum[k] += value[k];                                              \
            }                                                                        \
        }                                                                            \
    }
TREES_ADD_ROW(add_row_f64, double, values)
TREES_ADD_ROW(add_row_f32, float, values_f32)

/* One row's sums, over a chunk of trees after the other. */
static void run_row(const ftl_step *step, const trees_state *state, const ftl_tree_rows *rows,
                    uint32_t r, uint32_t *leaf, const block *of)
{
    const ftl_trees_op *op = &step->op->u.trees;
    size_t at = (size_t)r * step->op->width;
    void *sum = op->sum_f32 ? (void *)((float *)of->sum + at) : (void *)((double *)of->sum + at);
    ftl_tree_row row;
    ftl_tree_row_start(state->layout, rows, r, &row);
    for (uint32_t t = 0; t < state->layout->n_trees; t += chunk) {
        uint32_t n = state->layout->n_trees - t < chunk ? state->layout->n_trees - t : chunk;
        const uint32_t *target = op->target ? op->target + t : NULL;
        if (!op->linear &&
            ftl_tree_row_add(state->layout, of->kernels, &row, t, n, leaf, target, sum))
            continue;
        ftl_tree_row_leaves(state->layout, of->kernels, &row, t, n, leaf);
        for (uint32_t i = 0; op->linear && i < n; i++)
            add_linear(step, state, t + i, &leaf[i], 1, of, r);
        if (op->sum_f32 && !op->linear)
            add_row_f32(step, state, t, leaf, n, sum);
        else if (!op->linear)
            add_row_f64(step, state, t, leaf, n, sum);
    }
}

/* The start of the sums: a constant, other columns of the source, or zero. */
static void start(const ftl_step *step, const trees_state *state, const void *source,
                  uint32_t first, uint32_t n, void *sum)
{
    const ftl_trees_op *op = &step->op->u.trees;
    uint32_t width = step->op->width, n_columns = state->layout->n_columns;
    for (uint32_t r = 0; r < n; r++) {
        for (uint32_t k = 0; k < width; k++) {
            size_t at = (size_t)(first + r) * n_columns + op->base_column + k;
            double base = op->base ? op->base[k] : 0.0;
            if (op->base_column)
                base = state->layout->source_f32 ? (double)((const float *)source)[at]
                                                 : ((const double *)source)[at];
            if (op->sum_f32)
                ((float *)sum)[(size_t)r * width + k] = (float)base;
            else
                ((double *)sum)[(size_t)r * width + k] = base;
        }
    }
}

static void run_block(const ftl_step *step, ftl_exec *exec, const ftl_tree_source *source,
                      uint32_t first, uint32_t n)
{
    const trees_state *state = step->state;
    uint32_t width = step->op->width;
    size_t at = (size_t)first * width;
    void *sum = step->is_f32 ? (void *)((float *)ftl_slot(step, exec) + at)
                             : (void *)((double *)ftl_slot(step, exec) + at);
    const block of = {exec->plan->kernels, source->matrix, first, sum};
    unsigned char *scratch = ftl_scratch(step, exec);
    /* behind what is made of the rows */
    uint32_t *leaf = (uint32_t *)(void *)(scratch + ftl_tree_room_bytes(state->layout, n));
    ftl_tree_rows rows = ftl_tree_rows_make(state->layout, of.kernels, source, first, n, scratch);
    const uint32_t *target = step->op->u.trees.target;
    start(step, state, source->matrix, first, n, sum);
    if (n < few_rows && ftl_tree_rows_are_plain(state->layout, &rows)) {
        for (uint32_t r = 0; r < n; r++)
            run_row(step, state, &rows, r, leaf, &of);
    } else {
        for (uint32_t t = 0; t < state->layout->n_trees; t++) {
            if (ftl_tree_rows_add(state->layout, t, &rows, sum, target ? target[t] : 0, width))
                continue;
            ftl_tree_rows_walk(state->layout, t, &rows, leaf);
            add_tree(step, state, t, leaf, n, &of, 0);
        }
    }
    double divisor = step->op->u.trees.divisor;
    for (size_t i = 0; i < (size_t)n * width && divisor != 1.0; i++)
        ((double *)sum)[i] /= divisor;
}

static void run_trees(const ftl_step *step, ftl_exec *exec)
{
    const trees_state *state = step->state;
    bool is_f32;
    ftl_tree_source source = {.matrix = ftl_matrix_source(step, exec, &is_f32)};
    if (ftl_by_columns(ftl_source_step(step, exec, 0), exec))
        source.column_stride = exec->rows;
    for (uint32_t first = 0; first < exec->rows; first += state->layout->block) {
        uint32_t n = exec->rows - first < state->layout->block ? exec->rows - first
                                                               : state->layout->block;
        run_block(step, exec, &source, first, n);
    }
}

static ftl_status compile_trees(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    trees_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    const ftl_trees_op *op = &step->op->u.trees;
    const ftl_tree_request request = {.nodes = op->nodes,
                                      .source = &plan->steps[step->op->segments[0].op],
                                      .input = op->input,
                                      .payload = FTL_TREE_LEAF_ROW,
                                      .sums = op};
    FTL_TRY(ftl_tree_layout_share(plan, &request, &state->layout, error));
    ftl_blob_ref(&plan->blob, &state->layout);
    state->value_width = op->nodes->value_width;
    ftl_tree_want_scratch(state->layout, step); /* rows come in 64s, so a chunk has room too */
    /* what else is read of a row is read where it lies */
    step->reads_columns = ftl_tree_reads_columns(state->layout) && !op->linear && !op->base_column;
    step->is_f32 = op->sum_f32;
    step->state = state;
    return FTL_OK;
}

static void keep_trees(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_trees_op *trees = &op->u.trees;
    const ftl_tree_nodes *nodes = trees->nodes;
    (void)step;
    trees->nodes = NULL; /* packed */
    ftl_blob_borrow(blob, &trees->target, nodes->n_trees, sizeof(uint32_t));
    ftl_blob_borrow(blob, &trees->base, op->width, sizeof(double));
    ftl_linear_leaves *linear = ftl_blob_copy(blob, &trees->linear, 1, sizeof *linear);
    if (!linear)
        return;
    uint32_t n = linear->start[nodes->n_values];
    ftl_blob_borrow(blob, &linear->column, n, sizeof(uint32_t));
    ftl_blob_borrow(blob, &linear->coef, n, sizeof(double));
    ftl_blob_borrow(blob, &linear->constant, nodes->n_values, sizeof(double));
    ftl_blob_borrow(blob, &linear->start, (size_t)nodes->n_values + 1, sizeof(uint32_t));
}

static void bind_trees(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_trees;
}

const ftl_op_impl ftl_op_impl_trees = {
    .name = "trees", .compile = compile_trees, .keep = keep_trees, .bind = bind_trees};
