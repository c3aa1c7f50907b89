/*
 * The cache of models through the public header alone. Models are copies of files of the fuzz
 * targets' corpus in a folder of the test's own, which are told apart by how many columns they
 * take.
 */
#include "unit.h"

#include <foretell/cache.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOREST "1.9-rf_balanced"  /* 5 columns */
#define OTHER "1.9-real_logreg"   /* 8 columns */
#define LOGREG "1.2.2-logreg_str" /* small */

/* ---- Files ----------------------------------------------------------------------------------- */

static char folder[] = "/tmp/foretell-cache-XXXXXX";

static const char *in_folder(const char *name)
{
    static _Thread_local char paths[8][256];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static size_t read_file(const char *path, unsigned char *data, size_t room)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    size_t size = fread(data, 1, room, file);
    fclose(file);
    assert_true(size > 0 && size < room);
    return size;
}

/* In place, as joblib.dump writes. */
static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Until what was written is older than the clock's grain. */
static void settle(void)
{
    const struct timespec grain = {.tv_nsec = 80 * 1000 * 1000};
    nanosleep(&grain, NULL);
}

static void copy_over(const char *model, const char *path)
{
    static unsigned char data[1 << 20];
    char from[512];
    snprintf(from, sizeof from, FTL_TEST_DIR "/../fuzz/corpus/model/%s", model);
    write_file(path, data, read_file(from, data, sizeof data));
}

/* A model in the folder, just written. */
static const char *put(const char *model, const char *name)
{
    const char *path = in_folder(name);
    copy_over(model, path);
    return path;
}

static size_t columns_of(const char *model)
{
    char path[512];
    ftl_context *context = NULL;
    ftl_model *opened = NULL;
    ftl_model_info info = {.struct_size = sizeof info};
    snprintf(path, sizeof path, FTL_TEST_DIR "/../fuzz/corpus/model/%s", model);
    assert_int_equal(ftl_context_create(NULL, &context, NULL), FTL_OK);
    assert_int_equal(ftl_model_open(context, path, NULL, &opened, NULL), FTL_OK);
    assert_int_equal(ftl_model_get_info(opened, &info), FTL_OK);
    ftl_model_release(opened);
    ftl_context_destroy(context);
    return info.n_inputs;
}

/* ---- Caches ---------------------------------------------------------------------------------- */

typedef struct fixture {
    ftl_context *context;
    ftl_cache *cache;
    uint64_t empty; /* bytes of the context with its empty cache */
} fixture;

static fixture begin_with(ftl_cache_options options, uint64_t memory_limit)
{
    fixture f = {0};
    const ftl_context_options context = {
        .struct_size = sizeof context, .threads = 1, .memory_limit = memory_limit};
    options.struct_size = sizeof options;
    assert_int_equal(ftl_context_create(&context, &f.context, NULL), FTL_OK);
    assert_int_equal(ftl_cache_create(f.context, &options, &f.cache, NULL), FTL_OK);
    f.empty = ftl_context_memory_used(f.context);
    return f;
}

static fixture begin(uint32_t size) { return begin_with((ftl_cache_options){.cache_size = size}, 0); }

static fixture begin_strict(uint32_t size)
{
    return begin_with((ftl_cache_options){.cache_size = size, .check_always = true}, 0);
}

static void end(fixture *f)
{
    ftl_cache_destroy(f->cache);
    assert_true(ftl_context_memory_used(f->context) < f->empty);
    ftl_context_destroy(f->context);
}

static ftl_cache_stats stats_of(const fixture *f)
{
    ftl_cache_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(ftl_cache_get_stats(f->cache, &stats), FTL_OK);
    return stats;
}

static ftl_cache_answer last;

static ftl_model *get_with(const fixture *f, const char *path, const ftl_model_options *options)
{
    const ftl_cache_get_options get = {.struct_size = sizeof get, .model = options};
    ftl_model *model = NULL;
    ftl_error error;
    last = (ftl_cache_answer){.struct_size = sizeof last};
    if (ftl_cache_get(f->cache, path, &get, &last, &model, &error) != FTL_OK)
        fail_msg("%s: %s", path, error.message);
    return model;
}

static ftl_model *get(const fixture *f, const char *path) { return get_with(f, path, NULL); }

/* Asks and lets go; whether it was a hit. */
static bool ask(const fixture *f, const char *path)
{
    ftl_model_release(get(f, path));
    return last.hit;
}

