#include "base/executor.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { being_reset = -1 };

/* All but owner, account and limit is guarded by lock. */
struct ftl_executor {
    ftl_account *account;
    uint32_t limit;
    _Atomic pid_t owner; /* the process whose threads these are */
    pthread_mutex_t lock;
    pthread_cond_t work;
    ftl_task_group *first, *last; /* groups with tasks that wait for a thread */
    size_t waiting;               /* tasks of all groups */
    uint32_t started, idle, busy; /* busy: with tasks */
    bool stop;
    pthread_t threads[];
};

/* ---- The pool -------------------------------------------------------------------------------- */

static void make_empty(ftl_executor *executor)
{
    pthread_mutex_init(&executor->lock, NULL);
    pthread_cond_init(&executor->work, NULL);
    executor->first = executor->last = NULL;
    executor->waiting = 0;
    executor->started = executor->idle = executor->busy = 0;
}

/*
 * Locks. In the child of a fork the threads are gone and the lock is in whatever state another
 * thread had left it, so the first to come makes both anew.
 */
static void enter(ftl_executor *executor)
{
    pid_t self = getpid(), owner = executor->owner;
    while (owner != self) {
        if (owner == being_reset) {
            sched_yield();
            owner = executor->owner;
        } else if (atomic_compare_exchange_weak(&executor->owner, &owner, being_reset)) {
            make_empty(executor);
            executor->owner = owner = self;
        }
    }
    pthread_mutex_lock(&executor->lock);
}

static void leave(ftl_executor *executor) { pthread_mutex_unlock(&executor->lock); }

/* For a pool thread, if there is something for one. */
static void line_up(ftl_task_group *group)
{
    ftl_executor *executor = group->executor;
    if (group->in_line || !group->first || !group->free_slots ||
        group->pooled == group->pooled_most)
        return;
    group->in_line = true;
    group->next = NULL;
    if (executor->last)
        executor->last->next = group;
    else
        executor->first = group;
    executor->last = group;
}

static void leave_line(ftl_task_group *group)
{
    ftl_executor *executor = group->executor;
    if (!group->in_line)
        return;
    ftl_task_group *before = NULL, *at = executor->first;
    for (; at != group; at = at->next)
        before = at;
    if (before)
        before->next = group->next;
    else
        executor->first = group->next;
    if (executor->last == group)
        executor->last = before;
    group->in_line = false;
}

/* The group's oldest waiting task begins; NULL when none waits or no slot is free. */
static ftl_task *begin_task(ftl_task_group *group, uint32_t *slot)
{
    ftl_task *task = group->first;
    if (!task || !group->free_slots)
        return NULL;
    *slot = (uint32_t)__builtin_ctzll(group->free_slots);
    group->free_slots &= group->free_slots - 1;
    group->first = task->next;
    if (!group->first)
        group->last = NULL;
    group->waiting--;
    group->executor->waiting--;
    group->running++;
    task->state = FTL_TASK_RUNNING;
    return task;
}

static void help_with_parts(void *user, uint32_t slot);

/* Runs it without the lock, which is held before and after. */
static void run_task(ftl_task_group *group, ftl_task *task, uint32_t slot)
{
    leave(group->executor);
    task->run(task->user, slot);
    enter(group->executor);
    task->state = FTL_TASK_DONE;
    group->running--;
    group->free_slots |= (uint64_t)1 << slot;
    if (group->waiting || !group->awaited || group->awaited == task)
        pthread_cond_signal(&group->done);
    if (task->run == help_with_parts)
        pthread_cond_broadcast(&group->shared);
}

/* A pool thread takes the first group's oldest task. */
static void serve_first(ftl_executor *executor)
{
    ftl_task_group *group = executor->first;
    uint32_t slot = 0;
    leave_line(group);
    ftl_task *task = begin_task(group, &slot);
    group->pooled += task != NULL;
    line_up(group); /* behind the others, when more of it waits */
    if (!task)
        return;
    executor->busy++;
    run_task(group, task, slot);
    executor->busy--;
    group->pooled--;
    line_up(group);
    /* what is first in the line is this thread's next task */
    if (group->in_line && executor->first != group && executor->idle)
        pthread_cond_signal(&executor->work);
}

