/*
 * AdaBoostClassifier (SAMME and SAMME.R) and AdaBoostRegressor. The models are fitted on the
 * classes themselves.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"
#include "estimators/trees/joined_trees.h"

#include <float.h>
#include <math.h>
#include <string.h>

static uint32_t classifier_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA |
           1u << FTL_DECISION_FUNCTION;
}

static uint32_t regressor_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT;
}

/* SAMME.R is the default up to 1.5; from 1.6 on there is SAMME alone, whatever the attribute says.
 */
static bool is_real(const ftl_estimator *e)
{
    return e->version < FTL_SKLEARN(1, 6) && ftl_attr_is(e, "algorithm", "SAMME.R");
}

/* One weight a model; the array is as long as n_estimators where fitting stopped early. */
static ftl_status read_weights(ftl_build *build, const ftl_estimator *e, uint32_t n,
                               const double **out, double *total, ftl_error *error)
{
    ftl_array2 weights = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("estimator_weights_"), &weights, error));
    if (weights.rows != 1 || weights.columns < n)
        return FTL_ATTR_FAIL(error, e, "estimator_weights_", FTL_CORRUPT,
                             "%zu weights for %u estimators", weights.columns, n);
    *out = weights.data;
    *total = 0;
    for (size_t i = 0; i < weights.columns; i++)
        *total += weights.data[i];
    return FTL_OK;
}

typedef struct boost {
    ftl_children children;
    const ftl_labels *own;
    const double *weights;
    double total;
    ftl_frame rows;     /* checked */
    ftl_frame *results; /* [children.n] room */
    ftl_tree_children trees;
} boost;

static ftl_status prepare(ftl_build *build, const ftl_estimator *e, const ftl_frame *in, boost *out,
                          ftl_error *error)
{
    FTL_TRY(ftl_children_read(build, e, "estimators_", &out->children, error));
    FTL_TRY(read_weights(build, e, out->children.n, &out->weights, &out->total, error));
    FTL_TRY(ftl_frame_checked(build, e, FTL_CHECK_NAN | FTL_CHECK_INF, in, &out->rows, error));
    FTL_TRY(ftl_tree_children_read(build, &out->children, out->own, FTL_LABELS_PLAIN, &out->trees,
                                   error));
    out->results = ftl_arena_zero_array(build->scratch, out->children.n, sizeof *out->results);
    return out->results ? FTL_OK : FTL_OOM(error);
}

static ftl_status prepare_classes(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  boost *out, ftl_error *error)
{
    FTL_TRY(ftl_own_labels(build, e, &out->own, error));
    if (out->own->count < 2)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_UNSUPPORTED,
                             "AdaBoostClassifier that was fitted on one class");
    return prepare(build, e, in, out, error);
}

static ftl_status emit_children(ftl_build *build, boost *b, ftl_method method, ftl_error *error)
{
    for (uint32_t i = 0; i < b->children.n; i++)
        FTL_TRY(
            ftl_child_emit(build, &b->children.items[i], method, &b->rows, &b->results[i], error));
    return FTL_OK;
}

/* ---- Plain trees ----------------------------------------------------------------------------- */

/* TREES on rows that are known to be finite. */
static ftl_status emit_nodes(ftl_build *build, const ftl_estimator *e, const boost *b,
                             const ftl_tree_nodes *nodes, uint32_t width, uint32_t *id,
                             ftl_trees_op **op, ftl_error *error)
{
    uint32_t source;
    FTL_TRY(ftl_build_checked_matrix(build, b->trees.first, &b->rows,
                                     b->trees.refuse & FTL_CHECK_F32_RANGE, &source, error));
    return ftl_tree_emit_on(build, e, source, nodes, width, id, op, error);
}

/* The sum over the trees, divided by the sum of weights. */
static ftl_status emit_tree_scores(ftl_build *build, const ftl_estimator *e, const boost *b,
                                   ftl_leaf_fn *write, uint32_t width, uint32_t *id,
                                   ftl_error *error)
{
    ftl_trees_op *op = NULL;
    ftl_tree_nodes *nodes = NULL;
    FTL_TRY(
        ftl_tree_children_join(build, e, &b->trees, 0, b->trees.n, write, width, &nodes, error));
    FTL_TRY(emit_nodes(build, e, b, nodes, width, id, &op, error));
    op->divisor = b->total;
    return FTL_OK;
}

