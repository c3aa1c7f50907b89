/* The executor: tasks of several owners on one pool of threads. */
#include "unit.h"

#include "base/executor.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS = 200 };

typedef struct numbers {
    ftl_task task;
    struct shared *shared;
    unsigned value, result;
} numbers;

typedef struct shared {
    ftl_executor *executor;
    uint32_t width;
    _Atomic uint32_t running, most;
    _Atomic uint32_t taken[FTL_GROUP_WIDTH]; /* by how many tasks at once */
    _Atomic bool bad_slot, gate;
} shared;

static void square(void *user, uint32_t slot)
{
    numbers *n = user;
    shared *s = n->shared;
    uint32_t now = ++s->running, most = s->most;
    while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now)) {}
    if (slot >= s->width || ++s->taken[slot] != 1)
        s->bad_slot = true;
    for (int i = 0; i < 20; i++)
        sched_yield();
    n->result = n->value * n->value;
    s->taken[slot]--;
    s->running--;
}

static ftl_account account;

static ftl_executor *make(uint32_t threads)
{
    ftl_executor *executor = NULL;
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(ftl_executor_create(&account, threads, &executor, NULL), FTL_OK);
    assert_int_equal(ftl_executor_started(executor), 0);
    return executor;
}

static void destroy(ftl_executor *executor)
{
    ftl_executor_destroy(executor);
    assert_int_equal(ftl_account_used(&account), 0);
}

static void run_squares(ftl_executor *executor, uint32_t width)
{
    static numbers tasks[TASKS];
    static shared s;
    ftl_task_group group;
    s = (shared){.executor = executor, .width = width};
    ftl_group_begin(&group, executor, width);
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i] = (numbers){.task = {.run = square, .user = &tasks[i]}, .shared = &s, .value = i};
        ftl_group_submit(&group, &tasks[i].task);
    }
    /* In the order of submission, as a pipeline waits. */
    for (unsigned i = 0; i < TASKS; i++) {
        ftl_group_wait(&group, &tasks[i].task);
        assert_int_equal(tasks[i].result, i * i);
    }
    ftl_group_end(&group);
    assert_false(s.bad_slot);
    assert_true(s.most >= 1 && s.most <= width);
}

static void tasks_run_once_within_the_width(void **unused)
{
    (void)unused;
    static const uint32_t widths[] = {1, 2, 3, 64};
    ftl_executor *executor = make(4);
    for (size_t i = 0; i < FTL_ARRAY_LEN(widths); i++)
        run_squares(executor, widths[i]);
    assert_true(ftl_executor_started(executor) >= 1 && ftl_executor_started(executor) <= 4);
    destroy(executor);
}

static void a_pool_of_no_threads_works(void **unused)
{
    (void)unused;
    ftl_executor *executor = make(0);
    run_squares(executor, 4);
    assert_int_equal(ftl_executor_started(executor), 0);
    destroy(executor);
}

static void wait_at_gate(void *user, uint32_t slot)
{
    shared *s = user;
    (void)slot;
    s->running++;
    while (!s->gate)
        sched_yield();
    s->running--;
}

static void open_gate(void *user, uint32_t slot)
{
    (void)slot;
    ((shared *)user)->gate = true;
}

/* Two tasks that need each other, so that they must run side by side; no caller helps. */
static void tasks_of_a_group_run_side_by_side(void **unused)
{
    (void)unused;
    ftl_executor *executor = make(2);
    shared s = {.executor = executor};
    ftl_task first = {.run = wait_at_gate, .user = &s}, second = {.run = open_gate, .user = &s};
    ftl_task_group group;
    ftl_group_begin(&group, executor, 2);
    ftl_group_submit(&group, &first);
    while (!s.running)
        sched_yield();
    ftl_group_submit(&group, &second);
    ftl_group_wait_all(&group);
    assert_true(s.gate);
    ftl_group_end(&group);
    destroy(executor);
}

static void ending_a_group_drops_what_waits(void **unused)
{
    (void)unused;
    ftl_executor *executor = make(1);
    shared s = {.executor = executor};
    ftl_task blocker = {.run = wait_at_gate, .user = &s}, waiting = {.run = open_gate, .user = &s};
    ftl_task_group busy, dropped;
    ftl_group_begin(&busy, executor, 1);
    ftl_group_begin(&dropped, executor, 4);
    ftl_group_submit(&busy, &blocker);
    while (!s.running)
        sched_yield();
    ftl_group_submit(&dropped, &waiting); /* the only thread is busy */
    ftl_group_end(&dropped);
    assert_false(s.gate);
    assert_int_equal(waiting.state, FTL_TASK_IDLE);
    s.gate = true;
    ftl_group_end(&busy);
    assert_int_equal(blocker.state, FTL_TASK_DONE);
    destroy(executor);
}

typedef struct sums {
    ftl_executor *executor;
    _Atomic uint64_t total;
} sums;

static void add_index(void *user, uint32_t slot, size_t index)
{
    (void)slot;
    ((sums *)user)->total += index;
}

