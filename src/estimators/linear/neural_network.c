/*
 * MLPClassifier and MLPRegressor: layers of a linear operation and an activation. A network whose
 * weights are float32 (trained on float32 from 0.24 on) keeps float32 rows float32.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <string.h>

enum { max_layers = 1 << 10, max_units = 1 << 22 };

typedef struct network {
    size_t n_layers; /* of weights */
    ftl_node **weights, **biases;
} network;

static uint32_t classifier_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA;
}

static uint32_t regressor_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static ftl_status read_network(const ftl_estimator *e, network *out, ftl_error *error)
{
    size_t n_biases = 0;
    FTL_TRY(ftl_attr_items(e, "coefs_", &out->weights, &out->n_layers, error));
    FTL_TRY(ftl_attr_items(e, "intercepts_", &out->biases, &n_biases, error));
    if (out->n_layers == 0 || out->n_layers > max_layers || n_biases != out->n_layers)
        return FTL_ATTR_FAIL(error, e, "coefs_", FTL_CORRUPT,
                             "%zu layers of weights and %zu of intercepts", out->n_layers,
                             n_biases);
    return FTL_OK;
}

/* coefs_[i] is [units before][units]; a linear operation wants it the other way round. */
static ftl_status read_layer(ftl_build *build, const ftl_estimator *e, const network *net, size_t i,
                             size_t n_in, ftl_linear_params *out, ftl_error *error)
{
    ftl_array2 weights = {0}, bias = {0};
    ftl_status status = ftl_node_matrix(build, net->weights[i], &weights, error);
    if (status == FTL_OK &&
        (weights.rows != n_in || weights.columns == 0 || weights.columns > max_units))
        status = FTL_FAIL(error, FTL_CORRUPT, "layer %zu has shape (%zu, %zu) for %zu inputs", i,
                          weights.rows, weights.columns, n_in);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "coefs_");
        return status;
    }
    size_t n_out = weights.columns;
    status = ftl_node_matrix(build, net->biases[i], &bias, error);
    if (status == FTL_OK && bias.rows * bias.columns != n_out)
        status = FTL_FAIL(error, FTL_CORRUPT, "layer %zu has %zu intercepts for %zu units", i,
                          bias.rows * bias.columns, n_out);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "intercepts_");
        return status;
    }
    double *coef = ftl_arena_array(build->arena, n_in * n_out, sizeof *coef);
    if (!coef)
        return FTL_OOM(error);
    for (size_t j = 0; j < n_in; j++) {
        for (size_t k = 0; k < n_out; k++)
            coef[k * n_in + j] = weights.data[j * n_out + k];
    }
    *out = (ftl_linear_params){.n_out = (uint32_t)n_out,
                               .n_features = n_in,
                               .coef = coef,
                               .intercept = bias.data,
                               .is_f32 = weights.was_f32 && bias.was_f32};
    return FTL_OK;
}

static ftl_status emit_relu(ftl_build *build, const ftl_estimator *e, uint32_t width, uint32_t *id,
                            ftl_error *error)
{
    ftl_op *op = NULL;
    double *zeros = ftl_arena_zero_array(build->arena, width, sizeof *zeros);
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!zeros || !step)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = FTL_AFFINE_CLIP_LOW, FTL_SIZED(vector, zeros, width)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

/* The attribute `name` says which function; exp came with the Poisson loss of 1.7. */
static ftl_status emit_activation(ftl_build *build, const ftl_estimator *e, const char *name,
                                  uint32_t width, uint32_t *id, ftl_error *error)
{
    if (ftl_attr_is(e, name, "identity"))
        return FTL_OK;
    if (ftl_attr_is(e, name, "relu"))
        return emit_relu(build, e, width, id, error);
    if (ftl_attr_is(e, name, "logistic"))
        return ftl_emit_link(build, e, FTL_LINK_SIGMOID, *id, width, id, error);
    if (ftl_attr_is(e, name, "softmax"))
        return ftl_emit_link(build, e, FTL_LINK_SOFTMAX, *id, width, id, error);
    if (ftl_attr_is(e, name, "exp"))
        return ftl_emit_link(build, e, FTL_LINK_EXP, *id, width, id, error);
    if (ftl_attr_is(e, name, "tanh"))
        return ftl_emit_link(build, e, FTL_LINK_TANH, *id, width, id, error);
    return FTL_ATTR_FAIL(error, e, name, FTL_UNSUPPORTED,
                         "%s is none of identity, logistic, tanh, relu, softmax and exp", name);
}

/* The whole network: *id has one column an output. */
static ftl_status emit_forward(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               uint32_t *id, ftl_error *error)
{
    network net = {0};
    ftl_op *op = NULL;
    FTL_TRY(read_network(e, &net, error));
    for (size_t i = 0; i < net.n_layers; i++) {
        ftl_linear_params params = {0};
        size_t n_in = i == 0 ? in->n_columns : build->ops[*id].width;
        FTL_TRY(read_layer(build, e, &net, i, n_in, &params, error));
        if (i == 0)
            FTL_TRY(ftl_linear_scores(build, e, in, &params, id, error));
        else {
            FTL_TRY(ftl_build_on(build, e, FTL_OP_LINEAR, *id, params.n_out, id, &op, error));
            op->dtype = params.is_f32 ? FTL_DTYPE_SAME : FTL_DTYPE_F64;
            op->u.linear = (ftl_linear_op){
                FTL_SIZED(coef, params.coef, params.n_out * params.n_features),
                FTL_SIZED(intercept, params.intercept, params.intercept ? params.n_out : 0)};
        }
        bool last = i + 1 == net.n_layers;
        FTL_TRY(emit_activation(build, e, last ? "out_activation_" : "activation", params.n_out, id,
                                error));
    }
    return FTL_OK;
}

