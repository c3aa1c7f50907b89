/*
 * GaussianMixture and BayesianGaussianMixture: a weighted log-likelihood of each component; predict
 * takes the largest, predict_proba normalizes them, score_samples is the logarithm of their sum.
 *
 * Full and tied covariances are linear maps whose squares are summed; diagonal and spherical ones
 * are linear in the columns and their squares, as the library computes them. Within the builder
 * margin stands for the log-likelihoods.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <math.h>
#include <string.h>

enum { most_components = 1 << 16 };

static const double log_2pi = 1.83787706640934548356;

static uint32_t mixture_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_SCORE_SAMPLES;
}

typedef struct mixture {
    uint32_t n;          /* components */
    size_t columns;      /* features */
    const double *means; /* [n][columns] */
    const double *chol;  /* precisions_cholesky_ */
    double *constant;    /* [n] what is added to the Gaussian log-likelihood */
    bool is_f32;
} mixture;

/* ---- Attributes ------------------------------------------------------------------------------ */

/* Numbers of an array of any shape in C order. */
static ftl_status read_numbers(ftl_build *build, const ftl_estimator *e, const char *name,
                               size_t expected, double **out, ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES(name), &node, error));
    if (node->kind != FTL_NODE_ARRAY || node->u.array->size != expected)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is no array of %zu numbers", name,
                             expected);
    double *numbers = ftl_arena_array(build->arena, expected, sizeof *numbers);
    if (!numbers)
        return FTL_OOM(error);
    for (size_t i = 0; i < expected; i++) {
        if (!ftl_array_f64_at(node->u.array, i, &numbers[i]))
            return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "element %zu is not a number", i);
    }
    *out = numbers;
    return FTL_OK;
}

/* The logarithmic derivative of the gamma function, x > 0: recurrence up to 10, then its asymptotic
 * series. */
static double digamma(double x)
{
    double sum = 0;
    for (; x < 10; x++)
        sum -= 1.0 / x;
    double r = 1.0 / (x * x);
    return sum + log(x) - 0.5 / x -
           r * (1.0 / 12 -
                r * (1.0 / 120 -
                     r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760))))));
}

static bool positive(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(values[i] > 0 && values[i] < (double)INFINITY))
            return false;
    }
    return true;
}

/* Expected logarithms of the weights: of a Dirichlet process or of a Dirichlet distribution. */
static ftl_status bayesian_weights(ftl_build *build, const ftl_estimator *e, mixture *m,
                                   ftl_error *error)
{
    bool process = !ftl_attr_is(e, "weight_concentration_prior_type", "dirichlet_distribution");
    const double *a = NULL, *b = NULL;
    double sum = 0, rest = 0;
    const char *name = "weight_concentration_";
    if (process) {
        ftl_node **parts = NULL;
        ftl_array2 array = {0};
        size_t n_parts = 0;
        FTL_TRY(ftl_attr_items(e, name, &parts, &n_parts, error));
        for (size_t i = 0; i < 2 && n_parts == 2; i++) {
            FTL_TRY(ftl_node_matrix(build, parts[i], &array, error));
            n_parts = array.rows * array.columns == m->n ? 2 : 0;
            *(i ? &b : &a) = array.data;
        }
        if (n_parts != 2 || !positive(a, m->n) || !positive(b, m->n))
            return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "no pair of %u positive numbers",
                                 m->n);
    } else {
        FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES(name), m->n, &a, error));
        if (!positive(a, m->n))
            return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "weights are not above 0");
    }
    for (uint32_t k = 0; k < m->n; k++)
        sum += a[k];
    for (uint32_t k = 0; k < m->n; k++) {
        double both = digamma(b ? a[k] + b[k] : sum);
        m->constant[k] += digamma(a[k]) - both + rest;
        rest += b ? digamma(b[k]) - both : 0;
    }
    return FTL_OK;
}

/* What the uncertainty of means and covariances adds. */
static ftl_status bayesian_terms(ftl_build *build, const ftl_estimator *e, mixture *m,
                                 ftl_error *error)
{
    const double *precision = NULL;
    double n = (double)m->columns;
    ftl_array2 freedoms = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("degrees_of_freedom_"), &freedoms, error));
    bool shared = freedoms.rows * freedoms.columns == 1; /* of a tied covariance */
    if (!shared && freedoms.rows * freedoms.columns != m->n)
        return FTL_ATTR_FAIL(error, e, "degrees_of_freedom_", FTL_CORRUPT,
                             "%zu numbers for %u components", freedoms.rows * freedoms.columns,
                             m->n);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("mean_precision_"), m->n, &precision, error));
    for (uint32_t k = 0; k < m->n; k++) {
        double sum = 0, freedom = freedoms.data[shared ? 0 : k];
        if (!(freedom > n - 1 && freedom < (double)INFINITY))
            return FTL_ATTR_FAIL(error, e, "degrees_of_freedom_", FTL_CORRUPT,
                                 "%g degrees of freedom for %zu features", freedom, m->columns);
        for (size_t j = 0; j < m->columns; j++)
            sum += digamma(0.5 * (freedom - (double)j));
        m->constant[k] += -0.5 * n * log(freedom) + 0.5 * (n * log(2.0) + sum - n / precision[k]);
    }
    return bayesian_weights(build, e, m, error);
}

