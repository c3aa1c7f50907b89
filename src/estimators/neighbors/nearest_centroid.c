/*
 * NearestCentroid: the class whose centroid is nearest. From 1.6 on it has priors and scores: minus
 * the squared distance in units of the standard deviations within the classes, plus twice the
 * logarithm of the prior. predict takes the largest of those when the priors are not equal.
 *
 * Within the builder margin stands for the scores of all classes.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <math.h>

static bool has_scores(const ftl_estimator *e) { return ftl_attr(e, "class_prior_") != NULL; }

static uint32_t centroid_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    return has_scores(e) ? 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA |
                               1u << FTL_PREDICT_LOG_PROBA | 1u << FTL_DECISION_FUNCTION
                         : 1u << FTL_PREDICT;
}

typedef struct centroids {
    const ftl_labels *labels;
    ftl_array2 points; /* [classes][features] */
    bool manhattan;
} centroids;

static ftl_status read_centroids(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 centroids *out, ftl_error *error)
{
    FTL_TRY(ftl_own_labels(build, e, &out->labels, error));
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("centroids_"), &out->points, error));
    if (out->labels->count == 0 || out->points.rows != out->labels->count ||
        out->points.columns != in->n_columns)
        return FTL_ATTR_FAIL(error, e, "centroids_", FTL_CORRUPT,
                             "centroids_ has shape (%zu, %zu) for %u classes and %u features",
                             out->points.rows, out->points.columns, out->labels->count,
                             in->n_columns);
    out->manhattan = ftl_attr_is(e, "metric", "manhattan");
    if (!out->manhattan && !ftl_attr_is(e, "metric", "euclidean"))
        return FTL_ATTR_FAIL(error, e, "metric", FTL_UNSUPPORTED,
                             "NearestCentroid with a metric other than euclidean or manhattan");
    return FTL_OK;
}

/* ---- Distances ------------------------------------------------------------------------------- */

/* Σ |x - centroid| for every class: a column each. */
static ftl_status emit_manhattan(ftl_build *build, const ftl_estimator *e, const centroids *c,
                                 const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_frame sums;
    double *ones = ftl_repeat(build, 1.0, in->n_columns);
    if (!ones)
        return FTL_OOM(error);
    FTL_TRY(ftl_frame_new(build, c->labels->count, &sums, error));
    for (uint32_t k = 0; k < c->labels->count; k++) {
        ftl_frame centred;
        ftl_op *op = NULL;
        const double *point = c->points.data + k * c->points.columns;
        FTL_TRY(ftl_linear_centred(build, e, in, point, false, &centred, error));
        FTL_TRY(ftl_build_matrix(build, e, &centred, id, error));
        FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, *id, in->n_columns, id, &op, error));
        op->u.ufunc.function = FTL_UFUNC_ABS;
        FTL_TRY(ftl_build_on(build, e, FTL_OP_LINEAR, *id, 1, id, &op, error));
        op->u.linear = (ftl_linear_op){FTL_SIZED(coef, ones, in->n_columns)};
        sums.columns[k] = (ftl_frame_column){.op = *id};
    }
    return ftl_build_matrix(build, e, &sums, id, error);
}

static ftl_status emit_euclidean(ftl_build *build, const ftl_estimator *e, const centroids *c,
                                 const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_frame sources;
    ftl_op *op = NULL;
    double *norms = ftl_arena_zero_array(build->arena, c->points.rows, sizeof *norms);
    if (!norms)
        return FTL_OOM(error);
    for (size_t i = 0; i < c->points.rows * c->points.columns; i++)
        norms[i / c->points.columns] += c->points.data[i] * c->points.data[i];
    FTL_TRY(ftl_linear_sources(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_DISTANCES, &sources, id, &op, error));
    op->width = c->labels->count;
    op->dtype = FTL_DTYPE_F64;
    op->u.distances = (ftl_distances_op){
        FTL_SIZED(centres, c->points.data, c->points.rows * c->points.columns),
        FTL_SIZED(norms, norms, c->points.rows)};
    return FTL_OK;
}

