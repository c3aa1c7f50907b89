/*
 * Support vector machines on libsvm: SVC, NuSVC, SVR, NuSVR and OneClassSVM.
 *
 * libsvm knows classes by their index and gives a score to each pair of them, above 0 for the
 * first. scikit-learn keeps its coefficients as they are in _dual_coef_ and _intercept_ (dual_coef_
 * and intercept_ are turned for two classes) and turns the score of two classes itself.
 */
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/neighbors/stored_rows.h"

#include <string.h>

enum { max_classes = 5000 };

static bool is_classifier(const ftl_estimator *e) { return e->cls->kind == FTL_CLASSIFIER; }

static bool has_probabilities(const ftl_estimator *e)
{
    const ftl_node *node = ftl_attr(e, "_effective_probability");
    bool probability = false;
    if (!node)
        node = ftl_attr(e, "probability");
    return node && ftl_node_as_bool(node, &probability) && probability;
}

static uint32_t svm_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    uint32_t methods = 1u << FTL_PREDICT;
    if (e->cls->kind == FTL_REGRESSOR)
        return methods;
    methods |= 1u << FTL_DECISION_FUNCTION;
    if (!is_classifier(e)) /* before 0.20 there was no offset, nor scores without it */
        return ftl_node_is_none(ftl_attr(e, "offset_")) ? methods
                                                        : methods | 1u << FTL_SCORE_SAMPLES;
    if (has_probabilities(e))
        methods |= 1u << FTL_PREDICT_PROBA | 1u << FTL_PREDICT_LOG_PROBA;
    return methods;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status read_kernel(const ftl_estimator *e, ftl_kernel_machine_op *out, ftl_error *error)
{
    static const char *const names[FTL_KERNEL_COUNT] = {"linear", "poly", "rbf", "sigmoid"};
    const ftl_node *node = ftl_attr(e, "kernel");
    ftl_node_string text = {.data = "a function"};
    int kernel = 0;
    while (kernel < FTL_KERNEL_COUNT && !(node && ftl_node_str_equal(node, names[kernel])))
        kernel++;
    if (kernel == FTL_KERNEL_COUNT) {
        if (node)
            (void)ftl_node_as_str(node, &text);
        return FTL_ATTR_FAIL(error, e, "kernel", FTL_UNSUPPORTED,
                             "%s with kernel %.40s; use linear, poly, rbf or sigmoid", e->cls->name,
                             text.data);
    }
    int64_t degree = 0;
    out->kernel = (ftl_kernel)kernel;
    FTL_TRY(ftl_attr_f64(e, "_gamma", 0.0, &out->gamma, error));
    FTL_TRY(ftl_attr_f64(e, "coef0", 0.0, &out->coef0, error));
    FTL_TRY(ftl_attr_int(e, "degree", 3, &degree, error));
    if (degree < INT32_MIN || degree > INT32_MAX)
        return FTL_ATTR_FAIL(error, e, "degree", FTL_CORRUPT, "the degree is %lld",
                             (long long)degree);
    out->degree = (int32_t)degree;
    return FTL_OK;
}

static ftl_status read_vectors(ftl_build *build, const ftl_estimator *e, size_t *n_features,
                               ftl_kernel_machine_op *out, ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("support_vectors_"), &node, error));
    size_t rows;
    if (node->kind == FTL_NODE_SPARSE) {
        ftl_sparse_rows *sparse = FTL_ARENA_NEW(build->arena, ftl_sparse_rows);
        if (!sparse)
            return FTL_OOM(error);
        ftl_status status = ftl_sparse_rows_read(build, node, sparse, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "support_vectors_");
            return status;
        }
        rows = node->u.sparse->rows;
        *n_features = node->u.sparse->columns;
        out->sparse = sparse;
    } else {
        ftl_array2 vectors = {0};
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("support_vectors_"), &vectors, error));
        rows = vectors.rows;
        *n_features = vectors.columns;
        out->vectors = vectors.data;
        out->vectors_count = rows * vectors.columns;
    }
    if (rows > INT32_MAX)
        return FTL_ATTR_FAIL(error, e, "support_vectors_", FTL_LIMIT, "%zu support vectors", rows);
    out->n_vectors = (uint32_t)rows;
    return FTL_OK;
}

static ftl_status read_coef(ftl_build *build, const ftl_estimator *e, uint32_t pairs,
                            ftl_kernel_machine_op *out, ftl_error *error)
{
    size_t rows = out->n_classes ? out->n_classes - 1 : 1;
    ftl_array2 coef = {0};
    const double *intercept = NULL;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_dual_coef_"), &coef, error));
    if (coef.rows != rows || coef.columns != out->n_vectors)
        return FTL_ATTR_FAIL(error, e, "_dual_coef_", FTL_CORRUPT,
                             "_dual_coef_ has shape (%zu, %zu) where (%zu, %u) was expected",
                             coef.rows, coef.columns, rows, out->n_vectors);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("_intercept_"), pairs, &intercept, error));
    out->coef = coef.data;
    out->coef_count = coef.rows * coef.columns;
    out->intercept = intercept;
    out->intercept_count = pairs;
    return FTL_OK;
}

