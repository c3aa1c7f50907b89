/* XGBoost's boosters: what xgboost.c, xgboost_rows.c and xgboost_trees.c share. */
#ifndef FTL_ESTIMATORS_BOOSTERS_XGBOOST_H
#define FTL_ESTIMATORS_BOOSTERS_XGBOOST_H

#include "build/build.h"
#include "formats/xgboost.h"

/* XGBoost versions compare as integers. */
#define FTL_XGBOOST(major, minor) ((major) * 10000 + (minor) * 100)

typedef struct ftl_xgb_objective ftl_xgb_objective;

/* A Booster, or a wrapper and its Booster. */
typedef struct ftl_xgb {
    const ftl_estimator *e;
    ftl_estimator booster;
    bool wrapped;
    const ftl_xgb_model *model;
    const ftl_xgb_objective *objective;
    uint32_t n_outputs;
    uint32_t n_classes; /* classifier wrappers */
} ftl_xgb;

/*
 * in_place: predict without a DMatrix. What a sparse matrix does not store is missing, whatever
 * missing= says; that parameter is not looked at before 1.4, by columns before 2.0.
 */
FTL_MUST_USE ftl_status ftl_xgb_rows(ftl_build *build, const ftl_xgb *x, const ftl_frame *in,
                                     bool in_place, uint32_t *id, ftl_error *error);

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
