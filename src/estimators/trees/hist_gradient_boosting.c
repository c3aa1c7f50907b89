/*
 * HistGradientBoosting*. float64 throughout: the baseline, then each iteration's trees. Rows are
 * never refused: infinity is a value, NaN goes where the node says.
 *
 * A node on a category: NaN (from 1.2 on also a negative value) takes the missing branch; else the
 * value becomes a byte, and the byte goes left when it is in the node's set, right when it was seen
 * in training, and where missing values go otherwise. The three cases are folded into one set per
 * node. From 1.4 on categories come through an OrdinalEncoder and stand before the other columns.
 *
 * Nodes are read by field name: `threshold` in 0.22, num_threshold later; feature_idx is 32 bits
 * wide up to 1.2, 64 after.
 */
#include "estimators/families.h"
#include "estimators/trees/tree_nodes.h"

#include "base/checked.h"

#include <string.h>

typedef struct hist {
    ftl_node **iterations; /* lists of predictors */
    uint32_t n_trees, n_scores;
    const double *baseline;   /* [n_scores] */
    const ftl_labels *labels; /* classifier */
    ftl_link link;            /* regressor: FTL_LINK_EXP, or FTL_LINK_COUNT for none */
    const bool *categorical;  /* [n_features] after the preprocessor, or NULL */
    uint32_t n_features;
    const uint32_t (*known)[8]; /* [n_features] categories seen in training */
} hist;

/* One TreePredictor. */
typedef struct predictor {
    const ftl_node_array *nodes;
    const ftl_dtype_field *value, *feature, *left, *right, *is_leaf, *threshold, *missing,
        *is_categorical, *bitset;
    const ftl_node_array *sets; /* (n, 8) uint32, or NULL */
} predictor;

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t hist_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    if (!is_classifier(e))
        return 1u << FTL_PREDICT;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
           1u << FTL_DECISION_FUNCTION;
}

/* ---- Parameters -------------------------------------------------------------------------------------------------------- */

static ftl_status read_link(const ftl_estimator *e, hist *out, ftl_error *error)
{
    static const char *const plain[] = {"squared_error", "least_squares", "absolute_error",
                                        "least_absolute_deviation", "quantile"};
    out->link = FTL_LINK_COUNT;
    for (size_t i = 0; i < FTL_ARRAY_LEN(plain); i++) {
        if (ftl_attr_is(e, "loss", plain[i]))
            return FTL_OK;
    }
    out->link = FTL_LINK_EXP;
    if (ftl_attr_is(e, "loss", "poisson") || ftl_attr_is(e, "loss", "gamma"))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, "loss", FTL_UNSUPPORTED,
                         "%s with a loss other than squared_error, absolute_error, poisson, "
                         "gamma and quantile is not supported",
                         e->cls->name);
}

static ftl_status read_classes(ftl_build *build, const ftl_estimator *e, hist *out,
                               ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_node_labels(build, classes, &out->labels, error));
    if (out->labels->count < 2)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_UNSUPPORTED,
                             "a classifier that was trained on one class is not supported");
    out->n_scores = out->labels->count == 2 ? 1 : out->labels->count;
    return FTL_OK;
}

static ftl_status read_baseline(ftl_build *build, const ftl_estimator *e, hist *out,
                                ftl_error *error)
{
    const double *from = NULL;
    double *baseline = ftl_arena_array(build->arena, out->n_scores, sizeof *baseline);
    if (!baseline)
        return FTL_OOM(error);
    FTL_TRY(
        ftl_attr_vector(build, e, FTL_NAMES("_baseline_prediction"), out->n_scores, &from, error));
    for (uint32_t k = 0; k < out->n_scores; k++)
        baseline[k] = 0.0 + from[k];
    out->baseline = baseline;
    return FTL_OK;
}

static ftl_status count_trees(const ftl_estimator *e, hist *out, ftl_error *error)
{
    size_t n = 0, total;
    FTL_TRY(ftl_attr_items(e, "_predictors", &out->iterations, &n, error));
    if (n == 0 || !ftl_mul_size(n, out->n_scores, &total) || total > 1u << 24)
        return FTL_ATTR_FAIL(error, e, "_predictors", FTL_CORRUPT, "there are %zu iterations", n);
    out->n_trees = (uint32_t)total;
    return FTL_OK;
}

/* ---- Categories -------------------------------------------------------------------------------------------------------- */

