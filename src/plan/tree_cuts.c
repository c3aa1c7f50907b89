#include "plan/tree_cuts.h"

#include <math.h>
#include <string.h>

/*
 * Trees of more leaves are walked: their cuts would cost more than the steps of a walk. Two bytes
 * halve the rows of a register.
 */
enum { most_leaves8 = 256, most_leaves16 = 128, most_nodes = 2 * most_leaves8 - 1 };

/*
 * What a column of codes is, besides its feature. Thresholds: missing values go right, zero is one
 * of them. Categories: negative values are missing, zero is. Those of thresholds that differ in the
 * side alone stand together.
 */
enum {
    kind_right = 1,
    kind_negative = 1,
    kind_zero = 2,
    kind_category = 4,
    n_kinds = 8,
    most_categories = 65504, /* codes have two bytes; a multiple of 32 */
    most_set_words = 1 << 20
};

typedef struct builder {
    const ftl_cut_request *request;
    ftl_blob *blob;
    ftl_arena *scratch;
    /* Thresholds of feature f, in order and distinct: thresholds[start[f]] and count[f] - 1 more */
    uint32_t *start, *count;
    uint32_t *set_words; /* [n_features] of the largest set */
    double *thresholds;
    uint32_t (*column_of)[n_kinds]; /* [n_features] column + 1; 0: not needed */
    uint32_t n_cuts, n_leaves;      /* at most, then so far */
    uint32_t n_words;               /* of sets, so far */
    bool categorical;
    ftl_code_column *columns;
    ftl_tree_cut *cuts;
    uint32_t *numbers;
    double *values;
    float *values_f32;
    uint32_t *sets;
    ftl_cut_ensemble *out;
} builder;

static uint32_t kind_of(uint32_t flags)
{
    uint32_t zero = flags & FTL_NODE_ZERO_MISSING ? kind_zero : 0;
    if (flags & FTL_NODE_CATEGORICAL)
        return zero | kind_category | (flags & FTL_NODE_NEGATIVE_MISSING ? kind_negative : 0);
    return zero | (flags & FTL_NODE_MISSING_LEFT ? 0 : kind_right);
}

/* As the rows of the block are compared. */
static double threshold_of(const builder *b, uint32_t node)
{
    double threshold = b->request->nodes->threshold[node];
    return b->request->wide ? threshold : (double)ftl_tree_largest_f32(threshold);
}

static bool trees_are_small(const ftl_tree_nodes *nodes)
{
    bool small = true;
    for (uint32_t t = 0; t < nodes->n_trees; t++)
        small &= nodes->root[t + 1] - nodes->root[t] <= most_nodes;
    return small;
}

/* What the nodes need: counts, the kinds of columns. */
static ftl_status count_nodes(builder *b, ftl_error *error)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    size_t n_features = b->request->n_features;
    b->start = ftl_arena_zero_array(b->scratch, n_features + 1, sizeof *b->start);
    b->count = ftl_arena_zero_array(b->scratch, n_features, sizeof *b->count);
    b->set_words = ftl_arena_zero_array(b->scratch, n_features, sizeof *b->set_words);
    b->column_of = ftl_arena_zero_array(b->scratch, n_features, sizeof *b->column_of);
    if (!b->start || !b->count || !b->set_words || !b->column_of)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        uint32_t flags = nodes->flags[i], feature = (uint32_t)nodes->feature[i];
        if (flags & FTL_NODE_LEAF) {
            b->n_leaves++;
            continue;
        }
        b->n_cuts++;
        b->column_of[feature][kind_of(flags)] = 1;
        if (!(flags & FTL_NODE_CATEGORICAL)) {
            b->count[feature]++;
            continue;
        }
        uint32_t set = (uint32_t)nodes->threshold[i],
                 words = nodes->set_start[set + 1] - nodes->set_start[set];
        b->categorical = true;
        if (words > b->set_words[feature])
            b->set_words[feature] = words;
    }
    return FTL_OK;
}

