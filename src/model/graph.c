/* Small questions to graphs and their parts. */
#include "model/ir.h"

uint32_t ftl_pairs_classes(uint32_t pairs)
{
    uint32_t low = 0, high = 1u << 17; /* has more than 2^32 pairs */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ftl_pairs(middle) < pairs)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ftl_tree_nodes_count(ftl_tree_nodes *nodes)
{
    size_t n = nodes->n_nodes;
    nodes->root_count = (size_t)nodes->n_trees + 1;
    nodes->flags_count = nodes->feature_count = nodes->threshold_count = n;
    nodes->left_count = nodes->right_count = n;
    nodes->leaf_count = nodes->leaf ? n : 0;
    nodes->values_count = (size_t)nodes->n_values * nodes->value_width;
    nodes->set_start_count = nodes->set_start ? (size_t)nodes->n_sets + 1 : 0;
    nodes->set_words_count = nodes->set_start ? nodes->set_start[nodes->n_sets] : 0;
}

bool ftl_text_ngrams_fit(const ftl_text_op *text)
{
    uint32_t most = text->n_hashes ? text->max_n : 0;
    for (uint32_t i = 0; i < text->vocabulary.count; i++) {
        uint32_t size = text->vocabulary.start[i + 1] - text->vocabulary.start[i];
        most = size > most ? size : most;
    }
    return most <= FTL_MOST_NGRAM || text->max_n <= FTL_MOST_NGRAM;
}

ftl_type ftl_output_type(const ftl_output *output)
{
    switch (output->as) {
    case FTL_AS_INT:
        return FTL_I64;
    case FTL_AS_BOOL:
        return FTL_BOOL;
    case FTL_AS_LABEL:
        return output->labels->type;
    case FTL_AS_CELL:
        return FTL_STRING;
    default:
        return FTL_F64;
    }
}

bool ftl_op_is_f32(const ftl_op *op, ftl_type input, bool first, bool sources)
{
    if (op->edge == FTL_EDGE_OBJECT)
        return false;
    if (op->edge == FTL_EDGE_CODED)
        return op->dtype == FTL_DTYPE_F32; /* the encoder's dtype parameter */
    if (op->dtype != FTL_DTYPE_SAME)
        return op->dtype == FTL_DTYPE_F32;
    if (op->kind == FTL_OP_INPUT)
        return input == FTL_F32;
    return op->n_segments > 0 && (ftl_op_follows_first(op->kind) ? first : sources);
}

uint32_t ftl_op_source_columns(const ftl_op *op)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < op->n_segments; i++)
        total += op->segments[i].count; /* the builder and validate keep the sum within 32 bits */
    return total;
}
