/* Functions of one number: numpy's, powers, quantiles, curves, and what a column may hold. */
#include "codegen/c_code.h"

#include <math.h>
#include <stdio.h>

/* ---- UFUNC ----------------------------------------------------------------------------------- */

/* Of x; F ends the name of a function of the C library: "f" where x is a float. */
static const char *const ufuncs[FTL_UFUNC_COUNT] = {
    [FTL_UFUNC_LOG] = "logF(x)",
    [FTL_UFUNC_LOG1P] = "log1pF(x)",
    [FTL_UFUNC_LOG2] = "log2F(x)",
    [FTL_UFUNC_LOG10] = "log10F(x)",
    [FTL_UFUNC_EXP] = "expF(x)",
    [FTL_UFUNC_EXPM1] = "expm1F(x)",
    [FTL_UFUNC_EXP2] = "exp2F(x)",
    [FTL_UFUNC_SQRT] = "sqrtF(x)",
    [FTL_UFUNC_CBRT] = "cbrtF(x)",
    [FTL_UFUNC_SQUARE] = "x * x",
    [FTL_UFUNC_ABS] = "fabsF(x)",
    [FTL_UFUNC_NEGATIVE] = "-x",
    [FTL_UFUNC_RECIPROCAL] = "1 / x",
    [FTL_UFUNC_SIGN] = "x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x",
    [FTL_UFUNC_FLOOR] = "floorF(x)",
    [FTL_UFUNC_CEIL] = "ceilF(x)",
    [FTL_UFUNC_TRUNC] = "truncF(x)",
    [FTL_UFUNC_RINT] = "rintF(x)",
    [FTL_UFUNC_SIN] = "sinF(x)",
    [FTL_UFUNC_COS] = "cosF(x)",
    [FTL_UFUNC_TAN] = "tanF(x)",
    [FTL_UFUNC_ARCSIN] = "asinF(x)",
    [FTL_UFUNC_ARCCOS] = "acosF(x)",
    [FTL_UFUNC_ARCTAN] = "atanF(x)",
    [FTL_UFUNC_SINH] = "sinhF(x)",
    [FTL_UFUNC_COSH] = "coshF(x)",
    [FTL_UFUNC_TANH] = "tanhF(x)",
    [FTL_UFUNC_ARCSINH] = "asinhF(x)",
    [FTL_UFUNC_ARCCOSH] = "acoshF(x)",
    [FTL_UFUNC_ARCTANH] = "atanhF(x)",
    [FTL_UFUNC_DEG2RAD] = "x * (T)(3.14159265358979323846 / 180.0)",
    [FTL_UFUNC_RAD2DEG] = "x * (T)(180.0 / 3.14159265358979323846)",
    [FTL_UFUNC_ISNAN] = "x != x ? 1 : 0",
    [FTL_UFUNC_ISFINITE] = "isfinite(x) ? 1 : 0",
    [FTL_UFUNC_ISINF] = "isinf(x) ? 1 : 0"};

static void emit_ufunc(ftl_c_code *code, const char *text, bool narrow)
{
    for (; *text; text++) {
        if (*text == 'F')
            ftl_emit_text(code->out, narrow ? "f" : "");
        else if (*text == 'T')
            ftl_emit_text(code->out, narrow ? "float" : "double");
        else
            ftl_emit_bytes(code->out, text, 1);
    }
}

/* The loop over a matrix that is changed number by number: x is the number. */
static void begin_loop(ftl_c_code *code, uint32_t id, const char *type)
{
    ftl_emitf(code->out,
              "    int i;\n    for (i = 0; i < %u; i++) {\n        const %s x = v%u[i];\n",
              code->ops[id].width, type, ftl_c_source_slot(code, id));
}

static void write_ufunc(ftl_c_code *code, uint32_t id)
{
    begin_loop(code, id, ftl_c_real(code, id));
    ftl_emit_text(code->out, "        out[i] = ");
    emit_ufunc(code, ufuncs[ftl_c_op_at(code, id)->u.ufunc.function], code->ops[id].is_f32);
    ftl_emit_text(code->out, ";\n    }\n");
}

const ftl_c_writer ftl_c_ufunc = {.body = write_ufunc};

