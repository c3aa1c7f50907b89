/*
 * Columns of any sources side by side in one matrix, with NaN where a sparse matrix of them would
 * store nothing: where a SPARSE source has no entry, and where the number of any other source is
 * zero. A zero that a SPARSE source stores is a number.
 */
#include "plan/sparse.h"

#include <math.h>

/* Where a segment's first number goes, and how far apart rows and columns lie there. */
typedef struct place {
    size_t at, row_stride, column_stride;
} place;

static place place_of(const ftl_step *step, const ftl_exec *exec, uint32_t first)
{
    if (ftl_by_columns(step, exec))
        return (place){(size_t)first * exec->rows, 1, exec->rows};
    return (place){first, step->slot_width, 1};
}

static bool is_sparse(const ftl_step *step, const ftl_exec *exec, uint32_t s)
{
    return ftl_source_step(step, exec, s)->op->edge == FTL_EDGE_SPARSE;
}

/*
 * Type-generic body: the compiler makes a float and a double form. Numbers are compared with zero
 * as their source has them: the step is float only when all of its sources are.
 */
#define FTL_STORED_BODY(TYPE, READ)                                                                \
    TYPE *slot = ftl_slot(step, exec);                                                             \
    uint32_t first = 0;                                                                            \
    for (uint32_t s = 0; s < step->op->n_segments; s++) {                                          \
        const ftl_segment *segment = &step->op->segments[s];                                       \
        const place to = place_of(step, exec, first);                                              \
        const bool entries = is_sparse(step, exec, s);                                             \
        for (uint32_t c = 0; c < segment->count; c++) {                                            \
            TYPE *out = slot + to.at + c * to.column_stride;                                       \
            if (!entries)                                                                          \
                READ(step, exec, s, c, out, to.row_stride);                                        \
            for (uint32_t i = 0; i < exec->rows; i++)                                              \
                out[i * to.row_stride] = entries || out[i * to.row_stride] == 0                    \
                                             ? (TYPE)NAN                                           \
                                             : out[i * to.row_stride];                             \
        }                                                                                          \
        if (entries) {                                                                             \
            const ftl_sparse *in = ftl_sparse_source(step, exec, s);                               \
            for (uint32_t i = 0; i < exec->rows; i++) {                                            \
                TYPE *out = slot + to.at + i * to.row_stride;                                      \
                for (uint32_t k = ftl_sparse_find(in, i, segment->first);                          \
                     k < in->start[i + 1] && in->columns[k] - segment->first < segment->count;     \
                     k++)                                                                          \
                    out[(in->columns[k] - segment->first) * to.column_stride] = (TYPE)             \
                                                                                    in->values[k]; \
            }                                                                                      \
        }                                                                                          \
        first += segment->count;                                                                   \
    }

static void run_f64(const ftl_step *step, ftl_exec *exec) { FTL_STORED_BODY(double, ftl_read_f64) }
static void run_f32(const ftl_step *step, ftl_exec *exec) { FTL_STORED_BODY(float, ftl_read_f32) }

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)error;
    step->writes_columns = true;
    for (uint32_t s = 0; s < step->op->n_segments; s++) { /* entries of sparse rows stay in rows */
        if (plan->steps[step->op->segments[s].op].op->edge == FTL_EDGE_SPARSE)
            step->writes_columns = false;
    }
    return FTL_OK;
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->is_f32 ? run_f32 : run_f64;
}

const ftl_op_impl ftl_op_impl_gather_stored = {
    .name = "gather_stored", .compile = compile, .bind = bind};
