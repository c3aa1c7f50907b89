/*
 * The one validator: after ftl_graph_validate every op reads columns that exist in earlier ops,
 * widths agree, and every index in a parameter is in range, so that plan/ and kernels/ need no
 * checks.
 */
#include "model/validate.h"

#include "base/checked.h"

/* Widest edge: bounds every width computation in 32 bits and the size of a block. */
enum { max_width = 1 << 24 };

typedef ftl_status (*validate_fn)(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error);

static ftl_status check_width(const ftl_op *op, uint32_t expected, ftl_error *error)
{
    if (op->width != expected)
        return FTL_INVALID(error, op, "a %s step yields %u columns where %u were expected",
                           ftl_op_name(op->kind), op->width, expected);
    return FTL_OK;
}

static ftl_status validate_same_width(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error)
{
    (void)scratch;
    return check_width(op, n, error);
}

static ftl_status validate_add(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (op->n_segments != 2 || op->segments[0].count != op->segments[1].count)
        return FTL_INVALID(error, op, "an addition needs two sources of equal width");
    (void)n;
    return check_width(op, op->segments[0].count, error);
}

static ftl_status validate_constant(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                    ftl_error *error)
{
    (void)scratch;
    if (n != 0 || !op->u.constant.values)
        return FTL_INVALID(error, op, "a constant has no sources");
    return FTL_OK;
}

static ftl_status validate_check(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                 ftl_error *error)
{
    if (op->n_segments != 1)
        return FTL_INVALID(error, op, "a check has one source");
    return validate_same_width(op, n, scratch, error);
}

static ftl_status validate_binarize(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                    ftl_error *error)
{
    if (op->edge == FTL_EDGE_SPARSE && !(op->u.binarize.threshold >= 0))
        return FTL_INVALID(error, op, "a threshold below zero would fill a sparse matrix");
    return validate_same_width(op, n, scratch, error);
}

static const validate_fn validators[FTL_OP_KIND_COUNT] = {
    [FTL_OP_GATHER] = validate_same_width,
    [FTL_OP_GATHER_OBJECT] = validate_same_width,
    [FTL_OP_CAST] = validate_same_width,
    [FTL_OP_CHECK] = validate_check,
    [FTL_OP_AFFINE] = ftl_validate_affine,
    [FTL_OP_NORMALIZE] = ftl_validate_normalize,
    [FTL_OP_IMPUTE] = ftl_validate_impute,
    [FTL_OP_IMPUTE_OBJECT] = ftl_validate_impute_object,
    [FTL_OP_INDICATOR] = ftl_validate_indicator,
    [FTL_OP_ONEHOT] = ftl_validate_encode,
    [FTL_OP_ORDINAL] = ftl_validate_encode,
    [FTL_OP_POLYNOMIAL] = ftl_validate_polynomial,
    [FTL_OP_UFUNC] = ftl_validate_ufunc,
    [FTL_OP_LINEAR] = ftl_validate_linear,
    [FTL_OP_TREES] = ftl_validate_trees,
    [FTL_OP_TREE_APPLY] = ftl_validate_tree_apply,
    [FTL_OP_LINK] = ftl_validate_link,
    [FTL_OP_DECIDE] = ftl_validate_decide,
    [FTL_OP_CONSTANT] = validate_constant,
    [FTL_OP_ADD] = validate_add,
    [FTL_OP_GAUSSIAN] = ftl_validate_gaussian,
    [FTL_OP_BINARIZE] = validate_binarize,
    [FTL_OP_DISTANCES] = ftl_validate_distances,
    [FTL_OP_BINS] = ftl_validate_bins,
    [FTL_OP_KERNEL_MACHINE] = ftl_validate_kernel_machine,
    [FTL_OP_COUPLING] = ftl_validate_coupling,
    [FTL_OP_NEIGHBORS] = ftl_validate_neighbors,
    [FTL_OP_NEIGHBOR_VOTE] = ftl_validate_neighbor_vote,
    [FTL_OP_NEIGHBOR_MEAN] = ftl_validate_neighbor_mean,
    [FTL_OP_CATEGORY_HASH] = ftl_validate_category_hash,
    [FTL_OP_MATCH] = ftl_validate_match,
    [FTL_OP_CTR] = ftl_validate_ctr,
    [FTL_OP_OBLIVIOUS] = ftl_validate_oblivious,
    [FTL_OP_COMBINE] = ftl_validate_combine,
    [FTL_OP_VOTE] = ftl_validate_vote,
    [FTL_OP_MEDIAN] = ftl_validate_median,
    [FTL_OP_INTERPOLATE] = ftl_validate_interpolate,
    [FTL_OP_TEXT] = ftl_validate_text,
    [FTL_OP_TFIDF] = ftl_validate_tfidf,
    [FTL_OP_GATHER_SPARSE] = validate_same_width,
    [FTL_OP_QUANTILES] = ftl_validate_quantiles,
};

