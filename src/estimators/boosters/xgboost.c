/*
 * XGBoost: Booster and the scikit-learn wrappers around one.
 *
 * Everything is float32: rows, sums and links. A margin starts from the intercept (base_score put
 * through the objective's inverse link) and adds the trees in order; up to 1.2 (dart: 1.3) the
 * trees are added first and the intercept last. From 1.4 on the wrappers predict in place, which
 * takes infinities for values; a DMatrix, which Booster.predict and apply need, refuses them.
 */
#include "estimators/families.h"

#include "base/checked.h"
#include "base/number.h"
#include "build/iterations.h"
#include "build/wishes.h"
#include "estimators/boosters/xgboost.h"
#include "estimators/linear/linear_model.h"
#include "estimators/trees/tree_nodes.h"

#include <math.h>
#include <string.h>

#define BIT(method) (1u << (method))

/* What an objective does to margins, and its inverse on the intercept. */
typedef enum xgb_link { PLAIN, SIGMOID, EXP, HINGE, SOFTMAX, SOFTPROB } xgb_link;
typedef enum xgb_start { AS_IS, LOGIT, LOG } xgb_start;
struct ftl_xgb_objective {
    const char *name;
    xgb_link link;
    xgb_start start;
};

static const ftl_xgb_objective objectives[] = {
    {"reg:squarederror", PLAIN, AS_IS},
    {"reg:linear", PLAIN, AS_IS}, /* its name before 0.90 */
    {"reg:squaredlogerror", PLAIN, AS_IS},
    {"reg:pseudohubererror", PLAIN, AS_IS},
    {"reg:absoluteerror", PLAIN, AS_IS},
    {"reg:quantileerror", PLAIN, AS_IS},
    {"reg:expectileerror", PLAIN, AS_IS},
    {"reg:logistic", SIGMOID, LOGIT},
    {"binary:logistic", SIGMOID, LOGIT},
    {"binary:logitraw", PLAIN, AS_IS}, /* LOGIT up to 1.3.0 */
    {"binary:hinge", HINGE, AS_IS},
    {"multi:softmax", SOFTMAX, AS_IS},
    {"multi:softprob", SOFTPROB, AS_IS},
    {"count:poisson", EXP, LOG},
    {"reg:gamma", EXP, LOG},
    {"reg:tweedie", EXP, LOG},
    {"survival:cox", EXP, LOG},
    {"survival:aft", EXP, LOG},
    {"rank:pairwise", PLAIN, AS_IS},
    {"rank:ndcg", PLAIN, AS_IS},
    {"rank:map", PLAIN, AS_IS},
    {"", PLAIN, AS_IS}, /* none was saved: a function of the user's own */
};

/* ---- Reading --------------------------------------------------------------------------------- */

/* What was read of a booster: the methods of an estimator, and its wrapper's, share it. */
static ftl_status read_model(ftl_build *build, const ftl_estimator *booster,
                             const ftl_xgb_model **out, ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(booster, FTL_NAMES("handle"), &node, error));
    *out = ftl_made_of(build, node, FTL_MADE_HANDLE);
    if (*out)
        return FTL_OK;
    if (node->kind != FTL_NODE_BYTES)
        return FTL_ATTR_FAIL(error, booster, "handle", FTL_CORRUPT,
                             "the booster holds no model; was it trained?");
    FTL_TRY(ftl_build_spend(build, node->u.str.size, error));
    ftl_xgb_model *model = FTL_ARENA_NEW(build->scratch, ftl_xgb_model);
    if (!model)
        return FTL_OOM(error);
    ftl_status status = ftl_xgb_read(build->scratch, build->account, node->u.str.data,
                                     node->u.str.size, model, error);
    if (status != FTL_OK) {
        ftl_error_in(error, booster->path);
        return status;
    }
    *out = model;
    return ftl_made_keep(build, node, FTL_MADE_HANDLE, model, error);
}

static ftl_status find_objective(ftl_xgb *x, ftl_error *error)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(objectives); i++) {
        if (strcmp(objectives[i].name, x->model->objective) == 0) {
            x->objective = &objectives[i];
            return FTL_OK;
        }
    }
    return FTL_FAIL(error, FTL_UNSUPPORTED, "XGBoost's objective %.60s is not supported",
                    x->model->objective);
}

