/* What imputers and MissingIndicator share. */
#ifndef FTL_ESTIMATORS_PREP_INDICATORS_H
#define FTL_ESTIMATORS_PREP_INDICATORS_H

#include "build/build.h"

/* missing_values: NaN (None and pandas.NA too), a number or a text. */
typedef struct ftl_missing_value {
    bool is_nan;
    double number; /* NaN when it is a text */
    ftl_cell cell;
} ftl_missing_value;
FTL_MUST_USE ftl_status ftl_missing_value_read(ftl_build *build, const ftl_estimator *e,
                                               ftl_missing_value *out, ftl_error *error);
/* What check_array refuses of an imputer's rows: FTL_CHECK_ bits. */
uint32_t ftl_missing_refusals(const ftl_missing_value *missing);

/*
 * Appends the columns of the imputer's indicator_ (add_indicator) to *out: 1 where missing. source:
 * the imputer's own columns as a whole numeric matrix; `in` has their names.
 */
FTL_MUST_USE ftl_status ftl_add_indicator(ftl_build *build, const ftl_estimator *e,
                                          const ftl_missing_value *missing, uint32_t source,
                                          const ftl_frame *in, ftl_frame *out, ftl_error *error);
/* features_ of a MissingIndicator as column numbers below n_columns, in scratch. */
FTL_MUST_USE ftl_status ftl_indicator_features(ftl_build *build, const ftl_estimator *e,
                                               const ftl_node *indicator, uint32_t n_columns,
                                               uint32_t **out, uint32_t *n, ftl_error *error);

#endif
