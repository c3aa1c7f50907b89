/*
 * SimpleImputer of sklearn.impute and Imputer of sklearn.preprocessing (until 0.21).
 *
 * A fitted imputer knows one statistic a column. Columns whose statistic is NaN had no value in
 * training and are left out, unless keep_empty_features (1.2) or, before 1.8, strategy='constant'
 * says otherwise. An imputer fitted on an object array holds numbers and texts in one array; here
 * columns whose most frequent value is a number stay numbers, so that a "1" in a CSV file is the
 * number that the next step was trained on.
 */
#include "build/transformer.h"
#include "estimators/prep/indicators.h"

#include <math.h>
#include <string.h>

enum { group_numbers, group_cells, n_groups };

typedef struct imputer {
    bool objects;  /* fitted on an object array */
    bool old;      /* sklearn.preprocessing.Imputer: checks nothing */
    bool keep_all; /* columns without a statistic stay */
    ftl_missing_value missing;
    uint32_t n;                /* input columns */
    uint8_t *group;            /* [n] */
    uint32_t *position;        /* [n] column within its group */
    bool *kept;                /* [n] */
    ftl_cell *fill;            /* [n] */
    bool sparse;               /* the numbers lie in a sparse matrix */
    uint32_t source[n_groups]; /* the op that holds each group's columns */
} imputer;

/* ---- Parameters ------------------------------------------------------------------------------ */

/* Imputer of 0.19 and before spelt NaN as a text. */
static ftl_status load_missing_value(ftl_build *build, const ftl_estimator *e, imputer *m,
                                     ftl_error *error)
{
    if (m->old && ftl_attr_is(e, "missing_values", "NaN")) {
        m->missing = (ftl_missing_value){true, NAN, {.tag = FTL_CELL_MISSING}};
        return FTL_OK;
    }
    return ftl_missing_value_read(build, e, &m->missing, error);
}

/*
 * Whether the array that fit() saw held objects: _fit_dtype tells from 0.24 on, the statistics
 * before.
 */
static bool fitted_on_objects(const ftl_estimator *e, const ftl_node *statistics)
{
    const ftl_node *dtype = ftl_attr(e, "_fit_dtype");
    if (dtype && dtype->kind == FTL_NODE_DTYPE)
        return dtype->u.dtype->kind == 'O';
    return statistics->kind == FTL_NODE_ARRAY && statistics->u.array->dtype->kind == 'O';
}

static bool is_none_at(const ftl_node *array, uint32_t i)
{
    return array->kind == FTL_NODE_ARRAY && array->u.array->objects &&
           ftl_node_is_none(array->u.array->objects[i]);
}

/* From 1.8 on the statistics take the dtype of the training data before they fill anything. */
static bool fills_f32(const ftl_estimator *e)
{
    const ftl_node *dtype = ftl_attr(e, "_fill_dtype");
    return e->version >= FTL_SKLEARN(1, 8) && dtype && dtype->kind == FTL_NODE_DTYPE &&
           dtype->u.dtype->kind == 'f' && dtype->u.dtype->item_size == 4;
}

static ftl_status load_statistics(ftl_build *build, const ftl_estimator *e,
                                  const ftl_node *statistics, imputer *m, ftl_error *error)
{
    for (uint32_t i = 0; i < m->n; i++) {
        ftl_status status = ftl_node_cell(build, statistics, i, &m->fill[i], error);
        bool number = status == FTL_OK && m->fill[i].tag != FTL_CELL_STRING;
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "statistics_");
            return status;
        }
        if (!m->objects && !number)
            return FTL_ATTR_FAIL(error, e, "statistics_", FTL_CORRUPT,
                                 "element %u is a text, but the data were numbers", i);
        if (m->fill[i].tag == FTL_CELL_FLOAT && fills_f32(e))
            m->fill[i].u.number = (double)(float)m->fill[i].u.number;
        m->kept[i] = m->keep_all || m->fill[i].tag != FTL_CELL_MISSING || is_none_at(statistics, i);
    }
    return FTL_OK;
}

static ftl_status load(ftl_build *build, const ftl_estimator *e, const ftl_frame *in, imputer *m,
                       ftl_error *error)
{
    const ftl_node *statistics = NULL;
    bool keep_empty;
    *m = (imputer){.n = in->n_columns, .old = strcmp(e->cls->name, "Imputer") == 0};
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("statistics_"), &statistics, error));
    FTL_TRY(ftl_frame_expect(e, in, ftl_node_length(statistics), error));
    FTL_TRY(ftl_attr_bool(e, "keep_empty_features", false, &keep_empty, error));
    m->group = ftl_arena_zero_array(build->scratch, m->n, sizeof *m->group);
    m->position = ftl_arena_zero_array(build->scratch, m->n, sizeof *m->position);
    m->kept = ftl_arena_zero_array(build->scratch, m->n, sizeof *m->kept);
    m->fill = ftl_arena_zero_array(build->scratch, m->n, sizeof *m->fill);
    if (!m->group || !m->position || !m->kept || !m->fill)
        return FTL_OOM(error);
    bool constant = ftl_attr_is(e, "strategy", "constant");
    m->keep_all = keep_empty || (constant && e->version < FTL_SKLEARN(1, 8));
    m->objects = fitted_on_objects(e, statistics);
    FTL_TRY(load_missing_value(build, e, m, error));
    FTL_TRY(load_statistics(build, e, statistics, m, error));
    for (uint32_t i = 0; i < m->n; i++) {
        const ftl_op *op = &build->ops[in->columns[i].op];
        bool cells = op->kind != FTL_OP_INPUT && op->edge == FTL_EDGE_OBJECT;
        bool number = m->fill[i].tag != FTL_CELL_STRING && m->fill[i].tag != FTL_CELL_MISSING &&
                      !constant && !keep_empty;
        m->group[i] = m->objects && (cells || !number) ? group_cells : group_numbers;
    }
    return FTL_OK;
}

