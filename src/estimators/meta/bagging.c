/*
 * BaggingClassifier and BaggingRegressor: means over models that see some of the columns each. The
 * classifiers are fitted on class indices.
 *
 * With n_jobs > 1 the library adds up parts of the models first, then the parts' sums.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"
#include "estimators/trees/joined_trees.h"

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t bagging_methods(ftl_build *build, const ftl_estimator *e)
{
    if (!is_classifier(e))
        return 1u << FTL_PREDICT;
    uint32_t first = ftl_children_methods(build, e, "estimators_");
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
           (first & 1u << FTL_DECISION_FUNCTION);
}

/* The columns that a model was fitted on. */
typedef struct columns {
    uint32_t n, *numbers;
} columns;

static ftl_status columns_of(ftl_build *build, const ftl_estimator *e, ftl_node *const *features,
                             size_t n_features, uint32_t i, uint32_t n_columns, columns *out,
                             ftl_error *error)
{
    if (i >= n_features)
        return FTL_ATTR_FAIL(error, e, "estimators_features_", FTL_CORRUPT,
                             "model %u has no list of columns", i);
    ftl_array2 list = {0};
    ftl_status status = ftl_node_matrix(build, features[i], &list, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "estimators_features_");
        return status;
    }
    size_t n = list.rows * list.columns;
    uint32_t *picked = n <= 1u << 24 ? ftl_arena_array(build->scratch, n, sizeof *picked) : NULL;
    if (!picked)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        if (!(list.data[k] >= 0 && list.data[k] < n_columns))
            return FTL_ATTR_FAIL(error, e, "estimators_features_", FTL_CORRUPT,
                                 "model %u uses a column that does not exist", i);
        picked[k] = (uint32_t)list.data[k];
    }
    *out = (columns){(uint32_t)n, picked};
    return FTL_OK;
}

/* The rows of a two-dimensional array of columns, or the items of a list, one a model. */
static ftl_status read_features(ftl_build *build, const ftl_estimator *e, ftl_node ***items,
                                size_t *n, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "estimators_features_");
    if (!node || node->kind != FTL_NODE_ARRAY || node->u.array->objects)
        return ftl_attr_items(e, "estimators_features_", items, n, error);
    (void)build;
    return FTL_ATTR_FAIL(error, e, "estimators_features_", FTL_UNSUPPORTED,
                         "the columns of the models are not a list of arrays");
}

/* A bagging's models, and the columns of each. */
typedef struct bag {
    ftl_children children;
    columns *seen; /* [children.n] */
} bag;

static ftl_status read_bag(ftl_build *build, const ftl_estimator *e, uint32_t n_columns, bag *out,
                           ftl_error *error)
{
    ftl_node **features = NULL;
    size_t n_features = 0;
    FTL_TRY(ftl_children_read(build, e, "estimators_", &out->children, error));
    FTL_TRY(read_features(build, e, &features, &n_features, error));
    out->seen = ftl_arena_array(build->scratch, out->children.n, sizeof *out->seen);
    if (!out->seen)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < out->children.n; i++)
        FTL_TRY(columns_of(build, e, features, n_features, i, n_columns, &out->seen[i], error));
    return FTL_OK;
}

static ftl_status emit_children(ftl_build *build, const bag *b, ftl_method method,
                                const ftl_frame *in, ftl_frame **results, ftl_error *error)
{
    ftl_frame *made = ftl_arena_zero_array(build->scratch, b->children.n, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < b->children.n; i++) {
        ftl_frame own;
        FTL_TRY(ftl_frame_select(build, in, b->seen[i].numbers, b->seen[i].n, &own, error));
        FTL_TRY(ftl_child_emit(build, &b->children.items[i], method, &own, &made[i], error));
    }
    *results = made;
    return FTL_OK;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* How many of n models part `part` of `parts` has: the first parts have one more. */
static uint32_t part_size(uint32_t n, uint32_t parts, uint32_t part)
{
    return n / parts + (part < n % parts);
}

static ftl_status part_count(const ftl_estimator *e, uint32_t n, uint32_t *out, ftl_error *error)
{
    int64_t n_jobs = 1;
    FTL_TRY(ftl_attr_int(e, "n_jobs", 1, &n_jobs, error));
    /* Below 0: as many as the machine has processors, less some; it may be any number. */
    *out = n_jobs < 1 ? 1 : n_jobs > n ? n : (uint32_t)n_jobs;
    return FTL_OK;
}

typedef struct bag_rule {
    const ftl_labels *own; /* NULL: columns have no classes */
    ftl_combine rule;
    bool votes; /* results are labels */
} bag_rule;

static ftl_status add_up(ftl_build *build, const ftl_estimator *e, const bag_rule *rule,
                         const ftl_frame *results, uint32_t n, double divisor, uint32_t *id,
                         ftl_error *error)
{
    const ftl_sum how = {.rule = rule->rule,
                         .encoding = FTL_LABELS_ENCODED,
                         .divisor = divisor,
                         .dtype = rule->own ? FTL_DTYPE_F64 : FTL_DTYPE_SAME};
    if (rule->votes) {
        const double *ones = ftl_repeat(build, 1.0, n);
        if (!ones)
            return FTL_OOM(error);
        return ftl_emit_vote(build, e, results, n, rule->own, FTL_LABELS_ENCODED, ones, NULL,
                             divisor, id, error);
    }
    if (rule->own)
        return ftl_emit_sum(build, e, results, n, rule->own, &how, id, error);
    return ftl_emit_plain_sum(build, e, results, n, &how, id, error);
}

/* The sums of parts are added up, and that is divided by n. */
static ftl_status add_parts(ftl_build *build, const ftl_estimator *e, ftl_combine rule,
                            const uint32_t *ids, uint32_t parts, uint32_t n, uint32_t *id,
                            ftl_error *error)
{
    ftl_frame *sums = ftl_arena_zero_array(build->scratch, parts, sizeof *sums);
    if (!sums)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < parts; i++)
        FTL_TRY(ftl_frame_of_op(build, ids[i], NULL, &sums[i], error));
    const ftl_sum how = {.rule = rule, .divisor = n, .dtype = FTL_DTYPE_SAME};
    return ftl_emit_plain_sum(build, e, sums, parts, &how, id, error);
}

