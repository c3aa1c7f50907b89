/*
 * Regressors that predict X @ coef_.T + intercept_: everything built on scikit-learn's LinearModel,
 * the stochastic-gradient regressors, and the generalised linear models with their link.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <string.h>

static uint32_t predict_only(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT;
}

static ftl_status emit_regression(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)method;
    ftl_linear_params params = {0};
    uint32_t scores;
    FTL_TRY(ftl_linear_read(build, e, &params, error));
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &scores, error));
    FTL_TRY(ftl_result_values(build, scores, out, error));
    const ftl_node *coef = ftl_attr(e, "coef_"); /* of a y that had two dimensions it has two */
    out->matrix = coef && coef->kind == FTL_NODE_ARRAY && coef->u.array->ndim == 2;
    return FTL_OK;
}

/* ---- Generalised linear models --------------------------------------------------------------- */

/* TweedieRegressor: link 'auto' means identity up to power 0 and log above (glm.py). */
static ftl_status tweedie_link(const ftl_estimator *e, bool *log, ftl_error *error)
{
    double power;
    if (ftl_attr_is(e, "link", "log"))
        *log = true;
    else if (ftl_attr_is(e, "link", "identity"))
        *log = false;
    else if (ftl_attr_is(e, "link", "auto")) {
        FTL_TRY(ftl_attr_f64(e, "power", 0.0, &power, error));
        *log = power > 0;
    } else
        return FTL_ATTR_FAIL(error, e, "link", FTL_UNSUPPORTED,
                             "TweedieRegressor with a link other than auto, identity or log");
    return FTL_OK;
}

/* 0.23 to 1.0 keep the link itself; its class says which. */
static ftl_status glm_link(const ftl_estimator *e, bool *log, ftl_error *error)
{
    const ftl_node *link = ftl_attr(e, "_link_instance");
    if (link && link->kind == FTL_NODE_OBJECT) {
        *log = strcmp(link->u.object->name, "LogLink") == 0;
        if (*log || strcmp(link->u.object->name, "IdentityLink") == 0)
            return FTL_OK;
        return FTL_ATTR_FAIL(error, e, "_link_instance", FTL_UNSUPPORTED,
                             "the link %s is not supported: use a log or identity link",
                             link->u.object->name);
    }
    if (strcmp(e->cls->name, "TweedieRegressor") == 0)
        return tweedie_link(e, log, error);
    *log = true;
    return FTL_OK;
}

static ftl_status emit_glm(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)method;
    ftl_linear_params params = {0};
    uint32_t scores;
    bool log = false;
    FTL_TRY(glm_link(e, &log, error));
    FTL_TRY(ftl_linear_read(build, e, &params, error));
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &scores, error));
    if (log)
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_EXP, scores, params.n_out, &scores, error));
    return ftl_result_values(build, scores, out, error);
}

#define REGRESSOR(package_, name_, emit_) \
    {.package = (package_),               \
     .name = (name_),                     \
     .kind = FTL_REGRESSOR,               \
     .methods = predict_only,             \
     .emit = (emit_),                     \
     .detail = ftl_linear_detail}
#define LINEAR(name_) REGRESSOR("sklearn.linear_model", name_, emit_regression)
#define GLM(name_) REGRESSOR("sklearn.linear_model", name_, emit_glm)

const ftl_estimator_class ftl_linear_regression_classes[] = {
    LINEAR("LinearRegression"),
    LINEAR("Ridge"),
    LINEAR("RidgeCV"),
    LINEAR("Lasso"),
    LINEAR("LassoCV"),
    LINEAR("ElasticNet"),
    LINEAR("ElasticNetCV"),
    LINEAR("MultiTaskLasso"),
    LINEAR("MultiTaskLassoCV"),
    LINEAR("MultiTaskElasticNet"),
    LINEAR("MultiTaskElasticNetCV"),
    LINEAR("Lars"),
    LINEAR("LarsCV"),
    LINEAR("LassoLars"),
    LINEAR("LassoLarsCV"),
    LINEAR("LassoLarsIC"),
    LINEAR("OrthogonalMatchingPursuit"),
    LINEAR("OrthogonalMatchingPursuitCV"),
    LINEAR("BayesianRidge"),
    LINEAR("ARDRegression"),
    LINEAR("HuberRegressor"),
    LINEAR("TheilSenRegressor"),
    LINEAR("QuantileRegressor"),
    LINEAR("SGDRegressor"),
    LINEAR("PassiveAggressiveRegressor"),
    REGRESSOR("sklearn.svm", "LinearSVR", emit_regression),
    GLM("PoissonRegressor"),
    GLM("GammaRegressor"),
    GLM("TweedieRegressor"),
    {0},
};