static ftl_status read_support(ftl_build *build, const ftl_estimator *e, ftl_kernel_machine_op *out,
                               ftl_error *error)
{
    const double *counts = NULL;
    uint32_t *n_support = ftl_arena_array(build->arena, out->n_classes, sizeof *n_support);
    if (!n_support)
        return FTL_OOM(error);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("_n_support", "n_support_"), out->n_classes,
                            &counts, error));
    uint64_t total = 0;
    for (uint32_t i = 0; i < out->n_classes; i++) {
        if (!(counts[i] >= 0 && counts[i] <= out->n_vectors))
            return FTL_ATTR_FAIL(error, e, "_n_support", FTL_CORRUPT,
                                 "class %u has %g support vectors of %u", i, counts[i],
                                 out->n_vectors);
        n_support[i] = (uint32_t)counts[i];
        total += n_support[i];
    }
    if (total != out->n_vectors)
        return FTL_ATTR_FAIL(error, e, "_n_support", FTL_CORRUPT,
                             "the classes have %llu support vectors of %u",
                             (unsigned long long)total, out->n_vectors);
    out->n_support = n_support;
    out->n_support_count = out->n_classes;
    return FTL_OK;
}

static ftl_status read_classes(ftl_build *build, const ftl_estimator *e, const ftl_labels **out,
                               ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    ftl_status status = ftl_node_labels(build, classes, out, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "classes_");
        return status;
    }
    if ((*out)->count < 2 || (*out)->count > max_classes)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT, "%s has %u classes", e->cls->name,
                             (*out)->count);
    return FTL_OK;
}

/* ---- Scores ---------------------------------------------------------------------------------- */

/* libsvm's decision values, emitted as the method `margin`, so that all methods share them. */
static ftl_status emit_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                              ftl_frame *out, ftl_error *error)
{
    ftl_kernel_machine_op machine = {0};
    const ftl_labels *labels = NULL;
    uint32_t width = 1, source, id;
    size_t n_features = 0;
    ftl_op *op = NULL;
    if (is_classifier(e)) {
        FTL_TRY(read_classes(build, e, &labels, error));
        machine.n_classes = labels->count;
        width = (uint32_t)ftl_pairs(labels->count);
    }
    FTL_TRY(read_kernel(e, &machine, error));
    FTL_TRY(read_vectors(build, e, &n_features, &machine, error));
    FTL_TRY(read_coef(build, e, width, &machine, error));
    if (labels)
        FTL_TRY(read_support(build, e, &machine, error));
    FTL_TRY(ftl_frame_expect(e, in, n_features, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_KERNEL_MACHINE, source, width, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.kernel_machine = machine;
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status values_of(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    return ftl_emit(build, e, FTL_MARGIN, in, out, error);
}

/* ---- Classifiers ----------------------------------------------------------------------------- */

/* "a/b" for each pair of classes: the names of one-versus-one scores. */
static ftl_status pair_labels(ftl_build *build, const ftl_labels *classes, const ftl_labels **out,
                              ftl_error *error)
{
    uint32_t n = (uint32_t)ftl_pairs(classes->count), pair = 0;
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, n, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < classes->count; i++) {
        for (uint32_t j = i + 1; j < classes->count; j++) {
            const char *first = ftl_cell_text(build->arena, &classes->cells[i]),
                       *second = ftl_cell_text(build->arena, &classes->cells[j]);
            char *text = first && second ? ftl_arena_printf(build->arena, "%s/%s", first, second)
                                         : NULL;
            if (!text)
                return FTL_OOM(error);
            cells[pair++] = (ftl_cell){
                .tag = FTL_CELL_STRING, .size = (uint32_t)strlen(text), .u.text = text};
        }
    }
    *labels = (ftl_labels){.type = FTL_STRING, .count = n, .cells = cells};
    *out = labels;
    return FTL_OK;
}

static ftl_status emit_decision(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    ftl_frame values;
    uint32_t id;
    FTL_TRY(values_of(build, e, in, &values, error));
    const ftl_labels *labels = values.columns[0].labels;
    bool ovr = labels->count > 2 && ftl_attr_is(e, "decision_function_shape", "ovr");
    if (ovr && e->version < FTL_SKLEARN(0, 21))
        return FTL_ATTR_FAIL(error, e, "decision_function_shape", FTL_UNSUPPORTED,
                             "decision_function of %s in this version of scikit-learn is scaled "
                             "by the largest score of all rows together; use predict",
                             e->cls->name);
    if (ovr) {
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_ONE_VERSUS_ONE, values.columns[0].op,
                              labels->count, &id, error));
        return ftl_result_scores(build, id, labels, out, error);
    }
    if (labels->count == 2) {
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, values.columns[0].op, 1, &id, error));
        return ftl_result_scores(build, id, labels, out, error);
    }
    FTL_TRY(pair_labels(build, labels, &labels, error));
    return ftl_result_scores(build, values.columns[0].op, labels, out, error);
}

