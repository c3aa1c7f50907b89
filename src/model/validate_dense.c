/* The validator's part for naive Bayes, clusters and other dense models. */
#include "model/validate.h"

ftl_status ftl_validate_gaussian(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                 ftl_error *error)
{
    (void)n;
    (void)scratch;
    const ftl_gaussian_op *gaussian = &op->u.gaussian;
    if (op->width == 0 || !gaussian->mean || !gaussian->variance || !gaussian->prior ||
        !gaussian->norm)
        return FTL_INVALID(error, op, "a step of normal distributions is malformed");
    return FTL_OK;
}

ftl_status ftl_validate_distances(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    const ftl_distances_op *distances = &op->u.distances;
    if (op->width == 0 || n == 0 || !distances->centres || !distances->norms)
        return FTL_INVALID(error, op, "a step of distances is malformed");
    return FTL_OK;
}

ftl_status ftl_validate_bins(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_bins_op *bins = &op->u.bins;
    if (op->width != n || !bins->start || !bins->edges || bins->start[0] != 0)
        return FTL_INVALID(error, op, "a step of bins is malformed");
    for (uint32_t j = 0; j < n; j++) {
        if (bins->start[j] > bins->start[j + 1])
            return FTL_INVALID(error, op, "a step of bins is malformed");
    }
    return FTL_OK;
}

ftl_status ftl_validate_quantiles(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    const ftl_quantiles_op *q = &op->u.quantiles;
    if (op->width != n || n == 0 || q->n == 0 || !q->quantiles || !q->references)
        return FTL_INVALID(error, op, "a step of quantiles is malformed");
    return FTL_OK;
}
