/* A connection's life: reading, waiting, closing. */
#include "http/connection.h"

#include "server.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    MOST_AHEAD = 256 << 10, /* read while a request is worked on; more waits in the socket */
    MOST_DISCARDED = 16 << 20
};

static void take_turn(srv_connection *connection);

static void on_turn(uv_idle_t *turner);

static void leave_turns(srv_connection *connection);

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
    if (connection->state != state)
        connection->state_since = now;
    connection->state = state;
    connection->queue_seen = 0;
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
    if (state == SRV_HEAD)
        connection->complete_by = config->request_timeout ? now + config->request_timeout * second
                                                          : 0;
    else if (state != SRV_BODY)
        connection->complete_by = 0;
}

static void on_closed(uv_handle_t *handle)
{
    srv_connection *connection = handle->data;
    srv_loop *loop = connection->loop;
    unlink_from_list(connection);
    ftl_strbuf_free(&connection->ahead);
    srv_tls_free(connection);
    ftl_free(srv_account_of(loop->server), connection);
}

void srv_connection_close(srv_connection *connection)
{
    if (connection->state == SRV_CLOSING)
        return;
    connection->state = SRV_CLOSING;
    leave_turns(connection);
    srv_request *request = connection->request;
    connection->request = NULL;
    connection->reader = (srv_body_reader){0};
    if (request) {
        bool at_work = request->at_work;
        void (*stop)(srv_request *) = request->stop;
        request->connection = NULL;
        request->stop = NULL;
        if (!at_work)
            srv_request_give(request);
        else if (stop)
            stop(request);
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
        if (connection->tls)
            srv_tls_receive(connection, buffer->base, (size_t)n);
        else
            srv_connection_receive(connection, buffer->base, (size_t)n);
        return;
    }
    if (n == 0)
        return;
    srv_connection_read(connection, false);
    if (n == UV_EOF)
        srv_connection_ended(connection);
    else
        srv_connection_close(connection);
}

/*
 * A client that will send no more may still wait for its reply, if its request is whole; unless the
 * work for it is so long that it is not to be done for somebody who has most likely gone.
 */
void srv_connection_ended(srv_connection *connection)
{
    const srv_request *request = connection->request;
    connection->ended = true;
    if (request && request->at_work && request->end_stops) {
        srv_connection_close(connection);
        return;
    }
    bool whole = connection->message_done || connection->ahead.size || connection->body_waits;
    if (connection->state != SRV_SENDING && !(connection->state == SRV_WORKING && whole))
        srv_connection_close(connection);
}

void srv_connection_read(srv_connection *connection, bool on)
{
    if (on == connection->reading || connection->state == SRV_CLOSING || (on && connection->ended))
        return;
    connection->reading = on;
    if (!on) {
        uv_read_stop((uv_stream_t *)&connection->tcp);
        return;
    }
    uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read);
    if (srv_tls_waits(connection))
        take_turn(connection);
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
    if (connection->state == SRV_SENDING) /* it has its reply: this was the rest of its body */
        return;
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

static size_t n_ahead(const srv_connection *connection)
{
    return connection->ahead.size - connection->ahead_at;
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
    if (n_ahead(connection) >= MOST_AHEAD)
        srv_connection_read(connection, false);
}

/* The request is complete. */
static void dispatch(srv_connection *connection)
{
    srv_request *request = connection->request;
    connection->dispatching = true;
    if (connection->reader.end) {
        void (*end)(srv_request *) = connection->reader.end;
        connection->reader = (srv_body_reader){0};
        end(request);
    } else if (request && !request->at_work && connection->state != SRV_SENDING) {
        srv_request_dispatch(request);
    }
    connection->dispatching = false;
}

