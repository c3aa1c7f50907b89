/*
 * IsolationForest: 2 ** -(mean path length / expected path length), where a leaf's path length is
 * its depth and what a tree of its remaining samples would add on average.
 *
 * The trees know nothing of path lengths: they are worked out here, from the tree and its
 * n_node_samples, or, from 1.3 on, read from _decision_path_lengths and
 * _average_path_length_per_tree.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"
#include "estimators/trees/tree_nodes.h"

#include <math.h>
#include <string.h>

static const double euler_gamma = 0.577215664901532860606512090082402431;

/*
 * Before 0.20 decisions were one half less 2 ** …, without score_samples, and a row was an outlier
 * up to its threshold, which is one of decisions.
 */
static bool has_offset(const ftl_estimator *e) { return !ftl_node_is_none(ftl_attr(e, "offset_")); }

static uint32_t forest_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION;
    return has_offset(e) ? methods | 1u << FTL_SCORE_SAMPLES : methods;
}

/*
 * Of an unsuccessful search in a tree of n samples; up to 0.21 two samples are no special case.
 * 0.18 took the logarithm of n, and fewer digits of the constant.
 */
static double average_path_length(double n, int version)
{
    bool old = version < FTL_SKLEARN(0, 21);
    if (n <= 1)
        return old ? 1.0 : 0.0;
    if (n == 2 && !old)
        return 1.0;
    if (version && version < FTL_SKLEARN(0, 19))
        return 2.0 * (log(n) + 0.5772156649) - 2.0 * (n - 1.0) / n;
    return 2.0 * (log(n - 1.0) + euler_gamma) - 2.0 * (n - 1.0) / n;
}

/* ---- Path lengths of one tree ---------------------------------------------------------------- */

static ftl_status damaged(const ftl_estimator *e, const char *what, uint32_t tree, ftl_error *error)
{
    return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT, "tree %u: %s: the file is damaged",
                         tree, what);
}

static int64_t integer_at(const ftl_tree_view *view, const ftl_dtype_field *field, uint32_t node)
{
    const unsigned char *at = view->nodes + (size_t)node * view->stride + field->offset;
    int64_t wide;
    int32_t narrow;
    if (field->dtype->item_size == 4) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

/* Nodes on the way to each node, itself included. Children must stand behind their parents. */
static bool count_depths(const ftl_tree_view *view, double *depth)
{
    memset(depth, 0, view->n_nodes * sizeof *depth);
    depth[0] = 1;
    for (uint32_t i = 0; i < view->n_nodes; i++) {
        int64_t left = integer_at(view, view->left, i), right = integer_at(view, view->right, i);
        if (left == -1)
            continue;
        if (left <= i || right <= i || left >= view->n_nodes || right >= view->n_nodes)
            return false;
        depth[left] = depth[right] = depth[i] + 1;
    }
    return true;
}

static ftl_status computed_lengths(const ftl_estimator *e, const ftl_node *estimator, uint32_t t,
                                   const ftl_tree_view *view, double *out, ftl_error *error)
{
    const ftl_node *tree = ftl_node_attr(estimator, "tree_");
    const ftl_node_array *nodes = ftl_node_attr(tree, "nodes")->u.array;
    const ftl_dtype_field *samples = ftl_dtype_find_field(nodes->dtype, "n_node_samples");
    bool fits = samples && samples->dtype->kind == 'i' && samples->dtype->n_fields == 0 &&
                (samples->dtype->item_size == 8 || samples->dtype->item_size == 4) &&
                samples->offset <= nodes->dtype->item_size &&
                samples->dtype->item_size <= nodes->dtype->item_size - samples->offset;
    if (!fits)
        return damaged(e, "the nodes have no n_node_samples", t, error);
    if (!count_depths(view, out))
        return damaged(e, "the nodes do not form a tree", t, error);
    for (uint32_t i = 0; i < view->n_nodes; i++) {
        double more = average_path_length((double)integer_at(view, samples, i), e->version);
        out[i] = e->version < FTL_SKLEARN(0, 22) ? out[i] - 1.0 + more : out[i] + more - 1.0;
    }
    return FTL_OK;
}

static ftl_status stored_lengths(ftl_build *build, const ftl_estimator *e, ftl_node *depths,
                                 ftl_node *averages, uint32_t t, uint32_t n, double *out,
                                 ftl_error *error)
{
    ftl_array2 depth = {0}, average = {0};
    ftl_status status = ftl_node_matrix(build, depths, &depth, error);
    if (status == FTL_OK)
        status = ftl_node_matrix(build, averages, &average, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "_decision_path_lengths");
        return status;
    }
    if (depth.rows * depth.columns != n || average.rows * average.columns != n)
        return damaged(e, "its path lengths are not as many as its nodes", t, error);
    for (uint32_t i = 0; i < n; i++)
        out[i] = depth.data[i] + average.data[i] - 1.0;
    return FTL_OK;
}

