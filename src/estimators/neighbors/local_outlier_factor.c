/*
 * LocalOutlierFactor of sklearn.neighbors with novelty=True: how much thinner the points of
 * training lie about a row than about its neighbours. Without novelty it says something of its own
 * points alone.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"
#include "estimators/neighbors/neighbors.h"
#include "estimators/neighbors/stored_rows.h"

static uint32_t outlier_methods(ftl_build *build, const ftl_estimator *e)
{
    bool novelty = false;
    (void)build;
    if (ftl_attr_bool(e, "novelty", false, &novelty, NULL) != FTL_OK || !novelty)
        return 1u << FTL_PREDICT | 1u << FTL_KNEIGHBORS; /* predict tells why not */
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION | 1u << FTL_SCORE_SAMPLES |
           1u << FTL_KNEIGHBORS;
}

/* The distance of every point to its own last neighbour. */
static ftl_status read_reach(ftl_build *build, const ftl_estimator *e, const ftl_neighbors_op *op,
                             double **out, ftl_error *error)
{
    ftl_array2 distances = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_distances_fit_X_"), &distances, error));
    if (distances.rows != op->n_points || distances.columns < op->k)
        return FTL_ATTR_FAIL(error, e, "_distances_fit_X_", FTL_CORRUPT,
                             "%zu x %zu distances for %u points and %u neighbors", distances.rows,
                             distances.columns, op->n_points, op->k);
    *out = ftl_arena_array(build->arena, op->n_points, sizeof **out);
    if (!*out)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < op->n_points; i++)
        (*out)[i] = distances.data[i * distances.columns + op->k - 1];
    return FTL_OK;
}

static ftl_status emit_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    double *reach = NULL;
    const double *density = NULL;
    /* as many as the model was given, or all other points where those were fewer */
    FTL_TRY(ftl_neighbors_emit(build, e, "n_neighbors_", in, &id, error));
    const ftl_neighbors_op neighbors = build->ops[id].u.neighbors;
    FTL_TRY(read_reach(build, e, &neighbors, &reach, error));
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("_lrd"), neighbors.n_points, &density, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_NEIGHBOR_DENSITY, id, 1, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.neighbor_density = (ftl_neighbor_density_op){
        .n_points = neighbors.n_points,
        FTL_SIZED(reach, reach, neighbors.n_points),
        FTL_SIZED(density, density, neighbors.n_points)};
    return ftl_result_values(build, id, out, error);
}

/* 1 where the decision is not below 0, else -1. */
static ftl_status emit_sign(ftl_build *build, const ftl_estimator *e, uint32_t source,
                            ftl_frame *out, ftl_error *error)
{
    const ftl_labels *labels = NULL;
    uint32_t id;
    FTL_TRY(ftl_outlier_labels(build, &labels, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_NOT_NEGATIVE, source, 1, &id, error));
    return ftl_result_labels(build, id, labels, out, error);
}

static ftl_status emit_outlier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    bool novelty;
    double offset;
    if (method == FTL_KNEIGHBORS)
        return ftl_kneighbors_emit(build, e, in, out, error);
    FTL_TRY(ftl_attr_bool(e, "novelty", false, &novelty, error));
    if (!novelty)
        return FTL_ATTR_FAIL(error, e, "novelty", FTL_UNSUPPORTED,
                             "without novelty=True LocalOutlierFactor says nothing of other rows");
    if (method == FTL_SCORE_SAMPLES)
        return emit_scores(build, e, in, out, error);
    if (method == FTL_PREDICT) {
        FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
        return emit_sign(build, e, scores.columns[0].op, out, error);
    }
    FTL_TRY(ftl_attr_f64(e, "offset_", 0, &offset, error));
    FTL_TRY(ftl_emit(build, e, FTL_SCORE_SAMPLES, in, &scores, error));
    double *vector = ftl_repeat(build, offset, 1);
    uint32_t id = scores.columns[0].op;
    if (!vector)
        return FTL_OOM(error);
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_SUB, vector, &id, error));
    return ftl_result_values(build, id, out, error);
}

const ftl_estimator_class ftl_outlier_classes[] = {
    {.package = "sklearn.neighbors",
     .name = "LocalOutlierFactor",
     .kind = FTL_OUTLIER_DETECTOR,
     .methods = outlier_methods,
     .emit = emit_outlier},
    {0},
};
