/*
 * CalibratedClassifierCV: the mean over folds of calibrated probabilities; and FrozenEstimator,
 * which keeps a model from being fitted again.
 *
 * calibrated_classifiers_[i] holds the model (base_estimator, from 1.2 on estimator) and its
 * calibrators (calibrators_, from 0.24 on calibrators), one a class, or one for two classes, or,
 * for method='temperature', one for all. A model with decision_function is asked that, any other
 * its predict_proba.
 */
#include "estimators/families.h"
#include "estimators/linear/isotonic_regression.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <string.h>

static uint32_t calibrated_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA;
}

/* One of calibrated_classifiers_: no estimator itself. */
typedef struct fold {
    ftl_estimator self, model;
    ftl_node **calibrators;
    size_t n_calibrators;
    const ftl_labels *own;
    bool decides; /* the model has decision_function */
    ftl_frame scores;
} fold;

static ftl_status read_fold(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                            size_t i, fold *out, ftl_error *error)
{
    out->self = *e;
    out->self.node = node;
    out->self.path = ftl_child_path(build, e, "calibrated_classifiers_[%zu]", i);
    if (!out->self.path)
        return FTL_OOM(error);
    const char *name = ftl_attr(&out->self, "estimator") ? "estimator" : "base_estimator";
    FTL_TRY(ftl_estimator_of(build, ftl_attr(&out->self, name), e,
                             ftl_child_path(build, &out->self, "%s", name), &out->model, error));
    const char *list = ftl_attr(&out->self, "calibrators") ? "calibrators" : "calibrators_";
    return ftl_attr_items(&out->self, list, &out->calibrators, &out->n_calibrators, error);
}

/* The model's scores: one column for two classes, else one a class. */
static ftl_status emit_scores(ftl_build *build, fold *f, const ftl_frame *in, ftl_error *error)
{
    ftl_method method = ftl_child_scores(build, &f->model);
    f->decides = method == FTL_DECISION_FUNCTION;
    FTL_TRY(ftl_child_emit(build, &f->model, method, in, &f->scores, error));
    if (!f->decides && f->own->count == 2 && f->scores.n_columns == 2) {
        f->scores.columns++;
        f->scores.n_columns--;
    }
    uint32_t expected = f->own->count == 2 ? 1 : f->own->count;
    if (f->scores.n_columns != expected || f->own->count < 2)
        return FTL_ATTR_FAIL(error, &f->self, "estimator", FTL_UNSUPPORTED,
                             "a calibrated model gives %u scores for %u classes",
                             f->scores.n_columns, f->own->count);
    return FTL_OK;
}

