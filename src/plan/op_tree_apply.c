/*
 * TREE_APPLY: the leaf that a row reaches in each tree: its id as the library counts the tree's
 * nodes, or its number among the tree's leaves.
 *
 * Where a plan sums the leaf values of the same ensemble, the trees are packed once, for those
 * sums; what they tell of a leaf, its row of values, is turned into what is asked for here.
 */
#include "plan/tree_layout.h"

#include <string.h>

typedef struct apply_state {
    const ftl_tree_layout *layout;
    /* Of an ensemble that is packed for sums, one of both; else the number is the result: */
    const uint32_t *shift; /* [n_trees] added to the number */
    const uint32_t *ids;   /* node ids by row of values */
} apply_state;

static void store_leaves(const apply_state *state, uint32_t tree, const uint32_t *leaf, uint32_t n,
                         double *out, size_t width)
{
    uint32_t shift = state->shift ? state->shift[tree] : 0;
    const uint32_t *ids = state->ids ? state->ids + state->layout->bases[tree] : NULL;
    for (uint32_t r = 0; r < n; r++)
        out[r * width] = ids ? ids[leaf[r]] : leaf[r] + shift;
}

static void run_tree_apply(const ftl_step *step, ftl_exec *exec)
{
    const apply_state *state = step->state;
    const ftl_tree_layout *layout = state->layout;
    unsigned char *scratch = ftl_scratch(step, exec);
    uint32_t width = step->op->width;
    bool is_f32;
    ftl_tree_source source = {.matrix = ftl_matrix_source(step, exec, &is_f32)};
    if (ftl_by_columns(ftl_source_step(step, exec, 0), exec))
        source.column_stride = exec->rows;
    for (uint32_t first = 0; first < exec->rows; first += layout->block) {
        uint32_t n = exec->rows - first < layout->block ? exec->rows - first : layout->block;
        ftl_tree_rows rows = ftl_tree_rows_make(layout, exec->plan->kernels, &source, first, n,
                                                scratch);
        uint32_t *leaf = (uint32_t *)(void *)(scratch + ftl_tree_room_bytes(layout, n));
        double *out = (double *)ftl_slot(step, exec) + (size_t)first * width;
        for (uint32_t t = 0; t < width; t++) {
            ftl_tree_rows_walk(layout, t, &rows, leaf);
            store_leaves(state, t, leaf, n, out + t, width);
        }
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

/* A needed step that sums leaf values of the same trees over rows of the same source, or NULL. */
static const ftl_op *find_sums(const ftl_plan *plan, const ftl_step *step)
{
    const ftl_tree_apply_op *apply = &step->op->u.tree_apply;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const ftl_op *op = &plan->model->graph.ops[i];
        if (plan->steps[i].methods && op->kind == FTL_OP_TREES &&
            op->u.trees.nodes == apply->nodes && op->u.trees.input == apply->input &&
            op->segments[0].op == step->op->segments[0].op)
            return op;
    }
    return NULL;
}

/* ids[row of values] = the node that has it; NULL when two leaves share a row. */
static ftl_status map_rows(ftl_plan *plan, const ftl_tree_nodes *nodes, uint32_t **out,
                           ftl_error *error)
{
    uint32_t *ids = ftl_blob_data(&plan->blob, nodes->n_values, sizeof *ids);
    if (!ids)
        return FTL_OOM(error);
    memset(ids, 0xff, nodes->n_values * sizeof *ids);
    for (uint32_t t = 0; t < nodes->n_trees; t++) {
        for (uint32_t i = nodes->root[t]; i < nodes->root[t + 1]; i++) {
            if (!(nodes->flags[i] & FTL_NODE_LEAF))
                continue;
            uint32_t row = (uint32_t)nodes->leaf[i];
            if (ids[row] != UINT32_MAX) {
                ftl_blob_drop(&plan->blob, ids);
                return FTL_OK;
            }
            ids[row] = i - nodes->root[t];
        }
    }
    *out = ids;
    return FTL_OK;
}

/* What leads from numbers of the layout for sums to the ones asked for. */
static ftl_status make_shift(ftl_plan *plan, const ftl_tree_apply_op *op, apply_state *state,
                             ftl_error *error)
{
    const ftl_tree_nodes *nodes = op->nodes;
    uint32_t *shift = ftl_blob_data(&plan->blob, nodes->n_trees, sizeof *shift);
    if (!shift)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < nodes->n_trees; t++)
        shift[t] = state->layout->bases[t] -
                   (op->leaf_index ? ftl_tree_lowest_row(nodes, t) : nodes->root[t]);
    state->shift = shift;
    ftl_blob_ref(&plan->blob, &state->shift);
    return FTL_OK;
}

static ftl_status share_sums(ftl_plan *plan, const ftl_step *step, const ftl_op *sums,
                             apply_state *state, ftl_error *error)
{
    const ftl_tree_apply_op *op = &step->op->u.tree_apply;
    const ftl_tree_request request = {.nodes = op->nodes,
                                      .source = &plan->steps[step->op->segments[0].op],
                                      .input = op->input,
                                      .payload = FTL_TREE_LEAF_ROW,
                                      .sums = &sums->u.trees};
    uint32_t *ids = NULL;
    bool by_row = !op->leaf_index && op->nodes->leaf;
    if (by_row) {
        FTL_TRY(map_rows(plan, op->nodes, &ids, error));
        if (!ids)
            return FTL_OK;
    }
    FTL_TRY(ftl_tree_layout_share(plan, &request, &state->layout, error));
    if (!by_row)
        return make_shift(plan, op, state, error);
    state->ids = ids;
    ftl_blob_ref(&plan->blob, &state->ids);
    return FTL_OK;
}

static ftl_status compile_tree_apply(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    apply_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    const ftl_tree_apply_op *op = &step->op->u.tree_apply;
    const ftl_tree_request request = {.nodes = op->nodes,
                                      .source = &plan->steps[step->op->segments[0].op],
                                      .input = op->input,
                                      .payload = op->leaf_index ? FTL_TREE_LEAF_INDEX
                                                                : FTL_TREE_NODE_ID};
    const ftl_op *sums = find_sums(plan, step);
    if (sums)
        FTL_TRY(share_sums(plan, step, sums, state, error));
    if (!state->layout)
        FTL_TRY(ftl_tree_layout_share(plan, &request, &state->layout, error));
    ftl_blob_ref(&plan->blob, &state->layout);
    ftl_tree_want_scratch(state->layout, step);
    step->reads_columns = ftl_tree_reads_columns(state->layout);
    step->is_f32 = false;
    step->state = state;
    return FTL_OK;
}

static void keep_tree_apply(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)blob;
    (void)step;
    op->u.tree_apply.nodes = NULL; /* packed */
}

static void bind_tree_apply(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_tree_apply;
}

const ftl_op_impl ftl_op_impl_tree_apply = {.name = "tree_apply",
                                            .compile = compile_tree_apply,
                                            .keep = keep_tree_apply,
                                            .bind = bind_tree_apply};
