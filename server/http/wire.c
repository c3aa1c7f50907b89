/* From replies to bytes. */
#include "http/connection.h"

#include "base/number.h"
#include "server.h"

#include <string.h>

enum { COPIED_BODY = 16 << 10 };

static void drained(srv_connection *connection);

/* ---- Sockets --------------------------------------------------------------------------------- */

typedef struct pending_write {
    uv_write_t write;
    srv_connection *connection;
    size_t size;
    char data[];
} pending_write;

static void on_written(uv_write_t *write, int status)
{
    pending_write *pending = write->data;
    srv_connection *connection = pending->connection;
    connection->unsent -= pending->size;
    connection->writes--;
    ftl_free(srv_account_of(connection->loop->server), pending);
    if (connection->state == SRV_CLOSING)
        return;
    connection->loop->now = uv_hrtime();
    if (status != 0)
        srv_connection_close(connection);
    else if (connection->writes == 0)
        drained(connection);
}

/* Queues what the socket did not take, behind the first `skip` bytes. */
static void queue_rest(srv_connection *connection, const uv_buf_t *buffers, unsigned n, size_t skip)
{
    size_t size = 0, at = 0;
    for (unsigned i = 0; i < n; i++)
        size += buffers[i].len;
    size -= skip;
    pending_write *pending = ftl_alloc(srv_account_of(connection->loop->server),
                                       sizeof *pending + size);
    if (!pending) {
        srv_connection_close(connection);
        return;
    }
    pending->connection = connection;
    pending->size = size;
    for (unsigned i = 0; i < n; i++) {
        size_t left_out = skip < buffers[i].len ? skip : buffers[i].len;
        skip -= left_out;
        memcpy(pending->data + at, buffers[i].base + left_out, buffers[i].len - left_out);
        at += buffers[i].len - left_out;
    }
    pending->write.data = pending;
    const uv_buf_t buffer = {.base = pending->data, .len = size};
    if (uv_write(&pending->write, (uv_stream_t *)&connection->tcp, &buffer, 1, on_written) != 0) {
        ftl_free(srv_account_of(connection->loop->server), pending);
        srv_connection_close(connection);
        return;
    }
    connection->unsent += size;
    connection->writes++;
}

void srv_socket_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n)
{
    if (connection->state == SRV_CLOSING)
        return;
    size_t size = 0, done = 0;
    for (unsigned i = 0; i < n; i++)
        size += buffers[i].len;
    if (connection->writes == 0) {
        int sent = uv_try_write((uv_stream_t *)&connection->tcp, buffers, n);
        if (sent < 0 && sent != UV_EAGAIN) {
            srv_connection_close(connection);
            return;
        }
        done = sent > 0 ? (size_t)sent : 0;
    }
    if (done < size)
        queue_rest(connection, buffers, n, done);
}

void srv_connection_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n)
{
    if (connection->tls)
        srv_tls_send(connection, buffers, n);
    else
        srv_socket_send(connection, buffers, n);
}

/* ---- Heads ----------------------------------------------------------------------------------- */

static void put_text(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_append(out, text, strlen(text));
}

static void put_number(ftl_strbuf *out, uint64_t number)
{
    char text[FTL_F64_TEXT_SIZE];
    ftl_strbuf_append(out, text, ftl_print_i64((int64_t)number, text));
}

static void put_status(ftl_strbuf *out, int status)
{
    if (status == 200) {
        put_text(out, "HTTP/1.1 200 OK\r\n");
        return;
    }
    put_text(out, "HTTP/1.1 ");
    put_number(out, (uint64_t)status);
    ftl_strbuf_putc(out, ' ');
    put_text(out, srv_reason_phrase(status));
    put_text(out, "\r\n");
}

