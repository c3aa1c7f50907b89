/*
 * What a neighbours estimator was fitted to: points, metric and how they are searched. fit()
 * decides all of that and notes it in _fit_method, effective_metric_ and effective_metric_params_.
 */
#include "estimators/neighbors/neighbors.h"

#include "base/checked.h"

#include <math.h>

/* ---- Metric ---------------------------------------------------------------------------------- */

typedef struct metric_name {
    const char *name;
    ftl_metric metric;
    bool squared;
} metric_name;

static const metric_name metric_names[] = {
    {"euclidean", FTL_METRIC_EUCLIDEAN, false},  {"l2", FTL_METRIC_EUCLIDEAN, false},
    {"sqeuclidean", FTL_METRIC_EUCLIDEAN, true}, {"manhattan", FTL_METRIC_MANHATTAN, false},
    {"l1", FTL_METRIC_MANHATTAN, false},         {"cityblock", FTL_METRIC_MANHATTAN, false},
    {"chebyshev", FTL_METRIC_CHEBYSHEV, false},  {"infinity", FTL_METRIC_CHEBYSHEV, false},
    {"minkowski", FTL_METRIC_MINKOWSKI, false},  {"p", FTL_METRIC_MINKOWSKI, false},
    {"cosine", FTL_METRIC_COSINE, false},        {"seuclidean", FTL_METRIC_STANDARDIZED, false},
    {"canberra", FTL_METRIC_CANBERRA, false},    {"braycurtis", FTL_METRIC_BRAY_CURTIS, false},
    {"hamming", FTL_METRIC_HAMMING, false},      {"haversine", FTL_METRIC_HAVERSINE, false},
};

static const ftl_node *metric_parameter(const ftl_estimator *e, const char *name)
{
    const ftl_node *params = ftl_attr(e, "effective_metric_params_");
    bool dict = params && params->kind == FTL_NODE_DICT;
    return dict ? ftl_node_dict_get(&params->u.dict, name) : NULL;
}

/* A number a column. */
static ftl_status read_vector(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                              size_t n_features, const double **out, ftl_error *error)
{
    ftl_array2 numbers = {0};
    ftl_status status = ftl_node_matrix(build, node, &numbers, error);
    if (status == FTL_OK && (numbers.rows != 1 || numbers.columns != n_features))
        status = FTL_FAIL(error, FTL_CORRUPT, "the metric has %zu numbers for %zu columns",
                          numbers.columns, n_features);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "effective_metric_params_");
        return status;
    }
    *out = numbers.data;
    return FTL_OK;
}

static ftl_status read_minkowski(ftl_build *build, const ftl_estimator *e, size_t n_features,
                                 ftl_neighbors_op *op, ftl_error *error)
{
    const ftl_node *p = metric_parameter(e, "p"), *w = metric_parameter(e, "w");
    op->p = 2.0;
    if (!ftl_node_is_none(p) && !ftl_node_as_f64(p, &op->p))
        op->p = NAN;
    if (!(op->p > 0) || isinf(op->p))
        return FTL_ATTR_FAIL(error, e, "effective_metric_params_", FTL_CORRUPT,
                             "the power of the Minkowski metric is not a positive number");
    if (ftl_node_is_none(w))
        return FTL_OK;
    /* Earlier versions weigh the differences, not their powers. */
    if (e->version < FTL_SKLEARN(1, 2))
        return FTL_ATTR_FAIL(error, e, "effective_metric_params_", FTL_UNSUPPORTED,
                             "a weighted Minkowski metric written before scikit-learn 1.2");
    op->weights_count = n_features;
    return read_vector(build, e, w, n_features, &op->weights, error);
}

/* Scaled by the variances of the columns. */
static ftl_status read_variances(ftl_build *build, const ftl_estimator *e, size_t n_features,
                                 ftl_neighbors_op *op, ftl_error *error)
{
    const ftl_node *v = metric_parameter(e, "V");
    if (ftl_node_is_none(v))
        return FTL_ATTR_FAIL(error, e, "effective_metric_params_", FTL_CORRUPT,
                             "the seuclidean metric has no V");
    FTL_TRY(read_vector(build, e, v, n_features, &op->weights, error));
    op->weights_count = n_features;
    for (size_t j = 0; j < n_features; j++) {
        if (!(op->weights[j] > 0))
            return FTL_ATTR_FAIL(error, e, "effective_metric_params_", FTL_UNSUPPORTED,
                                 "the seuclidean metric with a variance of %g", op->weights[j]);
    }
    return FTL_OK;
}

