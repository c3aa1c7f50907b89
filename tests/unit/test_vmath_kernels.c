/* exp, tanh and the logistic function of arrays: the errors that vmath.h promises, the limits, and
 * the same bits on every instruction set and at every place. */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BATCH = 1024, FUNCTIONS = 3 };

static double next_unit(void) { return (double)(random_bits() >> 11) * 0x1p-53; }

static long double logistic(long double x) { return 1 / (1 + expl(-x)); }

static const struct {
    const char *name;
    long double (*reference)(long double);
    double ulps;
    double from, to; /* where it is tried most densely; the last is beyond float32's */
} functions[FUNCTIONS] = {
    {"exp", expl, 1.0, -760, 720},
    {"tanh", tanhl, 2.5, -24, 24},
    {"logistic", logistic, 2.5, -720, 60},
};

static void run_f64(uint32_t cpu, size_t f, size_t n, const double *x, double *out)
{
    const ftl_vmath_kernels *k = &ftl_kernels_for(cpu)->vmath;
    (f == 0 ? k->exp_f64 : f == 1 ? k->tanh_f64 : k->logistic_f64)(n, x, out);
}

static void run_f32(uint32_t cpu, size_t f, size_t n, const float *x, float *out)
{
    const ftl_vmath_kernels *k = &ftl_kernels_for(cpu)->vmath;
    (f == 0 ? k->exp_f32 : f == 1 ? k->tanh_f32 : k->logistic_f32)(n, x, out);
}

/* ---- The same bits everywhere ---------------------------------------------------------------- */

static const uint32_t sets[] = {FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};

/* Bits, but any NaN is as good as another. */
static void assert_same_f64(size_t n, const double *a, const double *b)
{
    for (size_t i = 0; i < n; i++)
        assert_true(isnan(a[i]) ? isnan(b[i]) : memcmp(a + i, b + i, sizeof *a) == 0);
}

static void assert_same_f32(size_t n, const float *a, const float *b)
{
    for (size_t i = 0; i < n; i++)
        assert_true(isnan(a[i]) ? isnan(b[i]) : memcmp(a + i, b + i, sizeof *a) == 0);
}

static void same_elsewhere_f64(size_t f, size_t n, const double *x, const double *expected)
{
    double got[BATCH];
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if ((ftl_cpu_flags() & sets[s]) != sets[s])
            continue;
        memcpy(got, x, n * sizeof *x);
        run_f64(sets[s], f, n, got, got);
        assert_same_f64(n, expected, got);
    }
}

static void same_elsewhere_f32(size_t f, size_t n, const float *x, const float *expected)
{
    float got[BATCH];
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if ((ftl_cpu_flags() & sets[s]) != sets[s])
            continue;
        memcpy(got, x, n * sizeof *x);
        run_f32(sets[s], f, n, got, got);
        assert_same_f32(n, expected, got);
    }
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Distance from the true value in units of its last place, subnormal places included. */
static double ulps_off(long double got, long double truth, int digits, int least)
{
    int exponent;
    frexpl(truth, &exponent);
    exponent = exponent - digits < least ? least : exponent - digits;
    return (double)fabsl(ldexpl(got - truth, -exponent));
}

static void errors_f64(size_t f, size_t n, const double *x)
{
    double got[BATCH];
    run_f64(0, f, n, x, got);
    same_elsewhere_f64(f, n, x, got);
    for (size_t i = 0; i < n; i++) {
        long double truth = functions[f].reference((long double)x[i]);
        if (isnan(x[i]))
            assert_true(isnan(got[i]));
        else if ((double)truth == INFINITY)
            assert_true(got[i] == INFINITY);
        else if (f == 2 && x[i] < -709.78) /* its exp overflows */
            assert_true(got[i] >= 0 && got[i] < 1e-308);
        else if (!(ulps_off((long double)got[i], truth, DBL_MANT_DIG, -1074) <= functions[f].ulps))
            fail_msg("%s(%a) = %a, %.2f ulp off", functions[f].name, x[i], got[i],
                     ulps_off((long double)got[i], truth, DBL_MANT_DIG, -1074));
    }
}

static void errors_f32(size_t f, size_t n, const float *x)
{
    float got[BATCH];
    run_f32(0, f, n, x, got);
    same_elsewhere_f32(f, n, x, got);
    for (size_t i = 0; i < n; i++) {
        long double truth = functions[f].reference((long double)x[i]);
        if (isnan(x[i]))
            assert_true(isnan(got[i]));
        else if ((float)truth == INFINITY)
            assert_true(got[i] == INFINITY);
        else if (f == 2 && x[i] < -88.72f)
            assert_true(got[i] >= 0 && got[i] < 1.2e-38f);
        else if (!(ulps_off((long double)got[i], truth, FLT_MANT_DIG, -149) <= functions[f].ulps))
            fail_msg("%sf(%a) = %a, %.2f ulp off", functions[f].name, (double)x[i], (double)got[i],
                     ulps_off((long double)got[i], truth, FLT_MANT_DIG, -149));
    }
}

