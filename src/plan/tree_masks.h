/*
 * An ensemble of trees of at most 32 leaves in the form that a single row passes without steps
 * (ftl_tree_mask of kernels/trees.h), beside the nodes that walks use. It is made from the cuts
 * (tree_cuts.h): a node's code and the leaves below its left child are a cut's.
 *
 * For rows without missing values: then a feature has one code, however its nodes treat those.
 */
#ifndef FTL_PLAN_TREE_MASKS_H
#define FTL_PLAN_TREE_MASKS_H

#include "kernels/kernels.h"
#include "plan/plan.h"
#include "plan/tree_cuts.h"

typedef struct ftl_mask_column {
    uint32_t feature;  /* column of the rows */
    uint32_t steps;    /* of the search */
    const void *edges; /* as ftl_code_column has them */
} ftl_mask_column;

/* A record of the plan's blob. */
typedef struct ftl_mask_ensemble {
    bool wide; /* rows are float64 */
    uint32_t n_columns;
    const ftl_mask_column *columns;
    const ftl_tree_mask *trees;
} ftl_mask_ensemble;

/*
 * *out is NULL when walking is better, or the trees or columns are too many for a mask.
 * steps_of_walk: of a row through all trees, about.
 */
FTL_MUST_USE ftl_status ftl_tree_masks_make(ftl_plan *plan, const ftl_cut_ensemble *cuts,
                                            uint32_t n_trees, uint64_t steps_of_walk,
                                            const ftl_mask_ensemble **out, ftl_error *error);

/* Codes of one row, float or double as the ensemble's are. */
void ftl_tree_masks_code(const ftl_mask_ensemble *masks, const void *x,
                         uint8_t codes[FTL_TREE_MASK_COLUMNS]);

#endif