static ftl_status as_matrix(ftl_build *build, const fold *f, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    uint32_t source;
    FTL_TRY(ftl_build_matrix(build, &f->model, &f->scores, &source, error));
    FTL_TRY(
        ftl_build_on(build, &f->self, FTL_OP_CAST, source, f->scores.n_columns, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    return FTL_OK;
}

static ftl_status emit_affine(ftl_build *build, const fold *f, const ftl_affine_step *steps,
                              uint32_t n, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    const ftl_affine_step *copy = ftl_arena_copy(build->arena, steps, n * sizeof *steps);
    bool whole = copy != NULL;
    for (uint32_t i = 0; i < n; i++)
        whole = whole && steps[i].vector;
    if (!whole)
        return FTL_OOM(error);
    FTL_TRY(
        ftl_build_on(build, &f->self, FTL_OP_AFFINE, *id, build->ops[*id].width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = n, FTL_SIZED(steps, copy, n)};
    return FTL_OK;
}

/* ---- Calibrators ----------------------------------------------------------------------------- */

static ftl_status calibrator_at(ftl_build *build, const fold *f, size_t i, ftl_estimator *out,
                                ftl_error *error)
{
    *out = f->self;
    out->node = f->calibrators[i];
    out->path = ftl_child_path(build, &f->self, "calibrators[%zu]", i);
    return out->path ? FTL_OK : FTL_OOM(error);
}

static bool calibrator_is(const fold *f, size_t i, const char *name)
{
    const ftl_node *node = f->calibrators[i];
    return node && node->kind == FTL_NODE_OBJECT && strcmp(node->u.object->name, name) == 0;
}

/* 1 / (1 + exp(a x + b)) */
static ftl_status emit_sigmoids(ftl_build *build, const fold *f, uint32_t *id, ftl_error *error)
{
    uint32_t n = f->scores.n_columns;
    double *a = ftl_arena_array(build->arena, n, sizeof *a);
    double *b = ftl_arena_array(build->arena, n, sizeof *b);
    if (!a || !b)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        ftl_estimator calibrator;
        const ftl_node *unused = NULL;
        FTL_TRY(calibrator_at(build, f, i, &calibrator, error));
        FTL_TRY(ftl_attr_need(&calibrator, FTL_NAMES("a_"), &unused, error));
        FTL_TRY(ftl_attr_f64(&calibrator, "a_", 0, &a[i], error));
        FTL_TRY(ftl_attr_f64(&calibrator, "b_", 0, &b[i], error));
    }
    const ftl_affine_step steps[] = {
        {.kind = FTL_AFFINE_MUL, FTL_SIZED(vector, a, n)},
        {.kind = FTL_AFFINE_ADD, FTL_SIZED(vector, b, n)},
        {.kind = FTL_AFFINE_MUL, FTL_SIZED(vector, ftl_repeat(build, -1.0, n), n)},
    };
    FTL_TRY(emit_affine(build, f, steps, FTL_ARRAY_LEN(steps), id, error));
    return ftl_emit_link(build, &f->self, FTL_LINK_SIGMOID, *id, n, id, error);
}

static ftl_status emit_curves(ftl_build *build, const fold *f, uint32_t *id, ftl_error *error)
{
    uint32_t n = f->scores.n_columns;
    ftl_curve *curves = ftl_arena_array(build->arena, n, sizeof *curves);
    bool single = false, all_single = true;
    ftl_op *op = NULL;
    if (!curves)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        ftl_estimator calibrator;
        FTL_TRY(calibrator_at(build, f, i, &calibrator, error));
        FTL_TRY(ftl_isotonic_read(build, &calibrator, &curves[i], &single, error));
        all_single = all_single && single;
    }
    FTL_TRY(ftl_build_on(build, &f->self, FTL_OP_INTERPOLATE, *id, n, id, &op, error));
    op->dtype = all_single ? FTL_DTYPE_F32 : FTL_DTYPE_F64;
    op->u.interpolate = (ftl_interpolate_op){FTL_SIZED(curves, curves, n), .single = all_single};
    return FTL_OK;
}

/* softmax(beta x): of decisions as they are, of probabilities' logarithms. */
static ftl_status emit_temperature(ftl_build *build, const fold *f, uint32_t *id, ftl_error *error)
{
    ftl_estimator calibrator;
    const ftl_node *unused = NULL;
    double beta = 1;
    uint32_t n = f->own->count;
    bool pair = f->scores.n_columns == 1;
    FTL_TRY(calibrator_at(build, f, 0, &calibrator, error));
    FTL_TRY(ftl_attr_need(&calibrator, FTL_NAMES("beta_"), &unused, error));
    FTL_TRY(ftl_attr_f64(&calibrator, "beta_", 1, &beta, error));
    if (!f->decides) {
        const ftl_affine_step tiny = {.kind = FTL_AFFINE_ADD,
                                      FTL_SIZED(vector, ftl_repeat(build, 1e-12, n), n)};
        if (pair)
            FTL_TRY(ftl_emit_link(build, &f->self, FTL_LINK_PAIR, *id, n, id, error));
        FTL_TRY(emit_affine(build, f, &tiny, 1, id, error));
        FTL_TRY(ftl_emit_link(build, &f->self, FTL_LINK_LOG, *id, n, id, error));
        pair = false;
    }
    const uint32_t width = pair ? 1 : n;
    const ftl_affine_step scale = {.kind = FTL_AFFINE_MUL,
                                   FTL_SIZED(vector, ftl_repeat(build, beta, width), width)};
    FTL_TRY(emit_affine(build, f, &scale, 1, id, error));
    return ftl_emit_link(build, &f->self, pair ? FTL_LINK_SOFTMAX_PAIR : FTL_LINK_SOFTMAX, *id, n,
                         id, error);
}

/* All calibrators of a fold are of one class. */
static ftl_status emit_calibrated(ftl_build *build, const fold *f, uint32_t *id, ftl_error *error)
{
    static const char *const kinds[] = {"_SigmoidCalibration", "IsotonicRegression",
                                        "_TemperatureScaling"};
    size_t kind = 0, n = f->n_calibrators;
    while (n > 0 && kind < FTL_ARRAY_LEN(kinds) && !calibrator_is(f, 0, kinds[kind]))
        kind++;
    if (n == 0 || kind == FTL_ARRAY_LEN(kinds))
        return FTL_ATTR_FAIL(error, &f->self, "calibrators", FTL_UNSUPPORTED,
                             "a calibrator is neither sigmoid, isotonic nor temperature");
    for (size_t i = 0; i < n; i++) {
        if (!calibrator_is(f, i, kinds[kind]))
            return FTL_ATTR_FAIL(error, &f->self, "calibrators", FTL_CORRUPT,
                                 "the calibrators are of several classes");
    }
    if (n != (kind == 2 ? 1 : f->scores.n_columns))
        return FTL_ATTR_FAIL(error, &f->self, "calibrators", FTL_CORRUPT,
                             "%zu calibrators for %u scores", n, f->scores.n_columns);
    if (kind == 2)
        return emit_temperature(build, f, id, error);
    FTL_TRY(kind == 0 ? emit_sigmoids(build, f, id, error) : emit_curves(build, f, id, error));
    bool pair = f->own->count == 2;
    return ftl_emit_link(build, &f->self, pair ? FTL_LINK_PAIR : FTL_LINK_NORMALIZE_UNIFORM, *id,
                         f->own->count, id, error);
}

/* ---- The mean -------------------------------------------------------------------------------- */

static ftl_status read_folds(const ftl_estimator *e, ftl_node ***out, size_t *n, ftl_error *error)
{
    FTL_TRY(ftl_attr_items(e, "calibrated_classifiers_", out, n, error));
    if (*n == 0 || *n > 1u << 20)
        return FTL_ATTR_FAIL(error, e, "calibrated_classifiers_", FTL_CORRUPT,
                             "there are %zu calibrated classifiers", *n);
    return FTL_OK;
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_node **nodes = NULL;
    size_t n = 0;
    uint32_t id;
    const ftl_labels *own = NULL;
    FTL_TRY(ftl_own_labels(build, e, &own, error));
    FTL_TRY(read_folds(e, &nodes, &n, error));
    ftl_frame *results = ftl_arena_zero_array(build->scratch, n, sizeof *results);
    if (!results)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        fold f = {.own = own};
        FTL_TRY(read_fold(build, e, nodes[i], i, &f, error));
        FTL_TRY(emit_scores(build, &f, in, error));
        FTL_TRY(as_matrix(build, &f, &id, error));
        FTL_TRY(emit_calibrated(build, &f, &id, error));
        FTL_TRY(ftl_frame_of_op(build, id, NULL, &results[i], error));
    }
    const ftl_sum how = {.rule = FTL_COMBINE_SUM, .divisor = (double)n, .dtype = FTL_DTYPE_F64};
    FTL_TRY(ftl_emit_plain_sum(build, e, results, (uint32_t)n, &how, &id, error));
    return ftl_result_scores(build, id, own, out, error);
}

