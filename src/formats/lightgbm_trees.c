/*
 * The trees of LightGBM's text models. A block is "Tree=7" and key=value lines up to an empty one;
 * splits and leaves are numbered apart (a child c >= 0 is split c, else leaf ~c). Here splits come
 * first in a tree's nodes and its leaves follow in their own order.
 *
 * Two passes over the text: sizes are counted, and held against the text that must fill them,
 * before anything is allocated.
 */
#include "base/number.h"
#include "formats/lightgbm.h"

#include <math.h>
#include <string.h>

/* decision_type of Tree::ToString: bit 0, bit 1, bits 2 and 3. */
enum { SPLIT_CATEGORICAL = 1, SPLIT_DEFAULT_LEFT = 2 };
enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

/* kZeroThreshold: the float32 nearest to 1e-35. */
static const double zero_range = (double)1e-35f;

typedef enum field {
    NUM_LEAVES,
    NUM_CAT,
    SPLIT_FEATURE,
    THRESHOLD,
    DECISION_TYPE,
    LEFT_CHILD,
    RIGHT_CHILD,
    LEAF_VALUE,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    IS_LINEAR,
    LEAF_CONST,
    NUM_FEATURES,
    LEAF_FEATURES,
    LEAF_COEFF,
    SPLIT_GAIN,
    FIELD_COUNT
} field;

static const char *const field_names[FIELD_COUNT] = {
    "num_leaves",     "num_cat",       "split_feature", "threshold",
    "decision_type",  "left_child",    "right_child",   "leaf_value",
    "cat_boundaries", "cat_threshold", "is_linear",     "leaf_const",
    "num_features",   "leaf_features", "leaf_coeff",    "split_gain"};

typedef struct tree_text {
    uint32_t number; /* in the file */
    ftl_span fields[FIELD_COUNT];
    uint32_t n_leaves, n_sets, n_words, n_terms;
    bool linear;
} tree_text;

/* What the trees need together. */
typedef struct totals {
    size_t nodes, leaves, sets, words, terms;
    uint32_t trees;
    bool linear; /* some tree has linear leaves */
} totals;

typedef struct filling {
    const ftl_lightgbm *model;
    double *threshold, *values;
    int32_t *feature, *left, *right, *leaf;
    uint8_t *flags;
    uint32_t *root, *set_start, *set_words;
    double *constant, *coef; /* linear leaves; NULL when there are none */
    uint32_t *term_start, *term_column;
    totals done;
} filling;

/* ---- One block --------------------------------------------------------------------------------- */

static ftl_status damaged(const tree_text *tree, field which, const char *what, ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "tree %u of the LightGBM model: %s %s", tree->number,
                    field_names[which], what);
}

static ftl_status read_integer(const tree_text *tree, field which, int64_t low, int64_t high,
                               int64_t *out, ftl_error *error)
{
    ftl_span text = tree->fields[which];
    if (!text.at || !ftl_parse_i64(text.at, text.size, out) || *out < low || *out > high)
        return damaged(tree, which, "is missing or out of range", error);
    return FTL_OK;
}

/* Integer i of a list, walked with *rest. */
static ftl_status next_integer(const tree_text *tree, field which, ftl_span *rest, int64_t *out,
                               ftl_error *error)
{
    ftl_span word;
    if (!ftl_lightgbm_word(rest, &word) || !ftl_parse_i64(word.at, word.size, out))
        return damaged(tree, which, "holds too few numbers, or other things", error);
    return FTL_OK;
}

static ftl_status next_number(const tree_text *tree, field which, ftl_span *rest, double *out,
                              ftl_error *error)
{
    ftl_span word;
    if (!ftl_lightgbm_word(rest, &word) || !ftl_parse_f64(word.at, word.size, '.', out))
        return damaged(tree, which, "holds too few numbers, or other things", error);
    return FTL_OK;
}

