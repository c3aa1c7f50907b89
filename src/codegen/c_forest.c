#include "codegen/c_forest.h"

#include <math.h>
#include <stdlib.h>

enum { n_kinds = 4, most_columns = 1 << 17, most_cut_columns = 1024 };

/* ---- Columns --------------------------------------------------------------------------------- */

static bool is_leaf(const ftl_tree_nodes *nodes, uint32_t i)
{
    return nodes->flags[i] & FTL_NODE_LEAF;
}

static uint32_t kind_of(uint32_t flags)
{
    return (flags & FTL_NODE_ZERO_MISSING ? 2u : 0u) | (flags & FTL_NODE_MISSING_LEFT ? 0u : 1u);
}

/* The largest float32 that is not above t. */
static double largest_below(double t)
{
    float f = (float)t;
    return (double)((double)f > t ? nextafterf(f, -INFINITY) : f);
}

static double edge_of(const ftl_c_forest *forest, uint32_t node)
{
    double t = forest->nodes->threshold[node];
    return forest->narrow && !isnan(t) ? largest_below(t) : t;
}

static int by_number(const void *a, const void *b)
{
    double left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

/*
 * count: [features][kinds] of thresholds, then where the next one of each goes; a column is made
 * for each that is there.
 */
static void make_columns(ftl_c_forest *forest, uint32_t n_features, uint32_t *count,
                         uint32_t *column_of_kind)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n_features * n_kinds; i++) {
        column_of_kind[i] = forest->n_columns;
        if (count[i] == 0)
            continue;
        forest->columns[forest->n_columns++] = (ftl_c_column){.feature = i / n_kinds,
                                                              .zero_missing = i % n_kinds & 2,
                                                              .missing_right = i % n_kinds & 1,
                                                              .start = at,
                                                              .count = count[i]};
        at += count[i];
        count[i] = at - count[i];
    }
    forest->n_numeric = forest->n_columns;
}

/* Sorts each column's thresholds and drops repeated ones. */
static void sort_edges(ftl_c_forest *forest)
{
    uint32_t to = 0;
    for (uint32_t c = 0; c < forest->n_numeric; c++) {
        ftl_c_column *column = &forest->columns[c];
        double *edges = forest->edges + column->start;
        uint32_t n = 0, first = to;
        qsort(edges, column->count, sizeof *edges, by_number);
        for (uint32_t i = 0; i < column->count; i++) {
            if (n == 0 || forest->edges[to - 1] != edges[i])
                forest->edges[to++] = edges[i], n++;
        }
        column->start = first;
        column->count = n;
        forest->most_codes = n > forest->most_codes ? n : forest->most_codes;
    }
    forest->n_edges = to;
}

static uint32_t rank_of(const double *edges, uint32_t n, double t)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (edges[middle] < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A column of its own for each node that asks for a category. */
static void add_category(ftl_c_forest *forest, uint32_t node)
{
    uint32_t flags = forest->nodes->flags[node];
    forest->column_of[node] = forest->n_columns;
    forest->code_of[node] = 0;
    forest->columns[forest->n_columns++] = (ftl_c_column){
        .feature = (uint32_t)forest->nodes->feature[node],
        .zero_missing = flags & FTL_NODE_ZERO_MISSING,
        .missing_right = !(flags & FTL_NODE_MISSING_LEFT),
        .category = true,
        .negative_missing = flags & FTL_NODE_NEGATIVE_MISSING,
        .set_right = flags & FTL_NODE_SET_RIGHT,
        .set = (uint32_t)forest->nodes->threshold[node]};
}

static void number_nodes(ftl_c_forest *forest, const uint32_t *column_of_kind)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        if (is_leaf(nodes, i))
            continue;
        if (nodes->flags[i] & FTL_NODE_CATEGORICAL) {
            add_category(forest, i);
            continue;
        }
        uint32_t c =
            column_of_kind[(uint32_t)nodes->feature[i] * n_kinds + kind_of(nodes->flags[i])];
        const ftl_c_column *column = &forest->columns[c];
        double edge = edge_of(forest, i);
        forest->column_of[i] = c;
        /* no value is above a NaN */
        forest->code_of[i] = isnan(edge)
                                 ? column->count
                                 : rank_of(forest->edges + column->start, column->count, edge);
    }
}

