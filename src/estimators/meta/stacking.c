/*
 * StackingClassifier and StackingRegressor: what the first models say are the columns that
 * final_estimator_ sees. A classifier's models are fitted on class indices.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/meta/children.h"

#include <string.h>

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static ftl_status final_of(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                           ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "final_estimator_");
    return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "final_estimator_"), out,
                            error);
}

static uint32_t stacking_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator final;
    uint32_t offered = 1u << FTL_PREDICT | 1u << FTL_TRANSFORM;
    if (final_of(build, e, &final, NULL) != FTL_OK || !is_classifier(e))
        return offered;
    uint32_t more = 1u << FTL_PREDICT_PROBA | 1u << FTL_DECISION_FUNCTION;
    return offered | (ftl_estimator_methods(build, &final) & more);
}

/* The labels that class indices stand for; NULL for a regressor. */
static ftl_status own_labels(ftl_build *build, const ftl_estimator *e, const ftl_labels **out,
                             ftl_error *error)
{
    const ftl_node *encoder = ftl_attr(e, "_label_encoder");
    *out = NULL;
    if (!is_classifier(e))
        return FTL_OK;
    if (encoder && encoder->kind == FTL_NODE_LIST)
        return FTL_ATTR_FAIL(error, e, "_label_encoder", FTL_UNSUPPORTED,
                             "StackingClassifier with several targets");
    return ftl_own_labels(build, e, out, error);
}

static ftl_status stack_method(const ftl_estimator *e, ftl_node *const *methods, size_t i,
                               ftl_method *out, ftl_error *error)
{
    ftl_node_string name;
    if (!ftl_node_as_str(methods[i], &name) || ftl_method_parse(name.data, out, error) != FTL_OK)
        return FTL_ATTR_FAIL(error, e, "stack_method_", FTL_CORRUPT, "entry %zu is no method", i);
    return FTL_OK;
}

/* Names of the models that were not dropped, in the order of estimators_. */
static ftl_status child_names(ftl_build *build, const ftl_estimator *e, uint32_t n,
                              const char ***out, ftl_error *error)
{
    ftl_node **entries = NULL;
    size_t count = 0;
    uint32_t at = 0;
    const char **names = ftl_arena_array(build->scratch, n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_items(e, "estimators", &entries, &count, error));
    for (size_t i = 0; i < count && at < n; i++) {
        bool pair = (entries[i]->kind == FTL_NODE_TUPLE || entries[i]->kind == FTL_NODE_LIST) &&
                    entries[i]->u.seq.size == 2;
        const ftl_node *estimator = pair ? entries[i]->u.seq.items[1] : NULL;
        ftl_node_string name;
        if (ftl_node_is_none(estimator) || ftl_node_str_equal(estimator, "drop"))
            continue;
        names[at++] = ftl_node_as_str(entries[i]->u.seq.items[0], &name) ? name.data : "";
    }
    while (at < n)
        names[at++] = "";
    *out = names;
    return FTL_OK;
}

static ftl_status name_columns(ftl_build *build, const ftl_estimator *e, const char *name,
                               ftl_frame *frame, ftl_error *error)
{
    const char *prefix = is_classifier(e) ? "stackingclassifier" : "stackingregressor";
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const char *text = frame->n_columns == 1
                               ? ftl_arena_printf(build->arena, "%s_%s", prefix, name)
                               : ftl_arena_printf(build->arena, "%s_%s%u", prefix, name, i);
        if (!text)
            return FTL_OOM(error);
        frame->columns[i].name = text;
        frame->columns[i].labels = NULL;
        frame->columns[i].target = 0;
    }
    return FTL_OK;
}

