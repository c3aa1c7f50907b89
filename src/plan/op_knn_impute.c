/*
 * KNN_IMPUTE: distances over the columns that a row and a point both have, from three matrix
 * products as the library takes them:
 *
 *   (x·x - 2 x·y + y·y) - Σ x² [y missing] - Σ [x missing] y², at least 0, by the share of columns
 *
 * Missing numbers count as 0 in the products. Of points at one distance the earlier ones are
 * nearer.
 */
#include "plan/neighbor_heap.h"
#include "plan/points.h"

#include <float.h>
#include <math.h>

typedef struct knn_state {
    ftl_points points, squares, missing; /* 0 where missing; their squares; 1 where missing */
    const double *norms;                 /* y·y, padded to whole groups */
} knn_state;

/* One row's workspace, in the scratch. */
typedef struct knn_row {
    double *x, *square, *absent, *present; /* [n] */
    double *distance, *room;               /* [padded points]; NaN: no column in common */
    double *near;                          /* [k] */
    uint32_t *near_at;                     /* [k] */
} knn_row;

static bool is_missing(const ftl_knn_impute_op *op, bool is_f32, double x)
{
    if (op->missing_is_nan)
        return isnan(x);
    return is_f32 ? (float)x == (float)op->missing_value : x == op->missing_value;
}

/* ---- Distances ------------------------------------------------------------------------------- */

static void products(const ftl_points *points, const double *x, double *out)
{
    ftl_kernels_get()->distance.dot_fused(1, points->n, x, points->n, points->packed,
                                          points->groups, out, points->groups * FTL_DISTANCE_LANES);
}

static void find_distances(const ftl_knn_impute_op *op, const knn_state *state, uint32_t n,
                           knn_row *row)
{
    double norm = 0, columns = 0;
    for (uint32_t j = 0; j < n; j++) {
        norm += row->square[j];
        columns += row->present[j];
    }
    products(&state->points, row->x, row->distance);
    ftl_kernels_get()->distance.expand(norm, state->norms, state->points.groups, row->distance);
    products(&state->missing, row->square, row->room);
    for (uint32_t i = 0; i < op->n_points; i++)
        row->distance[i] -= row->room[i];
    products(&state->squares, row->absent, row->room);
    for (uint32_t i = 0; i < op->n_points; i++)
        row->distance[i] -= row->room[i];
    products(&state->missing, row->present, row->room);
    for (uint32_t i = 0; i < op->n_points; i++) {
        double common = columns - row->room[i], d = row->distance[i];
        row->distance[i] = common == 0 ? (double)NAN : sqrt((d < 0 ? 0.0 : d) / common * (double)n);
    }
}

/* ---- Donors ---------------------------------------------------------------------------------- */

/* The nearest points that have the column, nearest first; how many. */
static uint32_t find_donors(const ftl_knn_impute_op *op, uint32_t n, uint32_t column, knn_row *row)
{
    const ftl_neighbor_heap heap = {op->k, row->near, row->near_at};
    uint32_t count = 0;
    ftl_heap_start(&heap, DBL_MAX);
    for (uint32_t i = 0; i < op->n_points; i++) {
        double d = row->distance[i];
        if (d >= heap.value[0] || isnan(d) || isnan(op->points[(size_t)i * n + column]))
            continue;
        ftl_heap_insert(&heap, d, i);
        count += count < op->k;
    }
    ftl_heap_sort(&heap, true);
    return count;
}

/* 1 / distance; where one is 0, those alone count. */
static double donor_weight(const ftl_knn_impute_op *op, const knn_row *row, uint32_t i)
{
    if (!op->by_distance)
        return 1;
    if (isinf(1.0 / row->near[0]))
        return isinf(1.0 / row->near[i]) ? 1 : 0;
    return 1.0 / row->near[i];
}

