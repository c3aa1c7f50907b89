#include "estimators/trees/tree_nodes.h"

#include "base/checked.h"

#include <string.h>

static const char *const tree_required[] = {"left_child", "right_child", "feature", "threshold",
                                            NULL};
static const char *const tree_optional[] = {"missing_go_to_left", NULL};
/* Importances are made of impurities, path lengths of numbers of samples. */
static const char *const tree_wanted_whole[] = {"SelectFromModel", "IsolationForest", NULL};
static const char *const predictor_required[] = {"value", "feature_idx", "left",
                                                 "right", "is_leaf",     NULL};
static const char *const predictor_optional[] = {
    "num_threshold", "threshold", "missing_go_to_left", "is_categorical", "bitset_idx", NULL};

/* What else nodes have, which their predictions do not depend on. */
static const char *const tree_ignored[] = {"impurity", "n_node_samples", "weighted_n_node_samples",
                                           NULL};
static const char *const predictor_ignored[] = {"count", "gain", "depth", "bin_threshold", NULL};

const ftl_pickle_projection ftl_tree_projections[FTL_TREE_PROJECTIONS] = {
    {.required = tree_required,
     .optional = tree_optional,
     .ignored = tree_ignored,
     .narrow = true,
     .companion = "values",
     .chooser = "left_child", /* only leaves need their values */
     .unless = tree_wanted_whole},
    {.required = predictor_required, .optional = predictor_optional, .ignored = predictor_ignored},
};

/* ---- Reading a Tree ---------------------------------------------------------------------------------------------------- */

static ftl_status damaged(const char *path, const char *what, ftl_error *error)
{
    ftl_error_set(error, FTL_CORRUPT, "%s: the file is damaged", what);
    ftl_error_in(error, path);
    return FTL_CORRUPT;
}

static const ftl_dtype_field *number_field(const ftl_dtype *dtype, const char *name, char kind,
                                           uint32_t size)
{
    const ftl_dtype_field *field = ftl_dtype_find_field(dtype, name);
    bool fits = field && field->dtype->n_fields == 0 && field->dtype->kind == kind &&
                (field->dtype->item_size == size ||
                 (kind == 'i' && field->dtype->item_size == 4)) &&
                field->offset <= dtype->item_size &&
                field->dtype->item_size <= dtype->item_size - field->offset;
    return fits ? field : NULL;
}

/* The parts of a Tree's state. */
static ftl_status check_parts(const ftl_node *tree, const char *path, ftl_error *error)
{
    static const char *const known[] = {"max_depth", "node_count", "nodes", "values"};
    const ftl_node *state = tree->u.object->state;
    for (size_t i = 0; state && state->kind == FTL_NODE_DICT && i < state->u.dict.size; i++) {
        size_t k = 0;
        ftl_node_string key = {"", 0};
        while (k < FTL_ARRAY_LEN(known) && !ftl_node_str_equal(state->u.dict.keys[i], known[k]))
            k++;
        if (k < FTL_ARRAY_LEN(known))
            continue;
        (void)ftl_node_as_str(state->u.dict.keys[i], &key);
        ftl_error_set(error, FTL_UNSUPPORTED,
                      "tree_ has a part '%.60s' that is not known here: the library that wrote the "
                      "model is newer than those that are supported",
                      key.data);
        ftl_error_in(error, path);
        return FTL_UNSUPPORTED;
    }
    return FTL_OK;
}

static ftl_status check_fields(const ftl_node *nodes, const char *path, ftl_error *error)
{
    static const char *const known[] = {"left_child",
                                        "right_child",
                                        "feature",
                                        "threshold",
                                        "missing_go_to_left",
                                        "impurity",
                                        "n_node_samples",
                                        "weighted_n_node_samples",
                                        NULL};
    if (!nodes || nodes->kind != FTL_NODE_ARRAY)
        return FTL_OK;
    return ftl_expect_fields(nodes->u.array, known, "the nodes of tree_", path, error);
}

ftl_status ftl_tree_expect_known(const ftl_node *tree, const char *path, ftl_error *error)
{
    FTL_TRY(check_parts(tree, path, error));
    return check_fields(ftl_node_attr(tree, "nodes"), path, error);
}

