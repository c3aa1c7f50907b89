/* Requests of the cache: every option tells models apart, and copies are the same request. */
#include "unit.h"

#include "engine/cache_key.h"

#include <math.h>
#include <string.h>

static const char *const one[] = {"a", "b"}, *const two[] = {"a", "c"};
static const ftl_plan_options plans[] = {
    {.struct_size = sizeof plans[0]},
    {.struct_size = sizeof plans[0], .input_dtype = FTL_F32},
    {.struct_size = sizeof plans[0], .methods = 1},
    {.struct_size = sizeof plans[0], .methods = 2},
    {.struct_size = sizeof plans[0], .block_rows = 7},
};

#define SIZE .struct_size = sizeof(ftl_model_options)

/* Each is another model than all others. */
static const ftl_model_options different[] = {
    {SIZE},
    {SIZE, .max_bytes = 1},
    {SIZE, .max_bytes = 2},
    {SIZE, .max_objects = 1},
    {SIZE, .max_objects = 2},
    {SIZE, .max_depth = 1},
    {SIZE, .max_depth = 2},
    {SIZE, .iterations = 1},
    {SIZE, .iterations = FTL_ITERATIONS_ALL},
    {SIZE, .select = ""},
    {SIZE, .select = "a"},
    {SIZE, .select = "b"},
    {SIZE, .only_plan = &plans[0]},
    {SIZE, .only_plan = &plans[1]},
    {SIZE, .only_plan = &plans[2]},
    {SIZE, .only_plan = &plans[3]},
    {SIZE, .only_plan = &plans[4]},
    {SIZE, .then = one, .n_then = 1},
    {SIZE, .then = one, .n_then = 2},
    {SIZE, .then = two, .n_then = 2},
    {SIZE, .labels = "a"},
    {SIZE, .labels = "b"},
    {SIZE, .threshold_set = true},
    {SIZE, .threshold_set = true, .threshold = 0.5},
    {SIZE, .threshold_set = true, .threshold = (double)NAN},
    {SIZE, .inverse = true},
    {SIZE, .classes = true},
};
enum { N = sizeof different / sizeof *different };

static ftl_cache_request request_of(const char *path, const ftl_model_options *options)
{
    ftl_cache_request request;
    assert_int_equal(ftl_cache_request_read(&request, path, options, NULL), FTL_OK);
    return request;
}

static void test_every_option_tells_models_apart(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < N; k++) {
            const ftl_cache_request a = request_of("p", &different[i]);
            const ftl_cache_request b = request_of("p", &different[k]);
            assert_true(ftl_cache_options_equal(&a, &b) == (i == k));
            assert_true(ftl_cache_request_equal(&a, &b) == (i == k));
        }
        const ftl_cache_request a = request_of("p", &different[i]);
        const ftl_cache_request other = request_of("q", &different[i]);
        assert_false(ftl_cache_request_equal(&a, &other));
    }
}

static void test_defaults_are_no_options(void **state)
{
    (void)state;
    const ftl_model_options unused = {SIZE, .threshold = 3, .then = one};
    const ftl_cache_request none = request_of("p", NULL);
    const ftl_cache_request defaults = request_of("p", &different[0]);
    const ftl_cache_request without = request_of("p", &unused);
    assert_true(ftl_cache_request_equal(&none, &defaults));
    assert_true(ftl_cache_request_equal(&none, &without));
}

static void test_copies_are_the_same_request(void **state)
{
    (void)state;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (int i = 0; i < N; i++) {
        char path[] = "p", select[] = "a", labels[] = "b", then[] = "c";
        const char *const list[] = {then, then};
        ftl_plan_options plan = plans[4];
        ftl_model_options options = different[i];
        options.select = options.select ? select : NULL;
        options.labels = options.labels ? labels : NULL;
        options.then = list;
        options.only_plan = options.only_plan ? &plan : NULL;
        const ftl_cache_request request = request_of(path, &options);
        ftl_cache_request *copy = ftl_cache_request_copy(&account, &request);
        assert_non_null(copy);
        assert_true(ftl_cache_request_equal(copy, &request));
        path[0] = select[0] = labels[0] = then[0] = '?'; /* the caller's texts may go */
        plan = (ftl_plan_options){0};
        const ftl_model_options kept = ftl_cache_request_options(copy);
        assert_int_equal(kept.struct_size, sizeof kept);
        assert_string_equal(copy->path, "p");
        if (options.select)
            assert_string_equal(kept.select, "a");
        if (options.labels)
            assert_string_equal(kept.labels, "b");
        for (size_t k = 0; k < kept.n_then; k++)
            assert_string_equal(kept.then[k], "c");
        if (options.only_plan)
            assert_int_equal(kept.only_plan->block_rows, 7);
        ftl_free(&account, copy);
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

static void test_an_entry_of_the_path_is_the_option(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        if (different[i].select)
            continue;
        ftl_model_options options = different[i];
        const ftl_cache_request by_path = request_of("p:a", &options);
        ftl_cache_request selected;
        ftl_cache_request_select(&by_path, "p", "a", &selected);
        options.select = "a";
        const ftl_cache_request by_option = request_of("p", &options);
        assert_true(ftl_cache_request_equal(&selected, &by_option));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_option_tells_models_apart),
        cmocka_unit_test(test_defaults_are_no_options),
        cmocka_unit_test(test_copies_are_the_same_request),
        cmocka_unit_test(test_an_entry_of_the_path_is_the_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