static ftl_status read_xgb(ftl_build *build, const ftl_estimator *e, ftl_xgb *out, ftl_error *error)
{
    ftl_xgb x = {.e = e, .booster = *e, .wrapped = strcmp(e->cls->name, "Booster") != 0};
    if (x.wrapped) {
        const ftl_node *node = NULL;
        FTL_TRY(ftl_attr_need(e, FTL_NAMES("_Booster"), &node, error));
        FTL_TRY(ftl_estimator_of(build, node, e, ftl_child_path(build, e, "_Booster"), &x.booster,
                                 error));
        if (strcmp(x.booster.cls->name, "Booster") != 0)
            return FTL_ATTR_FAIL(error, e, "_Booster", FTL_CORRUPT, "this is no Booster");
    }
    FTL_TRY(read_model(build, &x.booster, &x.model, error));
    const ftl_xgb_model *model = x.model;
    FTL_TRY(find_objective(&x, error));
    int32_t outputs = model->num_class > model->num_target ? model->num_class : model->num_target;
    if (outputs > 1 << 20 || model->num_feature < 0 || model->num_feature > 1 << 24)
        return FTL_FAIL(error, FTL_CORRUPT, "the XGBoost model has %d outputs and %d columns",
                        outputs, model->num_feature);
    x.n_outputs = outputs < 1 ? 1 : (uint32_t)outputs;
    *out = x;
    return FTL_OK;
}

/*
 * Wrappers predict in place from 1.4 on, unless a predictor was asked for, as could be up to 1.7,
 * or the rows are a sparse matrix by columns.
 */
static bool predicts_in_place(const ftl_xgb *x, const ftl_frame *in)
{
    const ftl_node *predictor = ftl_attr(x->e, "predictor");
    if (!x->wrapped || in->csc || x->model->version < FTL_XGBOOST(1, 4) ||
        x->model->booster == FTL_XGB_LINEAR)
        return false;
    if (x->model->version < FTL_XGBOOST(1, 6)) {
        bool categorical = false;
        if (ftl_attr_bool(x->e, "enable_categorical", false, &categorical, NULL) != FTL_OK ||
            categorical)
            return false;
    }
    return x->model->version >= FTL_XGBOOST(2, 0) || ftl_node_is_none(predictor) ||
           ftl_node_str_equal(predictor, "auto");
}

/* ---- Trees that are used --------------------------------------------------------------------- */

/* Trees of the first rounds; several stand side by side in a round. */
static uint32_t trees_of_rounds(const ftl_xgb *x, uint64_t rounds)
{
    const ftl_xgb_model *model = x->model;
    const ftl_xgb_ints *starts = &model->round_starts;
    if (starts->size) {
        bool known = rounds < starts->size && starts->data[rounds] >= 0 &&
                     (uint32_t)starts->data[rounds] <= model->n_trees;
        return known ? (uint32_t)starts->data[rounds] : model->n_trees;
    }
    uint64_t trees = rounds * x->n_outputs * (uint32_t)model->parallel_trees;
    return trees < model->n_trees ? (uint32_t)trees : model->n_trees;
}

/* All rounds that there are. */
static uint32_t rounds_of(const ftl_xgb *x)
{
    const ftl_xgb_model *model = x->model;
    if (model->booster == FTL_XGB_LINEAR)
        return 0;
    if (model->round_starts.size)
        return (uint32_t)(model->round_starts.size - 1);
    return (uint32_t)(model->n_trees / ((uint64_t)x->n_outputs * (uint32_t)model->parallel_trees));
}

/*
 * Rounds that predict uses; -1: all. Wrappers stop at the best iteration that early stopping noted,
 * as an attribute of the Booster or of the model in it; Boosters use all.
 */
static ftl_status rounds_used(const ftl_xgb *x, int64_t *out, ftl_error *error)
{
    *out = -1;
    if (!x->wrapped || x->model->booster == FTL_XGB_LINEAR)
        return FTL_OK;
    int64_t best = -1;
    FTL_TRY(ftl_attr_int(&x->booster, "best_iteration", x->model->best_iteration, &best, error));
    *out = best >= 0 && best < INT32_MAX ? best + 1 : -1;
    return FTL_OK;
}

/* Up to 1.3 predict counts trees of one output, and apply uses all. */
static ftl_status trees_used_by_limit(const ftl_xgb *x, bool apply, uint32_t *out, ftl_error *error)
{
    int64_t limit = 0;
    if (x->wrapped && !apply)
        FTL_TRY(ftl_attr_int(x->e, "best_ntree_limit", 0, &limit, error));
    uint32_t all = x->model->n_trees;
    *out = limit <= 0 || limit > (int64_t)(all / x->n_outputs) ? all
                                                               : (uint32_t)limit * x->n_outputs;
    return FTL_OK;
}

