/* Turns: one thread at a time in the order of tickets, and who waits helps. */
#include "unit.h"

#include "base/turn.h"

enum { THREADS = 4, ROUNDS = 300, PARTS = 29 };

typedef struct shared {
    ftl_turn turn;
    uint64_t next; /* guarded by the turn, as is order */
    uint64_t order[THREADS * ROUNDS];
    bool share;
    _Atomic uint32_t done[PARTS];
    _Atomic uint32_t wrong;
} shared;

typedef struct runner {
    shared *s;
    uint64_t first;
    pthread_t thread;
} runner;

static void count_part(void *user, size_t part)
{
    shared *s = user;
    s->done[part]++;
}

static void have_turn(shared *s, uint64_t ticket)
{
    s->order[s->next++] = ticket;
    if (!s->share)
        return;
    ftl_turn_share(&s->turn, PARTS, count_part, s);
    for (size_t i = 0; i < PARTS; i++)
        s->wrong += s->done[i] != s->next;
}

static void *take_turns(void *user)
{
    runner *r = user;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t ticket = r->first + i * THREADS;
        ftl_turn_wait(&r->s->turn, ticket);
        have_turn(r->s, ticket);
        ftl_turn_pass(&r->s->turn);
    }
    return NULL;
}

static void run_threads(bool share)
{
    static shared s;
    runner runners[THREADS];
    s = (shared){.share = share};
    ftl_turn_init(&s.turn);
    for (size_t i = 0; i < THREADS; i++) {
        runners[i] = (runner){.s = &s, .first = i};
        assert_int_equal(pthread_create(&runners[i].thread, NULL, take_turns, &runners[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(runners[i].thread, NULL);
    ftl_turn_free(&s.turn);
    for (uint64_t i = 0; i < THREADS * ROUNDS; i++)
        assert_int_equal(s.order[i], i);
    assert_int_equal(s.wrong, 0);
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(s.done[i], share ? THREADS * ROUNDS : 0);
}

static void test_turns_come_in_order(void **state)
{
    (void)state;
    run_threads(false);
}

static void test_parts_are_done_once(void **state)
{
    (void)state;
    run_threads(true);
}

/* Two parts that only end together: one is the waiting thread's. */
static void meet(void *user, size_t part)
{
    (void)part;
    pthread_barrier_wait(user);
}

static void *wait_for_second(void *user)
{
    ftl_turn *turn = user;
    ftl_turn_wait(turn, 1);
    ftl_turn_pass(turn);
    return NULL;
}

static void test_who_waits_helps(void **state)
{
    (void)state;
    ftl_turn turn;
    pthread_t waiting;
    pthread_barrier_t barrier;
    ftl_turn_init(&turn);
    ftl_turn_wait(&turn, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    assert_int_equal(pthread_create(&waiting, NULL, wait_for_second, &turn), 0);
    for (int i = 0; i < 50; i++)
        ftl_turn_share(&turn, 2, meet, &barrier);
    ftl_turn_pass(&turn);
    pthread_join(waiting, NULL);
    pthread_barrier_destroy(&barrier);
    ftl_turn_free(&turn);
}

/* list[0]: how many follow. */
static void append_part(void *user, size_t part)
{
    size_t *list = user;
    list[++list[0]] = part;
}

static void test_alone_all_is_done_in_order(void **state)
{
    (void)state;
    size_t list[4] = {0};
    ftl_turn_share(NULL, 3, append_part, list);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list[i + 1], i);
    ftl_turn_share(NULL, 0, append_part, list);
    assert_int_equal(list[0], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_come_in_order),
        cmocka_unit_test(test_parts_are_done_once),
        cmocka_unit_test(test_who_waits_helps),
        cmocka_unit_test(test_alone_all_is_done_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
