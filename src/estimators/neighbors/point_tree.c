/*
 * scikit-learn's KDTree and BallTree as pickled: newObj(class) with the state (data, order of the
 * points, nodes, bounds, leaf_size, n_levels, n_nodes, four counters, metric, weights). The layout
 * is the same in all versions; the classes are KDTree and KDTree64, and so on, from 1.4 on.
 */
#include "base/checked.h"
#include "estimators/neighbors/neighbors.h"

#include <math.h>
#include <string.h>

enum { state_data, state_order, state_nodes, state_bounds, state_size = 12 };

static ftl_status damaged(const ftl_estimator *e, const char *what, ftl_error *error)
{
    return FTL_ATTR_FAIL(error, e, "_tree", FTL_CORRUPT, "the tree's %s are damaged", what);
}

static const ftl_node_array *array_of(const ftl_node *node, uint32_t ndim)
{
    bool array = node && node->kind == FTL_NODE_ARRAY && node->u.array->ndim == ndim &&
                 !node->u.array->objects;
    return array ? node->u.array : NULL;
}

/* The state's items; the class of the tree says what its bounds are. */
static ftl_status tree_state(const ftl_estimator *e, ftl_neighbor_search search, ftl_node ***items,
                             ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "_tree");
    const char *wanted = search == FTL_SEARCH_KD_TREE ? "KDTree" : "BallTree", *name = "";
    char text[160];
    const ftl_node_object *object = node && node->kind == FTL_NODE_OBJECT ? node->u.object : NULL;
    if (object)
        name = object->name;
    if (strcmp(name, "BinaryTree") == 0) /* their name before 0.20, in modules of their own */
        name = strstr(object->module, "kd_tree")     ? "KDTree"
               : strstr(object->module, "ball_tree") ? "BallTree"
                                                     : name;
    if (strncmp(name, wanted, strlen(wanted)) != 0 || !object->state ||
        object->state->kind != FTL_NODE_TUPLE || object->state->u.seq.size < state_size)
        return FTL_ATTR_FAIL(error, e, "_tree", FTL_CORRUPT, "%s was found where a %s was expected",
                             ftl_node_describe(node, text, sizeof text), wanted);
    *items = object->state->u.seq.items;
    return FTL_OK;
}

static ftl_status read_order(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                             uint32_t n, const uint32_t **out, ftl_error *error)
{
    const ftl_node_array *array = array_of(node, 1);
    uint32_t *order = ftl_arena_array(build->arena, n, sizeof *order);
    if (!order)
        return FTL_OOM(error);
    if (!array || array->size != n)
        return damaged(e, "points", error);
    for (uint32_t i = 0; i < n; i++) {
        int64_t at = -1;
        if (!ftl_array_i64_at(array, i, &at) || at < 0 || at >= n)
            return damaged(e, "points", error);
        order[i] = (uint32_t)at;
    }
    *out = order;
    return FTL_OK;
}

static bool read_index(const unsigned char *from, const ftl_dtype_field *field, int64_t *out)
{
    if (!field || !strchr("iu", field->dtype->kind) || field->dtype->item_size != sizeof *out)
        return false;
    memcpy(out, from + field->offset, sizeof *out);
    return true;
}

static bool read_node(const ftl_node_array *array, size_t i, uint32_t n_points, ftl_point_node *out)
{
    const ftl_dtype *dtype = array->dtype;
    const unsigned char *from = (const unsigned char *)array->data + i * dtype->item_size;
    const ftl_dtype_field *radius = ftl_dtype_find_field(dtype, "radius");
    int64_t start = 0, end = 0, leaf = 0;
    if (!read_index(from, ftl_dtype_find_field(dtype, "idx_start"), &start) ||
        !read_index(from, ftl_dtype_find_field(dtype, "idx_end"), &end) ||
        !read_index(from, ftl_dtype_find_field(dtype, "is_leaf"), &leaf) || !radius ||
        radius->dtype->kind != 'f' || radius->dtype->item_size != sizeof out->radius)
        return false;
    if (start < 0 || end < start || end > n_points)
        return false;
    *out = (ftl_point_node){.start = (uint32_t)start, .end = (uint32_t)end, .is_leaf = leaf != 0};
    memcpy(&out->radius, from + radius->offset, sizeof out->radius);
    return true;
}

static ftl_status read_nodes(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                             uint32_t n_points, ftl_point_tree *out, ftl_error *error)
{
    static const char *const known[] = {"idx_start", "idx_end", "is_leaf", "radius", NULL};
    const ftl_node_array *array = array_of(node, 1);
    if (!array || array->size == 0 || array->size > INT32_MAX || !array->data)
        return damaged(e, "nodes", error);
    FTL_TRY(ftl_expect_fields(array, known, "the nodes of _tree", e->path, error));
    ftl_point_node *nodes = ftl_arena_array(build->arena, array->size, sizeof *nodes);
    if (!nodes)
        return FTL_OOM(error);
    for (size_t i = 0; i < array->size; i++) {
        if (!read_node(array, i, n_points, &nodes[i]))
            return damaged(e, "nodes", error);
    }
    out->nodes = nodes;
    out->nodes_count = array->size;
    out->n_nodes = (uint32_t)array->size;
    return FTL_OK;
}

static ftl_status read_bounds(ftl_build *build, const ftl_estimator *e, const ftl_node *node,
                              size_t sides, size_t n_features, ftl_point_tree *out,
                              ftl_error *error)
{
    const ftl_node_array *array = array_of(node, 3);
    if (!array || array->shape[0] != sides || array->shape[1] != out->n_nodes ||
        array->shape[2] != n_features)
        return damaged(e, "bounds", error);
    double *bounds = ftl_arena_array(build->arena, array->size, sizeof *bounds);
    if (!bounds)
        return FTL_OOM(error);
    for (size_t i = 0; i < array->size; i++) {
        if (!ftl_array_f64_at(array, i, &bounds[i]))
            return damaged(e, "bounds", error);
    }
    out->bounds = bounds;
    out->bounds_count = array->size;
    return FTL_OK;
}

ftl_status ftl_point_tree_read(ftl_build *build, const ftl_estimator *e, size_t n_features,
                               ftl_neighbors_op *op, ftl_error *error)
{
    ftl_node **items = NULL;
    ftl_array2 points = {0};
    ftl_point_tree *tree = FTL_ARENA_NEW(build->arena, ftl_point_tree);
    if (!tree)
        return FTL_OOM(error);
    FTL_TRY(tree_state(e, op->search, &items, error));
    ftl_status status = ftl_node_matrix(build, items[state_data], &points, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "_tree");
        return status;
    }
    if (points.rows != op->n_points || points.columns != n_features)
        return damaged(e, "points", error);
    FTL_TRY(read_order(build, e, items[state_order], op->n_points, &tree->order, error));
    tree->order_count = op->n_points;
    FTL_TRY(read_nodes(build, e, items[state_nodes], op->n_points, tree, error));
    FTL_TRY(read_bounds(build, e, items[state_bounds], op->search == FTL_SEARCH_KD_TREE ? 2 : 1,
                        n_features, tree, error));
    op->points = points.data;
    op->points_count = points.rows * points.columns;
    op->tree = tree;
    return FTL_OK;
}