static ftl_status read_mixture(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               size_t chol_size, mixture *m, ftl_error *error)
{
    const double *weights = NULL;
    double *chol = NULL;
    FTL_TRY(read_numbers(build, e, "precisions_cholesky_", chol_size, &chol, error));
    m->chol = chol;
    m->columns = n_columns;
    m->constant = ftl_arena_zero_array(build->arena, m->n, sizeof *m->constant);
    if (!m->constant)
        return FTL_OOM(error);
    if (strcmp(e->cls->name, "BayesianGaussianMixture") == 0)
        return bayesian_terms(build, e, m, error);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("weights_"), m->n, &weights, error));
    for (uint32_t k = 0; k < m->n; k++)
        m->constant[k] = log(weights[k]);
    return FTL_OK;
}

/* ---- Full and tied covariances --------------------------------------------------------------- */

/* x chol for a chol [columns][columns], as a whole matrix. */
static ftl_status emit_stretched(ftl_build *build, const ftl_estimator *e, const mixture *m,
                                 const double *chol, const ftl_frame *in, uint32_t *id,
                                 ftl_error *error)
{
    size_t n = m->columns;
    double *coef = ftl_arena_array(build->arena, n * n, sizeof *coef);
    if (!coef)
        return FTL_OOM(error);
    for (size_t c = 0; c < n; c++) {
        for (size_t j = 0; j < n; j++)
            coef[c * n + j] = chol[j * n + c];
    }
    const ftl_linear_params params = {
        .n_out = (uint32_t)n, .n_features = n, .coef = coef, .is_f32 = m->is_f32};
    return ftl_linear_scores(build, e, in, &params, id, error);
}

/* |x chol - mean chol|², halved and negated, with its constants. source: x chol. */
static ftl_status emit_component(ftl_build *build, const ftl_estimator *e, const mixture *m,
                                 uint32_t k, const double *chol, uint32_t source,
                                 ftl_frame_column *out, ftl_error *error)
{
    size_t n = m->columns;
    double *centre = ftl_arena_zero_array(build->arena, n, sizeof *centre), log_det = 0;
    uint32_t id = source;
    if (!centre)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_spend(build, (uint64_t)n * n, error));
    for (size_t c = 0; c < n; c++) {
        for (size_t j = 0; j < n; j++)
            centre[c] += m->means[k * n + j] * chol[j * n + c];
        log_det += log(chol[c * n + c]);
    }
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_SUB, centre, &id, error));
    FTL_TRY(ftl_emit_squares(build, e, id, -0.5 * (double)n * log_2pi, log_det + m->constant[k],
                             &id, error));
    *out = (ftl_frame_column){.op = id};
    return FTL_OK;
}

/* Components of a tied covariance share the stretched rows. */
static ftl_status emit_full(ftl_build *build, const ftl_estimator *e, const mixture *m, bool tied,
                            const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_frame scores;
    uint32_t stretched = 0;
    FTL_TRY(ftl_frame_new(build, m->n, &scores, error));
    for (uint32_t k = 0; k < m->n; k++) {
        const double *chol = m->chol + (tied ? 0 : k * m->columns * m->columns);
        if (k == 0 || !tied)
            FTL_TRY(emit_stretched(build, e, m, chol, in, &stretched, error));
        FTL_TRY(emit_component(build, e, m, k, chol, stretched, &scores.columns[k], error));
    }
    return ftl_build_matrix(build, e, &scores, id, error);
}

/* ---- Diagonal and spherical covariances ------------------------------------------------------ */

/* The columns, then their squares. */
static ftl_status with_squares(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_frame parts[2];
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_frame_like(build, id, in, &parts[0], error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->u.ufunc.function = FTL_UFUNC_SQUARE;
    FTL_TRY(ftl_frame_like(build, id, in, &parts[1], error));
    return ftl_frame_concat(build, parts, 2, out, error);
}

/* precisions: a number a component, or one a component and column. */
static ftl_status emit_diagonal(ftl_build *build, const ftl_estimator *e, const mixture *m,
                                bool spherical, const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    size_t n = m->columns;
    double *coef = ftl_arena_array(build->arena, m->n * 2 * n, sizeof *coef);
    double *intercept = ftl_arena_array(build->arena, m->n, sizeof *intercept);
    ftl_frame both;
    ftl_op *op = NULL;
    if (!coef || !intercept)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < m->n; k++) {
        double sum = 0, log_det = 0;
        for (size_t j = 0; j < n; j++) {
            double chol = m->chol[spherical ? k : k * n + j], precision = chol * chol;
            double mean = m->means[k * n + j];
            coef[k * 2 * n + j] = mean * precision;
            coef[k * 2 * n + n + j] = -0.5 * precision;
            sum += mean * mean * precision;
            log_det += log(chol);
        }
        intercept[k] = -0.5 * ((double)n * log_2pi + sum) + log_det + m->constant[k];
    }
    FTL_TRY(with_squares(build, e, in, &both, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_LINEAR, &both, id, &op, error));
    op->width = m->n;
    op->dtype = m->is_f32 ? FTL_DTYPE_SAME : FTL_DTYPE_F64;
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, m->n * 2 * n),
                                   FTL_SIZED(intercept, intercept, m->n)};
    return FTL_OK;
}

