#include <immintrin.h>

#define TREES_NAME(name) name##_avx512
#define CUT_OWN_CODES
#include "kernels/trees_body.h"
#include "kernels/trees_masks_body.h"

/*
 * Codes: all rows of a block go down the search together. The first eight levels of float32 edges,
 * seven of float64 ones, are looked up in registers; only deeper ones are gathered.
 */

#define CODES_INLINE static inline __attribute__((always_inline))
enum { f32_groups = FTL_TREE_CODE_ROWS / 16, f64_groups = 4 /* at a time */ };

CODES_INLINE __m512i below_f32(__m512i at, __m512 edge, __m512 x)
{
    __m512i one = _mm512_set1_epi32(1);
    __mmask16 right = _mm512_cmp_ps_mask(edge, x, _CMP_LT_OQ);
    at = _mm512_add_epi32(_mm512_add_epi32(at, at), one);
    return _mm512_mask_add_epi32(at, right, at, one);
}

CODES_INLINE __m512i below_f64(__m512i at, __m512d edge, __m512d x)
{
    __m512i one = _mm512_set1_epi64(1);
    __mmask8 right = _mm512_cmp_pd_mask(edge, x, _CMP_LT_OQ);
    at = _mm512_add_epi64(_mm512_add_epi64(at, at), one);
    return _mm512_mask_add_epi64(at, right, at, one);
}

/* The number within a level, which has 2^level nodes from 2^level - 1 on: the low bits. */
CODES_INLINE __m512i within_f32(__m512i at) { return _mm512_add_epi32(at, _mm512_set1_epi32(1)); }
CODES_INLINE __m512i within_f64(__m512i at) { return _mm512_add_epi64(at, _mm512_set1_epi64(1)); }

/* A level of 2 * pairs registers, each pair looked up by as many bits as it has numbers. */
CODES_INLINE __m512 look_up_f32(const float *level, int pairs, __m512i number)
{
    __m512 found[4];
    for (int i = 0; i < pairs; i++)
        found[i] = _mm512_permutex2var_ps(_mm512_loadu_ps(level + 32 * i), number,
                                          _mm512_loadu_ps(level + 32 * i + 16));
    for (int n = pairs, bit = 32; n > 1; n /= 2, bit *= 2) {
        __mmask16 high = _mm512_test_epi32_mask(number, _mm512_set1_epi32(bit));
        for (int i = 0; i < n / 2; i++)
            found[i] = _mm512_mask_blend_ps(high, found[2 * i], found[2 * i + 1]);
    }
    return found[0];
}

CODES_INLINE __m512d look_up_f64(const double *level, int pairs, __m512i number)
{
    __m512d found[4];
    for (int i = 0; i < pairs; i++)
        found[i] = _mm512_permutex2var_pd(_mm512_loadu_pd(level + 16 * i), number,
                                          _mm512_loadu_pd(level + 16 * i + 8));
    for (int n = pairs, bit = 16; n > 1; n /= 2, bit *= 2) {
        __mmask8 high = _mm512_test_epi64_mask(number, _mm512_set1_epi64(bit));
        for (int i = 0; i < n / 2; i++)
            found[i] = _mm512_mask_blend_pd(high, found[2 * i], found[2 * i + 1]);
    }
    return found[0];
}

#define CODES_LEVEL(type, groups, edge)                            \
    do {                                                           \
        _Pragma("GCC unroll 4") for (int i = 0; i < (groups); i++) \
            at[i] = below_##type(at[i], (edge), x[i]);             \
    } while (0)

CODES_INLINE void search_f32(const float *edges, uint32_t steps, const __m512 *x, __m512i *at)
{
    __m512 first = _mm512_loadu_ps(edges);
    for (uint32_t step = 0; step < steps && step < 4; step++)
        CODES_LEVEL(f32, f32_groups, _mm512_permutexvar_ps(at[i], first));
    if (steps > 4) {
        __m512 level = _mm512_loadu_ps(edges + 15);
        CODES_LEVEL(f32, f32_groups, _mm512_permutexvar_ps(within_f32(at[i]), level));
    }
    if (steps > 5)
        CODES_LEVEL(f32, f32_groups, look_up_f32(edges + 31, 1, within_f32(at[i])));
    if (steps > 6)
        CODES_LEVEL(f32, f32_groups, look_up_f32(edges + 63, 2, within_f32(at[i])));
    if (steps > 7)
        CODES_LEVEL(f32, f32_groups, look_up_f32(edges + 127, 4, within_f32(at[i])));
    for (uint32_t step = 8; step < steps; step++)
        CODES_LEVEL(f32, f32_groups, _mm512_i32gather_ps(at[i], edges, 4));
}