/* Ops that read one whole NUM matrix through ftl_matrix_source. */
static bool reads_matrix(ftl_op_kind kind)
{
    switch (kind) {
    case FTL_OP_CAST:
    case FTL_OP_CHECK:
    case FTL_OP_AFFINE:
    case FTL_OP_NORMALIZE:
    case FTL_OP_IMPUTE:
    case FTL_OP_POLYNOMIAL:
    case FTL_OP_UFUNC:
    case FTL_OP_TREES:
    case FTL_OP_TREE_APPLY:
    case FTL_OP_LINK:
    case FTL_OP_DECIDE:
    case FTL_OP_GAUSSIAN:
    case FTL_OP_BINARIZE:
    case FTL_OP_BINS:
    case FTL_OP_QUANTILES:
    case FTL_OP_KERNEL_MACHINE:
    case FTL_OP_COUPLING:
    case FTL_OP_NEIGHBORS:
    case FTL_OP_NEIGHBOR_VOTE:
    case FTL_OP_NEIGHBOR_MEAN:
    case FTL_OP_MATCH:
    case FTL_OP_OBLIVIOUS:
    case FTL_OP_TFIDF:
        return true;
    default:
        return false;
    }
}

/* Ops that have a form for sparse matrices: what their source is, they are. */
static bool takes_sparse(ftl_op_kind kind)
{
    return kind == FTL_OP_AFFINE || kind == FTL_OP_NORMALIZE || kind == FTL_OP_BINARIZE ||
           kind == FTL_OP_CHECK;
}

static ftl_edge_kind expected_edge(const ftl_graph *graph, const ftl_op *op)
{
    if (takes_sparse(op->kind) && op->n_segments == 1)
        return graph->ops[op->segments[0].op].edge;
    switch (op->kind) {
    case FTL_OP_TEXT:
    case FTL_OP_TFIDF:
    case FTL_OP_GATHER_SPARSE:
        return FTL_EDGE_SPARSE;
    case FTL_OP_ONEHOT:
        return FTL_EDGE_CODED;
    case FTL_OP_GATHER_OBJECT:
    case FTL_OP_IMPUTE_OBJECT:
        return FTL_EDGE_OBJECT;
    default:
        return FTL_EDGE_NUM;
    }
}

static ftl_status validate_sources(const ftl_graph *graph, size_t id, uint32_t *n, ftl_error *error)
{
    const ftl_op *op = &graph->ops[id];
    uint32_t total = 0;
    for (uint32_t i = 0; i < op->n_segments; i++) {
        const ftl_segment *s = &op->segments[i];
        if (s->op >= id)
            return FTL_INVALID(error, op, "step %zu reads step %u, which comes later", id, s->op);
        const ftl_op *source = &graph->ops[s->op];
        if (s->first > source->width || s->count > source->width - s->first)
            return FTL_INVALID(error, op, "columns %u to %u are read from a step with %u", s->first,
                               s->first + s->count, source->width);
        if (__builtin_add_overflow(total, s->count, &total) || total > max_width)
            return FTL_FAIL(error, FTL_LIMIT, "a step reads more than %d columns", (int)max_width);
    }
    if (reads_matrix(op->kind)) {
        const ftl_op *source = op->n_segments == 1 ? &graph->ops[op->segments[0].op] : NULL;
        bool fits = source && (op->kind == FTL_OP_TFIDF ? source->edge == FTL_EDGE_SPARSE
                                                        : source->edge == FTL_EDGE_NUM ||
                                                              (source->edge == FTL_EDGE_SPARSE &&
                                                               takes_sparse(op->kind)));
        if (!fits || source->kind == FTL_OP_INPUT || source->width != total)
            return FTL_INVALID(error, op, "a %s step needs one whole numeric matrix",
                               ftl_op_name(op->kind));
    }
    *n = total;
    return FTL_OK;
}

