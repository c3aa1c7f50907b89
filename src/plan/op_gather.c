/* Columns of any sources into one row-major matrix, numbers or cells; casts and sums. */
#include "plan/plan.h"

#include <string.h>

/*
 * Whether the step gathers the columns of a batch from the first on, in order: a matrix of as many
 * columns and of the step's dtype is then the result.
 */
static bool takes_all_inputs(const ftl_plan *plan, const ftl_op *op)
{
    uint32_t at = 0;
    for (uint32_t s = 0; s < op->n_segments; s++, at++) {
        const ftl_op *source = plan->steps[op->segments[s].op].op;
        if (source->kind != FTL_OP_INPUT || source->edge != FTL_EDGE_NUM ||
            source->u.input.column != at)
            return false;
    }
    return at == op->width;
}

/*
 * A matrix of the step's dtype and width. What is made of it, by the strides: rows whose columns
 * lie side by side are copied row by row at least; a block that lies as its slot would, in rows or
 * in columns, needs no copy.
 */
static bool is_whole(const ftl_step *step, const ftl_matrix *matrix)
{
    return matrix && matrix->columns == step->op->width &&
           matrix->dtype == (step->is_f32 ? FTL_F32 : FTL_F64);
}

static bool lies_as_slot(const ftl_step *step, const ftl_exec *exec, const ftl_matrix *matrix)
{
    if (ftl_by_columns(step, exec))
        return matrix->row_stride == 1 && matrix->column_stride == (ptrdiff_t)exec->rows;
    return matrix->column_stride == 1 &&
           (exec->rows == 1 || matrix->row_stride == (ptrdiff_t)step->op->width);
}

static void copy_rows(const ftl_step *step, const ftl_exec *exec, const unsigned char *from,
                      ptrdiff_t stride)
{
    size_t bytes = step->op->width * (step->is_f32 ? sizeof(float) : sizeof(double));
    unsigned char *out = ftl_slot(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++)
        memcpy(out + i * bytes, from + (ptrdiff_t)i * stride, bytes);
}

/* A segment of a sparse matrix: zeros, then its entries. */
static void spread_sparse(const ftl_step *step, const ftl_exec *exec, uint32_t s, uint32_t at)
{
    const ftl_segment *segment = &step->op->segments[s];
    const ftl_sparse *sparse = ftl_sparse_source(step, exec, s);
    const size_t width = step->slot_width;
    float *narrow = (float *)ftl_slot(step, exec) + at;
    double *wide = (double *)ftl_slot(step, exec) + at;
    for (uint32_t i = 0; i < exec->rows; i++) {
        if (step->is_f32)
            memset(narrow + i * width, 0, segment->count * sizeof *narrow);
        else
            memset(wide + i * width, 0, segment->count * sizeof *wide);
        for (uint32_t k = sparse->start[i]; k < sparse->start[i + 1]; k++) {
            uint32_t column = sparse->columns[k] - segment->first;
            if (column >= segment->count)
                continue;
            if (step->is_f32)
                narrow[i * width + column] = (float)sparse->values[k];
            else
                wide[i * width + column] = sparse->values[k];
        }
    }
}

/* Each column in one piece. */
static void run_columns(const ftl_step *step, ftl_exec *exec)
{
    size_t at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at += exec->rows) {
            if (step->is_f32)
                ftl_read_f32(step, exec, s, c, (float *)ftl_slot(step, exec) + at, 1);
            else
                ftl_read_f64(step, exec, s, c, (double *)ftl_slot(step, exec) + at, 1);
        }
    }
}

static void run_numbers(const ftl_step *step, ftl_exec *exec)
{
    if (ftl_by_columns(step, exec)) {
        run_columns(step, exec);
        return;
    }
    uint32_t at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        if (step->op->segments[s].count > 1 &&
            ftl_source_step(step, exec, s)->op->edge == FTL_EDGE_SPARSE) {
            spread_sparse(step, exec, s, at);
            at += step->op->segments[s].count;
            continue;
        }
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++) {
            if (step->is_f32)
                ftl_read_f32(step, exec, s, c, (float *)ftl_slot(step, exec) + at,
                             step->slot_width);
            else
                ftl_read_f64(step, exec, s, c, (double *)ftl_slot(step, exec) + at,
                             step->slot_width);
        }
    }
}

/*
 * A step that takes all inputs: a block that lies as its slot would is read where it is, so that
 * the slot is the caller's matrix for this block. Steps write to no slot but their own.
 */
