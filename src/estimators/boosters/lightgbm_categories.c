/*
 * Columns of a data frame that held categories: LightGBM trains on their codes, and on predicting
 * codes each such column by the categories it was trained with; others become NaN.
 *
 * The model's text has the categories of those columns in order (pandas_categorical), but not which
 * columns they were. All columns that LightGBM split by category are among them; an ordered
 * category column, or one with the same value in all rows, does not show. Where that leaves more
 * than one way to place the lists, the model is refused.
 */
#include "build/transformer.h"
#include "estimators/boosters/lightgbm.h"

#include <math.h>
#include <string.h>

enum { max_table = 1 << 26 };

/* ---- Which columns ----------------------------------------------------------------------------- */

/* Codes of a column with these categories could be what training saw in that feature. */
static bool may_be(const ftl_lightgbm_feature *feature, const ftl_lightgbm_list *list)
{
    if (feature->kind == FTL_LIGHTGBM_UNUSED)
        return true;
    /* -1 stands for missing values among the categories of a feature. */
    double lowest = feature->kind == FTL_LIGHTGBM_CATEGORICAL ? -1 : 0;
    return feature->low >= lowest && feature->high < (double)list->count &&
           feature->low == floor(feature->low) && feature->high == floor(feature->high);
}

static bool must_be(const ftl_lightgbm_feature *feature)
{
    return feature->kind == FTL_LIGHTGBM_CATEGORICAL;
}

/*
 * ways[j * (n + 1) + k]: in how many ways (2: several) features j … can take lists k …, all that
 * must take one and in order. Filled from the end.
 */
static void count_ways(const ftl_lightgbm *model, const ftl_lightgbm_list *lists, uint32_t n,
                       uint8_t *ways)
{
    size_t row = (size_t)n + 1;
    uint8_t *last = ways + model->n_features * row;
    memset(last, 0, row);
    last[n] = 1;
    for (uint32_t j = model->n_features; j-- > 0;) {
        uint8_t *here = ways + j * row, *next = here + row;
        for (uint32_t k = 0; k <= n; k++) {
            int sum = must_be(&model->features[j]) ? 0 : next[k];
            if (k < n && may_be(&model->features[j], &lists[k]))
                sum += next[k + 1];
            here[k] = (uint8_t)(sum < 2 ? sum : 2);
        }
    }
}

/* The usual case: as many columns are split by category as there are lists. */
static bool place_all(const ftl_lightgbm *model, const ftl_lightgbm_list *lists, uint32_t n,
                      uint32_t *columns)
{
    uint32_t k = 0;
    for (uint32_t j = 0; j < model->n_features; j++) {
        if (!must_be(&model->features[j]))
            continue;
        if (k == n || !may_be(&model->features[j], &lists[k]))
            return false;
        columns[k++] = j;
    }
    return k == n;
}

/* columns[k]: the feature that list k belongs to. */
static ftl_status place_lists(ftl_build *build, const ftl_lightgbm *model,
                              const ftl_lightgbm_list *lists, uint32_t n, uint32_t *columns,
                              ftl_error *error)
{
    if (place_all(model, lists, n, columns))
        return FTL_OK;
    size_t row = (size_t)n + 1, size = ((size_t)model->n_features + 1) * row;
    if (size > max_table)
        return FTL_FAIL(error, FTL_LIMIT, "%u lists of categories for %u columns are too many", n,
                        model->n_features);
    uint8_t *ways = ftl_arena_array(build->scratch, size, 1);
    if (!ways)
        return FTL_OOM(error);
    count_ways(model, lists, n, ways);
    if (ways[0] == 0)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "pandas_categorical does not fit the columns that were trained on");
    if (ways[0] > 1)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the model does not say which columns held the categories; train with "
                        "unordered categories alone, or encode them before LightGBM");
    for (uint32_t j = 0, k = 0; k < n; j++) {
        const uint8_t *next = ways + ((size_t)j + 1) * row;
        if (may_be(&model->features[j], &lists[k]) && next[k + 1] == 1)
            columns[k++] = j;
    }
    return FTL_OK;
}

