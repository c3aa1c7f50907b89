/* The hash of the tables: it reads what it is given alone, and spreads keys as chance would. */
#include "unit.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = 1 << 16 };

static uint64_t seed;

static void same_bytes_same_hash(void **state)
{
    (void)state;
    char text[72], moved[80];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t size = 0; size <= sizeof text; size++) {
        for (size_t shift = 0; shift < 8; shift++) {
            memset(moved, (int)(0x11 * shift), sizeof moved); /* what lies around does not count */
            memcpy(moved + shift, text, size);
            assert_true(ftl_hash_bytes(7, text, size) == ftl_hash_bytes(7, moved + shift, size));
        }
        assert_true(ftl_hash_bytes(7, text, size) != ftl_hash_bytes(8, text, size));
    }
}

static void every_bit_counts(void **state)
{
    (void)state;
    unsigned char text[40];
    unsigned long flips = 0, tries = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)(i * 37);
    for (size_t size = 1; size <= sizeof text; size++) {
        uint64_t before = ftl_hash_bytes(99, text, size);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
            uint64_t changed = before ^ ftl_hash_bytes(99, text, size);
            text[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(changed != 0);
            flips += (unsigned long)__builtin_popcountll(changed);
            tries++;
        }
    }
    double mean = (double)flips / (double)tries; /* of 64 */
    if (mean < 30 || mean > 34)
        fail_msg("a changed bit changes %f bits of the hash", mean);
}

/* Into as many slots as there are keys: chance takes 63.2 % of them, fewer mean collisions. */
static void check_spread(const char *what, uint64_t (*hash)(unsigned i), unsigned shift)
{
    static unsigned char taken[KEYS];
    unsigned count = 0;
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned char *slot = &taken[(hash(i) >> shift) % KEYS];
        count += !*slot;
        *slot = 1;
    }
    double share = (double)count / KEYS;
    if (share < 0.61)
        fail_msg("%s, bits from %u: %f of the slots are taken", what, shift, share);
}

static uint64_t of_number(unsigned i) { return ftl_hash_number(seed, i); }

static uint64_t of_double(unsigned i)
{
    double value = i * 0.25;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return ftl_hash_number(seed, bits);
}

static uint64_t of_name(unsigned i)
{
    char text[32];
    int n = snprintf(text, sizeof text, "feature_%u", i);
    return ftl_hash_bytes(seed, text, (size_t)n);
}

static uint64_t of_path(unsigned i)
{
    char text[64];
    int n = snprintf(text, sizeof text, "steps[1].estimators_[%u].tree_", i);
    return ftl_hash_bytes(seed, text, (size_t)n);
}

static uint64_t of_short(unsigned i)
{
    unsigned char text[3] = {(unsigned char)i, (unsigned char)(i >> 8), 'x'};
    return ftl_hash_bytes(seed, text, sizeof text);
}

static void keys_spread(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {1, 0x9e3779b97f4a7c15u, 0xdeadbeefcafebabeu, UINT64_MAX};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        seed = seeds[i];
        for (unsigned shift = 0; shift <= 48; shift += 16) {
            check_spread("numbers", of_number, shift);
            check_spread("quarters", of_double, shift);
            check_spread("names", of_name, shift);
            check_spread("paths", of_path, shift);
            check_spread("three bytes", of_short, shift);
        }
    }
}

static void one_seed(void **state)
{
    (void)state;
    uint64_t first = ftl_hash_seed();
    assert_true(first != 0);
    assert_true(first == ftl_hash_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bytes_same_hash),
                                       cmocka_unit_test(every_bit_counts),
                                       cmocka_unit_test(keys_spread), cmocka_unit_test(one_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
