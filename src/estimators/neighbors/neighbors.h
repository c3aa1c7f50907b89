/* The fitted points of a neighbours estimator, and what finds the nearest of them. */
#ifndef FTL_ESTIMATORS_NEIGHBORS_NEIGHBORS_H
#define FTL_ESTIMATORS_NEIGHBORS_NEIGHBORS_H

#include "build/build.h"

typedef struct ftl_neighbors_model {
    ftl_neighbors_op op;
    size_t n_features;
    bool by_distance;
    bool unit_rows; /* cosine: rows are divided by their norms first, as the points are */
} ftl_neighbors_model;

/*
 * k_name: the attribute that says how many neighbors. sparse_rows: what reaches the estimator is a
 * scipy matrix in the library.
 */
FTL_MUST_USE ftl_status ftl_neighbors_read(ftl_build *build, const ftl_estimator *e,
                                           const char *k_name, bool sparse_rows,
                                           ftl_neighbors_model *out, ftl_error *error);
/* A NEIGHBORS op on the frame. */
FTL_MUST_USE ftl_status ftl_neighbors_emit(ftl_build *build, const ftl_estimator *e,
                                           const char *k_name, const ftl_frame *in, uint32_t *id,
                                           ftl_error *error);
/* kneighbors: its columns, named. */
FTL_MUST_USE ftl_status ftl_kneighbors_emit(ftl_build *build, const ftl_estimator *e,
                                            const ftl_frame *in, ftl_frame *out, ftl_error *error);
/* The pickled KDTree or BallTree of _tree; fills op->tree and op->points. */
FTL_MUST_USE ftl_status ftl_point_tree_read(ftl_build *build, const ftl_estimator *e,
                                            size_t n_features, ftl_neighbors_op *op,
                                            ftl_error *error);

#endif
