/*
 * ClassifierChain and RegressorChain: each model sees the rows and what the models before it said,
 * in a matrix of float64. Results are floats, put back into the order of the targets.
 */
#include "base/number.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/meta/children.h"

#include <string.h>

static uint32_t chain_methods(ftl_build *build, const ftl_estimator *e)
{
    uint32_t methods = 1u << FTL_PREDICT;
    if (e->cls->kind != FTL_CLASSIFIER)
        return methods;
    uint32_t first = ftl_children_methods(build, e, "estimators_");
    methods |= first & (1u << FTL_PREDICT_PROBA | 1u << FTL_DECISION_FUNCTION);
    if (first & 1u << FTL_PREDICT_PROBA && e->version >= FTL_SKLEARN(1, 4))
        methods |= 1u << FTL_PREDICT_LOG_PROBA;
    return methods;
}

/* What is handed on: predictions, or from 1.5 on what chain_method_ says. */
static ftl_status handed_on(const ftl_estimator *e, ftl_method *out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "chain_method_");
    ftl_node_string name;
    *out = FTL_PREDICT;
    if (ftl_node_is_none(node))
        return FTL_OK;
    if (!ftl_node_as_str(node, &name) || ftl_method_parse(name.data, out, NULL) != FTL_OK)
        return FTL_ATTR_FAIL(error, e, "chain_method_", FTL_CORRUPT, "chain_method_ is no method");
    return FTL_OK;
}

/*
 * Results go into an array of float64, which takes texts of numbers for those numbers. Other texts
 * stay, and are refused as the library refuses them.
 */
static ftl_status texts_as_numbers(ftl_build *build, ftl_frame *frame, ftl_error *error)
{
    for (uint32_t i = 0; i < frame->n_columns; i++) {
        const ftl_labels *labels = frame->columns[i].labels;
        if (frame->columns[i].as != FTL_AS_LABEL || labels->type != FTL_STRING)
            continue;
        ftl_labels *made = FTL_ARENA_NEW(build->arena, ftl_labels);
        ftl_cell *cells = ftl_arena_zero_array(build->arena, labels->count, sizeof *cells);
        if (!made || !cells)
            return FTL_OOM(error);
        bool numbers = true;
        for (uint32_t k = 0; k < labels->count; k++) {
            const ftl_cell *cell = &labels->cells[k];
            cells[k].tag = FTL_CELL_FLOAT;
            numbers &= cell->tag == FTL_CELL_STRING &&
                       ftl_parse_f64(cell->u.text, cell->size, '.', &cells[k].u.number);
        }
        *made = (ftl_labels){.type = FTL_F64, .count = labels->count, .cells = cells};
        if (numbers)
            frame->columns[i].labels = made;
    }
    return FTL_OK;
}

/* A model's one column: of two probabilities the second. */
static ftl_status one_column(ftl_build *build, const ftl_estimator *e, const ftl_estimator *child,
                             ftl_method method, const ftl_frame *in, ftl_frame *out,
                             ftl_error *error)
{
    ftl_frame made;
    FTL_TRY(ftl_child_emit(build, child, method, in, &made, error));
    bool pair = made.n_columns == 2 && method != FTL_PREDICT;
    if (made.n_columns != 1 && !pair)
        return FTL_ATTR_FAIL(error, child, "classes_", FTL_UNSUPPORTED,
                             "a model of a chain yields %u columns", made.n_columns);
    FTL_TRY(texts_as_numbers(build, &made, error));
    FTL_TRY(ftl_label_values(build, e, &made, out, error));
    out->columns += made.n_columns - 1;
    out->n_columns = 1;
    out->columns[0].as = FTL_AS_FLOAT;
    out->columns[0].labels = NULL;
    out->columns[0].name = "";
    return FTL_OK;
}