static ftl_status read_nodes(const ftl_node *nodes, const char *path, ftl_tree_view *out,
                             ftl_error *error)
{
    if (!nodes || nodes->kind != FTL_NODE_ARRAY || nodes->u.array->ndim != 1 ||
        nodes->u.array->dtype->n_fields == 0)
        return damaged(path, "tree_.nodes is not an array of nodes", error);
    const ftl_node_array *array = nodes->u.array;
    const ftl_dtype *dtype = array->dtype;
    out->left = number_field(dtype, "left_child", 'i', 8);
    out->right = number_field(dtype, "right_child", 'i', 8);
    out->feature = number_field(dtype, "feature", 'i', 8);
    out->threshold = number_field(dtype, "threshold", 'f', 8);
    out->missing = number_field(dtype, "missing_go_to_left", 'u', 1);
    if (!out->left || !out->right || !out->feature || !out->threshold ||
        out->left->dtype->item_size != out->right->dtype->item_size ||
        out->left->dtype->item_size != out->feature->dtype->item_size)
        return damaged(path, "the nodes of tree_ lack a field", error);
    if (array->size == 0 || array->size > INT32_MAX || !array->data)
        return damaged(path, "tree_ has no nodes, or too many", error);
    out->n_nodes = (uint32_t)array->size;
    out->nodes = array->data;
    out->stride = dtype->item_size;
    return FTL_OK;
}

/* Rows for all nodes, or for their leaves alone: then join_tree sees that they are as many. */
static bool has_rows(const ftl_node_array *values, const ftl_node_array *nodes)
{
    return values->rows_of ? values->rows_of == nodes : values->shape[0] == nodes->size;
}

static ftl_status read_values(const ftl_node *values, const ftl_node_array *nodes, const char *path,
                              uint32_t n_outputs, ftl_tree_view *out, ftl_error *error)
{
    const ftl_node_array *array = values && values->kind == FTL_NODE_ARRAY ? values->u.array : NULL;
    if (!array || array->ndim != 3 || array->dtype->kind != 'f' || array->dtype->item_size != 8 ||
        !array->data)
        return damaged(path, "tree_.values is not an array of float64 with three axes", error);
    if (!has_rows(array, nodes) || array->shape[1] != n_outputs || array->shape[2] == 0 ||
        array->shape[2] > UINT32_MAX || array->size == 0 ||
        array->size / array->shape[0] / n_outputs != array->shape[2])
        return damaged(path, "tree_.values does not have the shape that its nodes and outputs need",
                       error);
    if (array->fortran && (array->shape[1] > 1 || array->shape[2] > 1) && array->shape[0] > 1)
        return damaged(path, "tree_.values is not in C order", error);
    out->n_outputs = n_outputs;
    out->max_classes = (uint32_t)array->shape[2];
    out->values = array->data;
    out->leaves_only = array->rows_of != NULL;
    out->n_values = array->shape[0];
    return FTL_OK;
}

ftl_status ftl_tree_view_read(const ftl_node *estimator, const char *path, uint32_t n_outputs,
                              ftl_tree_view *out, ftl_error *error)
{
    const ftl_node *tree = ftl_node_attr(estimator, "tree_");
    ftl_tree_view view = {0};
    if (!tree || tree->kind != FTL_NODE_OBJECT || strcmp(tree->u.object->name, "Tree") != 0)
        return damaged(path, "attribute tree_ is missing or not a Tree", error);
    const ftl_node *nodes = ftl_node_attr(tree, "nodes");
    FTL_TRY(ftl_tree_expect_known(tree, path, error));
    FTL_TRY(read_nodes(nodes, path, &view, error));
    FTL_TRY(
        read_values(ftl_node_attr(tree, "values"), nodes->u.array, path, n_outputs, &view, error));
    const ftl_node *depth = ftl_node_attr(tree, "max_depth");
    if (!depth || !ftl_node_as_int(depth, &view.max_depth))
        view.max_depth = 0;
    *out = view;
    return FTL_OK;
}

/* ---- Joining ----------------------------------------------------------------------------------------------------------- */