/* What trees tell beside that, which predicting does not need. */
static const char *const unused_fields[] = {"leaf_weight",     "leaf_count",     "internal_value",
                                            "internal_weight", "internal_count", "shrinkage"};

static ftl_status read_line(tree_text *tree, ftl_span line, ftl_error *error)
{
    ftl_span key = line, value = {0};
    bool known = ftl_lightgbm_pair(line, &key, &value);
    for (size_t i = 0; known && i < FIELD_COUNT; i++) {
        if (ftl_span_is(key, field_names[i])) {
            tree->fields[i] = value;
            return FTL_OK;
        }
    }
    for (size_t i = 0; known && i < FTL_ARRAY_LEN(unused_fields); i++) {
        if (ftl_span_is(key, unused_fields[i]))
            return FTL_OK;
    }
    return ftl_lightgbm_unknown(key, "a tree", error);
}

/* The lines behind "Tree=…" up to an empty one. */
static ftl_status read_block(ftl_span *rest, tree_text *out, ftl_error *error)
{
    ftl_span line;
    while (ftl_lightgbm_line(rest, &line) && line.size > 0)
        FTL_TRY(read_line(out, line, error));
    return FTL_OK;
}

/* A number takes two bytes of text, so that no count is believed that the text could not fill. */
static int64_t numbers_in(ftl_span text) { return (int64_t)(text.size / 2 + 1); }

static ftl_status measure_sets(tree_text *tree, ftl_error *error)
{
    ftl_span rest = tree->fields[CAT_BOUNDARIES];
    int64_t n, last = 0, next = 0;
    FTL_TRY(read_integer(tree, NUM_CAT, 0, numbers_in(rest), &n, error));
    tree->n_sets = (uint32_t)n;
    if (n == 0)
        return FTL_OK;
    for (int64_t i = 0; i <= n; i++, last = next) {
        FTL_TRY(next_integer(tree, CAT_BOUNDARIES, &rest, &next, error));
        if (next < last || (i == 0 && next != 0))
            return damaged(tree, CAT_BOUNDARIES, "does not increase from 0", error);
    }
    if (last > numbers_in(tree->fields[CAT_THRESHOLD]))
        return damaged(tree, CAT_BOUNDARIES, "exceeds cat_threshold", error);
    tree->n_words = (uint32_t)last;
    return FTL_OK;
}

static ftl_status measure_terms(tree_text *tree, ftl_error *error)
{
    ftl_span rest = tree->fields[NUM_FEATURES];
    int64_t n, sum = 0, most = numbers_in(tree->fields[LEAF_FEATURES]);
    for (uint32_t i = 0; i < tree->n_leaves; i++, sum += n) {
        FTL_TRY(next_integer(tree, NUM_FEATURES, &rest, &n, error));
        if (n < 0 || n > most - sum)
            return damaged(tree, NUM_FEATURES, "exceeds leaf_features", error);
    }
    if (sum > INT32_MAX)
        return damaged(tree, NUM_FEATURES, "exceeds 2 billion", error);
    tree->n_terms = (uint32_t)sum;
    return FTL_OK;
}

static ftl_status measure(tree_text *tree, ftl_error *error)
{
    int64_t n, linear = 0;
    int64_t most = numbers_in(tree->fields[LEAF_VALUE]);
    FTL_TRY(
        read_integer(tree, NUM_LEAVES, 1, most < INT32_MAX / 2 ? most : INT32_MAX / 2, &n, error));
    tree->n_leaves = (uint32_t)n;
    if (tree->fields[IS_LINEAR].at)
        FTL_TRY(read_integer(tree, IS_LINEAR, 0, 1, &linear, error));
    tree->linear = linear == 1;
    if (tree->linear)
        FTL_TRY(measure_terms(tree, error));
    return measure_sets(tree, error);
}

/*
 * Calls use() for every tree. The blocks end where something else than "Tree=" begins; blank lines
 * separate them.
 */
typedef ftl_status use_tree(void *user, const tree_text *tree, ftl_error *error);

