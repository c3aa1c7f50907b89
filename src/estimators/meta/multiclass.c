/*
 * OneVsRestClassifier and OneVsOneClassifier. A binary model's score is its decision_function, or
 * the probability of its second class where it has none; a regressor's its prediction.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <string.h>

/* ---- Scores of binary models ----------------------------------------------------------------- */

/* Scores above it are for the second class. */
static double threshold_of(ftl_build *build, const ftl_children *children)
{
    return ftl_child_scores(build, &children->items[0]) == FTL_DECISION_FUNCTION ? 0.0 : 0.5;
}

/* The last column: of two probabilities the second, of one score or value that. */
static ftl_status last_column(const ftl_estimator *child, const ftl_frame *made, ftl_frame *out,
                              ftl_error *error)
{
    if (made->n_columns == 0 || made->n_columns > 2) {
        ftl_error_set(error, FTL_CORRUPT, "a binary model yields %u columns", made->n_columns);
        ftl_error_in(error, child->path);
        return FTL_CORRUPT;
    }
    *out = (ftl_frame){.n_columns = 1, .columns = made->columns + (made->n_columns - 1)};
    return FTL_OK;
}

static ftl_status binary_score(ftl_build *build, const ftl_estimator *child, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame made;
    FTL_TRY(ftl_child_emit(build, child, method, in, &made, error));
    return last_column(child, &made, out, error);
}

static ftl_method score_method(ftl_build *build, const ftl_estimator *child)
{
    return child->cls->kind == FTL_REGRESSOR ? FTL_PREDICT : ftl_child_scores(build, child);
}

/* One column a model; method FTL_METHOD_COUNT: each model's own kind of score. */
static ftl_status binary_scores(ftl_build *build, const ftl_children *children, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_parts parts = {0};
    for (uint32_t i = 0; i < children->n; i++) {
        const ftl_estimator *child = &children->items[i];
        ftl_frame score;
        ftl_method own = method == FTL_METHOD_COUNT ? score_method(build, child) : method;
        FTL_TRY(binary_score(build, child, own, in, &score, error));
        FTL_TRY(ftl_parts_add(build, &score, &parts, error));
    }
    *out = parts.frame;
    return FTL_OK;
}

static ftl_status emit_above(ftl_build *build, const ftl_estimator *e, const ftl_frame *scores,
                             double threshold, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    uint32_t source;
    FTL_TRY(ftl_build_matrix(build, e, scores, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, source, scores->n_columns, id, &op, error));
    op->u.binarize.threshold = threshold;
    return FTL_OK;
}

/* ---- OneVsRestClassifier --------------------------------------------------------------------- */

typedef struct rest {
    ftl_children children;
    const ftl_labels *own;
    bool multilabel, binary;
} rest;

static ftl_status read_rest(ftl_build *build, const ftl_estimator *e, rest *out, ftl_error *error)
{
    const ftl_node *binarizer = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("label_binarizer_"), &binarizer, error));
    const ftl_node *type = ftl_node_attr(binarizer, "y_type_");
    ftl_node_string text = {"", 0};
    ftl_status status = ftl_node_labels(build, ftl_node_attr(binarizer, "classes_"), &out->own,
                                        error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "label_binarizer_");
        return status;
    }
    if (type)
        (void)ftl_node_as_str(type, &text);
    out->multilabel = strncmp(text.data, "multilabel", 10) == 0;
    FTL_TRY(ftl_children_read(build, e, "estimators_", &out->children, error));
    out->binary = !out->multilabel && out->children.n == 1 && out->own->count <= 2;
    if (!out->binary && out->children.n != out->own->count)
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT, "%u models for %u classes",
                             out->children.n, out->own->count);
    if (out->binary && out->own->count != 2)
        return FTL_ATTR_FAIL(error, e, "label_binarizer_", FTL_UNSUPPORTED,
                             "OneVsRestClassifier that was fitted on one class");
    return FTL_OK;
}