/* Parses until a request is complete, or all is taken; returns how many bytes were taken. */
static size_t parse(srv_connection *connection, const char *data, size_t size)
{
    connection->parsing = true;
    llhttp_errno_t code = llhttp_execute(&connection->parser, data, size);
    connection->parsing = false;
    if (code == HPE_OK || connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return size;
    if (code != HPE_PAUSED) {
        refuse_request(connection, code);
        return size;
    }
    size_t taken = (size_t)(llhttp_get_error_pos(&connection->parser) - data);
    llhttp_resume(&connection->parser);
    if (!connection->message_done) { /* a reader of the body has enough for now */
        connection->body_waits = true;
        srv_connection_read(connection, false);
    }
    return taken;
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
    take_turn(connection); /* the caller may be inside of its own reader */
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
    if (n_ahead(connection) || connection->in_turn || !takes_bytes(connection)) {
        keep_ahead(connection, data, size);
        if (connection->state != SRV_CLOSING)
            srv_connection_continue(connection);
        return;
    }
    if (connection->reader.end || connection->state == SRV_BODY)
        srv_connection_set_state(connection, connection->state); /* something came: it may wait */
    size_t taken = parse(connection, data, size);
    if (connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return;
    keep_ahead(connection, data + taken, size - taken);
    if (connection->state != SRV_CLOSING && connection->message_done)
        dispatch(connection);
    srv_connection_continue(connection);
}

/* Parses what came ahead: a request, or as much of one as there is. */
static void parse_ahead(srv_connection *connection)
{
    ftl_strbuf *ahead = &connection->ahead;
    size_t at = connection->ahead_at, size = ahead->size - at;
    size_t taken = parse(connection, size ? ahead->data + at : "", size);
    if (connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return;
    connection->ahead_at = at + taken;
    if (connection->ahead_at == ahead->size) {
        ftl_strbuf_free(ahead);
        ftl_strbuf_init(ahead, srv_account_of(connection->loop->server), 0);
        connection->ahead_at = 0;
    }
    if (connection->message_done)
        dispatch(connection);
}

void srv_connection_continue(srv_connection *connection)
{
    enum { MOST_IN_A_ROW = 16 }; /* requests, before other connections have their turn */
    if (connection->parsing || connection->dispatching || connection->in_turn)
        return;
    for (int n = 0; n_ahead(connection) && takes_bytes(connection); n++) {
        if (n == MOST_IN_A_ROW) {
            take_turn(connection);
            return;
        }
        parse_ahead(connection);
    }
    if (connection->state == SRV_CLOSING || connection->state == SRV_LINGERING)
        return;
    if (connection->ended && takes_bytes(connection))
        srv_connection_close(connection);
    else if (n_ahead(connection) < MOST_AHEAD && !connection->body_waits)
        srv_connection_read(connection, true);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

/* srv_connection_continue, once others had their turn. */
static void take_turn(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    if (connection->in_turn || connection->state == SRV_CLOSING)
        return;
    connection->in_turn = true;
    connection->next_turn = NULL;
    *(loop->last_turn ? &loop->last_turn->next_turn : &loop->turns) = connection;
    loop->last_turn = connection;
    uv_idle_start(&loop->turner, on_turn);
}

static void leave_turns(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    srv_connection *previous = NULL;
    if (!connection->in_turn)
        return;
    for (srv_connection *at = loop->turns; at != connection; at = at->next_turn)
        previous = at;
    *(previous ? &previous->next_turn : &loop->turns) = connection->next_turn;
    if (loop->last_turn == connection)
        loop->last_turn = previous;
    connection->in_turn = false;
}

/* One turn for each that waits now. */
static void on_turn(uv_idle_t *turner)
{
    srv_loop *loop = turner->data;
    size_t n = 0;
    for (const srv_connection *at = loop->turns; at; at = at->next_turn)
        n++;
    loop->now = uv_hrtime();
    for (; n && loop->turns; n--) {
        srv_connection *connection = loop->turns;
        leave_turns(connection);
        if (connection->reader.end && !connection->body_waits && !n_ahead(connection))
            parse_ahead(connection); /* the end of a body whose reader had enough */
        srv_connection_continue(connection);
        if (connection->reading && srv_tls_waits(connection))
            srv_tls_receive(connection, "", 0);
    }
    if (!loop->turns)
        uv_idle_stop(&loop->turner);
}

/* ---- Accepting ------------------------------------------------------------------------------- */

/* There is no place for it: says so in a word, as far as the socket takes it, and closes. */
static void turn_away(srv_connection *connection)
{
    static char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n";
    const uv_buf_t buffer = uv_buf_init(text, sizeof text - 1);
    if (!connection->tls)
        uv_try_write((uv_stream_t *)&connection->tcp, &buffer, 1);
    srv_connection_close(connection);
}

static srv_connection *make_connection(srv_loop *loop)
{
    ftl_account *account = srv_account_of(loop->server);
    srv_connection *connection = ftl_alloc_zero(account, 1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->loop = loop;
    uv_tcp_init(&loop->uv, &connection->tcp);
    connection->tcp.data = connection;
    ftl_strbuf_init(&connection->ahead, account, 0);
    llhttp_init(&connection->parser, HTTP_REQUEST, srv_parser_settings());
    connection->parser.data = connection;
    link_last(connection);
    srv_connection_set_state(connection, SRV_IDLE);
    return connection;
}

void srv_connection_accept(srv_loop *loop)
{
    const srv_config *config = srv_config_of(loop->server);
    loop->now = uv_hrtime();
    srv_connection *connection = make_connection(loop);
    loop->accept_waits = connection == NULL; /* it stays with the listener until the next tick */
    if (!connection)
        return;
    if (uv_accept((uv_stream_t *)&loop->listener, (uv_stream_t *)&connection->tcp) != 0) {
        srv_connection_close(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    if (!srv_tls_begin(connection)) {
        srv_connection_close(connection);
        return;
    }
    if (config->max_connections && loop->n_connections > config->max_connections) {
        turn_away(connection);
        return;
    }
    srv_connection_read(connection, true);
}

/* ---- Time ------------------------------------------------------------------------------------ */

/* Nothing of a request is here; while the server drains such a connection is let go, a little
 * later: its client may be about to send. */
static bool is_let_go(const srv_connection *connection)
{
    static const uint64_t pause = UINT64_C(500000000);
    const srv_loop *loop = connection->loop;
    if (connection->state != SRV_IDLE || n_ahead(connection))
        return false;
    if (connection->deadline && connection->deadline < loop->now)
        return true;
    uint64_t since = connection->state_since > loop->drains_since ? connection->state_since
                                                                  : loop->drains_since;
    return loop->draining && since + pause < loop->now;
}

/* The client takes bytes, if slowly: fewer than at the last look wait here and in the kernel. */
static bool is_sending(srv_connection *connection)
{
    uv_os_fd_t descriptor;
    int unsent = 0;
    if (connection->writes == 0)
        return false;
    if (uv_fileno((const uv_handle_t *)&connection->tcp, &descriptor) == 0)
        ioctl(descriptor, SIOCOUTQ, &unsent);
    size_t waits = uv_stream_get_write_queue_size((const uv_stream_t *)&connection->tcp) +
                   (size_t)unsent;
    bool moves = waits && waits < connection->queue_seen;
    connection->queue_seen = waits;
    return moves;
}

static void look_at(srv_connection *connection)
{
    srv_loop *loop = connection->loop;
    const srv_config *config = srv_config_of(loop->server);
    bool late = connection->deadline && connection->deadline < loop->now;
    bool comes = connection->state == SRV_HEAD || connection->state == SRV_BODY;
    late |= comes && connection->complete_by && connection->complete_by < loop->now;
    if (connection->deadline && is_sending(connection)) {
        connection->deadline = loop->now + config->body_timeout * UINT64_C(1000000000);
    } else if (is_let_go(connection)) {
        srv_connection_linger(connection);
    } else if (late && comes && connection->request && !connection->request->at_work) {
        connection->refused = 408;
        connection->why = "the request did not come in time";
        refuse_request(connection, HPE_USER);
    } else if (late) {
        srv_connection_close(connection);
    }
}

void srv_connections_tick(srv_loop *loop)
{
    loop->now = uv_hrtime();
    for (srv_connection *connection = loop->connections, *next; connection; connection = next) {
        next = connection->next;
        if (connection->state != SRV_CLOSING)
            look_at(connection);
    }
    if (loop->accept_waits && loop->listening)
        srv_connection_accept(loop);
}
