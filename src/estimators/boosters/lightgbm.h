/* What the files of the LightGBM family share. */
#ifndef FTL_ESTIMATORS_BOOSTERS_LIGHTGBM_H
#define FTL_ESTIMATORS_BOOSTERS_LIGHTGBM_H

#include "build/build.h"
#include "formats/lightgbm.h"

/*
 * The columns of `in` with those that were categories of the fitted data frame replaced by their
 * codes; unseen categories become NaN.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_categories(ftl_build *build, const ftl_estimator *e,
                                                const ftl_lightgbm *model, const ftl_frame *in,
                                                ftl_frame *out, ftl_error *error);

/* feature_importances_ of a wrapper, [n]: of best_iteration's trees where early stopping set one.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_wrapper_importances(ftl_build *build, const ftl_estimator *e,
                                                         size_t n, double *out, ftl_error *error);

#endif
