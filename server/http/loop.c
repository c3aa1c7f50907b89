/* The loops: one a thread, each with a socket of its own that listens on the same port. */
#include "http/connection.h"

#include "server.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 64 << 10, BACKLOG = 1024, TICK_MS = 250, DRAIN_TICK_MS = 20 };

/* How long a listener that takes no new clients still accepts those that were on their way. */
static void run_tasks(srv_loop *loop);

static const uint64_t last_calls = UINT64_C(150000000);

static void set_date(srv_loop *loop)
{
    time_t now = time(NULL);
    struct tm parts;
    if ((uint64_t)now == loop->date_second || !gmtime_r(&now, &parts))
        return;
    loop->date_second = (uint64_t)now;
    strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

static void on_tick(uv_timer_t *timer);

static void stop_listening(srv_loop *loop)
{
    if (!loop->listening)
        return;
    loop->listening = false;
    uv_close((uv_handle_t *)&loop->listener, NULL);
}

/*
 * A listener that is closed resets the connections that it has not accepted yet. So first the
 * kernel is told to drop what begins one (a client asks again after a second, and is refused then),
 * and a moment later, when those on their way have come, it is closed.
 */
static void call_last(srv_loop *loop)
{
    static struct sock_filter code[] = {
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13}, /* TCP's flags */
        {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02}, /* SYN without ACK */
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, 0xffffffff},
    };
    const struct sock_fprog program = {.len = FTL_ARRAY_LEN(code), .filter = code};
    uv_os_fd_t descriptor;
    if (uv_fileno((uv_handle_t *)&loop->listener, &descriptor) != 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, (socklen_t)sizeof program) !=
            0)
        return; /* where it cannot be told, the moment alone has to do */
}

/* Clients wait to be accepted, since this thread was busy: the loop does so before the next tick.
 */
static bool has_callers(const srv_loop *loop)
{
    struct pollfd waiting = {.events = POLLIN};
    return loop->listening && uv_fileno((const uv_handle_t *)&loop->listener, &waiting.fd) == 0 &&
           poll(&waiting, 1, 0) > 0;
}

static void drain(srv_loop *loop)
{
    if (loop->draining)
        return;
    loop->draining = true;
    loop->drains_since = uv_hrtime();
    if (loop->listening)
        call_last(loop);
    uv_timer_start(&loop->clock, on_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
}

/* Ends the loop when nothing is left to serve. */
static void end_if_done(srv_loop *loop)
{
    if (!loop->draining || loop->listening || loop->n_connections || loop->n_requests)
        return;
    if (!uv_is_closing((uv_handle_t *)&loop->clock)) {
        uv_close((uv_handle_t *)&loop->clock, NULL);
        uv_close((uv_handle_t *)&loop->turner, NULL);
        uv_close((uv_handle_t *)&loop->wake, NULL);
    }
}

static void on_tick(uv_timer_t *timer)
{
    srv_loop *loop = timer->data;
    set_date(loop);
    srv_connections_tick(loop);
    run_tasks(loop);
    if (loop->draining && loop->drains_since + last_calls < loop->now && !has_callers(loop))
        stop_listening(loop);
    end_if_done(loop);
}

static void on_wake(uv_async_t *wake)
{
    srv_loop *loop = wake->data;
    run_tasks(loop);
    if (srv_is_stopping(loop->server))
        drain(loop);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        srv_connection_accept(listener->data);
}

/*
 * Sockets of one port share its clients, those of another server of the same user, too: half of the
 * requests would go to a server that somebody forgot. One that does not share sees the others.
 */
static bool is_taken(const struct sockaddr *address)
{
    const int on = 1, off = 0;
    bool six = address->sa_family == AF_INET6;
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return false; /* what is wrong is told by who opens the socket that is used */
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, (socklen_t)sizeof on);
    if (six)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, (socklen_t)sizeof off);
    bool taken = bind(descriptor, address,
                      six ? (socklen_t)sizeof(struct sockaddr_in6)
                          : (socklen_t)sizeof(struct sockaddr_in)) != 0 &&
                 errno == EADDRINUSE;
    close(descriptor);
    return taken;
}

