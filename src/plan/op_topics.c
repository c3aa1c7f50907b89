/*
 * The topics of a row of counts: the E-step of latent Dirichlet allocation (Hoffman, Blei and Bach
 * 2010), as scikit-learn runs it on one document from ones on. The digamma function is Bernardo's
 * algorithm AS 103; both are in the float type of the step, rounded where scikit-learn rounds.
 */
#include "base/pairwise.h"
#include "plan/sparse.h"

#include <float.h>
#include <math.h>

static const double euler = 0.577215664901532860606512090082402431;

/* A row's words: their columns and counts. */
typedef struct document {
    uint32_t n;
    uint32_t *columns;
    double *counts;
} document;

/* Scratch: counts, three vectors of topics, columns. */
static double *counts_of(const ftl_step *step, const ftl_exec *exec)
{
    return ftl_scratch(step, exec);
}

static void *topics_of(const ftl_step *step, const ftl_exec *exec)
{
    return counts_of(step, exec) + ftl_op_source_columns(step->op);
}

static uint32_t *columns_of(const ftl_step *step, const ftl_exec *exec)
{
    void *behind = (double *)topics_of(step, exec) + 3 * (size_t)step->op->width;
    return behind;
}

/* ---- One document ---------------------------------------------------------------------------- */

/*
 * Type-generic: digamma; the new parameters with the prior, and exp(E[log theta]) of them; the
 * iteration. now, weight and last have a number a topic; `now` holds the result.
 */
