/* Sums in the order of numpy. */
#ifndef FTL_BASE_PAIRWISE_H
#define FTL_BASE_PAIRWISE_H

#include <stdbool.h>
#include <stddef.h>

/* numpy's sum of a contiguous array, of float32 in float32 when narrow. */
double ftl_pairwise_sum(const double *values, size_t n, bool narrow);

#endif
