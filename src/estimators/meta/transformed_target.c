/*
 * TransformedTargetRegressor: what regressor_ predicts, taken back by transformer_'s
 * inverse_transform, here that of scalers and of numpy's functions.
 */
#include "estimators/families.h"
#include "estimators/meta/children.h"
#include "estimators/prep/function_transformer.h"

#include <string.h>

static ftl_status regressor_of(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                               ftl_error *error)
{
    return ftl_estimator_of(build, ftl_attr(e, "regressor_"), e,
                            ftl_child_path(build, e, "regressor_"), out, error);
}

static uint32_t target_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT;
}

/* x = x (kind) vector, in float64, as numpy's in-place operators do it; None: left out. */
static ftl_status add_step(ftl_build *build, const ftl_estimator *transformer, const char *name,
                           ftl_affine_step_kind kind, uint32_t width, ftl_affine_step *steps,
                           uint32_t *n, ftl_error *error)
{
    const double *vector = NULL;
    if (ftl_node_is_none(ftl_attr(transformer, name)))
        return FTL_OK;
    FTL_TRY(ftl_attr_vector(build, transformer, FTL_NAMES(name), width, &vector, error));
    steps[(*n)++] = (ftl_affine_step){.kind = kind, .wide = true, FTL_SIZED(vector, vector, width)};
    return FTL_OK;
}

static const struct scaler {
    const char *name;
    const char *first, *second; /* attributes; second may be NULL */
    ftl_affine_step_kind first_kind, second_kind;
} scalers[] = {
    {"StandardScaler", "scale_", "mean_", FTL_AFFINE_MUL, FTL_AFFINE_ADD},
    {"RobustScaler", "scale_", "center_", FTL_AFFINE_MUL, FTL_AFFINE_ADD},
    {"MaxAbsScaler", "scale_", NULL, FTL_AFFINE_MUL, FTL_AFFINE_ADD},
    {"MinMaxScaler", "min_", "scale_", FTL_AFFINE_SUB, FTL_AFFINE_DIV},
};

static ftl_status emit_scaled(ftl_build *build, const ftl_estimator *transformer,
                              const struct scaler *scaler, uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[*id].width, n = 0;
    ftl_affine_step *steps = ftl_arena_array(build->arena, 2, sizeof *steps);
    ftl_op *op = NULL;
    if (!steps)
        return FTL_OOM(error);
    /* with_mean=False and with_centering=False keep what they do not use. */
    bool centre = true;
    FTL_TRY(ftl_attr_bool(transformer, "with_mean", centre, &centre, error));
    FTL_TRY(ftl_attr_bool(transformer, "with_centering", centre, &centre, error));
    FTL_TRY(
        add_step(build, transformer, scaler->first, scaler->first_kind, width, steps, &n, error));
    if (scaler->second && centre)
        FTL_TRY(add_step(build, transformer, scaler->second, scaler->second_kind, width, steps, &n,
                         error));
    FTL_TRY(ftl_build_on(build, transformer, FTL_OP_AFFINE, *id, width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = n, FTL_SIZED(steps, steps, n)};
    return FTL_OK;
}

static ftl_status emit_inverse(ftl_build *build, const ftl_estimator *e, uint32_t *id,
                               ftl_error *error)
{
    ftl_estimator transformer;
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "transformer_"), e,
                             ftl_child_path(build, e, "transformer_"), &transformer, error));
    for (size_t i = 0; i < FTL_ARRAY_LEN(scalers); i++) {
        if (strcmp(transformer.cls->name, scalers[i].name) == 0)
            return emit_scaled(build, &transformer, &scalers[i], id, error);
    }
    if (strcmp(transformer.cls->name, "FunctionTransformer") == 0)
        return ftl_function_inverse(build, &transformer, id, error);
    return FTL_ATTR_FAIL(error, e, "transformer_", FTL_UNSUPPORTED,
                         "a target that was transformed by %s; foretell takes back scalers and "
                         "numpy's functions",
                         transformer.cls->name);
}

static ftl_status target_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator regressor;
    ftl_frame values;
    uint32_t id;
    FTL_TRY(regressor_of(build, e, &regressor, error));
    FTL_TRY(ftl_child_emit(build, &regressor, method, in, &values, error));
    FTL_TRY(ftl_label_values(build, e, &values, &values, error));
    FTL_TRY(ftl_build_matrix(build, e, &values, &id, error));
    FTL_TRY(emit_inverse(build, e, &id, error));
    return ftl_result_values(build, id, out, error);
}

static ftl_status target_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    ftl_estimator regressor;
    FTL_TRY(ftl_own_inputs(build, e, out, error));
    if (out->count >= 0)
        return FTL_OK;
    FTL_TRY(regressor_of(build, e, &regressor, error));
    return ftl_estimator_inputs(build, &regressor, out, error);
}

const ftl_estimator_class ftl_target_classes[] = {
    {.package = "sklearn.compose",
     .name = "TransformedTargetRegressor",
     .kind = FTL_REGRESSOR,
     .methods = target_methods,
     .emit = target_emit,
     .inputs = target_inputs},
    {0},
};
