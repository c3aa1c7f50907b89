/*
 * The parameters of the IR's operations, one struct a kind, in the order of ftl_op_kind (ir.h).
 * Arrays live in the model's arena. [width] is the operation's own width.
 */
#ifndef FTL_MODEL_IR_PARAMS_H
#define FTL_MODEL_IR_PARAMS_H

#include "base/arena.h"

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

typedef struct ftl_input_op {
    uint32_t column; /* of the schema */
} ftl_input_op;

enum { FTL_CHECK_NAN = 1, FTL_CHECK_INF = 2, FTL_CHECK_F32_RANGE = 4 };
typedef struct ftl_check_op {
    /* FTL_CHECK_ bits: what makes a row bad. F32_RANGE: finite values that become inf as float32 */
    uint32_t refuse;
    const char *estimator;    /* class name for the message */
    const char *const *names; /* [width] column names for the message, or NULL */
} ftl_check_op;

typedef enum ftl_affine_step_kind {
    FTL_AFFINE_SUB,
    FTL_AFFINE_ADD,
    FTL_AFFINE_MUL,
    FTL_AFFINE_DIV,
    FTL_AFFINE_CLIP_LOW,
    FTL_AFFINE_CLIP_HIGH
} ftl_affine_step_kind;
/*
 * One in-place numpy operation with a float64 row vector: computed in float64 and rounded to the
 * edge's dtype after each step when `wide`, else in the edge's own dtype with the vector rounded to
 * it first.
 */
typedef struct ftl_affine_step {
    ftl_affine_step_kind kind;
    bool wide;
    const double *vector; /* [width] */
} ftl_affine_step;
typedef struct ftl_affine_op {
    uint32_t n_steps;
    const ftl_affine_step *steps;
} ftl_affine_op;

/* MAX_SIGNED: the largest value, not the largest magnitude (scikit-learn before 0.23). */
typedef enum ftl_norm {
    FTL_NORM_L1,
    FTL_NORM_L2,
    FTL_NORM_MAX,
    FTL_NORM_MAX_SIGNED,
    FTL_NORM_COUNT
} ftl_norm;
/*
 * Each row is divided by its norm. Rows of norm 0 stay; with tiny_is_zero also those below 10
 * epsilons of their dtype.
 */
typedef struct ftl_normalize_op {
    ftl_norm norm;
    bool tiny_is_zero;
} ftl_normalize_op;

/*
 * missing_is_nan: NaN is missing, else values equal to missing_value. Output column i is source
 * column columns[i].
 */
typedef struct ftl_impute_op {
    bool missing_is_nan;
    double missing_value;
    const uint32_t *columns; /* [width] */
    const double *fill;      /* [width] */
} ftl_impute_op;
typedef struct ftl_impute_object_op {
    ftl_cell missing;        /* MISSING: None and NaN */
    bool refuse_missing;     /* missing is text: a row with a missing cell is bad */
    const uint32_t *columns; /* [width] */
    const ftl_cell *fill;    /* [width] */
} ftl_impute_object_op;
typedef struct ftl_indicator_op {
    bool missing_is_nan; /* NUM sources */
    double missing_value;
    ftl_cell missing;        /* OBJECT sources */
    const uint32_t *columns; /* [width] of the source */
} ftl_indicator_op;

/* The categories of one source column; NUM or OBJECT lookup. */
typedef struct ftl_categories {
    uint32_t count;
    bool numeric;          /* values are numbers[]; the source is NUM. NaN equals NaN */
    const double *numbers; /* [count] */
    const ftl_cell *cells; /* [count] when not numeric */
} ftl_categories;

enum { FTL_CODE_NONE = -1, FTL_CODE_REFUSED = -2 };
/*
 * Both encoders: category index i of column j → codes[j][i]; an unknown value → unknown[j];
 * FTL_CODE_REFUSED makes the row bad.
 */
typedef struct ftl_encode_column {
    ftl_categories categories;
    /*
     * [categories.count]: ONEHOT: column in [0, cardinality), NONE or REFUSED. ORDINAL: NULL, or 0
     * or REFUSED
     */
    const int32_t *codes;
    /* ONEHOT: the same, or REFUSED. ORDINAL: REFUSED, or NONE = take unknown_value */
    int32_t unknown;
    uint32_t cardinality; /* ONEHOT: output columns of this source column */
    const double *values; /* ORDINAL: [categories.count] the output value */
    double unknown_value; /* ORDINAL */
    const char *name;     /* column name for messages, or NULL */
} ftl_encode_column;
typedef struct ftl_encode_op {
    uint32_t n_columns; /* = source columns */
    const ftl_encode_column *columns;
    const char *estimator;
} ftl_encode_op;

