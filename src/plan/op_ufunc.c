/*
 * numpy functions of one argument. float32 edges compute with the C library's float forms, as numpy
 * does.
 */
#include "plan/sparse.h"

#include <math.h>

static double square_f64(double x) { return x * x; }
static double negative_f64(double x) { return -x; }
static double reciprocal_f64(double x) { return 1.0 / x; }
static double sign_f64(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x; }
static double deg2rad_f64(double x) { return x * (3.14159265358979323846 / 180.0); }
static double rad2deg_f64(double x) { return x * (180.0 / 3.14159265358979323846); }
static double isnan_f64(double x) { return isnan(x) ? 1.0 : 0.0; }
static double isfinite_f64(double x) { return isfinite(x) ? 1.0 : 0.0; }
static double isinf_f64(double x) { return isinf(x) ? 1.0 : 0.0; }
static float square_f32(float x) { return x * x; }
static float negative_f32(float x) { return -x; }
static float reciprocal_f32(float x) { return 1.0f / x; }
static float sign_f32(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x == 0 ? 0.0f : x; }
static float deg2rad_f32(float x) { return x * (float)(3.14159265358979323846 / 180.0); }
static float rad2deg_f32(float x) { return x * (float)(180.0 / 3.14159265358979323846); }
static float isnan_f32(float x) { return isnan(x) ? 1.0f : 0.0f; }
static float isfinite_f32(float x) { return isfinite(x) ? 1.0f : 0.0f; }
static float isinf_f32(float x) { return isinf(x) ? 1.0f : 0.0f; }

static const struct {
    double (*f64)(double);
    float (*f32)(float);
} functions[FTL_UFUNC_COUNT] = {
    [FTL_UFUNC_LOG] = {log, logf},
    [FTL_UFUNC_LOG1P] = {log1p, log1pf},
    [FTL_UFUNC_LOG2] = {log2, log2f},
    [FTL_UFUNC_LOG10] = {log10, log10f},
    [FTL_UFUNC_EXP] = {exp, expf},
    [FTL_UFUNC_EXPM1] = {expm1, expm1f},
    [FTL_UFUNC_EXP2] = {exp2, exp2f},
    [FTL_UFUNC_SQRT] = {sqrt, sqrtf},
    [FTL_UFUNC_CBRT] = {cbrt, cbrtf},
    [FTL_UFUNC_SQUARE] = {square_f64, square_f32},
    [FTL_UFUNC_ABS] = {fabs, fabsf},
    [FTL_UFUNC_NEGATIVE] = {negative_f64, negative_f32},
    [FTL_UFUNC_RECIPROCAL] = {reciprocal_f64, reciprocal_f32},
    [FTL_UFUNC_SIGN] = {sign_f64, sign_f32},
    [FTL_UFUNC_FLOOR] = {floor, floorf},
    [FTL_UFUNC_CEIL] = {ceil, ceilf},
    [FTL_UFUNC_TRUNC] = {trunc, truncf},
    [FTL_UFUNC_RINT] = {rint, rintf},
    [FTL_UFUNC_SIN] = {sin, sinf},
    [FTL_UFUNC_COS] = {cos, cosf},
    [FTL_UFUNC_TAN] = {tan, tanf},
    [FTL_UFUNC_ARCSIN] = {asin, asinf},
    [FTL_UFUNC_ARCCOS] = {acos, acosf},
    [FTL_UFUNC_ARCTAN] = {atan, atanf},
    [FTL_UFUNC_SINH] = {sinh, sinhf},
    [FTL_UFUNC_COSH] = {cosh, coshf},
    [FTL_UFUNC_TANH] = {tanh, tanhf},
    [FTL_UFUNC_ARCSINH] = {asinh, asinhf},
    [FTL_UFUNC_ARCCOSH] = {acosh, acoshf},
    [FTL_UFUNC_ARCTANH] = {atanh, atanhf},
    [FTL_UFUNC_DEG2RAD] = {deg2rad_f64, deg2rad_f32},
    [FTL_UFUNC_RAD2DEG] = {rad2deg_f64, rad2deg_f32},
    [FTL_UFUNC_ISNAN] = {isnan_f64, isnan_f32},
    [FTL_UFUNC_ISFINITE] = {isfinite_f64, isfinite_f32},
    [FTL_UFUNC_ISINF] = {isinf_f64, isinf_f32},
};

static void run(const ftl_step *step, ftl_exec *exec)
{
    bool is_f32;
    const void *data = ftl_matrix_source(step, exec, &is_f32);
    size_t n = (size_t)exec->rows * step->slot_width;
    if (is_f32) {
        float (*function)(float) = functions[step->op->u.ufunc.function].f32;
        float *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = function(((const float *)data)[i]);
    } else {
        double (*function)(double) = functions[step->op->u.ufunc.function].f64;
        double *out = ftl_slot(step, exec);
        for (size_t i = 0; i < n; i++)
            out[i] = function(((const double *)data)[i]);
    }
}

static void run_sparse(const ftl_step *step, ftl_exec *exec)
{
    if (!ftl_sparse_copy(step, exec, ftl_sparse_source(step, exec, 0)))
        return;
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    const ftl_ufunc function = step->op->u.ufunc.function;
    for (uint32_t k = 0; k < out->start[exec->rows]; k++)
        out->values[k] = step->is_f32 ? (double)functions[function].f32((float)out->values[k])
                                      : functions[function].f64(out->values[k]);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    out->run = step->op->edge == FTL_EDGE_SPARSE ? run_sparse : run;
}

const ftl_op_impl ftl_op_impl_ufunc = {.name = "ufunc", .bind = bind};