/* The trees that the library uses by itself. */
static ftl_status trees_by_default(const ftl_xgb *x, bool apply, uint32_t *out, ftl_error *error)
{
    int64_t rounds = -1;
    if (x->model->version < FTL_XGBOOST(1, 4))
        return trees_used_by_limit(x, apply, out, error);
    FTL_TRY(rounds_used(x, &rounds, error));
    *out = rounds < 0 ? x->model->n_trees : trees_of_rounds(x, (uint64_t)rounds);
    return FTL_OK;
}

/*
 * Wrappers stop at the best iteration from 0.80 on; what tells the versions before 0.82 from it is
 * the missing importance_type alone.
 */
static bool may_use_all(const ftl_xgb *x)
{
    return x->wrapped && x->model->version < FTL_XGBOOST(1, 0) &&
           !ftl_attr(x->e, "importance_type");
}

static ftl_status trees_used(ftl_build *build, const ftl_xgb *x, bool apply, uint32_t *out,
                             ftl_error *error)
{
    uint32_t all = rounds_of(x), rounds = 0, trees = 0;
    FTL_TRY(trees_by_default(x, apply, &trees, error));
    if (!build->iterations && trees < x->model->n_trees && may_use_all(x))
        return FTL_ATTR_FAIL(error, x->e, "best_ntree_limit", FTL_UNSUPPORTED,
                             "early stopping of XGBoost before 0.82, which is too old: say with "
                             "options.iterations how many rounds count");
    FTL_TRY(ftl_iterations_of(build, x->e, all, all, &rounds, error));
    if (build->iterations)
        trees = rounds == all ? x->model->n_trees : trees_of_rounds(x, rounds);
    *out = trees;
    return FTL_OK;
}

/* ---- Intercepts ------------------------------------------------------------------------------ */

static float start_of(const ftl_xgb *x, float score)
{
    const float tiny = 1e-6f;
    xgb_start start = x->objective->start;
    if (strcmp(x->objective->name, "binary:logitraw") == 0 &&
        x->model->version <= FTL_XGBOOST(1, 3))
        start = LOGIT;
    if (x->model->base_is_margin || start == AS_IS)
        return score;
    if (start == LOG)
        return logf(score);
    if (x->model->version >= FTL_XGBOOST(3, 1)) {
        score = score > tiny ? score : tiny;
        score = score < 1.0f - tiny ? score : 1.0f - tiny;
    }
    return -logf(1.0f / score - 1.0f);
}

static ftl_status read_base(ftl_build *build, const ftl_xgb *x, const double **out,
                            ftl_error *error)
{
    const ftl_xgb_floats *scores = &x->model->base_score;
    if (scores->size != 1 && scores->size != x->n_outputs)
        return FTL_FAIL(error, FTL_CORRUPT, "the XGBoost model has %zu intercepts for %u outputs",
                        scores->size, x->n_outputs);
    double *base = ftl_arena_array(build->arena, x->n_outputs, sizeof *base);
    if (!base)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < x->n_outputs; k++)
        base[k] = (double)start_of(x, scores->data[scores->size == 1 ? 0 : k]);
    *out = base;
    return FTL_OK;
}

/* ---- Margins and leaves ---------------------------------------------------------------------- */

static ftl_status emit_constant(ftl_build *build, const ftl_xgb *x, const double *values,
                                uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, x->e, FTL_OP_CONSTANT, NULL, id, &op, error));
    op->width = x->n_outputs;
    op->dtype = FTL_DTYPE_F32;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, values, x->n_outputs)};
    return FTL_OK;
}

static ftl_status emit_affine(ftl_build *build, const ftl_xgb *x, ftl_affine_step_kind kind,
                              const double *vector, uint32_t *id, ftl_error *error)
{
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    ftl_op *op = NULL;
    if (!step)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = kind, FTL_SIZED(vector, vector, x->n_outputs)};
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_AFFINE, *id, build->ops[*id].width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