static ftl_status calibrated_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (method == FTL_PREDICT)
        return ftl_predict_largest(build, e, FTL_PREDICT_PROBA, in, out, error);
    return emit_proba(build, e, in, out, error);
}

static ftl_status calibrated_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                    ftl_error *error)
{
    ftl_node **nodes = NULL;
    size_t n = 0;
    fold f = {0};
    FTL_TRY(ftl_own_inputs(build, e, out, error));
    if (out->names)
        return FTL_OK;
    FTL_TRY(read_folds(e, &nodes, &n, error));
    FTL_TRY(read_fold(build, e, nodes[0], 0, &f, error));
    return ftl_inputs_with_child(build, &f.model, out, error);
}

static const char *calibrated_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **nodes = NULL;
    ftl_node_string method = {"", 0};
    size_t n = 0;
    if (read_folds(e, &nodes, &n, NULL) != FTL_OK)
        return "";
    if (!ftl_node_as_str(ftl_attr(e, "method"), &method))
        method.data = "";
    return ftl_arena_printf(build->arena, "%.40s, %zu model%s", method.data, n, n == 1 ? "" : "s");
}

/* ---- FrozenEstimator ------------------------------------------------------------------------- */

static ftl_status frozen(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                         ftl_error *error)
{
    return ftl_estimator_of(build, ftl_attr(e, "estimator"), e,
                            ftl_child_path(build, e, "estimator"), out, error);
}

static uint32_t frozen_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator child;
    return frozen(build, e, &child, NULL) == FTL_OK ? ftl_estimator_methods(build, &child)
                                                    : 1u << FTL_PREDICT;
}

static ftl_status frozen_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(frozen(build, e, &child, error));
    return ftl_emit(build, &child, method, in, out, error);
}

static ftl_status frozen_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(frozen(build, e, &child, error));
    return ftl_estimator_inputs(build, &child, out, error);
}

const ftl_estimator_class ftl_calibration_classes[] = {
    {.package = "sklearn.calibration",
     .name = "CalibratedClassifierCV",
     .kind = FTL_CLASSIFIER,
     .methods = calibrated_methods,
     .emit = calibrated_emit,
     .inputs = calibrated_inputs,
     .detail = calibrated_detail},
    {.package = "sklearn.frozen",
     .name = "FrozenEstimator",
     .kind = FTL_OTHER_MODEL,
     .methods = frozen_methods,
     .emit = frozen_emit,
     .inputs = frozen_inputs},
    {0},
};