/* The head but for what frames the body. */
static void put_head(srv_request *request, ftl_strbuf *out)
{
    put_status(out, request->status);
    if (request->content_type) {
        put_text(out, "Content-Type: ");
        put_text(out, request->content_type);
        put_text(out, "\r\n");
    }
    put_text(out, "Date: ");
    put_text(out, request->loop->date);
    put_text(out, "\r\nX-Request-Id: ");
    srv_put_request_id(request, out);
    srv_text trace = srv_trace_parent(request);
    if (trace.data) {
        put_text(out, "\r\ntraceparent: ");
        ftl_strbuf_append(out, trace.data, trace.size);
    }
    put_text(out, "\r\n");
    ftl_strbuf_append(out, request->out_head.data, request->out_head.size);
    if (request->close)
        put_text(out, "Connection: close\r\n");
    else if (request->connection->parser.http_minor == 0)
        put_text(out, "Connection: keep-alive\r\n");
}

static void decide_close(srv_request *request)
{
    srv_connection *connection = request->connection;
    if (!connection->keep_alive || srv_is_ending(connection->loop->server))
        request->close = true;
}

void srv_reply_send(srv_request *request)
{
    srv_connection *connection = request->connection;
    srv_loop *loop = request->loop;
    srv_log_request(request);
    if (!connection) { /* nobody waits for it */
        srv_request_give(request);
        return;
    }
    srv_connection_set_state(connection, SRV_SENDING);
    decide_close(request);
    if (request->out.failed || request->out_head.failed) {
        ftl_strbuf_free(&request->out_head);
        ftl_strbuf_free(&request->out);
        request->out.failed = request->out_head.failed = false;
        srv_reply_error(request, 503, "out of memory");
    }
    ftl_strbuf *wire = &loop->wire;
    ftl_strbuf_clear(wire);
    wire->failed = false;
    put_head(request, wire);
    bool bare = request->status == 204 || request->status == 304;
    if (!bare) {
        put_text(wire, "Content-Length: ");
        put_number(wire, request->out.size);
        put_text(wire, "\r\n");
    }
    put_text(wire, "\r\n");
    bool body = !bare && request->method != HTTP_HEAD;
    bool apart = body && request->out.size > COPIED_BODY;
    if (body && !apart)
        ftl_strbuf_append(wire, request->out.data, request->out.size);
    if (wire->failed) {
        srv_connection_close(connection);
        return;
    }
    const uv_buf_t buffers[2] = {{.base = wire->data, .len = wire->size},
                                 {.base = request->out.data, .len = request->out.size}};
    srv_connection_send(connection, buffers, apart ? 2 : 1);
    if (connection->state != SRV_CLOSING && connection->writes == 0)
        drained(connection);
}

/* ---- What follows a reply -------------------------------------------------------------------- */

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    srv_connection *connection = shutdown->data;
    ftl_free(srv_account_of(connection->loop->server), shutdown);
    if (connection->state == SRV_CLOSING)
        return;
    if (status != 0 || connection->ended) {
        srv_connection_close(connection);
        return;
    }
    srv_connection_read(connection, true);
}

/*
 * A socket that is closed with bytes unread tells the client so at once, and what it was sent may
 * be lost on the way: the end is announced and what still comes is read for a while.
 */
void srv_connection_linger(srv_connection *connection)
{
    uv_shutdown_t *shutdown = ftl_alloc(srv_account_of(connection->loop->server), sizeof *shutdown);
    ftl_strbuf_clear(&connection->ahead);
    connection->ahead_at = 0;
    srv_connection_set_state(connection, SRV_LINGERING);
    srv_tls_end(connection);
    if (connection->state == SRV_CLOSING) {
        ftl_free(srv_account_of(connection->loop->server), shutdown);
        return;
    }
    if (shutdown)
        shutdown->data = connection;
    if (!shutdown || uv_shutdown(shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) != 0) {
        ftl_free(srv_account_of(connection->loop->server), shutdown);
        srv_connection_close(connection);
    }
}

