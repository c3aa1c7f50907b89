/*
 * LightGBM's text models, versions 2.1 to 4.x ("version=v2", "v3", "v4"): a header of key=value
 * lines, trees as blocks of such lines, and behind "end of trees" what nobody needs for predicting
 * except the categories of the data frame that was fitted ("pandas_categorical:" and JSON).
 *
 * The layout follows GBDT::SaveModelToString and Tree::ToString of the library. Numbers have 17
 * digits, so that reading gives back the library's own bits.
 */
#ifndef FTL_FORMATS_LIGHTGBM_H
#define FTL_FORMATS_LIGHTGBM_H

#include "model/ir.h"

/* What predict makes of raw scores: the objective's ConvertOutput. */
typedef enum ftl_lightgbm_output {
    FTL_LIGHTGBM_RAW,
    FTL_LIGHTGBM_SIGNED_SQUARE, /* sign(x) x x: regression on square roots (reg_sqrt) */
    FTL_LIGHTGBM_EXP,           /* poisson, gamma, tweedie */
    FTL_LIGHTGBM_SIGMOID,       /* 1 / (1 + exp(-sigmoid x)) */
    FTL_LIGHTGBM_SOFTMAX,
    FTL_LIGHTGBM_LOG1P_EXP /* log(1 + exp(x)): cross_entropy_lambda */
} ftl_lightgbm_output;

typedef enum ftl_lightgbm_kind {
    FTL_LIGHTGBM_UNUSED, /* "none": one value in all rows */
    FTL_LIGHTGBM_NUMERIC,
    FTL_LIGHTGBM_CATEGORICAL
} ftl_lightgbm_kind;

/* feature_infos: what training saw in a column. */
typedef struct ftl_lightgbm_feature {
    ftl_lightgbm_kind kind;
    double low, high; /* smallest and largest value or category; 0 when UNUSED */
} ftl_lightgbm_feature;

typedef struct ftl_lightgbm {
    const char *version;   /* "v4" */
    const char *objective; /* its name, or "" */
    ftl_lightgbm_output output;
    double sigmoid;
    uint32_t n_features;
    uint32_t n_scores;        /* trees per iteration */
    bool average;             /* random forests: predict divides by the number of iterations */
    const char *const *names; /* [n_features], or NULL: Column_0, Column_1 … */
    const ftl_lightgbm_feature *features; /* [n_features] */
    const char *categories; /* JSON of pandas_categorical, borrowed from the text; NULL: none */
    size_t categories_size;
    const char *trees; /* where the first tree begins */
    size_t trees_size; /* from there to the end of the text */
    uint32_t n_trees;  /* as tree_sizes says; UINT32_MAX when the text lacks it */
    bool has_end;      /* the version writes "end of trees" */
} ftl_lightgbm;

/*
 * The header of text[0..size); strings and arrays in arena. CORRUPT when the text is damaged,
 * UNSUPPORTED for objectives and versions that are not known.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_read(ftl_arena *arena, const char *text, size_t size,
                                          ftl_lightgbm *out, ftl_error *error);
/*
 * To be called on what was read: model->output of a random forest, RAW where its leaves are means
 * already. UNSUPPORTED when the trees do not tell.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_settle_forest(ftl_lightgbm *model, ftl_error *error);
/*
 * The trees, for float64 rows. What the library does before it looks at a tree, taking numbers
 * nearer to zero than 1e-35f for zero and, where a node does not know missing values, NaN for zero,
 * is folded into thresholds and default directions. Leaf rows are the library's leaf numbers.
 * out->n_trees may be 0. *linear is NULL when no tree has linear leaves.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_read_trees(ftl_arena *arena, const ftl_lightgbm *model,
                                                ftl_tree_nodes *out,
                                                const ftl_linear_leaves **linear, ftl_error *error);

/*
 * feature_importances_ as the library computes them from the trees of the first n_iterations (0:
 * all): how often a feature was split with a gain, or the sum of these gains. out: [n_features].
 */
FTL_MUST_USE ftl_status ftl_lightgbm_importances(const ftl_lightgbm *model, uint32_t n_iterations,
                                                 bool gain, double *out, ftl_error *error);

/* The categories of one column of a data frame. */
typedef struct ftl_lightgbm_list {
    uint32_t count;
    const ftl_cell *cells;      /* [count] */
    bool text, number, boolean; /* some category is a string, a number, a bool */
    bool large;                 /* some integer is none that a float64 holds exactly */
} ftl_lightgbm_list;
/*
 * pandas_categorical in arena: the columns in order, though not which they are. At most n_features
 * lists; none when the text has none.
 */
FTL_MUST_USE ftl_status ftl_lightgbm_read_lists(ftl_arena *arena, const ftl_lightgbm *model,
                                                const ftl_lightgbm_list **out, uint32_t *count,
                                                ftl_error *error);

/* ---- Of the readers alone ---------------------------------------------------------------------- */

typedef struct ftl_span {
    const char *at;
    size_t size;
} ftl_span;

/* The next line without its end, or false. *rest shrinks. */
bool ftl_lightgbm_line(ftl_span *rest, ftl_span *line);
/* Splits at the first '='; false when there is none. */
bool ftl_lightgbm_pair(ftl_span line, ftl_span *key, ftl_span *value);
/* UNSUPPORTED: a line that nobody knows. what: where it stands. */
FTL_MUST_USE ftl_status ftl_lightgbm_unknown(ftl_span key, const char *what, ftl_error *error);
/* The next word of a list separated by spaces, or false. *rest shrinks. */
bool ftl_lightgbm_word(ftl_span *rest, ftl_span *word);
bool ftl_span_is(ftl_span span, const char *text);
bool ftl_span_begins(ftl_span span, const char *text);

#endif
