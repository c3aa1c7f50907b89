#include "table/sink_side.h"

#include "base/crc64.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static ftl_status cannot(const char *what, const ftl_sink_side *side, ftl_error *error)
{
    char text[128];
    int number = errno;
    return FTL_FAIL(error, FTL_IO, "cannot %s %s: %s", what, side->path,
                    strerror_r(number, text, sizeof text));
}

void ftl_sink_side_init(ftl_sink_side *side) { *side = (ftl_sink_side){.fd = -1}; }

ftl_status ftl_sink_side_name(ftl_sink_side *side, const char *partial, ftl_arena *arena,
                              ftl_error *error)
{
    static const char last[] = "partial";
    size_t size = strlen(partial) - (sizeof last - 1);
    side->path = ftl_arena_printf(arena, "%.*sstate", (int)size, partial);
    return side->path ? FTL_OK : FTL_OOM(error);
}

static ftl_status open_side(ftl_sink_side *side, int flags, ftl_error *error)
{
    while (side->fd < 0) {
        side->fd = open(side->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags, 0666);
        if (side->fd < 0 && errno != EINTR)
            return cannot("open", side, error);
    }
    return FTL_OK;
}

static ftl_status read_all(const ftl_sink_side *side, char *out, size_t size, size_t *got,
                           ftl_error *error)
{
    for (*got = 0; *got < size;) {
        ssize_t n = pread(side->fd, out + *got, size - *got, (off_t)*got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot("read", side, error);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return FTL_OK;
}

ftl_status ftl_sink_side_read(ftl_sink_side *side, uint64_t size, uint64_t sum, ftl_strbuf *out,
                              bool *holds, ftl_error *error)
{
    size_t got;
    *holds = size == 0 && sum == 0;
    if (size == 0)
        return FTL_OK;
    if (access(side->path, F_OK) != 0 && errno == ENOENT)
        return FTL_OK;
    FTL_TRY(open_side(side, 0, error));
    off_t end = lseek(side->fd, 0, SEEK_END);
    if (end < 0 || size > FTL_SINK_SIDE_MOST || (uint64_t)end < size)
        return FTL_OK;
    char *data = ftl_strbuf_extend(out, (size_t)size);
    if (!data)
        return FTL_OOM(error);
    FTL_TRY(read_all(side, data, (size_t)size, &got, error));
    *holds = got == size && ftl_crc64(0, data, got) == sum;
    if (*holds) {
        side->size = size;
        side->sum = sum;
    }
    return FTL_OK;
}

ftl_status ftl_sink_side_append(ftl_sink_side *side, const void *data, size_t size,
                                ftl_error *error)
{
    if (size == 0)
        return FTL_OK;
    FTL_TRY(open_side(side, O_CREAT, error));
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(side->fd, (const char *)data + done, size - done,
                           (off_t)(side->size + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot("write", side, error);
        done += (size_t)n;
    }
    int failed;
    do
        failed = fdatasync(side->fd);
    while (failed && errno == EINTR);
    if (failed && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return cannot("write", side, error);
    side->size += size;
    side->sum = ftl_crc64(side->sum, data, size);
    return FTL_OK;
}

void ftl_sink_side_remove(ftl_sink_side *side)
{
    ftl_sink_side_close(side);
    if (side->path)
        unlink(side->path);
    side->size = side->sum = 0;
}

void ftl_sink_side_close(ftl_sink_side *side)
{
    if (side->fd >= 0)
        close(side->fd);
    side->fd = -1;
}
