#include "base/cancel.h"

#include <errno.h>
#include <poll.h>

_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may trigger a token");

void ftl_cancel_trigger(ftl_cancel *cancel)
{
    atomic_store_explicit(&cancel->triggered, true, memory_order_relaxed);
}

bool ftl_cancel_triggered(const ftl_cancel *cancel)
{
    return cancel && atomic_load_explicit(&cancel->triggered, memory_order_relaxed);
}

void ftl_cancel_destroy(ftl_cancel *cancel)
{
    if (cancel)
        ftl_free(cancel->account, cancel);
}

ftl_status ftl_cancel_poll(const ftl_cancel *cancel, int fd, short events, ftl_error *error)
{
    struct pollfd waiting = {.fd = fd, .events = events};
    while (cancel) {
        FTL_TRY(ftl_cancel_check(cancel, error));
        int n = poll(&waiting, 1, FTL_CANCEL_POLL_MS);
        if (n > 0 || (n < 0 && errno != EINTR))
            break;
    }
    return FTL_OK;
}
