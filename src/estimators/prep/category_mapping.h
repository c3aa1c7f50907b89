/*
 * What an encoder of the package category_encoders (2.0 and later) has learnt: which categories a
 * column has, and which numbers each becomes.
 */
#ifndef FTL_ESTIMATORS_PREP_CATEGORY_MAPPING_H
#define FTL_ESTIMATORS_PREP_CATEGORY_MAPPING_H

#include "estimators/prep/encoder_categories.h"

/* An input column that is encoded. */
typedef struct ftl_category_coding {
    const char *label; /* of the input column */
    bool named;        /* it is a text: the column of an array has a number */
    uint32_t source;   /* its place in the input */
    ftl_category_column categories;
    double *codes;            /* [categories.count] numbers of an ordinal encoder; NaN: unknown */
    double unknown_code;      /* of a category that is unknown */
    uint32_t width;           /* output columns */
    const char *const *names; /* [width] */
    const double **rows;      /* [categories.count] of width numbers; NULL: NaN */
    const double *unknown;
} ftl_category_coding;

typedef struct ftl_category_mapping {
    uint32_t n_inputs;
    const char *const *labels; /* [n_inputs] */
    bool named;                /* they are names, not numbers */
    uint32_t n;
    ftl_category_coding *columns;
    bool refuse_unknown, refuse_missing;
    const char *const *dropped; /* [n_dropped] output columns that were the same in every row */
    size_t n_dropped;
} ftl_category_mapping;

/* Read once of an encoder, by its class. UNSUPPORTED, naming the attribute, for what does not run.
 */
FTL_MUST_USE ftl_status ftl_category_mapping_read(ftl_build *build, const ftl_estimator *e,
                                                  const ftl_category_mapping **out,
                                                  ftl_error *error);
bool ftl_category_is_dropped(const ftl_category_mapping *mapping, const char *name);

#endif
