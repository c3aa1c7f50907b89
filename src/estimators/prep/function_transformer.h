/* FunctionTransformer's inverse_transform, for what transforms targets. */
#ifndef FTL_ESTIMATORS_PREP_FUNCTION_TRANSFORMER_H
#define FTL_ESTIMATORS_PREP_FUNCTION_TRANSFORMER_H

#include "build/build.h"

/* *id: the matrix, then what inverse_func makes of it. */
FTL_MUST_USE ftl_status ftl_function_inverse(ftl_build *build, const ftl_estimator *e, uint32_t *id,
                                             ftl_error *error);

#endif