/* Every categorical node gets a set of its feature's largest size; *words: of all. */
static bool sets_fit(const builder *b, uint64_t *words)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    *words = 0;
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        if (b->set_words[f] > most_categories / 32)
            return false;
    }
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        if (nodes->flags[i] & FTL_NODE_CATEGORICAL && !(nodes->flags[i] & FTL_NODE_LEAF))
            *words += b->set_words[nodes->feature[i]] + 1;
    }
    return *words <= most_set_words;
}

/*
 * Merges sorted runs of growing length, between values and `other`, of the same size. Which value
 * is taken next is computed, not branched on: half of the guesses would be wrong.
 */
static void sort_values(double *values, double *other, uint32_t n)
{
    double *from = values, *to = other;
    for (uint64_t run = 1; run < n; run *= 2) {
        for (uint64_t first = 0; first < n; first += 2 * run) {
            uint64_t a = first, middle = first + run < n ? first + run : n, b = middle,
                     end = middle + run < n ? middle + run : n, at = first;
            while (a < middle && b < end) {
                double x = from[a], y = from[b];
                uint64_t second = y < x;
                to[at++] = second ? y : x;
                a += !second;
                b += second;
            }
            memcpy(to + at, from + a, (middle - a) * sizeof *to);
            memcpy(to + at + (middle - a), from + b, (end - b) * sizeof *to);
        }
        double *done = to;
        to = from;
        from = done;
    }
    if (from != values)
        memcpy(values, from, n * sizeof *values);
}

/* Sorts each feature's thresholds and drops equal ones; *most: the largest number of them. */
static ftl_status sort_thresholds(builder *b, uint32_t *most, ftl_error *error)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    b->thresholds = ftl_arena_array(b->scratch, b->n_cuts, sizeof *b->thresholds);
    double *other = ftl_arena_array(b->scratch, b->n_cuts, sizeof *other);
    if (!b->thresholds || !other)
        return FTL_OOM(error);
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        b->start[f + 1] = b->start[f] + b->count[f];
        b->count[f] = 0;
    }
    for (uint32_t i = 0; i < nodes->n_nodes; i++) {
        uint32_t feature = (uint32_t)nodes->feature[i];
        if (!(nodes->flags[i] & (FTL_NODE_LEAF | FTL_NODE_CATEGORICAL)))
            b->thresholds[b->start[feature] + b->count[feature]++] = threshold_of(b, i);
    }
    *most = 0;
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        double *values = b->thresholds + b->start[f];
        uint32_t n = 0;
        sort_values(values, other, b->count[f]);
        for (uint32_t i = 0; i < b->count[f]; i++) {
            if (n == 0 || values[n - 1] != values[i])
                values[n++] = values[i];
        }
        b->count[f] = n;
        *most = n > *most ? n : *most;
    }
    return FTL_OK;
}

static ftl_status make_edges(builder *b, uint32_t feature, ftl_code_column *column,
                             ftl_error *error)
{
    uint32_t n = b->count[feature], steps = ftl_tree_edges_steps(n);
    uint32_t room = ftl_tree_edges_room(steps);
    bool wide = b->request->wide;
    void *edges = ftl_blob_data(b->blob, room, wide ? sizeof(double) : sizeof(float));
    if (!edges)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < room; i++) {
        double edge = i < n ? b->thresholds[b->start[feature] + i] : (double)INFINITY;
        uint32_t at = i < (1u << steps) - 1 ? ftl_tree_edge_place(i, steps) : i;
        if (wide)
            ((double *)edges)[at] = edge;
        else
            ((float *)edges)[at] = (float)edge;
    }
    column->edges = edges;
    column->steps = steps;
    return FTL_OK;
}

static ftl_status make_column(builder *b, uint32_t feature, uint32_t kind, uint32_t at,
                              ftl_error *error)
{
    ftl_code_column *column = &b->columns[at];
    column->feature = b->request->rank ? b->request->rank[feature] : feature;
    column->zero = kind & kind_zero ? FTL_TREE_ZERO : -1.0;
    column->category = kind & kind_category;
    if (column->category) {
        column->negative_missing = kind & kind_negative;
        column->n_categories = b->set_words[feature] * 32;
        column->missing = column->n_categories + 1;
        return FTL_OK;
    }
    column->missing = kind & kind_right ? b->count[feature] : 0;
    column->twin = kind & kind_right && b->column_of[feature][kind & ~(uint32_t)kind_right];
    if (!column->twin)
        return make_edges(b, feature, column, error);
    column->edges = column[-1].edges;
    column->steps = column[-1].steps;
    return FTL_OK;
}

