/*
 * Naive Bayes. Every class has a joint log-likelihood; predict takes the largest, predict_log_proba
 * subtracts the row's logsumexp, predict_proba is its exponential. GaussianNB's likelihoods are an
 * operation of their own, those of the others linear: one-hot columns are never expanded.
 *
 * Within the builder decision_function stands for the likelihoods (the library has no such method).
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <math.h>

static uint32_t bayes_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA;
}

static ftl_status read_labels(ftl_build *build, const ftl_estimator *e, const ftl_labels **labels,
                              ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    ftl_status status = ftl_node_labels(build, classes, labels, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, "classes_");
    return status;
}

/* What all classes do with the likelihoods. */
static ftl_status emit_from_likelihood(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                       const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame joint;
    uint32_t id;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &joint, error));
    const ftl_labels *labels = joint.columns[0].labels;
    uint32_t source = joint.columns[0].op;
    if (method == FTL_PREDICT) {
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, source, 1, &id, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    ftl_link link = method == FTL_PREDICT_PROBA ? FTL_LINK_LOGSUMEXP_SOFTMAX
                                                : FTL_LINK_LOG_NORMALIZE;
    FTL_TRY(ftl_emit_link(build, e, link, source, labels->count, &id, error));
    return ftl_result_scores(build, id, labels, out, error);
}

/* ---- GaussianNB ------------------------------------------------------------------------------ */

/* A matrix of one row a class; the first one read says how many columns there are. */
static ftl_status read_per_class(ftl_build *build, const ftl_estimator *e, const char *const *names,
                                 uint32_t n_classes, size_t columns, ftl_array2 *out,
                                 ftl_error *error)
{
    FTL_TRY(ftl_attr_matrix(build, e, names, out, error));
    if (out->rows != n_classes || out->columns != columns)
        return FTL_ATTR_FAIL(error, e, names[0], FTL_CORRUPT,
                             "%s has shape (%zu, %zu) for %u classes and %zu features", names[0],
                             out->rows, out->columns, n_classes, columns);
    return FTL_OK;
}

static ftl_status gaussian_likelihood(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                      ftl_frame *out, ftl_error *error)
{
    const ftl_labels *labels = NULL;
    ftl_array2 mean = {0}, variance = {0};
    double *prior, *norm;
    uint32_t matrix, id;
    ftl_op *op = NULL;
    FTL_TRY(read_labels(build, e, &labels, error));
    uint32_t n = labels->count;
    FTL_TRY(read_per_class(build, e, FTL_NAMES("theta_"), n, in->n_columns, &mean, error));
    FTL_TRY(
        read_per_class(build, e, FTL_NAMES("var_", "sigma_"), n, in->n_columns, &variance, error));
    FTL_TRY(ftl_attr_vector_copy(build, e, FTL_NAMES("class_prior_"), n, &prior, error));
    norm = ftl_arena_zero_array(build->arena, n, sizeof *norm);
    if (!norm)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++) {
        double sum = 0;
        for (size_t j = 0; j < mean.columns; j++)
            sum += log(2.0 * 3.14159265358979323846 * variance.data[k * mean.columns + j]);
        norm[k] = -0.5 * sum;
        prior[k] = log(prior[k]);
    }
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &matrix, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_GAUSSIAN, matrix, n, &id, &op, error));
    /* Means of a model trained on float32 are float32 from 1.8 on. */
    op->dtype = mean.was_f32 && variance.was_f32 ? FTL_DTYPE_SAME : FTL_DTYPE_F64;
    op->u.gaussian = (ftl_gaussian_op){
        FTL_SIZED(mean, mean.data, mean.rows * mean.columns),
        FTL_SIZED(variance, variance.data, variance.rows * variance.columns),
        FTL_SIZED(prior, prior, n), FTL_SIZED(norm, norm, n)};
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status emit_gaussian(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_DECISION_FUNCTION)
        return gaussian_likelihood(build, e, in, out, error);
    return emit_from_likelihood(build, e, method, in, out, error);
}

static ftl_status gaussian_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("theta_"), out, error);
}

/* ---- The discrete ones ----------------------------------------------------------------------- */

typedef struct weights {
    const ftl_labels *labels;
    ftl_array2 log_prob; /* [classes][features] */
    const double *prior; /* [classes] */
} weights;

static ftl_status read_weights(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               weights *out, ftl_error *error)
{
    FTL_TRY(read_labels(build, e, &out->labels, error));
    uint32_t n = out->labels->count;
    FTL_TRY(read_per_class(build, e, FTL_NAMES("feature_log_prob_"), n, in->n_columns,
                           &out->log_prob, error));
    return ftl_attr_vector(build, e, FTL_NAMES("class_log_prior_"), n, &out->prior, error);
}