static ftl_status walk(const ftl_lightgbm *model, use_tree *use, void *user, ftl_error *error)
{
    ftl_span rest = {model->trees, model->trees_size}, line = {"", 0};
    uint32_t n = 0;
    bool end = false;
    while (!end && ftl_lightgbm_line(&rest, &line)) {
        if (line.size == 0)
            continue;
        if (!ftl_span_begins(line, "Tree=")) {
            end = ftl_span_is(line, "end of trees");
            if (!end && model->has_end)
                return FTL_FAIL(error, FTL_CORRUPT,
                                "the LightGBM model is damaged: something else than a tree follows "
                                "tree %u",
                                n);
            break;
        }
        tree_text tree = {.number = n++};
        FTL_TRY(read_block(&rest, &tree, error));
        FTL_TRY(measure(&tree, error));
        FTL_TRY(use(user, &tree, error));
    }
    if ((model->has_end && !end) || (model->n_trees != UINT32_MAX && model->n_trees != n))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the LightGBM model is cut off or damaged: %u trees are there%s", n,
                        end ? ", its header tells of another number" : ", their end is not");
    return FTL_OK;
}

/* ---- Counting ---------------------------------------------------------------------------------- */

static ftl_status count_tree(void *user, const tree_text *tree, ftl_error *error)
{
    totals *sum = user;
    sum->trees++;
    sum->leaves += tree->n_leaves;
    sum->nodes += 2 * (size_t)tree->n_leaves - 1;
    sum->sets += tree->n_sets;
    sum->words += tree->n_words;
    sum->terms += tree->n_terms;
    sum->linear |= tree->linear;
    if (sum->nodes > INT32_MAX || sum->words > INT32_MAX || sum->terms > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT,
                        "the trees have more than 2 billion nodes, categories or coefficients");
    return FTL_OK;
}

static ftl_status make_room(ftl_arena *arena, const totals *sum, filling *to, ftl_error *error)
{
    to->threshold = ftl_arena_array(arena, sum->nodes, sizeof *to->threshold);
    to->feature = ftl_arena_array(arena, sum->nodes, sizeof *to->feature);
    to->left = ftl_arena_array(arena, sum->nodes, sizeof *to->left);
    to->right = ftl_arena_array(arena, sum->nodes, sizeof *to->right);
    to->leaf = ftl_arena_array(arena, sum->nodes, sizeof *to->leaf);
    to->flags = ftl_arena_array(arena, sum->nodes, sizeof *to->flags);
    to->values = ftl_arena_array(arena, sum->leaves, sizeof *to->values);
    to->root = ftl_arena_array(arena, (size_t)sum->trees + 1, sizeof *to->root);
    to->set_start = ftl_arena_zero_array(arena, sum->sets + 1, sizeof *to->set_start);
    to->set_words = ftl_arena_array(arena, sum->words, sizeof *to->set_words);
    if (!to->threshold || !to->feature || !to->left || !to->right || !to->leaf || !to->flags ||
        !to->values || !to->root || !to->set_start || !to->set_words)
        return FTL_OOM(error);
    return FTL_OK;
}

static ftl_status make_linear_room(ftl_arena *arena, const totals *sum, filling *to,
                                   ftl_error *error)
{
    to->constant = ftl_arena_array(arena, sum->leaves, sizeof *to->constant);
    to->coef = ftl_arena_array(arena, sum->terms, sizeof *to->coef);
    to->term_start = ftl_arena_zero_array(arena, sum->leaves + 1, sizeof *to->term_start);
    to->term_column = ftl_arena_array(arena, sum->terms, sizeof *to->term_column);
    return to->constant && to->coef && to->term_start && to->term_column ? FTL_OK : FTL_OOM(error);
}

/* ---- Splits ------------------------------------------------------------------------------------ */