static ftl_status make_columns(builder *b, ftl_error *error)
{
    uint32_t n = 0;
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        for (uint32_t kind = 0; kind < n_kinds; kind++)
            n += b->column_of[f][kind];
    }
    b->columns = ftl_blob_state(b->blob, n, sizeof *b->columns);
    if (!b->columns)
        return FTL_OOM(error);
    b->out->columns = b->columns;
    ftl_blob_ref(b->blob, &b->out->columns);
    ftl_blob_ref_each(b->blob, &b->columns[0].edges, n, sizeof *b->columns);
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        for (uint32_t kind = 0; kind < n_kinds; kind++) {
            if (!b->column_of[f][kind])
                continue;
            uint32_t at = b->out->n_columns++;
            b->column_of[f][kind] = at + 1;
            FTL_TRY(make_column(b, f, kind, at, error));
        }
    }
    return FTL_OK;
}

/* The number of thresholds below this one, which is among them. */
static uint32_t code_of(const builder *b, uint32_t feature, double threshold)
{
    const double *values = b->thresholds + b->start[feature];
    uint32_t low = 0;
    for (uint32_t n = b->count[feature]; n > 1;) {
        uint32_t half = n / 2;
        low += half & -(uint32_t)(values[low + half - 1] < threshold);
        n -= half;
    }
    return low;
}

/* The node's set with all of the feature's words, then "in no category" and "missing". */
static uint32_t add_set(builder *b, uint32_t node)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    uint32_t flags = nodes->flags[node], set = (uint32_t)nodes->threshold[node],
             from = nodes->set_start[set], words = nodes->set_start[set + 1] - from,
             room = b->set_words[nodes->feature[node]], at = b->n_words;
    uint32_t flip = flags & FTL_NODE_SET_RIGHT ? UINT32_MAX : 0;
    for (uint32_t w = 0; w < room; w++)
        b->sets[at + w] = (w < words ? nodes->set_words[from + w] : 0) ^ flip;
    b->sets[at + room] = (flip & 1) | (flags & FTL_NODE_MISSING_LEFT ? 2 : 0);
    b->n_words += room + 1;
    return at;
}

static ftl_tree_cut make_cut(builder *b, uint32_t node, uint32_t from)
{
    uint32_t flags = b->request->nodes->flags[node],
             feature = (uint32_t)b->request->nodes->feature[node];
    ftl_tree_cut cut = {.column = b->column_of[feature][kind_of(flags)] - 1, .from = from};
    if (flags & FTL_NODE_CATEGORICAL) {
        cut.column |= FTL_TREE_CUT_SET;
        cut.code = add_set(b, node);
    } else {
        uint32_t code = code_of(b, feature, threshold_of(b, node));
        cut.code = b->out->two_bytes ? ftl_tree_cut_word16(code) : ftl_tree_cut_word8(code + 128);
    }
    return cut;
}

static void add_leaf(builder *b, uint32_t tree, uint32_t local)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    uint32_t node = nodes->root[tree] + local;
    uint32_t row = nodes->leaf ? (uint32_t)nodes->leaf[node] : node;
    uint32_t base = b->request->bases ? b->request->bases[tree] : 0;
    b->numbers[b->n_leaves] = (b->request->node_ids ? local : row) - base;
    if (b->values)
        b->values[b->n_leaves] = nodes->values[row];
    if (b->values_f32)
        b->values_f32[b->n_leaves] = (float)nodes->values[row];
    b->n_leaves++;
}