static ftl_status read_mask(ftl_build *build, const ftl_estimator *owner, const char *name,
                            uint32_t n, const bool **out, ftl_error *error)
{
    const double *from = NULL;
    bool *mask = ftl_arena_array(build->scratch, n, sizeof *mask);
    if (!mask)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_vector(build, owner, FTL_NAMES(name), n, &from, error));
    for (uint32_t i = 0; i < n; i++)
        mask[i] = from[i] != 0;
    *out = mask;
    return FTL_OK;
}

/* The bin thresholds of a categorical column are its categories. */
static ftl_status read_known(ftl_build *build, const ftl_estimator *mapper, hist *h,
                             ftl_error *error)
{
    ftl_node **thresholds = NULL;
    size_t n = 0;
    uint32_t(*known)[8] = ftl_arena_zero_array(build->scratch, h->n_features, sizeof *known);
    if (!known)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_items(mapper, "bin_thresholds_", &thresholds, &n, error));
    if (n != h->n_features)
        return FTL_ATTR_FAIL(error, mapper, "bin_thresholds_", FTL_CORRUPT,
                             "there are %zu columns of %u", n, h->n_features);
    for (uint32_t f = 0; f < h->n_features; f++) {
        ftl_array2 categories = {0};
        if (!h->categorical[f])
            continue;
        FTL_TRY(ftl_node_matrix(build, thresholds[f], &categories, error));
        for (size_t i = 0; i < categories.rows * categories.columns; i++) {
            if (!(categories.data[i] >= 0 && categories.data[i] < 256))
                return FTL_ATTR_FAIL(error, mapper, "bin_thresholds_", FTL_CORRUPT,
                                     "column %u has a category outside 0 to 255", f);
            uint32_t c = (uint32_t)categories.data[i];
            known[f][c >> 5] |= 1u << (c & 31);
        }
    }
    h->known = (const uint32_t(*)[8])known;
    return FTL_OK;
}

static ftl_status read_categories(ftl_build *build, const ftl_estimator *e, uint32_t n_features,
                                  hist *h, ftl_error *error)
{
    h->n_features = n_features;
    const ftl_node *node = ftl_attr(e, "_bin_mapper");
    if (e->version < FTL_SKLEARN(0, 24) || ftl_node_is_none(ftl_attr(e, "is_categorical_")))
        return FTL_OK;
    const char *path = ftl_child_path(build, e, "_bin_mapper");
    if (!path)
        return FTL_OOM(error);
    if (ftl_node_is_none(node) || node->kind != FTL_NODE_OBJECT)
        return FTL_ATTR_FAIL(error, e, "_bin_mapper", FTL_CORRUPT,
                             "attribute _bin_mapper is missing");
    ftl_estimator mapper = {.node = node, .path = path, .version = e->version};
    FTL_TRY(read_mask(build, &mapper, "is_categorical_", n_features, &h->categorical, error));
    return read_known(build, &mapper, h, error);
}

static ftl_status read_hist(ftl_build *build, const ftl_estimator *e, uint32_t n_features,
                            hist *out, ftl_error *error)
{
    *out = (hist){.n_scores = 1};
    if (e->version < FTL_SKLEARN(0, 22))
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s of scikit-learn before 0.22 is not supported",
                        e->cls->name);
    FTL_TRY(is_classifier(e) ? read_classes(build, e, out, error) : read_link(e, out, error));
    FTL_TRY(read_baseline(build, e, out, error));
    FTL_TRY(count_trees(e, out, error));
    return read_categories(build, e, n_features, out, error);
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------------- */

static const ftl_dtype_field *field_of(const ftl_dtype *dtype, const char *name, const char *kinds,
                                       uint32_t min, uint32_t max)
{
    const ftl_dtype_field *field = ftl_dtype_find_field(dtype, name);
    bool fits = field && field->dtype->n_fields == 0 && strchr(kinds, field->dtype->kind) &&
                field->dtype->item_size >= min && field->dtype->item_size <= max &&
                field->offset <= dtype->item_size &&
                field->dtype->item_size <= dtype->item_size - field->offset;
    return fits ? field : NULL;
}

