/*
 * GradientBoosting*. The raw score starts from the init estimator's prediction, taken through the
 * loss's link, and adds learning_rate × value stage by stage, class by class; the product is
 * rounded before it is added, so it is made at load.
 *
 * By version: 0.20 has init estimators of its own; up to 1.3 several classes start from log(p),
 * from 1.4 on from log(p / geometric mean of p); probabilities are clipped by float32's epsilon up
 * to 1.7, by float64's after that. Missing values are refused by every version,
 * though apply asks the first tree alone.
 */
#include "estimators/families.h"
#include "estimators/trees/tree_nodes.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { refused = FTL_CHECK_NAN | FTL_CHECK_INF | FTL_CHECK_F32_RANGE };

typedef struct boosting {
    ftl_node **trees; /* stage by stage, class by class */
    uint32_t n_trees;
    uint32_t n_scores; /* trees of a stage: 1, or the number of classes above 2 */
    double learning_rate;
    bool exponential;
    const ftl_labels *labels; /* classifier */
} boosting;

/* Where the sums start: constants, or an operation's columns. */
typedef struct start {
    const double *base; /* [n_scores]; NULL with raw NULL: zeros */
    const ftl_frame *raw;
} start;

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static uint32_t gb_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT | 1u << FTL_APPLY;
    if (!is_classifier(e))
        return methods;
    return methods | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
           1u << FTL_DECISION_FUNCTION;
}

static ftl_status read_trees(const ftl_estimator *e, boosting *out, ftl_error *error)
{
    size_t n = 0;
    const ftl_node *node = ftl_attr(e, "estimators_");
    FTL_TRY(ftl_attr_items(e, "estimators_", &out->trees, &n, error));
    bool matrix = node->kind == FTL_NODE_ARRAY && node->u.array->ndim == 2;
    if (n == 0 || n > 1u << 24 || !matrix ||
        (node->u.array->fortran && node->u.array->shape[1] > 1 && node->u.array->shape[0] > 1))
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT,
                             "estimators_ is not a matrix of trees");
    out->n_trees = (uint32_t)n;
    out->n_scores = (uint32_t)node->u.array->shape[1];
    return FTL_OK;
}

static ftl_status read_boosting(ftl_build *build, const ftl_estimator *e, boosting *out,
                                ftl_error *error)
{
    *out = (boosting){.n_scores = 1};
    FTL_TRY(read_trees(e, out, error));
    FTL_TRY(ftl_attr_f64(e, "learning_rate", 0.1, &out->learning_rate, error));
    uint32_t n_classes = 2;
    if (is_classifier(e)) {
        const ftl_node *classes = NULL;
        FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
        FTL_TRY(ftl_node_labels(build, classes, &out->labels, error));
        n_classes = out->labels->count;
        out->exponential = ftl_attr_is(e, "loss", "exponential");
        bool known = out->exponential || ftl_attr_is(e, "loss", "deviance") ||
                     ftl_attr_is(e, "loss", "log_loss");
        if (!known)
            return FTL_ATTR_FAIL(error, e, "loss", FTL_UNSUPPORTED,
                                 "%s with this loss is not supported", e->cls->name);
    }
    if (n_classes < 2 || out->n_scores != (n_classes == 2 ? 1 : n_classes) ||
        (out->exponential && n_classes > 2))
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT,
                             "a stage has %u trees for %u classes", out->n_scores, n_classes);
    return FTL_OK;
}

/* ---- Start of the sums ----------------------------------------------------------------------- */

static double epsilon(const ftl_estimator *e)
{
    return e->version < FTL_SKLEARN(1, 8) ? (double)FLT_EPSILON : DBL_EPSILON;
}

static double clip(const ftl_estimator *e, double p)
{
    double low = epsilon(e), high = 1.0 - low;
    return p < low ? low : p > high ? high : p;
}

/*
 * scipy's logit; releases of the time of scikit-learn 1.6 and later avoid the cancellation around
 * one half.
 */