static ftl_status make_codes(ftl_c_code *code, const ftl_op *op, ftl_c_forest *forest,
                             ftl_error *error)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    uint32_t n_features = ftl_op_source_columns(op), categories = 0, used = 0;
    uint32_t *count = ftl_arena_zero_array(&code->arena, (size_t)n_features * n_kinds + 1,
                                           sizeof *count);
    uint32_t *column_of_kind = ftl_arena_zero_array(&code->arena, (size_t)n_features * n_kinds + 1,
                                                    sizeof *column_of_kind);
    if (!count || !column_of_kind)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        if (is_leaf(nodes, i))
            continue;
        if (nodes->flags[i] & FTL_NODE_CATEGORICAL)
            categories++;
        else
            used += count[(uint32_t)nodes->feature[i] * n_kinds + kind_of(nodes->flags[i])]++ == 0;
    }
    if (used + (uint64_t)categories > most_columns)
        return ftl_c_unsupported(op, "so many splits by category", error);
    forest->columns = ftl_arena_zero_array(&code->arena, used + categories + 1,
                                           sizeof *forest->columns);
    forest->edges = ftl_arena_array(&code->arena, (size_t)nodes->n_nodes + 1,
                                    sizeof *forest->edges);
    if (!forest->columns || !forest->edges)
        return FTL_OOM(error);
    make_columns(forest, n_features, count, column_of_kind);
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        if (is_leaf(nodes, i) || nodes->flags[i] & FTL_NODE_CATEGORICAL)
            continue;
        double edge = edge_of(forest, i);
        forest->edges[count[(uint32_t)nodes->feature[i] * n_kinds + kind_of(nodes->flags[i])]++] =
            isnan(edge) ? INFINITY : edge;
    }
    sort_edges(forest);
    forest->most_codes += categories ? 1 : 0;
    number_nodes(forest, column_of_kind);
    return FTL_OK;
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

/* Numbers a tree's leaves from left to right. stack: room for its nodes. */
static void number_leaves(ftl_c_forest *forest, uint32_t tree, uint32_t *stack)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    uint32_t n = 0, root = nodes->root[tree], first = forest->n_leaves;
    forest->first_leaf[tree] = first;
    stack[n++] = root;
    while (n) {
        uint32_t node = stack[--n];
        forest->leaf_of[node] = forest->n_leaves;
        if (is_leaf(nodes, node)) {
            forest->node_of[forest->n_leaves++] = node;
            continue;
        }
        stack[n++] = root + (uint32_t)nodes->right[node];
        stack[n++] = root + (uint32_t)nodes->left[node];
    }
    if (forest->n_leaves - first > forest->most_leaves)
        forest->most_leaves = forest->n_leaves - first;
}

ftl_status ftl_c_forest_make(ftl_c_code *code, const ftl_op *op, const ftl_tree_nodes *nodes,
                             bool narrow, ftl_c_forest *out, ftl_error *error)
{
    size_t n = (size_t)nodes->n_nodes + 1;
    *out = (ftl_c_forest){.nodes = nodes, .narrow = narrow};
    out->column_of = ftl_arena_zero_array(&code->arena, n, sizeof *out->column_of);
    out->code_of = ftl_arena_zero_array(&code->arena, n, sizeof *out->code_of);
    out->leaf_of = ftl_arena_zero_array(&code->arena, n, sizeof *out->leaf_of);
    out->node_of = ftl_arena_zero_array(&code->arena, n, sizeof *out->node_of);
    out->first_leaf = ftl_arena_zero_array(&code->arena, (size_t)nodes->n_trees + 1,
                                           sizeof *out->first_leaf);
    uint32_t *stack = ftl_arena_array(&code->arena, n, sizeof *stack);
    if (!out->column_of || !out->code_of || !out->leaf_of || !out->node_of || !out->first_leaf ||
        !stack)
        return FTL_OOM(error);
    FTL_TRY(make_codes(code, op, out, error));
    for (uint32_t t = 0; t < nodes->n_trees; t++)
        number_leaves(out, t, stack);
    out->first_leaf[nodes->n_trees] = out->n_leaves;
    return FTL_OK;
}

