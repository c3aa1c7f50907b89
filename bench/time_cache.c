/*
 * Times hits of the cache: a request for a model that is there, and letting it go, by 1, 2, ...
 * threads at once. Prints one JSON line: nanoseconds of CPU
 * time a hit, medians.
 *
 *     time_cache MODEL [THREADS]
 */
#include "timing.h"

#include <foretell/cache.h>

#include <pthread.h>
#include <time.h>

enum { rounds = 21, calls = 200000, most_threads = 64 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static ftl_cache *cache;
static const char *path;
static pthread_barrier_t start;

/* CPU time: what other programs take does not count. */
static void *hit(void *argument)
{
    double *times = argument;
    for (int i = 0; i < rounds; i++) {
        pthread_barrier_wait(&start);
        double begun = now(CLOCK_THREAD_CPUTIME_ID);
        for (int k = 0; k < calls; k++) {
            ftl_model *model;
            if (ftl_cache_get(cache, path, NULL, NULL, &model, NULL) != FTL_OK)
                exit(1);
            ftl_model_release(model);
        }
        times[i] = (now(CLOCK_THREAD_CPUTIME_ID) - begun) / calls;
    }
    return NULL;
}

static double time_threads(unsigned n)
{
    static double times[most_threads][rounds];
    pthread_t threads[most_threads];
    pthread_barrier_init(&start, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, hit, times[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    qsort(times[0], rounds, sizeof(double), by_value);
    return times[0][rounds / 2];
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    ftl_context *context;
    ftl_model *model;
    ftl_error error;
    if (argc < 2 || threads < 1 || threads > most_threads) {
        fprintf(stderr, "usage: time_cache MODEL [THREADS]\n");
        return 2;
    }
    path = argv[1];
    if (ftl_context_create(NULL, &context, &error) != FTL_OK ||
        ftl_cache_create(context, NULL, &cache, &error) != FTL_OK ||
        ftl_cache_get(cache, path, NULL, NULL, &model, &error) != FTL_OK) {
        fprintf(stderr, "time_cache: %s\n", error.message);
        return 1;
    }
    ftl_model_release(model);
    printf("{");
    for (unsigned n = 1; n <= threads; n++)
        printf("%s\"threads_%u_ns\": %.1f", n == 1 ? "" : ", ", n, time_threads(n));
    printf("}\n");
    ftl_cache_destroy(cache);
    ftl_context_destroy(context);
    return 0;
}
