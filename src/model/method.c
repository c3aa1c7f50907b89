#include "base/status.h"
#include "foretell/experimental.h"

#include <string.h>

static const char *const names[FTL_METHOD_COUNT] = {"predict",
                                                    "predict_proba",
                                                    "predict_log_proba",
                                                    "decision_function",
                                                    "transform",
                                                    "score_samples",
                                                    "apply",
                                                    "margin",
                                                    "kneighbors",
                                                    "inverse_transform"};

const char *ftl_method_name(ftl_method method)
{
    return (unsigned)method < FTL_METHOD_COUNT ? names[method] : NULL;
}

/* The method that a word may be meant by; NULL: none. */
static const char *nearest(const char *name)
{
    size_t best = SIZE_MAX;
    const char *found = NULL;
    for (unsigned i = 0; i < FTL_METHOD_COUNT; i++) {
        size_t distance = ftl_name_distance(name, names[i]);
        if (distance < best) {
            best = distance;
            found = names[i];
        }
    }
    return found;
}

ftl_status ftl_method_parse(const char *name, ftl_method *out, ftl_error *error)
{
    for (unsigned i = 0; name && i < FTL_METHOD_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (ftl_method)i;
            return FTL_OK;
        }
    }
    const char *near = name ? nearest(name) : NULL;
    if (near)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "method",
                               "unknown method '%s'; did you mean %s?", name, near);
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "method",
                           "unknown method '%s'; use predict, predict_proba, predict_log_proba, "
                           "decision_function, transform, "
                           "score_samples, apply, margin, kneighbors or inverse_transform",
                           name ? name : "");
}