/*
 * Output column i is the product of source columns powers_columns[start[i] .. start[i+1]) in that
 * order; none: 1.
 */
typedef struct ftl_polynomial_op {
    const uint32_t *start;   /* [width + 1] */
    const uint32_t *factors; /* source columns, repeated for powers */
} ftl_polynomial_op;

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
typedef struct ftl_ufunc_op {
    ftl_ufunc function;
} ftl_ufunc_op;

/*
 * Output k = Σ_j x_j coef[k][j] + intercept[k]; sources may be several segments, CODED ones
 * included.
 */
typedef struct ftl_linear_op {
    const double *coef;      /* [width][source columns], row-major */
    const double *intercept; /* [width] or NULL */
} ftl_linear_op;

/*
 * Output k = prior[k] + (norm[k] - Σ_j (x_j - mean[k][j])² / variance[k][j] / 2), the sum in
 * numpy's pairwise order. Computed in float64 and rounded once.
 */
typedef struct ftl_gaussian_op {
    const double *mean, *variance; /* [width][source columns] */
    const double *prior, *norm;    /* [width] */
} ftl_gaussian_op;

/*
 * Output k = sqrt(max(0, x·x - 2 x·centres[k] + norms[k])); sources may be several segments, CODED
 * ones included. Sums are float64, whatever the edge is.
 */
typedef struct ftl_distances_op {
    const double *centres; /* [width][source columns] */
    const double *norms;   /* [width] */
} ftl_distances_op;

/*
 * Column j: the number of edges[start[j] .. start[j + 1]) that are not above x. raised: x is first
 * raised by 1e-8 + 1e-5 |x|, in the edge's float type.
 */
typedef struct ftl_bins_op {
    const uint32_t *start; /* [width + 1] */
    const double *edges;   /* ascending in each column */
    bool raised;
} ftl_bins_op;

/* 1 where x > threshold, else 0; float32 edges compare with the threshold rounded to float32. */
typedef struct ftl_binarize_op {
    double threshold;
} ftl_binarize_op;

/*
 * Tree ensemble, one form for every library. Nodes of all trees lie one after another; node ids are
 * local to their tree and keep the library's numbering (apply returns them). The root is node 0;
 * validate proves that each tree is a tree: no child is used twice, none is the root, all are in
 * range.
 */
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
typedef struct ftl_tree_nodes {
    uint32_t n_trees;
    uint32_t n_nodes;
    const uint32_t *root;   /* [n_trees + 1] position of each tree's node 0 */
    const uint8_t *flags;   /* [n_nodes] */
    const int32_t *feature; /* [n_nodes] source column */
    /* [n_nodes] x <= threshold goes left; categorical: number of a set */
    const double *threshold;
    const int32_t *left;  /* [n_nodes] local id */
    const int32_t *right; /* [n_nodes] local id; leaves: 0 */
    /* [n_nodes] leaf: row of values; else -1. NULL: node position itself is the row */
    const int32_t *leaf;
    uint32_t n_values;    /* rows of values */
    uint32_t value_width; /* numbers per leaf: 1, or the ensemble's output width */
    const double *values; /* [n_values][value_width] */
    uint32_t n_sets;
    const uint32_t *set_start; /* [n_sets + 1] of each set in set_words; may be NULL without sets */
    const uint32_t *set_words; /* bit c & 31 of word c >> 5: category c is in the set */
    ftl_category_rule category_rule;
} ftl_tree_nodes;
/*
 * LightGBM's linear trees: leaf row i yields constant[i] + Σ coef[k] x[column[k]] for k from
 * start[i] to start[i + 1], added in that order, |x| <= (double)1e-35f being 0; where one of these
 * x is NaN it yields its value in values instead.
 */
typedef struct ftl_linear_leaves {
    const uint32_t *start;  /* [n_values + 1] */
    const uint32_t *column; /* of the source */
    const double *coef;
    const double *constant; /* [n_values] */
} ftl_linear_leaves;
typedef enum ftl_tree_input { FTL_TREE_INPUT_F32, FTL_TREE_INPUT_F64 } ftl_tree_input;
/*
 * out[k] = finish(base[k] + Σ_t contribution_t[k]) with the sum in tree order, in float64. A tree
 * adds its leaf's value vector, or, when value_width is 1 and the width is larger, its one value to
 * output target[t].
 *
 * sum_f32: base and leaf values are rounded to float32 and so is the sum after each addition, as
 * XGBoost does; the result is a float32 edge.
 */
