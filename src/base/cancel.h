/*
 * Asking a token whether it was triggered: what long work does between its blocks.
 *
 * A token is one atomic flag without descriptors or locks, so that a signal handler may trigger it
 * and a server may have thousands. Who waits for bytes asks every FTL_CANCEL_POLL_MS, and at once
 * when a signal interrupts the wait.
 */
#ifndef FTL_BASE_CANCEL_H
#define FTL_BASE_CANCEL_H

#include "base/alloc.h"

struct ftl_cancel {
    ftl_account *account;
    atomic_bool triggered;
};

enum { FTL_CANCEL_POLL_MS = 50 };

/* CANCELLED when the token was triggered; NULL never is. */
static inline ftl_status ftl_cancel_check(const ftl_cancel *cancel, ftl_error *error)
{
    if (FTL_LIKELY(!cancel || !ftl_cancel_triggered(cancel)))
        return FTL_OK;
    return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
}

/*
 * Waits until fd has the poll(2) events, or its other end is gone. CANCELLED when the token is
 * triggered before or meanwhile. Without a token it returns at once. Errors of poll are left to the
 * read or write that follows.
 */
FTL_MUST_USE ftl_status ftl_cancel_poll(const ftl_cancel *cancel, int fd, short events,
                                        ftl_error *error);

#endif
