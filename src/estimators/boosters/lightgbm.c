/*
 * LightGBM's Booster and its scikit-learn wrappers.
 *
 * A Booster's state carries the model as text (`handle`, from 4.0 on `_handle`), best_iteration and
 * more that the text says too. LGBMClassifier, LGBMRegressor and LGBMRanker hold a Booster; they
 * add only labels and the second column of probabilities. margin is raw_score=True, apply is
 * pred_leaf=True.
 */
#include "estimators/families.h"

#include "build/iterations.h"
#include "build/wishes.h"
#include "estimators/boosters/lightgbm.h"
#include "estimators/linear/linear_model.h"
#include "estimators/trees/tree_nodes.h"

#include <string.h>

#define BIT(method) (1u << (method))

/* What every model of LightGBM can do. */
enum { tree_methods = BIT(FTL_PREDICT) | BIT(FTL_MARGIN) | BIT(FTL_APPLY) };

/* ---- The booster's text ------------------------------------------------------------------------ */

/* Read once for all boosters that hold the text, and for all that is asked of them. */
static ftl_status read_booster(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm **out,
                               ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("handle", "_handle"), &node, error));
    *out = ftl_made_of(build, node, FTL_MADE_HANDLE);
    if (*out)
        return FTL_OK;
    if (node->kind != FTL_NODE_STR && node->kind != FTL_NODE_BYTES)
        return FTL_ATTR_FAIL(error, e, "handle", FTL_CORRUPT,
                             "the booster holds no model; was it trained?");
    FTL_TRY(ftl_build_spend(build, node->u.str.size, error));
    ftl_lightgbm *model = FTL_ARENA_NEW(build->arena, ftl_lightgbm);
    if (!model)
        return FTL_OOM(error);
    ftl_status status = ftl_lightgbm_read(build->arena, node->u.str.data, node->u.str.size, model,
                                          error);
    if (status == FTL_OK)
        status = ftl_lightgbm_settle_forest(model, error);
    if (status != FTL_OK) {
        ftl_error_in(error, e->path);
        return status;
    }
    *out = model;
    return ftl_made_keep(build, node, FTL_MADE_HANDLE, model, error);
}

/*
 * num_iteration=None of predict: best_iteration where early stopping set one, else all. Text that
 * save_model wrote has no iterations after the best one.
 */
static ftl_status best_of(const ftl_estimator *e, uint32_t all, uint32_t *out, ftl_error *error)
{
    int64_t best;
    FTL_TRY(ftl_attr_int(e, "best_iteration", -1, &best, error));
    *out = best > 0 && best < (int64_t)all ? (uint32_t)best : all;
    return FTL_OK;
}

static ftl_status iterations_used(ftl_build *build, const ftl_estimator *e,
                                  const ftl_lightgbm *model, const ftl_tree_nodes *nodes,
                                  uint32_t *out, ftl_error *error)
{
    uint32_t own, all = nodes->n_trees / model->n_scores;
    FTL_TRY(best_of(e, all, &own, error));
    return ftl_iterations_of(build, e, all, own, out, error);
}

/* The trees of a text: all of them, and those that the owner asked last uses. */
typedef struct lgb_trees {
    ftl_tree_nodes all;
    const ftl_tree_nodes *used;
    const ftl_linear_leaves *linear;
} lgb_trees;

static ftl_status read_trees(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm *model,
                             lgb_trees **out, ftl_error *error)
{
    const lgb_trees *known = ftl_made_of(build, model, FTL_MADE_TREES);
    *out = (lgb_trees *)known;
    if (known)
        return FTL_OK;
    lgb_trees *trees = FTL_ARENA_NEW(build->arena, lgb_trees);
    if (!trees)
        return FTL_OOM(error);
    ftl_status status = ftl_lightgbm_read_trees(build->arena, model, &trees->all, &trees->linear,
                                                error);
    if (status != FTL_OK) {
        ftl_error_in(error, e->path);
        return status;
    }
    *out = trees;
    return ftl_made_keep(build, model, FTL_MADE_TREES, trees, error);
}

