/* KNNImputer of sklearn.impute: what the nearest rows of training have where a row has nothing. */
#include "base/pairwise.h"
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/prep/indicators.h"

#include <math.h>

/* _fit_X with NaN for what is missing. */
static ftl_status read_points(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                              const ftl_missing_value *missing, ftl_array2 *out, ftl_error *error)
{
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_fit_X"), out, error));
    if (out->rows == 0 || out->rows > UINT32_MAX / 2 || out->columns != n_columns)
        return FTL_ATTR_FAIL(error, e, "_fit_X", FTL_CORRUPT, "_fit_X is %zu x %zu for %u features",
                             out->rows, out->columns, n_columns);
    if (missing->is_nan)
        return FTL_OK;
    double *points = ftl_matrix_copy(build, out);
    if (!points)
        return FTL_OOM(error);
    for (size_t i = 0; i < out->rows * out->columns; i++) {
        if (points[i] == missing->number)
            points[i] = NAN;
    }
    out->data = points;
    return FTL_OK;
}

/* The mean of what a column has, NaN when it has nothing. */
static ftl_status column_means(ftl_build *build, const ftl_array2 *points, double **out,
                               ftl_error *error)
{
    double *means = ftl_arena_array(build->arena, points->columns, sizeof *means);
    double *column = ftl_arena_array(build->scratch, points->rows, sizeof *column);
    if (!means || !column)
        return FTL_OOM(error);
    for (size_t j = 0; j < points->columns; j++) {
        size_t n = 0;
        for (size_t i = 0; i < points->rows; i++) {
            double value = points->data[i * points->columns + j];
            column[i] = isnan(value) ? 0 : value;
            n += isnan(value) ? 0 : 1;
        }
        means[j] = n ? ftl_pairwise_sum(column, points->rows, false) / (double)n : (double)NAN;
    }
    *out = means;
    return FTL_OK;
}

/* The columns of the output: those that had values in training, or all with keep_empty_features. */
static ftl_status kept_columns(ftl_build *build, const ftl_estimator *e, const double *means,
                               uint32_t n, uint32_t **out, uint32_t *count, ftl_error *error)
{
    bool keep_empty;
    uint32_t *kept = ftl_arena_array(build->arena, n, sizeof *kept);
    FTL_TRY(ftl_attr_bool(e, "keep_empty_features", false, &keep_empty, error));
    if (!kept)
        return FTL_OOM(error);
    *count = 0;
    for (uint32_t j = 0; j < n; j++) {
        if (keep_empty || !isnan(means[j]))
            kept[(*count)++] = j;
    }
    *out = kept;
    return FTL_OK;
}

static ftl_status read_imputer(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               const ftl_missing_value *missing, ftl_knn_impute_op *out,
                               ftl_error *error)
{
    ftl_array2 points = {0};
    double *means = NULL;
    int64_t k;
    FTL_TRY(read_points(build, e, n_columns, missing, &points, error));
    FTL_TRY(column_means(build, &points, &means, error));
    FTL_TRY(ftl_attr_int(e, "n_neighbors", 5, &k, error));
    if (k < 1)
        return FTL_ATTR_FAIL(error, e, "n_neighbors", FTL_CORRUPT, "%lld neighbors", (long long)k);
    if (!ftl_attr_is(e, "metric", "nan_euclidean"))
        return FTL_ATTR_FAIL(error, e, "metric", FTL_UNSUPPORTED,
                             "KNNImputer with a metric other than nan_euclidean");
    *out = (ftl_knn_impute_op){.missing_is_nan = missing->is_nan,
                               .missing_value = missing->number,
                               .by_distance = ftl_attr_is(e, "weights", "distance"),
                               .k = (uint64_t)k < points.rows ? (uint32_t)k : (uint32_t)points.rows,
                               .n_points = (uint32_t)points.rows,
                               FTL_SIZED(points, points.data, points.rows * points.columns),
                               FTL_SIZED(means, means, n_columns)};
    if (!out->by_distance && !ftl_attr_is(e, "weights", "uniform"))
        return FTL_ATTR_FAIL(error, e, "weights", FTL_UNSUPPORTED,
                             "KNNImputer with weights of its own");
    return FTL_OK;
}

static ftl_status emit_knn_imputer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                   const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_missing_value missing;
    ftl_knn_impute_op impute;
    uint32_t *kept = NULL, width = 0, source, id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_missing_value_read(build, e, &missing, error));
    FTL_TRY(read_imputer(build, e, in->n_columns, &missing, &impute, error));
    FTL_TRY(kept_columns(build, e, impute.means, in->n_columns, &kept, &width, error));
    impute.columns = kept;
    impute.columns_count = width;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, ftl_missing_refusals(&missing), &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_KNN_IMPUTE, source, width, &id, &op, error));
    op->u.knn_impute = impute;
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < width; i++)
        out->columns[i].name = in->columns[kept[i]].name;
    return ftl_add_indicator(build, e, &missing, source, in, out, error);
}

static ftl_status knn_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("_fit_X"), out, error);
}

const ftl_estimator_class ftl_knn_imputer_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.impute", "KNNImputer", emit_knn_imputer, .inputs = knn_inputs),
    {0},
};
