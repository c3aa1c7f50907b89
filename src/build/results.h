#ifndef FTL_BUILD_RESULTS_H
#define FTL_BUILD_RESULTS_H

#include "build/build.h"

/*
 * Names a method's result columns: prediction, probability_<class>, decision … as docs/CLI.md lists
 * them.
 */
FTL_MUST_USE ftl_status ftl_results_name(ftl_build *build, ftl_method method,
                                         const ftl_frame *frame, ftl_method_outputs *out,
                                         ftl_error *error);

#endif