/* Methods and boosters that use as many trees of a text have the same ones. */
static ftl_status read_nodes(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm *model,
                             const ftl_tree_nodes **out, const ftl_linear_leaves **linear,
                             ftl_error *error)
{
    lgb_trees *trees = NULL;
    uint32_t n;
    FTL_TRY(read_trees(build, e, model, &trees, error));
    FTL_TRY(iterations_used(build, e, model, &trees->all, &n, error));
    if (!trees->used || trees->used->n_trees != n * model->n_scores) {
        ftl_tree_nodes *nodes = FTL_ARENA_NEW(build->arena, ftl_tree_nodes);
        if (!nodes)
            return FTL_OOM(error);
        *nodes = trees->all;
        nodes->n_trees = n * model->n_scores;
        nodes->n_nodes = nodes->root[nodes->n_trees];
        ftl_tree_nodes_count(nodes);
        trees->used = nodes;
    }
    *out = trees->used;
    *linear = trees->linear;
    return FTL_OK;
}

/* ---- Booster ----------------------------------------------------------------------------------- */

static ftl_status booster_source(ftl_build *build, const ftl_estimator *e,
                                 const ftl_lightgbm *model, const ftl_frame *in, uint32_t *id,
                                 ftl_error *error)
{
    ftl_frame coded;
    FTL_TRY(ftl_frame_expect(e, in, model->n_features, error));
    FTL_TRY(ftl_lightgbm_categories(build, e, model, in, &coded, error));
    return ftl_build_matrix(build, e, &coded, id, error);
}

/* A model without trees: training found nothing to split on. */
static ftl_status emit_zeros(ftl_build *build, const ftl_estimator *e, uint32_t width, uint32_t *id,
                             ftl_error *error)
{
    ftl_op *op = NULL;
    double *zeros = ftl_arena_zero_array(build->arena, width, sizeof *zeros);
    if (!zeros)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, id, &op, error));
    op->width = width;
    op->dtype = FTL_DTYPE_F64;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, zeros, width)};
    return FTL_OK;
}

static ftl_status emit_margin(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm *model,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    const ftl_linear_leaves *linear = NULL;
    uint32_t source = 0, id = 0, *target = NULL;
    ftl_op *op = NULL;
    FTL_TRY(booster_source(build, e, model, in, &source, error));
    FTL_TRY(read_nodes(build, e, model, &nodes, &linear, error));
    if (nodes->n_trees == 0) {
        FTL_TRY(emit_zeros(build, e, model->n_scores, &id, error));
        return ftl_result_scores(build, id, NULL, out, error);
    }
    if (model->n_scores > 1) {
        target = ftl_arena_array(build->arena, nodes->n_trees, sizeof *target);
        if (!target)
            return FTL_OOM(error);
        for (uint32_t t = 0; t < nodes->n_trees; t++)
            target[t] = t % model->n_scores;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, source, model->n_scores, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = nodes,
                                 .input = FTL_TREE_INPUT_F64,
                                 FTL_SIZED(target, target, target ? nodes->n_trees : 0),
                                 .divisor = 1.0,
                                 .linear = linear};
    return ftl_result_scores(build, id, NULL, out, error);
}

/* Every column of `source` multiplied or divided by the same number. */
static ftl_status emit_scale(ftl_build *build, const ftl_estimator *e, ftl_affine_step_kind kind,
                             double by, uint32_t source, uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[source].width;
    ftl_op *op = NULL;
    double *vector = ftl_arena_array(build->arena, width, sizeof *vector);
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!vector || !step)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < width; k++)
        vector[k] = by;
    *step = (ftl_affine_step){.kind = kind, FTL_SIZED(vector, vector, width)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, source, width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

static ftl_status emit_ufunc(ftl_build *build, const ftl_estimator *e, ftl_ufunc function,
                             uint32_t source, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, source, build->ops[source].width, id, &op, error));
    op->u.ufunc.function = function;
    return FTL_OK;
}