/*
 * Rows reach the library's trees with every |x| <= zero_range replaced by 0 (the conversion of
 * dense rows in its C API), so a threshold in that range sends all of them one way: left when
 * 0 <= threshold. A node whose missing values are zeros sends them its default way, and NaN too,
 * which it takes for 0. Most such nodes are a plain comparison with another threshold; the others
 * keep the flag.
 */
static ftl_status numeric_split(filling *to, const tree_text *tree, uint32_t at, int64_t type,
                                double threshold, ftl_error *error)
{
    bool left = type & SPLIT_DEFAULT_LEFT, zero_left = threshold >= 0;
    double below = nextafter(-zero_range, -INFINITY);
    int64_t missing = type >> 2;
    uint8_t flags = 0;
    if (missing > MISSING_NAN || isnan(threshold))
        return damaged(tree, isnan(threshold) ? THRESHOLD : DECISION_TYPE, "is out of range",
                       error);
    if (missing == MISSING_ZERO) {
        bool near = threshold >= below && threshold <= zero_range;
        if (near)
            zero_left = left;
        else if (zero_left != left)
            flags = FTL_NODE_ZERO_MISSING;
    }
    if (missing == MISSING_NONE)
        left = zero_left;
    if (threshold >= below && threshold <= zero_range)
        threshold = zero_left ? zero_range : below;
    to->threshold[at] = threshold;
    to->flags[at] = (uint8_t)(flags | (left ? FTL_NODE_MISSING_LEFT : 0));
    return FTL_OK;
}

/*
 * The set goes left, everything else right, NaN and negative categories too, whatever the missing
 * type says (up to 3.1 the code reads otherwise, but NaN becomes a negative integer there).
 */
static ftl_status categorical_split(filling *to, const tree_text *tree, uint32_t at,
                                    double threshold, ftl_error *error)
{
    if (!(threshold >= 0 && threshold < tree->n_sets) || threshold != floor(threshold))
        return damaged(tree, THRESHOLD, "names a set of categories that does not exist", error);
    to->threshold[at] = (double)to->done.sets + threshold;
    to->flags[at] = FTL_NODE_CATEGORICAL;
    return FTL_OK;
}

static ftl_status fill_sets(filling *to, const tree_text *tree, ftl_error *error)
{
    ftl_span ends = tree->fields[CAT_BOUNDARIES], words = tree->fields[CAT_THRESHOLD];
    int64_t value;
    for (uint32_t i = 0; tree->n_sets > 0 && i <= tree->n_sets; i++) {
        FTL_TRY(next_integer(tree, CAT_BOUNDARIES, &ends, &value, error));
        to->set_start[to->done.sets + i] = (uint32_t)(to->done.words + (uint64_t)value);
    }
    for (uint32_t i = 0; i < tree->n_words; i++) {
        FTL_TRY(next_integer(tree, CAT_THRESHOLD, &words, &value, error));
        if (value < 0 || value > UINT32_MAX)
            return damaged(tree, CAT_THRESHOLD, "is out of range", error);
        to->set_words[to->done.words + i] = (uint32_t)value;
    }
    return FTL_OK;
}

/* A child's id in the tree's nodes; -1: there is no such child. */
static int32_t child_of(int64_t child, uint32_t n_leaves)
{
    int64_t splits = (int64_t)n_leaves - 1;
    if (child >= 0)
        return child < splits ? (int32_t)child : -1;
    return -(child + 1) < (int64_t)n_leaves ? (int32_t)(splits - (child + 1)) : -1;
}