ftl_status ftl_tree_arrays_make(ftl_build *build, uint32_t n_nodes, ftl_tree_arrays *out,
                                ftl_error *error)
{
    size_t n = n_nodes, bytes = sizeof(double) + 4 * sizeof(int32_t) + 1;
    unsigned char *memory = ftl_mul_size(n, bytes, &bytes)
                                ? ftl_arena_alloc_aligned(build->arena, bytes)
                                : NULL;
    if (!memory)
        return FTL_OOM(error);
    int32_t *integers = (int32_t *)(void *)(memory + n * sizeof(double));
    *out = (ftl_tree_arrays){.threshold = (double *)(void *)memory,
                             .feature = integers,
                             .left = integers + n,
                             .right = integers + 2 * n,
                             .leaf = integers + 3 * n,
                             .flags = (uint8_t *)(integers + 4 * n)};
    return FTL_OK;
}

void ftl_tree_arrays_give(const ftl_tree_arrays *from, ftl_tree_nodes *nodes)
{
    nodes->threshold = from->threshold;
    nodes->feature = from->feature;
    nodes->left = from->left;
    nodes->right = from->right;
    nodes->leaf = from->leaf;
    nodes->flags = from->flags;
}

typedef struct joined {
    ftl_tree_arrays arrays;
    double *values;
    uint32_t n_nodes, n_leaves, room_leaves;
    uint32_t *leaf_ids; /* of the tree in hand */
    uint32_t tree_leaves;
} joined;

static inline int64_t read_integer(const unsigned char *at, bool wide)
{
    int64_t long_value;
    int32_t short_value;
    if (wide) {
        memcpy(&long_value, at, sizeof long_value);
        return long_value;
    }
    memcpy(&short_value, at, sizeof short_value);
    return short_value;
}

/*
 * Appends a tree's nodes and lists its leaves. Half of the nodes are leaves, so that a branch on it
 * would be mispredicted often: there is none. False when a number does not fit; the validator
 * proves the rest.
 */
static inline __attribute__((always_inline)) bool join_nodes(joined *to, const ftl_tree_view *view,
                                                             bool wide, bool has_missing)
{
    /* Locals and restrict: the compiler sees that what the loop writes does not change what it
     * reads. */
    uint32_t first = to->n_nodes, n = view->n_nodes, leaves = 0, row = to->n_leaves;
    int64_t bits = 0; /* of all numbers of splits */
    int32_t *restrict lefts = to->arrays.left + first, *restrict rights = to->arrays.right + first;
    int32_t *restrict features = to->arrays.feature + first;
    int32_t *restrict leaf = to->arrays.leaf + first;
    double *restrict thresholds = to->arrays.threshold + first;
    uint8_t *restrict flags = to->arrays.flags + first;
    uint32_t *restrict leaf_ids = to->leaf_ids;
    const unsigned char *node = view->nodes;
    size_t stride = view->stride, at_left = view->left->offset, at_right = view->right->offset,
           at_feature = view->feature->offset, at_threshold = view->threshold->offset,
           at_missing = has_missing ? view->missing->offset : 0;
    for (uint32_t i = 0; i < n; i++, node += stride) {
        int64_t left = read_integer(node + at_left, wide),
                right = read_integer(node + at_right, wide),
                feature = read_integer(node + at_feature, wide);
        uint32_t split = left != -1;
        int32_t mask = -(int32_t)split;
        bits |= (left | right | feature) & mask;
        lefts[i] = (int32_t)left & mask;
        rights[i] = (int32_t)right & mask;
        features[i] = (int32_t)feature & mask;
        leaf[i] = (int32_t)(row + leaves) | mask;
        uint32_t missing = has_missing ? split & (node[at_missing] != 0) : 0;
        flags[i] = (uint8_t)((split ^ 1) | missing * FTL_NODE_MISSING_LEFT);
        memcpy(&thresholds[i], node + at_threshold, sizeof(double));
        leaf_ids[leaves] = i;
        leaves += split ^ 1;
    }
    to->n_nodes += n;
    to->tree_leaves = leaves;
    return (uint64_t)bits <= INT32_MAX && leaves <= to->room_leaves - to->n_leaves;
}

static bool join_any_nodes(joined *to, const ftl_tree_view *view)
{
    bool wide = view->left->dtype->item_size == 8;
    if (view->missing)
        return wide ? join_nodes(to, view, true, true) : join_nodes(to, view, false, true);
    return wide ? join_nodes(to, view, true, false) : join_nodes(to, view, false, false);
}

