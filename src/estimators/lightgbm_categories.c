/*
 * Columns of a data frame that held categories: LightGBM trains on their codes, and on predicting
 * codes each such column by the categories it was trained with.
 */
#include "estimators/lightgbm.h"

#include <string.h>

ftl_status ftl_lightgbm_categories(ftl_build *build, const ftl_estimator *e,
                                   const ftl_lightgbm *model, const ftl_frame *in, ftl_frame *out,
                                   ftl_error *error)
{
    (void)build;
    bool none = !model->categories ||
                (model->categories_size == 2 && memcmp(model->categories, "[]", 2) == 0);
    if (!none) {
        ftl_error_set(error, FTL_UNSUPPORTED,
                      "LightGBM models of data frames with category columns are not supported");
        ftl_error_in(error, e->path);
        return FTL_UNSUPPORTED;
    }
    *out = *in;
    return FTL_OK;
}
