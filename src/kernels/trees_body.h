/* The tree kernels, included once per instruction set with TREES_NAME(name) defined. */
#include "kernels/trees.h"

#define TREES_INLINE static inline __attribute__((always_inline))

TREES_INLINE uint32_t tree_leaf_number8(const ftl_tree_node8 *node)
{
    uint32_t bits;
    memcpy(&bits, &node->threshold, sizeof bits);
    return bits & ((1u << FTL_TREE_LEAF8_BITS) - 1);
}

TREES_INLINE uint32_t tree_leaf_number16(const ftl_tree_node16 *node)
{
    uint64_t bits;
    memcpy(&bits, &node->threshold, sizeof bits);
    return (uint32_t)bits;
}

/* The distance that a row moves at a node; 0 at a leaf. */
#define TREE_STEP_PLAIN(tree, node, at, v) ((node)->next + (uint32_t)((v) > (node)->threshold))
#define TREE_STEP_NAN(tree, node, at, v) \
    ((node)->next +                      \
     ((uint32_t)((v) > (node)->threshold) | ((uint32_t)((v) != (v)) & (tree)->kinds[at])))
#define TREE_STEP_CATEGORY(tree, node, at, v) tree_step_category(tree, node, at, v)

/* True when the value's category is in the set. */
TREES_INLINE bool tree_in_set(const ftl_tree_walk *tree, uint32_t number, double v)
{
    uint32_t from = tree->set_start[number], words = tree->set_start[number + 1] - from, c;
    return ftl_tree_category_of(tree->category_rule, v, &c) && c >> 5 < words &&
           (tree->set_words[from + (c >> 5)] >> (c & 31) & 1u);
}

TREES_INLINE uint32_t tree_step_category(const ftl_tree_walk *tree, const ftl_tree_node16 *node,
                                         uint32_t at, double v)
{
    uint32_t kind = tree->kinds[at];
    uint32_t nan_right = kind & FTL_TREE_NAN_RIGHT;
    if (v != v || ((kind & FTL_TREE_ZERO_MISSING) && v >= -FTL_TREE_ZERO && v <= FTL_TREE_ZERO))
        return node->next + nan_right;
    if (!(kind & FTL_TREE_CATEGORICAL))
        return node->next + (uint32_t)(v > node->threshold);
    if (v < 0 && (kind & FTL_TREE_NEGATIVE_MISSING))
        return node->next + nan_right;
    bool right_set = kind & FTL_TREE_SET_RIGHT;
    return node->next + (uint32_t)(tree_in_set(tree, tree_leaf_number16(node), v) == right_set);
}

/* N rows: `sure` steps, then until all have arrived. */
#define TREE_WALK_ROWS(N, node_type, leaf_number, STEP)                                       \
    for (; r + N <= rows; r += N) {                                                           \
        uint32_t at[N] = {0};                                                                 \
        for (uint32_t d = 0; d < tree->sure; d++) {                                           \
            _Pragma("GCC unroll 16") for (uint32_t i = 0; i < N; i++)                         \
            {                                                                                 \
                const node_type *node = nodes + at[i];                                        \
                at[i] += STEP(tree, node, at[i], x[(r + i) * stride + node->feature]);        \
            }                                                                                 \
        }                                                                                     \
        for (uint32_t d = tree->sure; d < tree->depth; d++) {                                 \
            uint32_t moved = 0;                                                               \
            _Pragma("GCC unroll 16") for (uint32_t i = 0; i < N; i++)                         \
            {                                                                                 \
                const node_type *node = nodes + at[i];                                        \
                uint32_t step = STEP(tree, node, at[i], x[(r + i) * stride + node->feature]); \
                at[i] += step;                                                                \
                moved |= step;                                                                \
            }                                                                                 \
            if (!moved)                                                                       \
                break;                                                                        \
        }                                                                                     \
        for (uint32_t i = 0; i < N; i++)                                                      \
            leaf[r + i] = leaf_number(nodes + at[i]);                                         \
    }

#define TREE_WALK(name, type, node_type, leaf_number, STEP)                                       \
    void TREES_NAME(name)(const ftl_tree_walk *tree, const type *x, size_t stride, uint32_t rows, \
                          uint32_t *leaf)                                                         \
    {                                                                                             \
        const node_type *nodes = tree->nodes;                                                     \
        uint32_t r = 0;                                                                           \
        TREE_WALK_ROWS(16, node_type, leaf_number, STEP)                                          \
        TREE_WALK_ROWS(4, node_type, leaf_number, STEP)                                           \
        TREE_WALK_ROWS(1, node_type, leaf_number, STEP)                                           \
    }

TREE_WALK(ftl_tree_walk_f32, float, ftl_tree_node8, tree_leaf_number8, TREE_STEP_PLAIN)
TREE_WALK(ftl_tree_walk_f32_nan, float, ftl_tree_node8, tree_leaf_number8, TREE_STEP_NAN)
TREE_WALK(ftl_tree_walk_f64, double, ftl_tree_node16, tree_leaf_number16, TREE_STEP_PLAIN)
TREE_WALK(ftl_tree_walk_f64_nan, double, ftl_tree_node16, tree_leaf_number16, TREE_STEP_NAN)
TREE_WALK(ftl_tree_walk_f64_category, double, ftl_tree_node16, tree_leaf_number16,
          TREE_STEP_CATEGORY)

