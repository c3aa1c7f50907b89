/* Predictions against what is true: the area under the curve covers all rows or is not given. */
#include "unit.h"

#include "engine/check.h"
#include "engine/context.h"

#include <math.h>
#include <stdlib.h>

enum { n_rows = 5 };

static const ftl_cell cells[2] = {{.tag = FTL_CELL_INT, .u.integer = 0},
                                  {.tag = FTL_CELL_INT, .u.integer = 1}};
static const ftl_labels labels = {.type = FTL_I64, .count = 2, .cells = cells};
static const ftl_labels *const classes[1] = {&labels};

/* Runs five rows in two blocks; the target's area. */
static double area(size_t most_scored, bool *too_many)
{
    static const double truths[n_rows] = {0, 1, 0, 1, 1};
    static const double first[n_rows] = {0.9, 0.8, 0.7, 0.4, 0.2};
    static const double second[n_rows] = {0.1, 0.2, 0.3, 0.6, 0.8};
    static const int64_t said[n_rows] = {0, 0, 0, 1, 1};
    ftl_context *context = NULL;
    assert_int_equal(ftl_context_create(NULL, &context, NULL), FTL_OK);
    ftl_model *model = calloc(1, sizeof *model);
    assert_non_null(model);
    model->n_classes = 1;
    model->classes = classes;
    model->graph.methods[FTL_PREDICT_PROBA].count = 2;
    ftl_check_target target;
    ftl_check_target_init(&target, &context->account, model, FTL_PREDICT, "y");
    target.decimal = '.';
    target.na = ftl_na_values_default;
    if (most_scored)
        target.most_scored = most_scored;
    assert_true(target.ranks);
    for (size_t row = 0; row < n_rows; row += 3) {
        size_t rows = row + 3 < n_rows ? 3 : n_rows - row;
        const ftl_column truth = {.type = FTL_F64, .values = truths, .offset = row};
        const ftl_column predicted = {.type = FTL_I64, .values = said, .offset = row};
        const ftl_column proba[2] = {{.type = FTL_F64, .values = first, .offset = row},
                                     {.type = FTL_F64, .values = second, .offset = row}};
        const ftl_batch of_predict = {.rows = rows, .n_columns = 1, .columns = &predicted};
        const ftl_batch of_proba = {.rows = rows, .n_columns = 2, .columns = proba};
        assert_int_equal(
            ftl_check_target_block(&target, &truth, NULL, &of_predict, &of_proba, NULL), FTL_OK);
    }
    assert_int_equal(target.rows, n_rows);
    assert_int_equal(target.right, 4);
    double found = ftl_check_target_auc(&target);
    *too_many = target.too_many;
    ftl_check_target_free(&target);
    free(model);
    ftl_context_destroy(context);
    return found;
}

static void the_area_covers_all_rows_or_none(void **unused)
{
    (void)unused;
    bool too_many;
    const double expected = 5.0 / 6; /* of six pairs one is in the wrong order */
    assert_true(fabs(area(0, &too_many) - expected) < 1e-15 && !too_many);
    assert_true(fabs(area(n_rows, &too_many) - expected) < 1e-15 && !too_many);
    assert_true(isnan(area(n_rows - 1, &too_many)) && too_many);
    assert_true(isnan(area(2, &too_many)) && too_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_area_covers_all_rows_or_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
