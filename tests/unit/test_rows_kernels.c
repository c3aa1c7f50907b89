/* Rows kernels: on every instruction set what a plain loop gives, bit for bit. */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MAX_ROWS = 70, MAX_WIDTH = 70, MOST = MAX_ROWS * MAX_WIDTH };

/* Of all sizes, few enough to meet again; now and then infinity, zeros of both signs, NaN. */
static double next_number(void)
{
    static const double odd[] = {INFINITY, -INFINITY, 0.0, -0.0, NAN, DBL_MAX, -DBL_TRUE_MIN, 1};
    uint64_t bits = random_bits();
    if (bits % 16 == 0)
        return odd[bits / 16 % 8];
    return ((double)(bits >> 40) / 0x1p23 - 1) * exp2((double)(int)(bits % 30) - 15);
}

static const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};

static const ftl_rows_kernels *kernels_of(size_t set)
{
    bool has = (ftl_cpu_flags() & sets[set]) == sets[set];
    return &ftl_kernels_for(has ? sets[set] : 0)->rows;
}

#define PLAIN(op, x, v)                                    \
    ((op) == FTL_ROWS_SUB        ? (x) - (v)               \
     : (op) == FTL_ROWS_ADD      ? (x) + (v)               \
     : (op) == FTL_ROWS_MUL      ? (x) * (v)               \
     : (op) == FTL_ROWS_DIV      ? (x) / (v)               \
     : (op) == FTL_ROWS_CLIP_LOW ? ((x) < (v) ? (v) : (x)) \
                                 : ((x) > (v) ? (v) : (x)))

static bool same_f64(double a, double b)
{
    return isnan(a) ? isnan(b) : memcmp(&a, &b, sizeof a) == 0;
}
static bool same_f32(float a, float b)
{
    return isnan(a) ? isnan(b) : memcmp(&a, &b, sizeof a) == 0;
}

static double x64[MOST], v64[MAX_WIDTH], out64[MOST + 1];
static float x32[MOST], v32[MAX_WIDTH], out32[MOST + 1];

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++)
        x32[i] = (float)(x64[i] = next_number());
    for (size_t j = 0; j < MAX_WIDTH; j++)
        v32[j] = (float)(v64[j] = next_number());
}

static void check_apply(const ftl_rows_kernels *k, ftl_rows_op op, size_t rows, size_t width)
{
    size_t n = rows * width;
    out64[n] = 7, out32[n] = 7;
    k->apply_f64(op, rows, width, x64, v64, out64);
    k->apply_f32(op, rows, width, x32, v32, out32);
    for (size_t i = 0; i < n; i++) {
        assert_true(same_f64(out64[i], PLAIN(op, x64[i], v64[i % width])));
        assert_true(same_f32(out32[i], PLAIN(op, x32[i], v32[i % width])));
    }
    k->apply_wide(op, rows, width, x32, v64, out32);
    for (size_t i = 0; i < n; i++)
        assert_true(same_f32(out32[i], (float)PLAIN(op, (double)x32[i], v64[i % width])));
    assert_true(out64[n] == 7 && out32[n] == 7);
    memcpy(out64, x64, n * sizeof *x64);
    k->apply_f64(op, rows, width, out64, v64, out64);
    for (size_t i = 0; i < n; i++)
        assert_true(same_f64(out64[i], PLAIN(op, x64[i], v64[i % width])));
}

static void apply_rounds_as_a_loop(void **state)
{
    (void)state;
    const size_t rows[] = {1, 3, 8, 33, MAX_ROWS};
    for (size_t width = 1; width <= MAX_WIDTH; width += width < 20 ? 1 : 11) {
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            fill(rows[r] * width);
            for (size_t s = 0; s < 3; s++) {
                for (int op = 0; op < FTL_ROWS_OPS; op++)
                    check_apply(kernels_of(s), (ftl_rows_op)op, rows[r], width);
            }
        }
    }
}

static void within_finds_every_place(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY, 3.5, -3.5};
    for (size_t s = 0; s < 3; s++) {
        const ftl_rows_kernels *k = kernels_of(s);
        for (size_t n = 0; n < 40; n++) {
            for (size_t i = 0; i < n; i++)
                x32[i] = (float)(x64[i] = i % 2 ? 3 : -3);
            assert_true(k->within_f64(n, x64, 3) && k->within_f32(n, x32, 3));
            for (size_t i = 0; i < n; i++) {
                double kept = x64[i];
                for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
                    x32[i] = (float)(x64[i] = bad[b]);
                    assert_false(k->within_f64(n, x64, 3) || k->within_f32(n, x32, 3));
                }
                x32[i] = (float)(x64[i] = kept);
            }
        }
        x64[0] = DBL_MAX, x32[0] = -FLT_MAX;
        assert_true(k->within_f64(1, x64, DBL_MAX) && k->within_f32(1, x32, FLT_MAX));
    }
}

static size_t plain_argmax(size_t width, const double *x)
{
    size_t best = 0;
    for (size_t k = 0; k < width; k++) {
        if (isnan(x[k]))
            return k;
        best = x[k] > x[best] ? k : best;
    }
    return best;
}

static void argmax_is_numpys(void **state)
{
    (void)state;
    uint32_t best64[MAX_ROWS], best32[MAX_ROWS];
    for (size_t round = 0; round < 20; round++) {
        for (size_t width = 1; width <= MAX_WIDTH; width++) {
            fill(MAX_ROWS * width);
            for (size_t i = 0; i < MAX_ROWS * width; i++) {
                if (round % 2) /* many ties, NaN in few rows */
                    x64[i] = isnan(x64[i]) && random_bits() % 32 ? -0.0 : floor(x64[i]);
                x32[i] = (float)(x64[i] = (double)(float)x64[i]);
            }
            for (size_t s = 0; s < 3; s++) {
                kernels_of(s)->argmax_f64(MAX_ROWS, width, x64, best64);
                kernels_of(s)->argmax_f32(MAX_ROWS, width, x32, best32);
                for (size_t r = 0; r < MAX_ROWS; r++) {
                    assert_int_equal(best64[r], plain_argmax(width, x64 + r * width));
                    assert_int_equal(best32[r], best64[r]);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_rounds_as_a_loop),
        cmocka_unit_test(within_finds_every_place),
        cmocka_unit_test(argmax_is_numpys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
