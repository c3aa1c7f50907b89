/*
 * The selectors of sklearn.feature_selection. A selector's mask is settled while the model is
 * built; at run time it only rearranges columns, of which one-hot ones stay coded.
 *
 * All columns that reach a selector are checked, not only those that it keeps: infinity and NaN are
 * refused unless the selector's allow_nan tag (0.22 on) says otherwise, and then both pass.
 */
#include "estimators/prep/feature_selectors.h"

#include "build/numpy_order.h"
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- Univariate selection -------------------------------------------------------------------- */

typedef enum selection { K_BEST, PERCENTILE, FPR, FDR, FWE, SELECTION_COUNT } selection;

/* An attribute with one number a feature, copied; narrow: it is float32. */
static ftl_status read_numbers(ftl_build *build, const ftl_estimator *e, const char *name, size_t n,
                               double **out, bool *narrow, ftl_error *error)
{
    ftl_array2 values = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES(name), &values, error));
    if (values.rows * values.columns != n)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s has %zu values for %zu features",
                             name, values.rows * values.columns, n);
    *out = ftl_matrix_copy(build, &values);
    if (!*out)
        return FTL_OOM(error);
    *narrow = values.was_f32;
    return FTL_OK;
}

/* scores_, NaN as the smallest number of their type. */
static ftl_status read_scores(ftl_build *build, const ftl_estimator *e, size_t n, double **out,
                              ftl_error *error)
{
    bool narrow;
    FTL_TRY(read_numbers(build, e, "scores_", n, out, &narrow, error));
    for (size_t i = 0; i < n; i++) {
        if (isnan((*out)[i]))
            (*out)[i] = narrow ? -(double)FLT_MAX : -DBL_MAX;
    }
    return FTL_OK;
}

static void keep_all(bool *mask, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mask[i] = true;
}

/* The k largest; of equal ones the last. */
static ftl_status k_best(ftl_build *build, const ftl_estimator *e, const char *name, size_t n,
                         bool *mask, ftl_error *error)
{
    int64_t k;
    double *scores;
    uint32_t *order;
    if (ftl_attr_is(e, name, "all")) {
        keep_all(mask, n);
        return FTL_OK;
    }
    FTL_TRY(ftl_attr_int(e, name, 10, &k, error));
    if (k < 0)
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is negative", name);
    FTL_TRY(read_scores(build, e, n, &scores, error));
    FTL_TRY(ftl_sorted_indices(build, scores, n, &order, error));
    size_t kept = (uint64_t)k < n ? (size_t)k : n;
    for (size_t i = n - kept; i < n; i++)
        mask[order[i]] = true;
    return FTL_OK;
}

/*
 * numpy.percentile, linear. numpy before 1.20, which versions before 1.0 were used with, weighs
 * both neighbours; later ones interpolate from the nearer one.
 */
