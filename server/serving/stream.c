#include "serving/stream.h"

#include "serving/crew.h"
#include "serving/queue.h"

#include <errno.h>
#include <string.h>

enum {
    QUEUE = 256 << 10 /* bytes that wait on each side */
};

struct srv_stream {
    srv_task work;       /* of the crew */
    srv_task wake, over; /* of the loop */
    srv_streams *streams;
    srv_stream *previous, *next;
    srv_request *request;
    ftl_arena arena;
    srv_score score;
    srv_text name, path;
    const char *content_type, *reply; /* reply: a name whose ending says what is written */
    ftl_cancel *cancel;
    uv_mutex_t lock;
    uv_cond_t changed;
    /* under the lock */
    srv_queue in, out;
    bool ended;   /* the body is complete */
    bool gone;    /* the client has left, or is given up */
    bool paused;  /* the loop waits for room in `in` */
    bool sending; /* the socket has not taken all that it was given */
    bool woken;   /* wake is on its way to the loop, or there */
    bool late;    /* nothing came, or was taken, in time */
    /* the loop's */
    ftl_strbuf piece; /* what is being sent */
    bool begun;       /* the reply's head is sent */
    /* the thread's, and then the loop's */
    ftl_status status;
    ftl_error error;
    int http_status; /* of an error */
    ftl_score_result result;
};

struct srv_streams {
    srv_server *server;
    uv_mutex_t lock;
    srv_crew *crew;
    srv_stream *first;
    bool stopping;
};

/* ---- Making ---------------------------------------------------------------------------------- */

ftl_status srv_streams_create(srv_server *server, srv_streams **out, ftl_error *error)
{
    srv_streams *streams = ftl_alloc_zero(&server->account, 1, sizeof *streams);
    if (!streams)
        return FTL_OOM(error);
    *out = streams; /* also when it fails */
    streams->server = server;
    uv_mutex_init(&streams->lock);
    return srv_crew_create(&server->account, server->config->max_streams, 0, &streams->crew, error);
}

/* The stream's lock is held. */
static void give_up(srv_stream *stream)
{
    stream->gone = true;
    ftl_cancel_trigger(stream->cancel);
    uv_cond_broadcast(&stream->changed);
}

void srv_streams_stop(srv_streams *streams)
{
    if (!streams)
        return;
    uv_mutex_lock(&streams->lock);
    streams->stopping = true;
    for (srv_stream *stream = streams->first; stream; stream = stream->next) {
        uv_mutex_lock(&stream->lock);
        give_up(stream);
        uv_mutex_unlock(&stream->lock);
    }
    uv_mutex_unlock(&streams->lock);
    srv_crew_destroy(streams->crew);
    streams->crew = NULL;
}

void srv_streams_destroy(srv_streams *streams)
{
    if (!streams)
        return;
    srv_streams_stop(streams);
    uv_mutex_destroy(&streams->lock);
    ftl_free(&streams->server->account, streams);
}

