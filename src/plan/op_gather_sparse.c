/*
 * Columns of any sources side by side in one sparse matrix. Rows are built a row at a time; numeric
 * sources are read a column at a time into scratch first.
 */
#include "plan/sparse.h"

typedef struct gather_state {
    uint32_t n_read;      /* columns that go through scratch */
    const uint32_t *read; /* [n_segments] first scratch column of a segment, or UINT32_MAX */
} gather_state;

static bool is_sparse(const ftl_step *step, const ftl_exec *exec, uint32_t s)
{
    return ftl_source_step(step, exec, s)->op->edge == FTL_EDGE_SPARSE;
}

/* At most so many entries: those of the sparse sources, and every number of the others. */
static size_t entries_at_most(const ftl_step *step, const ftl_exec *exec)
{
    size_t n = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        size_t most = (size_t)exec->rows * step->op->segments[s].count;
        size_t entries = is_sparse(step, exec, s)
                             ? ftl_sparse_source(step, exec, s)->start[exec->rows]
                             : most;
        n += entries < most ? entries : most;
    }
    return n;
}

static void read_columns(const ftl_step *step, ftl_exec *exec)
{
    const gather_state *state = step->state;
    double *scratch = ftl_scratch(step, exec);
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        if (state->read[s] == UINT32_MAX)
            continue;
        for (uint32_t c = 0; c < step->op->segments[s].count; c++)
            ftl_read_f64(step, exec, s, c, scratch + state->read[s] + c, state->n_read);
    }
}

/* Appends the entries of segment s in row i; the segment's columns begin at `at`. */
static uint32_t append(const ftl_step *step, const ftl_exec *exec, uint32_t i, uint32_t s,
                       uint32_t at, uint32_t n)
{
    const gather_state *state = step->state;
    const ftl_segment *segment = &step->op->segments[s];
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    if (state->read[s] != UINT32_MAX) {
        const double *x = (const double *)ftl_scratch(step, exec) + (size_t)i * state->n_read +
                          state->read[s];
        for (uint32_t c = 0; c < segment->count; c++) {
            if (x[c] == 0)
                continue;
            out->columns[n] = at + c;
            out->values[n++] = step->is_f32 ? (double)(float)x[c] : x[c];
        }
        return n;
    }
    const ftl_sparse *in = ftl_sparse_source(step, exec, s);
    for (uint32_t k = ftl_sparse_find(in, i, segment->first); k < in->start[i + 1]; k++) {
        uint32_t column = in->columns[k] - segment->first;
        if (column >= segment->count)
            break;
        out->columns[n] = at + column;
        out->values[n++] = in->values[k];
    }
    return n;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    if (!ftl_sparse_reserve(step, exec, entries_at_most(step, exec)))
        return;
    read_columns(step, exec);
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    uint32_t n = 0;
    out->start[0] = 0;
    for (uint32_t i = 0; i < exec->rows; i++) {
        uint32_t at = 0;
        for (uint32_t s = 0; s < step->op->n_segments; s++) {
            n = append(step, exec, i, s, at, n);
            at += step->op->segments[s].count;
        }
        out->start[i + 1] = n;
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    gather_state *state = ftl_blob_state(&plan->blob, 1, sizeof *state);
    uint32_t *read = ftl_blob_data(&plan->blob, step->op->n_segments, sizeof *read);
    if (!state || !read)
        return FTL_OOM(error);
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        const ftl_segment *segment = &step->op->segments[s];
        bool sparse = plan->steps[segment->op].op->edge == FTL_EDGE_SPARSE;
        read[s] = sparse ? UINT32_MAX : state->n_read;
        state->n_read += sparse ? 0 : segment->count;
    }
    state->read = read;
    ftl_blob_ref(&plan->blob, &state->read);
    step->state = state;
    step->scratch_per_row = state->n_read * sizeof(double);
    return FTL_OK;
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_gather_sparse = {
    .name = "gather_sparse", .compile = compile, .bind = bind};
