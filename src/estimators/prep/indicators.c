/* MissingIndicator of sklearn.impute, and what the imputers have of it. */
#include "estimators/prep/indicators.h"

#include "build/transformer.h"
#include "estimators/families.h"

#include <math.h>

ftl_status ftl_missing_value_read(ftl_build *build, const ftl_estimator *e, ftl_missing_value *out,
                                  ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "missing_values");
    *out = (ftl_missing_value){true, NAN, {.tag = FTL_CELL_MISSING}};
    if (!node)
        return FTL_OK;
    ftl_status status = ftl_cell_of(build, node, &out->cell, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "missing_values");
        return status;
    }
    out->is_nan = out->cell.tag == FTL_CELL_MISSING;
    out->number = ftl_cell_number(&out->cell);
    return FTL_OK;
}

uint32_t ftl_missing_refusals(const ftl_missing_value *missing)
{
    return missing->is_nan ? FTL_CHECK_INF : FTL_CHECK_NAN | FTL_CHECK_INF;
}

ftl_status ftl_indicator_features(ftl_build *build, const ftl_estimator *e,
                                  const ftl_node *indicator, uint32_t n_columns, uint32_t **out,
                                  uint32_t *n, ftl_error *error)
{
    ftl_array2 array = {0};
    const ftl_node *features = indicator ? ftl_node_attr(indicator, "features_") : NULL;
    ftl_status status = ftl_node_matrix(build, features, &array, error);
    if (status == FTL_NOMEM)
        return status;
    bool usable = status == FTL_OK && array.rows == 1;
    *out = ftl_arena_array(build->scratch, array.columns, sizeof **out);
    if (!*out)
        return FTL_OOM(error);
    for (size_t i = 0; usable && i < array.columns; i++) {
        usable = array.data[i] >= 0 && array.data[i] < (double)n_columns;
        (*out)[i] = usable ? (uint32_t)array.data[i] : 0;
    }
    if (!usable)
        return FTL_ATTR_FAIL(error, e, "features_", FTL_CORRUPT,
                             "features_ is no list of the columns");
    *n = (uint32_t)array.columns;
    return FTL_OK;
}

/* One op of the chosen columns of source. */
static ftl_status emit_indicator_op(ftl_build *build, const ftl_estimator *e,
                                    const ftl_missing_value *missing, uint32_t source,
                                    const uint32_t *features, uint32_t n, uint32_t *id, ftl_op **op,
                                    ftl_error *error)
{
    uint32_t *columns = ftl_arena_copy(build->arena, features, n * sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_INDICATOR, source, n, id, op, error));
    (*op)->u.indicator = (ftl_indicator_op){.missing_is_nan = missing->is_nan,
                                            .missing_value = missing->number,
                                            .missing = missing->cell,
                                            FTL_SIZED(columns, columns, n)};
    return FTL_OK;
}

