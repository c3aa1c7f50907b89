/*
 * exp, tanh and the logistic function 1 / (1 + exp(-x)) of arrays, in float64 and float32, for what
 * numpy computes with functions of its own too: activations and links, whose agreement is by
 * tolerance. Where a library calls the C library's functions and agreement is bit for bit, so do
 * we.
 *
 * Method: x = n ln 2 + r with |r| <= ln 2 / 2 and ln 2 in two parts, the first short enough that
 * its multiples are exact (Cody and Waite); exp(r) - 1 = r + r² P(r), P the near-minimax polynomial
 * (Chebyshev's points) of (exp(r) - 1 - r) / r²; times 2^n in two steps, so that what is smaller
 * than the normal numbers is rounded once. tanh x = e / (e + 2), e = exp(2|x|) - 1 put together
 * from the same parts without cancellation.
 *
 * Errors, in units in the last place: exp 1, tanh 2.5, logistic 2.5. exp(0) is 1, tanh keeps the
 * sign of zero; infinities and overflow give the limits, NaN gives NaN. A number's result does not
 * depend on its place, the length, or the instruction set: nothing is fused, a tail is padded to a
 * vector.
 */
#ifndef FTL_KERNELS_VMATH_H
#define FTL_KERNELS_VMATH_H

#include <stddef.h>

/* out[i] = f(x[i]), i < n; out may be x. */
typedef void ftl_vmath_f64_fn(size_t n, const double *x, double *out);
typedef void ftl_vmath_f32_fn(size_t n, const float *x, float *out);

typedef struct ftl_vmath_kernels {
    ftl_vmath_f64_fn *exp_f64, *tanh_f64, *logistic_f64;
    ftl_vmath_f32_fn *exp_f32, *tanh_f32, *logistic_f32;
} ftl_vmath_kernels;

#define FTL_VMATH_DECLARE(isa)                                                         \
    ftl_vmath_f64_fn ftl_vexp_f64_##isa, ftl_vtanh_f64_##isa, ftl_vlogistic_f64_##isa; \
    ftl_vmath_f32_fn ftl_vexp_f32_##isa, ftl_vtanh_f32_##isa, ftl_vlogistic_f32_##isa
FTL_VMATH_DECLARE(portable);
FTL_VMATH_DECLARE(avx2);
FTL_VMATH_DECLARE(avx512);

#define FTL_VMATH_KERNELS(isa)                \
    {.exp_f64 = ftl_vexp_f64_##isa,           \
     .tanh_f64 = ftl_vtanh_f64_##isa,         \
     .logistic_f64 = ftl_vlogistic_f64_##isa, \
     .exp_f32 = ftl_vexp_f32_##isa,           \
     .tanh_f32 = ftl_vtanh_f32_##isa,         \
     .logistic_f32 = ftl_vlogistic_f32_##isa}

#endif
