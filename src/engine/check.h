/* ftl_check's parts: what is counted of a table, and the report of it. */
#ifndef FTL_ENGINE_CHECK_H
#define FTL_ENGINE_CHECK_H

#include "base/na_values.h"
#include "engine/column_watch.h"

/* ---- Predictions against what is true (check_target.c) --------------------------------------- */

typedef struct ftl_scored_row {
    double score;
    bool positive;
} ftl_scored_row;

typedef struct ftl_check_target {
    ftl_account *account;
    const char *name;       /* NULL: there is no target, and nothing below counts */
    char decimal;           /* how the table's numbers are written */
    ftl_na_values na;       /* and its missing cells */
    const ftl_model *model; /* of kind classifier: accuracy, else errors of numbers */
    bool classes, ranks;    /* ranks: two classes with probabilities */
    bool marks;             /* an outlier detector's 1 and -1 */
    size_t request;         /* of the bound columns: the target's */
    uint64_t rows;          /* with a target and a prediction */
    uint64_t missing;       /* rows without a target */
    uint64_t right;         /* classes, marks: predictions that equal it */
    uint64_t strange; /* targets that are no class (predicted wrongly), or no number (left out) */
    char example[FTL_EXAMPLE_SIZE];
    double squares;         /* numbers: the sum of squared errors */
    ftl_scored_row *scored; /* ranks: [n_scored] */
    size_t n_scored, scored_room, most_scored;
    bool too_many; /* rows for ranks */
} ftl_check_target;

/* Says what can be measured. name may be NULL. The caller sets decimal and na before rows come. */
void ftl_check_target_init(ftl_check_target *target, ftl_account *account, const ftl_model *model,
                           ftl_method method, const char *name);
void ftl_check_target_free(ftl_check_target *target);
/* bad: one byte a row, or NULL; truth: the column of texts or, of a file of numbers, of those;
 * predicted and proba as the session shows them. */
FTL_MUST_USE ftl_status ftl_check_target_block(ftl_check_target *target, const ftl_column *truth,
                                               const uint8_t *bad, const ftl_batch *predicted,
                                               const ftl_batch *proba, ftl_error *error);
/* Equal scores count half, as in scikit-learn's roc_auc_score. NaN when a class has no row, or
 * there are more rows than most_scored, which ftl_check_target_init sets. */
double ftl_check_target_auc(ftl_check_target *target);

/* ---- The report (check_report.c) ------------------------------------------------------------- */

typedef struct ftl_check_facts {
    const ftl_model *model;
    const ftl_table *table;
    const char *const *missing; /* [n_inputs] as ftl_binding's; NULL: none was looked for */
    const char *const *near;    /* [n_inputs] with missing */
    const ftl_binding *binding; /* NULL: the columns could not be matched */
    const ftl_watch *watch;
    const ftl_column_counts *counts; /* [n_inputs] */
    uint64_t rows, bad;
    bool all_rows;          /* the table has no more */
    const ftl_error *first; /* why the first bad row is bad; NULL: none is */
    ftl_check_target *target;
    const ftl_error *failed; /* why the check ended early; NULL: it did not */
} ftl_check_facts;

void ftl_check_report(const ftl_check_facts *facts, bool json, ftl_strbuf *out);

#endif
