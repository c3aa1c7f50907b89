/* Searching a k-d tree or ball tree of scikit-learn: depth first, the nearer child first. */
#ifndef FTL_PLAN_POINT_TREE_H
#define FTL_PLAN_POINT_TREE_H

#include "plan/neighbor_heap.h"
#include "plan/point_metric.h"

typedef struct ftl_tree_search {
    const ftl_neighbors_op *op; /* the step's */
    ftl_point_metric metric;
    const uint64_t *leaf_at; /* [n_nodes] where the points of a leaf begin in packed */
    const double *packed;    /* the leaves' points, each leaf's as ftl_points has them */
    uint32_t most;           /* points of the largest leaf, rounded up to whole groups */
} ftl_tree_search;

/* out is part of a state piece. */
FTL_MUST_USE ftl_status ftl_tree_search_make(ftl_plan *plan, const ftl_neighbors_op *op, size_t n,
                                             ftl_tree_search *out, ftl_error *error);
/* Fills the heap with reduced distances, not sorted. room: [most] numbers. */
void ftl_tree_search_run(const ftl_tree_search *search, const double *x,
                         const ftl_neighbor_heap *heap, double *room);

#endif