typedef struct ftl_trees_op {
    const ftl_tree_nodes *nodes;
    ftl_tree_input input; /* F32: the source is cast to float32 first, as scikit-learn's trees do */
    const uint32_t *target; /* [n_trees] output column, or NULL: all columns */
    const double *base;     /* [width] or NULL: zeros. Start of the sum */
    /* > 0: source columns [base_column, base_column + width) are the start of the sum instead */
    uint32_t base_column;
    double divisor; /* the sum is divided by it; 1: left alone */
    bool sum_f32;
    const ftl_linear_leaves *linear; /* or NULL; value_width is 1 then */
} ftl_trees_op;
typedef struct ftl_tree_apply_op {
    const ftl_tree_nodes *nodes;
    ftl_tree_input input;
    /* the result is the leaf's row of values less that of its tree's lowest, not the node's id */
    bool leaf_index;
} ftl_tree_apply_op;

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
    FTL_LINK_COUNT
} ftl_link;
typedef struct ftl_link_op {
    ftl_link link;
} ftl_link_op;
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
typedef struct ftl_decide_op {
    ftl_decide rule;
} ftl_decide_op;

typedef struct ftl_constant_op {
    const double *values; /* [width] */
} ftl_constant_op;

typedef enum ftl_kernel {
    FTL_KERNEL_LINEAR,  /* x·v */
    FTL_KERNEL_POLY,    /* (gamma x·v + coef0)^degree by repeated squaring */
    FTL_KERNEL_RBF,     /* exp(-gamma |x - v|²) */
    FTL_KERNEL_SIGMOID, /* tanh(gamma x·v + coef0) */
    FTL_KERNEL_COUNT
} ftl_kernel;
/* Vectors in compressed rows; columns ascend within a row. */
typedef struct ftl_sparse_rows {
    const uint32_t *start;  /* [rows + 1] */
    const uint32_t *column; /* [start[rows]] */
    const double *value;
} ftl_sparse_rows;
/*
 * libsvm's decision values, in float64. n_classes 0: one value, Σ coef[0][i] k(x, v_i) +
 * intercept[0]. Else a value for each pair i < j of classes: the vectors of class i weighted with
 * coef[j - 1], then those of class j with coef[i]; vectors are ordered by class.
 */
typedef struct ftl_kernel_machine_op {
    ftl_kernel kernel;
    double gamma, coef0;
    int32_t degree;
    uint32_t n_vectors;
    const double *vectors;         /* [n_vectors][source columns], or NULL: sparse */
    const ftl_sparse_rows *sparse; /* summed over the union of nonzero columns */
    uint32_t n_classes;
    const uint32_t *n_support; /* [n_classes] */
    const double *coef;        /* [1 or n_classes - 1][n_vectors] */
    const double *intercept;   /* [width] */
} ftl_kernel_machine_op;
/*
 * p(i, j) = sigmoid of score k as 1 / (1 + exp(a_k score + b_k)), kept off 0 and 1; then Wu, Lin
 * and Weng's iteration as libsvm runs it.
 */
typedef struct ftl_coupling_op {
    const double *a, *b; /* [source columns]: pairs of classes */
} ftl_coupling_op;

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
/* Node i has the children 2i + 1 and 2i + 2 and the points order[start .. end). */
typedef struct ftl_point_node {
    uint32_t start, end;
    bool is_leaf;
    double radius; /* ball tree */
} ftl_point_node;
typedef struct ftl_point_tree {
    uint32_t n_nodes;
    const ftl_point_node *nodes;
    const uint32_t *order; /* [n_points] */
    const double *bounds;  /* [n_nodes][n] centres, or [2][n_nodes][n]: lowest, then highest */
} ftl_point_tree;
typedef struct ftl_neighbors_op {
    ftl_metric metric;
    ftl_neighbor_search search;
    double p;              /* MINKOWSKI */
    const double *weights; /* [source columns]: MINKOWSKI's or NULL; STANDARDIZED's variances */
    bool squared;          /* EUCLIDEAN: the distance is the square */
    uint32_t k;            /* 1 .. n_points; width is 2 k: distances, then numbers of points */
    uint32_t n_points;
    const double *points;       /* [n_points][source columns] */
    const ftl_point_tree *tree; /* the trees */
    bool insertion_sort; /* neighbours of one distance stay in the order of scikit-learn >= 1.9 */
    bool single;         /* distances are rounded to float32 when the rows are float32 */
} ftl_neighbors_op;
/* The source is a NEIGHBORS op. Weights are 1, or 1 / distance (where that is infinite: 1, others
 * 0). */
