/* What the selectors of sklearn.feature_selection share. */
#ifndef FTL_ESTIMATORS_PREP_FEATURE_SELECTORS_H
#define FTL_ESTIMATORS_PREP_FEATURE_SELECTORS_H

#include "build/build.h"

/*
 * Which of n columns SelectFromModel keeps. In scratch. allow_nan: whether the estimator is one
 * that takes missing values, so that the selector lets them and infinity pass.
 */
FTL_MUST_USE ftl_status ftl_select_from_model(ftl_build *build, const ftl_estimator *e, size_t n,
                                              bool *mask, ftl_error *error);
/* The estimator below SelectFromModel, RFE …: attributes alone, looked up nowhere. */
FTL_MUST_USE ftl_status ftl_selector_child(ftl_build *build, const ftl_estimator *e,
                                           ftl_estimator *out, ftl_error *error);
/* The allow_nan tag of an estimator in its version. */
bool ftl_allows_nan(const ftl_estimator *child);

/* feature_importances_ of trees and their ensembles, computed as the library does: [n], in scratch.
 * UNSUPPORTED for other classes. */
FTL_MUST_USE ftl_status ftl_tree_importances(ftl_build *build, const ftl_estimator *child, size_t n,
                                             double **out, ftl_error *error);

#endif
