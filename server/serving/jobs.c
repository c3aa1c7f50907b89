#include "serving/jobs.h"

#include "serving/crew.h"
#include "serving/values.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_KEPT = 1000 }; /* finished jobs that are told of */

typedef enum state { QUEUED, RUNNING, DONE, FAILED, CANCELLED } state;

struct srv_job {
    srv_task work, reply; /* for the crew, and for the request's loop */
    srv_jobs *jobs;
    srv_batch batch;
    srv_request *request;     /* who waits for it; NULL: it is a job */
    srv_job *previous, *next; /* in the list of the jobs, or of what is waited for */
    char id[33];
    state state;                  /* under the lock, like what follows */
    bool stopped;                 /* somebody cancelled it */
    double created, began, ended; /* seconds since 1970 */
    double clock;                 /* when it began, by the clock that only goes on */
};

typedef struct list {
    srv_job *first, *last;
    uint32_t n;
} list;

struct srv_jobs {
    srv_server *server;
    srv_root data_root, output_root;
    uv_mutex_t lock;
    srv_crew *crew, *answering; /* for jobs, and for what clients wait for */
    list kept, awaited;
    bool stopping;
};

static double now_of_day(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- Lists; the lock is held ----------------------------------------------------------------- */

static void add_last(list *all, srv_job *job)
{
    job->previous = all->last;
    job->next = NULL;
    *(all->last ? &all->last->next : &all->first) = job;
    all->last = job;
    all->n++;
}

static void take_out(list *all, srv_job *job)
{
    *(job->previous ? &job->previous->next : &all->first) = job->next;
    *(job->next ? &job->next->previous : &all->last) = job->previous;
    all->n--;
}

static bool is_over(const srv_job *job) { return job->state >= DONE; }

/* Forgets what was over long ago, and the oldest of too many. */
static void tidy(srv_jobs *jobs)
{
    double before = now_of_day() - jobs->server->config->job_keep;
    for (srv_job *job = jobs->kept.first, *next; job; job = next) {
        next = job->next;
        if (is_over(job) && (job->ended < before || jobs->kept.n > MOST_KEPT)) {
            take_out(&jobs->kept, job);
            srv_job_drop(job);
        }
    }
}

static srv_job *find(srv_jobs *jobs, srv_text id)
{
    srv_job *job = jobs->kept.first;
    while (job && !srv_text_is(id, job->id))
        job = job->next;
    return job;
}

/* ---- Making ---------------------------------------------------------------------------------- */

ftl_status srv_jobs_create(srv_server *server, srv_jobs **out, ftl_error *error)
{
    const srv_config *config = server->config;
    srv_jobs *jobs = ftl_alloc_zero(&server->account, 1, sizeof *jobs);
    if (!jobs)
        return FTL_OOM(error);
    *out = jobs; /* also of one that fails */
    jobs->server = server;
    jobs->data_root.descriptor = jobs->output_root.descriptor = -1;
    uv_mutex_init(&jobs->lock);
    FTL_TRY(srv_root_open(&jobs->data_root, config->data_root, "data-root", error));
    FTL_TRY(srv_root_open(&jobs->output_root, config->output_root, "output-root", error));
    FTL_TRY(srv_crew_create(&server->account, config->max_jobs, config->max_waiting_jobs,
                            &jobs->crew, error));
    return srv_crew_create(&server->account, config->max_jobs, config->max_waiting_jobs,
                           &jobs->answering, error);
}

uint32_t srv_jobs_busy(srv_jobs *jobs)
{
    return jobs->stopping ? 0 : srv_crew_busy(jobs->crew) + srv_crew_busy(jobs->answering);
}

void srv_jobs_stop(srv_jobs *jobs)
{
    if (!jobs)
        return;
    uv_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    const list *const lists[] = {&jobs->kept, &jobs->awaited};
    for (size_t i = 0; i < FTL_ARRAY_LEN(lists); i++) {
        for (srv_job *job = lists[i]->first; job; job = job->next)
            srv_batch_cancel(&job->batch);
    }
    uv_mutex_unlock(&jobs->lock);
    srv_crew_destroy(jobs->crew);
    srv_crew_destroy(jobs->answering);
    jobs->crew = jobs->answering = NULL;
}

void srv_jobs_destroy(srv_jobs *jobs)
{
    if (!jobs)
        return;
    srv_jobs_stop(jobs);
    while (jobs->kept.first) {
        srv_job *job = jobs->kept.first;
        take_out(&jobs->kept, job);
        srv_job_drop(job);
    }
    srv_root_close(&jobs->data_root);
    srv_root_close(&jobs->output_root);
    uv_mutex_destroy(&jobs->lock);
    ftl_free(&jobs->server->account, jobs);
}

srv_job *srv_job_make(srv_jobs *jobs)
{
    uint64_t words[2];
    ftl_error error;
    srv_job *job = ftl_alloc_zero(&jobs->server->account, 1, sizeof *job);
    if (!job)
        return NULL;
    job->jobs = jobs;
    if (srv_batch_init(&job->batch, jobs->server, &error) != FTL_OK ||
        uv_random(NULL, NULL, words, sizeof words, 0, NULL) != 0) {
        srv_job_drop(job);
        return NULL;
    }
    job->batch.data_root = &jobs->data_root;
    job->batch.output_root = &jobs->output_root;
    snprintf(job->id, sizeof job->id, "%016llx%016llx", (unsigned long long)words[0],
             (unsigned long long)words[1]);
    job->created = now_of_day();
    return job;
}

srv_batch *srv_job_batch(srv_job *job) { return &job->batch; }

void srv_job_drop(srv_job *job)
{
    ftl_account *account = &job->jobs->server->account;
    srv_batch_free(&job->batch);
    ftl_free(account, job);
}

static void count_rows(srv_batch *batch, bool done)
{
    srv_figures_rows(batch->server->figures, batch->model ? &batch->model->figures : NULL, done,
                     batch->result.rows_read);
}

static srv_result busy(srv_request *request)
{
    srv_add_header(request, "Retry-After", "5");
    return srv_reply_error(request, 503, "the server is busy: too many jobs wait");
}

/* ---- What a client waits for ----------------------------------------------------------------- */

static void put_answer(srv_job *job)
{
    ftl_strbuf *out = &job->request->out;
    ftl_strbuf_putc(out, '{');
    srv_batch_put_result(&job->batch, out);
    ftl_strbuf_putc(out, '}');
    srv_reply_json(job->request, 200);
}

/* On the request's loop. */
static void answer_request(srv_task *task)
{
    srv_job *job = (srv_job *)((char *)task - offsetof(srv_job, reply));
    srv_request *request = job->request;
    request->user = NULL;
    srv_job_drop(job);
    srv_request_finish(request);
}

static void work_for_request(srv_task *task)
{
    srv_job *job = (srv_job *)((char *)task - offsetof(srv_job, work));
    srv_jobs *jobs = job->jobs;
    srv_request *request = job->request;
    bool done = srv_batch_prepare(&job->batch) && srv_batch_run(&job->batch);
    count_rows(&job->batch, done);
    request->model = job->batch.model ? job->batch.model->shown : NULL;
    request->rows = job->batch.rows;
    if (done)
        put_answer(job);
    else
        srv_batch_reply_failure(&job->batch, request);
    uv_mutex_lock(&jobs->lock);
    take_out(&jobs->awaited, job);
    uv_mutex_unlock(&jobs->lock);
    job->reply.run = answer_request;
    srv_loop_post(request->loop, &job->reply);
}

/* request->stop: nobody waits any more. */
static void give_up(srv_request *request)
{
    srv_job *job = request->user;
    if (job)
        srv_batch_cancel(&job->batch);
}

srv_result srv_job_answer(srv_job *job, srv_request *request)
{
    srv_jobs *jobs = job->jobs;
    job->request = request;
    job->work.run = work_for_request;
    uv_mutex_lock(&jobs->lock);
    bool given = !jobs->stopping;
    if (given) {
        request->user = job;
        request->stop = give_up;
        request->end_stops = true;
        add_last(&jobs->awaited, job);
        given = srv_crew_give(jobs->answering, &job->work);
        if (!given)
            take_out(&jobs->awaited, job);
    }
    uv_mutex_unlock(&jobs->lock);
    if (given)
        return SRV_LATER;
    request->user = NULL;
    request->stop = NULL;
    srv_job_drop(job);
    return busy(request);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

static void end_job(srv_job *job, bool done)
{
    srv_jobs *jobs = job->jobs;
    bool stopped = ftl_cancel_triggered(job->batch.cancel) && !done;
    srv_log(jobs->server, done || stopped ? "info" : "error", "job", "%s: %s%s%s", job->id,
            done      ? "done"
            : stopped ? "cancelled"
                      : "failed",
            done || stopped ? "" : ": ", done || stopped ? "" : job->batch.error.message);
    uv_mutex_lock(&jobs->lock);
    job->state = done ? DONE : stopped ? CANCELLED : FAILED;
    job->ended = now_of_day();
    uv_mutex_unlock(&jobs->lock);
}

static void work_as_job(srv_task *task)
{
    srv_job *job = (srv_job *)((char *)task - offsetof(srv_job, work));
    srv_jobs *jobs = job->jobs;
    uv_mutex_lock(&jobs->lock);
    job->state = RUNNING;
    job->began = now_of_day();
    job->clock = srv_now();
    uv_mutex_unlock(&jobs->lock);
    bool done = srv_batch_run(&job->batch);
    count_rows(&job->batch, done);
    end_job(job, done);
}

static void put_location(srv_request *request, const srv_job *job)
{
    char location[96];
    snprintf(location, sizeof location, "/api/v1/inference/jobs/%s", job->id);
    srv_add_header(request, "Location", location);
}

static void put_job(srv_job *job, ftl_strbuf *out);

srv_result srv_job_submit(srv_job *job, srv_request *request)
{
    srv_jobs *jobs = job->jobs;
    if (!job->batch.output_path) {
        srv_job_drop(job);
        return srv_reply_invalid(request, "missing", "output_path",
                                 "a job needs an output_path for its predictions");
    }
    if (!srv_batch_prepare(&job->batch)) {
        srv_result result = srv_batch_reply_failure(&job->batch, request);
        srv_job_drop(job);
        return result;
    }
    job->work.run = work_as_job;
    uv_mutex_lock(&jobs->lock);
    tidy(jobs);
    bool given = !jobs->stopping && jobs->kept.n < 2 * MOST_KEPT;
    if (given) { /* it is in the list before a thread can end it */
        put_location(request, job);
        put_job(job, &request->out);
        add_last(&jobs->kept, job);
        given = srv_crew_give(jobs->crew, &job->work);
        if (!given)
            take_out(&jobs->kept, job);
    }
    uv_mutex_unlock(&jobs->lock);
    if (given)
        return srv_reply_json(request, 202);
    srv_job_drop(job);
    ftl_strbuf_clear(&request->out_head);
    return busy(request);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void put_text(ftl_strbuf *out, const char *name, const char *text)
{
    ftl_strbuf_printf(out, ",\"%s\":", name);
    ftl_strbuf_json_string(out, text, strlen(text));
}

static void put_time(ftl_strbuf *out, const char *name, double seconds)
{
    if (seconds > 0)
        ftl_strbuf_printf(out, ",\"%s\":%.3f", name, seconds);
    else
        ftl_strbuf_printf(out, ",\"%s\":null", name);
}

static void put_progress(const srv_job *job, ftl_strbuf *out)
{
    uint64_t read = job->batch.bytes_read, total = job->batch.bytes_total;
    double share = job->state == DONE ? 1 : total ? (double)read / (double)total : 0;
    share = share > 1 ? 1 : share;
    double spent = job->state == RUNNING ? srv_now() - job->clock : 0;
    ftl_strbuf_printf(out, ",\"rows\":%llu,\"bytes\":%llu,\"bytes_total\":",
                      (unsigned long long)job->batch.rows, (unsigned long long)read);
    if (total)
        ftl_strbuf_printf(out, "%llu", (unsigned long long)total);
    else
        ftl_strbuf_puts(out, "null");
    ftl_strbuf_printf(out, ",\"progress\":%.4f,\"eta_seconds\":", share);
    if (share > 0 && job->state == RUNNING)
        ftl_strbuf_printf(out, "%.1f", spent * (1 - share) / share);
    else
        ftl_strbuf_puts(out, job->state == DONE ? "0" : "null");
}

/* The lock is held, or nobody else knows the job. */
static void put_job(srv_job *job, ftl_strbuf *out)
{
    static const char *const states[] = {"queued", "running", "done", "failed", "cancelled"};
    const srv_batch *batch = &job->batch;
    ftl_strbuf_printf(out, "{\"id\":\"%s\",\"state\":\"%s\"", job->id, states[job->state]);
    put_text(out, "model_path", batch->model_path);
    put_text(out, "data_path", batch->data_path);
    put_text(out, "output_path", batch->output_path);
    put_time(out, "created", job->created);
    put_time(out, "started", job->began);
    put_time(out, "ended", job->ended);
    put_progress(job, out);
    if (job->state == DONE) {
        ftl_strbuf_puts(out, ",\"result\":{");
        srv_batch_put_result(batch, out);
        ftl_strbuf_puts(out, "},\"metrics\":");
        srv_batch_put_metrics(batch, out);
    }
    if (job->state == FAILED) {
        ftl_strbuf_printf(out, ",\"error\":{\"status\":%d,\"detail\":", batch->status);
        ftl_strbuf_json_string(out, batch->error.message, strlen(batch->error.message));
        ftl_strbuf_putc(out, '}');
    }
    ftl_strbuf_putc(out, '}');
}

srv_result srv_jobs_list(srv_jobs *jobs, srv_request *request)
{
    const char *between = "";
    ftl_strbuf *out = &request->out;
    ftl_strbuf_puts(out, "{\"jobs\":[");
    uv_mutex_lock(&jobs->lock);
    tidy(jobs);
    for (srv_job *job = jobs->kept.last; job; job = job->previous) {
        ftl_strbuf_puts(out, between);
        put_job(job, out);
        between = ",";
    }
    uv_mutex_unlock(&jobs->lock);
    ftl_strbuf_puts(out, "]}");
    return srv_reply_json(request, 200);
}

static srv_result no_job(srv_request *request)
{
    return srv_reply_error(request, 404,
                           "there is no such job: it never was, or it ended long ago");
}

srv_result srv_jobs_show(srv_jobs *jobs, srv_request *request, srv_text id)
{
    uv_mutex_lock(&jobs->lock);
    tidy(jobs);
    srv_job *job = find(jobs, id);
    if (job)
        put_job(job, &request->out);
    uv_mutex_unlock(&jobs->lock);
    return job ? srv_reply_json(request, 200) : no_job(request);
}

srv_result srv_jobs_cancel(srv_jobs *jobs, srv_request *request, srv_text id)
{
    uv_mutex_lock(&jobs->lock);
    srv_job *job = find(jobs, id);
    bool over = job && is_over(job);
    if (job && !over)
        srv_batch_cancel(&job->batch);
    if (job)
        put_job(job, &request->out);
    if (over) { /* it is told of no more */
        take_out(&jobs->kept, job);
        srv_job_drop(job);
    }
    uv_mutex_unlock(&jobs->lock);
    return job ? srv_reply_json(request, over ? 200 : 202) : no_job(request);
}
