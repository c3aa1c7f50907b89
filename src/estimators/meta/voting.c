/*
 * VotingClassifier and VotingRegressor. The classifiers are fitted on class indices. 'drop' and
 * None in estimators are not in estimators_ and lose their weight.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <string.h>

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static bool is_soft(const ftl_estimator *e) { return ftl_attr_is(e, "voting", "soft"); }

static uint32_t voting_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_TRANSFORM;
    return is_classifier(e) && is_soft(e) ? methods | 1u << FTL_PREDICT_PROBA : methods;
}

static bool is_dropped(const ftl_node *node)
{
    return ftl_node_is_none(node) || ftl_node_str_equal(node, "drop");
}

/* The estimator of an entry of `estimators`, a pair of name and estimator; NULL when it is none. */
static const ftl_node *entry_estimator(const ftl_node *entry)
{
    bool pair = (entry->kind == FTL_NODE_TUPLE || entry->kind == FTL_NODE_LIST) &&
                entry->u.seq.size == 2;
    return pair ? entry->u.seq.items[1] : NULL;
}

/* The weights of what is in estimators_; NULL for none. */
static ftl_status read_weights(ftl_build *build, const ftl_estimator *e, uint32_t n,
                               const double **out, ftl_error *error)
{
    ftl_array2 all = {0};
    ftl_node **entries = NULL;
    size_t count = 0, kept = 0;
    *out = NULL;
    if (ftl_node_is_none(ftl_attr(e, "weights")))
        return FTL_OK;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("weights"), &all, error));
    FTL_TRY(ftl_attr_items(e, "estimators", &entries, &count, error));
    size_t size = all.rows * all.columns;
    double *weights = ftl_arena_array(build->arena, size, sizeof *weights);
    if (!weights)
        return FTL_OOM(error);
    for (size_t i = 0; i < count && i < size; i++) {
        const ftl_node *estimator = entry_estimator(entries[i]);
        if (!estimator)
            return FTL_ATTR_FAIL(error, e, "estimators", FTL_CORRUPT,
                                 "entry %zu is no pair of a name and an estimator", i);
        if (!is_dropped(estimator))
            weights[kept++] = all.data[i];
    }
    if (kept != n)
        return FTL_ATTR_FAIL(error, e, "weights", FTL_CORRUPT, "%zu weights for %u estimators",
                             kept, n);
    *out = weights;
    return FTL_OK;
}

static ftl_status emit_children(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame **results, uint32_t *n,
                                ftl_error *error)
{
    ftl_children children;
    FTL_TRY(ftl_children_read(build, e, "estimators_", &children, error));
    ftl_frame *made = ftl_arena_zero_array(build->scratch, children.n, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < children.n; i++)
        FTL_TRY(ftl_child_emit(build, &children.items[i], method, in, &made[i], error));
    *results = made;
    *n = children.n;
    return FTL_OK;
}

/*
 * numpy.average: the sum of weighted values over the sum of weights; without weights the mean,
 * which stays float32 where the values are.
 */
static ftl_sum average(const double *weights, uint32_t n)
{
    double total = weights ? 0.0 : n;
    for (uint32_t i = 0; weights && i < n; i++)
        total += weights[i];
    return (ftl_sum){.rule = FTL_COMBINE_SUM,
                     .encoding = FTL_LABELS_ENCODED,
                     .weights = weights,
                     .divisor = total,
                     .dtype = weights ? FTL_DTYPE_F64 : FTL_DTYPE_SAME};
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    const double *weights = NULL;
    const ftl_labels *own = NULL;
    FTL_TRY(ftl_own_labels(build, e, &own, error));
    FTL_TRY(emit_children(build, e, FTL_PREDICT_PROBA, in, &results, &n, error));
    FTL_TRY(read_weights(build, e, n, &weights, error));
    const ftl_sum how = average(weights, n);
    FTL_TRY(ftl_emit_sum(build, e, results, n, own, &how, &id, error));
    return ftl_result_scores(build, id, own, out, error);
}

