#include "estimators/linear/linear_model.h"

#include "base/checked.h"
#include "build/transformer.h"

enum { max_outputs = 1 << 20 };

/* ---- Parameters ------------------------------------------------------------------------------ */

ftl_status ftl_linear_read_coef(ftl_build *build, const ftl_estimator *e, ftl_linear_params *out,
                                ftl_error *error)
{
    ftl_array2 coef = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("coef_"), &coef, error));
    if (coef.rows == 0 || coef.rows > max_outputs)
        return FTL_ATTR_FAIL(error, e, "coef_", FTL_CORRUPT, "coef_ has shape (%zu, %zu)",
                             coef.rows, coef.columns);
    *out = (ftl_linear_params){.n_out = (uint32_t)coef.rows,
                               .n_features = coef.columns,
                               .coef = coef.data,
                               .is_f32 = coef.was_f32};
    return FTL_OK;
}

/*
 * float32 rows times float32 coefficients stay float32 when the intercept is float32 too, or a
 * scalar: numpy lets a Python number, and before numpy 2 any scalar, follow the array.
 */
ftl_status ftl_linear_read(ftl_build *build, const ftl_estimator *e, ftl_linear_params *out,
                           ftl_error *error)
{
    ftl_linear_params params = {0};
    FTL_TRY(ftl_linear_read_coef(build, e, &params, error));
    ftl_array2 intercept = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("intercept_"), &intercept, error));
    size_t size = intercept.rows * intercept.columns;
    if (size != 1 && size != params.n_out)
        return FTL_ATTR_FAIL(error, e, "intercept_", FTL_CORRUPT,
                             "intercept_ has %zu values for %u outputs", size, params.n_out);
    double *values = ftl_arena_array(build->arena, params.n_out, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < params.n_out; k++)
        values[k] = intercept.data[size == 1 ? 0 : k];
    params.intercept = values;
    const ftl_node *node = ftl_attr(e, "intercept_");
    bool scalar = node->kind != FTL_NODE_ARRAY || node->u.array->ndim == 0;
    params.is_f32 = params.is_f32 && (intercept.was_f32 || scalar);
    *out = params;
    return FTL_OK;
}

/* ---- Scores ---------------------------------------------------------------------------------- */

/* Columns that need no matrix: one-hot codes and sparse ones. */
static bool is_coded(const ftl_build *build, const ftl_frame_column *column)
{
    ftl_edge_kind edge = build->ops[column->op].edge;
    return edge == FTL_EDGE_CODED || edge == FTL_EDGE_SPARSE;
}

ftl_status ftl_linear_sources(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              uint32_t refuse, ftl_frame *out, ftl_error *error)
{
    ftl_frame plain, sources;
    uint32_t *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked), n = 0,
             matrix = 0;
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (!is_coded(build, &in->columns[i]))
            picked[n++] = i;
    }
    FTL_TRY(ftl_frame_select(build, in, picked, n, &plain, error));
    if (n > 0)
        FTL_TRY(ftl_build_checked_matrix(build, e, &plain, refuse, &matrix, error));
    FTL_TRY(ftl_frame_new(build, in->n_columns, &sources, error));
    ftl_frame_form(in, &sources);
    n = 0;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        sources.columns[i] = in->columns[i];
        if (is_coded(build, &in->columns[i]))
            continue;
        sources.columns[i].op = matrix;
        sources.columns[i].column = n++;
    }
    *out = sources;
    return ftl_build_sparse_columns(build, e, out, refuse, error);
}

ftl_status ftl_linear_scores(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             const ftl_linear_params *params, uint32_t *id, ftl_error *error)
{
    ftl_frame sources;
    ftl_op *op = NULL;
    FTL_TRY(ftl_frame_expect(e, in, params->n_features, error));
    FTL_TRY(ftl_linear_sources(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_LINEAR, &sources, id, &op, error));
    op->width = params->n_out;
    op->dtype = params->is_f32 ? FTL_DTYPE_SAME : FTL_DTYPE_F64;
    op->u.linear = (ftl_linear_op){
        FTL_SIZED(coef, params->coef, params->n_out * params->n_features),
        FTL_SIZED(intercept, params->intercept, params->intercept ? params->n_out : 0)};
    return FTL_OK;
}

ftl_status ftl_emit_link(ftl_build *build, const ftl_estimator *e, ftl_link link, uint32_t source,
                         uint32_t width, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_LINK, source, width, id, &op, error));
    op->u.link.link = link;
    /* numpy.ones((n, 2)) receives the clipped scores: float64 whatever they are. */
    if (link == FTL_LINK_HUBER_PAIR)
        op->dtype = FTL_DTYPE_F64;
    return FTL_OK;
}

ftl_status ftl_emit_decide(ftl_build *build, const ftl_estimator *e, ftl_decide rule,
                           uint32_t source, uint32_t width, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_DECIDE, source, width, id, &op, error));
    op->u.decide.rule = rule;
    op->dtype = FTL_DTYPE_F64;
    return FTL_OK;
}

ftl_status ftl_emit_affine(ftl_build *build, const ftl_estimator *e, ftl_affine_step_kind kind,
                           const double *vector, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!step)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = kind, FTL_SIZED(vector, vector, build->ops[*id].width)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, build->ops[*id].width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

ftl_status ftl_linear_centred(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              const double *mean, bool mean_is_f32, ftl_frame *out,
                              ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    if (!mean_is_f32) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, id, in->n_columns, &id, &op, error));
        op->dtype = FTL_DTYPE_F64;
    }
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_SUB, mean, &id, error));
    return ftl_frame_like(build, id, in, out, error);
}