/* The values of the n leaves whose ids were listed. */
static void write_leaves(joined *to, const ftl_tree_view *view, const ftl_tree_leaves *leaves,
                         uint32_t n)
{
    size_t step = (size_t)view->n_outputs * view->max_classes;
    double *out = to->values + (size_t)to->n_leaves * leaves->width;
    if (leaves->plain && view->leaves_only && step == leaves->width) {
        memcpy(out, view->values, n * step * sizeof *out);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        leaves->write(leaves->user, view->values + (view->leaves_only ? i : to->leaf_ids[i]) * step,
                      out + (size_t)i * leaves->width);
}

static bool join_tree(joined *to, const ftl_tree_view *view, const ftl_tree_leaves *leaves)
{
    if (!join_any_nodes(to, view))
        return false;
    uint32_t n = to->tree_leaves;
    if (n > view->n_values || (view->leaves_only && n != view->n_values))
        return false;
    write_leaves(to, view, leaves, n);
    to->n_leaves += n;
    return true;
}

ftl_status ftl_tree_views_join(ftl_build *build, const ftl_tree_view *views, uint32_t n,
                               const ftl_tree_leaves *leaves, const char *path,
                               ftl_tree_nodes **out, ftl_error *error)
{
    uint32_t *root = ftl_arena_array(build->arena, (size_t)n + 1, sizeof *root), total = 0;
    ftl_tree_nodes *nodes = FTL_ARENA_NEW(build->arena, ftl_tree_nodes);
    joined to = {0};
    uint32_t largest = 0;
    if (!root || !nodes)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        root[t] = total;
        largest = views[t].n_nodes > largest ? views[t].n_nodes : largest;
        /* In a binary tree the leaves are one more than the splits. */
        to.room_leaves += views[t].n_nodes / 2 + 1;
        if (__builtin_add_overflow(total, views[t].n_nodes, &total) || total > INT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "the trees have more than 2 billion nodes");
    }
    root[n] = total;
    FTL_TRY(ftl_tree_arrays_make(build, total, &to.arrays, error));
    to.values = ftl_arena_array(build->arena, to.room_leaves, leaves->width * sizeof *to.values);
    to.leaf_ids = ftl_arena_array(build->scratch, largest, sizeof *to.leaf_ids);
    if (!to.values || !to.leaf_ids)
        return FTL_OOM(error);
    ftl_tree_leaves own = *leaves;
    for (uint32_t t = 0; t < n; t++) {
        if (leaves->user_step)
            own.user = (const unsigned char *)leaves->user + t * leaves->user_step;
        if (!join_tree(&to, &views[t], &own))
            return damaged(path, "the nodes of a tree do not form one", error);
    }
    *nodes = (ftl_tree_nodes){.n_trees = n,
                              .n_nodes = total,
                              .root = root,
                              .n_values = to.n_leaves,
                              .value_width = leaves->width,
                              .values = to.values};
    ftl_tree_arrays_give(&to.arrays, nodes);
    ftl_tree_nodes_count(nodes);
    *out = nodes;
    return FTL_OK;
}

const ftl_tree_nodes *ftl_tree_nodes_emitted(const ftl_build *build, const ftl_estimator *e,
                                             ftl_op_kind kind)
{
    for (size_t i = 0; i < build->n_ops; i++) {
        const ftl_op *op = &build->ops[i];
        if (op->kind == kind && strcmp(op->path, e->path) == 0)
            return kind == FTL_OP_TREES ? op->u.trees.nodes : op->u.tree_apply.nodes;
    }
    return NULL;
}

/* ---- Targets and leaves ------------------------------------------------------------------------------------------------ */

/* Up to 0.21 several targets are predicted into an array of floats. */
static ftl_status labels_as_floats(ftl_build *build, const ftl_labels **labels, ftl_error *error)
{
    const ftl_labels *from = *labels;
    if (from->type != FTL_I64 && from->type != FTL_BOOL)
        return FTL_OK;
    ftl_labels *made = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, from->count, sizeof *cells);
    if (!made || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < from->count; i++)
        cells[i] = (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = (double)from->cells[i].u.integer};
    *made = (ftl_labels){.type = FTL_F64, .count = from->count, .cells = cells};
    *labels = made;
    return FTL_OK;
}

