/* What operations on sparse matrices share. */
#ifndef FTL_PLAN_SPARSE_H
#define FTL_PLAN_SPARSE_H

#include "plan/plan.h"

/* Rows and columns of `in` become the step's; values are copied. False after ftl_exec_fail. */
bool ftl_sparse_copy(const ftl_step *step, ftl_exec *exec, const ftl_sparse *in);
/* One row of n entries in a matrix of so many columns divided by its norm; rows of norm 0 stay. */
void ftl_sparse_normalize(double *values, uint32_t n, uint32_t width, ftl_norm norm, bool is_f32);

#endif
