/* KNeighborsClassifier, KNeighborsRegressor and NearestNeighbors. */
#include "estimators/neighbors/neighbors.h"

#include "base/checked.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"

enum { max_targets = 4096 };

static uint32_t neighbors_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    switch (e->cls->kind) {
    case FTL_CLASSIFIER:
        return 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA | 1u << FTL_KNEIGHBORS;
    case FTL_REGRESSOR:
        return 1u << FTL_PREDICT | 1u << FTL_KNEIGHBORS;
    default:
        return 1u << FTL_KNEIGHBORS;
    }
}

/* ---- kneighbors ------------------------------------------------------------------------------ */

static ftl_status name_neighbors(ftl_build *build, uint32_t id, uint32_t k, ftl_frame *out,
                                 ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &frame, error));
    for (uint32_t i = 0; i < 2 * k; i++) {
        ftl_frame_column *column = &frame.columns[i];
        column->name = ftl_arena_printf(build->arena, i < k ? "distance_%u" : "neighbor_%u", i % k);
        column->as = i < k ? FTL_AS_FLOAT : FTL_AS_INT;
        if (!column->name)
            return FTL_OOM(error);
    }
    frame.n_targets = 1;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_neighbors_emit(ftl_build *build, const ftl_estimator *e, const char *k_name,
                              const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    ftl_neighbors_model model;
    uint32_t source;
    ftl_op *op = NULL;
    FTL_TRY(ftl_neighbors_read(build, e, k_name, in->sparse, &model, error));
    FTL_TRY(ftl_frame_expect(e, in, model.n_features, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &source, error));
    if (model.unit_rows) {
        FTL_TRY(
            ftl_build_on(build, e, FTL_OP_NORMALIZE, source, in->n_columns, &source, &op, error));
        op->u.normalize = (ftl_normalize_op){.norm = FTL_NORM_L2,
                                             .tiny_is_zero = e->version >= FTL_SKLEARN(0, 24)};
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_NEIGHBORS, source, 2 * model.op.k, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.neighbors = model.op;
    return FTL_OK;
}

ftl_status ftl_kneighbors_emit(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    FTL_TRY(ftl_neighbors_emit(build, e, "n_neighbors", in, &id, error));
    return name_neighbors(build, id, build->ops[id].u.neighbors.k, out, error);
}

/* The NEIGHBORS op that all methods share. */
static ftl_status neighbors_of(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               uint32_t *id, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_emit(build, e, FTL_KNEIGHBORS, in, &frame, error));
    *id = frame.columns[0].op;
    return FTL_OK;
}

/* ---- Classifier ------------------------------------------------------------------------------ */

typedef struct targets {
    uint32_t n;
    const ftl_labels **labels; /* [n] */
    ftl_array2 y;              /* indices of classes: one target in one row, or [points][n] */
} targets;

static ftl_status read_targets(ftl_build *build, const ftl_estimator *e, targets *out,
                               ftl_error *error)
{
    const ftl_node *classes = NULL, *one[1];
    ftl_node **items = NULL;
    bool several = false;
    size_t n = 1;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_attr_bool(e, "outputs_2d_", false, &several, error));
    if (several)
        FTL_TRY(ftl_attr_items(e, "classes_", &items, &n, error));
    if (n == 0 || n > max_targets)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT, "there are %zu targets", n);
    one[0] = classes;
    out->n = (uint32_t)n;
    out->labels = ftl_arena_array(build->arena, n, sizeof *out->labels);
    if (!out->labels)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        ftl_status status = ftl_node_labels(build, items ? items[i] : one[0], &out->labels[i],
                                            error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "classes_");
            return status;
        }
    }
    return ftl_attr_matrix(build, e, FTL_NAMES("_y"), &out->y, error);
}

/* The class of each point for one target. */
static ftl_status point_classes(ftl_build *build, const ftl_estimator *e, const targets *t,
                                uint32_t target, uint32_t n_points, const uint32_t **out,
                                ftl_error *error)
{
    uint32_t *classes = ftl_arena_array(build->arena, n_points, sizeof *classes);
    if (!classes)
        return FTL_OOM(error);
    if (t->y.rows * t->y.columns != (size_t)n_points * t->n || (t->n > 1 && t->y.columns != t->n))
        return FTL_ATTR_FAIL(error, e, "_y", FTL_CORRUPT,
                             "_y has shape (%zu, %zu) for %u points and %u targets", t->y.rows,
                             t->y.columns, n_points, t->n);
    for (uint32_t i = 0; i < n_points; i++) {
        double y = t->y.data[(size_t)i * t->n + target];
        if (!(y >= 0 && y < t->labels[target]->count))
            return FTL_ATTR_FAIL(error, e, "_y", FTL_CORRUPT, "point %u is of class %g of %u", i, y,
                                 t->labels[target]->count);
        classes[i] = (uint32_t)y;
    }
    *out = classes;
    return FTL_OK;
}

/* One op of weights per target. */
static ftl_status emit_votes(ftl_build *build, const ftl_estimator *e, const targets *t,
                             const ftl_frame *in, uint32_t *ids, ftl_error *error)
{
    uint32_t source;
    FTL_TRY(neighbors_of(build, e, in, &source, error));
    uint32_t n_points = build->ops[source].u.neighbors.n_points;
    for (uint32_t i = 0; i < t->n; i++) {
        ftl_op *op = NULL;
        ftl_neighbor_vote_op vote = {.n_points = n_points,
                                     .by_distance = ftl_attr_is(e, "weights", "distance"),
                                     .refuse_zero = e->version >= FTL_SKLEARN(1, 4)};
        FTL_TRY(point_classes(build, e, t, i, n_points, &vote.classes, error));
        vote.classes_count = n_points;
        FTL_TRY(ftl_build_on(build, e, FTL_OP_NEIGHBOR_VOTE, source, t->labels[i]->count, &ids[i],
                             &op, error));
        op->dtype = FTL_DTYPE_F64;
        op->u.neighbor_vote = vote;
    }
    return FTL_OK;
}

