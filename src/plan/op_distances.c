/*
 * DISTANCES: the Euclidean distance of a row to every centre as sqrt(max(0, x·x - 2 x·c + c·c)).
 * The sums are float64; where the edge is float32 the square is rounded before its root is taken.
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

typedef struct distances_state {
    const double *centres; /* [source columns][row], packed for the linear kernels */
    size_t row;
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

/* x·x in four sums, over j mod 4. */
#define SQUARED(name, type)                           \
    static double name(const type *x, size_t n)       \
    {                                                 \
        double a = 0, b = 0, c = 0, d = 0;            \
        size_t j = 0;                                 \
        for (; j + 4 <= n; j += 4) {                  \
            a += (double)x[j] * (double)x[j];         \
            b += (double)x[j + 1] * (double)x[j + 1]; \
            c += (double)x[j + 2] * (double)x[j + 2]; \
            d += (double)x[j + 3] * (double)x[j + 3]; \
        }                                             \
        for (; j < n; j++)                            \
            a += (double)x[j] * (double)x[j];         \
        return (a + b) + (c + d);                     \
    }
SQUARED(squared_f64, double)
SQUARED(squared_f32, float)

/* Columns of a matrix. */
static void add_dense(const ftl_step *step, const ftl_exec *exec, uint32_t s, const double *centre,
                      double *dots, double *squares)
{
    const ftl_step *source = ftl_source_step(step, exec, s);
    const ftl_linear_kernels *kernels = &ftl_kernels_get()->linear;
    size_t first = step->op->segments[s].first, n = step->op->segments[s].count,
           stride = source->slot_width;
    const float *x32 = (const float *)ftl_slot(source, exec) + first;
    const double *x64 = (const double *)ftl_slot(source, exec) + first;
    if (source->is_f32)
        kernels->many_f32(exec->rows, n, step->op->width, x32, stride, centre, dots);
    else
        kernels->many_f64(exec->rows, n, step->op->width, x64, stride, centre, dots);
    for (size_t r = 0; r < exec->rows; r++)
        squares[r] += source->is_f32 ? squared_f32(x32 + r * stride, n)
                                     : squared_f64(x64 + r * stride, n);
}

/* The same for the entries of a sparse source; centre: of the segment's first column. */
static void add_sparse(const ftl_step *step, const ftl_exec *exec, uint32_t s, const double *centre,
                       size_t row, double *dots, double *squares)
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
                dots[r * width + k] += x * centre[column * row + k];
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
    double *squares = dots + (size_t)exec->capacity * width;
    double *column = squares + exec->capacity;
    memset(dots, 0, (size_t)exec->rows * width * sizeof *dots);
    memset(squares, 0, exec->rows * sizeof *squares);
    const double *centre = state->centres;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        const ftl_op *source = ftl_source_step(step, exec, s)->op;
        uint32_t count = step->op->segments[s].count;
        if (source->edge == FTL_EDGE_SPARSE)
            add_sparse(step, exec, s, centre, state->row, dots, squares);
        else if (source->edge == FTL_EDGE_NUM && source->kind != FTL_OP_INPUT)
            add_dense(step, exec, s, centre, dots, squares);
        else {
            for (uint32_t c = 0; c < count; c++) {
                ftl_read_f64(step, exec, s, c, column, 1);
                add_column(exec, centre + c * state->row, width, dots, squares, column);
            }
        }
        centre += count * state->row;
    }
    finish(step, exec, dots, squares);
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_distances_op *op = &step->op->u.distances;
    size_t n = ftl_op_source_columns(step->op), width = step->op->width, size;
    distances_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state || !ftl_mul_size(n, ftl_linear_padded(width), &size))
        return FTL_OOM(error);
    state->row = ftl_linear_padded(width);
    double *centres = ftl_blob_zero_data(&plan->blob, size, sizeof *centres);
    if (!centres)
        return FTL_OOM(error);
    for (size_t k = 0; k < width; k++) {
        for (size_t j = 0; j < n; j++)
            centres[j * state->row + k] = op->centres[k * n + j];
    }
    state->centres = centres;
    ftl_blob_ref(&plan->blob, &state->centres);
    step->state = state;
    step->scratch_per_row = (width + 2) * sizeof(double);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    op->u.distances.centres = NULL; /* packed */
    ftl_blob_borrow(blob, &op->u.distances.norms, op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_distances = {
    .name = "distances", .compile = compile, .keep = keep, .bind = bind};