/* sign(x) * x * x of each column, multiplied in that order. */
static ftl_status emit_signed_square(ftl_build *build, const ftl_estimator *e, uint32_t source,
                                     uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[source].width, sign = 0, both = 0;
    ftl_frame parts[2], pair;
    ftl_op *op = NULL;
    uint32_t *start = ftl_arena_array(build->arena, (size_t)width + 1, sizeof *start),
             *factors = ftl_arena_array(build->arena, (size_t)3 * width, sizeof *factors);
    if (!start || !factors)
        return FTL_OOM(error);
    FTL_TRY(emit_ufunc(build, e, FTL_UFUNC_SIGN, source, &sign, error));
    FTL_TRY(ftl_frame_of_op(build, sign, NULL, &parts[0], error));
    FTL_TRY(ftl_frame_of_op(build, source, NULL, &parts[1], error));
    FTL_TRY(ftl_frame_concat(build, parts, 2, &pair, error));
    FTL_TRY(ftl_build_matrix(build, e, &pair, &both, error));
    for (uint32_t k = 0; k < width; k++) {
        start[k] = 3 * k;
        factors[3 * k] = k;
        factors[3 * k + 1] = factors[3 * k + 2] = width + k;
    }
    start[width] = 3 * width;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_POLYNOMIAL, both, width, id, &op, error));
    op->u.polynomial = (ftl_polynomial_op){FTL_SIZED(start, start, (size_t)width + 1),
                                           FTL_SIZED(factors, factors, (size_t)3 * width)};
    return FTL_OK;
}

/* Raw scores as the objective wants them: averaged, and scaled before a sigmoid. */
static ftl_status emit_ready(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm *model,
                             uint32_t raw, uint32_t *id, ftl_error *error)
{
    *id = raw;
    if (model->average) {
        const ftl_op *op = &build->ops[raw];
        uint32_t n_trees = op->kind == FTL_OP_TREES ? op->u.trees.nodes->n_trees : 0;
        FTL_TRY(emit_scale(build, e, FTL_AFFINE_DIV, (double)(n_trees / model->n_scores), raw, id,
                           error));
    }
    if (model->output == FTL_LIGHTGBM_SIGMOID && model->sigmoid != 1.0)
        return emit_scale(build, e, FTL_AFFINE_MUL, model->sigmoid, *id, id, error);
    return FTL_OK;
}

static ftl_status emit_converted(ftl_build *build, const ftl_estimator *e,
                                 const ftl_lightgbm *model, uint32_t ready, uint32_t *id,
                                 ftl_error *error)
{
    *id = ready;
    switch (model->output) {
    case FTL_LIGHTGBM_RAW:
        return FTL_OK;
    case FTL_LIGHTGBM_SIGNED_SQUARE:
        return emit_signed_square(build, e, ready, id, error);
    case FTL_LIGHTGBM_EXP:
        return ftl_emit_link(build, e, FTL_LINK_EXP, ready, model->n_scores, id, error);
    case FTL_LIGHTGBM_SIGMOID:
        return ftl_emit_link(build, e, FTL_LINK_SIGMOID, ready, model->n_scores, id, error);
    case FTL_LIGHTGBM_SOFTMAX:
        return ftl_emit_link(build, e, FTL_LINK_SOFTMAX, ready, model->n_scores, id, error);
    case FTL_LIGHTGBM_LOG1P_EXP:
        FTL_TRY(emit_ufunc(build, e, FTL_UFUNC_EXP, ready, id, error));
        return emit_ufunc(build, e, FTL_UFUNC_LOG1P, *id, id, error);
    }
    return FTL_FAIL(error, FTL_INTERNAL, "an objective without a conversion");
}

/* Leaf numbers count from 0 within each tree. */
static ftl_status emit_leaves(ftl_build *build, const ftl_estimator *e, const ftl_lightgbm *model,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_tree_nodes *nodes = ftl_tree_nodes_emitted(build, e, FTL_OP_TREES);
    const ftl_linear_leaves *linear = NULL;
    uint32_t source = 0, id = 0;
    ftl_op *op = NULL;
    FTL_TRY(booster_source(build, e, model, in, &source, error));
    if (!nodes)
        FTL_TRY(read_nodes(build, e, model, &nodes, &linear, error));
    if (nodes->n_trees == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "the model has no trees to apply");
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREE_APPLY, source, nodes->n_trees, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.tree_apply = (ftl_tree_apply_op){
        .nodes = nodes, .input = FTL_TREE_INPUT_F64, .leaf_index = true};
    return ftl_tree_result_apply(build, id, FTL_AS_INT, out, error);
}

