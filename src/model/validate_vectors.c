/* What descriptions do not say of kernel machines and nearest neighbours. */
#include "model/validate.h"

/* ---- Kernel machines ------------------------------------------------------------------------- */

/* Columns ascend within a row. */
static bool sparse_rows_valid(const ftl_sparse_rows *rows, uint32_t n_rows)
{
    for (uint32_t i = 0; i < n_rows; i++) {
        for (uint32_t k = rows->start[i]; k < rows->start[i + 1]; k++) {
            if (k > rows->start[i] && rows->column[k - 1] >= rows->column[k])
                return false;
        }
    }
    return true;
}

static ftl_status check_classes(const ftl_op *op, const ftl_kernel_machine_op *machine,
                                ftl_error *error)
{
    uint64_t total = 0;
    if (machine->n_classes == 0)
        return op->width == 1 ? FTL_OK
                              : FTL_INVALID(error, "a kernel machine yields %u values", op->width);
    if (machine->n_classes < 2 || ftl_pairs(machine->n_classes) != op->width)
        return FTL_INVALID(error, "%u classes do not make %u pairs", machine->n_classes, op->width);
    for (uint32_t i = 0; i < machine->n_classes; i++)
        total += machine->n_support[i];
    if (total != machine->n_vectors)
        return FTL_INVALID(error, "the classes have %llu support vectors of %u",
                           (unsigned long long)total, machine->n_vectors);
    return FTL_OK;
}

ftl_status ftl_check_kernel_machine(const ftl_proof *proof, ftl_error *error)
{
    const ftl_kernel_machine_op *machine = &proof->op->u.kernel_machine;
    if ((machine->vectors == NULL) == (machine->sparse == NULL))
        return FTL_INVALID(error, "a kernel machine is malformed");
    if (machine->sparse && !sparse_rows_valid(machine->sparse, machine->n_vectors))
        return FTL_INVALID(error, "the support vectors have columns out of order");
    return check_classes(proof->op, machine, error);
}

ftl_status ftl_check_coupling(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->width < 2 || ftl_pairs(proof->op->width) != proof->columns)
        return FTL_INVALID(error, "%u scores of pairs for %u classes", proof->columns,
                           proof->op->width);
    return FTL_OK;
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

/* Every point is in one leaf, so that a search visits each at most once. */
static bool node_valid(const ftl_point_tree *tree, uint32_t i)
{
    const ftl_point_node *node = &tree->nodes[i];
    if (node->start > node->end)
        return false;
    if (node->is_leaf)
        return true;
    uint64_t right = 2 * (uint64_t)i + 2;
    return right < tree->n_nodes && tree->nodes[right - 1].start == node->start &&
           tree->nodes[right - 1].end == tree->nodes[right].start &&
           tree->nodes[right].end == node->end;
}

static ftl_status check_tree(const ftl_neighbors_op *neighbors, ftl_error *error)
{
    const ftl_point_tree *tree = neighbors->tree;
    if (tree->n_nodes == 0 || tree->nodes[0].start != 0 ||
        tree->nodes[0].end != neighbors->n_points)
        return FTL_FAIL(error, FTL_CORRUPT, "the tree of points is malformed");
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (tree->nodes[i].end > neighbors->n_points || !node_valid(tree, i))
            return FTL_FAIL(error, FTL_CORRUPT, "node %u of the tree of points is malformed", i);
    }
    return FTL_OK;
}

ftl_status ftl_check_neighbors(const ftl_proof *proof, ftl_error *error)
{
    const ftl_op *op = proof->op;
    const uint32_t n = proof->columns;
    const ftl_neighbors_op *neighbors = &op->u.neighbors;
    bool tree = neighbors->search == FTL_SEARCH_KD_TREE ||
                neighbors->search == FTL_SEARCH_BALL_TREE;
    if (tree != (neighbors->tree != NULL))
        return FTL_INVALID(error, "a search for neighbours is malformed");
    bool expanded = neighbors->search == FTL_SEARCH_EXPANDED ||
                    neighbors->search == FTL_SEARCH_EXPANDED_PLAIN;
    if (expanded && neighbors->metric != FTL_METRIC_EUCLIDEAN)
        return FTL_INVALID(error, "only squares of Euclidean distances can be expanded");
    if ((neighbors->metric == FTL_METRIC_COSINE && tree) ||
        (neighbors->metric > FTL_METRIC_COSINE && neighbors->search == FTL_SEARCH_KD_TREE) ||
        (neighbors->squared && (tree || neighbors->metric != FTL_METRIC_EUCLIDEAN)))
        return FTL_INVALID(error, "such a search has no such metric");
    if (neighbors->metric == FTL_METRIC_STANDARDIZED && !neighbors->weights)
        return FTL_INVALID(error, "a standardized metric has no variances");
    if (neighbors->metric == FTL_METRIC_HAVERSINE && n != 2)
        return FTL_INVALID(error, "the haversine metric is one of two columns, not %u", n);
    if (neighbors->metric == FTL_METRIC_MINKOWSKI && !(neighbors->p > 0))
        return FTL_INVALID(error, "the power of Minkowski's metric is %g", neighbors->p);
    if (neighbors->k == 0 || neighbors->k > neighbors->n_points ||
        op->width != 2 * (uint64_t)neighbors->k)
        return FTL_INVALID(error, "%u neighbours of %u points", neighbors->k, neighbors->n_points);
    return tree ? check_tree(neighbors, error) : FTL_OK;
}

/* What votes and values are of: the neighbours that the source finds among as many points. */
static ftl_status check_source(const ftl_proof *proof, uint32_t n_points, ftl_error *error)
{
    const ftl_op *source = &proof->graph->ops[proof->op->segments[0].op];
    if (source->kind != FTL_OP_NEIGHBORS || source->u.neighbors.n_points != n_points)
        return FTL_INVALID(error, "a %s step needs the neighbours among its %u points",
                           ftl_op_name(proof->op->kind), n_points);
    return FTL_OK;
}

ftl_status ftl_check_neighbor_vote(const ftl_proof *proof, ftl_error *error)
{
    return check_source(proof, proof->op->u.neighbor_vote.n_points, error);
}

ftl_status ftl_check_neighbor_density(const ftl_proof *proof, ftl_error *error)
{
    return check_source(proof, proof->op->u.neighbor_density.n_points, error);
}

ftl_status ftl_check_neighbor_mean(const ftl_proof *proof, ftl_error *error)
{
    return check_source(proof, proof->op->u.neighbor_mean.n_points, error);
}

/* A row takes so many steps at most, whatever a file says. */
ftl_status ftl_check_topics(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->u.topics.iterations > FTL_MOST_TOPIC_ITERATIONS)
        return FTL_FAIL(error, FTL_LIMIT, "topics are found in %u iterations; the limit is %d",
                        proof->op->u.topics.iterations, (int)FTL_MOST_TOPIC_ITERATIONS);
    return FTL_OK;
}
