/*
 * DummyClassifier and DummyRegressor: constants. They never look at their input, in no version.
 *
 * With one target classes_, class_prior_ and n_classes_ are plain; with several they are lists.
 * 0.20 and 0.21 keep lists of one for a target given as a column.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

#include <string.h>

/* ---- Constants ------------------------------------------------------------------------------- */

static ftl_status emit_constant(ftl_build *build, const ftl_estimator *e, const double *values,
                                uint32_t width, uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, id, &op, error));
    op->width = width;
    op->dtype = FTL_DTYPE_F64;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, values, width)};
    return FTL_OK;
}

/* Versions before 1.5 note no number of columns: 0 then means that any table will do. */
static ftl_status dummy_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_estimator_class plain = *e->cls;
    ftl_estimator bare = *e;
    plain.inputs = NULL;
    bare.cls = &plain;
    FTL_TRY(ftl_estimator_inputs(build, &bare, out, error));
    if (out->count < 0)
        out->count = 0;
    return FTL_OK;
}

/* ---- DummyClassifier ------------------------------------------------------------------------- */

typedef struct dummy_target {
    const ftl_labels *labels;
    const double *prior; /* [labels->count] */
} dummy_target;

typedef struct dummy_targets {
    uint32_t count;
    dummy_target *targets;
} dummy_targets;

enum { max_targets = 1 << 16 };

static bool is_nested(const ftl_node *node)
{
    if (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE) {
        const ftl_node *first = node->u.seq.size ? node->u.seq.items[0] : NULL;
        return first && first->kind == FTL_NODE_ARRAY && first->u.array->ndim > 0;
    }
    return false;
}

static ftl_status read_target(ftl_build *build, const ftl_estimator *e, const ftl_node *classes,
                              const ftl_node *prior, dummy_target *out, ftl_error *error)
{
    ftl_array2 values = {0};
    ftl_status status = ftl_node_labels(build, classes, &out->labels, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "classes_");
        return status;
    }
    status = ftl_node_matrix(build, prior, &values, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "class_prior_");
        return status;
    }
    if (values.rows != 1 || values.columns != out->labels->count)
        return FTL_ATTR_FAIL(error, e, "class_prior_", FTL_CORRUPT,
                             "class_prior_ has %zu values for %u classes",
                             values.rows * values.columns, out->labels->count);
    out->prior = values.data;
    return FTL_OK;
}

static ftl_status read_targets(ftl_build *build, const ftl_estimator *e, dummy_targets *out,
                               ftl_error *error)
{
    const ftl_node *classes = NULL, *prior = NULL;
    bool sparse;
    FTL_TRY(ftl_attr_bool(e, "sparse_output_", false, &sparse, error));
    if (sparse)
        return FTL_ATTR_FAIL(
            error, e, "sparse_output_", FTL_UNSUPPORTED,
            "%s fitted on sparse targets is not supported: fit it on a dense array", e->cls->name);
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("class_prior_"), &prior, error));
    bool nested = is_nested(classes);
    size_t n = nested ? ftl_node_length(classes) : 1;
    if (n > max_targets || (nested && (!is_nested(prior) || ftl_node_length(prior) != n)))
        return FTL_ATTR_FAIL(error, e, "class_prior_", FTL_CORRUPT,
                             "class_prior_ does not fit classes_");
    out->targets = ftl_arena_zero_array(build->scratch, n, sizeof *out->targets);
    if (!out->targets)
        return FTL_OOM(error);
    out->count = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(read_target(build, e, nested ? classes->u.seq.items[i] : classes,
                            nested ? prior->u.seq.items[i] : prior, &out->targets[i], error));
    }
    return FTL_OK;
}

static uint32_t largest_prior(const dummy_target *target)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < target->labels->count; i++)
        best = target->prior[i] > target->prior[best] ? i : best;
    return best;
}

/* Python's ==, but for whole numbers beyond 2^53 against floats. */
static bool same_label(const ftl_cell *a, const ftl_cell *b)
{
    if (a->tag == FTL_CELL_STRING && b->tag == FTL_CELL_STRING)
        return a->size == b->size && memcmp(a->u.text, b->u.text, a->size) == 0;
    if (ftl_cell_is_integer(a) && ftl_cell_is_integer(b))
        return a->u.integer == b->u.integer;
    return ftl_cell_number(a) == ftl_cell_number(b);
}

