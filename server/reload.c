/* SIGHUP: what may change while the server runs is read again. */
#include "http/tls.h"
#include "keys.h"
#include "server.h"

/* A configuration that was replaced: others may still read it. */
struct srv_past_config {
    srv_config config;
    struct srv_past_config *before;
};

/* Settings that take effect at once; others need another start. */
static const char *const live[] = {
    "max-body",      "max-head",      "max-rows",      "max-cells",    "max-connections",
    "max-queue",     "queue-ms",      "inline-us",     "head-timeout", "body-timeout",
    "idle-timeout",  "drain-seconds", "quiet",         "log-level",    "access-log",
    "inference-key", "admin-key",     "metrics-key",   "keys-file",    "key-rate",
    "allowed-host",  "cors-origin",   "tls-cert",      "tls-key",      "request-timeout",
    "grace-seconds", "watch-seconds", "require-warmup"};

static ftl_status read_config(srv_server *server, srv_config *out, ftl_error *error)
{
    char kept[400];
    const srv_config *running = srv_config_of(server);
    FTL_TRY(srv_config_read(running->account, running->argc, running->argv, out, error));
    ftl_status status = srv_config_keep(out, running, live, FTL_ARRAY_LEN(live), kept, sizeof kept,
                                        error);
    if (status == FTL_OK)
        status = srv_log_check(out, error);
    if (status == FTL_OK && !*out->tls_cert != !server->tls)
        status = FTL_FAIL(error, FTL_ARG, "tls-cert: TLS begins and ends with the server");
    if (status != FTL_OK)
        srv_config_free(out);
    else if (kept[0])
        srv_log(server, "warning", "reload", "another start is needed for: %s", kept);
    return status;
}

/* The keys first, which have no effect until all is well; then the certificate, then both. */
static ftl_status apply(srv_server *server, struct srv_past_config *fresh, ftl_error *error)
{
    const srv_config *config = &fresh->config;
    srv_keys *keys = NULL;
    FTL_TRY(srv_keys_read(&server->account, config, &keys, error));
    ftl_status status = srv_check_exposure(server, config, keys, error);
    if (status == FTL_OK && server->tls)
        status = srv_tls_reload(server->tls, config->tls_cert,
                                *config->tls_key ? config->tls_key : config->tls_cert, error);
    if (status != FTL_OK) {
        srv_keys_destroy(keys);
        return status;
    }
    srv_keys_replace(keys, server->keys);
    server->keys = keys;
    fresh->before = server->past;
    server->past = fresh;
    server->config = config;
    return FTL_OK;
}

void srv_reload(srv_server *server)
{
    ftl_error error;
    ftl_error_clear(&error);
    struct srv_past_config *fresh = ftl_alloc_zero(&server->account, 1, sizeof *fresh);
    ftl_status status = fresh ? FTL_OK : FTL_NOMEM;
    if (fresh)
        status = read_config(server, &fresh->config, &error);
    if (status == FTL_OK) {
        status = apply(server, fresh, &error);
        if (status != FTL_OK)
            srv_config_free(&fresh->config);
    }
    if (status == FTL_OK) {
        srv_log(server, "info", "reload", "configuration, keys and certificates are read again");
        return;
    }
    ftl_free(&server->account, fresh);
    srv_log(server, "error", "reload", "nothing is changed: %s",
            error.message[0] ? error.message : "out of memory");
}

void srv_forget_past(srv_server *server)
{
    while (server->past) {
        struct srv_past_config *fresh = server->past;
        server->past = fresh->before;
        srv_config_free(&fresh->config);
        ftl_free(&server->account, fresh);
    }
}
