/*
 * What the tests of the cache share: models in a folder of the test's own, which are copies of
 * files of the fuzz targets' corpus and told apart by how many columns they take; caches, and
 * asking them.
 */
#ifndef FTL_TESTS_CACHE_FIXTURE_H
#define FTL_TESTS_CACHE_FIXTURE_H

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

static inline const char *in_folder(const char *name)
{
    static _Thread_local char paths[8][256];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline size_t read_file(const char *path, unsigned char *data, size_t room)
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
static inline void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Until what was written is older than the clock's grain. */
static inline void settle(void)
{
    const struct timespec grain = {.tv_nsec = 80 * 1000 * 1000};
    nanosleep(&grain, NULL);
}

static inline void copy_over(const char *model, const char *path)
{
    static unsigned char data[1 << 20];
    char from[512];
    snprintf(from, sizeof from, FTL_TEST_DIR "/../fuzz/corpus/model/%s", model);
    write_file(path, data, read_file(from, data, sizeof data));
}

/* A model in the folder, just written. */
static inline const char *put(const char *model, const char *name)
{
    const char *path = in_folder(name);
    copy_over(model, path);
    return path;
}

static inline size_t columns_of(const char *model)
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

static inline fixture begin_with(ftl_cache_options options, uint64_t memory_limit)
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

static inline fixture begin(uint32_t size)
{
    return begin_with((ftl_cache_options){.cache_size = size}, 0);
}

static inline fixture begin_strict(uint32_t size)
{
    return begin_with((ftl_cache_options){.cache_size = size, .check_always = true}, 0);
}

static inline void end(fixture *f)
{
    ftl_cache_destroy(f->cache);
    assert_true(ftl_context_memory_used(f->context) < f->empty);
    ftl_context_destroy(f->context);
}

static inline ftl_cache_stats stats_of(const fixture *f)
{
    ftl_cache_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(ftl_cache_get_stats(f->cache, &stats), FTL_OK);
    return stats;
}

static ftl_cache_answer last;

static inline ftl_model *get_with(const fixture *f, const char *path,
                                  const ftl_model_options *options)
{
    const ftl_cache_get_options get = {.struct_size = sizeof get, .model = options};
    ftl_model *model = NULL;
    ftl_error error;
    last = (ftl_cache_answer){.struct_size = sizeof last};
    if (ftl_cache_get(f->cache, path, &get, &last, &model, &error) != FTL_OK)
        fail_msg("%s: %s", path, error.message);
    return model;
}

static inline ftl_model *get(const fixture *f, const char *path) { return get_with(f, path, NULL); }

/* Asks and lets go; whether it was a hit. */
static inline bool ask(const fixture *f, const char *path)
{
    ftl_model_release(get(f, path));
    return last.hit;
}

static inline size_t columns(const ftl_model *model)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    return info.n_inputs;
}

static inline size_t ask_columns(const fixture *f, const char *path)
{
    ftl_model *model = get(f, path);
    size_t n = columns(model);
    ftl_model_release(model);
    return n;
}

static inline ftl_status try_get(const fixture *f, const char *path, ftl_error *error)
{
    ftl_model *model = NULL;
    ftl_status status = ftl_cache_get(f->cache, path, NULL, NULL, &model, error);
    ftl_model_release(model);
    return status;
}

/* The last model that is listed; user: an ftl_cache_model. */
static inline bool note_model(void *user, const ftl_cache_model *model)
{
    *(ftl_cache_model *)user = *model;
    static char message[FTL_ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof message, "%s", model->error_message);
    ((ftl_cache_model *)user)->error_message = message;
    return true;
}

/* ---- The folder ---- */

static size_t n_forest, n_other;

static inline int make_folder(void **state)
{
    (void)state;
    n_forest = columns_of(FOREST);
    n_other = columns_of(OTHER);
    return mkdtemp(folder) && n_forest != n_other ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a",          "b",      "c",   "d",      "v1",
                                        "v2",         "link",   "old", "broken", "current",
                                        "labels.pkl", "bundle", "new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(in_folder(names[i]));
    return rmdir(folder);
}

#endif
