/* Snappy: known bytes, round trips, damage. */
#include "io/snappy.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* In blocks of exactly their sizes, so that AddressSanitizer sees any access beyond. */
static ftl_status decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                             ftl_error *error)
{
    uint8_t *from = malloc(in_size ? in_size : 1), *to = malloc(out_size ? out_size : 1);
    assert_non_null(from);
    assert_non_null(to);
    if (in_size)
        memcpy(from, in, in_size);
    ftl_status status = ftl_snappy_decompress(from, in_size, to, out_size, error);
    if (status == FTL_OK && out_size)
        memcpy(out, to, out_size);
    free(from);
    free(to);
    return status;
}

static void reads_every_kind_of_element(void **unused)
{
    (void)unused;
    static const struct {
        const char *in;
        size_t in_size;
        const char *out;
    } cases[] = {
        {"\x00", 1, ""},
        {"\x03\x08"
         "abc",
         5, "abc"},
        /* a literal, and copies with 1, 2 and 4 bytes of offset */
        {"\x0a\x04"
         "ab\x11\x02",
         6, "ababababab"},
        {"\x07\x04"
         "ab\x12\x02\x00",
         7, "abababa"},
        {"\x05\x08"
         "abc\x07\x03\x00\x00\x00",
         10, "abcab"},
        /* lengths of literals in 1 and 2 bytes */
        {"\x03\xf0\x02"
         "abc",
         6, "abc"},
        {"\x03\xf4\x02\x00"
         "abc",
         7, "abc"},
    };
    char out[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].out);
        ftl_error error;
        assert_int_equal(decompress((const uint8_t *)cases[i].in, cases[i].in_size, (uint8_t *)out,
                                    size, &error),
                         FTL_OK);
        assert_memory_equal(out, cases[i].out, size);
    }
}

static void refuses_damage(void **unused)
{
    (void)unused;
    static const struct {
        const char *in;
        size_t in_size, out_size;
        const char *message;
    } cases[] = {
        {"", 0, 0, "no length"},
        {"\xff\xff\xff\xff\xff\x01", 6, 3, "no length"},
        {"\x80", 1, 3, "no length"},
        {"\x04\x08"
         "abc",
         5, 3, "claims 4 bytes where 3 belong"},
        {"\x04\x08"
         "abc",
         5, 4, "ends too early"},
        {"\x03\x08"
         "ab",
         4, 3, "longer than what is left"},
        {"\x02\x08"
         "abc",
         5, 2, "longer than what is left"},
        {"\x03\xf0", 2, 3, "inside a literal's length"},
        {"\x03\xfc\xff\xff\xff\xff"
         "abc",
         9, 3, "longer than what is left"},
        {"\x05\x04"
         "ab\x01",
         5, 5, "inside a copy"},
        {"\x06\x04"
         "ab\x01\x03",
         6, 6, "outside of the data"},
        {"\x06\x04"
         "ab\x01\x00",
         6, 6, "outside of the data"},
        {"\x05\x04"
         "ab\x01\x02",
         6, 5, "outside of the data"},
    };
    uint8_t out[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ftl_error error;
        assert_int_equal(decompress((const uint8_t *)cases[i].in, cases[i].in_size, out,
                                    cases[i].out_size, &error),
                         FTL_CORRUPT);
        assert_non_null(strstr(error.message, cases[i].message));
    }
}

static uint32_t next(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u; }

/* Texts between noise and one byte over and over. */
static void fill(uint8_t *data, size_t size, unsigned kind, uint32_t *seed)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t r = next(seed) >> 8;
        if (kind == 0)
            data[i] = (uint8_t)r;
        else if (kind == 1)
            data[i] = (uint8_t)(i / 100);
        else if (i > 300 && r % 16)
            data[i] = data[i - 1 - r % (kind * 7) % 300];
        else
            data[i] = (uint8_t)(r % 5 * 50);
    }
}

static void gives_back_what_it_compressed(void **unused)
{
    (void)unused;
    enum { most = 200000 };
    uint16_t table[FTL_SNAPPY_TABLE];
    uint8_t *data = malloc(most), *packed = malloc(ftl_snappy_bound(most)), *out = malloc(most);
    uint32_t seed = 1;
    for (unsigned round = 0; round < 300; round++) {
        size_t size = round < 80 ? round : next(&seed) % (round % 10 ? 3000 : most);
        fill(data, size, round % 9, &seed);
        size_t made = ftl_snappy_compress(data, size, packed, table);
        assert_true(made <= ftl_snappy_bound(size));
        ftl_error error;
        assert_int_equal(decompress(packed, made, out, size, &error), FTL_OK);
        assert_memory_equal(out, data, size);
        if (round % 9 == 1 && size > 1000)
            assert_true(made < size / 10);
        /* Damage is told, or gives other bytes; nothing beyond is touched. */
        for (unsigned k = 0; k < 20 && made > 1; k++) {
            size_t at = next(&seed) % made;
            uint8_t was = packed[at];
            packed[at] = (uint8_t)(next(&seed) >> 16);
            (void)!decompress(packed, made - k % 3 % made, out, size, NULL);
            packed[at] = was;
        }
    }
    assert_int_equal(ftl_snappy_bound((size_t)UINT32_MAX + 1), 0);
    free(data);
    free(packed);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_element),
        cmocka_unit_test(refuses_damage),
        cmocka_unit_test(gives_back_what_it_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