static ftl_status emit_trees(ftl_build *build, const ftl_xgb *x, const ftl_frame *in, uint32_t *id,
                             ftl_error *error)
{
    const ftl_tree_nodes *nodes = NULL;
    const uint32_t *target = NULL;
    ftl_op *op = NULL;
    ftl_xgb_sums sums = {.n_outputs = x->n_outputs};
    bool in_place = predicts_in_place(x, in), dart = x->model->booster == FTL_XGB_DART;
    uint32_t source = 0;
    FTL_TRY(read_base(build, x, &sums.base, error));
    FTL_TRY(trees_used(build, x, false, &sums.n_trees, error));
    sums.weigh_with_base = dart && in_place && x->model->version < FTL_XGBOOST(3, 4);
    bool base_last = x->model->version < FTL_XGBOOST(1, dart ? 4 : 3);
    FTL_TRY(ftl_xgb_rows(build, x, in, in_place, &source, error));
    if (sums.n_trees == 0)
        return emit_constant(build, x, sums.base, id, error);
    FTL_TRY(ftl_xgb_tree_nodes(build, x->model, &sums, &nodes, &target, error));
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_TREES, source, x->n_outputs, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    op->u.trees = (ftl_trees_op){
        .nodes = nodes,
        .input = FTL_TREE_INPUT_F32,
        FTL_SIZED(target, target, target ? sums.n_trees : 0),
        FTL_SIZED(base, base_last ? NULL : sums.base, base_last ? 0 : x->n_outputs),
        .divisor = 1.0,
        .sum_f32 = true};
    return base_last ? emit_affine(build, x, FTL_AFFINE_ADD, sums.base, id, error) : FTL_OK;
}

/* Missing values add nothing: they are 0. */
static ftl_status emit_zeros(ftl_build *build, const ftl_xgb *x, uint32_t *id, ftl_error *error)
{
    uint32_t width = build->ops[*id].width;
    uint32_t *columns = ftl_arena_array(build->arena, width, sizeof *columns);
    double *fill = ftl_arena_zero_array(build->arena, width, sizeof *fill);
    ftl_op *op = NULL;
    if (!columns || !fill)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < width; i++)
        columns[i] = i;
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_CAST, *id, width, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_IMPUTE, *id, width, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    op->u.impute = (ftl_impute_op){
        .missing_is_nan = true, FTL_SIZED(columns, columns, width), FTL_SIZED(fill, fill, width)};
    return FTL_OK;
}

/* gblinear: bias + the first intercept + the products, in float32. */
static ftl_status emit_linear(ftl_build *build, const ftl_xgb *x, const ftl_frame *in, uint32_t *id,
                              ftl_error *error)
{
    const ftl_xgb_floats *weights = &x->model->linear;
    size_t columns = (size_t)x->model->num_feature, outputs = x->n_outputs, size = 0;
    const double *base = NULL;
    ftl_op *op = NULL;
    if (!ftl_mul_size(columns + 1, outputs, &size) || weights->size != size)
        return FTL_FAIL(error, FTL_CORRUPT, "the linear model has %zu weights for %zu columns",
                        weights->size, columns);
    double *coef = ftl_arena_array(build->arena, size, sizeof *coef);
    double *intercept = ftl_arena_array(build->arena, outputs, sizeof *intercept);
    if (!coef || !intercept)
        return FTL_OOM(error);
    FTL_TRY(read_base(build, x, &base, error));
    for (size_t k = 0; k < outputs; k++) {
        intercept[k] = (double)(weights->data[columns * outputs + k] + (float)base[0]);
        for (size_t j = 0; j < columns; j++)
            coef[k * columns + j] = (double)weights->data[j * outputs + k];
    }
    FTL_TRY(ftl_xgb_rows(build, x, in, false, id, error));
    if (columns == 0)
        return emit_constant(build, x, intercept, id, error);
    FTL_TRY(emit_zeros(build, x, id, error));
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_LINEAR, *id, x->n_outputs, id, &op, error));
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, columns * outputs),
                                   FTL_SIZED(intercept, intercept, outputs)};
    return FTL_OK;
}

static ftl_status emit_margin(ftl_build *build, const ftl_xgb *x, const ftl_frame *in, uint32_t *id,
                              ftl_error *error)
{
    if (x->model->booster == FTL_XGB_LINEAR)
        return emit_linear(build, x, in, id, error);
    return emit_trees(build, x, in, id, error);
}

