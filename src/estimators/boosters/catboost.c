/*
 * CatBoost: CatBoostClassifier, CatBoostRegressor, CatBoostRanker and CatBoost. Their state is the
 * parameters and, as "__model", the bytes of a .cbm file; such a file by itself comes here as a
 * CatBoost of "__model" alone.
 *
 * A numeric column is compared as float32; a categorical one is the hash of its text, which matches
 * a known hash or leads to target statistics. Comparisons, matches and statistics become the
 * columns of one float32 matrix; trees ask about those. Sums are float64 in the order of the trees;
 * then scale and bias.
 *
 * CatBoost().predict gives raw scores whatever the loss was. A file by itself says what it was
 * trained for, and is taken for the wrapper that would have trained it.
 */
#include "estimators/boosters/catboost.h"
#include "build/iterations.h"
#include "build/wishes.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/trees/tree_nodes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BIT(method) (1u << (method))

typedef enum cat_role {
    ROLE_RAW,
    ROLE_EXPONENT,
    ROLE_UNCERTAINTY, /* mean and, as half a logarithm, variance */
    ROLE_BINARY,
    ROLE_CLASSES,
    ROLE_ONE_VS_ALL,
    ROLE_MULTI_LABEL
} cat_role;

typedef struct cat {
    const ftl_node_string *model;
    ftl_cbm_info info;
    cat_role role;
    const ftl_labels *labels; /* of a classifier: what predict gives */
    const ftl_labels *scored; /* whose scores the columns are; NULL: columns have numbers */
} cat;

/* ---- What it is ------------------------------------------------------------------------------ */

static ftl_status model_bytes(const ftl_estimator *e, const ftl_node_string **out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "__model");
    if (ftl_node_is_none(node))
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "%s was not fitted", e->cls->name);
    if (node->kind != FTL_NODE_BYTES)
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "the model is not bytes");
    *out = &node->u.str;
    return FTL_OK;
}

static bool is_file(const ftl_estimator *e)
{
    const ftl_node *state = e->node->u.object->state;
    return state && state->kind == FTL_NODE_DICT && state->u.dict.size == 1;
}

static bool any_of(const char *text, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(text, *names) == 0)
            return true;
    }
    return false;
}

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Of a regressor: from the loss that it was given, or that the file was trained with. */
static cat_role regressor_role(const ftl_estimator *e, const ftl_cbm_info *info)
{
    ftl_node_string given = {"", 0};
    const char *loss = info->loss;
    if (!is_file(e)) {
        const ftl_node *node = ftl_attr(e, "loss_function");
        if (ftl_node_is_none(node))
            node = ftl_attr(e, "objective");
        if (ftl_node_is_none(node) || !ftl_node_as_str(node, &given))
            return ROLE_RAW;
        loss = given.data;
    }
    if (begins(loss, "Poisson") || begins(loss, "Tweedie"))
        return ROLE_EXPONENT;
    return strcmp(loss, "RMSEWithUncertainty") == 0 && info->width == 2 ? ROLE_UNCERTAINTY
                                                                        : ROLE_RAW;
}

/* A pickled CatBoost gives raw scores, and is a classifier to who asks it for classes. */
static bool goes_by_loss(ftl_build *build, const ftl_estimator *e)
{
    return is_file(e) || (strcmp(e->cls->name, "CatBoost") == 0 && ftl_gives_class(build));
}

static cat_role role_of(ftl_build *build, const ftl_estimator *e, const ftl_cbm_info *info)
{
    static const char *const labels[] = {"MultiLogloss", "MultiCrossEntropy", NULL};
    bool file = is_file(e), several = any_of(info->loss, labels);
    if (strcmp(e->cls->name, "CatBoostClassifier") == 0 ||
        (ftl_cbm_is_classification(info->loss) && goes_by_loss(build, e))) {
        if (several)
            return ROLE_MULTI_LABEL;
        if (info->width == 1)
            return ROLE_BINARY;
        return strcmp(info->loss, "MultiClassOneVsAll") == 0 ? ROLE_ONE_VS_ALL : ROLE_CLASSES;
    }
    if (file || strcmp(e->cls->name, "CatBoostRegressor") == 0)
        return regressor_role(e, info);
    return ROLE_RAW;
}

static bool is_classifier(const cat *c) { return c->role >= ROLE_BINARY; }