/*
 * A frame that the library holds sparse stays so where that shows: where zeros are stored that came
 * in, or are filled in.
 */
static bool keeps_sparse(const ftl_build *build, const imputer *m, const ftl_frame *in)
{
    bool zeros = false;
    for (uint32_t i = 0; i < m->n; i++)
        zeros = zeros || (m->kept[i] && ftl_cell_number(&m->fill[i]) == 0);
    return in->sparse && !m->objects && (zeros || ftl_frame_has_sparse(build, in));
}

/* ---- Operations ------------------------------------------------------------------------------ */

static ftl_status gather_group(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               imputer *m, uint8_t group, ftl_error *error)
{
    uint32_t *picked = ftl_arena_array(build->scratch, m->n, sizeof *picked);
    uint32_t n = 0;
    ftl_frame frame;
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->group[i] == group) {
            m->position[i] = n;
            picked[n++] = i;
        }
    }
    m->source[group] = UINT32_MAX;
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, in, picked, n, &frame, error));
    if (group == group_cells)
        return ftl_build_objects(build, e, &frame, &m->source[group], error);
    uint32_t refuse = m->old ? 0u : ftl_missing_refusals(&m->missing);
    return m->sparse ? ftl_build_sparse(build, e, &frame, refuse, &m->source[group], error)
                     : ftl_build_checked_matrix(build, e, &frame, refuse, &m->source[group], error);
}

/* Integers of an input column stay exact for who looks them up: see ftl_exact_column. */
static ftl_status note_exact(ftl_build *build, const imputer *m, const ftl_frame_column *from,
                             uint32_t i, ftl_frame_column *column, ftl_error *error)
{
    if (m->fill[i].tag == FTL_CELL_MISSING || build->ops[from->op].kind != FTL_OP_INPUT)
        return FTL_OK;
    ftl_exact_column *exact = FTL_ARENA_NEW(build->scratch, ftl_exact_column);
    if (!exact)
        return FTL_OOM(error);
    *exact = (ftl_exact_column){
        .op = from->op, .column = from->column, .missing = m->missing.cell, .fill = m->fill[i]};
    column->exact = exact;
    return FTL_OK;
}

/* The imputed columns of one group; columns[i] is set for its kept ones. */
static ftl_status impute_group(ftl_build *build, const ftl_estimator *e, const imputer *m,
                               const ftl_frame *in, uint8_t group, ftl_frame_column *columns,
                               ftl_error *error)
{
    uint32_t n = 0, id;
    ftl_op *op = NULL;
    bool cells = group == group_cells;
    uint32_t *picked = ftl_arena_array(build->arena, m->n, sizeof *picked);
    double *numbers = ftl_arena_array(build->arena, cells ? 0 : m->n, sizeof *numbers);
    ftl_cell *texts = ftl_arena_zero_array(build->arena, cells ? m->n : 0, sizeof *texts);
    if (!picked || !numbers || !texts)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->group[i] != group || !m->kept[i])
            continue;
        picked[n] = m->position[i];
        if (cells)
            texts[n] = m->fill[i];
        else
            numbers[n] = ftl_cell_number(&m->fill[i]);
        n++;
    }
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_build_on(build, e, cells ? FTL_OP_IMPUTE_OBJECT : FTL_OP_IMPUTE, m->source[group],
                         n, &id, &op, error));
    if (cells) {
        op->edge = FTL_EDGE_OBJECT;
        /* Empty text is what a missing cell of a file stands for when '' is the missing value. */
        bool text = m->missing.cell.tag == FTL_CELL_STRING && m->missing.cell.size > 0;
        op->u.impute_object = (ftl_impute_object_op){
            .missing = m->missing.cell,
            FTL_SIZED(columns, picked, n),
            FTL_SIZED(fill, texts, n),
            .refuse_missing = !m->missing.is_nan &&
                              (text || m->missing.cell.tag != FTL_CELL_STRING) &&
                              e->version >= FTL_SKLEARN(0, 22)};
    } else {
        op->edge = build->ops[m->source[group]].edge;
        op->u.impute = (ftl_impute_op){.missing_is_nan = m->missing.is_nan,
                                       .missing_value = m->missing.number,
                                       FTL_SIZED(columns, picked, n),
                                       FTL_SIZED(fill, numbers, n)};
    }
    n = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        if (m->group[i] != group || !m->kept[i])
            continue;
        columns[i] = (ftl_frame_column){
            .op = id, .column = n++, .as = cells ? FTL_AS_CELL : FTL_AS_FLOAT};
        if (!cells)
            FTL_TRY(note_exact(build, m, &in->columns[i], i, &columns[i], error));
    }
    return FTL_OK;
}

