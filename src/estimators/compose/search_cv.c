/*
 * GridSearchCV, RandomizedSearchCV and the halving searches of sklearn.model_selection: what
 * best_estimator_ says.
 */
#include "build/transformer.h"

static ftl_status best(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                       ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "best_estimator_");
    if (ftl_node_is_none(node))
        return FTL_ATTR_FAIL(error, e, "best_estimator_", FTL_UNSUPPORTED,
                             "the search kept no estimator (refit=False, or it was not fitted); "
                             "search with refit=True");
    return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "best_estimator_"), out,
                            error);
}

static uint32_t search_methods(ftl_build *build, const ftl_estimator *e)
{
    ftl_estimator child;
    if (best(build, e, &child, NULL) != FTL_OK)
        return 1u << FTL_PREDICT; /* asking for it tells why not */
    uint32_t methods = ftl_estimator_methods(build, &child) & ~(1u << FTL_APPLY);
    return e->version && e->version < FTL_SKLEARN(0, 24) ? methods & ~(1u << FTL_SCORE_SAMPLES)
                                                         : methods;
}

static ftl_status emit_search(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(best(build, e, &child, error));
    return ftl_emit(build, &child, method, in, out, error);
}

static ftl_status search_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(best(build, e, &child, error));
    return ftl_estimator_inputs(build, &child, out, error);
}

static ftl_status invert_search(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    ftl_estimator child;
    FTL_TRY(best(build, e, &child, error));
    return ftl_emit_inverse(build, &child, in, out, error);
}

#define SEARCH(name_)                      \
    {.package = "sklearn.model_selection", \
     .name = (name_),                      \
     .kind = FTL_OTHER_MODEL,              \
     .methods = search_methods,            \
     .emit = emit_search,                  \
     .inputs = search_inputs,              \
     .answers = best,                      \
     .inverse = invert_search}
const ftl_estimator_class ftl_search_classes[] = {
    SEARCH("GridSearchCV"),
    SEARCH("RandomizedSearchCV"),
    SEARCH("HalvingGridSearchCV"),
    SEARCH("HalvingRandomSearchCV"),
    {0},
};