/* X @ log_prob.T + intercept, float64 whatever X is: the counts that it comes from are. */
static ftl_status linear_likelihood(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                    const weights *w, const double *intercept, ftl_frame *out,
                                    ftl_error *error)
{
    uint32_t id;
    const ftl_linear_params params = {.n_out = w->labels->count,
                                      .n_features = w->log_prob.columns,
                                      .coef = w->log_prob.data,
                                      .intercept = intercept};
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &id, error));
    return ftl_result_scores(build, id, w->labels, out, error);
}

static ftl_status emit_multinomial(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                   const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    weights w = {0};
    if (method != FTL_DECISION_FUNCTION)
        return emit_from_likelihood(build, e, method, in, out, error);
    FTL_TRY(read_weights(build, e, in, &w, error));
    return linear_likelihood(build, e, in, &w, w.prior, out, error);
}

/* The prior counts only where there is one class. */
static ftl_status emit_complement(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    weights w = {0};
    if (method != FTL_DECISION_FUNCTION)
        return emit_from_likelihood(build, e, method, in, out, error);
    FTL_TRY(read_weights(build, e, in, &w, error));
    return linear_likelihood(build, e, in, &w, w.labels->count == 1 ? w.prior : NULL, out, error);
}

/*
 * X > threshold. One-hot columns hold 0 and 1, which a threshold in [0, 1) leaves alone; a negative
 * one is refused by the library for what it keeps sparse.
 */
static ftl_status binarized(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "binarize");
    double threshold = 0;
    bool coded = in->sparse;
    *out = *in;
    if (ftl_node_is_none(node))
        return FTL_OK;
    FTL_TRY(ftl_attr_f64(e, "binarize", 0, &threshold, error));
    for (uint32_t i = 0; coded && i < in->n_columns; i++)
        coded = build->ops[in->columns[i].op].edge == FTL_EDGE_CODED;
    if (coded && threshold >= 0 && threshold < 1)
        return FTL_OK;
    uint32_t matrix, id;
    ftl_op *op = NULL;
    bool sparse = threshold >= 0 && ftl_frame_has_sparse(build, in);
    if (sparse)
        FTL_TRY(ftl_build_sparse(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &matrix, error));
    else
        FTL_TRY(
            ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &matrix, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, matrix, in->n_columns, &id, &op, error));
    op->edge = sparse ? FTL_EDGE_SPARSE : FTL_EDGE_NUM;
    op->u.binarize.threshold = threshold;
    return ftl_frame_like(build, id, in, out, error);
}

/* Σ_j x_j log p_j + (1 - x_j) log(1 - p_j), as X @ (log p - log(1 - p)).T + Σ_j log(1 - p_j). */
static ftl_status emit_bernoulli(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    weights w = {0};
    ftl_frame hits;
    if (method != FTL_DECISION_FUNCTION)
        return emit_from_likelihood(build, e, method, in, out, error);
    FTL_TRY(read_weights(build, e, in, &w, error));
    double *log_prob = ftl_matrix_copy(build, &w.log_prob);
    double *constant = ftl_arena_copy(build->arena, w.prior, w.labels->count * sizeof *constant);
    if (!log_prob || !constant)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < w.labels->count; k++) {
        double *row = log_prob + k * w.log_prob.columns, sum = 0;
        for (size_t j = 0; j < w.log_prob.columns; j++) {
            double negative = log(1 - exp(row[j]));
            sum += negative;
            row[j] -= negative;
        }
        constant[k] += sum;
    }
    w.log_prob.data = log_prob;
    FTL_TRY(binarized(build, e, in, &hits, error));
    return linear_likelihood(build, e, &hits, &w, constant, out, error);
}

static ftl_status discrete_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("feature_log_prob_"), out, error);
}

/* ---- CategoricalNB --------------------------------------------------------------------------- */

enum { max_categories = 1 << 24 };

/* One feature's table of log-probabilities, [classes][categories], and its one-hot column. */
static ftl_status read_categories(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                                  uint32_t n_classes, ftl_array2 *table, ftl_encode_column *column,
                                  ftl_error *error)
{
    ftl_status status = ftl_node_matrix(build, node, table, error);
    if (status == FTL_OK &&
        (table->rows != n_classes || table->columns == 0 || table->columns > max_categories))
        status = FTL_FAIL(error, FTL_CORRUPT, "a table of shape (%zu, %zu) for %u classes",
                          table->rows, table->columns, n_classes);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "feature_log_prob_");
        return status;
    }
    uint32_t n = (uint32_t)table->columns;
    double *numbers = ftl_arena_array(build->arena, n, sizeof *numbers);
    int32_t *codes = ftl_arena_array(build->arena, n, sizeof *codes);
    if (!numbers || !codes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = i;
        codes[i] = (int32_t)i;
    }
    column->categories = (ftl_categories){
        .count = n, .numeric = true, FTL_SIZED(numbers, numbers, n)};
    column->codes = codes;
    column->codes_count = n;
    column->unknown = FTL_CODE_REFUSED;
    column->cardinality = n;
    return FTL_OK;
}

