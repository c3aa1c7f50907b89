/* What a caller wants of a model beside what its estimators say: thresholds, names of classes. */
#ifndef FTL_BUILD_WISHES_H
#define FTL_BUILD_WISHES_H

#include "build/build.h"

/*
 * predict of a classifier of two classes, by its probability of the second one. ARG when the model
 * is no such classifier.
 */
FTL_MUST_USE ftl_status ftl_emit_threshold(ftl_build *build, const ftl_estimator *root,
                                           double threshold, const ftl_frame *in, ftl_frame *out,
                                           ftl_error *error);

/*
 * Whether predict of an estimator whose own gives scores is to give the class: asked by who can,
 * when predict is emitted.
 */
bool ftl_gives_class(ftl_build *build);

/*
 * The name of each class of number 0, 1 …; made by ftl_names_read from a LabelEncoder, a list or a
 * dict. numbers: [count] what cells[i] names.
 */
typedef struct ftl_class_names {
    ftl_labels labels; /* count and cells */
    const int64_t *numbers;
    bool only_if_fit; /* applies to classes 0 … count - 1 or not at all */
    uint32_t used;    /* tables of labels that were renamed */
} ftl_class_names;
FTL_MUST_USE ftl_status ftl_names_read(ftl_build *build, const ftl_build_wishes *wishes,
                                       ftl_class_names *out, ftl_error *error);
/* Puts the names in the place of numbers in a result, whose columns are replaced. */
FTL_MUST_USE ftl_status ftl_names_apply(ftl_build *build, ftl_class_names *names, ftl_frame *result,
                                        ftl_error *error);

#endif
