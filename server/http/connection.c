/* A connection's life: reading, waiting, closing. */
#include "http/connection.h"

#include "server.h"

#include <string.h>
#include <sys/socket.h>

enum {
    MOST_AHEAD = 256 << 10, /* read while a request is worked on; more waits in the socket */
    MOST_DISCARDED = 1 << 20
};

/* ---- Lists and states ------------------------------------------------------------------------ */

static void link_last(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    connection->previous = loop->last;
    connection->next = NULL;
    *(loop->last ? &loop->last->next : &loop->connections) = connection;
    loop->last = connection;
    loop->n_connections++;
}

static void unlink_from_list(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    *(connection->previous ? &connection->previous->next : &loop->connections) = connection->next;
    *(connection->next ? &connection->next->previous : &loop->last) = connection->previous;
    loop->n_connections--;
}

void srv_connection_set_state(srv_connection *connection, srv_state state)
{
    const srv_config *config = srv_config_of(connection->loop->server);
    static const uint64_t second = UINT64_C(1000000000);
    uint64_t now = connection->loop->now, seconds = 0;
    connection->state = state;
    switch (state) {
    case SRV_IDLE:
        seconds = config->idle_timeout;
        break;
    case SRV_HEAD:
        seconds = config->head_timeout;
        break;
    case SRV_BODY:
    case SRV_SENDING:
        seconds = config->body_timeout;
        break;
    case SRV_LINGERING:
        seconds = 2;
        break;
    default:
        break;
    }
    connection->deadline = seconds ? now + seconds * second : 0;
}

static void on_closed(uv_handle_t *handle)
{
    srv_connection *connection = handle->data;
    srv_loop *loop = connection->loop;
    unlink_from_list(connection);
    ftl_strbuf_free(&connection->ahead);
    ftl_free(srv_account_of(loop->server), connection);
}

void srv_connection_close(srv_connection *connection)
{
    if (connection->state == SRV_CLOSING)
        return;
    connection->state = SRV_CLOSING;
    srv_request *request = connection->request;
    connection->request = NULL;
    if (request) {
        bool at_work = request->at_work;
        request->connection = NULL;
        if (request->stop)
            request->stop(request);
        if (!at_work)
            srv_request_give(request);
    }
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void on_allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
    srv_loop *loop = ((srv_connection *)handle->data)->loop;
    (void)wanted;
    *buffer = uv_buf_init(loop->buffer, (unsigned)loop->buffer_room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    srv_connection *connection = stream->data;
    connection->loop->now = uv_hrtime();
    if (n > 0) {
        srv_connection_receive(connection, buffer->base, (size_t)n);
        return;
    }
    if (n == 0)
        return;
    connection->ended = true;
    srv_connection_read(connection, false);
    /* a client that will send no more may still wait for its reply */
    bool waits = n == UV_EOF &&
                 (connection->state == SRV_WORKING || connection->state == SRV_SENDING);
    if (!waits)
        srv_connection_close(connection);
}

void srv_connection_read(srv_connection *connection, bool on)
{
    if (on == connection->reading || connection->state == SRV_CLOSING || (on && connection->ended))
        return;
    connection->reading = on;
    if (on)
        uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read);
    else
        uv_read_stop((uv_stream_t *)&connection->tcp);
}

/* What the parser refused, or a callback: answered, and nothing more is read. */
static void refuse_request(srv_connection *connection, llhttp_errno_t code)
{
    if (!connection->request)
        connection->request = srv_request_take(connection->loop, connection);
    srv_request *request = connection->request;
    if (!request) {
        srv_connection_close(connection);
        return;
    }
    request->close = true;
    if (request->at_work) { /* a handler has a part of it, and may have answered already */
        srv_connection_close(connection);
        return;
    }
    if (connection->refused)
        srv_reply_error(request, connection->refused, "%s", connection->why);
    else if (code == HPE_PAUSED_H2_UPGRADE || code == HPE_INVALID_VERSION)
        srv_reply_error(request, 505, "this server speaks HTTP/1.1");
    else
        srv_reply_error(request, 400, "this is no HTTP request: %s",
                        llhttp_get_error_reason(&connection->parser));
    srv_reply_send(request);
}

/* Keeps what cannot be parsed yet. */
static void keep_ahead(srv_connection *connection, const char *data, size_t size)
{
    if (size)
        ftl_strbuf_append(&connection->ahead, data, size);
    if (connection->ahead.failed) {
        srv_connection_close(connection);
        return;
    }
    if (connection->ahead.size >= MOST_AHEAD)
        srv_connection_read(connection, false);
}

