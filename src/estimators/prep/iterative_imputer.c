/*
 * IterativeImputer of sklearn.impute: an initial imputation, then, as often as training did, a
 * model a column that predicts it from others. A row that lacks everything is treated as one among
 * others (the library stops early when all rows are such).
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/linear/linear_model.h"
#include "estimators/prep/indicators.h"

#include <math.h>

typedef struct iterative {
    ftl_missing_value missing;
    uint32_t n;         /* columns of the output */
    uint32_t *column;   /* [n] of the input */
    ftl_frame known;    /* [n] the columns, NaN where missing */
    ftl_frame now;      /* [n] as imputed so far */
    double *low, *high; /* [n] limits of predictions, NULL without models */
} iterative;

/* ---- The columns ----------------------------------------------------------------------------- */

static ftl_status initial(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                          ftl_frame *out, ftl_error *error)
{
    ftl_estimator imputer;
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "initial_imputer_"), e,
                             ftl_child_path(build, e, "initial_imputer_"), &imputer, error));
    FTL_TRY(ftl_emit(build, &imputer, FTL_TRANSFORM, in, out, error));
    return ftl_frame_concat(build, out, 1, out, error); /* a copy, which the rounds change */
}

/* Which input column an output column is: all, or those that had values in training. */
static ftl_status find_columns(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               iterative *m, ftl_error *error)
{
    ftl_array2 statistics = {0};
    const ftl_node *imputer = ftl_attr(e, "initial_imputer_");
    const ftl_node *node = imputer ? ftl_node_attr(imputer, "statistics_") : NULL;
    bool all = m->n == n_columns;
    uint32_t n = 0;
    m->column = ftl_arena_array(build->scratch, n_columns, sizeof *m->column);
    if (!m->column)
        return FTL_OOM(error);
    if (!all)
        FTL_TRY(ftl_node_matrix(build, node, &statistics, error));
    for (uint32_t j = 0; j < n_columns; j++) {
        if (all || (j < statistics.rows * statistics.columns && !isnan(statistics.data[j])))
            m->column[n++] = j;
    }
    if (n != m->n)
        return FTL_ATTR_FAIL(error, e, "initial_imputer_", FTL_CORRUPT,
                             "it keeps %u columns where %u had values", m->n, n);
    return FTL_OK;
}

/* The kept columns with NaN for what is missing. */
static ftl_status known_columns(ftl_build *build, const ftl_estimator *e, uint32_t source,
                                iterative *m, ftl_error *error)
{
    uint32_t id = source;
    ftl_frame all;
    if (!m->missing.is_nan)
        FTL_TRY(ftl_emit_as_missing(build, e, m->missing.number, &id, error));
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &all, error));
    return ftl_frame_select(build, &all, m->column, m->n, &m->known, error);
}

/* ---- The rounds ------------------------------------------------------------------------------ */

static ftl_status read_limits(ftl_build *build, const ftl_estimator *e, iterative *m,
                              ftl_error *error)
{
    const char *names[] = {"_min_value", "_max_value"};
    double **limits[] = {&m->low, &m->high};
    for (int i = 0; i < 2; i++) {
        ftl_array2 array = {0};
        FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES(names[i]), &array, error));
        size_t size = array.rows * array.columns;
        if (size != m->n && size != 1)
            return FTL_ATTR_FAIL(error, e, names[i], FTL_CORRUPT, "%zu limits for %u columns", size,
                                 m->n);
        double *values = ftl_arena_array(build->arena, m->n, sizeof *values);
        if (!values)
            return FTL_OOM(error);
        for (uint32_t j = 0; j < m->n; j++)
            values[j] = array.data[size == 1 ? 0 : j];
        *limits[i] = values;
    }
    return FTL_OK;
}

/* feat_idx and neighbor_feat_idx of a step, as columns of the output. */
static ftl_status read_step(ftl_build *build, const ftl_estimator *e, const ftl_node *step,
                            uint32_t n, uint32_t *target, uint32_t **from, uint32_t *n_from,
                            const ftl_node **model, ftl_error *error)
{
    static const char *const problem = "a step is no triplet of a column, others and a model";
    const ftl_node *parts = step->kind == FTL_NODE_OBJECT ? step->u.object->args : step;
    ftl_array2 columns = {0};
    int64_t feature;
    if (!parts || parts->kind != FTL_NODE_TUPLE || parts->u.seq.size != 3 ||
        !ftl_node_as_int(parts->u.seq.items[0], &feature) || feature < 0 || feature >= n)
        return FTL_ATTR_FAIL(error, e, "imputation_sequence_", FTL_CORRUPT, "%s", problem);
    FTL_TRY(ftl_node_matrix(build, parts->u.seq.items[1], &columns, error));
    *n_from = (uint32_t)columns.columns;
    *from = ftl_arena_array(build->scratch, columns.columns, sizeof **from);
    if (!*from)
        return FTL_OOM(error);
    for (size_t i = 0; i < columns.columns; i++) {
        if (columns.rows != 1 || !(columns.data[i] >= 0 && columns.data[i] < n))
            return FTL_ATTR_FAIL(error, e, "imputation_sequence_", FTL_CORRUPT, "%s", problem);
        (*from)[i] = (uint32_t)columns.data[i];
    }
    *target = (uint32_t)feature;
    *model = parts->u.seq.items[2];
    return FTL_OK;
}

