/*
 * An ensemble packed for the kernels, and the rows of a block in the form that they read: what
 * TREES and TREE_APPLY share.
 *
 * Nodes take 8 bytes when rows are float32 and every tree is small enough, else 16. When the
 * source's rows have another type than the kernel wants, they are converted into scratch, and then
 * only the columns that some tree looks at.
 *
 * Ensembles of small trees have cuts (tree_cuts.h) as well, which blocks of many rows take, and
 * those of smaller ones masks (tree_masks.h), which rows that come alone take. Others walk.
 */
#ifndef FTL_PLAN_TREE_LAYOUT_H
#define FTL_PLAN_TREE_LAYOUT_H

#include "kernels/kernels.h"
#include "plan/plan.h"
#include "plan/tree_cuts.h"
#include "plan/tree_masks.h"

/* A record of the plan's blob. */
typedef struct ftl_tree_layout {
    bool wide;          /* 16-byte nodes and float64 rows */
    bool categorical;   /* nodes on categories, or that take zero for missing: the slow walk */
    bool source_f32;    /* type of the source's rows */
    bool convert;       /* rows go through scratch */
    bool narrow_first;  /* wide nodes, but the library rounds to float32 before it compares */
    uint32_t n_columns; /* of the source */
    uint32_t n_trees;
    const ftl_tree_walk *walks;            /* [n_trees] */
    const uint32_t *set_start, *set_words; /* the ensemble's */
    /* [n_trees] LEAF_ROW, LEAF_INDEX: row of values = bases[t] + number. NODE_ID: NULL */
    const uint32_t *bases;
    /* The ensemble's leaf values, for TREES; rounded where it sums float32. Else NULL */
    const double *values;
    const float *values_f32;
    uint32_t n_used;      /* columns that trees look at; convert: features count among these */
    const uint32_t *used; /* [n_used] */
    const ftl_cut_ensemble *cuts;   /* or NULL */
    const ftl_mask_ensemble *masks; /* or NULL; where there are cuts */
    uint32_t block;                 /* rows that pass all trees together */
    /*
     * Scratch: fixed bytes, then some for each row that passes the trees together: converted rows,
     * or codes and the numbers of leaves. Rows count in multiples of FTL_TREE_CODE_ROWS.
     */
    size_t room_fixed, room_per_row;
} ftl_tree_layout;

/* What a leaf's number is. */
typedef enum ftl_tree_payload {
    FTL_TREE_LEAF_ROW,
    FTL_TREE_NODE_ID,
    FTL_TREE_LEAF_INDEX
} ftl_tree_payload;

/* What to pack, for rows of a source as it is. */
typedef struct ftl_tree_request {
    const ftl_tree_nodes *nodes;
    const ftl_step *source;
    ftl_tree_input input;
    ftl_tree_payload payload;
    const ftl_trees_op *sums; /* LEAF_ROW: what sums leaf values, or NULL */
} ftl_tree_request;

/*
 * out: a cleared record of a state piece. LEAF_INDEX: the number counts from the tree's lowest row.
 */
FTL_MUST_USE ftl_status ftl_tree_layout_make(ftl_plan *plan, const ftl_tree_request *request,
                                             ftl_tree_layout *out, ftl_error *error);
/* The same as a piece of its own, which all steps with an equal request share. */
FTL_MUST_USE ftl_status ftl_tree_layout_share(ftl_plan *plan, const ftl_tree_request *request,
                                              const ftl_tree_layout **out, ftl_error *error);

/* The lowest row of values of a tree. */
uint32_t ftl_tree_lowest_row(const ftl_tree_nodes *nodes, uint32_t tree);

/* Whether blocks of many rows may come by columns: those are turned into codes. */
static inline bool ftl_tree_reads_columns(const ftl_tree_layout *layout)
{
    return layout->cuts != NULL;
}

/* Where the rows of a block lie. */
typedef struct ftl_tree_source {
    const void *matrix;
    size_t column_stride; /* elements between columns, each in one piece; 0: rows of n_columns */
} ftl_tree_source;

/* A run of rows ready for the kernels. */
typedef struct ftl_tree_rows {
    const ftl_kernels *kernels;
    const void *x;
    size_t stride; /* elements */
    uint32_t n;
    bool nan;
    /* Codes instead of x, or NULL; columns of code_stride bytes. Cuts leave leaves in numbers. */
    const void *codes;
    size_t code_stride;
    void *numbers;
} ftl_tree_rows;

/* Bytes of scratch for n rows, a multiple of 64. */
size_t ftl_tree_room_bytes(const ftl_tree_layout *layout, uint32_t n);
/* Notes in the step what scratch it wants: that, and a number of a leaf for each row. */
void ftl_tree_want_scratch(const ftl_tree_layout *layout, ftl_step *step);
/*
 * Rows [first, first + n) of the source; what is made of them goes to room. Columns only where the
 * layout reads them.
 */
ftl_tree_rows ftl_tree_rows_make(const ftl_tree_layout *layout, const ftl_kernels *kernels,
                                 const ftl_tree_source *source, uint32_t first, uint32_t n,
                                 void *room);
void ftl_tree_rows_walk(const ftl_tree_layout *layout, uint32_t tree, const ftl_tree_rows *rows,
                        uint32_t *leaf);
/*
 * Adds the values of the tree's leaves to sum[r * width + output], float where the op's sums are,
 * else double. False, and nothing done, where that takes the numbers of the leaves.
 */
bool ftl_tree_rows_add(const ftl_tree_layout *layout, uint32_t tree, const ftl_tree_rows *rows,
                       void *sum, uint32_t output, size_t width);
/*
 * True when single rows may go down all trees at once: ftl_tree_row_start readies one of them, and
 * ftl_tree_row_leaves gives its leaf in trees [first_tree, first_tree + n_trees).
 */
typedef struct ftl_tree_row {
    const void *x;
    bool coded;
    uint8_t codes[FTL_TREE_MASK_COLUMNS];
} ftl_tree_row;
bool ftl_tree_rows_are_plain(const ftl_tree_layout *layout, const ftl_tree_rows *rows);
void ftl_tree_row_start(const ftl_tree_layout *layout, const ftl_tree_rows *rows, uint32_t row,
                        ftl_tree_row *out);
void ftl_tree_row_leaves(const ftl_tree_layout *layout, const ftl_kernels *kernels,
                         const ftl_tree_row *row, uint32_t first_tree, uint32_t n_trees,
                         uint32_t *leaf);
/*
 * Adds the values of these leaves to sum, float where the op's sums are, else double; at target[t]
 * of it, or the first where target is NULL. leaf: room for n_trees. False, and nothing done, where
 * that takes the numbers of the leaves.
 */
bool ftl_tree_row_add(const ftl_tree_layout *layout, const ftl_kernels *kernels,
                      const ftl_tree_row *row, uint32_t first_tree, uint32_t n_trees,
                      uint32_t *leaf, const uint32_t *target, void *sum);

#endif
