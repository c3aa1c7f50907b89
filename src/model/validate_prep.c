/* What descriptions do not say of scalers and encoders. */
#include "model/validate.h"

ftl_status ftl_check_affine(const ftl_proof *proof, ftl_error *error)
{
    const ftl_affine_op *affine = &proof->op->u.affine;
    for (uint32_t i = 0; i < affine->n_steps; i++) {
        if (proof->op->edge == FTL_EDGE_SPARSE && affine->steps[i].kind <= FTL_AFFINE_ADD)
            return FTL_INVALID(error, "a sparse matrix cannot be shifted");
    }
    return FTL_OK;
}

/* Entries of a sparse matrix keep their order, and what it does not store stays zero. */
ftl_status ftl_check_impute(const ftl_proof *proof, ftl_error *error)
{
    const ftl_impute_op *impute = &proof->op->u.impute;
    for (uint32_t j = 1; proof->op->edge == FTL_EDGE_SPARSE && j < proof->op->width; j++) {
        if (impute->columns[j] <= impute->columns[j - 1])
            return FTL_INVALID(error, "columns of a sparse matrix do not ascend");
    }
    if (proof->op->edge == FTL_EDGE_SPARSE && !impute->missing_is_nan && impute->missing_value == 0)
        return FTL_INVALID(error, "what a sparse matrix does not store cannot be missing");
    return FTL_OK;
}

ftl_status ftl_check_ufunc(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->edge == FTL_EDGE_SPARSE && !ftl_ufunc_keeps_zero(proof->op->u.ufunc.function))
        return FTL_INVALID(error, "a function that moves zero would fill a sparse matrix");
    return FTL_OK;
}

bool ftl_ufunc_keeps_zero(ftl_ufunc function)
{
    switch (function) {
    case FTL_UFUNC_LOG1P:
    case FTL_UFUNC_EXPM1:
    case FTL_UFUNC_SQRT:
    case FTL_UFUNC_ABS:
    case FTL_UFUNC_NEGATIVE:
    case FTL_UFUNC_SIGN:
    case FTL_UFUNC_FLOOR:
    case FTL_UFUNC_CEIL:
    case FTL_UFUNC_TRUNC:
    case FTL_UFUNC_RINT:
    case FTL_UFUNC_SIN:
    case FTL_UFUNC_TAN:
    case FTL_UFUNC_ARCSIN:
    case FTL_UFUNC_ARCTAN:
    case FTL_UFUNC_SINH:
    case FTL_UFUNC_TANH:
    case FTL_UFUNC_ARCSINH:
    case FTL_UFUNC_ARCTANH:
    case FTL_UFUNC_DEG2RAD:
    case FTL_UFUNC_RAD2DEG:
        return true;
    default:
        return false;
    }
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
        return FTL_INVALID(error, "a one-hot step is malformed");
    for (uint32_t i = 0; i < column->categories.count; i++) {
        if (!code_is_sound(column->codes[i], column->cardinality))
            return FTL_INVALID(error, "category %u sets column %d of %u", i, column->codes[i],
                               column->cardinality);
    }
    return FTL_OK;
}

static ftl_status check_categories(const ftl_categories *categories, ftl_error *error)
{
    if (categories->count > INT32_MAX / 4)
        return FTL_INVALID(error, "an encoding step has too many categories");
    return FTL_OK;
}

ftl_status ftl_check_onehot(const ftl_proof *proof, ftl_error *error)
{
    const ftl_encode_op *encode = &proof->op->u.encode;
    uint64_t width = 0;
    if (encode->n_columns != proof->columns)
        return FTL_INVALID(error, "an encoding step knows %u columns of %u", encode->n_columns,
                           proof->columns);
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        FTL_TRY(check_categories(&encode->columns[j].categories, error));
        FTL_TRY(check_one_hot(&encode->columns[j], error));
        width += encode->columns[j].cardinality;
    }
    if (width != proof->op->width)
        return FTL_INVALID(error, "an encoding step yields %llu columns, not %u",
                           (unsigned long long)width, proof->op->width);
    return FTL_OK;
}

ftl_status ftl_check_ordinal(const ftl_proof *proof, ftl_error *error)
{
    const ftl_encode_op *encode = &proof->op->u.encode;
    if (encode->n_columns != proof->columns)
        return FTL_INVALID(error, "an encoding step knows %u columns of %u", encode->n_columns,
                           proof->columns);
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        FTL_TRY(check_categories(&encode->columns[j].categories, error));
        if (encode->columns[j].categories.count && !encode->columns[j].values)
            return FTL_INVALID(error, "an ordinal step has no values");
    }
    return FTL_OK;
}

