/* CatBoost's models: what catboost.c and catboost_trees.c share. */
#ifndef FTL_ESTIMATORS_BOOSTERS_CATBOOST_H
#define FTL_ESTIMATORS_BOOSTERS_CATBOOST_H

#include "build/build.h"
#include "formats/catboost.h"

/*
 * The float32 matrix that trees ask about: the numeric columns of `in`, matches of categories,
 * target statistics.
 */
FTL_MUST_USE ftl_status ftl_cat_matrix(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                                       const ftl_frame *in, uint32_t *id, ftl_error *error);
/* The trees on that matrix: sums of leaves [width], or the leaf's number a tree. */
FTL_MUST_USE ftl_status ftl_cat_trees(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                                      uint32_t source, bool leaf_number, uint32_t *id,
                                      ftl_error *error);

/*
 * *out: [n_categories], whether a text that spells a bool is one for the category's
 * column, as far as the model's hashes tell.
 */
FTL_MUST_USE ftl_status ftl_cat_bools(ftl_build *build, const ftl_cbm *cbm, const bool **out,
                                      ftl_error *error);

#endif