/* The request's connection goes on with the next one, or ends. */
static void reply_sent(srv_connection *connection)
{
    srv_request *request = connection->request;
    bool close = request->close || connection->refused;
    bool all_read = connection->message_done;
    connection->request = NULL;
    connection->reader = (srv_body_reader){0};
    connection->body_waits = connection->chunked = connection->message_done = false;
    connection->sent = NULL;
    request->connection = NULL;
    request->stop = NULL;
    srv_request_give(request);
    if (close || !all_read) {
        srv_connection_linger(connection);
        return;
    }
    srv_connection_set_state(connection, SRV_IDLE);
    srv_connection_continue(connection);
}

/* All that was to be sent has been taken by the socket. */
static void drained(srv_connection *connection)
{
    srv_request *request = connection->request;
    if (!request)
        return;
    if (connection->state == SRV_SENDING && !connection->chunked) {
        reply_sent(connection);
    } else if (connection->sent) {
        void (*sent)(srv_request *) = connection->sent;
        connection->sent = NULL;
        sent(request);
    }
}

/* ---- Replies piece by piece ------------------------------------------------------------------ */

void srv_stream_begin(srv_request *request, int status, const char *content_type)
{
    srv_connection *connection = request->connection;
    request->status = status;
    request->content_type = content_type;
    if (!connection)
        return;
    decide_close(request);
    connection->chunked = true;
    request->plain_stream = connection->parser.http_minor == 0;
    if (request->plain_stream)
        request->close = true;
    ftl_strbuf head;
    ftl_strbuf_init(&head, srv_account_of(request->server), 0);
    put_head(request, &head);
    put_text(&head, request->plain_stream ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
    const uv_buf_t buffer = uv_buf_init(head.data, (unsigned)head.size);
    if (head.failed)
        srv_connection_close(connection);
    else
        srv_connection_send(connection, &buffer, 1);
    ftl_strbuf_free(&head);
}

bool srv_stream_write(srv_request *request, const char *data, size_t size,
                      void (*sent)(srv_request *request))
{
    srv_connection *connection = request->connection;
    if (!connection)
        return false;
    char line[24];
    static const char digits[] = "0123456789abcdef";
    size_t at = sizeof line;
    line[--at] = '\n';
    line[--at] = '\r';
    for (size_t left = size; left || at == sizeof line - 2; left >>= 4)
        line[--at] = digits[left & 15];
    static char crlf[] = "\r\n";
    const uv_buf_t buffers[3] = {{.base = line + at, .len = sizeof line - at},
                                 {.base = (char *)data, .len = size},
                                 {.base = crlf, .len = 2}};
    if (size && request->method != HTTP_HEAD) {
        if (request->plain_stream)
            srv_connection_send(connection, buffers + 1, 1);
        else
            srv_connection_send(connection, buffers, 3);
    }
    connection = request->connection;
    if (!connection)
        return false;
    connection->deadline = 0;
    if (connection->writes == 0) {
        if (sent)
            sent(request);
    } else {
        connection->sent = sent;
        connection->deadline = connection->loop->now +
                               srv_config_of(request->server)->body_timeout * UINT64_C(1000000000);
    }
    return true;
}

void srv_stream_end(srv_request *request, bool ok)
{
    srv_connection *connection = request->connection;
    srv_log_request(request);
    if (!connection) {
        srv_request_give(request);
        return;
    }
    request->stop = NULL;
    connection->reader = (srv_body_reader){0};
    if (!ok && request->plain_stream) { /* nothing but this tells it from a whole body */
        request->at_work = false;
        srv_connection_close(connection);
        return;
    }
    static char last[] = "0\r\n\r\n";
    const uv_buf_t buffer = uv_buf_init(last, sizeof last - 1);
    connection->sent = NULL;
    connection->chunked = false;
    request->at_work = false;
    if (!ok) /* the client sees a body that breaks off, behind what was sent of it */
        request->close = true;
    srv_connection_set_state(connection, SRV_SENDING);
    if (ok && !request->plain_stream && request->method != HTTP_HEAD)
        srv_connection_send(connection, &buffer, 1);
    if (connection->state != SRV_CLOSING && connection->writes == 0)
        drained(connection);
}
