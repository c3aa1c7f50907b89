#include "build/iterations.h"

ftl_status ftl_iterations_of(ftl_build *build, const ftl_estimator *e, uint32_t all, uint32_t own,
                             uint32_t *out, ftl_error *error)
{
    build->has_iterations = true;
    if (build->iterations == 0)
        *out = own;
    else if (build->iterations == FTL_ITERATIONS_ALL)
        *out = all;
    else if (build->iterations <= all)
        *out = build->iterations;
    else {
        ftl_status status = FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "iterations",
            "options.iterations is %u, but the %s has %u iteration%s", build->iterations,
            e->cls->name, all, all == 1 ? "" : "s");
        ftl_error_in(error, e->path);
        return status;
    }
    return FTL_OK;
}

const char *ftl_iterations_note(ftl_build *build, uint32_t all, uint32_t own)
{
    uint32_t used = build->iterations == 0                    ? own
                    : build->iterations == FTL_ITERATIONS_ALL ? all
                                                              : build->iterations;
    if (used >= all)
        return "";
    return ftl_arena_printf(build->arena, ", uses %u of %u iterations (%s)", used, all,
                            build->iterations ? "as asked" : "best_iteration");
}

ftl_status ftl_iterations_finish(const ftl_build *build, ftl_error *error)
{
    if (build->iterations == 0 || build->has_iterations)
        return FTL_OK;
    return FTL_FAIL_OPTION(
        error, FTL_ARG, FTL_REASON_BAD_OPTION, "iterations",
        "options.iterations is for models of XGBoost, LightGBM and CatBoost that "
        "consist of trees; there is none in this file");
}
