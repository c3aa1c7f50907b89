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
    double *scales = ftl_arena_array(build->arena, n, sizeof *scales);
    if (!scales)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++) {
        double scale = sqrt(variance.data[k]);
        if (variance.was_f32)
            scale = (double)(float)scale;
        scales[k] = scale < smallest ? smallest : scale;
    }
    return ftl_emit_affine(build, e, FTL_AFFINE_DIV, scales, id, error);
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
            FTL_TRY(ftl_linear_centred(build, e, in, mean.data, mean.was_f32, &sources, error));
        params.is_f32 = params.is_f32 && mean.was_f32;
    }
    FTL_TRY(ftl_linear_scores(build, e, &sources, &params, &id, error));
    FTL_TRY(ftl_attr_bool(e, "whiten", false, &whiten, error));
    if (whiten)
        FTL_TRY(whitened(build, e, &id, error));
    return ftl_frame_numbered(build, e, id, out, error);
}

/* ---- score_samples --------------------------------------------------------------------------- */

/*
 * The variances of the model along the components, those of score_samples: explained above the
 * noise, which whitening, by a slip of the library, multiplies with the explained variance once
 * more.
 */
static ftl_status component_variances(ftl_build *build, const ftl_estimator *e, uint32_t n,
                                      double noise, double **out, ftl_error *error)
{
    bool whiten;
    FTL_TRY(ftl_attr_bool(e, "whiten", false, &whiten, error));
    FTL_TRY(ftl_attr_vector_copy(build, e, FTL_NAMES("explained_variance_"), n, out, error));
    for (uint32_t k = 0; k < n; k++) {
        double explained = (*out)[k], above = explained > noise ? explained - noise : 0;
        (*out)[k] = (whiten ? explained * above : above) + noise;
    }
    return FTL_OK;
}

/* What is added to minus half the squares. */
static double log_density(const double *variance, uint32_t n, uint32_t n_columns, double noise)
{
    double log_det = n < n_columns ? (n_columns - n) * log(noise) : 0;
    for (uint32_t k = 0; k < n; k++)
        log_det += log(variance[k]);
    return -0.5 * (n_columns * 1.83787706640934548356 + log_det);
}

/*
 * The log-density of a normal distribution whose covariance has the components as axes, and the
 * noise everywhere else: squares of the components' scores by their variance, and of what the
 * components leave of the row by the noise.
 */
static ftl_status emit_density(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    ftl_array2 mean = {0};
    ftl_frame parts[2], both;
    double noise, *variance = NULL;
    uint32_t id, n_columns = in->n_columns;
    ftl_op *op = NULL;
    FTL_TRY(read_components(build, e, in, &params, error));
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("mean_"), &mean, error));
    FTL_TRY(ftl_attr_f64(e, "noise_variance_", 0, &noise, error));
    if (mean.rows * mean.columns != n_columns || !(noise >= 0))
        return FTL_ATTR_FAIL(error, e, "mean_", FTL_CORRUPT, "%zu means of %u features",
                             mean.rows * mean.columns, n_columns);
    uint32_t n = params.n_out;
    if (n < n_columns && noise == 0)
        return FTL_ATTR_FAIL(error, e, "noise_variance_", FTL_UNSUPPORTED,
                             "score_samples of a singular covariance matrix");
    FTL_TRY(component_variances(build, e, n, noise, &variance, error));
    FTL_TRY(ftl_linear_centred(build, e, in, mean.data, mean.was_f32, &parts[0], error));
    FTL_TRY(ftl_linear_scores(build, e, &parts[0], &params, &id, error));
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &parts[1], error));
    /* Σ x² / noise + Σ z² (1 / variance - 1 / noise), without the first sum where noise is 0. */
    uint32_t n_noise = noise > 0 ? n_columns : 0;
    double *zeros = ftl_arena_zero_array(build->arena, (size_t)n_noise + n, sizeof *zeros);
    double *spread = ftl_arena_array(build->arena, (size_t)n_noise + n, sizeof *spread);
    double *constants = ftl_arena_zero_array(build->arena, 2, sizeof *constants);
    if (!zeros || !spread || !constants)
        return FTL_OOM(error);
    constants[0] = log_density(variance, n, n_columns, noise);
    for (uint32_t j = 0; j < n_noise; j++)
        spread[j] = noise;
    for (uint32_t k = 0; k < n; k++)
        spread[n_noise + k] = noise > 0 ? 1.0 / (1.0 / variance[k] - 1.0 / noise) : variance[k];
    FTL_TRY(
        ftl_frame_concat(build, noise > 0 ? parts : parts + 1, noise > 0 ? 2 : 1, &both, error));
    FTL_TRY(ftl_build_matrix(build, e, &both, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_GAUSSIAN, id, 1, &id, &op, error));
    op->u.gaussian = (ftl_gaussian_op){FTL_SIZED(mean, zeros, (size_t)n_noise + n),
                                       FTL_SIZED(variance, spread, (size_t)n_noise + n),
                                       FTL_SIZED(prior, constants, 1),
                                       FTL_SIZED(norm, constants + 1, 1)};
    return ftl_result_values(build, id, out, error);
}

static uint32_t pca_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_TRANSFORM | 1u << FTL_SCORE_SAMPLES;
}

static ftl_status emit_plain_pca(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    return method == FTL_SCORE_SAMPLES ? emit_density(build, e, in, out, error)
                                       : emit_pca(build, e, method, in, out, error);
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

#define PROJECTION(name_, methods_, emit_) \
    {.package = "sklearn.decomposition",   \
     .name = (name_),                      \
     .kind = FTL_TRANSFORMER,              \
     .methods = (methods_),                \
     .emit = (emit_),                      \
     .inputs = component_inputs,           \
     .detail = component_detail}

const ftl_estimator_class ftl_decomposition_classes[] = {
    PROJECTION("PCA", pca_methods, emit_plain_pca),
    PROJECTION("IncrementalPCA", ftl_transform_only, emit_pca),
    PROJECTION("TruncatedSVD", ftl_transform_only, emit_svd),
    {0},
};
