/*
 * SelectFromModel: which columns its estimator finds important enough, by coef_ or
 * feature_importances_, in the arithmetic of the library. The fitted selector keeps neither
 * importances nor mask.
 */
#include "base/number.h"
#include "base/pairwise.h"
#include "build/numpy_order.h"
#include "estimators/prep/feature_selectors.h"

#include <math.h>
#include <string.h>

/* ---- The estimator --------------------------------------------------------------------------- */

/* "sklearn.svm.classes", "LinearSVC": the class's name alone. */
static const char *class_of(const ftl_estimator *child)
{
    return child->node->kind == FTL_NODE_OBJECT ? child->node->u.object->name : "";
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* sklearn2pmml puts proxies between. */
static const ftl_node *behind_proxies(const ftl_node *node)
{
    for (int depth = 0; depth < FTL_MAX_NESTING; depth++) {
        if (node->kind != FTL_NODE_OBJECT || strcmp(node->u.object->name, "EstimatorProxy") != 0)
            break;
        const ftl_node *inner = ftl_node_attr(node, "estimator");
        inner = inner ? inner : ftl_node_attr(node, "estimator_");
        if (!inner)
            break;
        node = inner;
    }
    return node;
}

/* prefit: the estimator was given fitted; from 1.1 on a copy of it is kept where fit was called. */
ftl_status ftl_selector_child(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                              ftl_error *error)
{
    const char *name = ftl_node_is_none(ftl_attr(e, "estimator_")) ? "estimator" : "estimator_";
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES(name), &node, error));
    node = behind_proxies(node);
    if (node->kind != FTL_NODE_OBJECT)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is not an estimator", name);
    const char *path = ftl_child_path(build, e, "%s", name);
    if (!path)
        return FTL_OOM(error);
    /* cls is the selector's: only attributes are read from the child */
    *out = (ftl_estimator){.node = node, .path = path, .cls = e->cls, .version = e->version};
    return FTL_OK;
}

/* Criteria that trees take missing values with, where their splitter does. */
static bool tree_allows_nan(const ftl_estimator *child, bool random)
{
    static const char *const criteria[] = {"gini",          "log_loss",     "entropy",
                                           "squared_error", "friedman_mse", "poisson"};
    if (random && child->version < FTL_SKLEARN(1, 6))
        return false;
    for (size_t i = 0; i < FTL_ARRAY_LEN(criteria); i++) {
        if (ftl_attr_is(child, "criterion", criteria[i]))
            return true;
    }
    return child->version >= FTL_SKLEARN(1, 9);
}

/* allow_nan by class; trees have it from 1.3 on, forests from 1.4. Boosters' wrappers have it. */
bool ftl_allows_nan(const ftl_estimator *child)
{
    const char *name = class_of(child);
    if (starts_with(name, "HistGradientBoosting") || starts_with(name, "XGB") ||
        starts_with(name, "LGBM") || starts_with(name, "CatBoost"))
        return true;
    if (starts_with(name, "DecisionTree"))
        return child->version >= FTL_SKLEARN(1, 3) &&
               tree_allows_nan(child, !ftl_attr_is(child, "splitter", "best"));
    if (starts_with(name, "RandomForest"))
        return child->version >= FTL_SKLEARN(1, 4) && tree_allows_nan(child, false);
    if (starts_with(name, "ExtraTree"))
        return tree_allows_nan(child, true);
    return false;
}

/* ---- Importances ----------------------------------------------------------------------------- */

typedef struct importances {
    double *values; /* [n] */
    bool narrow;    /* float32 */
} importances;

static double rounded(double value, bool narrow) { return narrow ? (double)(float)value : value; }

/* numpy.linalg.norm along the rows of a column: sums are taken row after row. */
static double column_norm(const ftl_array2 *coef, size_t column, double order)
{
    double sum = 0, smallest = INFINITY, largest = 0;
    bool narrow = coef->was_f32;
    for (size_t k = 0; k < coef->rows; k++) {
        double value = fabs(coef->data[k * coef->columns + column]);
        smallest = value < smallest ? value : smallest;
        largest = value > largest ? value : largest;
        double term = order == 1   ? value
                      : order == 2 ? value * value
                      : order == 0 ? value != 0
                                   : pow(value, order);
        sum = rounded(sum + rounded(term, narrow), narrow);
    }
    if (isinf(order))
        return order > 0 ? largest : smallest;
    if (order == 0 || order == 1)
        return sum;
    return rounded(order == 2 ? sqrt(sum) : pow(sum, 1 / order), narrow);
}

