/* Linear kernels: every instruction set gives the same bits, a row's result does not depend on its
 * place, and the sums are right. */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { MAX_ROWS = 21, MAX_N = 67, MAX_OUT = 67, STRIDE = 71 };

static double next_number(void)
{
    uint64_t seed = random_bits();
    return ((double)(seed >> 11) / 4503599627370496.0 - 1.0) * exp2((double)(int)(seed % 40) - 20);
}

typedef struct problem {
    size_t rows, n, n_out;
    double x64[MAX_ROWS * STRIDE];
    float x32[MAX_ROWS * STRIDE];
    double one[MAX_N + 8];
    double many[MAX_N * (MAX_OUT + 8)];
    double columns64[MAX_N * MAX_ROWS]; /* x by columns */
    float columns32[MAX_N * MAX_ROWS];
} problem;

static void fill(problem *p, size_t rows, size_t n, size_t n_out)
{
    memset(p, 0, sizeof *p);
    p->rows = rows, p->n = n, p->n_out = n_out;
    for (size_t i = 0; i < MAX_ROWS * STRIDE; i++) {
        p->x32[i] = (float)next_number();
        p->x64[i] = next_number();
    }
    for (size_t j = 0; j < n; j++) {
        for (size_t r = 0; r < MAX_ROWS; r++) {
            p->columns64[j * MAX_ROWS + r] = p->x64[r * STRIDE + j];
            p->columns32[j * MAX_ROWS + r] = p->x32[r * STRIDE + j];
        }
        p->one[j] = next_number();
        for (size_t k = 0; k < n_out; k++)
            p->many[j * ftl_linear_padded(n_out) + k] = next_number();
    }
}

typedef struct results {
    double one64[MAX_ROWS], one32[MAX_ROWS], many64[MAX_ROWS * MAX_OUT], many32[MAX_ROWS * MAX_OUT];
} results;

static void compute(const ftl_linear_kernels *kernels, const problem *p, size_t first, size_t rows,
                    results *out)
{
    memset(out, 0, sizeof *out);
    kernels->one_f64(rows, p->n, p->x64 + first * STRIDE, STRIDE, p->one, out->one64);
    kernels->one_f32(rows, p->n, p->x32 + first * STRIDE, STRIDE, p->one, out->one32);
    double columns64[MAX_ROWS] = {0}, columns32[MAX_ROWS] = {0};
    kernels->columns_f64(rows, p->n, p->columns64 + first, MAX_ROWS, p->one, columns64);
    kernels->columns_f32(rows, p->n, p->columns32 + first, MAX_ROWS, p->one, columns32);
    assert_memory_equal(columns64, out->one64, sizeof columns64);
    assert_memory_equal(columns32, out->one32, sizeof columns32);
    kernels->many_f64(rows, p->n, p->n_out, p->x64 + first * STRIDE, STRIDE, p->many, out->many64);
    kernels->many_f32(rows, p->n, p->n_out, p->x32 + first * STRIDE, STRIDE, p->many, out->many32);
}

static void check_sums(const problem *p, const results *got)
{
    size_t padded = ftl_linear_padded(p->n_out);
    for (size_t r = 0; r < p->rows; r++) {
        for (size_t k = 0; k < p->n_out; k++) {
            long double sum = 0, size = 0;
            for (size_t j = 0; j < p->n; j++) {
                long double product = (long double)p->x64[r * STRIDE + j] * p->many[j * padded + k];
                sum += product;
                size += fabsl(product);
            }
            assert_true(fabsl((long double)got->many64[r * p->n_out + k] - sum) <= 1e-14L * size);
        }
        long double sum = 0, size = 0;
        for (size_t j = 0; j < p->n; j++) {
            long double product = (long double)p->x32[r * STRIDE + j] * p->one[j];
            sum += product;
            size += fabsl(product);
        }
        assert_true(fabsl((long double)got->one32[r] - sum) <= 1e-14L * size);
    }
}

static void check_problem(const problem *p)
{
    results expected, got;
    compute(&ftl_kernels_for(0)->linear, p, 0, p->rows, &expected);
    check_sums(p, &expected);
    const uint32_t sets[] = {FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};
    for (size_t s = 0; s < 2; s++) {
        if ((ftl_cpu_flags() & sets[s]) != sets[s])
            continue;
        compute(&ftl_kernels_for(sets[s])->linear, p, 0, p->rows, &got);
        assert_memory_equal(&expected, &got, sizeof got);
    }
    for (size_t r = 0; r < p->rows; r++) {
        compute(&ftl_kernels_get()->linear, p, r, 1, &got);
        assert_memory_equal(&got.one64[0], &expected.one64[r], sizeof(double));
        assert_memory_equal(&got.one32[0], &expected.one32[r], sizeof(double));
        assert_memory_equal(got.many64, expected.many64 + r * p->n_out, p->n_out * sizeof(double));
        assert_memory_equal(got.many32, expected.many32 + r * p->n_out, p->n_out * sizeof(double));
    }
}

static void same_bits_everywhere(void **state)
{
    (void)state;
    static problem p;
    const size_t outputs[] = {2, 3, 7, 8, 9, 16, 19, 24, 27, 32, 33, 67};
    for (size_t n = 1; n <= MAX_N; n += n < 18 ? 1 : 7) {
        for (size_t o = 0; o < sizeof outputs / sizeof outputs[0]; o++) {
            fill(&p, 1 + n % MAX_ROWS, n, outputs[o]);
            check_problem(&p);
        }
    }
}

static void adds_to_what_is_there(void **state)
{
    (void)state;
    double x[3] = {1, 2, 3}, w[8] = {10, 100, 1000}, acc[1] = {5};
    ftl_kernels_get()->linear.one_f64(1, 3, x, 3, w, acc);
    assert_true(acc[0] == 3215);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_everywhere),
        cmocka_unit_test(adds_to_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