/* One indicator op for all of `features` that belong to a group; fills columns[k] for those. */
static ftl_status indicate_group(ftl_build *build, const ftl_estimator *e, const imputer *m,
                                 uint8_t group, const uint32_t *features, uint32_t n_features,
                                 ftl_frame_column *columns, ftl_error *error)
{
    uint32_t n = 0, id;
    ftl_op *op = NULL;
    uint32_t *picked = ftl_arena_array(build->arena, n_features, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n_features; k++) {
        if (m->group[features[k]] == group)
            picked[n++] = m->position[features[k]];
    }
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_INDICATOR, m->source[group], n, &id, &op, error));
    op->u.indicator = (ftl_indicator_op){.missing_is_nan = m->missing.is_nan,
                                         .missing_value = m->missing.number,
                                         .missing = m->missing.cell,
                                         FTL_SIZED(columns, picked, n)};
    /* A bool beside cells stays a bool; beside numbers it becomes one of theirs. */
    ftl_as as = m->objects ? FTL_AS_BOOL : FTL_AS_FLOAT;
    n = 0;
    for (uint32_t k = 0; k < n_features; k++) {
        if (m->group[features[k]] == group)
            columns[k] = (ftl_frame_column){.op = id, .column = n++, .as = as};
    }
    return FTL_OK;
}

/* Indices of the columns that add_indicator watches. */
static ftl_status indicator_features(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                                     uint32_t **out, uint32_t *n, ftl_error *error)
{
    bool add;
    *n = 0;
    FTL_TRY(ftl_attr_bool(e, "add_indicator", false, &add, error));
    if (!add)
        return FTL_OK;
    return ftl_indicator_features(build, e, ftl_attr(e, "indicator_"), n_columns, out, n, error);
}

static ftl_status emit_imputer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    imputer m;
    uint32_t *features = NULL, n_features = 0, n = 0;
    int64_t axis;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_int(e, "axis", 0, &axis, error));
    if (axis != 0)
        return FTL_ATTR_FAIL(
            error, e, "axis", FTL_UNSUPPORTED,
            "axis=1 imputes from the row itself, which is not supported; use axis=0");
    FTL_TRY(load(build, e, in, &m, error));
    m.sparse = keeps_sparse(build, &m, in);
    if (in->sparse && !m.missing.is_nan && m.missing.number == 0)
        return FTL_ATTR_FAIL(error, e, "missing_values", FTL_UNSUPPORTED,
                             "a sparse matrix with missing_values=0, which the library refuses");
    FTL_TRY(indicator_features(build, e, m.n, &features, &n_features, error));
    ftl_frame_column *imputed = ftl_arena_zero_array(build->scratch, m.n, sizeof *imputed);
    ftl_frame_column *flags = ftl_arena_zero_array(build->scratch, n_features, sizeof *flags);
    if (!imputed || !flags)
        return FTL_OOM(error);
    for (uint8_t group = 0; group < n_groups; group++) {
        FTL_TRY(gather_group(build, e, in, &m, group, error));
        FTL_TRY(impute_group(build, e, &m, in, group, imputed, error));
        FTL_TRY(indicate_group(build, e, &m, group, features, n_features, flags, error));
    }
    for (uint32_t i = 0; i < m.n; i++)
        n += m.kept[i];
    FTL_TRY(ftl_frame_new(build, n + n_features, out, error));
    ftl_frame_form(in, out);
    out->csc = in->sparse;
    n = 0;
    for (uint32_t i = 0; i < m.n; i++) {
        if (!m.kept[i])
            continue;
        imputed[i].name = in->columns[i].name;
        out->columns[n++] = imputed[i];
    }
    for (uint32_t k = 0; k < n_features; k++) {
        flags[k].name = ftl_arena_printf(build->arena, "missingindicator_%s",
                                         in->columns[features[k]].name);
        if (!flags[k].name)
            return FTL_OOM(error);
        out->columns[n++] = flags[k];
    }
    return FTL_OK;
}

static const char *imputer_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node_string strategy;
    const ftl_node *node = ftl_attr(e, "strategy");
    bool indicator = false;
    if (!node || !ftl_node_as_str(node, &strategy) ||
        ftl_attr_bool(e, "add_indicator", false, &indicator, NULL) != FTL_OK)
        return NULL;
    return ftl_arena_printf(build->arena, "%.40s%s", strategy.data,
                            indicator ? ", with indicator" : "");
}

const ftl_estimator_class ftl_imputer_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.impute", "SimpleImputer", emit_imputer,
                          .detail = imputer_detail),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "Imputer", emit_imputer,
                          .detail = imputer_detail),
    {0},
};