#define TOPICS(T, suffix_)                                                                       \
    static T digamma_##suffix_(T x)                                                              \
    {                                                                                            \
        T result = 0;                                                                            \
        if ((double)x <= 1e-6)                                                                   \
            return (T)(-euler - 1.0 / (double)x);                                                \
        for (; x < 6; x += 1)                                                                    \
            result = (T)((double)result - 1.0 / (double)x);                                      \
        T r = (T)(1.0 / (double)x);                                                              \
        result = (T)((double)result + (log((double)x) - .5 * (double)r));                        \
        r = r * r;                                                                               \
        const double square = (double)r;                                                         \
        return (T)((double)result -                                                              \
                   square * ((1. / 12.) - square * ((1. / 120.) - square * (1. / 252.))));       \
    }                                                                                            \
    static void expect_##suffix_(T *now, T *weight, uint32_t n, T prior)                         \
    {                                                                                            \
        T total = 0;                                                                             \
        for (uint32_t k = 0; k < n; k++) {                                                       \
            now[k] = now[k] + prior;                                                             \
            total += now[k];                                                                     \
        }                                                                                        \
        const T of_total = digamma_##suffix_(total);                                             \
        for (uint32_t k = 0; k < n; k++)                                                         \
            weight[k] = (T)exp((double)(T)(digamma_##suffix_(now[k]) - of_total));               \
    }                                                                                            \
    static void update_##suffix_(const ftl_topics_op *op, uint32_t n, const document *d, T *now, \
                                 const T *weight)                                                \
    {                                                                                            \
        const T tiny = sizeof(T) == sizeof(float) ? (T)FLT_EPSILON : (T)DBL_EPSILON;             \
        memset(now, 0, n * sizeof *now);                                                         \
        for (uint32_t w = 0; w < d->n; w++) {                                                    \
            const double *word = op->words + (size_t)d->columns[w] * n;                          \
            T norm = 0;                                                                          \
            for (uint32_t k = 0; k < n; k++)                                                     \
                norm += weight[k] * (T)word[k];                                                  \
            const T share = (T)d->counts[w] / (norm + tiny);                                     \
            for (uint32_t k = 0; k < n; k++)                                                     \
                now[k] += share * (T)word[k];                                                    \
        }                                                                                        \
        for (uint32_t k = 0; k < n; k++)                                                         \
            now[k] = weight[k] * now[k];                                                         \
    }                                                                                            \
    static double change_##suffix_(const T *a, const T *b, uint32_t n)                           \
    {                                                                                            \
        double total = 0;                                                                        \
        for (uint32_t k = 0; k < n; k++)                                                         \
            total += fabs((double)(T)(a[k] - b[k]));                                             \
        return total / n;                                                                        \
    }                                                                                            \
    static T *find_##suffix_(const ftl_topics_op *op, uint32_t n, const document *d, T *room)    \
    {                                                                                            \
        T *now = room, *last = room + n, *weight = room + 2 * (size_t)n;                         \
        for (uint32_t k = 0; k < n; k++)                                                         \
            now[k] = 1;                                                                          \
        expect_##suffix_(now, weight, n, 0);                                                     \
        for (uint32_t i = 0; i < op->iterations; i++) {                                          \
            T *before = now;                                                                     \
            now = last;                                                                          \
            last = before;                                                                       \
            update_##suffix_(op, n, d, now, weight);                                             \
            expect_##suffix_(now, weight, n, (T)op->prior);                                      \
            if (change_##suffix_(last, now, n) < op->tolerance)                                  \
                break;                                                                           \
        }                                                                                        \
        return now;                                                                              \
    }
TOPICS(double, f64)
TOPICS(float, f32)

/* ---- Rows ------------------------------------------------------------------------------------ */

static bool is_sparse(const ftl_step *step, const ftl_exec *exec)
{
    return ftl_source_step(step, exec, 0)->op->edge == FTL_EDGE_SPARSE;
}

/* Zeros are no words, whether they are stored or not. */
static void read_row(const ftl_step *step, ftl_exec *exec, uint32_t row, document *out)
{
    out->n = 0;
    if (is_sparse(step, exec)) {
        const ftl_sparse *in = ftl_sparse_source(step, exec, 0);
        for (uint32_t k = in->start[row]; k < in->start[row + 1]; k++) {
            out->columns[out->n] = in->columns[k];
            out->counts[out->n] = in->values[k];
            out->n += in->values[k] != 0;
        }
        return;
    }
    bool is_f32;
    const uint32_t width = ftl_op_source_columns(step->op);
    const void *x = ftl_matrix_source(step, exec, &is_f32);
    for (uint32_t j = 0; j < width; j++) {
        size_t at = (size_t)row * width + j;
        double value = is_f32 ? (double)((const float *)x)[at] : ((const double *)x)[at];
        if (value == 0)
            continue;
        out->columns[out->n] = j;
        out->counts[out->n++] = value;
    }
}

/* Counts as the step's type has them; false: the row is bad. */
static bool take_counts(const ftl_step *step, ftl_exec *exec, uint32_t row, document *d)
{
    const ftl_topics_op *op = &step->op->u.topics;
    for (uint32_t w = 0; w < d->n; w++) {
        double count = d->counts[w];
        d->counts[w] = step->is_f32 ? (double)(float)count : count;
        bool wide = isinf(d->counts[w]) && !isinf(count);
        if (!(count < 0) && !wide)
            continue;
        ftl_exec_bad(exec, step, row, op->names ? op->names[d->columns[w]] : NULL,
                     wide ? "%.17g is too large for float32, in which %s counts"
                          : "%.17g is negative, which %s does not take for a count",
                     count, op->estimator);
        return false;
    }
    return true;
}

static void write_row(const ftl_step *step, ftl_exec *exec, uint32_t row, const document *d)
{
    const ftl_topics_op *op = &step->op->u.topics;
    const uint32_t n = step->op->width;
    if (!step->is_f32) {
        const double *found = find_f64(op, n, d, topics_of(step, exec));
        double *out = (double *)ftl_slot(step, exec) + (size_t)row * n,
               sum = ftl_pairwise_sum(found, n, false);
        for (uint32_t k = 0; k < n; k++)
            out[k] = found[k] / sum;
        return;
    }
    float *out = (float *)ftl_slot(step, exec) + (size_t)row * n;
    const float *found = find_f32(op, n, d, topics_of(step, exec));
    double *wide = counts_of(step, exec) + ftl_op_source_columns(step->op) +
                   2 * (size_t)n; /* three vectors of float32 end before it */
    for (uint32_t k = 0; k < n; k++)
        out[k] = found[k];
    for (uint32_t k = 0; k < n; k++)
        wide[k] = (double)out[k];
    float sum = (float)ftl_pairwise_sum(wide, n, true);
    for (uint32_t k = 0; k < n; k++)
        out[k] = out[k] / sum;
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    document d = {.columns = columns_of(step, exec), .counts = counts_of(step, exec)};
    for (uint32_t row = 0; row < exec->rows; row++) {
        read_row(step, exec, row, &d);
        if (exec->bad[row] || !take_counts(step, exec, row, &d))
            d.n = 0; /* nothing is made of the row; numbers that are not finite would not end */
        write_row(step, exec, row, &d);
    }
}

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    size_t width = ftl_op_source_columns(step->op);
    (void)plan;
    (void)error;
    step->scratch_fixed = width * (sizeof(double) + sizeof(uint32_t)) +
                          3 * (size_t)step->op->width * sizeof(double);
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_topics_op *topics = &op->u.topics;
    uint32_t columns = ftl_op_source_columns(op);
    (void)step;
    ftl_blob_borrow(blob, &topics->words, (size_t)columns * op->width, sizeof(double));
    ftl_blob_borrow_text(blob, &topics->estimator);
    ftl_blob_copy_texts(blob, &topics->names, topics->names ? columns : 0);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_topics = {
    .name = "topics", .compile = compile, .keep = keep, .bind = bind};
