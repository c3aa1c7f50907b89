/*
 * RandomForest* and ExtraTrees*: float64 sums over the trees in their order, divided by their
 * number. Forests take missing values from 1.4 on, when their first tree does.
 */
#include "estimators/families.h"
#include "estimators/trees/tree_nodes.h"

#include <string.h>

typedef struct forest_parts {
    ftl_tree_targets targets;
    ftl_node **trees;
    uint32_t n_trees;
    uint32_t refuse;
} forest_parts;

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t forest_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_APPLY;
    return is_classifier(e) ? methods | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA
                            : methods;
}

static ftl_status read_parts(ftl_build *build, const ftl_estimator *e, forest_parts *out,
                             ftl_error *error)
{
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, "estimators_", &out->trees, &n, error));
    if (n == 0 || n > 1u << 24)
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT, "the forest has %zu trees", n);
    out->n_trees = (uint32_t)n;
    FTL_TRY(ftl_tree_targets_read(build, e, is_classifier(e), &out->targets, error));
    ftl_estimator first = {
        .node = out->trees[0], .path = e->path, .cls = e->cls, .version = e->version};
    bool extra = strncmp(e->cls->name, "ExtraTrees", 10) == 0;
    out->refuse = ftl_tree_refusals(&first, extra, is_classifier(e));
    if (e->version < FTL_SKLEARN(1, 4))
        out->refuse |= FTL_CHECK_NAN;
    return FTL_OK;
}

/* The forest's nodes; its methods share them. */
static ftl_status forest_nodes(ftl_build *build, const ftl_estimator *e, forest_parts *parts,
                               const ftl_tree_nodes **out, ftl_error *error)
{
    *out = ftl_tree_nodes_emitted(build, e, FTL_OP_TREES);
    if (!*out)
        *out = ftl_tree_nodes_emitted(build, e, FTL_OP_TREE_APPLY);
    if (*out)
        return FTL_OK;
    ftl_tree_view *views = NULL;
    ftl_tree_nodes *nodes = NULL;
    FTL_TRY(ftl_tree_targets_views(build, e, &parts->targets, parts->trees, parts->n_trees, &views,
                                   error));
    ftl_tree_leaves leaves = {.write = is_classifier(e) ? ftl_leaf_probabilities : ftl_leaf_means,
                              .user = &parts->targets,
                              .width = parts->targets.width,
                              .plain = !is_classifier(e) || e->version >= FTL_SKLEARN(1, 4)};
    FTL_TRY(ftl_tree_views_join(build, views, parts->n_trees, &leaves, e->path, &nodes, error));
    *out = nodes;
    return FTL_OK;
}

static ftl_status emit_mean(ftl_build *build, const ftl_estimator *e, forest_parts *parts,
                            const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    ftl_trees_op *op = NULL;
    FTL_TRY(forest_nodes(build, e, parts, &nodes, error));
    FTL_TRY(ftl_tree_emit_sum(build, e, in, parts->refuse, nodes, parts->targets.width, id, &op,
                              error));
    op->divisor = parts->n_trees;
    return FTL_OK;
}

/* The largest probability of each target. */
static ftl_status emit_labels(ftl_build *build, const ftl_estimator *e, const forest_parts *parts,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t n = parts->targets.n_outputs, at = 0;
    uint32_t *ids = ftl_arena_array(build->scratch, n, sizeof *ids);
    uint32_t *columns = ftl_arena_zero_array(build->scratch, n, sizeof *columns);
    ftl_frame proba;
    if (!ids || !columns)
        return FTL_OOM(error);
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    for (uint32_t k = 0; k < n; k++) {
        ftl_frame own = {.n_columns = parts->targets.n_classes[k], .columns = proba.columns + at};
        uint32_t source = 0;
        ftl_op *op = NULL;
        FTL_TRY(ftl_build_matrix(build, e, &own, &source, error));
        FTL_TRY(ftl_build_on(build, e, FTL_OP_DECIDE, source, 1, &ids[k], &op, error));
        op->u.decide.rule = FTL_DECIDE_ARGMAX;
        op->dtype = FTL_DTYPE_F64;
        at += own.n_columns;
    }
    return ftl_tree_result_classes(build, ids, columns, &parts->targets, out, error);
}

static ftl_status forest_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    forest_parts parts;
    uint32_t id = 0;
    FTL_TRY(read_parts(build, e, &parts, error));
    switch (method) {
    case FTL_PREDICT:
        if (is_classifier(e))
            return emit_labels(build, e, &parts, in, out, error);
        FTL_TRY(emit_mean(build, e, &parts, in, &id, error));
        return ftl_result_values(build, id, out, error);
    case FTL_PREDICT_PROBA:
        FTL_TRY(emit_mean(build, e, &parts, in, &id, error));
        return ftl_tree_result_proba(build, id, &parts.targets, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_tree_emit_log(build, e, &parts.targets, in, out, error);
    case FTL_APPLY: {
        const ftl_tree_nodes *nodes = NULL;
        FTL_TRY(forest_nodes(build, e, &parts, &nodes, error));
        return ftl_tree_emit_apply(build, e, in, parts.refuse, nodes, FTL_AS_INT, out, error);
    }
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
    const ftl_node *classes = is_classifier(e) ? ftl_attr(e, "classes_") : NULL;
    return ftl_tree_detail(build, trees, n, ftl_node_length(classes));
}

#define FOREST_CLASS(name_, kind_)  \
    {.package = "sklearn.ensemble", \
     .name = name_,                 \
     .kind = kind_,                 \
     .methods = forest_methods,     \
     .emit = forest_emit,           \
     .detail = forest_detail}

const ftl_estimator_class ftl_forest_classes[] = {
    FOREST_CLASS("RandomForestClassifier", FTL_CLASSIFIER),
    FOREST_CLASS("RandomForestRegressor", FTL_REGRESSOR),
    FOREST_CLASS("ExtraTreesClassifier", FTL_CLASSIFIER),
    FOREST_CLASS("ExtraTreesRegressor", FTL_REGRESSOR),
    {0},
};