/* Depth first, left before right. Both children of a node wait at once, so depth + 1 nodes do. */
static void cut_tree(builder *b, uint32_t tree, ftl_cut_tree *out)
{
    enum { no_cut = UINT16_MAX };
    struct {
        uint16_t local, right_of;
    } waiting[most_nodes + 1], at;
    const ftl_tree_nodes *nodes = b->request->nodes;
    uint32_t first = nodes->root[tree], n_waiting = 1, first_leaf = b->n_leaves;
    ftl_tree_cut *cuts = b->cuts + b->n_cuts;
    out->cuts.cuts = cuts;
    out->cuts.sets = b->sets;
    out->numbers = b->numbers + first_leaf;
    if (b->values)
        out->values = b->values + first_leaf;
    if (b->values_f32)
        out->values = b->values_f32 + first_leaf;
    waiting[0].local = 0;
    waiting[0].right_of = no_cut;
    while (n_waiting) {
        at = waiting[--n_waiting];
        uint32_t node = first + at.local, leaves = b->n_leaves - first_leaf;
        if (at.right_of != no_cut)
            cuts[at.right_of].step = leaves - cuts[at.right_of].from;
        if (nodes->flags[node] & FTL_NODE_LEAF) {
            add_leaf(b, tree, at.local);
            continue;
        }
        waiting[n_waiting].local = (uint16_t)nodes->right[node];
        waiting[n_waiting++].right_of = (uint16_t)out->cuts.n_cuts;
        waiting[n_waiting].local = (uint16_t)nodes->left[node];
        waiting[n_waiting++].right_of = no_cut;
        cuts[out->cuts.n_cuts++] = make_cut(b, node, leaves);
    }
    for (uint32_t c = 0; c < out->cuts.n_cuts; c++) {
        bool two = b->out->two_bytes;
        cuts[c].from = two ? ftl_tree_cut_word16(cuts[c].from) : ftl_tree_cut_word8(cuts[c].from);
        cuts[c].step = two ? ftl_tree_cut_word16(cuts[c].step) : ftl_tree_cut_word8(cuts[c].step);
    }
    b->n_cuts += out->cuts.n_cuts;
}

static ftl_status make_room(builder *b, uint64_t set_words, ftl_error *error)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    b->cuts = ftl_blob_zero_data(b->blob, b->n_cuts, sizeof *b->cuts);
    b->numbers = ftl_blob_zero_data(b->blob, b->n_leaves, sizeof *b->numbers);
    b->sets = ftl_blob_zero_data(b->blob, set_words, sizeof *b->sets);
    if (!b->cuts || !b->numbers || !b->sets)
        return FTL_OOM(error);
    if (nodes->value_width != 1 || !b->request->with_values)
        return FTL_OK;
    if (b->request->values_f32)
        b->values_f32 = ftl_blob_zero_data(b->blob, b->n_leaves, sizeof *b->values_f32);
    else
        b->values = ftl_blob_zero_data(b->blob, b->n_leaves, sizeof *b->values);
    return b->values || b->values_f32 ? FTL_OK : FTL_OOM(error);
}

static ftl_status make_trees(builder *b, ftl_error *error)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    ftl_cut_tree *trees = ftl_blob_state(b->blob, nodes->n_trees, sizeof *trees);
    if (!trees)
        return FTL_OOM(error);
    ftl_blob_ref_each(b->blob, &trees[0].cuts.cuts, nodes->n_trees, sizeof *trees);
    ftl_blob_ref_each(b->blob, &trees[0].cuts.sets, nodes->n_trees, sizeof *trees);
    ftl_blob_ref_each(b->blob, &trees[0].numbers, nodes->n_trees, sizeof *trees);
    ftl_blob_ref_each(b->blob, &trees[0].values, nodes->n_trees, sizeof *trees);
    b->n_cuts = b->n_leaves = 0;
    for (uint32_t t = 0; t < nodes->n_trees; t++)
        cut_tree(b, t, &trees[t]);
    b->out->trees = trees;
    ftl_blob_ref(b->blob, &b->out->trees);
    return FTL_OK;
}

/* One byte or two; false: walk. Categories, with what is none, take two. */
static bool choose_bytes(const builder *b, uint32_t most, bool *two)
{
    const ftl_tree_nodes *nodes = b->request->nodes;
    *two = most > FTL_TREE_CODES8 || b->categorical;
    uint32_t nodes_of_tree = *two ? 2 * most_leaves16 - 1 : most_nodes;
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        if (nodes->root[t + 1] - nodes->root[t] > nodes_of_tree)
            return false;
    }
    return most <= FTL_TREE_CODES16;
}