/* (1 - p, p) of one column p. */
static ftl_status emit_pair(ftl_build *build, const ftl_estimator *e, uint32_t source, uint32_t *id,
                            ftl_error *error)
{
    static const double coef[2] = {-1, 1}, intercept[2] = {1, 0};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINEAR, source, 2, id, &op, error));
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, 2), FTL_SIZED(intercept, intercept, 2)};
    return FTL_OK;
}

/* Classes of a booster by itself, which calls them 0, 1, …; 0: it predicts no classes. */
static uint32_t booster_classes(const ftl_lightgbm *model)
{
    static const char *const several[] = {"multiclass",     "softmax", "multiclassova",
                                          "multiclass_ova", "ova",     "ovr"};
    if (strcmp(model->objective, "binary") == 0)
        return model->n_scores == 1 ? 2 : 0;
    for (size_t i = 0; i < FTL_ARRAY_LEN(several); i++) {
        if (strcmp(model->objective, several[i]) == 0)
            return model->n_scores;
    }
    return 0;
}

/* What the library's Booster.predict gives: all of it is one operation's. */
static ftl_status emit_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    const ftl_lightgbm *model = NULL;
    ftl_frame raw;
    uint32_t id = 0;
    FTL_TRY(read_booster(build, e, &model, error));
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &raw, error));
    FTL_TRY(emit_ready(build, e, model, raw.columns[0].op, &id, error));
    FTL_TRY(emit_converted(build, e, model, id, &id, error));
    return ftl_result_values(build, id, out, error);
}

/* The same for who builds on it, whatever predict of the booster by itself is to give. */
static ftl_status emit_shared_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                     ftl_frame *out, ftl_error *error)
{
    return build->wants_classes ? emit_values(build, e, in, out, error)
                                : ftl_emit(build, e, FTL_PREDICT, in, out, error);
}

/* What predict gives, a column a class. */
static ftl_status emit_booster_proba(ftl_build *build, const ftl_estimator *e,
                                     const ftl_lightgbm *model, const ftl_frame *in, ftl_frame *out,
                                     ftl_error *error)
{
    ftl_frame result;
    uint32_t id, n = booster_classes(model);
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, n, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++)
        cells[k] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = k};
    *labels = (ftl_labels){.type = FTL_I64, .count = n, .cells = cells};
    FTL_TRY(emit_shared_values(build, e, in, &result, error));
    id = result.columns[0].op;
    if (model->n_scores == 1)
        FTL_TRY(emit_pair(build, e, id, &id, error));
    return ftl_result_scores(build, id, labels, out, error);
}

/* The class of the largest score, as LGBMClassifier says it. */
static ftl_status emit_largest(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t id = 0;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &scores, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, scores.columns[0].op, 1, &id, error));
    return ftl_result_labels(build, id, scores.columns[0].labels, out, error);
}

static ftl_status booster_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_lightgbm *model = NULL;
    FTL_TRY(read_booster(build, e, &model, error));
    if (method == FTL_MARGIN)
        return emit_margin(build, e, model, in, out, error);
    if (method == FTL_APPLY)
        return emit_leaves(build, e, model, in, out, error);
    if (method == FTL_PREDICT_PROBA)
        return emit_booster_proba(build, e, model, in, out, error);
    if (booster_classes(model) > 1 && ftl_gives_class(build))
        return emit_largest(build, e, in, out, error);
    return emit_values(build, e, in, out, error);
}

static uint32_t booster_methods(ftl_build *build, const ftl_estimator *e)
{
    const ftl_lightgbm *model = NULL;
    bool classes = read_booster(build, e, &model, NULL) == FTL_OK && booster_classes(model) > 1;
    return tree_methods | (classes ? BIT(FTL_PREDICT_PROBA) : 0);
}

static ftl_status booster_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    const ftl_lightgbm *model = NULL;
    FTL_TRY(read_booster(build, e, &model, error));
    *out = (ftl_inputs){.count = model->n_features, .names = model->names};
    return FTL_OK;
}

