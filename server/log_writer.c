#include "log_writer.h"

#include "base/strbuf.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    MOST_WAITING = 1 << 20,
    PIECE = 4096,      /* what a pipe takes at once when it takes anything */
    GATHER_MS = 20,    /* between two writes: a thread that wakes for each line would cost more */
    LAST_WAIT_MS = 200 /* for a reader, once the server ends */
};

static struct {
    _Atomic bool running, stops;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t filled;
    ftl_strbuf waiting, writing;
    uint64_t lost;
} writer;

/* False: the reader has stopped, or is gone. */
static bool write_piece(const char *data, size_t size, size_t *written)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t n = -1;
    if (poll(&ready, 1, LAST_WAIT_MS) > 0)
        n = write(STDERR_FILENO, data, size);
    else
        errno = EAGAIN;
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return false;
    *written = n > 0 ? (size_t)n : 0;
    return n > 0 || errno == EINTR || !writer.stops;
}

/* Whole lines, as many as fit a piece: lines of other programs come between lines then. */
static size_t piece_of(const char *data, size_t size)
{
    if (size <= PIECE)
        return size;
    const char *end = memrchr(data, '\n', PIECE);
    return end ? (size_t)(end - data) + 1 : PIECE;
}

static void write_all(const ftl_strbuf *lines)
{
    size_t at = 0, written = 0;
    while (at < lines->size) {
        if (!write_piece(lines->data + at, piece_of(lines->data + at, lines->size - at), &written))
            return;
        at += written;
    }
}

/* Says how many lines are missing here. */
static void tell_lost(uint64_t lost)
{
    char line[120];
    int size = snprintf(line, sizeof line,
                        "{\"level\":\"warning\",\"event\":\"log\",\"message\":\"%llu lines are "
                        "lost: nobody read them\"}\n",
                        (unsigned long long)lost);
    ftl_strbuf_append(&writer.writing, line, (size_t)size);
}

static void take_turns(void)
{
    while (!writer.stops && writer.waiting.size == 0)
        uv_cond_wait(&writer.filled, &writer.lock);
    if (!writer.stops)
        uv_cond_timedwait(&writer.filled, &writer.lock, GATHER_MS * UINT64_C(1000000));
    ftl_strbuf empty = writer.writing;
    writer.writing = writer.waiting;
    writer.waiting = empty;
    ftl_strbuf_clear(&writer.waiting);
    if (writer.lost)
        tell_lost(writer.lost);
    writer.lost = 0;
}

static void run_writer(void *user)
{
    bool stops = false;
    (void)user;
    while (!stops) {
        uv_mutex_lock(&writer.lock);
        take_turns();
        stops = writer.stops;
        uv_mutex_unlock(&writer.lock);
        write_all(&writer.writing);
    }
}

void srv_log_writer_start(ftl_account *account)
{
    ftl_strbuf_init(&writer.waiting, account, MOST_WAITING);
    ftl_strbuf_init(&writer.writing, account, 2 * MOST_WAITING);
    uv_mutex_init(&writer.lock);
    uv_cond_init(&writer.filled);
    writer.stops = false;
    writer.running = uv_thread_create(&writer.thread, run_writer, NULL) == 0;
}

void srv_log_write(const char *lines, size_t size)
{
    if (!writer.running) {
        ssize_t written = write(STDERR_FILENO, lines, size);
        (void)written;
        return;
    }
    uv_mutex_lock(&writer.lock);
    bool first = writer.waiting.size == 0;
    if (writer.waiting.size + size < MOST_WAITING)
        ftl_strbuf_append(&writer.waiting, lines, size);
    else
        writer.lost++;
    if (writer.waiting.failed) {
        writer.waiting.failed = false;
        writer.lost++;
    }
    if (first)
        uv_cond_signal(&writer.filled);
    uv_mutex_unlock(&writer.lock);
}

void srv_log_writer_stop(void)
{
    if (!writer.running)
        return;
    uv_mutex_lock(&writer.lock);
    writer.stops = true;
    uv_cond_signal(&writer.filled);
    uv_mutex_unlock(&writer.lock);
    uv_thread_join(&writer.thread);
    writer.running = false; /* the rest stays: other threads may have a last line */
}
