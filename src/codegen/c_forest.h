/*
 * An ensemble of trees as generated code has it. A row's values are first turned into codes, the
 * number of a column's thresholds below the value, so that what libraries do with missing values,
 * zeros and categories is decided once, and a node is a comparison of integers: a row whose code is
 * larger goes right. Leaves of a tree are numbered from left to right.
 */
#ifndef FTL_CODEGEN_C_FOREST_H
#define FTL_CODEGEN_C_FOREST_H

#include "codegen/c_code.h"

/* A column of codes. */
typedef struct ftl_c_column {
    uint32_t feature;
    bool zero_missing; /* |x| <= 1e-35f is missing, as NaN is */
    bool missing_right;
    /* thresholds: edges[start] to edges[start + count - 1], ascending and distinct */
    uint32_t start, count;
    /* a category: the code is 0 in the set, where it goes left, and 1 elsewhere */
    bool category, negative_missing, set_right;
    uint32_t set;
} ftl_c_column;

typedef struct ftl_c_forest {
    const ftl_tree_nodes *nodes;
    bool narrow; /* values are rounded to float32 first, and so are thresholds, downwards */
    uint32_t n_columns;
    ftl_c_column *columns; /* thresholds first, then categories */
    uint32_t n_numeric;    /* columns of thresholds */
    double *edges;
    uint32_t n_edges;
    uint32_t *column_of; /* [n_nodes] */
    uint32_t *code_of;   /* [n_nodes] */
    uint32_t *leaf_of; /* [n_nodes] its leaf, counted through all trees; of inner nodes the leftmost
                          leaf below */
    uint32_t *node_of; /* [n_leaves] */
    uint32_t *first_leaf; /* [n_trees + 1] */
    uint32_t n_leaves, most_leaves, most_codes;
} ftl_c_forest;

/* Everything lives in the arena. NOMEM; UNSUPPORTED where there are too many columns. */
FTL_MUST_USE ftl_status ftl_c_forest_make(ftl_c_code *code, const ftl_op *op,
                                          const ftl_tree_nodes *nodes, bool narrow,
                                          ftl_c_forest *out, ftl_error *error);

/*
 * The form for blocks of rows: a tree is a list of cuts (kernels/trees.h has their description).
 * Bytes a code and leaf: 1 or 2; 0: trees are too large for it.
 */
uint32_t ftl_c_forest_bytes(const ftl_c_forest *forest);

/*
 * The form for single rows where there are instructions for it: 64 trees pass their cuts together,
 * a byte each.
 */
bool ftl_c_forest_has_lanes(const ftl_c_forest *forest);
void ftl_c_forest_lanes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);

/*
 * Functions of c_trees.c. PREFIX_op<id>_codes(x, c): the codes of a row. PREFIX_op<id>_rows(x, n,
 * c): of a block, also by wide instructions where it returns true; and the call of the better one.
 */
void ftl_c_forest_codes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);
bool ftl_c_forest_block_codes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);
void ftl_c_forest_block_call(ftl_c_code *code, uint32_t id, bool wide);

/* Tables: of columns and thresholds, of nodes, and of cuts. */
void ftl_c_forest_columns(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);
void ftl_c_forest_nodes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);
void ftl_c_forest_cuts(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest);

#endif
