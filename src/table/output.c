#include "table/output.h"

#include "io/file_id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static ftl_status cannot_write(const ftl_output *output, int number, ftl_error *error)
{
    char text[128];
    const char *reason = strerror_r(number, text, sizeof text);
    if (number == ECANCELED)
        return FTL_FAIL(error, FTL_CANCELLED, "cancelled");
    if (number == EPIPE)
        return FTL_FAIL_BECAUSE(error, FTL_IO, FTL_REASON_NOBODY_READS,
                                "cannot write %s: nobody reads it any more", output->shown);
    if (number == ENOENT && output->folder)
        return FTL_FAIL(error, FTL_IO, "cannot write %s: the folder %s does not exist",
                        output->shown, output->folder);
    return FTL_FAIL(error, FTL_IO, "cannot write %s: %s%s", output->shown, reason,
                    output->temporary ? "; nothing was left under that name" : "");
}

/* The target behind symbolic links, so that a link stays a link, also one that leads nowhere yet.
 */
static ftl_status resolve(ftl_output *output, const char *path, ftl_error *error)
{
    char target[PATH_MAX];
    if (!ftl_follow_links(path, target))
        return cannot_write(output, errno, error);
    const char *slash = strrchr(target, '/');
    output->target = ftl_arena_string(&output->arena, target, strlen(target));
    if (!slash)
        output->folder = ".";
    else if (slash == target)
        output->folder = "/";
    else
        output->folder = ftl_arena_string(&output->arena, target, (size_t)(slash - target));
    if (!output->target || !output->folder)
        return FTL_OOM(error);
    return FTL_OK;
}

/* A new file of a random name beside the target. */
static ftl_status create_temporary(ftl_output *output, ftl_error *error)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            number = (uint64_t)getpid() * UINT64_C(1000003) + (uint64_t)attempt;
        const char *slash = strcmp(output->folder, "/") == 0 ? "" : "/";
        const char *name = ftl_arena_printf(&output->arena, "%s%s.foretell-%016llx.tmp",
                                            output->folder, slash, (unsigned long long)number);
        if (!name)
            return FTL_OOM(error);
        output->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (output->fd >= 0) {
            output->temporary = name;
            return FTL_OK;
        }
        if (errno != EEXIST && errno != EINTR)
            return cannot_write(output, errno, error);
    }
    return cannot_write(output, EEXIST, error);
}

/* The file that jobs for this target have grown; what an earlier one wrote is in it. */
static ftl_status open_partial(ftl_output *output, ftl_error *error)
{
    const char *slash = strrchr(output->target, '/');
    const char *name = slash ? slash + 1 : output->target;
    const char *path = ftl_arena_printf(&output->arena, "%.*s.%s.foretell-partial",
                                        (int)(name - output->target), output->target, name);
    if (!path)
        return FTL_OOM(error);
    do
        output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    while (output->fd < 0 && errno == EINTR);
    if (output->fd < 0)
        return cannot_write(output, errno, error);
    output->temporary = path;
    return FTL_OK;
}

/*
 * Opens a pipe or a device. A FIFO waits for who reads it; with a token the system does not wait,
 * so that no signal is missed between asking the token and the call.
 */
static ftl_status open_in_place(ftl_output *output, const char *path, bool fifo, ftl_error *error)
{
    const struct timespec pause = {.tv_nsec = FTL_CANCEL_POLL_MS * 1000000L};
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
    for (;;) {
        FTL_TRY(ftl_cancel_check(output->cancel, error));
        output->fd = open(path, flags | (output->cancel ? O_NONBLOCK : 0));
        if (output->fd >= 0)
            break;
        if (errno == ENXIO && fifo && output->cancel)
            (void)nanosleep(&pause, NULL);
        else if (errno != EINTR)
            return cannot_write(output, errno, error);
    }
    int now = fcntl(output->fd, F_GETFL);
    if (output->cancel && (now < 0 || fcntl(output->fd, F_SETFL, now & ~O_NONBLOCK) < 0))
        return cannot_write(output, errno, error);
    return FTL_OK;
}

static ftl_status open_path(ftl_output *output, const char *path, bool resumable, ftl_error *error)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (path[0] == '\0')
        return FTL_FAIL(error, FTL_IO, "the name of the output file is empty");
    if (exists && S_ISDIR(st.st_mode))
        return FTL_FAIL(error, FTL_IO,
                        "cannot write %s: it is a directory; give the name of a file", path);
    if (exists && !S_ISREG(st.st_mode))
        return open_in_place(output, path, S_ISFIFO(st.st_mode), error);
    if (exists && access(path, W_OK) != 0)
        return cannot_write(output, errno, error);
    if (path[strlen(path) - 1] == '/')
        return FTL_FAIL(error, FTL_IO,
                        "cannot write %s: it names a folder; give the name of a file", path);
    FTL_TRY(resolve(output, path, error));
    FTL_TRY(resumable ? open_partial(output, error) : create_temporary(output, error));
    if (exists && fchmod(output->fd, st.st_mode & 07777) != 0)
        return cannot_write(output, errno, error);
    return FTL_OK;
}