static ftl_status read_labels(ftl_build *build, const ftl_estimator *e, ftl_tree_targets *out,
                              ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    ftl_node **items = NULL;
    size_t count = 0;
    if (out->n_outputs > 1) {
        FTL_TRY(ftl_attr_items(e, "classes_", &items, &count, error));
        if (count != out->n_outputs)
            return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT,
                                 "%zu lists of classes were found for %u outputs", count,
                                 out->n_outputs);
    }
    for (uint32_t k = 0; k < out->n_outputs; k++) {
        ftl_status status = ftl_node_labels(build, items ? items[k] : classes, &out->labels[k],
                                            error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "classes_");
            return status;
        }
        out->n_classes[k] = out->labels[k]->count;
        if (__builtin_add_overflow(out->width, out->n_classes[k], &out->width))
            return FTL_ATTR_FAIL(error, e, "classes_", FTL_LIMIT, "there are too many classes");
    }
    return FTL_OK;
}

ftl_status ftl_tree_targets_read(ftl_build *build, const ftl_estimator *e, bool classifier,
                                 ftl_tree_targets *out, ftl_error *error)
{
    int64_t n_outputs = 1;
    FTL_TRY(ftl_attr_int(e, "n_outputs_", 1, &n_outputs, error));
    if (n_outputs < 1 || n_outputs > 1 << 20)
        return FTL_ATTR_FAIL(error, e, "n_outputs_", FTL_CORRUPT, "n_outputs_ is %lld",
                             (long long)n_outputs);
    *out = (ftl_tree_targets){
        .classifier = classifier, .n_outputs = (uint32_t)n_outputs, .version = e->version};
    if (!classifier) {
        out->width = out->n_outputs;
        return FTL_OK;
    }
    out->n_classes = ftl_arena_zero_array(build->arena, out->n_outputs, sizeof *out->n_classes);
    out->labels = ftl_arena_zero_array(build->arena, out->n_outputs, sizeof *out->labels);
    if (!out->n_classes || !out->labels)
        return FTL_OOM(error);
    return read_labels(build, e, out, error);
}

ftl_status ftl_tree_targets_views(ftl_build *build, const ftl_estimator *e,
                                  ftl_tree_targets *targets, ftl_node *const *estimators,
                                  uint32_t n, ftl_tree_view **out, ftl_error *error)
{
    ftl_tree_view *views = ftl_arena_array(build->scratch, n, sizeof *views);
    if (!views)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        const char *path = estimators[t] == e->node
                               ? e->path
                               : ftl_child_path(build, e, "estimators_[%u]", t);
        if (!path)
            return FTL_OOM(error);
        FTL_TRY(ftl_tree_view_read(estimators[t], path, targets->n_outputs, &views[t], error));
        targets->max_classes = views[0].max_classes;
        bool fits = views[t].max_classes == views[0].max_classes;
        for (uint32_t k = 0; k < targets->n_outputs && targets->classifier; k++)
            fits &= targets->n_classes[k] <= views[t].max_classes;
        if (!fits)
            return damaged(path, "tree_.values does not have the classes of the estimator", error);
    }
    *out = views;
    return FTL_OK;
}

/* numpy's sum of a short row: pairwise, in blocks of eight up to 128. */
static double numpy_sum(const double *a, size_t n)
{
    if (n < 8) {
        double sum = 0.0;
        for (size_t i = 0; i < n; i++)
            sum += a[i];
        return sum;
    }
    if (n <= 128) {
        double r[8];
        size_t i;
        memcpy(r, a, sizeof r);
        for (i = 8; i < n - n % 8; i += 8) {
            for (size_t j = 0; j < 8; j++)
                r[j] += a[i + j];
        }
        double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
        for (; i < n; i++)
            sum += a[i];
        return sum;
    }
    /* Halving ends after log2(n) levels. */
    size_t half = n / 2 - n / 2 % 8;
    return numpy_sum(a, half) + numpy_sum(a + half, n - half);
}

void ftl_leaf_probabilities(const void *user, const double *from, double *to)
{
    const ftl_tree_targets *targets = user;
    for (uint32_t k = 0; k < targets->n_outputs; k++, from += targets->max_classes) {
        uint32_t n = targets->n_classes[k];
        double sum = targets->version < FTL_SKLEARN(1, 4) ? numpy_sum(from, n) : 1.0;
        if (sum == 0.0)
            sum = 1.0;
        for (uint32_t i = 0; i < n; i++)
            *to++ = from[i] / sum;
    }
}

