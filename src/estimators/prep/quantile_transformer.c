/*
 * QuantileTransformer of sklearn.preprocessing: every column by itself, in its rows' float type.
 *
 * Up to 0.20 the uniform distribution was treated as the normal one is: values near the ends of the
 * quantiles are at the ends, and results keep 1e-7 away from 0 and 1.
 */
#include "build/transformer.h"
#include "estimators/families.h"

#include <math.h>

static ftl_status read_quantiles(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                                 ftl_quantiles_op *out, ftl_error *error)
{
    ftl_array2 stored; /* [quantiles][columns] */
    const double *references = NULL;
    double *by_column;
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("quantiles_"), &stored, error));
    if (stored.columns != n_columns || stored.rows == 0 || stored.rows > UINT32_MAX)
        return FTL_ATTR_FAIL(error, e, "quantiles_", FTL_CORRUPT,
                             "quantiles_ is %zu x %zu for %u features", stored.rows, stored.columns,
                             n_columns);
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("references_"), stored.rows, &references, error));
    by_column = ftl_arena_array(build->arena, stored.rows * stored.columns, sizeof *by_column);
    if (!by_column)
        return FTL_OOM(error);
    for (size_t j = 0; j < stored.columns; j++) {
        for (size_t i = 0; i < stored.rows; i++) {
            double value = stored.data[i * stored.columns + j];
            if (isnan(value))
                return FTL_ATTR_FAIL(error, e, "quantiles_", FTL_UNSUPPORTED,
                                     "column %zu had no values in training", j);
            by_column[j * stored.rows + i] = value;
        }
    }
    out->n = (uint32_t)stored.rows;
    out->quantiles = by_column;
    out->quantiles_count = stored.rows * n_columns;
    out->references = references;
    out->references_count = stored.rows;
    return FTL_OK;
}

static ftl_status emit_quantiles(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_quantiles_op quantiles = {0};
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    quantiles.normal = ftl_attr_is(e, "output_distribution", "normal");
    if (!quantiles.normal && !ftl_attr_is(e, "output_distribution", "uniform"))
        return FTL_ATTR_FAIL(error, e, "output_distribution", FTL_CORRUPT,
                             "output_distribution is neither uniform nor normal");
    quantiles.margins = quantiles.normal || e->version < FTL_SKLEARN(0, 21);
    if (in->sparse)
        return FTL_ATTR_FAIL(error, e, "quantiles_", FTL_UNSUPPORTED,
                             "QuantileTransformer of sparse matrices");
    FTL_TRY(read_quantiles(build, e, in->n_columns, &quantiles, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_QUANTILES, id, in->n_columns, &id, &op, error));
    op->u.quantiles = quantiles;
    return ftl_frame_like(build, id, in, out, error);
}

static ftl_status quantile_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("quantiles_"), out, error);
}

const ftl_estimator_class ftl_quantile_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "QuantileTransformer", emit_quantiles,
                          .inputs = quantile_inputs),
    {0},
};