static size_t columns(const ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    return info.n_inputs;
}

static size_t ask_columns(const fixture *f, const char *path)
{
    ftl_model *model = get(f, path);
    size_t n = columns(model);
    ftl_model_release(model);
    return n;
}

static ftl_status try_get(const fixture *f, const char *path, ftl_error *error)
{
    ftl_model *model = NULL;
    ftl_status status = ftl_cache_get(f->cache, path, NULL, NULL, &model, error);
    ftl_model_release(model);
    return status;
}

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
    fixture f =
        begin_with((ftl_cache_options){.max_bytes = 2 * one + 64, .check_always = true}, 0);
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
    ask(&f, a);
    ftl_model *held = get(&f, b);
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
    const ftl_plan_options proba = {.struct_size = sizeof proba, .methods = 1u << FTL_PREDICT_PROBA};
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
    char many[256];
    uint64_t before = 0;
    for (int i = 0; i < 400; i++) {
        int used = snprintf(many, sizeof many, "%s/", folder);
        for (int k = 0; k < i % 100; k++)
            used += snprintf(many + used, sizeof many - (size_t)used, "/");
        snprintf(many + used, sizeof many - (size_t)used, "a");
        assert_true(ask(&f, many));
        if (i == 199)
            before = ftl_context_memory_used(f.context);
    }
    assert_true(ftl_context_memory_used(f.context) <= before);
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

/* ---- Files that change ------------------------------------------------------------------------ */

static size_t n_forest, n_other;

static void test_a_file_that_is_rewritten_is_opened_again(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(ask(&f, path));
    copy_over(OTHER, path); /* in place */
    settle();
    assert_int_equal(ask_columns(&f, path), n_other);
    assert_false(last.hit);
    assert_true(ask(&f, path));
    copy_over(FOREST, in_folder("new"));
    settle();
    assert_int_equal(rename(in_folder("new"), path), 0); /* another inode */
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_int_equal(stats_of(&f).models, 1);
    assert_int_equal(stats_of(&f).invalidations, 2);
    assert_int_equal(stats_of(&f).loads, 3);
    end(&f);
}

static void test_a_touched_file_is_opened_again(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    settle();
    ftl_model *before = get(&f, path);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    settle();
    ftl_model *after = get(&f, path);
    assert_false(last.hit);
    assert_ptr_not_equal(before, after);
    ftl_model_release(before);
    ftl_model_release(after);
    end(&f);
}

/* As `cp -p` and rsync do: the bytes change, size and time stay. */
static void test_a_time_that_is_set_back_hides_nothing(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    struct stat st;
    settle();
    assert_int_equal(stat(path, &st), 0);
    ask(&f, path);
    copy_over(FOREST, path);
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    settle();
    assert_false(ask(&f, path));
    assert_true(ask(&f, path));
    end(&f);
}

/* Opened within a grain of the clock after it was written: it may change without a trace. */
static void test_a_file_just_written_is_read_again_later(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    ask(&f, path);
    settle();
    assert_false(ask(&f, path));
    assert_true(ask(&f, path));
    settle();
    assert_true(ask(&f, path));
    end(&f);
}

static void test_a_link_that_is_switched_leads_to_the_new_file(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *one = put(FOREST, "v1"), *two = put(OTHER, "v2"), *link = in_folder("current");
    unlink(link);
    assert_int_equal(symlink("v1", link), 0);
    settle();
    assert_int_equal(ask_columns(&f, one), n_forest);
    assert_int_equal(ask_columns(&f, link), n_forest);
    assert_int_equal(stats_of(&f).models, 1);
    unlink(link);
    assert_int_equal(symlink("v2", link), 0);
    assert_int_equal(ask_columns(&f, link), n_other);
    assert_int_equal(ask_columns(&f, one), n_forest);
    assert_true(last.hit);
    assert_int_equal(ask_columns(&f, two), n_other);
    assert_true(last.hit);
    end(&f);
    unlink(link);
}

