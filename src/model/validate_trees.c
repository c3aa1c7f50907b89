/*
 * Proves that the node arrays of an ensemble are trees: children in range, none the root, none used
 * twice; hence every walk from a root ends in a leaf of the same tree.
 */
#include "model/validate.h"

#include "base/checked.h"

#include <math.h>
#include <string.h>

typedef struct tree_check {
    const ftl_tree_nodes *nodes;
    uint32_t n_features;
    uint8_t *used;     /* [nodes of the largest tree] 1: some node's child, or the root */
    uint32_t *pending; /* [nodes of the largest tree + 2] */
} tree_check;

/* What is wrong with a split. */
static ftl_status explain_split(const tree_check *check, uint32_t tree, uint32_t at,
                                ftl_error *error)
{
    const ftl_tree_nodes *nodes = check->nodes;
    uint32_t first = nodes->root[tree], size = nodes->root[tree + 1] - first;
    uint32_t left = (uint32_t)nodes->left[at], right = (uint32_t)nodes->right[at];
    if (left >= size || right >= size)
        return FTL_FAIL(error, FTL_CORRUPT, "tree %u: node %u has children %d and %d of %u nodes",
                        tree, at - first, nodes->left[at], nodes->right[at], size);
    if (left == right || check->used[left] || check->used[right])
        return FTL_FAIL(error, FTL_CORRUPT,
                        "tree %u: node %u has a child that another node has too", tree, at - first);
    if ((uint32_t)nodes->feature[at] >= check->n_features)
        return FTL_FAIL(error, FTL_CORRUPT, "tree %u: node %u splits on column %d of %u", tree,
                        at - first, nodes->feature[at], check->n_features);
    double threshold = nodes->threshold[at];
    if (nodes->flags[at] & FTL_NODE_CATEGORICAL) {
        if (!(threshold >= 0 && threshold < nodes->n_sets))
            return FTL_FAIL(error, FTL_CORRUPT,
                            "tree %u: node %u refers to a set of categories that does not exist",
                            tree, at - first);
    } else if (isnan(threshold))
        return FTL_FAIL(error, FTL_CORRUPT, "tree %u: the threshold of node %u is not a number",
                        tree, at - first);
    return FTL_OK;
}

/* What is wrong with a tree, found slowly: `used` is filled anew. */
static ftl_status explain_tree(const tree_check *check, uint32_t tree, ftl_error *error)
{
    const ftl_tree_nodes *nodes = check->nodes;
    uint32_t first = nodes->root[tree], size = nodes->root[tree + 1] - first;
    uint8_t *used = check->used;
    memset(used, 0, size);
    used[0] = 1;
    for (uint32_t at = first; at < first + size; at++) {
        if (!(nodes->flags[at] & FTL_NODE_LEAF)) {
            FTL_TRY(explain_split(check, tree, at, error));
            used[nodes->left[at]] = used[nodes->right[at]] = 1;
        } else if (nodes->leaf && (uint32_t)nodes->leaf[at] >= nodes->n_values)
            return FTL_FAIL(error, FTL_CORRUPT, "tree %u: leaf %u has no value", tree, at - first);
    }
    return FTL_FAIL(error, FTL_INTERNAL, "tree %u is refused without a reason", tree);
}

/*
 * All but the children: what splits compare, and that leaves have values. Here and below there are
 * no branches on the nodes: leaves and splits alternate in no order that a processor could foresee.
 */
