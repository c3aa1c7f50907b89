#include "build/numpy_order.h"

#include <stdlib.h>

enum { pairwise_block = 128, pairwise_lanes = 8 };

#define PAIRWISE(NAME, TYPE)                                                            \
    static TYPE NAME(const double *x, size_t n)                                         \
    {                                                                                   \
        TYPE sum = 0, r[pairwise_lanes];                                                \
        size_t i = 0;                                                                   \
        if (n > pairwise_block) {                                                       \
            size_t half = n / 2 - n / 2 % pairwise_lanes;                               \
            return NAME(x, half) + NAME(x + half, n - half);                            \
        }                                                                               \
        if (n >= pairwise_lanes) {                                                      \
            for (size_t k = 0; k < pairwise_lanes; k++)                                 \
                r[k] = (TYPE)x[k];                                                      \
            for (i = pairwise_lanes; i < n - n % pairwise_lanes; i += pairwise_lanes) { \
                for (size_t k = 0; k < pairwise_lanes; k++)                             \
                    r[k] += (TYPE)x[i + k];                                             \
            }                                                                           \
            sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));    \
        }                                                                               \
        for (; i < n; i++)                                                              \
            sum += (TYPE)x[i];                                                          \
        return sum;                                                                     \
    }
PAIRWISE(sum_f64, double)
PAIRWISE(sum_f32, float)

double ftl_pairwise_sum(const double *values, size_t n, bool narrow)
{
    return narrow ? (double)sum_f32(values, n) : sum_f64(values, n);
}

typedef struct ranked {
    double value;
    uint32_t index;
} ranked;

static int by_value(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

ftl_status ftl_sorted_indices(ftl_build *build, const double *values, size_t n, uint32_t **out,
                              ftl_error *error)
{
    ranked *items = ftl_arena_array(build->scratch, n, sizeof *items);
    uint32_t *indices = ftl_arena_array(build->scratch, n, sizeof *indices);
    if (!items || !indices)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        items[i] = (ranked){values[i], (uint32_t)i};
    qsort(items, n, sizeof *items, by_value);
    for (size_t i = 0; i < n; i++)
        indices[i] = items[i].index;
    *out = indices;
    return FTL_OK;
}
