/*
 * XGBoost's trees → ftl_tree_nodes.
 *
 * x < t goes left on float32 rows: the node holds the largest float32 below t. A split on a
 * category sends the categories that it lists to the right and everything else, also what no
 * category can be, to the left; up to 1.5 a value between -1 and 0 is category 0, and 1.6 to 1.7.2
 * take what is no category of the set's words for missing. Node numbers are XGBoost's own: pruned
 * nodes stay as leaves that nothing leads to.
 */
#include "estimators/boosters/xgboost.h"
#include "estimators/trees/tree_nodes.h"

#include "base/checked.h"

#include <math.h>
#include <string.h>

enum { most_category = 1 << 24, most_set_words = 1 << 26 };

typedef struct maker {
    const ftl_xgb_model *model;
    const ftl_xgb_sums *sums;
    ftl_tree_arrays arrays;
    uint32_t *root;
    double *values;
    uint32_t value_width;
    uint32_t n_leaves;
    uint32_t *set_start, *set_words;
    uint32_t n_sets;
} maker;

static ftl_status broken(uint32_t tree, const char *what, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "the XGBoost model is damaged: tree %u %s", tree, what);
}

static bool is_leaf(const ftl_xgb_tree *tree, size_t i) { return tree->left.data[i] == -1; }

/* Every array that nodes index has a number for each of them. */
static ftl_status check_tree(const maker *m, uint32_t t, ftl_error *error)
{
    const ftl_xgb_tree *tree = &m->model->trees[t];
    size_t n = tree->left.size;
    if (n == 0 || n > INT32_MAX)
        return broken(t, "has no nodes", error);
    if (tree->right.size != n || tree->feature.size != n || tree->default_left.size != n ||
        tree->condition.size != n || (tree->split_type.size && tree->split_type.size != n))
        return broken(t, "has lists of different lengths", error);
    bool vector = tree->leaf_vector > 1;
    if (vector != (m->value_width > 1))
        return broken(t, "has leaves of another size than the others", error);
    return FTL_OK;
}

/* ---- Categories ------------------------------------------------------------------------------ */

/* The range of categories of a tree's split i; false when there is none. */
static bool set_range(const ftl_xgb_tree *tree, size_t i, size_t *from, size_t *to)
{
    if (i >= tree->category_segments.size || i >= tree->category_sizes.size)
        return false;
    int32_t first = tree->category_segments.data[i], n = tree->category_sizes.data[i];
    if (first < 0 || n < 0 || (size_t)first > tree->categories.size ||
        (size_t)n > tree->categories.size - (size_t)first)
        return false;
    *from = (size_t)first;
    *to = (size_t)first + (size_t)n;
    return true;
}

/* Words that the set of split i needs; UINT32_MAX when it is malformed. */
static uint32_t set_size(const ftl_xgb_tree *tree, size_t i)
{
    size_t from, to;
    int32_t largest = -1;
    if (!set_range(tree, i, &from, &to))
        return UINT32_MAX;
    for (size_t k = from; k < to; k++) {
        int32_t category = tree->categories.data[k];
        if (category < 0 || category >= most_category)
            return UINT32_MAX;
        largest = category > largest ? category : largest;
    }
    return (uint32_t)(largest + 32) / 32;
}

static ftl_status make_sets(ftl_build *build, maker *m, ftl_error *error)
{
    uint64_t sets = 0, words = 0;
    for (uint32_t t = 0; t < m->sums->n_trees; t++) {
        const ftl_xgb_tree *tree = &m->model->trees[t];
        for (size_t i = 0; i < tree->category_nodes.size; i++) {
            uint32_t n = set_size(tree, i);
            if (n == UINT32_MAX)
                return broken(t, "has malformed categories", error);
            words += n;
        }
        sets += tree->category_nodes.size;
        if (words > most_set_words || sets > INT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "the model has too many categories");
    }
    m->set_start = ftl_arena_array(build->arena, (size_t)sets + 1, sizeof *m->set_start);
    m->set_words = ftl_arena_zero_array(build->arena, (size_t)words, sizeof *m->set_words);
    if (!m->set_start || !m->set_words)
        return FTL_OOM(error);
    m->set_start[0] = 0;
    return FTL_OK;
}

