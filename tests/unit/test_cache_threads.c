/* The cache of models by many threads, after a fork, and when memory runs out. */
#include "cache_fixture.h"

/* ---- Threads ---------------------------------------------------------------------------------- */

enum { N_THREADS = 8 };

typedef struct worker {
    pthread_t thread;
    const fixture *f;
    const char *const *paths;
    pthread_barrier_t *start;
    int rounds, n_paths, n;
    size_t expected;
    ftl_model *model;
    ftl_status status;
    ftl_error error;
    bool wrong;
} worker;

static void run_all(worker *workers, int n, const worker *template, void *(*run)(void *))
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        workers[i] = *template;
        workers[i].n = i;
        workers[i].start = &start;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
    for (int i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&start);
}

/* An allocator by which a load takes so long that all threads come to wait for it. */
static atomic_int naps;

static void *slow_realloc(void *user, void *pointer, size_t size)
{
    (void)user;
    const struct timespec nap = {.tv_nsec = 100 * 1000 * 1000};
    if (atomic_fetch_sub(&naps, 1) == 1)
        nanosleep(&nap, NULL);
    return realloc(pointer, size);
}

static void slow_free(void *user, void *pointer)
{
    (void)user;
    free(pointer);
}

/* The first load takes its time, at about its 20th allocation. */
static fixture begin_slow(void)
{
    static const ftl_allocator allocator = {slow_realloc, slow_free, NULL};
    fixture f = {0};
    const ftl_context_options context = {.struct_size = sizeof context, .allocator = &allocator};
    atomic_store(&naps, 0);
    assert_int_equal(ftl_context_create(&context, &f.context, NULL), FTL_OK);
    assert_int_equal(ftl_cache_create(f.context, NULL, &f.cache, NULL), FTL_OK);
    f.empty = ftl_context_memory_used(f.context);
    atomic_store(&naps, 20);
    return f;
}

static void *get_one(void *argument)
{
    worker *w = argument;
    pthread_barrier_wait(w->start);
    w->status = ftl_cache_get(w->f->cache, w->paths[w->n % w->n_paths], NULL, NULL, &w->model,
                              &w->error);
    return NULL;
}

static void test_threads_that_ask_at_once_open_once(void **state)
{
    (void)state;
    worker workers[N_THREADS];
    put(OTHER, "a");
    const char *const paths[] = {in_folder("a"), in_folder("./a")};
    uint64_t waits = 0;
    for (int round = 0; round < 3; round++) {
        fixture f = begin_slow();
        const worker template = {.f = &f, .paths = paths, .n_paths = 2};
        run_all(workers, N_THREADS, &template, get_one);
        for (int i = 0; i < N_THREADS; i++) {
            assert_int_equal(workers[i].status, FTL_OK);
            assert_ptr_equal(workers[i].model, workers[0].model);
        }
        const ftl_cache_stats stats = stats_of(&f);
        assert_int_equal(stats.loads, 1);
        assert_int_equal(stats.hits + stats.misses, N_THREADS);
        assert_int_equal(stats.misses, 1 + stats.waits);
        waits += stats.waits;
        for (int i = 0; i < N_THREADS; i++)
            ftl_model_release(workers[i].model);
        end(&f);
    }
    assert_true(waits > 0);
}

static void test_threads_that_wait_get_the_same_error(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    worker workers[N_THREADS];
    const char *path = put(OTHER, "a");
    size_t size = read_file(path, data, sizeof data);
    write_file(path, data, size - 10); /* the error comes late */
    const char *const paths[] = {path};
    uint64_t waits = 0;
    for (int round = 0; round < 3; round++) {
        fixture f = begin_slow();
        const worker template = {.f = &f, .paths = paths, .n_paths = 1};
        run_all(workers, N_THREADS, &template, get_one);
        for (int i = 0; i < N_THREADS; i++) {
            assert_int_equal(workers[i].status, workers[0].status);
            assert_int_not_equal(workers[i].status, FTL_OK);
            assert_string_equal(workers[i].error.message, workers[0].error.message);
        }
        const ftl_cache_stats stats = stats_of(&f);
        assert_int_equal(stats.loads + stats.waits, N_THREADS);
        assert_int_equal(stats.failures, stats.loads);
        waits += stats.waits;
        assert_int_equal(ftl_context_memory_used(f.context), f.empty);
        end(&f);
    }
    assert_true(waits > 0);
}

static bool note_nothing(void *user, const ftl_cache_model *model)
{
    (void)user;
    return model->bytes > 0;
}

