/*
 * TREE_APPLY: the leaf that a row reaches in each tree: its id as the library counts the tree's
 * nodes, or its number among the tree's leaves.
 */
#include "plan/tree_layout.h"

typedef struct apply_state {
    ftl_tree_layout layout;
} apply_state;

static void run_tree_apply(const ftl_step *step, ftl_exec *exec)
{
    const apply_state *state = step->state;
    const ftl_tree_layout *layout = &state->layout;
    unsigned char *scratch = ftl_scratch(step, exec);
    uint32_t width = step->op->width;
    bool is_f32;
    const void *source = ftl_matrix_source(step, exec, &is_f32);
    for (uint32_t first = 0; first < exec->rows; first += layout->block) {
        uint32_t n = exec->rows - first < layout->block ? exec->rows - first : layout->block;
        ftl_tree_rows rows = ftl_tree_rows_make(layout, source, first, n, scratch);
        uint32_t *leaf = (uint32_t *)(void *)(scratch + ftl_tree_room_bytes(layout, n));
        double *out = (double *)ftl_slot(step, exec) + (size_t)first * width;
        for (uint32_t t = 0; t < width; t++) {
            ftl_tree_rows_walk(layout, t, &rows, leaf);
            for (uint32_t r = 0; r < n; r++)
                out[(size_t)r * width + t] = leaf[r];
        }
    }
}

static ftl_status prepare_tree_apply(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    apply_state *state = FTL_ARENA_NEW(&plan->arena, apply_state);
    if (!state)
        return FTL_OOM(error);
    const ftl_tree_apply_op *op = &step->op->u.tree_apply;
    FTL_TRY(ftl_tree_layout_make(plan, step, op->nodes, op->input,
                                 op->leaf_index ? FTL_TREE_LEAF_INDEX : FTL_TREE_NODE_ID,
                                 &state->layout, NULL, error));
    ftl_tree_want_scratch(&state->layout, step);
    step->is_f32 = false;
    step->state = state;
    step->run = run_tree_apply;
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_tree_apply = {.name = "tree_apply", .prepare = prepare_tree_apply};
