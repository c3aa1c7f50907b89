/*
 * LINEAR: scores = X W + b, accumulated in float64 whatever the sources are and rounded once when
 * the edge is float32. Coded columns (one-hot encodings) add the weights of their code and are
 * never expanded; sparse ones add the weights of their entries.
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "plan/plan.h"

#include <string.h>

typedef enum part_kind {
    PART_DENSE, /* columns of a matrix in the workspace */
    PART_CODED,
    PART_SPARSE, /* columns of one sparse matrix: several segments when they are picked from it */
    PART_READ    /* anything else, a column at a time */
} part_kind;

/* A source column of a coded segment: its code c stands for column c + base of the segment, when
 * that is in range. */
typedef struct coded_column {
    uint32_t column;
    int64_t base;
} coded_column;

typedef struct linear_part {
    part_kind kind;
    uint32_t segment;
    uint32_t count;        /* columns, coded ones expanded */
    const double *weights; /* packed for the kernels: [count] of one output, else [count][row] */
    uint32_t n_coded;
    const coded_column *coded;
    /* SPARSE: [source's width] place among the part's columns, or -1; NULL: column - first */
    const int32_t *places;
    uint32_t first;
} linear_part;

typedef struct linear_state {
    size_t row; /* numbers per column of packed weights: 1, or the padded outputs */
    uint32_t n_parts;
    const linear_part *parts;
} linear_state;

/* ---- Compiling ------------------------------------------------------------------------------- */

/* coef: [outputs][sources] → weights of source columns [first, first + count), outputs together. */
static ftl_status pack_weights(ftl_plan *plan, const ftl_op *op, uint32_t first, uint32_t count,
                               size_t row, const double **out, ftl_error *error)
{
    size_t sources = ftl_op_source_columns(op), size;
    if (!ftl_mul_size(ftl_linear_padded(count), row, &size))
        return FTL_OOM(error);
    double *weights = ftl_blob_zero_data(&plan->blob, size, sizeof *weights);
    if (!weights)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < op->width; k++) {
        const double *from = op->u.linear.coef + k * sources + first;
        for (size_t j = 0; j < count; j++)
            weights[j * row + k] = from[j];
    }
    *out = weights;
    ftl_blob_ref(&plan->blob, out);
    return FTL_OK;
}

