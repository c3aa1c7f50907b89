/*
 * The kernels of oblivious trees, included once per instruction set with OBLIVIOUS_NAME(name) and
 * OBLIVIOUS_BYTES, the size of a register, defined.
 */
#include "kernels/oblivious.h"

#include <string.h>

typedef int8_t oblivious_vector __attribute__((vector_size(OBLIVIOUS_BYTES)));

/* A level's codes are loaded and compared once for N registers of rows. */
#define OBLIVIOUS_LEAVES(N)                                                            \
    for (; at + N * OBLIVIOUS_BYTES <= rows; at += N * OBLIVIOUS_BYTES) {              \
        oblivious_vector number[N] = {{0}};                                            \
        for (uint32_t d = 0; d < n; d++) {                                             \
            const int8_t *column = codes + levels[d].column * stride + at;             \
            oblivious_vector limit = levels[d].limit - (oblivious_vector){0};          \
            oblivious_vector bit = (int8_t)(uint8_t)(1u << d) - (oblivious_vector){0}; \
            _Pragma("GCC unroll 4") for (uint32_t i = 0; i < N; i++)                   \
            {                                                                          \
                oblivious_vector code;                                                 \
                memcpy(&code, column + i * OBLIVIOUS_BYTES, sizeof code);              \
                number[i] |= (oblivious_vector)(code > limit) & bit;                   \
            }                                                                          \
        }                                                                              \
        memcpy(leaf + at, number, sizeof number);                                      \
    }

void OBLIVIOUS_NAME(ftl_oblivious_leaves)(const ftl_oblivious_level *levels, uint32_t n,
                                          const int8_t *codes, size_t stride, uint32_t rows,
                                          uint8_t *leaf)
{
    uint32_t at = 0;
    OBLIVIOUS_LEAVES(4)
    OBLIVIOUS_LEAVES(1)
}

static inline void oblivious_add(const double *values, const uint8_t *leaf, uint32_t rows,
                                 double *sum)
{
    for (uint32_t r = 0; r < rows; r++)
        sum[r] += values[leaf[r]];
}

#ifndef OBLIVIOUS_ADD
void OBLIVIOUS_NAME(ftl_oblivious_add)(const double *values, uint32_t depth, const uint8_t *leaf,
                                       uint32_t rows, double *sum)
{
    (void)depth;
    oblivious_add(values, leaf, rows, sum);
}
#endif