typedef struct ftl_neighbor_vote_op {
    uint32_t n_points;
    const uint32_t *classes; /* [n_points], below width */
    bool by_distance;
    bool refuse_zero; /* rows whose weights are all 0 are bad */
} ftl_neighbor_vote_op;
typedef struct ftl_neighbor_mean_op {
    uint32_t n_points;
    const double *values; /* [n_points][width] */
    bool by_distance;
} ftl_neighbor_mean_op;
/*
 * Each OBJECT column → one float64 column: the low 32 bits of CityHash64 of the text, as a number.
 * Integers are their decimal text, bools 1 and 0. Missing cells and numbers that are no integers
 * make the row bad.
 */
typedef struct ftl_category_hash_op {
    const char *estimator;    /* for the message */
    const char *const *names; /* [width] column names for the message */
} ftl_category_hash_op;

/* Output i is 1 where source column columns[i] equals values[i], else 0; float32. */
typedef struct ftl_match_op {
    const uint32_t *columns; /* [width] of the source */
    const double *values;    /* [width] */
} ftl_match_op;

/*
 * Target statistics (CTR). A projection turns a row into a 64-bit key: categories' hashes, then
 * bits of comparisons, folded in that order. A table finds the key's place, a feature its value
 * there. Columns count over all sources; float32.
 */
typedef struct ftl_ctr_above {
    uint32_t column;
    float border;
    bool nan_above; /* NaN counts as above */
} ftl_ctr_above;
typedef struct ftl_ctr_equal {
    uint32_t column;
    uint32_t hash;
} ftl_ctr_equal;
typedef struct ftl_ctr_projection {
    uint32_t n_hashes, n_above, n_equal;
    const uint32_t *hashes;     /* columns */
    const ftl_ctr_above *above; /* float32 column > border */
    const ftl_ctr_equal *equal;
} ftl_ctr_projection;
/* Open addressing from key modulo n_buckets on, step 1; FTL_CTR_EMPTY ends a search. */
#define FTL_CTR_EMPTY UINT64_MAX
typedef struct ftl_ctr_table {
    uint32_t n_buckets; /* a power of two; at least one is empty */
    uint32_t n_values;
    const uint64_t *keys;   /* [n_buckets] */
    const uint32_t *values; /* [n_buckets] below n_values where the key is not empty */
} ftl_ctr_table;
typedef struct ftl_ctr_feature {
    uint32_t projection, table;
    const float *values; /* [n_values of the table] */
    float unknown;       /* for keys that are not in the table */
} ftl_ctr_feature;
typedef struct ftl_ctr_op {
    uint32_t n_projections, n_tables;
    const ftl_ctr_projection *projections;
    const ftl_ctr_table *tables;
    const ftl_ctr_feature *features; /* [width] */
} ftl_ctr_op;

/*
 * Oblivious trees: every level of a tree compares one column with one border, for all rows alike;
 * the answers are the bits of the leaf's number, the first level's lowest. out[k] = Σ_t leaf value
 * in tree order, float64; or, with leaf_number, one column a tree.
 */
enum { FTL_OBLIVIOUS_MAX_DEPTH = 16 };
typedef struct ftl_oblivious_op {
    uint32_t n_trees;
    const uint32_t *start;        /* [n_trees + 1] first level of each tree in splits */
    const uint32_t *splits;       /* [start[n_trees]] number of a border */
    const uint32_t *border_start; /* [source columns + 1] first border of each column */
    const float *borders;         /* ascending in each column; float32 value > border is 1 */
    const bool *nan_above;        /* [source columns] NaN is above every border; else above none */
    uint64_t n_values;
    const double *values; /* trees one after the other: [2^levels][width] */
    bool leaf_number;     /* values are unused; width = n_trees */
} ftl_oblivious_op;

