/*
 * Distance kernels: on every instruction set the bits of a plain loop over one pair of points,
 * whatever the neighbours of the pair are.
 */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum {
    MAX_ROWS = 9,
    MAX_POINTS = 21,
    MAX_N = 530,
    GROUPS = (MAX_POINTS + 7) / 8,
    WIDTH = GROUPS * 8
};

static double next_number(void)
{
    uint64_t seed = random_bits();
    return ((double)(seed >> 11) / 4503599627370496.0 - 1.0) * exp2((double)(int)(seed % 20) - 10);
}

static double x[MAX_ROWS * MAX_N], points[MAX_POINTS * MAX_N], packed[GROUPS * 8 * MAX_N];

static void fill(size_t n, size_t n_points)
{
    memset(packed, 0, sizeof packed);
    for (size_t i = 0; i < MAX_ROWS * n; i++)
        x[i] = next_number();
    for (size_t i = 0; i < n_points; i++) {
        for (size_t j = 0; j < n; j++) {
            points[i * n + j] = next_number();
            packed[i / 8 * n * 8 + j * 8 + i % 8] = points[i * n + j];
        }
    }
}

/* Matrix products are summed over at most 256 features at a time. */
static double fused(const double *a, const double *b, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n;) {
        size_t left = n - first, end = first + left;
        if (left >= 512)
            end = first + 256;
        else if (left > 256)
            end = first + (left / 2 + 3) / 4 * 4;
        double sum = 0;
        for (; first < end; first++)
            sum = fma(a[first], b[first], sum);
        total += sum;
    }
    return total;
}

static double plain(int kind, const double *a, const double *b, size_t n)
{
    double sum = 0;
    if (kind == 4)
        return fused(a, b, n);
    for (size_t j = 0; j < n; j++) {
        double d = a[j] - b[j];
        if (kind == 0)
            sum += d * d;
        else if (kind == 1)
            sum += fabs(d);
        else if (kind == 2)
            sum = fabs(d) > sum ? fabs(d) : sum;
        else
            sum += a[j] * b[j];
    }
    return sum;
}

static void check(const ftl_distance_kernels *kernels, size_t rows, size_t n, size_t n_points)
{
    ftl_distance_fn *const all[] = {kernels->squares, kernels->absolute, kernels->largest,
                                    kernels->dot, kernels->dot_fused};
    double out[MAX_ROWS * WIDTH];
    for (int kind = 0; kind < 5; kind++) {
        all[kind](rows, n, x, n, packed, ftl_distance_groups(n_points), out, WIDTH);
        for (size_t r = 0; r < rows; r++) {
            for (size_t i = 0; i < n_points; i++)
                assert_true(out[r * WIDTH + i] == plain(kind, x + r * n, points + i * n, n));
        }
    }
}

static void same_bits_as_a_loop(void **state)
{
    (void)state;
    const size_t widths[] = {1, 2, 3, 7, 8, 9, 31, 64, 255, 256, 257, 300, 511, 512, 513, 530};
    const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (size_t n_points = 1; n_points <= MAX_POINTS; n_points += 5) {
            fill(widths[w], n_points);
            for (size_t s = 0; s < 3; s++) {
                if ((ftl_cpu_flags() & sets[s]) == sets[s])
                    check(&ftl_kernels_for(sets[s])->distance, 1 + (w + n_points) % MAX_ROWS,
                          widths[w], n_points);
            }
        }
    }
}

static void no_features_and_no_points(void **state)
{
    (void)state;
    double out[8];
    memset(out, 1, sizeof out);
    ftl_kernels_get()->distance.dot_fused(1, 0, x, 0, packed, 1, out, 8);
    assert_true(out[0] == 0 && out[7] == 0);
    ftl_kernels_get()->distance.squares(1, 0, x, 0, packed, 0, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_as_a_loop),
        cmocka_unit_test(no_features_and_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
