/* Names and the text form of graphs. */
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

uint32_t ftl_op_source_columns(const ftl_op *op)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < op->n_segments; i++)
        total += op->segments[i].count; /* the builder and validate keep the sum within 32 bits */
    return total;
}

static void dump_op(const ftl_op *op, size_t id, ftl_strbuf *out)
{
    static const char *const edges[] = {"num", "coded", "object", "sparse"};
    static const char *const dtypes[] = {"", ":f32", ":f64"};
    ftl_strbuf_printf(out, "%%%zu = %s %s%s[%u]", id, ftl_op_name(op->kind), edges[op->edge],
                      op->edge == FTL_EDGE_NUM || op->edge == FTL_EDGE_SPARSE ? dtypes[op->dtype]
                                                                              : "",
                      op->width);
    if (op->kind == FTL_OP_INPUT)
        ftl_strbuf_printf(out, " column %u", op->u.input.column);
    for (uint32_t i = 0; i < op->n_segments; i++) {
        const ftl_segment *segment = &op->segments[i];
        ftl_strbuf_printf(out, "%s%%%u[%u:%u]", i ? ", " : " <- ", segment->op, segment->first,
                          segment->first + segment->count);
    }
    if (op->path[0])
        ftl_strbuf_printf(out, "  # %s", op->path);
    ftl_strbuf_putc(out, '\n');
}

void ftl_graph_dump(const ftl_graph *graph, ftl_strbuf *out)
{
    for (size_t i = 0; i < graph->n_ops; i++)
        dump_op(&graph->ops[i], i, out);
    for (int method = 0; method < FTL_METHOD_COUNT; method++) {
        const ftl_method_outputs *outputs = &graph->methods[method];
        if (outputs->count == 0)
            continue;
        ftl_strbuf_printf(out, "%s:", ftl_method_name((ftl_method)method));
        for (size_t i = 0; i < outputs->count; i++)
            ftl_strbuf_printf(out, " %s=%%%u[%u]", outputs->outputs[i].name, outputs->outputs[i].op,
                              outputs->outputs[i].column);
        ftl_strbuf_putc(out, '\n');
    }
}