/* ---- MLPClassifier --------------------------------------------------------------------------- */

/* What the label binarizer says about the targets. */
static ftl_status read_targets(ftl_build *build, const ftl_estimator *e, const ftl_labels **labels,
                               bool *multilabel, ftl_error *error)
{
    const ftl_node *binarizer = NULL;
    ftl_node_string type;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("_label_binarizer"), &binarizer, error));
    const ftl_node *classes = ftl_node_attr(binarizer, "classes_");
    if (ftl_node_is_none(classes))
        return FTL_ATTR_FAIL(error, e, "_label_binarizer.classes_", FTL_CORRUPT,
                             "the classes are missing");
    ftl_status status = ftl_node_labels(build, classes, labels, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "_label_binarizer.classes_");
        return status;
    }
    const ftl_node *node = ftl_node_attr(binarizer, "y_type_");
    *multilabel = node && ftl_node_as_str(node, &type) && type.size >= 10 &&
                  memcmp(type.data, "multilabel", 10) == 0;
    return FTL_OK;
}

/* The outputs before anything is decided; within the builder decision_function stands for them. */
static ftl_status emit_outputs(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    const ftl_labels *labels = NULL;
    bool multilabel;
    uint32_t id = 0;
    FTL_TRY(read_targets(build, e, &labels, &multilabel, error));
    FTL_TRY(emit_forward(build, e, in, &id, error));
    uint32_t width = build->ops[id].width;
    if (width == 1 && !multilabel ? labels->count > 2 : labels->count != width)
        return FTL_ATTR_FAIL(error, e, "coefs_", FTL_CORRUPT, "%u outputs for %u classes", width,
                             labels->count);
    return ftl_result_scores(build, id, labels, out, error);
}

/* Above one half, as 0 and 1. */
static ftl_status emit_above_half(ftl_build *build, const ftl_estimator *e, uint32_t *id,
                                  ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, *id, build->ops[*id].width, id, &op, error));
    op->u.binarize.threshold = 0.5;
    return FTL_OK;
}

static ftl_status emit_classes(ftl_build *build, const ftl_estimator *e, const ftl_frame *scores,
                               bool multilabel, ftl_frame *out, ftl_error *error)
{
    const ftl_labels *labels = scores->columns[0].labels;
    uint32_t id = scores->columns[0].op;
    if (!multilabel && scores->n_columns == 1 && labels->count == 2) {
        FTL_TRY(emit_above_half(build, e, &id, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    if (!multilabel) {
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &id, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    FTL_TRY(emit_above_half(build, e, &id, error));
    FTL_TRY(ftl_result_values(build, id, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_INT;
    return FTL_OK;
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    const ftl_labels *labels = NULL;
    bool multilabel;
    uint32_t id;
    if (method == FTL_DECISION_FUNCTION)
        return emit_outputs(build, e, in, out, error);
    if (method == FTL_PREDICT_LOG_PROBA)
        return ftl_log_proba(build, e, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    FTL_TRY(read_targets(build, e, &labels, &multilabel, error));
    labels = scores.columns[0].labels;
    if (method == FTL_PREDICT)
        return emit_classes(build, e, &scores, multilabel, out, error);
    id = scores.columns[0].op;
    if (scores.n_columns > 1)
        return ftl_result_scores(build, id, labels, out, error);
    if (labels->count != 2)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s trained on one class gives two probabilities, which is not supported; "
                        "use predict",
                        e->cls->name);
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_PAIR, id, 2, &id, error));
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status emit_regressor(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id = 0;
    (void)method;
    FTL_TRY(emit_forward(build, e, in, &id, error));
    return ftl_result_values(build, id, out, error);
}

/* ---- The table ------------------------------------------------------------------------------- */

/* Before n_features_in_ only the first layer's weights tell. */
static ftl_status network_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    network net = {0};
    ftl_array2 weights = {0};
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    if (out->count >= 0)
        return FTL_OK;
    FTL_TRY(read_network(e, &net, error));
    ftl_status status = ftl_node_matrix(build, net.weights[0], &weights, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "coefs_");
        return status;
    }
    out->count = (int64_t)weights.rows;
    return FTL_OK;
}

static const char *network_detail(ftl_build *build, const ftl_estimator *e)
{
    size_t layers = ftl_node_length(ftl_attr(e, "coefs_"));
    return ftl_arena_printf(build->arena, "%zu hidden layers", layers ? layers - 1 : 0);
}

const ftl_estimator_class ftl_network_classes[] = {
    {.package = "sklearn.neural_network",
     .name = "MLPClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = classifier_methods,
     .emit = emit_classifier,
     .inputs = network_inputs,
     .detail = network_detail},
    {.package = "sklearn.neural_network",
     .name = "MLPRegressor",
     .kind = FTL_REGRESSOR,
     .methods = regressor_methods,
     .emit = emit_regressor,
     .inputs = network_inputs,
     .detail = network_detail},
    {0},
};
