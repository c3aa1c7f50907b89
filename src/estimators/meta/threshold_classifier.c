/*
 * FixedThresholdClassifier and TunedThresholdClassifierCV of sklearn.model_selection (1.5): a
 * classifier of two classes that says the positive one where its score is not below a threshold.
 * Everything but predict is the classifier's own.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <string.h>

static bool is_tuned(const ftl_estimator *e) { return e->cls->name[0] == 'T'; }

/* estimator_; from 1.6 on a FixedThresholdClassifier of a fitted estimator may keep none. */
static ftl_status child_of(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                           ftl_error *error)
{
    const char *name = ftl_attr(e, "estimator_") || is_tuned(e) ? "estimator_" : "estimator";
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES(name), &node, error));
    return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "%s", name), out, error);
}

static uint32_t threshold_methods(ftl_build *build, const ftl_estimator *e)
{
    const uint32_t offered = 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
                             1u << FTL_DECISION_FUNCTION;
    ftl_estimator child;
    if (child_of(build, e, &child, NULL) != FTL_OK)
        return 1u << FTL_PREDICT; /* asking for it tells why not */
    return 1u << FTL_PREDICT | (ftl_estimator_methods(build, &child) & offered);
}

/* ---- The positive class ---------------------------------------------------------------------- */

/* Whether a metric of scikit-learn takes pos_label, which is 1 when nobody says otherwise. */
static bool takes_pos_label(const ftl_node *metric)
{
    static const char *const names[] = {"f1_score",     "fbeta_score",   "precision_score",
                                        "recall_score", "jaccard_score", "average_precision_score"};
    if (!metric || metric->kind != FTL_NODE_GLOBAL ||
        strncmp(metric->u.global.module, "sklearn.", 8) != 0)
        return false;
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        if (strcmp(metric->u.global.name, names[i]) == 0)
            return true;
    }
    return false;
}

/* The node that says which class is positive, NULL for the last one; *one: it is the number 1. */
static const ftl_node *positive_node(const ftl_estimator *e, bool *one)
{
    *one = false;
    if (!is_tuned(e))
        return ftl_attr(e, "pos_label");
    const ftl_node *scorer = ftl_attr(e, "_curve_scorer");
    const ftl_node *given = scorer ? ftl_node_attr(scorer, "_kwargs") : NULL;
    const ftl_node *label = given && given->kind == FTL_NODE_DICT
                                ? ftl_node_dict_get(&given->u.dict, "pos_label")
                                : NULL;
    if (!label)
        *one = scorer && takes_pos_label(ftl_node_attr(scorer, "_score_func"));
    return label;
}

/* Which of the two labels is positive. */
static ftl_status positive_class(ftl_build *build, const ftl_estimator *e, const ftl_labels *labels,
                                 uint32_t *out, ftl_error *error)
{
    bool one;
    const ftl_node *node = positive_node(e, &one);
    ftl_cell cell = {.tag = FTL_CELL_INT, .u.integer = 1};
    *out = 1;
    if (ftl_node_is_none(node) && !one)
        return FTL_OK;
    if (!one)
        FTL_TRY(ftl_cell_of(build, node, &cell, error));
    *out = ftl_class_index(labels, FTL_LABELS_PLAIN, &cell);
    if (*out == FTL_VOTE_NONE)
        return FTL_ATTR_FAIL(error, e, "pos_label", FTL_CORRUPT,
                             "the positive label is none of the classes");
    return FTL_OK;
}

/* ---- predict --------------------------------------------------------------------------------- */

static ftl_status scores_of(ftl_build *build, const ftl_estimator *e, const ftl_estimator *child,
                            const ftl_frame *in, ftl_method *method, ftl_frame *out,
                            ftl_error *error)
{
    uint32_t offered = ftl_estimator_methods(build, child);
    bool only_decision = ftl_attr_is(e, "response_method", "decision_function");
    bool only_proba = ftl_attr_is(e, "response_method", "predict_proba");
    *method = !only_decision && (only_proba || (offered & 1u << FTL_PREDICT_PROBA))
                  ? FTL_PREDICT_PROBA
                  : FTL_DECISION_FUNCTION;
    FTL_TRY(ftl_child_emit(build, child, *method, in, out, error));
    uint32_t width = *method == FTL_PREDICT_PROBA ? 2 : 1;
    if (out->n_columns != width || !out->columns[0].labels || out->columns[0].labels->count != 2)
        return FTL_FAIL(error, FTL_CORRUPT, "%s of a classifier that has not two classes",
                        e->cls->name);
    return FTL_OK;
}

