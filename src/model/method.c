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

/* ftl_known_name */
static const char *method_at(const void *unused, size_t i)
{
    (void)unused;
    return names[i];
}

ftl_status ftl_method_parse(const char *name, ftl_method *out, ftl_error *error)
{
    for (unsigned i = 0; name && i < FTL_METHOD_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (ftl_method)i;
            return FTL_OK;
        }
    }
    const char *near = ftl_name_nearest(name, method_at, NULL, FTL_METHOD_COUNT);
    if (near)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "method",
                               "unknown method '%s'; did you mean %s?", name, near);
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_UNKNOWN_METHOD, "method",
                           "unknown method '%s'; use predict, predict_proba, predict_log_proba, "
                           "decision_function, transform, "
                           "score_samples, apply, margin, kneighbors or inverse_transform",
                           name ? name : "");
}
