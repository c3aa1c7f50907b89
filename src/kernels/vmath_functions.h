/* The functions of one float type; vmath_body.h defines the names and includes this twice. */

/* b where mask is set, else a: bits of b where a comparison held. */
VMATH_INLINE VMATH_V VMATH(choose)(VMATH_BITS mask, VMATH_V a, VMATH_V b)
{
    return (VMATH_V)((mask & (VMATH_BITS)b) | (~mask & (VMATH_BITS)a));
}

VMATH_INLINE VMATH_V VMATH(at_most)(VMATH_V x, VMATH_T limit)
{
    return VMATH(choose)((VMATH_BITS)(x > limit), x, (VMATH_V){0} + limit);
}

VMATH_INLINE VMATH_V VMATH(at_least)(VMATH_V x, VMATH_T limit)
{
    return VMATH(choose)((VMATH_BITS)(x < limit), x, (VMATH_V){0} + limit);
}

/*
 * x = n ln 2 + r. Adding 1.5 × 2^mantissa rounds to whole numbers and leaves them in the lowest
 * bits; 2 VMATH_HALF more makes them positive: *bits ends in n + 2 VMATH_HALF.
 */
VMATH_INLINE VMATH_V VMATH(reduce)(VMATH_V x, VMATH_BITS *bits)
{
    VMATH_V sum = x * VMATH_LOG2_E + (VMATH_ROUND + 2 * VMATH_HALF);
    VMATH_V n = sum - (VMATH_ROUND + 2 * VMATH_HALF);
    *bits = (VMATH_BITS)sum;
    return (x - n * VMATH_LN2_HIGH) - n * VMATH_LN2_LOW;
}

/* The power of two with this exponent; shifting drops whatever lies above the lowest bits. */
VMATH_INLINE VMATH_V VMATH(power)(VMATH_BITS exponent)
{
    return (VMATH_V)((exponent + VMATH_BIAS) << VMATH_MANTISSA);
}

VMATH_INLINE VMATH_V VMATH(exp_of)(VMATH_V x)
{
    VMATH_BITS bits;
    VMATH_V limited = VMATH(at_least)(VMATH(at_most)(x, VMATH_EXP_MOST), VMATH_EXP_LEAST);
    VMATH_V r = VMATH(reduce)(limited, &bits);
    VMATH_V value = 1 + (r + r * r * VMATH(polynomial)(r));
    VMATH_BITS half = bits >> 1;
    return value * VMATH(power)(half - VMATH_HALF) * VMATH(power)(bits - half - VMATH_HALF);
}

VMATH_INLINE VMATH_V VMATH(logistic_of)(VMATH_V x) { return 1 / (1 + VMATH(exp_of)(-x)); }

VMATH_INLINE VMATH_V VMATH(tanh_of)(VMATH_V x)
{
    VMATH_BITS bits, sign = (VMATH_BITS){0} + VMATH_SIGN;
    sign &= (VMATH_BITS)x;
    VMATH_V size = (VMATH_V)((VMATH_BITS)x ^ sign);
    VMATH_V limited = VMATH(at_most)(size, VMATH_TANH_MOST);
    VMATH_V r = VMATH(reduce)(limited + limited, &bits);
    VMATH_V scale = VMATH(power)(bits - 2 * VMATH_HALF);
    VMATH_V e = (scale * r + (scale - 1)) + scale * (r * r * VMATH(polynomial)(r));
    return (VMATH_V)((VMATH_BITS)(e / (e + 2)) | sign);
}

#define VMATH_LOOP(name, function)                          \
    void name(size_t n, const VMATH_T *x, VMATH_T *out)     \
    {                                                       \
        enum { lanes = sizeof(VMATH_V) / sizeof(VMATH_T) }; \
        VMATH_V v;                                          \
        size_t i = 0;                                       \
        for (; i + lanes <= n; i += lanes) {                \
            memcpy(&v, x + i, sizeof v);                    \
            v = function(v);                                \
            memcpy(out + i, &v, sizeof v);                  \
        }                                                   \
        if (i == n)                                         \
            return;                                         \
        v = (VMATH_V){0};                                   \
        memcpy(&v, x + i, (n - i) * sizeof *x);             \
        v = function(v);                                    \
        memcpy(out + i, &v, (n - i) * sizeof *x);           \
    }

VMATH_LOOP(VMATH(vexp), VMATH(exp_of))
VMATH_LOOP(VMATH(vtanh), VMATH(tanh_of))
VMATH_LOOP(VMATH(vlogistic), VMATH(logistic_of))

#undef VMATH_LOOP
#undef VMATH
#undef VMATH_T
#undef VMATH_V
#undef VMATH_BITS
#undef VMATH_MANTISSA
#undef VMATH_SIGN
#undef VMATH_BIAS
#undef VMATH_HALF
#undef VMATH_ROUND
#undef VMATH_LOG2_E
#undef VMATH_LN2_HIGH
#undef VMATH_LN2_LOW
#undef VMATH_EXP_LEAST
#undef VMATH_EXP_MOST
#undef VMATH_TANH_MOST