static void run_inputs(const ftl_step *step, ftl_exec *exec)
{
    const ftl_matrix *matrix = exec->in->matrix;
    exec->slots[step->id] = exec->rooms[step->id];
    if (!is_whole(step, matrix)) {
        run_numbers(step, exec);
        return;
    }
    size_t element = step->is_f32 ? sizeof(float) : sizeof(double);
    ptrdiff_t stride = matrix->row_stride * (ptrdiff_t)element;
    const unsigned char *from = (const unsigned char *)matrix->data +
                                (ptrdiff_t)exec->in_row * stride;
    if (lies_as_slot(step, exec, matrix) && (uintptr_t)from % element == 0)
        exec->slots[step->id] = (void *)(uintptr_t)from;
    else if (matrix->column_stride == 1 && !ftl_by_columns(step, exec))
        copy_rows(step, exec, from, stride);
    else
        run_numbers(step, exec);
}

static void run_cells(const ftl_step *step, ftl_exec *exec)
{
    uint32_t at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, at++)
            ftl_read_cells(step, exec, s, c, (ftl_cell *)ftl_slot(step, exec) + at,
                           step->slot_width);
    }
}

static void run_cast(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    size_t n = (size_t)exec->rows * step->slot_width;
    if (is_f32 == step->is_f32) {
        memcpy(ftl_slot(step, exec), data, n * (is_f32 ? sizeof(float) : sizeof(double)));
    } else if (is_f32) {
        double *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = (double)((const float *)data)[i];
    } else {
        float *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = (float)((const double *)data)[i];
    }
}

static void run_constant(const ftl_step *step, ftl_exec *exec)
{
    const double *values = step->op->u.constant.values;
    for (uint32_t i = 0; i < exec->rows; i++) {
        for (uint32_t j = 0; j < step->slot_width; j++) {
            if (step->is_f32)
                ((float *)ftl_slot(step,
                                   exec))[(size_t)i * step->slot_width + j] = (float)values[j];
            else
                ((double *)ftl_slot(step, exec))[(size_t)i * step->slot_width + j] = values[j];
        }
    }
}

/* Sums are made in the output's dtype. Scratch: one column of each source. */
static void run_add(const ftl_step *step, ftl_exec *exec)
{
    double *left = ftl_scratch(step, exec);
    double *right = left + exec->capacity;
    for (uint32_t c = 0; c < step->slot_width; c++) {
        ftl_read_f64(step, exec, 0, c, left, 1);
        ftl_read_f64(step, exec, 1, c, right, 1);
        for (uint32_t i = 0; i < exec->rows; i++) {
            size_t at = (size_t)i * step->slot_width + c;
            if (step->is_f32)
                ((float *)ftl_slot(step, exec))[at] = (float)left[i] + (float)right[i];
            else
                ((double *)ftl_slot(step, exec))[at] = left[i] + right[i];
        }
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    if (step->op->kind == FTL_OP_ADD)
        step->scratch_per_row = 2 * sizeof(double);
    step->writes_columns = step->op->kind == FTL_OP_GATHER;
    for (uint32_t s = 0; s < step->op->n_segments; s++) { /* entries of sparse rows stay in rows */
        if (plan->steps[step->op->segments[s].op].op->edge == FTL_EDGE_SPARSE)
            step->writes_columns = false;
    }
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    if (op->kind == FTL_OP_CONSTANT)
        ftl_blob_borrow(blob, &op->u.constant.values, op->width, sizeof(double));
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    switch (step->op->kind) {
    case FTL_OP_GATHER:
        out->run = takes_all_inputs(plan, step->op) ? run_inputs : run_numbers;
        break;
    case FTL_OP_GATHER_OBJECT:
        out->run = run_cells;
        break;
    case FTL_OP_CAST:
        out->run = run_cast;
        break;
    case FTL_OP_CONSTANT:
        out->run = run_constant;
        break;
    default:
        out->run = run_add;
        break;
    }
}

/* One file for what differs in a loop alone. */
#define FTL_GATHER_IMPL(name_) {.name = #name_, .compile = compile, .keep = keep, .bind = bind}
const ftl_op_impl ftl_op_impl_gather = FTL_GATHER_IMPL(gather);
const ftl_op_impl ftl_op_impl_gather_object = FTL_GATHER_IMPL(gather_object);
const ftl_op_impl ftl_op_impl_cast = FTL_GATHER_IMPL(cast);
const ftl_op_impl ftl_op_impl_constant = FTL_GATHER_IMPL(constant);
const ftl_op_impl ftl_op_impl_add = FTL_GATHER_IMPL(add);
