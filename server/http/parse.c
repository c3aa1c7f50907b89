/*
 * From bytes to requests: llhttp's callbacks, and what is refused besides what it refuses. A
 * request that another server on the way could read differently is no request: see RFC 9112, 11.
 */
#include "http/connection.h"

#include "server.h"

#include <string.h>

enum { MOST_TARGET = 8 << 10 };

static srv_connection *connection_of(llhttp_t *parser) { return parser->data; }

static int refuse(srv_connection *connection, int status, const char *why)
{
    if (!connection->refused) {
        connection->refused = status;
        connection->why = why;
    }
    return HPE_USER;
}

static int add_to_head(srv_connection *connection, const char *data, size_t size)
{
    ftl_strbuf *head = &connection->request->head;
    if (connection->head_done) { /* trailers are not kept: nobody has a use for them */
        connection->body_size += size;
        return connection->body_size > srv_config_of(connection->loop->server)->max_body
                   ? refuse(connection, 413, "the trailers of the request are too large")
                   : 0;
    }
    if (head->size + size > srv_config_of(connection->loop->server)->max_head)
        return refuse(connection, 431, "the head of the request is too large");
    ftl_strbuf_append(head, data, size);
    return head->failed ? refuse(connection, 503, "out of memory") : 0;
}

static int on_message_begin(llhttp_t *parser)
{
    srv_connection *connection = connection_of(parser);
    connection->message_done = connection->head_done = connection->continues = false;
    connection->value_open = connection->body_size = 0;
    connection->request = srv_request_take(connection->loop, connection);
    if (!connection->request)
        return refuse(connection, 503, "out of memory");
    srv_connection_set_state(connection, SRV_HEAD);
    return 0;
}

static int on_url(llhttp_t *parser, const char *data, size_t size)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    if (request->target_size + size > MOST_TARGET)
        return refuse(connection, 414, "the target of the request is too long");
    request->target_size += size;
    return add_to_head(connection, data, size);
}

static int on_header_field(llhttp_t *parser, const char *data, size_t size)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    if (connection->head_done)
        return request ? add_to_head(connection, data, size) : 0;
    if (request->n_headers == 0 || connection->value_open == request->n_headers) {
        if (request->n_headers == SRV_MOST_HEADERS)
            return refuse(connection, 431, "the request has too many header fields");
        srv_header *header = &request->headers[request->n_headers++];
        *header = (srv_header){.name = (uint32_t)request->head.size};
    }
    request->headers[request->n_headers - 1].name_size += (uint32_t)size;
    return add_to_head(connection, data, size);
}

static int on_header_value(llhttp_t *parser, const char *data, size_t size)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    if (connection->head_done)
        return request ? add_to_head(connection, data, size) : 0;
    srv_header *header = &request->headers[request->n_headers - 1];
    if (connection->value_open != request->n_headers) {
        connection->value_open = request->n_headers;
        header->value = (uint32_t)request->head.size;
    }
    header->value_size += (uint32_t)size;
    return add_to_head(connection, data, size);
}

/* An empty value has no bytes, and so no call of the above. */
static int on_header_value_complete(llhttp_t *parser)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    if (!connection->head_done && request->n_headers &&
        connection->value_open != request->n_headers) {
        connection->value_open = request->n_headers;
        request->headers[request->n_headers - 1].value = (uint32_t)request->head.size;
    }
    return 0;
}

static void split_target(srv_request *request)
{
    const char *target = request->head.data;
    const char *mark = memchr(target, '?', request->target_size);
    size_t size = mark ? (size_t)(mark - target) : request->target_size;
    request->path = (srv_text){target, size};
    request->query = mark ? (srv_text){mark + 1, request->target_size - size - 1} : (srv_text){0};
}

