/*
 * What estimators made of other estimators share: reaching the children, matching their classes
 * with the parent's, and adding up what they say.
 */
#ifndef FTL_ESTIMATORS_META_CHILDREN_H
#define FTL_ESTIMATORS_META_CHILDREN_H

#include "build/build.h"

typedef struct ftl_children {
    ftl_estimator *items;
    uint32_t n;
} ftl_children;

/* estimators_ (a list or an object array) as estimators; read once and remembered. At least one. */
FTL_MUST_USE ftl_status ftl_children_read(ftl_build *build, const ftl_estimator *e,
                                          const char *attribute, ftl_children *out,
                                          ftl_error *error);
/* Methods of the first child; 0 when it cannot be read. */
uint32_t ftl_children_methods(ftl_build *build, const ftl_estimator *e, const char *attribute);
/*
 * The scores that a parent asks a classifier for: its decision_function, or its probabilities when
 * it has none. Which methods there are is what the child's class says of this child
 * (ftl_estimator_methods): by the versions of the libraries that wrote it, its parameters, and its
 * own children.
 */
ftl_method ftl_child_scores(ftl_build *build, const ftl_estimator *child);
/* ftl_emit for a method that the child may lack: UNSUPPORTED then. */
FTL_MUST_USE ftl_status ftl_child_emit(ftl_build *build, const ftl_estimator *child,
                                       ftl_method method, const ftl_frame *in, ftl_frame *out,
                                       ftl_error *error);
/*
 * Completes what an estimator says of its inputs by what its child says, which takes them as they
 * are: boosters keep names of columns that scikit-learn's parents do not know to ask for.
 */
FTL_MUST_USE ftl_status ftl_inputs_with_child(ftl_build *build, const ftl_estimator *child,
                                              ftl_inputs *out, ftl_error *error);
/* inputs(): what the estimator itself says, and its first child in estimators_. */
FTL_MUST_USE ftl_status ftl_ensemble_inputs(ftl_build *build, const ftl_estimator *e,
                                            ftl_inputs *out, ftl_error *error);
/* What the estimator's own attributes say; count -1 when nothing. */
FTL_MUST_USE ftl_status ftl_own_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                       ftl_error *error);
/* "10 estimators of DecisionTreeClassifier". */
const char *ftl_ensemble_detail(ftl_build *build, const ftl_estimator *e);

/* classes_ as labels, errors with the attribute's path. */
FTL_MUST_USE ftl_status ftl_own_labels(ftl_build *build, const ftl_estimator *e,
                                       const ftl_labels **out, ftl_error *error);
/* What a child was fitted on: the parent's labels themselves, or their indices 0, 1 … */
typedef enum ftl_encoding { FTL_LABELS_PLAIN, FTL_LABELS_ENCODED } ftl_encoding;
/* The place of a child's class among the parent's; FTL_VOTE_NONE when it is none. */
uint32_t ftl_class_index(const ftl_labels *own, ftl_encoding encoding, const ftl_cell *cell);

/* Results side by side while they are collected. */
typedef struct ftl_parts {
    ftl_frame frame; /* all columns */
    uint32_t room;
} ftl_parts;
FTL_MUST_USE ftl_status ftl_parts_add(ftl_build *build, const ftl_frame *result, ftl_parts *parts,
                                      ftl_error *error);

/* Probabilities or other scores of children, a column a class, added up per class of `own`. */
typedef struct ftl_sum {
    ftl_combine rule;
    ftl_encoding encoding;
    const double *weights; /* [children] or NULL */
    double divisor;
    ftl_dtype_rule dtype;
} ftl_sum;
/* results: [n], one a child. Fails when a child knows a class that the parent lacks. */
FTL_MUST_USE ftl_status ftl_emit_sum(ftl_build *build, const ftl_estimator *e,
                                     const ftl_frame *results, uint32_t n, const ftl_labels *own,
                                     const ftl_sum *how, uint32_t *id, ftl_error *error);
/* The same for results whose columns have no classes: column k of each is added to column k. */
FTL_MUST_USE ftl_status ftl_emit_plain_sum(ftl_build *build, const ftl_estimator *e,
                                           const ftl_frame *results, uint32_t n, const ftl_sum *how,
                                           uint32_t *id, ftl_error *error);
/* One label column a child; hit, miss: [n], miss may be NULL. */
FTL_MUST_USE ftl_status ftl_emit_vote(ftl_build *build, const ftl_estimator *e,
                                      const ftl_frame *results, uint32_t n, const ftl_labels *own,
                                      ftl_encoding encoding, const double *hit, const double *miss,
                                      double divisor, uint32_t *id, ftl_error *error);

/* predict: the largest of the estimator's own scores of classes (predict_proba …). */
FTL_MUST_USE ftl_status ftl_predict_largest(ftl_build *build, const ftl_estimator *e,
                                            ftl_method scores, const ftl_frame *in, ftl_frame *out,
                                            ftl_error *error);
/* Labels in place of class indices: the frame as numbers (text labels are refused). */
FTL_MUST_USE ftl_status ftl_label_values(ftl_build *build, const ftl_estimator *e,
                                         const ftl_frame *in, ftl_frame *out, ftl_error *error);
/* The table of labels with each cell replaced by the parent's class of that index. */
FTL_MUST_USE ftl_status ftl_decode_labels(ftl_build *build, const ftl_estimator *e,
                                          const ftl_labels *encoded, const ftl_labels *own,
                                          const ftl_labels **out, ftl_error *error);
/*
 * check_array of a parent: refuses NaN and infinity, then the same columns of one matrix; those of
 * a sparse frame stay in theirs.
 */
FTL_MUST_USE ftl_status ftl_frame_checked(ftl_build *build, const ftl_estimator *e, uint32_t refuse,
                                          const ftl_frame *in, ftl_frame *out, ftl_error *error);

#endif