/*
 * The nodes of an ensemble are proved once: apply has those of a step shortly before it, on as many
 * columns. How far back to look is bounded, as a file may have many steps.
 */
static bool is_proved(const ftl_graph *graph, size_t id, uint32_t n)
{
    enum { NEAR = 64 };
    const ftl_op *op = &graph->ops[id];
    if (op->kind != FTL_OP_TREE_APPLY || !op->u.tree_apply.nodes ||
        op->u.tree_apply.nodes->n_trees != op->width)
        return false;
    for (size_t i = id; i-- > 0 && id - i <= NEAR;) {
        const ftl_op *other = &graph->ops[i];
        if (other->kind == FTL_OP_TREES && other->u.trees.nodes == op->u.tree_apply.nodes)
            return other->n_segments == 1 && other->segments[0].count == n &&
                   !other->u.trees.base_column;
    }
    return false;
}

/* What the votes and values of neighbours stand for. */
static ftl_status validate_neighbors_source(const ftl_graph *graph, const ftl_op *op,
                                            ftl_error *error)
{
    const ftl_op *source = &graph->ops[op->segments[0].op];
    uint32_t n = op->kind == FTL_OP_NEIGHBOR_VOTE ? op->u.neighbor_vote.n_points
                                                  : op->u.neighbor_mean.n_points;
    if (source->kind != FTL_OP_NEIGHBORS || source->u.neighbors.n_points != n)
        return FTL_INVALID(error, op, "a %s step needs the neighbours among its %u points",
                           ftl_op_name(op->kind), n);
    return FTL_OK;
}

static ftl_status validate_op(const ftl_graph *graph, size_t id, ftl_account *scratch,
                              ftl_error *error)
{
    const ftl_op *op = &graph->ops[id];
    if ((unsigned)op->kind >= FTL_OP_KIND_COUNT || !op->path || (op->n_segments && !op->segments))
        return FTL_INVALID(error, op, "step %zu is malformed", id);
    if (op->width > max_width)
        return FTL_FAIL(error, FTL_LIMIT, "a step yields %u columns; the limit is %d", op->width,
                        (int)max_width);
    if (op->kind == FTL_OP_INPUT) {
        if (op->width != 1 || op->n_segments ||
            (op->edge != FTL_EDGE_NUM && op->edge != FTL_EDGE_OBJECT) ||
            op->u.input.column >= graph->n_inputs)
            return FTL_INVALID(error, op, "an input step is malformed");
        return FTL_OK;
    }
    uint32_t n = 0;
    FTL_TRY(validate_sources(graph, id, &n, error));
    if (op->kind == FTL_OP_NEIGHBOR_VOTE || op->kind == FTL_OP_NEIGHBOR_MEAN)
        FTL_TRY(validate_neighbors_source(graph, op, error));
    if (op->edge != expected_edge(graph, op))
        return FTL_INVALID(error, op, "a %s step has the wrong kind of output",
                           ftl_op_name(op->kind));
    if (!validators[op->kind])
        return FTL_FAIL(error, FTL_INTERNAL, "%s steps have no entry in the validator's table",
                        ftl_op_name(op->kind));
    return is_proved(graph, id, n) ? FTL_OK : validators[op->kind](op, n, scratch, error);
}

static ftl_status validate_outputs(const ftl_graph *graph, const ftl_method_outputs *outputs,
                                   ftl_error *error)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const ftl_output *out = &outputs->outputs[i];
        if (!out->name || out->op >= graph->n_ops || out->column >= graph->ops[out->op].width)
            return FTL_FAIL(error, FTL_CORRUPT, "output %zu refers to a column that does not exist",
                            i);
        if (graph->ops[out->op].edge == FTL_EDGE_SPARSE)
            return FTL_FAIL(error, FTL_INTERNAL, "output %zu is a column of a sparse matrix", i);
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
