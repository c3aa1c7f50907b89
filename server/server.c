/* The server's life: opening, warming up, serving, draining. */
#include "server.h"

#include "api/custom.h"
#include "api/pages.h"
#include "base/cpu_count.h"
#include "http/tls.h"
#include "keys.h"
#include "log_writer.h"
#include "notify.h"
#include "serving/catalog.h"
#include "serving/figures.h"
#include "serving/jobs.h"
#include "serving/lookup.h"
#include "serving/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

double srv_now(void) { return 1e-9 * (double)uv_hrtime(); }

/* ---- The queue for the pool ------------------------------------------------------------------ */

bool srv_queue_entered(srv_server *server)
{
    if (++server->queued <= server->config->max_queue)
        return true;
    server->queued--;
    return false;
}

void srv_queue_left(srv_server *server) { server->queued--; }

/* The file of the private key, which may be the certificate's. */
static const char *tls_key_of(const srv_config *config)
{
    return *config->tls_key ? config->tls_key : config->tls_cert;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static ftl_status set_address(srv_server *server, ftl_error *error)
{
    const srv_config *config = server->config;
    const char *host = strcmp(config->host, "localhost") == 0 ? "127.0.0.1" : config->host;
    int port = (int)config->port;
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&server->address) != 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&server->address) != 0)
        return FTL_FAIL(error, FTL_ARG, "host takes an address, such as 127.0.0.1 or ::, not '%s'",
                        config->host);
    snprintf(server->address_text, sizeof server->address_text, "%s port %d", host, port);
    return FTL_OK;
}

static void name_address(srv_server *server)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&server->address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&server->address;
    bool is_six = server->address.ss_family == AF_INET6;
    char text[64] = "";
    if (is_six)
        uv_ip6_name(six, text, sizeof text);
    else
        uv_ip4_name(four, text, sizeof text);
    snprintf(server->address_text, sizeof server->address_text, "%s://%s%s%s:%d",
             server->tls ? "https" : "http", is_six ? "[" : "", text, is_six ? "]" : "",
             ntohs(is_six ? six->sin6_port : four->sin_port));
}

static ftl_status open_models(srv_server *server, ftl_error *error)
{
    const srv_config *config = server->config;
    const ftl_context_options context = {.struct_size = sizeof context};
    const ftl_cache_options cache = {.struct_size = sizeof cache,
                                     .cache_size = config->cache_size,
                                     .max_bytes = config->cache_bytes};
    FTL_TRY(ftl_context_create(&context, &server->context, error));
    FTL_TRY(ftl_cache_create(server->context, &cache, &server->cache, error));
    return srv_catalog_create(server, &server->catalog, error);
}

static ftl_status open_keys(srv_server *server, ftl_error *error)
{
    const srv_config *config = server->config;
    struct srv_keys *keys = NULL;
    FTL_TRY(srv_keys_read(&server->account, config, &keys, error));
    server->keys = keys;
    struct stat about;
    if (*config->keys_file && stat(config->keys_file, &about) == 0 && about.st_mode & S_IROTH)
        srv_log(server, "warning", "keys",
                "keys-file: every user of this machine can read %s; chmod 600 keeps the keys",
                config->keys_file);
    if (*config->tls_cert == '\0')
        return *config->tls_key ? FTL_FAIL(error, FTL_ARG, "tls-key needs tls-cert") : FTL_OK;
    return srv_tls_create(&server->account, config->tls_cert, tls_key_of(config), &server->tls,
                          error);
}