static ftl_status from_coefficients(ftl_build *build, const ftl_estimator *e,
                                    const ftl_estimator *child, size_t n, importances *out,
                                    ftl_error *error)
{
    ftl_array2 coef = {0};
    double order;
    FTL_TRY(ftl_attr_matrix(build, child, FTL_NAMES("coef_"), &coef, error));
    if (coef.columns != n || coef.rows == 0)
        return FTL_ATTR_FAIL(error, child, "coef_", FTL_CORRUPT,
                             "coef_ has shape (%zu, %zu) for %zu features", coef.rows, coef.columns,
                             n);
    FTL_TRY(ftl_attr_f64(e, "norm_order", 1, &order, error));
    const ftl_node *node = ftl_attr(child, "coef_");
    if (node->kind == FTL_NODE_ARRAY && node->u.array->ndim == 1)
        order = 1;
    double *values = ftl_arena_array(build->scratch, n, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (size_t j = 0; j < n; j++)
        values[j] = column_norm(&coef, j, order);
    *out = (importances){values, coef.was_f32};
    return FTL_OK;
}

/* From 0.24 on coef_ comes first and importance_getter can name either; before, the other way. */
static ftl_status find_importances(ftl_build *build, const ftl_estimator *e,
                                   const ftl_estimator *child, size_t n, importances *out,
                                   ftl_error *error)
{
    bool has_coef = !ftl_node_is_none(ftl_attr(child, "coef_"));
    if (!ftl_node_is_none(ftl_attr(e, "importance_getter")) &&
        !ftl_attr_is(e, "importance_getter", "auto")) {
        bool coef = ftl_attr_is(e, "importance_getter", "coef_");
        if (!coef && !ftl_attr_is(e, "importance_getter", "feature_importances_"))
            return FTL_ATTR_FAIL(error, e, "importance_getter", FTL_UNSUPPORTED,
                                 "SelectFromModel with an importance_getter of its own is not "
                                 "supported; use auto, coef_ or feature_importances_");
        has_coef = coef;
    }
    if (has_coef)
        return from_coefficients(build, e, child, n, out, error);
    out->narrow = false;
    return ftl_tree_importances(build, child, n, &out->values, error);
}

/* ---- The threshold --------------------------------------------------------------------------- */

static bool is_one(const ftl_estimator *child, const char *name)
{
    double value;
    const ftl_node *node = ftl_attr(child, name);
    return node && ftl_node_as_f64(node, &value) && fabs(value - 1) <= 1e-8 + 1e-5;
}

/* Every entry of an array. */
static bool all_ones(const ftl_estimator *child, const char *name)
{
    const ftl_node *node = ftl_attr(child, name);
    if (!node || node->kind != FTL_NODE_ARRAY || node->u.array->ndim == 0)
        return is_one(child, name);
    for (size_t i = 0; i < node->u.array->size; i++) {
        double value;
        if (!ftl_array_f64_at(node->u.array, i, &value) || !(fabs(value - 1) <= 1e-8 + 1e-5))
            return false;
    }
    return true;
}

/* Estimators with an L1 penalty have a natural threshold; which they are grew with the versions. */
static bool is_l1(const ftl_estimator *child)
{
    const char *name = class_of(child);
    if (ftl_attr_is(child, "penalty", "l1") || strstr(name, "Lasso"))
        return true;
    if (child->version < FTL_SKLEARN(1, 1))
        return false;
    if (child->version < FTL_SKLEARN(1, 8))
        return strstr(name, "ElasticNet") &&
               (is_one(child, "l1_ratio_") || is_one(child, "l1_ratio"));
    if (strcmp(name, "ElasticNet") == 0 || strcmp(name, "LogisticRegression") == 0)
        return is_one(child, "l1_ratio");
    if (strcmp(name, "LogisticRegressionCV") == 0)
        return all_ones(child, "l1_ratio_");
    return strcmp(name, "ElasticNetCV") == 0 && is_one(child, "l1_ratio_");
}

static double mean_of(const importances *scores, size_t n)
{
    return rounded(ftl_pairwise_sum(scores->values, n, scores->narrow) / (double)n, scores->narrow);
}

static ftl_status median_of(ftl_build *build, const importances *scores, size_t n, double *out,
                            ftl_error *error)
{
    uint32_t *order;
    FTL_TRY(ftl_sorted_indices(build, scores->values, n, &order, error));
    double high = scores->values[order[n / 2]];
    double low = scores->values[order[(n - 1) / 2]];
    *out = low == high ? low : rounded(rounded(low + high, scores->narrow) / 2, scores->narrow);
    return FTL_OK;
}

static ftl_node_string trimmed(ftl_node_string text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static bool is_text(ftl_node_string text, const char *other)
{
    return text.size == strlen(other) && memcmp(text.data, other, text.size) == 0;
}

/* "mean", "median", "1.25*mean" */
static ftl_status named_threshold(ftl_build *build, const ftl_estimator *e, ftl_node_string text,
                                  const importances *scores, size_t n, double *out,
                                  ftl_error *error)
{
    double scale = 1;
    const char *star = memchr(text.data, '*', text.size);
    if (star) {
        size_t before = (size_t)(star - text.data);
        ftl_node_string number = trimmed((ftl_node_string){text.data, before});
        if (!ftl_parse_f64(number.data, number.size, '.', &scale))
            return FTL_ATTR_FAIL(error, e, "threshold", FTL_CORRUPT,
                                 "the factor of the threshold is not a number");
        text = trimmed((ftl_node_string){star + 1, text.size - before - 1});
    }
    if (is_text(text, "mean"))
        *out = mean_of(scores, n);
    else if (is_text(text, "median"))
        FTL_TRY(median_of(build, scores, n, out, error));
    else
        return FTL_ATTR_FAIL(error, e, "threshold", FTL_CORRUPT,
                             "the threshold is neither mean nor median");
    if (star)
        *out *= scale;
    return FTL_OK;
}

static ftl_status find_threshold(ftl_build *build, const ftl_estimator *e,
                                 const ftl_estimator *child, const importances *scores, size_t n,
                                 double *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "threshold");
    ftl_node_string text = {"mean", 4};
    *out = 1e-5;
    if (ftl_node_is_none(node) && is_l1(child))
        return FTL_OK;
    if (!ftl_node_is_none(node) && !ftl_node_as_str(node, &text))
        return ftl_attr_f64(e, "threshold", 0, out, error);
    return named_threshold(build, e, text, scores, n, out, error);
}

/* ---- The mask -------------------------------------------------------------------------------- */

/* The first max_features in falling order, of equal ones the first; all when there is no limit. */
static ftl_status most_important(ftl_build *build, const ftl_estimator *e,
                                 const importances *scores, size_t n, bool *mask, ftl_error *error)
{
    bool limited = !ftl_node_is_none(ftl_attr(e, "max_features"));
    const char *name = ftl_node_is_none(ftl_attr(e, "max_features_")) ? "max_features"
                                                                      : "max_features_";
    int64_t limit = (int64_t)n;
    double *falling = ftl_arena_array(build->scratch, n, sizeof *falling);
    uint32_t *order;
    if (!falling)
        return FTL_OOM(error);
    if (limited)
        FTL_TRY(ftl_attr_int(e, name, limit, &limit, error));
    if (limit < 0)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is negative", name);
    for (size_t i = 0; i < n; i++)
        falling[i] = -scores->values[i];
    FTL_TRY(ftl_sorted_indices(build, falling, n, &order, error));
    for (size_t i = 0; i < n && i < (uint64_t)limit; i++)
        mask[order[i]] = true;
    return FTL_OK;
}

ftl_status ftl_select_from_model(ftl_build *build, const ftl_estimator *e, size_t n, bool *mask,
                                 ftl_error *error)
{
    ftl_estimator child;
    importances scores = {0};
    double threshold;
    FTL_TRY(ftl_selector_child(build, e, &child, error));
    FTL_TRY(find_importances(build, e, &child, n, &scores, error));
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores.values[i]))
            return FTL_ATTR_FAIL(error, e, "estimator_", FTL_CORRUPT,
                                 "an importance is not a number");
    }
    FTL_TRY(find_threshold(build, e, &child, &scores, n, &threshold, error));
    FTL_TRY(most_important(build, e, &scores, n, mask, error));
    for (size_t i = 0; i < n; i++)
        mask[i] = mask[i] && !(scores.values[i] < threshold);
    return FTL_OK;
}
