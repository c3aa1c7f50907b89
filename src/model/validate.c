/*
 * The one validator: after ftl_graph_validate every op reads columns that exist in earlier ops,
 * widths agree, and every index in a parameter is in range, so that plan/ and kernels/ need no
 * checks.
 */
#include "model/validate.h"

#include "base/checked.h"

/* Widest edge: bounds every width computation in 32 bits and the size of a block. */
enum { max_width = 1 << 24 };

ftl_status ftl_check_nothing(const ftl_proof *proof, ftl_error *error)
{
    (void)proof;
    (void)error;
    return FTL_OK;
}

ftl_status ftl_check_add(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    if (op->n_segments != 2 || op->segments[0].count != op->segments[1].count ||
        op->width != op->segments[0].count)
        return FTL_INVALID(error, "an addition needs two sources of equal width");
    return FTL_OK;
}

ftl_status ftl_check_binarize(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->edge == FTL_EDGE_SPARSE && !(proof->op->u.binarize.threshold >= 0))
        return FTL_INVALID(error, "a threshold below zero would fill a sparse matrix");
    return FTL_OK;
}

ftl_status ftl_validate_rest(const ftl_proof *proof, ftl_error *error)
{
    static ftl_status (*const checks[FTL_OP_KIND_COUNT])(const ftl_proof *, ftl_error *) = {
#define OP(kind, name, parameters, reads, yields, width, dtype, traits, check) \
    [FTL_OP_##kind] = ftl_check_##check,
#include "model/ops/ops.def"
#undef OP
    };
    return checks[proof->op->kind](proof, error);
}

/* ---- What the description says of an operation as a whole ------------------------------------ */

static ftl_edge_kind expected_edge(const ftl_graph *graph, const ftl_op *op)
{
    static const ftl_edge_kind edges[] = {[FTL_YIELDS_NUM] = FTL_EDGE_NUM,
                                          [FTL_YIELDS_CODED] = FTL_EDGE_CODED,
                                          [FTL_YIELDS_OBJECT] = FTL_EDGE_OBJECT,
                                          [FTL_YIELDS_SPARSE] = FTL_EDGE_SPARSE};
    ftl_yields yields = ftl_op_describe(op->kind)->yields;
    return yields == FTL_YIELDS_SOURCE ? graph->ops[op->segments[0].op].edge : edges[yields];
}

static ftl_status check_width(const ftl_op *op, ftl_width_rule rule, uint32_t n, ftl_error *error)
{
    if ((rule == FTL_WIDTH_SAME && op->width != n) || (rule == FTL_WIDTH_ONE && op->width != 1))
        return FTL_INVALID(error, "a %s step yields %u columns where %u were expected",
                           ftl_op_name(op->kind), op->width, rule == FTL_WIDTH_ONE ? 1 : n);
    if (rule == FTL_WIDTH_SOME && op->width == 0)
        return FTL_INVALID(error, "a %s step yields no columns", ftl_op_name(op->kind));
    return FTL_OK;
}

static ftl_status check_dtype(const ftl_op *op, ftl_dtype_trait trait, ftl_error *error)
{
    bool fits = trait == FTL_DTYPE_TRAIT_F32      ? op->dtype == FTL_DTYPE_F32
                : trait == FTL_DTYPE_TRAIT_F64    ? op->dtype == FTL_DTYPE_F64
                : trait == FTL_DTYPE_TRAIT_CHOSEN ? op->dtype != FTL_DTYPE_SAME
                                                  : true;
    return fits ? FTL_OK
                : FTL_INVALID(error, "a %s step yields numbers of another type",
                              ftl_op_name(op->kind));
}

/* One whole matrix, whose form a step of this kind reads. */
static bool matrix_fits(const ftl_graph *graph, const ftl_op *op, ftl_reads reads, uint32_t n)
{
    const ftl_op *source = op->n_segments == 1 ? &graph->ops[op->segments[0].op] : NULL;
    if (!source || source->kind == FTL_OP_INPUT || source->width != n)
        return false;
    bool dense = source->edge == FTL_EDGE_NUM, sparse = source->edge == FTL_EDGE_SPARSE;
    return (dense && reads != FTL_READS_SPARSE) || (sparse && reads != FTL_READS_MATRIX);
}

static ftl_status check_reads(const ftl_graph *graph, const ftl_op *op, uint32_t n,
                              ftl_error *error)
{
    ftl_reads reads = ftl_op_describe(op->kind)->reads;
    switch (reads) {
    case FTL_READS_NOTHING:
        if (op->n_segments)
            return FTL_INVALID(error, "a %s step has no sources", ftl_op_name(op->kind));
        return FTL_OK;
    case FTL_READS_ONE_OP:
        if (op->n_segments != 1 || op->segments[0].first != 0)
            return FTL_INVALID(error, "a %s step has one source", ftl_op_name(op->kind));
        return FTL_OK;
    case FTL_READS_COLUMNS:
        return FTL_OK;
    default:
        if (!matrix_fits(graph, op, reads, n))
            return FTL_INVALID(error, "a %s step needs one whole numeric matrix",
                               ftl_op_name(op->kind));
        return FTL_OK;
    }
}

static ftl_status validate_sources(const ftl_graph *graph, size_t id, uint32_t *n, ftl_error *error)
{
    const ftl_op *op = &graph->ops[id];
    uint32_t total = 0;
    for (uint32_t i = 0; i < op->n_segments; i++) {
        const ftl_segment *s = &op->segments[i];
        if (s->op >= id)
            return FTL_INVALID(error, "step %zu reads step %u, which comes later", id, s->op);
        const ftl_op *source = &graph->ops[s->op];
        if (s->first > source->width || s->count > source->width - s->first)
            return FTL_INVALID(error, "columns %u to %u are read from a step with %u", s->first,
                               s->first + s->count, source->width);
        if (__builtin_add_overflow(total, s->count, &total) || total > max_width)
            return FTL_FAIL(error, FTL_LIMIT, "a step reads more than %d columns", (int)max_width);
    }
    *n = total;
    return check_reads(graph, op, total, error);
}

/*
 * The nodes of an ensemble are proved once: apply has those of a step shortly before it, on as many
 * columns. How far back to look is bounded, as a file may have many steps.
 */
static bool is_proved(const ftl_graph *graph, size_t id, uint32_t n)
{
    enum { NEAR = 64 };
    const ftl_op *op = &graph->ops[id];
    if (op->kind != FTL_OP_TREE_APPLY || op->u.tree_apply.nodes->n_trees != op->width)
        return false;
    for (size_t i = id; i-- > 0 && id - i <= NEAR;) {
        const ftl_op *other = &graph->ops[i];
        if (other->kind == FTL_OP_TREES && other->u.trees.nodes == op->u.tree_apply.nodes)
            return other->n_segments == 1 && other->segments[0].count == n &&
                   !other->u.trees.base_column;
    }
    return false;
}

static ftl_status validate_input(const ftl_graph *graph, const ftl_op *op, ftl_error *error)
{
    if (op->width != 1 || op->n_segments ||
        (op->edge != FTL_EDGE_NUM && op->edge != FTL_EDGE_OBJECT) ||
        op->u.input.column >= graph->n_inputs)
        return FTL_INVALID(error, "an input step is malformed");
    return FTL_OK;
}

static ftl_status validate_op(const ftl_graph *graph, size_t id, ftl_account *scratch,
                              ftl_error *error)
{
    const ftl_op *op = &graph->ops[id];
    if ((unsigned)op->kind >= FTL_OP_KIND_COUNT || (unsigned)op->edge > FTL_EDGE_SPARSE ||
        (unsigned)op->dtype > FTL_DTYPE_F64 || !op->path || (op->n_segments && !op->segments))
        return FTL_INVALID(error, "step %zu is malformed", id);
    if (op->width > max_width)
        return FTL_FAIL(error, FTL_LIMIT, "a step yields %u columns; the limit is %d", op->width,
                        (int)max_width);
    if (op->kind == FTL_OP_INPUT)
        return validate_input(graph, op, error);
    const ftl_op_description *description = ftl_op_describe(op->kind);
    uint32_t n = 0;
    FTL_TRY(validate_sources(graph, id, &n, error));
    if (op->edge != expected_edge(graph, op))
        return FTL_INVALID(error, "a %s step has the wrong kind of output", ftl_op_name(op->kind));
    if ((description->traits & FTL_NEEDS_COLUMNS) && n == 0)
        return FTL_INVALID(error, "a %s step reads no columns", ftl_op_name(op->kind));
    FTL_TRY(check_width(op, description->width, n, error));
    FTL_TRY(check_dtype(op, description->dtype, error));
    const ftl_proof proof = {graph, id, op, n, scratch};
    FTL_TRY(ftl_validate_parameters(&proof, error));
    return is_proved(graph, id, n) ? FTL_OK : ftl_validate_rest(&proof, error);
}

static ftl_status validate_outputs(const ftl_graph *graph, const ftl_method_outputs *outputs,
                                   ftl_error *error)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const ftl_output *out = &outputs->outputs[i];
        if (!out->name || out->op >= graph->n_ops || out->column >= graph->ops[out->op].width)
            return FTL_FAIL(error, FTL_CORRUPT, "output %zu refers to a column that does not exist",
                            i);
        const ftl_op *op = &graph->ops[out->op];
        if (op->edge == FTL_EDGE_SPARSE || op->edge == FTL_EDGE_CODED ||
            (op->kind == FTL_OP_INPUT && op->edge == FTL_EDGE_NUM))
            return FTL_FAIL(error, FTL_CORRUPT,
                            "output %zu is a column that no step has written as a number", i);
        if (out->as == FTL_AS_LABEL && (!out->labels || out->labels->count == 0))
            return FTL_FAIL(error, FTL_CORRUPT, "output %zu has no classes", i);
        bool object = graph->ops[out->op].edge == FTL_EDGE_OBJECT;
        if (object != (out->as == FTL_AS_CELL))
            return FTL_FAIL(error, FTL_CORRUPT, "output %zu has the wrong kind", i);
    }
    return FTL_OK;
}

ftl_status ftl_graph_validate(const ftl_graph *graph, ftl_account *scratch, ftl_error *error)
{
    for (size_t id = 0; id < graph->n_ops; id++) {
        ftl_status status = validate_op(graph, id, scratch, error);
        if (status != FTL_OK) {
            ftl_error_in(error, graph->ops[id].path);
            return status;
        }
    }
    for (int method = 0; method < FTL_METHOD_COUNT; method++)
        FTL_TRY(validate_outputs(graph, &graph->methods[method], error));
    return FTL_OK;
}
