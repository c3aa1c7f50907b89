/*
 * The estimators that foretell runs: one line a family. Adding one is its file, its line here and
 * its fixtures.
 */
#include "estimators/families.h"

#include "estimators/trees/tree_nodes.h"

#include <pthread.h>

static const ftl_estimator_class *const families[] = {
    ftl_linear_regression_classes,
    ftl_linear_classifier_classes,
    ftl_logistic_classes,
    ftl_sgd_classes,
    ftl_dummy_classes,
    ftl_scaler_classes,
    ftl_encoder_classes,
    ftl_category_encoder_classes,
    ftl_imputer_classes,
    ftl_polynomial_classes,
    ftl_function_classes,
    ftl_label_classes,
    ftl_text_classes,
    ftl_dict_classes,
    ftl_pipeline_classes,
    ftl_column_transformer_classes,
    ftl_union_classes,
    ftl_mapper_classes,
    ftl_proxy_classes,
    ftl_domain_classes,
    ftl_pmml_classes,
    ftl_search_classes,
    ftl_tree_classes,
    ftl_forest_classes,
    ftl_target_classes,
    ftl_chain_classes,
    ftl_multiclass_classes,
    ftl_multioutput_classes,
    ftl_calibration_classes,
    ftl_isotonic_classes,
    ftl_isolation_classes,
    ftl_stacking_classes,
    ftl_adaboost_classes,
    ftl_voting_classes,
    ftl_bagging_classes,
    ftl_gradient_boosting_classes,
    ftl_hist_gradient_boosting_classes,
    ftl_lightgbm_classes,
    ftl_threshold_classes,
    ftl_discriminant_classes,
    ftl_centroid_classes,
    ftl_mixture_classes,
    ftl_power_classes,
    ftl_spline_classes,
    ftl_target_encoder_classes,
    ftl_missing_classes,
    ftl_knn_imputer_classes,
    ftl_iterative_classes,
    ftl_outlier_classes,
    ftl_naive_bayes_classes,
    ftl_decomposition_classes,
    ftl_topic_classes,
    ftl_cluster_classes,
    ftl_network_classes,
    ftl_discretize_classes,
    ftl_quantile_classes,
    ftl_label_binarizer_classes,
    ftl_svm_classes,
    ftl_neighbors_classes,
    ftl_selection_classes,
    ftl_xgboost_classes,
    ftl_catboost_classes,
    NULL,
};

static ftl_registry registry = {.families = families,
                                .projections = ftl_tree_projections,
                                .n_projections = FTL_TREE_PROJECTIONS};
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

static void index_registry(void)
{
    (void)ftl_registry_index(&registry); /* a unit test proves that all classes fit */
}

const ftl_registry *ftl_estimator_registry(void)
{
    pthread_once(&registry_once, index_registry);
    return &registry;
}
