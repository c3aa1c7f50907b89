/*
 * What one-hot and ordinal steps and domains of cells share: a table a column, and one source
 * column looked up at a time.
 */
#ifndef FTL_PLAN_OP_ENCODE_H
#define FTL_PLAN_OP_ENCODE_H

#include "plan/lookup.h"
#include "plan/plan.h"

/* One ftl_lookup a column in step->state; scratch for one column of a block. */
FTL_MUST_USE ftl_status ftl_encode_compile(ftl_plan *plan, ftl_step *step, ftl_error *error);
/* Keeps what they read of their columns besides (ftl_op_impl). */
void ftl_encode_keep(ftl_blob *blob, const ftl_step *step, ftl_op *op);
/*
 * The categories of column j (segment s, column c of it) for the rows of the block, or NOT_FOUND.
 * Valid until the next call. A row whose value is refused is to be marked with ftl_encode_refuse
 * before then: its message tells the value.
 */
const int32_t *ftl_encode_column_run(const ftl_step *step, ftl_exec *exec, uint32_t s, uint32_t c,
                                     uint32_t j);
/* The values that column was looked up by, in the same block: cells, or doubles. */
void *ftl_encode_values(const ftl_step *step, const ftl_exec *exec);
void ftl_encode_refuse(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t j);

#endif