/* SAMME.R of a leaf's probabilities: what FTL_LINK_SAMME computes of a row. */
static void real_share(const void *user, const double *from, double *to)
{
    const ftl_tree_child *child = user;
    uint32_t n = child->width;
    double sum = 0;
    ftl_leaf_probabilities(&child->targets, from, to);
    for (uint32_t k = 0; k < n; k++) {
        to[k] = log(to[k] < DBL_EPSILON ? DBL_EPSILON : to[k]);
        sum += to[k];
    }
    double mean = 1.0 / (double)n * sum;
    for (uint32_t k = 0; k < n; k++)
        to[k] = (double)(n - 1) * (to[k] - mean);
}

/* ---- Scores of classes ----------------------------------------------------------------------- */

static ftl_status emit_real(ftl_build *build, const ftl_estimator *e, boost *b, uint32_t *id,
                            ftl_error *error)
{
    bool joined = b->trees.n != 0;
    for (uint32_t i = 0; i < b->trees.n; i++)
        joined &= b->trees.items[i].n_classes == b->own->count;
    if (joined)
        return emit_tree_scores(build, e, b, real_share, b->own->count, id, error);
    FTL_TRY(emit_children(build, b, FTL_PREDICT_PROBA, error));
    for (uint32_t i = 0; i < b->children.n; i++) {
        uint32_t source, link;
        if (b->results[i].n_columns != b->own->count)
            return FTL_ATTR_FAIL(error, e, "estimators_", FTL_UNSUPPORTED,
                                 "model %u knows %u of %u classes", i, b->results[i].n_columns,
                                 b->own->count);
        FTL_TRY(ftl_build_matrix(build, e, &b->results[i], &source, error));
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SAMME, source, b->own->count, &link, error));
        FTL_TRY(ftl_frame_of_op(build, link, NULL, &b->results[i], error));
    }
    const ftl_sum how = {.rule = FTL_COMBINE_SUM, .divisor = b->total, .dtype = FTL_DTYPE_SAME};
    return ftl_emit_plain_sum(build, e, b->results, b->children.n, &how, id, error);
}

/*
 * From 1.3 on a model's other classes lose what would make its scores sum up to zero. miss: [n],
 * this for each model.
 */
static ftl_status read_misses(ftl_build *build, const ftl_estimator *e, const boost *b,
                              double **miss, ftl_error *error)
{
    double *made = ftl_repeat(build, 0.0, b->children.n);
    if (!made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < b->children.n && e->version >= FTL_SKLEARN(1, 3); i++)
        made[i] = -1.0 / (double)(b->own->count - 1) * b->weights[i];
    *miss = made;
    return FTL_OK;
}

static ftl_status emit_discrete(ftl_build *build, const ftl_estimator *e, boost *b, uint32_t *id,
                                ftl_error *error)
{
    double *miss = NULL;
    FTL_TRY(read_misses(build, e, b, &miss, error));
    for (uint32_t i = 0; i < b->trees.n; i++) {
        b->trees.items[i].hit = b->weights[i];
        b->trees.items[i].miss = miss[i];
    }
    if (b->trees.n)
        return emit_tree_scores(build, e, b, ftl_child_vote, b->own->count, id, error);
    FTL_TRY(emit_children(build, b, FTL_PREDICT, error));
    return ftl_emit_vote(build, e, b->results, b->children.n, b->own, FTL_LABELS_PLAIN, b->weights,
                         miss, b->total, id, error);
}

static ftl_status emit_scores(ftl_build *build, const ftl_estimator *e, boost *b, uint32_t *id,
                              ftl_error *error)
{
    return is_real(e) ? emit_real(build, e, b, id, error) : emit_discrete(build, e, b, id, error);
}

/* Two classes: the second one's score less the first one's. */
static ftl_status emit_difference(ftl_build *build, const ftl_estimator *e, uint32_t scores,
                                  uint32_t *id, ftl_error *error)
{
    static const uint32_t target[2] = {0, 0};
    static const double weights[2] = {-1.0, 1.0};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_COMBINE, scores, 1, id, &op, error));
    op->u.combine = (ftl_combine_op){.rule = FTL_COMBINE_SUM,
                                     FTL_SIZED(target, target, 2),
                                     FTL_SIZED(weights, weights, 2),
                                     .divisor = 1.0};
    return FTL_OK;
}

/* The difference of two classes is one sum where one's share is always less the other's. */
static bool is_symmetric(const ftl_estimator *e, const boost *b)
{
    bool symmetric = b->own->count == 2 && !is_real(e) && e->version >= FTL_SKLEARN(1, 3) &&
                     b->trees.n != 0;
    for (uint32_t i = 0; i < b->trees.n && symmetric; i++)
        symmetric = fabs(b->weights[i]) < 1e100 &&
                    (b->weights[i] == 0 || fabs(b->weights[i]) > 1e-100);
    return symmetric;
}

/*
 * With the scores s and -s the difference is s - -s, the sum of twice the weights: all numbers that
 * come about are twice what they were.
 */