/* Models come, go and change while others use them. */
static void *churn(void *argument)
{
    worker *w = argument;
    unsigned seed = (unsigned)w->n * 7919 + 1;
    pthread_barrier_wait(w->start);
    for (int i = 0; i < w->rounds && !w->wrong; i++) {
        seed = seed * 1664525 + 1013904223;
        const char *path = w->paths[(seed >> 16) % (unsigned)w->n_paths];
        if ((seed >> 8) % 97 == 0)
            (void)ftl_cache_evict(w->f->cache, path);
        if ((seed >> 8) % 331 == 0)
            (void)ftl_cache_clear(w->f->cache);
        if ((seed >> 8) % 61 == 0) {
            ftl_cache_stats stats = {.struct_size = sizeof stats};
            ftl_cache_model model = {0};
            w->wrong |= ftl_cache_get_stats(w->f->cache, &stats) != FTL_OK ||
                        ftl_cache_each(w->f->cache, note_nothing, &model, NULL) != FTL_OK;
        }
        ftl_model *model = NULL;
        if (ftl_cache_get(w->f->cache, path, NULL, NULL, &model, &w->error) != FTL_OK) {
            w->wrong = true;
            break;
        }
        ftl_plan *plan = NULL;
        size_t n = 0;
        ftl_model_info info = {.struct_size = sizeof info};
        if (ftl_model_get_info(model, &info) == FTL_OK)
            n = info.n_inputs;
        w->wrong |= n != n_forest && n != n_other;
        if (i % 16 == 0 && ftl_model_plan(model, NULL, &plan, &w->error) != FTL_OK)
            w->wrong = true;
        ftl_plan_release(plan);
        ftl_model_release(model);
    }
    return NULL;
}