/* ---- POWER ----------------------------------------------------------------------------------- */

static void power_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    if (op->u.power.rule == FTL_POWER_BOX_COX)
        ftl_c_origins(code, id);
    ftl_c_array_f64(code, id, "lambdas", op->u.power.lambdas, op->width);
}

static const char box_cox[] =
    "        if (x == x)\n"
    "            y = fabs(lambda) < 1e-19 ? log(x) : expm1(lambda * log(x)) / lambda;\n";
static const char yeo_johnson[] =
    "        if (x >= 0)\n"
    "            y = fabs(lambda) < DBL_EPSILON ? log1p(x) : (pow(x + 1, lambda) - 1) / lambda;\n"
    "        else if (x == x) {\n"
    "            lambda = 2 - lambda;\n"
    "            y = fabs(lambda) > DBL_EPSILON ? -(pow(-x + 1, lambda) - 1) / lambda : "
    "-log1p(-x);\n"
    "        }\n";
static const char yeo_johnson_log[] =
    "        if (x >= 0)\n"
    "            y = fabs(lambda) < DBL_EPSILON ? log1p(x) : expm1(lambda * log1p(x)) / lambda;\n"
    "        else if (x == x) {\n"
    "            lambda = 2 - lambda;\n"
    "            y = fabs(lambda) > DBL_EPSILON ? -expm1(lambda * log1p(-x)) / lambda : "
    "-log1p(-x);\n"
    "        }\n";

static void write_power(ftl_c_code *code, uint32_t id)
{
    ftl_power rule = ftl_c_op_at(code, id)->u.power.rule;
    begin_loop(code, id, "double");
    ftl_emitf(code->out, "        double lambda = %s_op%u_lambdas[i], y = x;\n", code->prefix, id);
    if (rule == FTL_POWER_BOX_COX) {
        ftl_emit_text(code->out, "        if (x <= 0)\n            ");
        ftl_c_refuse_loop(code, id, FTL_C_REFUSED);
    }
    ftl_emit_text(code->out, rule == FTL_POWER_BOX_COX       ? box_cox
                             : rule == FTL_POWER_YEO_JOHNSON ? yeo_johnson
                                                             : yeo_johnson_log);
    ftl_emitf(code->out, "        out[i] = %sy;\n    }\n", code->ops[id].is_f32 ? "(float)" : "");
}

static ftl_status check_power(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    (void)error;
    code->ops[id].fails = ftl_c_op_at(code, id)->u.power.rule == FTL_POWER_BOX_COX;
    return FTL_OK;
}

const ftl_c_writer ftl_c_power = {
    .check = check_power, .tables = power_tables, .body = write_power, .fails = true};

/* ---- QUANTILES ------------------------------------------------------------------------------- */

static ftl_status check_quantiles(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    (void)error;
    code->uses |= FTL_C_RANKS;
    if (ftl_c_op_at(code, id)->u.quantiles.normal)
        code->uses |= FTL_C_NORMAL;
    return FTL_OK;
}

static void quantiles_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    size_t n = op->u.quantiles.n;
    ftl_c_array_f64(code, id, "quantiles", op->u.quantiles.quantiles, n * op->width);
    ftl_c_array_f64(code, id, "references", op->u.quantiles.references, n);
}

/* Where a rank lies in the results' distribution. */
static void emit_place(ftl_c_code *code, const ftl_quantiles_op *op)
{
    if (!op->margins)
        return;
    ftl_emit_text(code->out, "        const double low = 1e-7 - 0x1p-52, high = 1.0 - low;\n");
    if (op->normal)
        ftl_emitf(code->out,
                  "        const double first = %s_normal(low), last = %s_normal(high);\n"
                  "        p = p > 0 && p < 1 ? %s_normal(p) : p <= 0 ? first : last;\n"
                  "        p = p < first ? first : p > last ? last : p;\n",
                  code->prefix, code->prefix, code->prefix);
    else
        ftl_emit_text(code->out, "        p = p < low ? low : p > high ? high : p;\n");
}

