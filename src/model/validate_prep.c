/* The validator's part for scalers, imputers, encoders and the other transformers. */
#include "model/validate.h"

ftl_status ftl_validate_affine(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_affine_op *affine = &op->u.affine;
    if (op->width != n || (affine->n_steps && !affine->steps))
        return FTL_INVALID(error, op, "an elementwise step does not fit its source");
    for (uint32_t i = 0; i < affine->n_steps; i++) {
        if ((unsigned)affine->steps[i].kind > FTL_AFFINE_CLIP_HIGH || !affine->steps[i].vector)
            return FTL_INVALID(error, op, "an elementwise step is malformed");
        if (op->edge == FTL_EDGE_SPARSE && affine->steps[i].kind <= FTL_AFFINE_ADD)
            return FTL_INVALID(error, op, "a sparse matrix cannot be shifted");
    }
    return FTL_OK;
}

ftl_status ftl_validate_normalize(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    if (op->width != n || (unsigned)op->u.normalize.norm >= FTL_NORM_COUNT)
        return FTL_INVALID(error, op, "a normalizing step is malformed");
    return FTL_OK;
}

/* columns[0..width) below n. */
static ftl_status check_columns(const ftl_op *op, const uint32_t *columns, uint32_t n,
                                ftl_error *error)
{
    if (!columns)
        return FTL_INVALID(error, op, "a %s step names no columns", ftl_op_name(op->kind));
    for (uint32_t i = 0; i < op->width; i++) {
        if (columns[i] >= n)
            return FTL_INVALID(error, op, "a %s step reads column %u of %u", ftl_op_name(op->kind),
                               columns[i], n);
    }
    return FTL_OK;
}

ftl_status ftl_validate_impute(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (!op->u.impute.fill)
        return FTL_INVALID(error, op, "an imputing step has no values");
    return check_columns(op, op->u.impute.columns, n, error);
}

static bool cell_is_sound(const ftl_cell *cell)
{
    return cell->tag <= FTL_CELL_BOOL && (cell->tag != FTL_CELL_STRING || cell->u.text);
}

/* One whole OBJECT or NUM op: run() reads columns of segment 0 by their number. */
static ftl_status check_one_source(const ftl_op *op, ftl_error *error)
{
    if (op->n_segments != 1 || op->segments[0].first != 0)
        return FTL_INVALID(error, op, "a %s step has one source", ftl_op_name(op->kind));
    return FTL_OK;
}

ftl_status ftl_validate_impute_object(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                      ftl_error *error)
{
    (void)scratch;
    const ftl_impute_object_op *impute = &op->u.impute_object;
    FTL_TRY(check_one_source(op, error));
    if (!impute->fill || !cell_is_sound(&impute->missing))
        return FTL_INVALID(error, op, "an imputing step has no values");
    FTL_TRY(check_columns(op, impute->columns, n, error));
    for (uint32_t i = 0; i < op->width; i++) {
        if (!cell_is_sound(&impute->fill[i]))
            return FTL_INVALID(error, op, "an imputing step has a malformed value");
    }
    return FTL_OK;
}

ftl_status ftl_validate_indicator(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                  ftl_error *error)
{
    (void)scratch;
    FTL_TRY(check_one_source(op, error));
    if (!cell_is_sound(&op->u.indicator.missing))
        return FTL_INVALID(error, op, "an indicator step is malformed");
    return check_columns(op, op->u.indicator.columns, n, error);
}

static ftl_status check_categories(const ftl_categories *categories, ftl_error *error)
{
    if (categories->count > 0 && (categories->numeric ? !categories->numbers : !categories->cells))
        return FTL_FAIL(error, FTL_CORRUPT, "an encoding step has no categories");
    if (categories->count > INT32_MAX / 4)
        return FTL_FAIL(error, FTL_CORRUPT, "an encoding step has too many categories");
    for (uint32_t i = 0; !categories->numeric && i < categories->count; i++) {
        if (!cell_is_sound(&categories->cells[i]))
            return FTL_FAIL(error, FTL_CORRUPT, "category %u is malformed", i);
    }
    return FTL_OK;
}

static bool code_is_sound(int32_t code, uint32_t cardinality)
{
    return code == FTL_CODE_NONE || code == FTL_CODE_REFUSED ||
           (code >= 0 && (uint32_t)code < cardinality);
}

static ftl_status check_one_hot(const ftl_encode_column *column, ftl_error *error)
{
    if ((column->categories.count && !column->codes) ||
        !code_is_sound(column->unknown, column->cardinality))
        return FTL_FAIL(error, FTL_CORRUPT, "a one-hot step is malformed");
    for (uint32_t i = 0; i < column->categories.count; i++) {
        if (!code_is_sound(column->codes[i], column->cardinality))
            return FTL_FAIL(error, FTL_CORRUPT, "category %u sets column %d of %u", i,
                            column->codes[i], column->cardinality);
    }
    return FTL_OK;
}

ftl_status ftl_validate_encode(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    const ftl_encode_op *encode = &op->u.encode;
    uint64_t width = 0;
    if (encode->n_columns != n || (n && !encode->columns) || !encode->estimator)
        return FTL_INVALID(error, op, "an encoding step knows %u columns of %u", encode->n_columns,
                           n);
    for (uint32_t j = 0; j < n; j++) {
        const ftl_encode_column *column = &encode->columns[j];
        FTL_TRY(check_categories(&column->categories, error));
        if (op->kind == FTL_OP_ONEHOT)
            FTL_TRY(check_one_hot(column, error));
        else if (column->categories.count && !column->values)
            return FTL_INVALID(error, op, "an ordinal step has no values");
        width += op->kind == FTL_OP_ONEHOT ? column->cardinality : 1;
    }
    if (width != op->width)
        return FTL_INVALID(error, op, "an encoding step yields %llu columns, not %u",
                           (unsigned long long)width, op->width);
    return FTL_OK;
}

ftl_status ftl_validate_polynomial(const ftl_op *op, uint32_t n, ftl_account *scratch,
                                   ftl_error *error)
{
    (void)scratch;
    const ftl_polynomial_op *p = &op->u.polynomial;
    if (!p->start || p->start[0] != 0 || (p->start[op->width] && !p->factors))
        return FTL_INVALID(error, op, "a polynomial step is malformed");
    for (uint32_t i = 0; i < op->width; i++) {
        if (p->start[i] > p->start[i + 1])
            return FTL_INVALID(error, op, "a polynomial step is malformed");
    }
    for (uint32_t i = 0; i < p->start[op->width]; i++) {
        if (p->factors[i] >= n)
            return FTL_INVALID(error, op, "a polynomial step multiplies column %u of %u",
                               p->factors[i], n);
    }
    return FTL_OK;
}

ftl_status ftl_validate_ufunc(const ftl_op *op, uint32_t n, ftl_account *scratch, ftl_error *error)
{
    (void)scratch;
    if (op->width != n || (unsigned)op->u.ufunc.function >= FTL_UFUNC_COUNT)
        return FTL_INVALID(error, op, "a function step is malformed");
    return FTL_OK;
}
