/*
 * TLS by OpenSSL, whose input is what was read from the socket and whose output is gathered and
 * sent like any bytes: a connection that is idle holds no buffers.
 */
#include "http/tls.h"

#include "http/connection.h"
#include "server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <string.h>

enum { PLAIN = 16 << 10, SEALED_AT_ONCE = 256 << 10 };

struct srv_tls_context {
    ftl_account *account;
    uv_mutex_t lock; /* of the pointer below */
    SSL_CTX *ssl;
    BIO_METHOD *method;
};

struct srv_tls {
    SSL *ssl;
    srv_connection *connection;
    const char *data; /* encrypted bytes that OpenSSL has not taken */
    size_t size;
    ftl_strbuf kept; /* those of before, while the connection does not read */
    bool ready;      /* the handshake is done */
    bool pumping;
};

/* ---- What OpenSSL reads and writes ----------------------------------------------------------- */

static int bio_read(BIO *bio, char *out, int size)
{
    struct srv_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = tls->size < (size_t)size ? tls->size : (size_t)size;
    memcpy(out, tls->data, n);
    tls->data += n;
    tls->size -= n;
    return (int)n;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct srv_tls *tls = BIO_get_data(bio);
    ftl_strbuf *sealed = &tls->connection->loop->sealed;
    ftl_strbuf_append(sealed, data, (size_t)size);
    return sealed->failed ? -1 : size;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (method && BIO_meth_set_read(method, bio_read) && BIO_meth_set_write(method, bio_write) &&
        BIO_meth_set_ctrl(method, bio_control) && BIO_meth_set_create(method, bio_create))
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* Of what the client offers, HTTP/1.1; a client that offers only others is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *offered, unsigned size, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl, (void)user;
    unsigned char *chosen = NULL;
    int found = SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static ftl_status fail(const char *setting, const char *path, ftl_error *error)
{
    char reason[120];
    unsigned long code = ERR_peek_error();
    ERR_error_string_n(code, reason, sizeof reason);
    const char *text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                              : ERR_reason_error_string(code);
    const char *advice = "";
    if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH)
        advice = "; tls-key names the private key that the certificate of tls-cert was made with";
    else if (!ERR_SYSTEM_ERROR(code) && strcmp(setting, "tls-key") == 0)
        advice = "; tls-key names a file with the private key (PEM) that has no passphrase";
    else if (!ERR_SYSTEM_ERROR(code))
        advice = "; tls-cert names a file with the certificate and its chain (PEM)";
    ERR_clear_error();
    return FTL_FAIL(error, FTL_ARG, "%s: %s cannot be used: %s%s", setting, path,
                    text ? text : reason, advice);
}

static ftl_status load(SSL_CTX *ssl, const char *certificate, const char *key, ftl_error *error)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1)
        return fail("tls-cert", certificate, error);
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1)
        return fail("tls-key", key, error);
    return FTL_OK;
}

/* A key that is locked by a phrase is refused: nobody is there to be asked. */
static int no_phrase(char *out, int size, int writing, void *user)
{
    (void)out, (void)size, (void)writing, (void)user;
    return -1;
}

static ftl_status make_ssl(const char *certificate, const char *key, SSL_CTX **out,
                           ftl_error *error)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    if (!ssl)
        return FTL_OOM(error);
    SSL_CTX_set_default_passwd_cb(ssl, no_phrase);
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets resume sessions */
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    ftl_status status = FTL_OK;
    if (SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
        status = FTL_FAIL(error, FTL_INTERNAL, "OpenSSL has none of the ciphers of TLS 1.2");
    if (status == FTL_OK)
        status = load(ssl, certificate, key, error);
    if (status == FTL_OK)
        *out = ssl;
    else
        SSL_CTX_free(ssl);
    return status;
}

ftl_status srv_tls_create(ftl_account *account, const char *certificate, const char *key,
                          srv_tls_context **out, ftl_error *error)
{
    srv_tls_context *context = ftl_alloc_zero(account, 1, sizeof *context);
    if (!context)
        return FTL_OOM(error);
    context->account = account;
    uv_mutex_init(&context->lock);
    context->method = make_method();
    ftl_status status = FTL_OK;
    if (context->method)
        status = make_ssl(certificate, key, &context->ssl, error);
    else
        status = FTL_OOM(error);
    if (status == FTL_OK)
        *out = context;
    else
        srv_tls_destroy(context);
    return status;
}

ftl_status srv_tls_reload(srv_tls_context *context, const char *certificate, const char *key,
                          ftl_error *error)
{
    SSL_CTX *fresh = NULL;
    FTL_TRY(make_ssl(certificate, key, &fresh, error));
    uv_mutex_lock(&context->lock);
    SSL_CTX *old = context->ssl;
    context->ssl = fresh;
    uv_mutex_unlock(&context->lock);
    SSL_CTX_free(old); /* connections have references of their own */
    return FTL_OK;
}

void srv_tls_destroy(srv_tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->method);
    uv_mutex_destroy(&context->lock);
    ftl_free(context->account, context);
}

/* ---- Connections ----------------------------------------------------------------------------- */

/* Both ends of a connection are one BIO, which OpenSSL frees with it. */
static bool attach(srv_tls_context *context, struct srv_tls *tls)
{
    uv_mutex_lock(&context->lock);
    tls->ssl = SSL_new(context->ssl);
    uv_mutex_unlock(&context->lock);
    BIO *bio = tls->ssl ? BIO_new(context->method) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        return false;
    }
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return true;
}