/* ---- Methods --------------------------------------------------------------------------------- */

/* The components are called by their numbers. */
static ftl_status component_labels(ftl_build *build, uint32_t n, const ftl_labels **out,
                                   ftl_error *error)
{
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, n, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++)
        cells[i] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = i};
    *labels = (ftl_labels){.type = FTL_I64, .count = n, .cells = cells};
    *out = labels;
    return FTL_OK;
}

static ftl_status emit_likelihoods(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                   ftl_frame *out, ftl_error *error)
{
    ftl_array2 means = {0};
    const ftl_labels *labels = NULL;
    uint32_t id;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("means_"), &means, error));
    if (means.rows == 0 || means.rows > most_components || means.columns != in->n_columns)
        return FTL_ATTR_FAIL(error, e, "means_", FTL_CORRUPT,
                             "means_ has shape (%zu, %zu) for %u features", means.rows,
                             means.columns, in->n_columns);
    mixture m = {.n = (uint32_t)means.rows, .means = means.data, .is_f32 = means.was_f32};
    bool tied = ftl_attr_is(e, "covariance_type", "tied");
    bool diagonal = ftl_attr_is(e, "covariance_type", "diag");
    bool spherical = ftl_attr_is(e, "covariance_type", "spherical");
    if (!tied && !diagonal && !spherical && !ftl_attr_is(e, "covariance_type", "full"))
        return FTL_ATTR_FAIL(error, e, "covariance_type", FTL_CORRUPT, "it is of unknown kind");
    size_t size = (tied ? 1 : means.rows) * (spherical ? 1 : means.columns) *
                  (diagonal || spherical ? 1 : means.columns);
    FTL_TRY(read_mixture(build, e, in->n_columns, size, &m, error));
    if (diagonal || spherical)
        FTL_TRY(emit_diagonal(build, e, &m, spherical, in, &id, error));
    else
        FTL_TRY(emit_full(build, e, &m, tied, in, &id, error));
    FTL_TRY(component_labels(build, m.n, &labels, error));
    return ftl_result_scores(build, id, labels, out, error);
}

/* The logarithm of the sum of the likelihoods. */
static ftl_status emit_total(ftl_build *build, const ftl_estimator *e, const ftl_frame *joint,
                             ftl_frame *out, ftl_error *error)
{
    uint32_t id, n = joint->n_columns;
    ftl_op *op = NULL;
    uint32_t *target = ftl_arena_zero_array(build->arena, n, sizeof *target);
    if (!target)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_COMBINE, joint->columns[0].op, 1, &id, &op, error));
    op->u.combine = (ftl_combine_op){
        .rule = FTL_COMBINE_LOGADDEXP, FTL_SIZED(target, target, n), .divisor = 1};
    return ftl_result_values(build, id, out, error);
}

static ftl_status emit_mixture(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame joint;
    uint32_t id;
    if (method == FTL_MARGIN)
        return emit_likelihoods(build, e, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &joint, error));
    if (method == FTL_SCORE_SAMPLES)
        return emit_total(build, e, &joint, out, error);
    if (method == FTL_PREDICT) {
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, joint.columns[0].op, 1, &id, error));
        FTL_TRY(ftl_result_values(build, id, out, error));
        out->columns[0].as = FTL_AS_INT;
        return FTL_OK;
    }
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOGSUMEXP_SOFTMAX, joint.columns[0].op,
                          joint.n_columns, &id, error));
    return ftl_result_scores(build, id, joint.columns[0].labels, out, error);
}

static ftl_status mixture_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("means_"), out, error);
}

static const char *mixture_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *means = ftl_attr(e, "means_");
    if (!means || means->kind != FTL_NODE_ARRAY || means->u.array->ndim != 2)
        return NULL;
    size_t n = means->u.array->shape[0];
    return ftl_arena_printf(build->arena, "%zu component%s", n, n == 1 ? "" : "s");
}

#define MIXTURE(name_)             \
    {.package = "sklearn.mixture", \
     .name = (name_),              \
     .kind = FTL_CLUSTERER,        \
     .methods = mixture_methods,   \
     .emit = emit_mixture,         \
     .inputs = mixture_inputs,     \
     .detail = mixture_detail}

const ftl_estimator_class ftl_mixture_classes[] = {
    MIXTURE("GaussianMixture"),
    MIXTURE("BayesianGaussianMixture"),
    {0},
};
