/* Sums and sorting in the order that numpy does them in, so that results agree to the bit. */
#ifndef FTL_BUILD_NUMPY_ORDER_H
#define FTL_BUILD_NUMPY_ORDER_H

#include "build/build.h"

/* Indices of n numbers without NaN in ascending order, equal ones in the order of their indices.
 * In scratch. */
FTL_MUST_USE ftl_status ftl_sorted_indices(ftl_build *build, const double *values, size_t n,
                                           uint32_t **out, ftl_error *error);
#endif
