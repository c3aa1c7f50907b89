/* The heap of neighbours: it keeps the smallest, and both sorts put any heap in order. */
#include "random_numbers.h"
#include "unit.h"

#include "plan/neighbor_heap.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { MAX_K = 200, MAX_N = 600 };

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Every number once, its own value beside it, the smallest values in order. */
static void check(uint32_t k, uint32_t n, uint32_t distinct, bool insertion)
{
    static double stream[MAX_N], sorted[MAX_N], value[MAX_K];
    static uint32_t number[MAX_K];
    ftl_neighbor_heap heap = {.k = k, .value = value, .number = number};
    bool seen[MAX_N] = {false};
    ftl_heap_start(&heap, DBL_MAX);
    for (uint32_t i = 0; i < n; i++) {
        sorted[i] = stream[i] = random_below(distinct);
        ftl_heap_push(&heap, stream[i], i);
    }
    ftl_heap_sort(&heap, insertion);
    qsort(sorted, n, sizeof *sorted, by_value);
    for (uint32_t i = 0; i < k; i++) {
        assert_true(value[i] == sorted[i]);
        assert_true(number[i] < n && stream[number[i]] == value[i] && !seen[number[i]]);
        seen[number[i]] = true;
    }
}

static void keeps_the_smallest(void **state)
{
    (void)state;
    const uint32_t sizes[] = {1, 2, 3, 4, 5, 15, 16, 17, 33, 100, 200};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint32_t round = 0; round < 40; round++) {
            uint32_t n = sizes[s] + random_below(MAX_N - sizes[s]);
            check(sizes[s], n, round % 2 ? 5 : 100000, round % 4 < 2);
        }
    }
}

/* Values that fall all the time, and all alike: what a quicksort without a bound would drown in. */
static void sorts_the_worst(void **state)
{
    (void)state;
    static double value[1 << 16];
    static uint32_t number[1 << 16];
    for (int pattern = 0; pattern < 4; pattern++) {
        uint32_t k = 1 << (pattern < 2 ? 13 : 16);
        ftl_neighbor_heap heap = {.k = k, .value = value, .number = number};
        for (uint32_t i = 0; i < k; i++) {
            value[i] = pattern % 2 ? 1.0 : (double)(k - i);
            number[i] = i;
        }
        ftl_heap_sort(&heap, pattern >= 2);
        for (uint32_t i = 1; i < k; i++)
            assert_true(value[i - 1] <= value[i]);
    }
}

/* What scikit-learn 1.9's heap gives for these: the newcomer of a tie stays out. */
static void ties_stay_as_they_came(void **state)
{
    (void)state;
    double value[3];
    uint32_t number[3];
    ftl_neighbor_heap heap = {.k = 3, .value = value, .number = number};
    ftl_heap_start(&heap, INFINITY);
    for (uint32_t i = 0; i < 6; i++)
        ftl_heap_push(&heap, i == 4 ? 1.0 : 2.0, i);
    ftl_heap_sort(&heap, true);
    assert_true(value[0] == 1.0 && number[0] == 4);
    assert_true(value[2] == 2.0 && number[1] < 3 && number[2] < 3 && number[1] != number[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_smallest),
        cmocka_unit_test(sorts_the_worst),
        cmocka_unit_test(ties_stay_as_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