static double logit(const ftl_estimator *e, double p)
{
    if (e->version < FTL_SKLEARN(1, 6) || p < 0.3 || p > 0.65)
        return log(p / (1.0 - p));
    double s = 2.0 * (p - 0.5);
    return log1p(s) - log1p(-s);
}

/* Class probabilities p[n_classes] → raw scores in place. */
static void link_scores(const ftl_estimator *e, const boosting *b, double *p, double *raw)
{
    uint32_t n = b->labels->count;
    for (uint32_t k = 0; k < n; k++)
        p[k] = clip(e, p[k]);
    if (n == 2) {
        raw[0] = b->exponential ? 0.5 * logit(e, p[1]) : logit(e, p[1]);
        return;
    }
    double mean = 1.0, sum = 0.0;
    for (uint32_t k = 0; k < n; k++)
        sum += log(p[k]);
    if (e->version >= FTL_SKLEARN(1, 4))
        mean = exp(sum / n);
    for (uint32_t k = 0; k < n; k++)
        raw[k] = log(p[k] / mean);
}

static ftl_status start_from_prior(ftl_build *build, const ftl_estimator *e,
                                   const ftl_estimator *init, const boosting *b, double *base,
                                   ftl_error *error)
{
    double *prior = NULL;
    FTL_TRY(ftl_attr_vector_copy(build, init, FTL_NAMES("class_prior_"), b->labels->count, &prior,
                                 error));
    link_scores(e, b, prior, base);
    return FTL_OK;
}

/* 0.20's own init estimators: raw scores as they are. False when the class is another. */
static bool start_of_020(ftl_build *build, const ftl_estimator *init, const boosting *b,
                         double *base, ftl_status *status, ftl_error *error)
{
    static const struct {
        const char *name, *attribute;
    } known[] = {{"QuantileEstimator", "quantile"},       {"MeanEstimator", "mean"},
                 {"LogOddsEstimator", "prior"},           {"ScaledLogOddsEstimator", "prior"},
                 {"PriorProbabilityEstimator", "priors"}, {"ZeroEstimator", NULL}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(known); i++) {
        if (init->node->kind != FTL_NODE_OBJECT ||
            strcmp(init->node->u.object->name, known[i].name) != 0)
            continue;
        const double *values = NULL;
        *status = FTL_OK;
        if (known[i].attribute)
            *status = ftl_attr_vector(build, init, FTL_NAMES(known[i].attribute), b->n_scores,
                                      &values, error);
        for (uint32_t k = 0; k < b->n_scores && *status == FTL_OK; k++)
            base[k] = values ? values[k] : 0.0;
        return true;
    }
    return false;
}

static bool is_prior(const ftl_estimator *init)
{
    return ftl_attr_is(init, "strategy", "prior") &&
           !ftl_node_is_none(ftl_attr(init, "class_prior_"));
}

/* ---- A trained init estimator ---------------------------------------------------------------- */

/* What the init estimator sees: the matrix rounded to float32, under the columns' names. */
static ftl_status rounded_frame(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    uint32_t source = 0, id = 0;
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refused, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, source, in->n_columns, &id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < in->n_columns; i++)
        out->columns[i].name = in->columns[i].name;
    return FTL_OK;
}

static ftl_status clip_op(ftl_build *build, const ftl_estimator *e, uint32_t source, uint32_t width,
                          uint32_t *id, ftl_error *error)
{
    ftl_affine_step *steps = ftl_arena_zero_array(build->arena, 2, sizeof *steps);
    double *bounds = ftl_arena_array(build->arena, (size_t)width * 2, sizeof *bounds);
    ftl_op *op = NULL;
    if (!steps || !bounds)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < width; k++) {
        bounds[k] = epsilon(e);
        bounds[width + k] = 1.0 - epsilon(e);
    }
    steps[0] = (ftl_affine_step){.kind = FTL_AFFINE_CLIP_LOW, FTL_SIZED(vector, bounds, width)};
    steps[1] = (ftl_affine_step){.kind = FTL_AFFINE_CLIP_HIGH,
                                 FTL_SIZED(vector, bounds + width, width)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, source, width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 2, FTL_SIZED(steps, steps, 2)};
    return FTL_OK;
}