static const char *booster_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_lightgbm *model = NULL;
    if (read_booster(build, e, &model, NULL) != FTL_OK || model->n_trees == UINT32_MAX)
        return "";
    uint32_t own, all = model->n_trees / model->n_scores, n = booster_classes(model);
    const char *note = best_of(e, all, &own, NULL) == FTL_OK ? ftl_iterations_note(build, all, own)
                                                             : "",
               *classes = n > 1 ? ftl_arena_printf(build->arena, ", %u classes", n) : "";
    if (!note || !classes)
        return NULL;
    return ftl_arena_printf(build->arena, "%u tree%s%s%s%s%s", model->n_trees,
                            model->n_trees == 1 ? "" : "s", classes,
                            model->objective[0] ? ", " : "", model->objective, note);
}

static const char *booster_wrote(ftl_build *build, const ftl_estimator *e)
{
    const ftl_lightgbm *model = NULL;
    return read_booster(build, e, &model, NULL) == FTL_OK ? model->version : "";
}

/* ---- scikit-learn's interface ------------------------------------------------------------------ */

static ftl_status wrapped(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                          ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "_Booster"), *others = ftl_attr(e, "_other_params");
    bool early = false;
    if (ftl_node_is_none(node))
        return FTL_ATTR_FAIL(error, e, "_Booster", FTL_CORRUPT, "%s was not fitted", e->cls->name);
    if (others && others->kind == FTL_NODE_DICT &&
        ftl_node_as_bool(ftl_node_dict_get(&others->u.dict, "pred_early_stop"), &early) && early)
        return FTL_ATTR_FAIL(error, e, "_other_params", FTL_UNSUPPORTED,
                             "%s with pred_early_stop=True is not supported; set it to False",
                             e->cls->name);
    return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "_Booster"), out, error);
}

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

/* With an objective of the user's own, everything is raw scores. */
static bool has_own_objective(const ftl_estimator *e)
{
    const ftl_node *objective = ftl_attr(e, "_objective");
    return !ftl_node_is_none(objective) && objective->kind != FTL_NODE_STR;
}

/*
 * Classifiers have decision_function from 4.7 on, which noted first whether the training data had
 * names of columns. No version is written into the file.
 */
static bool has_decision_function(const ftl_estimator *e)
{
    return is_classifier(e) && ftl_attr(e, "_fitted_with_feature_names");
}

static uint32_t wrapper_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = tree_methods;
    if (has_decision_function(e))
        methods |= BIT(FTL_DECISION_FUNCTION);
    return is_classifier(e) && !has_own_objective(e) ? methods | BIT(FTL_PREDICT_PROBA) : methods;
}

static ftl_status read_classes(ftl_build *build, const ftl_estimator *e, const ftl_labels **out,
                               ftl_error *error)
{
    const ftl_node *classes = ftl_attr(e, "_classes"), *encoder = ftl_attr(e, "_le");
    if (ftl_node_is_none(classes) && encoder && encoder->kind == FTL_NODE_OBJECT)
        classes = ftl_node_attr(encoder, "classes_");
    if (ftl_node_is_none(classes))
        return FTL_ATTR_FAIL(error, e, "_classes", FTL_CORRUPT, "the classes are missing");
    ftl_status status = ftl_node_labels(build, classes, out, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, "_classes");
    return status;
}

static ftl_status classes_of(ftl_build *build, const ftl_estimator *e, uint32_t n_scores,
                             const ftl_labels **out, ftl_error *error)
{
    FTL_TRY(read_classes(build, e, out, error));
    if ((*out)->count < 2)
        return FTL_ATTR_FAIL(error, e, "_classes", FTL_UNSUPPORTED,
                             "%s of a single class is not supported", e->cls->name);
    if ((*out)->count != (n_scores == 1 ? 2 : n_scores))
        return FTL_ATTR_FAIL(error, e, "_classes", FTL_CORRUPT, "%u classes do not fit %u scores",
                             (*out)->count, n_scores);
    return FTL_OK;
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_estimator *booster,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame result;
    const ftl_labels *labels = NULL;
    uint32_t id;
    FTL_TRY(emit_shared_values(build, booster, in, &result, error));
    FTL_TRY(classes_of(build, e, result.n_columns, &labels, error));
    id = result.columns[0].op;
    if (result.n_columns == 1)
        FTL_TRY(emit_pair(build, e, id, &id, error));
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e,
                                  const ftl_estimator *booster, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    const ftl_labels *labels = NULL;
    if (method == FTL_PREDICT_PROBA)
        return emit_proba(build, e, booster, in, out, error);
    if (method == FTL_MARGIN || method == FTL_DECISION_FUNCTION) {
        FTL_TRY(ftl_emit(build, booster, FTL_MARGIN, in, &scores, error));
        FTL_TRY(classes_of(build, e, scores.n_columns, &labels, error));
        return ftl_result_scores(build, scores.columns[0].op, labels, out, error);
    }
    return emit_largest(build, e, in, out, error);
}

