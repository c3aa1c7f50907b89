/* The cache of models through the public header alone: hits, who leaves, keys, errors, statistics.
 */
#include "cache_fixture.h"

/* ---- Hits and who leaves ---------------------------------------------------------------------- */

static void test_the_second_request_is_a_hit(void **state)
{
    (void)state;
    const char *path = put(FOREST, "a");
    fixture f = begin(0);
    ftl_model *first = get(&f, path);
    assert_false(last.hit);
    assert_true(last.load_seconds > 0);
    ftl_model *second = get(&f, path);
    assert_true(last.hit);
    assert_false(last.stale);
    assert_true(last.load_seconds == 0);
    assert_ptr_equal(first, second);
    const ftl_cache_stats stats = stats_of(&f);
    assert_int_equal(stats.models, 1);
    assert_int_equal(stats.cache_size, 15);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.loads, 1);
    assert_true(stats.hit_rate == 0.5);
    assert_true(stats.utilization == 1.0 / 15);
    assert_true(stats.load_seconds > 0);
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(first, &info), FTL_OK);
    assert_true(stats.bytes >= info.bytes + info.plan_bytes + info.session_bytes);
    ftl_model_release(first);
    ftl_model_release(second);
    end(&f);
}

static void test_the_least_recently_used_model_leaves(void **state)
{
    (void)state;
    fixture f = begin(3);
    const char *a = put(FOREST, "a"), *b = put(FOREST, "b"), *c = put(FOREST, "c");
    const char *d = put(FOREST, "d");
    ask(&f, a);
    ask(&f, b);
    ask(&f, c);
    assert_true(ask(&f, a)); /* b is the oldest now */
    ask(&f, d);
    assert_int_equal(stats_of(&f).evictions, 1);
    assert_int_equal(stats_of(&f).models, 3);
    assert_true(ask(&f, c));
    assert_true(ask(&f, a));
    assert_true(ask(&f, d));
    assert_false(ask(&f, b)); /* and c leaves */
    assert_true(ask(&f, a));
    assert_true(ask(&f, d));
    assert_false(ask(&f, c));
    end(&f);
}

static void test_a_model_in_use_outlives_its_place(void **state)
{
    (void)state;
    fixture f = begin(1);
    const char *a = put(FOREST, "a"), *b = put(OTHER, "b");
    ftl_model *held = get(&f, a);
    size_t n = columns(held);
    ask(&f, b);
    assert_int_equal(stats_of(&f).evictions, 1);
    assert_int_equal(columns(held), n);
    ftl_plan *plan = NULL;
    assert_int_equal(ftl_model_plan(held, NULL, &plan, NULL), FTL_OK);
    assert_int_equal(ftl_cache_clear(f.cache), 1);
    uint64_t with = ftl_context_memory_used(f.context);
    ftl_plan_release(plan);
    ftl_model_release(held);
    assert_true(ftl_context_memory_used(f.context) < with);
    assert_int_equal(ftl_context_memory_used(f.context), f.empty);
    end(&f);
}

static uint64_t bytes_of(const char *path)
{
    fixture f = begin(0);
    ask(&f, path);
    uint64_t bytes = stats_of(&f).bytes;
    end(&f);
    return bytes;
}

static void test_bytes_have_a_limit(void **state)
{
    (void)state;
    const char *a = put(FOREST, "a"), *b = put(FOREST, "b"), *c = put(FOREST, "c");
    uint64_t one = bytes_of(a);
    fixture f = begin_with((ftl_cache_options){.max_bytes = 2 * one + one / 2}, 0);
    ask(&f, a);
    ask(&f, b);
    assert_int_equal(stats_of(&f).evictions, 0);
    ask(&f, c);
    assert_int_equal(stats_of(&f).evictions, 1);
    assert_true(stats_of(&f).bytes <= 2 * one + one / 2);
    assert_true(ask(&f, b));
    assert_false(ask(&f, a));
    end(&f);
    /* One that is too large alone is given out and not kept. */
    f = begin_with((ftl_cache_options){.max_bytes = one / 2}, 0);
    ftl_model *model = get(&f, a);
    assert_int_equal(stats_of(&f).models, 0);
    assert_true(columns(model) > 0);
    ftl_model_release(model);
    end(&f);
}

static void test_plans_count_at_the_next_look(void **state)
{
    (void)state;
    const char *a = put(OTHER, "a"), *b = put(OTHER, "b");
    settle();
    uint64_t one = bytes_of(a);
    fixture f = begin_with((ftl_cache_options){.max_bytes = 2 * one + 64, .check_always = true}, 0);
    ask(&f, a);
    ftl_model *model = get(&f, b);
    ftl_plan *plan = NULL;
    assert_int_equal(stats_of(&f).models, 2);
    assert_int_equal(ftl_model_plan(model, NULL, &plan, NULL), FTL_OK);
    assert_true(stats_of(&f).bytes > 2 * one + 64);
    assert_true(ask(&f, b));
    assert_int_equal(stats_of(&f).models, 1);
    assert_false(ask(&f, a));
    ftl_plan_release(plan);
    ftl_model_release(model);
    end(&f);
}