/* Where a value goes that is no category, or one beyond the set's words. */
static bool outside_goes_left(const ftl_xgb_model *model, uint8_t flags)
{
    bool as_missing = model->version >= FTL_XGBOOST(1, 6) && model->version < FTL_XGBOOST(1, 7) + 3;
    return !as_missing || (flags & FTL_NODE_MISSING_LEFT);
}

/* The set of what goes left instead of what goes right. */
static void complement(maker *m, uint32_t set)
{
    for (uint32_t w = m->set_start[set]; w < m->set_start[set + 1]; w++)
        m->set_words[w] = ~m->set_words[w];
}

/* Marks the tree's splits on categories: threshold is the number of the set. */
static ftl_status add_sets(maker *m, uint32_t t, uint32_t first, ftl_error *error)
{
    const ftl_xgb_tree *tree = &m->model->trees[t];
    for (size_t i = 0; i < tree->category_nodes.size; i++) {
        size_t from, to;
        int32_t node = tree->category_nodes.data[i];
        uint32_t begin = m->set_start[m->n_sets];
        if (node < 0 || (size_t)node >= tree->left.size || !set_range(tree, i, &from, &to))
            return broken(t, "has malformed categories", error);
        for (size_t k = from; k < to; k++) {
            uint32_t category = (uint32_t)tree->categories.data[k];
            m->set_words[begin + category / 32] |= 1u << (category % 32);
        }
        m->set_start[m->n_sets + 1] = begin + set_size(tree, i);
        uint8_t *flags = &m->arrays.flags[first + (uint32_t)node];
        if (!(*flags & FTL_NODE_LEAF) && tree->split_type.size &&
            tree->split_type.data[node] == 1) {
            m->arrays.threshold[first + (uint32_t)node] = m->n_sets;
            *flags |= FTL_NODE_CATEGORICAL;
            if (outside_goes_left(m->model, *flags))
                *flags |= FTL_NODE_SET_RIGHT;
            else
                complement(m, m->n_sets);
        }
        m->n_sets++;
    }
    for (size_t i = 0; i < tree->split_type.size; i++) {
        uint8_t flags = m->arrays.flags[first + i];
        if (tree->split_type.data[i] == 1 && !(flags & (FTL_NODE_LEAF | FTL_NODE_CATEGORICAL)))
            return broken(t, "splits on a category without a list of them", error);
    }
    return FTL_OK;
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

static float leaf_value(const maker *m, uint32_t t, size_t node)
{
    const ftl_xgb_model *model = m->model;
    float value = model->trees[t].condition.data[node];
    if (t >= model->drop_weights.size)
        return value;
    float weight = model->drop_weights.data[t];
    if (!m->sums->weigh_with_base)
        return value * weight;
    float base = (float)m->sums->base[(uint32_t)model->tree_output.data[t]];
    float with = base + value;
    return (with - base) * weight;
}

/*
 * Several numbers a leaf: 2.0 to 3.0 keep them by node in base_weights, later versions by leaf, and
 * the number of the leaf as its right child.
 */
static ftl_status vector_leaf(maker *m, uint32_t t, size_t node, double *to, ftl_error *error)
{
    const ftl_xgb_tree *tree = &m->model->trees[t];
    bool by_leaf = tree->leaf_weights.size > 0;
    const ftl_xgb_floats *from = by_leaf ? &tree->leaf_weights : &tree->base_weights;
    size_t width = m->value_width, row = node;
    if (by_leaf) {
        int32_t number = tree->right.data[node];
        row = number < 0 ? SIZE_MAX : (size_t)number;
    }
    if (row >= from->size / width)
        return broken(t, "has a leaf without values", error);
    for (size_t k = 0; k < width; k++)
        to[k] = (double)from->data[row * width + k];
    return FTL_OK;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* What the largest float32 below t is; nothing is below -inf. */
static double below(float t) { return (double)nextafterf(t, -INFINITY); }

static ftl_status add_tree(maker *m, uint32_t t, ftl_error *error)
{
    const ftl_xgb_tree *tree = &m->model->trees[t];
    uint32_t first = m->root[t];
    for (size_t i = 0; i < tree->left.size; i++) {
        uint32_t at = first + (uint32_t)i;
        if (!is_leaf(tree, i)) {
            uint8_t flags = tree->default_left.data[i] ? FTL_NODE_MISSING_LEFT : 0;
            ftl_tree_arrays_split(&m->arrays, at, flags, tree->feature.data[i], tree->left.data[i],
                                  tree->right.data[i]);
            m->arrays.threshold[at] = below(tree->condition.data[i]);
            continue;
        }
        double *to = m->values + (size_t)m->n_leaves * m->value_width;
        ftl_tree_arrays_leaf(&m->arrays, at, m->n_leaves++);
        if (m->value_width > 1)
            FTL_TRY(vector_leaf(m, t, i, to, error));
        else
            *to = (double)leaf_value(m, t, i);
    }
    return add_sets(m, t, first, error);
}

static ftl_status make_room(ftl_build *build, maker *m, ftl_error *error)
{
    uint32_t n = m->sums->n_trees;
    uint64_t nodes = 0, leaves = 0;
    size_t values;
    m->root = ftl_arena_array(build->arena, (size_t)n + 1, sizeof *m->root);
    if (!m->root)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        FTL_TRY(check_tree(m, t, error));
        const ftl_xgb_tree *tree = &m->model->trees[t];
        m->root[t] = (uint32_t)nodes;
        nodes += tree->left.size;
        for (size_t i = 0; i < tree->left.size; i++)
            leaves += is_leaf(tree, i);
        if (nodes > INT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "the trees have more than 2 billion nodes");
    }
    m->root[n] = (uint32_t)nodes;
    FTL_TRY(ftl_tree_arrays_make(build, (uint32_t)nodes, &m->arrays, error));
    if (!ftl_mul_size((size_t)leaves, m->value_width, &values))
        return FTL_FAIL(error, FTL_LIMIT, "the leaves hold too many values");
    m->values = ftl_arena_array(build->arena, values, sizeof *m->values);
    if (!m->values)
        return FTL_OOM(error);
    return make_sets(build, m, error);
}

/* The output that each tree adds to. */
static ftl_status make_target(ftl_build *build, const maker *m, const uint32_t **out,
                              ftl_error *error)
{
    const ftl_xgb_ints *info = &m->model->tree_output;
    uint32_t n = m->sums->n_trees, *target = ftl_arena_array(build->arena, n, sizeof *target);
    if (!target)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        if (t >= info->size || info->data[t] < 0 || (uint32_t)info->data[t] >= m->sums->n_outputs)
            return broken(t, "adds to an output that does not exist", error);
        target[t] = (uint32_t)info->data[t];
    }
    *out = target;
    return FTL_OK;
}