/* pred_leaf: float32 numbers of nodes. */
static ftl_status emit_apply(ftl_build *build, const ftl_xgb *x, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    const uint32_t *target = NULL;
    uint32_t source = 0, id = 0;
    ftl_op *op = NULL;
    ftl_xgb_sums sums = {.n_outputs = x->n_outputs};
    FTL_TRY(trees_used(build, x, true, &sums.n_trees, error));
    if (sums.n_trees == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "the model has no trees to apply");
    FTL_TRY(ftl_xgb_rows(build, x, in, false, &source, error));
    const ftl_tree_nodes *nodes = ftl_tree_nodes_emitted(build, x->e, FTL_OP_TREES);
    if (!nodes || nodes->n_trees != sums.n_trees) {
        FTL_TRY(read_base(build, x, &sums.base, error));
        FTL_TRY(ftl_xgb_tree_nodes(build, x->model, &sums, &nodes, &target, error));
    }
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_TREE_APPLY, source, nodes->n_trees, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.tree_apply = (ftl_tree_apply_op){.nodes = nodes, .input = FTL_TREE_INPUT_F32};
    return ftl_tree_result_apply(build, id, FTL_AS_INT, out, error);
}

/* ---- Predictions ----------------------------------------------------------------------------- */

/* Booster.predict of margins. */
static ftl_status emit_values(ftl_build *build, const ftl_xgb *x, uint32_t margin, uint32_t *id,
                              ftl_error *error)
{
    *id = margin;
    switch (x->objective->link) {
    case PLAIN:
        return FTL_OK;
    case SIGMOID:
        return ftl_emit_link(build, x->e, FTL_LINK_SIGMOID, margin, x->n_outputs, id, error);
    case EXP:
        return ftl_emit_link(build, x->e, FTL_LINK_EXP, margin, x->n_outputs, id, error);
    case SOFTPROB:
        return ftl_emit_link(build, x->e, FTL_LINK_SOFTMAX, margin, x->n_outputs, id, error);
    case HINGE:
        return ftl_emit_decide(build, x->e, FTL_DECIDE_POSITIVE, margin, x->n_outputs, id, error);
    case SOFTMAX:
        return ftl_emit_decide(build, x->e, FTL_DECIDE_ARGMAX, margin, 1, id, error);
    }
    return FTL_FAIL(error, FTL_INTERNAL, "an objective without a link");
}

/* Columns 1 - p and p. */
static ftl_status emit_pair(ftl_build *build, const ftl_xgb *x, uint32_t source, uint32_t *id,
                            ftl_error *error)
{
    static const double coef[2] = {-1, 1}, intercept[2] = {1, 0};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_LINEAR, source, 2, id, &op, error));
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, 2), FTL_SIZED(intercept, intercept, 2)};
    return FTL_OK;
}

/* classes_: what the label encoder of wrappers up to 1.5 knows, else 0, 1, … */
static ftl_status read_labels(ftl_build *build, const ftl_xgb *x, uint32_t count,
                              const ftl_labels **out, ftl_error *error)
{
    const ftl_node *encoder = ftl_attr(x->e, "_le"), *classes = NULL;
    if (encoder && encoder->kind == FTL_NODE_OBJECT)
        classes = ftl_node_attr(encoder, "classes_");
    if (!ftl_node_is_none(classes)) {
        FTL_TRY(ftl_node_labels(build, classes, out, error));
        if ((*out)->count != count)
            return FTL_ATTR_FAIL(error, x->e, "_le", FTL_CORRUPT,
                                 "there are %u labels for %u classes", (*out)->count, count);
        return FTL_OK;
    }
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, count, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < count; k++)
        cells[k] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = k};
    *labels = (ftl_labels){.type = FTL_I64, .count = count, .cells = cells};
    *out = labels;
    return FTL_OK;
}

static bool is_multiclass(const ftl_xgb *x)
{
    return x->objective->link == SOFTMAX || x->objective->link == SOFTPROB;
}

/* Whether a Booster's objective tells classes by their probabilities. */
static bool has_classes(const ftl_xgb *x)
{
    return is_multiclass(x) || strcmp(x->objective->name, "binary:logistic") == 0;
}

/*
 * Whether there are classes at all: the hinge gives them itself, and the error that XGBoost reports
 * of raw logits takes those above 0 for class 1.
 */
static bool decides_classes(const ftl_xgb *x)
{
    return has_classes(x) || x->objective->link == HINGE ||
           strcmp(x->objective->name, "binary:logitraw") == 0;
}

