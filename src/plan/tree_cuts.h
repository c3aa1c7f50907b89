/*
 * An ensemble of small trees in the form of cuts (kernels/trees.h), beside the nodes that walks
 * use, and the codes of a block of rows.
 *
 * A column of codes belongs to a feature and a way of treating missing values: they get the lowest
 * code where they go left and one above all where they go right, so a feature that has both kinds
 * of nodes has two columns. Categorical features have columns of categories.
 */
#ifndef FTL_PLAN_TREE_CUTS_H
#define FTL_PLAN_TREE_CUTS_H

#include "kernels/kernels.h"
#include "plan/plan.h"

typedef struct ftl_code_column {
    uint32_t feature; /* column of the rows */
    bool category;
    bool negative_missing; /* categories */
    double zero;           /* |x| up to here is missing; below 0: no */
    uint32_t missing;      /* code of missing values */
    /* Thresholds: */
    bool twin;         /* differs from the column before only where rows are missing */
    uint32_t steps;    /* of the search */
    const void *edges; /* 2^steps - 1 float or double, as the rows are, in a search's order */
    /* Categories: codes up to here; then comes what is in no category */
    uint32_t n_categories;
} ftl_code_column;

typedef struct ftl_cut_tree {
    ftl_tree_cuts cuts;
    const uint32_t *numbers; /* of leaves from left to right: what a walk would have found */
    const void *values;      /* the same: leaf values, double or float; NULL: a leaf has several */
} ftl_cut_tree;

typedef struct ftl_cut_ensemble {
    bool two_bytes, wide; /* wide: rows are float64 */
    bool values_f32;
    ftl_tree_category_rule category_rule;
    uint32_t n_columns;
    const ftl_code_column *columns;
    const ftl_cut_tree *trees; /* [n_trees] */
} ftl_cut_ensemble;

typedef struct ftl_cut_request {
    const ftl_tree_nodes *nodes;
    const uint32_t *rank; /* feature → column of the rows; NULL: itself */
    uint32_t n_features;
    bool wide;
    bool with_values, values_f32; /* f32: rounded */
    ftl_tree_category_rule category_rule;
    bool node_ids;          /* a leaf's number is its node's id, else a row of values */
    const uint32_t *bases;  /* [n_trees] what is subtracted from it, or NULL */
    uint64_t steps_of_walk; /* of a row through all trees, about */
} ftl_cut_request;

/*
 * *out is NULL when walking is better: large trees, more distinct thresholds than codes, or few
 * trees over many features. It is a piece of the plan's blob.
 */
ftl_status ftl_tree_cuts_make(ftl_plan *plan, const ftl_cut_request *request,
                              const ftl_cut_ensemble **out, ftl_error *error);

static inline const ftl_tree_cut_kernels *ftl_tree_cuts_kernels(const ftl_cut_ensemble *cuts,
                                                                const ftl_kernels *kernels)
{
    return cuts->two_bytes ? &kernels->trees.codes16 : &kernels->trees.codes8;
}

/* Values of rows, float or double: elements between rows, and between columns. */
typedef struct ftl_cut_rows {
    const void *x;
    size_t row_stride, column_stride;
} ftl_cut_rows;

/*
 * Codes of up to FTL_TREE_CODE_ROWS rows from row `first` of the block, a multiple of it. codes:
 * columns of `stride` bytes each.
 */
void ftl_tree_cuts_code(const ftl_cut_ensemble *cuts, const ftl_tree_cut_kernels *kernels,
                        const ftl_cut_rows *x, uint32_t rows, uint32_t first, void *codes,
                        size_t stride);

/* Bytes of a code. */
static inline size_t ftl_tree_cuts_size(const ftl_cut_ensemble *cuts)
{
    return cuts->two_bytes ? 2 : 1;
}

#endif