static void twice_weight(const void *user, const double *from, double *to)
{
    const ftl_tree_child *child = user;
    double index;
    ftl_leaf_classes(&child->targets, from, &index);
    *to = child->place[(uint32_t)index] == 1 ? 2 * child->hit : -2 * child->hit;
}

static ftl_status emit_decision(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    boost b = {0};
    uint32_t id;
    FTL_TRY(prepare_classes(build, e, in, &b, error));
    if (is_symmetric(e, &b)) {
        for (uint32_t i = 0; i < b.trees.n; i++)
            b.trees.items[i].hit = b.weights[i];
        FTL_TRY(emit_tree_scores(build, e, &b, twice_weight, 1, &id, error));
        return ftl_result_scores(build, id, b.own, out, error);
    }
    FTL_TRY(emit_scores(build, e, &b, &id, error));
    if (b.own->count == 2)
        FTL_TRY(emit_difference(build, e, id, &id, error));
    return ftl_result_scores(build, id, b.own, out, error);
}

/* ---- Probabilities --------------------------------------------------------------------------- */

static ftl_status emit_divided(ftl_build *build, const ftl_estimator *e, uint32_t source,
                               double divisor, uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[source].width;
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    const double *vector = ftl_repeat(build, divisor, width);
    if (!step || !vector)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = FTL_AFFINE_DIV, FTL_SIZED(vector, vector, width)};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, source, width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

/* Up to 0.21: the scores of all classes, which are weighted probabilities for SAMME. */
static ftl_status emit_old_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  const ftl_labels **own, uint32_t *id, ftl_error *error)
{
    boost b = {0};
    FTL_TRY(prepare_classes(build, e, in, &b, error));
    *own = b.own;
    if (is_real(e))
        return emit_real(build, e, &b, id, error);
    for (uint32_t i = 0; i < b.trees.n; i++)
        b.trees.items[i].weight = b.weights[i];
    if (b.trees.n)
        return emit_tree_scores(build, e, &b, ftl_child_probabilities, b.own->count, id, error);
    FTL_TRY(emit_children(build, &b, FTL_PREDICT_PROBA, error));
    const ftl_sum how = {.rule = FTL_COMBINE_SUM,
                         .encoding = FTL_LABELS_PLAIN,
                         .weights = b.weights,
                         .divisor = b.total,
                         .dtype = FTL_DTYPE_F64};
    return ftl_emit_sum(build, e, b.results, b.children.n, b.own, &how, id, error);
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    const ftl_labels *own = NULL;
    uint32_t id;
    bool old = e->version < FTL_SKLEARN(0, 22), pair = false;
    if (old)
        FTL_TRY(emit_old_scores(build, e, in, &own, &id, error));
    else {
        FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
        id = scores.columns[0].op;
        own = scores.columns[0].labels;
        pair = scores.n_columns == 1;
    }
    FTL_TRY(emit_divided(build, e, id, pair ? 2.0 : own->count - 1, &id, error));
    FTL_TRY(ftl_emit_link(build, e, pair ? FTL_LINK_SOFTMAX_PAIR : FTL_LINK_SOFTMAX, id, own->count,
                          &id, error));
    return ftl_result_scores(build, id, own, out, error);
}