static void add_hundred(void *user, uint32_t slot, size_t index)
{
    sums *s = user;
    (void)slot;
    (void)index;
    ftl_executor_for(s->executor, 3, 100, add_index, s);
}

static void loops_may_be_nested(void **unused)
{
    (void)unused;
    ftl_executor *executor = make(3);
    sums s = {.executor = executor};
    ftl_executor_for(executor, 3, 0, add_index, &s);
    ftl_executor_for(executor, 3, 1, add_index, &s);
    assert_int_equal(ftl_executor_started(executor), 0); /* small work starts no thread */
    ftl_executor_for(executor, 4, 50, add_hundred, &s);
    assert_int_equal(s.total, 50 * 4950);
    ftl_executor_for(executor, 1000, 1000, add_index, &s);
    assert_int_equal(s.total, 50 * 4950 + 999 * 500);
    destroy(executor);
}

typedef struct meeting {
    _Atomic uint32_t there;
    _Atomic bool missed;
} meeting;

/* Comes to an end when somebody else is here as well, or nobody came for half a minute. */
static void meet_another(void *user, uint32_t slot, size_t index)
{
    meeting *m = user;
    (void)slot;
    (void)index;
    m->there++;
    for (int i = 0; m->there < 2 && i < 30000; i++)
        usleep(1000);
    if (m->there < 2)
        m->missed = true;
}

/* A pool of one thread is woken for a loop of two: the caller takes the other half. */
static void a_loop_of_two_has_two_threads(void **unused)
{
    (void)unused;
    for (uint32_t threads = 1; threads < 4; threads++) {
        ftl_executor *executor = make(threads);
        meeting m = {0};
        ftl_executor_for(executor, 2, 2, meet_another, &m);
        assert_false(m.missed);
        destroy(executor);
    }
}

static void *own_loops(void *user)
{
    sums s = {.executor = user};
    for (int i = 0; i < 50; i++)
        ftl_executor_for(user, 4, 100, add_index, &s);
    return s.total == 50 * 4950 ? NULL : user;
}

static void several_callers_share_a_pool(void **unused)
{
    (void)unused;
    enum { CALLERS = 4 };
    ftl_executor *executor = make(2);
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, own_loops, executor), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(callers[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_true(ftl_executor_started(executor) <= 2);
    destroy(executor);
}

static void see_signals(void *user, uint32_t slot)
{
    sigset_t blocked;
    (void)slot;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    *(_Atomic int *)user = sigismember(&blocked, SIGINT) ? 1 : 2;
}

static void pool_threads_block_signals(void **unused)
{
    (void)unused;
    _Atomic int seen = 0;
    ftl_executor *executor = make(1);
    ftl_task task = {.run = see_signals, .user = &seen};
    ftl_task_group group;
    ftl_group_begin(&group, executor, 1);
    ftl_group_submit(&group, &task);
    while (!seen) /* without helping: the pool's thread runs it */
        sched_yield();
    ftl_group_end(&group);
    assert_int_equal(seen, 1);
    sigset_t own;
    pthread_sigmask(SIG_SETMASK, NULL, &own);
    assert_int_equal(sigismember(&own, SIGINT), 0);
    destroy(executor);
}

/*
 * The child of a fork finds threads gone, starts its own, and destroys the executor.
 * ThreadSanitizer itself cannot start threads in such a child, so there the child checks what needs
 * none.
 */
#if defined(__SANITIZE_THREAD__)
static bool work_in_child(ftl_executor *executor)
{
    sums s = {.executor = executor};
    ftl_executor_for(executor, 1, 100, add_index, &s);
    return s.total == 4950;
}
#else
static bool work_in_child(ftl_executor *executor)
{
    shared gate = {.executor = executor};
    sums s = {.executor = executor};
    ftl_task first = {.run = wait_at_gate, .user = &gate};
    ftl_task second = {.run = open_gate, .user = &gate};
    ftl_task_group group;
    ftl_group_begin(&group, executor, 2);
    ftl_group_submit(&group, &first);
    while (!gate.running)
        sched_yield();
    ftl_group_submit(&group, &second);
    ftl_group_wait_all(&group);
    ftl_group_end(&group);
    ftl_executor_for(executor, 2, 100, add_index, &s);
    return s.total == 4950 && ftl_executor_started(executor) > 0;
}
#endif

static int use_in_child(ftl_executor *executor)
{
    if (ftl_executor_started(executor) != 0)
        return 1;
    if (!work_in_child(executor))
        return 2;
    ftl_executor_destroy(executor);
    return ftl_account_used(&account) == 0 ? 0 : 3;
}

static void a_child_of_fork_starts_its_own_threads(void **unused)
{
    (void)unused;
    ftl_executor *executor = make(2);
    run_squares(executor, 2);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(use_in_child(executor));
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    run_squares(executor, 2);
    destroy(executor);
}

/* A group of two has one pool thread, however many tasks wait: the other place is the owner's. */
static void a_place_is_the_owners(void **unused)
{
    (void)unused;
    enum { MANY = 20 };
    ftl_executor *executor = make(4);
    shared s = {.executor = executor};
    ftl_task tasks[MANY], last = {.run = open_gate, .user = &s};
    ftl_task_group group;
    ftl_group_begin(&group, executor, 2);
    for (size_t i = 0; i < MANY; i++) {
        tasks[i] = (ftl_task){.run = wait_at_gate, .user = &s};
        ftl_group_submit(&group, &tasks[i]);
    }
    while (!s.running)
        sched_yield();
    for (int i = 0; i < 1000; i++) {
        sched_yield();
        assert_int_equal(s.running, 1);
    }
    assert_int_equal(ftl_executor_started(executor), 1);
    s.gate = true;
    ftl_group_submit(&group, &last);
    ftl_group_wait(&group, &last);
    ftl_group_wait_all(&group);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(tasks[i].state, FTL_TASK_DONE);
    ftl_group_end(&group);
    destroy(executor);
}

/* ---- Shared work ------------------------------------------------------------------------------ */

enum { PARTS = 29, ROUNDS = 200 };

typedef struct sharer {
    ftl_task_group group;
    ftl_task task, others[8];
    pthread_barrier_t barrier;
    _Atomic uint32_t done[PARTS];
    _Atomic uint32_t wrong;
} sharer;

static void count_part(void *user, size_t part)
{
    sharer *s = user;
    s->done[part]++;
}

static void share_rounds(void *user, uint32_t slot)
{
    sharer *s = user;
    (void)slot;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        ftl_group_share(&s->group, PARTS, count_part, s);
        for (size_t i = 0; i < PARTS; i++)
            s->wrong += s->done[i] != round;
    }
}

