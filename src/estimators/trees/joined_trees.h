/*
 * Plain trees as the children of another ensemble than a forest: all of them become one TREES
 * operation, which passes a block of rows through an ensemble several times as fast as trees that
 * are steps of their own.
 */
#ifndef FTL_ESTIMATORS_TREES_JOINED_TREES_H
#define FTL_ESTIMATORS_TREES_JOINED_TREES_H

#include "estimators/meta/children.h"
#include "estimators/trees/tree_nodes.h"

/* A child, and what one of its leaves adds to the ensemble's sums: the user of ftl_leaf_fn. */
typedef struct ftl_tree_child {
    ftl_tree_targets targets;
    ftl_tree_view view;
    /* Classifiers: */
    uint32_t n_classes;    /* its own */
    const uint32_t *place; /* [n_classes] where each is among the ensemble's; no two are alike */
    double *probabilities; /* [n_classes] room */
    uint32_t width;        /* of the ensemble's leaves */
    double hit, miss;      /* votes: for the child's class and for every other one */
    double weight;         /* of probabilities */
} ftl_tree_child;

typedef struct ftl_tree_children {
    uint32_t n; /* 0: the children take steps of their own */
    ftl_tree_child *items;
    const ftl_estimator *first; /* the one that says what is wrong with a row */
    uint32_t refuse;            /* FTL_CHECK_ bits of every child */
} ftl_tree_children;

/*
 * The children as trees with one output each and the classes of `own`, weights and votes being 1
 * and 0; own is NULL for regressors, which have as many outputs as the first. out->n is 0 where one
 * is no plain tree of that kind, where they do not refuse the same rows, and where one's classes
 * are not among the ensemble's or so few that joining would waste memory.
 */
FTL_MUST_USE ftl_status ftl_tree_children_read(ftl_build *build, const ftl_children *children,
                                               const ftl_labels *own, ftl_encoding encoding,
                                               ftl_tree_children *out, ftl_error *error);

/*
 * What leaves add: the probabilities, each in the place of its class and weighted; the vote for the
 * largest of them; the first value of each output.
 */
ftl_leaf_fn ftl_child_probabilities, ftl_child_vote, ftl_child_means;

/* Trees first to first + n, with leaves of `width` numbers that `write` makes. */
FTL_MUST_USE ftl_status ftl_tree_children_join(ftl_build *build, const ftl_estimator *e,
                                               const ftl_tree_children *trees, uint32_t first,
                                               uint32_t n, ftl_leaf_fn *write, uint32_t width,
                                               ftl_tree_nodes **out, ftl_error *error);

#endif
