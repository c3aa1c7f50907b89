/*
 * NEIGHBORS: the k nearest stored points of each row, nearest first: k distances, then k numbers of
 * points. Everything is float64. Among points of one distance those stay, and in that order, that
 * stay in scikit-learn's heap when one thread looks at the points in their order. Searches of all
 * points follow what it does with fewer rows than points (_parallel_on_Y): the thread's heap is
 * poured into a second one, and that is sorted.
 */
#include "plan/point_tree.h"

#include "base/checked.h"

#include <float.h>
#include <math.h>

enum { tile_rows = 8, panel_groups = 64, panel_points = panel_groups * FTL_DISTANCE_LANES };

typedef struct neighbors_state {
    ftl_point_metric metric;
    ftl_points points;   /* without a tree */
    const double *norms; /* EXPANDED: squares of the points' norms, padded to whole groups */
    ftl_tree_search tree;
    bool single;
    size_t rows_at, values_at, numbers_at, room_at; /* offsets in the scratch */
} neighbors_state;

typedef struct tile {
    const double *x; /* [rows][n] */
    size_t rows;
    double norms[tile_rows];
    ftl_neighbor_heap heaps[tile_rows];
    ftl_neighbor_heap merged; /* all points: what a row's heap is poured into */
    double *room;             /* [tile_rows][panel_points] */
} tile;

static bool is_expanded(const ftl_neighbors_op *op)
{
    return op->search == FTL_SEARCH_EXPANDED || op->search == FTL_SEARCH_EXPANDED_PLAIN;
}

/* ---- All points ------------------------------------------------------------------------------ */

/* Kernel values of one row and a panel → reduced distances. */
static void finish_panel(const neighbors_state *state, const ftl_neighbors_op *op, double norm,
                         const double *norms, size_t n, double *values)
{
    if (is_expanded(op)) {
        ftl_kernels_get()->distance.expand(norm, norms, ftl_distance_groups(n), values);
    } else if (op->metric == FTL_METRIC_COSINE) {
        for (size_t i = 0; i < n; i++) {
            double d = 1.0 - values[i];
            values[i] = d < 0 ? 0 : d > 2 ? 2 : d;
        }
    }
    for (size_t i = 0; state->single && i < n; i++)
        values[i] = (double)(float)values[i];
}

static void search_all(const neighbors_state *state, const ftl_neighbors_op *op, tile *t)
{
    for (size_t r = 0; r < t->rows; r++) {
        ftl_heap_start(&t->heaps[r], DBL_MAX);
        if (is_expanded(op))
            t->norms[r] = ftl_squared_norm(t->x + r * state->metric.n, state->metric.n,
                                           op->search == FTL_SEARCH_EXPANDED_PLAIN);
    }
    for (size_t g = 0; g < state->points.groups; g += panel_groups) {
        size_t groups = state->points.groups - g, first = g * FTL_DISTANCE_LANES;
        groups = groups < panel_groups ? groups : panel_groups;
        size_t n = op->n_points - first < panel_points ? op->n_points - first : panel_points;
        ftl_metric_reduced(&state->metric, t->rows, t->x,
                           state->points.packed + first * state->metric.n, groups, t->room,
                           panel_points);
        for (size_t r = 0; r < t->rows; r++) {
            double *values = t->room + r * panel_points;
            finish_panel(state, op, t->norms[r], state->norms ? state->norms + first : NULL, n,
                         values);
            ftl_heap_push_all(&t->heaps[r], values, n, NULL, (uint32_t)first);
        }
    }
}

static const ftl_neighbor_heap *pour(const ftl_neighbor_heap *from, const ftl_neighbor_heap *into)
{
    ftl_heap_start(into, DBL_MAX);
    for (uint32_t i = 0; i < from->k; i++)
        ftl_heap_push(into, from->value[i], from->number[i]);
    return into;
}

/* ---- Running --------------------------------------------------------------------------------- */

static void store_row(const neighbors_state *state, const ftl_neighbors_op *op,
                      const ftl_neighbor_heap *heap, double *out)
{
    ftl_heap_sort(heap, op->insertion_sort);
    for (uint32_t i = 0; i < op->k; i++) {
        double distance = ftl_metric_distance(&state->metric, heap->value[i]);
        out[i] = state->single ? (double)(float)distance : distance;
        out[op->k + i] = heap->number[i];
    }
}

