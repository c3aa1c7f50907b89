/*
 * Walking rows down a tree. A tree is an array of packed nodes with the root first; the two
 * children of a node stand side by side, so that a step adds the distance to the left child and,
 * when the row goes right, one. A leaf stays where it is: its distance is 0 and its threshold a
 * NaN, which nothing exceeds, with the leaf's number in the low bits. A walk is therefore a fixed
 * number of steps without branches on the data, and many rows are in flight at once.
 *
 * Decisions are exact: a 8-byte node holds the largest float32 <= the library's float64 threshold,
 * which for float32 values decides as the threshold itself; a 16-byte node holds the threshold.
 */
#ifndef FTL_KERNELS_TREES_H
#define FTL_KERNELS_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ftl_tree_node8 {
    float threshold; /* x > threshold goes right */
    uint16_t feature;
    uint16_t next; /* distance to the left child; 0: leaf */
} ftl_tree_node8;

typedef struct ftl_tree_node16 {
    double threshold; /* categorical: the number of its bitset */
    uint32_t feature;
    uint32_t next;
} ftl_tree_node16;

enum { FTL_TREE_LEAF8_BITS = 22 };
static inline uint32_t ftl_tree_leaf8_bits(uint32_t number) { return 0x7fc00000u | number; }
static inline uint64_t ftl_tree_leaf16_bits(uint32_t number)
{
    return 0x7ff8000000000000u | number;
}

/*
 * What a node does with special values; one byte a node, read only where rows hold NaN or the
 * ensemble has categories or takes zero for missing.
 */
enum {
    FTL_TREE_NAN_RIGHT = 1,
    FTL_TREE_CATEGORICAL = 2,
    FTL_TREE_NEGATIVE_MISSING = 4,
    FTL_TREE_ZERO_MISSING = 8,
    FTL_TREE_SET_RIGHT = 16
};
/* What the category of a value is: ftl_category_rule of the IR. */
typedef enum ftl_tree_category_rule {
    FTL_TREE_CATEGORY_BYTE,
    FTL_TREE_CATEGORY_INT,
    FTL_TREE_CATEGORY_NOT_NEGATIVE
} ftl_tree_category_rule;

/*
 * The category of a value, as C compilers for x86-64 turn a double into a byte: truncated to 32
 * bits (0x80000000 when that does not fit), then to eight. HistGradientBoosting's own conversion is
 * this one.
 */
static inline uint32_t ftl_tree_category(double value)
{
    bool fits = value > -2147483649.0 && value < 2147483648.0;
    return fits ? (uint32_t)(int32_t)value & 0xffu : 0;
}