uint32_t ftl_c_forest_bytes(const ftl_c_forest *forest)
{
    if (forest->n_columns == 0 || forest->n_columns > most_cut_columns)
        return 0;
    if (forest->most_leaves <= 256 && forest->most_codes <= 255)
        return 1;
    return forest->most_leaves <= 128 && forest->most_codes <= 32767 ? 2 : 0;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Thresholds of a column lie in 2^steps - 1 places, infinite behind the last. */
static uint32_t steps_of(uint32_t count)
{
    uint32_t steps = 0;
    while ((1ull << steps) - 1 < count)
        steps++;
    return steps;
}

/* Elements of a column's thresholds in the table. */
static size_t places_of(const ftl_c_forest *forest, const ftl_c_column *column)
{
    if (ftl_c_forest_bytes(forest) == 1)
        return 16 + (size_t)16 * (column->count / 16 + 1);
    return ((size_t)1 << steps_of(column->count)) - 1;
}

/* Threshold `place` of a column: infinite behind the last. */
static double edge_at(const ftl_c_forest *forest, const ftl_c_column *column, size_t place)
{
    return place < column->count ? forest->edges[column->start + place] : INFINITY;
}

/*
 * Columns of up to 255 thresholds are searched in two steps of sixteen comparisons: every sixteenth
 * threshold comes first, then all.
 */
static double place_at(const ftl_c_forest *forest, const ftl_c_column *column, size_t place)
{
    if (ftl_c_forest_bytes(forest) != 1)
        return edge_at(forest, column, place);
    return edge_at(forest, column, place < 16 ? 16 * place + 15 : place - 16);
}

static void edges_table(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    size_t n = 0, at = 0;
    for (uint32_t c = 0; c < forest->n_numeric; c++)
        n += places_of(forest, &forest->columns[c]);
    ftl_c_array_begin(code, id, forest->narrow ? "float" : "double", "edges", n);
    for (uint32_t c = 0; c < forest->n_numeric && code->out->status == FTL_OK; c++) {
        const ftl_c_column *column = &forest->columns[c];
        size_t places = places_of(forest, column);
        for (size_t i = 0; i < places; i++) {
            ftl_c_array_next(code, at++);
            if (forest->narrow)
                ftl_emit_c_f32(code->out, (float)place_at(forest, column, i));
            else
                ftl_emit_c_f64(code->out, place_at(forest, column, i));
        }
    }
    ftl_c_array_end(code);
}

static void sets_table(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    ftl_emitf(code->out,
              "static const struct {\n    unsigned feature, start, words;\n    int zero, missing, "
              "negative, inside;\n} %s_op%u_sets[%u] = {",
              code->prefix, id, forest->n_columns - forest->n_numeric);
    for (uint32_t c = forest->n_numeric; c < forest->n_columns; c++) {
        const ftl_c_column *column = &forest->columns[c];
        uint32_t start = nodes->set_start[column->set],
                 words = nodes->set_start[column->set + 1] - start;
        ftl_emitf(code->out, "%s{%u, %u, %u, %d, %d, %d, %d}",
                  c > forest->n_numeric ? ",\n    " : "\n    ", column->feature, start, words,
                  column->zero_missing, column->missing_right, column->negative_missing,
                  column->set_right);
    }
    ftl_emit_text(code->out, "};\n");
    ftl_c_array_u32(code, id, "words", nodes->set_words, nodes->set_start[nodes->n_sets]);
}

void ftl_c_forest_columns(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    size_t at = 0;
    if (forest->n_numeric) {
        edges_table(code, id, forest);
        ftl_emitf(code->out,
                  "static const struct {\n    unsigned feature, start, steps, missing;\n    int "
                  "zero;\n} %s_op%u_columns[%u] = {",
                  code->prefix, id, forest->n_numeric);
    }
    for (uint32_t c = 0; c < forest->n_numeric; c++) {
        const ftl_c_column *column = &forest->columns[c];
        ftl_emitf(code->out, "%s{%u, %zu, %u, %u, %d}", c ? ",\n    " : "\n    ", column->feature,
                  at, steps_of(column->count), column->missing_right ? column->count : 0,
                  column->zero_missing);
        at += places_of(forest, column);
    }
    if (forest->n_numeric)
        ftl_emit_text(code->out, "};\n");
    if (forest->n_columns > forest->n_numeric)
        sets_table(code, id, forest);
}

/* A tree's nodes by levels, children side by side. order: room for its nodes. */
static uint32_t order_nodes(const ftl_c_forest *forest, uint32_t tree, uint32_t *order,
                            uint32_t *next, uint32_t *farthest)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    uint32_t root = nodes->root[tree], n = 1;
    order[0] = root;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t node = order[i];
        next[i] = 0;
        if (is_leaf(nodes, node))
            continue;
        next[i] = n - i;
        *farthest = next[i] > *farthest ? next[i] : *farthest;
        order[n++] = root + (uint32_t)nodes->left[node];
        order[n++] = root + (uint32_t)nodes->right[node];
    }
    return n;
}

