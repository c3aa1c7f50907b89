/* XGBoost: rows as its trees take them, with categories as numbers and missing values as NaN. */
#include "estimators/boosters/xgboost.h"

#include <math.h>
#include <string.h>

/* Looked up as float64, which would merge large integers. */
static bool are_numbers(const ftl_xgb_categories *from) { return from->numbers && !from->integers; }

/* Columns whose categories the model knows by value become their numbers. */
static ftl_status encode_column(ftl_build *build, const ftl_xgb *x, const ftl_xgb_categories *from,
                                const char *name, ftl_encode_column *out, ftl_error *error)
{
    size_t n = from->count + 1; /* the last is the missing value, which stays missing */
    if (from->garbled || (from->texts && !from->ascii && x->model->version < FTL_XGBOOST(3, 4)))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "XGBoost 3.1 to 3.3 save the categories of a data frame wrongly when some "
                        "are not ASCII, as in column %.60s; train and save with 3.4 or later",
                        name);
    if (n > 1u << 24)
        return FTL_FAIL(error, FTL_LIMIT, "column %.60s has too many categories", name);
    double *values = ftl_arena_array(build->arena, n, sizeof *values);
    double *numbers = ftl_arena_array(build->arena, n, sizeof *numbers);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, n, sizeof *cells);
    if (!values || !numbers || !cells)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        bool known = i < from->count;
        values[i] = known ? (double)i : NAN;
        numbers[i] = known && from->numbers ? from->numbers[i] : NAN;
        cells[i] = (ftl_cell){.tag = FTL_CELL_MISSING};
        if (known && from->integers)
            cells[i] = (ftl_cell){.tag = FTL_CELL_INT, .u.integer = from->integers[i]};
        if (!known || from->numbers)
            continue;
        char *text = ftl_arena_string(build->arena, from->texts[i], from->text_sizes[i]);
        if (!text)
            return FTL_OOM(error);
        cells[i] = (ftl_cell){
            .tag = FTL_CELL_STRING, .size = (uint32_t)from->text_sizes[i], .u.text = text};
    }
    bool numeric = are_numbers(from);
    *out = (ftl_encode_column){.categories = {.count = (uint32_t)n,
                                              .numeric = numeric,
                                              FTL_SIZED(numbers, numbers, numeric ? n : 0),
                                              FTL_SIZED(cells, cells, numeric ? 0 : n)},
                               .unknown = FTL_CODE_REFUSED,
                               FTL_SIZED(values, values, n),
                               .unknown_value = NAN,
                               .name = name};
    return FTL_OK;
}

static ftl_status encode_categories(ftl_build *build, const ftl_xgb *x, const ftl_frame *in,
                                    ftl_frame *out, ftl_error *error)
{
    uint32_t n = 0, id, *columns = ftl_arena_array(build->scratch, in->n_columns, sizeof *columns);
    ftl_frame picked, made;
    ftl_op *op = NULL;
    if (!columns)
        return FTL_OOM(error);
    *out = *in;
    for (uint32_t i = 0; i < in->n_columns && i < x->model->n_categories; i++) {
        if (x->model->categories[i].count)
            columns[n++] = i;
    }
    if (n == 0)
        return FTL_OK;
    ftl_encode_column *encoded = ftl_arena_zero_array(build->arena, n, sizeof *encoded);
    if (!encoded)
        return FTL_OOM(error);
    FTL_TRY(ftl_frame_select(build, in, columns, n, &picked, error));
    for (uint32_t k = 0; k < n; k++) {
        const ftl_xgb_categories *from = &x->model->categories[columns[k]];
        ftl_frame one = {.n_columns = 1, .columns = &picked.columns[k]};
        FTL_TRY(encode_column(build, x, from, picked.columns[k].name, &encoded[k], error));
        if (from->integers)
            ftl_build_want(build, one.columns[0].op, FTL_KIND_MIXED);
        FTL_TRY(are_numbers(from) ? ftl_build_matrix(build, x->e, &one, &id, error)
                                  : ftl_build_objects(build, x->e, &one, &id, error));
        picked.columns[k].op = id;
        picked.columns[k].column = 0;
    }
    FTL_TRY(ftl_build_op(build, x->e, FTL_OP_ORDINAL, &picked, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = n, FTL_SIZED(columns, encoded, n), .estimator = "XGBoost"};
    FTL_TRY(ftl_frame_new(build, in->n_columns, &made, error));
    memcpy(made.columns, in->columns, in->n_columns * sizeof *in->columns);
    ftl_frame_form(in, &made);
    for (uint32_t k = 0; k < n; k++) {
        made.columns[columns[k]].op = id;
        made.columns[columns[k]].column = k;
    }
    *out = made;
    return FTL_OK;
}

/* A wrapper's missing parameter: values equal to it, as float32, are missing like NaN. */
static ftl_status emit_missing(ftl_build *build, const ftl_xgb *x, double missing, uint32_t *id,
                               ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_on(build, x->e, FTL_OP_CAST, *id, build->ops[*id].width, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    return ftl_emit_as_missing(build, x->e, missing, id, error);
}

ftl_status ftl_xgb_rows(ftl_build *build, const ftl_xgb *x, const ftl_frame *in, bool in_place,
                        uint32_t *id, ftl_error *error)
{
    double missing = NAN;
    ftl_frame coded;
    if (x->wrapped)
        FTL_TRY(ftl_attr_f64(x->e, "missing", NAN, &missing, error));
    if (in->sparse && x->model->version < (in->csc ? FTL_XGBOOST(2, 0) : FTL_XGBOOST(1, 4)))
        missing = NAN;
    FTL_TRY(ftl_frame_expect(x->e, in, (size_t)x->model->num_feature, error));
    FTL_TRY(encode_categories(build, x, in, &coded, error));
    bool refuses = !in_place && x->model->version >= FTL_XGBOOST(1, 4) && !isinf(missing);
    FTL_TRY(ftl_build_stored_matrix(build, x->e, &coded,
                                    refuses ? FTL_CHECK_INF | FTL_CHECK_F32_RANGE : 0, id, error));
    return isnan(missing) ? FTL_OK : emit_missing(build, x, missing, id, error);
}
