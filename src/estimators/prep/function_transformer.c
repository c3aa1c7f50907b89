/*
 * FunctionTransformer of sklearn.preprocessing: func=None, or a numpy ufunc of one argument. A
 * ufunc is pickled by name, as a global (numpy.log1p, numpy._core._multiarray_umath.log1p) or as a
 * call of numpy's _ufunc_reconstruct with module and name; nothing is called here either way.
 * Everything else is code, which is not in the file. sklearn_pandas has a class of the same name
 * that checks nothing, and NumericalTransformer, which knows its functions by their names.
 */
#include "estimators/prep/function_transformer.h"
#include "build/transformer.h"

#include <string.h>

static const struct {
    const char *name;
    ftl_ufunc function;
} ufuncs[] = {
    {"log", FTL_UFUNC_LOG},
    {"log1p", FTL_UFUNC_LOG1P},
    {"log2", FTL_UFUNC_LOG2},
    {"log10", FTL_UFUNC_LOG10},
    {"exp", FTL_UFUNC_EXP},
    {"expm1", FTL_UFUNC_EXPM1},
    {"exp2", FTL_UFUNC_EXP2},
    {"sqrt", FTL_UFUNC_SQRT},
    {"cbrt", FTL_UFUNC_CBRT},
    {"square", FTL_UFUNC_SQUARE},
    {"absolute", FTL_UFUNC_ABS},
    {"abs", FTL_UFUNC_ABS},
    {"fabs", FTL_UFUNC_ABS},
    {"negative", FTL_UFUNC_NEGATIVE},
    {"reciprocal", FTL_UFUNC_RECIPROCAL},
    {"sign", FTL_UFUNC_SIGN},
    {"floor", FTL_UFUNC_FLOOR},
    {"ceil", FTL_UFUNC_CEIL},
    {"trunc", FTL_UFUNC_TRUNC},
    {"rint", FTL_UFUNC_RINT},
    {"sin", FTL_UFUNC_SIN},
    {"cos", FTL_UFUNC_COS},
    {"tan", FTL_UFUNC_TAN},
    {"arcsin", FTL_UFUNC_ARCSIN},
    {"arccos", FTL_UFUNC_ARCCOS},
    {"arctan", FTL_UFUNC_ARCTAN},
    {"asin", FTL_UFUNC_ARCSIN},
    {"acos", FTL_UFUNC_ARCCOS},
    {"atan", FTL_UFUNC_ARCTAN},
    {"sinh", FTL_UFUNC_SINH},
    {"cosh", FTL_UFUNC_COSH},
    {"tanh", FTL_UFUNC_TANH},
    {"arcsinh", FTL_UFUNC_ARCSINH},
    {"arccosh", FTL_UFUNC_ARCCOSH},
    {"arctanh", FTL_UFUNC_ARCTANH},
    {"asinh", FTL_UFUNC_ARCSINH},
    {"acosh", FTL_UFUNC_ARCCOSH},
    {"atanh", FTL_UFUNC_ARCTANH},
    {"deg2rad", FTL_UFUNC_DEG2RAD},
    {"radians", FTL_UFUNC_DEG2RAD},
    {"rad2deg", FTL_UFUNC_RAD2DEG},
    {"degrees", FTL_UFUNC_RAD2DEG},
    {"isnan", FTL_UFUNC_ISNAN},
    {"isfinite", FTL_UFUNC_ISFINITE},
    {"isinf", FTL_UFUNC_ISINF},
};

static bool in_numpy(const char *module)
{
    return strncmp(module, "numpy", 5) == 0 && (module[5] == '\0' || module[5] == '.');
}

/*
 * The module and name of what func stands for; false when it is neither a global nor a
 * reconstructed ufunc.
 */