static ftl_status emit_mean(ftl_build *build, const ftl_estimator *e, const bag_rule *rule,
                            const ftl_frame *results, uint32_t n, uint32_t *id, ftl_error *error)
{
    uint32_t parts = 1, at = 0;
    FTL_TRY(part_count(e, n, &parts, error));
    if (parts == 1)
        return add_up(build, e, rule, results, n, n, id, error);
    uint32_t *ids = ftl_arena_array(build->scratch, parts, sizeof *ids);
    if (!ids)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t size = part_size(n, parts, i);
        FTL_TRY(add_up(build, e, rule, results + at, size, 1.0, &ids[i], error));
        at += size;
    }
    return add_parts(build, e, rule->rule, ids, parts, n, id, error);
}

/* ---- Plain trees ----------------------------------------------------------------------------- */

/* The columns that some model sees, in their order; rank: [n_columns], where each stands there. */
static ftl_status seen_columns(ftl_build *build, const bag *b, const ftl_frame *in, ftl_frame *out,
                               uint32_t **rank, ftl_error *error)
{
    uint32_t n = 0, *ranks = ftl_arena_zero_array(build->scratch, in->n_columns, sizeof *ranks),
             *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked);
    if (!ranks || !picked)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < b->children.n; i++) {
        for (uint32_t k = 0; k < b->seen[i].n; k++)
            ranks[b->seen[i].numbers[k]] = 1;
    }
    for (uint32_t c = 0; c < in->n_columns; c++) {
        if (ranks[c]) {
            ranks[c] = n;
            picked[n++] = c;
        }
    }
    *rank = ranks;
    return ftl_frame_select(build, in, picked, n, out, error);
}

/* A tree's features are numbers among its own columns. */
static ftl_status map_features(ftl_build *build, const bag *b, uint32_t first, const uint32_t *rank,
                               ftl_tree_nodes *nodes, ftl_error *error)
{
    int32_t *feature = ftl_arena_array(build->arena, nodes->n_nodes, sizeof *feature);
    if (!feature)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        const columns *seen = &b->seen[first + t];
        for (uint32_t i = nodes->root[t]; i < nodes->root[t + 1]; i++) {
            bool leaf = nodes->flags[i] & FTL_NODE_LEAF;
            uint32_t at = (uint32_t)nodes->feature[i];
            if (!leaf && at >= seen->n) {
                const ftl_estimator *child = &b->children.items[first + t];
                return FTL_ATTR_FAIL(error, child, "tree_", FTL_CORRUPT,
                                     "node %u splits on column %u of %u", i - nodes->root[t], at,
                                     seen->n);
            }
            feature[i] = leaf ? 0 : (int32_t)rank[seen->numbers[at]];
        }
    }
    nodes->feature = feature;
    return FTL_OK;
}

/* One ensemble of the trees; one a part where the library adds up parts. */
static ftl_status emit_trees(ftl_build *build, const ftl_estimator *e, const bag *b,
                             const ftl_tree_children *trees, const ftl_frame *in, uint32_t *id,
                             ftl_error *error)
{
    const ftl_tree_child *child = &trees->items[0];
    bool classifier = child->place != NULL;
    uint32_t width = classifier ? child->width : child->targets.n_outputs;
    uint32_t parts = 1, at = 0, source = 0, *rank = NULL;
    ftl_frame seen;
    ftl_estimator any = *trees->first; /* not the first model alone sees these columns */
    any.path = ftl_child_path(build, e, "estimators_");
    if (!any.path)
        return FTL_OOM(error);
    FTL_TRY(seen_columns(build, b, in, &seen, &rank, error));
    FTL_TRY(ftl_build_checked_matrix(build, &any, &seen, trees->refuse, &source, error));
    FTL_TRY(part_count(e, trees->n, &parts, error));
    uint32_t *ids = ftl_arena_array(build->scratch, parts, sizeof *ids);
    if (!ids)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t size = part_size(trees->n, parts, i);
        ftl_tree_nodes *nodes = NULL;
        ftl_trees_op *op = NULL;
        FTL_TRY(ftl_tree_children_join(build, e, trees, at, size,
                                       classifier ? ftl_child_probabilities : ftl_child_means,
                                       width, &nodes, error));
        FTL_TRY(map_features(build, b, at, rank, nodes, error));
        FTL_TRY(ftl_tree_emit_on(build, e, source, nodes, width, &ids[i], &op, error));
        op->divisor = parts == 1 ? trees->n : 1.0;
        at += size;
    }
    *id = ids[0];
    return parts == 1 ? FTL_OK
                      : add_parts(build, e, FTL_COMBINE_SUM, ids, parts, trees->n, id, error);
}

