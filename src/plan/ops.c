/* Which file runs which kind of operation: op_<name>.c, by the names of model/ops/ops.def. */
#include "plan/plan.h"

#define OP(kind, name, parameters, reads, yields, width, dtype, traits, check) \
    extern const ftl_op_impl ftl_op_impl_##name;
#include "model/ops/ops.def"
#undef OP

const ftl_op_impl *const ftl_op_impls[FTL_OP_KIND_COUNT] = {
#define OP(kind, name, parameters, reads, yields, width, dtype, traits, check) \
    [FTL_OP_##kind] = &ftl_op_impl_##name,
#include "model/ops/ops.def"
#undef OP
};
