/* What operations on sparse matrices share. */
#ifndef FTL_PLAN_SPARSE_H
#define FTL_PLAN_SPARSE_H

#include "plan/plan.h"

/* Rows and columns of `in` become the step's; values are copied. False after ftl_exec_fail. */
bool ftl_sparse_copy(const ftl_step *step, ftl_exec *exec, const ftl_sparse *in);
/* One row of n entries in a matrix of so many columns divided by its norm; rows of norm 0 stay. */
void ftl_sparse_normalize(double *values, uint32_t n, uint32_t width, ftl_norm norm, bool is_f32);

/* The first entry of row i whose column is not below `column`. */
static inline uint32_t ftl_sparse_find(const ftl_sparse *in, uint32_t i, uint32_t column)
{
    uint32_t low = in->start[i], high = in->start[i + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (in->columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