void ftl_leaf_classes(const void *user, const double *from, double *to)
{
    const ftl_tree_targets *targets = user;
    for (uint32_t k = 0; k < targets->n_outputs; k++, from += targets->max_classes) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < targets->n_classes[k]; i++) {
            if (from[i] > from[best])
                best = i;
        }
        *to++ = best;
    }
}

void ftl_leaf_means(const void *user, const double *from, double *to)
{
    const ftl_tree_targets *targets = user;
    for (uint32_t k = 0; k < targets->n_outputs; k++)
        *to++ = from[(size_t)k * targets->max_classes];
}

/* ---- Results ----------------------------------------------------------------------------------------------------------- */

ftl_status ftl_tree_result_proba(ftl_build *build, uint32_t op, const ftl_tree_targets *targets,
                                 ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, op, NULL, &frame, error));
    uint32_t at = 0;
    for (uint32_t k = 0; k < targets->n_outputs; k++) {
        for (uint32_t i = 0; i < targets->n_classes[k]; i++, at++) {
            frame.columns[at].labels = targets->labels[k];
            frame.columns[at].label = i;
            frame.columns[at].target = k;
        }
    }
    frame.n_targets = targets->n_outputs;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_tree_result_classes(ftl_build *build, const uint32_t *ids, const uint32_t *columns,
                                   const ftl_tree_targets *targets, ftl_frame *out,
                                   ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_new(build, targets->n_outputs, &frame, error));
    for (uint32_t k = 0; k < targets->n_outputs; k++) {
        const ftl_labels *labels = targets->labels[k];
        if (targets->n_outputs > 1 && targets->version < FTL_SKLEARN(0, 22))
            FTL_TRY(labels_as_floats(build, &labels, error));
        frame.columns[k] = (ftl_frame_column){
            .op = ids[k], .column = columns[k], .as = FTL_AS_LABEL, .labels = labels, .target = k};
    }
    frame.n_targets = targets->n_outputs;
    *out = frame;
    return FTL_OK;
}

ftl_status ftl_tree_result_apply(ftl_build *build, uint32_t op, ftl_as as, ftl_frame *out,
                                 ftl_error *error)
{
    ftl_frame frame;
    FTL_TRY(ftl_frame_of_op(build, op, NULL, &frame, error));
    for (uint32_t i = 0; i < frame.n_columns; i++)
        frame.columns[i].as = as;
    frame.n_targets = 1;
    *out = frame;
    return FTL_OK;
}

/* ---- Operations -------------------------------------------------------------------------------------------------------- */

ftl_status ftl_tree_emit_on(ftl_build *build, const ftl_estimator *e, uint32_t source,
                            const ftl_tree_nodes *nodes, uint32_t width, uint32_t *id,
                            ftl_trees_op **op, ftl_error *error)
{
    ftl_op *made = NULL;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, source, width, id, &made, error));
    made->dtype = FTL_DTYPE_F64;
    made->u.trees = (ftl_trees_op){.nodes = nodes, .input = FTL_TREE_INPUT_F32, .divisor = 1.0};
    *op = &made->u.trees;
    return FTL_OK;
}

ftl_status ftl_tree_emit_sum(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             uint32_t refuse, const ftl_tree_nodes *nodes, uint32_t width,
                             uint32_t *id, ftl_trees_op **op, ftl_error *error)
{
    uint32_t source = 0;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &source, error));
    return ftl_tree_emit_on(build, e, source, nodes, width, id, op, error);
}

ftl_status ftl_tree_emit_apply(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               uint32_t refuse, const ftl_tree_nodes *nodes, ftl_as as,
                               ftl_frame *out, ftl_error *error)
{
    uint32_t source = 0, id = 0;
    ftl_op *made = NULL;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &source, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREE_APPLY, source, nodes->n_trees, &id, &made, error));
    made->dtype = FTL_DTYPE_F64;
    made->u.tree_apply = (ftl_tree_apply_op){.nodes = nodes, .input = FTL_TREE_INPUT_F32};
    return ftl_tree_result_apply(build, id, as, out, error);
}