static ftl_status result_classes(ftl_build *build, const ftl_estimator *e, const targets *t,
                                 const uint32_t *votes, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_new(build, t->n, &frame, error));
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t id;
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, votes[i], 1, &id, error));
        frame.columns[i] = (ftl_frame_column){
            .op = id, .as = FTL_AS_LABEL, .labels = t->labels[i], .target = i};
    }
    frame.n_targets = t->n;
    *out = frame;
    return FTL_OK;
}

static ftl_status result_proba(ftl_build *build, const ftl_estimator *e, const targets *t,
                               const uint32_t *votes, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame, *parts = ftl_arena_zero_array(build->scratch, t->n, sizeof *parts);
    if (!parts)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t id;
        FTL_TRY(
            ftl_emit_link(build, e, FTL_LINK_NORMALIZE, votes[i], t->labels[i]->count, &id, error));
        FTL_TRY(ftl_result_scores(build, id, t->labels[i], &parts[i], error));
        for (uint32_t c = 0; c < parts[i].n_columns; c++)
            parts[i].columns[c].target = i;
    }
    FTL_TRY(ftl_frame_concat(build, parts, t->n, &frame, error));
    frame.n_targets = t->n;
    *out = frame;
    return FTL_OK;
}

static ftl_status emit_classifier(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    targets t = {0};
    if (method == FTL_KNEIGHBORS)
        return ftl_kneighbors_emit(build, e, in, out, error);
    FTL_TRY(read_targets(build, e, &t, error));
    uint32_t *votes = ftl_arena_array(build->scratch, t.n, sizeof *votes);
    if (!votes)
        return FTL_OOM(error);
    FTL_TRY(emit_votes(build, e, &t, in, votes, error));
    return method == FTL_PREDICT ? result_classes(build, e, &t, votes, out, error)
                                 : result_proba(build, e, &t, votes, out, error);
}

/* ---- Regressor ------------------------------------------------------------------------------- */

static ftl_status emit_regressor(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *node = NULL;
    ftl_array2 y = {0};
    uint32_t source, id;
    ftl_op *op = NULL;
    if (method == FTL_KNEIGHBORS)
        return ftl_kneighbors_emit(build, e, in, out, error);
    FTL_TRY(neighbors_of(build, e, in, &source, error));
    uint32_t n_points = build->ops[source].u.neighbors.n_points;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("_y"), &node, error));
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("_y"), &y, error));
    bool one = node->kind != FTL_NODE_ARRAY || node->u.array->ndim < 2;
    size_t rows = one ? y.columns : y.rows, width = one ? 1 : y.columns;
    if (rows != n_points || width == 0 || width > max_targets)
        return FTL_ATTR_FAIL(error, e, "_y", FTL_CORRUPT, "_y has shape (%zu, %zu) for %u points",
                             y.rows, y.columns, n_points);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_NEIGHBOR_MEAN, source, (uint32_t)width, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.neighbor_mean = (ftl_neighbor_mean_op){
        .n_points = n_points,
        FTL_SIZED(values, y.data, y.rows * y.columns),
        .by_distance = ftl_attr_is(e, "weights", "distance")};
    FTL_TRY(ftl_result_values(build, id, out, error));
    out->matrix = !one;
    return FTL_OK;
}

static ftl_status emit_search(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    (void)method;
    return ftl_kneighbors_emit(build, e, in, out, error);
}

/* ---- Registry -------------------------------------------------------------------------------- */

static const char *neighbors_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *points = ftl_attr(e, "_fit_X"), *method = ftl_attr(e, "_fit_method");
    ftl_node_string text = {.data = ""};
    size_t n = 0;
    int64_t k = 0;
    if (points && points->kind == FTL_NODE_SPARSE)
        n = points->u.sparse->rows;
    else if (points && points->kind == FTL_NODE_ARRAY && points->u.array->ndim == 2)
        n = points->u.array->shape[0];
    if (method)
        (void)ftl_node_as_str(method, &text);
    if (ftl_attr_int(e, "n_neighbors", 5, &k, NULL) != FTL_OK)
        k = 0;
    const char *detail = ftl_arena_printf(build->arena, "%lld neighbors of %zu points%s%s",
                                          (long long)k, n, text.data[0] ? ", " : "", text.data);
    return detail ? detail : "";
}

#define NEIGHBORS(name_, kind_, emit_) \
    {.package = "sklearn.neighbors",   \
     .name = (name_),                  \
     .kind = (kind_),                  \
     .methods = neighbors_methods,     \
     .emit = (emit_),                  \
     .detail = neighbors_detail}

const ftl_estimator_class ftl_neighbors_classes[] = {
    NEIGHBORS("KNeighborsClassifier", FTL_CLASSIFIER, emit_classifier),
    NEIGHBORS("KNeighborsRegressor", FTL_REGRESSOR, emit_regressor),
    NEIGHBORS("NearestNeighbors", FTL_OTHER_MODEL, emit_search),
    {0},
};