static bool contents_are_good(const tree_check *check, uint32_t tree)
{
    const ftl_tree_nodes *nodes = check->nodes;
    uint32_t first = nodes->root[tree], size = nodes->root[tree + 1] - first,
             n_features = check->n_features, n_values = nodes->n_values, bad = 0, bad_leaf = 0;
    const int32_t *features = nodes->feature + first;
    const double *thresholds = nodes->threshold + first;
    const uint8_t *flags = nodes->flags + first;
    double n_sets = nodes->n_sets;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t wrong = (uint32_t)features[i] >= n_features;
        if (FTL_UNLIKELY(flags[i] & FTL_NODE_CATEGORICAL))
            wrong |= !(thresholds[i] >= 0 && thresholds[i] < n_sets);
        else
            wrong |= (uint32_t)(isnan(thresholds[i]) != 0);
        bad |= wrong & ~(uint32_t)flags[i]; /* FTL_NODE_LEAF is 1, as wrong is */
    }
    const int32_t *leaves = nodes->leaf ? nodes->leaf + first : NULL;
    for (uint32_t i = 0; leaves && i < size; i++)
        bad_leaf |= ((uint32_t)leaves[i] >= n_values) & (uint32_t)flags[i];
    return !(bad & 1) && !(bad_leaf & FTL_NODE_LEAF);
}

/*
 * Is this a tree whose nodes come depth first, left before right, as most trees' do? Then each
 * split's left child is the next node, and behind each leaf comes the right child of the nearest
 * ancestor whose right side has not come yet: those wait on a stack, on top of the end of the tree.
 * That every node comes once proves all else that children must be.
 */
static bool is_depth_first(const tree_check *check, uint32_t tree)
{
    const ftl_tree_nodes *nodes = check->nodes;
    uint32_t first = nodes->root[tree], size = nodes->root[tree + 1] - first, top = 1, i = 0;
    const int32_t *lefts = nodes->left + first, *rights = nodes->right + first;
    const uint8_t *flags = nodes->flags + first;
    uint32_t *restrict pending = check->pending;
    pending[0] = size;
    /* top: how many wait. It grows by one a node at most, so that pending has room. */
    for (; i < size && top > 0; i++) {
        uint32_t leaf = flags[i] & FTL_NODE_LEAF, is_leaf = -leaf;
        pending[top] = (uint32_t)rights[i];
        uint32_t next = (pending[top - 1] & is_leaf) | ((uint32_t)lefts[i] & ~is_leaf);
        top = top + 1 - 2 * leaf;
        if (FTL_UNLIKELY(next != i + 1))
            return false; /* the first time that a node is not where it would be */
    }
    return i == size && top == 0;
}

/*
 * The same of any order. A leaf touches its own place of used alone, lest each waits for the one
 * before.
 */
static bool is_tree(const tree_check *check, uint32_t tree)
{
    const ftl_tree_nodes *nodes = check->nodes;
    uint32_t first = nodes->root[tree], size = nodes->root[tree + 1] - first, bad = 0;
    const int32_t *lefts = nodes->left + first, *rights = nodes->right + first;
    const uint8_t *flags = nodes->flags + first;
    uint8_t *restrict used = check->used;
    memset(used, 0, size);
    used[0] = 1;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t split = (flags[i] & FTL_NODE_LEAF) ^ FTL_NODE_LEAF;
        uint32_t left = (uint32_t)lefts[i], right = (uint32_t)rights[i];
        uint32_t wrong = (left >= size) | (right >= size);
        uint32_t to_left = -(split & (left < size)), to_right = -(split & (right < size));
        left = (left & to_left) | (i & ~to_left);
        right = (right & to_right) | (i & ~to_right);
        wrong |= used[left];
        used[left] |= (uint8_t)split;
        wrong |= used[right];
        used[right] |= (uint8_t)split;
        bad |= split & wrong;
    }
    return !bad;
}

static bool tree_is_good(const tree_check *check, uint32_t tree)
{
    return (is_depth_first(check, tree) || is_tree(check, tree)) && contents_are_good(check, tree);
}

/* Some rules go by sets of one size. */
static ftl_status check_sets(const ftl_tree_nodes *nodes, ftl_error *error)
{
    if (nodes->n_sets && (!nodes->set_start || !nodes->set_words))
        return FTL_FAIL(error, FTL_CORRUPT, "the ensemble has no sets of categories");
    for (uint32_t i = 0; i < nodes->n_sets; i++) {
        uint32_t from = nodes->set_start[i], to = nodes->set_start[i + 1];
        if (to < from || (nodes->category_rule == FTL_CATEGORY_BYTE && to - from != 8))
            return FTL_FAIL(error, FTL_CORRUPT, "set of categories %u is malformed", i);
    }
    return FTL_OK;
}

