/* Endings of files' names: which one a name has, and that a name is more than its ending. */
#include "unit.h"

#include "base/ending.h"
#include "io/codec.h"
#include "io/encoder.h"
#include "table/table.h"

#include <string.h>

static void a_name_ends_so(void **unused)
{
    (void)unused;
    static const struct {
        const char *path, *ending;
        bool has;
    } cases[] = {
        {"a.ipc", ".ipc", true},       {"a.IPC", ".ipc", true},    {"d/a.ipc", ".ipc", true},
        {"a.ipc", ".arrows", false},   {".ipc", ".ipc", false},    {"d/.ipc", ".ipc", false},
        {"ipc", ".ipc", false},        {"", ".ipc", false},        {"a.arrow", ".arrows", false},
        {"a.arrows", ".arrow", false}, {"a.\xc9pc", ".ipc", false}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        if (ftl_has_ending(cases[i].path, strlen(cases[i].path), cases[i].ending) != cases[i].has)
            fail_msg("'%s' and '%s'", cases[i].path, cases[i].ending);
    }
    assert_true(ftl_has_ending("a.csv.gz", strlen("a.csv"), ".csv")); /* of what stands before */
}

static void compression_goes_by_the_ending(void **unused)
{
    (void)unused;
    static const char *const packed[] = {"a.gz",  "a.bz2",  "a.xz", "a.lz4",
                                         "a.zst", "a.lzma", "A.GZ"};
    static const char *const plain[] = {"a", "gz", ".gz", "d/.gz", "a.gzip"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(packed); i++) {
        size_t size = strlen(packed[i]);
        assert_int_equal(ftl_codec_strip_ending(packed[i], size), 1);
        bool written = strcmp(packed[i], "a.lzma") != 0;
        assert_int_equal(ftl_encoding_of_name(packed[i], &size) != NULL, written);
        assert_int_equal(size, written ? 1 : strlen(packed[i]));
    }
    for (size_t i = 0; i < FTL_ARRAY_LEN(plain); i++) {
        size_t size = strlen(plain[i]);
        assert_int_equal(ftl_codec_strip_ending(plain[i], size), size);
        assert_null(ftl_encoding_of_name(plain[i], &size));
    }
}

static void tables_are_known_by_it(void **unused)
{
    (void)unused;
    static const char *const known[] = {"a.csv",  "a.pq",      "a.ipc",     "a.arrows",    "a.TAB",
                                        "a.json", "a.csv.lz4", "d.x/a.npy", "a.jsonl.lzma"};
    static const char *const unknown[] = {"a",    "csv",     ".csv",    "d/.csv",
                                          "a.gz", "a.csv/b", ".csv.gz", ""};
    for (size_t i = 0; i < FTL_ARRAY_LEN(known); i++)
        assert_true(ftl_table_known_ending(known[i]));
    for (size_t i = 0; i < FTL_ARRAY_LEN(unknown); i++)
        assert_false(ftl_table_known_ending(unknown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_ends_so),
        cmocka_unit_test(compression_goes_by_the_ending),
        cmocka_unit_test(tables_are_known_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