static ftl_status compile_coded(ftl_plan *plan, const ftl_op *source, const ftl_segment *segment,
                                linear_part *part, ftl_error *error)
{
    const ftl_encode_op *encode = &source->u.encode;
    coded_column *columns = ftl_blob_zero_data(&plan->blob, encode->n_columns, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    int64_t offset = 0, first = segment->first, end = first + segment->count;
    uint32_t n = 0;
    for (uint32_t c = 0; c < encode->n_columns; c++) {
        int64_t next = offset + encode->columns[c].cardinality;
        if (offset < end && next > first) {
            columns[n].column = c;
            columns[n++].base = offset - first;
        }
        offset = next;
    }
    part->kind = PART_CODED;
    part->coded = columns;
    ftl_blob_ref(&plan->blob, &part->coded);
    part->n_coded = n;
    return FTL_OK;
}

static ftl_status compile_part(ftl_plan *plan, const ftl_op *op, uint32_t segment, uint32_t first,
                               size_t row, linear_part *part, ftl_error *error)
{
    const ftl_segment *s = &op->segments[segment];
    const ftl_op *source = plan->steps[s->op].op;
    part->kind = PART_READ;
    part->segment = segment;
    part->count = s->count;
    FTL_TRY(pack_weights(plan, op, first, s->count, row, &part->weights, error));
    if (source->edge == FTL_EDGE_CODED)
        return compile_coded(plan, source, s, part, error);
    if (source->edge == FTL_EDGE_NUM && source->kind != FTL_OP_INPUT)
        part->kind = PART_DENSE;
    return FTL_OK;
}

/*
 * Segments [from, *end) that take columns of one sparse matrix, each column once: one part, so that
 * a selection of thousands of columns is one pass over the entries.
 */
static ftl_status compile_sparse(ftl_plan *plan, const ftl_op *op, uint32_t from, uint32_t first,
                                 size_t row, linear_part *part, uint32_t *end, ftl_error *error)
{
    const ftl_segment *s = &op->segments[from];
    const ftl_op *source = plan->steps[s->op].op;
    part->kind = PART_SPARSE;
    part->segment = from;
    part->count = s->count;
    part->first = s->first;
    *end = from + 1;
    if (*end < op->n_segments && op->segments[*end].op == s->op) {
        int32_t *places = ftl_blob_data(&plan->blob, source->width, sizeof *places);
        if (!places)
            return FTL_OOM(error);
        memset(places, 0xff, source->width * sizeof *places);
        part->places = places;
        ftl_blob_ref(&plan->blob, &part->places);
        part->count = 0;
        bool repeated = false;
        for (*end = from; *end < op->n_segments && op->segments[*end].op == s->op; ++*end) {
            const ftl_segment *next = &op->segments[*end];
            for (uint32_t c = next->first; c < next->first + next->count; c++)
                repeated = repeated || places[c] >= 0;
            if (repeated)
                break;
            for (uint32_t c = next->first; c < next->first + next->count; c++)
                places[c] = (int32_t)part->count++;
        }
    }
    return pack_weights(plan, op, first, part->count, row, &part->weights, error);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void add_dense(const linear_part *part, const ftl_step *step, const ftl_exec *exec,
                      double *acc)
{
    const ftl_step *source = ftl_source_step(step, exec, part->segment);
    size_t first = step->op->segments[part->segment].first, n_out = step->op->width,
           stride = source->slot_width, rows = exec->rows;
    const ftl_linear_kernels *k = &exec->plan->kernels->linear;
    if (ftl_by_columns(source, exec)) { /* then there is one output */
        if (source->is_f32)
            k->columns_f32(rows, part->count, (const float *)ftl_slot(source, exec) + first * rows,
                           rows, part->weights, acc);
        else
            k->columns_f64(rows, part->count, (const double *)ftl_slot(source, exec) + first * rows,
                           rows, part->weights, acc);
        return;
    }
    if (source->is_f32) {
        const float *x = (const float *)ftl_slot(source, exec) + first;
        if (n_out == 1)
            k->one_f32(exec->rows, part->count, x, stride, part->weights, acc);
        else
            k->many_f32(exec->rows, part->count, n_out, x, stride, part->weights, acc);
    } else {
        const double *x = (const double *)ftl_slot(source, exec) + first;
        if (n_out == 1)
            k->one_f64(exec->rows, part->count, x, stride, part->weights, acc);
        else
            k->many_f64(exec->rows, part->count, n_out, x, stride, part->weights, acc);
    }
}

static void add_coded(const linear_state *state, const linear_part *part, const ftl_step *step,
                      const ftl_exec *exec, double *acc)
{
    const ftl_step *source = ftl_source_step(step, exec, part->segment);
    const int32_t *codes = ftl_slot(source, exec);
    size_t n_out = step->op->width;
    for (size_t r = 0; r < exec->rows; r++) {
        for (uint32_t i = 0; i < part->n_coded; i++) {
            int32_t code = codes[r * source->slot_width + part->coded[i].column];
            int64_t at = code + part->coded[i].base;
            if (code < 0 || at < 0 || at >= part->count)
                continue;
            const double *w = part->weights + (size_t)at * state->row;
            for (size_t k = 0; k < n_out; k++)
                acc[r * n_out + k] += w[k];
        }
    }
}

static void add_sparse(const linear_state *state, const linear_part *part, const ftl_step *step,
                       const ftl_exec *exec, double *acc)
{
    const ftl_sparse *sparse = ftl_sparse_source(step, exec, part->segment);
    size_t n_out = step->op->width;
    for (size_t r = 0; r < exec->rows; r++, acc += n_out) {
        for (uint32_t k = sparse->start[r]; k < sparse->start[r + 1]; k++) {
            uint32_t at = part->places ? (uint32_t)part->places[sparse->columns[k]]
                                       : sparse->columns[k] - part->first;
            if (at >= part->count)
                continue;
            const double *w = part->weights + (size_t)at * state->row;
            const double x = sparse->values[k];
            for (size_t o = 0; o < n_out; o++)
                acc[o] += x * w[o];
        }
    }
}

static void add_read(const linear_state *state, const linear_part *part, const ftl_step *step,
                     ftl_exec *exec, double *acc, double *column)
{
    size_t n_out = step->op->width;
    for (uint32_t j = 0; j < part->count; j++) {
        const double *w = part->weights + j * state->row;
        ftl_read_f64(step, exec, part->segment, j, column, 1);
        for (size_t r = 0; r < exec->rows; r++) {
            for (size_t k = 0; k < n_out; k++)
                acc[r * n_out + k] += column[r] * w[k];
        }
    }
}

static void run_linear(const ftl_step *step, ftl_exec *exec)
{
    const linear_state *state = step->state;
    const ftl_op *op = step->op;
    size_t n = (size_t)exec->rows * op->width;
    double *scratch = ftl_scratch(step, exec);
    double *acc = step->is_f32 ? scratch : ftl_slot(step, exec);
    double *column = step->is_f32 ? scratch + n : scratch;
    memset(acc, 0, n * sizeof *acc);
    for (uint32_t i = 0; i < state->n_parts; i++) {
        const linear_part *part = &state->parts[i];
        if (part->kind == PART_DENSE)
            add_dense(part, step, exec, acc);
        else if (part->kind == PART_CODED)
            add_coded(state, part, step, exec, acc);
        else if (part->kind == PART_SPARSE)
            add_sparse(state, part, step, exec, acc);
        else
            add_read(state, part, step, exec, acc, column);
    }
    const double *intercept = op->u.linear.intercept;
    if (intercept)
        exec->plan->kernels->rows.apply_f64(FTL_ROWS_ADD, exec->rows, op->width, acc, intercept,
                                            acc);
    if (step->is_f32)
        exec->plan->kernels->trees.narrow(acc, n, ftl_slot(step, exec));
}

static ftl_status compile_linear(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_op *op = step->op;
    linear_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    linear_part *parts = ftl_blob_state(&plan->blob, op->n_segments, sizeof *parts);
    if (!state || !parts)
        return FTL_OOM(error);
    state->row = op->width == 1 ? 1 : ftl_linear_padded(op->width);
    state->parts = parts;
    ftl_blob_ref(&plan->blob, &state->parts);
    bool reads = false;
    uint32_t first = 0;
    for (uint32_t i = 0, next = 0; i < op->n_segments; i = next) {
        linear_part *part = &parts[state->n_parts++];
        next = i + 1;
        if (plan->steps[op->segments[i].op].op->edge == FTL_EDGE_SPARSE)
            FTL_TRY(compile_sparse(plan, op, i, first, state->row, part, &next, error));
        else
            FTL_TRY(compile_part(plan, op, i, first, state->row, part, error));
        reads = reads || part->kind == PART_READ;
        first += part->count;
    }
    step->reads_columns = op->width == 1 && !reads;
    step->scratch_per_row = ((step->is_f32 ? op->width : 0) + (reads ? 1 : 0)) * sizeof(double);
    step->state = state;
    return FTL_OK;
}

static void keep_linear(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    op->u.linear.coef = NULL; /* packed */
    ftl_blob_borrow(blob, &op->u.linear.intercept, op->width, sizeof(double));
}

static void bind_linear(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_linear;
}

const ftl_op_impl ftl_op_impl_linear = {
    .name = "linear", .compile = compile_linear, .keep = keep_linear, .bind = bind_linear};
