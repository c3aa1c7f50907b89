/* What descriptions do not say of what ensembles make of their models, and of curves. */
#include "model/validate.h"

#include <math.h>

ftl_status ftl_check_vote(const ftl_proof *proof, ftl_error *error)
{
    const ftl_vote_op *vote = &proof->op->u.vote;
    for (size_t i = 0; i < vote->map_count; i++) {
        if (vote->map[i] >= proof->op->width && vote->map[i] != FTL_VOTE_NONE)
            return FTL_INVALID(error, "a vote is for class %u of %u", vote->map[i],
                               proof->op->width);
    }
    return FTL_OK;
}

ftl_status ftl_check_median(const ftl_proof *proof, ftl_error *error)
{
    const ftl_median_op *median = &proof->op->u.median;
    for (uint32_t i = 1; i < median->n_values; i++) {
        if (median->values[i] < median->values[i - 1])
            return FTL_INVALID(error, "value %u of a median is malformed", i);
    }
    return FTL_OK;
}

static bool curve_valid(const ftl_curve *curve)
{
    for (uint32_t i = 0; i < curve->n; i++) {
        if (isnan(curve->x[i]) || (i > 0 && !(curve->x[i - 1] <= curve->x[i])))
            return false;
    }
    return curve->n > 0;
}

ftl_status ftl_check_interpolate(const ftl_proof *proof, ftl_error *error)
{
    for (uint32_t i = 0; i < proof->op->width; i++) {
        if (!curve_valid(&proof->op->u.interpolate.curves[i]))
            return FTL_INVALID(error, "the points of curve %u do not ascend", i);
    }
    return FTL_OK;
}
