/*
 * The parameters of the IR's operations: enumerations here, and one struct a record that ops/
 * describes (ops/records.def says how). Beside every array stands how many elements it holds:
 * coef and coef_count. Whoever makes an operation sets both; arrays live in the model's arena.
 */
#ifndef FTL_MODEL_IR_PARAMS_H
#define FTL_MODEL_IR_PARAMS_H

#include "base/arena.h"

#include <math.h>

typedef enum ftl_cell_tag {
    FTL_CELL_MISSING,
    FTL_CELL_STRING,
    FTL_CELL_INT,
    FTL_CELL_FLOAT,
    FTL_CELL_BOOL
} ftl_cell_tag;

/*
 * A value of an OBJECT edge; text is borrowed (from the input batch or the model). A MISSING cell
 * of size > 0 carries the text that stands for it ("NA"): a category of that very text wins over
 * the missing rule.
 */
typedef struct ftl_cell {
    uint32_t tag;  /* ftl_cell_tag */
    uint32_t size; /* of text */
    union {
        const char *text;
        int64_t integer; /* INT and BOOL */
        double number;
    } u;
} ftl_cell;

/* Whether u.integer holds the cell's value, with all its digits. */
static inline bool ftl_cell_is_integer(const ftl_cell *cell)
{
    return cell->tag == FTL_CELL_INT || cell->tag == FTL_CELL_BOOL;
}

/* The number that a cell holds; NaN for texts and what is missing. */
static inline double ftl_cell_number(const ftl_cell *cell)
{
    if (cell->tag == FTL_CELL_FLOAT)
        return cell->u.number;
    return ftl_cell_is_integer(cell) ? (double)cell->u.integer : (double)NAN;
}

enum { FTL_CHECK_NAN = 1, FTL_CHECK_INF = 2, FTL_CHECK_F32_RANGE = 4 };

typedef enum ftl_affine_step_kind {
    FTL_AFFINE_SUB,
    FTL_AFFINE_ADD,
    FTL_AFFINE_MUL,
    FTL_AFFINE_DIV,
    FTL_AFFINE_CLIP_LOW,
    FTL_AFFINE_CLIP_HIGH
} ftl_affine_step_kind;

/* MAX_SIGNED: the largest value, not the largest magnitude (scikit-learn before 0.23). */
typedef enum ftl_norm {
    FTL_NORM_L1,
    FTL_NORM_L2,
    FTL_NORM_MAX,
    FTL_NORM_MAX_SIGNED,
    FTL_NORM_COUNT
} ftl_norm;

enum { FTL_CODE_NONE = -1, FTL_CODE_REFUSED = -2 };

typedef enum ftl_domain_rule {
    FTL_DOMAIN_KEPT,
    FTL_DOMAIN_REPLACED,
    FTL_DOMAIN_REFUSED,
    FTL_DOMAIN_RULE_COUNT
} ftl_domain_rule;

typedef enum ftl_ufunc {
    FTL_UFUNC_LOG,
    FTL_UFUNC_LOG1P,
    FTL_UFUNC_LOG2,
    FTL_UFUNC_LOG10,
    FTL_UFUNC_EXP,
    FTL_UFUNC_EXPM1,
    FTL_UFUNC_EXP2,
    FTL_UFUNC_SQRT,
    FTL_UFUNC_CBRT,
    FTL_UFUNC_SQUARE,
    FTL_UFUNC_ABS,
    FTL_UFUNC_NEGATIVE,
    FTL_UFUNC_RECIPROCAL,
    FTL_UFUNC_SIGN,
    FTL_UFUNC_FLOOR,
    FTL_UFUNC_CEIL,
    FTL_UFUNC_TRUNC,
    FTL_UFUNC_RINT,
    FTL_UFUNC_SIN,
    FTL_UFUNC_COS,
    FTL_UFUNC_TAN,
    FTL_UFUNC_ARCSIN,
    FTL_UFUNC_ARCCOS,
    FTL_UFUNC_ARCTAN,
    FTL_UFUNC_SINH,
    FTL_UFUNC_COSH,
    FTL_UFUNC_TANH,
    FTL_UFUNC_ARCSINH,
    FTL_UFUNC_ARCCOSH,
    FTL_UFUNC_ARCTANH,
    FTL_UFUNC_DEG2RAD,
    FTL_UFUNC_RAD2DEG,
    FTL_UFUNC_ISNAN,
    FTL_UFUNC_ISFINITE,
    FTL_UFUNC_ISINF,
    FTL_UFUNC_COUNT
} ftl_ufunc;