/* The constant of target k as a cell: a scalar, or element k of a sequence. */
static ftl_status constant_cell(ftl_build *build, const ftl_estimator *e, uint32_t k, ftl_cell *out,
                                ftl_error *error)
{
    const ftl_node *constant = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("constant"), &constant, error));
    if (ftl_node_length(constant) > 0)
        return ftl_node_cell(build, constant, k, out, error);
    return ftl_cell_of(build, constant, out, error);
}

/* Index of the class that is always predicted. */
static ftl_status chosen_class(ftl_build *build, const ftl_estimator *e, const dummy_target *target,
                               uint32_t k, uint32_t *out, ftl_error *error)
{
    ftl_cell constant;
    if (!ftl_attr_is(e, "strategy", "constant")) {
        *out = largest_prior(target);
        return FTL_OK;
    }
    FTL_TRY(constant_cell(build, e, k, &constant, error));
    for (uint32_t i = 0; i < target->labels->count; i++) {
        if (same_label(&constant, &target->labels->cells[i])) {
            *out = i;
            return FTL_OK;
        }
    }
    return FTL_ATTR_FAIL(error, e, "constant", FTL_CORRUPT, "the constant is not among classes_");
}

static ftl_status emit_dummy_predict(ftl_build *build, const ftl_estimator *e,
                                     const dummy_targets *t, ftl_frame *out, ftl_error *error)
{
    double *chosen = ftl_arena_array(build->arena, t->count, sizeof *chosen);
    uint32_t id;
    if (!chosen)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < t->count; k++) {
        uint32_t index = 0;
        FTL_TRY(chosen_class(build, e, &t->targets[k], k, &index, error));
        chosen[k] = index;
    }
    FTL_TRY(emit_constant(build, e, chosen, t->count, &id, error));
    FTL_TRY(ftl_result_labels(build, id, t->targets[0].labels, out, error));
    for (uint32_t k = 0; k < t->count; k++)
        out->columns[k].labels = t->targets[k].labels;
    return FTL_OK;
}

static ftl_status fill_proba(ftl_build *build, const ftl_estimator *e, const dummy_target *target,
                             uint32_t k, double *out, ftl_error *error)
{
    uint32_t n = target->labels->count, chosen = 0;
    if (ftl_attr_is(e, "strategy", "prior")) {
        memcpy(out, target->prior, n * sizeof *out);
        return FTL_OK;
    }
    if (ftl_attr_is(e, "strategy", "uniform")) {
        for (uint32_t i = 0; i < n; i++)
            out[i] = 1.0 / n;
        return FTL_OK;
    }
    FTL_TRY(chosen_class(build, e, target, k, &chosen, error));
    out[chosen] = 1;
    return FTL_OK;
}

static ftl_status emit_dummy_proba(ftl_build *build, const ftl_estimator *e, const dummy_targets *t,
                                   ftl_frame *out, ftl_error *error)
{
    uint32_t width = 0, id, at = 0;
    for (uint32_t k = 0; k < t->count; k++) {
        if (__builtin_add_overflow(width, t->targets[k].labels->count, &width))
            return FTL_FAIL(error, FTL_LIMIT, "%s has too many classes", e->cls->name);
    }
    double *values = ftl_arena_zero_array(build->arena, width, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    FTL_TRY(emit_constant(build, e, values, width, &id, error));
    FTL_TRY(ftl_result_scores(build, id, t->targets[0].labels, out, error));
    for (uint32_t k = 0; k < t->count; k++) {
        const dummy_target *target = &t->targets[k];
        FTL_TRY(fill_proba(build, e, target, k, values + at, error));
        for (uint32_t i = 0; i < target->labels->count; i++, at++) {
            out->columns[at].labels = target->labels;
            out->columns[at].label = i;
            out->columns[at].target = k;
        }
    }
    out->n_targets = t->count;
    return FTL_OK;
}

static ftl_status emit_dummy_log_proba(ftl_build *build, const ftl_estimator *e,
                                       const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t log;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(
        ftl_emit_link(build, e, FTL_LINK_LOG, proba.columns[0].op, proba.n_columns, &log, error));
    FTL_TRY(ftl_frame_new(build, proba.n_columns, out, error));
    for (uint32_t i = 0; i < proba.n_columns; i++) {
        out->columns[i] = proba.columns[i];
        out->columns[i].op = log;
    }
    out->n_targets = proba.n_targets;
    return FTL_OK;
}

static uint32_t dummy_classifier_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA;
}