static ftl_status open_socket(srv_loop *loop, const struct sockaddr *address, ftl_error *error)
{
    const int on = 1;
    uv_os_fd_t descriptor;
    int status = uv_tcp_init_ex(&loop->uv, &loop->listener, address->sa_family);
    if (status == 0)
        status = uv_fileno((uv_handle_t *)&loop->listener, &descriptor);
    if (status == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, (socklen_t)sizeof on) != 0)
        status = uv_translate_sys_error(errno);
    if (status == 0)
        status = uv_tcp_bind(&loop->listener, address, 0);
    loop->listener.data = loop;
    loop->listening = true;
    if (status != 0)
        return FTL_FAIL(error, FTL_IO, "cannot take the address %s: %s",
                        srv_address_text(loop->server), uv_strerror(status));
    return FTL_OK;
}

/* A port that the system chooses is the same for all loops. */
static ftl_status bind_loop(srv_loop *loop, ftl_error *error)
{
    struct sockaddr_storage *address = srv_address(loop->server);
    if (loop->index == 0 && is_taken((const struct sockaddr *)address))
        return FTL_FAIL(error, FTL_IO,
                        "cannot take the address %s: another program listens there; end it, or "
                        "give another port",
                        srv_address_text(loop->server));
    FTL_TRY(open_socket(loop, (const struct sockaddr *)address, error));
    int size = (int)sizeof *address;
    if (loop->index == 0)
        uv_tcp_getsockname(&loop->listener, (struct sockaddr *)address, &size);
    return FTL_OK;
}

static void run_loop(void *user)
{
    srv_loop *loop = user;
    loop->now = uv_hrtime();
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

ftl_status srv_loop_init(srv_loop *loop, srv_server *server, uint32_t index, ftl_error *error)
{
    ftl_account *account = srv_account_of(server);
    loop->server = server;
    loop->index = index;
    loop->now = uv_hrtime();
    ftl_strbuf_init(&loop->wire, account, 0);
    uv_mutex_init(&loop->tasks_lock);
    loop->buffer = ftl_alloc(account, BUFFER);
    loop->buffer_room = BUFFER;
    if (!loop->buffer || uv_loop_init(&loop->uv) != 0)
        return FTL_OOM(error);
    ftl_strbuf_init(&loop->sealed, account, 0);
    loop->wake.data = loop->clock.data = loop->turner.data = loop;
    uv_async_init(&loop->uv, &loop->wake, on_wake);
    uv_timer_init(&loop->uv, &loop->clock);
    uv_idle_init(&loop->uv, &loop->turner);
    set_date(loop);
    return bind_loop(loop, error);
}

ftl_status srv_loop_start(srv_loop *loop, ftl_error *error)
{
    uv_timer_start(&loop->clock, on_tick, TICK_MS, TICK_MS);
    int status = uv_listen((uv_stream_t *)&loop->listener, BACKLOG, on_connection);
    if (status == 0)
        status = uv_thread_create(&loop->thread, run_loop, loop);
    if (status != 0)
        return FTL_FAIL(error, FTL_IO, "cannot listen on %s: %s", srv_address_text(loop->server),
                        uv_strerror(status));
    loop->running = true;
    return FTL_OK;
}

void srv_loop_wake(srv_loop *loop) { uv_async_send(&loop->wake); }

/* ---- Tasks from other threads ---------------------------------------------------------------- */

void srv_loop_post(srv_loop *loop, srv_task *task)
{
    uv_mutex_lock(&loop->tasks_lock);
    task->next = NULL;
    *(loop->last_task ? &loop->last_task->next : &loop->tasks) = task;
    loop->last_task = task;
    uv_mutex_unlock(&loop->tasks_lock);
    uv_async_send(&loop->wake);
}

static void run_tasks(srv_loop *loop)
{
    uv_mutex_lock(&loop->tasks_lock);
    srv_task *task = loop->tasks;
    loop->tasks = loop->last_task = NULL;
    uv_mutex_unlock(&loop->tasks_lock);
    while (task) {
        srv_task *next = task->next; /* the task may be gone behind its run */
        task->run(task);
        task = next;
    }
}

void srv_loop_end(srv_loop *loop)
{
    if (loop->running) {
        uv_thread_join(&loop->thread);
    } else if (loop->buffer) { /* it never ran */
        loop->draining = true;
        stop_listening(loop);
        end_if_done(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    if (!loop->buffer)
        return;
    uv_loop_close(&loop->uv);
    srv_loop_free_requests(loop);
    ftl_strbuf_free(&loop->wire);
    ftl_strbuf_free(&loop->sealed);
    ftl_free(srv_account_of(loop->server), loop->plain);
    ftl_free(srv_account_of(loop->server), loop->buffer);
    uv_mutex_destroy(&loop->tasks_lock);
}