/* What the numbers of a key become. */
typedef enum ftl_key_numbers {
    FTL_KEY_FLOATS,
    FTL_KEY_INTEGERS, /* cut off; those that float64 does not hold exactly are refused */
    FTL_KEY_BOOLS,    /* 1 where they are not 0 */
    FTL_KEY_NUMBERS_COUNT
} ftl_key_numbers;

typedef enum ftl_power {
    FTL_POWER_BOX_COX,         /* (x^lambda - 1) / lambda, as expm1(lambda log x) / lambda */
    FTL_POWER_YEO_JOHNSON,     /* the same of 1 + |x|, by pow; below 0 with 2 - lambda, negated */
    FTL_POWER_YEO_JOHNSON_LOG, /* the same by expm1 and log1p (scikit-learn 1.9) */
    FTL_POWER_COUNT
} ftl_power;

/* What a spline basis is beyond its knots. */
typedef enum ftl_spline_ends {
    FTL_SPLINE_REFUSED,
    FTL_SPLINE_CONSTANT,
    FTL_SPLINE_LINEAR,
    FTL_SPLINE_CONTINUED, /* the outer polynomials go on */
    FTL_SPLINE_PERIODIC,
    FTL_SPLINE_ENDS_COUNT
} ftl_spline_ends;

enum { FTL_SPLINE_MAX_DEGREE = 64 };
enum { FTL_MOST_TOPIC_ITERATIONS = 1 << 16 };

/* Whether it is among the functions that scipy's sparse matrices have: all of them keep zero. */
bool ftl_ufunc_keeps_zero(ftl_ufunc function);

/* Bits of a tree's node. */
enum {
    FTL_NODE_LEAF = 1,
    FTL_NODE_MISSING_LEFT = 2,     /* NaN goes left; else right */
    FTL_NODE_CATEGORICAL = 4,      /* category in the set goes left, everything else right */
    FTL_NODE_NEGATIVE_MISSING = 8, /* categorical: a value below 0 is missing */
    /* numeric: |x| <= (double)1e-35f (LightGBM's kZeroThreshold) goes where NaN goes */
    FTL_NODE_ZERO_MISSING = 16,
    FTL_NODE_SET_RIGHT = 32 /* categorical: in the set right, everything else left */
};
/* What the category of a value is; a category outside the set's words is not in the set. */
typedef enum ftl_category_rule {
    FTL_CATEGORY_BYTE, /* HistGradientBoosting: ftl_tree_category; every set has 8 words */
    /* truncated toward zero; negative then, or beyond int32: not in the set */
    FTL_CATEGORY_INT,
    FTL_CATEGORY_NOT_NEGATIVE, /* XGBoost: the same, and -0.5 is not in the set either */
    FTL_CATEGORY_RULE_COUNT
} ftl_category_rule;
typedef enum ftl_tree_input { FTL_TREE_INPUT_F32, FTL_TREE_INPUT_F64 } ftl_tree_input;

