/*
 * KMeans and MiniBatchKMeans. predict takes the centre with the largest 2 x·c - c·c, which is the
 * nearest one in the library's own form of the distance (x·x is the same for all centres);
 * transform is the distance to every centre, sqrt(max(0, x·x - 2 x·c + c·c)).
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

enum { max_clusters = 1 << 20 };

static uint32_t cluster_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_TRANSFORM;
}

static ftl_status read_centres(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_array2 *centres, double **norms, ftl_error *error)
{
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("cluster_centers_"), centres, error));
    if (centres->rows == 0 || centres->rows > max_clusters || centres->columns != in->n_columns)
        return FTL_ATTR_FAIL(error, e, "cluster_centers_", FTL_CORRUPT,
                             "cluster_centers_ has shape (%zu, %zu) for %u features", centres->rows,
                             centres->columns, in->n_columns);
    *norms = ftl_arena_zero_array(build->arena, centres->rows, sizeof **norms);
    if (!*norms)
        return FTL_OOM(error);
    for (size_t k = 0; k < centres->rows; k++) {
        for (size_t j = 0; j < centres->columns; j++) {
            double c = centres->data[k * centres->columns + j];
            (*norms)[k] += c * c;
        }
    }
    return FTL_OK;
}

static ftl_status emit_nearest(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_array2 centres = {0};
    double *norms = NULL;
    uint32_t id;
    FTL_TRY(read_centres(build, e, in, &centres, &norms, error));
    double *coef = ftl_matrix_copy(build, &centres);
    if (!coef)
        return FTL_OOM(error);
    for (size_t i = 0; i < centres.rows * centres.columns; i++)
        coef[i] *= 2;
    for (size_t k = 0; k < centres.rows; k++)
        norms[k] = -norms[k];
    const ftl_linear_params params = {.n_out = (uint32_t)centres.rows,
                                      .n_features = centres.columns,
                                      .coef = coef,
                                      .intercept = norms};
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &id, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
    FTL_TRY(ftl_result_values(build, id, out, error));
    out->columns[0].as = FTL_AS_INT;
    return FTL_OK;
}

static ftl_status emit_distances(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_array2 centres = {0};
    double *norms = NULL;
    ftl_frame sources;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(read_centres(build, e, in, &centres, &norms, error));
    FTL_TRY(ftl_linear_sources(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_DISTANCES, &sources, &id, &op, error));
    op->width = (uint32_t)centres.rows;
    op->dtype = centres.was_f32 ? FTL_DTYPE_SAME : FTL_DTYPE_F64;
    op->u.distances = (ftl_distances_op){
        FTL_SIZED(centres, centres.data, centres.rows * centres.columns),
        FTL_SIZED(norms, norms, centres.rows)};
    return ftl_frame_numbered(build, e, id, out, error);
}

static ftl_status emit_kmeans(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_PREDICT)
        return emit_nearest(build, e, in, out, error);
    FTL_TRY(ftl_expect_transform(e, method, error));
    return emit_distances(build, e, in, out, error);
}

static ftl_status centre_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("cluster_centers_"), out, error);
}

static const char *cluster_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *centres = ftl_attr(e, "cluster_centers_");
    if (!centres || centres->kind != FTL_NODE_ARRAY || centres->u.array->ndim != 2)
        return NULL;
    size_t n = centres->u.array->shape[0];
    return ftl_arena_printf(build->arena, "%zu cluster%s", n, n == 1 ? "" : "s");
}

#define KMEANS(name_)              \
    {.package = "sklearn.cluster", \
     .name = (name_),              \
     .kind = FTL_CLUSTERER,        \
     .methods = cluster_methods,   \
     .emit = emit_kmeans,          \
     .inputs = centre_inputs,      \
     .detail = cluster_detail}

const ftl_estimator_class ftl_cluster_classes[] = {
    KMEANS("KMeans"),
    KMEANS("MiniBatchKMeans"),
    {0},
};