static ftl_status open_loops(srv_server *server, ftl_error *error)
{
    uint32_t n = server->config->threads ? server->config->threads : ftl_cpu_count();
    server->loops = ftl_alloc_zero(&server->account, n, sizeof *server->loops);
    if (!server->loops)
        return FTL_OOM(error);
    for (; server->n_loops < n; server->n_loops++) {
        srv_loop *loop = &server->loops[server->n_loops];
        ftl_status status = srv_loop_init(loop, server, server->n_loops, error);
        if (status != FTL_OK) {
            server->n_loops++;
            return status;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        FTL_TRY(srv_loop_start(&server->loops[i], error));
    name_address(server);
    return FTL_OK;
}

static ftl_status open_server(srv_server *server, ftl_error *error)
{
    FTL_TRY(srv_log_check(server->config, error));
    FTL_TRY(set_address(server, error));
    FTL_TRY(open_keys(server, error));
    FTL_TRY(srv_check_exposure(server, srv_config_of(server), server->keys, error));
    FTL_TRY(srv_figures_create(&server->account, &server->figures, error));
    FTL_TRY(open_models(server, error));
    FTL_TRY(srv_jobs_create(server, &server->jobs, error));
    FTL_TRY(srv_streams_create(server, &server->streams, error));
    FTL_TRY(srv_pages_init(server, error));
    FTL_TRY(srv_custom_create(server, error));
    return open_loops(server, error);
}

static void close_server(srv_server *server)
{
    server->phase = SRV_STOPPING;
    srv_streams_stop(server->streams);
    srv_jobs_stop(server->jobs); /* the loops are there for those who wait for it */
    for (uint32_t i = 0; i < server->n_loops; i++)
        srv_loop_wake(&server->loops[i]);
    for (uint32_t i = 0; i < server->n_loops; i++) {
        srv_loop_end(&server->loops[i]);
        srv_lookup_free(&server->loops[i]);
    }
    ftl_free(&server->account, server->loops);
    srv_jobs_destroy(server->jobs);
    srv_streams_destroy(server->streams);
    srv_custom_destroy(server);
    srv_catalog_destroy(server->catalog);
    ftl_cache_destroy(server->cache);
    ftl_context_destroy(server->context);
    srv_figures_destroy(&server->account, server->figures);
    srv_keys_destroy(server->keys);
    srv_tls_destroy(server->tls);
    srv_forget_past(server);
}

/* ---- Signals --------------------------------------------------------------------------------- */

static int signal_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    char byte = (char)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
}

/* Before anything slow, so that no signal is lost. */
static bool catch_signals(int kick[2])
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (pipe2(signal_pipe, O_CLOEXEC) != 0 || pipe2(kick, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK); /* a handler never waits */
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a file that may not grow is an error of its request */
    return true;
}

/* Waits for a signal, so many milliseconds at most; 0: none came. */
static int wait_for_signal(int milliseconds)
{
    struct pollfd poll_for = {.fd = signal_pipe[0], .events = POLLIN};
    char number = 0;
    if (poll(&poll_for, 1, milliseconds) <= 0 || read(signal_pipe[0], &number, 1) != 1)
        return 0;
    return number;
}

/* ---- Serving --------------------------------------------------------------------------------- */

static void warm_up(void *user)
{
    srv_server *server = user;
    srv_catalog_warm(server->catalog);
    int starting = SRV_STARTING;
    if (!atomic_compare_exchange_strong(&server->phase, &starting, SRV_READY))
        return;
    srv_log(server, "info", "ready", "serving on %s", server->address_text);
    srv_notify("READY=1");
}

/* Opens the models, and looks at them again from time to time. */
static void keep_models(void *user)
{
    srv_server *server = user;
    srv_catalog_watch(server->catalog);
    warm_up(server);
    srv_catalog_refresh(server->catalog);
    while (!srv_is_ending(server)) {
        uint32_t seconds = srv_config_of(server)->watch_seconds;
        int most = seconds && seconds < 86400 ? (int)seconds * 1000 : -1;
        srv_catalog_wait(server->catalog, server->kick[0], most);
        if (!srv_is_ending(server))
            srv_catalog_refresh(server->catalog);
    }
    server->keeper_ended = true;
}

static void kick_keeper(srv_server *server)
{
    ssize_t written = write(server->kick[1], "", 1);
    (void)written;
}

bool srv_is_ready(const srv_server *server)
{
    return server->phase == SRV_READY && !(srv_config_of(server)->require_warmup &&
                                           srv_catalog_problems(server->catalog, NULL, NULL));
}

static bool all_idle(srv_server *server)
{
    for (uint32_t i = 0; i < server->n_loops; i++) {
        const srv_loop *loop = &server->loops[i];
        if (loop->listening || loop->n_connections || loop->n_requests)
            return false;
    }
    return srv_jobs_busy(server->jobs) == 0;
}

static bool has_ended(srv_server *server) { return all_idle(server) && server->keeper_ended; }

/* True: told twice. */
static bool wait_to_end(int milliseconds)
{
    int number = wait_for_signal(milliseconds);
    return number == SIGTERM || number == SIGINT;
}

/* Told to end: says so to who asks whether it is ready, then takes no more, then ends. */
static void drain(srv_server *server)
{
    enum { NOTICE_MS = 200, STEP_MS = 20, MOST_GRACE = 3600 };
    const srv_config *config = srv_config_of(server);
    uint32_t grace = config->grace_seconds < MOST_GRACE ? config->grace_seconds : MOST_GRACE;
    double until = srv_now() + grace + config->drain_seconds;
    server->phase = SRV_DRAINING;
    kick_keeper(server);
    srv_notify("STOPPING=1");
    srv_log(server, "info", "draining", "told to end: open requests have %u s",
            config->drain_seconds);
    if (wait_to_end((int)grace * 1000 + NOTICE_MS))
        return;
    server->phase = SRV_STOPPING;
    for (uint32_t i = 0; i < server->n_loops; i++)
        srv_loop_wake(&server->loops[i]);
    while (srv_now() < until && !has_ended(server)) {
        if (wait_to_end(STEP_MS))
            return;
    }
}

/*
 * Gives up what takes longer: no half of a file stays, and who waits for one or for a stream is
 * told so.
 */
static void give_up(srv_server *server)
{
    enum { STEP_MS = 10, STEPS = 50 };
    srv_streams_stop(server->streams);
    srv_jobs_stop(server->jobs);
    for (int i = 0; i < STEPS && !has_ended(server) && !wait_to_end(STEP_MS); i++) {}
}

/* What has not ended in time is cut off with the process. */
static _Noreturn void leave(void)
{
    srv_log_writer_stop();
    _exit(0);
}

static void serve(srv_server *server)
{
    uv_thread_t keeper;
    bool keeps = uv_thread_create(&keeper, keep_models, server) == 0;
    if (!keeps)
        warm_up(server);
    server->keeper_ended = !keeps;
    for (int number = 0; number != SIGTERM && number != SIGINT;) {
        number = wait_for_signal(-1);
        if (number == SIGHUP)
            srv_reload(server);
        if (number == SIGHUP)
            kick_keeper(server);
    }
    drain(server);
    give_up(server);
    if (!has_ended(server))
        leave();
    if (keeps)
        uv_thread_join(&keeper);
}

/* A connection is a descriptor: as many as the system allows. */
static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int srv_run(const srv_config *config)
{
    static srv_server server;
    ftl_error error;
    ftl_error_clear(&error);
    server.config = config;
    server.started = srv_now();
    ftl_account_init(&server.account, NULL, config->request_memory);
    srv_set_pool_size(config);
    raise_limits();
    srv_log_writer_start(&server.account);
    ftl_status status = FTL_OK;
    if (!catch_signals(server.kick))
        status = FTL_FAIL(&error, FTL_IO, "no pipe for signals");
    if (status == FTL_OK && uv_random(NULL, NULL, &server.run, sizeof server.run, 0, NULL) != 0)
        status = FTL_FAIL(&error, FTL_IO, "the system gives no random numbers");
    if (status == FTL_OK)
        status = open_server(&server, &error);
    if (status == FTL_OK) {
        srv_log(&server, "info", "listening", "listening on %s", server.address_text);
        serve(&server);
    } else {
        srv_log_writer_stop();
        fprintf(stderr, "foretell: error: %s\n", error.message);
    }
    close_server(&server);
    srv_log_writer_stop();
    return status == FTL_OK ? 0 : status == FTL_ARG ? 2 : 4;
}