/* The tables side by side: [classes][width]. */
static ftl_status join_tables(ftl_build *build, const ftl_array2 *tables, uint32_t n,
                              size_t n_classes, size_t width, const double **out, ftl_error *error)
{
    double *coef = ftl_arena_array(build->arena, n_classes * width, sizeof *coef);
    size_t at = 0;
    if (!coef)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n; at += tables[j++].columns) {
        for (size_t k = 0; k < n_classes; k++) {
            for (size_t i = 0; i < tables[j].columns; i++)
                coef[k * width + at + i] = tables[j].data[k * tables[j].columns + i];
        }
    }
    *out = coef;
    return FTL_OK;
}

/* Rows become integers as numpy's astype does, towards zero. */
static ftl_status whole_numbers(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_TRUNC;
    return ftl_frame_like(build, id, in, out, error);
}

/*
 * The sum of a category's log-probabilities over the features. Negative categories and those unseen
 * in training raise in the library.
 */
static ftl_status categorical_likelihood(ftl_build *build, const ftl_estimator *e,
                                         const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    weights w = {0};
    ftl_node **items = NULL;
    size_t n = 0, width = 0;
    ftl_frame whole, coded;
    ftl_op *op = NULL;
    uint32_t id;
    FTL_TRY(read_labels(build, e, &w.labels, error));
    FTL_TRY(
        ftl_attr_vector(build, e, FTL_NAMES("class_log_prior_"), w.labels->count, &w.prior, error));
    FTL_TRY(ftl_attr_items(e, "feature_log_prob_", &items, &n, error));
    FTL_TRY(ftl_frame_expect(e, in, n, error));
    ftl_array2 *tables = ftl_arena_zero_array(build->scratch, n, sizeof *tables);
    ftl_encode_column *columns = ftl_arena_zero_array(build->arena, n, sizeof *columns);
    if (!tables || !columns)
        return FTL_OOM(error);
    for (size_t j = 0; j < n; j++) {
        FTL_TRY(
            read_categories(build, e, items[j], w.labels->count, &tables[j], &columns[j], error));
        columns[j].name = in->columns[j].name;
        width += tables[j].columns;
        if (width > max_categories)
            return FTL_ATTR_FAIL(error, e, "feature_log_prob_", FTL_LIMIT,
                                 "more than %d categories", (int)max_categories);
    }
    FTL_TRY(
        join_tables(build, tables, in->n_columns, w.labels->count, width, &w.log_prob.data, error));
    w.log_prob.columns = width;
    FTL_TRY(whole_numbers(build, e, in, &whole, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ONEHOT, &whole, &id, &op, error));
    op->edge = FTL_EDGE_CODED;
    op->dtype = FTL_DTYPE_F64;
    op->width = (uint32_t)width;
    op->u.encode = (ftl_encode_op){.n_columns = in->n_columns,
                                   FTL_SIZED(columns, columns, in->n_columns),
                                   .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &coded, error));
    return linear_likelihood(build, e, &coded, &w, w.prior, out, error);
}

static ftl_status emit_categorical(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                   const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_DECISION_FUNCTION)
        return categorical_likelihood(build, e, in, out, error);
    return emit_from_likelihood(build, e, method, in, out, error);
}

static ftl_status categorical_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                     ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("feature_log_prob_"), out, error);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define BAYES(name_, emit_, inputs_)   \
    {.package = "sklearn.naive_bayes", \
     .name = (name_),                  \
     .kind = FTL_CLASSIFIER,           \
     .methods = bayes_methods,         \
     .emit = (emit_),                  \
     .inputs = (inputs_),              \
     .detail = ftl_classes_detail}

const ftl_estimator_class ftl_naive_bayes_classes[] = {
    BAYES("GaussianNB", emit_gaussian, gaussian_inputs),
    BAYES("MultinomialNB", emit_multinomial, discrete_inputs),
    BAYES("ComplementNB", emit_complement, discrete_inputs),
    BAYES("BernoulliNB", emit_bernoulli, discrete_inputs),
    BAYES("CategoricalNB", emit_categorical, categorical_inputs),
    {0},
};
