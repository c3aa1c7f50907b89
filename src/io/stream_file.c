/*
 * The file source: read(2) without a buffer of its own. A regular file is compared with what it was
 * at opening once its end is reached, because joblib.dump truncates and rewrites in place and half
 * of each version must not become a model.
 *
 * With a token nothing waits inside the system: what is no regular file is read when poll says that
 * there is something. A FIFO that is opened so does not wait for its writer either; poll does.
 */
#include "base/cancel.h"
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct file_source {
    ftl_account *account;
    int fd;
    bool owned; /* standard input is not closed */
    bool regular;
    bool whole;               /* regular, and read from its beginning */
    bool must_be_regular;     /* anything else is refused, links too */
    const ftl_cancel *cancel; /* NULL: none */
    uint64_t position;        /* bytes read */
    struct stat opened;       /* what the file was at opening */
    char path[];
} file_source;

static ftl_status system_error(ftl_error *error, const char *what, const char *path, int number)
{
    char text[128];
    return FTL_FAIL(error, FTL_IO, "cannot %s \"%s\": %s", what, path,
                    strerror_r(number, text, sizeof text));
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static ftl_status file_verify(void *state, ftl_error *error)
{
    const file_source *source = state;
    struct stat now;
    /* Files of size 0 are empty or made up by the kernel (/proc), whose times mean nothing. */
    if (!source->regular || source->opened.st_size == 0)
        return FTL_OK;
    if (fstat(source->fd, &now) != 0)
        return system_error(error, "read", source->path, errno);
    if (now.st_size == source->opened.st_size && now.st_ino == source->opened.st_ino &&
        same_time(&now.st_mtim, &source->opened.st_mtim))
        return FTL_OK;
    return FTL_FAIL_BECAUSE(
        error, FTL_IO, FTL_REASON_FILE_CHANGED,
        "\"%s\" changed while it was read; wait until it is written, then try again", source->path);
}

static ftl_status file_read(void *state, void *out, size_t room, size_t *got, ftl_error *error)
{
    enum { LARGEST = 1 << 30 }; /* read(2) takes at most 2^31 bytes a call */
    file_source *source = state;
    ssize_t n;
    do {
        if (!source->regular)
            FTL_TRY(ftl_cancel_poll(source->cancel, source->fd, POLLIN, error));
        n = read(source->fd, out, room < LARGEST ? room : LARGEST);
    } while (n < 0 && (errno == EINTR || (source->cancel && errno == EAGAIN)));
    if (n < 0)
        return system_error(error, "read", source->path, errno);
    source->position += (uint64_t)n;
    if (n == 0 || source->position >= (uint64_t)source->opened.st_size)
        FTL_TRY(file_verify(source, error));
    *got = (size_t)n;
    return FTL_OK;
}

static bool file_extent(void *state, uint64_t *size)
{
    const file_source *source = state;
    *size = (uint64_t)source->opened.st_size;
    return source->whole;
}

static ftl_status file_read_at(void *state, uint64_t offset, void *out, size_t room, size_t *got,
                               ftl_error *error)
{
    enum { LARGEST = 1 << 30 };
    const file_source *source = state;
    ssize_t n;
    do
        n = pread(source->fd, out, room < LARGEST ? room : LARGEST, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return system_error(error, "read", source->path, errno);
    *got = (size_t)n;
    return n ? FTL_OK : file_verify(state, error);
}

static void file_close(void *state)
{
    file_source *source = state;
    if (source->owned && source->fd >= 0)
        close(source->fd);
    ftl_free(source->account, source);
}

static ftl_status not_regular(const file_source *source, ftl_error *error)
{
    return FTL_FAIL(error, FTL_FORBIDDEN,
                    "\"%s\" is a link, a pipe or a device; a file that a model names must be a "
                    "plain file: copy it here",
                    source->path);
}

static ftl_status file_open(file_source *source, ftl_error *error)
{
    if (source->owned) {
        int wait = source->must_be_regular ? O_NONBLOCK | O_NOFOLLOW
                   : source->cancel        ? O_NONBLOCK
                                           : 0;
        do
            source->fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait);
        while (source->fd < 0 && errno == EINTR);
        if (source->fd < 0 && errno == ELOOP && source->must_be_regular)
            return not_regular(source, error);
        if (source->fd < 0)
            return system_error(error, "open", source->path, errno);
    }
    if (fstat(source->fd, &source->opened) != 0)
        return system_error(error, "open", source->path, errno);
    if (S_ISDIR(source->opened.st_mode))
        return FTL_FAIL(error, FTL_IO, "\"%s\" is a directory; give the path of a file in it",
                        source->path);
    source->regular = S_ISREG(source->opened.st_mode);
    if (source->must_be_regular && !source->regular)
        return not_regular(source, error);
    source->whole = source->regular && lseek(source->fd, 0, SEEK_CUR) == 0;
    if (source->regular) /* only advice: a refusal changes nothing */
        (void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return FTL_OK;
}

static ftl_status open_source(ftl_account *account, const char *path, const ftl_cancel *cancel,
                              bool must_be_regular, ftl_stream **out, uint64_t *size,
                              ftl_error *error)
{
    static const ftl_stream_ops ops = {.read = file_read,
                                       .close = file_close,
                                       .verify = file_verify,
                                       .extent = file_extent,
                                       .read_at = file_read_at};
    bool is_stdin = !must_be_regular && strcmp(path, "-") == 0;
    const char *shown = is_stdin ? "standard input" : path;
    size_t length = strlen(shown) + 1;
    file_source *source = ftl_alloc(account, sizeof *source + length);
    if (!source)
        return FTL_OOM(error);
    memset(source, 0, sizeof *source);
    memcpy(source->path, shown, length);
    source->account = account;
    source->cancel = cancel;
    source->must_be_regular = must_be_regular;
    source->owned = !is_stdin;
    source->fd = is_stdin ? STDIN_FILENO : -1;
    ftl_status status = file_open(source, error);
    if (status != FTL_OK) {
        file_close(source);
        return status;
    }
    uint64_t bytes = source->regular ? (uint64_t)source->opened.st_size : 0;
    FTL_TRY(ftl_stream_create(account, &ops, source, 0, out, error));
    if (size)
        *size = bytes;
    return FTL_OK;
}

ftl_status ftl_stream_open_file(ftl_account *account, const char *path, ftl_stream **out,
                                uint64_t *size, ftl_error *error)
{
    return open_source(account, path, NULL, false, out, size, error);
}

ftl_status ftl_stream_open_file_cancellable(ftl_account *account, const char *path,
                                            const ftl_cancel *cancel, ftl_stream **out,
                                            uint64_t *size, ftl_error *error)
{
    return open_source(account, path, cancel, false, out, size, error);
}

ftl_status ftl_stream_open_regular(ftl_account *account, const char *path, ftl_stream **out,
                                   uint64_t *size, ftl_error *error)
{
    return open_source(account, path, NULL, true, out, size, error);
}