/* The prediction within the limits of its column. */
static ftl_status emit_prediction(ftl_build *build, const ftl_estimator *e,
                                  const ftl_estimator *model, const ftl_frame *from,
                                  const double *low, const double *high, uint32_t *id,
                                  ftl_error *error)
{
    ftl_frame predicted;
    FTL_TRY(ftl_emit(build, model, FTL_PREDICT, from, &predicted, error));
    if (predicted.n_columns != 1 || predicted.columns[0].as == FTL_AS_LABEL)
        return FTL_ATTR_FAIL(error, e, "imputation_sequence_", FTL_UNSUPPORTED,
                             "a model that predicts no number");
    FTL_TRY(ftl_build_matrix(build, e, &predicted, id, error));
    FTL_TRY(ftl_emit_affine(build, e, FTL_AFFINE_CLIP_LOW, low, id, error));
    return ftl_emit_affine(build, e, FTL_AFFINE_CLIP_HIGH, high, id, error);
}

static ftl_status emit_step(ftl_build *build, const ftl_estimator *e, const ftl_node *step,
                            uint32_t number, iterative *m, ftl_error *error)
{
    uint32_t target = 0, *from = NULL, n_from = 0, id;
    const ftl_node *node = NULL;
    ftl_estimator model;
    ftl_frame columns, both;
    ftl_op *op = NULL;
    FTL_TRY(read_step(build, e, step, m->n, &target, &from, &n_from, &node, error));
    FTL_TRY(ftl_estimator_of(build, node, e,
                             ftl_child_path(build, e, "imputation_sequence_[%u].estimator", number),
                             &model, error));
    FTL_TRY(ftl_frame_select(build, &m->now, from, n_from, &columns, error));
    FTL_TRY(
        emit_prediction(build, e, &model, &columns, m->low + target, m->high + target, &id, error));
    FTL_TRY(ftl_frame_new(build, 2, &both, error));
    both.columns[0] = m->known.columns[target];
    both.columns[1] = (ftl_frame_column){.op = id};
    FTL_TRY(ftl_build_op(build, e, FTL_OP_FILL, &both, &id, &op, error));
    op->width = 1;
    m->now.columns[target].op = id;
    m->now.columns[target].column = 0;
    return FTL_OK;
}

static ftl_status emit_rounds(ftl_build *build, const ftl_estimator *e, iterative *m,
                              ftl_error *error)
{
    ftl_node **steps = NULL;
    size_t n_steps = 0;
    int64_t rounds;
    bool sample;
    FTL_TRY(ftl_attr_int(e, "n_iter_", 0, &rounds, error));
    FTL_TRY(ftl_attr_items(e, "imputation_sequence_", &steps, &n_steps, error));
    if (rounds == 0 || n_steps == 0)
        return FTL_OK;
    FTL_TRY(ftl_attr_bool(e, "sample_posterior", false, &sample, error));
    if (sample)
        return FTL_ATTR_FAIL(error, e, "sample_posterior", FTL_UNSUPPORTED,
                             "sample_posterior=True imputes at random");
    FTL_TRY(read_limits(build, e, m, error));
    for (size_t i = 0; i < n_steps; i++)
        FTL_TRY(emit_step(build, e, steps[i], (uint32_t)i, m, error));
    return FTL_OK;
}

static ftl_status emit_iterative(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    iterative m = {0};
    ftl_frame checked;
    uint32_t source;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_missing_value_read(build, e, &m.missing, error));
    FTL_TRY(
        ftl_build_checked_matrix(build, e, in, ftl_missing_refusals(&m.missing), &source, error));
    FTL_TRY(ftl_frame_like(build, source, in, &checked, error));
    FTL_TRY(initial(build, e, &checked, &m.now, error));
    m.n = m.now.n_columns;
    FTL_TRY(find_columns(build, e, in->n_columns, &m, error));
    FTL_TRY(known_columns(build, e, source, &m, error));
    FTL_TRY(emit_rounds(build, e, &m, error));
    *out = m.now;
    out->sparse = false;
    return ftl_add_indicator(build, e, &m.missing, source, in, out, error);
}

/* Before 0.24 only the initial imputer tells. */
static ftl_status iterative_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                   ftl_error *error)
{
    ftl_estimator imputer;
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    if (out->count >= 0)
        return FTL_OK;
    FTL_TRY(ftl_estimator_of(build, ftl_attr(e, "initial_imputer_"), e,
                             ftl_child_path(build, e, "initial_imputer_"), &imputer, error));
    return ftl_estimator_inputs(build, &imputer, out, error);
}

const ftl_estimator_class ftl_iterative_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.impute", "IterativeImputer", emit_iterative,
                          .inputs = iterative_inputs),
    {0},
};
