/*
 * What compiled plans keep of operations: copies without what lies between the fields, the texts of
 * cells.
 */
#include "plan/plan.h"

#include <stddef.h>

#define SIZE(kind, type) [kind] = sizeof(type)

/* Bytes of the parameters; 0: none. */
static const size_t sizes[FTL_OP_KIND_COUNT] = {
    SIZE(FTL_OP_INPUT, ftl_input_op),
    SIZE(FTL_OP_CHECK, ftl_check_op),
    SIZE(FTL_OP_AFFINE, ftl_affine_op),
    SIZE(FTL_OP_NORMALIZE, ftl_normalize_op),
    SIZE(FTL_OP_IMPUTE, ftl_impute_op),
    SIZE(FTL_OP_IMPUTE_OBJECT, ftl_impute_object_op),
    SIZE(FTL_OP_INDICATOR, ftl_indicator_op),
    SIZE(FTL_OP_ONEHOT, ftl_encode_op),
    SIZE(FTL_OP_ORDINAL, ftl_encode_op),
    SIZE(FTL_OP_POLYNOMIAL, ftl_polynomial_op),
    SIZE(FTL_OP_UFUNC, ftl_ufunc_op),
    SIZE(FTL_OP_LINEAR, ftl_linear_op),
    SIZE(FTL_OP_TREES, ftl_trees_op),
    SIZE(FTL_OP_TREE_APPLY, ftl_tree_apply_op),
    SIZE(FTL_OP_LINK, ftl_link_op),
    SIZE(FTL_OP_DECIDE, ftl_decide_op),
    SIZE(FTL_OP_CONSTANT, ftl_constant_op),
    SIZE(FTL_OP_GAUSSIAN, ftl_gaussian_op),
    SIZE(FTL_OP_BINARIZE, ftl_binarize_op),
    SIZE(FTL_OP_DISTANCES, ftl_distances_op),
    SIZE(FTL_OP_BINS, ftl_bins_op),
    SIZE(FTL_OP_KERNEL_MACHINE, ftl_kernel_machine_op),
    SIZE(FTL_OP_COUPLING, ftl_coupling_op),
    SIZE(FTL_OP_NEIGHBORS, ftl_neighbors_op),
    SIZE(FTL_OP_NEIGHBOR_VOTE, ftl_neighbor_vote_op),
    SIZE(FTL_OP_NEIGHBOR_MEAN, ftl_neighbor_mean_op),
    SIZE(FTL_OP_CATEGORY_HASH, ftl_category_hash_op),
    SIZE(FTL_OP_MATCH, ftl_match_op),
    SIZE(FTL_OP_CTR, ftl_ctr_op),
    SIZE(FTL_OP_OBLIVIOUS, ftl_oblivious_op),
    SIZE(FTL_OP_COMBINE, ftl_combine_op),
    SIZE(FTL_OP_VOTE, ftl_vote_op),
    SIZE(FTL_OP_MEDIAN, ftl_median_op),
    SIZE(FTL_OP_INTERPOLATE, ftl_interpolate_op),
    SIZE(FTL_OP_TEXT, ftl_text_op),
    SIZE(FTL_OP_TFIDF, ftl_tfidf_op),
    SIZE(FTL_OP_QUANTILES, ftl_quantiles_op),
};

#define GAP(member, field, next) FTL_CLEAR_GAP(ftl_##member##_op, &op->u.member, field, next)
#define TAIL(member, field) FTL_CLEAR_TAIL(ftl_##member##_op, &op->u.member, field)

static void clear_vectors(ftl_op *op)
{
    switch (op->kind) {
    case FTL_OP_BINS:
        TAIL(bins, raised);
        break;
    case FTL_OP_KERNEL_MACHINE:
        GAP(kernel_machine, kernel, gamma);
        GAP(kernel_machine, n_vectors, vectors);
        GAP(kernel_machine, n_classes, n_support);
        break;
    case FTL_OP_NEIGHBORS:
        GAP(neighbors, squared, k);
        TAIL(neighbors, single);
        break;
    case FTL_OP_NEIGHBOR_VOTE:
        GAP(neighbor_vote, n_points, classes);
        TAIL(neighbor_vote, refuse_zero);
        break;
    case FTL_OP_NEIGHBOR_MEAN:
        GAP(neighbor_mean, n_points, values);
        TAIL(neighbor_mean, by_distance);
        break;
    default:
        break;
    }
}