static bool read_fields(predictor *out)
{
    const ftl_dtype *dtype = out->nodes->dtype;
    out->value = field_of(dtype, "value", "f", 8, 8);
    out->feature = field_of(dtype, "feature_idx", "iu", 4, 8);
    out->left = field_of(dtype, "left", "u", 4, 4);
    out->right = field_of(dtype, "right", "u", 4, 4);
    out->is_leaf = field_of(dtype, "is_leaf", "ub", 1, 1);
    out->missing = field_of(dtype, "missing_go_to_left", "ub", 1, 1);
    out->is_categorical = field_of(dtype, "is_categorical", "ub", 1, 1);
    out->bitset = field_of(dtype, "bitset_idx", "u", 4, 4);
    out->threshold = field_of(dtype, "num_threshold", "f", 8, 8);
    if (!out->threshold)
        out->threshold = field_of(dtype, "threshold", "f", 8, 8);
    return out->value && out->feature && out->left && out->right && out->is_leaf &&
           out->threshold && out->missing;
}

static const char *const node_fields[] = {"value",          "feature_idx",   "left",
                                          "right",          "is_leaf",       "missing_go_to_left",
                                          "is_categorical", "bitset_idx",    "num_threshold",
                                          "threshold",      "count",         "gain",
                                          "depth",          "bin_threshold", NULL};

static ftl_status read_predictor(const ftl_node *node, const char *path, predictor *out,
                                 ftl_error *error)
{
    const ftl_node *nodes = ftl_node_attr(node, "nodes"),
                   *sets = ftl_node_attr(node, "raw_left_cat_bitsets");
    *out = (predictor){0};
    if (nodes && nodes->kind == FTL_NODE_ARRAY) {
        out->nodes = nodes->u.array;
        FTL_TRY(
            ftl_expect_fields(out->nodes, node_fields, "the nodes of a predictor", path, error));
    }
    if (!out->nodes || out->nodes->ndim != 1 || out->nodes->size == 0 ||
        out->nodes->size > INT32_MAX || !out->nodes->data || !read_fields(out)) {
        ftl_error_set(error, FTL_CORRUPT,
                      "the predictor has no array of nodes, or one without the fields of a tree");
        ftl_error_in(error, path);
        return FTL_CORRUPT;
    }
    const ftl_node_array *array = sets && sets->kind == FTL_NODE_ARRAY ? sets->u.array : NULL;
    if (array && array->ndim == 2 && array->shape[1] == 8 && array->dtype->kind == 'u' &&
        array->dtype->item_size == 4 && array->data && !(array->fortran && array->shape[0] > 1))
        out->sets = array;
    return FTL_OK;
}

typedef struct forest {
    uint32_t *root;
    ftl_tree_arrays arrays;
    double *values;
    uint32_t (*sets)[8], *set_start;
    uint32_t n_nodes, n_leaves, n_sets, room_leaves, room_sets;
} forest;

static uint64_t read_unsigned(const unsigned char *node, const ftl_dtype_field *field)
{
    uint64_t wide;
    uint32_t narrow;
    if (field->dtype->item_size == sizeof wide) {
        memcpy(&wide, node + field->offset, sizeof wide);
        return wide;
    }
    if (field->dtype->item_size != sizeof narrow)
        return UINT64_MAX;
    memcpy(&narrow, node + field->offset, sizeof narrow);
    return narrow;
}

/* The bytes that go left: in the node's set, or unseen in training where missing values go left. */
static bool add_set(const hist *h, const predictor *p, const unsigned char *node, uint32_t feature,
                    bool missing_left, forest *to)
{
    uint64_t at = p->bitset ? read_unsigned(node, p->bitset) : UINT64_MAX;
    if (!p->sets || at >= p->sets->shape[0] || !h->known || feature >= h->n_features ||
        to->n_sets == to->room_sets)
        return false;
    uint32_t left[8];
    memcpy(left, (const unsigned char *)p->sets->data + at * sizeof left, sizeof left);
    for (uint32_t w = 0; w < 8; w++)
        to->sets[to->n_sets][w] = left[w] | (missing_left ? ~h->known[feature][w] : 0);
    to->n_sets++;
    to->set_start[to->n_sets] = to->n_sets * 8;
    return true;
}