static ftl_status name_indicators(ftl_build *build, const uint32_t *features, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    for (uint32_t k = 0; k < out->n_columns; k++) {
        out->columns[k].name = ftl_arena_printf(build->arena, "missingindicator_%s",
                                                in->columns[features[k]].name);
        if (!out->columns[k].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

ftl_status ftl_add_indicator(ftl_build *build, const ftl_estimator *e,
                             const ftl_missing_value *missing, uint32_t source, const ftl_frame *in,
                             ftl_frame *out, ftl_error *error)
{
    bool add;
    uint32_t *features = NULL, n = 0, id;
    ftl_op *op = NULL;
    ftl_frame parts[2] = {*out};
    FTL_TRY(ftl_attr_bool(e, "add_indicator", false, &add, error));
    if (!add)
        return FTL_OK;
    FTL_TRY(ftl_indicator_features(build, e, ftl_attr(e, "indicator_"), in->n_columns, &features,
                                   &n, error));
    if (n == 0)
        return FTL_OK;
    FTL_TRY(emit_indicator_op(build, e, missing, source, features, n, &id, &op, error));
    FTL_TRY(ftl_frame_of_op(build, id, NULL, &parts[1], error));
    FTL_TRY(name_indicators(build, features, in, &parts[1], error));
    return ftl_frame_concat(build, parts, 2, out, error);
}

/* ---- MissingIndicator ------------------------------------------------------------------------ */

/* Cells of texts, or of anything when a text is the missing value; numbers otherwise. */
static ftl_status indicator_source(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                   const ftl_missing_value *missing, uint32_t *id, ftl_error *error)
{
    bool cells = missing->cell.tag == FTL_CELL_STRING;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        const ftl_op *op = &build->ops[in->columns[i].op];
        cells = cells || (op->edge == FTL_EDGE_OBJECT && op->kind != FTL_OP_INPUT);
    }
    if (cells)
        return ftl_build_objects(build, e, in, id, error);
    return ftl_build_checked_matrix(build, e, in, ftl_missing_refusals(missing), id, error);
}

/* The columns that were complete in training, and must be with error_on_new. */
static ftl_status refused_columns(ftl_build *build, const ftl_estimator *e,
                                  const uint32_t *features, uint32_t n, uint32_t n_columns,
                                  ftl_indicator_op *op, ftl_error *error)
{
    bool refuse;
    FTL_TRY(ftl_attr_bool(e, "error_on_new", true, &refuse, error));
    if (!refuse || ftl_attr_is(e, "features", "all"))
        return FTL_OK;
    bool *known = ftl_arena_zero_array(build->scratch, n_columns, sizeof *known);
    uint32_t *refused = ftl_arena_array(build->arena, n_columns, sizeof *refused), count = 0;
    if (!known || !refused)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < n; k++)
        known[features[k]] = true;
    for (uint32_t j = 0; j < n_columns; j++) {
        if (!known[j])
            refused[count++] = j;
    }
    op->refused = refused;
    op->refused_count = count;
    op->n_refused = count;
    return FTL_OK;
}

/* Before 0.22 the columns of a table that had nothing missing in training were all given. */
static ftl_status given_columns(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                                uint32_t **features, uint32_t *n, ftl_error *error)
{
    FTL_TRY(ftl_indicator_features(build, e, e->node, n_columns, features, n, error));
    if (*n > 0 || e->version >= FTL_SKLEARN(0, 22))
        return FTL_OK;
    *features = ftl_arena_array(build->scratch, n_columns, sizeof **features);
    if (!*features)
        return FTL_OOM(error);
    for (*n = 0; *n < n_columns; ++*n)
        (*features)[*n] = *n;
    return FTL_OK;
}

/* sparse='auto' is as the rows are. False flags are not stored. */
static bool gives_sparse(const ftl_estimator *e, const ftl_frame *in)
{
    const ftl_node *node = ftl_attr(e, "sparse");
    bool given;
    return node && ftl_node_as_bool(node, &given) ? given : in->sparse;
}

static ftl_status emit_missing(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_missing_value missing;
    uint32_t *known = NULL, *features = NULL, n_known = 0, n = 0, source, id;
    ftl_indicator_op refusals = {0};
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_missing_value_read(build, e, &missing, error));
    FTL_TRY(ftl_indicator_features(build, e, e->node, in->n_columns, &known, &n_known, error));
    FTL_TRY(given_columns(build, e, in->n_columns, &features, &n, error));
    FTL_TRY(refused_columns(build, e, known, n_known, in->n_columns, &refusals, error));
    FTL_TRY(indicator_source(build, e, in, &missing, &source, error));
    FTL_TRY(emit_indicator_op(build, e, &missing, source, features, n, &id, &op, error));
    op->u.indicator.refused = refusals.refused;
    op->u.indicator.refused_count = refusals.refused_count;
    op->u.indicator.n_refused = refusals.n_refused;
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t k = 0; k < n; k++)
        out->columns[k].as = FTL_AS_BOOL;
    out->sparse = out->csc = gives_sparse(e, in);
    return name_indicators(build, features, in, out, error);
}

static ftl_status missing_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                 ftl_error *error)
{
    int64_t n = -1;
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    if (out->count < 0)
        FTL_TRY(ftl_attr_int(e, "_n_features", -1, &n, error));
    if (n >= 0)
        out->count = n;
    return FTL_OK;
}

const ftl_estimator_class ftl_missing_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.impute", "MissingIndicator", emit_missing,
                          .inputs = missing_inputs),
    {0},
};