/* ---- Methods --------------------------------------------------------------------------------- */

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    bag b;
    ftl_tree_children trees;
    ftl_frame *results = NULL;
    uint32_t id;
    bag_rule rule = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(ftl_own_labels(build, e, &rule.own, error));
    FTL_TRY(read_bag(build, e, in->n_columns, &b, error));
    FTL_TRY(
        ftl_tree_children_read(build, &b.children, rule.own, FTL_LABELS_ENCODED, &trees, error));
    if (trees.n) {
        FTL_TRY(emit_trees(build, e, &b, &trees, in, &id, error));
        return ftl_result_scores(build, id, rule.own, out, error);
    }
    rule.votes = !(ftl_children_methods(build, e, "estimators_") & 1u << FTL_PREDICT_PROBA);
    FTL_TRY(emit_children(build, &b, rule.votes ? FTL_PREDICT : FTL_PREDICT_PROBA, in, &results,
                          error));
    FTL_TRY(emit_mean(build, e, &rule, results, b.children.n, &id, error));
    return ftl_result_scores(build, id, rule.own, out, error);
}

/* The logarithm of the mean, by logaddexp over what the models themselves give as logarithms. */
static ftl_status emit_log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    bag b;
    ftl_frame *results = NULL;
    uint32_t id;
    bag_rule rule = {.rule = FTL_COMBINE_LOGADDEXP};
    if (!(ftl_children_methods(build, e, "estimators_") & 1u << FTL_PREDICT_LOG_PROBA))
        return ftl_log_proba(build, e, in, out, error);
    FTL_TRY(ftl_own_labels(build, e, &rule.own, error));
    FTL_TRY(read_bag(build, e, in->n_columns, &b, error));
    FTL_TRY(emit_children(build, &b, FTL_PREDICT_LOG_PROBA, in, &results, error));
    FTL_TRY(emit_mean(build, e, &rule, results, b.children.n, &id, error));
    return ftl_result_scores(build, id, rule.own, out, error);
}

static ftl_status emit_decision(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    bag b;
    ftl_frame *results = NULL;
    uint32_t id;
    const ftl_labels *own = NULL;
    const bag_rule rule = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(ftl_own_labels(build, e, &own, error));
    FTL_TRY(read_bag(build, e, in->n_columns, &b, error));
    FTL_TRY(emit_children(build, &b, FTL_DECISION_FUNCTION, in, &results, error));
    FTL_TRY(emit_mean(build, e, &rule, results, b.children.n, &id, error));
    return ftl_result_scores(build, id, own, out, error);
}

static ftl_status emit_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    bag b;
    ftl_tree_children trees;
    ftl_frame *results = NULL;
    uint32_t id;
    const bag_rule rule = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(read_bag(build, e, in->n_columns, &b, error));
    FTL_TRY(ftl_tree_children_read(build, &b.children, NULL, FTL_LABELS_PLAIN, &trees, error));
    if (trees.n) {
        FTL_TRY(emit_trees(build, e, &b, &trees, in, &id, error));
        return ftl_result_values(build, id, out, error);
    }
    FTL_TRY(emit_children(build, &b, FTL_PREDICT, in, &results, error));
    for (uint32_t i = 0; i < b.children.n; i++)
        FTL_TRY(ftl_label_values(build, e, &results[i], &results[i], error));
    FTL_TRY(emit_mean(build, e, &rule, results, b.children.n, &id, error));
    return ftl_result_values(build, id, out, error);
}

static ftl_status bagging_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    switch (method) {
    case FTL_PREDICT:
        return is_classifier(e) ? ftl_predict_largest(build, e, FTL_PREDICT_PROBA, in, out, error)
                                : emit_values(build, e, in, out, error);
    case FTL_PREDICT_PROBA:
        return emit_proba(build, e, in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return emit_log_proba(build, e, in, out, error);
    case FTL_DECISION_FUNCTION:
        return emit_decision(build, e, in, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

#define BAGGING(name_, kind_)       \
    {.package = "sklearn.ensemble", \
     .name = (name_),               \
     .kind = (kind_),               \
     .methods = bagging_methods,    \
     .emit = bagging_emit,          \
     .inputs = ftl_own_inputs,      \
     .detail = ftl_ensemble_detail}
const ftl_estimator_class ftl_bagging_classes[] = {
    BAGGING("BaggingClassifier", FTL_CLASSIFIER),
    BAGGING("BaggingRegressor", FTL_REGRESSOR),
    {0},
};
