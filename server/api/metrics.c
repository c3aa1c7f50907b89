/*
 * GET /metrics: figures in the text format of Prometheus. Names are promises: dashboards and alerts
 * (deploy/) use them.
 *
 * The number of series is bounded: the first models that are used are told apart, as many as the
 * setting metrics-models says; what others do is model="other". A model that once stands apart
 * stays so, since counters may only grow.
 */
#include "api/api.h"
#include "api/models.h"
#include "serving/jobs.h"
#include "serving/process.h"
#include "serving/values.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "other"

static const double bounds[] = {1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3,
                                1e-2, 2.5e-2, 5e-2, 0.1,  0.25,   0.5,  1,    2.5,    10};

/* One moment's figures. */
typedef struct scrape {
    srv_server *server;
    ftl_strbuf *out;
    srv_process process;
    ftl_cache_stats cache;
    uint64_t connections;
    srv_model **models; /* told apart */
    size_t n_models, room;
    srv_open_models open;
} scrape;

/* ---- Models ---------------------------------------------------------------------------------- */

static void take_used(void *user, srv_model *model)
{
    scrape *s = user;
    if (model->figures.requests == 0)
        return;
    if (ftl_grow(&s->server->account, &s->models, &s->room, s->n_models + 1, sizeof *s->models,
                 NULL) != FTL_OK)
        return; /* its figures are among the others' this time */
    s->models[s->n_models++] = model;
}

/* Those that stand apart come first, then the most used. */
static int compare_use(const void *a, const void *b)
{
    const srv_model *left = *(srv_model *const *)a, *right = *(srv_model *const *)b;
    uint64_t n_left = left->figures.requests, n_right = right->figures.requests;
    if (left->apart != right->apart)
        return left->apart ? -1 : 1;
    return n_left == n_right ? 0 : n_left > n_right ? -1 : 1;
}

static int compare_shown(const void *a, const void *b)
{
    const srv_model *left = *(srv_model *const *)a, *right = *(srv_model *const *)b;
    int order = strcmp(left->shown, right->shown);
    return order ? order
                 : strcmp(left->version ? left->version : "", right->version ? right->version : "");
}

/* No two series may have the same labels: whose are taken is among the others. */
static void drop_doubles(scrape *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_models; i++) {
        bool other = strcmp(s->models[i]->shown, OTHER) == 0 && !s->models[i]->version;
        if (!other && (n == 0 || compare_shown(&s->models[n - 1], &s->models[i]) != 0))
            s->models[n++] = s->models[i];
    }
    s->n_models = n;
}

static uv_mutex_t choice_lock;
static uv_once_t choice_once = UV_ONCE_INIT;

static void make_lock(void) { uv_mutex_init(&choice_lock); }