typedef enum ftl_combine {
    FTL_COMBINE_SUM,       /* from 0 on */
    FTL_COMBINE_LOGADDEXP, /* log of the sum of exponentials, from -inf on */
    FTL_COMBINE_COUNT
} ftl_combine;
/*
 * Source column i, times its weight, is added to output target[i], in the order of the columns and
 * rounded to the edge's dtype after each; then each sum is divided by divisor (LOGADDEXP: its
 * logarithm is subtracted).
 */
typedef struct ftl_combine_op {
    ftl_combine rule;
    const uint32_t *target; /* [source columns] output column */
    const double *weights;  /* [source columns] or NULL */
    double divisor;
} ftl_combine_op;
/*
 * Source column i holds a model's class index c: class map[start[i] + c] of the output gets hit[i],
 * every other one miss[i]. Sums run over the source columns in order, are float64 and are divided
 * by divisor at the end.
 */
enum { FTL_VOTE_NONE = UINT32_MAX }; /* in map: none of the output's classes */
typedef struct ftl_vote_op {
    const uint32_t *start;    /* [source columns + 1] */
    const uint32_t *map;      /* [start[source columns]] */
    const double *hit, *miss; /* [source columns]; miss NULL: zeros */
    double divisor;
} ftl_vote_op;
/*
 * The first value, in ascending order, at which the running sum of weights reaches half of all.
 */
typedef struct ftl_median_op {
    const double *weights; /* [source columns] */
    /*
     * > 0: columns hold places in values instead, which ascend; place i is of column[i] alone. It
     * spares sorting where all values are known, as those of trees are.
     */
    uint32_t n_values;
    const double *values;
    const uint32_t *column;
} ftl_median_op;
typedef enum ftl_outside {
    FTL_OUTSIDE_CLIP, /* the value is moved to low or high first */
    FTL_OUTSIDE_NAN,
    FTL_OUTSIDE_REFUSED,
    FTL_OUTSIDE_COUNT
} ftl_outside;
/* Straight lines between n points, x ascending; one point: a constant. */
typedef struct ftl_curve {
    uint32_t n;
    const double *x, *y;
    ftl_outside outside; /* beyond the points */
    double low, high;    /* CLIP */
} ftl_curve;
typedef struct ftl_interpolate_op {
    const ftl_curve *curves; /* [width], one a source column */
    bool single;             /* values are rounded to float32 first */
} ftl_interpolate_op;
/*
 * How far up its column's quantiles a value lies, as references tell it, mean of the highest and
 * the lowest place where quantiles repeat; then the same place in a normal distribution. NaN stays.
 * margins: within 1e-7 of the ends is at the end, and results keep 1e-7 away from 0 and 1.
 */
typedef struct ftl_quantiles_op {
    uint32_t n;
    const double *quantiles;  /* [source columns][n], ascending */
    const double *references; /* [n] */
    bool normal, margins;
} ftl_quantiles_op;
/* Strings by number, one after another, each with a NUL behind it. */
typedef struct ftl_words {
    uint32_t count;
    const char *text;
    const uint32_t *start; /* [count + 1]: word i is text[start[i] .. start[i + 1] - 1) */
} ftl_words;

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

/* Words of a vocabulary counted in a text, as scikit-learn's CountVectorizer does it. */
typedef struct ftl_text_op {
    ftl_analyzer analyzer;
    ftl_accents accents;
    bool lowercase;     /* before accents are stripped */
    bool binary;        /* 1 for every word that occurs */
    bool empty_is_text; /* an empty cell is the empty text, not a missing one */
    uint32_t min_n, max_n;
    /*
     * Tokens: runs of at least min_token word characters, or, when it is not NULL, what this
     * pattern of PCRE2 matches (its group 1 when capture)
     */
    uint32_t min_token;
    const char *pattern;
    bool capture;
    ftl_words vocabulary; /* [width] */
    /*
     * > 0: no vocabulary; a word's column is its hash (MurmurHash3) modulo this. With signs a
     * negative hash counts -1; absolute: of the sums.
     */
    uint32_t n_hashes;
    bool signs, absolute;
    ftl_words stop_words;  /* tokens that are left out */
    const char *estimator; /* for messages */
    const char *column;    /* its name, for messages, or NULL */
} ftl_text_op;

/* log(x) + 1 when sublinear, times idf, then a norm, for all values of a row that are not zero. */
typedef struct ftl_tfidf_op {
    bool sublinear;
    bool normalize;
    ftl_norm norm;     /* when normalize */
    const double *idf; /* [width] or NULL */
} ftl_tfidf_op;

#endif