typedef enum ftl_link {
    FTL_LINK_SIGMOID_PAIR,      /* d → (1 - p, p), p = 1 / (1 + exp(-d)) */
    FTL_LINK_SIGMOID2_PAIR,     /* d → (1 - p, p), p = 1 / (1 + exp(-2d)): exponential loss */
    FTL_LINK_SOFTMAX,           /* exp(d - max) / Σ */
    FTL_LINK_SOFTMAX_PAIR,      /* d → softmax(-d, d) */
    FTL_LINK_OVR,               /* p_k = sigmoid(d_k), divided by their sum */
    FTL_LINK_LOGSUMEXP_SOFTMAX, /* exp(d - logsumexp(d)) */
    FTL_LINK_HUBER_PAIR,        /* d → (1 - p, p), p = (clip(d, -1, 1) + 1) / 2 */
    FTL_LINK_HUBER_OVR,         /* modified Huber, several classes */
    FTL_LINK_EXP,
    FTL_LINK_LOG,
    FTL_LINK_SIGMOID,
    FTL_LINK_NORMALIZE,     /* divide by the row's sum */
    FTL_LINK_OVR_UNIFORM,   /* OVR where a row of zeros becomes uniform instead of NaN */
    FTL_LINK_LOGIT,         /* log(p / (1 - p)) */
    FTL_LINK_HALF_LOGIT,    /* half of it */
    FTL_LINK_CENTERED_LOG,  /* log(p / geometric mean of the row) */
    FTL_LINK_LOG_NORMALIZE, /* d - logsumexp(d) */
    FTL_LINK_PAIR,          /* p → (1 - p, p) */
    /*
     * n (n - 1) / 2 scores of pairs, in the order (0, 1), (0, 2) … (1, 2) …, above 0 for the first
     * class → per class its votes and, below a third, its sum of scores
     */
    FTL_LINK_ONE_VERSUS_ONE,
    FTL_LINK_NEGATE,
    FTL_LINK_NORMALIZE_UNIFORM, /* divide by the row's sum; rows of zeros become uniform */
    FTL_LINK_NORMALIZE_ZERO,    /* divide by the row's sum; rows of zeros stay */
    FTL_LINK_SAMME,             /* (n - 1) (log p - mean of log p), p at least epsilon */
    FTL_LINK_THIRD,             /* d / (3 (|d| + 1)) */
    FTL_LINK_TANH,
    FTL_LINK_LOG_FINITE, /* log p, where 0 counts as the smallest normal number */
    FTL_LINK_COUNT
} ftl_link;
/* Pairs of n classes, and back: the smallest number of classes with at least that many pairs. */
static inline uint64_t ftl_pairs(uint32_t n) { return n ? (uint64_t)n * (n - 1) / 2 : 0; }
uint32_t ftl_pairs_classes(uint32_t pairs);

typedef enum ftl_decide {
    FTL_DECIDE_ARGMAX,       /* first of the largest; NaN counts as largest, as numpy's argmax */
    FTL_DECIDE_POSITIVE,     /* each score: 1 when > 0 */
    FTL_DECIDE_NOT_NEGATIVE, /* each score: 1 when >= 0 */
    FTL_DECIDE_VOTE, /* scores of pairs as in FTL_LINK_ONE_VERSUS_ONE: first of the most votes */
    FTL_DECIDE_COUNT
} ftl_decide;

typedef enum ftl_kernel {
    FTL_KERNEL_LINEAR,  /* x·v */
    FTL_KERNEL_POLY,    /* (gamma x·v + coef0)^degree by repeated squaring */
    FTL_KERNEL_RBF,     /* exp(-gamma |x - v|²) */
    FTL_KERNEL_SIGMOID, /* tanh(gamma x·v + coef0) */
    FTL_KERNEL_COUNT
} ftl_kernel;

typedef enum ftl_metric {
    FTL_METRIC_EUCLIDEAN,
    FTL_METRIC_MANHATTAN,
    FTL_METRIC_CHEBYSHEV,
    FTL_METRIC_MINKOWSKI, /* (Σ w |x - v|^p)^(1/p) */
    FTL_METRIC_COSINE,
    FTL_METRIC_STANDARDIZED, /* √ Σ (x - v)² / w */
    FTL_METRIC_CANBERRA,     /* Σ |x - v| / (|x| + |v|), 0 / 0 being 0 */
    FTL_METRIC_BRAY_CURTIS,  /* Σ |x - v| / Σ (|x| + |v|), 0 / 0 being 0 */
    FTL_METRIC_HAMMING,      /* the share of features with x != v */
    FTL_METRIC_HAVERSINE,    /* of (latitude, longitude), in radians */
    FTL_METRIC_COUNT
} ftl_metric;
typedef enum ftl_neighbor_search {
    FTL_SEARCH_DIRECT,         /* all points in order, differences of coordinates */
    FTL_SEARCH_EXPANDED,       /* Euclidean as |x|² - 2 x·v + |v|², summed as OpenBLAS does */
    FTL_SEARCH_EXPANDED_PLAIN, /* the same, each sum in the order of features, as scipy does */
    FTL_SEARCH_KD_TREE,
    FTL_SEARCH_BALL_TREE,
    FTL_SEARCH_COUNT
} ftl_neighbor_search;