static int check_head(srv_connection *connection, llhttp_t *parser)
{
    srv_request *request = connection->request;
    if (parser->http_major != 1 || parser->http_minor > 1)
        return refuse(connection, 505, "this server speaks HTTP/1.1");
    if (request->method == HTTP_CONNECT)
        return refuse(connection, 405, "this server is no proxy");
    parser->upgrade = 0; /* to other protocols: what asks for it is served as it is */
    if (request->target_size == 0 || request->head.data[0] != '/')
        return refuse(connection, 400, "the target of the request is no path");
    srv_headers_note(request);
    unsigned hosts = request->n_known[SRV_HOST];
    if (hosts > 1 || (hosts == 0 && parser->http_minor == 1))
        return refuse(connection, 400, "the request has no Host, or more than one");
    unsigned encodings = request->n_known[SRV_TRANSFER_ENCODING];
    srv_text encoding = srv_known_header(request, SRV_TRANSFER_ENCODING);
    if (encodings && parser->http_minor == 0)
        return refuse(connection, 400, "HTTP/1.0 knows no transfer codings");
    if (encodings > 1 || (encodings && !srv_text_is_nocase(encoding, "chunked")))
        return refuse(connection, 501, "the only transfer coding taken is chunked");
    srv_text expect = srv_known_header(request, SRV_EXPECT);
    if (expect.data && !srv_text_is_nocase(expect, "100-continue"))
        return refuse(connection, 417, "the only expectation met is 100-continue");
    connection->continues = expect.data && parser->http_minor == 1;
    return 0;
}

static bool takes_stream(const srv_request *request)
{
    return request->route && (request->route->flags & SRV_STREAMS);
}

/* Bodies that are taken piece by piece may have any size. */
static int check_size(srv_connection *connection, const llhttp_t *parser)
{
    if (!takes_stream(connection->request) && (parser->flags & F_CONTENT_LENGTH) &&
        parser->content_length > srv_config_of(connection->loop->server)->max_body)
        return refuse(connection, 413, "the body of the request is larger than max-body");
    return 0;
}

static bool has_body(const llhttp_t *parser)
{
    return (parser->flags & F_CHUNKED) ||
           ((parser->flags & F_CONTENT_LENGTH) && parser->content_length);
}

/* 100 Continue; or when the request is refused already the reply, and the body is not asked for. */
static bool tell_to_continue(srv_connection *connection)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const uv_buf_t go_on = uv_buf_init(text, sizeof text - 1);
    srv_request *request = connection->request;
    if (request->status) {
        request->close = true;
        srv_reply_send(request);
        return false;
    }
    srv_connection_send(connection, &go_on, 1);
    return connection->state != SRV_CLOSING;
}

static int on_headers_complete(llhttp_t *parser)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    request->method = (llhttp_method_t)llhttp_get_method(parser);
    int refused = check_head(connection, parser);
    if (refused)
        return -1;
    connection->head_done = true;
    split_target(request);
    connection->keep_alive = llhttp_should_keep_alive(parser);
    srv_connection_set_state(connection, SRV_BODY);
    srv_request_route(request);
    if (check_size(connection, parser))
        return -1;
    if (connection->continues && has_body(parser)) {
        if (!tell_to_continue(connection))
            return 0;
    }
    if (takes_stream(request)) {
        request->close |= request->status != 0; /* it is refused, and its body not waited for */
        srv_request_dispatch(request);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t size)
{
    srv_connection *connection = connection_of(parser);
    srv_request *request = connection->request;
    if (!request) /* the reply came first */
        return 0;
    if (connection->reader.piece) {
        if (connection->reader.piece(request, data, size))
            return 0;
        return HPE_PAUSED;
    }
    connection->body_size += size;
    if (connection->body_size > srv_config_of(connection->loop->server)->max_body)
        return refuse(connection, 413, "the body of the request is larger than max-body");
    if (request->status) /* refused already: what comes is not kept */
        return 0;
    ftl_strbuf_append(&request->body, data, size);
    return request->body.failed ? refuse(connection, 503, "out of memory") : 0;
}

/* The next request waits until this one is answered. */
static int on_message_complete(llhttp_t *parser)
{
    connection_of(parser)->message_done = true;
    return HPE_PAUSED;
}

const llhttp_settings_t *srv_parser_settings(void)
{
    static const llhttp_settings_t settings = {
        .on_message_begin = on_message_begin,
        .on_url = on_url,
        .on_header_field = on_header_field,
        .on_header_value = on_header_value,
        .on_header_value_complete = on_header_value_complete,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_message_complete,
    };
    return &settings;
}