static void copy_length(const void *user, const double *from, double *to)
{
    (void)user;
    *to = *from;
}

/* ---- The forest's nodes ---------------------------------------------------------------------- */

static ftl_status read_views(ftl_build *build, const ftl_estimator *e, ftl_node **trees, uint32_t n,
                             ftl_tree_view *views, ftl_error *error)
{
    ftl_node **depths = NULL, **averages = NULL;
    size_t n_depths = 0, n_averages = 0;
    bool stored = ftl_attr(e, "_decision_path_lengths") != NULL;
    if (stored) {
        FTL_TRY(ftl_attr_items(e, "_decision_path_lengths", &depths, &n_depths, error));
        FTL_TRY(ftl_attr_items(e, "_average_path_length_per_tree", &averages, &n_averages, error));
        if (n_depths != n || n_averages != n)
            return FTL_ATTR_FAIL(error, e, "_decision_path_lengths", FTL_CORRUPT,
                                 "path lengths of %zu trees for %u trees", n_depths, n);
    }
    for (uint32_t t = 0; t < n; t++) {
        ftl_tree_view *view = &views[t];
        FTL_TRY(ftl_tree_view_read(trees[t], ftl_child_path(build, e, "estimators_[%u]", t), 1,
                                   view, error));
        double *lengths = ftl_arena_array(build->scratch, view->n_nodes, sizeof *lengths);
        if (!lengths)
            return FTL_OOM(error);
        FTL_TRY(stored ? stored_lengths(build, e, depths[t], averages[t], t, view->n_nodes, lengths,
                                        error)
                       : computed_lengths(e, trees[t], t, view, lengths, error));
        view->values = lengths;
        view->n_values = view->n_nodes;
        view->max_classes = 1;
        view->leaves_only = false;
    }
    return FTL_OK;
}

/* Where trees see some columns only, their features are numbers among these. */
static ftl_status map_features(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               ftl_tree_nodes *nodes, ftl_error *error)
{
    int64_t max_features = n_columns;
    ftl_node **subsets = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_int(e, "_max_features", max_features, &max_features, error));
    if (max_features == n_columns)
        return FTL_OK;
    FTL_TRY(ftl_attr_items(e, "estimators_features_", &subsets, &n, error));
    int32_t *feature = ftl_arena_array(build->arena, nodes->n_nodes, sizeof *feature);
    if (!feature)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        ftl_array2 subset = {0};
        ftl_status status = t < n ? ftl_node_matrix(build, subsets[t], &subset, error)
                                  : FTL_CORRUPT;
        if (status == FTL_NOMEM)
            return status;
        if (status != FTL_OK)
            return damaged(e, "it has no list of columns", t, error);
        for (uint32_t i = nodes->root[t]; i < nodes->root[t + 1]; i++) {
            bool leaf = nodes->flags[i] & FTL_NODE_LEAF;
            size_t at = leaf ? 0 : (size_t)nodes->feature[i];
            double column = leaf ? 0 : at < subset.rows * subset.columns ? subset.data[at] : -1;
            if (!(column >= 0 && column < n_columns))
                return damaged(e, "it asks for a column that does not exist", t, error);
            feature[i] = (int32_t)column;
        }
    }
    nodes->feature = feature;
    return FTL_OK;
}

static ftl_status forest_nodes(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               ftl_tree_nodes **out, ftl_error *error)
{
    ftl_node **trees = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, "estimators_", &trees, &n, error));
    if (n == 0 || n > 1u << 24)
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT, "the forest has %zu trees", n);
    ftl_tree_view *views = ftl_arena_zero_array(build->scratch, n, sizeof *views);
    if (!views)
        return FTL_OOM(error);
    const ftl_tree_leaves leaves = {.write = copy_length, .width = 1};
    FTL_TRY(read_views(build, e, trees, (uint32_t)n, views, error));
    FTL_TRY(ftl_tree_views_join(build, views, (uint32_t)n, &leaves, e->path, out, error));
    return map_features(build, e, n_columns, *out, error);
}

/* ---- Methods --------------------------------------------------------------------------------- */

/*
 * From 1.3 on rows are cast to float32 before they are looked at; from 1.6 on nothing is refused.
 */
static uint32_t refusals(const ftl_estimator *e)
{
    return e->version >= FTL_SKLEARN(1, 6) ? 0
                                           : FTL_CHECK_NAN | FTL_CHECK_INF | FTL_CHECK_F32_RANGE;
}

static ftl_status emit_affine(ftl_build *build, const ftl_estimator *e, uint32_t source,
                              const ftl_affine_step *steps, uint32_t n, uint32_t *id,
                              ftl_error *error)
{
    ftl_op *op = NULL;
    const ftl_affine_step *copy = ftl_arena_copy(build->arena, steps, n * sizeof *steps);
    bool whole = copy != NULL;
    for (uint32_t i = 0; i < n; i++)
        whole = whole && steps[i].vector;
    if (!whole)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, source, 1, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = n, FTL_SIZED(steps, copy, n)};
    return FTL_OK;
}

