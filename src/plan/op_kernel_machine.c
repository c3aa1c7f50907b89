/*
 * KERNEL_MACHINE: libsvm's decision values, all in float64. Kernel values are sums over features in
 * their order; a decision value is the sum over support vectors in their order, the intercept last.
 */
#include "base/checked.h"
#include "plan/points.h"

#include <math.h>

enum { tile_rows = 8 };

typedef struct machine_state {
    bool dense;
    ftl_points points;                     /* dense vectors */
    size_t stride;                         /* kernel values of a row */
    size_t values_at, rows_at, columns_at; /* offsets in the scratch */
} machine_state;

/* The nonzero values of a row. */
typedef struct sparse_row {
    uint32_t n;
    const uint32_t *column;
    const double *row; /* dense */
} sparse_row;

/* ---- Kernel functions ------------------------------------------------------------------------ */

static double power(double base, int32_t times)
{
    double result = 1.0;
    for (; times > 0; times /= 2) {
        if (times % 2 == 1)
            result *= base;
        base *= base;
    }
    return result;
}

/* values: x·v, or |x - v|², becomes k(x, v). */
static void apply_kernel(const ftl_kernel_machine_op *op, double *values, size_t n)
{
    switch (op->kernel) {
    case FTL_KERNEL_POLY:
        for (size_t i = 0; i < n; i++)
            values[i] = power(op->gamma * values[i] + op->coef0, op->degree);
        return;
    case FTL_KERNEL_RBF:
        for (size_t i = 0; i < n; i++)
            values[i] = exp(-op->gamma * values[i]);
        return;
    case FTL_KERNEL_SIGMOID:
        for (size_t i = 0; i < n; i++)
            values[i] = tanh(op->gamma * values[i] + op->coef0);
        return;
    default:
        return;
    }
}

/* ---- Sparse vectors -------------------------------------------------------------------------- */

static double sparse_dot(const ftl_sparse_rows *v, uint32_t i, const double *row)
{
    double sum = 0;
    for (uint32_t k = v->start[i]; k < v->start[i + 1]; k++)
        sum += row[v->column[k]] * v->value[k];
    return sum;
}

/* The nonzero columns of both, merged in ascending order; the rest of the row, then of the vector.
 */
static double sparse_square(const ftl_sparse_rows *v, uint32_t i, const sparse_row *x)
{
    double sum = 0;
    uint32_t a = 0, b = v->start[i], end = v->start[i + 1];
    while (a < x->n || b < end) {
        bool take_x = a < x->n && (b == end || x->column[a] <= v->column[b]);
        bool take_v = b < end && (a == x->n || v->column[b] <= x->column[a]);
        double d = (take_x ? x->row[x->column[a]] : 0.0) - (take_v ? v->value[b] : 0.0);
        sum += d * d;
        a += take_x;
        b += take_v;
    }
    return sum;
}