CODES_INLINE void search_f64(const double *edges, uint32_t steps, const __m512d *x, __m512i *at)
{
    __m512d first = _mm512_loadu_pd(edges);
    for (uint32_t step = 0; step < steps && step < 3; step++)
        CODES_LEVEL(f64, f64_groups, _mm512_permutexvar_pd(at[i], first));
    if (steps > 3) {
        __m512d level = _mm512_loadu_pd(edges + 7);
        CODES_LEVEL(f64, f64_groups, _mm512_permutexvar_pd(within_f64(at[i]), level));
    }
    if (steps > 4)
        CODES_LEVEL(f64, f64_groups, look_up_f64(edges + 15, 1, within_f64(at[i])));
    if (steps > 5)
        CODES_LEVEL(f64, f64_groups, look_up_f64(edges + 31, 2, within_f64(at[i])));
    if (steps > 6)
        CODES_LEVEL(f64, f64_groups, look_up_f64(edges + 63, 4, within_f64(at[i])));
    for (uint32_t step = 7; step < steps; step++)
        CODES_LEVEL(f64, f64_groups, _mm512_i64gather_pd(at[i], edges, 8));
}

/* value: a whole block. code: 32 bits each, as they are stored but for their width. */
CODES_INLINE bool codes_f32(const float *value, const float *edges, uint32_t steps, double zero,
                            uint32_t missing, uint32_t lowest, __m512i *code)
{
    __m512 x[f32_groups], limit = _mm512_set1_ps((float)zero);
    __m512i at[f32_groups], first = _mm512_set1_epi32((1 << steps) - 1);
    unsigned any = 0;
    for (int i = 0; i < f32_groups; i++) {
        x[i] = _mm512_loadu_ps(value + 16 * i);
        at[i] = _mm512_setzero_si512();
    }
    search_f32(edges, steps, x, at);
    for (int i = 0; i < f32_groups; i++) {
        __mmask16 gone = _mm512_cmp_ps_mask(x[i], x[i], _CMP_UNORD_Q) |
                         _mm512_cmp_ps_mask(_mm512_abs_ps(x[i]), limit, _CMP_LE_OQ);
        code[i] = _mm512_mask_blend_epi32(gone, _mm512_sub_epi32(at[i], first),
                                          _mm512_set1_epi32((int)missing));
        code[i] = _mm512_add_epi32(code[i], _mm512_set1_epi32((int)lowest));
        any |= gone;
    }
    return any != 0;
}

CODES_INLINE bool codes_f64(const double *value, const double *edges, uint32_t steps, double zero,
                            uint32_t missing, uint32_t lowest, __m512i *code)
{
    __m512d x[f64_groups], limit = _mm512_set1_pd(zero);
    __m512i at[f64_groups], first = _mm512_set1_epi64((1 << steps) - 1);
    unsigned any = 0;
    for (int i = 0; i < f64_groups; i++) {
        x[i] = _mm512_loadu_pd(value + 8 * i);
        at[i] = _mm512_setzero_si512();
    }
    search_f64(edges, steps, x, at);
    for (int i = 0; i < f64_groups; i++) {
        __mmask8 gone = _mm512_cmp_pd_mask(x[i], x[i], _CMP_UNORD_Q) |
                        _mm512_cmp_pd_mask(_mm512_abs_pd(x[i]), limit, _CMP_LE_OQ);
        code[i] = _mm512_mask_blend_epi64(gone, _mm512_sub_epi64(at[i], first),
                                          _mm512_set1_epi64(missing));
        code[i] = _mm512_add_epi64(code[i], _mm512_set1_epi64(lowest));
        any |= gone;
    }
    return any != 0;
}

/* A column's rows side by side, zeros behind them. */
#define CODES_COLUMN(type)              \
    type value[FTL_TREE_CODE_ROWS];     \
    if (rows < FTL_TREE_CODE_ROWS)      \
        memset(value, 0, sizeof value); \
    for (uint32_t r = 0; r < rows; r++) \
        value[r] = x[r * stride];

#define CODES(bits, out_type, lowest)                                                            \
    bool ftl_tree_code##bits##_f32_avx512(const float *x, size_t stride, uint32_t rows,          \
                                          const float *edges, uint32_t steps, double zero,       \
                                          uint32_t missing, void *codes)                         \
    {                                                                                            \
        __m512i code[f32_groups];                                                                \
        out_type *out = codes;                                                                   \
        CODES_COLUMN(float)                                                                      \
        bool any = codes_f32(value, edges, steps, zero, missing, lowest, code);                  \
        for (int i = 0; i < f32_groups; i++)                                                     \
            _mm512_mask_cvtepi32_storeu_epi##bits(out + 16 * i, 0xffff, code[i]);                \
        return any;                                                                              \
    }                                                                                            \
    bool ftl_tree_code##bits##_f64_avx512(const double *x, size_t stride, uint32_t rows,         \
                                          const double *edges, uint32_t steps, double zero,      \
                                          uint32_t missing, void *codes)                         \
    {                                                                                            \
        __m512i code[f64_groups];                                                                \
        out_type *out = codes;                                                                   \
        bool any = false;                                                                        \
        CODES_COLUMN(double)                                                                     \
        for (uint32_t r = 0; r < FTL_TREE_CODE_ROWS; r += 8 * f64_groups) {                      \
            any |= codes_f64(value + r, edges, steps, zero, missing, lowest, code);              \
            for (int i = 0; i < f64_groups; i++)                                                 \
                _mm512_mask_cvtepi64_storeu_epi##bits(out + r + 8 * (uint32_t)i, 0xff, code[i]); \
        }                                                                                        \
        return any;                                                                              \
    }
CODES(8, uint8_t, 0x80)
CODES(16, uint16_t, 0)