static ftl_status fill_splits(filling *to, const tree_text *tree, uint32_t first, ftl_error *error)
{
    ftl_span features = tree->fields[SPLIT_FEATURE], thresholds = tree->fields[THRESHOLD],
             types = tree->fields[DECISION_TYPE], lefts = tree->fields[LEFT_CHILD],
             rights = tree->fields[RIGHT_CHILD];
    for (uint32_t at = first; at < first + tree->n_leaves - 1; at++) {
        int64_t feature, type = 0, left, right;
        double threshold;
        FTL_TRY(next_integer(tree, SPLIT_FEATURE, &features, &feature, error));
        FTL_TRY(next_number(tree, THRESHOLD, &thresholds, &threshold, error));
        FTL_TRY(next_integer(tree, LEFT_CHILD, &lefts, &left, error));
        FTL_TRY(next_integer(tree, RIGHT_CHILD, &rights, &right, error));
        if (types.at)
            FTL_TRY(next_integer(tree, DECISION_TYPE, &types, &type, error));
        if (feature < 0 || feature >= to->model->n_features)
            return damaged(tree, SPLIT_FEATURE, "names a column that does not exist", error);
        to->feature[at] = (int32_t)feature;
        to->left[at] = child_of(left, tree->n_leaves);
        to->right[at] = child_of(right, tree->n_leaves);
        to->leaf[at] = -1;
        if (to->left[at] < 0 || to->right[at] < 0)
            return damaged(tree, to->left[at] < 0 ? LEFT_CHILD : RIGHT_CHILD,
                           "names a node that does not exist", error);
        if (type < 0 || type > 127)
            return damaged(tree, DECISION_TYPE, "is out of range", error);
        if (type & SPLIT_CATEGORICAL)
            FTL_TRY(categorical_split(to, tree, at, threshold, error));
        else
            FTL_TRY(numeric_split(to, tree, at, type, threshold, error));
    }
    return FTL_OK;
}

/* ---- Leaves ------------------------------------------------------------------------------------ */

static ftl_status fill_terms(filling *to, const tree_text *tree, ftl_error *error)
{
    ftl_span columns = tree->fields[LEAF_FEATURES], coefs = tree->fields[LEAF_COEFF];
    for (uint32_t k = 0; k < tree->n_terms; k++) {
        int64_t column;
        size_t at = to->done.terms + k;
        FTL_TRY(next_integer(tree, LEAF_FEATURES, &columns, &column, error));
        FTL_TRY(next_number(tree, LEAF_COEFF, &coefs, &to->coef[at], error));
        if (column < 0 || column >= to->model->n_features)
            return damaged(tree, LEAF_FEATURES, "names a column that does not exist", error);
        to->term_column[at] = (uint32_t)column;
    }
    return FTL_OK;
}

/* A plain tree among linear ones has constants alone. */
static ftl_status fill_linear(filling *to, const tree_text *tree, ftl_error *error)
{
    ftl_span constants = tree->fields[LEAF_CONST], counts = tree->fields[NUM_FEATURES];
    uint32_t end = (uint32_t)to->done.terms;
    for (uint32_t i = 0; i < tree->n_leaves; i++) {
        int64_t n = 0;
        size_t at = to->done.leaves + i;
        to->constant[at] = to->values[at];
        if (tree->linear) {
            FTL_TRY(next_number(tree, LEAF_CONST, &constants, &to->constant[at], error));
            FTL_TRY(next_integer(tree, NUM_FEATURES, &counts, &n, error));
        }
        end += (uint32_t)n;
        to->term_start[at + 1] = end;
    }
    return fill_terms(to, tree, error);
}

static ftl_status fill_tree(void *user, const tree_text *tree, ftl_error *error)
{
    filling *to = user;
    totals *done = &to->done;
    uint32_t first = (uint32_t)done->nodes, leaves = first + tree->n_leaves - 1;
    ftl_span rest = tree->fields[LEAF_VALUE];
    to->root[done->trees] = first;
    FTL_TRY(fill_splits(to, tree, first, error));
    FTL_TRY(fill_sets(to, tree, error));
    for (uint32_t i = 0; i < tree->n_leaves; i++) {
        uint32_t at = leaves + i;
        FTL_TRY(next_number(tree, LEAF_VALUE, &rest, &to->values[done->leaves + i], error));
        to->threshold[at] = 0;
        to->feature[at] = to->left[at] = to->right[at] = 0;
        to->leaf[at] = (int32_t)(done->leaves + i);
        to->flags[at] = FTL_NODE_LEAF;
    }
    if (to->constant)
        FTL_TRY(fill_linear(to, tree, error));
    return count_tree(done, tree, error);
}