static bool function_name(const ftl_node *func, const char **module, const char **name)
{
    ftl_node_string text[2];
    if (func->kind == FTL_NODE_GLOBAL) {
        *module = func->u.global.module;
        *name = func->u.global.name;
        return true;
    }
    if (func->kind != FTL_NODE_OBJECT || strcmp(func->u.object->name, "_ufunc_reconstruct") != 0)
        return false;
    const ftl_node *args = func->u.object->args;
    if (!args || args->kind != FTL_NODE_TUPLE || args->u.seq.size != 2 ||
        !ftl_node_as_str(args->u.seq.items[0], &text[0]) ||
        !ftl_node_as_str(args->u.seq.items[1], &text[1]))
        return false;
    *module = text[0].data;
    *name = text[1].data;
    return true;
}

/* A private name of Python's: _Class__name. */
static const char vectorized[] = "_FunctionTransformer__func";

/* *known is false for func=None. */
static ftl_status load_function(const ftl_estimator *e, const char *attribute, bool *known,
                                ftl_ufunc *out, ftl_error *error)
{
    const ftl_node *func = ftl_attr(e, attribute);
    const char *module, *name;
    char about[160];
    *known = false;
    if (ftl_node_is_none(func))
        return FTL_OK;
    if (!function_name(func, &module, &name))
        return FTL_ATTR_FAIL(error, e, attribute, FTL_UNSUPPORTED,
                             "%s is code, which is not in the file; foretell runs func=None and "
                             "numpy's own functions",
                             ftl_node_describe(func, about, sizeof about));
    *known = true;
    for (size_t i = 0; in_numpy(module) && i < FTL_ARRAY_LEN(ufuncs); i++) {
        if (strcmp(ufuncs[i].name, name) == 0) {
            *out = ufuncs[i].function;
            return FTL_OK;
        }
    }
    if (!in_numpy(module))
        return FTL_ATTR_FAIL(
            error, e, attribute, FTL_UNSUPPORTED,
            "the function %.100s.%.100s is code, which is not in the file; foretell "
            "runs func=None and numpy's functions of one argument, such as "
            "numpy.log1p",
            module, name);
    return FTL_ATTR_FAIL(error, e, attribute, FTL_UNSUPPORTED,
                         "the function %.100s.%.100s is not supported; foretell runs func=None and "
                         "numpy's functions of one "
                         "argument, such as numpy.log1p",
                         module, name);
}

/* validate=None, 0.20's default, means True there. */
static ftl_status validates(const ftl_estimator *e, bool *out, ftl_error *error)
{
    return ftl_attr_bool(e, "validate", e->version < FTL_SKLEARN(0, 22), out, error);
}

static ftl_status refuse_arguments(const ftl_estimator *e, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "kw_args");
    if (ftl_node_is_none(node) || (node->kind == FTL_NODE_DICT && node->u.dict.size == 0))
        return FTL_OK;
    return FTL_ATTR_FAIL(error, e, "kw_args", FTL_UNSUPPORTED,
                         "functions with extra arguments are not supported");
}

/* The library calls the sparse matrix's own method of the function's name. */
static ftl_status emit_sparse(ftl_build *build, const ftl_estimator *e, const ftl_ufunc *function,
                              uint32_t refuse, const ftl_frame *in, ftl_frame *out,
                              ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    if (function && !ftl_ufunc_keeps_zero(*function))
        return FTL_ATTR_FAIL(error, e, "func", FTL_UNSUPPORTED,
                             "the function has no form for sparse matrices");
    FTL_TRY(ftl_build_sparse(build, e, in, refuse, &id, error));
    if (!function)
        return ftl_frame_like(build, id, in, out, error);
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->edge = FTL_EDGE_SPARSE;
    op->u.ufunc.function = *function;
    return ftl_frame_like(build, id, in, out, error);
}

static ftl_status emit_function(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    bool validate, known;
    ftl_ufunc function = FTL_UFUNC_ABS;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load_function(e, "func", &known, &function, error));
    FTL_TRY(validates(e, &validate, error));
    if (known)
        FTL_TRY(refuse_arguments(e, error));
    if (!known && !validate) {
        *out = *in;
        return FTL_OK;
    }
    uint32_t refuse = validate ? FTL_CHECK_NAN | FTL_CHECK_INF : 0u;
    if (in->sparse)
        return emit_sparse(build, e, known ? &function : NULL, refuse, in, out, error);
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &id, error));
    bool logical = known && function >= FTL_UFUNC_ISNAN;
    if (known) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
        op->u.ufunc.function = function;
    }
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    for (uint32_t i = 0; logical && i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_BOOL;
    return FTL_OK;
}

