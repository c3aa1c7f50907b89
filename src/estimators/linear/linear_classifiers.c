/*
 * Linear classifiers without probabilities: LinearSVC, Perceptron, PassiveAggressiveClassifier, and
 * RidgeClassifier, which keeps its classes in a LabelBinarizer and may have several binary targets.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <string.h>

static uint32_t decision_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION;
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_PREDICT)
        return ftl_linear_predict(build, e, in, out, error);
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    return ftl_linear_decision(build, e, classes, in, out, error);
}

/* ---- RidgeClassifier ------------------------------------------------------------------------- */

static ftl_status ridge_classes(const ftl_estimator *e, const ftl_node **binarizer,
                                const ftl_node **classes, ftl_error *error)
{
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("_label_binarizer"), binarizer, error));
    *classes = ftl_node_attr(*binarizer, "classes_");
    if (ftl_node_is_none(*classes))
        return FTL_ATTR_FAIL(error, e, "_label_binarizer.classes_", FTL_CORRUPT,
                             "the classes are missing");
    return FTL_OK;
}

/* Targets given as an indicator matrix: from 1.0 on every column is decided by itself; before, by
 * argmax over the columns. */
static bool is_multilabel(const ftl_estimator *e, const ftl_node *binarizer)
{
    ftl_node_string type;
    const ftl_node *node = ftl_node_attr(binarizer, "y_type_");
    return e->version >= FTL_SKLEARN(1, 0) && node && ftl_node_as_str(node, &type) &&
           type.size >= 10 && memcmp(type.data, "multilabel", 10) == 0;
}

static ftl_status emit_indicators(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t decided;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_POSITIVE, scores.columns[0].op, scores.n_columns,
                            &decided, error));
    FTL_TRY(ftl_result_values(build, decided, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_INT;
    return FTL_OK;
}

static ftl_status emit_ridge(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *binarizer = NULL, *classes = NULL;
    FTL_TRY(ridge_classes(e, &binarizer, &classes, error));
    if (method == FTL_DECISION_FUNCTION)
        return ftl_linear_decision(build, e, classes, in, out, error);
    if (is_multilabel(e, binarizer))
        return emit_indicators(build, e, in, out, error);
    return ftl_linear_predict(build, e, in, out, error);
}

#define CLASSIFIER(package_, name_, emit_) \
    {.package = (package_),                \
     .name = (name_),                      \
     .kind = FTL_CLASSIFIER,               \
     .methods = decision_methods,          \
     .emit = (emit_),                      \
     .detail = ftl_linear_detail}

const ftl_estimator_class ftl_linear_classifier_classes[] = {
    CLASSIFIER("sklearn.svm", "LinearSVC", emit_classifier),
    CLASSIFIER("sklearn.linear_model", "Perceptron", emit_classifier),
    CLASSIFIER("sklearn.linear_model", "PassiveAggressiveClassifier", emit_classifier),
    CLASSIFIER("sklearn.linear_model", "RidgeClassifier", emit_ridge),
    CLASSIFIER("sklearn.linear_model", "RidgeClassifierCV", emit_ridge),
    {0},
};
