/* What the parameters of a sklearn2pmml domain say of its values. */
#ifndef FTL_ESTIMATORS_PREP_DOMAIN_RULES_H
#define FTL_ESTIMATORS_PREP_DOMAIN_RULES_H

#include "build/build.h"

/* What becomes of a value, as a cell where it is replaced. */
typedef struct ftl_treatment {
    ftl_domain_rule rule;
    ftl_cell value;
} ftl_treatment;

typedef struct ftl_domain_rules {
    bool nan_is_missing;
    uint32_t n_missing;
    ftl_cell *missing; /* [n_missing] values that are missing as well */
    ftl_treatment if_missing, if_invalid, if_low, if_high;
    double outlier_low, outlier_high;
    bool checked;   /* the version that wrote it compares with what it saw in training */
    bool old_items; /* categories: data_, of one column */
    bool objects;   /* fitted on Python objects */
    bool numbers;   /* fitted on numbers */
    bool whole;     /* fitted on whole ones */
} ftl_domain_rules;

/* continuous: a ContinuousDomain; else one of categories. */
FTL_MUST_USE ftl_status ftl_domain_rules_read(ftl_build *build, const ftl_estimator *e,
                                              bool continuous, ftl_domain_rules *out,
                                              ftl_error *error);
/* An attribute that is a number, a text, None …, as a cell; an absent one is MISSING. */
FTL_MUST_USE ftl_status ftl_attr_cell(ftl_build *build, const ftl_estimator *e, const char *name,
                                      ftl_cell *out, ftl_error *error);

#endif
