/* XGBoost's boosters: what xgboost.c and xgboost_trees.c share. */
#ifndef FTL_ESTIMATORS_BOOSTERS_XGBOOST_H
#define FTL_ESTIMATORS_BOOSTERS_XGBOOST_H

#include "build/build.h"
#include "formats/xgboost.h"

/* XGBoost versions compare as integers. */
#define FTL_XGBOOST(major, minor) ((major) * 10000 + (minor) * 100)

/* How leaf values enter the sums. */
typedef struct ftl_xgb_sums {
    uint32_t n_outputs;
    uint32_t n_trees;   /* the first trees of the model that are used */
    const double *base; /* [n_outputs] margins, exact float32 */
    /* dart's weights are applied to base + leaf - base, as inplace_predict does it up to 3.3 */
    bool weigh_with_base;
} ftl_xgb_sums;

/*
 * The first trees as the IR has them, validated only as far as reading needs. *target: [n_trees]
 * output of each tree, NULL when every tree has values for all outputs.
 */
FTL_MUST_USE ftl_status ftl_xgb_tree_nodes(ftl_build *build, const ftl_xgb_model *model,
                                           const ftl_xgb_sums *sums, const ftl_tree_nodes **out,
                                           const uint32_t **target, ftl_error *error);

#endif
