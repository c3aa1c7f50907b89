/*
 * XGBoost's models: what a booster's file, or the bytes that a pickled Booster holds, say.
 *
 * Forms (told apart by the first bytes)
 *   {"learner": …}                   JSON, save_model since 1.0
 *   {L…                              the same tree of values in UBJSON, since 1.6
 *   {"Config": …, "Model": {learner}} what pickles hold: JSON up to 1.5, UBJSON from 1.6 on
 *   CONFIG-offset: + int64 + binary + JSON   what pickles of 1.0 to 1.4 hold
 *   binf… or without it              the binary format of 0.x to 1.x
 *
 * Nothing here is trusted by the reader of this struct: arrays have the lengths that stand beside
 * them, and what is in them is checked where it is used.
 */
#ifndef FTL_FORMATS_XGBOOST_H
#define FTL_FORMATS_XGBOOST_H

#include "model/ir.h"

typedef struct ftl_xgb_ints {
    const int32_t *data;
    size_t size;
} ftl_xgb_ints;
typedef struct ftl_xgb_floats {
    const float *data;
    size_t size;
} ftl_xgb_floats;
typedef struct ftl_xgb_texts {
    const char *const *data;
    size_t size;
} ftl_xgb_texts;

/* Arrays by node, as the file has them; empty when it has none. */
typedef struct ftl_xgb_tree {
    ftl_xgb_ints left, right; /* -1: none */
    ftl_xgb_ints feature, default_left;
    ftl_xgb_floats condition;    /* splits: x < condition goes left; leaves: the value */
    ftl_xgb_floats base_weights; /* several targets, before 3.1: rows of leaf values by node */
    ftl_xgb_floats leaf_weights; /* several targets, from 3.1: rows of leaf values by leaf */
    ftl_xgb_ints split_type;     /* 1: on a category */
    /* split on categories i is node nodes[i]; categories[segments[i] .. + sizes[i]) go right */
    ftl_xgb_ints category_nodes, category_segments, category_sizes, categories;
    int32_t leaf_vector; /* numbers of a leaf when above 1 */
} ftl_xgb_tree;

/* The categories of one column that the model knows by value (from 3.1). */
typedef struct ftl_xgb_categories {
    size_t count; /* 0: a numeric column, or categories by number */
    const char *const *texts;
    const size_t *text_sizes;
    const double *numbers; /* instead of texts */
    /* [count], with numbers, when some is an integer above 2^53; NULL: float64 tells all apart */
    const int64_t *integers;
    /*
     * 3.1 to 3.3 count the characters of a data frame's texts where bytes are meant: unless all is
     * ASCII, the texts are cut apart in the wrong places and the end is lost. garbled: a cut is
     * inside of a character; cuts of such a version may also fall between characters by chance
     */
    bool garbled;
    bool ascii; /* of texts */
} ftl_xgb_categories;

typedef enum ftl_xgb_booster { FTL_XGB_TREES, FTL_XGB_DART, FTL_XGB_LINEAR } ftl_xgb_booster;

typedef struct ftl_xgb_model {
    int version; /* major * 10000 + minor * 100 + patch; 0: before 1.0 */
    ftl_xgb_booster booster;
    const char *objective;     /* "binary:logistic"; "" when unsaid */
    ftl_xgb_floats base_score; /* one number or one an output */
    bool base_is_margin;       /* before 1.0: already linked */
    int32_t num_feature, num_class, num_target;
    int32_t objective_classes; /* softmax's own num_class, or 0 */
    int32_t parallel_trees;    /* of one round and output; 1 at least */
    uint32_t n_trees;
    /* JSON, UBJSON: it has a booster; it has a list of trees, which may be empty */
    bool has_booster, has_trees;
    const ftl_xgb_tree *trees;
    ftl_xgb_ints tree_output;    /* [n_trees] */
    ftl_xgb_ints round_starts;   /* [rounds + 1] first tree of each round; empty before 2.0 */
    ftl_xgb_floats drop_weights; /* DART: [n_trees] */
    ftl_xgb_floats linear;       /* LINEAR: [num_feature + 1][outputs], bias last */
    int64_t best_iteration;      /* -1: unsaid */
    const char *wrapper; /* binary form: its attribute "scikit_learn" (ftl_xgb_wrapper); or NULL */
    ftl_xgb_texts feature_names, feature_types;
    const ftl_xgb_categories *categories; /* [n_categories] by column; NULL when unsaid */
    size_t n_categories;
} ftl_xgb_model;

/*
 * Reads bytes[0..size) into *out, everything in arena. account: for buffers that are freed again.
 */
FTL_MUST_USE ftl_status ftl_xgb_read(ftl_arena *arena, ftl_account *account, const char *bytes,
                                     size_t size, ftl_xgb_model *out, ftl_error *error);

/*
 * What a scikit-learn wrapper's save_model leaves beside the booster, as JSON in the booster's
 * attribute "scikit_learn": from 1.0 on all of the wrapper that JSON can say, later its kind alone.
 */
typedef struct ftl_xgb_wrapper {
    const char *class_name;   /* such as "XGBClassifier"; NULL: no wrapper saved the file */
    uint32_t n_labels;        /* classes that it knows by value; 0: they are 0, 1, … */
    const ftl_cell *labels;   /* [n_labels] */
    double missing;           /* the parameter: a number that means NaN */
    int64_t best_ntree_limit; /* 0: unsaid */
    const char *predictor;    /* the parameter; NULL: none */
    bool enable_categorical;
} ftl_xgb_wrapper;
/* *out of the file bytes[0..size); texts in arena. */
FTL_MUST_USE ftl_status ftl_xgb_read_wrapper(ftl_arena *arena, ftl_account *account,
                                             const char *bytes, size_t size, ftl_xgb_wrapper *out,
                                             ftl_error *error);

#endif