static uint32_t rest_methods(ftl_build *build, const ftl_estimator *e)
{
    uint32_t first = ftl_children_methods(build, e, "estimators_");
    return 1u << FTL_PREDICT | (first & (1u << FTL_PREDICT_PROBA | 1u << FTL_DECISION_FUNCTION));
}

/* Of equal scores the last one wins up to 1.7, the first one later. */
static ftl_status emit_largest(ftl_build *build, const ftl_estimator *e, const rest *r,
                               const ftl_frame *scores, ftl_frame *out, ftl_error *error)
{
    ftl_labels *labels = ftl_arena_copy(build->arena, r->own, sizeof *labels);
    uint32_t n = r->own->count, id, *picked = ftl_arena_array(build->scratch, n, sizeof *picked);
    ftl_cell *cells = ftl_arena_array(build->arena, n, sizeof *cells);
    bool last = e->version < FTL_SKLEARN(1, 8);
    ftl_frame ordered;
    if (!labels || !picked || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        picked[i] = last ? n - 1 - i : i;
        cells[i] = r->own->cells[picked[i]];
    }
    labels->cells = cells;
    FTL_TRY(ftl_frame_select(build, scores, picked, n, &ordered, error));
    FTL_TRY(ftl_build_matrix(build, e, &ordered, &id, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
    return ftl_result_labels(build, id, labels, out, error);
}

static ftl_status rest_predict(ftl_build *build, const ftl_estimator *e, const rest *r,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t id;
    FTL_TRY(binary_scores(build, &r->children, FTL_METHOD_COUNT, in, &scores, error));
    if (!r->multilabel && !r->binary)
        return emit_largest(build, e, r, &scores, out, error);
    FTL_TRY(emit_above(build, e, &scores, threshold_of(build, &r->children), &id, error));
    if (r->binary)
        return ftl_result_labels(build, id, r->own, out, error);
    FTL_TRY(ftl_result_values(build, id, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_INT;
    return FTL_OK;
}

/* Up to 1.6 a row of zeros becomes 0 / 0. */
static ftl_status rest_proba(ftl_build *build, const ftl_estimator *e, const rest *r,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t id;
    FTL_TRY(binary_scores(build, &r->children, FTL_PREDICT_PROBA, in, &scores, error));
    FTL_TRY(ftl_build_matrix(build, e, &scores, &id, error));
    if (build->ops[id].width != scores.n_columns)
        return FTL_FAIL(error, FTL_CORRUPT, "a matrix of probabilities has the wrong width");
    ftl_link link = e->version >= FTL_SKLEARN(1, 7) ? FTL_LINK_NORMALIZE_ZERO : FTL_LINK_NORMALIZE;
    if (r->binary)
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_PAIR, id, 2, &id, error));
    if (!r->multilabel)
        FTL_TRY(ftl_emit_link(build, e, link, id, r->own->count, &id, error));
    return ftl_result_scores(build, id, r->own, out, error);
}

static ftl_status rest_decision(ftl_build *build, const ftl_estimator *e, const rest *r,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t id;
    FTL_TRY(binary_scores(build, &r->children, FTL_DECISION_FUNCTION, in, &scores, error));
    FTL_TRY(ftl_build_matrix(build, e, &scores, &id, error));
    return ftl_result_scores(build, id, r->own, out, error);
}

static ftl_status rest_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    rest r = {0};
    FTL_TRY(read_rest(build, e, &r, error));
    switch (method) {
    case FTL_PREDICT:
        return rest_predict(build, e, &r, in, out, error);
    case FTL_PREDICT_PROBA:
        return rest_proba(build, e, &r, in, out, error);
    case FTL_DECISION_FUNCTION:
        return rest_decision(build, e, &r, in, out, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT, "%s has no %s", e->cls->name, ftl_method_name(method));
    }
}

/* ---- _ConstantPredictor ---------------------------------------------------------------------- */

/* Stands where all rows were of one class: y_ is 0 or 1. */
static uint32_t constant_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_DECISION_FUNCTION;
}

