/*
 * A turn: what one thread at a time may do, in the order of tickets, and who waits for it helps the
 * one whose turn it is.
 *
 * Ticket 0 goes first; ftl_turn_pass makes it the next one's turn. Whoever has the turn may have
 * work done that falls into independent parts, such as the columns of a page: those that wait take
 * parts of it, and none waits in vain.
 *
 * Thread-safety: any thread; each ticket is one thread's.
 */
#ifndef FTL_BASE_TURN_H
#define FTL_BASE_TURN_H

#include "base/executor.h"

typedef void (*ftl_turn_fn)(void *user, size_t part);

/* Memory of the owner's; fields are the turn's. */
typedef struct ftl_turn {
    pthread_mutex_t lock;
    /* by ticket % FTL_GROUP_WIDTH: it is the ticket's turn, or there is work to help with */
    pthread_cond_t wake[FTL_GROUP_WIDTH];
    pthread_cond_t helped; /* the last part that a helper had is done */
    uint64_t now;          /* whose turn it is */
    uint64_t waiting;      /* a bit each, as wake */
    ftl_turn_fn fn;        /* of the work at hand */
    void *user;
    size_t next, parts; /* those below next are taken */
    size_t helping;     /* parts that helpers have */
} ftl_turn;

void ftl_turn_init(ftl_turn *turn);
void ftl_turn_free(ftl_turn *turn); /* nobody waits any more */
/* Until it is the ticket's turn. At most FTL_GROUP_WIDTH tickets in a row wait. */
void ftl_turn_wait(ftl_turn *turn, uint64_t ticket);
void ftl_turn_pass(ftl_turn *turn);
/*
 * Calls fn once for each part below parts, in any order and in several threads at once; returns
 * when all are done. For who has the turn; turn NULL: this thread does all, in order.
 */
void ftl_turn_share(ftl_turn *turn, size_t parts, ftl_turn_fn fn, void *user);

#endif