/* 12345 → "12,345". */
static const char *with_commas(ftl_arena *arena, uint64_t n)
{
    char text[32];
    size_t at = sizeof text, digits = 0;
    do {
        if (digits && digits % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + n % 10);
        digits++;
    } while (n /= 10);
    return ftl_arena_string(arena, text + at, sizeof text - at);
}

const char *ftl_tree_summary(ftl_build *build, size_t n_trees, uint64_t n_nodes, int64_t depth,
                             size_t n_classes)
{
    const char *count = with_commas(build->arena, n_trees),
               *size = with_commas(build->arena, n_nodes), *text = NULL;
    if (count && size)
        text = ftl_arena_printf(build->arena, "%s tree%s, %s nodes", count, n_trees == 1 ? "" : "s",
                                size);
    if (text && depth >= 0)
        text = ftl_arena_printf(build->arena, "%s, depth %lld", text, (long long)depth);
    if (text && n_classes > 0)
        text = ftl_arena_printf(build->arena, "%s, %zu classes", text, n_classes);
    return text;
}

ftl_status ftl_tree_emit_log(ftl_build *build, const ftl_estimator *e,
                             const ftl_tree_targets *targets, const ftl_frame *in, ftl_frame *out,
                             ftl_error *error)
{
    ftl_frame proba;
    uint32_t id = 0;
    ftl_op *op = NULL;
    FTL_TRY(ftl_emit(build, e, FTL_PREDICT_PROBA, in, &proba, error));
    FTL_TRY(
        ftl_build_on(build, e, FTL_OP_LINK, proba.columns[0].op, proba.n_columns, &id, &op, error));
    op->u.link.link = FTL_LINK_LOG;
    return ftl_tree_result_proba(build, id, targets, out, error);
}

const char *ftl_tree_detail(ftl_build *build, ftl_node *const *estimators, size_t n,
                            size_t n_classes)
{
    uint64_t total = 0;
    int64_t depth = 0;
    for (size_t t = 0; t < n; t++) {
        const ftl_node *tree = ftl_node_attr(estimators[t], "tree_");
        const ftl_node *nodes = tree ? ftl_node_attr(tree, "nodes") : NULL,
                       *deepest = tree ? ftl_node_attr(tree, "max_depth") : NULL;
        int64_t own = 0;
        total += ftl_node_length(nodes);
        if (deepest && ftl_node_as_int(deepest, &own) && own > depth)
            depth = own;
    }
    return ftl_tree_summary(build, n, total, depth, n_classes);
}

/* ---- Missing values ---------------------------------------------------------------------------------------------------- */

static bool criterion_in(const ftl_estimator *e, const char *const *names)
{
    for (; *names; names++) {
        if (ftl_attr_is(e, "criterion", *names))
            return true;
    }
    return false;
}

/*
 * The library's _support_missing_values: single trees from 1.3 on. Up to 1.8 it names criteria, up
 * to 1.5 best splits only; ExtraTreeRegressor of 1.6 inherits the rule of DecisionTreeRegressor
 * through a slip in its tags.
 */
static bool takes_nan(const ftl_estimator *e, bool extra_tree, bool classifier)
{
    bool best = ftl_attr_is(e, "splitter", "best"), random = ftl_attr_is(e, "splitter", "random");
    if (e->version < FTL_SKLEARN(1, 3))
        return false;
    if (e->version >= FTL_SKLEARN(1, 9))
        return !extra_tree || random;
    if (e->version >= FTL_SKLEARN(1, 4) && !ftl_node_is_none(ftl_attr(e, "monotonic_cst")))
        return false;
    bool criterion = classifier
                         ? criterion_in(e, FTL_NAMES("gini", "log_loss", "entropy"))
                         : criterion_in(e, FTL_NAMES("squared_error", "friedman_mse", "poisson"));
    if (e->version < FTL_SKLEARN(1, 6))
        return best && criterion;
    bool inherits = !extra_tree || (!classifier && e->version < FTL_SKLEARN(1, 7));
    return criterion && (random || (best && inherits));
}

uint32_t ftl_tree_refusals(const ftl_estimator *e, bool extra_tree, bool classifier)
{
    uint32_t refuse = FTL_CHECK_INF | FTL_CHECK_F32_RANGE;
    return takes_nan(e, extra_tree, classifier) ? refuse : refuse | FTL_CHECK_NAN;
}