srv_stream *srv_stream_make(srv_streams *streams)
{
    ftl_account *account = &streams->server->account;
    srv_stream *stream = ftl_alloc_zero(account, 1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->streams = streams;
    uv_mutex_init(&stream->lock);
    uv_cond_init(&stream->changed);
    ftl_arena_init(&stream->arena, account);
    ftl_strbuf_init(&stream->piece, account, 0);
    srv_score_init(&stream->score, &stream->arena);
    ftl_error_clear(&stream->error);
    if (ftl_cancel_create(streams->server->context, &stream->cancel, NULL) == FTL_OK)
        return stream;
    srv_stream_drop(stream);
    return NULL;
}

void srv_stream_drop(srv_stream *stream)
{
    ftl_account *account = &stream->streams->server->account;
    srv_queue_free(account, &stream->in);
    srv_queue_free(account, &stream->out);
    ftl_strbuf_free(&stream->piece);
    ftl_cancel_destroy(stream->cancel);
    ftl_arena_free(&stream->arena);
    uv_cond_destroy(&stream->changed);
    uv_mutex_destroy(&stream->lock);
    ftl_free(account, stream);
}

srv_score *srv_stream_score(srv_stream *stream) { return &stream->score; }
ftl_arena *srv_stream_arena(srv_stream *stream) { return &stream->arena; }

/* ---- On the loop ----------------------------------------------------------------------------- */

/* srv_body_reader.piece: false when there is enough. */
static bool take_piece(srv_request *request, const char *data, size_t size)
{
    srv_stream *stream = request->user;
    if (!stream)
        return true; /* it has its reply; nobody wants the rest */
    uv_mutex_lock(&stream->lock);
    if (!stream->gone && !srv_queue_put(&stream->streams->server->account, &stream->in, data, size))
        give_up(stream);
    bool enough = stream->in.size >= QUEUE && !stream->gone;
    stream->paused = enough;
    uv_cond_broadcast(&stream->changed);
    uv_mutex_unlock(&stream->lock);
    return !enough;
}

static void take_end(srv_request *request)
{
    srv_stream *stream = request->user;
    if (!stream)
        return;
    uv_mutex_lock(&stream->lock);
    stream->ended = true;
    uv_cond_broadcast(&stream->changed);
    uv_mutex_unlock(&stream->lock);
}

/* request->stop: the client has gone. */
static void client_gone(srv_request *request)
{
    srv_stream *stream = request->user;
    if (!stream)
        return;
    uv_mutex_lock(&stream->lock);
    give_up(stream);
    uv_mutex_unlock(&stream->lock);
}

static void begin_reply(srv_stream *stream)
{
    if (stream->begun)
        return;
    stream->begun = true;
    srv_stream_begin(stream->request, 200, stream->content_type);
}

/* Has the loop look at the stream soon. The stream's lock is held. */
static void wake_loop(srv_stream *stream)
{
    if (stream->woken)
        return;
    stream->woken = true;
    srv_loop_post(stream->request->loop, &stream->wake);
}

/* The socket has taken a piece. The next one is sent when other connections have had their turn. */
static void piece_sent(srv_request *request)
{
    srv_stream *stream = request->user;
    if (!stream)
        return;
    uv_mutex_lock(&stream->lock);
    stream->sending = false;
    if (stream->out.size)
        wake_loop(stream);
    uv_cond_broadcast(&stream->changed);
    uv_mutex_unlock(&stream->lock);
}

/* Sends what waits, when the socket has nothing left. */
static void send_piece(srv_stream *stream)
{
    uv_mutex_lock(&stream->lock);
    bool sends = stream->out.size && !stream->sending && !stream->gone;
    if (sends) {
        ftl_strbuf_clear(&stream->piece);
        ftl_strbuf_append(&stream->piece, stream->out.bytes + stream->out.from, stream->out.size);
        stream->out.from = stream->out.size = 0;
        stream->sending = true;
        if (stream->piece.failed) {
            give_up(stream);
            sends = false;
        }
    }
    uv_cond_broadcast(&stream->changed);
    uv_mutex_unlock(&stream->lock);
    if (!sends)
        return;
    begin_reply(stream);
    srv_stream_write(stream->request, stream->piece.data, stream->piece.size, piece_sent);
}

/* The thread has put something into `out`, or has made room in `in`. */
static void on_wake(srv_task *task)
{
    srv_stream *stream = (srv_stream *)((char *)task - offsetof(srv_stream, wake));
    uv_mutex_lock(&stream->lock);
    stream->woken = false;
    bool resume = stream->paused && stream->in.size < QUEUE / 2;
    stream->paused = stream->paused && !resume;
    uv_cond_broadcast(&stream->changed);
    uv_mutex_unlock(&stream->lock);
    if (resume)
        srv_body_resume(stream->request);
    send_piece(stream);
}

/* The last object of a stream that fails when its reply has begun. */
static void send_error(srv_stream *stream)
{
    ftl_strbuf *line = &stream->piece;
    bool lines = strcmp(stream->content_type, "application/x-ndjson") == 0;
    if (!lines)
        return;
    ftl_strbuf_clear(line);
    ftl_strbuf_puts(line, "{\"error\":");
    ftl_strbuf_json_string(line, stream->error.message, strlen(stream->error.message));
    ftl_strbuf_puts(line, "}\n");
    if (!line->failed)
        srv_stream_write(stream->request, line->data, line->size, NULL);
}

static void reply_failure(srv_stream *stream)
{
    srv_request *request = stream->request;
    request->close = !stream->ended; /* the rest of its body is not read */
    if (stream->http_status == 422)
        srv_reply_invalid(request, "value_error", NULL, "%s", stream->error.message);
    else
        srv_reply_error(request, stream->http_status, "%s", stream->error.message);
    if (stream->http_status == 503)
        srv_add_header(request, "Retry-After", "1");
}

/* The thread is done with it; all that it wrote was sent, or the client has gone. */
static void on_over(srv_task *task)
{
    srv_stream *stream = (srv_stream *)((char *)task - offsetof(srv_stream, over));
    srv_request *request = stream->request;
    bool ok = stream->status == FTL_OK;
    if (ok)
        begin_reply(stream);
    else if (stream->begun)
        send_error(stream);
    else
        reply_failure(stream);
    bool begun = stream->begun;
    request->rows = stream->result.rows_read;
    request->user = NULL; /* what still comes of the body is passed over */
    request->stop = NULL;
    srv_stream_drop(stream);
    if (begun)
        srv_stream_end(request, ok);
    else
        srv_request_finish(request);
}

/* ---- On the thread --------------------------------------------------------------------------- */

/* Waits for a change; false when it took too long. The lock is held. */
static bool wait_for_change(srv_stream *stream, uint64_t until)
{
    if (until == 0) {
        uv_cond_wait(&stream->changed, &stream->lock);
        return true;
    }
    uint64_t now = uv_hrtime();
    return now < until && uv_cond_timedwait(&stream->changed, &stream->lock, until - now) == 0;
}

static uint64_t time_limit(uint32_t seconds)
{
    return seconds ? uv_hrtime() + seconds * UINT64_C(1000000000) : 0;
}

/* ftl_reader.read: what is there; waits when there is nothing. */
static int64_t read_rows(void *user, void *data, size_t size)
{
    srv_stream *stream = user;
    uint64_t until = time_limit(stream->streams->server->config->stream_timeout);
    int64_t got = 0;
    uv_mutex_lock(&stream->lock);
    while (stream->in.size == 0 && !stream->ended && !stream->gone && !stream->late)
        stream->late = !wait_for_change(stream, until);
    if (stream->gone)
        got = -ECANCELED;
    else if (stream->late)
        got = -ETIMEDOUT;
    else
        got = (int64_t)srv_queue_take(&stream->in, data, size);
    if (stream->paused && stream->in.size < QUEUE / 2)
        wake_loop(stream);
    uv_mutex_unlock(&stream->lock);
    return got;
}

/* ftl_writer.write: waits for room. */
static int write_rows(void *user, const void *data, size_t size)
{
    srv_stream *stream = user;
    const char *next = data;
    uint32_t seconds = stream->streams->server->config->body_timeout;
    int failed = 0;
    uv_mutex_lock(&stream->lock);
    while (size && !failed) {
        uint64_t until = time_limit(seconds);
        while (stream->out.size >= QUEUE && !stream->gone && !stream->late)
            stream->late = !wait_for_change(stream, until);
        size_t part = size < QUEUE ? size : QUEUE;
        if (stream->gone || stream->late)
            failed = stream->late ? ETIMEDOUT : ECANCELED;
        else if (!srv_queue_put(&stream->streams->server->account, &stream->out, next, part))
            failed = ENOMEM;
        next += part;
        size -= part;
        wake_loop(stream);
    }
    uv_mutex_unlock(&stream->lock);
    return failed;
}

static bool fail(srv_stream *stream, int status)
{
    stream->http_status = status;
    srv_error_for_client(&stream->error);
    if (stream->status == FTL_OK)
        stream->status = FTL_ARG;
    return false;
}

static srv_model *find_model(srv_stream *stream)
{
    srv_catalog *catalog = stream->streams->server->catalog;
    int status = 404;
    srv_model *model = NULL;
    if (stream->name.data) {
        model = srv_catalog_named(catalog, stream->name, (srv_text){0});
        if (!model)
            ftl_error_set(&stream->error, FTL_ARG, "there is no model of that name");
    } else {
        model = srv_catalog_at_path(catalog, stream->path, &status, &stream->error);
    }
    if (!model)
        fail(stream, status);
    return model;
}

static bool predict(srv_stream *stream)
{
    srv_server *server = stream->streams->server;
    ftl_model *open = NULL;
    const ftl_reader reader = {
        .struct_size = sizeof reader, .user = stream, .read = read_rows, .name = "the body"};
    const ftl_writer writer = {
        .struct_size = sizeof writer, .user = stream, .write = write_rows, .name = stream->reply};
    srv_model *model = find_model(stream);
    if (!model)
        return false;
    stream->request->model = model->shown;
    stream->status = srv_model_take(server, model, NULL, NULL, &open, &stream->error);
    if (stream->status != FTL_OK) {
        srv_error_replace(&stream->error, model->path, model->shown);
        return fail(stream, srv_http_status(&stream->error));
    }
    ftl_score_options *options = &stream->score.options;
    const char *format = options->input_format;
    options->cancel = stream->cancel;
    options->flush_early = strcmp(format, "jsonl") == 0 || strcmp(format, "csv") == 0;
    stream->result.struct_size = sizeof stream->result;
    stream->status = ftl_score_stream(open, &reader, &writer, options, &stream->result,
                                      &stream->error);
    ftl_model_release(open);
    bool done = stream->status == FTL_OK;
    srv_figures_rows(server->figures, &model->figures, done, stream->result.rows_read);
    if (done)
        return true;
    return fail(stream, stream->late ? 408 : srv_http_status(&stream->error));
}

/* Until the socket has taken everything. */
static void flush(srv_stream *stream)
{
    uint64_t until = time_limit(stream->streams->server->config->body_timeout);
    uv_mutex_lock(&stream->lock);
    while ((stream->out.size || stream->sending || stream->woken) && !stream->gone &&
           wait_for_change(stream, until)) {}
    while (stream->woken) /* the loop will look at it; then nobody does any more */
        uv_cond_wait(&stream->changed, &stream->lock);
    uv_mutex_unlock(&stream->lock);
}

static void work(srv_task *task)
{
    srv_stream *stream = (srv_stream *)((char *)task - offsetof(srv_stream, work));
    srv_streams *streams = stream->streams;
    predict(stream);
    flush(stream);
    uv_mutex_lock(&streams->lock);
    *(stream->previous ? &stream->previous->next : &streams->first) = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    uv_mutex_unlock(&streams->lock);
    stream->over.run = on_over;
    srv_loop_post(stream->request->loop, &stream->over);
}

/* ---- Beginning ------------------------------------------------------------------------------- */

static bool give_to_crew(srv_stream *stream)
{
    srv_streams *streams = stream->streams;
    uv_mutex_lock(&streams->lock);
    bool given = !streams->stopping && srv_crew_give(streams->crew, &stream->work);
    if (given) {
        stream->previous = NULL;
        stream->next = streams->first;
        if (streams->first)
            streams->first->previous = stream;
        streams->first = stream;
    }
    uv_mutex_unlock(&streams->lock);
    return given;
}

srv_result srv_stream_serve(srv_stream *stream, srv_request *request, srv_text name, srv_text path,
                            const srv_media *answer)
{
    static const srv_body_reader reader = {.piece = take_piece, .end = take_end};
    stream->request = request;
    stream->name = name;
    stream->path = path;
    stream->content_type = answer->type;
    stream->reply = answer->file;
    stream->work.run = work;
    stream->wake.run = on_wake;
    request->user = stream;
    request->stop = client_gone;
    srv_body_read(request, &reader);
    if (give_to_crew(stream))
        return SRV_LATER;
    request->user = NULL;
    request->stop = NULL;
    srv_stream_drop(stream);
    request->close = true;
    srv_add_header(request, "Retry-After", "5");
    return srv_reply_error(request, 503, "the server is busy: it has as many streams as it may");
}