static double imputed(const ftl_knn_impute_op *op, uint32_t n, uint32_t column, knn_row *row)
{
    uint32_t count = find_donors(op, n, column, row);
    double sum = 0, total = 0;
    if (count == 0)
        return op->means[column];
    for (uint32_t i = 0; i < count; i++) {
        double weight = donor_weight(op, row, i);
        sum += op->points[(size_t)row->near_at[i] * n + column] * weight;
        total += weight;
    }
    return sum / total;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Splits a row into its numbers and what it lacks; true: it lacks something. */
static bool split_row(const ftl_knn_impute_op *op, const void *data, bool is_f32, size_t r,
                      uint32_t n, knn_row *row)
{
    bool lacks = false;
    for (uint32_t j = 0; j < n; j++) {
        double x = is_f32 ? (double)((const float *)data)[r * n + j]
                          : ((const double *)data)[r * n + j];
        bool missing = is_missing(op, is_f32, x);
        row->x[j] = missing ? 0 : x;
        row->square[j] = row->x[j] * row->x[j];
        row->absent[j] = missing;
        row->present[j] = !missing;
        lacks = lacks || missing;
    }
    return lacks;
}

static size_t workspace_numbers(const ftl_knn_impute_op *op, uint32_t n, size_t padded)
{
    return 4 * (size_t)n + 2 * padded + op->k;
}

/* The workspace in memory of workspace_numbers() numbers and, behind them, k numbers of points. */
static knn_row place_row(const ftl_knn_impute_op *op, uint32_t n, size_t padded, double *at)
{
    return (knn_row){.x = at,
                     .square = at + n,
                     .absent = at + 2 * (size_t)n,
                     .present = at + 3 * (size_t)n,
                     .distance = at + 4 * (size_t)n,
                     .room = at + 4 * (size_t)n + padded,
                     .near = at + 4 * (size_t)n + 2 * padded,
                     .near_at = (uint32_t *)(void *)(at + workspace_numbers(op, n, padded))};
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_knn_impute_op *op = &step->op->u.knn_impute;
    const knn_state *state = step->state;
    uint32_t n = step->op->segments[0].count, width = step->op->width;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    knn_row row = place_row(op, n, state->points.groups * FTL_DISTANCE_LANES,
                            ftl_scratch(step, exec));
    for (size_t r = 0; r < exec->rows; r++) {
        if (split_row(op, data, is_f32, r, n, &row))
            find_distances(op, state, n, &row);
        for (uint32_t i = 0; i < width; i++) {
            uint32_t j = op->columns[i];
            double value = isnan(op->means[j])  ? 0
                           : row.absent[j] != 0 ? imputed(op, n, j, &row)
                                                : row.x[j];
            if (step->is_f32)
                ((float *)ftl_slot(step, exec))[r * width + i] = (float)value;
            else
                ((double *)ftl_slot(step, exec))[r * width + i] = value;
        }
    }
}

/* ---- Compiling ------------------------------------------------------------------------------- */

typedef enum part { part_values, part_squares, part_missing } part;

static ftl_status pack(ftl_plan *plan, const ftl_knn_impute_op *op, uint32_t n, part what,
                       ftl_points *out, ftl_error *error)
{
    size_t size = (size_t)op->n_points * n;
    double *numbers = ftl_arena_array(&plan->scratch, size, sizeof *numbers);
    if (!numbers)
        return FTL_OOM(error);
    for (size_t i = 0; i < size; i++) {
        bool missing = isnan(op->points[i]);
        double y = missing ? 0 : op->points[i];
        numbers[i] = what == part_values ? y : what == part_squares ? y * y : missing;
    }
    return ftl_points_pack(plan, numbers, op->n_points, n, out, error);
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_knn_impute_op *op = &step->op->u.knn_impute;
    uint32_t n = step->op->segments[0].count;
    knn_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    FTL_TRY(pack(plan, op, n, part_values, &state->points, error));
    FTL_TRY(pack(plan, op, n, part_squares, &state->squares, error));
    FTL_TRY(pack(plan, op, n, part_missing, &state->missing, error));
    size_t padded = state->points.groups * FTL_DISTANCE_LANES;
    double *norms = ftl_blob_zero_data(&plan->blob, padded, sizeof *norms);
    if (!norms)
        return FTL_OOM(error);
    for (size_t i = 0; i < (size_t)op->n_points * n; i++)
        norms[i / n] += isnan(op->points[i]) ? 0 : op->points[i] * op->points[i];
    state->norms = norms;
    ftl_blob_ref(&plan->blob, &state->norms);
    step->scratch_fixed = workspace_numbers(op, n, padded) * sizeof(double) +
                          op->k * sizeof(uint32_t);
    step->state = state;
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_knn_impute_op *impute = &op->u.knn_impute;
    size_t n = step->op->segments[0].count;
    ftl_blob_borrow(blob, &impute->points, impute->n_points * n, sizeof(double));
    ftl_blob_borrow(blob, &impute->means, n, sizeof(double));
    ftl_blob_borrow(blob, &impute->columns, op->width, sizeof(uint32_t));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_knn_impute = {
    .name = "knn_impute", .compile = compile, .keep = keep, .bind = bind};
