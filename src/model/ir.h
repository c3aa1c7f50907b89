/*
 * The IR: a directed acyclic graph of operations over blocks of rows. Front ends (estimators/,
 * formats/) emit operations and never compute; plan/ turns a validated graph into an executable
 * plan.
 *
 * Every operation has one output edge and reads columns of earlier operations, so the order of the
 * array is a topological order and cycles cannot be written down. Only ftl_graph_validate makes a
 * graph usable; after it every index is in range.
 *
 * Edge kinds
 *   NUM     dense float matrix, row-major; float32 or float64 is decided by the plan from the
 *           input's dtype (dtype rules)
 *   CODED   per source column a category index in [0, cardinality) or -1 for "no column set": what
 *           a one-hot encoder yields. Its width is the sum of cardinalities; linear operations
 *           consume it without materialising it
 *   OBJECT  cells (ftl_cell): text, numbers or missing
 *   SPARSE  a matrix of mostly zeros, row by row: the counts of a text's words. As wide as a
 *           vocabulary, and never materialised where a linear operation consumes it
 * Integers and booleans travel in NUM edges as exact float64 values; a column's `as` says how it is
 * shown.
 */
#ifndef FTL_MODEL_IR_H
#define FTL_MODEL_IR_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "model/ir_params.h"

typedef enum ftl_edge_kind {
    FTL_EDGE_NUM,
    FTL_EDGE_CODED,
    FTL_EDGE_OBJECT,
    FTL_EDGE_SPARSE
} ftl_edge_kind;

/* How the float type of a NUM edge follows from its sources. */
typedef enum ftl_dtype_rule {
    FTL_DTYPE_SAME, /* numpy promotion of the sources: float32 only when all are */
    FTL_DTYPE_F32,
    FTL_DTYPE_F64
} ftl_dtype_rule;

typedef enum ftl_op_kind {
    FTL_OP_INPUT, /* one column of the schema; NUM or OBJECT */
    /* columns of any sources → one NUM matrix; CODED sources expand, OBJECT cells convert */
    FTL_OP_GATHER,
    FTL_OP_GATHER_OBJECT, /* columns of any sources → one OBJECT matrix */
    FTL_OP_CAST,          /* NUM → NUM of the rule's dtype */
    FTL_OP_CHECK,         /* passes its source through; marks rows that the library would refuse */
    FTL_OP_AFFINE,        /* a list of elementwise vector steps (scalers) */
    FTL_OP_NORMALIZE,     /* row norms */
    FTL_OP_IMPUTE,        /* NUM: missing → statistic; keeps some columns */
    FTL_OP_IMPUTE_OBJECT, /* the same for cells */
    FTL_OP_INDICATOR,     /* 1 where missing, 0 elsewhere, for some columns; NUM or OBJECT source */
    FTL_OP_ONEHOT,        /* columns → CODED */
    FTL_OP_ORDINAL,       /* columns → category index as a number */
    FTL_OP_POLYNOMIAL,
    FTL_OP_UFUNC,          /* a numpy ufunc of one argument */
    FTL_OP_LINEAR,         /* X @ coef.T + intercept */
    FTL_OP_TREES,          /* leaf values of a tree ensemble, combined */
    FTL_OP_TREE_APPLY,     /* leaf node index per tree */
    FTL_OP_LINK,           /* scores → probabilities and the like */
    FTL_OP_DECIDE,         /* scores → class index */
    FTL_OP_CONSTANT,       /* the same row for every input row */
    FTL_OP_ADD,            /* elementwise sum of two sources of equal width, left to right */
    FTL_OP_GAUSSIAN,       /* joint log-likelihood of a normal distribution a class (GaussianNB) */
    FTL_OP_BINARIZE,       /* 1 where above a threshold, else 0 */
    FTL_OP_DISTANCES,      /* Euclidean distances to centres */
    FTL_OP_BINS,           /* in which of a column's bins a value lies */
    FTL_OP_KERNEL_MACHINE, /* sums of kernel values over support vectors */
    FTL_OP_COUPLING,       /* one-versus-one scores → probabilities, by pairwise coupling */
    FTL_OP_NEIGHBORS,      /* distances and numbers of the nearest stored points */
    FTL_OP_NEIGHBOR_VOTE,  /* neighbours → weight of each class */
    FTL_OP_NEIGHBOR_MEAN,  /* neighbours → (weighted) mean of their values */
    /* CatBoost */
    FTL_OP_CATEGORY_HASH, /* cells → the hash of each one's text as a number */
    FTL_OP_MATCH,         /* 1 where a column has a value, else 0 */
    FTL_OP_CTR,           /* statistics of combinations of categories, looked up by hash */
    FTL_OP_OBLIVIOUS,     /* trees that ask the same question on a whole level */
    FTL_OP_COMBINE,       /* weighted sums of chosen source columns (ensembles) */
    FTL_OP_VOTE,          /* class indices of several models → a sum per class */
    FTL_OP_MEDIAN,        /* weighted median of the source columns */
    FTL_OP_INTERPOLATE,   /* a piecewise linear function a column */
    FTL_OP_TEXT,  /* one column of texts → SPARSE: how often each word of a vocabulary occurs */
    FTL_OP_TFIDF, /* SPARSE → SPARSE: term frequencies weighed */
    FTL_OP_GATHER_SPARSE, /* columns of any sources → one SPARSE matrix; zeros are left out */
    FTL_OP_QUANTILES,     /* ranks among a column's quantiles */
    FTL_OP_KIND_COUNT
} ftl_op_kind;

