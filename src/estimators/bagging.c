/*
 * BaggingClassifier and BaggingRegressor: means over models that see some of the columns each. The
 * classifiers are fitted on class indices.
 *
 * With n_jobs > 1 the library adds up parts of the models first, then the parts' sums.
 */
#include "estimators/ensemble.h"
#include "estimators/linear.h"
#include "estimators/registry.h"

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t bagging_methods(ftl_build *build, const ftl_estimator *e)
{
    if (!is_classifier(e))
        return 1u << FTL_PREDICT;
    uint32_t first = ftl_children_methods(build, e, "estimators_");
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
           (first & 1u << FTL_DECISION_FUNCTION);
}

/* The columns that model i was fitted on. */
static ftl_status columns_of(ftl_build *build, const ftl_estimator *e, ftl_node *const *features,
                             size_t n_features, uint32_t i, const ftl_frame *in, ftl_frame *out,
                             ftl_error *error)
{
    if (i >= n_features)
        return FTL_ATTR_FAIL(error, e, "estimators_features_", FTL_CORRUPT,
                             "model %u has no list of columns", i);
    ftl_array2 columns = {0};
    ftl_status status = ftl_node_matrix(build, features[i], &columns, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "estimators_features_");
        return status;
    }
    size_t n = columns.rows * columns.columns;
    uint32_t *picked = n <= 1u << 24 ? ftl_arena_array(build->scratch, n, sizeof *picked) : NULL;
    if (!picked)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        if (!(columns.data[k] >= 0 && columns.data[k] < in->n_columns))
            return FTL_ATTR_FAIL(error, e, "estimators_features_", FTL_CORRUPT,
                                 "model %u uses a column that does not exist", i);
        picked[k] = (uint32_t)columns.data[k];
    }
    status = ftl_frame_select(build, in, picked, (uint32_t)n, out, error);
    out->sparse = in->sparse;
    return status;
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

static ftl_status emit_children(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame **results, uint32_t *n,
                                ftl_error *error)
{
    ftl_children children;
    ftl_node **features = NULL;
    size_t n_features = 0;
    FTL_TRY(ftl_children_read(build, e, "estimators_", &children, error));
    FTL_TRY(read_features(build, e, &features, &n_features, error));
    ftl_frame *made = ftl_arena_zero_array(build->scratch, children.n, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < children.n; i++) {
        ftl_frame columns;
        FTL_TRY(columns_of(build, e, features, n_features, i, in, &columns, error));
        FTL_TRY(ftl_child_emit(build, &children.items[i], method, &columns, &made[i], error));
    }
    *results = made;
    *n = children.n;
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

static ftl_status add_up(ftl_build *build, const ftl_estimator *e, const bag_rule *bag,
                         const ftl_frame *results, uint32_t n, double divisor, uint32_t *id,
                         ftl_error *error)
{
    const ftl_sum how = {.rule = bag->rule,
                         .encoding = FTL_LABELS_ENCODED,
                         .divisor = divisor,
                         .dtype = bag->own ? FTL_DTYPE_F64 : FTL_DTYPE_SAME};
    if (bag->votes) {
        const double *ones = ftl_repeat(build, 1.0, n);
        if (!ones)
            return FTL_OOM(error);
        return ftl_emit_vote(build, e, results, n, bag->own, FTL_LABELS_ENCODED, ones, NULL,
                             divisor, id, error);
    }
    if (bag->own)
        return ftl_emit_sum(build, e, results, n, bag->own, &how, id, error);
    return ftl_emit_plain_sum(build, e, results, n, &how, id, error);
}

static ftl_status emit_mean(ftl_build *build, const ftl_estimator *e, const bag_rule *bag,
                            const ftl_frame *results, uint32_t n, uint32_t *id, ftl_error *error)
{
    uint32_t parts = 1, at = 0;
    FTL_TRY(part_count(e, n, &parts, error));
    if (parts == 1)
        return add_up(build, e, bag, results, n, n, id, error);
    ftl_frame *sums = ftl_arena_zero_array(build->scratch, parts, sizeof *sums);
    if (!sums)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t size = part_size(n, parts, i), part;
        FTL_TRY(add_up(build, e, bag, results + at, size, 1.0, &part, error));
        FTL_TRY(ftl_frame_of_op(build, part, NULL, &sums[i], error));
        at += size;
    }
    const ftl_sum how = {.rule = bag->rule, .divisor = n, .dtype = FTL_DTYPE_SAME};
    return ftl_emit_plain_sum(build, e, sums, parts, &how, id, error);
}

/* ---- Methods --------------------------------------------------------------------------------- */

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    bag_rule bag = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(ftl_own_labels(build, e, &bag.own, error));
    bag.votes = !(ftl_children_methods(build, e, "estimators_") & 1u << FTL_PREDICT_PROBA);
    FTL_TRY(emit_children(build, e, bag.votes ? FTL_PREDICT : FTL_PREDICT_PROBA, in, &results, &n,
                          error));
    FTL_TRY(emit_mean(build, e, &bag, results, n, &id, error));
    return ftl_result_scores(build, id, bag.own, out, error);
}

/* The logarithm of the mean, by logaddexp over what the models themselves give as logarithms. */
static ftl_status emit_log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    bag_rule bag = {.rule = FTL_COMBINE_LOGADDEXP};
    if (!(ftl_children_methods(build, e, "estimators_") & 1u << FTL_PREDICT_LOG_PROBA))
        return ftl_log_proba(build, e, in, out, error);
    FTL_TRY(ftl_own_labels(build, e, &bag.own, error));
    FTL_TRY(emit_children(build, e, FTL_PREDICT_LOG_PROBA, in, &results, &n, error));
    FTL_TRY(emit_mean(build, e, &bag, results, n, &id, error));
    return ftl_result_scores(build, id, bag.own, out, error);
}

static ftl_status emit_decision(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    const ftl_labels *own = NULL;
    const bag_rule bag = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(ftl_own_labels(build, e, &own, error));
    FTL_TRY(emit_children(build, e, FTL_DECISION_FUNCTION, in, &results, &n, error));
    FTL_TRY(emit_mean(build, e, &bag, results, n, &id, error));
    return ftl_result_scores(build, id, own, out, error);
}

static ftl_status emit_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    const bag_rule bag = {.rule = FTL_COMBINE_SUM};
    FTL_TRY(emit_children(build, e, FTL_PREDICT, in, &results, &n, error));
    for (uint32_t i = 0; i < n; i++)
        FTL_TRY(ftl_label_values(build, e, &results[i], &results[i], error));
    FTL_TRY(emit_mean(build, e, &bag, results, n, &id, error));
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
        return FTL_FAIL(error, FTL_INTERNAL, "%s has no %s", e->cls->name, ftl_method_name(method));
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
