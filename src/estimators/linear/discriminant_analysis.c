/*
 * LinearDiscriminantAnalysis, a linear classifier that also projects rows, and
 * QuadraticDiscriminantAnalysis, which turns and stretches the rows for every class and sums their
 * squares.
 *
 * Probabilities of several classes by LinearDiscriminantAnalysis were one-vs-rest before 0.22.
 * Within the builder margin stands for the quadratic scores of all classes: of two classes
 * decision_function is the difference.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <math.h>

enum { max_components = 1 << 20 };

/* ---- LinearDiscriminantAnalysis -------------------------------------------------------------- */

static uint32_t linear_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION | 1u << FTL_PREDICT_PROBA |
                       1u << FTL_PREDICT_LOG_PROBA;
    return ftl_attr_is(e, "solver", "lsqr") ? methods : methods | 1u << FTL_TRANSFORM;
}

/* The first _max_components columns of scalings_, as rows. */
static ftl_status read_scalings(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                                ftl_linear_params *out, ftl_error *error)
{
    ftl_array2 scalings = {0};
    int64_t most = 0;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("scalings_"), &scalings, error));
    FTL_TRY(ftl_attr_int(e, "_max_components", (int64_t)scalings.columns, &most, error));
    size_t n = most < 0 ? 0 : (size_t)most < scalings.columns ? (size_t)most : scalings.columns;
    if (scalings.rows != n_columns || n == 0 || n > max_components)
        return FTL_ATTR_FAIL(error, e, "scalings_", FTL_CORRUPT,
                             "scalings_ has shape (%zu, %zu) for %u features and %zu components",
                             scalings.rows, scalings.columns, n_columns, n);
    double *coef = ftl_arena_array(build->arena, n * n_columns, sizeof *coef);
    if (!coef)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < n_columns; j++)
            coef[k * n_columns + j] = scalings.data[j * scalings.columns + k];
    }
    *out = (ftl_linear_params){
        .n_out = (uint32_t)n, .n_features = n_columns, .coef = coef, .is_f32 = scalings.was_f32};
    return FTL_OK;
}

static ftl_status emit_projection(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    ftl_frame sources = *in;
    ftl_array2 mean = {0};
    uint32_t id;
    FTL_TRY(read_scalings(build, e, in->n_columns, &params, error));
    if (!ftl_attr_is(e, "solver", "eigen")) {
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("xbar_"), &mean, error));
        if (mean.rows * mean.columns != in->n_columns)
            return FTL_ATTR_FAIL(error, e, "xbar_", FTL_CORRUPT,
                                 "xbar_ has %zu values for %u features", mean.rows * mean.columns,
                                 in->n_columns);
        FTL_TRY(ftl_linear_centred(build, e, in, mean.data, mean.was_f32, &sources, error));
        params.is_f32 = params.is_f32 && mean.was_f32;
    }
    FTL_TRY(ftl_linear_scores(build, e, &sources, &params, &id, error));
    return ftl_frame_numbered(build, e, id, out, error);
}

/* From 0.24 on a probability of 0 counts as the smallest normal number in logarithms. */
static ftl_status linear_log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                   ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t id;
    if (e->version < FTL_SKLEARN(0, 24))
        return ftl_log_proba(build, e, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG_FINITE, proba.columns[0].op, proba.n_columns, &id,
                          error));
    return ftl_result_scores(build, id, proba.columns[0].labels, out, error);
}

static ftl_status emit_linear(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    switch (method) {
    case FTL_DECISION_FUNCTION:
        return ftl_linear_decision(build, e, classes, in, out, error);
    case FTL_PREDICT:
        return ftl_linear_predict(build, e, in, out, error);
    case FTL_PREDICT_PROBA:
        return ftl_linear_proba(build, e, FTL_LINK_SIGMOID_PAIR,
                                e->version < FTL_SKLEARN(0, 22) ? FTL_LINK_OVR : FTL_LINK_SOFTMAX,
                                in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return linear_log_proba(build, e, in, out, error);
    default:
        FTL_TRY(ftl_expect_transform(e, method, error));
        return emit_projection(build, e, in, out, error);
    }
}

/* ---- QuadraticDiscriminantAnalysis ----------------------------------------------------------- */

static uint32_t quadratic_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION | 1u << FTL_PREDICT_PROBA |
           1u << FTL_PREDICT_LOG_PROBA;
}

/* A class: rows are centred, multiplied with `stretch` and squared; the score is
 * log_prior + (norm - squares / 2). */
typedef struct quadratic {
    const double *mean;
    bool mean_is_f32;
    ftl_linear_params stretch;
    double norm, log_prior;
} quadratic;