bool srv_tls_begin(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    srv_tls_context *context = loop->server->tls;
    if (!context)
        return true;
    ftl_account *account = srv_account_of(loop->server);
    if (!loop->plain)
        loop->plain = ftl_alloc(account, PLAIN);
    struct srv_tls *tls = ftl_alloc_zero(account, 1, sizeof *tls);
    if (!tls || !loop->plain) {
        ftl_free(account, tls);
        return false;
    }
    tls->connection = connection;
    ftl_strbuf_init(&tls->kept, account, 0);
    if (!attach(context, tls)) {
        ftl_free(account, tls);
        return false;
    }
    connection->tls = tls;
    connection->deadline = loop->now +
                           srv_config_of(loop->server)->head_timeout * UINT64_C(1000000000);
    return true;
}

void srv_tls_free(srv_connection *connection)
{
    struct srv_tls *tls = connection->tls;
    if (!tls)
        return;
    connection->tls = NULL;
    SSL_free(tls->ssl);
    ftl_strbuf_free(&tls->kept);
    ftl_free(srv_account_of(connection->loop->server), tls);
}

static void send_sealed(srv_connection *connection)
{
    ftl_strbuf *sealed = &connection->loop->sealed;
    const uv_buf_t buffer = {.base = sealed->data, .len = sealed->size};
    if (sealed->failed)
        srv_connection_close(connection);
    else if (sealed->size)
        srv_socket_send(connection, &buffer, 1);
    ftl_strbuf_clear(sealed);
}

void srv_tls_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n)
{
    ftl_strbuf *sealed = &connection->loop->sealed;
    for (unsigned i = 0; i < n; i++) {
        size_t done = 0;
        while (done < buffers[i].len) {
            if (connection->state == SRV_CLOSING)
                return;
            size_t left = buffers[i].len - done;
            size_t size = left < SEALED_AT_ONCE ? left : SEALED_AT_ONCE;
            ERR_clear_error();
            if (SSL_write(connection->tls->ssl, buffers[i].base + done, (int)size) != (int)size) {
                ftl_strbuf_clear(sealed);
                srv_connection_close(connection);
                return;
            }
            done += size;
            if (sealed->size >= SEALED_AT_ONCE)
                send_sealed(connection);
        }
    }
    send_sealed(connection);
}

void srv_tls_end(srv_connection *connection)
{
    if (!connection->tls || !connection->tls->ready)
        return;
    ERR_clear_error();
    SSL_shutdown(connection->tls->ssl);
    send_sealed(connection);
}

/* True: it is done. */
static bool shake_hands(srv_connection *connection)
{
    struct srv_tls *tls = connection->tls;
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    int why = result == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, result);
    send_sealed(connection); /* an alert, too */
    if (connection->state == SRV_CLOSING)
        return false;
    if (result == 1) {
        tls->ready = true;
        srv_connection_set_state(connection, SRV_IDLE);
        return true;
    }
    if (why != SSL_ERROR_WANT_READ)
        srv_connection_close(connection);
    return false;
}

/* False: there is no more, for now or at all. */
static bool read_some(srv_connection *connection)
{
    struct srv_tls *tls = connection->tls;
    ERR_clear_error();
    int n = SSL_read(tls->ssl, connection->loop->plain, PLAIN);
    int why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, n);
    send_sealed(connection); /* answers to what is no data */
    if (connection->state == SRV_CLOSING)
        return false;
    if (n > 0) {
        srv_connection_receive(connection, connection->loop->plain, (size_t)n);
        return connection->state != SRV_CLOSING;
    }
    if (why == SSL_ERROR_ZERO_RETURN) {
        if (connection->state == SRV_IDLE)
            srv_tls_end(connection); /* it waits for our word, too */
        srv_connection_ended(connection);
    }
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN)
        srv_connection_close(connection);
    return false;
}

/* Decrypts while the connection wants to read; the rest is kept. */
static void pump(srv_connection *connection)
{
    struct srv_tls *tls = connection->tls;
    tls->pumping = true;
    if (tls->ready || shake_hands(connection)) {
        while (connection->reading && read_some(connection))
            continue;
    }
    tls->pumping = false;
}

/* The bytes that were kept, then those that came. */
void srv_tls_receive(srv_connection *connection, const char *data, size_t size)
{
    struct srv_tls *tls = connection->tls;
    ftl_strbuf before = tls->kept;
    if (tls->pumping)
        return;
    if (before.size) {
        ftl_strbuf_append(&before, data, size);
        data = before.data;
        size = before.size;
    }
    ftl_strbuf_init(&tls->kept, before.account, 0);
    tls->data = data;
    tls->size = size;
    if (!before.failed)
        pump(connection);
    if (tls->size && connection->state != SRV_CLOSING)
        ftl_strbuf_append(&tls->kept, tls->data, tls->size);
    tls->size = 0;
    bool failed = before.failed || tls->kept.failed;
    ftl_strbuf_free(&before);
    if (failed)
        srv_connection_close(connection);
}

bool srv_tls_waits(const srv_connection *connection)
{
    const struct srv_tls *tls = connection->tls;
    return tls && !tls->pumping && (tls->kept.size || SSL_has_pending(tls->ssl));
}
