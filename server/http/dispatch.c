/* From requests to handlers: on the loop, or on a thread of the pool. */
#include "http/connection.h"

#include "server.h"

#include <string.h>

enum { KEPT_REQUESTS = 256, KEPT_BYTES = 64 << 10 };

/* ---- Requests are used again ----------------------------------------------------------------- */

srv_request *srv_request_take(srv_loop *loop, srv_connection *connection)
{
    srv_request *request = loop->free_requests;
    if (request) {
        loop->free_requests = request->next_free;
        loop->n_free_requests--;
    } else {
        ftl_account *account = srv_account_of(loop->server);
        request = ftl_alloc_zero(account, 1, sizeof *request);
        if (!request)
            return NULL;
        ftl_strbuf_init(&request->head, account, 0);
        ftl_strbuf_init(&request->body, account, 0);
        ftl_strbuf_init(&request->out, account, 0);
        ftl_strbuf_init(&request->out_head, account, 0);
        ftl_arena_init(&request->scratch, account);
    }
    loop->n_requests++;
    request->loop = loop;
    request->server = loop->server;
    request->connection = connection;
    request->started = loop->now;
    request->number = srv_next_number(loop->server);
    return request;
}

static void free_request(srv_request *request)
{
    ftl_strbuf_free(&request->head);
    ftl_strbuf_free(&request->body);
    ftl_strbuf_free(&request->out);
    ftl_strbuf_free(&request->out_head);
    ftl_arena_free(&request->scratch);
    ftl_free(srv_account_of(request->server), request);
}

static void empty(ftl_strbuf *buffer)
{
    if (buffer->room > KEPT_BYTES)
        ftl_strbuf_free(buffer);
    buffer->size = 0;
    buffer->failed = false;
}

void srv_request_give(srv_request *request)
{
    srv_loop *loop = request->loop;
    loop->n_requests--;
    if (loop->n_free_requests >= KEPT_REQUESTS) {
        free_request(request);
        return;
    }
    empty(&request->head);
    empty(&request->body);
    empty(&request->out);
    empty(&request->out_head);
    ftl_arena_reset(&request->scratch, KEPT_BYTES);
    request->target_size = request->n_headers = request->n_params = 0;
    memset(request->known, 0, sizeof request->known);
    memset(request->n_known, 0, sizeof request->n_known);
    request->path = request->query = (srv_text){0};
    request->route = NULL;
    request->dialect = SRV_NATIVE;
    request->status = 0;
    request->content_type = NULL;
    request->close = request->at_work = request->plain_stream = request->packed = false;
    request->queue_seconds = request->compute_seconds = 0;
    request->model = request->client = NULL;
    request->rows = 0;
    request->stop = NULL;
    request->user = NULL;
    request->end_stops = false;
    request->next_free = loop->free_requests;
    loop->free_requests = request;
    loop->n_free_requests++;
}

void srv_loop_free_requests(srv_loop *loop)
{
    while (loop->free_requests) {
        srv_request *request = loop->free_requests;
        loop->free_requests = request->next_free;
        free_request(request);
    }
    loop->n_free_requests = 0;
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static srv_dialect dialect_of(srv_text path)
{
    static const struct {
        const char *prefix;
        srv_dialect dialect;
    } prefixes[] = {{"/v2", SRV_V2}, {"/v1/", SRV_V2}, {"/invocations", SRV_MLFLOW}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(prefixes); i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (path.size >= size && memcmp(path.data, prefixes[i].prefix, size) == 0)
            return prefixes[i].dialect;
    }
    return SRV_NATIVE;
}

static void refuse_method(srv_request *request, uint64_t allowed)
{
    ftl_strbuf *out = &request->out_head;
    const char *between = "";
    ftl_strbuf_puts(out, "Allow: ");
    for (unsigned i = 0; i < 64; i++) {
        if (allowed & UINT64_C(1) << i) {
            ftl_strbuf_printf(out, "%s%s%s", between, llhttp_method_name(i),
                              i == HTTP_GET ? ", HEAD" : "");
            between = ", ";
        }
    }
    ftl_strbuf_puts(out, "\r\n");
    srv_reply_error(request, 405, "this path does not take the method %s",
                    llhttp_method_name(request->method));
}

void srv_request_route(srv_request *request)
{
    uint64_t allowed;
    request->dialect = dialect_of(request->path);
    srv_admit_client(request);
    if (request->status)
        return;
    request->route = srv_route_find(request, &allowed);
    if (!request->route && allowed)
        refuse_method(request, allowed);
    else if (!request->route)
        srv_reply_error(request, 404,
                        "there is nothing at this path; GET /docs lists what there is");
    else
        srv_admit(request);
}

/* ---- The pool -------------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    srv_request *request = work->data;
    uint64_t waited = uv_hrtime() - request->queued;
    const srv_config *config = srv_config_of(request->server);
    request->queue_seconds = 1e-9 * (double)waited;
    if (config->queue_ms && waited > config->queue_ms * UINT64_C(1000000)) {
        srv_add_header(request, "Retry-After", "1");
        srv_reply_error(request, 503, "the server is busy: the request waited for %llu ms",
                        (unsigned long long)(waited / 1000000));
        return;
    }
    if (request->packed && !srv_body_unpack(request))
        return;
    request->packed = false;
    if (request->route->handler(request) != SRV_DONE)
        srv_reply_error(request, 500, "the handler of %s did not finish", request->route->pattern);
}

static void after_work(uv_work_t *work, int status)
{
    srv_request *request = work->data;
    (void)status;
    srv_queue_left(request->server);
    srv_request_finish(request);
}

static void run_on_pool(srv_request *request)
{
    if (!srv_queue_entered(request->server)) {
        srv_add_header(request, "Retry-After", "1");
        srv_reply_error(request, 503, "the server is busy: too many requests wait");
        srv_reply_send(request);
        return;
    }
    ftl_strbuf_clear(&request->out); /* what a handler on the loop may have begun */
    ftl_arena_reset(&request->scratch, KEPT_BYTES);
    request->at_work = true;
    request->on_loop = false;
    request->queued = uv_hrtime();
    request->work.data = request;
    uv_queue_work(&request->loop->uv, &request->work, on_work, after_work);
}

void srv_request_finish(srv_request *request)
{
    request->at_work = false;
    request->stop = NULL;
    request->loop->now = uv_hrtime();
    srv_reply_send(request);
}

void srv_request_dispatch(srv_request *request)
{
    if (request->status) { /* refused by its head */
        srv_reply_send(request);
        return;
    }
    srv_connection_set_state(request->connection, SRV_WORKING);
    request->packed = !(request->route->flags & SRV_STREAMS) && srv_body_is_packed(request);
    if (request->packed || (request->route->flags & SRV_BLOCKS)) {
        run_on_pool(request);
        return;
    }
    request->on_loop = true;
    request->at_work = true;
    srv_result result = request->route->handler(request);
    if (result == SRV_LATER)
        return;
    request->at_work = false;
    if (result == SRV_DEFER)
        run_on_pool(request);
    else
        srv_reply_send(request);
}