static void run_neighbors(const ftl_step *step, ftl_exec *exec)
{
    const neighbors_state *state = step->state;
    const ftl_neighbors_op *op = &step->op->u.neighbors;
    unsigned char *scratch = ftl_scratch(step, exec);
    double *out = ftl_slot(step, exec), *room = (double *)(void *)(scratch + state->rows_at);
    double *values = (double *)(void *)(scratch + state->values_at);
    uint32_t *numbers = (uint32_t *)(void *)(scratch + state->numbers_at);
    tile t = {.room = (double *)(void *)(scratch + state->room_at)};
    for (size_t r = 0; r < tile_rows; r++)
        t.heaps[r] = (ftl_neighbor_heap){op->k, values + r * op->k, numbers + r * op->k};
    t.merged = (ftl_neighbor_heap){op->k, values + (size_t)tile_rows * op->k,
                                   numbers + (size_t)tile_rows * op->k};
    for (size_t first = 0; first < exec->rows; first += tile_rows) {
        t.rows = exec->rows - first < tile_rows ? exec->rows - first : tile_rows;
        t.x = ftl_wide_rows(step, exec, first, t.rows, state->metric.n, room);
        if (!op->tree)
            search_all(state, op, &t);
        for (size_t r = 0; r < t.rows; r++) {
            const ftl_neighbor_heap *found = &t.heaps[r];
            if (op->tree)
                ftl_tree_search_run(&state->tree, t.x + r * state->metric.n, found, t.room);
            else
                found = pour(found, &t.merged);
            store_row(state, op, found, out + (first + r) * step->op->width);
        }
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

static ftl_status compile_all(ftl_plan *plan, const ftl_neighbors_op *op, neighbors_state *state,
                              ftl_error *error)
{
    size_t n = state->metric.n;
    FTL_TRY(ftl_points_pack(plan, op->points, op->n_points, n, &state->points, error));
    if (!is_expanded(op))
        return FTL_OK;
    double *norms = ftl_blob_zero_data(&plan->blob, state->points.groups * FTL_DISTANCE_LANES,
                                       sizeof *norms);
    if (!norms)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < op->n_points; i++)
        norms[i] = ftl_squared_norm(op->points + i * n, n, op->search == FTL_SEARCH_EXPANDED_PLAIN);
    state->norms = norms;
    ftl_blob_ref(&plan->blob, &state->norms);
    return FTL_OK;
}

static ftl_status place_scratch(ftl_step *step, const ftl_neighbors_op *op, neighbors_state *state,
                                ftl_error *error)
{
    size_t room = (size_t)tile_rows * panel_points, rows, heaps;
    if (op->tree && state->tree.most > room)
        room = state->tree.most;
    if (!ftl_mul_size(tile_rows * sizeof(double), state->metric.n, &rows) ||
        !ftl_mul_size((tile_rows + 1) * sizeof(double), op->k, &heaps))
        return FTL_OOM(error);
    state->room_at = 0;
    state->rows_at = room * sizeof(double);
    state->values_at = state->rows_at + rows;
    state->numbers_at = state->values_at + heaps;
    step->scratch_fixed = state->numbers_at + (tile_rows + 1) * sizeof(uint32_t) * op->k;
    return FTL_OK;
}

static ftl_status compile_neighbors(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_neighbors_op *op = &step->op->u.neighbors;
    neighbors_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    size_t n = step->op->segments[0].count;
    state->single = op->single && plan->steps[step->op->segments[0].op].is_f32;
    ftl_point_metric_make(&plan->blob, op, n, state->single, &state->metric);
    if (op->tree)
        FTL_TRY(ftl_tree_search_make(plan, op, n, &state->tree, error));
    else
        FTL_TRY(compile_all(plan, op, state, error));
    FTL_TRY(place_scratch(step, op, state, error));
    step->is_f32 = false;
    step->state = state;
    return FTL_OK;
}

static void keep_neighbors(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_neighbors_op *neighbors = &op->u.neighbors;
    size_t n = step->op->segments[0].count;
    neighbors->points = NULL; /* packed */
    ftl_blob_borrow(blob, &neighbors->weights, n, sizeof(double));
    ftl_point_tree *tree = ftl_keep_records(blob, &neighbors->tree, 1, ftl_point_tree_record_());
    if (!tree)
        return;
    n *= neighbors->search == FTL_SEARCH_KD_TREE ? 2 : 1; /* boxes have two corners */
    (void)ftl_keep_records(blob, &tree->nodes, tree->n_nodes, ftl_point_node_record_());
    ftl_blob_borrow(blob, &tree->order, neighbors->n_points, sizeof *tree->order);
    ftl_blob_borrow(blob, &tree->bounds, tree->n_nodes * n, sizeof *tree->bounds);
}

static void bind_neighbors(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_neighbors;
}

const ftl_op_impl ftl_op_impl_neighbors = {.name = "neighbors",
                                           .compile = compile_neighbors,
                                           .keep = keep_neighbors,
                                           .bind = bind_neighbors};
