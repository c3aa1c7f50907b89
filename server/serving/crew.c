#include "serving/crew.h"

struct srv_crew {
    ftl_account *account;
    uv_mutex_t lock;
    uv_cond_t work; /* there is some, or the end has come */
    srv_task *first, *last;
    uint32_t n_waiting, most_waiting;
    uint32_t n_idle, n_busy;
    uint32_t n_threads, most_threads;
    bool ending;
    uv_thread_t threads[];
};

ftl_status srv_crew_create(ftl_account *account, uint32_t most_threads, uint32_t most_waiting,
                           srv_crew **out, ftl_error *error)
{
    enum { MOST = 10000 };
    uint32_t most = most_threads > MOST ? MOST : most_threads;
    size_t size = sizeof(srv_crew) + most * sizeof(uv_thread_t);
    srv_crew *crew = ftl_alloc_zero(account, 1, size);
    if (!crew)
        return FTL_OOM(error);
    crew->account = account;
    crew->most_threads = most;
    crew->most_waiting = most_waiting;
    uv_mutex_init(&crew->lock);
    uv_cond_init(&crew->work);
    *out = crew;
    return FTL_OK;
}

static void run_tasks(void *user)
{
    srv_crew *crew = user;
    uv_mutex_lock(&crew->lock);
    for (;;) {
        while (!crew->first && !crew->ending) {
            crew->n_idle++;
            uv_cond_wait(&crew->work, &crew->lock);
            crew->n_idle--;
        }
        srv_task *task = crew->first;
        if (!task)
            break;
        crew->first = task->next;
        if (!crew->first)
            crew->last = NULL;
        crew->n_waiting--;
        crew->n_busy++;
        uv_mutex_unlock(&crew->lock);
        task->run(task);
        uv_mutex_lock(&crew->lock);
        crew->n_busy--;
    }
    uv_mutex_unlock(&crew->lock);
}

/* Sees to it that there is a thread for one more task, or a place; the lock is held. */
static bool has_room(srv_crew *crew)
{
    if (crew->ending)
        return false;
    if (crew->n_idle > crew->n_waiting)
        return true;
    if (crew->n_threads < crew->most_threads &&
        uv_thread_create(&crew->threads[crew->n_threads], run_tasks, crew) == 0) {
        crew->n_threads++;
        return true;
    }
    /* those that wait for a thread which is just waking up take no place */
    uint32_t on_their_way = crew->n_threads - crew->n_busy;
    return crew->n_threads && crew->n_waiting < crew->most_waiting + on_their_way;
}

bool srv_crew_give(srv_crew *crew, srv_task *task)
{
    uv_mutex_lock(&crew->lock);
    bool taken = has_room(crew);
    if (taken) {
        task->next = NULL;
        *(crew->last ? &crew->last->next : &crew->first) = task;
        crew->last = task;
        crew->n_waiting++;
        uv_cond_signal(&crew->work);
    }
    uv_mutex_unlock(&crew->lock);
    return taken;
}

uint32_t srv_crew_busy(srv_crew *crew)
{
    uv_mutex_lock(&crew->lock);
    uint32_t n = crew->n_busy + crew->n_waiting;
    uv_mutex_unlock(&crew->lock);
    return n;
}

void srv_crew_destroy(srv_crew *crew)
{
    if (!crew)
        return;
    uv_mutex_lock(&crew->lock);
    crew->ending = true;
    uv_cond_broadcast(&crew->work);
    uv_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < crew->n_threads; i++)
        uv_thread_join(&crew->threads[i]);
    uv_cond_destroy(&crew->work);
    uv_mutex_destroy(&crew->lock);
    ftl_free(crew->account, crew);
}