static ftl_status link_probabilities(ftl_build *build, const ftl_estimator *e, const boosting *b,
                                     const ftl_frame *proba, ftl_frame *out, ftl_error *error)
{
    uint32_t n = b->labels->count, id = 0;
    ftl_op *op = NULL;
    if (proba->n_columns != n)
        return FTL_ATTR_FAIL(error, e, "init_", FTL_CORRUPT, "init_ knows %u classes of %u",
                             proba->n_columns, n);
    ftl_frame wanted = n == 2 ? (ftl_frame){.n_columns = 1, .columns = proba->columns + 1} : *proba;
    FTL_TRY(ftl_build_matrix(build, e, &wanted, &id, error));
    /* Up to 1.3 float32 probabilities are clipped and linked as such. */
    if (e->version >= FTL_SKLEARN(1, 4)) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, id, wanted.n_columns, &id, &op, error));
        op->dtype = FTL_DTYPE_F64;
    }
    FTL_TRY(clip_op(build, e, id, wanted.n_columns, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, id, wanted.n_columns, &id, &op, error));
    op->u.link.link = n > 2 && e->version < FTL_SKLEARN(1, 4) ? FTL_LINK_LOG
                      : n > 2                                 ? FTL_LINK_CENTERED_LOG
                      : b->exponential                        ? FTL_LINK_HALF_LOGIT
                                                              : FTL_LINK_LOGIT;
    return ftl_frame_of_op(build, id, NULL, out, error);
}

static ftl_status start_from_estimator(ftl_build *build, const ftl_estimator *e,
                                       const ftl_node *node, const boosting *b, const ftl_frame *in,
                                       ftl_frame *raw, ftl_error *error)
{
    ftl_estimator init;
    ftl_frame seen, made;
    if (e->version < FTL_SKLEARN(0, 21))
        return FTL_ATTR_FAIL(error, e, "init_", FTL_UNSUPPORTED,
                             "an init estimator of scikit-learn %s is not supported", "0.20");
    FTL_TRY(ftl_estimator_of(build, node, e, ftl_child_path(build, e, "init_"), &init, error));
    FTL_TRY(rounded_frame(build, e, in, &seen, error));
    FTL_TRY(ftl_emit(build, &init, is_classifier(e) ? FTL_PREDICT_PROBA : FTL_PREDICT, &seen, &made,
                     error));
    if (is_classifier(e)) {
        FTL_TRY(link_probabilities(build, e, b, &made, raw, error));
    } else if (made.n_columns != 1 || made.columns[0].as == FTL_AS_LABEL ||
               made.columns[0].as == FTL_AS_CELL) {
        return FTL_ATTR_FAIL(error, e, "init_", FTL_UNSUPPORTED,
                             "an init estimator that does not predict one number is not supported");
    } else
        *raw = made;
    return FTL_OK;
}

static ftl_status find_start(ftl_build *build, const ftl_estimator *e, const boosting *b,
                             const ftl_frame *in, ftl_frame *room, start *out, ftl_error *error)
{
    const ftl_node *node = NULL;
    *out = (start){0};
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("init_"), &node, error));
    if (ftl_node_str_equal(node, "zero"))
        return FTL_OK;
    double *base = ftl_arena_zero_array(build->arena, b->n_scores, sizeof *base);
    const char *path = ftl_child_path(build, e, "init_");
    if (!base || !path)
        return FTL_OOM(error);
    ftl_estimator init = {.node = node, .path = path, .version = e->version};
    ftl_status status = FTL_OK;
    out->base = base;
    if (e->version < FTL_SKLEARN(0, 21) && start_of_020(build, &init, b, base, &status, error))
        return status;
    bool dummy = node->kind == FTL_NODE_OBJECT;
    if (dummy && is_classifier(e) && strcmp(node->u.object->name, "DummyClassifier") == 0 &&
        is_prior(&init))
        return start_from_prior(build, e, &init, b, base, error);
    if (dummy && !is_classifier(e) && strcmp(node->u.object->name, "DummyRegressor") == 0) {
        const double *constant = NULL;
        FTL_TRY(ftl_attr_vector(build, &init, FTL_NAMES("constant_"), 1, &constant, error));
        base[0] = constant[0];
        return FTL_OK;
    }
    out->base = NULL;
    FTL_TRY(start_from_estimator(build, e, node, b, in, room, error));
    out->raw = room;
    return FTL_OK;
}

