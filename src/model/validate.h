/*
 * The parts of ftl_graph_validate: one function per op kind, in validate_<family>.c. n is the op's
 * number of source columns.
 */
#ifndef FTL_MODEL_VALIDATE_H
#define FTL_MODEL_VALIDATE_H

#include "model/ir.h"

/* A failed proof: the front end emitted something that the file made inconsistent. */
#define FTL_INVALID(error, op, ...) FTL_FAIL((error), FTL_CORRUPT, __VA_ARGS__)

ftl_status ftl_validate_affine(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_normalize(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_impute(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_impute_object(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error);
ftl_status ftl_validate_indicator(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_encode(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_polynomial(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                   ftl_error *error);
ftl_status ftl_validate_ufunc(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_linear(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_trees(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_tree_apply(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                   ftl_error *error);
ftl_status ftl_validate_link(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_text(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_tfidf(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_decide(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_gaussian(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                 ftl_error *error);
ftl_status ftl_validate_quantiles(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_bins(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_distances(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_kernel_machine(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                       ftl_error *error);
ftl_status ftl_validate_coupling(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                 ftl_error *error);
ftl_status ftl_validate_neighbors(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_neighbor_vote(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error);
ftl_status ftl_validate_neighbor_mean(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error);
ftl_status ftl_validate_category_hash(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error);
ftl_status ftl_validate_match(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_ctr(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_oblivious(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);
ftl_status ftl_validate_combine(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                ftl_error *error);
ftl_status ftl_validate_vote(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error);
ftl_status ftl_validate_median(const ftl_op *op, uint32_t n, ftl_account *scratch,
                               ftl_error *error);
ftl_status ftl_validate_interpolate(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                    ftl_error *error);

#endif