static ftl_status emit_distances(ftl_build *build, const ftl_estimator *e, const centroids *c,
                                 const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    return c->manhattan ? emit_manhattan(build, e, c, in, id, error)
                        : emit_euclidean(build, e, c, in, id, error);
}

/* ---- Scores ---------------------------------------------------------------------------------- */

/* Rows and centroids in units of the standard deviations, where those are not 0. */
static ftl_status scale(ftl_build *build, const ftl_estimator *e, const ftl_frame *in, centroids *c,
                        ftl_frame *out, ftl_error *error)
{
    double *spread = NULL;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_attr_vector_copy(build, e, FTL_NAMES("within_class_std_dev_"), in->n_columns,
                                 &spread, error));
    double *points = ftl_matrix_copy(build, &c->points);
    if (!points)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < in->n_columns; j++)
        spread[j] = spread[j] != 0 ? spread[j] : 1;
    for (size_t i = 0; i < c->points.rows * c->points.columns; i++)
        points[i] /= spread[i % c->points.columns];
    c->points.data = points;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, id, in->n_columns, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_DIV, spread, &id, error));
    return ftl_frame_like(build, id, in, out, error);
}

static ftl_status emit_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    centroids c = {0};
    double *prior = NULL;
    ftl_frame scaled;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(read_centroids(build, e, in, &c, error));
    FTL_TRY(
        ftl_attr_vector_copy(build, e, FTL_NAMES("class_prior_"), c.labels->count, &prior, error));
    for (uint32_t k = 0; k < c.labels->count; k++)
        prior[k] = 2.0 * log(prior[k]);
    FTL_TRY(scale(build, e, in, &c, &scaled, error));
    FTL_TRY(emit_distances(build, e, &c, &scaled, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, c.labels->count, &id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_SQUARE;
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, id, c.labels->count, &id, error));
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_ADD, prior, &id, error));
    return ftl_result_scores(build, id, c.labels, out, error);
}

/* numpy.isclose(prior, 1 / classes) for all of them; before 1.6 there were no priors. */
static ftl_status equal_priors(ftl_build *build, const ftl_estimator *e, uint32_t n, bool *out,
                               ftl_error *error)
{
    const double *prior = NULL;
    double share = 1.0 / n;
    *out = true;
    if (!has_scores(e))
        return FTL_OK;
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("class_prior_"), n, &prior, error));
    for (uint32_t k = 0; k < n; k++)
        *out = *out && fabs(prior[k] - share) <= 1e-8 + 1e-5 * share;
    return FTL_OK;
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    centroids c = {0};
    uint32_t id;
    bool equal;
    FTL_TRY(read_centroids(build, e, in, &c, error));
    FTL_TRY(equal_priors(build, e, c.labels->count, &equal, error));
    if (!equal)
        return ftl_predict_largest(build, e, FTL_MARGIN, in, out, error);
    FTL_TRY(emit_distances(build, e, &c, in, &id, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, id, c.labels->count, &id, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
    return ftl_result_labels(build, id, c.labels, out, error);
}

static ftl_status emit_centroid(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_MARGIN)
        return emit_scores(build, e, in, out, error);
    if (method == FTL_PREDICT)
        return emit_predict(build, e, in, out, error);
    return ftl_emit_from_scores(build, e, method, in, out, error);
}

static ftl_status centroid_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("centroids_"), out, error);
}

const ftl_estimator_class ftl_centroid_classes[] = {
    {.package = "sklearn.neighbors",
     .name = "NearestCentroid",
     .kind = FTL_CLASSIFIER,
     .methods = centroid_methods,
     .emit = emit_centroid,
     .inputs = centroid_inputs,
     .detail = ftl_classes_detail},
    {0},
};
