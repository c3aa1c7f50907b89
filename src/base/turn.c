#include "base/turn.h"

void ftl_turn_init(ftl_turn *turn)
{
    *turn = (ftl_turn){0};
    pthread_mutex_init(&turn->lock, NULL);
    pthread_cond_init(&turn->helped, NULL);
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        pthread_cond_init(&turn->wake[i], NULL);
}

void ftl_turn_free(ftl_turn *turn)
{
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        pthread_cond_destroy(&turn->wake[i]);
    pthread_cond_destroy(&turn->helped);
    pthread_mutex_destroy(&turn->lock);
}

/* Parts of the work at hand, until none is left. Under the lock, which is open meanwhile. */
static void help(ftl_turn *turn)
{
    while (turn->next < turn->parts) {
        const ftl_turn_fn fn = turn->fn;
        void *user = turn->user;
        size_t part = turn->next++;
        turn->helping++;
        pthread_mutex_unlock(&turn->lock);
        fn(user, part);
        pthread_mutex_lock(&turn->lock);
        turn->helping--;
    }
    if (turn->helping == 0)
        pthread_cond_signal(&turn->helped);
}

void ftl_turn_wait(ftl_turn *turn, uint64_t ticket)
{
    size_t place = ticket % FTL_GROUP_WIDTH;
    const uint64_t bit = UINT64_C(1) << place;
    pthread_mutex_lock(&turn->lock);
    while (turn->now != ticket) {
        if (turn->next < turn->parts) {
            help(turn);
            continue;
        }
        turn->waiting |= bit;
        pthread_cond_wait(&turn->wake[place], &turn->lock);
        turn->waiting &= ~bit;
    }
    pthread_mutex_unlock(&turn->lock);
}

void ftl_turn_pass(ftl_turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->now++;
    pthread_cond_signal(&turn->wake[turn->now % FTL_GROUP_WIDTH]);
    pthread_mutex_unlock(&turn->lock);
}

/* Wakes as many of those that wait as there are parts for. Under the lock. */
static void call_helpers(ftl_turn *turn)
{
    uint64_t waiting = turn->waiting;
    for (size_t i = 1; waiting && i < turn->parts; i++, waiting &= waiting - 1)
        pthread_cond_signal(&turn->wake[__builtin_ctzll(waiting)]);
}

void ftl_turn_share(ftl_turn *turn, size_t parts, ftl_turn_fn fn, void *user)
{
    if (!turn || parts < 2) {
        for (size_t i = 0; i < parts; i++)
            fn(user, i);
        return;
    }
    pthread_mutex_lock(&turn->lock);
    turn->fn = fn;
    turn->user = user;
    turn->next = 0;
    turn->parts = parts;
    call_helpers(turn);
    while (turn->next < turn->parts) {
        size_t part = turn->next++;
        pthread_mutex_unlock(&turn->lock);
        fn(user, part);
        pthread_mutex_lock(&turn->lock);
    }
    while (turn->helping)
        pthread_cond_wait(&turn->helped, &turn->lock);
    turn->next = turn->parts = 0;
    pthread_mutex_unlock(&turn->lock);
}
