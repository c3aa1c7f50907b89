#include "base/pairwise.h"

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
