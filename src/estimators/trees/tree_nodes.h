/*
 * scikit-learn's Tree objects → ftl_tree_nodes. Shared by the tree families.
 *
 * A Tree is Tree(n_features, n_classes[], n_outputs) with the state {max_depth, node_count, nodes,
 * values}: nodes is a structured array with left_child (-1: leaf), right_child, feature, threshold
 * and, from 1.3 on, missing_go_to_left; values has the shape (node_count, n_outputs, largest
 * n_classes) and holds class counts up to 1.3 and fractions from 1.4 on.
 */
#ifndef FTL_ESTIMATORS_TREES_TREE_NODES_H
#define FTL_ESTIMATORS_TREES_TREE_NODES_H

#include "build/build.h"
#include "pickle/load.h"

/* What is read of the nodes of trees in pickles: of forests, and of histogram gradient boosting. */
enum { FTL_TREE_PROJECTIONS = 2 };
extern const ftl_pickle_projection ftl_tree_projections[FTL_TREE_PROJECTIONS];

/* The arrays of ftl_tree_nodes while they are filled: one piece of memory. */
typedef struct ftl_tree_arrays {
    double *threshold;
    int32_t *feature, *left, *right, *leaf;
    uint8_t *flags;
} ftl_tree_arrays;
FTL_MUST_USE ftl_status ftl_tree_arrays_make(ftl_build *build, uint32_t n_nodes,
                                             ftl_tree_arrays *out, ftl_error *error);
static inline void ftl_tree_arrays_leaf(ftl_tree_arrays *to, uint32_t at, uint32_t row)
{
    to->threshold[at] = 0;
    to->feature[at] = to->left[at] = to->right[at] = 0;
    to->leaf[at] = (int32_t)row;
    to->flags[at] = FTL_NODE_LEAF;
}
static inline void ftl_tree_arrays_split(ftl_tree_arrays *to, uint32_t at, uint8_t flags,
                                         int64_t feature, int64_t left, int64_t right)
{
    to->feature[at] = (int32_t)feature;
    to->left[at] = (int32_t)left;
    to->right[at] = (int32_t)right;
    to->leaf[at] = -1;
    to->flags[at] = flags;
}
/* Fills the part of nodes that the arrays are. */
void ftl_tree_arrays_give(const ftl_tree_arrays *from, ftl_tree_nodes *nodes);

/*
 * UNSUPPORTED with the name of a part of a Tree object, or of a field of its nodes, that no
 * supported version has.
 */
FTL_MUST_USE ftl_status ftl_tree_expect_known(const ftl_node *tree, const char *path,
                                              ftl_error *error);

/* A Tree object, read in place. */
typedef struct ftl_tree_view {
    uint32_t n_nodes;
    uint32_t n_outputs, max_classes;
    int64_t max_depth; /* as the file says: for messages alone */
    const unsigned char *nodes;
    size_t stride;
    /* missing: NULL before 1.3 */
    const ftl_dtype_field *left, *right, *feature, *threshold, *missing;
    const double *values; /* [n_nodes or leaves][n_outputs][max_classes] */
    bool leaves_only;     /* values has a row a leaf, in their order */
    size_t n_values;      /* rows of values */
} ftl_tree_view;

/* Writes the values of a leaf, made of what the file has for it. */
typedef void ftl_leaf_fn(const void *user, const double *from, double *to);

typedef struct ftl_tree_leaves {
    ftl_leaf_fn *write;
    const void *user;
    size_t user_step; /* bytes from one tree's user to the next one's; 0: they share it */
    uint32_t width;   /* numbers per leaf */
    bool plain;       /* write changes nothing but the number of values per leaf */
} ftl_tree_leaves;

/* path names the estimator that owns tree_ (for messages). The tree must have n_outputs outputs. */
FTL_MUST_USE ftl_status ftl_tree_view_read(const ftl_node *estimator, const char *path,
                                           uint32_t n_outputs, ftl_tree_view *out,
                                           ftl_error *error);
/* One array of nodes for n trees, in the model's arena. */
FTL_MUST_USE ftl_status ftl_tree_views_join(ftl_build *build, const ftl_tree_view *views,
                                            uint32_t n, const ftl_tree_leaves *leaves,
                                            const char *path, ftl_tree_nodes **out,
                                            ftl_error *error);
