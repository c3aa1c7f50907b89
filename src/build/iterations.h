/* Which iterations of a booster predict uses: its own rule, or what the caller of the model chose.
 */
#ifndef FTL_BUILD_ITERATIONS_H
#define FTL_BUILD_ITERATIONS_H

#include "build/build.h"

/*
 * *out: the first iterations that predict uses, of the `all` that the booster has. own: as many as
 * the library that wrote it would use. ARG with the estimator's place when the caller of the model
 * asked for more than there are (options.iterations). Notes that the model has a booster.
 */
FTL_MUST_USE ftl_status ftl_iterations_of(ftl_build *build, const ftl_estimator *e, uint32_t all,
                                          uint32_t own, uint32_t *out, ftl_error *error);
/*
 * For inspect: ", uses 3 of 7 iterations (best_iteration)"; "" when all are used. NULL only when
 * out of memory.
 */
const char *ftl_iterations_note(ftl_build *build, uint32_t all, uint32_t own);
/* ARG when the caller chose iterations and nothing in the model has any. */
FTL_MUST_USE ftl_status ftl_iterations_finish(const ftl_build *build, ftl_error *error);

#endif
