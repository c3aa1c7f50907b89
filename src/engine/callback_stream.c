#include "engine/callback_stream.h"

#include <errno.h>
#include <string.h>

static ftl_status cannot_read(const ftl_reader *reader, int64_t number, ftl_error *error)
{
    char text[128];
    const char *name = reader->name ? reader->name : "the input";
    if (number == ECANCELED)
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    if (number > INT32_MAX)
        return FTL_FAIL(error, FTL_IO, "cannot read %.200s", name);
    return FTL_FAIL(error, FTL_IO, "cannot read %.200s: %s", name,
                    strerror_r((int)number, text, sizeof text));
}

static ftl_status read_some(void *state, void *out, size_t room, size_t *got, ftl_error *error)
{
    const ftl_reader *reader = state;
    int64_t n = reader->read(reader->user, out, room);
    if (n < 0)
        return cannot_read(reader, n == INT64_MIN ? INT64_MAX : -n, error);
    if ((uint64_t)n > room)
        return FTL_FAIL(error, FTL_ARG, "a read of %zu bytes gave %lld", room, (long long)n);
    *got = (size_t)n;
    return FTL_OK;
}

static void do_nothing(void *state) { (void)state; }

ftl_status ftl_stream_open_reader(ftl_account *account, const ftl_reader *reader, ftl_stream **out,
                                  ftl_error *error)
{
    static const ftl_stream_ops ops = {.read = read_some, .close = do_nothing};
    return ftl_stream_create(account, &ops, (void *)reader, 0, out, error);
}
