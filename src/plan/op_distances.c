/*
 * DISTANCES: the Euclidean distance of a row to every centre as sqrt(max(0, x·x - 2 x·c + c·c)).
 * The sums are float64; where the edge is float32 the square is rounded before its root is taken.
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

typedef struct distances_state {
    const double *centres; /* [source columns][width] */
} distances_state;

/* Scratch: x·c for every row and centre, x·x for every row, one column. */
static void add_column(const ftl_exec *exec, const double *centre, uint32_t width, double *dots,
                       double *squares, const double *column)
{
    for (size_t r = 0; r < exec->rows; r++) {
        double x = column[r], *dot = dots + r * width;
        if (x == 0)
            continue;
        squares[r] += x * x;
        for (size_t k = 0; k < width; k++)
            dot[k] += x * centre[k];
    }
}

/* The same for the entries of a sparse source; centre: of the segment's first column. */
static void add_sparse(const ftl_step *step, const ftl_exec *exec, uint32_t s, const double *centre,
                       double *dots, double *squares)
{
    const ftl_segment *segment = &step->op->segments[s];
    const ftl_sparse *sparse = ftl_sparse_source(step, exec, s);
    size_t width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++) {
        for (uint32_t i = sparse->start[r]; i < sparse->start[r + 1]; i++) {
            uint32_t column = sparse->columns[i] - segment->first;
            double x = sparse->values[i];
            if (column >= segment->count)
                continue;
            squares[r] += x * x;
            for (size_t k = 0; k < width; k++)
                dots[r * width + k] += x * centre[column * width + k];
        }
    }
}

static void finish(const ftl_step *step, const ftl_exec *exec, const double *dots,
                   const double *squares)
{
    const double *norms = step->op->u.distances.norms;
    size_t width = step->op->width;
    for (size_t r = 0; r < exec->rows; r++) {
        for (size_t k = 0; k < width; k++) {
            size_t at = r * width + k;
            double square = -2 * dots[at] + squares[r] + norms[k];
            square = square < 0 ? 0 : square; /* NaN stays */
            if (step->is_f32)
                ((float *)ftl_slot(step, exec))[at] = sqrtf((float)square);
            else
                ((double *)ftl_slot(step, exec))[at] = sqrt(square);
        }
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const distances_state *state = step->state;
    uint32_t width = step->op->width;
    double *dots = ftl_scratch(step, exec);
    double *squares = dots + (size_t)exec->plan->block_rows * width;
    double *column = squares + exec->plan->block_rows;
    memset(dots, 0, (size_t)exec->rows * width * sizeof *dots);
    memset(squares, 0, exec->rows * sizeof *squares);
    const double *centre = state->centres;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        if (ftl_source_step(step, exec, s)->op->edge == FTL_EDGE_SPARSE) {
            add_sparse(step, exec, s, centre, dots, squares);
            centre += (size_t)step->op->segments[s].count * width;
            continue;
        }
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, centre += width) {
            ftl_read_f64(step, exec, s, c, column, 1);
            add_column(exec, centre, width, dots, squares, column);
        }
    }
    finish(step, exec, dots, squares);
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_distances_op *op = &step->op->u.distances;
    size_t n = ftl_op_source_columns(step->op), width = step->op->width;
    distances_state *state = FTL_ARENA_NEW(&plan->arena, distances_state);
    double *centres = ftl_arena_array(&plan->arena, n * width, sizeof *centres);
    if (!state || !centres)
        return FTL_OOM(error);
    for (size_t k = 0; k < width; k++) {
        for (size_t j = 0; j < n; j++)
            centres[j * width + k] = op->centres[k * n + j];
    }
    state->centres = centres;
    step->state = state;
    step->scratch_per_row = (width + 2) * sizeof(double);
    step->run = run;
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_distances = {"distances", prepare};