ftl_status ftl_function_inverse(ftl_build *build, const ftl_estimator *e, uint32_t *id,
                                ftl_error *error)
{
    bool validate, known;
    ftl_ufunc function = FTL_UFUNC_ABS;
    ftl_op *op = NULL;
    uint32_t width = build->ops[*id].width;
    FTL_TRY(load_function(e, "inverse_func", &known, &function, error));
    FTL_TRY(validates(e, &validate, error));
    if (!ftl_node_is_none(ftl_attr(e, "inv_kw_args")) &&
        ftl_attr(e, "inv_kw_args")->kind == FTL_NODE_DICT &&
        ftl_attr(e, "inv_kw_args")->u.dict.size > 0)
        return FTL_ATTR_FAIL(error, e, "inv_kw_args", FTL_UNSUPPORTED,
                             "functions with extra arguments are not supported");
    if (validate) {
        ftl_frame frame;
        FTL_TRY(ftl_frame_of_op(build, *id, NULL, &frame, error));
        FTL_TRY(
            ftl_build_checked_matrix(build, e, &frame, FTL_CHECK_NAN | FTL_CHECK_INF, id, error));
    }
    if (!known)
        return FTL_OK;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, *id, width, id, &op, error));
    op->u.ufunc.function = function;
    return FTL_OK;
}

/* numpy.vectorize calls the function with one number after another. */
static ftl_status emit_ufunc(ftl_build *build, const ftl_estimator *e, ftl_ufunc function,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    if (in->sparse)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s on a sparse matrix", e->cls->name);
    FTL_TRY(ftl_build_matrix(build, e, in, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_UFUNC, id, in->n_columns, &id, &op, error));
    op->u.ufunc.function = function;
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    for (uint32_t i = 0; function >= FTL_UFUNC_ISNAN && i < out->n_columns; i++)
        out->columns[i].as = FTL_AS_BOOL;
    return FTL_OK;
}

static ftl_status emit_vectorized(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    bool known;
    ftl_ufunc function = FTL_UFUNC_ABS;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load_function(e, vectorized, &known, &function, error));
    if (!known)
        return FTL_ATTR_FAIL(error, e, vectorized, FTL_CORRUPT, "there is no function");
    return emit_ufunc(build, e, function, in, out, error);
}

static ftl_status emit_numerical(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    static const char attribute[] = "_NumericalTransformer__func";
    FTL_TRY(ftl_expect_transform(e, method, error));
    if (ftl_attr_is(e, attribute, "log"))
        return emit_ufunc(build, e, FTL_UFUNC_LOG, in, out, error);
    if (ftl_attr_is(e, attribute, "log1p"))
        return emit_ufunc(build, e, FTL_UFUNC_LOG1P, in, out, error);
    return FTL_ATTR_FAIL(error, e, attribute, FTL_UNSUPPORTED,
                         "a function other than log and log1p");
}

static const char *function_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *func = ftl_attr(e, "func");
    const char *module, *name;
    if (ftl_node_is_none(func))
        return "identity";
    return function_name(func, &module, &name) ? ftl_arena_printf(build->arena, "%.60s", name)
                                               : NULL;
}

const ftl_estimator_class ftl_function_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "FunctionTransformer", emit_function,
                          .detail = function_detail),
    FTL_PLAIN_TRANSFORMER("sklearn_pandas", "FunctionTransformer", emit_vectorized,
                          .library = "sklearn-pandas"),
    FTL_PLAIN_TRANSFORMER("sklearn_pandas", "NumericalTransformer", emit_numerical,
                          .library = "sklearn-pandas"),
    {0},
};
