/*
 * The executor: a pool of threads that runs tasks of several owners side by side.
 *
 * An owner makes a group, submits tasks to it and waits; while it waits it runs waiting tasks of
 * its own group. So work goes on with no pool thread at all, and tasks may own groups themselves.
 * Groups take turns, a task each. A group's width bounds how many of its tasks run at once, one of
 * which is left to the owner; each running task has a slot below the width to itself, which is how
 * tasks find buffers and sessions that nobody else uses.
 *
 * Threads are started when tasks wait and no thread is idle, never before, and stay until the
 * executor is destroyed. They block all signals: those are the program's threads' to take.
 *
 * After fork(2) the child's executor has no threads and starts its own when it is used. A group
 * that is in use while another thread forks belongs to the parent; the child must not go on with
 * it.
 *
 * Thread-safety: an executor may be used from any thread, by tasks too. A group belongs to the
 * thread that made it; its tasks may submit others and share their work.
 */
#ifndef FTL_BASE_EXECUTOR_H
#define FTL_BASE_EXECUTOR_H

#include "base/alloc.h"

#include <pthread.h>

typedef struct ftl_executor ftl_executor;

enum { FTL_EXECUTOR_THREADS = 1024, FTL_GROUP_WIDTH = 64 }; /* the most of each */

/* threads: how many may be started, 1 or more; a larger number than the most is that. */
FTL_MUST_USE ftl_status ftl_executor_create(ftl_account *account, uint32_t threads,
                                            ftl_executor **out, ftl_error *error);
/* Joins the threads. No group may be left. NULL is allowed. */
void ftl_executor_destroy(ftl_executor *executor);
/* Threads that may be started, and those that were. */
uint32_t ftl_executor_threads(const ftl_executor *executor);
uint32_t ftl_executor_started(ftl_executor *executor);

typedef void (*ftl_task_fn)(void *user, uint32_t slot);

typedef enum ftl_task_state {
    FTL_TASK_IDLE = 0,
    FTL_TASK_WAITING,
    FTL_TASK_RUNNING,
    FTL_TASK_DONE
} ftl_task_state;

/*
 * Memory of the owner's, who sets run and user, and zeroes the rest before the first submit. It
 * stays in place until the task is done or its group has ended.
 */
typedef struct ftl_task {
    ftl_task_fn run;
    void *user;
    struct ftl_task *next;
    ftl_task_state state;
} ftl_task;

/* Memory of the owner's; fields are the executor's. */
typedef struct ftl_task_group {
    ftl_executor *executor;
    ftl_task *first, *last; /* waiting, the oldest first */
    uint32_t waiting, running;
    uint32_t pooled, pooled_most; /* of the running ones those that pool threads run */
    uint64_t free_slots;          /* a bit each */
    const ftl_task *awaited;      /* what the owner waits for; NULL: any of them */
    bool asleep, called;          /* the owner, with nothing to run; and told of a task since */
    struct ftl_task_group *next;  /* in the executor's line */
    bool in_line;
    pthread_cond_t done, shared;
} ftl_task_group;

/* width: 1 to FTL_GROUP_WIDTH. */
void ftl_group_begin(ftl_task_group *group, ftl_executor *executor, uint32_t width);
/* Drops tasks that wait, waits for those that run, and ends the group. */
void ftl_group_end(ftl_task_group *group);
/* The task waits for a thread. It must not wait or run already. Tasks of the group may do so, too.
 */
void ftl_group_submit(ftl_task_group *group, ftl_task *task);
/* Until task is done; runs waiting tasks of the group meanwhile. */
void ftl_group_wait(ftl_task_group *group, const ftl_task *task);
/* Until no task of the group waits or runs. */
void ftl_group_wait_all(ftl_task_group *group);

typedef void (*ftl_part_fn)(void *user, size_t part);
/*
 * For a task of the group, or its owner, with work that falls into independent parts: calls fn once
 * for each part below parts, in any order. Threads that have nothing else to do in the group help,
 * before any task that waits; returns when all is done. group NULL: this thread does all, in order.
 */
void ftl_group_share(ftl_task_group *group, size_t parts, ftl_part_fn fn, void *user);

typedef void (*ftl_for_fn)(void *user, uint32_t slot, size_t index);
/*
 * Calls fn for every index below count, in any order, with at most width calls at once, the calling
 * thread among them; returns when all are done. width: 1 or more.
 */
void ftl_executor_for(ftl_executor *executor, uint32_t width, size_t count, ftl_for_fn fn,
                      void *user);

#endif