/* Whether two models can be open at once, the first one held. */
static bool both_fit(uint64_t limit, const char *held, const char *path)
{
    fixture f = begin_with((ftl_cache_options){0}, limit);
    ftl_model *model = NULL;
    bool fit = ftl_cache_get(f.cache, held, NULL, NULL, &model, NULL) == FTL_OK &&
               try_get(&f, path, NULL) == FTL_OK;
    assert_true(fit || stats_of(&f).failures == 1);
    ftl_model_release(model);
    end(&f);
    return fit;
}

static void test_models_make_room_when_memory_is_short(void **state)
{
    (void)state;
    const char *a = put(FOREST, "a"), *b = put(FOREST, "b"), *c = put(OTHER, "c");
    uint64_t limit = 32 << 10; /* what the cache itself takes has room */
    while (!both_fit(limit, b, c))
        limit += 4096;
    fixture f = begin_with((ftl_cache_options){0}, limit);
    ftl_model *held = get(&f, b);
    ask(&f, a);
    ask(&f, c);
    assert_int_equal(stats_of(&f).evictions, 1);
    assert_true(ask(&f, c));
    assert_true(ask(&f, b)); /* somebody has it: giving it up would free nothing */
    assert_int_equal(stats_of(&f).failures, 0);
    ftl_model_release(held);
    end(&f);
}

/* ---- Keys ------------------------------------------------------------------------------------- */

static void test_options_are_part_of_the_key(void **state)
{
    (void)state;
    const char *path = put(FOREST, "a");
    fixture f = begin(0);
    const ftl_plan_options proba = {.struct_size = sizeof proba,
                                    .methods = 1u << FTL_PREDICT_PROBA};
    const ftl_plan_options predict = {.struct_size = sizeof predict, .methods = 1u << FTL_PREDICT};
    const ftl_model_options options[] = {
        {.struct_size = sizeof options[0]},
        {.struct_size = sizeof options[0], .max_bytes = 1 << 20},
        {.struct_size = sizeof options[0], .max_objects = 100000},
        {.struct_size = sizeof options[0], .max_depth = 100},
        {.struct_size = sizeof options[0], .only_plan = &proba},
        {.struct_size = sizeof options[0], .only_plan = &predict},
        {.struct_size = sizeof options[0], .classes = true},
    };
    enum { N = sizeof options / sizeof *options };
    ftl_model *models[N];
    for (int i = 0; i < N; i++) {
        models[i] = get_with(&f, path, &options[i]);
        assert_false(last.hit);
        for (int k = 0; k < i; k++)
            assert_ptr_not_equal(models[i], models[k]);
    }
    ftl_model *plain = get(&f, path);
    assert_true(last.hit);
    assert_ptr_equal(plain, models[0]);
    ftl_model_release(plain);
    for (int i = 0; i < N; i++) {
        ftl_model *again = get_with(&f, path, &options[i]);
        assert_true(last.hit);
        assert_ptr_equal(again, models[i]);
        ftl_model_release(again);
        ftl_model_release(models[i]);
    }
    assert_int_equal(stats_of(&f).models, N);
    assert_int_equal(ftl_cache_evict(f.cache, path), N);
    assert_int_equal(stats_of(&f).models, 0);
    end(&f);
}

/* An option that a later version of the caller's header does not know is its default. */
static void test_unset_sizes_are_refused(void **state)
{
    (void)state;
    const char *path = put(FOREST, "a");
    fixture f = begin(0);
    ftl_model *model = NULL;
    ftl_error error;
    const ftl_model_options unset = {0}, then = {.struct_size = sizeof then, .n_then = 1};
    const ftl_cache_get_options bad[] = {{0},
                                         {.struct_size = sizeof bad[0], .model = &unset},
                                         {.struct_size = sizeof bad[0], .model = &then}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ftl_cache_get(f.cache, path, &bad[i], NULL, &model, &error), FTL_ARG);
    ftl_cache_answer answer = {0};
    assert_int_equal(ftl_cache_get(f.cache, path, NULL, &answer, &model, &error), FTL_ARG);
    assert_int_equal(ftl_cache_get(f.cache, NULL, NULL, NULL, &model, &error), FTL_ARG);
    ftl_cache_stats stats = {0};
    assert_int_equal(ftl_cache_get_stats(f.cache, &stats), FTL_ARG);
    assert_null(model);
    end(&f);
}