/* The nodes that an earlier method of the estimator emitted (kind TREES or TREE_APPLY), or NULL. */
const ftl_tree_nodes *ftl_tree_nodes_emitted(const ftl_build *build, const ftl_estimator *e,
                                             ftl_op_kind kind);

/* What the trees of a classifier or regressor share. */
typedef struct ftl_tree_targets {
    bool classifier;
    uint32_t n_outputs;
    uint32_t width;       /* classifier: classes of all outputs together; regressor: n_outputs */
    uint32_t max_classes; /* filled from the trees */
    uint32_t *n_classes;  /* [n_outputs] classifier */
    const ftl_labels **labels; /* [n_outputs] classifier */
    int version;
} ftl_tree_targets;
FTL_MUST_USE ftl_status ftl_tree_targets_read(ftl_build *build, const ftl_estimator *e,
                                              bool classifier, ftl_tree_targets *out,
                                              ftl_error *error);
/* Reads the trees of estimators[0..n) and sets max_classes. */
FTL_MUST_USE ftl_status ftl_tree_targets_views(ftl_build *build, const ftl_estimator *e,
                                               ftl_tree_targets *targets,
                                               ftl_node *const *estimators, uint32_t n,
                                               ftl_tree_view **out, ftl_error *error);
/*
 * user: ftl_tree_targets. Probabilities as the version's predict_proba computes them; class
 * indices; the first value of each output.
 */
ftl_leaf_fn ftl_leaf_probabilities, ftl_leaf_classes, ftl_leaf_means;

/*
 * Results with a frame's columns assigned to targets and classes: probabilities of every target
 * side by side.
 */
FTL_MUST_USE ftl_status ftl_tree_result_proba(ftl_build *build, uint32_t op,
                                              const ftl_tree_targets *targets, ftl_frame *out,
                                              ftl_error *error);
/* predict_log_proba of trees and forests: the logarithm of predict_proba. */
FTL_MUST_USE ftl_status ftl_tree_emit_log(ftl_build *build, const ftl_estimator *e,
                                          const ftl_tree_targets *targets, const ftl_frame *in,
                                          ftl_frame *out, ftl_error *error);
/* One label column per target; columns[k] of op ids[k]. */
FTL_MUST_USE ftl_status ftl_tree_result_classes(ftl_build *build, const uint32_t *ids,
                                                const uint32_t *columns,
                                                const ftl_tree_targets *targets, ftl_frame *out,
                                                ftl_error *error);
/* Node ids: integers, or floats where the library's apply() yields floats. */
FTL_MUST_USE ftl_status ftl_tree_result_apply(ftl_build *build, uint32_t op, ftl_as as,
                                              ftl_frame *out, ftl_error *error);

/* Emits CHECK and TREES (float32 rows, float64 sums; divisor 1, no base) on the columns of in. */
FTL_MUST_USE ftl_status ftl_tree_emit_sum(ftl_build *build, const ftl_estimator *e,
                                          const ftl_frame *in, uint32_t refuse,
                                          const ftl_tree_nodes *nodes, uint32_t width, uint32_t *id,
                                          ftl_trees_op **op, ftl_error *error);
/* The same on the op `source` as it is. */
FTL_MUST_USE ftl_status ftl_tree_emit_on(ftl_build *build, const ftl_estimator *e, uint32_t source,
                                         const ftl_tree_nodes *nodes, uint32_t width, uint32_t *id,
                                         ftl_trees_op **op, ftl_error *error);
FTL_MUST_USE ftl_status ftl_tree_emit_apply(ftl_build *build, const ftl_estimator *e,
                                            const ftl_frame *in, uint32_t refuse,
                                            const ftl_tree_nodes *nodes, ftl_as as, ftl_frame *out,
                                            ftl_error *error);
/*
 * "100 trees, 12,345 nodes, depth 10, 3 classes" of estimators[0..n); "" when they cannot be read.
 */
const char *ftl_tree_detail(ftl_build *build, ftl_node *const *estimators, size_t n,
                            size_t n_classes);

/* depth < 0: unsaid; n_classes 0: a regressor. */
const char *ftl_tree_summary(ftl_build *build, size_t n_trees, uint64_t n_nodes, int64_t depth,
                             size_t n_classes);

/*
 * FTL_CHECK_ bits of trees on float32: NaN is refused too unless the estimator's version, splitter
 * and criterion take it.
 */
uint32_t ftl_tree_refusals(const ftl_estimator *e, bool extra_tree, bool classifier);

#endif