/* ftl_emit_fn: writes bytes as they are. */
static ftl_status write_bytes(void *user, const void *data, size_t size, ftl_error *error)
{
    ftl_output *output = user;
    if (output->take) {
        int number = size ? output->take(output->user, data, size) : 0;
        return number ? cannot_write(output, number, error) : FTL_OK;
    }
    const char *next = data;
    bool waits = output->cancel && !output->temporary;
    while (size) {
        /* What poll promises is room for this much; a larger write might wait inside the system. */
        size_t part = waits && size > PIPE_BUF ? PIPE_BUF : size;
        if (waits)
            FTL_TRY(ftl_cancel_poll(output->cancel, output->fd, POLLOUT, error));
        ssize_t n = write(output->fd, next, part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_write(output, errno, error);
        next += n;
        size -= (size_t)n;
        output->packed += (uint64_t)n;
    }
    return FTL_OK;
}

ftl_status ftl_output_open(ftl_output *output, ftl_account *account, const char *path,
                           const ftl_encoding *encoding, bool resumable, const ftl_cancel *cancel,
                           ftl_error *error)
{
    *output = (ftl_output){.fd = -1, .cancel = cancel};
    output->in_parts = output->waiting = resumable && encoding;
    ftl_arena_init(&output->arena, account);
    ftl_strbuf_init(&output->head, account, 0);
    if (output->in_parts)
        encoding = ftl_encoding_in_parts(encoding);
    if (encoding)
        FTL_TRY(
            ftl_encoder_create(account, encoding, write_bytes, output, &output->encoder, error));
    if (strcmp(path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        output->shown = "standard output";
        return FTL_OK;
    }
    output->shown = ftl_arena_string(&output->arena, path, strlen(path));
    if (!output->shown)
        return FTL_OOM(error);
    return open_path(output, path, resumable, error);
}

ftl_status ftl_output_open_taker(ftl_output *output, ftl_account *account, const char *name,
                                 ftl_output_write_fn *take, void *user,
                                 const ftl_encoding *encoding, ftl_error *error)
{
    *output = (ftl_output){.fd = -1, .take = take, .user = user};
    ftl_arena_init(&output->arena, account);
    if (encoding)
        FTL_TRY(
            ftl_encoder_create(account, encoding, write_bytes, output, &output->encoder, error));
    output->shown = ftl_arena_string(&output->arena, name, strlen(name));
    return output->shown ? FTL_OK : FTL_OOM(error);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Much less would cost more than a percent of the compression; more would be lost when a job is
 * stopped. */
enum { PART_BYTES = 4 << 20 };

ftl_output_mark ftl_output_last_mark(const ftl_output *output)
{
    const bool again = output->written < output->left_out; /* what is in the file comes again */
    const ftl_output_mark now = {output->packed, again ? output->left_out : output->written};
    return output->in_parts ? output->mark : now;
}

ftl_status ftl_output_end_part(ftl_output *output, ftl_error *error)
{
    if (!output->in_parts || output->waiting || output->written <= output->mark.written)
        return FTL_OK;
    FTL_TRY(ftl_encoder_part(output->encoder, error));
    output->mark = (ftl_output_mark){output->packed, output->written};
    return FTL_OK;
}

static ftl_status write_parts(ftl_output *output, const char *data, size_t size, ftl_error *error)
{
    while (size) {
        uint64_t left = PART_BYTES - (output->written - output->mark.written);
        size_t n = size < left ? size : (size_t)left;
        FTL_TRY(ftl_encoder_write(output->encoder, data, n, error));
        output->written += n;
        if (n == left)
            FTL_TRY(ftl_output_end_part(output, error));
        data += n;
        size -= n;
    }
    return FTL_OK;
}

/* Nothing waits and nothing is left out. */
static ftl_status write_now(ftl_output *output, const char *data, size_t size, ftl_error *error)
{
    if (output->in_parts)
        return write_parts(output, data, size, error);
    output->written += size;
    return output->encoder ? ftl_encoder_write(output->encoder, data, size, error)
                           : write_bytes(output, data, size, error);
}

ftl_status ftl_output_write(ftl_output *output, const void *data, size_t size, ftl_error *error)
{
    if (output->waiting) {
        ftl_strbuf_append(&output->head, data, size);
        return output->head.failed ? FTL_OOM(error) : FTL_OK;
    }
    uint64_t again = output->left_out > output->written ? output->left_out - output->written : 0;
    size_t n = size < again ? size : (size_t)again;
    output->written += n;
    return write_now(output, (const char *)data + n, size - n, error);
}

ftl_status ftl_output_patch(ftl_output *output, const void *data, size_t size, ftl_error *error)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(output->fd, (const char *)data + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_write(output, errno, error);
        done += (size_t)n;
    }
    return FTL_OK;
}

ftl_status ftl_output_sync(ftl_output *output, ftl_error *error)
{
    int failed;
    do
        failed = fsync(output->fd);
    while (failed && errno == EINTR);
    /* Some file systems cannot sync and say so; that is not the data's loss. */
    if (failed && errno != EINVAL && errno != ENOTSUP && errno != EROFS)
        return cannot_write(output, errno, error);
    return FTL_OK;
}

/* A file that ended with its last part is complete, but for formats that say so. */
static ftl_status finish_packing(ftl_output *output, ftl_error *error)
{
    if (!output->encoder)
        return FTL_OK;
    bool ended = output->mark.packed && output->written == output->mark.written;
    return ended && !ftl_encoder_has_end(output->encoder)
               ? FTL_OK
               : ftl_encoder_finish(output->encoder, error);
}

bool ftl_output_holds(const ftl_output *output, const ftl_output_mark *mark)
{
    struct stat st;
    bool begins = output->in_parts && mark->packed == 0; /* behind what every file begins with */
    return fstat(output->fd, &st) == 0 && (uint64_t)st.st_size >= mark->packed &&
           (!begins || mark->written == output->head.size);
}

static ftl_status cut_file(ftl_output *output, uint64_t size, ftl_error *error)
{
    int failed;
    do
        failed = ftruncate(output->fd, (off_t)size);
    while (failed && errno == EINTR);
    if (failed || lseek(output->fd, (off_t)size, SEEK_SET) < 0)
        return cannot_write(output, errno, error);
    return FTL_OK;
}

static ftl_status write_head(ftl_output *output, ftl_error *error)
{
    output->waiting = false;
    if (!output->in_parts)
        return FTL_OK; /* it was never held back */
    FTL_TRY(ftl_encoder_write(output->encoder, output->head.data, output->head.size, error));
    output->written = output->head.size;
    output->mark = (ftl_output_mark){0, output->written};
    return FTL_OK;
}

ftl_status ftl_output_begin_anew(ftl_output *output, ftl_error *error)
{
    FTL_TRY(cut_file(output, output->packed, error));
    return write_head(output, error);
}

ftl_status ftl_output_go_on(ftl_output *output, const ftl_output_mark *mark, uint64_t from,
                            ftl_error *error)
{
    FTL_TRY(cut_file(output, mark->packed, error));
    output->packed = mark->packed;
    if (output->in_parts)
        FTL_TRY(mark->packed ? ftl_encoder_go_on(output->encoder, error)
                             : write_head(output, error));
    output->written = from;
    output->left_out = mark->written;
    output->mark = *mark;
    output->waiting = false;
    return FTL_OK;
}

/* Closes fd, which is not standard output. False on failure, with errno set. */
static bool close_file(ftl_output *output)
{
    int fd = output->fd;
    output->fd = -1;
    /* EINTR: the descriptor is gone all the same, and the data were synced before. */
    return close(fd) == 0 || errno == EINTR;
}

static ftl_status complete(ftl_output *output, ftl_error *error)
{
    int failed;
    FTL_TRY(ftl_output_sync(output, error));
    if (!close_file(output))
        return cannot_write(output, errno, error);
    do
        failed = rename(output->temporary, output->target);
    while (failed && errno == EINTR);
    if (failed)
        return cannot_write(output, errno, error);
    output->temporary = NULL;
    int folder = open(output->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >=
        0) { /* the name is there; that it survives a power cut is all that is left to do */
        (void)fsync(folder);
        close(folder);
    }
    return FTL_OK;
}

ftl_status ftl_output_commit(ftl_output *output, ftl_error *error)
{
    ftl_status status = finish_packing(output, error);
    if (status == FTL_OK && output->temporary)
        status = complete(output, error);
    else if (status == FTL_OK && output->fd >= 0 && output->fd != STDOUT_FILENO &&
             !close_file(output))
        status = cannot_write(output, errno, error);
    if (status == FTL_OK)
        ftl_output_abort(output);
    return status;
}

void ftl_output_leave(ftl_output *output)
{
    output->temporary = NULL;
    ftl_output_abort(output);
}

void ftl_output_abort(ftl_output *output)
{
    if (output->fd >= 0 && output->fd != STDOUT_FILENO)
        close_file(output);
    output->fd = -1;
    if (output->temporary)
        unlink(output->temporary);
    output->temporary = NULL;
    ftl_encoder_destroy(output->encoder);
    output->encoder = NULL;
    ftl_strbuf_free(&output->head);
    ftl_arena_free(&output->arena);
}