/* Nodes that a tree has, but that hang on none of its others, are not written. */
void ftl_c_forest_nodes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    size_t room = (size_t)nodes->n_nodes + 1, total = 0;
    uint32_t *order = ftl_arena_array(&code->arena, room, sizeof *order);
    uint32_t *next = ftl_arena_array(&code->arena, room, sizeof *next);
    uint32_t *roots = ftl_arena_array(&code->arena, (size_t)nodes->n_trees + 1, sizeof *roots);
    uint32_t farthest = forest->n_columns;
    if (!order || !next || !roots) {
        code->failed = true;
        return;
    }
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        roots[t] = (uint32_t)total;
        total += order_nodes(forest, t, order, next, &farthest);
    }
    ftl_c_array_u32(code, id, "roots", roots, nodes->n_trees);
    ftl_emitf(code->out,
              "typedef struct {\n    %s column, next;\n    unsigned code;\n} %s_op%u_node;\n"
              "static const %s_op%u_node %s_op%u_nodes[%zu] = {",
              farthest > 65535 ? "unsigned" : "unsigned short", code->prefix, id, code->prefix, id,
              code->prefix, id, total);
    for (uint32_t t = 0, at = 0; t < nodes->n_trees && code->out->status == FTL_OK; t++) {
        uint32_t n = order_nodes(forest, t, order, next, &farthest);
        for (uint32_t i = 0; i < n; i++, at++) {
            uint32_t node = order[i];
            bool leaf = is_leaf(nodes, node);
            ftl_c_array_next(code, at);
            /* the code of a leaf is above all codes: its number behind them */
            ftl_emitf(code->out, "{%u, %u, %u}", leaf ? 0 : forest->column_of[node], next[i],
                      leaf ? forest->most_codes + forest->leaf_of[node] : forest->code_of[node]);
        }
    }
    ftl_c_array_end(code);
}

/* ---- Cuts ------------------------------------------------------------------------------------ */

static uint32_t repeated(uint32_t value, uint32_t bytes)
{
    return bytes == 1 ? (value & 0xff) * 0x01010101u : (value & 0xffff) * 0x10001u;
}

/* Parents first, and left before right. */
static uint32_t tree_cuts(ftl_c_code *code, const ftl_c_forest *forest, uint32_t tree,
                          uint32_t *stack, uint32_t at)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    uint32_t root = nodes->root[tree], n = 0, bytes = ftl_c_forest_bytes(forest);
    uint32_t bias = bytes == 1 ? 128 : 0;
    stack[n++] = root;
    while (n) {
        uint32_t node = stack[--n];
        if (is_leaf(nodes, node))
            continue;
        uint32_t right = root + (uint32_t)nodes->right[node];
        ftl_c_array_next(code, at++);
        ftl_emitf(code->out, "{%u, %uu, %uu, %uu}", forest->column_of[node],
                  repeated(forest->code_of[node] - bias, bytes),
                  repeated(forest->leaf_of[node] - forest->first_leaf[tree], bytes),
                  repeated(forest->leaf_of[right] - forest->leaf_of[node], bytes));
        stack[n++] = right;
        stack[n++] = root + (uint32_t)nodes->left[node];
    }
    return at;
}

void ftl_c_forest_cuts(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    uint32_t *stack = ftl_arena_array(&code->arena, (size_t)forest->nodes->n_nodes + 1,
                                      sizeof *stack);
    uint32_t n = forest->n_leaves - forest->nodes->n_trees;
    if (!stack) {
        code->failed = true;
        return;
    }
    ftl_emitf(code->out, "static const %s_cut %s_op%u_cuts[%u] = {", code->prefix, code->prefix, id,
              n ? n : 1);
    for (uint32_t t = 0, at = 0; t < forest->nodes->n_trees && code->out->status == FTL_OK; t++)
        at = tree_cuts(code, forest, t, stack, at);
    ftl_emit_text(code->out, n ? "};\n" : "{0, 0, 0, 0}};\n");
    if (!ftl_c_forest_has_lanes(forest)) /* they need it, too */
        ftl_c_array_u32(code, id, "first", forest->first_leaf, (size_t)forest->nodes->n_trees + 1);
}

