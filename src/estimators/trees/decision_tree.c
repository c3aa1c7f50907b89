/*
 * DecisionTree* and ExtraTree*. predict takes the largest of a leaf's values as they are in the
 * file; predict_proba divides counts by their sum up to 1.3 and takes fractions as they are from
 * 1.4 on.
 */
#include "estimators/families.h"
#include "estimators/trees/tree_nodes.h"

#include <string.h>

typedef struct tree_parts {
    ftl_tree_targets targets;
    ftl_tree_view *view;
} tree_parts;

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t refusals(const ftl_estimator *e)
{
    return ftl_tree_refusals(e, strncmp(e->cls->name, "ExtraTree", 9) == 0, is_classifier(e));
}

static uint32_t tree_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_APPLY;
    return is_classifier(e) ? methods | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA
                            : methods;
}

static ftl_status read_parts(ftl_build *build, const ftl_estimator *e, tree_parts *out,
                             ftl_error *error)
{
    ftl_node *self = (ftl_node *)(uintptr_t)e->node;
    FTL_TRY(ftl_tree_targets_read(build, e, is_classifier(e), &out->targets, error));
    return ftl_tree_targets_views(build, e, &out->targets, &self, 1, &out->view, error);
}

/*
 * The tree's nodes with the values that a method needs; shared by its methods but for the values.
 */
static ftl_status make_nodes(ftl_build *build, const ftl_estimator *e, const tree_parts *parts,
                             ftl_leaf_fn *leaf, uint32_t width, const ftl_tree_nodes **out,
                             ftl_error *error)
{
    ftl_tree_nodes *nodes = NULL;
    ftl_tree_leaves leaves = {.write = leaf, .user = &parts->targets, .width = width};
    FTL_TRY(ftl_tree_views_join(build, parts->view, 1, &leaves, e->path, &nodes, error));
    *out = nodes;
    return FTL_OK;
}

/* One tree's value is not added to anything: -0.0 + v is v for every v, 0.0 + -0.0 is not. */
static ftl_status set_base(ftl_build *build, uint32_t width, ftl_trees_op *op, ftl_error *error)
{
    double *base = ftl_arena_array(build->arena, width, sizeof *base);
    if (!base)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < width; k++)
        base[k] = -0.0;
    op->base = base;
    op->base_count = width;
    return FTL_OK;
}

static ftl_status emit_values(ftl_build *build, const ftl_estimator *e, const tree_parts *parts,
                              ftl_leaf_fn *leaf, uint32_t width, const ftl_frame *in, uint32_t *id,
                              ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    ftl_trees_op *op = NULL;
    FTL_TRY(make_nodes(build, e, parts, leaf, width, &nodes, error));
    FTL_TRY(ftl_tree_emit_sum(build, e, in, refusals(e), nodes, width, id, &op, error));
    return set_base(build, width, op, error);
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const tree_parts *parts,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id = 0, n = parts->targets.n_outputs;
    FTL_TRY(emit_values(build, e, parts, is_classifier(e) ? ftl_leaf_classes : ftl_leaf_means, n,
                        in, &id, error));
    if (!is_classifier(e))
        return ftl_result_values(build, id, out, error);
    uint32_t *ids = ftl_arena_array(build->scratch, n, sizeof *ids),
             *columns = ftl_arena_array(build->scratch, n, sizeof *columns);
    if (!ids || !columns)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++) {
        ids[k] = id;
        columns[k] = k;
    }
    return ftl_tree_result_classes(build, ids, columns, &parts->targets, out, error);
}

static ftl_status tree_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    tree_parts parts;
    uint32_t id = 0;
    FTL_TRY(read_parts(build, e, &parts, error));
    switch (method) {
    case FTL_PREDICT:
        return emit_predict(build, e, &parts, in, out, error);
    case FTL_PREDICT_PROBA:
        FTL_TRY(emit_values(build, e, &parts, ftl_leaf_probabilities, parts.targets.width, in, &id,
                            error));
        return ftl_tree_result_proba(build, id, &parts.targets, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_tree_emit_log(build, e, &parts.targets, in, out, error);
    case FTL_APPLY: {
        const ftl_tree_nodes *nodes = ftl_tree_nodes_emitted(build, e, FTL_OP_TREES);
        if (!nodes)
            FTL_TRY(make_nodes(build, e, &parts, ftl_leaf_means, parts.targets.n_outputs, &nodes,
                               error));
        return ftl_tree_emit_apply(build, e, in, refusals(e), nodes, FTL_AS_INT, out, error);
    }
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

static const char *tree_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node *self = (ftl_node *)(uintptr_t)e->node;
    const ftl_node *classes = is_classifier(e) ? ftl_attr(e, "classes_") : NULL;
    return ftl_tree_detail(build, &self, 1, ftl_node_length(classes));
}

#define TREE_CLASS(name_, kind_) \
    {.package = "sklearn.tree",  \
     .name = name_,              \
     .kind = kind_,              \
     .methods = tree_methods,    \
     .emit = tree_emit,          \
     .detail = tree_detail}

const ftl_estimator_class ftl_tree_classes[] = {
    TREE_CLASS("DecisionTreeClassifier", FTL_CLASSIFIER),
    TREE_CLASS("DecisionTreeRegressor", FTL_REGRESSOR),
    TREE_CLASS("ExtraTreeClassifier", FTL_CLASSIFIER),
    TREE_CLASS("ExtraTreeRegressor", FTL_REGRESSOR),
    {0},
};
