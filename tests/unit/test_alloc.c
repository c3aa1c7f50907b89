/* Accounts and the system's allocator: blocks of every size keep their bytes while they change it.
 */
#include "unit.h"

#include "base/arena.h"

#include <pthread.h>
#include <string.h>

static const size_t sizes[] = {1,       1000,    3 << 20, (3 << 20) - 17, 5000000,
                               4 << 20, 9 << 20, 2 << 20, (16 << 20) + 1, 100,
                               3500000, 20 << 20};

static void fill(unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        block[i] = (unsigned char)(i * 7 + (i >> 12) + seed);
}

static void check(const unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != (unsigned char)(i * 7 + (i >> 12) + seed))
            fail_msg("byte %zu of %zu changed", i, size);
    }
}

static void resized(void **state)
{
    (void)state;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (size_t from = 0; from < sizeof sizes / sizeof *sizes; from++) {
        for (size_t to = 0; to < sizeof sizes / sizeof *sizes; to++) {
            unsigned char *block = ftl_alloc(&account, sizes[from]);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 16, 0);
            fill(block, sizes[from], (unsigned)from);
            block = ftl_realloc(&account, block, sizes[to]);
            assert_non_null(block);
            check(block, sizes[from] < sizes[to] ? sizes[from] : sizes[to], (unsigned)from);
            fill(block, sizes[to], (unsigned)to);
            assert_true(ftl_account_used(&account) >= sizes[to]);
            ftl_free(&account, block);
            assert_int_equal(ftl_account_used(&account), 0);
        }
    }
}

/* A block that may not grow stays as it was. */
static void refused(void **state)
{
    (void)state;
    ftl_account account;
    ftl_account_init(&account, NULL, 8 << 20);
    unsigned char *block = ftl_alloc(&account, 4 << 20);
    assert_non_null(block);
    fill(block, 4 << 20, 3);
    assert_null(ftl_realloc(&account, block, 9 << 20));
    assert_null(ftl_realloc(&account, block, SIZE_MAX - 4096));
    check(block, 4 << 20, 3);
    ftl_free(&account, block);
    assert_int_equal(ftl_account_used(&account), 0);
}

/* What a child holds counts for its parents as well, and for nobody else. */
static void children(void **state)
{
    (void)state;
    ftl_account top, model, objects, session;
    ftl_account_init(&top, NULL, 1 << 20);
    ftl_account_init_child(&model, &top);
    ftl_account_init_child(&objects, &model);
    ftl_account_init_child(&session, &top);
    void *in_model = ftl_alloc(&model, 1000), *in_objects = ftl_alloc(&objects, 20000),
         *in_session = ftl_alloc(&session, 300000);
    uint64_t header = ftl_account_used(&objects) - 20000;
    assert_true(header < 64);
    assert_int_equal(ftl_account_used(&model), 21000 + 2 * header);
    assert_int_equal(ftl_account_used(&session), 300000 + header);
    assert_int_equal(ftl_account_used(&top), 321000 + 3 * header);
    assert_null(ftl_alloc(&objects, 1 << 20)); /* the top's limit */
    assert_int_equal(ftl_account_used(&objects), 20000 + header);
    assert_int_equal(ftl_account_used(&model), 21000 + 2 * header);
    in_objects = ftl_realloc(&objects, in_objects, 5000);
    assert_int_equal(ftl_account_used(&objects), 5000 + header);
    ftl_free(&objects, in_objects);
    assert_int_equal(ftl_account_used(&objects), 0);
    assert_int_equal(ftl_account_used(&model), 1000 + header);
    ftl_free(&session, in_session);
    ftl_free(&model, in_model);
    assert_int_equal(ftl_account_used(&top), 0);
}

typedef struct spare {
    ftl_account *account;
    void *block; /* what reclaiming gives back */
    int asked;
} spare;

/* One block, and then there is no more. */
static bool give_back(void *user, unsigned times)
{
    spare *s = user;
    s->asked++;
    if (times > 0)
        return false;
    ftl_free(s->account, s->block);
    s->block = NULL;
    return true;
}

/* What can be spared goes when that may help, and only then. */
static void reclaimed(void **state)
{
    (void)state;
    ftl_account top, child;
    ftl_account_init(&top, NULL, 100000);
    ftl_account_init_child(&child, &top);
    spare s = {.account = &child, .block = ftl_alloc(&child, 60000)};
    top.reclaim = give_back;
    top.reclaim_user = &s;
    void *fits = ftl_alloc(&child, 30000);
    assert_non_null(fits);
    assert_int_equal(s.asked, 0);
    assert_null(ftl_alloc(&child, 100001)); /* more than there is room for at all */
    assert_int_equal(s.asked, 0);
    void *needs_room = ftl_alloc(&child, 50000);
    assert_non_null(needs_room);
    assert_int_equal(s.asked, 1);
    assert_null(s.block);
    assert_null(ftl_alloc_zero(&child, 90000, 1)); /* nothing is left to give back */
    assert_int_equal(s.asked, 3);
    ftl_free(&child, fits);
    ftl_free(&child, needs_room);
    assert_int_equal(ftl_account_used(&child), 0);
    assert_int_equal(ftl_account_used(&top), 0);
}

