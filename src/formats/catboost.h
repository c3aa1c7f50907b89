/*
 * CatBoost's own model format (.cbm, and what its pickles hold): "CBM1", a size, a FlatBuffers
 * table TModelCore of that size, then the parts that the core names: the tables of target
 * statistics
 * ("static_provider_v1"): a count, and for each table its size and a FlatBuffers table
 * TCtrValueTable. The schemas are in CatBoost's catboost/libs/model/flatbuffers/.
 *
 * Reading checks all that the model's graph does not check again: what is left is in range.
 */
#ifndef FTL_FORMATS_CATBOOST_H
#define FTL_FORMATS_CATBOOST_H

#include "io/flatbuf.h"
#include "model/ir.h"

typedef enum ftl_cbm_kind {
    FTL_CBM_NONE, /* the file does not describe the column */
    FTL_CBM_FLOAT,
    FTL_CBM_CATEGORY,
    FTL_CBM_TEXT,
    FTL_CBM_EMBEDDING
} ftl_cbm_kind;

/* A column of the rows that the model was trained on. */
typedef struct ftl_cbm_column {
    ftl_cbm_kind kind;
    const char *name; /* "" when it has none */
} ftl_cbm_column;

/* A numeric column that the trees ask about. */
typedef struct ftl_cbm_float {
    int32_t index;   /* among the numeric columns, as splits name it */
    uint32_t column; /* in columns */
    bool nan_above;  /* NaN is above every border; else above none */
    uint32_t n_borders;
    const float *borders; /* ascending */
} ftl_cbm_float;

/* A categorical column. */
typedef struct ftl_cbm_category {
    int32_t index;
    uint32_t column;
} ftl_cbm_category;

/* A question whether a category is this one. */
typedef struct ftl_cbm_match {
    uint32_t category; /* in categories */
    uint32_t hash;
} ftl_cbm_match;

typedef struct ftl_cbm_borders {
    uint32_t n;
    const float *borders; /* ascending */
} ftl_cbm_borders;

/*
 * The trees ask numbered questions: first the floats' borders in order, then the matches, then the
 * borders of the target statistics.
 */
typedef struct ftl_cbm {
    uint32_t n_columns;
    const ftl_cbm_column *columns;
    uint32_t n_floats; /* those with borders */
    const ftl_cbm_float *floats;
    uint32_t n_categories;
    const ftl_cbm_category *categories;
    uint32_t n_matches;
    const ftl_cbm_match *matches;
    /*
     * Target statistics. Columns of projections: below n_floats the float of that number, from
     * there on the category of the number behind.
     */
    ftl_ctr_op ctr;
    uint32_t n_ctrs;
    const ftl_cbm_borders *ctr_borders; /* [n_ctrs] */

    uint32_t width; /* of the output */
    uint32_t n_trees;
    bool oblivious;
    const uint32_t *start;  /* [n_trees + 1] first split of each tree */
    const uint32_t *splits; /* [start[n_trees]] questions */
    /* trees that are not oblivious: [start[n_trees]] splits ahead for no and yes, 0: ends here */
    const uint16_t (*steps)[2];
    const uint32_t *leaves; /* the same: first number of the leaf that ends here */
    uint64_t n_values;
    const double *values; /* oblivious: 2^levels leaves a tree, each of width numbers */
    double scale;
    const double *bias; /* [width] */
} ftl_cbm;

/* What the file says about itself; the text is in the arena. */
typedef struct ftl_cbm_info {
    const char *version; /* "" when it does not say */
    bool early;          /* before 0.26 */
    const char *loss;    /* such as "Logloss"; "" when it does not say */
    uint32_t width;
    uint32_t n_trees;
    bool oblivious;
    uint32_t n_labels; /* classes that the file names; 0: none */
    const ftl_cell *labels;
    ftl_type label_type;
    uint32_t n_order;      /* 0, or width: */
    const uint32_t *order; /* output k of the trees is class order[k] */
    double threshold;      /* two classes: the second one from a raw score above this on */
} ftl_cbm_info;

/* Whether the library trains a CatBoostClassifier with that loss. */
bool ftl_cbm_is_classification(const char *loss);

/* bytes are borrowed; everything that comes out is in the arena. */
FTL_MUST_USE ftl_status ftl_cbm_read(ftl_arena *arena, const char *bytes, size_t size, ftl_cbm *out,
                                     ftl_error *error);
FTL_MUST_USE ftl_status ftl_cbm_read_columns(ftl_arena *arena, const char *bytes, size_t size,
                                             uint32_t *n, const ftl_cbm_column **out,
                                             ftl_error *error);
FTL_MUST_USE ftl_status ftl_cbm_read_info(ftl_arena *arena, const char *bytes, size_t size,
                                          ftl_cbm_info *out, ftl_error *error);

#endif
