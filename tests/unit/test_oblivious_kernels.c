/*
 * Kernels of oblivious trees, and the codes they stand on: on every instruction set what a plain
 * loop gives.
 */
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { PLANES = 5, ROWS = 3 * FTL_OBLIVIOUS_ROWS, STRIDE = ROWS + 64 };

static const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};
static bool has(uint32_t set) { return (ftl_cpu_flags() & set) == set; }

/* ---- Leaves and sums ------------------------------------------------------------------------- */

static int8_t codes[PLANES * STRIDE];
static double values[256];

static void check_tree(const ftl_oblivious_kernels *kernels, uint32_t depth, uint32_t rows)
{
    ftl_oblivious_level levels[FTL_OBLIVIOUS_LEVELS];
    uint8_t leaf[ROWS];
    double sum[ROWS], expected[ROWS];
    for (uint32_t d = 0; d < depth; d++)
        levels[d] = (ftl_oblivious_level){random_below(PLANES),
                                          (int8_t)((int)random_below(256) - 128)};
    for (uint32_t r = 0; r < rows; r++)
        expected[r] = sum[r] = (double)random_below(1000) / 7;
    kernels->leaves(levels, depth, codes, STRIDE, rows, leaf);
    kernels->add(values, depth, leaf, rows, sum);
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t number = 0;
        for (uint32_t d = 0; d < depth; d++)
            number |= (uint32_t)(codes[levels[d].column * STRIDE + r] > levels[d].limit) << d;
        assert_int_equal(leaf[r], number);
        assert_true(sum[r] == expected[r] + values[number]);
    }
}

static void trees_of_every_depth(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PLANES * STRIDE; i++)
        codes[i] = (int8_t)((int)random_below(256) - 128);
    for (uint32_t i = 0; i < 256; i++)
        values[i] = (double)random_below(100000) / 3;
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        for (uint32_t depth = 0; has(sets[s]) && depth <= FTL_OBLIVIOUS_LEVELS; depth++) {
            for (uint32_t rows = FTL_OBLIVIOUS_ROWS; rows <= ROWS; rows += FTL_OBLIVIOUS_ROWS)
                check_tree(&ftl_kernels_for(sets[s])->oblivious, depth, rows);
        }
    }
}

/* ---- Codes ----------------------------------------------------------------------------------- */

enum { MOST_EDGES = 2000, COLUMNS = 3 };
static float edges32[4096], x32[FTL_TREE_CODE_ROWS * COLUMNS];
static double sorted[MOST_EDGES], edges64[4096], x64[FTL_TREE_CODE_ROWS * COLUMNS];

/* n edges that are float32 numbers, and values on them, beside them and without them. */
static void make_edges(uint32_t n, uint32_t steps)
{
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = (double)(float)((double)i * 0.37 - 50);
    for (uint32_t i = 0; i < ftl_tree_edges_room(steps); i++) {
        uint32_t at = i < (1u << steps) - 1 ? ftl_tree_edge_place(i, steps) : i;
        edges64[at] = i < n ? sorted[i] : (double)INFINITY;
        edges32[at] = (float)edges64[at];
    }
    const float special[] = {0.0f, -0.0f, NAN, INFINITY, -INFINITY, 1e-36f, -1e-35f, 3e38f};
    for (uint32_t i = 0; i < FTL_TREE_CODE_ROWS * COLUMNS; i++) {
        float on = n ? (float)sorted[random_below(n)] : 1.0f;
        uint32_t kind = random_below(5);
        x32[i] = kind == 0   ? special[random_below(8)]
                 : kind == 1 ? on
                 : kind == 2 ? nextafterf(on, INFINITY)
                 : kind == 3 ? nextafterf(on, -INFINITY)
                             : (float)random_below(2000) - 1000.0f;
        x64[i] = kind == 2 ? nextafter((double)on, INFINITY) : (double)x32[i];
    }
}

static uint32_t code_of(double x, uint32_t n, double zero, uint32_t missing)
{
    uint32_t code = 0;
    if (isnan(x) || fabs(x) <= zero)
        return missing;
    while (code < n && sorted[code] < x)
        code++;
    return code;
}

static void check_codes(const ftl_tree_cut_kernels *kernels, bool two_bytes, uint32_t n,
                        uint32_t steps, uint32_t rows, double zero)
{
    uint16_t wide[FTL_TREE_CODE_ROWS];
    uint8_t narrow[FTL_TREE_CODE_ROWS];
    void *out = two_bytes ? (void *)wide : narrow;
    for (uint32_t pass = 0; pass < 2; pass++) {
        bool any = pass ? kernels->code_f64(x64, COLUMNS, rows, edges64, steps, zero, n, out)
                        : kernels->code_f32(x32, COLUMNS, rows, edges32, steps, zero, n, out);
        bool expected = false;
        for (uint32_t r = 0; r < FTL_TREE_CODE_ROWS; r++) {
            double x = r < rows ? (pass ? x64[r * COLUMNS] : (double)x32[r * COLUMNS]) : 0.0;
            uint32_t code = code_of(x, n, zero, n);
            expected = expected || isnan(x) || fabs(x) <= zero;
            assert_int_equal(two_bytes ? wide[r] : (narrow[r] ^ 0x80u), code);
        }
        assert_int_equal(any, expected);
    }
}

static void codes_of_every_width(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 7, 8, 15, 16, 31, 60, 63, 127, 200, 255, 256, 1500};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint32_t n = counts[i], steps = ftl_tree_edges_steps(n);
        make_edges(n, steps);
        for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
            const ftl_tree_kernels *kernels = has(sets[s]) ? &ftl_kernels_for(sets[s])->trees
                                                           : NULL;
            for (uint32_t rows = 1; kernels && rows <= FTL_TREE_CODE_ROWS; rows += 21) {
                if (n <= FTL_TREE_CODES8)
                    check_codes(&kernels->codes8, false, n, steps, rows, -1.0);
                check_codes(&kernels->codes16, true, n, steps, rows, -1.0);
                check_codes(&kernels->codes16, true, n, steps, rows, FTL_TREE_ZERO);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_of_every_depth),
        cmocka_unit_test(codes_of_every_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