static void *swap_files(void *argument)
{
    worker *w = argument;
    char from[512], temporary[256], target[256];
    static unsigned char data[2][1 << 20];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, FTL_TEST_DIR "/../fuzz/corpus/model/%s", i ? OTHER : FOREST);
        sizes[i] = read_file(from, data[i], sizeof data[i]);
    }
    snprintf(temporary, sizeof temporary, "%s/temporary", folder);
    snprintf(target, sizeof target, "%s", w->paths[0]);
    for (int i = 0; i < w->rounds && !w->wrong; i++) {
        const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
        write_file(temporary, data[i % 2], sizes[i % 2]);
        w->wrong |= rename(temporary, target) != 0;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void test_threads_while_files_change(void **state)
{
    (void)state;
    put(FOREST, "a");
    put(OTHER, "b");
    put(FOREST, "c");
    put(OTHER, "d");
    const char *const paths[] = {in_folder("a"), in_folder("b"), in_folder("./a"), in_folder("c"),
                                 in_folder("d")};
    for (int strict = 0; strict < 2; strict++) {
        worker workers[4], swapper = {.paths = paths, .rounds = 100};
        fixture f = begin_with((ftl_cache_options){.cache_size = 3,
                                                   .check_interval_ms = 5,
                                                   .check_always = strict == 1},
                               0);
        const worker template = {.f = &f, .paths = paths, .n_paths = 5, .rounds = 3000};
        assert_int_equal(pthread_create(&swapper.thread, NULL, swap_files, &swapper), 0);
        run_all(workers, 4, &template, churn);
        pthread_join(swapper.thread, NULL);
        for (int i = 0; i < 4; i++) {
            if (workers[i].wrong)
                fail_msg("%s", workers[i].error.message);
        }
        assert_false(swapper.wrong);
        const ftl_cache_stats stats = stats_of(&f);
        assert_true(stats.models <= 3);
        assert_int_equal(stats.hits + stats.misses, 4 * 3000);
        assert_int_equal(stats.failures, 0);
        ftl_cache_clear(f.cache);
        assert_true(ftl_context_memory_used(f.context) <= f.empty + 4096);
        end(&f);
    }
}

/* The use that every thread makes is counted, whatever stripe it has. */
static void *hit_often(void *argument)
{
    worker *w = argument;
    pthread_barrier_wait(w->start);
    for (int i = 0; i < w->rounds; i++) {
        ftl_model *model = NULL;
        w->wrong |= ftl_cache_get(w->f->cache, w->paths[0], NULL, NULL, &model, NULL) != FTL_OK;
        ftl_model_release(model);
    }
    return NULL;
}

static void test_hits_of_all_threads_are_counted(void **state)
{
    (void)state;
    worker workers[N_THREADS];
    fixture f = begin(0);
    const char *const paths[] = {put(FOREST, "a")};
    settle();
    ask(&f, paths[0]);
    const worker template = {.f = &f, .paths = paths, .n_paths = 1, .rounds = 2000};
    run_all(workers, N_THREADS, &template, hit_often);
    assert_int_equal(stats_of(&f).hits, N_THREADS * 2000);
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_int_equal(model.hits, N_THREADS * 2000);
    end(&f);
}

static void test_the_child_of_a_fork_goes_on(void **state)
{
    (void)state;
    fixture f = begin(0);
    const char *a = put(FOREST, "a"), *b = put(OTHER, "b");
    settle();
    ask(&f, a);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ftl_model *model = NULL;
        ftl_cache_answer answer = {.struct_size = sizeof answer};
        bool good = ftl_cache_get(f.cache, a, NULL, &answer, &model, NULL) == FTL_OK && answer.hit;
        ftl_model_release(model);
        good &= ftl_cache_get(f.cache, b, NULL, &answer, &model, NULL) == FTL_OK && !answer.hit;
        ftl_model_release(model);
        good &= ftl_cache_clear(f.cache) == 2;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(stats_of(&f).models, 1);
    end(&f);
}

/* ---- Memory that runs out --------------------------------------------------------------------- */

typedef struct failing {
    long count, fail_at; /* fail_at 0: never */
    bool stays;          /* memory stays exhausted from there on */
    long held;
} failing;

static void *failing_realloc(void *user, void *pointer, size_t size)
{
    failing *f = user;
    f->count++;
    if (f->fail_at && (f->count == f->fail_at || (f->stays && f->count > f->fail_at)))
        return NULL;
    void *block = realloc(pointer, size);
    f->held += block && !pointer;
    return block;
}

static void failing_free(void *user, void *pointer)
{
    ((failing *)user)->held -= pointer != NULL;
    free(pointer);
}

/* Opens, hits, names, evicts, lists; false when the allocator failed somewhere. */
static bool use_cache(failing *memory, const char *const *paths)
{
    const ftl_allocator allocator = {failing_realloc, failing_free, memory};
    const ftl_context_options options = {
        .struct_size = sizeof options, .allocator = &allocator, .threads = 1};
    const ftl_cache_options cache_options = {
        .struct_size = sizeof cache_options, .cache_size = 2, .check_always = true};
    ftl_context *context = NULL;
    ftl_cache *cache = NULL;
    ftl_cache_model model = {0};
    bool good = true;
    memory->count = 0;
    ftl_status status = ftl_context_create(&options, &context, NULL);
    if (status == FTL_OK)
        status = ftl_cache_create(context, &cache_options, &cache, NULL);
    good = status == FTL_OK;
    for (int i = 0; i < 10 && cache; i++) {
        ftl_model *got = NULL;
        ftl_error error;
        status = ftl_cache_get(cache, paths[i % 4], NULL, NULL, &got, &error);
        if (status != FTL_OK && (status != FTL_NOMEM || got))
            fail_msg("%s: %s", ftl_status_name(status), error.message);
        good &= status == FTL_OK;
        ftl_model_release(got);
        ftl_cache_stats stats = {.struct_size = sizeof stats};
        assert_int_equal(ftl_cache_get_stats(cache, &stats), FTL_OK);
        assert_true(stats.models <= 2);
    }
    if (cache) {
        status = ftl_cache_each(cache, note_nothing, &model, NULL);
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        good &= status == FTL_OK;
        status = ftl_cache_warm(cache, paths[0], NULL, NULL, NULL, NULL);
        assert_true(status == FTL_OK || status == FTL_NOMEM);
        good &= status == FTL_OK;
    }
    ftl_cache_destroy(cache);
    ftl_context_destroy(context);
    assert_int_equal(memory->held, 0);
    return good;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    put(LOGREG, "a");
    put(LOGREG, "b");
    put(LOGREG, "c");
    settle();
    const char *const paths[] = {in_folder("a"), in_folder("./a"), in_folder("b"), in_folder("c")};
    failing memory = {0};
    assert_true(use_cache(&memory, paths));
    long total = memory.count, failed = 0;
    assert_true(total > 100);
    for (int stays = 0; stays < 2; stays++) {
        for (long n = 1; n <= total; n++) {
            memory = (failing){.fail_at = n, .stays = stays == 1};
            failed += !use_cache(&memory, paths);
        }
    }
    assert_true(failed > total); /* a load that fails once is tried again when somebody can leave */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_that_ask_at_once_open_once),
        cmocka_unit_test(test_threads_that_wait_get_the_same_error),
        cmocka_unit_test(test_threads_while_files_change),
        cmocka_unit_test(test_hits_of_all_threads_are_counted),
        cmocka_unit_test(test_the_child_of_a_fork_goes_on),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
