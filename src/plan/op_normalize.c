/*
 * Rows divided by their norm. l1 sums as numpy does (pairwise, in the row's dtype); l2 sums squares
 * in float64 and rounds once, which lies within the rounding of numpy's own sum.
 */
#include "plan/plan.h"
#include "plan/sparse.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { pairwise_block = 128, pairwise_lanes = 8 };

/*
 * numpy's pairwise summation of |x|: eight lanes up to 128 numbers, halves above. The recursion is
 * log2(width) deep.
 */
#define FTL_ABS_SUM(NAME, TYPE, ABS)                                                  \
    static TYPE NAME(const TYPE *x, uint32_t n)                                       \
    {                                                                                 \
        if (n < pairwise_lanes) {                                                     \
            TYPE sum = 0;                                                             \
            for (uint32_t i = 0; i < n; i++)                                          \
                sum += ABS(x[i]);                                                     \
            return sum;                                                               \
        }                                                                             \
        if (n > pairwise_block) {                                                     \
            uint32_t half = n / 2 - n / 2 % pairwise_lanes;                           \
            return NAME(x, half) + NAME(x + half, n - half);                          \
        }                                                                             \
        TYPE r[pairwise_lanes];                                                       \
        uint32_t i = pairwise_lanes;                                                  \
        for (uint32_t k = 0; k < pairwise_lanes; k++)                                 \
            r[k] = ABS(x[k]);                                                         \
        for (; i < n - n % pairwise_lanes; i += pairwise_lanes) {                     \
            for (uint32_t k = 0; k < pairwise_lanes; k++)                             \
                r[k] += ABS(x[i + k]);                                                \
        }                                                                             \
        TYPE sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7])); \
        for (; i < n; i++)                                                            \
            sum += ABS(x[i]);                                                         \
        return sum;                                                                   \
    }
FTL_ABS_SUM(abs_sum_f64, double, fabs)
FTL_ABS_SUM(abs_sum_f32, float, fabsf)

/* Largest |x|, or x when the sign counts. */
#define FTL_LARGEST(NAME, TYPE, ABS)                              \
    static TYPE NAME(const TYPE *x, uint32_t n, bool is_signed)   \
    {                                                             \
        TYPE largest = n == 0 ? 0 : is_signed ? x[0] : ABS(x[0]); \
        for (uint32_t i = 1; i < n; i++) {                        \
            TYPE value = is_signed ? x[i] : ABS(x[i]);            \
            largest = value > largest ? value : largest;          \
        }                                                         \
        return largest;                                           \
    }
FTL_LARGEST(largest_f64, double, fabs)
FTL_LARGEST(largest_f32, float, fabsf)

static double norm_f64(const ftl_normalize_op *op, const double *x, uint32_t n)
{
    if (op->norm == FTL_NORM_L1)
        return abs_sum_f64(x, n);
    if (op->norm != FTL_NORM_L2)
        return largest_f64(x, n, op->norm == FTL_NORM_MAX_SIGNED);
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static float norm_f32(const ftl_normalize_op *op, const float *x, uint32_t n)
{
    if (op->norm == FTL_NORM_L1)
        return abs_sum_f32(x, n);
    if (op->norm != FTL_NORM_L2)
        return largest_f32(x, n, op->norm == FTL_NORM_MAX_SIGNED);
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrtf((float)sum); /* the library's squares overflow in float32, too */
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_normalize_op *op = &step->op->u.normalize;
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    uint32_t width = step->slot_width;
    for (uint32_t i = 0; i < exec->rows; i++) {
        size_t at = (size_t)i * width;
        if (is_f32) {
            const float *x = (const float *)data + at;
            float *out = (float *)ftl_slot(step, exec) + at, norm = norm_f32(op, x, width);
            if (norm == 0 || (op->tiny_is_zero && norm < 10 * FLT_EPSILON))
                norm = 1;
            for (uint32_t j = 0; j < width; j++)
                out[j] = x[j] / norm;
        } else {
            const double *x = (const double *)data + at;
            double *out = (double *)ftl_slot(step, exec) + at, norm = norm_f64(op, x, width);
            if (norm == 0 || (op->tiny_is_zero && norm < 10 * DBL_EPSILON))
                norm = 1;
            for (uint32_t j = 0; j < width; j++)
                out[j] = x[j] / norm;
        }
    }
}

static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    if (!ftl_sparse_copy(step, exec, ftl_sparse_source(step, exec, 0)))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    for (uint32_t i = 0; i < exec->rows; i++)
        ftl_sparse_normalize(out->values + out->start[i], out->start[i + 1] - out->start[i],
                             step->op->width, step->op->u.normalize.norm, step->is_f32);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
}

const ftl_op_impl ftl_op_impl_normalize = {.name = "normalize", .bind = bind};