static void test_a_half_written_file_leaves_the_old_model(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a"), *other = put(OTHER, "b");
    size_t size = read_file(other, data, sizeof data);
    settle();
    ask(&f, path);
    write_file(path, data, size / 2);
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(last.hit && last.stale);
    uint64_t loads = stats_of(&f).loads;
    assert_int_equal(stats_of(&f).failures, 1);
    assert_int_equal(ask_columns(&f, path), n_forest);
    assert_true(last.stale);
    assert_int_equal(stats_of(&f).loads, loads); /* it has not changed: not tried again */
    assert_int_equal(stats_of(&f).stale_hits, 2);
    write_file(path, data, size);
    settle();
    assert_int_equal(ask_columns(&f, path), n_other);
    assert_false(last.stale);
    assert_true(ask(&f, path) && !last.stale);
    end(&f);
}

static bool note_model(void *user, const ftl_cache_model *model)
{
    *(ftl_cache_model *)user = *model;
    static char message[FTL_ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof message, "%s", model->error_message);
    ((ftl_cache_model *)user)->error_message = message;
    return true;
}

static void test_the_reason_of_a_stale_model_is_told(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 50}, 0);
    const char *path = put(FOREST, "a");
    settle();
    ask(&f, path);
    write_file(path, "no model", 8);
    settle();
    assert_true(ask(&f, path));
    assert_true(last.stale);
    assert_true(ask(&f, path)); /* needs no look */
    assert_true(last.stale);
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_true(model.stale);
    assert_true(strlen(model.error_message) > 0);
    assert_int_equal(model.failures, 1);
    assert_int_equal(model.hits, 2);
    copy_over(FOREST, path);
    settle();
    assert_false(ask(&f, path));
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_false(model.stale);
    assert_string_equal(model.error_message, "");
    assert_int_equal(model.loads, 2); /* that succeeded */
    assert_int_equal(model.hits, 2); /* of the file's earlier version */
    end(&f);
}

static void test_a_file_that_is_gone_is_an_error(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    const char *path = put(FOREST, "a");
    ftl_error error;
    settle();
    ask(&f, path);
    unlink(path);
    assert_int_equal(try_get(&f, path, &error), FTL_IO);
    assert_non_null(strstr(error.message, path));
    assert_int_equal(stats_of(&f).models, 0);
    assert_int_equal(stats_of(&f).invalidations, 1);
    copy_over(OTHER, path);
    assert_int_equal(ask_columns(&f, path), n_other);
    end(&f);
}

static void test_files_are_looked_at_once_an_interval(void **state)
{
    (void)state;
    fixture f = begin_with((ftl_cache_options){.check_interval_ms = 300}, 0);
    const char *path = put(FOREST, "a");
    settle();
    assert_int_equal(ask_columns(&f, path), n_forest);
    copy_over(OTHER, path);
    assert_int_equal(ask_columns(&f, path), n_forest); /* known, and documented */
    assert_true(last.hit);
    const struct timespec interval = {.tv_nsec = 400 * 1000 * 1000};
    nanosleep(&interval, NULL);
    assert_int_equal(ask_columns(&f, path), n_other);
    end(&f);
}

/* ---- Other files of a model ------------------------------------------------------------------- */

/* The pickle of a list of names, for options.labels. */
static void put_labels(const char *path, const char *first)
{
    char data[128];
    int n = snprintf(data, sizeof data, "(lp0\nV%s\np1\naVbb\np2\na.", first);
    write_file(path, data, (size_t)n);
}

static void first_class(const ftl_model *model, char *out, size_t room)
{
    ftl_label label = {.struct_size = sizeof label};
    assert_int_equal(ftl_model_class(model, 0, 0, &label), FTL_OK);
    assert_int_equal(label.type, FTL_STRING);
    snprintf(out, room, "%.*s", (int)label.size, label.text);
}

static void test_files_that_options_name_are_watched(void **state)
{
    (void)state;
    fixture f = begin_strict(0);
    char name[32];
    const char *path = put("1.9-logreg_weight", "a"), *labels = in_folder("labels.pkl");
    put_labels(labels, "aa");
    settle();
    const ftl_model_options options = {.struct_size = sizeof options, .labels = labels};
    ftl_model *model = get_with(&f, path, &options);
    first_class(model, name, sizeof name);
    assert_string_equal(name, "aa");
    ftl_model_release(model);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.hit);
    put_labels(labels, "zz");
    settle();
    model = get_with(&f, path, &options);
    assert_false(last.hit);
    first_class(model, name, sizeof name);
    assert_string_equal(name, "zz");
    ftl_model_release(model);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.hit);
    unlink(labels);
    ftl_model_release(get_with(&f, path, &options));
    assert_true(last.stale);
    end(&f);
}