static ftl_status threshold_of(const ftl_estimator *e, ftl_method method, double *out,
                               ftl_error *error)
{
    const ftl_node *node = NULL;
    *out = method == FTL_PREDICT_PROBA ? 0.5 : 0;
    if (!is_tuned(e) && ftl_attr_is(e, "threshold", "auto"))
        return FTL_OK;
    const char *name = is_tuned(e) ? "best_threshold_" : "threshold";
    FTL_TRY(ftl_attr_need(e, FTL_NAMES(name), &node, error));
    if (!ftl_node_as_f64(node, out))
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "the threshold is no number");
    return FTL_OK;
}

/*
 * score >= threshold. A tuned threshold is a numpy scalar, with which numpy 2 compares in float64;
 * a Python number takes the scores' own type.
 */
static ftl_status at_least(ftl_build *build, const ftl_estimator *e, const ftl_frame *score,
                           bool negate, double threshold, uint32_t *id, ftl_error *error)
{
    double *vector = ftl_repeat(build, threshold, 1);
    ftl_op *op = NULL;
    if (!vector)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_matrix(build, e, score, id, error));
    if (negate)
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, *id, 1, id, error));
    if (is_tuned(e)) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, *id, 1, id, &op, error));
        op->dtype = FTL_DTYPE_F64;
    }
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_SUB, vector, id, error));
    return ftl_emit_decide(build, e, FTL_DECIDE_NOT_NEGATIVE, *id, 1, id, error);
}

/* Labels by the decision: the negative one, then the positive one. */
static ftl_status ordered(ftl_build *build, const ftl_labels *labels, uint32_t positive,
                          const ftl_labels **out, ftl_error *error)
{
    ftl_labels *made = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_array(build->arena, 2, sizeof *cells);
    if (!made || !cells)
        return FTL_OOM(error);
    cells[0] = labels->cells[1 - positive];
    cells[1] = labels->cells[positive];
    *made = (ftl_labels){.type = labels->type, .count = 2, .cells = cells, .dtype = labels->dtype};
    *out = made;
    return FTL_OK;
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const ftl_estimator *child,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_method method;
    ftl_frame scores, score;
    const ftl_labels *labels = NULL;
    uint32_t positive, id;
    double threshold;
    FTL_TRY(scores_of(build, e, child, in, &method, &scores, error));
    labels = scores.columns[0].labels;
    FTL_TRY(positive_class(build, e, labels, &positive, error));
    FTL_TRY(threshold_of(e, method, &threshold, error));
    const uint32_t column = method == FTL_PREDICT_PROBA ? positive : 0;
    bool negate = method != FTL_PREDICT_PROBA && positive == 0;
    FTL_TRY(ftl_frame_select(build, &scores, &column, 1, &score, error));
    FTL_TRY(at_least(build, e, &score, negate, threshold, &id, error));
    FTL_TRY(ordered(build, labels, positive, &labels, error));
    return ftl_result_labels(build, id, labels, out, error);
}

static ftl_status emit_threshold(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(child_of(build, e, &child, error));
    if (method == FTL_PREDICT)
        return emit_predict(build, e, &child, in, out, error);
    return ftl_child_emit(build, &child, method, in, out, error);
}

static ftl_status threshold_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                   ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(child_of(build, e, &child, error));
    return ftl_estimator_inputs(build, &child, out, error);
}

static const char *threshold_detail(ftl_build *build, const ftl_estimator *e)
{
    double threshold = 0;
    const ftl_node *node = ftl_attr(e, is_tuned(e) ? "best_threshold_" : "threshold");
    if (!node || !ftl_node_as_f64(node, &threshold))
        return "";
    return ftl_arena_printf(build->arena, "threshold %.6g", threshold);
}

#define THRESHOLD(name_)                   \
    {.package = "sklearn.model_selection", \
     .name = (name_),                      \
     .kind = FTL_CLASSIFIER,               \
     .methods = threshold_methods,         \
     .emit = emit_threshold,               \
     .inputs = threshold_inputs,           \
     .detail = threshold_detail}

const ftl_estimator_class ftl_threshold_classes[] = {
    THRESHOLD("FixedThresholdClassifier"),
    THRESHOLD("TunedThresholdClassifierCV"),
    {0},
};