static ftl_status make_labels(ftl_build *build, const ftl_estimator *e, cat *c, ftl_error *error)
{
    static const ftl_cell no_yes[] = {{.tag = FTL_CELL_INT, .u.integer = 0},
                                      {.tag = FTL_CELL_INT, .u.integer = 1}};
    uint32_t needed = c->role == ROLE_BINARY ? 2
                      : c->info.n_order      ? c->info.n_labels
                                             : c->info.width;
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    if (!labels)
        return FTL_OOM(error);
    *labels = (ftl_labels){
        .type = c->info.label_type, .count = c->info.n_labels, .cells = c->info.labels};
    c->labels = c->scored = labels;
    if (c->role == ROLE_MULTI_LABEL) {
        static const ftl_labels yes_no = {.type = FTL_I64, .count = 2, .cells = no_yes};
        c->labels = &yes_no;
        c->scored = labels->count == needed ? labels : NULL;
    } else if (labels->count != needed)
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "%u classes do not fit %u outputs",
                             labels->count, c->info.width);
    return FTL_OK;
}

static ftl_status read_info(ftl_build *build, const ftl_estimator *e, const ftl_node_string *model,
                            ftl_cbm_info *out, ftl_error *error)
{
    const ftl_cbm_info *known = ftl_made_of(build, model->data, FTL_MADE_HEAD);
    if (known) {
        *out = *known;
        return FTL_OK;
    }
    FTL_TRY(ftl_build_spend(build, model->size, error));
    ftl_cbm_info *info = FTL_ARENA_NEW(build->arena, ftl_cbm_info);
    if (!info)
        return FTL_OOM(error);
    ftl_status status = ftl_cbm_read_info(build->arena, model->data, model->size, info, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "__model");
        return status;
    }
    *out = *info;
    return ftl_made_keep(build, model->data, FTL_MADE_HEAD, info, error);
}

static ftl_status read_cat(ftl_build *build, const ftl_estimator *e, cat *out, ftl_error *error)
{
    cat c = {0};
    FTL_TRY(model_bytes(e, &c.model, error));
    FTL_TRY(read_info(build, e, c.model, &c.info, error));
    c.role = role_of(build, e, &c.info);
    if (c.role == ROLE_EXPONENT && c.info.early) /* some gave the raw score */
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a model of %.40s written by CatBoost %s, which is too old: what it "
                        "predicts is proved for 0.26 and later",
                        c.info.loss, c.info.version);
    if (is_classifier(&c))
        FTL_TRY(make_labels(build, e, &c, error));
    *out = c;
    return FTL_OK;
}

/* ---- Raw scores ------------------------------------------------------------------------------ */

/* Leaves out the trees behind those that are used: all but where the caller of the model chose. */
static ftl_status cut_trees(ftl_build *build, const ftl_estimator *e, ftl_cbm *cbm,
                            ftl_error *error)
{
    FTL_TRY(ftl_iterations_of(build, e, cbm->n_trees, cbm->n_trees, &cbm->n_trees, error));
    if (!cbm->oblivious)
        return FTL_OK; /* nodes name their leaves */
    cbm->n_values = 0;
    for (uint32_t t = 0; t < cbm->n_trees; t++)
        cbm->n_values += (uint64_t)cbm->width << (cbm->start[t + 1] - cbm->start[t]);
    return FTL_OK;
}

/* The whole model: raw scores and leaves share it, of all that hold the same bytes. */
static ftl_status read_model(ftl_build *build, const ftl_estimator *e, const cat *c,
                             const ftl_frame *in, const ftl_cbm **out, ftl_error *error)
{
    const ftl_cbm *known = ftl_made_of(build, c->model->data, FTL_MADE_HANDLE);
    if (!known) {
        ftl_cbm *cbm = FTL_ARENA_NEW(build->scratch, ftl_cbm);
        if (!cbm)
            return FTL_OOM(error);
        ftl_status status = ftl_cbm_read(build->arena, c->model->data, c->model->size, cbm, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "__model");
            return status;
        }
        FTL_TRY(cut_trees(build, e, cbm, error));
        FTL_TRY(ftl_made_keep(build, c->model->data, FTL_MADE_HANDLE, cbm, error));
        known = cbm;
    }
    *out = known;
    return ftl_frame_expect(e, in, known->n_columns, error);
}

/* The library leaves out what would change nothing. */
static ftl_status emit_scale(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                             uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    bool biased = false;
    uint32_t n = 0;
    ftl_affine_step *steps = ftl_arena_zero_array(build->arena, 2, sizeof *steps);
    double *scale = ftl_arena_array(build->arena, cbm->width, sizeof *scale);
    if (!steps || !scale)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < cbm->width; k++) {
        scale[k] = cbm->scale;
        biased |= cbm->bias[k] != 0;
    }
    if (cbm->scale != 1)
        steps[n++] = (ftl_affine_step){
            .kind = FTL_AFFINE_MUL, .wide = true, FTL_SIZED(vector, scale, cbm->width)};
    if (biased)
        steps[n++] = (ftl_affine_step){
            .kind = FTL_AFFINE_ADD, .wide = true, FTL_SIZED(vector, cbm->bias, cbm->width)};
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, cbm->width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = n, FTL_SIZED(steps, steps, n)};
    return FTL_OK;
}