static ftl_status read_metric(ftl_build *build, const ftl_estimator *e, size_t n_features,
                              ftl_neighbors_op *op, ftl_error *error)
{
    const ftl_node *node = NULL;
    ftl_node_string text = {.data = "a function"};
    size_t i = 0, n = sizeof metric_names / sizeof *metric_names;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("effective_metric_"), &node, error));
    while (i < n && !ftl_node_str_equal(node, metric_names[i].name))
        i++;
    if (i == n) {
        (void)ftl_node_as_str(node, &text);
        return FTL_ATTR_FAIL(error, e, "effective_metric_", FTL_UNSUPPORTED,
                             "%s with metric %.40s; use euclidean, manhattan, chebyshev, "
                             "minkowski, cosine, seuclidean, canberra, braycurtis or haversine",
                             e->cls->name, text.data);
    }
    op->metric = metric_names[i].metric;
    op->squared = metric_names[i].squared;
    if (op->metric == FTL_METRIC_HAVERSINE && n_features != 2)
        return FTL_ATTR_FAIL(error, e, "effective_metric_", FTL_CORRUPT,
                             "the haversine metric of %zu columns", n_features);
    if (op->metric == FTL_METRIC_STANDARDIZED)
        return read_variances(build, e, n_features, op, error);
    return op->metric == FTL_METRIC_MINKOWSKI ? read_minkowski(build, e, n_features, op, error)
                                              : FTL_OK;
}

/* ---- Points ---------------------------------------------------------------------------------- */

/*
 * Euclidean distances between all rows and all points are expanded squares. Exceptions, from 1.1
 * on: the name l2, and, from 1.3 on, rows of one kind (dense, sparse) with points of the other.
 */
static bool is_expanded(const ftl_estimator *e, const ftl_node *points, bool sparse_rows)
{
    bool mixed = sparse_rows != (points->kind == FTL_NODE_SPARSE);
    if (e->version >= FTL_SKLEARN(1, 1) && ftl_attr_is(e, "effective_metric_", "l2"))
        return false;
    if (e->version < FTL_SKLEARN(1, 1) && ftl_attr_is(e, "effective_metric_", "sqeuclidean"))
        return false; /* scipy's */
    return !(mixed && e->version >= FTL_SKLEARN(1, 3));
}

/* normalize(): rows of norm 0 stay, from 0.24 on those below 10 epsilons too. */
static ftl_status make_unit(ftl_build *build, const ftl_estimator *e, ftl_array2 *points,
                            ftl_error *error)
{
    double *data = ftl_matrix_copy(build, points);
    if (!data)
        return FTL_OOM(error);
    double least = e->version >= FTL_SKLEARN(0, 24)
                       ? 10 * (points->was_f32 ? 1.1920928955078125e-07 : 2.220446049250313e-16)
                       : 0;
    for (size_t i = 0; i < points->rows; i++) {
        double *row = data + i * points->columns, sum = 0;
        for (size_t j = 0; j < points->columns; j++)
            sum += row[j] * row[j];
        double norm = sqrt(sum);
        for (size_t j = 0; norm > 0 && norm >= least && j < points->columns; j++)
            row[j] /= norm;
    }
    points->data = data;
    return FTL_OK;
}

static ftl_status read_all(ftl_build *build, const ftl_estimator *e, const ftl_node *points,
                           bool sparse_rows, ftl_neighbors_model *out, ftl_error *error)
{
    ftl_neighbors_op *op = &out->op;
    ftl_array2 data = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_fit_X"), &data, error));
    bool expanded = op->metric == FTL_METRIC_EUCLIDEAN && is_expanded(e, points, sparse_rows);
    op->search = !expanded                         ? FTL_SEARCH_DIRECT
                 : points->kind == FTL_NODE_SPARSE ? FTL_SEARCH_EXPANDED_PLAIN
                                                   : FTL_SEARCH_EXPANDED;
    /*
     * From 1.2 on float32 rows and points have float64 distances where a product gives them; others
     * (DistanceMetric32) subtract in float32, add up in float64 and round the sum.
     */
    bool steps = op->metric != FTL_METRIC_EUCLIDEAN && points->kind != FTL_NODE_SPARSE;
    op->single = data.was_f32 && (op->metric == FTL_METRIC_COSINE ||
                                  (e->version < FTL_SKLEARN(1, 2) ? expanded : steps));
    out->unit_rows = op->metric == FTL_METRIC_COSINE;
    if (out->unit_rows)
        FTL_TRY(make_unit(build, e, &data, error));
    op->points = data.data;
    op->points_count = data.rows * data.columns;
    return FTL_OK;
}