static void test_names_of_one_file_share_its_model(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *a = put(FOREST, "a"), *link = in_folder("link"), *dots = in_folder("./a");
    unlink(link);
    assert_int_equal(symlink("a", link), 0);
    ftl_model *first = get(&f, a), *second = get(&f, link), *third = get(&f, dots);
    assert_true(last.hit);
    assert_ptr_equal(first, second);
    assert_ptr_equal(first, third);
    assert_int_equal(stats_of(&f).models, 1);
    assert_int_equal(stats_of(&f).loads, 1);
    /* However many spellings there are, the cache does not grow. */
    char many[512];
    uint64_t before = 0;
    for (int i = 0; i < 400; i++) {
        int used = snprintf(many, sizeof many, "%s/", folder);
        for (int k = 0; k < i % 100; k++)
            used += snprintf(many + used, sizeof many - (size_t)used, "/");
        for (int k = 0; k < i / 100; k++)
            used += snprintf(many + used, sizeof many - (size_t)used, "./");
        snprintf(many + used, sizeof many - (size_t)used, "a");
        assert_true(ask(&f, many));
        if (i == 49)
            before = ftl_context_memory_used(f.context);
    }
    assert_true(ftl_context_memory_used(f.context) <= before + 8192); /* names differ in length */
    ftl_model_release(first);
    ftl_model_release(second);
    ftl_model_release(third);
    end(&f);
    unlink(link);
}

static void test_without_the_cache_nothing_changes_in_it(void **state)
{
    (void)state;
    fixture f = begin(1);
    const char *a = put(FOREST, "a"), *b = put(OTHER, "b");
    ftl_model *cached = get(&f, a), *alone = NULL;
    const ftl_cache_get_options options = {.struct_size = sizeof options, .no_cache = true};
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    assert_int_equal(ftl_cache_get(f.cache, b, &options, &answer, &alone, NULL), FTL_OK);
    assert_false(answer.hit);
    ftl_model_release(alone);
    assert_int_equal(ftl_cache_get(f.cache, a, &options, &answer, &alone, NULL), FTL_OK);
    assert_ptr_not_equal(alone, cached);
    ftl_model_release(alone);
    ftl_model_release(cached);
    const ftl_cache_stats stats = stats_of(&f);
    assert_int_equal(stats.private_loads, 2);
    assert_int_equal(stats.evictions, 0);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(stats.models, 1);
    assert_true(ask(&f, a));
    end(&f);
}

/* ---- Failing loads ---------------------------------------------------------------------------- */

static void test_errors_are_not_kept(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *path = in_folder("broken"), *missing = in_folder("missing");
    ftl_error error;
    write_file(path, "no model at all", 15);
    assert_int_equal(try_get(&f, path, &error), FTL_CORRUPT);
    assert_int_equal(error.code, FTL_CORRUPT);
    assert_int_equal(try_get(&f, path, NULL), FTL_CORRUPT);
    assert_int_equal(try_get(&f, missing, &error), FTL_IO);
    ftl_cache_stats stats = stats_of(&f);
    assert_int_equal(stats.failures, 3);
    assert_int_equal(stats.loads, 3);
    assert_int_equal(stats.misses, 3);
    assert_int_equal(stats.models, 0);
    assert_int_equal(ftl_context_memory_used(f.context), f.empty);
    copy_over(FOREST, path);
    assert_int_equal(ask_columns(&f, path), n_forest);
    end(&f);
}

static void test_what_is_no_file_is_not_kept(void **state)
{
    (void)state;
    fixture f = begin(0);
    ftl_error error;
    assert_int_not_equal(try_get(&f, folder, &error), FTL_OK);
    assert_int_not_equal(try_get(&f, "/dev/null", &error), FTL_OK);
    assert_int_equal(stats_of(&f).private_loads, 2);
    assert_int_equal(stats_of(&f).models, 0);
    end(&f);
}

/* ---- Warming, statistics, removing ------------------------------------------------------------ */

static void test_warming_makes_the_plan(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *path = put(FOREST, "a");
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    assert_int_equal(ftl_cache_warm(f.cache, path, NULL, NULL, &answer, NULL), FTL_OK);
    assert_false(answer.hit);
    ftl_model *model = get(&f, path);
    assert_true(last.hit);
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    assert_true(info.plan_bytes > 0);
    assert_true(stats_of(&f).bytes > info.bytes + info.plan_bytes);
    ftl_plan *plan = NULL; /* one for both methods is there already */
    const ftl_plan_options both = {.struct_size = sizeof both,
                                   .methods = 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA};
    assert_int_equal(ftl_model_plan(model, &both, &plan, NULL), FTL_OK);
    ftl_model_info again = {.struct_size = sizeof again};
    assert_int_equal(ftl_model_get_info(model, &again), FTL_OK);
    assert_int_equal(again.plan_bytes, info.plan_bytes);
    ftl_plan_release(plan);
    ftl_model_release(model);
    const ftl_plan_options wrong = {.struct_size = sizeof wrong, .methods = 1u << FTL_TRANSFORM};
    ftl_error error;
    assert_int_equal(ftl_cache_warm(f.cache, path, NULL, &wrong, NULL, &error), FTL_ARG);
    assert_int_equal(ftl_cache_warm(f.cache, in_folder("missing"), NULL, NULL, NULL, &error),
                     FTL_IO);
    end(&f);
}