/* ---- Trees ----------------------------------------------------------------------------------- */

static void leaf_scaled(const void *user, const double *from, double *to)
{
    const boosting *b = user;
    *to = b->learning_rate * *from;
}

static ftl_status boosting_nodes(ftl_build *build, const ftl_estimator *e, const boosting *b,
                                 const ftl_tree_nodes **out, ftl_error *error)
{
    *out = ftl_tree_nodes_emitted(build, e, FTL_OP_TREES);
    if (!*out)
        *out = ftl_tree_nodes_emitted(build, e, FTL_OP_TREE_APPLY);
    if (*out)
        return FTL_OK;
    ftl_tree_targets targets = {.n_outputs = 1, .width = 1, .version = e->version};
    ftl_tree_leaves leaves = {.write = leaf_scaled, .user = b, .width = 1};
    ftl_tree_view *views = NULL;
    ftl_tree_nodes *nodes = NULL;
    FTL_TRY(ftl_tree_targets_views(build, e, &targets, b->trees, b->n_trees, &views, error));
    FTL_TRY(ftl_tree_views_join(build, views, b->n_trees, &leaves, e->path, &nodes, error));
    *out = nodes;
    return FTL_OK;
}

/* The columns that TREES reads: X, and after it the scores to start from. */
static ftl_status joined_source(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                const start *from, ftl_frame *out, ftl_error *error)
{
    uint32_t id = 0;
    ftl_frame parts[2] = {{0}, {0}};
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refused, &id, error));
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &parts[0], error));
    if (!from->raw) {
        *out = parts[0];
        return FTL_OK;
    }
    parts[1] = *from->raw;
    return ftl_frame_concat(build, parts, 2, out, error);
}

static ftl_status emit_raw(ftl_build *build, const ftl_estimator *e, const boosting *b,
                           const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    ftl_frame room, source;
    start from;
    ftl_op *op = NULL;
    FTL_TRY(boosting_nodes(build, e, b, &nodes, error));
    FTL_TRY(find_start(build, e, b, in, &room, &from, error));
    FTL_TRY(joined_source(build, e, in, &from, &source, error));
    uint32_t *target = NULL, matrix = 0;
    if (b->n_scores > 1) {
        target = ftl_arena_array(build->arena, b->n_trees, sizeof *target);
        if (!target)
            return FTL_OOM(error);
        for (uint32_t t = 0; t < b->n_trees; t++)
            target[t] = t % b->n_scores;
    }
    FTL_TRY(ftl_build_matrix(build, e, &source, &matrix, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, matrix, b->n_scores, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = nodes,
                                 .input = FTL_TREE_INPUT_F32,
                                 FTL_SIZED(target, target, target ? b->n_trees : 0),
                                 FTL_SIZED(base, from.base, from.base ? b->n_scores : 0),
                                 .divisor = 1.0,
                                 .base_column = from.raw ? in->n_columns : 0};
    return FTL_OK;
}

/* ---- Methods --------------------------------------------------------------------------------- */

static ftl_status emit_link(ftl_build *build, const ftl_estimator *e, const boosting *b,
                            uint32_t raw, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, raw, b->labels->count, id, &op, error));
    op->u.link.link = b->n_scores > 1 ? (e->version < FTL_SKLEARN(1, 4) ? FTL_LINK_LOGSUMEXP_SOFTMAX
                                                                        : FTL_LINK_SOFTMAX)
                      : b->exponential ? FTL_LINK_SIGMOID2_PAIR
                                       : FTL_LINK_SIGMOID_PAIR;
    return FTL_OK;
}

