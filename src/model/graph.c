/* Names and the text form of graphs. */
#include "model/ir.h"

static const char *const op_names[FTL_OP_KIND_COUNT] = {
    [FTL_OP_INPUT] = "input",
    [FTL_OP_GATHER] = "gather",
    [FTL_OP_GATHER_OBJECT] = "gather_object",
    [FTL_OP_CAST] = "cast",
    [FTL_OP_CHECK] = "check",
    [FTL_OP_AFFINE] = "affine",
    [FTL_OP_NORMALIZE] = "normalize",
    [FTL_OP_IMPUTE] = "impute",
    [FTL_OP_IMPUTE_OBJECT] = "impute_object",
    [FTL_OP_INDICATOR] = "indicator",
    [FTL_OP_ONEHOT] = "onehot",
    [FTL_OP_ORDINAL] = "ordinal",
    [FTL_OP_POLYNOMIAL] = "polynomial",
    [FTL_OP_UFUNC] = "ufunc",
    [FTL_OP_LINEAR] = "linear",
    [FTL_OP_TREES] = "trees",
    [FTL_OP_TREE_APPLY] = "tree_apply",
    [FTL_OP_LINK] = "link",
    [FTL_OP_DECIDE] = "decide",
    [FTL_OP_CONSTANT] = "constant",
    [FTL_OP_ADD] = "add",
    [FTL_OP_GAUSSIAN] = "gaussian",
    [FTL_OP_BINARIZE] = "binarize",
    [FTL_OP_DISTANCES] = "distances",
    [FTL_OP_BINS] = "bins",
    [FTL_OP_KERNEL_MACHINE] = "kernel_machine",
    [FTL_OP_COUPLING] = "coupling",
    [FTL_OP_NEIGHBORS] = "neighbors",
    [FTL_OP_NEIGHBOR_VOTE] = "neighbor_vote",
    [FTL_OP_NEIGHBOR_MEAN] = "neighbor_mean",
    [FTL_OP_CATEGORY_HASH] = "category_hash",
    [FTL_OP_MATCH] = "match",
    [FTL_OP_CTR] = "ctr",
    [FTL_OP_OBLIVIOUS] = "oblivious",
    [FTL_OP_COMBINE] = "combine",
    [FTL_OP_VOTE] = "vote",
    [FTL_OP_MEDIAN] = "median",
    [FTL_OP_INTERPOLATE] = "interpolate",
    [FTL_OP_TEXT] = "text",
    [FTL_OP_TFIDF] = "tfidf",
    [FTL_OP_GATHER_SPARSE] = "gather_sparse",
    [FTL_OP_QUANTILES] = "quantiles",
};

const char *ftl_op_name(ftl_op_kind kind)
{
    return (unsigned)kind < FTL_OP_KIND_COUNT && op_names[kind] ? op_names[kind] : "unknown";
}

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
