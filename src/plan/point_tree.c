#include "plan/point_tree.h"

#include "base/checked.h"

#include <math.h>

/* Where each leaf's points go; the sum of all. */
static bool place_leaves(const ftl_point_tree *tree, size_t n, uint64_t *leaf_at, uint32_t *most,
                         size_t *total)
{
    *total = 0;
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        const ftl_point_node *node = &tree->nodes[i];
        size_t lanes = ftl_distance_groups(node->end - node->start) * FTL_DISTANCE_LANES, size;
        leaf_at[i] = *total;
        if (!node->is_leaf)
            continue;
        if (!ftl_mul_size(lanes, n, &size) || !ftl_add_size(*total, size, total))
            return false;
        *most = lanes > *most ? (uint32_t)lanes : *most;
    }
    return true;
}

static void pack_leaf(const ftl_neighbors_op *op, size_t n, const ftl_point_node *node, double *to)
{
    for (size_t i = 0; i < node->end - node->start; i++) {
        const double *from = op->points + op->tree->order[node->start + i] * n;
        double *lane = to + i / FTL_DISTANCE_LANES * n * FTL_DISTANCE_LANES +
                       i % FTL_DISTANCE_LANES;
        for (size_t j = 0; j < n; j++)
            lane[j * FTL_DISTANCE_LANES] = from[j];
    }
}

ftl_status ftl_tree_search_make(ftl_plan *plan, const ftl_neighbors_op *op, size_t n,
                                ftl_tree_search *out, ftl_error *error)
{
    const ftl_point_tree *tree = op->tree;
    size_t total;
    uint64_t *leaf_at = ftl_blob_data(&plan->blob, tree->n_nodes, sizeof *leaf_at);
    if (!leaf_at || !place_leaves(tree, n, leaf_at, &out->most, &total))
        return FTL_OOM(error);
    double *packed = ftl_blob_zero_data(&plan->blob, total, sizeof *packed);
    if (!packed)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        if (tree->nodes[i].is_leaf)
            pack_leaf(op, n, &tree->nodes[i], packed + leaf_at[i]);
    }
    out->op = op;
    out->leaf_at = leaf_at;
    out->packed = packed;
    ftl_point_metric_make(&plan->blob, op, n, false, &out->metric);
    ftl_blob_ref(&plan->blob, &out->op);
    ftl_blob_ref(&plan->blob, &out->leaf_at);
    ftl_blob_ref(&plan->blob, &out->packed);
    return FTL_OK;
}

/* 0.5 ((low - x) + |low - x| + (x - high) + |x - high|): how far x lies outside of [low, high]. */
static double outside(double low, double high, double x)
{
    double below = low - x, above = x - high;
    return 0.5 * ((below + fabs(below)) + (above + fabs(above)));
}

static double box_bound(const ftl_tree_search *search, uint32_t node, const double *x)
{
    size_t n = search->metric.n;
    const double *low = search->op->tree->bounds + node * n,
                 *high = low + (size_t)search->op->tree->n_nodes * n;
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        double d = outside(low[j], high[j], x[j]);
        switch (search->metric.kind) {
        case FTL_METRIC_EUCLIDEAN:
            sum += d * d;
            break;
        case FTL_METRIC_CHEBYSHEV:
            sum = fmax(sum, d);
            break;
        case FTL_METRIC_MINKOWSKI:
            sum += pow(d, search->metric.p);
            break;
        default:
            sum += d;
        }
    }
    return sum;
}

static double ball_bound(const ftl_tree_search *search, uint32_t node, const double *x)
{
    const ftl_point_tree *tree = search->op->tree;
    double distance = ftl_metric_between(&search->metric, x,
                                         tree->bounds + node * search->metric.n);
    return ftl_metric_reduce(&search->metric, fmax(0, distance - tree->nodes[node].radius));
}

/* The least reduced distance that a point of the node can have. */
static double bound_of(const ftl_tree_search *search, uint32_t node, const double *x)
{
    return search->op->search == FTL_SEARCH_KD_TREE ? box_bound(search, node, x)
                                                    : ball_bound(search, node, x);
}

/* As deep as the tree: the number of a node doubles with each level, so at most 32. */
static void visit(const ftl_tree_search *search, uint32_t at, double bound, const double *x,
                  const ftl_neighbor_heap *heap, double *room)
{
    const ftl_point_tree *tree = search->op->tree;
    const ftl_point_node *node = &tree->nodes[at];
    if (bound > heap->value[0])
        return;
    if (node->is_leaf) {
        uint32_t count = node->end - node->start;
        ftl_metric_reduced(&search->metric, 1, x, search->packed + search->leaf_at[at],
                           ftl_distance_groups(count), room, 0);
        ftl_heap_push_all(heap, room, count, tree->order + node->start, 0);
        return;
    }
    uint32_t left = 2 * at + 1, right = left + 1;
    double to_left = bound_of(search, left, x), to_right = bound_of(search, right, x);
    bool left_first = to_left <= to_right;
    visit(search, left_first ? left : right, left_first ? to_left : to_right, x, heap, room);
    visit(search, left_first ? right : left, left_first ? to_right : to_left, x, heap, room);
}

void ftl_tree_search_run(const ftl_tree_search *search, const double *x,
                         const ftl_neighbor_heap *heap, double *room)
{
    ftl_heap_start(heap, INFINITY);
    visit(search, 0, bound_of(search, 0, x), x, heap, room);
}