static void clear_ensembles(ftl_op *op)
{
    switch (op->kind) {
    case FTL_OP_TREES:
        GAP(trees, input, target);
        GAP(trees, base_column, divisor);
        GAP(trees, sum_f32, linear);
        break;
    case FTL_OP_TREE_APPLY:
        TAIL(tree_apply, leaf_index);
        break;
    case FTL_OP_OBLIVIOUS:
        GAP(oblivious, n_trees, start);
        TAIL(oblivious, leaf_number);
        break;
    case FTL_OP_COMBINE:
        GAP(combine, rule, target);
        break;
    case FTL_OP_MEDIAN:
        GAP(median, n_values, values);
        break;
    default:
        break;
    }
}

static void clear_columns(ftl_op *op)
{
    switch (op->kind) {
    case FTL_OP_CHECK:
        GAP(check, refuse, estimator);
        break;
    case FTL_OP_AFFINE:
        GAP(affine, n_steps, steps);
        break;
    case FTL_OP_NORMALIZE:
        TAIL(normalize, tiny_is_zero);
        break;
    case FTL_OP_IMPUTE:
        GAP(impute, missing_is_nan, missing_value);
        break;
    case FTL_OP_IMPUTE_OBJECT:
        GAP(impute_object, refuse_missing, columns);
        break;
    case FTL_OP_INDICATOR:
        GAP(indicator, missing_is_nan, missing_value);
        break;
    case FTL_OP_ONEHOT:
    case FTL_OP_ORDINAL:
        GAP(encode, n_columns, columns);
        break;
    case FTL_OP_INTERPOLATE:
        TAIL(interpolate, single);
        break;
    case FTL_OP_QUANTILES:
        GAP(quantiles, n, quantiles);
        TAIL(quantiles, margins);
        break;
    default:
        break;
    }
}

static void clear_texts(ftl_op *op)
{
    if (op->kind == FTL_OP_TFIDF) {
        GAP(tfidf, normalize, norm);
        GAP(tfidf, norm, idf);
    } else if (op->kind == FTL_OP_TEXT) {
        GAP(text, empty_is_text, min_n);
        GAP(text, min_token, pattern);
        GAP(text, capture, vocabulary);
        GAP(text, absolute, stop_words);
        FTL_CLEAR_GAP(ftl_words, &op->u.text.vocabulary, count, text);
        FTL_CLEAR_GAP(ftl_words, &op->u.text.stop_words, count, text);
    }
}

void ftl_op_copy(ftl_op *to, const ftl_op *from)
{
    memset(to, 0, sizeof *to);
    to->kind = from->kind;
    to->edge = from->edge;
    to->dtype = from->dtype;
    to->width = from->width;
    to->n_segments = from->n_segments;
    to->segments = from->segments;
    to->path = from->path;
    memcpy(&to->u, &from->u, sizes[from->kind]);
    clear_vectors(to);
    clear_ensembles(to);
    clear_columns(to);
    clear_texts(to);
}

void ftl_keep_cells(ftl_blob *blob, ftl_cell *cells, size_t count)
{
    for (size_t i = 0; cells && i < count; i++) {
        ftl_cell *cell = &cells[i];
        bool text = cell->tag == FTL_CELL_STRING || cell->tag == FTL_CELL_MISSING;
        if (text && cell->size == 0) { /* a text all the same, and no address of the model */
            cell->u.text = ftl_blob_zero_data(blob, 1, 1);
            ftl_blob_ref(blob, &cell->u.text);
        } else if (text) {
            ftl_blob_borrow(blob, &cell->u.text, cell->size, 1);
        }
    }
}
