/* What every linear estimator shares: reading coef_ and intercept_, the scores, and how a
 * classifier decides on them. */
#ifndef FTL_ESTIMATORS_LINEAR_LINEAR_MODEL_H
#define FTL_ESTIMATORS_LINEAR_LINEAR_MODEL_H

#include "build/build.h"

typedef struct ftl_linear_params {
    uint32_t n_out;
    size_t n_features;
    const double *coef;      /* [n_out][n_features] */
    const double *intercept; /* [n_out], or NULL for none */
    bool is_f32;             /* float32 rows give float32 scores */
} ftl_linear_params;

/* coef_ (1-d: one output; sparse too) and intercept_ (a number or one per output). */
FTL_MUST_USE ftl_status ftl_linear_read(ftl_build *build, const ftl_estimator *e,
                                        ftl_linear_params *out, ftl_error *error);
/* coef_ alone, intercept NULL. */
FTL_MUST_USE ftl_status ftl_linear_read_coef(ftl_build *build, const ftl_estimator *e,
                                             ftl_linear_params *out, ftl_error *error);
/* The frame with all columns that are not coded taken from one matrix, checked for what is in
   refuse (FTL_CHECK_ bits). */
FTL_MUST_USE ftl_status ftl_linear_sources(ftl_build *build, const ftl_estimator *e,
                                           const ftl_frame *in, uint32_t refuse, ftl_frame *out,
                                           ftl_error *error);
/* The scores of the frame as a LINEAR op. Missing and infinite values are refused, as check_array
   does; columns of one-hot encodings stay coded. */
FTL_MUST_USE ftl_status ftl_linear_scores(ftl_build *build, const ftl_estimator *e,
                                          const ftl_frame *in, const ftl_linear_params *params,
                                          uint32_t *id, ftl_error *error);

/* A LINK or DECIDE op on a whole matrix. */
FTL_MUST_USE ftl_status ftl_emit_link(ftl_build *build, const ftl_estimator *e, ftl_link link,
                                      uint32_t source, uint32_t width, uint32_t *id,
                                      ftl_error *error);
FTL_MUST_USE ftl_status ftl_emit_decide(ftl_build *build, const ftl_estimator *e, ftl_decide rule,
                                        uint32_t source, uint32_t width, uint32_t *id,
                                        ftl_error *error);

/* One elementwise step on a whole matrix, in its own float type; vector: one number a column. */
FTL_MUST_USE ftl_status ftl_emit_affine(ftl_build *build, const ftl_estimator *e,
                                        ftl_affine_step_kind kind, const double *vector,
                                        uint32_t *id, ftl_error *error);
/* The frame minus a mean a column, NaN and infinity refused: float64 unless the rows and the mean
   are float32. */
FTL_MUST_USE ftl_status ftl_linear_centred(ftl_build *build, const ftl_estimator *e,
                                           const ftl_frame *in, const double *mean,
                                           bool mean_is_f32, ftl_frame *out, ftl_error *error);

/* prior + (norm - half the sum of the squares of a whole matrix), in numpy's pairwise order: one
   column. */
FTL_MUST_USE ftl_status ftl_emit_squares(ftl_build *build, const ftl_estimator *e, uint32_t source,
                                         double norm, double prior, uint32_t *id, ftl_error *error);

/* ---- Classifiers (scikit-learn's LinearClassifierMixin) -------------------------------------- */

/* decision_function: one score for two classes, else one per class. */
FTL_MUST_USE ftl_status ftl_linear_decision(ftl_build *build, const ftl_estimator *e,
                                            const ftl_node *classes, const ftl_frame *in,
                                            ftl_frame *out, ftl_error *error);
/* predict, on the estimator's own decision_function. */
FTL_MUST_USE ftl_status ftl_linear_predict(ftl_build *build, const ftl_estimator *e,
                                           const ftl_frame *in, ftl_frame *out, ftl_error *error);
/* predict_proba: the estimator's decision_function through `pair` for two classes, else through
 * `several`. */
FTL_MUST_USE ftl_status ftl_linear_proba(ftl_build *build, const ftl_estimator *e, ftl_link pair,
                                         ftl_link several, const ftl_frame *in, ftl_frame *out,
                                         ftl_error *error);
/* predict_log_proba: the logarithm of the estimator's predict_proba. */
FTL_MUST_USE ftl_status ftl_log_proba(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                      ftl_frame *out, ftl_error *error);
/* decision_function, predict_proba and predict_log_proba of a classifier whose margin, within the
   builder, is a score of each class; of two classes decision_function is the difference. */
FTL_MUST_USE ftl_status ftl_emit_from_scores(ftl_build *build, const ftl_estimator *e,
                                             ftl_method method, const ftl_frame *in, ftl_frame *out,
                                             ftl_error *error);
/* The link of _predict_proba_lr for several classes. */
ftl_link ftl_linear_ovr_link(const ftl_estimator *e);

/* "10 features, 3 classes". */
const char *ftl_linear_detail(ftl_build *build, const ftl_estimator *e);

#endif
