/* Which file runs which kind of operation. */
#include "plan/plan.h"

extern const ftl_op_impl ftl_op_impl_input, ftl_op_impl_gather, ftl_op_impl_check, ftl_op_impl_linear, ftl_op_impl_link,
    ftl_op_impl_decide,
    ftl_op_impl_trees, ftl_op_impl_tree_apply;

const ftl_op_impl *const ftl_op_impls[FTL_OP_KIND_COUNT] = {
    [FTL_OP_INPUT] = &ftl_op_impl_input,
    [FTL_OP_GATHER] = &ftl_op_impl_gather,
    [FTL_OP_GATHER_OBJECT] = &ftl_op_impl_gather,
    [FTL_OP_CAST] = &ftl_op_impl_gather,
    [FTL_OP_CONSTANT] = &ftl_op_impl_gather,
    [FTL_OP_ADD] = &ftl_op_impl_gather,
    [FTL_OP_CHECK] = &ftl_op_impl_check,
    [FTL_OP_LINEAR] = &ftl_op_impl_linear,
    [FTL_OP_LINK] = &ftl_op_impl_link,
    [FTL_OP_DECIDE] = &ftl_op_impl_decide,
    [FTL_OP_TREES] = &ftl_op_impl_trees,
    [FTL_OP_TREE_APPLY] = &ftl_op_impl_tree_apply,
};