/* Evenly over the range, near zero on all scales, and any bits at all. */
static void errors_are_small(void **state)
{
    (void)state;
    double x[BATCH];
    float narrow[BATCH];
    for (size_t round = 0; round < 300; round++) {
        size_t f = round % FUNCTIONS;
        double from = functions[f].from, width = functions[f].to - from;
        for (size_t i = 0; i < BATCH; i++) {
            uint64_t bits = random_bits();
            uint32_t low = (uint32_t)random_bits();
            double even = from + width * next_unit(), centre = 8 * next_unit() - 4;
            double scaled = ldexp(next_unit() - 0.5, (int)(random_bits() % 70) - 60);
            memcpy(&x[i], &bits, sizeof bits);
            memcpy(&narrow[i], &low, sizeof low);
            size_t kind = i % 4;
            x[i] = kind == 0 ? even : kind == 1 ? centre : kind == 2 ? scaled : x[i];
            narrow[i] = kind == 0   ? (float)(f == 1 ? even : even / 7)
                        : kind == 1 ? (float)centre
                        : kind == 2 ? (float)scaled
                                    : narrow[i];
        }
        errors_f64(f, BATCH, x);
        errors_f32(f, BATCH, narrow);
    }
}

/* Both sides of every place where the multiple of ln 2 changes. */
static void errors_are_small_between_multiples(void **state)
{
    (void)state;
    double x[3];
    float narrow[3];
    for (size_t f = 0; f < FUNCTIONS; f++) {
        for (int n = -1080; n < 1030; n++) {
            x[0] = (n + 0.5) * log(2) / (f == 1 ? 2 : 1);
            x[1] = nextafter(x[0], INFINITY);
            x[2] = nextafter(x[0], -INFINITY);
            errors_f64(f, 3, x);
            narrow[0] = (float)x[0];
            narrow[1] = nextafterf(narrow[0], INFINITY);
            narrow[2] = nextafterf(narrow[0], -INFINITY);
            errors_f32(f, 3, narrow);
        }
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void limits_are_right(void **state)
{
    (void)state;
    const struct {
        double x, exp, tanh, logistic;
    } table[] = {
        {0, 1, 0, 0.5},
        {-0.0, 1, -0.0, 0.5},
        {INFINITY, INFINITY, 1, 1},
        {-INFINITY, 0, -1, 0},
        {1e300, INFINITY, 1, 1},
        {-1e300, 0, -1, 0},
        {DBL_TRUE_MIN, 1, DBL_TRUE_MIN, 0.5},
        {-DBL_TRUE_MIN, 1, -DBL_TRUE_MIN, 0.5},
        {DBL_MIN, 1, DBL_MIN, 0.5},
        {0x1.62e42fefa39efp+9, 0x1.fffffffffff2ap+1023, 1, 1}, /* the last before overflow */
        {0x1.62e42fefa39f0p+9, INFINITY, 1, 1},
        {-0x1.74910d52d3051p+9, DBL_TRUE_MIN, -1, 0}, /* the last before zero */
        {-0x1.74910d52d3052p+9, 0, -1, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double got[FUNCTIONS], expected[] = {table[i].exp, table[i].tanh, table[i].logistic};
        float narrow = (float)table[i].x, got_f32[FUNCTIONS];
        for (size_t f = 0; f < FUNCTIONS; f++) {
            run_f64(0, f, 1, &table[i].x, &got[f]);
            run_f32(0, f, 1, &narrow, &got_f32[f]);
            assert_memory_equal(&got[f], &expected[f], sizeof(double));
            if (i < 6)
                assert_true(got_f32[f] == (float)expected[f] &&
                            !signbit(got_f32[f]) == !signbit(expected[f]));
        }
    }
    const double nan = NAN;
    const float least[] = {-FLT_TRUE_MIN, FLT_TRUE_MIN}, nan_f32 = NAN;
    for (size_t f = 0; f < FUNCTIONS; f++) {
        double got;
        float got_f32[2];
        run_f64(0, f, 1, &nan, &got);
        run_f32(0, f, 1, &nan_f32, got_f32);
        assert_true(isnan(got) && isnan(got_f32[0]));
        run_f32(0, f, 2, least, got_f32);
        const float expected[] = {1, least[0], 0.5f};
        assert_true(got_f32[0] == expected[f]);
    }
}

/* ---- Places ---------------------------------------------------------------------------------- */

static void places_do_not_matter(void **state)
{
    (void)state;
    enum { N = 37 };
    double x[N], whole[N], part[N + 1];
    float x32[N], whole32[N], part32[N + 1];
    for (size_t i = 0; i < N; i++)
        x32[i] = (float)(x[i] = 6 * next_unit() - 3);
    for (size_t f = 0; f < FUNCTIONS; f++) {
        uint32_t cpu = ftl_cpu_flags();
        run_f64(cpu, f, N, x, whole);
        run_f32(cpu, f, N, x32, whole32);
        for (size_t first = 0; first < N; first++) {
            for (size_t n = 0; n + first <= N; n++) {
                part[n] = 7, part32[n] = 7;
                run_f64(cpu, f, n, x + first, part);
                run_f32(cpu, f, n, x32 + first, part32);
                assert_memory_equal(part, whole + first, n * sizeof *part);
                assert_memory_equal(part32, whole32 + first, n * sizeof *part32);
                assert_true(part[n] == 7 && part32[n] == 7);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_small),
        cmocka_unit_test(errors_are_small_between_multiples),
        cmocka_unit_test(limits_are_right),
        cmocka_unit_test(places_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
