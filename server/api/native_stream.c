/* POST predict-stream: rows in, predictions out, while both go on. */
#include "api/api.h"
#include "serving/stream.h"

static srv_result refuse_body(srv_request *request)
{
    return srv_reply_error(request, 415,
                           "the body must be a table that comes row by row: application/x-ndjson, "
                           "text/csv or application/vnd.apache.arrow.stream");
}

/* Options and media types. */
static bool read_head(srv_request *request, srv_stream *stream, const srv_media **answer,
                      srv_result *result)
{
    bool anything;
    srv_score *score = srv_stream_score(stream);
    const srv_media *body = srv_media_of_body(request);
    const srv_media *accepted = srv_media_accepted(request, &anything);
    *answer = accepted ? accepted : anything ? body : NULL;
    srv_text packing = srv_request_header(request, "content-encoding");
    if (!body || !body->streams)
        *result = refuse_body(request);
    else if (packing.size && !srv_text_is_nocase(packing, "identity"))
        *result = srv_reply_error(request, 415, "a stream is not compressed: no Content-Encoding");
    else if (!*answer || !(*answer)->streams)
        *result = srv_reply_error(request, 406,
                                  "a stream answers as application/x-ndjson, text/csv or "
                                  "application/vnd.apache.arrow.stream");
    else if (!srv_score_read_query(score, request, result))
        return false;
    else if (score->options.input_format || score->options.output_format)
        *result = srv_reply_error(request, 422,
                                  "Content-Type and Accept say the formats of a stream");
    else {
        score->options.input_format = body->format;
        return true;
    }
    return false;
}

static srv_result serve(srv_request *request, bool named)
{
    srv_result result = SRV_DONE;
    srv_text name = {0}, path = {0};
    const srv_media *answer = NULL;
    srv_stream *stream = srv_stream_make(request->server->streams);
    if (!stream)
        return srv_reply_error(request, 503, "out of memory");
    ftl_arena *arena = srv_stream_arena(stream);
    bool understood = read_head(request, stream, &answer, &result);
    if (named)
        name = request->params[0];
    else if (understood)
        understood = srv_query_text(request, "model", arena, &path, &result) &&
                     (path.data || srv_query_text(request, "model_path", arena, &path, &result));
    if (understood && !named && !path.size) {
        understood = false;
        result = srv_reply_error(request, 422, "the query names the model: ?model=NAME or PATH");
    }
    if (understood)
        return srv_stream_serve(stream, request, name, path, answer);
    srv_stream_drop(stream);
    request->close = true; /* its body is not read */
    return result;
}

srv_result srv_native_predict_stream(srv_request *request) { return serve(request, false); }

srv_result srv_model_predict_stream(srv_request *request) { return serve(request, true); }