/* What one model adds: of two classes' probabilities the second alone. */
static ftl_status child_columns(ftl_build *build, const ftl_estimator *e, const ftl_labels *own,
                                const ftl_estimator *child, ftl_method method, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    ftl_frame made;
    FTL_TRY(ftl_child_emit(build, child, method, in, &made, error));
    if (made.n_targets > 1 && method == FTL_PREDICT_PROBA)
        return FTL_ATTR_FAIL(error, child, "classes_", FTL_UNSUPPORTED,
                             "a stacked model with several targets");
    FTL_TRY(ftl_label_values(build, e, &made, out, error));
    if (method == FTL_PREDICT_PROBA && own && own->count == 2 && out->n_columns > 1) {
        out->columns++;
        out->n_columns--;
    }
    return FTL_OK;
}

static ftl_status emit_columns(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_children children;
    ftl_node **methods = NULL;
    size_t n_methods = 0;
    const char **names = NULL;
    const ftl_labels *own = NULL;
    ftl_parts parts = {0};
    bool passthrough = false;
    FTL_TRY(own_labels(build, e, &own, error));
    FTL_TRY(ftl_children_read(build, e, "estimators_", &children, error));
    FTL_TRY(ftl_attr_items(e, "stack_method_", &methods, &n_methods, error));
    FTL_TRY(ftl_attr_bool(e, "passthrough", false, &passthrough, error));
    FTL_TRY(child_names(build, e, children.n, &names, error));
    if (n_methods < children.n)
        return FTL_ATTR_FAIL(error, e, "stack_method_", FTL_CORRUPT,
                             "%zu methods for %u estimators", n_methods, children.n);
    for (uint32_t i = 0; i < children.n; i++) {
        ftl_method method = FTL_PREDICT;
        ftl_frame columns;
        FTL_TRY(stack_method(e, methods, i, &method, error));
        FTL_TRY(child_columns(build, e, own, &children.items[i], method, in, &columns, error));
        FTL_TRY(name_columns(build, e, names[i], &columns, error));
        FTL_TRY(ftl_parts_add(build, &columns, &parts, error));
    }
    if (passthrough)
        FTL_TRY(ftl_parts_add(build, in, &parts, error));
    FTL_TRY(ftl_frame_promote(build, e, &parts.frame, error));
    *out = parts.frame;
    return FTL_OK;
}

/* The final estimator's classes are indices of ours. */
static ftl_status decode(ftl_build *build, const ftl_estimator *e, const ftl_labels *own,
                         const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    FTL_TRY(ftl_frame_new(build, in->n_columns, out, error));
    out->n_targets = in->n_targets;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        out->columns[i] = in->columns[i];
        if (in->columns[i].labels && i > 0 && in->columns[i].labels == in->columns[i - 1].labels)
            out->columns[i].labels = out->columns[i - 1].labels;
        else if (in->columns[i].labels)
            FTL_TRY(ftl_decode_labels(build, e, in->columns[i].labels, own, &out->columns[i].labels,
                                      error));
    }
    return FTL_OK;
}

static ftl_status stacking_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame columns, made;
    ftl_estimator final;
    const ftl_labels *own = NULL;
    if (method == FTL_TRANSFORM)
        return emit_columns(build, e, in, out, error);
    FTL_TRY(own_labels(build, e, &own, error));
    FTL_TRY(ftl_emit(build, e, FTL_TRANSFORM, in, &columns, error));
    FTL_TRY(final_of(build, e, &final, error));
    FTL_TRY(ftl_child_emit(build, &final, method, &columns, &made, error));
    if (own)
        return decode(build, e, own, &made, out, error);
    *out = made;
    return FTL_OK;
}

#define STACKING(name_, kind_)      \
    {.package = "sklearn.ensemble", \
     .name = (name_),               \
     .kind = (kind_),               \
     .methods = stacking_methods,   \
     .emit = stacking_emit,         \
     .inputs = ftl_ensemble_inputs, \
     .detail = ftl_ensemble_detail}
const ftl_estimator_class ftl_stacking_classes[] = {
    STACKING("StackingClassifier", FTL_CLASSIFIER),
    STACKING("StackingRegressor", FTL_REGRESSOR),
    {0},
};