static bool add_split(const ftl_estimator *e, const hist *h, const predictor *p,
                      const unsigned char *node, uint32_t at, forest *to)
{
    uint64_t feature = read_unsigned(node, p->feature), left = read_unsigned(node, p->left),
             right = read_unsigned(node, p->right);
    bool missing_left = node[p->missing->offset] != 0;
    if (feature > INT32_MAX || left > INT32_MAX || right > INT32_MAX)
        return false;
    uint8_t flags = missing_left ? FTL_NODE_MISSING_LEFT : 0;
    if (!p->is_categorical || !node[p->is_categorical->offset]) {
        ftl_tree_arrays_split(&to->arrays, at, flags, (int64_t)feature, (int64_t)left,
                              (int64_t)right);
        memcpy(&to->arrays.threshold[at], node + p->threshold->offset, sizeof(double));
        return true;
    }
    flags |= FTL_NODE_CATEGORICAL;
    if (e->version >= FTL_SKLEARN(1, 2))
        flags |= FTL_NODE_NEGATIVE_MISSING;
    ftl_tree_arrays_split(&to->arrays, at, flags, (int64_t)feature, (int64_t)left, (int64_t)right);
    to->arrays.threshold[at] = to->n_sets;
    return add_set(h, p, node, (uint32_t)feature, missing_left, to);
}

static bool add_tree(const ftl_estimator *e, const hist *h, const predictor *p, forest *to)
{
    for (size_t i = 0; i < p->nodes->size; i++) {
        const unsigned char *node = (const unsigned char *)p->nodes->data +
                                    i * p->nodes->dtype->item_size;
        uint32_t at = to->n_nodes++;
        if (!node[p->is_leaf->offset]) {
            if (!add_split(e, h, p, node, at, to))
                return false;
            continue;
        }
        if (to->n_leaves == to->room_leaves)
            return false;
        ftl_tree_arrays_leaf(&to->arrays, at, to->n_leaves);
        memcpy(&to->values[to->n_leaves++], node + p->value->offset, sizeof(double));
    }
    return true;
}

static ftl_status make_room(ftl_build *build, const predictor *predictors, uint32_t n, forest *to,
                            ftl_error *error)
{
    ftl_arena *arena = build->arena;
    uint64_t nodes = 0, leaves = 0;
    to->root = ftl_arena_array(arena, (size_t)n + 1, sizeof *to->root);
    if (!to->root)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        to->root[t] = (uint32_t)nodes;
        nodes += predictors[t].nodes->size;
        leaves += predictors[t].nodes->size / 2 + 1;
        if (nodes > INT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "the trees have more than 2 billion nodes");
    }
    to->root[n] = (uint32_t)nodes;
    to->room_leaves = (uint32_t)leaves;
    FTL_TRY(ftl_tree_arrays_make(build, (uint32_t)nodes, &to->arrays, error));
    to->values = ftl_arena_array(arena, leaves, sizeof *to->values);
    return to->values ? FTL_OK : FTL_OOM(error);
}

/* Sets are counted first: most ensembles have none. */
static ftl_status make_sets(ftl_build *build, const predictor *predictors, uint32_t n, forest *to,
                            ftl_error *error)
{
    uint64_t count = 0; /* of nodes: at most 2^31 */
    for (uint32_t t = 0; t < n; t++) {
        const predictor *p = &predictors[t];
        for (size_t i = 0; p->is_categorical && i < p->nodes->size; i++)
            count += ((const unsigned char *)p->nodes
                          ->data)[i * p->nodes->dtype->item_size + p->is_categorical->offset] != 0;
    }
    if (count > UINT32_MAX / 8)
        return FTL_FAIL(error, FTL_LIMIT, "the trees have too many sets of categories");
    to->sets = ftl_arena_array(build->arena, count, sizeof *to->sets);
    to->set_start = ftl_arena_array(build->arena, (size_t)count + 1, sizeof *to->set_start);
    to->room_sets = (uint32_t)count;
    if (!to->sets || !to->set_start)
        return FTL_OOM(error);
    to->set_start[0] = 0;
    return FTL_OK;
}

static ftl_status read_predictors(ftl_build *build, const ftl_estimator *e, const hist *h,
                                  predictor *out, ftl_error *error)
{
    for (uint32_t i = 0; i < h->n_trees / h->n_scores; i++) {
        ftl_node **trees = NULL;
        size_t n = 0;
        const char *path = ftl_child_path(build, e, "_predictors[%u]", i);
        if (!path)
            return FTL_OOM(error);
        ftl_status status = ftl_node_items(h->iterations[i], &trees, &n, error);
        if (status == FTL_OK && n != h->n_scores)
            status = FTL_FAIL(error, FTL_CORRUPT,
                              "an iteration has %zu trees where %u were expected", n, h->n_scores);
        if (status != FTL_OK) {
            ftl_error_in(error, path);
            return status;
        }
        for (uint32_t k = 0; k < h->n_scores; k++)
            FTL_TRY(read_predictor(trees[k], path, &out[i * h->n_scores + k], error));
    }
    return FTL_OK;
}