/* Parses until a request is complete, or all is taken. */
static void parse(srv_connection *connection, const char *data, size_t size)
{
    connection->parsing = true;
    llhttp_errno_t code = llhttp_execute(&connection->parser, data, size);
    connection->parsing = false;
    if (code == HPE_OK || connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return;
    if (code != HPE_PAUSED) {
        refuse_request(connection, code);
        return;
    }
    const char *at = llhttp_get_error_pos(&connection->parser);
    llhttp_resume(&connection->parser);
    keep_ahead(connection, at, (size_t)(data + size - at));
    if (connection->state == SRV_CLOSING)
        return;
    if (!connection->message_done) { /* a reader of the body has enough for now */
        connection->body_waits = true;
        srv_connection_read(connection, false);
        return;
    }
    srv_request *request = connection->request;
    connection->dispatching = true;
    if (connection->reader.end) {
        void (*end)(srv_request *) = connection->reader.end;
        connection->reader = (srv_body_reader){0};
        end(request);
    } else if (request && !request->at_work) {
        srv_request_dispatch(request);
    }
    connection->dispatching = false;
}

void srv_body_read(srv_request *request, const srv_body_reader *reader)
{
    if (request->connection)
        request->connection->reader = *reader;
}

void srv_body_resume(srv_request *request)
{
    srv_connection *connection = request->connection;
    if (!connection || !connection->body_waits)
        return;
    connection->body_waits = false;
    srv_connection_continue(connection);
}

static bool takes_bytes(const srv_connection *connection)
{
    return connection->state == SRV_IDLE || connection->state == SRV_HEAD ||
           connection->state == SRV_BODY || (connection->reader.end && !connection->body_waits);
}

void srv_connection_receive(srv_connection *connection, const char *data, size_t size)
{
    if (connection->state == SRV_LINGERING) {
        connection->discarded += size;
        if (connection->discarded > MOST_DISCARDED)
            srv_connection_close(connection);
        return;
    }
    if (connection->ahead.size || !takes_bytes(connection)) {
        keep_ahead(connection, data, size);
        if (connection->state != SRV_CLOSING)
            srv_connection_continue(connection);
        return;
    }
    if (connection->reader.end || connection->state == SRV_BODY)
        srv_connection_set_state(connection, connection->state); /* something came: it may wait */
    parse(connection, data, size);
    srv_connection_continue(connection);
}

void srv_connection_continue(srv_connection *connection)
{
    if (connection->parsing || connection->dispatching)
        return;
    while (connection->ahead.size && connection->state != SRV_CLOSING && takes_bytes(connection)) {
        ftl_strbuf taken = connection->ahead;
        ftl_strbuf_init(&connection->ahead, taken.account, 0);
        parse(connection, taken.data, taken.size);
        ftl_strbuf_free(&taken);
    }
    if (connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return;
    if (connection->ended && takes_bytes(connection))
        srv_connection_close(connection);
    else if (connection->ahead.size < MOST_AHEAD && !connection->body_waits)
        srv_connection_read(connection, true);
}

/* ---- Accepting ------------------------------------------------------------------------------- */

void srv_connection_accept(srv_loop *loop)
{
    ftl_account *account = srv_account_of(loop->server);
    srv_connection *connection = ftl_alloc_zero(account, 1, sizeof *connection);
    if (!connection)
        return; /* it waits in the queue of the socket, and is accepted with the next one */
    connection->loop = loop;
    loop->now = uv_hrtime();
    uv_tcp_init(&loop->uv, &connection->tcp);
    connection->tcp.data = connection;
    ftl_strbuf_init(&connection->ahead, account, 0);
    llhttp_init(&connection->parser, HTTP_REQUEST, srv_parser_settings());
    connection->parser.data = connection;
    link_last(connection);
    srv_connection_set_state(connection, SRV_IDLE);
    if (uv_accept((uv_stream_t *)&loop->listener, (uv_stream_t *)&connection->tcp) != 0) {
        srv_connection_close(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    if (srv_config_of(loop->server)->max_connections &&
        loop->n_connections > srv_config_of(loop->server)->max_connections) {
        srv_connection_close(connection);
        return;
    }
    srv_connection_read(connection, true);
}

/* ---- Time ------------------------------------------------------------------------------------ */

void srv_connections_tick(srv_loop *loop)
{
    loop->now = uv_hrtime();
    for (srv_connection *connection = loop->connections, *next; connection; connection = next) {
        next = connection->next;
        bool idle = connection->state == SRV_IDLE && connection->ahead.size == 0;
        bool late = connection->deadline && connection->deadline < loop->now;
        if (idle && (late || loop->draining)) {
            srv_connection_close(connection);
        } else if (late && (connection->state == SRV_HEAD || connection->state == SRV_BODY) &&
                   connection->request && !connection->request->at_work) {
            connection->refused = 408;
            connection->why = "the request did not come in time";
            refuse_request(connection, HPE_USER);
        } else if (late) {
            srv_connection_close(connection);
        }
    }
}