/* Threads that together stay below the limit, beside one that keeps asking for too much. */
enum { THREADS = 4, ROUNDS = 20000, SMALL = 1000, LIMIT = 64 << 10 };

typedef struct shared {
    ftl_account top;
    _Atomic int at_work;     /* threads that have small requests left */
    _Atomic int failed;      /* small requests that were refused */
    _Atomic int let_through; /* requests for too much that were granted */
    _Atomic int too_much;    /* requests for too much */
} shared;

static void *ask_for_little(void *user)
{
    shared *s = user;
    ftl_account account;
    ftl_account_init_child(&account, &s->top);
    for (int i = 0; i < ROUNDS || s->too_much < 1000; i++) {
        void *block = ftl_alloc(&account, SMALL);
        s->failed += block == NULL;
        void *grown = block ? ftl_realloc(&account, block, 2 * SMALL) : NULL;
        s->failed += grown == NULL;
        ftl_free(&account, grown ? grown : block);
    }
    s->failed += ftl_account_used(&account) != 0;
    s->at_work--;
    return NULL;
}

static void *ask_for_too_much(void *user)
{
    shared *s = user;
    ftl_account account;
    ftl_account_init_child(&account, &s->top);
    void *held = ftl_alloc(&account, SMALL);
    while (s->at_work) {
        void *more = ftl_alloc(&account, LIMIT), *zero = ftl_alloc_zero(&account, LIMIT, 1),
             *grown = ftl_realloc(&account, held, LIMIT);
        s->let_through += (more != NULL) + (zero != NULL) + (grown != NULL);
        s->too_much++;
    }
    ftl_free(&account, held);
    return NULL;
}

static void refusals_harm_nobody(void **state)
{
    (void)state;
    static shared s;
    pthread_t threads[THREADS + 1];
    ftl_account_init(&s.top, NULL, LIMIT);
    s.at_work = THREADS;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_little, &s), 0);
    assert_int_equal(pthread_create(&threads[THREADS], NULL, ask_for_too_much, &s), 0);
    for (int i = 0; i <= THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(s.failed, 0);
    assert_int_equal(s.let_through, 0);
    assert_int_equal(ftl_account_used(&s.top), 0);
}

/* Sanitizers end the program at such sizes. */
static void too_large(void **state)
{
    (void)state;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    assert_null(ftl_alloc(&account, SIZE_MAX - 4096));
    assert_null(ftl_alloc(&account, (size_t)PTRDIFF_MAX));
    assert_int_equal(ftl_account_used(&account), 0);
#endif
}

/* Work that comes again needs no more memory from the account, and a large one gives it back. */
static void arena_again(void **state)
{
    (void)state;
    ftl_account account;
    ftl_arena arena;
    ftl_account_init(&account, NULL, 0);
    ftl_arena_init(&arena, &account);
    ftl_arena_reset(&arena, 1 << 16); /* nothing is there yet */
    assert_int_equal(ftl_account_used(&account), 0);
    uint64_t kept = 0;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 40; i++)
            memset(ftl_arena_alloc(&arena, 1000), round, 1000);
        if (round)
            assert_int_equal(ftl_account_used(&account), kept);
        ftl_arena_reset(&arena, 1 << 16);
        if (round)
            assert_int_equal(ftl_account_used(&account), kept);
        kept = ftl_account_used(&account);
        assert_true(kept >= 40000 && kept < 1 << 17);
    }
    for (int i = 0; i < 100; i++)
        memset(ftl_arena_alloc_aligned(&arena, 40000), i, 40000);
    ftl_arena_reset(&arena, 1 << 16);
    assert_int_equal(ftl_account_used(&account), 0);
    memset(ftl_arena_alloc(&arena, 100), 1, 100);
    ftl_arena_free(&arena);
    assert_int_equal(ftl_account_used(&account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(resized),
                                       cmocka_unit_test(refused),
                                       cmocka_unit_test(children),
                                       cmocka_unit_test(reclaimed),
                                       cmocka_unit_test(refusals_harm_nobody),
                                       cmocka_unit_test(too_large),
                                       cmocka_unit_test(arena_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