static ftl_status make_nodes(ftl_build *build, const ftl_estimator *e, const hist *h,
                             ftl_tree_nodes **out, ftl_error *error)
{
    predictor *predictors = ftl_arena_array(build->scratch, h->n_trees, sizeof *predictors);
    ftl_tree_nodes *nodes = FTL_ARENA_NEW(build->arena, ftl_tree_nodes);
    forest to = {0};
    if (!predictors || !nodes)
        return FTL_OOM(error);
    FTL_TRY(read_predictors(build, e, h, predictors, error));
    FTL_TRY(make_room(build, predictors, h->n_trees, &to, error));
    FTL_TRY(make_sets(build, predictors, h->n_trees, &to, error));
    for (uint32_t t = 0; t < h->n_trees; t++) {
        if (!add_tree(e, h, &predictors[t], &to))
            return FTL_ATTR_FAIL(error, e, "_predictors", FTL_CORRUPT,
                                 "the nodes of tree %u do not form one", t);
    }
    *nodes = (ftl_tree_nodes){.n_trees = h->n_trees,
                              .n_nodes = to.n_nodes,
                              .root = to.root,
                              .n_values = to.n_leaves,
                              .value_width = 1,
                              .values = to.values,
                              .n_sets = to.n_sets,
                              .set_start = to.set_start,
                              .set_words = (const uint32_t *)to.sets};
    ftl_tree_arrays_give(&to.arrays, nodes);
    ftl_tree_nodes_count(nodes);
    *out = nodes;
    return FTL_OK;
}

/* ---- Operations -------------------------------------------------------------------------------------------------------- */

/* From 1.4 on: categorical columns through the encoder, in front of the others. */
static ftl_status preprocess(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "_preprocessor");
    *out = *in;
    if (ftl_node_is_none(node))
        return FTL_OK;
    ftl_node **transformers = NULL, **entry = NULL;
    size_t n = 0;
    const char *path = ftl_child_path(build, e, "_preprocessor");
    if (!path)
        return FTL_OOM(error);
    ftl_estimator columns = {.node = node, .path = path, .version = e->version}, encoder;
    FTL_TRY(ftl_attr_items(&columns, "transformers_", &transformers, &n, error));
    if (n == 0 || ftl_node_items(transformers[0], &entry, &n, NULL) != FTL_OK || n != 3)
        return FTL_ATTR_FAIL(error, &columns, "transformers_", FTL_CORRUPT,
                             "the encoder of categories is missing");
    const bool *mask = NULL;
    uint32_t *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked), n_coded = 0,
             at = 0;
    if (!picked)
        return FTL_OOM(error);
    FTL_TRY(read_mask(build, e, "is_categorical_", in->n_columns, &mask, error));
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (mask[i])
            picked[at++] = i;
    }
    n_coded = at;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (!mask[i])
            picked[at++] = i;
    }
    ftl_frame before, parts[2];
    FTL_TRY(ftl_estimator_of(build, entry[1], &columns,
                             ftl_child_path(build, &columns, "transformers_[0]"), &encoder, error));
    FTL_TRY(ftl_frame_select(build, in, picked, n_coded, &before, error));
    FTL_TRY(ftl_emit(build, &encoder, FTL_TRANSFORM, &before, &parts[0], error));
    FTL_TRY(
        ftl_frame_select(build, in, picked + n_coded, in->n_columns - n_coded, &parts[1], error));
    if (parts[0].n_columns != n_coded)
        return FTL_ATTR_FAIL(error, &columns, "transformers_", FTL_CORRUPT,
                             "the encoder yields %u columns of %u", parts[0].n_columns, n_coded);
    return ftl_frame_concat(build, parts, 2, out, error);
}