static ftl_status classifier_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    switch (method) {
    case FTL_PREDICT:
        return ftl_linear_predict(build, e, in, out, error);
    case FTL_DECISION_FUNCTION:
        return emit_decision(build, e, in, out, error);
    case FTL_PREDICT_PROBA:
        return emit_proba(build, e, in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_log_proba(build, e, in, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

/* ---- Regression ------------------------------------------------------------------------------ */

/* A column a model: what it predicts. */
static ftl_status emit_predictions(ftl_build *build, const ftl_estimator *e, boost *b,
                                   ftl_frame *out, ftl_error *error)
{
    ftl_parts parts = {0};
    FTL_TRY(emit_children(build, b, FTL_PREDICT, error));
    for (uint32_t i = 0; i < b->children.n; i++) {
        if (b->results[i].n_columns != 1)
            return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT,
                                 "model %u predicts %u values", i, b->results[i].n_columns);
        FTL_TRY(ftl_label_values(build, e, &b->results[i], &b->results[i], error));
        FTL_TRY(ftl_parts_add(build, &b->results[i], &parts, error));
    }
    *out = parts.frame;
    return FTL_OK;
}

/* A leaf's value as an integer that compares as it does, and its row among all trees' values. */
typedef struct ranked {
    uint64_t key;
    uint32_t row;
} ranked;

/* numpy's order: both zeros alike, NaN behind everything. */
static uint64_t key_of(double value)
{
    uint64_t bits, sign = (uint64_t)1 << 63;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return UINT64_MAX;
    return bits & sign ? ~bits : bits | sign;
}

/* By digits, the lowest first; equal keys stay as they come. other: room of the same size. */
static void sort_ranked(ranked *items, ranked *other, uint32_t n)
{
    enum { bits = 11, n_digits = 1 << bits, passes = 6 }; /* an even number ends in items */
    for (uint32_t pass = 0; pass < passes; pass++) {
        uint32_t start[n_digits + 1] = {0};
        for (uint32_t i = 0; i < n; i++)
            start[(items[i].key >> pass * bits & (n_digits - 1)) + 1]++;
        for (uint32_t d = 0; d < n_digits; d++)
            start[d + 1] += start[d];
        for (uint32_t i = 0; i < n; i++)
            other[start[items[i].key >> pass * bits & (n_digits - 1)]++] = items[i];
        ranked *swap = items;
        items = other;
        other = swap;
    }
}

/* Leaves hold the places of their values among all trees' from here on; these are the median's. */
static ftl_status rank_leaves(ftl_build *build, ftl_tree_nodes *nodes, ftl_median_op *out,
                              ftl_error *error)
{
    uint32_t n = nodes->n_values;
    ranked *items = ftl_arena_array(build->scratch, n, sizeof *items);
    ranked *other = ftl_arena_array(build->scratch, n, sizeof *other);
    uint32_t *owner = ftl_arena_zero_array(build->scratch, n, sizeof *owner);
    double *values = ftl_arena_array(build->arena, n, sizeof *values);
    double *place = ftl_arena_array(build->arena, n, sizeof *place);
    uint32_t *column = ftl_arena_array(build->arena, n, sizeof *column);
    if (!items || !other || !owner || !values || !place || !column)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        for (uint32_t i = nodes->root[t]; i < nodes->root[t + 1]; i++) {
            if (nodes->flags[i] & FTL_NODE_LEAF)
                owner[nodes->leaf[i]] = t;
        }
    }
    for (uint32_t row = 0; row < n; row++)
        items[row] = (ranked){key_of(nodes->values[row]), row};
    sort_ranked(items, other, n);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = nodes->values[items[i].row];
        column[i] = owner[items[i].row];
        place[items[i].row] = i;
    }
    nodes->values = place;
    out->n_values = n;
    out->values = values;
    out->column = column;
    out->values_count = out->column_count = n;
    return FTL_OK;
}

/* A column a tree: the place of its value. */
static ftl_status emit_places(ftl_build *build, const ftl_estimator *e, const boost *b,
                              ftl_frame *out, ftl_median_op *median, ftl_error *error)
{
    uint32_t n = b->trees.n, id, *target = ftl_arena_array(build->arena, n, sizeof *target);
    ftl_tree_nodes *nodes = NULL;
    ftl_trees_op *op = NULL;
    if (!target)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++)
        target[i] = i;
    FTL_TRY(ftl_tree_children_join(build, e, &b->trees, 0, n, ftl_child_means, 1, &nodes, error));
    FTL_TRY(rank_leaves(build, nodes, median, error));
    FTL_TRY(emit_nodes(build, e, b, nodes, n, &id, &op, error));
    op->target = target;
    op->target_count = n;
    return ftl_frame_of_op(build, id, NULL, out, error);
}

static ftl_status regressor_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)method;
    boost b = {0};
    ftl_frame values;
    ftl_op *op = NULL;
    uint32_t id;
    FTL_TRY(prepare(build, e, in, &b, error));
    bool joined = b.trees.n != 0 && b.trees.items[0].targets.n_outputs == 1;
    ftl_median_op median = {FTL_SIZED(weights, b.weights, b.children.n)};
    FTL_TRY(joined ? emit_places(build, e, &b, &values, &median, error)
                   : emit_predictions(build, e, &b, &values, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_MEDIAN, &values, &id, &op, error));
    op->width = 1;
    op->u.median = median;
    return ftl_result_values(build, id, out, error);
}

const ftl_estimator_class ftl_adaboost_classes[] = {
    {.package = "sklearn.ensemble",
     .name = "AdaBoostClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = classifier_methods,
     .emit = classifier_emit,
     .inputs = ftl_ensemble_inputs,
     .detail = ftl_ensemble_detail},
    {.package = "sklearn.ensemble",
     .name = "AdaBoostRegressor",
     .kind = FTL_REGRESSOR,
     .methods = regressor_methods,
     .emit = regressor_emit,
     .inputs = ftl_ensemble_inputs,
     .detail = ftl_ensemble_detail},
    {0},
};