/* ---- Lanes ----------------------------------------------------------------------------------- */

enum { lane_trees = 64, least_lane_trees = 16, most_lane_columns = 64 };

bool ftl_c_forest_has_lanes(const ftl_c_forest *forest)
{
    return ftl_c_forest_bytes(forest) == 1 && forest->n_columns <= most_lane_columns &&
           forest->nodes->n_trees >= least_lane_trees;
}

/* A tree's cuts into lane `lane` of a group's steps: [step][column, code, from, leaves][lane]. */
static void fill_lane(const ftl_c_forest *forest, uint32_t tree, uint32_t lane, uint32_t *stack,
                      unsigned char *steps)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    uint32_t root = nodes->root[tree], n = 0;
    stack[n++] = root;
    while (n) {
        uint32_t node = stack[--n];
        if (is_leaf(nodes, node))
            continue;
        uint32_t right = root + (uint32_t)nodes->right[node];
        steps[lane] = (unsigned char)forest->column_of[node];
        steps[lane_trees + lane] = (unsigned char)(forest->code_of[node] - 128);
        steps[2 * lane_trees + lane] = (unsigned char)(forest->leaf_of[node] -
                                                       forest->first_leaf[tree]);
        steps[3 * lane_trees + lane] = (unsigned char)(forest->leaf_of[right] -
                                                       forest->leaf_of[node]);
        steps += 4 * lane_trees;
        stack[n++] = right;
        stack[n++] = root + (uint32_t)nodes->left[node];
    }
}

/* Steps of the group's largest tree; codes of lanes without a cut are above all others. */
static uint32_t group_steps(const ftl_c_forest *forest, uint32_t group)
{
    uint32_t most = 0;
    for (uint32_t t = group * lane_trees;
         t < (group + 1) * lane_trees && t < forest->nodes->n_trees; t++) {
        uint32_t n = forest->first_leaf[t + 1] - forest->first_leaf[t] - 1;
        most = n > most ? n : most;
    }
    return most;
}

static void write_group(ftl_c_code *code, const ftl_c_forest *forest, uint32_t group,
                        uint32_t *stack, size_t *at)
{
    size_t size = (size_t)group_steps(forest, group) * 4 * lane_trees;
    unsigned char *steps = ftl_arena_zero_array(&code->arena, size + 1, 1);
    if (!steps) {
        code->failed = true;
        return;
    }
    for (size_t i = 0; i < size; i += 4 * lane_trees)
        memset(steps + i + lane_trees, 127, lane_trees);
    for (uint32_t lane = 0; lane < lane_trees; lane++) {
        uint32_t tree = group * lane_trees + lane;
        if (tree < forest->nodes->n_trees)
            fill_lane(forest, tree, lane, stack, steps);
    }
    for (size_t i = 0; i < size && code->out->status == FTL_OK; i++, ++*at)
        ftl_emitf(code->out, *at == 0 ? "\n%u" : *at % 32 ? ",%u" : ",\n%u", steps[i]);
}

void ftl_c_forest_lanes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    uint32_t groups = (forest->nodes->n_trees + lane_trees - 1) / lane_trees;
    uint32_t *stack = ftl_arena_array(&code->arena, (size_t)forest->nodes->n_nodes + 1,
                                      sizeof *stack);
    uint32_t *steps = ftl_arena_array(&code->arena, groups, sizeof *steps);
    size_t at = 0, total = 0;
    if (!stack || !steps) {
        code->failed = true;
        return;
    }
    for (uint32_t g = 0; g < groups; g++) {
        steps[g] = group_steps(forest, g);
        total += (size_t)steps[g] * 4 * lane_trees;
    }
    ftl_c_array_u32(code, id, "steps", steps, groups);
    ftl_emitf(code->out, "static const unsigned char %s_op%u_lanes[%zu] = {", code->prefix, id,
              total ? total : 1);
    for (uint32_t g = 0; g < groups && code->out->status == FTL_OK; g++)
        write_group(code, forest, g, stack, &at);
    ftl_emit_text(code->out, total ? "};\n" : "0};\n");
}
