/* The validator's part for kernel machines and nearest neighbours. */
#include "model/validate.h"

/* ---- Kernel machines ------------------------------------------------------------------------- */

static bool sparse_rows_valid(const ftl_sparse_rows *rows, uint32_t n_rows, uint32_t n_columns)
{
    if (!rows->start || rows->start[0] != 0)
        return false;
    for (uint32_t i = 0; i < n_rows; i++) {
        if (rows->start[i + 1] < rows->start[i])
            return false;
        for (uint32_t k = rows->start[i]; k < rows->start[i + 1]; k++) {
            bool ascends = k == rows->start[i] || rows->column[k - 1] < rows->column[k];
            if (rows->column[k] >= n_columns || !ascends)
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
        return op->width == 1
                   ? FTL_OK
                   : FTL_INVALID(error, op, "a kernel machine yields %u values", op->width);
    if (machine->n_classes < 2 || ftl_pairs(machine->n_classes) != op->width)
        return FTL_INVALID(error, op, "%u classes do not make %u pairs", machine->n_classes,
                           op->width);
    for (uint32_t i = 0; i < machine->n_classes; i++)
        total += machine->n_support[i];
    if (total != machine->n_vectors)
        return FTL_INVALID(error, op, "the classes have %llu support vectors of %u",
                           (unsigned long long)total, machine->n_vectors);
    return FTL_OK;
}

ftl_status ftl_validate_kernel_machine(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                       ftl_error *error)
{
    (void)scratch;
    const ftl_kernel_machine_op *machine = &op->u.kernel_machine;
    if ((unsigned)machine->kernel >= FTL_KERNEL_COUNT || !machine->coef || !machine->intercept ||
        (machine->vectors == NULL) == (machine->sparse == NULL))
        return FTL_INVALID(error, op, "a kernel machine is malformed");
    if (machine->sparse && !sparse_rows_valid(machine->sparse, machine->n_vectors, n))
        return FTL_INVALID(error, op, "the support vectors have columns out of range or order");
    return check_classes(op, machine, error);
}

ftl_status ftl_validate_coupling(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                 ftl_error *error)
{
    (void)scratch;
    if (op->width < 2 || ftl_pairs(op->width) != n || !op->u.coupling.a || !op->u.coupling.b)
        return FTL_INVALID(error, op, "%u scores of pairs for %u classes", n, op->width);
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
    if (!tree || tree->n_nodes == 0 || !tree->nodes || !tree->order || !tree->bounds ||
        tree->nodes[0].start != 0 || tree->nodes[0].end != neighbors->n_points)
        return FTL_FAIL(error, FTL_CORRUPT, "the tree of points is malformed");
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (tree->nodes[i].end > neighbors->n_points || !node_valid(tree, i))
            return FTL_FAIL(error, FTL_CORRUPT, "node %u of the tree of points is malformed", i);
    }
    for (uint32_t i = 0; i < neighbors->n_points; i++) {
        if (tree->order[i] >= neighbors->n_points)
            return FTL_FAIL(error, FTL_CORRUPT, "the tree names point %u of %u", tree->order[i],
                            neighbors->n_points);
    }
    return FTL_OK;
}

ftl_status ftl_validate_neighbors(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    const ftl_neighbors_op *neighbors = &op->u.neighbors;
    bool tree = neighbors->search == FTL_SEARCH_KD_TREE ||
                neighbors->search == FTL_SEARCH_BALL_TREE;
    if ((unsigned)neighbors->metric >= FTL_METRIC_COUNT ||
        (unsigned)neighbors->search >= FTL_SEARCH_COUNT || tree != (neighbors->tree != NULL) ||
        !neighbors->points)
        return FTL_INVALID(error, op, "a search for neighbours is malformed");
    bool expanded = neighbors->search == FTL_SEARCH_EXPANDED ||
                    neighbors->search == FTL_SEARCH_EXPANDED_PLAIN;
    if (expanded && neighbors->metric != FTL_METRIC_EUCLIDEAN)
        return FTL_INVALID(error, op, "only squares of Euclidean distances can be expanded");
    if ((neighbors->metric == FTL_METRIC_COSINE && tree) ||
        (neighbors->metric > FTL_METRIC_COSINE && neighbors->search == FTL_SEARCH_KD_TREE) ||
        (neighbors->squared && (tree || neighbors->metric != FTL_METRIC_EUCLIDEAN)))
        return FTL_INVALID(error, op, "such a search has no such metric");
    if (neighbors->metric == FTL_METRIC_STANDARDIZED && !neighbors->weights)
        return FTL_INVALID(error, op, "a standardized metric has no variances");
    if (neighbors->metric == FTL_METRIC_HAVERSINE && n != 2)
        return FTL_INVALID(error, op, "the haversine metric is one of two columns, not %u", n);
    if (neighbors->metric == FTL_METRIC_MINKOWSKI && !(neighbors->p > 0))
        return FTL_INVALID(error, op, "the power of Minkowski's metric is %g", neighbors->p);
    if (neighbors->k == 0 || neighbors->k > neighbors->n_points || op->width != 2 * neighbors->k)
        return FTL_INVALID(error, op, "%u neighbours of %u points", neighbors->k,
                           neighbors->n_points);
    return tree ? check_tree(neighbors, error) : FTL_OK;
}

ftl_status ftl_validate_neighbor_vote(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error)
{
    (void)n;
    (void)scratch;
    const ftl_neighbor_vote_op *vote = &op->u.neighbor_vote;
    for (uint32_t i = 0; i < vote->n_points; i++) {
        if (vote->classes[i] >= op->width)
            return FTL_INVALID(error, op, "point %u is of class %u of %u", i, vote->classes[i],
                               op->width);
    }
    return FTL_OK;
}

ftl_status ftl_validate_neighbor_mean(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error)
{
    (void)n;
    (void)scratch;
    if (op->width == 0 || !op->u.neighbor_mean.values)
        return FTL_INVALID(error, op, "neighbours have no values");
    return FTL_OK;
}