/* ---- Their codes ------------------------------------------------------------------------------- */

/* As float64, which would merge large integers. */
static bool are_numbers(const ftl_lightgbm_list *list)
{
    return !list->text && !list->boolean && !list->large;
}

/*
 * Numbers are looked up as numbers; texts, bools and large integers as cells; codes are places in
 * the list.
 */
static ftl_status encode_column(ftl_build *build, const ftl_lightgbm_list *list, const char *name,
                                ftl_encode_column *out, ftl_error *error)
{
    double *values = ftl_arena_array(build->arena, list->count, sizeof *values);
    double *numbers = ftl_arena_array(build->arena, list->count, sizeof *numbers);
    if (!values || !numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < list->count; i++) {
        values[i] = i;
        numbers[i] = ftl_cell_number(&list->cells[i]);
    }
    bool numeric = are_numbers(list);
    *out = (ftl_encode_column){
        .categories = {.count = list->count,
                       .numeric = numeric,
                       FTL_SIZED(numbers, numbers, numeric ? list->count : 0),
                       FTL_SIZED(cells, list->cells, numeric ? 0 : list->count)},
        .unknown = FTL_CODE_NONE,
        FTL_SIZED(values, values, list->count),
        .unknown_value = NAN,
        .name = name};
    return FTL_OK;
}

/* Number columns come from one matrix, so that what earlier steps made of them is numeric too. */
static ftl_status lookup_source(ftl_build *build, const ftl_estimator *e,
                                const ftl_lightgbm_list *list, ftl_frame_column *column,
                                ftl_error *error)
{
    if (!are_numbers(list)) {
        bool text_alone = list->text && !list->number && !list->boolean;
        ftl_build_want(build, column->op, text_alone ? FTL_KIND_STRING : FTL_KIND_MIXED);
    } else {
        const ftl_frame one = {.n_columns = 1, .columns = column};
        uint32_t id;
        FTL_TRY(ftl_build_matrix(build, e, &one, &id, error));
        column->op = id;
        column->column = 0;
    }
    return FTL_OK;
}

static ftl_status emit_codes(ftl_build *build, const ftl_estimator *e,
                             const ftl_lightgbm_list *lists, const uint32_t *columns, uint32_t n,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame picked, made;
    ftl_op *op = NULL;
    uint32_t id;
    ftl_encode_column *encoded = ftl_arena_zero_array(build->arena, n, sizeof *encoded);
    if (!encoded)
        return FTL_OOM(error);
    FTL_TRY(ftl_frame_select(build, in, columns, n, &picked, error));
    for (uint32_t k = 0; k < n; k++) {
        ftl_build_missing(build, &picked.columns[k], FTL_MISSING_NAN);
        FTL_TRY(encode_column(build, &lists[k], picked.columns[k].name, &encoded[k], error));
        FTL_TRY(lookup_source(build, e, &lists[k], &picked.columns[k], error));
    }
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &picked, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = n, FTL_SIZED(columns, encoded, n), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_new(build, in->n_columns, &made, error));
    memcpy(made.columns, in->columns, in->n_columns * sizeof *in->columns);
    for (uint32_t k = 0; k < n; k++) {
        made.columns[columns[k]].op = id;
        made.columns[columns[k]].column = k;
    }
    *out = made;
    return FTL_OK;
}

ftl_status ftl_lightgbm_categories(ftl_build *build, const ftl_estimator *e,
                                   const ftl_lightgbm *model, const ftl_frame *in, ftl_frame *out,
                                   ftl_error *error)
{
    const ftl_lightgbm_list *lists = NULL;
    uint32_t n;
    ftl_status status = ftl_lightgbm_read_lists(build->arena, model, &lists, &n, error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "pandas_categorical");
        return status;
    }
    *out = *in;
    if (n == 0)
        return FTL_OK;
    uint32_t *columns = ftl_arena_array(build->scratch, n, sizeof *columns);
    if (!columns)
        return FTL_OOM(error);
    FTL_TRY(place_lists(build, model, lists, n, columns, error));
    return emit_codes(build, e, lists, columns, n, in, out, error);
}