static ftl_status emit_dummy_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                        const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    bool stratified = ftl_attr_is(e, "strategy", "stratified"),
         uniform = ftl_attr_is(e, "strategy", "uniform");
    if (stratified || (uniform && method == FTL_PREDICT))
        return FTL_ATTR_FAIL(error, e, "strategy", FTL_UNSUPPORTED,
                             "DummyClassifier with strategy '%s' answers at random%s: use 'prior' "
                             "or 'most_frequent'",
                             stratified ? "stratified" : "uniform",
                             uniform ? " (its predict_proba is supported)" : "");
    if (method == FTL_PREDICT_LOG_PROBA)
        return emit_dummy_log_proba(build, e, in, out, error);
    static const char *const known[] = {"most_frequent", "prior", "constant", "uniform"};
    bool found = false;
    for (size_t i = 0; i < FTL_ARRAY_LEN(known); i++)
        found = found || ftl_attr_is(e, "strategy", known[i]);
    if (!found)
        return FTL_ATTR_FAIL(error, e, "strategy", FTL_UNSUPPORTED,
                             "DummyClassifier has an unknown strategy");
    dummy_targets targets = {0};
    FTL_TRY(read_targets(build, e, &targets, error));
    return method == FTL_PREDICT ? emit_dummy_predict(build, e, &targets, out, error)
                                 : emit_dummy_proba(build, e, &targets, out, error);
}

/* ---- DummyRegressor -------------------------------------------------------------------------- */

static uint32_t dummy_regressor_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT;
}

/* An integer constant_ gives integer predictions. */
static bool is_integer(const ftl_node *node)
{
    if (node && node->kind == FTL_NODE_ARRAY)
        return strchr("iub", node->u.array->dtype->kind) != NULL;
    return node && node->kind == FTL_NODE_INT;
}

static ftl_status emit_dummy_regressor(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                       const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)method;
    (void)in;
    ftl_array2 constant = {0};
    int64_t n_outputs;
    uint32_t id;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("constant_"), &constant, error));
    size_t size = constant.rows * constant.columns;
    FTL_TRY(ftl_attr_int(e, "n_outputs_", (int64_t)size, &n_outputs, error));
    if (n_outputs < 1 || n_outputs > max_targets || (size != 1 && size != (size_t)n_outputs))
        return FTL_ATTR_FAIL(error, e, "constant_", FTL_CORRUPT,
                             "constant_ has %zu values for %lld outputs", size,
                             (long long)n_outputs);
    double *values = ftl_arena_array(build->arena, (size_t)n_outputs, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    for (size_t k = 0; k < (size_t)n_outputs; k++)
        values[k] = constant.data[size == 1 ? 0 : k];
    FTL_TRY(emit_constant(build, e, values, (uint32_t)n_outputs, &id, error));
    FTL_TRY(ftl_result_values(build, id, out, error));
    for (uint32_t k = 0; is_integer(ftl_attr(e, "constant_")) && k < out->n_columns; k++)
        out->columns[k].as = FTL_AS_INT;
    return FTL_OK;
}

static const char *dummy_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node_string strategy;
    const ftl_node *node = ftl_attr(e, "strategy");
    if (!node || !ftl_node_as_str(node, &strategy))
        return "";
    const char *text = ftl_arena_printf(build->arena, "strategy %s", strategy.data);
    return text ? text : "";
}

const ftl_estimator_class ftl_dummy_classes[] = {
    {.package = "sklearn.dummy",
     .name = "DummyClassifier",
     .kind = FTL_CLASSIFIER,
     .methods = dummy_classifier_methods,
     .emit = emit_dummy_classifier,
     .inputs = dummy_inputs,
     .detail = dummy_detail},
    {.package = "sklearn.dummy",
     .name = "DummyRegressor",
     .kind = FTL_REGRESSOR,
     .methods = dummy_regressor_methods,
     .emit = emit_dummy_regressor,
     .inputs = dummy_inputs,
     .detail = dummy_detail},
    {0},
};