/* Outputs to the order of the classes; a class that training never met has no score. */
static ftl_status emit_order(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t *id,
                             ftl_error *error)
{
    static const double none[] = {-INFINITY};
    const ftl_cbm_info *info = &c->info;
    bool same = info->n_labels == info->n_order;
    for (uint32_t k = 0; k < info->n_order; k++)
        same &= info->order[k] == k;
    if (info->n_order == 0 || same)
        return FTL_OK;
    uint32_t constant;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, &constant, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->width = 1;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, none, 1)};
    FTL_TRY(ftl_frame_new(build, info->n_labels, &frame, error));
    for (uint32_t i = 0; i < info->n_labels; i++)
        frame.columns[i] = (ftl_frame_column){.op = constant, .column = 0};
    for (uint32_t k = 0; k < info->n_order; k++)
        frame.columns[info->order[k]] = (ftl_frame_column){.op = *id, .column = k};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_margin(ftl_build *build, const ftl_estimator *e, const cat *c,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_cbm *cbm = NULL;
    uint32_t id = 0;
    FTL_TRY(read_model(build, e, c, in, &cbm, error));
    FTL_TRY(ftl_cat_matrix(build, e, cbm, in, &id, error));
    FTL_TRY(ftl_cat_trees(build, e, cbm, id, false, &id, error));
    FTL_TRY(emit_scale(build, e, cbm, &id, error));
    if (is_classifier(c))
        FTL_TRY(emit_order(build, e, c, &id, error));
    return ftl_result_scores(build, id, c->scored, out, error);
}

/* calc_leaf_indexes. */
static ftl_status emit_apply(ftl_build *build, const ftl_estimator *e, const cat *c,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_cbm *cbm = NULL;
    uint32_t id = 0;
    FTL_TRY(read_model(build, e, c, in, &cbm, error));
    if (cbm->n_trees == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "the model has no trees to apply");
    FTL_TRY(ftl_cat_matrix(build, e, cbm, in, &id, error));
    FTL_TRY(ftl_cat_trees(build, e, cbm, id, true, &id, error));
    return ftl_tree_result_apply(build, id, FTL_AS_INT, out, error);
}

/* ---- Predictions ----------------------------------------------------------------------------- */

/* (mean, variance) of (mean, s): the variance is exp(2 s). */
static ftl_status emit_uncertainty(ftl_build *build, const ftl_estimator *e, uint32_t raw,
                                   uint32_t *id, ftl_error *error)
{
    static const double twos[] = {1, 2};
    static const ftl_affine_step twice[] = {
        {.kind = FTL_AFFINE_MUL, .wide = true, FTL_SIZED(vector, twos, 2)}};
    uint32_t doubled, powers;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, raw, 2, &doubled, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, twice, 1)};
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_EXP, doubled, 2, &powers, error));
    FTL_TRY(ftl_frame_new(build, 2, &frame, error));
    frame.columns[0] = (ftl_frame_column){.op = raw, .column = 0};
    frame.columns[1] = (ftl_frame_column){.op = powers, .column = 1};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t raw,
                               ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw, width = build->ops[raw].width;
    ftl_op *op = NULL;
    switch (c->role) {
    case ROLE_RAW:
        break;
    case ROLE_EXPONENT:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_EXP, raw, width, &id, error));
        break;
    case ROLE_UNCERTAINTY:
        FTL_TRY(emit_uncertainty(build, e, raw, &id, error));
        break;
    case ROLE_BINARY:
    case ROLE_MULTI_LABEL:
        FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, raw, width, &id, &op, error));
        op->u.binarize.threshold = c->role == ROLE_BINARY ? c->info.threshold : 0;
        return ftl_result_labels(build, id, c->labels, out, error);
    case ROLE_CLASSES:
    case ROLE_ONE_VS_ALL:
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, raw, 1, &id, error));
        FTL_TRY(ftl_result_labels(build, id, c->labels, out, error));
        out->matrix = true; /* of more than two classes: as predict of CatBoost gives them */
        return FTL_OK;
    }
    return ftl_result_values(build, id, out, error);
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t raw,
                             ftl_frame *out, ftl_error *error)
{
    uint32_t id, width = build->ops[raw].width;
    switch (c->role) {
    case ROLE_BINARY:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID_PAIR, raw, 2, &id, error));
        break;
    case ROLE_CLASSES:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SOFTMAX, raw, width, &id, error));
        break;
    default:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID, raw, width, &id, error));
    }
    return ftl_result_scores(build, id, c->scored, out, error);
}

