/* The categories_ of encoders: reading them, and the columns that are looked up in them. */
#ifndef FTL_ESTIMATORS_PREP_ENCODER_CATEGORIES_H
#define FTL_ESTIMATORS_PREP_ENCODER_CATEGORIES_H

#include "build/build.h"

typedef struct ftl_category_column {
    const char *name;     /* of the input column */
    const ftl_node *node; /* the array or list in the file */
    uint32_t count;
    const ftl_cell *cells;    /* [count], of all who read the same node */
    uint32_t none_at, nan_at; /* where None and NaN stand; count when they are no categories */
    uint32_t empty_at;        /* where the empty text stands */
    bool text, number;        /* some category is a string; some is a number or a bool */
    bool large;               /* some integer is none that a float64 holds exactly */
} ftl_category_column;

/* One category array, checked and copied. name: of the column. */
FTL_MUST_USE ftl_status ftl_load_category_column(ftl_build *build, const ftl_node *node,
                                                 const char *name, ftl_category_column *out,
                                                 ftl_error *error);
/* categories_ of an encoder fitted on the columns of `in`: [in->n_columns]. */
FTL_MUST_USE ftl_status ftl_load_categories(ftl_build *build, const ftl_estimator *e,
                                            const ftl_frame *in, ftl_category_column **out,
                                            ftl_error *error);

/*
 * Python's str() of a category. as_object: of what a float32 becomes in an object array. NULL when
 * out of memory.
 */
const char *ftl_category_text(ftl_build *build, const ftl_category_column *column, uint32_t i,
                              bool as_object);

/*
 * Settles how each column of `in` is looked up (as numbers or as cells), fills categories and name
 * of encoded[], and gives the columns to look up in *sources: numeric ones behind a check of what
 * the library refuses. refuse_nan: a missing cell is refused even where unknown categories are not.
 * The schema learns each input column's kind and missing rule.
 */
FTL_MUST_USE ftl_status ftl_category_sources(ftl_build *build, const ftl_estimator *e,
                                             const ftl_frame *in,
                                             const ftl_category_column *columns, bool refuse_nan,
                                             ftl_encode_column *encoded, ftl_frame *sources,
                                             ftl_error *error);

#endif
