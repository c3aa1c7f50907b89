/*
 * IsotonicRegression: straight lines between thresholds. Also what CalibratedClassifierCV's
 * isotonic calibrators are.
 */
#include "estimators/linear/isotonic_regression.h"

#include "estimators/families.h"
#include "estimators/meta/children.h"

static ftl_status read_outside(const ftl_estimator *e, ftl_curve *curve, ftl_error *error)
{
    if (ftl_attr_is(e, "out_of_bounds", "clip"))
        curve->outside = FTL_OUTSIDE_CLIP;
    else if (ftl_attr_is(e, "out_of_bounds", "nan"))
        curve->outside = FTL_OUTSIDE_NAN;
    else if (ftl_attr_is(e, "out_of_bounds", "raise"))
        curve->outside = FTL_OUTSIDE_REFUSED;
    else
        return FTL_ATTR_FAIL(error, e, "out_of_bounds", FTL_CORRUPT,
                             "out_of_bounds is none of clip, nan and raise");
    if (curve->outside != FTL_OUTSIDE_CLIP)
        return FTL_OK;
    FTL_TRY(ftl_attr_f64(e, "X_min_", curve->x[0], &curve->low, error));
    return ftl_attr_f64(e, "X_max_", curve->x[curve->n - 1], &curve->high, error);
}

/* Up to 0.23 the thresholds have other names. */
ftl_status ftl_isotonic_read(ftl_build *build, const ftl_estimator *e, ftl_curve *out, bool *single,
                             ftl_error *error)
{
    ftl_array2 x = {0}, y = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("X_thresholds_", "_necessary_X_"), &x, error));
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("y_thresholds_", "_necessary_y_"), &y, error));
    if (x.rows != 1 || y.rows != 1 || x.columns != y.columns || x.columns == 0 ||
        x.columns > 1u << 30)
        return FTL_ATTR_FAIL(error, e, "X_thresholds_", FTL_CORRUPT,
                             "%zu thresholds with %zu values", x.columns, y.columns);
    *out = (ftl_curve){
        .n = (uint32_t)x.columns, FTL_SIZED(x, x.data, x.columns), FTL_SIZED(y, y.data, y.columns)};
    *single = x.was_f32 && e->version >= FTL_SKLEARN(0, 22);
    return read_outside(e, out, error);
}

static uint32_t isotonic_methods(ftl_build *build, const ftl_estimator *e)
{
    (void)build;
    (void)e;
    return 1u << FTL_PREDICT | 1u << FTL_TRANSFORM;
}

static ftl_status isotonic_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    FTL_TRY(ftl_own_inputs(build, e, out, error));
    if (out->count < 0)
        out->count = 1;
    return FTL_OK;
}

static ftl_status isotonic_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_curve *curve = FTL_ARENA_NEW(build->arena, ftl_curve);
    bool single = false;
    uint32_t source, id;
    ftl_op *op = NULL;
    if (!curve)
        return FTL_OOM(error);
    FTL_TRY(ftl_isotonic_read(build, e, curve, &single, error));
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    uint32_t refuse = e->version < FTL_SKLEARN(0, 22) ? 0 : FTL_CHECK_NAN | FTL_CHECK_INF;
    if (single)
        refuse |= FTL_CHECK_F32_RANGE;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_INTERPOLATE, source, 1, &id, &op, error));
    op->dtype = single ? FTL_DTYPE_F32 : FTL_DTYPE_F64;
    op->u.interpolate = (ftl_interpolate_op){FTL_SIZED(curves, curve, 1), .single = single};
    FTL_TRY(ftl_result_values(build, id, out, error));
    if (method == FTL_TRANSFORM)
        out->columns[0].name = "isotonicregression0";
    return FTL_OK;
}

const ftl_estimator_class ftl_isotonic_classes[] = {
    {.package = "sklearn.isotonic",
     .name = "IsotonicRegression",
     .kind = FTL_REGRESSOR,
     .methods = isotonic_methods,
     .emit = isotonic_emit,
     .inputs = isotonic_inputs},
    {0},
};