/* Consecutive columns of an earlier operation. CODED columns count expanded. */
typedef struct ftl_segment {
    uint32_t op;
    uint32_t first;
    uint32_t count;
} ftl_segment;

typedef struct ftl_op {
    ftl_op_kind kind;
    ftl_edge_kind edge;
    ftl_dtype_rule dtype; /* NUM edges */
    uint32_t width;       /* columns; CODED: expanded */
    uint32_t n_segments;
    const ftl_segment *segments;
    const char *path; /* dotted path of the estimator that emitted it, for messages; never NULL */
    union {
        ftl_input_op input;
        ftl_check_op check;
        ftl_affine_op affine;
        ftl_normalize_op normalize;
        ftl_impute_op impute;
        ftl_impute_object_op impute_object;
        ftl_indicator_op indicator;
        ftl_encode_op encode; /* ONEHOT and ORDINAL */
        ftl_polynomial_op polynomial;
        ftl_ufunc_op ufunc;
        ftl_linear_op linear;
        ftl_gaussian_op gaussian;
        ftl_binarize_op binarize;
        ftl_distances_op distances;
        ftl_bins_op bins;
        ftl_trees_op trees;
        ftl_tree_apply_op tree_apply;
        ftl_link_op link;
        ftl_decide_op decide;
        ftl_constant_op constant;
        ftl_kernel_machine_op kernel_machine;
        ftl_coupling_op coupling;
        ftl_neighbors_op neighbors;
        ftl_neighbor_vote_op neighbor_vote;
        ftl_neighbor_mean_op neighbor_mean;
        ftl_category_hash_op category_hash;
        ftl_match_op match;
        ftl_ctr_op ctr;
        ftl_oblivious_op oblivious;
        ftl_combine_op combine;
        ftl_vote_op vote;
        ftl_median_op median;
        ftl_interpolate_op interpolate;
        ftl_quantiles_op quantiles;
        ftl_text_op text;
        ftl_tfidf_op tfidf;
    } u;
} ftl_op;

/* ---- Outputs --------------------------------------------------------------------------------- */

/* Class labels or other values that an index stands for. */
typedef struct ftl_labels {
    ftl_type type; /* F64, I64, BOOL or STRING: what is shown */
    uint32_t count;
    const ftl_cell *cells; /* [count]: INT for I64, BOOL, FLOAT, STRING */
} ftl_labels;

typedef enum ftl_as { FTL_AS_FLOAT, FTL_AS_INT, FTL_AS_BOOL, FTL_AS_LABEL, FTL_AS_CELL } ftl_as;

typedef struct ftl_output {
    const char *name;
    uint32_t op, column;
    ftl_as as;
    const ftl_labels *labels; /* AS_LABEL */
} ftl_output;

typedef struct ftl_method_outputs {
    size_t count; /* 0: the model lacks the method */
    const ftl_output *outputs;
} ftl_method_outputs;

typedef struct ftl_graph {
    size_t n_ops;
    ftl_op *ops;
    size_t n_inputs; /* schema columns */
    ftl_method_outputs methods[FTL_METHOD_COUNT];
} ftl_graph;

/* What is shown; floats are F64 here, and F32 where a plan computes them so. */
ftl_type ftl_output_type(const ftl_output *output);
const char *ftl_op_name(ftl_op_kind kind);
uint32_t ftl_op_source_columns(const ftl_op *op); /* sum of segment counts */

/*
 * Proves every index, width and acyclicity; INTERNAL or CORRUPT with the op's path otherwise.
 * scratch: freed by the caller.
 */
FTL_MUST_USE ftl_status ftl_graph_validate(const ftl_graph *graph, ftl_account *scratch,
                                           ftl_error *error);
/*
 * Checks one tree array (validate.c's part for TREES): children in range, used once, features below
 * n_features.
 */
FTL_MUST_USE ftl_status ftl_tree_nodes_validate(const ftl_tree_nodes *nodes, uint32_t n_features,
                                                ftl_account *scratch, ftl_error *error);

/* One line per op: "%3 = linear[3] f(same) <- %2[0:28]  path": goldens of the front ends. */
void ftl_graph_dump(const ftl_graph *graph, ftl_strbuf *out);

#endif