/*
 * Up to 1.3 the label is the larger probability, but for the exponential loss; from 1.4 on it comes
 * from the raw scores.
 */
static ftl_status emit_label(ftl_build *build, const ftl_estimator *e, const boosting *b,
                             uint32_t raw, ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw;
    ftl_op *op = NULL;
    bool by_probability = e->version < FTL_SKLEARN(1, 4) && !b->exponential;
    if (by_probability)
        FTL_TRY(emit_link(build, e, b, raw, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_DECIDE, id, 1, &id, &op, error));
    op->u.decide.rule = by_probability || b->n_scores > 1 ? FTL_DECIDE_ARGMAX
                                                          : FTL_DECIDE_NOT_NEGATIVE;
    return ftl_result_labels(build, id, b->labels, out, error);
}

static ftl_status emit_log(ftl_build *build, const ftl_estimator *e, const boosting *b,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t id = 0;
    ftl_op *op = NULL;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(
        ftl_build_on(build, e, FTL_OP_LINK, proba.columns[0].op, proba.n_columns, &id, &op, error));
    op->u.link.link = FTL_LINK_LOG;
    return ftl_result_scores(build, id, b->labels, out, error);
}

/* The raw scores: decision_function of a classifier, predict of a regressor. */
static ftl_status raw_scores(ftl_build *build, const ftl_estimator *e, const boosting *b,
                             const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_frame scores;
    if (!is_classifier(e))
        return emit_raw(build, e, b, in, id, error);
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    *id = scores.columns[0].op;
    return FTL_OK;
}

static ftl_status emit_apply(ftl_build *build, const ftl_estimator *e, const boosting *b,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    FTL_TRY(boosting_nodes(build, e, b, &nodes, error));
    ftl_estimator first = {
        .node = b->trees[0], .path = e->path, .cls = e->cls, .version = e->version};
    uint32_t refuse = ftl_tree_refusals(&first, false, false);
    return ftl_tree_emit_apply(build, e, in, refuse, nodes, FTL_AS_FLOAT, out, error);
}

static ftl_status gb_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                          const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    boosting b;
    uint32_t id = 0;
    FTL_TRY(read_boosting(build, e, &b, error));
    switch (method) {
    case FTL_APPLY:
        return emit_apply(build, e, &b, in, out, error);
    case FTL_DECISION_FUNCTION:
        FTL_TRY(emit_raw(build, e, &b, in, &id, error));
        return ftl_result_scores(build, id, b.labels, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return emit_log(build, e, &b, in, out, error);
    case FTL_PREDICT:
        FTL_TRY(raw_scores(build, e, &b, in, &id, error));
        if (is_classifier(e))
            return emit_label(build, e, &b, id, out, error);
        return ftl_result_values(build, id, out, error);
    case FTL_PREDICT_PROBA:
        FTL_TRY(raw_scores(build, e, &b, in, &id, error));
        FTL_TRY(emit_link(build, e, &b, id, &id, error));
        return ftl_result_scores(build, id, b.labels, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

static const char *gb_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **trees = NULL;
    size_t n = 0;
    if (ftl_attr_items(e, "estimators_", &trees, &n, NULL) != FTL_OK)
        return "";
    const ftl_node *classes = is_classifier(e) ? ftl_attr(e, "classes_") : NULL;
    return ftl_tree_detail(build, trees, n, ftl_node_length(classes));
}

#define BOOSTING_CLASS(name_, kind_) \
    {.package = "sklearn.ensemble",  \
     .name = name_,                  \
     .kind = kind_,                  \
     .methods = gb_methods,          \
     .emit = gb_emit,                \
     .detail = gb_detail}

const ftl_estimator_class ftl_gradient_boosting_classes[] = {
    BOOSTING_CLASS("GradientBoostingClassifier", FTL_CLASSIFIER),
    BOOSTING_CLASS("GradientBoostingRegressor", FTL_REGRESSOR),
    {0},
};