static double percentile_of(const double *scores, const uint32_t *order, size_t n,
                            double percentile, bool weighs)
{
    double at = percentile / 100.0 * (double)(n - 1);
    double below = floor(at);
    size_t low = below<0 ? 0 : below>(double)(n - 1) ? n - 1 : (size_t)below;
    size_t high = low + 1 < n ? low + 1 : low;
    double a = scores[order[low]], b = scores[order[high]], t = at - below;
    if (weighs)
        return a * (1 - t) + b * t;
    return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

static ftl_status percentile(ftl_build *build, const ftl_estimator *e, const char *name, size_t n,
                             bool *mask, ftl_error *error)
{
    double percent, *scores;
    uint32_t *order;
    int64_t above = 0;
    size_t n_ties = 0;
    FTL_TRY(ftl_attr_f64(e, name, 10, &percent, error));
    if (!(percent >= 0 && percent <= 100))
        return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is not between 0 and 100", name);
    if (percent == 100)
        keep_all(mask, n);
    if (percent == 100 || percent == 0 || n == 0)
        return FTL_OK;
    FTL_TRY(read_scores(build, e, n, &scores, error));
    FTL_TRY(ftl_sorted_indices(build, scores, n, &order, error));
    double threshold = percentile_of(scores, order, n, 100 - percent,
                                     e->version < FTL_SKLEARN(1, 0));
    for (size_t i = 0; i < n; i++) {
        mask[i] = scores[i] > threshold;
        above += mask[i];
        n_ties += scores[i] == threshold;
    }
    /* ties[:room], where a negative room leaves out that many from the end */
    int64_t room = (int64_t)((double)n * percent / 100) - above;
    if (room < 0)
        room = (int64_t)n_ties + room;
    for (size_t i = 0; i < n && room > 0; i++) {
        if (scores[i] == threshold) {
            mask[i] = true;
            room--;
        }
    }
    return FTL_OK;
}

/* Benjamini and Hochberg: up to the largest p-value that lies below its share of alpha. */
static ftl_status false_discovery(ftl_build *build, const double *p_values, size_t n, double alpha,
                                  bool *mask, ftl_error *error)
{
    double *known = ftl_arena_array(build->scratch, n, sizeof *known), largest = -1;
    uint32_t *order;
    size_t n_known = 0;
    if (!known)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p_values[i]))
            known[n_known++] = p_values[i];
    }
    FTL_TRY(ftl_sorted_indices(build, known, n_known, &order, error));
    for (size_t i = 0; i < n_known; i++) {
        double p = known[order[i]];
        if (p <= alpha / (double)n * (double)(i + 1))
            largest = p;
    }
    for (size_t i = 0; i < n; i++)
        mask[i] = p_values[i] <= largest;
    return FTL_OK;
}

static ftl_status by_p_value(ftl_build *build, const ftl_estimator *e, selection how,
                             const char *name, size_t n, bool *mask, ftl_error *error)
{
    double alpha, *p_values;
    bool narrow;
    FTL_TRY(ftl_attr_f64(e, name, 0.05, &alpha, error));
    FTL_TRY(read_numbers(build, e, "pvalues_", n, &p_values, &narrow, error));
    if (how == FDR)
        return false_discovery(build, p_values, n, alpha, mask, error);
    if (how == FWE)
        alpha /= (double)n;
    for (size_t i = 0; i < n; i++)
        mask[i] = p_values[i] < alpha;
    return FTL_OK;
}

static ftl_status univariate_mask(ftl_build *build, const ftl_estimator *e, size_t n, bool *mask,
                                  ftl_error *error)
{
    static const struct {
        const char *class_name, *mode, *parameter;
    } kinds[SELECTION_COUNT] = {[K_BEST] = {"SelectKBest", "k_best", "k"},
                                [PERCENTILE] = {"SelectPercentile", "percentile", "percentile"},
                                [FPR] = {"SelectFpr", "fpr", "alpha"},
                                [FDR] = {"SelectFdr", "fdr", "alpha"},
                                [FWE] = {"SelectFwe", "fwe", "alpha"}};
    bool generic = strcmp(e->cls->name, "GenericUnivariateSelect") == 0;
    int how = 0;
    while (how < SELECTION_COUNT && !(generic ? ftl_attr_is(e, "mode", kinds[how].mode)
                                              : strcmp(e->cls->name, kinds[how].class_name) == 0))
        how++;
    if (how == SELECTION_COUNT)
        return FTL_ATTR_FAIL(error, e, "mode", FTL_CORRUPT,
                             "mode is none of k_best, percentile, fpr, fdr and fwe");
    const char *name = generic ? "param" : kinds[how].parameter;
    if (how == K_BEST)
        return k_best(build, e, name, n, mask, error);
    if (how == PERCENTILE)
        return percentile(build, e, name, n, mask, error);
    return by_p_value(build, e, (selection)how, name, n, mask, error);
}

/* ---- The others ------------------------------------------------------------------------------ */