static void yield_often(void *user, uint32_t slot)
{
    (void)user;
    (void)slot;
    for (int i = 0; i < 50; i++)
        sched_yield();
}

/* Each part once, with others coming and going; when it returns all are done. */
static void parts_are_done_once(void **unused)
{
    (void)unused;
    for (uint32_t width = 2; width <= 4; width++) {
        static sharer s;
        s = (sharer){.task = {.run = share_rounds, .user = &s}};
        ftl_executor *executor = make(4);
        ftl_group_begin(&s.group, executor, width);
        ftl_group_submit(&s.group, &s.task);
        for (size_t i = 0; i < FTL_ARRAY_LEN(s.others); i++) {
            s.others[i] = (ftl_task){.run = yield_often};
            ftl_group_submit(&s.group, &s.others[i]);
        }
        ftl_group_wait_all(&s.group);
        ftl_group_end(&s.group);
        assert_int_equal(s.wrong, 0);
        destroy(executor);
    }
}

/* Two parts that only end together: one is another thread's. */
static void meet(void *user, size_t part)
{
    (void)part;
    pthread_barrier_wait(&((sharer *)user)->barrier);
}

static void share_meeting(void *user, uint32_t slot)
{
    sharer *s = user;
    (void)slot;
    for (int i = 0; i < 50; i++)
        ftl_group_share(&s->group, 2, meet, s);
}

/* The owner who waits helps a task; a pool thread helps the owner. */
static void who_has_nothing_to_do_helps(void **unused)
{
    (void)unused;
    static sharer s;
    s = (sharer){.task = {.run = share_meeting, .user = &s}};
    ftl_executor *executor = make(2);
    pthread_barrier_init(&s.barrier, NULL, 2);
    ftl_group_begin(&s.group, executor, 2);
    ftl_group_submit(&s.group, &s.task);
    ftl_group_wait(&s.group, &s.task);
    share_meeting(&s, 0);
    ftl_group_end(&s.group);
    pthread_barrier_destroy(&s.barrier);
    assert_int_equal(ftl_executor_started(executor), 1);
    destroy(executor);
}

static void append_part(void *user, size_t part)
{
    size_t *list = user; /* list[0]: how many follow */
    list[++list[0]] = part;
}

static void alone_all_is_done_in_order(void **unused)
{
    (void)unused;
    size_t list[4] = {0};
    ftl_group_share(NULL, 3, append_part, list);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list[i + 1], i);
    ftl_group_share(NULL, 0, append_part, list);
    assert_int_equal(list[0], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_once_within_the_width),
        cmocka_unit_test(a_pool_of_no_threads_works),
        cmocka_unit_test(tasks_of_a_group_run_side_by_side),
        cmocka_unit_test(a_place_is_the_owners),
        cmocka_unit_test(ending_a_group_drops_what_waits),
        cmocka_unit_test(parts_are_done_once),
        cmocka_unit_test(who_has_nothing_to_do_helps),
        cmocka_unit_test(alone_all_is_done_in_order),
        cmocka_unit_test(loops_may_be_nested),
        cmocka_unit_test(a_loop_of_two_has_two_threads),
        cmocka_unit_test(several_callers_share_a_pool),
        cmocka_unit_test(pool_threads_block_signals),
        cmocka_unit_test(a_child_of_fork_starts_its_own_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