static void write_quantiles(ftl_c_code *code, uint32_t id)
{
    const ftl_quantiles_op *op = &ftl_c_op_at(code, id)->u.quantiles;
    bool narrow = code->ops[id].is_f32;
    const char *p = code->prefix, *f = narrow ? "f" : "";
    begin_loop(code, id, ftl_c_real(code, id));
    ftl_emitf(code->out,
              "        const double *q = %s_op%u_quantiles + i * %u;\n        double p;\n", p, id,
              op->n);
    if (op->margins)
        ftl_emitf(code->out, "        const %s below = x - 1e-7%s, above = x + 1e-7%s;\n",
                  ftl_c_real(code, id), f, f);
    ftl_emitf(
        code->out,
        "        if (%s)\n            p = 0;\n        else if (%s q[%u])\n            p = 1;\n"
        "        else\n            p = 0.5 * (%s_rank_below(q, %s_op%u_references, %u, x) +\n"
        "                       %s_rank_above(q, %s_op%u_references, %u, x));\n",
        op->margins ? "below < q[0]" : "x == q[0]", op->margins ? "above >" : "x ==", op->n - 1, p,
        p, id, op->n, p, p, id, op->n);
    if (narrow)
        ftl_emit_text(code->out, "        p = (double)(float)p;\n");
    ftl_emit_text(code->out, "        if (x == x) {\n");
    emit_place(code, op);
    ftl_emitf(code->out, "        out[i] = %sp;\n        } else\n            out[i] = x;\n    }\n",
              narrow ? "(float)" : "");
}

const ftl_c_writer ftl_c_quantiles = {
    .check = check_quantiles, .tables = quantiles_tables, .body = write_quantiles};

/* ---- DOMAIN ---------------------------------------------------------------------------------- */

static void emit_bound(ftl_c_code *code, double value, bool narrow)
{
    ftl_emit_c_f64(code->out, narrow ? (double)(float)value : value);
}

/* What happens to a number by its rule; y is the result. */
static void emit_rule(ftl_c_code *code, ftl_domain_rule rule, double value, int64_t origin,
                      ftl_c_reason reason)
{
    if (rule == FTL_DOMAIN_REPLACED) {
        ftl_emit_text(code->out, "        y = ");
        ftl_emit_c_f64(code->out, value);
        ftl_emit_text(code->out, ";\n");
    } else if (rule == FTL_DOMAIN_REFUSED)
        ftl_emitf(
            code->out, "        return %s%d;\n",
            reason == FTL_C_MISSING ? "" : "x != x ? 1 : ", (int)reason + 8 * (int)(origin + 1));
    else
        ftl_emit_text(code->out, "        y = x;\n");
}

static void domain_column(ftl_c_code *code, uint32_t id, uint32_t j)
{
    const ftl_domain_column *column = &ftl_c_op_at(code, id)->u.domain.columns[j];
    bool narrow = code->ops[id].is_f32;
    int64_t origin = ftl_c_origin(code->graph, id, j);
    ftl_emitf(code->out, "    x = v%u[%u];\n    y = x;\n    if (", ftl_c_source_slot(code, id), j);
    ftl_emit_text(code->out, column->nan_is_missing ? "x != x" : "0");
    for (uint32_t i = 0; i < column->n_missing; i++) {
        if (isnan(column->missing[i]))
            continue;
        ftl_emit_text(code->out, " || x == ");
        emit_bound(code, column->missing[i], narrow);
    }
    ftl_emit_text(code->out, ") {\n");
    emit_rule(code, column->if_missing, column->missing_value, origin, FTL_C_MISSING);
    ftl_emit_text(code->out, "    } else if (!(x >= ");
    ftl_emit_c_f64(code->out, column->low);
    ftl_emit_text(code->out, " && x <= ");
    ftl_emit_c_f64(code->out, column->high);
    ftl_emit_text(code->out, ")) {\n");
    emit_rule(code, column->if_invalid, column->invalid_value, origin, FTL_C_REFUSED);
    ftl_emit_text(code->out, "    } else if (x < ");
    emit_bound(code, column->outlier_low, narrow);
    ftl_emit_text(code->out, ") {\n");
    emit_rule(code, column->if_low, column->low_value, origin, FTL_C_REFUSED);
    ftl_emit_text(code->out, "    } else if (x > ");
    emit_bound(code, column->outlier_high, narrow);
    ftl_emit_text(code->out, ") {\n");
    emit_rule(code, column->if_high, column->high_value, origin, FTL_C_REFUSED);
    ftl_emitf(code->out, "    }\n    out[%u] = %sy;\n", j, narrow ? "(float)" : "");
}