/* variances_ holds peak-to-peak ranges where they are smaller and the threshold is 0 (0.22 on). */
static ftl_status variance_mask(ftl_build *build, const ftl_estimator *e, size_t n, bool *mask,
                                ftl_error *error)
{
    double threshold, *variances;
    bool narrow;
    FTL_TRY(ftl_attr_f64(e, "threshold", 0, &threshold, error));
    FTL_TRY(read_numbers(build, e, "variances_", n, &variances, &narrow, error));
    for (size_t i = 0; i < n; i++)
        mask[i] = variances[i] > threshold;
    return FTL_OK;
}

static ftl_status support_mask(ftl_build *build, const ftl_estimator *e, size_t n, bool *mask,
                               ftl_error *error)
{
    double *support;
    bool narrow;
    FTL_TRY(read_numbers(build, e, "support_", n, &support, &narrow, error));
    for (size_t i = 0; i < n; i++)
        mask[i] = support[i] != 0;
    return FTL_OK;
}

static bool is_class(const ftl_estimator *e, const char *name)
{
    return strcmp(e->cls->name, name) == 0;
}

static ftl_status make_mask(ftl_build *build, const ftl_estimator *e, size_t n, bool *mask,
                            ftl_error *error)
{
    if (is_class(e, "VarianceThreshold"))
        return variance_mask(build, e, n, mask, error);
    if (is_class(e, "SelectFromModel"))
        return ftl_select_from_model(build, e, n, mask, error);
    if (strncmp(e->cls->name, "RFE", 3) == 0 || is_class(e, "SequentialFeatureSelector"))
        return support_mask(build, e, n, mask, error);
    return univariate_mask(build, e, n, mask, error);
}

/* ---- Selecting ------------------------------------------------------------------------------- */

/* From 1.3 on a selector that gives tables hands them on unchecked. */
static ftl_status passes_nan(ftl_build *build, const ftl_estimator *e, bool *out, ftl_error *error)
{
    ftl_estimator child;
    *out = e->version >= FTL_SKLEARN(1, 3) && ftl_gives_tables(e) && build->named_inputs;
    if (*out || e->version < FTL_SKLEARN(0, 22))
        return FTL_OK;
    *out = is_class(e, "VarianceThreshold");
    if (ftl_node_is_none(ftl_attr(e, "estimator")))
        return FTL_OK;
    FTL_TRY(ftl_selector_child(build, e, &child, error));
    *out = ftl_allows_nan(&child);
    return FTL_OK;
}

/* All columns of a matrix, unchecked; coded ones stay. */
static ftl_status selected(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                           ftl_frame *out, ftl_error *error)
{
    bool *mask = ftl_arena_zero_array(build->scratch, in->n_columns, sizeof *mask), unchecked;
    uint32_t *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked), n = 0;
    ftl_frame sources;
    if (!mask || !picked)
        return FTL_OOM(error);
    FTL_TRY(make_mask(build, e, in->n_columns, mask, error));
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (mask[i])
            picked[n++] = i;
    }
    if (n == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s keeps no column; leave the step out or fit it again", e->cls->name);
    FTL_TRY(passes_nan(build, e, &unchecked, error));
    uint32_t refuse = unchecked ? 0 : FTL_CHECK_NAN | FTL_CHECK_INF;
    FTL_TRY(ftl_linear_sources(build, e, in, refuse, &sources, error));
    FTL_TRY(ftl_frame_select(build, &sources, picked, n, out, error));
    out->csc = false;
    return FTL_OK;
}

static ftl_status emit_selector(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    FTL_TRY(ftl_expect_transform(e, method, error));
    return selected(build, e, in, out, error);
}