static ftl_status wrapper_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator booster;
    FTL_TRY(wrapped(build, e, &booster, error));
    if (!is_classifier(e) && method == FTL_PREDICT)
        return emit_shared_values(build, &booster, in, out, error);
    if (!is_classifier(e) || method == FTL_APPLY)
        return ftl_emit(build, &booster, method, in, out, error);
    if (has_own_objective(e)) {
        FTL_TRY(ftl_emit(build, &booster, FTL_MARGIN, in, out, error));
        return method == FTL_PREDICT ? ftl_result_values(build, out->columns[0].op, out, error)
                                     : FTL_OK;
    }
    return emit_classifier(build, e, &booster, method, in, out, error);
}

static ftl_status wrapper_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    ftl_estimator booster;
    FTL_TRY(wrapped(build, e, &booster, error));
    return ftl_estimator_inputs(build, &booster, out, error);
}

ftl_status ftl_lightgbm_wrapper_importances(ftl_build *build, const ftl_estimator *e, size_t n,
                                            double *out, ftl_error *error)
{
    ftl_estimator booster;
    const ftl_lightgbm *model = NULL;
    int64_t best;
    FTL_TRY(wrapped(build, e, &booster, error));
    FTL_TRY(read_booster(build, &booster, &model, error));
    FTL_TRY(ftl_attr_int(&booster, "best_iteration", -1, &best, error));
    if (model->n_features != n)
        return FTL_ATTR_FAIL(error, e, "_Booster", FTL_CORRUPT,
                             "it was trained on %u columns where %zu were expected",
                             model->n_features, n);
    uint32_t iterations = best > 0 && best < INT32_MAX ? (uint32_t)best : 0;
    ftl_status status = ftl_lightgbm_importances(
        model, iterations, ftl_attr_is(e, "importance_type", "gain"), out, error);
    if (status != FTL_OK)
        ftl_error_in(error, booster.path);
    return status;
}

static const char *wrapper_wrote(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator booster;
    return wrapped(build, e, &booster, NULL) == FTL_OK && booster.cls->wrote
               ? booster.cls->wrote(build, &booster)
               : "";
}

static const char *wrapper_detail(ftl_build *build, const ftl_estimator *e)
{
    size_t n = ftl_node_length(ftl_attr(e, "_classes"));
    return n ? ftl_arena_printf(build->arena, "%zu classes", n) : "";
}

#define WRAPPER(name_, kind_)    \
    {.package = "lightgbm",      \
     .name = name_,              \
     .kind = kind_,              \
     .methods = wrapper_methods, \
     .emit = wrapper_emit,       \
     .inputs = wrapper_inputs,   \
     .detail = wrapper_detail,   \
     .library = "LightGBM",      \
     .wrote = wrapper_wrote}

const ftl_estimator_class ftl_lightgbm_classes[] = {
    {.package = "lightgbm",
     .name = "Booster",
     .kind = FTL_OTHER_MODEL,
     .methods = booster_methods,
     .emit = booster_emit,
     .inputs = booster_inputs,
     .detail = booster_detail,
     .library = "LightGBM",
     .wrote = booster_wrote},
    WRAPPER("LGBMClassifier", FTL_CLASSIFIER),
    WRAPPER("LGBMRegressor", FTL_REGRESSOR),
    WRAPPER("LGBMRanker", FTL_REGRESSOR),
    {0},
};
