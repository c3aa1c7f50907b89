/* The cache of models for threads that may not wait, and for a context whose memory runs short. */
#include "cache_fixture.h"

/* ---- Not waiting ------------------------------------------------------------------------------ */

static ftl_status get_now(const fixture *f, const char *path, ftl_model **out)
{
    const ftl_cache_get_options options = {.struct_size = sizeof options, .no_wait = true};
    last = (ftl_cache_answer){.struct_size = sizeof last};
    return ftl_cache_get(f->cache, path, &options, &last, out, NULL);
}

/* The columns of what is given out; 0: it is not open. */
static size_t columns_now(const fixture *f, const char *path)
{
    ftl_model *model = NULL;
    ftl_status status = get_now(f, path, &model);
    if (status == FTL_END) {
        assert_null(model);
        return 0;
    }
    assert_int_equal(status, FTL_OK);
    size_t n = columns(model);
    ftl_model_release(model);
    return n;
}

static void test_what_is_open_is_given_out(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 60000}, 0);
    const char *path = put(FOREST, "a");
    settle();
    assert_int_equal(columns_now(&f, path), 0);
    ftl_cache_stats stats = stats_of(&f);
    assert_int_equal(stats.hits + stats.misses + stats.loads, 0);
    ask(&f, path);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_true(last.hit && !last.stale && !last.due);
    stats = stats_of(&f);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.misses, 1);
    assert_int_equal(columns_now(&f, in_folder("./a")), 0); /* a name that nobody asked for yet */
    ftl_cache_evict(f.cache, path);
    assert_int_equal(columns_now(&f, path), 0);
    end(&f);
}

static void test_files_are_not_looked_at(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 300}, 0);
    const struct timespec interval = {.tv_nsec = 400 * 1000 * 1000};
    const char *path = put(FOREST, "a");
    settle();
    ask(&f, path);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_false(last.due);
    copy_over(OTHER, path);
    nanosleep(&interval, NULL);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_true(last.due);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_false(last.due); /* one is told */
    nanosleep(&interval, NULL);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_true(last.due); /* and again, as nobody looked */
    assert_int_equal(ask_columns(&f, path), n_other);
    assert_int_equal(columns_now(&f, path), n_other);
    assert_false(last.due || last.stale);
    unlink(path);
    nanosleep(&interval, NULL);
    assert_int_equal(columns_now(&f, path), n_other);
    assert_true(last.due);
    assert_int_equal(try_get(&f, path, NULL), FTL_IO);
    assert_int_equal(columns_now(&f, path), 0);
    end(&f);
}

static void test_a_stale_model_is_said_to_be(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    size_t size = read_file(path, data, sizeof data);
    settle();
    ask(&f, path);
    write_file(path, data, size / 2);
    settle();
    ask(&f, path);
    assert_true(last.stale);
    assert_int_equal(columns_now(&f, path), n_forest);
    assert_true(last.stale && last.due); /* where every request looks, it is always time */
    end(&f);
}

static void test_what_cannot_be_done_at_once_is_refused(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *path = put(FOREST, "a");
    ftl_model *model = NULL;
    ftl_cache_get_options options = {
        .struct_size = sizeof options, .no_wait = true, .no_cache = true};
    ftl_error error;
    assert_int_equal(ftl_cache_get(f.cache, path, &options, NULL, &model, &error), FTL_ARG);
    assert_string_equal(error.option, "no_wait");
    options.no_cache = false;
    assert_int_equal(ftl_cache_warm(f.cache, path, &options, NULL, NULL, &error), FTL_ARG);
    assert_string_equal(error.option, "no_wait");
    assert_int_equal(stats_of(&f).loads, 0);
    end(&f);
}

/* ---- Threads ---------------------------------------------------------------------------------- */

typedef struct asker {
    pthread_t thread;
    const fixture *f;
    const char *const *paths; /* [3] */
    atomic_bool *over;
    bool waits;
    atomic_bool wrong;
} asker;

static void *ask_on(void *argument)
{
    asker *a = argument;
    const ftl_cache_get_options options = {.struct_size = sizeof options, .no_wait = !a->waits};
    for (unsigned i = 0; !atomic_load(a->over) && !a->wrong; i++) {
        ftl_model *model = NULL;
        ftl_cache_answer answer = {.struct_size = sizeof answer};
        ftl_status status = ftl_cache_get(a->f->cache, a->paths[i % 3], &options, &answer, &model,
                                          NULL);
        a->wrong = status != FTL_OK && (a->waits || status != FTL_END);
        ftl_model_release(model);
        if (a->waits && i % 50 == 0)
            (void)ftl_cache_evict(a->f->cache, a->paths[i / 50 % 3]);
    }
    return NULL;
}

static void test_those_who_wait_and_those_who_do_not(void **state)
{
    (void)state;
    const char *const paths[] = {put(FOREST, "a"), put(OTHER, "b"), put(FOREST, "c")};
    fixture f = begin_with((ftl_cache_options){.cache_size = 2, .check_interval_ms = 1}, 0);
    atomic_bool over = false;
    asker askers[4];
    for (int i = 0; i < 4; i++) {
        askers[i].f = &f;
        askers[i].paths = paths;
        askers[i].over = &over;
        askers[i].waits = i == 0;
        atomic_init(&askers[i].wrong, false);
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]), 0);
    }
    while (stats_of(&f).loads < 200 && !askers[0].wrong)
        settle();
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_false(askers[i].wrong);
    }
    assert_int_equal(stats_of(&f).failures, 0);
    end(&f);
}

/* ---- Memory that runs short -------------------------------------------------------------------- */

/* A model of the caller's that is opened outside of the cache takes the place of idle ones in it.
 */
static void test_idle_models_make_room_for_the_context(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.cache_size = 8}, 1 << 20);
    ftl_model *held = get(&f, put(FOREST, "a"));
    uint32_t most = 0;
    size_t n = 0;
    ftl_model *others[64];
    ask(&f, put(FOREST, "b"));
    ask(&f, put(FOREST, "c"));
    for (; n < 64; n++) {
        ftl_error error;
        uint32_t before = stats_of(&f).models;
        most = before > most ? before : most;
        if (ftl_model_open(f.context, in_folder("b"), NULL, &others[n], &error) != FTL_OK) {
            assert_int_equal(error.code, FTL_NOMEM);
            break;
        }
    }
    assert_int_equal(most, 3);
    assert_true(n > 0 && n < 64);             /* the limit was met, */
    assert_int_equal(stats_of(&f).models, 1); /* and what nobody held had gone before */
    assert_int_equal(stats_of(&f).evictions, 2);
    assert_int_equal(columns(held), n_forest);
    while (n > 0)
        ftl_model_release(others[--n]);
    ftl_model_release(held);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_open_is_given_out),
        cmocka_unit_test(test_files_are_not_looked_at),
        cmocka_unit_test(test_a_stale_model_is_said_to_be),
        cmocka_unit_test(test_what_cannot_be_done_at_once_is_refused),
        cmocka_unit_test(test_those_who_wait_and_those_who_do_not),
        cmocka_unit_test(test_idle_models_make_room_for_the_context),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