static ftl_status read_class(ftl_build *build, const ftl_estimator *e, const ftl_node *rotation,
                             const ftl_node *scaling, size_t n_columns, quadratic *out,
                             ftl_error *error)
{
    ftl_array2 r = {0}, s = {0};
    double sum = 0;
    FTL_TRY(ftl_node_matrix(build, rotation, &r, error));
    FTL_TRY(ftl_node_matrix(build, scaling, &s, error));
    size_t n = s.rows * s.columns;
    if (r.rows != n_columns || r.columns != n || n == 0 || n > max_components)
        return FTL_ATTR_FAIL(error, e, "rotations_", FTL_CORRUPT,
                             "a rotation has shape (%zu, %zu) for %zu features and %zu scalings",
                             r.rows, r.columns, n_columns, n);
    double *coef = ftl_arena_array(build->arena, n * n_columns, sizeof *coef);
    if (!coef)
        return FTL_OOM(error);
    for (size_t k = 0; k < n; k++) {
        double factor = 1.0 / sqrt(s.data[k]);
        sum += log(s.data[k]);
        for (size_t j = 0; j < n_columns; j++)
            coef[k * n_columns + j] = r.data[j * n + k] * factor;
    }
    out->stretch = (ftl_linear_params){.n_out = (uint32_t)n,
                                       .n_features = n_columns,
                                       .coef = coef,
                                       .is_f32 = r.was_f32 && s.was_f32};
    out->norm = -0.5 * sum;
    return FTL_OK;
}

static ftl_status class_score(ftl_build *build, const ftl_estimator *e, const quadratic *q,
                              const ftl_frame *in, ftl_frame_column *out, ftl_error *error)
{
    ftl_frame centred;
    uint32_t id;
    FTL_TRY(ftl_linear_centred(build, e, in, q->mean, q->mean_is_f32, &centred, error));
    FTL_TRY(ftl_linear_scores(build, e, &centred, &q->stretch, &id, error));
    FTL_TRY(ftl_emit_squares(build, e, id, q->norm, q->log_prior, &id, error));
    *out = (ftl_frame_column){.op = id};
    return FTL_OK;
}

/* The scores of all classes, a column each. */
static ftl_status emit_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    const ftl_labels *labels = NULL;
    ftl_node **rotations = NULL, **scalings = NULL;
    size_t n_rotations = 0, n_scalings = 0;
    ftl_array2 means = {0};
    const double *priors = NULL;
    ftl_frame scores;
    uint32_t id;
    FTL_TRY(ftl_own_labels(build, e, &labels, error));
    FTL_TRY(ftl_attr_items(e, "rotations_", &rotations, &n_rotations, error));
    FTL_TRY(ftl_attr_items(e, "scalings_", &scalings, &n_scalings, error));
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("means_"), &means, error));
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("priors_"), labels->count, &priors, error));
    if (labels->count < 2 || n_rotations != labels->count || n_scalings != labels->count ||
        means.rows != labels->count || means.columns != in->n_columns)
        return FTL_ATTR_FAIL(error, e, "means_", FTL_CORRUPT,
                             "%zu means of %zu features, %zu rotations and %zu scalings for %u "
                             "classes and %u features",
                             means.rows, means.columns, n_rotations, n_scalings, labels->count,
                             in->n_columns);
    FTL_TRY(ftl_frame_new(build, labels->count, &scores, error));
    for (uint32_t k = 0; k < labels->count; k++) {
        quadratic q = {.mean = means.data + k * means.columns,
                       .mean_is_f32 = means.was_f32,
                       .log_prior = log(priors[k])};
        FTL_TRY(read_class(build, e, rotations[k], scalings[k], means.columns, &q, error));
        FTL_TRY(class_score(build, e, &q, in, &scores.columns[k], error));
    }
    FTL_TRY(ftl_build_matrix(build, e, &scores, &id, error));
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status emit_quadratic(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_MARGIN)
        return emit_scores(build, e, in, out, error);
    if (method == FTL_PREDICT)
        return ftl_predict_largest(build, e, FTL_MARGIN, in, out, error);
    /* Up to 1.5 log-probabilities are the logarithms of the probabilities. */
    if (method == FTL_PREDICT_LOG_PROBA && e->version < FTL_SKLEARN(1, 6))
        return ftl_log_proba(build, e, in, out, error);
    return ftl_emit_from_scores(build, e, method, in, out, error);
}

static ftl_status quadratic_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                   ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("means_"), out, error);
}

const ftl_estimator_class ftl_discriminant_classes[] = {
    {.package = "sklearn.discriminant_analysis",
     .name = "LinearDiscriminantAnalysis",
     .kind = FTL_CLASSIFIER,
     .methods = linear_methods,
     .emit = emit_linear,
     .detail = ftl_linear_detail},
    {.package = "sklearn.discriminant_analysis",
     .name = "QuadraticDiscriminantAnalysis",
     .kind = FTL_CLASSIFIER,
     .methods = quadratic_methods,
     .emit = emit_quadratic,
     .inputs = quadratic_inputs,
     .detail = ftl_classes_detail},
    {0},
};
