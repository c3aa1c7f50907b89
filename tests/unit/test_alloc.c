/* Accounts and the system's allocator: blocks of every size keep their bytes while they change it.
 */
#include "unit.h"

#include "base/alloc.h"

#include <string.h>

static const size_t sizes[] = {1,       1000,    3 << 20, (3 << 20) - 17, 5000000,
                               4 << 20, 9 << 20, 2 << 20, (16 << 20) + 1, 100,
                               3500000, 20 << 20};

static void fill(unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        block[i] = (unsigned char)(i * 7 + (i >> 12) + seed);
}

static void check(const unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != (unsigned char)(i * 7 + (i >> 12) + seed))
            fail_msg("byte %zu of %zu changed", i, size);
    }
}

static void resized(void **state)
{
    (void)state;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (size_t from = 0; from < sizeof sizes / sizeof *sizes; from++) {
        for (size_t to = 0; to < sizeof sizes / sizeof *sizes; to++) {
            unsigned char *block = ftl_alloc(&account, sizes[from]);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 16, 0);
            fill(block, sizes[from], (unsigned)from);
            block = ftl_realloc(&account, block, sizes[to]);
            assert_non_null(block);
            check(block, sizes[from] < sizes[to] ? sizes[from] : sizes[to], (unsigned)from);
            fill(block, sizes[to], (unsigned)to);
            assert_true(ftl_account_used(&account) >= sizes[to]);
            ftl_free(&account, block);
            assert_int_equal(ftl_account_used(&account), 0);
        }
    }
}

/* A block that may not grow stays as it was. */
static void refused(void **state)
{
    (void)state;
    ftl_account account;
    ftl_account_init(&account, NULL, 8 << 20);
    unsigned char *block = ftl_alloc(&account, 4 << 20);
    assert_non_null(block);
    fill(block, 4 << 20, 3);
    assert_null(ftl_realloc(&account, block, 9 << 20));
    assert_null(ftl_realloc(&account, block, SIZE_MAX - 4096));
    check(block, 4 << 20, 3);
    ftl_free(&account, block);
    assert_int_equal(ftl_account_used(&account), 0);
}

/* Sanitizers end the program at such sizes. */
static void too_large(void **state)
{
    (void)state;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    assert_null(ftl_alloc(&account, SIZE_MAX - 4096));
    assert_null(ftl_alloc(&account, (size_t)PTRDIFF_MAX));
    assert_int_equal(ftl_account_used(&account), 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resized), cmocka_unit_test(refused),
                                       cmocka_unit_test(too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