static ftl_status check_brute(const ftl_estimator *e, ftl_metric metric, ftl_error *error)
{
    /* A few distances are all that there are: numpy's partition decides which points count. */
    if (metric == FTL_METRIC_HAMMING)
        return FTL_ATTR_FAIL(error, e, "effective_metric_", FTL_UNSUPPORTED,
                             "%s with metric hamming by brute force; use algorithm='ball_tree'",
                             e->cls->name);
    /* scipy's, which divides by the sum of |x + v|. */
    if (metric == FTL_METRIC_BRAY_CURTIS && e->version < FTL_SKLEARN(1, 1))
        return FTL_ATTR_FAIL(error, e, "effective_metric_", FTL_UNSUPPORTED,
                             "metric braycurtis by brute force, written before scikit-learn 1.1");
    return FTL_OK;
}

static ftl_status read_search(ftl_build *build, const ftl_estimator *e, const ftl_node *points,
                              bool sparse_rows, ftl_neighbors_model *out, ftl_error *error)
{
    ftl_neighbors_op *op = &out->op;
    if (ftl_attr_is(e, "_fit_method", "brute"))
        FTL_TRY(check_brute(e, op->metric, error));
    if (ftl_attr_is(e, "_fit_method", "brute"))
        return read_all(build, e, points, sparse_rows, out, error);
    if (ftl_attr_is(e, "_fit_method", "kd_tree"))
        op->search = FTL_SEARCH_KD_TREE;
    else if (ftl_attr_is(e, "_fit_method", "ball_tree"))
        op->search = FTL_SEARCH_BALL_TREE;
    else
        return FTL_ATTR_FAIL(error, e, "_fit_method", FTL_CORRUPT,
                             "_fit_method is not brute, kd_tree or ball_tree");
    bool any = op->metric < FTL_METRIC_COSINE && !op->squared; /* that every tree has */
    if (!any &&
        (op->search == FTL_SEARCH_KD_TREE || op->metric == FTL_METRIC_COSINE || op->squared))
        return FTL_ATTR_FAIL(error, e, "effective_metric_", FTL_CORRUPT,
                             "a tree with a metric that it does not have");
    return ftl_point_tree_read(build, e, out->n_features, op, error);
}

static ftl_status read_weights(const ftl_estimator *e, bool *by_distance, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "weights");
    *by_distance = node && ftl_node_str_equal(node, "distance");
    if (*by_distance || ftl_node_is_none(node) || ftl_node_str_equal(node, "uniform"))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, "weights", FTL_UNSUPPORTED,
                         "%s with weights that are a function; use uniform or distance",
                         e->cls->name);
}

/* Trees hold the points themselves: then only their number is taken from here. */
static void points_shape(const ftl_node *points, size_t *rows, size_t *columns)
{
    if (points->kind == FTL_NODE_SPARSE) {
        *rows = points->u.sparse->rows;
        *columns = points->u.sparse->columns;
    } else if (points->kind == FTL_NODE_ARRAY && points->u.array->ndim == 2) {
        *rows = points->u.array->shape[0];
        *columns = points->u.array->shape[1];
    }
}

ftl_status ftl_neighbors_read(ftl_build *build, const ftl_estimator *e, const char *k_name,
                              bool sparse_rows, ftl_neighbors_model *out, ftl_error *error)
{
    ftl_neighbors_model model = {0};
    const ftl_node *points = NULL;
    size_t rows = 0, columns = 0;
    int64_t k = 0;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("_fit_X"), &points, error));
    points_shape(points, &rows, &columns);
    FTL_TRY(ftl_attr_int(e, k_name, 5, &k, error));
    if (rows == 0 || rows > INT32_MAX || columns == 0)
        return FTL_ATTR_FAIL(error, e, "_fit_X", FTL_CORRUPT, "_fit_X has shape (%zu, %zu)", rows,
                             columns);
    if (k < 1 || (uint64_t)k > rows || k > 1 << 22)
        return FTL_ATTR_FAIL(error, e, k_name, FTL_UNSUPPORTED,
                             "%lld neighbors of %zu points, which scikit-learn refuses",
                             (long long)k, rows);
    model.n_features = columns;
    model.op.n_points = (uint32_t)rows;
    model.op.k = (uint32_t)k;
    model.op.insertion_sort = e->version >= FTL_SKLEARN(1, 9);
    FTL_TRY(read_weights(e, &model.by_distance, error));
    FTL_TRY(read_metric(build, e, columns, &model.op, error));
    FTL_TRY(read_search(build, e, points, sparse_rows, &model, error));
    *out = model;
    return FTL_OK;
}