static void *serve(void *user)
{
    ftl_executor *executor = user;
    enter(executor);
    while (!executor->stop) {
        if (executor->first) {
            serve_first(executor);
            continue;
        }
        executor->idle++;
        pthread_cond_wait(&executor->work, &executor->lock);
        executor->idle--;
    }
    leave(executor);
    return NULL;
}

/* One more thread; when there is none to be had, those that are there do the work. */
static void start_thread(ftl_executor *executor)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    if (pthread_create(&executor->threads[executor->started], NULL, serve, executor) == 0)
        executor->started++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

ftl_status ftl_executor_create(ftl_account *account, uint32_t threads, ftl_executor **out,
                               ftl_error *error)
{
    uint32_t limit = threads < FTL_EXECUTOR_THREADS ? threads : FTL_EXECUTOR_THREADS;
    ftl_executor *executor = ftl_alloc_zero(account, 1,
                                            sizeof *executor + limit * sizeof executor->threads[0]);
    if (!executor)
        return FTL_OOM(error);
    executor->account = account;
    executor->limit = limit;
    executor->owner = getpid();
    make_empty(executor);
    *out = executor;
    return FTL_OK;
}

void ftl_executor_destroy(ftl_executor *executor)
{
    if (!executor)
        return;
    enter(executor);
    executor->stop = true;
    pthread_cond_broadcast(&executor->work);
    leave(executor);
    for (uint32_t i = 0; i < executor->started; i++)
        pthread_join(executor->threads[i], NULL);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->lock);
    ftl_free(executor->account, executor);
}

uint32_t ftl_executor_threads(const ftl_executor *executor) { return executor->limit; }

uint32_t ftl_executor_started(ftl_executor *executor)
{
    enter(executor);
    uint32_t started = executor->started;
    leave(executor);
    return started;
}

/* ---- Groups ---------------------------------------------------------------------------------- */

void ftl_group_begin(ftl_task_group *group, ftl_executor *executor, uint32_t width)
{
    *group = (ftl_task_group){.executor = executor, .pooled_most = width > 1 ? width - 1 : 1};
    group->free_slots = width >= FTL_GROUP_WIDTH ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    pthread_cond_init(&group->done, NULL);
    pthread_cond_init(&group->shared, NULL);
}

void ftl_group_end(ftl_task_group *group)
{
    ftl_executor *executor = group->executor;
    enter(executor);
    leave_line(group);
    executor->waiting -= group->waiting;
    group->waiting = 0;
    for (; group->first; group->first = group->first->next)
        group->first->state = FTL_TASK_IDLE;
    group->last = NULL;
    group->awaited = NULL;
    while (group->running)
        pthread_cond_wait(&group->done, &executor->lock);
    leave(executor);
    pthread_cond_destroy(&group->done);
    pthread_cond_destroy(&group->shared);
}

/* Somebody is to take what waits: the owner when it sleeps, else a pool thread, if one may. */
static void wake_one(ftl_task_group *group)
{
    ftl_executor *executor = group->executor;
    if (group->asleep && !group->called) {
        group->called = true;
        pthread_cond_signal(&group->done);
        return;
    }
    if (!group->in_line || group->waiting > group->pooled_most - group->pooled + group->called)
        return; /* those that are to take it know already */
    if (executor->started - executor->busy < executor->waiting &&
        executor->started < executor->limit)
        start_thread(executor);
    pthread_cond_signal(&executor->work);
}

/* wake: a thread is to take it; otherwise the caller will. */
static void submit(ftl_task_group *group, ftl_task *task, bool wake)
{
    ftl_executor *executor = group->executor;
    task->next = NULL;
    task->state = FTL_TASK_WAITING;
    if (group->last)
        group->last->next = task;
    else
        group->first = task;
    group->last = task;
    group->waiting++;
    executor->waiting++;
    line_up(group);
    if (wake)
        wake_one(group);
}

void ftl_group_submit(ftl_task_group *group, ftl_task *task)
{
    enter(group->executor);
    submit(group, task, true);
    leave(group->executor);
}

/* Runs a waiting task, or waits until one that runs is done. Under the lock. */
static void help(ftl_task_group *group)
{
    uint32_t slot = 0;
    ftl_task *task = begin_task(group, &slot);
    if (task) {
        run_task(group, task, slot);
        return;
    }
    group->asleep = true;
    pthread_cond_wait(&group->done, &group->executor->lock);
    group->asleep = group->called = false;
}