static ftl_status give_linear(ftl_arena *arena, const filling *from, const totals *sum,
                              const ftl_linear_leaves **out, ftl_error *error)
{
    ftl_linear_leaves *made = FTL_ARENA_NEW(arena, ftl_linear_leaves);
    if (!made)
        return FTL_OOM(error);
    *made = (ftl_linear_leaves){FTL_SIZED(start, from->term_start, sum->leaves + 1),
                                FTL_SIZED(column, from->term_column, sum->terms),
                                FTL_SIZED(coef, from->coef, sum->terms),
                                FTL_SIZED(constant, from->constant, sum->leaves)};
    *out = made;
    return FTL_OK;
}

ftl_status ftl_lightgbm_read_trees(ftl_arena *arena, const ftl_lightgbm *model, ftl_tree_nodes *out,
                                   const ftl_linear_leaves **linear, ftl_error *error)
{
    totals sum = {0};
    filling to = {.model = model};
    FTL_TRY(walk(model, count_tree, &sum, error));
    FTL_TRY(make_room(arena, &sum, &to, error));
    if (sum.linear)
        FTL_TRY(make_linear_room(arena, &sum, &to, error));
    FTL_TRY(walk(model, fill_tree, &to, error));
    *linear = NULL;
    if (sum.linear)
        FTL_TRY(give_linear(arena, &to, &sum, linear, error));
    to.root[sum.trees] = (uint32_t)sum.nodes;
    *out = (ftl_tree_nodes){.n_trees = sum.trees,
                            .n_nodes = (uint32_t)sum.nodes,
                            .root = to.root,
                            .flags = to.flags,
                            .feature = to.feature,
                            .threshold = to.threshold,
                            .left = to.left,
                            .right = to.right,
                            .leaf = to.leaf,
                            .n_values = (uint32_t)sum.leaves,
                            .value_width = 1,
                            .values = to.values,
                            .n_sets = (uint32_t)sum.sets,
                            .set_start = to.set_start,
                            .set_words = to.set_words,
                            .category_rule = FTL_CATEGORY_INT};
    ftl_tree_nodes_count(out);
    return FTL_OK;
}

/* ---- Importances ------------------------------------------------------------------------------- */

typedef struct weighing {
    const ftl_lightgbm *model;
    uint32_t most; /* trees that count */
    bool gain;
    double *out;
} weighing;

static ftl_status weigh_tree(void *user, const tree_text *tree, ftl_error *error)
{
    const weighing *to = user;
    ftl_span features = tree->fields[SPLIT_FEATURE], gains = tree->fields[SPLIT_GAIN];
    if (tree->number >= to->most)
        return FTL_OK;
    for (uint32_t i = 0; i + 1 < tree->n_leaves; i++) {
        int64_t feature;
        double gain;
        FTL_TRY(next_integer(tree, SPLIT_FEATURE, &features, &feature, error));
        FTL_TRY(next_number(tree, SPLIT_GAIN, &gains, &gain, error));
        if (feature < 0 || feature >= to->model->n_features)
            return damaged(tree, SPLIT_FEATURE, "names a column that does not exist", error);
        if (gain > 0)
            to->out[feature] += to->gain ? (double)(float)gain : 1.0;
    }
    return FTL_OK;
}

ftl_status ftl_lightgbm_importances(const ftl_lightgbm *model, uint32_t n_iterations, bool gain,
                                    double *out, ftl_error *error)
{
    weighing to = {.model = model, .most = UINT32_MAX, .gain = gain, .out = out};
    if (__builtin_mul_overflow(n_iterations, model->n_scores, &to.most) || n_iterations == 0)
        to.most = UINT32_MAX;
    memset(out, 0, model->n_features * sizeof *out);
    return walk(model, weigh_tree, &to, error);
}