/* Back: zeros where the columns stood that it left out. */
static ftl_status invert_selector(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    ftl_inputs inputs = {.count = -1};
    const char **names = NULL;
    uint32_t id, zero, at = 0;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_estimator_inputs(build, e, &inputs, error));
    size_t n = inputs.count > 0 ? (size_t)inputs.count : 0;
    bool *mask = ftl_arena_zero_array(build->scratch, n, sizeof *mask);
    double *nothing = ftl_arena_zero_array(build->arena, 1, sizeof *nothing);
    if (!mask || !nothing)
        return FTL_OOM(error);
    FTL_TRY(make_mask(build, e, n, mask, error));
    FTL_TRY(ftl_fitted_names(build, e, n, &names, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, &zero, &op, error));
    op->width = 1;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, nothing, 1)};
    FTL_TRY(ftl_frame_new(build, (uint32_t)n, &frame, error));
    for (size_t i = 0; i < n; i++) {
        frame.columns[i] = (ftl_frame_column){.op = mask[i] ? id : zero,
                                              .column = mask[i] && at < in->n_columns ? at : 0,
                                              .name = names[i]};
        at += mask[i] ? 1 : 0;
    }
    FTL_TRY(ftl_frame_expect(e, in, at, error));
    *out = frame;
    return FTL_OK;
}

/* ---- RFE: its estimator predicts from the columns that are left -------------------------------- */

static uint32_t rfe_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator child;
    ftl_error local;
    const uint32_t handed_on = 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA |
                               1u << FTL_PREDICT_LOG_PROBA | 1u << FTL_DECISION_FUNCTION;
    ftl_error_clear(&local);
    if (ftl_estimator_of(build, ftl_attr(e, "estimator_"), e,
                         ftl_child_path(build, e, "estimator_"), &child, &local) != FTL_OK)
        return 1u << FTL_TRANSFORM;
    return 1u << FTL_TRANSFORM | (ftl_estimator_methods(build, &child) & handed_on);
}

static ftl_status emit_rfe(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    ftl_frame kept;
    if (method == FTL_TRANSFORM)
        return selected(build, e, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_TRANSFORM, in, &kept, error));
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "estimator_"), e,
                             ftl_child_path(build, e, "estimator_"), &child, error));
    return ftl_emit(build, &child, method, &kept, out, error);
}

/* ---- The table ------------------------------------------------------------------------------- */

static ftl_status selector_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("scores_", "variances_", "support_"), out,
                                error);
}

/* n_features_ is the number of those that are left. */
static ftl_status rfe_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    if (!ftl_node_is_none(ftl_attr(e, "n_features_in_")))
        return ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error);
    const ftl_node *support = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("support_"), &support, error));
    *out = (ftl_inputs){.count = (int64_t)ftl_node_length(support)};
    return FTL_OK;
}

/* SelectFromModel keeps no width of its own: its estimator does. */
static ftl_status model_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_estimator child;
    ftl_estimator_class plain = *e->cls;
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    if (out->count >= 0)
        return FTL_OK;
    FTL_TRY(ftl_selector_child(build, e, &child, error));
    plain.inputs = NULL;
    child.cls = &plain;
    return ftl_estimator_inputs(build, &child, out, error);
}

#define SELECTOR(name_)                                                      \
    FTL_PLAIN_TRANSFORMER("sklearn.feature_selection", name_, emit_selector, \
                          .inverse = invert_selector, .inputs = selector_inputs)
#define RFE(name_)                           \
    {.package = "sklearn.feature_selection", \
     .name = (name_),                        \
     .kind = FTL_OTHER_MODEL,                \
     .methods = rfe_methods,                 \
     .emit = emit_rfe,                       \
     .inverse = invert_selector,             \
     .inputs = rfe_inputs}

const ftl_estimator_class ftl_selection_classes[] = {
    SELECTOR("SelectKBest"),
    SELECTOR("SelectPercentile"),
    SELECTOR("SelectFpr"),
    SELECTOR("SelectFdr"),
    SELECTOR("SelectFwe"),
    SELECTOR("GenericUnivariateSelect"),
    SELECTOR("VarianceThreshold"),
    SELECTOR("SequentialFeatureSelector"),
    RFE("RFE"),
    RFE("RFECV"),
    FTL_PLAIN_TRANSFORMER("sklearn.feature_selection", "SelectFromModel", emit_selector,
                          .inverse = invert_selector, .inputs = model_inputs),
    {0},
};