void ftl_group_wait(ftl_task_group *group, const ftl_task *task)
{
    enter(group->executor);
    group->awaited = task;
    while (task->state != FTL_TASK_DONE)
        help(group);
    leave(group->executor);
}

void ftl_group_wait_all(ftl_task_group *group)
{
    enter(group->executor);
    group->awaited = NULL;
    while (group->waiting || group->running)
        help(group);
    leave(group->executor);
}

/* ---- Shared work ------------------------------------------------------------------------------ */

typedef struct parts {
    _Atomic size_t next;
    size_t count;
    ftl_part_fn fn;
    void *user;
} parts;

static void run_parts(parts *p)
{
    for (;;) {
        size_t part = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (part >= p->count)
            return;
        p->fn(p->user, part);
    }
}

static void help_with_parts(void *user, uint32_t slot)
{
    (void)slot;
    run_parts(user);
}

/* A helper goes in front of the tasks that wait. */
static void call_helper(ftl_task_group *group, ftl_task *task, parts *p)
{
    *task = (ftl_task){.run = help_with_parts, .user = p, .next = group->first};
    task->state = FTL_TASK_WAITING;
    group->first = task;
    if (!group->last)
        group->last = task;
    group->waiting++;
    group->executor->waiting++;
    line_up(group);
    wake_one(group);
}

/* Takes a task that waits back. */
static void withdraw(ftl_task_group *group, ftl_task *task)
{
    ftl_task *before = NULL, *at = group->first;
    for (; at != task; at = at->next)
        before = at;
    if (before)
        before->next = task->next;
    else
        group->first = task->next;
    if (group->last == task)
        group->last = before;
    group->waiting--;
    group->executor->waiting--;
    task->state = FTL_TASK_IDLE;
    if (!group->first)
        leave_line(group);
}

void ftl_group_share(ftl_task_group *group, size_t count, ftl_part_fn fn, void *user)
{
    parts p = {.count = count, .fn = fn, .user = user};
    ftl_task helpers[FTL_GROUP_WIDTH];
    size_t n = 0;
    if (!group || count < 2) {
        run_parts(&p);
        return;
    }
    enter(group->executor);
    /* also for those who are busy now and may have nothing to do before it is done */
    for (; n < group->pooled_most && n < count - 1; n++)
        call_helper(group, &helpers[n], &p);
    leave(group->executor);
    run_parts(&p);
    enter(group->executor);
    for (size_t i = 0; i < n; i++) {
        if (helpers[i].state == FTL_TASK_WAITING)
            withdraw(group, &helpers[i]);
    }
    for (size_t i = 0; i < n; i++) {
        while (helpers[i].state == FTL_TASK_RUNNING)
            pthread_cond_wait(&group->shared, &group->executor->lock);
    }
    leave(group->executor);
}

/* ---- Loops ----------------------------------------------------------------------------------- */

typedef struct loop {
    _Atomic size_t next;
    size_t count;
    ftl_for_fn fn;
    void *user;
} loop;

static void run_loop(void *user, uint32_t slot)
{
    loop *l = user;
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
        if (index >= l->count)
            return;
        l->fn(l->user, slot, index);
    }
}

void ftl_executor_for(ftl_executor *executor, uint32_t width, size_t count, ftl_for_fn fn,
                      void *user)
{
    loop l = {.count = count, .fn = fn, .user = user};
    ftl_task tasks[FTL_GROUP_WIDTH];
    ftl_task_group group;
    if (width > FTL_GROUP_WIDTH)
        width = FTL_GROUP_WIDTH;
    if (width > count)
        width = (uint32_t)count;
    if (width <= 1) {
        run_loop(&l, 0);
        return;
    }
    ftl_group_begin(&group, executor, width);
    enter(executor);
    for (uint32_t i = 0; i < width; i++) {
        tasks[i] = (ftl_task){.run = run_loop, .user = &l};
        submit(&group, &tasks[i], i + 1 < width); /* the last one is the caller's */
    }
    leave(executor);
    ftl_group_wait_all(&group);
    ftl_group_end(&group);
}
