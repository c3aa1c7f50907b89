/* Category tables: texts, numbers, missing values, and texts that stand for numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/lookup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static ftl_account account;
static ftl_blob blob;

static int setup(void **unused)
{
    (void)unused;
    ftl_account_init(&account, NULL, 0);
    ftl_blob_init(&blob, &account, 7);
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    ftl_blob_free(&blob);
    return ftl_account_used(&account) == 0 ? 0 : -1;
}

static ftl_cell text(const char *s)
{
    return (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)strlen(s), .u.text = s};
}
static ftl_cell integer(int64_t i) { return (ftl_cell){.tag = FTL_CELL_INT, .u.integer = i}; }
static ftl_cell number(double x) { return (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = x}; }
static ftl_cell missing(void) { return (ftl_cell){.tag = FTL_CELL_MISSING}; }

static ftl_lookup of_cells(const ftl_cell *cells, uint32_t n)
{
    ftl_lookup lookup;
    ftl_categories categories = {.count = n, .cells = cells};
    assert_int_equal(ftl_lookup_init(&lookup, &categories, &blob, NULL), FTL_OK);
    return lookup;
}

static int32_t find(const ftl_lookup *lookup, ftl_cell cell)
{
    return ftl_lookup_cell(lookup, &cell);
}

static void finds_numbers(void **unused)
{
    (void)unused;
    const double numbers[] = {-1.5, 0.0, 3.0, INFINITY, NAN, 5e-324};
    ftl_categories categories = {.count = 6, .numeric = true, .numbers = numbers};
    ftl_lookup lookup;
    assert_int_equal(ftl_lookup_init(&lookup, &categories, &blob, NULL), FTL_OK);
    assert_int_equal(ftl_lookup_number(&lookup, -1.5), 0);
    assert_int_equal(ftl_lookup_number(&lookup, -0.0), 1);
    assert_int_equal(ftl_lookup_number(&lookup, 3.0), 2);
    assert_int_equal(ftl_lookup_number(&lookup, INFINITY), 3);
    assert_int_equal(ftl_lookup_number(&lookup, -INFINITY), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(ftl_lookup_number(&lookup, NAN), 4);
    assert_int_equal(ftl_lookup_number(&lookup, 5e-324), 5);
    assert_int_equal(ftl_lookup_number(&lookup, nextafter(3.0, 4.0)), FTL_LOOKUP_NOT_FOUND);
}

static void finds_texts(void **unused)
{
    (void)unused;
    enum { count = 5000 };
    static char storage[count][16];
    static ftl_cell cells[count];
    for (int i = 0; i < count; i++) {
        snprintf(storage[i], sizeof storage[i], "word %d", i * 7);
        cells[i] = text(storage[i]);
    }
    ftl_lookup lookup = of_cells(cells, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(find(&lookup, cells[i]), i);
    assert_int_equal(find(&lookup, text("word 1")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, text("")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, missing()), FTL_LOOKUP_NOT_FOUND);
    /* Without numbers among the categories a text never stands for one. */
    assert_int_equal(find(&lookup, number(7)), FTL_LOOKUP_NOT_FOUND);
}

static void tells_texts_by_all_their_bytes(void **unused)
{
    (void)unused;
    ftl_cell cells[] = {
        text(""),    text("a"), text("eight by"), text("eight byt"), text("same so far, one"),
        text("a\0b")};
    cells[5].size = 3;
    ftl_lookup lookup = of_cells(cells, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(find(&lookup, cells[i]), i);
    assert_int_equal(find(&lookup, text("same so far, two")), FTL_LOOKUP_NOT_FOUND);
}

static void reads_texts_as_numbers(void **unused)
{
    (void)unused;
    const ftl_cell cells[] = {text("1"),
                              integer(2),
                              number(2.5),
                              missing(),
                              integer(INT64_C(9007199254740993)),
                              integer(INT64_C(9007199254740992))};
    ftl_lookup lookup = of_cells(cells, 6);
    assert_int_equal(find(&lookup, text("1")), 0);
    assert_int_equal(find(&lookup, text("1.0")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, text("2")), 1);
    assert_int_equal(find(&lookup, text("2.0")), 1);
    assert_int_equal(find(&lookup, text("2.50")), 2);
    assert_int_equal(find(&lookup, text("nan")), 3);
    assert_int_equal(find(&lookup, text("9007199254740993")), 4);
    assert_int_equal(find(&lookup, text("9007199254740992")), 5);
    assert_int_equal(find(&lookup, integer(INT64_C(9007199254740993))), 4);
    assert_int_equal(find(&lookup, number(2.0)), 1);
    assert_int_equal(find(&lookup, missing()), 3);
    assert_int_equal(find(&lookup, text("two")), FTL_LOOKUP_NOT_FOUND);
}

static void reads_bools(void **unused)
{
    (void)unused;
    const ftl_cell cells[] = {
        {.tag = FTL_CELL_BOOL, .u.integer = 0}, {.tag = FTL_CELL_BOOL, .u.integer = 1}, text("x")};
    ftl_lookup lookup = of_cells(cells, 3);
    assert_int_equal(find(&lookup, text("False")), 0);
    assert_int_equal(find(&lookup, text("True")), 1);
    assert_int_equal(find(&lookup, text("1.0")), 1);
    /* every spelling that pandas reads as a bool, and no other */
    assert_int_equal(find(&lookup, text("true")), 1);
    assert_int_equal(find(&lookup, text("TRUE")), 1);
    assert_int_equal(find(&lookup, text("false")), 0);
    assert_int_equal(find(&lookup, text("FALSE")), 0);
    assert_int_equal(find(&lookup, text(" true")), 1);
    assert_int_equal(find(&lookup, text("tRUE")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, text("yes")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, (ftl_cell){.tag = FTL_CELL_BOOL, .u.integer = 1}), 1);
    const ftl_cell texts[] = {text("true"), text("false")};
    lookup = of_cells(texts, 2);
    assert_int_equal(find(&lookup, text("true")), 0);
    assert_int_equal(find(&lookup, text("True")), FTL_LOOKUP_NOT_FOUND);
}

static void takes_equal_and_no_categories(void **unused)
{
    (void)unused;
    const ftl_cell cells[] = {text("a"), text("a"), integer(1), number(1.0)};
    ftl_lookup lookup = of_cells(cells, 4);
    assert_int_equal(find(&lookup, text("a")), 0);
    assert_int_equal(find(&lookup, number(1)), 2);
    lookup = of_cells(cells, 0);
    assert_int_equal(find(&lookup, text("a")), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(find(&lookup, missing()), FTL_LOOKUP_NOT_FOUND);
    assert_int_equal(ftl_lookup_number(&lookup, 1), FTL_LOOKUP_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_numbers),
        cmocka_unit_test(finds_texts),
        cmocka_unit_test(tells_texts_by_all_their_bytes),
        cmocka_unit_test(reads_texts_as_numbers),
        cmocka_unit_test(reads_bools),
        cmocka_unit_test(takes_equal_and_no_categories),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
