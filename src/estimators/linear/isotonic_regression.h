/* The thresholds of an IsotonicRegression, for itself and for calibrators. */
#ifndef FTL_ESTIMATORS_LINEAR_ISOTONIC_REGRESSION_H
#define FTL_ESTIMATORS_LINEAR_ISOTONIC_REGRESSION_H

#include "build/build.h"

/* single: the thresholds are float32, and so is what is looked up between them. */
FTL_MUST_USE ftl_status ftl_isotonic_read(ftl_build *build, const ftl_estimator *e, ftl_curve *out,
                                          bool *single, ftl_error *error);

#endif