static void test_entries_are_requests_of_their_own(void **state)
{
    (void)state;
    static unsigned char data[1 << 20];
    char from[512];
    const char *path = in_folder("bundle");
    fixture f = begin(0);
    /* a dict of a model, written around the model's own pickle: {'m': ...} */
    snprintf(from, sizeof from, FTL_TEST_DIR "/../fuzz/corpus/model/%s", LOGREG);
    size_t size = read_file(from, data + 16, sizeof data - 16);
    size_t begun = data[16] == 0x80 ? 2 : 0;
    assert_int_equal(begun, 2);
    unsigned char *head = data + 16 + begun - 6 - 2;
    memcpy(head, "\x80\x04}U\x01m", 6);
    memcpy(head + 6, data + 16 + begun, 0);
    memmove(head + 6, data + 16 + begun, size - begun);
    size_t whole = 6 + size - begun;
    head[whole - 1] = 's';
    head[whole] = '.';
    write_file(path, head, whole + 1);
    settle();
    char with_entry[300];
    snprintf(with_entry, sizeof with_entry, "%s:m", path);
    const ftl_model_options options = {.struct_size = sizeof options, .select = "m"};
    ftl_model *by_path = get(&f, with_entry);
    assert_false(last.hit);
    ftl_model *by_option = get_with(&f, path, &options);
    assert_true(last.hit);
    assert_ptr_equal(by_path, by_option);
    ftl_model_release(get(&f, path));
    assert_false(last.hit); /* chosen by itself: its note may differ */
    ftl_cache_model model = {0};
    assert_int_equal(ftl_cache_evict(f.cache, with_entry), 1);
    assert_int_equal(ftl_cache_each(f.cache, note_model, &model, NULL), FTL_OK);
    assert_null(model.select);
    ftl_model_release(by_path);
    ftl_model_release(by_option);
    ftl_error error;
    snprintf(with_entry, sizeof with_entry, "%s:nothing", path);
    assert_int_not_equal(try_get(&f, with_entry, &error), FTL_OK);
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
    const ftl_plan_options both = {
        .struct_size = sizeof both, .methods = 1u << FTL_PREDICT | 1u << FTL_PREDICT_PROBA};
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
    for (int round = 0; round < 20; round++) {
        fixture f = begin(0);
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
    for (int round = 0; round < 20; round++) {
        fixture f = begin(0);
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

/* ---- Main ------------------------------------------------------------------------------------- */

static int make_folder(void **state)
{
    (void)state;
    n_forest = columns_of(FOREST);
    n_other = columns_of(OTHER);
    return mkdtemp(folder) && n_forest != n_other ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a",    "b",      "c",       "d",          "v1",     "v2",
                                        "link", "broken", "current", "labels.pkl", "bundle", "new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(in_folder(names[i]));
    return rmdir(folder);
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
        cmocka_unit_test(test_a_file_that_is_rewritten_is_opened_again),
        cmocka_unit_test(test_a_touched_file_is_opened_again),
        cmocka_unit_test(test_a_time_that_is_set_back_hides_nothing),
        cmocka_unit_test(test_a_file_just_written_is_read_again_later),
        cmocka_unit_test(test_a_link_that_is_switched_leads_to_the_new_file),
        cmocka_unit_test(test_a_half_written_file_leaves_the_old_model),
        cmocka_unit_test(test_the_reason_of_a_stale_model_is_told),
        cmocka_unit_test(test_a_file_that_is_gone_is_an_error),
        cmocka_unit_test(test_files_are_looked_at_once_an_interval),
        cmocka_unit_test(test_files_that_options_name_are_watched),
        cmocka_unit_test(test_entries_are_requests_of_their_own),
        cmocka_unit_test(test_errors_are_not_kept),
        cmocka_unit_test(test_what_is_no_file_is_not_kept),
        cmocka_unit_test(test_warming_makes_the_plan),
        cmocka_unit_test(test_models_are_listed_the_most_recent_first),
        cmocka_unit_test(test_removing),
        cmocka_unit_test(test_ten_thousand_loads_leave_nothing),
        cmocka_unit_test(test_threads_that_ask_at_once_open_once),
        cmocka_unit_test(test_threads_that_wait_get_the_same_error),
        cmocka_unit_test(test_threads_while_files_change),
        cmocka_unit_test(test_hits_of_all_threads_are_counted),
        cmocka_unit_test(test_the_child_of_a_fork_goes_on),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
