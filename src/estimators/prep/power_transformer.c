/*
 * PowerTransformer of sklearn.preprocessing: each column by its power, then standardized by a
 * scaler of its own.
 */
#include "build/transformer.h"
#include "estimators/families.h"

/* From 1.9 on scipy's yeojohnson, which goes by logarithms. */
static ftl_status read_rule(const ftl_estimator *e, ftl_power *out, ftl_error *error)
{
    if (ftl_attr_is(e, "method", "box-cox"))
        *out = FTL_POWER_BOX_COX;
    else if (ftl_attr_is(e, "method", "yeo-johnson"))
        *out = e->version >= FTL_SKLEARN(1, 9) ? FTL_POWER_YEO_JOHNSON_LOG : FTL_POWER_YEO_JOHNSON;
    else
        return FTL_ATTR_FAIL(error, e, "method", FTL_CORRUPT,
                             "the method is neither box-cox nor yeo-johnson");
    return FTL_OK;
}

static ftl_status emit_power(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_power_op power = {0};
    const double *lambdas = NULL;
    ftl_frame raised;
    ftl_estimator scaler;
    bool standardize;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_rule(e, &power.rule, error));
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("lambdas_"), in->n_columns, &lambdas, error));
    power.lambdas = lambdas;
    power.lambdas_count = in->n_columns;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_POWER, id, in->n_columns, &id, &op, error));
    op->u.power = power;
    FTL_TRY(ftl_frame_like(build, id, in, &raised, error));
    raised.sparse = false;
    FTL_TRY(ftl_attr_bool(e, "standardize", true, &standardize, error));
    if (!standardize) {
        *out = raised;
        return FTL_OK;
    }
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "_scaler"), e, ftl_child_path(build, e, "_scaler"),
                             &scaler, error));
    return ftl_emit(build, &scaler, FTL_TRANSFORM, &raised, out, error);
}

static ftl_status power_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("lambdas_"), out, error);
}

const ftl_estimator_class ftl_power_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "PowerTransformer", emit_power,
                          .inputs = power_inputs),
    {0},
};