/* In cycles, about: 8 to code a value, an eighth for a cut, 4 for a step of a walk. */
static bool cuts_pay(const builder *b)
{
    uint64_t columns = 0;
    for (uint32_t f = 0; f < b->request->n_features; f++) {
        for (uint32_t kind = 0; kind < n_kinds; kind++)
            columns += b->column_of[f][kind];
    }
    return 4 * b->request->steps_of_walk > 8 * columns + b->n_cuts / 8;
}

static ftl_status make(builder *b, const ftl_cut_ensemble **out, ftl_error *error)
{
    uint64_t set_words = 0;
    uint32_t most = 0;
    bool two = false;
    FTL_TRY(count_nodes(b, error));
    if (b->n_cuts == 0 || !cuts_pay(b) || !sets_fit(b, &set_words))
        return FTL_OK;
    FTL_TRY(sort_thresholds(b, &most, error));
    if (!choose_bytes(b, most, &two))
        return FTL_OK;
    b->out = ftl_blob_state(b->blob, 1, sizeof *b->out);
    if (!b->out)
        return FTL_OOM(error);
    b->out->two_bytes = two;
    b->out->wide = b->request->wide;
    b->out->values_f32 = b->request->values_f32;
    b->out->category_rule = b->request->category_rule;
    FTL_TRY(make_columns(b, error));
    FTL_TRY(make_room(b, set_words, error));
    FTL_TRY(make_trees(b, error));
    *out = b->out;
    return FTL_OK;
}

ftl_status ftl_tree_cuts_make(ftl_plan *plan, const ftl_cut_request *request,
                              const ftl_cut_ensemble **out, ftl_error *error)
{
    *out = NULL;
    if (!trees_are_small(request->nodes))
        return FTL_OK;
    ftl_arena scratch;
    ftl_arena_init(&scratch, &plan->account);
    builder b = {.request = request, .blob = &plan->blob, .scratch = &scratch};
    ftl_status status = make(&b, out, error);
    ftl_arena_free(&scratch);
    return status;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void code_categories(const ftl_code_column *column, ftl_tree_category_rule rule,
                            const double *x, size_t stride, uint32_t rows, uint16_t *codes)
{
    memset(codes, 0, FTL_TREE_CODE_ROWS * sizeof *codes);
    for (uint32_t r = 0; r < rows; r++) {
        double value = x[r * stride];
        uint32_t code;
        if (isnan(value) || fabs(value) <= column->zero || (column->negative_missing && value < 0))
            code = column->missing;
        else if (!ftl_tree_category_of(rule, value, &code) || code > column->n_categories)
            code = column->n_categories;
        codes[r] = (uint16_t)code;
    }
}

void ftl_tree_cuts_code(const ftl_cut_ensemble *cuts, const ftl_tree_cut_kernels *kernels,
                        const ftl_cut_rows *x, uint32_t rows, uint32_t first, void *codes,
                        size_t stride)
{
    size_t size = ftl_tree_cuts_size(cuts);
    unsigned char *to = (unsigned char *)codes + first * size;
    bool missing = false;
    for (uint32_t c = 0; c < cuts->n_columns; c++, to += stride) {
        const ftl_code_column *column = &cuts->columns[c];
        const double *x64 = (const double *)x->x + column->feature * x->column_stride;
        const float *x32 = (const float *)x->x + column->feature * x->column_stride;
        if (column->category)
            code_categories(column, cuts->category_rule, x64, x->row_stride, rows,
                            (uint16_t *)(void *)to);
        else if (column->twin && !missing)
            memcpy(to, to - stride, FTL_TREE_CODE_ROWS * size);
        else if (cuts->wide)
            missing = kernels->code_f64(x64, x->row_stride, rows, column->edges, column->steps,
                                        column->zero, column->missing, to);
        else
            missing = kernels->code_f32(x32, x->row_stride, rows, column->edges, column->steps,
                                        column->zero, column->missing, to);
    }
}
