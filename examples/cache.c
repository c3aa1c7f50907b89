/*
 * Models stay open between requests: each is warmed, then they are asked for in turn.
 *
 *   cache SIZE ROUNDS MODEL...    a cache of SIZE models (0: as many as it has by itself)
 *
 *   cc cache.c $(pkg-config --cflags --libs foretell) -o cache
 */
#include <foretell/cache.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const char *path, const ftl_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", path, ftl_status_name(error->code), error->message);
    return 1;
}

/* What a server does for each request; it would predict where this one counts columns. */
static int serve(ftl_cache *cache, const char *path)
{
    ftl_error error;
    ftl_model *model = NULL;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_cache_get(cache, path, NULL, &answer, &model, &error) != FTL_OK)
        return fail(path, &error);
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return 1;
    printf("%s: %zu columns, %s%s\n", path, info.n_inputs, answer.hit ? "hit" : "opened",
           answer.stale ? ", its file has changed and cannot be opened" : "");
    ftl_model_release(model); /* the cache has its own reference */
    return 0;
}

static bool print_model(void *user, const ftl_cache_model *model)
{
    (void)user;
    printf("%s: %llu hits, %llu KiB, opened in %.1f ms\n", model->path,
           (unsigned long long)model->hits, (unsigned long long)model->bytes >> 10,
           1e3 * model->load_seconds);
    return true;
}

static int run(ftl_cache *cache, long rounds, int n, char **paths)
{
    ftl_error error;
    for (int i = 0; i < n; i++) {
        if (ftl_cache_warm(cache, paths[i], NULL, NULL, NULL, &error) != FTL_OK)
            return fail(paths[i], &error);
    }
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < n; i++) {
            if (serve(cache, paths[i]) != 0)
                return 1;
        }
    }
    ftl_cache_stats stats = {.struct_size = sizeof stats};
    if (ftl_cache_get_stats(cache, &stats) != FTL_OK ||
        ftl_cache_each(cache, print_model, NULL, &error) != FTL_OK)
        return 1;
    printf("%u of %u models, %llu hits, %llu misses, %llu evictions\n", stats.models,
           stats.cache_size, (unsigned long long)stats.hits, (unsigned long long)stats.misses,
           (unsigned long long)stats.evictions);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: cache SIZE ROUNDS MODEL...\n");
        return 2;
    }
    ftl_error error;
    ftl_context *context = NULL;
    ftl_cache *cache = NULL;
    const ftl_cache_options options = {.struct_size = sizeof options,
                                       .cache_size = (uint32_t)strtoul(argv[1], NULL, 10)};
    int result;
    if (ftl_context_create(NULL, &context, &error) != FTL_OK ||
        ftl_cache_create(context, &options, &cache, &error) != FTL_OK)
        result = fail("cache", &error);
    else
        result = run(cache, strtol(argv[2], NULL, 10), argc - 3, argv + 3);
    ftl_cache_destroy(cache);
    ftl_context_destroy(context);
    return result;
}