/*
 * One row, eight trees at once. Each has a variable of its own, so that all of them stay in
 * registers: a node that passes through memory between two steps makes a step twice as long.
 */
#define TREE_ROW_STEP(at)                                              \
    do {                                                               \
        uint32_t step = TREE_STEP_PLAIN(trees, at, 0, x[at->feature]); \
        at += step;                                                    \
        moved |= step;                                                 \
    } while (0)

#define TREE_ROW(name, type, node_type, leaf_number)                                               \
    void TREES_NAME(name)(const ftl_tree_walk *trees, uint32_t n, const type *x, uint32_t *leaf)   \
    {                                                                                              \
        uint32_t t = 0, moved;                                                                     \
        for (; t + 8 <= n; t += 8) {                                                               \
            const node_type *a = trees[t].nodes, *b = trees[t + 1].nodes, *c = trees[t + 2].nodes, \
                            *d = trees[t + 3].nodes, *e = trees[t + 4].nodes,                      \
                            *f = trees[t + 5].nodes, *g = trees[t + 6].nodes,                      \
                            *h = trees[t + 7].nodes;                                               \
            do {                                                                                   \
                moved = 0;                                                                         \
                TREE_ROW_STEP(a);                                                                  \
                TREE_ROW_STEP(b);                                                                  \
                TREE_ROW_STEP(c);                                                                  \
                TREE_ROW_STEP(d);                                                                  \
                TREE_ROW_STEP(e);                                                                  \
                TREE_ROW_STEP(f);                                                                  \
                TREE_ROW_STEP(g);                                                                  \
                TREE_ROW_STEP(h);                                                                  \
            } while (moved);                                                                       \
            leaf[t] = leaf_number(a);                                                              \
            leaf[t + 1] = leaf_number(b);                                                          \
            leaf[t + 2] = leaf_number(c);                                                          \
            leaf[t + 3] = leaf_number(d);                                                          \
            leaf[t + 4] = leaf_number(e);                                                          \
            leaf[t + 5] = leaf_number(f);                                                          \
            leaf[t + 6] = leaf_number(g);                                                          \
            leaf[t + 7] = leaf_number(h);                                                          \
        }                                                                                          \
        for (; t < n; t++) {                                                                       \
            const node_type *a = trees[t].nodes;                                                   \
            do {                                                                                   \
                moved = 0;                                                                         \
                TREE_ROW_STEP(a);                                                                  \
            } while (moved);                                                                       \
            leaf[t] = leaf_number(a);                                                              \
        }                                                                                          \
    }

TREE_ROW(ftl_tree_row_f32, float, ftl_tree_node8, tree_leaf_number8)
TREE_ROW(ftl_tree_row_f64, double, ftl_tree_node16, tree_leaf_number16)

/*
 * Blocks of 64 values keep the loop free of early exits, which the compiler then turns into
 * vectors.
 */
#define TREE_ANY_NAN(name, type)                   \
    bool TREES_NAME(name)(const type *x, size_t n) \
    {                                              \
        size_t i = 0;                              \
        for (; i + 64 <= n; i += 64) {             \
            int any = 0;                           \
            for (size_t j = 0; j < 64; j++)        \
                any |= x[i + j] != x[i + j];       \
            if (any)                               \
                return true;                       \
        }                                          \
        for (; i < n; i++) {                       \
            if (x[i] != x[i])                      \
                return true;                       \
        }                                          \
        return false;                              \
    }
TREE_ANY_NAN(ftl_tree_any_nan_f32, float)
TREE_ANY_NAN(ftl_tree_any_nan_f64, double)

void TREES_NAME(ftl_tree_narrow)(const double *from, size_t n, float *to)
{
    typedef double wide __attribute__((vector_size(8 * sizeof(double))));
    typedef float narrow __attribute__((vector_size(8 * sizeof(float))));
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        wide w;
        memcpy(&w, from + i, sizeof w);
        narrow v = __builtin_convertvector(w, narrow);
        memcpy(to + i, &v, sizeof v);
    }
    for (; i < n; i++)
        to[i] = (float)from[i];
}

void TREES_NAME(ftl_tree_add_one)(const double *values, const uint32_t *leaf, uint32_t rows,
                                  double *sum)
{
    for (uint32_t r = 0; r < rows; r++)
        sum[r] += values[leaf[r]];
}

void TREES_NAME(ftl_tree_add_one_f32)(const float *values, const uint32_t *leaf, uint32_t rows,
                                      float *sum)
{
    for (uint32_t r = 0; r < rows; r++)
        sum[r] += values[leaf[r]];
}

#if defined(__AVX512BW__)
#define CUT_BYTES 64
#elif defined(__AVX2__)
#define CUT_BYTES 32
#else
#define CUT_BYTES 16
#endif
typedef uint32_t cut_words __attribute__((vector_size(CUT_BYTES)));

#define CUT_NAME(name) TREES_NAME(name##8)
#define CUT_SUFFIX(head, tail) TREES_NAME(head##8##tail)
#define CUT_SIGNED int8_t
#define CUT_UNSIGNED uint8_t
#define CUT_LOWEST 0x80u
#include "kernels/trees_cuts_body.h"

#define CUT_NAME(name) TREES_NAME(name##16)
#define CUT_SUFFIX(head, tail) TREES_NAME(head##16##tail)
#define CUT_SIGNED int16_t
#define CUT_UNSIGNED uint16_t
#define CUT_LOWEST 0u
#include "kernels/trees_cuts_body.h"