static ftl_status emit_raw(ftl_build *build, const ftl_estimator *e, const hist *h,
                           const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_tree_nodes *nodes = NULL;
    uint32_t *target = NULL, source = 0;
    ftl_frame ready;
    ftl_op *op = NULL;
    FTL_TRY(make_nodes(build, e, h, &nodes, error));
    FTL_TRY(preprocess(build, e, in, &ready, error));
    if (h->n_scores > 1) {
        target = ftl_arena_array(build->arena, h->n_trees, sizeof *target);
        if (!target)
            return FTL_OOM(error);
        for (uint32_t t = 0; t < h->n_trees; t++)
            target[t] = t % h->n_scores;
    }
    FTL_TRY(ftl_build_matrix(build, e, &ready, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, source, h->n_scores, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = nodes,
                                 .input = FTL_TREE_INPUT_F64,
                                 FTL_SIZED(target, target, target ? h->n_trees : 0),
                                 FTL_SIZED(base, h->baseline, h->baseline ? h->n_scores : 0),
                                 .divisor = 1.0};
    return FTL_OK;
}

/* The multi-class link changed with the shared loss module of 1.1. */
static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const hist *h, uint32_t raw,
                             uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, raw, h->labels->count, id, &op, error));
    op->u.link.link = h->n_scores == 1                 ? FTL_LINK_SIGMOID_PAIR
                      : e->version < FTL_SKLEARN(1, 1) ? FTL_LINK_LOGSUMEXP_SOFTMAX
                                                       : FTL_LINK_SOFTMAX;
    return FTL_OK;
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const hist *h,
                               uint32_t raw, ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw;
    ftl_op *op = NULL;
    if (!is_classifier(e)) {
        if (h->link != FTL_LINK_COUNT) {
            FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, raw, 1, &id, &op, error));
            op->u.link.link = h->link;
        }
        return ftl_result_values(build, id, out, error);
    }
    /* Up to 1.4 the label is the larger probability, later it comes from the raw scores. */
    bool by_probability = e->version < FTL_SKLEARN(1, 5);
    if (by_probability)
        FTL_TRY(emit_proba(build, e, h, raw, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_DECIDE, id, 1, &id, &op, error));
    op->u.decide.rule = by_probability || h->n_scores > 1 ? FTL_DECIDE_ARGMAX : FTL_DECIDE_POSITIVE;
    return ftl_result_labels(build, id, h->labels, out, error);
}

static ftl_status emit_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              const ftl_labels **labels, uint32_t *id, ftl_error *error)
{
    ftl_frame scores;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    *id = scores.columns[0].op;
    *labels = scores.columns[0].labels;
    return FTL_OK;
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    hist h = {0};
    uint32_t id = 0;
    if (method == FTL_DECISION_FUNCTION) {
        FTL_TRY(read_hist(build, e, in->n_columns, &h, error));
        FTL_TRY(emit_raw(build, e, &h, in, &id, error));
        return ftl_result_scores(build, id, h.labels, out, error);
    }
    FTL_TRY(emit_scores(build, e, in, &h.labels, &id, error));
    h.n_scores = build->ops[id].width;
    if (method == FTL_PREDICT)
        return emit_predict(build, e, &h, id, out, error);
    FTL_TRY(emit_proba(build, e, &h, id, &id, error));
    if (method == FTL_PREDICT_LOG_PROBA) {
        ftl_op *op = NULL;
        FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, id, h.labels->count, &id, &op, error));
        op->u.link.link = FTL_LINK_LOG;
    }
    return ftl_result_scores(build, id, h.labels, out, error);
}

static ftl_status hist_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    hist h;
    uint32_t id = 0;
    if (is_classifier(e))
        return emit_classifier(build, e, method, in, out, error);
    FTL_TRY(read_hist(build, e, in->n_columns, &h, error));
    FTL_TRY(emit_raw(build, e, &h, in, &id, error));
    return emit_predict(build, e, &h, id, out, error);
}

static const char *hist_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **iterations = NULL, **trees = NULL;
    size_t n = 0, k = 0, total = 0, count = 0;
    if (ftl_attr_items(e, "_predictors", &iterations, &n, NULL) != FTL_OK)
        return "";
    for (size_t i = 0; i < n; i++) {
        if (ftl_node_items(iterations[i], &trees, &k, NULL) != FTL_OK)
            return "";
        count += k;
        for (size_t j = 0; j < k; j++)
            total += ftl_node_length(ftl_node_attr(trees[j], "nodes"));
    }
    return ftl_tree_summary(build, count, total, -1,
                            is_classifier(e) ? ftl_node_length(ftl_attr(e, "classes_")) : 0);
}

#define HIST_CLASS(name_, kind_)    \
    {.package = "sklearn.ensemble", \
     .name = name_,                 \
     .kind = kind_,                 \
     .methods = hist_methods,       \
     .emit = hist_emit,             \
     .detail = hist_detail}

const ftl_estimator_class ftl_hist_gradient_boosting_classes[] = {
    HIST_CLASS("HistGradientBoostingClassifier", FTL_CLASSIFIER),
    HIST_CLASS("HistGradientBoostingRegressor", FTL_REGRESSOR),
    {0},
};