static void choose_models(scrape *s)
{
    uv_once(&choice_once, make_lock);
    uv_mutex_lock(&choice_lock);
    srv_catalog_each(s->server->catalog, take_used, s);
    srv_catalog_each_path(s->server->catalog, take_used, s);
    if (s->n_models)
        qsort(s->models, s->n_models, sizeof *s->models, compare_use);
    if (s->n_models > s->server->config->metrics_models)
        s->n_models = s->server->config->metrics_models;
    for (size_t i = 0; i < s->n_models; i++)
        s->models[i]->apart = true;
    uv_mutex_unlock(&choice_lock);
    if (s->n_models)
        qsort(s->models, s->n_models, sizeof *s->models, compare_shown);
    drop_doubles(s);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void put_family(ftl_strbuf *out, const char *name, const char *type, const char *help)
{
    ftl_strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(ftl_strbuf *out, double value)
{
    if (value >= 0 && value < 9e15 && value == (double)(uint64_t)value)
        ftl_strbuf_printf(out, "%" PRIu64, (uint64_t)value);
    else
        srv_put_f64(out, value);
    ftl_strbuf_putc(out, '\n');
}

static void put_scalar(ftl_strbuf *out, const char *name, const char *type, const char *help,
                       double value)
{
    put_family(out, name, type, help);
    ftl_strbuf_printf(out, "%s ", name);
    put_number(out, value);
}

static void put_label(ftl_strbuf *out, const char *name, const char *value)
{
    ftl_strbuf_printf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n')
            ftl_strbuf_puts(out, "\\n");
        else if (*value == '"' || *value == '\\')
            ftl_strbuf_printf(out, "\\%c", *value);
        else
            ftl_strbuf_putc(out, *value);
    }
    ftl_strbuf_putc(out, '"');
}

/* model="churn",version="2"; NULL: the others. */
static void put_model(ftl_strbuf *out, const srv_model *model)
{
    put_label(out, "model", model ? model->shown : OTHER);
    if (model && model->version) {
        ftl_strbuf_putc(out, ',');
        put_label(out, "version", model->version);
    }
}

/* ---- By model -------------------------------------------------------------------------------- */

#define PHASE_OFFSET(name) offsetof(srv_model_figures, name),
#define PHASE_NAME(name) #name,
static const size_t phase_offsets[] = {SRV_PHASES(PHASE_OFFSET)};
static const char *const phase_names[] = {SRV_PHASES(PHASE_NAME)};
#undef PHASE_OFFSET
#undef PHASE_NAME

static uint64_t count_at(const srv_model_figures *figures, size_t offset)
{
    const _Atomic uint64_t *count = (const void *)((const char *)figures + offset);
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* What all models have counted, without those that stand apart. Counting goes on meanwhile. */
static uint64_t without(uint64_t all, uint64_t apart) { return all > apart ? all - apart : 0; }

static void put_counts(scrape *s, const char *name, const char *help, size_t offset)
{
    uint64_t apart = 0;
    put_family(s->out, name, "counter", help);
    for (size_t i = 0; i <= s->n_models; i++) {
        const srv_model *model = i < s->n_models ? s->models[i] : NULL;
        uint64_t count = model ? count_at(&model->figures, offset)
                               : without(count_at(&s->server->figures->models, offset), apart);
        apart += count;
        ftl_strbuf_printf(s->out, "%s{", name);
        put_model(s->out, model);
        ftl_strbuf_printf(s->out, "} %" PRIu64 "\n", count);
    }
}

enum { BOUNDS = (int)FTL_ARRAY_LEN(bounds) };

/* Durations up to each bound, then all, and their sum. */
typedef struct durations {
    uint64_t below[BOUNDS + 1], nanoseconds;
} durations;

static void read_durations(const srv_histogram *histogram, durations *out)
{
    out->nanoseconds = atomic_load_explicit(&histogram->nanoseconds, memory_order_relaxed);
    for (size_t b = 0; b < BOUNDS; b++)
        out->below[b] = srv_histogram_below(histogram, bounds[b]);
    out->below[BOUNDS] = srv_histogram_below(histogram, 1e12);
}

static void put_labels(scrape *s, const srv_model *model, const char *phase)
{
    put_model(s->out, model);
    if (phase) {
        ftl_strbuf_putc(s->out, ',');
        put_label(s->out, "phase", phase);
    }
}

static void put_durations(scrape *s, const char *name, const srv_model *model, const char *phase,
                          const durations *d)
{
    for (size_t b = 0; b <= BOUNDS; b++) {
        ftl_strbuf_printf(s->out, "%s_bucket{", name);
        put_labels(s, model, phase);
        if (b < BOUNDS)
            ftl_strbuf_printf(s->out, ",le=\"%g\"} %" PRIu64 "\n", bounds[b], d->below[b]);
        else
            ftl_strbuf_printf(s->out, ",le=\"+Inf\"} %" PRIu64 "\n", d->below[b]);
    }
    ftl_strbuf_printf(s->out, "%s_sum{", name);
    put_labels(s, model, phase);
    ftl_strbuf_puts(s->out, "} ");
    put_number(s->out, 1e-9 * (double)d->nanoseconds);
    ftl_strbuf_printf(s->out, "%s_count{", name);
    put_labels(s, model, phase);
    ftl_strbuf_printf(s->out, "} %" PRIu64 "\n", d->below[BOUNDS]);
}

/* A histogram of each model, found in its figures. */
static void put_histograms(scrape *s, const char *name, const char *phase, size_t offset)
{
    durations all, apart = {0}, one;
    for (size_t i = 0; i < s->n_models; i++) {
        read_durations((const void *)((const char *)&s->models[i]->figures + offset), &one);
        put_durations(s, name, s->models[i], phase, &one);
        for (size_t b = 0; b <= BOUNDS; b++)
            apart.below[b] += one.below[b];
        apart.nanoseconds += one.nanoseconds;
    }
    read_durations((const void *)((const char *)&s->server->figures->models + offset), &all);
    for (size_t b = 0; b <= BOUNDS; b++) {
        all.below[b] = without(all.below[b], apart.below[b]);
        if (b && all.below[b] < all.below[b - 1]) /* counted between two looks */
            all.below[b] = all.below[b - 1];
    }
    all.nanoseconds = without(all.nanoseconds, apart.nanoseconds);
    put_durations(s, name, NULL, phase, &all);
}

static void put_memory(scrape *s)
{
    put_family(s->out, "foretell_model_bytes", "gauge",
               "Memory of an open model with its plans and sessions.");
    for (size_t i = 0; i < s->n_models; i++) {
        const srv_open_model *open = srv_open_models_at(&s->open, s->models[i]->path);
        ftl_strbuf_puts(s->out, "foretell_model_bytes{");
        put_model(s->out, s->models[i]);
        ftl_strbuf_printf(s->out, "} %" PRIu64 "\n", open ? open->bytes : 0);
    }
    put_family(s->out, "foretell_model_stale", "gauge",
               "1: the file has changed and could not be opened; the model of before goes on.");
    for (size_t i = 0; i < s->n_models; i++) {
        const srv_open_model *open = srv_open_models_at(&s->open, s->models[i]->path);
        ftl_strbuf_puts(s->out, "foretell_model_stale{");
        put_model(s->out, s->models[i]);
        ftl_strbuf_printf(s->out, "} %d\n", open && open->stale);
    }
}

static void put_models(scrape *s)
{
    static const char phase[] = "foretell_prediction_phase_seconds";
    static const char whole[] = "foretell_prediction_duration_seconds";
    put_counts(s, "foretell_predictions_total", "Requests for predictions.",
               offsetof(srv_model_figures, requests));
    put_counts(s, "foretell_prediction_failures_total", "Of these, those that failed.",
               offsetof(srv_model_figures, failures));
    put_counts(s, "foretell_rows_total", "Rows predicted.", offsetof(srv_model_figures, rows));
    put_family(s->out, whole, "histogram", "Of a prediction, waiting for a thread included.");
    put_histograms(s, whole, NULL, offsetof(srv_model_figures, total));
    put_family(s->out, phase, "histogram",
               "What it goes to: waiting for a thread, getting the model, reading rows, "
               "predicting, writing the answer.");
    for (size_t p = 0; p < FTL_ARRAY_LEN(phase_names); p++)
        put_histograms(s, phase, phase_names[p], phase_offsets[p]);
    put_memory(s);
}

/* ---- Of the whole ---------------------------------------------------------------------------- */

/* X(name, type, help, value) */
#define SCALARS(X)                                                                                 \
    X("foretell_ready", "gauge", "1: requests are answered; 0: starting or draining.",             \
      srv_is_ready(s->server))                                                                     \
    X("foretell_models_failing", "gauge", "Models that have a name and cannot be opened.",         \
      srv_catalog_problems(s->server->catalog, NULL, NULL))                                        \
    X("foretell_connections", "gauge", "Connections that are open.", s->connections)               \
    X("foretell_queue_length", "gauge", "Requests that wait for a thread or have one.",            \
      s->server->queued)                                                                           \
    X("foretell_queue_limit", "gauge", "So many may.", s->server->config->max_queue)               \
    X("foretell_jobs", "gauge", "Files that are worked on or wait for it.",                        \
      srv_jobs_busy(s->server->jobs))                                                              \
    X("foretell_cache_models", "gauge", "Models that are open.", s->cache.models)                  \
    X("foretell_cache_models_limit", "gauge", "So many may be.", s->cache.cache_size)              \
    X("foretell_cache_bytes", "gauge", "Memory of open models.", s->cache.bytes)                   \
    X("foretell_cache_bytes_limit", "gauge", "So much they may take; 0: any.", s->cache.max_bytes) \
    X("foretell_cache_hits_total", "counter", "Requests whose model was open.", s->cache.hits)     \
    X("foretell_cache_misses_total", "counter", "Requests whose model was not.", s->cache.misses)  \
    X("foretell_cache_stale_hits_total", "counter",                                                \
      "Hits on a model whose file has changed since.", s->cache.stale_hits)                        \
    X("foretell_cache_evictions_total", "counter", "Models that left for others.",                 \
      s->cache.evictions)                                                                          \
    X("foretell_cache_reloads_total", "counter", "Models that left as their file changed.",        \
      s->cache.invalidations)                                                                      \
    X("foretell_cache_loads_total", "counter", "Files opened, failures included.", s->cache.loads) \
    X("foretell_cache_load_failures_total", "counter", "Files that could not be opened.",          \
      s->cache.failures)                                                                           \
    X("foretell_cache_load_seconds_total", "counter", "Time of all loads.", s->cache.load_seconds) \
    X("foretell_cache_waits_total", "counter", "Requests that waited for another's load.",         \
      s->cache.waits)                                                                              \
    X("foretell_disk_read_bytes_total", "counter", "Read from disks by this process.",             \
      s->process.read_bytes)                                                                       \
    X("foretell_disk_written_bytes_total", "counter", "Written to disks by this process.",         \
      s->process.written_bytes)                                                                    \
    X("process_cpu_seconds_total", "counter", "User and system time.", s->process.cpu_seconds)     \
    X("process_resident_memory_bytes", "gauge", "Memory that is in use.",                          \
      s->process.resident_bytes)                                                                   \
    X("process_resident_memory_max_bytes", "gauge", "The most that it was.",                       \
      s->process.peak_bytes)                                                                       \
    X("process_open_fds", "gauge", "Files and sockets that are open.", s->process.open_files)      \
    X("process_max_fds", "gauge", "So many may be.", s->process.most_files)                        \
    X("process_threads", "gauge", "Threads.", s->process.threads)                                  \
    X("process_uptime_seconds", "gauge", "Since the start.", srv_now() - s->server->started)

static void put_scalars(scrape *s)
{
#define PUT(name, type, help, value) put_scalar(s->out, name, type, help, (double)(value));
    SCALARS(PUT)
#undef PUT
}

static void put_requests(scrape *s)
{
    static const char durations_of[] = "foretell_http_request_duration_seconds";
    const srv_figures *figures = s->server->figures;
    durations all;
    put_family(s->out, "foretell_http_requests_total", "counter", "Replies by their status.");
    for (size_t class = 1; class < FTL_ARRAY_LEN(figures->statuses); class ++)
        ftl_strbuf_printf(s->out, "foretell_http_requests_total{code=\"%zuxx\"} %" PRIu64 "\n",
                          class,
                          atomic_load_explicit(&figures->statuses[class], memory_order_relaxed));
    put_family(s->out, durations_of, "histogram", "From the first byte to the reply.");
    read_durations(&figures->requests, &all);
    for (size_t b = 0; b < BOUNDS; b++)
        ftl_strbuf_printf(s->out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", durations_of, bounds[b],
                          all.below[b]);
    ftl_strbuf_printf(s->out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", durations_of,
                      all.below[BOUNDS], durations_of);
    put_number(s->out, 1e-9 * (double)all.nanoseconds);
    ftl_strbuf_printf(s->out, "%s_count %" PRIu64 "\n", durations_of, all.below[BOUNDS]);
}

srv_result srv_metrics(srv_request *request)
{
    srv_server *server = request->server;
    ftl_error error;
    scrape s = {.server = server, .out = &request->out};
    ftl_error_clear(&error);
    s.cache.struct_size = sizeof s.cache;
    if (ftl_cache_get_stats(server->cache, &s.cache) != FTL_OK ||
        srv_open_models_list(server, &s.open, &error) != FTL_OK)
        return srv_reply_error(request, 503, "the cache does not say how it is");
    srv_process_read(&s.process);
    for (uint32_t i = 0; i < server->n_loops; i++)
        s.connections += atomic_load_explicit(&server->loops[i].n_connections,
                                              memory_order_relaxed);
    choose_models(&s);
    put_family(s.out, "foretell_build_info", "gauge", "1, with the version.");
    ftl_strbuf_printf(s.out, "foretell_build_info{version=\"%s\"} 1\n", ftl_version());
    put_scalars(&s);
    put_requests(&s);
    put_models(&s);
    srv_open_models_free(&s.open);
    ftl_free(&server->account, s.models);
    return srv_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8");
}
