/*
 * PCA, IncrementalPCA and TruncatedSVD: a projection on components_, for PCA of centred columns.
 *
 * Up to 1.4 PCA centres the rows and projects them; from 1.5 on it projects them and subtracts the
 * projected mean, which rounds differently. Whitening divides by the standard deviations; from 1.5
 * on tiny ones count as the machine's epsilon.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <float.h>
#include <math.h>

enum { max_components = 1 << 20 };

static ftl_status read_components(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_linear_params *out, ftl_error *error)
{
    ftl_array2 components = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("components_"), &components, error));
    if (components.rows == 0 || components.rows > max_components ||
        components.columns != in->n_columns)
        return FTL_ATTR_FAIL(error, e, "components_", FTL_CORRUPT,
                             "components_ has shape (%zu, %zu) for %u features", components.rows,
                             components.columns, in->n_columns);
    *out = (ftl_linear_params){.n_out = (uint32_t)components.rows,
                               .n_features = components.columns,
                               .coef = components.data,
                               .is_f32 = components.was_f32};
    return FTL_OK;
}

/* One elementwise step on a whole matrix. */
static ftl_status affine(ftl_build *build, const ftl_estimator *e, ftl_affine_step_kind kind,
                         const double *vector, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!step)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = kind, FTL_SIZED(vector, vector, build->ops[*id].width)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, build->ops[*id].width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

/* X - mean_: float64 unless both are float32. */
static ftl_status centred(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                          const double *mean, bool mean_is_f32, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    if (!mean_is_f32) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, id, in->n_columns, &id, &op, error));
        op->dtype = FTL_DTYPE_F64;
    }
    FTL_TRY(affine(build, e, FTL_AFFINE_SUB, mean, &id, error));
    return ftl_frame_like(build, id, in, out, error);
}

/* -mean_ @ components_.T */
static ftl_status projected_mean(ftl_build *build, const ftl_array2 *mean,
                                 ftl_linear_params *params, ftl_error *error)
{
    double *intercept = ftl_arena_array(build->arena, params->n_out, sizeof *intercept);
    if (!intercept)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < params->n_out; k++) {
        double sum = 0;
        for (size_t j = 0; j < params->n_features; j++)
            sum += mean->data[j] * params->coef[k * params->n_features + j];
        intercept[k] = mean->was_f32 && params->is_f32 ? -(double)(float)sum : -sum;
    }
    params->intercept = intercept;
    return FTL_OK;
}

static ftl_status whitened(ftl_build *build, const ftl_estimator *e, uint32_t *id, ftl_error *error)
{
    ftl_array2 variance = {0};
    uint32_t n = build->ops[*id].width;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("explained_variance_"), &variance, error));
    if (variance.rows * variance.columns != n)
        return FTL_ATTR_FAIL(error, e, "explained_variance_", FTL_CORRUPT,
                             "explained_variance_ has %zu values for %u components",
                             variance.rows * variance.columns, n);
    double smallest = e->version < FTL_SKLEARN(1, 5) ? 0
                      : variance.was_f32             ? (double)FLT_EPSILON
                                                     : DBL_EPSILON;
    for (uint32_t k = 0; k < n; k++) {
        double scale = sqrt(variance.data[k]);
        if (variance.was_f32)
            scale = (double)(float)scale;
        variance.data[k] = scale < smallest ? smallest : scale;
    }
    return affine(build, e, FTL_AFFINE_DIV, variance.data, id, error);
}

static ftl_status emit_pca(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    ftl_array2 mean = {0};
    ftl_frame sources = *in;
    uint32_t id;
    bool whiten;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_components(build, e, in, &params, error));
    if (!ftl_node_is_none(ftl_attr(e, "mean_"))) {
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("mean_"), &mean, error));
        if (mean.rows * mean.columns != in->n_columns)
            return FTL_ATTR_FAIL(error, e, "mean_", FTL_CORRUPT,
                                 "mean_ has %zu values for %u features", mean.rows * mean.columns,
                                 in->n_columns);
        if (e->version >= FTL_SKLEARN(1, 5) || in->sparse)
            FTL_TRY(projected_mean(build, &mean, &params, error));
        else
            FTL_TRY(centred(build, e, in, mean.data, mean.was_f32, &sources, error));
        params.is_f32 = params.is_f32 && mean.was_f32;
    }
    FTL_TRY(ftl_linear_scores(build, e, &sources, &params, &id, error));
    FTL_TRY(ftl_attr_bool(e, "whiten", false, &whiten, error));
    if (whiten)
        FTL_TRY(whitened(build, e, &id, error));
    return ftl_frame_numbered(build, e, id, out, error);
}

static ftl_status emit_svd(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    uint32_t id;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_components(build, e, in, &params, error));
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &id, error));
    return ftl_frame_numbered(build, e, id, out, error);
}

static ftl_status component_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                   ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("components_"), out, error);
}

static const char *component_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *node = ftl_attr(e, "components_");
    if (!node || node->kind != FTL_NODE_ARRAY || node->u.array->ndim != 2)
        return "";
    return ftl_arena_printf(build->arena, "%zu components of %zu features", node->u.array->shape[0],
                            node->u.array->shape[1]);
}

#define PROJECTION(name_, emit_)         \
    {.package = "sklearn.decomposition", \
     .name = (name_),                    \
     .kind = FTL_TRANSFORMER,            \
     .methods = ftl_transform_only,      \
     .emit = (emit_),                    \
     .inputs = component_inputs,         \
     .detail = component_detail}

const ftl_estimator_class ftl_decomposition_classes[] = {
    PROJECTION("PCA", emit_pca),
    PROJECTION("IncrementalPCA", emit_pca),
    PROJECTION("TruncatedSVD", emit_svd),
    {0},
};