static ftl_status emit_class(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame values;
    bool break_ties = false;
    uint32_t id;
    FTL_TRY(values_of(build, e, in, &values, error));
    const ftl_labels *labels = values.columns[0].labels;
    FTL_TRY(ftl_attr_bool(e, "break_ties", false, &break_ties, error));
    if (break_ties && ftl_attr_is(e, "decision_function_shape", "ovo"))
        return FTL_ATTR_FAIL(error, e, "break_ties", FTL_UNSUPPORTED,
                             "break_ties with decision_function_shape='ovo', which scikit-learn "
                             "refuses to predict with");
    if (break_ties && labels->count > 2 && ftl_attr_is(e, "decision_function_shape", "ovr")) {
        FTL_TRY(ftl_emit(build, e, FTL_DECISION_FUNCTION, in, &values, error));
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, values.columns[0].op, 1, &id, error));
    } else
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_VOTE, values.columns[0].op, 1, &id, error));
    return ftl_result_labels(build, id, labels, out, error);
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    ftl_frame values;
    const double *a = NULL, *b = NULL;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(values_of(build, e, in, &values, error));
    const ftl_labels *labels = values.columns[0].labels;
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("_probA", "probA_"), values.n_columns, &a, error));
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("_probB", "probB_"), values.n_columns, &b, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_COUPLING, values.columns[0].op, labels->count, &id, &op,
                         error));
    op->dtype = FTL_DTYPE_F64;
    op->u.coupling = (ftl_coupling_op){FTL_SIZED(a, a, values.n_columns),
                                       FTL_SIZED(b, b, values.n_columns)};
    return ftl_result_scores(build, id, labels, out, error);
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    switch (method) {
    case FTL_MARGIN:
        return emit_values(build, e, in, out, error);
    case FTL_DECISION_FUNCTION:
        return emit_decision(build, e, in, out, error);
    case FTL_PREDICT_PROBA:
        return emit_proba(build, e, in, out, error);
    case FTL_PREDICT_LOG_PROBA:
        return ftl_log_proba(build, e, in, out, error);
    default:
        return emit_class(build, e, in, out, error);
    }
}

/* ---- Regressors and outliers ----------------------------------------------------------------- */

static ftl_status emit_regressor(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame values;
    if (method == FTL_MARGIN)
        return emit_values(build, e, in, out, error);
    FTL_TRY(values_of(build, e, in, &values, error));
    return ftl_result_values(build, values.columns[0].op, out, error);
}

/* score_samples is the decision value with the offset added again. */
static ftl_status emit_samples(ftl_build *build, const ftl_estimator *e, uint32_t source,
                               uint32_t *id, ftl_error *error)
{
    const double *offset = NULL;
    ftl_op *op = NULL;
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("offset_"), 1, &offset, error));
    if (!step)
        return FTL_OOM(error);
    *step = (ftl_affine_step){.kind = FTL_AFFINE_ADD, .wide = true, FTL_SIZED(vector, offset, 1)};
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, source, 1, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    return FTL_OK;
}

static ftl_status emit_outlier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame values;
    const ftl_labels *labels = NULL;
    if (method == FTL_MARGIN)
        return emit_values(build, e, in, out, error);
    FTL_TRY(values_of(build, e, in, &values, error));
    uint32_t id = values.columns[0].op;
    if (method == FTL_PREDICT) {
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_POSITIVE, id, 1, &id, error));
        FTL_TRY(ftl_outlier_labels(build, &labels, error));
        return ftl_result_labels(build, id, labels, out, error);
    }
    if (method == FTL_SCORE_SAMPLES)
        FTL_TRY(emit_samples(build, e, id, &id, error));
    return ftl_result_values(build, id, out, error);
}

/* ---- Registry -------------------------------------------------------------------------------- */

static const char *svm_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *vectors = ftl_attr(e, "support_vectors_"), *kernel = ftl_attr(e, "kernel");
    ftl_node_string text = {.data = ""};
    size_t n = 0;
    if (vectors && vectors->kind == FTL_NODE_SPARSE)
        n = vectors->u.sparse->rows;
    else if (vectors && vectors->kind == FTL_NODE_ARRAY && vectors->u.array->ndim == 2)
        n = vectors->u.array->shape[0];
    if (kernel)
        (void)ftl_node_as_str(kernel, &text);
    const char *detail = ftl_arena_printf(build->arena, "%s%s%zu support vectors", text.data,
                                          text.data[0] ? ", " : "", n);
    return detail ? detail : "";
}

#define SVM(name_, kind_, emit_) \
    {.package = "sklearn.svm",   \
     .name = (name_),            \
     .kind = (kind_),            \
     .methods = svm_methods,     \
     .emit = (emit_),            \
     .detail = svm_detail}

const ftl_estimator_class ftl_svm_classes[] = {
    SVM("SVC", FTL_CLASSIFIER, emit_classifier),
    SVM("NuSVC", FTL_CLASSIFIER, emit_classifier),
    SVM("SVR", FTL_REGRESSOR, emit_regressor),
    SVM("NuSVR", FTL_REGRESSOR, emit_regressor),
    SVM("OneClassSVM", FTL_OUTLIER_DETECTOR, emit_outlier),
    {0},
};
