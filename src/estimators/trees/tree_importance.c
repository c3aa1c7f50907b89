/*
 * feature_importances_ of trees, forests and gradient boosting, which the library computes anew
 * each time from the impurities in the nodes: a node's weighted impurity less its children's goes
 * to the feature that it splits on. LightGBM's come from the gains in its text.
 *
 * The machine that reads pickles keeps impurities only in files with a SelectFromModel in them.
 */
#include "base/pairwise.h"
#include "estimators/boosters/lightgbm.h"
#include "estimators/prep/feature_selectors.h"
#include "estimators/trees/tree_nodes.h"

#include <string.h>

typedef struct node_fields {
    const unsigned char *data;
    size_t n, stride;
    const ftl_dtype_field *left, *right, *feature, *impurity, *weight;
} node_fields;

static ftl_status damaged(const ftl_estimator *child, const char *what, ftl_error *error)
{
    ftl_error_set(error, FTL_CORRUPT, "%s: the file is damaged", what);
    ftl_error_in(error, child->path);
    return FTL_CORRUPT;
}

/* ---- One tree -------------------------------------------------------------------------------- */

static const ftl_dtype_field *field_of(const ftl_dtype *dtype, const char *name, char kind)
{
    const ftl_dtype_field *field = ftl_dtype_find_field(dtype, name);
    bool fits = field && field->dtype->n_fields == 0 && field->dtype->kind == kind &&
                field->dtype->item_size == 8 && field->offset <= dtype->item_size &&
                dtype->item_size - field->offset >= 8;
    return fits ? field : NULL;
}

static double number_at(const node_fields *nodes, const ftl_dtype_field *field, size_t i)
{
    double value;
    memcpy(&value, nodes->data + i * nodes->stride + field->offset, sizeof value);
    return value;
}

static int64_t integer_at(const node_fields *nodes, const ftl_dtype_field *field, size_t i)
{
    int64_t value;
    memcpy(&value, nodes->data + i * nodes->stride + field->offset, sizeof value);
    return value;
}

static ftl_status read_fields(const ftl_estimator *child, const ftl_node *tree_estimator,
                              node_fields *out, ftl_error *error)
{
    const ftl_node *tree = ftl_node_attr(tree_estimator, "tree_");
    const ftl_node *nodes = tree && tree->kind == FTL_NODE_OBJECT ? ftl_node_attr(tree, "nodes")
                                                                  : NULL;
    if (!nodes || nodes->kind != FTL_NODE_ARRAY || nodes->u.array->ndim != 1 ||
        nodes->u.array->size == 0 || !nodes->u.array->data)
        return damaged(child, "tree_.nodes is not an array of nodes", error);
    const ftl_dtype *dtype = nodes->u.array->dtype;
    FTL_TRY(ftl_tree_expect_known(tree, child->path, error));
    *out = (node_fields){.data = nodes->u.array->data,
                         .n = nodes->u.array->size,
                         .stride = dtype->item_size,
                         .left = field_of(dtype, "left_child", 'i'),
                         .right = field_of(dtype, "right_child", 'i'),
                         .feature = field_of(dtype, "feature", 'i'),
                         .impurity = field_of(dtype, "impurity", 'f'),
                         .weight = field_of(dtype, "weighted_n_node_samples", 'f')};
    if (!out->left || !out->right || !out->feature || !out->impurity || !out->weight) {
        ftl_error_set(error, FTL_UNSUPPORTED,
                      "the importances of these trees cannot be computed; save the model with its "
                      "SelectFromModel ahead of its trees");
        ftl_error_in(error, child->path);
        return FTL_UNSUPPORTED;
    }
    return FTL_OK;
}

static double weighted(const node_fields *nodes, size_t i)
{
    return number_at(nodes, nodes->weight, i) * number_at(nodes, nodes->impurity, i);
}

/* Tree.compute_feature_importances(normalize=False): out [n], set. */
static ftl_status tree_importances(const ftl_estimator *child, const ftl_node *tree_estimator,
                                   size_t n, double *out, bool *stump, ftl_error *error)
{
    node_fields nodes = {0};
    FTL_TRY(read_fields(child, tree_estimator, &nodes, error));
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < nodes.n; i++) {
        int64_t left = integer_at(&nodes, nodes.left, i), right, feature;
        if (left == -1)
            continue;
        right = integer_at(&nodes, nodes.right, i);
        feature = integer_at(&nodes, nodes.feature, i);
        if (left < 0 || right < 0 || (uint64_t)left >= nodes.n || (uint64_t)right >= nodes.n ||
            feature < 0 || (uint64_t)feature >= n)
            return damaged(child, "a node of tree_ refers to what does not exist", error);
        out[feature] += weighted(&nodes, i) - weighted(&nodes, (size_t)left) -
                        weighted(&nodes, (size_t)right);
    }
    for (size_t j = 0; j < n; j++)
        out[j] /= number_at(&nodes, nodes.weight, 0);
    *stump = nodes.n <= 1;
    return FTL_OK;
}

