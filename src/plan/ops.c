/* Which file runs which kind of operation. */
#include "plan/plan.h"

extern const ftl_op_impl ftl_op_impl_input, ftl_op_impl_gather, ftl_op_impl_check,
    ftl_op_impl_linear, ftl_op_impl_link, ftl_op_impl_decide;
extern const ftl_op_impl ftl_op_impl_affine, ftl_op_impl_normalize, ftl_op_impl_impute,
    ftl_op_impl_impute_object, ftl_op_impl_indicator, ftl_op_impl_onehot, ftl_op_impl_ordinal,
    ftl_op_impl_polynomial, ftl_op_impl_ufunc;
extern const ftl_op_impl ftl_op_impl_trees, ftl_op_impl_tree_apply;
extern const ftl_op_impl ftl_op_impl_gaussian, ftl_op_impl_binarize, ftl_op_impl_distances,
    ftl_op_impl_bins;
extern const ftl_op_impl ftl_op_impl_kernel_machine, ftl_op_impl_coupling, ftl_op_impl_neighbors,
    ftl_op_impl_neighbor_vote, ftl_op_impl_neighbor_mean;
extern const ftl_op_impl ftl_op_impl_category_hash, ftl_op_impl_match, ftl_op_impl_ctr,
    ftl_op_impl_oblivious;
extern const ftl_op_impl ftl_op_impl_combine, ftl_op_impl_vote, ftl_op_impl_median,
    ftl_op_impl_interpolate;
extern const ftl_op_impl ftl_op_impl_quantiles;
extern const ftl_op_impl ftl_op_impl_text, ftl_op_impl_tfidf, ftl_op_impl_gather_sparse;

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
    [FTL_OP_AFFINE] = &ftl_op_impl_affine,
    [FTL_OP_NORMALIZE] = &ftl_op_impl_normalize,
    [FTL_OP_IMPUTE] = &ftl_op_impl_impute,
    [FTL_OP_IMPUTE_OBJECT] = &ftl_op_impl_impute_object,
    [FTL_OP_INDICATOR] = &ftl_op_impl_indicator,
    [FTL_OP_ONEHOT] = &ftl_op_impl_onehot,
    [FTL_OP_ORDINAL] = &ftl_op_impl_ordinal,
    [FTL_OP_POLYNOMIAL] = &ftl_op_impl_polynomial,
    [FTL_OP_UFUNC] = &ftl_op_impl_ufunc,
    [FTL_OP_TREES] = &ftl_op_impl_trees,
    [FTL_OP_TREE_APPLY] = &ftl_op_impl_tree_apply,
    [FTL_OP_GAUSSIAN] = &ftl_op_impl_gaussian,
    [FTL_OP_BINARIZE] = &ftl_op_impl_binarize,
    [FTL_OP_DISTANCES] = &ftl_op_impl_distances,
    [FTL_OP_BINS] = &ftl_op_impl_bins,
    [FTL_OP_KERNEL_MACHINE] = &ftl_op_impl_kernel_machine,
    [FTL_OP_COUPLING] = &ftl_op_impl_coupling,
    [FTL_OP_NEIGHBORS] = &ftl_op_impl_neighbors,
    [FTL_OP_NEIGHBOR_VOTE] = &ftl_op_impl_neighbor_vote,
    [FTL_OP_NEIGHBOR_MEAN] = &ftl_op_impl_neighbor_mean,
    [FTL_OP_CATEGORY_HASH] = &ftl_op_impl_category_hash,
    [FTL_OP_MATCH] = &ftl_op_impl_match,
    [FTL_OP_CTR] = &ftl_op_impl_ctr,
    [FTL_OP_OBLIVIOUS] = &ftl_op_impl_oblivious,
    [FTL_OP_COMBINE] = &ftl_op_impl_combine,
    [FTL_OP_VOTE] = &ftl_op_impl_vote,
    [FTL_OP_MEDIAN] = &ftl_op_impl_median,
    [FTL_OP_INTERPOLATE] = &ftl_op_impl_interpolate,
    [FTL_OP_TEXT] = &ftl_op_impl_text,
    [FTL_OP_TFIDF] = &ftl_op_impl_tfidf,
    [FTL_OP_GATHER_SPARSE] = &ftl_op_impl_gather_sparse,
    [FTL_OP_QUANTILES] = &ftl_op_impl_quantiles,
};