ftl_status ftl_xgb_tree_nodes(ftl_build *build, const ftl_xgb_model *model,
                              const ftl_xgb_sums *sums, const ftl_tree_nodes **out,
                              const uint32_t **target, ftl_error *error)
{
    maker m = {.model = model, .sums = sums, .value_width = 1};
    ftl_tree_nodes *nodes = FTL_ARENA_NEW(build->arena, ftl_tree_nodes);
    if (!nodes)
        return FTL_OOM(error);
    *target = NULL;
    if (sums->n_trees && model->trees[0].leaf_vector > 1)
        m.value_width = sums->n_outputs;
    else
        FTL_TRY(make_target(build, &m, target, error));
    FTL_TRY(make_room(build, &m, error));
    for (uint32_t t = 0; t < sums->n_trees; t++)
        FTL_TRY(add_tree(&m, t, error));
    *nodes = (ftl_tree_nodes){.n_trees = sums->n_trees,
                              .n_nodes = m.root[sums->n_trees],
                              .root = m.root,
                              .n_values = m.n_leaves,
                              .value_width = m.value_width,
                              .values = m.values,
                              .n_sets = m.n_sets,
                              .set_start = m.set_start,
                              .set_words = m.set_words,
                              .category_rule = model->version < FTL_XGBOOST(1, 6)
                                                   ? FTL_CATEGORY_INT
                                                   : FTL_CATEGORY_NOT_NEGATIVE};
    ftl_tree_arrays_give(&m.arrays, nodes);
    ftl_tree_nodes_count(nodes);
    *out = nodes;
    return FTL_OK;
}