static ftl_status emit_hard(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id, index;
    const double *weights = NULL;
    const ftl_labels *own = NULL;
    FTL_TRY(ftl_own_labels(build, e, &own, error));
    FTL_TRY(emit_children(build, e, FTL_PREDICT, in, &results, &n, error));
    FTL_TRY(read_weights(build, e, n, &weights, error));
    if (!weights)
        weights = ftl_repeat(build, 1.0, n);
    if (!weights)
        return FTL_OOM(error);
    FTL_TRY(ftl_emit_vote(build, e, results, n, own, FTL_LABELS_ENCODED, weights, NULL, 1.0, &id,
                          error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &index, error));
    return ftl_result_labels(build, index, own, out, error);
}

static ftl_status emit_mean(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    uint32_t n, id;
    const double *weights = NULL;
    FTL_TRY(emit_children(build, e, FTL_PREDICT, in, &results, &n, error));
    for (uint32_t i = 0; i < n; i++)
        FTL_TRY(ftl_label_values(build, e, &results[i], &results[i], error));
    FTL_TRY(read_weights(build, e, n, &weights, error));
    const ftl_sum how = average(weights, n);
    FTL_TRY(ftl_emit_plain_sum(build, e, results, n, &how, &id, error));
    return ftl_result_values(build, id, out, error);
}

/* ---- transform ------------------------------------------------------------------------------- */

/* votingclassifier_<name>, followed by the number of the column where a child has several. */
static ftl_status name_columns(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                               uint32_t n, ftl_frame *all, ftl_error *error)
{
    ftl_node **entries = NULL;
    size_t count = 0;
    uint32_t child = 0, at = 0;
    const char *prefix = is_classifier(e) ? "votingclassifier" : "votingregressor";
    FTL_TRY(ftl_attr_items(e, "estimators", &entries, &count, error));
    for (size_t i = 0; i < count && child < n; i++) {
        const ftl_node *estimator = entry_estimator(entries[i]);
        ftl_node_string name = {"", 0};
        if (is_dropped(estimator))
            continue;
        (void)ftl_node_as_str(entries[i]->u.seq.items[0], &name);
        for (uint32_t k = 0; k < results[child].n_columns; k++, at++) {
            const char *text = is_soft(e) && is_classifier(e)
                                   ? ftl_arena_printf(build->arena, "%s_%s%u", prefix, name.data, k)
                                   : ftl_arena_printf(build->arena, "%s_%s", prefix, name.data);
            if (!text)
                return FTL_OOM(error);
            all->columns[at].name = text;
        }
        child++;
    }
    return FTL_OK;
}

static ftl_status emit_transform(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_frame *results = NULL;
    ftl_parts parts = {0};
    uint32_t n;
    bool flat = true, soft = is_soft(e) && is_classifier(e);
    if (soft)
        FTL_TRY(ftl_attr_bool(e, "flatten_transform", false, &flat, error));
    if (!flat)
        return FTL_ATTR_FAIL(error, e, "flatten_transform", FTL_UNSUPPORTED,
                             "transform yields an array of three axes; set flatten_transform=True");
    FTL_TRY(
        emit_children(build, e, soft ? FTL_PREDICT_PROBA : FTL_PREDICT, in, &results, &n, error));
    for (uint32_t i = 0; i < n; i++) {
        FTL_TRY(ftl_label_values(build, e, &results[i], &results[i], error));
        FTL_TRY(ftl_parts_add(build, &results[i], &parts, error));
    }
    FTL_TRY(name_columns(build, e, results, n, &parts.frame, error));
    *out = parts.frame;
    return FTL_OK;
}

static ftl_status voting_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    switch (method) {
    case FTL_PREDICT:
        if (!is_classifier(e))
            return emit_mean(build, e, in, out, error);
        return is_soft(e) ? ftl_predict_largest(build, e, FTL_PREDICT_PROBA, in, out, error)
                          : emit_hard(build, e, in, out, error);
    case FTL_PREDICT_PROBA:
        return emit_proba(build, e, in, out, error);
    case FTL_TRANSFORM:
        return emit_transform(build, e, in, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

#define VOTING(name_, kind_)        \
    {.package = "sklearn.ensemble", \
     .name = (name_),               \
     .kind = (kind_),               \
     .methods = voting_methods,     \
     .emit = voting_emit,           \
     .inputs = ftl_ensemble_inputs, \
     .detail = ftl_ensemble_detail}
const ftl_estimator_class ftl_voting_classes[] = {
    VOTING("VotingClassifier", FTL_CLASSIFIER),
    VOTING("VotingRegressor", FTL_REGRESSOR),
    {0},
};