static ftl_status wide_rows(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    uint32_t source, id;
    ftl_op *op = NULL;
    ftl_frame checked;
    const char **names = ftl_arena_array(build->scratch, in->n_columns, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < in->n_columns; i++)
        names[i] = in->columns[i].name;
    FTL_TRY(ftl_frame_checked(build, e, FTL_CHECK_NAN | FTL_CHECK_INF, in, &checked, error));
    if (in->sparse) {
        FTL_TRY(ftl_build_op(build, e, FTL_OP_GATHER_SPARSE, &checked, &id, &op, error));
        op->edge = FTL_EDGE_SPARSE;
    } else {
        FTL_TRY(ftl_build_matrix(build, e, &checked, &source, error));
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, source, in->n_columns, &id, &op, error));
    }
    op->dtype = FTL_DTYPE_F64;
    FTL_TRY(ftl_frame_of_op(build, id, names, out, error));
    ftl_frame_form(in, out);
    out->csc = false;
    return FTL_OK;
}

/* Result i of the chain is of target order_[i]. */
static ftl_status read_order(ftl_build *build, const ftl_estimator *e, uint32_t n,
                             uint32_t **inverse, ftl_error *error)
{
    ftl_array2 order = {0};
    uint32_t *made = ftl_arena_array(build->scratch, n, sizeof *made);
    if (!made)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++)
        made[i] = UINT32_MAX;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("order_"), &order, error));
    if (order.rows * order.columns != n)
        return FTL_ATTR_FAIL(error, e, "order_", FTL_CORRUPT, "an order of %zu for %u models",
                             order.rows * order.columns, n);
    for (uint32_t i = 0; i < n; i++) {
        double at = order.data[i];
        if (!(at >= 0 && at < n) || made[(uint32_t)at] != UINT32_MAX)
            return FTL_ATTR_FAIL(error, e, "order_", FTL_CORRUPT, "order_ is no permutation");
        made[(uint32_t)at] = i;
    }
    *inverse = made;
    return FTL_OK;
}

/* The logarithm of its own predict_proba, whatever methods the models have. */
static ftl_status log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t id;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(ftl_build_matrix(build, e, &proba, &id, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG, id, proba.n_columns, &id, error));
    FTL_TRY(ftl_frame_concat(build, &proba, 1, out, error));
    out->n_targets = proba.n_targets;
    for (uint32_t i = 0; i < out->n_columns; i++) {
        out->columns[i].op = id;
        out->columns[i].column = i;
    }
    return FTL_OK;
}

static ftl_status chain_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_children children;
    ftl_parts rows = {0}, results = {0};
    ftl_frame wide;
    ftl_method feature = FTL_PREDICT;
    uint32_t *inverse = NULL;
    if (method == FTL_PREDICT_LOG_PROBA)
        return log_proba(build, e, in, out, error);
    FTL_TRY(ftl_children_read(build, e, "estimators_", &children, error));
    FTL_TRY(read_order(build, e, children.n, &inverse, error));
    FTL_TRY(handed_on(e, &feature, error));
    FTL_TRY(wide_rows(build, e, in, &wide, error));
    FTL_TRY(ftl_parts_add(build, &wide, &rows, error));
    for (uint32_t i = 0; i < children.n; i++) {
        ftl_frame seen, said;
        FTL_TRY(ftl_frame_concat(build, &rows.frame, 1, &seen, error));
        FTL_TRY(one_column(build, e, &children.items[i], method, &seen, &said, error));
        FTL_TRY(ftl_parts_add(build, &said, &results, error));
        FTL_TRY(one_column(build, e, &children.items[i], feature, &seen, &said, error));
        FTL_TRY(ftl_parts_add(build, &said, &rows, error));
    }
    FTL_TRY(ftl_frame_select(build, &results.frame, inverse, children.n, out, error));
    for (uint32_t i = 0; i < children.n; i++) {
        out->columns[i].target = out->columns[i].label = i;
        out->columns[i].name = NULL;
    }
    out->n_targets = method == FTL_PREDICT ? children.n : 1;
    return FTL_OK;
}

#define CHAIN(name_, kind_)            \
    {.package = "sklearn.multioutput", \
     .name = (name_),                  \
     .kind = (kind_),                  \
     .methods = chain_methods,         \
     .emit = chain_emit,               \
     .inputs = ftl_ensemble_inputs,    \
     .detail = ftl_ensemble_detail}
const ftl_estimator_class ftl_chain_classes[] = {
    CHAIN("ClassifierChain", FTL_CLASSIFIER),
    CHAIN("RegressorChain", FTL_REGRESSOR),
    {0},
};
