/* SGDClassifier, whose probabilities depend on the loss, and SGDOneClassSVM. */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/neighbors/stored_rows.h"

/* "log" until 1.2, "log_loss" from 1.1 on. */
static bool has_log_loss(const ftl_estimator *e)
{
    return ftl_attr_is(e, "loss", "log_loss") || ftl_attr_is(e, "loss", "log");
}

static uint32_t sgd_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION;
    if (has_log_loss(e) || ftl_attr_is(e, "loss", "modified_huber"))
        methods |= 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA;
    return methods;
}

static ftl_status emit_sgd(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    switch (method) {
    case FTL_DECISION_FUNCTION:
        FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
        return ftl_linear_decision(build, e, classes, in, out, error);
    case FTL_PREDICT:
        return ftl_linear_predict(build, e, in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_log_proba(build, e, in, out, error);
    default:
        if (has_log_loss(e))
            return ftl_linear_proba(build, e, FTL_LINK_SIGMOID_PAIR, ftl_linear_ovr_link(e), in,
                                    out, error);
        return ftl_linear_proba(build, e, FTL_LINK_HUBER_PAIR, FTL_LINK_HUBER_OVR, in, out, error);
    }
}

/* ---- SGDOneClassSVM -------------------------------------------------------------------------- */

static uint32_t outlier_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION | 1u << FTL_SCORE_SAMPLES;
}

/* decision_function is X @ coef_.T - offset_; score_samples is without the offset. */
static ftl_status emit_outlier_scores(ftl_build *build, const ftl_estimator *e, bool with_offset,
                                      const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    double *offset = NULL;
    uint32_t scores;
    FTL_TRY(ftl_linear_read_coef(build, e, &params, error));
    FTL_TRY(ftl_attr_vector_copy(build, e, FTL_NAMES("offset_"), 1, &offset, error));
    if (params.n_out != 1)
        return FTL_ATTR_FAIL(error, e, "coef_", FTL_CORRUPT,
                             "coef_ has %u rows where one was expected", params.n_out);
    *offset = -*offset;
    if (with_offset)
        params.intercept = offset;
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &scores, error));
    return ftl_result_values(build, scores, out, error);
}

static ftl_status emit_one_class(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method != FTL_PREDICT)
        return emit_outlier_scores(build, e, method == FTL_DECISION_FUNCTION, in, out, error);
    ftl_frame scores;
    const ftl_labels *labels = NULL;
    uint32_t index;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    FTL_TRY(ftl_outlier_labels(build, &labels, error));
    FTL_TRY(
        ftl_emit_decide(build, e, FTL_DECIDE_NOT_NEGATIVE, scores.columns[0].op, 1, &index, error));
    return ftl_result_labels(build, index, labels, out, error);
}

const ftl_estimator_class ftl_sgd_classes[] = {
    {.package = "sklearn.linear_model",
     .name = "SGDClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = sgd_methods,
     .emit = emit_sgd,
     .detail = ftl_linear_detail},
    {.package = "sklearn.linear_model",
     .name = "SGDOneClassSVM",
     .kind = FTL_OUTLIER_DETECTOR,
     .methods = outlier_methods,
     .emit = emit_one_class,
     .detail = ftl_linear_detail},
    {0},
};