/* The largest float32 <= t. */
static inline float ftl_tree_largest_f32(double t)
{
    float f = (float)t;
    uint32_t bits, above = (double)f > t;
    memcpy(&bits, &f, sizeof bits);
    /*
     * When f was rounded up, the next float32 below it: one less as an integer for positive
     * numbers, one more for negative ones. Arithmetic in place of a branch, since either is as
     * likely.
     */
    bits += ((bits >> 31) * 2 - 1) & -above;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* LightGBM's kZeroThreshold: a float32 constant that float64 values are compared with. */
#define FTL_TREE_ZERO ((double)1e-35f)

/* False when the value belongs to no category. */
static inline bool ftl_tree_category_of(ftl_tree_category_rule rule, double value,
                                        uint32_t *category)
{
    double lowest = rule == FTL_TREE_CATEGORY_INT ? -1.0 : -0x1p-1074;
    if (rule == FTL_TREE_CATEGORY_BYTE) {
        *category = ftl_tree_category(value);
        return true;
    }
    if (!(value > lowest && value < 2147483648.0))
        return false;
    *category = (uint32_t)(int32_t)value;
    return true;
}

/* One tree of a packed ensemble. */
typedef struct ftl_tree_walk {
    const void *nodes;                     /* its root */
    const uint8_t *kinds;                  /* of its nodes */
    const uint32_t *set_start, *set_words; /* set i: words set_start[i] to set_start[i + 1] */
    ftl_tree_category_rule category_rule;
    uint32_t sure;  /* steps that are made without looking whether all rows have arrived */
    uint32_t depth; /* steps that bring every row to a leaf */
} ftl_tree_walk;

/*
 * leaf[r] = the number of the leaf that row r ends in. x: rows × features, stride elements between
 * rows.
 */
typedef void ftl_tree_walk_f32_fn(const ftl_tree_walk *tree, const float *x, size_t stride,
                                  uint32_t rows, uint32_t *leaf);
typedef void ftl_tree_walk_f64_fn(const ftl_tree_walk *tree, const double *x, size_t stride,
                                  uint32_t rows, uint32_t *leaf);
/* One row down n trees at once: leaf[i] of trees[i]. */
typedef void ftl_tree_row_f32_fn(const ftl_tree_walk *trees, uint32_t n, const float *x,
                                 uint32_t *leaf);
typedef void ftl_tree_row_f64_fn(const ftl_tree_walk *trees, uint32_t n, const double *x,
                                 uint32_t *leaf);
/* True when any of n values is NaN. */
typedef bool ftl_tree_any_nan_f32_fn(const float *x, size_t n);
typedef bool ftl_tree_any_nan_f64_fn(const double *x, size_t n);
/* to[i] = from[i] as float32. */
typedef void ftl_tree_narrow_fn(const double *from, size_t n, float *to);
/* sum[r] += values[leaf[r]] */
typedef void ftl_tree_add_one_fn(const double *values, const uint32_t *leaf, uint32_t rows,
                                 double *sum);
typedef void ftl_tree_add_one_f32_fn(const float *values, const uint32_t *leaf, uint32_t rows,
                                     float *sum);

/*
 * Small trees without walking. A decision depends only on how x compares with the distinct
 * thresholds of its feature, so a block of rows is first turned into *codes*, one column a feature:
 * the number of thresholds below x, in one or two bytes. A tree is then a list of *cuts*, parents
 * first and left before right, on the numbers of its leaves, counted from left to right. Every row
 * starts at leaf 0; a row that stands at the leftmost leaf of a node and goes right there moves on
 * to the leftmost leaf of the right child. As subtrees hold consecutive leaves, no other row
 * stands there, and a cut is two comparisons and an addition for as many rows as a register holds.
 * It costs the same whatever the rows are, so a tree of n leaves takes n - 1 cuts where a walk
 * takes its depth.
 *
 * One-byte codes are kept less 128, as signed bytes are what every processor compares; two-byte
 * codes stay below 32768.
 */
enum {
    FTL_TREE_CODES8 = 255, /* distinct thresholds of a feature, at most */
    FTL_TREE_CODES16 = 32767,
    FTL_TREE_CODE_ROWS = 64 /* rows of codes are made and cut in multiples of it */
};

typedef struct ftl_tree_cut {
    uint32_t column;
    uint32_t code; /* a row with a larger one goes right; this and the next fill four bytes */
    uint32_t from; /* leftmost leaf of the node */
    uint32_t step; /* leaves of the left child */
} ftl_tree_cut;

static inline uint32_t ftl_tree_cut_word8(uint32_t value) { return (value & 0xff) * 0x01010101u; }
static inline uint32_t ftl_tree_cut_word16(uint32_t value) { return (value & 0xffff) * 0x10001u; }

/*
 * Categorical cuts have this bit in their column, and as code, not repeated, the word at which
 * their set begins. The column's codes are categories, in two bytes; bit c of the set says that
 * category c goes left. Two more codes stand for the values in no category and for missing ones.
 */
#define FTL_TREE_CUT_SET 0x80000000u

typedef struct ftl_tree_cuts {
    const ftl_tree_cut *cuts;
    uint32_t n_cuts;
    const uint32_t *sets;
} ftl_tree_cuts;

/*
 * leaf[r] for a multiple of FTL_TREE_CODE_ROWS rows, in the codes' own type. codes: one column
 * after the other, stride bytes apart; all aligned to 64 bytes.
 */
typedef void ftl_tree_cut_fn(const ftl_tree_cuts *tree, const void *codes, size_t stride,
                             uint32_t rows, void *leaf);
/*
 * The thresholds of a column stand as a search meets them: the middle one, the middles of both
 * halves, of the quarters and so on, 2^steps - 1 of them, the largest infinite for want of others.
 * The first levels then lie in a register or two. edge_place: where the one with `rank` smaller
 * ones stands; edges_room: elements of the array, which is readable to its end.
 */
static inline uint32_t ftl_tree_edge_place(uint32_t rank, uint32_t steps)
{
    uint32_t below = (uint32_t)__builtin_ctz(rank + 1); /* levels below its own */
    return (1u << (steps - 1 - below)) - 1 + ((rank + 1) >> (below + 1));
}
static inline uint32_t ftl_tree_edges_room(uint32_t steps) { return steps < 4 ? 16 : 1u << steps; }
/* Steps for n thresholds: at least one. */
static inline uint32_t ftl_tree_edges_steps(uint32_t n)
{
    uint32_t steps = 1;
    while ((1u << steps) - 1 < n)
        steps++;
    return steps;
}

/*
 * Codes of one column of up to FTL_TREE_CODE_ROWS rows; as many are written, whatever the number
 * of rows. zero: 1e-35f or below 0. Returns whether a row was missing: NaN, or |x| <= zero, which
 * is below 0 where zero is a value like others. The code of such rows is `missing`.
 */
typedef bool ftl_tree_code_f32_fn(const float *x, size_t stride, uint32_t rows, const float *edges,
                                  uint32_t steps, double zero, uint32_t missing, void *codes);
typedef bool ftl_tree_code_f64_fn(const double *x, size_t stride, uint32_t rows,
                                  const double *edges, uint32_t steps, double zero,
                                  uint32_t missing, void *codes);
/* sum[r * width] += values[leaf[r]] for leaves as cuts leave them */
typedef void ftl_tree_cut_add_fn(const double *values, const void *leaf, uint32_t rows, double *sum,
                                 size_t width);
typedef void ftl_tree_cut_add_f32_fn(const float *values, const void *leaf, uint32_t rows,
                                     float *sum, size_t width);

typedef struct ftl_tree_cut_kernels {
    ftl_tree_cut_fn *cut;
    ftl_tree_code_f32_fn *code_f32;
    ftl_tree_code_f64_fn *code_f64;
    ftl_tree_cut_add_fn *add;
    ftl_tree_cut_add_f32_fn *add_f32;
} ftl_tree_cut_kernels;

/*
 * One row down a tree of at most 32 leaves without steps (QuickScorer, Lucchese et al., SIGIR
 * 2015): every node compares at once, and one where the row goes right shuts off the leaves below
 * its left child. Of those that are left, counted from left to right, the first is the row's: were
 * it below the left child of a node where the row goes right, it would be shut off, and were it
 * right of a node where the row goes left, that node's left subtree would hold an earlier one.
 */
enum { FTL_TREE_MASK_LEAVES = 32, FTL_TREE_MASK_COLUMNS = 32 };
typedef struct ftl_tree_mask {
    uint8_t column[FTL_TREE_MASK_LEAVES]; /* of the codes that a node looks at */
    uint8_t least[FTL_TREE_MASK_LEAVES];  /* codes from here on go right */
    uint32_t shut[FTL_TREE_MASK_LEAVES];  /* bits of leaves; 0 where there is no node */
} ftl_tree_mask;
/* leaf[t] of n trees, from left to right. codes: FTL_TREE_MASK_COLUMNS. NULL: there is none. */
typedef void ftl_tree_row_masks_fn(const ftl_tree_mask *trees, uint32_t n, const uint8_t *codes,
                                   uint32_t *leaf);

typedef struct ftl_tree_kernels {
    ftl_tree_cut_kernels codes8, codes16;
    ftl_tree_walk_f32_fn *f32, *f32_nan;
    ftl_tree_walk_f64_fn *f64, *f64_nan, *f64_category;
    ftl_tree_row_f32_fn *row_f32;
    ftl_tree_row_f64_fn *row_f64;
    ftl_tree_row_masks_fn *row_masks; /* or NULL */
    ftl_tree_any_nan_f32_fn *any_nan_f32;
    ftl_tree_any_nan_f64_fn *any_nan_f64;
    ftl_tree_narrow_fn *narrow;
    ftl_tree_add_one_fn *add_one;
    ftl_tree_add_one_f32_fn *add_one_f32;
} ftl_tree_kernels;

#define FTL_TREES_DECLARE_CUTS(bits, isa)                 \
    ftl_tree_cut_fn ftl_tree_cut##bits##_##isa;           \
    ftl_tree_code_f32_fn ftl_tree_code##bits##_f32_##isa; \
    ftl_tree_code_f64_fn ftl_tree_code##bits##_f64_##isa; \
    ftl_tree_cut_add_fn ftl_tree_cut##bits##_add_##isa;   \
    ftl_tree_cut_add_f32_fn ftl_tree_cut##bits##_add_f32_##isa
#define FTL_TREES_DECLARE(isa)                             \
    ftl_tree_walk_f32_fn ftl_tree_walk_f32_##isa;          \
    ftl_tree_walk_f32_fn ftl_tree_walk_f32_nan_##isa;      \
    ftl_tree_walk_f64_fn ftl_tree_walk_f64_##isa;          \
    ftl_tree_walk_f64_fn ftl_tree_walk_f64_nan_##isa;      \
    ftl_tree_walk_f64_fn ftl_tree_walk_f64_category_##isa; \
    ftl_tree_row_f32_fn ftl_tree_row_f32_##isa;            \
    ftl_tree_row_f64_fn ftl_tree_row_f64_##isa;            \
    ftl_tree_row_masks_fn ftl_tree_row_masks_##isa;        \
    ftl_tree_any_nan_f32_fn ftl_tree_any_nan_f32_##isa;    \
    ftl_tree_any_nan_f64_fn ftl_tree_any_nan_f64_##isa;    \
    ftl_tree_narrow_fn ftl_tree_narrow_##isa;              \
    ftl_tree_add_one_fn ftl_tree_add_one_##isa;            \
    ftl_tree_add_one_f32_fn ftl_tree_add_one_f32_##isa;    \
    FTL_TREES_DECLARE_CUTS(8, isa);                        \
    FTL_TREES_DECLARE_CUTS(16, isa)
FTL_TREES_DECLARE(portable);
FTL_TREES_DECLARE(avx2);
FTL_TREES_DECLARE(avx512);

#define FTL_TREES_CUT_KERNELS(bits, isa)          \
    {.cut = ftl_tree_cut##bits##_##isa,           \
     .code_f32 = ftl_tree_code##bits##_f32_##isa, \
     .code_f64 = ftl_tree_code##bits##_f64_##isa, \
     .add = ftl_tree_cut##bits##_add_##isa,       \
     .add_f32 = ftl_tree_cut##bits##_add_f32_##isa}
#define FTL_TREES_KERNELS(isa, masks)                  \
    {.codes8 = FTL_TREES_CUT_KERNELS(8, isa),          \
     .codes16 = FTL_TREES_CUT_KERNELS(16, isa),        \
     .f32 = ftl_tree_walk_f32_##isa,                   \
     .f32_nan = ftl_tree_walk_f32_nan_##isa,           \
     .f64 = ftl_tree_walk_f64_##isa,                   \
     .f64_nan = ftl_tree_walk_f64_nan_##isa,           \
     .f64_category = ftl_tree_walk_f64_category_##isa, \
     .row_f32 = ftl_tree_row_f32_##isa,                \
     .row_f64 = ftl_tree_row_f64_##isa,                \
     .row_masks = masks,                               \
     .any_nan_f32 = ftl_tree_any_nan_f32_##isa,        \
     .any_nan_f64 = ftl_tree_any_nan_f64_##isa,        \
     .narrow = ftl_tree_narrow_##isa,                  \
     .add_one = ftl_tree_add_one_##isa,                \
     .add_one_f32 = ftl_tree_add_one_f32_##isa}

#endif