ftl_status ftl_check_domain_object(const ftl_proof *proof, ftl_error *error)
{
    const ftl_encode_op *encode = &proof->op->u.encode;
    if (encode->n_columns != proof->columns)
        return FTL_INVALID(error, "a domain knows %u columns of %u", encode->n_columns,
                           proof->columns);
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        FTL_TRY(check_categories(&encode->columns[j].categories, error));
        if (encode->columns[j].categories.numeric || !encode->columns[j].cells)
            return FTL_INVALID(error, "a domain of cells has none");
    }
    return FTL_OK;
}

/* No column is named twice, so that a row has no two entries in one. */
static ftl_status name_column(const ftl_proof *proof, bool *named, uint32_t column,
                              ftl_error *error)
{
    if (column >= proof->op->width || named[column])
        return FTL_INVALID(error, "column %u of %u belongs to several keys, or to none", column,
                           proof->op->width);
    named[column] = true;
    return FTL_OK;
}

static ftl_status name_columns(const ftl_proof *proof, bool *named, ftl_error *error)
{
    const ftl_keys_op *keys = &proof->op->u.keys;
    for (uint32_t j = 0; j < keys->n_columns; j++) {
        const ftl_key_column *key = &keys->columns[j];
        FTL_TRY(check_categories(&key->categories, error));
        if (key->categories.numeric)
            return FTL_INVALID(error, "a key's texts are numbers");
        for (uint32_t i = 0; i < key->categories.count; i++)
            FTL_TRY(name_column(proof, named, key->columns[i], error));
        if (key->number)
            FTL_TRY(name_column(proof, named, key->column, error));
    }
    return FTL_OK;
}

ftl_status ftl_check_keys(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->u.keys.n_columns != proof->columns)
        return FTL_INVALID(error, "a step knows %u keys of %u", proof->op->u.keys.n_columns,
                           proof->columns);
    bool *named = ftl_alloc_zero(proof->scratch, (size_t)proof->op->width + 1, sizeof *named);
    if (!named)
        return FTL_OOM(error);
    ftl_status status = name_columns(proof, named, error);
    ftl_free(proof->scratch, named);
    return status;
}

ftl_status ftl_check_quantiles(const ftl_proof *proof, ftl_error *error)
{
    if (proof->op->u.quantiles.n == 0)
        return FTL_INVALID(error, "there are no quantiles");
    return FTL_OK;
}

ftl_status ftl_check_splines(const ftl_proof *proof, ftl_error *error)
{
    const ftl_splines_op *op = &proof->op->u.splines;
    bool periodic = op->ends == FTL_SPLINE_PERIODIC;
    uint64_t bases = (uint64_t)op->n_knots - op->degree - 1;
    if (op->degree > FTL_SPLINE_MAX_DEGREE || op->n_knots < 2 * (op->degree + 1) ||
        op->n_splines == 0 || op->n_splines + (periodic ? op->degree : 0) != bases ||
        op->kept > op->n_splines || proof->op->width != (uint64_t)proof->columns * op->kept)
        return FTL_INVALID(error, "%u splines of degree %u on %u knots", op->n_splines, op->degree,
                           op->n_knots);
    for (uint32_t j = 0; j < proof->columns; j++) {
        const double *knots = op->knots + (size_t)j * op->n_knots;
        if (op->reach[j] > op->n_splines)
            return FTL_INVALID(error, "the ends of a spline basis are malformed");
        for (uint32_t i = 1; i < op->n_knots; i++) {
            if (!(knots[i - 1] <= knots[i]))
                return FTL_INVALID(error, "the knots of a spline basis do not ascend");
        }
    }
    return FTL_OK;
}

ftl_status ftl_check_knn_impute(const ftl_proof *proof, ftl_error *error)
{
    const ftl_knn_impute_op *op = &proof->op->u.knn_impute;
    if (op->k == 0 || op->k > op->n_points)
        return FTL_INVALID(error, "%u neighbours of %u points", op->k, op->n_points);
    return FTL_OK;
}

ftl_status ftl_check_fill(const ftl_proof *proof, ftl_error *error)
{
    if (proof->columns != 2 * (uint64_t)proof->op->width)
        return FTL_INVALID(error, "%u columns are filled from %u", proof->op->width,
                           proof->columns);
    return FTL_OK;
}
