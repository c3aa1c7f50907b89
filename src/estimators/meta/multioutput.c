/* MultiOutputClassifier and MultiOutputRegressor: a model a target, side by side. */
#include "estimators/families.h"
#include "estimators/meta/children.h"

static uint32_t multi_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_children children;
    uint32_t methods = 1u << FTL_PREDICT;
    if (e->cls->kind != FTL_CLASSIFIER ||
        ftl_children_read(build, e, "estimators_", &children, NULL) != FTL_OK)
        return methods;
    uint32_t all = 1u << FTL_PREDICT_PROBA;
    for (uint32_t i = 0; i < children.n; i++)
        all &= ftl_estimator_methods(build, &children.items[i]);
    return methods | all;
}

static ftl_status multi_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_children children;
    ftl_parts parts = {0};
    FTL_TRY(ftl_children_read(build, e, "estimators_", &children, error));
    for (uint32_t i = 0; i < children.n; i++) {
        ftl_frame made;
        uint32_t first = parts.frame.n_columns;
        FTL_TRY(ftl_child_emit(build, &children.items[i], method, in, &made, error));
        FTL_TRY(ftl_parts_add(build, &made, &parts, error));
        for (uint32_t k = first; k < parts.frame.n_columns; k++)
            parts.frame.columns[k].target = i;
    }
    *out = parts.frame;
    out->n_targets = children.n;
    out->matrix = true;
    return FTL_OK;
}

#define MULTI(name_, kind_)            \
    {.package = "sklearn.multioutput", \
     .name = (name_),                  \
     .kind = (kind_),                  \
     .methods = multi_methods,         \
     .emit = multi_emit,               \
     .inputs = ftl_ensemble_inputs,    \
     .detail = ftl_ensemble_detail}
const ftl_estimator_class ftl_multioutput_classes[] = {
    MULTI("MultiOutputClassifier", FTL_CLASSIFIER),
    MULTI("MultiOutputRegressor", FTL_REGRESSOR),
    {0},
};
