/*
 * Oblivious trees: all nodes of a level ask the same question, so a row's leaf is a number whose
 * bit d is its answer at level d, and no row walks anywhere. Rows come as one-byte codes (trees.h):
 * a column of codes a plane, the number of borders below the value less 128.
 */
#ifndef FTL_KERNELS_OBLIVIOUS_H
#define FTL_KERNELS_OBLIVIOUS_H

#include <stddef.h>
#include <stdint.h>

enum {
    FTL_OBLIVIOUS_ROWS = 64,  /* kernels take rows in multiples of it */
    FTL_OBLIVIOUS_LEVELS = 8, /* answers in a byte */
    FTL_OBLIVIOUS_TABLE = 16  /* values of a tree are padded to as many at least */
};

typedef struct ftl_oblivious_level {
    uint32_t column;
    int8_t limit; /* a row with a larger code answers yes */
} ftl_oblivious_level;

/*
 * leaf[r], bit d: the answer of row r at levels[d]; n <= FTL_OBLIVIOUS_LEVELS. codes: column c
 * begins at c * stride bytes.
 */
typedef void ftl_oblivious_leaves_fn(const ftl_oblivious_level *levels, uint32_t n,
                                     const int8_t *codes, size_t stride, uint32_t rows,
                                     uint8_t *leaf);
/*
 * sum[r] += values[leaf[r]]. values: 2^depth of them, or FTL_OBLIVIOUS_TABLE when that is more;
 * depth <= FTL_OBLIVIOUS_LEVELS.
 */
typedef void ftl_oblivious_add_fn(const double *values, uint32_t depth, const uint8_t *leaf,
                                  uint32_t rows, double *sum);

typedef struct ftl_oblivious_kernels {
    ftl_oblivious_leaves_fn *leaves;
    ftl_oblivious_add_fn *add;
} ftl_oblivious_kernels;

#define FTL_OBLIVIOUS_DECLARE(isa)                      \
    ftl_oblivious_leaves_fn ftl_oblivious_leaves_##isa; \
    ftl_oblivious_add_fn ftl_oblivious_add_##isa
FTL_OBLIVIOUS_DECLARE(portable);
FTL_OBLIVIOUS_DECLARE(avx2);
FTL_OBLIVIOUS_DECLARE(avx512);

#define FTL_OBLIVIOUS_KERNELS(isa) \
    {.leaves = ftl_oblivious_leaves_##isa, .add = ftl_oblivious_add_##isa}

#endif