ftl_status ftl_tree_nodes_validate(const ftl_tree_nodes *nodes, uint32_t n_features,
                                   ftl_account *scratch, ftl_error *error)
{
    if (nodes->n_trees == 0 || nodes->root[0] != 0 ||
        nodes->root[nodes->n_trees] != nodes->n_nodes ||
        (!nodes->leaf && nodes->n_values != nodes->n_nodes) || nodes->n_nodes > INT32_MAX)
        return FTL_FAIL(error, FTL_CORRUPT, "the ensemble has no trees");
    uint32_t largest = 0;
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        if (nodes->root[t] >= nodes->root[t + 1])
            return FTL_FAIL(error, FTL_CORRUPT, "tree %u has no nodes", t);
        uint32_t size = nodes->root[t + 1] - nodes->root[t];
        largest = size > largest ? size : largest;
    }
    FTL_TRY(check_sets(nodes, error));
    tree_check check = {.nodes = nodes, .n_features = n_features};
    check.used = ftl_alloc(scratch, largest);
    check.pending = ftl_alloc_array(scratch, (size_t)largest + 2, sizeof *check.pending);
    ftl_status status = check.used && check.pending ? FTL_OK : FTL_OOM(error);
    for (uint32_t t = 0; t < nodes->n_trees && status == FTL_OK; t++) {
        if (!tree_is_good(&check, t))
            status = explain_tree(&check, t, error);
    }
    ftl_free(scratch, check.used);
    ftl_free(scratch, check.pending);
    return status;
}

static ftl_status check_linear(const ftl_trees_op *trees, uint32_t n_features, ftl_error *error)
{
    const ftl_linear_leaves *linear = trees->linear;
    if (!linear)
        return FTL_OK;
    if (trees->nodes->value_width != 1 || trees->sum_f32)
        return FTL_INVALID(error, "linear leaves are malformed");
    for (size_t k = 0; k < linear->column_count; k++) {
        if (linear->column[k] >= n_features)
            return FTL_INVALID(error, "a linear leaf reads column %u of %u", linear->column[k],
                               n_features);
    }
    return FTL_OK;
}

ftl_status ftl_check_trees(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    const ftl_trees_op *trees = &op->u.trees;
    const uint32_t n = proof->columns, n_features = trees->base_column ? trees->base_column : n;
    if (trees->base_column && (trees->base_column > n || n - trees->base_column != op->width))
        return FTL_INVALID(error, "an ensemble starts from %u scores where %u were expected",
                           n - n_features, op->width);
    if (trees->nodes->value_width != op->width &&
        !(trees->nodes->value_width == 1 && trees->target))
        return FTL_INVALID(error, "leaves hold %u values where %u were expected",
                           trees->nodes->value_width, op->width);
    if (trees->target && trees->nodes->value_width != 1)
        return FTL_INVALID(error, "trees of one output each have leaves of several");
    if (trees->sum_f32 &&
        (op->dtype != FTL_DTYPE_F32 || trees->base_column || trees->divisor != 1.0))
        return FTL_INVALID(error, "the type of an ensemble's sums is malformed");
    FTL_TRY(ftl_tree_nodes_validate(trees->nodes, n_features, proof->scratch, error));
    return check_linear(trees, n_features, error);
}

ftl_status ftl_check_tree_apply(const ftl_proof *proof, ftl_error *error)
{
    const ftl_tree_nodes *nodes = proof->op->u.tree_apply.nodes;
    if (nodes->n_trees != proof->op->width)
        return FTL_INVALID(error, "an ensemble is malformed");
    return ftl_tree_nodes_validate(nodes, proof->columns, proof->scratch, error);
}
