#include "plan/tree_masks.h"

#include <string.h>

/* Whether masks hold the ensemble, and how many features it looks at. */
static bool fits(const ftl_cut_ensemble *cuts, uint32_t n_trees, uint32_t *n_features)
{
    *n_features = 0;
    if (cuts->two_bytes)
        return false;
    for (uint32_t c = 0; c < cuts->n_columns; c++) {
        const ftl_code_column *column = &cuts->columns[c];
        if (column->category || column->zero >= 0)
            return false;
        *n_features += !column->twin;
    }
    for (uint32_t t = 0; t < n_trees; t++) {
        if (cuts->trees[t].cuts.n_cuts >= FTL_TREE_MASK_LEAVES)
            return false;
    }
    return *n_features <= FTL_TREE_MASK_COLUMNS;
}

/* In cycles, about: 12 to code a value, 10 for a tree, 3 for a step of a walk. */
static bool masks_pay(uint32_t n_features, uint32_t n_trees, uint64_t steps_of_walk)
{
    return 3 * steps_of_walk > 12 * (uint64_t)n_features + 10 * (uint64_t)n_trees;
}

/*
 * Columns of as many steps stand together, so that the search's loop ends where the processor
 * guesses it. rank: column of codes to column of masks.
 */
static ftl_status make_columns(ftl_blob *blob, const ftl_cut_ensemble *cuts, uint32_t n_features,
                               ftl_mask_ensemble *out, uint32_t *rank, ftl_error *error)
{
    ftl_mask_column *columns = ftl_blob_state(blob, n_features, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    ftl_blob_ref_each(blob, &columns[0].edges, n_features, sizeof *columns);
    for (uint32_t steps = 1; steps <= 8; steps++) { /* 255 thresholds at most */
        for (uint32_t c = 0; c < cuts->n_columns; c++) {
            const ftl_code_column *column = &cuts->columns[c];
            if (column->steps != steps)
                continue;
            if (!column->twin)
                columns[out->n_columns++] = (ftl_mask_column){
                    .feature = column->feature, .steps = steps, .edges = column->edges};
            rank[c] = out->n_columns - 1;
        }
    }
    out->columns = columns;
    ftl_blob_ref(blob, &out->columns);
    return FTL_OK;
}

/* A cut's numbers stand in each byte of a word. */
static void make_mask(const ftl_tree_cuts *cuts, const uint32_t *rank, ftl_tree_mask *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t c = 0; c < cuts->n_cuts; c++) {
        const ftl_tree_cut *cut = &cuts->cuts[c];
        uint32_t from = cut->from & 0xff, step = cut->step & 0xff;
        out->column[c] = (uint8_t)rank[cut->column];
        out->least[c] = (uint8_t)((cut->code & 0xff) - 128 + 1);
        out->shut[c] = ((1u << step) - 1) << from;
    }
}

static ftl_status make_trees(ftl_blob *blob, const ftl_cut_ensemble *cuts, uint32_t n_trees,
                             const uint32_t *rank, ftl_mask_ensemble *out, ftl_error *error)
{
    ftl_tree_mask *trees = ftl_blob_data(blob, n_trees, sizeof *trees);
    if (!trees)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n_trees; t++)
        make_mask(&cuts->trees[t].cuts, rank, &trees[t]);
    out->trees = trees;
    ftl_blob_ref(blob, &out->trees);
    return FTL_OK;
}

ftl_status ftl_tree_masks_make(ftl_plan *plan, const ftl_cut_ensemble *cuts, uint32_t n_trees,
                               uint64_t steps_of_walk, const ftl_mask_ensemble **out,
                               ftl_error *error)
{
    uint32_t n_features;
    *out = NULL;
    if (!fits(cuts, n_trees, &n_features) || !masks_pay(n_features, n_trees, steps_of_walk))
        return FTL_OK;
    ftl_mask_ensemble *masks = ftl_blob_state(&plan->blob, 1, sizeof *masks);
    uint32_t rank[2 * FTL_TREE_MASK_COLUMNS]; /* a feature has a column, and may have a twin */
    if (!masks)
        return FTL_OOM(error);
    masks->wide = cuts->wide;
    FTL_TRY(make_columns(&plan->blob, cuts, n_features, masks, rank, error));
    FTL_TRY(make_trees(&plan->blob, cuts, n_trees, rank, masks, error));
    *out = masks;
    return FTL_OK;
}

/* Edges stand as a search meets them: ftl_tree_edge_place of kernels/trees.h. */
#define CODE_ROW(name, type)                                                        \
    static void name(const ftl_mask_ensemble *masks, const type *x, uint8_t *codes) \
    {                                                                               \
        for (uint32_t c = 0; c < masks->n_columns; c++) {                           \
            const ftl_mask_column *column = &masks->columns[c];                     \
            const type *edges = column->edges, value = x[column->feature];          \
            uint32_t at = 0;                                                        \
            for (uint32_t step = 0; step < column->steps; step++)                   \
                at = 2 * at + 1 + (edges[at] < value);                              \
            codes[c] = (uint8_t)(at + 1 - (1u << column->steps));                   \
        }                                                                           \
    }
CODE_ROW(code_row_f32, float)
CODE_ROW(code_row_f64, double)

void ftl_tree_masks_code(const ftl_mask_ensemble *masks, const void *x,
                         uint8_t codes[FTL_TREE_MASK_COLUMNS])
{
    memset(codes, 0, FTL_TREE_MASK_COLUMNS);
    if (masks->wide)
        code_row_f64(masks, x, codes);
    else
        code_row_f32(masks, x, codes);
}
