/* LogisticRegression and LogisticRegressionCV. Which probabilities they give depends on
 * multi_class, solver and version. */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

static uint32_t logistic_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION | 1u << FTL_PREDICT_PROBA |
           1u << FTL_PREDICT_LOG_PROBA;
}

/*
 * predict_proba's own test, by version (_logistic.py):
 *   to 0.19      one row of coefficients: one-vs-rest, whatever multi_class says
 *   0.20 on      'ovr', or 0.20's 'warn': one-vs-rest; 'auto': one-vs-rest for two classes and for
 * liblinear 1.2 to 1.5   'auto' is one-vs-rest for newton-cholesky too 1.5 to 1.7   'deprecated'
 * means 'auto' 1.8 on       multi_class is gone: two classes one-vs-rest, else multinomial
 */
static bool is_one_vs_rest(const ftl_estimator *e, size_t n_classes)
{
    if (e->version >= FTL_SKLEARN(1, 8))
        return n_classes <= 2;
    if (e->version < FTL_SKLEARN(0, 20) && n_classes <= 2)
        return true;
    if (ftl_attr_is(e, "multi_class", "multinomial"))
        return false;
    if (ftl_attr_is(e, "multi_class", "ovr") || ftl_attr_is(e, "multi_class", "warn"))
        return true;
    if (n_classes <= 2 || ftl_attr_is(e, "solver", "liblinear"))
        return true;
    return e->version >= FTL_SKLEARN(1, 2) && e->version < FTL_SKLEARN(1, 6) &&
           ftl_attr_is(e, "solver", "newton-cholesky");
}

static ftl_status emit_logistic(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    switch (method) {
    case FTL_DECISION_FUNCTION:
        return ftl_linear_decision(build, e, classes, in, out, error);
    case FTL_PREDICT:
        return ftl_linear_predict(build, e, in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_log_proba(build, e, in, out, error);
    default:
        if (is_one_vs_rest(e, ftl_node_length(classes)))
            return ftl_linear_proba(build, e, FTL_LINK_SIGMOID_PAIR, ftl_linear_ovr_link(e), in,
                                    out, error);
        return ftl_linear_proba(build, e, FTL_LINK_SOFTMAX_PAIR, FTL_LINK_SOFTMAX, in, out, error);
    }
}

#define LOGISTIC(name_)                 \
    {.package = "sklearn.linear_model", \
     .name = (name_),                   \
     .kind = FTL_CLASSIFIER,            \
     .methods = logistic_methods,       \
     .emit = emit_logistic,             \
     .detail = ftl_linear_detail}

const ftl_estimator_class ftl_logistic_classes[] = {
    LOGISTIC("LogisticRegression"),
    LOGISTIC("LogisticRegressionCV"),
    {0},
};
