/*
 * The vmath kernels, included once per instruction set with VMATH_NAME(name) and VMATH_BYTES, the
 * size of a register, defined. The arithmetic of a number is the same in vectors of any size.
 */
#include "kernels/vmath.h"

#include <stdint.h>
#include <string.h>

#define VMATH_INLINE static inline __attribute__((always_inline))

/* P of float64: |error| <= 1.5e-18 where it is used. */
#define VMATH(name) VMATH_NAME(name##_f64)
#define VMATH_T double
#define VMATH_V vmath_f64
#define VMATH_BITS vmath_u64
#define VMATH_MANTISSA 52
#define VMATH_SIGN (UINT64_C(1) << 63)
#define VMATH_BIAS 1023
#define VMATH_HALF 1024
#define VMATH_ROUND 0x1.8p52
#define VMATH_LOG2_E 0x1.71547652b82fep+0
#define VMATH_LN2_HIGH 0x1.62e42fefa3800p-1 /* 42 bits: |n| < 2^11 */
#define VMATH_LN2_LOW 0x1.ef35793c76730p-45
#define VMATH_EXP_LEAST -746.0 /* rounds to 0 */
#define VMATH_EXP_MOST 710.0   /* overflows */
#define VMATH_TANH_MOST 20.0   /* tanh rounds to 1 */
typedef double vmath_f64 __attribute__((vector_size(VMATH_BYTES)));
typedef uint64_t vmath_u64 __attribute__((vector_size(VMATH_BYTES)));
VMATH_INLINE vmath_f64 VMATH(polynomial)(vmath_f64 r)
{
    vmath_f64 r2 = r * r, r4 = r2 * r2;
    vmath_f64 low = (0.5 + 0x1.5555555555557p-3 * r) +
                    (0x1.5555555555556p-5 + 0x1.11111111100bep-7 * r) * r2;
    vmath_f64 middle = (0x1.6c16c16c162c3p-10 + 0x1.a01a01abf7ed6p-13 * r) +
                       (0x1.a01a01a6e1a43p-16 + 0x1.71de01ff19a6bp-19 * r) * r2;
    vmath_f64 high = (0x1.27e4db47938d1p-22 + 0x1.af4e5274a366cp-26 * r) +
                     0x1.1f733f411b727p-29 * r2;
    return low + (middle + high * r4) * r4;
}
#include "kernels/vmath_functions.h"

/* P of float32: |error| <= 1.5e-9. */
#define VMATH(name) VMATH_NAME(name##_f32)
#define VMATH_T float
#define VMATH_V vmath_f32
#define VMATH_BITS vmath_u32
#define VMATH_MANTISSA 23
#define VMATH_SIGN (UINT32_C(1) << 31)
#define VMATH_BIAS 127
#define VMATH_HALF 256
#define VMATH_ROUND 0x1.8p23f
#define VMATH_LOG2_E 0x1.715476p+0f
#define VMATH_LN2_HIGH 0x1.62e4p-1f /* 16 bits: |n| < 2^8 */
#define VMATH_LN2_LOW 0x1.7f7d1cp-20f
#define VMATH_EXP_LEAST -104.0f
#define VMATH_EXP_MOST 89.0f
#define VMATH_TANH_MOST 10.0f
typedef float vmath_f32 __attribute__((vector_size(VMATH_BYTES)));
typedef uint32_t vmath_u32 __attribute__((vector_size(VMATH_BYTES)));
VMATH_INLINE vmath_f32 VMATH(polynomial)(vmath_f32 r)
{
    vmath_f32 r2 = r * r;
    vmath_f32 low = 0.5f + 0x1.555556p-3f * r;
    vmath_f32 middle = 0x1.5554e8p-5f + 0x1.1110ep-7f * r;
    vmath_f32 high = 0x1.6d43acp-10f + 0x1.a1256ap-13f * r;
    return low + (middle + high * r2) * r2;
}
#include "kernels/vmath_functions.h"