ftl_status ftl_emit_squares(ftl_build *build, const ftl_estimator *e, uint32_t source, double norm,
                            double prior, uint32_t *id, ftl_error *error)
{
    uint32_t n = build->ops[source].width;
    double *mean = ftl_arena_zero_array(build->arena, n, sizeof *mean);
    double *variance = ftl_arena_array(build->arena, n, sizeof *variance);
    double *constants = ftl_arena_array(build->arena, 2, sizeof *constants);
    ftl_op *op = NULL;
    if (!mean || !variance || !constants)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n; j++)
        variance[j] = 1;
    constants[0] = prior;
    constants[1] = norm;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_GAUSSIAN, source, 1, id, &op, error));
    op->u.gaussian = (ftl_gaussian_op){FTL_SIZED(mean, mean, n), FTL_SIZED(variance, variance, n),
                                       FTL_SIZED(prior, constants, 1),
                                       FTL_SIZED(norm, constants + 1, 1)};
    return FTL_OK;
}

/* ---- Classifiers ----------------------------------------------------------------------------- */

ftl_status ftl_linear_decision(ftl_build *build, const ftl_estimator *e, const ftl_node *classes,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_linear_params params = {0};
    const ftl_labels *labels = NULL;
    uint32_t scores;
    FTL_TRY(ftl_linear_read(build, e, &params, error));
    ftl_status status = ftl_node_labels(build, classes, &labels, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "classes_");
        return status;
    }
    if (params.n_out == 1 ? labels->count > 2 : labels->count != params.n_out)
        return FTL_ATTR_FAIL(error, e, "coef_", FTL_CORRUPT, "coef_ has %u rows for %u classes",
                             params.n_out, labels->count);
    FTL_TRY(ftl_linear_scores(build, e, in, &params, &scores, error));
    return ftl_result_scores(build, scores, labels, out, error);
}

ftl_status ftl_linear_predict(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t index;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    const ftl_labels *labels = scores.columns[0].labels;
    bool pair = scores.n_columns == 1 && labels->count == 2;
    FTL_TRY(ftl_emit_decide(build, e, pair ? FTL_DECIDE_POSITIVE : FTL_DECIDE_ARGMAX,
                            scores.columns[0].op, 1, &index, error));
    return ftl_result_labels(build, index, labels, out, error);
}

ftl_status ftl_linear_proba(ftl_build *build, const ftl_estimator *e, ftl_link pair,
                            ftl_link several, const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t proba;
    FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &scores, error));
    const ftl_labels *labels = scores.columns[0].labels;
    if (labels->count < 2)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT,
                             "a classifier with probabilities has one class only");
    ftl_link link = scores.n_columns == 1 ? pair : several;
    FTL_TRY(ftl_emit_link(build, e, link, scores.columns[0].op, labels->count, &proba, error));
    return ftl_result_scores(build, proba, labels, out, error);
}

ftl_status ftl_log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                         ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t log;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(
        ftl_emit_link(build, e, FTL_LINK_LOG, proba.columns[0].op, proba.n_columns, &log, error));
    return ftl_result_scores(build, log, proba.columns[0].labels, out, error);
}

/* Of two classes the score of the second minus that of the first. */
static ftl_status emit_difference(ftl_build *build, const ftl_estimator *e, const ftl_frame *scores,
                                  ftl_frame *out, ftl_error *error)
{
    static const double weights[] = {-1, 1};
    static const uint32_t target[] = {0, 0};
    uint32_t id;
    ftl_op *op = NULL;
    if (scores->n_columns != 2) {
        *out = *scores;
        return FTL_OK;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_COMBINE, scores->columns[0].op, 1, &id, &op, error));
    op->u.combine = (ftl_combine_op){.rule = FTL_COMBINE_SUM,
                                     FTL_WHOLE(target, target),
                                     FTL_WHOLE(weights, weights),
                                     .divisor = 1};
    return ftl_result_scores(build, id, scores->columns[0].labels, out, error);
}

ftl_status ftl_emit_from_scores(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame scores;
    uint32_t id;
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &scores, error));
    if (method == FTL_DECISION_FUNCTION)
        return emit_difference(build, e, &scores, out, error);
    ftl_link link = method == FTL_PREDICT_LOG_PROBA ? FTL_LINK_LOG_NORMALIZE : FTL_LINK_SOFTMAX;
    FTL_TRY(ftl_emit_link(build, e, link, scores.columns[0].op, scores.n_columns, &id, error));
    return ftl_result_scores(build, id, scores.columns[0].labels, out, error);
}

/* From 1.9 on a row whose sigmoids all underflow gets equal probabilities; before, 0 / 0. */
ftl_link ftl_linear_ovr_link(const ftl_estimator *e)
{
    return e->version >= FTL_SKLEARN(1, 9) ? FTL_LINK_OVR_UNIFORM : FTL_LINK_OVR;
}

/* ---- Description ----------------------------------------------------------------------------- */

const char *ftl_linear_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *coef = ftl_attr(e, "coef_");
    size_t features = 0, classes = ftl_node_length(ftl_attr(e, "classes_"));
    if (coef && coef->kind == FTL_NODE_ARRAY && coef->u.array->ndim > 0)
        features = coef->u.array->shape[coef->u.array->ndim - 1];
    else if (coef && coef->kind == FTL_NODE_SPARSE)
        features = coef->u.sparse->columns;
    const char *text = classes ? ftl_arena_printf(build->arena, "%zu features, %zu classes",
                                                  features, classes)
                               : ftl_arena_printf(build->arena, "%zu feature%s", features,
                                                  features == 1 ? "" : "s");
    return text ? text : "";
}
