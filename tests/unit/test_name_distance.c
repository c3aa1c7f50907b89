/* "Did you mean": which names are near, and by how much. */
#include "unit.h"

#include <foretell/experimental.h>

#include <string.h>

static void near_names_have_their_edits(void **unused)
{
    (void)unused;
    static const struct {
        const char *typed, *known;
        size_t distance;
    } cases[] = {
        {"predict", "predict", 0},    {"Predict", "pREDICT", 0}, {"predct", "predict", 1},
        {"predicct", "predict", 1},   {"rpedict", "predict", 1}, {"pradikt", "predict", 2},
        {"Fare ", "Fare", 1},         {"kep", "keep", 1},        {"ca", "abc", SIZE_MAX},
        {"fit", "predict", SIZE_MAX}, {"a", "b", SIZE_MAX},      {"a", "A", 0},
        {"", "a", SIZE_MAX},          {"ab", "", SIZE_MAX},      {"abcdef", "abxxyf", SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (ftl_name_distance(cases[i].typed, cases[i].known) != cases[i].distance)
            fail_msg("'%s' and '%s': %zu", cases[i].typed, cases[i].known,
                     ftl_name_distance(cases[i].typed, cases[i].known));
        assert_true(ftl_name_distance(cases[i].known, cases[i].typed) == cases[i].distance);
    }
    assert_true(ftl_name_distance(NULL, "a") == SIZE_MAX &&
                ftl_name_distance("a", NULL) == SIZE_MAX);
}

static void long_names_are_not_compared(void **unused)
{
    (void)unused;
    char name[66];
    memset(name, 'n', sizeof name);
    name[64] = 0;
    assert_true(ftl_name_distance(name, name) == 0);
    name[64] = 'n';
    name[65] = 0;
    assert_true(ftl_name_distance(name, name) == SIZE_MAX);
}

static const char *name_at(const void *user, size_t i)
{
    const char *const *names = user;
    return names[i];
}

static void the_nearest_is_found(void **unused)
{
    (void)unused;
    static const char *const names[] = {"agd", "A-g_e ", NULL, "age2", "..", "Port"};
    assert_string_equal(ftl_name_nearest("age", name_at, names, 6), "A-g_e ");
    assert_string_equal(ftl_name_nearest("pord", name_at, names, 6), "Port");
    assert_string_equal(ftl_name_nearest("age", name_at, names, 1), "agd");
    assert_null(ftl_name_nearest("--", name_at, names, 6));
    assert_null(ftl_name_nearest("height", name_at, names, 6));
    assert_null(ftl_name_nearest(NULL, name_at, names, 6));
    assert_null(ftl_name_nearest("age", name_at, NULL, 1001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_names_have_their_edits),
        cmocka_unit_test(long_names_are_not_compared),
        cmocka_unit_test(the_nearest_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
