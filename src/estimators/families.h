/* The registry of the estimators, and each family's table of classes. */
#ifndef FTL_ESTIMATORS_FAMILIES_H
#define FTL_ESTIMATORS_FAMILIES_H

#include "build/build.h"

/* All families, indexed at the first call. Thread-safe. */
const ftl_registry *ftl_estimator_registry(void);

/* The last entry of a table has no name. */
extern const ftl_estimator_class ftl_linear_regression_classes[];
extern const ftl_estimator_class ftl_linear_classifier_classes[];
extern const ftl_estimator_class ftl_logistic_classes[];
extern const ftl_estimator_class ftl_sgd_classes[];
extern const ftl_estimator_class ftl_dummy_classes[];
extern const ftl_estimator_class ftl_scaler_classes[];
extern const ftl_estimator_class ftl_encoder_classes[];
extern const ftl_estimator_class ftl_category_encoder_classes[];
extern const ftl_estimator_class ftl_imputer_classes[];
extern const ftl_estimator_class ftl_polynomial_classes[];
extern const ftl_estimator_class ftl_function_classes[];
extern const ftl_estimator_class ftl_label_classes[];
extern const ftl_estimator_class ftl_text_classes[];
extern const ftl_estimator_class ftl_dict_classes[];
extern const ftl_estimator_class ftl_pipeline_classes[];
extern const ftl_estimator_class ftl_column_transformer_classes[];
extern const ftl_estimator_class ftl_union_classes[];
extern const ftl_estimator_class ftl_mapper_classes[];
extern const ftl_estimator_class ftl_proxy_classes[];
extern const ftl_estimator_class ftl_domain_classes[];
extern const ftl_estimator_class ftl_pmml_classes[];
extern const ftl_estimator_class ftl_search_classes[];
extern const ftl_estimator_class ftl_tree_classes[];
extern const ftl_estimator_class ftl_forest_classes[];
extern const ftl_estimator_class ftl_target_classes[];
extern const ftl_estimator_class ftl_chain_classes[];
extern const ftl_estimator_class ftl_multiclass_classes[];
extern const ftl_estimator_class ftl_multioutput_classes[];
extern const ftl_estimator_class ftl_calibration_classes[];
extern const ftl_estimator_class ftl_isotonic_classes[];
extern const ftl_estimator_class ftl_isolation_classes[];
extern const ftl_estimator_class ftl_stacking_classes[];
extern const ftl_estimator_class ftl_adaboost_classes[];
extern const ftl_estimator_class ftl_voting_classes[];
extern const ftl_estimator_class ftl_bagging_classes[];
extern const ftl_estimator_class ftl_gradient_boosting_classes[];
extern const ftl_estimator_class ftl_hist_gradient_boosting_classes[];
extern const ftl_estimator_class ftl_lightgbm_classes[];
extern const ftl_estimator_class ftl_threshold_classes[];
extern const ftl_estimator_class ftl_discriminant_classes[];
extern const ftl_estimator_class ftl_centroid_classes[];
extern const ftl_estimator_class ftl_mixture_classes[];
extern const ftl_estimator_class ftl_power_classes[];
extern const ftl_estimator_class ftl_spline_classes[];
extern const ftl_estimator_class ftl_target_encoder_classes[];
extern const ftl_estimator_class ftl_missing_classes[];
extern const ftl_estimator_class ftl_knn_imputer_classes[];
extern const ftl_estimator_class ftl_iterative_classes[];
extern const ftl_estimator_class ftl_outlier_classes[];
extern const ftl_estimator_class ftl_naive_bayes_classes[];
extern const ftl_estimator_class ftl_decomposition_classes[];
extern const ftl_estimator_class ftl_topic_classes[];
extern const ftl_estimator_class ftl_cluster_classes[];
extern const ftl_estimator_class ftl_network_classes[];
extern const ftl_estimator_class ftl_discretize_classes[];
extern const ftl_estimator_class ftl_quantile_classes[];
extern const ftl_estimator_class ftl_label_binarizer_classes[];
extern const ftl_estimator_class ftl_svm_classes[];
extern const ftl_estimator_class ftl_neighbors_classes[];
extern const ftl_estimator_class ftl_selection_classes[];
extern const ftl_estimator_class ftl_xgboost_classes[];
extern const ftl_estimator_class ftl_catboost_classes[];

#endif