static void normalise(double *values, size_t n, bool even_zero)
{
    double sum = ftl_pairwise_sum(values, n, false);
    for (size_t j = 0; j < n && (even_zero || sum > 0); j++)
        values[j] /= sum;
}

/* ---- Ensembles ------------------------------------------------------------------------------- */

typedef struct ensemble {
    ftl_node **trees;
    size_t n_trees, per_stage;
    bool single; /* each tree's importances are normalised (forests) */
} ensemble;

/*
 * The mean over the trees that split at all, normalised. Up to 0.21 over all trees, boosting's
 * stage by stage, and forests' not normalised once more.
 */
static ftl_status mean_importances(ftl_build *build, const ftl_estimator *child,
                                   const ensemble *from, size_t n, double *out, ftl_error *error)
{
    bool old = child->version < FTL_SKLEARN(0, 22), stump;
    double *one = ftl_arena_array(build->scratch, n, sizeof *one);
    double *stage = ftl_arena_zero_array(build->scratch, n, sizeof *stage);
    size_t counted = 0;
    if (!one || !stage)
        return FTL_OOM(error);
    for (size_t t = 0; t < from->n_trees; t++) {
        FTL_TRY(tree_importances(child, from->trees[t], n, one, &stump, error));
        if (from->single)
            normalise(one, n, false);
        if (stump && !old)
            continue;
        counted++;
        if (old && !from->single) {
            bool last = (t + 1) % from->per_stage == 0;
            for (size_t j = 0; j < n; j++) {
                stage[j] += one[j];
                out[j] += last ? stage[j] / (double)from->per_stage : 0;
                stage[j] = last ? 0 : stage[j];
            }
            continue;
        }
        for (size_t j = 0; j < n; j++)
            out[j] += one[j];
    }
    double by = (double)(old && !from->single ? from->n_trees / from->per_stage : counted);
    for (size_t j = 0; j < n && counted; j++)
        out[j] /= by;
    if (counted && !(old && from->single))
        normalise(out, n, true);
    return FTL_OK;
}

ftl_status ftl_tree_importances(ftl_build *build, const ftl_estimator *child, size_t n,
                                double **out, ftl_error *error)
{
    const char *name = child->node->u.object->name;
    char about[160];
    bool stump;
    *out = ftl_arena_zero_array(build->scratch, n, sizeof **out);
    if (!*out)
        return FTL_OOM(error);
    if (strncmp(name, "DecisionTree", 12) == 0 || strcmp(name, "ExtraTreeClassifier") == 0 ||
        strcmp(name, "ExtraTreeRegressor") == 0) {
        FTL_TRY(tree_importances(child, child->node, n, *out, &stump, error));
        normalise(*out, n, false);
        return FTL_OK;
    }
    if (strncmp(child->node->u.object->module, "lightgbm.", 9) == 0 &&
        strncmp(name, "LGBM", 4) == 0)
        return ftl_lightgbm_wrapper_importances(build, child, n, *out, error);
    bool forest = strncmp(name, "RandomForest", 12) == 0 || strncmp(name, "ExtraTrees", 10) == 0;
    if (!forest && strncmp(name, "GradientBoosting", 16) != 0) {
        ftl_error_set(error, FTL_UNSUPPORTED,
                      "the importances of %s are not in the file; use an estimator with coef_, or "
                      "trees",
                      ftl_node_describe(child->node, about, sizeof about));
        ftl_error_in(error, child->path);
        return FTL_UNSUPPORTED;
    }
    ensemble trees = {.single = forest, .per_stage = 1};
    FTL_TRY(ftl_attr_items(child, "estimators_", &trees.trees, &trees.n_trees, error));
    const ftl_node *stages = ftl_attr(child, "estimators_");
    if (!forest && stages->kind == FTL_NODE_ARRAY && stages->u.array->ndim == 2)
        trees.per_stage = stages->u.array->shape[1];
    if (trees.n_trees == 0 || trees.per_stage == 0)
        return damaged(child, "estimators_ is empty", error);
    return mean_importances(build, child, &trees, n, *out, error);
}