static void sparse_values(const ftl_kernel_machine_op *op, const double *row, size_t n,
                          uint32_t *columns, double *values)
{
    sparse_row x = {.column = columns, .row = row};
    if (op->kernel == FTL_KERNEL_RBF) {
        for (size_t j = 0; j < n; j++) {
            if (row[j] != 0)
                columns[x.n++] = (uint32_t)j;
        }
    }
    for (uint32_t i = 0; i < op->n_vectors; i++)
        values[i] = op->kernel == FTL_KERNEL_RBF ? sparse_square(op->sparse, i, &x)
                                                 : sparse_dot(op->sparse, i, row);
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static double weighted(double sum, const double *coef, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum += coef[i] * values[i];
    return sum;
}

static void decide(const ftl_kernel_machine_op *op, const double *values, double *out)
{
    if (op->n_classes == 0) {
        out[0] = weighted(0, op->coef, values, op->n_vectors) + op->intercept[0];
        return;
    }
    size_t pair = 0, start_i = 0;
    for (uint32_t i = 0; i < op->n_classes; i++) {
        size_t start_j = start_i + op->n_support[i];
        for (uint32_t j = i + 1; j < op->n_classes; j++, pair++) {
            const double *coef_i = op->coef + (size_t)(j - 1) * op->n_vectors + start_i,
                         *coef_j = op->coef + (size_t)i * op->n_vectors + start_j;
            double sum = weighted(0, coef_i, values + start_i, op->n_support[i]);
            sum = weighted(sum, coef_j, values + start_j, op->n_support[j]);
            out[pair] = sum + op->intercept[pair];
            start_j += op->n_support[j];
        }
        start_i += op->n_support[i];
    }
}

/* ---- Running --------------------------------------------------------------------------------- */

static void run_machine(const ftl_step *step, ftl_exec *exec)
{
    const machine_state *state = step->state;
    const ftl_kernel_machine_op *op = &step->op->u.kernel_machine;
    unsigned char *scratch = ftl_scratch(step, exec);
    double *values = (double *)(void *)(scratch + state->values_at),
           *room = (double *)(void *)(scratch + state->rows_at), *out = ftl_slot(step, exec);
    uint32_t *columns = (uint32_t *)(void *)(scratch + state->columns_at);
    size_t n = step->op->segments[0].count;
    const ftl_distance_kernels *kernels = &exec->plan->kernels->distance;
    ftl_distance_fn *distance = op->kernel == FTL_KERNEL_RBF ? kernels->squares : kernels->dot;
    for (size_t first = 0; first < exec->rows; first += tile_rows) {
        size_t rows = exec->rows - first < tile_rows ? exec->rows - first : tile_rows;
        const double *x = ftl_wide_rows(step, exec, first, rows, n, room);
        if (state->dense)
            distance(rows, n, x, n, state->points.packed, state->points.groups, values,
                     state->stride);
        for (size_t r = 0; r < rows; r++) {
            double *row = values + r * state->stride;
            if (!state->dense)
                sparse_values(op, x + r * n, n, columns, row);
            apply_kernel(op, row, op->n_vectors);
            decide(op, row, out + (first + r) * step->op->width);
        }
    }
}

static ftl_status compile_machine(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_kernel_machine_op *op = &step->op->u.kernel_machine;
    machine_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    if (!state)
        return FTL_OOM(error);
    size_t n = step->op->segments[0].count, rows_bytes, values_bytes;
    if (op->vectors)
        FTL_TRY(ftl_points_pack(plan, op->vectors, op->n_vectors, n, &state->points, error));
    state->dense = op->vectors != NULL;
    state->stride = ftl_distance_groups(op->n_vectors) * FTL_DISTANCE_LANES;
    if (!ftl_mul_size(tile_rows * sizeof(double), n, &rows_bytes) ||
        !ftl_mul_size(tile_rows * sizeof(double), state->stride, &values_bytes))
        return FTL_OOM(error);
    state->rows_at = values_bytes;
    state->columns_at = values_bytes + rows_bytes;
    step->scratch_fixed = state->columns_at + (op->sparse ? n * sizeof(uint32_t) : 0);
    step->is_f32 = false;
    step->state = state;
    return FTL_OK;
}

static void keep_machine(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_kernel_machine_op *machine = &op->u.kernel_machine;
    size_t n = machine->n_vectors, n_coef = machine->n_classes ? machine->n_classes - 1 : 1;
    (void)step;
    machine->vectors = NULL; /* packed */
    ftl_blob_borrow(blob, &machine->n_support, machine->n_classes, sizeof(uint32_t));
    ftl_blob_borrow(blob, &machine->coef, n_coef * n, sizeof(double));
    ftl_blob_borrow(blob, &machine->intercept, op->width, sizeof(double));
    ftl_sparse_rows *sparse = ftl_blob_copy(blob, &machine->sparse, 1, sizeof *sparse);
    if (!sparse)
        return;
    ftl_blob_borrow(blob, &sparse->column, sparse->start[n], sizeof(uint32_t));
    ftl_blob_borrow(blob, &sparse->value, sparse->start[n], sizeof(double));
    ftl_blob_borrow(blob, &sparse->start, n + 1, sizeof(uint32_t));
}

static void bind_machine(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_machine;
}

const ftl_op_impl ftl_op_impl_kernel_machine = {.name = "kernel_machine",
                                                .compile = compile_machine,
                                                .keep = keep_machine,
                                                .bind = bind_machine};