/* Each value above one half is class 1. */
static ftl_status emit_above_half(ftl_build *build, const ftl_xgb *x, uint32_t *id,
                                  ftl_error *error)
{
    uint32_t width = build->ops[*id].width;
    double *half = ftl_arena_array(build->arena, width, sizeof *half);
    if (!half)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < width; k++)
        half[k] = 0.5;
    FTL_TRY(emit_affine(build, x, FTL_AFFINE_SUB, half, id, error));
    return ftl_emit_decide(build, x->e, FTL_DECIDE_POSITIVE, *id, width, id, error);
}

static ftl_status emit_classes(ftl_build *build, const ftl_xgb *x, uint32_t margin, ftl_frame *out,
                               ftl_error *error)
{
    const ftl_labels *labels = NULL;
    uint32_t id = margin;
    if (is_multiclass(x)) {
        if (x->objective->link == SOFTPROB)
            FTL_TRY(emit_values(build, x, margin, &id, error));
        FTL_TRY(ftl_emit_decide(build, x->e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
        FTL_TRY(read_labels(build, x, x->n_outputs, &labels, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    FTL_TRY(emit_values(build, x, margin, &id, error));
    if (!x->wrapped && strcmp(x->objective->name, "binary:logitraw") == 0)
        FTL_TRY(ftl_emit_decide(build, x->e, FTL_DECIDE_POSITIVE, id, x->n_outputs, &id, error));
    else
        FTL_TRY(emit_above_half(build, x, &id, error));
    if (x->n_outputs == 1) {
        FTL_TRY(read_labels(build, x, 2, &labels, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    build->ops[id].dtype = FTL_DTYPE_F64; /* several labels a row: a matrix of 0.0 and 1.0 */
    return ftl_result_values(build, id, out, error);
}

static ftl_status emit_proba(ftl_build *build, const ftl_xgb *x, uint32_t margin, ftl_frame *out,
                             ftl_error *error)
{
    const ftl_labels *labels = NULL;
    uint32_t id = margin;
    if (is_multiclass(x)) {
        FTL_TRY(ftl_emit_link(build, x->e, FTL_LINK_SOFTMAX, margin, x->n_outputs, &id, error));
        FTL_TRY(read_labels(build, x, x->n_outputs, &labels, error));
        return ftl_result_scores(build, id, labels, out, error);
    }
    FTL_TRY(emit_values(build, x, margin, &id, error));
    if (x->n_outputs == 1) {
        FTL_TRY(read_labels(build, x, 2, &labels, error));
        FTL_TRY(emit_pair(build, x, id, &id, error));
    }
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status xgb_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_xgb x;
    ftl_frame margins;
    uint32_t id = 0;
    FTL_TRY(read_xgb(build, e, &x, error));
    if (method == FTL_APPLY)
        return emit_apply(build, &x, in, out, error);
    if (method == FTL_MARGIN) {
        const ftl_labels *labels = NULL;
        FTL_TRY(emit_margin(build, &x, in, &id, error));
        if (e->cls->kind == FTL_CLASSIFIER && is_multiclass(&x))
            FTL_TRY(read_labels(build, &x, x.n_outputs, &labels, error));
        return ftl_result_scores(build, id, labels, out, error);
    }
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &margins, error));
    id = margins.columns[0].op;
    if (method == FTL_PREDICT_PROBA)
        return emit_proba(build, &x, id, out, error);
    if (e->cls->kind == FTL_CLASSIFIER ||
        (!x.wrapped && decides_classes(&x) && ftl_gives_class(build)))
        return emit_classes(build, &x, id, out, error);
    FTL_TRY(emit_values(build, &x, id, &id, error));
    return ftl_result_values(build, id, out, error);
}

/* ---- What is said about them ----------------------------------------------------------------- */

static uint32_t xgb_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_xgb x;
    uint32_t methods = BIT(FTL_PREDICT) | BIT(FTL_MARGIN);
    bool readable = read_xgb(build, e, &x, NULL) == FTL_OK;
    if (e->cls->kind == FTL_CLASSIFIER || (readable && !x.wrapped && has_classes(&x)))
        methods |= BIT(FTL_PREDICT_PROBA);
    bool linear = readable && x.model->booster == FTL_XGB_LINEAR;
    return linear ? methods : methods | BIT(FTL_APPLY);
}

/* f0, f1, … are what XGBoost calls columns that have no names. */
static bool is_default_name(const char *name, size_t i)
{
    char number[FTL_F64_TEXT_SIZE];
    size_t n = ftl_print_i64((int64_t)i, number);
    return name[0] == 'f' && strlen(name) == n + 1 && memcmp(name + 1, number, n) == 0;
}

/* Names stand in the model from 1.4 on, before that beside it. */
static ftl_status xgb_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    ftl_xgb x;
    FTL_TRY(read_xgb(build, e, &x, error));
    size_t n = (size_t)x.model->num_feature;
    *out = (ftl_inputs){.count = (int64_t)n};
    const ftl_node *beside = ftl_attr(&x.booster, "feature_names");
    bool inside = n && x.model->feature_names.size == n;
    if (n == 0 || n > 1 << 20 || (!inside && ftl_node_length(beside) != n))
        return FTL_OK;
    const char **names = ftl_arena_zero_array(build->arena, n, sizeof *names);
    bool own = false;
    if (!names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        const char *name = inside ? x.model->feature_names.data[i] : NULL;
        if (!inside) {
            ftl_cell cell;
            FTL_TRY(ftl_node_cell(build, beside, i, &cell, error));
            name = ftl_cell_text(build->arena, &cell);
        }
        names[i] = name ? ftl_arena_string(build->arena, name, strlen(name)) : NULL;
        if (!names[i])
            return FTL_OOM(error);
        own |= !is_default_name(names[i], i);
    }
    out->names = own ? names : NULL;
    return FTL_OK;
}

/* Which rounds are used, where that is not all, or where one may think so. */
static const char *rounds_note(ftl_build *build, const ftl_xgb *x)
{
    uint32_t all = rounds_of(x), trees = 0;
    if (all == 0 || trees_by_default(x, false, &trees, NULL) != FTL_OK ||
        (!x->wrapped && x->e->path[0])) /* of a wrapper, which has its own note */
        return "";
    int64_t best = x->model->best_iteration;
    if (!x->wrapped && build->iterations == 0 && best >= 0 && best + 1 < (int64_t)all)
        return ftl_arena_printf(build->arena,
                                ", uses all %u iterations as Booster.predict does, though %lld "
                                "were the best",
                                all, (long long)best + 1);
    uint32_t own = 0;
    while (own < all && trees_of_rounds(x, own) < trees)
        own++;
    return ftl_iterations_note(build, all, own);
}

static const char *xgb_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_xgb x;
    uint64_t nodes = 0;
    if (read_xgb(build, e, &x, NULL) != FTL_OK)
        return "";
    for (uint32_t t = 0; t < x.model->n_trees; t++)
        nodes += x.model->trees[t].left.size;
    bool classes = e->cls->kind == FTL_CLASSIFIER || (!x.wrapped && has_classes(&x));
    const char *summary = ftl_tree_summary(build, x.model->n_trees, nodes, -1,
                                           !classes           ? 0
                                           : x.n_outputs == 1 ? 2
                                                              : x.n_outputs),
               *rounds = rounds_note(build, &x);
    if (!summary || !rounds)
        return NULL;
    return ftl_arena_printf(build->arena, "%s%s%s%s", summary, x.model->objective[0] ? ", " : "",
                            x.model->objective, rounds);
}

static const char *xgb_wrote(ftl_build *build, const ftl_estimator *e)
{
    ftl_xgb x;
    if (read_xgb(build, e, &x, NULL) != FTL_OK || x.model->version == 0)
        return "";
    int v = x.model->version;
    return ftl_arena_printf(build->arena, "%d.%d.%d", v / 10000, v / 100 % 100, v % 100);
}

#define XGBOOST(name_, kind_) \
    {.package = "xgboost",    \
     .name = name_,           \
     .kind = kind_,           \
     .methods = xgb_methods,  \
     .emit = xgb_emit,        \
     .inputs = xgb_inputs,    \
     .detail = xgb_detail,    \
     .library = "XGBoost",    \
     .wrote = xgb_wrote}

const ftl_estimator_class ftl_xgboost_classes[] = {
    XGBOOST("Booster", FTL_OTHER_MODEL),
    XGBOOST("XGBClassifier", FTL_CLASSIFIER),
    XGBOOST("XGBRFClassifier", FTL_CLASSIFIER),
    XGBOOST("XGBRegressor", FTL_REGRESSOR),
    XGBOOST("XGBRFRegressor", FTL_REGRESSOR),
    XGBOOST("XGBRanker", FTL_REGRESSOR),
    {0},
};