static void write_domain(ftl_c_code *code, uint32_t id)
{
    ftl_emit_text(code->out, "    double x, y;\n");
    for (uint32_t j = 0; j < code->ops[id].width; j++)
        domain_column(code, id, j);
}

const ftl_c_writer ftl_c_domain = {.body = write_domain, .fails = true};

/* ---- INTERPOLATE ----------------------------------------------------------------------------- */

static ftl_status check_interpolate(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool refuses = false;
    for (uint32_t i = 0; i < op->width; i++)
        refuses = refuses || op->u.interpolate.curves[i].outside == FTL_OUTSIDE_REFUSED;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (ftl_c_is_cell(code, op->segments[s].op))
            return ftl_c_unsupported(op, "a curve over texts", error);
    }
    code->ops[id].fails = refuses;
    code->uses |= op->u.interpolate.single ? FTL_C_LINE_F32 : FTL_C_LINE_F64;
    return FTL_OK;
}

static void interpolate_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    char name[24];
    for (uint32_t i = 0; i < op->width; i++) {
        const ftl_curve *curve = &op->u.interpolate.curves[i];
        if (curve->n < 2)
            continue;
        snprintf(name, sizeof name, "x%u", i);
        ftl_c_array_f64(code, id, name, curve->x, curve->n);
        snprintf(name, sizeof name, "y%u", i);
        ftl_c_array_f64(code, id, name, curve->y, curve->n);
    }
}

static void curve_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_curve *curve = &op->u.interpolate.curves[i];
    bool single = op->u.interpolate.single;
    const char *p = code->prefix;
    ftl_emit_text(code->out, "    x = ");
    ftl_c_number(code, from, column, single);
    ftl_emit_text(code->out, ";\n    y = ");
    if (curve->n == 1) {
        ftl_emit_c_f64(code->out, curve->y[0]);
        ftl_emit_text(code->out, ";\n");
    } else {
        ftl_emit_text(code->out, "x;\n    if (x == x) {\n");
        if (curve->outside == FTL_OUTSIDE_CLIP) {
            ftl_emit_text(code->out, "        x = x < ");
            ftl_emit_c_f64(code->out, curve->low);
            ftl_emit_text(code->out, " ? ");
            ftl_emit_c_f64(code->out, curve->low);
            ftl_emit_text(code->out, " : x;\n        x = x > ");
            ftl_emit_c_f64(code->out, curve->high);
            ftl_emit_text(code->out, " ? ");
            ftl_emit_c_f64(code->out, curve->high);
            ftl_emit_text(code->out, " : x;\n");
        }
        ftl_emitf(code->out,
                  "        y = NAN;\n        if (x >= %s_op%u_x%u[0] && x <= %s_op%u_x%u[%u])\n"
                  "            y = %s_line%s(%s_op%u_x%u, %s_op%u_y%u, %u, %sx);\n",
                  p, id, i, p, id, i, curve->n - 1, p, single ? "f" : "", p, id, i, p, id, i,
                  curve->n, single ? "(float)" : "");
        if (curve->outside == FTL_OUTSIDE_REFUSED) {
            ftl_emit_text(code->out, "        else\n        ");
            ftl_c_refuse(code, from, column, FTL_C_REFUSED);
        }
        ftl_emit_text(code->out, "    }\n");
    }
    ftl_emitf(code->out, "    out[%u] = %sy;\n", i, code->ops[id].is_f32 ? "(float)" : "");
}

static void write_interpolate(ftl_c_code *code, uint32_t id)
{
    ftl_emit_text(code->out, "    double x, y;\n");
    ftl_c_each_source(code, id, curve_column);
    ftl_emit_text(code->out, "    (void)x;\n");
}

const ftl_c_writer ftl_c_interpolate = {.check = check_interpolate,
                                        .tables = interpolate_tables,
                                        .body = write_interpolate,
                                        .fails = true};