typedef struct listing {
    const fixture *f;
    char paths[8][256];
    int n, stop_at;
} listing;

static bool list(void *user, const ftl_cache_model *model)
{
    listing *l = user;
    snprintf(l->paths[l->n++], sizeof l->paths[0], "%s", model->path);
    assert_int_equal(model->struct_size, sizeof *model);
    assert_true(model->age_seconds >= 0 && model->age_seconds < 60);
    assert_true(model->idle_seconds <= model->age_seconds + 0.1);
    assert_true(model->bytes > 0 && model->load_seconds > 0);
    assert_int_equal(ftl_cache_evict(l->f->cache, model->path), 1); /* it stays whole meanwhile */
    assert_true(columns(model->model) > 0);
    return l->n != l->stop_at;
}

static void test_models_are_listed_the_most_recent_first(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *a = put(FOREST, "a"), *b = put(FOREST, "b"), *c = put(FOREST, "c");
    ask(&f, a);
    ask(&f, b);
    ask(&f, c);
    ftl_model *held = get(&f, a);
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_int_equal(model.holders, 0); /* the last one is b */
    listing l = {.f = &f, .stop_at = 2};
    assert_int_equal(ftl_cache_each(f.cache, list, &l, NULL), FTL_OK);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.paths[0], a);
    assert_string_equal(l.paths[1], c);
    l = (listing){.f = &f};
    assert_int_equal(ftl_cache_each(f.cache, list, &l, NULL), FTL_OK);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.paths[0], b);
    ftl_model_release(held);
    assert_int_equal(ftl_context_memory_used(f.context), f.empty);
    end(&f);
}

static void test_removing(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *a = put(FOREST, "a"), *b = put(FOREST, "b");
    ask(&f, a);
    ask(&f, b);
    assert_int_equal(ftl_cache_evict(f.cache, in_folder("missing")), 0);
    assert_int_equal(ftl_cache_evict(f.cache, a), 1);
    assert_false(ask(&f, a));
    assert_true(ask(&f, b));
    assert_int_equal(ftl_cache_clear(f.cache), 2);
    assert_int_equal(ftl_cache_clear(f.cache), 0);
    assert_int_equal(ftl_context_memory_used(f.context), f.empty);
    assert_int_equal(stats_of(&f).evictions, 0);
    assert_int_equal(stats_of(&f).misses, 3);
    assert_false(ask(&f, b));
    end(&f);
}

static void test_ten_thousand_loads_leave_nothing(void **state)
{
    (void)state;
    const char *paths[3] = {put(LOGREG, "a"), put(LOGREG, "b"), put(LOGREG, "c")};
    fixture f = begin(2); /* in turn: every request is a load and an eviction */
    uint64_t after_ten = 0;
    for (int i = 0; i < 10000; i++) {
        ask(&f, paths[i % 3]);
        if (i == 9)
            after_ten = ftl_context_memory_used(f.context);
    }
    assert_int_equal(ftl_context_memory_used(f.context), after_ten);
    assert_int_equal(stats_of(&f).loads, 10000);
    assert_int_equal(stats_of(&f).evictions, 9998);
    ftl_cache_clear(f.cache);
    assert_int_equal(ftl_context_memory_used(f.context), f.empty);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_second_request_is_a_hit),
        cmocka_unit_test(test_the_least_recently_used_model_leaves),
        cmocka_unit_test(test_a_model_in_use_outlives_its_place),
        cmocka_unit_test(test_bytes_have_a_limit),
        cmocka_unit_test(test_plans_count_at_the_next_look),
        cmocka_unit_test(test_models_make_room_when_memory_is_short),
        cmocka_unit_test(test_options_are_part_of_the_key),
        cmocka_unit_test(test_unset_sizes_are_refused),
        cmocka_unit_test(test_names_of_one_file_share_its_model),
        cmocka_unit_test(test_without_the_cache_nothing_changes_in_it),
        cmocka_unit_test(test_errors_are_not_kept),
        cmocka_unit_test(test_what_is_no_file_is_not_kept),
        cmocka_unit_test(test_warming_makes_the_plan),
        cmocka_unit_test(test_models_are_listed_the_most_recent_first),
        cmocka_unit_test(test_removing),
        cmocka_unit_test(test_ten_thousand_loads_leave_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