/* -(2 ** -(sum / (number of trees * expected length))) */
static ftl_status emit_samples(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               uint32_t *id, ftl_error *error)
{
    ftl_tree_nodes *nodes = NULL;
    ftl_trees_op *trees = NULL;
    ftl_op *op = NULL;
    double samples = 0;
    FTL_TRY(forest_nodes(build, e, in->n_columns, &nodes, error));
    FTL_TRY(ftl_attr_f64(e, e->version >= FTL_SKLEARN(1, 3) ? "_max_samples" : "max_samples_", 0,
                         &samples, error));
    FTL_TRY(ftl_tree_emit_sum(build, e, in, refusals(e), nodes, 1, id, &trees, error));
    double length = average_path_length(samples, e->version);
    bool flat = length == 0 && e->version >= FTL_SKLEARN(1, 0); /* the division is left out */
    const ftl_affine_step divide[] = {
        {.kind = flat ? FTL_AFFINE_MUL : FTL_AFFINE_DIV,
         FTL_SIZED(vector, ftl_repeat(build, length * nodes->n_trees, 1), 1)},
        {.kind = FTL_AFFINE_ADD, FTL_SIZED(vector, ftl_repeat(build, flat ? 1.0 : 0.0, 1), 1)},
        {.kind = FTL_AFFINE_MUL, FTL_SIZED(vector, ftl_repeat(build, -1.0, 1), 1)},
    };
    FTL_TRY(emit_affine(build, e, *id, divide, FTL_ARRAY_LEN(divide), id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, *id, 1, id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_EXP2;
    return ftl_emit_link(build, e, FTL_LINK_NEGATE, *id, 1, id, error);
}

static ftl_status emit_shifted(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const char *attribute, const ftl_frame *in, uint32_t *id,
                               ftl_error *error)
{
    ftl_frame frame;
    double offset = 0;
    if (method == FTL_SCORE_SAMPLES && !has_offset(e))
        offset = -0.5;
    else
        FTL_TRY(ftl_attr_f64(e, attribute, 0, &offset, error));
    FTL_TRY(ftl_emit(build, e, method, in, &frame, error));
    const ftl_affine_step step = {.kind = FTL_AFFINE_SUB,
                                  FTL_SIZED(vector, ftl_repeat(build, offset, 1), 1)};
    return emit_affine(build, e, frame.columns[0].op, &step, 1, id, error);
}

/* 1 where the decision is not below 0 (0.20's old behaviour: not below its threshold), else -1. */
static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    bool old = e->version < FTL_SKLEARN(0, 22) && ftl_attr_is(e, "behaviour", "old");
    const char *threshold = !has_offset(e) ? "threshold_" : old ? "_threshold_" : "_none";
    FTL_TRY(emit_shifted(build, e, FTL_DECISION_FUNCTION, threshold, in, &id, error));
    FTL_TRY(ftl_emit_decide(build, e, has_offset(e) ? FTL_DECIDE_NOT_NEGATIVE : FTL_DECIDE_POSITIVE,
                            id, 1, &id, error));
    const ftl_affine_step sign[] = {
        {.kind = FTL_AFFINE_MUL, FTL_SIZED(vector, ftl_repeat(build, 2.0, 1), 1)},
        {.kind = FTL_AFFINE_SUB, FTL_SIZED(vector, ftl_repeat(build, 1.0, 1), 1)},
    };
    FTL_TRY(emit_affine(build, e, id, sign, FTL_ARRAY_LEN(sign), &id, error));
    FTL_TRY(ftl_result_values(build, id, out, error));
    out->columns[0].as = FTL_AS_INT;
    return FTL_OK;
}

static ftl_status forest_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    switch (method) {
    case FTL_PREDICT:
        return emit_predict(build, e, in, out, error);
    case FTL_DECISION_FUNCTION:
        FTL_TRY(emit_shifted(build, e, FTL_SCORE_SAMPLES, "offset_", in, &id, error));
        return ftl_result_values(build, id, out, error);
    case FTL_SCORE_SAMPLES:
        FTL_TRY(emit_samples(build, e, in, &id, error));
        return ftl_result_values(build, id, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

static const char *forest_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **trees = NULL;
    size_t n = 0;
    if (ftl_attr_items(e, "estimators_", &trees, &n, NULL) != FTL_OK)
        return "";
    return ftl_tree_detail(build, trees, n, 0);
}

const ftl_estimator_class ftl_isolation_classes[] = {
    {.package = "sklearn.ensemble",
     .name = "IsolationForest",
     .kind = FTL_OUTLIER_DETECTOR,
     .methods = forest_methods,
     .emit = forest_emit,
     .detail = forest_detail},
    {0},
};
