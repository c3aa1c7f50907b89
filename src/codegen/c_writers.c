/* Which operations stand-alone code has. */
#include "codegen/c_code.h"

static const ftl_c_writer *const writers[FTL_OP_KIND_COUNT] = {
    [FTL_OP_GATHER] = &ftl_c_gather,
    [FTL_OP_GATHER_OBJECT] = &ftl_c_gather_object,
    [FTL_OP_CAST] = &ftl_c_cast,
    [FTL_OP_CHECK] = &ftl_c_check,
    [FTL_OP_AFFINE] = &ftl_c_affine,
    [FTL_OP_NORMALIZE] = &ftl_c_normalize,
    [FTL_OP_IMPUTE] = &ftl_c_impute,
    [FTL_OP_POLYNOMIAL] = &ftl_c_polynomial,
    [FTL_OP_LINEAR] = &ftl_c_linear,
    [FTL_OP_TREES] = &ftl_c_trees,
    [FTL_OP_TREE_APPLY] = &ftl_c_tree_apply,
    [FTL_OP_LINK] = &ftl_c_link,
    [FTL_OP_DECIDE] = &ftl_c_decide,
    [FTL_OP_CONSTANT] = &ftl_c_constant,
    [FTL_OP_ADD] = &ftl_c_add,
    [FTL_OP_GAUSSIAN] = &ftl_c_gaussian,
    [FTL_OP_BINARIZE] = &ftl_c_binarize,
    [FTL_OP_BINS] = &ftl_c_bins,
    [FTL_OP_MATCH] = &ftl_c_match,
    [FTL_OP_FILL] = &ftl_c_fill,
};

const ftl_c_writer *ftl_c_writer_of(const ftl_op *op) { return writers[op->kind]; }
