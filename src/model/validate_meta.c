/* The validator's part for what ensembles make of their models, and for curves. */
#include "model/validate.h"

#include <math.h>

ftl_status ftl_validate_combine(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                ftl_error *error)
{
    (void)scratch;
    const ftl_combine_op *combine = &op->u.combine;
    if ((unsigned)combine->rule >= FTL_COMBINE_COUNT || op->width == 0 ||
        (n > 0 && !combine->target))
        return FTL_INVALID(error, op, "a combination is malformed");
    for (uint32_t i = 0; i < n; i++) {
        if (combine->target[i] >= op->width)
            return FTL_INVALID(error, op, "column %u is added to column %u of %u", i,
                               combine->target[i], op->width);
    }
    return FTL_OK;
}

ftl_status ftl_validate_vote(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_vote_op *vote = &op->u.vote;
    if (op->width == 0 || n == 0 || !vote->start || !vote->map || !vote->hit || vote->start[0] != 0)
        return FTL_INVALID(error, op, "a vote is malformed");
    for (uint32_t i = 0; i < n; i++) {
        if (vote->start[i + 1] < vote->start[i])
            return FTL_INVALID(error, op, "the classes of voter %u are malformed", i);
    }
    for (uint32_t i = 0; i < vote->start[n]; i++) {
        if (vote->map[i] >= op->width && vote->map[i] != FTL_VOTE_NONE)
            return FTL_INVALID(error, op, "a vote is for class %u of %u", vote->map[i], op->width);
    }
    return FTL_OK;
}

ftl_status ftl_validate_median(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_median_op *median = &op->u.median;
    if (op->width != 1 || n == 0 || !median->weights ||
        (median->n_values > 0 && (!median->values || !median->column)))
        return FTL_INVALID(error, op, "a median is malformed");
    for (uint32_t i = 0; i < median->n_values; i++) {
        if (median->column[i] >= n || (i > 0 && median->values[i] < median->values[i - 1]))
            return FTL_INVALID(error, op, "value %u of a median is malformed", i);
    }
    return FTL_OK;
}

static bool curve_valid(const ftl_curve *curve)
{
    if (curve->n == 0 || !curve->x || !curve->y || (unsigned)curve->outside >= FTL_OUTSIDE_COUNT)
        return false;
    for (uint32_t i = 0; i < curve->n; i++) {
        if (isnan(curve->x[i]) || (i > 0 && !(curve->x[i - 1] <= curve->x[i])))
            return false;
    }
    return true;
}

ftl_status ftl_validate_interpolate(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                    ftl_error *error)
{
    (void)scratch;
    if (op->width == 0 || op->width != n || !op->u.interpolate.curves)
        return FTL_INVALID(error, op, "an interpolation of %u columns yields %u", n, op->width);
    for (uint32_t i = 0; i < n; i++) {
        if (!curve_valid(&op->u.interpolate.curves[i]))
            return FTL_INVALID(error, op, "the points of curve %u do not ascend", i);
    }
    return FTL_OK;
}