static ftl_status constant_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)in;
    ftl_array2 y = {0};
    double *values = ftl_arena_array(build->arena, 2, sizeof *values);
    ftl_op *op = NULL;
    uint32_t id;
    if (!values)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("y_"), &y, error));
    if (y.rows * y.columns != 1)
        return FTL_ATTR_FAIL(error, e, "y_", FTL_CORRUPT, "y_ has %zu values", y.rows * y.columns);
    bool pair = method == FTL_PREDICT_PROBA;
    values[0] = pair ? 1.0 - y.data[0] : y.data[0];
    values[1] = y.data[0];
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, &id, &op, error));
    op->width = pair ? 2 : 1;
    op->dtype = FTL_DTYPE_F64;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, values, op->width)};
    return ftl_result_values(build, id, out, error);
}

/* ---- OneVsOneClassifier ---------------------------------------------------------------------- */

static uint32_t one_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_DECISION_FUNCTION;
}

static ftl_status read_one(ftl_build *build, const ftl_estimator *e, ftl_children *children,
                           const ftl_labels **own, ftl_error *error)
{
    FTL_TRY(ftl_own_labels(build, e, own, error));
    FTL_TRY(ftl_children_read(build, e, "estimators_", children, error));
    if ((*own)->count < 2 || ftl_pairs((*own)->count) != children->n)
        return FTL_ATTR_FAIL(error, e, "estimators_", FTL_CORRUPT, "%u models for %u classes",
                             children->n, (*own)->count);
    if (!ftl_node_is_none(ftl_attr(e, "pairwise_indices_")))
        return FTL_ATTR_FAIL(error, e, "pairwise_indices_", FTL_UNSUPPORTED,
                             "models on a matrix of distances or kernels");
    return FTL_OK;
}

/* Votes of all pairs: 0 is for the pair's first class, 1 for its second. */
static ftl_status emit_votes(ftl_build *build, const ftl_estimator *e, const ftl_children *children,
                             const ftl_labels *own, const ftl_frame *in, uint32_t *id,
                             ftl_error *error)
{
    ftl_frame all;
    ftl_op *op = NULL;
    uint32_t n = children->n, pair = 0;
    uint32_t *start = ftl_arena_array(build->arena, (size_t)n + 1, sizeof *start);
    uint32_t *map = ftl_arena_array(build->arena, 2 * (size_t)n, sizeof *map);
    const double *ones = ftl_repeat(build, 1.0, n);
    if (!start || !map || !ones)
        return FTL_OOM(error);
    FTL_TRY(binary_scores(build, children, FTL_PREDICT, in, &all, error));
    for (uint32_t i = 0; i < n; i++) {
        const ftl_labels *labels = all.columns[i].labels;
        if (labels && labels->count != 2)
            return FTL_ATTR_FAIL(error, e, "estimators_", FTL_UNSUPPORTED,
                                 "model %u predicts %u classes", i, labels->count);
    }
    for (uint32_t i = 0; i < own->count; i++) {
        for (uint32_t j = i + 1; j < own->count; j++, pair++) {
            start[pair] = 2 * pair;
            map[2 * pair] = i;
            map[2 * pair + 1] = j;
        }
    }
    start[n] = 2 * n;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_VOTE, &all, id, &op, error));
    op->width = own->count;
    op->dtype = FTL_DTYPE_F64;
    op->u.vote = (ftl_vote_op){FTL_SIZED(start, start, (size_t)n + 1),
                               FTL_SIZED(map, map, 2 * (size_t)n), FTL_SIZED(hit, ones, n),
                               .divisor = 1.0};
    return FTL_OK;
}