/* A key of ftl_ctr_table that ends a search. */
#define FTL_CTR_EMPTY UINT64_MAX

enum { FTL_OBLIVIOUS_MAX_DEPTH = 16 };

typedef enum ftl_combine {
    FTL_COMBINE_SUM,       /* from 0 on */
    FTL_COMBINE_LOGADDEXP, /* log of the sum of exponentials, from -inf on */
    FTL_COMBINE_COUNT
} ftl_combine;
/* In a vote's map: none of the output's classes. */
enum { FTL_VOTE_NONE = UINT32_MAX };

typedef enum ftl_outside {
    FTL_OUTSIDE_CLIP, /* the value is moved to low or high first */
    FTL_OUTSIDE_NAN,
    FTL_OUTSIDE_REFUSED,
    FTL_OUTSIDE_COUNT
} ftl_outside;

typedef enum ftl_analyzer {
    FTL_ANALYZER_WORD,   /* n-grams of tokens, joined by a space */
    FTL_ANALYZER_CHAR,   /* n-grams of characters */
    FTL_ANALYZER_CHAR_WB /* the same within words, which get a space on both sides */
} ftl_analyzer;

/* OLD_UNICODE: a text that is in NFKD form already stays as it is (scikit-learn before 0.22). */
typedef enum ftl_accents {
    FTL_ACCENTS_KEEP,
    FTL_ACCENTS_ASCII,   /* NFKD without what is not ASCII */
    FTL_ACCENTS_UNICODE, /* NFKD without combining characters */
    FTL_ACCENTS_OLD_UNICODE
} ftl_accents;

/* ---- The records of ops/, as structs --------------------------------------------------------- */

#define FTL_C_BOOL bool
#define FTL_C_U8 uint8_t
#define FTL_C_CHAR char
#define FTL_C_I32 int32_t
#define FTL_C_U32 uint32_t
#define FTL_C_U64 uint64_t
#define FTL_C_F32 float
#define FTL_C_F64 double
#define FTL_C_TEXT char *const
#define FTL_C_CELL ftl_cell

#define RECORD(type) typedef struct type {
#define PARAMETERS(type, member) typedef struct type {
#define END(type) \
    }             \
    type;
#define BOOL(name) bool name;
#define U32(name) uint32_t name;
#define I32(name) int32_t name;
#define U64(name) uint64_t name;
#define F32(name) float name;
#define F64(name) double name;
#define ENUM(type, name, limit) type name;
#define TEXT(name) const char *name;
#define TEXT_OR_NULL(name) const char *name;
#define CELL(name) ftl_cell name;
#define ARRAY(element, name, length, range) \
    const FTL_C_##element *name;            \
    size_t name##_count;
#define ARRAY_OR_NULL(element, name, length, range) ARRAY(element, name, length, range)
#define RECORDS(type, name, length) \
    const type *name;               \
    size_t name##_count;
#define WITHIN(type, name) type name;
#define POINTER(type, name) const type *name;
#define POINTER_OR_NULL(type, name) const type *name;
#include "model/ops/records.def"

/* In an initializer: the array `name` and how many elements it holds. */
#define FTL_SIZED(name, pointer, count) .name = (pointer), .name##_count = (count)
/* The same of a whole array in C. */
#define FTL_WHOLE(name, array) FTL_SIZED(name, array, sizeof(array) / sizeof((array)[0]))

/*
 * Notes that the arrays of nodes hold what n_trees, n_nodes, n_values, value_width and n_sets say,
 * which their maker knows.
 */
void ftl_tree_nodes_count(ftl_tree_nodes *nodes);

/*
 * Every place of a text begins an n-gram of each size, all of which are hashed: a text's time grows
 * by the square of the largest, which is therefore bounded. n-grams longer than a vocabulary's
 * words are never looked for.
 */
enum { FTL_MOST_NGRAM = 100 };
bool ftl_text_ngrams_fit(const ftl_text_op *text);

#endif