/* log(1 / (1 + exp(x))) and log(1 / (1 + exp(-x))): small ones do not vanish in 1 - p. */
static ftl_status emit_both_signs(ftl_build *build, const ftl_estimator *e, uint32_t raw,
                                  uint32_t *id, ftl_error *error)
{
    uint32_t negative;
    ftl_frame frame;
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, raw, 1, &negative, error));
    FTL_TRY(ftl_frame_new(build, 2, &frame, error));
    frame.columns[0] = (ftl_frame_column){.op = negative, .column = 0};
    frame.columns[1] = (ftl_frame_column){.op = raw, .column = 0};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_log_proba(ftl_build *build, const ftl_estimator *e, const cat *c,
                                 uint32_t raw, ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw, width = build->ops[raw].width;
    if (c->role == ROLE_CLASSES) {
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG_NORMALIZE, raw, width, &id, error));
        return ftl_result_scores(build, id, c->scored, out, error);
    }
    if (c->role == ROLE_BINARY)
        FTL_TRY(emit_both_signs(build, e, raw, &id, error));
    width = build->ops[id].width;
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID, id, width, &id, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG, id, width, &id, error));
    return ftl_result_scores(build, id, c->scored, out, error);
}

static ftl_status cat_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    cat c;
    ftl_frame raw;
    FTL_TRY(read_cat(build, e, &c, error));
    if (method == FTL_MARGIN)
        return emit_margin(build, e, &c, in, out, error);
    if (method == FTL_APPLY)
        return emit_apply(build, e, &c, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &raw, error));
    if (method == FTL_PREDICT_PROBA)
        return emit_proba(build, e, &c, raw.columns[0].op, out, error);
    if (method == FTL_PREDICT_LOG_PROBA)
        return emit_log_proba(build, e, &c, raw.columns[0].op, out, error);
    return emit_predict(build, e, &c, raw.columns[0].op, out, error);
}

/* ---- About it -------------------------------------------------------------------------------- */

static uint32_t cat_methods(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    uint32_t methods = BIT(FTL_PREDICT) | BIT(FTL_MARGIN) | BIT(FTL_APPLY);
    if (read_cat(build, e, &c, NULL) == FTL_OK && is_classifier(&c))
        methods |= BIT(FTL_PREDICT_PROBA) | BIT(FTL_PREDICT_LOG_PROBA);
    return methods;
}

/* Without names of their own the columns are named by their numbers: those are no names. */
static bool is_named(const ftl_cbm_column *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", i);
        if (columns[i].name[0] && strcmp(columns[i].name, number) != 0)
            return true;
    }
    return false;
}

static ftl_status cat_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    const ftl_node_string *model = NULL;
    const ftl_cbm_column *columns = NULL;
    uint32_t n = 0;
    FTL_TRY(model_bytes(e, &model, error));
    ftl_status status = ftl_cbm_read_columns(build->arena, model->data, model->size, &n, &columns,
                                             error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "__model");
        return status;
    }
    *out = (ftl_inputs){.count = n};
    if (!is_named(columns, n))
        return FTL_OK;
    const char **names = ftl_arena_array(build->arena, n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = columns[i].name[0] ? columns[i].name : ftl_arena_printf(build->arena, "%u", i);
        if (!names[i])
            return FTL_OOM(error);
    }
    out->names = names;
    return FTL_OK;
}

static const char *cat_detail(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    if (read_cat(build, e, &c, NULL) != FTL_OK)
        return "";
    const char *note = ftl_iterations_note(build, c.info.n_trees, c.info.n_trees), *classes = "";
    if (is_classifier(&c) && c.role != ROLE_MULTI_LABEL)
        classes = ftl_arena_printf(build->arena, ", %u classes", c.labels->count);
    if (!note || !classes)
        return NULL;
    return ftl_arena_printf(build->arena, "%u %stree%s%s%s%s%s", c.info.n_trees,
                            c.info.oblivious ? "oblivious " : "", c.info.n_trees == 1 ? "" : "s",
                            classes, c.info.loss[0] ? ", " : "", c.info.loss, note);
}

static const char *cat_wrote(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    return read_cat(build, e, &c, NULL) == FTL_OK ? c.info.version : "";
}

#define CATBOOST(name_, kind_) \
    {.package = "catboost",    \
     .name = name_,            \
     .kind = kind_,            \
     .methods = cat_methods,   \
     .emit = cat_emit,         \
     .inputs = cat_inputs,     \
     .detail = cat_detail,     \
     .library = "CatBoost",    \
     .wrote = cat_wrote}

const ftl_estimator_class ftl_catboost_classes[] = {
    CATBOOST("CatBoost", FTL_OTHER_MODEL),
    CATBOOST("CatBoostClassifier", FTL_CLASSIFIER),
    CATBOOST("CatBoostRegressor", FTL_REGRESSOR),
    CATBOOST("CatBoostRanker", FTL_REGRESSOR),
    {0},
};