/* Each pair's score is taken from its first class and given to its second. */
static ftl_status emit_confidences(ftl_build *build, const ftl_estimator *e,
                                   const ftl_children *children, const ftl_labels *own,
                                   const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_frame scores, twice;
    ftl_op *op = NULL;
    uint32_t n = children->n, pair = 0, *picked, *target;
    picked = ftl_arena_array(build->scratch, 2 * (size_t)n, sizeof *picked);
    target = ftl_arena_array(build->arena, 2 * (size_t)n, sizeof *target);
    double *weights = ftl_arena_array(build->arena, 2 * (size_t)n, sizeof *weights);
    if (!picked || !target || !weights)
        return FTL_OOM(error);
    FTL_TRY(binary_scores(build, children, FTL_METHOD_COUNT, in, &scores, error));
    for (uint32_t i = 0; i < own->count; i++) {
        for (uint32_t j = i + 1; j < own->count; j++, pair++) {
            picked[2 * pair] = picked[2 * pair + 1] = pair;
            target[2 * pair] = i;
            target[2 * pair + 1] = j;
            weights[2 * pair] = -1.0;
            weights[2 * pair + 1] = 1.0;
        }
    }
    FTL_TRY(ftl_frame_select(build, &scores, picked, 2 * n, &twice, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_COMBINE, &twice, id, &op, error));
    op->width = own->count;
    op->dtype = FTL_DTYPE_F64;
    op->u.combine = (ftl_combine_op){.rule = FTL_COMBINE_SUM,
                                     FTL_SIZED(target, target, 2 * (size_t)n),
                                     FTL_SIZED(weights, weights, 2 * (size_t)n),
                                     .divisor = 1.0};
    return FTL_OK;
}

/* Votes, and below a third the scores, as _ovr_decision_function does from 0.22 on. */
static ftl_status emit_both(ftl_build *build, const ftl_estimator *e, const ftl_children *children,
                            const ftl_labels *own, const ftl_frame *in, ftl_frame *out,
                            ftl_error *error)
{
    uint32_t votes, third, id;
    ftl_frame both[2], sources;
    ftl_op *op = NULL;
    FTL_TRY(emit_votes(build, e, children, own, in, &votes, error));
    FTL_TRY(emit_confidences(build, e, children, own, in, &third, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_THIRD, third, own->count, &third, error));
    FTL_TRY(ftl_frame_of_op(build, votes, NULL, &both[0], error));
    FTL_TRY(ftl_frame_of_op(build, third, NULL, &both[1], error));
    FTL_TRY(ftl_frame_concat(build, both, 2, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ADD, &sources, &id, &op, error));
    op->width = own->count;
    FTL_TRY(ftl_result_scores(build, id, own, out, error));
    if (own->count == 2) {
        out->columns++;
        out->n_columns--;
    }
    return FTL_OK;
}

/*
 * Up to 0.21 scores are scaled by the largest of the batch, which changes no order but what they
 * are.
 */
static ftl_status one_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_children children;
    ftl_frame scores;
    const ftl_labels *own = NULL;
    uint32_t id;
    FTL_TRY(read_one(build, e, &children, &own, error));
    FTL_TRY(emit_both(build, e, &children, own, in, &scores, error));
    if (method == FTL_DECISION_FUNCTION) {
        if (e->version < FTL_SKLEARN(0, 22))
            return FTL_ATTR_FAIL(error, e, "estimators_", FTL_UNSUPPORTED,
                                 "before 0.22 the scores of OneVsOneClassifier depend on all rows "
                                 "together; predict does not");
        *out = scores;
        return FTL_OK;
    }
    if (own->count == 2) {
        double threshold = e->version >= FTL_SKLEARN(1, 1) ? threshold_of(build, &children) : 0.0;
        FTL_TRY(emit_above(build, e, &scores, threshold, &id, error));
    } else {
        FTL_TRY(ftl_build_matrix(build, e, &scores, &id, error));
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
    }
    return ftl_result_labels(build, id, own, out, error);
}

const ftl_estimator_class ftl_multiclass_classes[] = {
    {.package = "sklearn.multiclass",
     .name = "OneVsRestClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = rest_methods,
     .emit = rest_emit,
     .inputs = ftl_ensemble_inputs,
     .detail = ftl_ensemble_detail},
    {.package = "sklearn.multiclass",
     .name = "OneVsOneClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = one_methods,
     .emit = one_emit,
     .inputs = ftl_ensemble_inputs,
     .detail = ftl_ensemble_detail},
    {.package = "sklearn.multiclass",
     .name = "_ConstantPredictor",
     .kind = FTL_CLASSIFIER,
     .methods = constant_methods,
     .emit = constant_emit},
    {0},
};
