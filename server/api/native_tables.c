#include "api/native_tables.h"

#include "api/native_answer.h"
#include "serving/lookup.h"
#include "serving/media.h"
#include "serving/score.h"

#include <errno.h>
#include <string.h>

bool srv_tables_wanted(const srv_request *request) { return srv_media_of_body(request) != NULL; }

/* ---- JSON as the answer ---------------------------------------------------------------------- */

static srv_result answer_json(srv_request *request, srv_model *model, const srv_score *score,
                              const srv_media *body)
{
    const ftl_score_options *options = &score->options;
    const ftl_read_options read = {.struct_size = sizeof read,
                                   .format = body->format,
                                   .delimiter = options->delimiter,
                                   .decimal = options->decimal,
                                   .no_header = options->no_header,
                                   .encoding = options->encoding};
    srv_result result;
    srv_call call = {0};
    uint32_t methods = options->method_set ? 1u << options->method : SRV_DEFAULT_METHOD;
    if (options->proba)
        methods |= 1u << FTL_PREDICT_PROBA;
    if (options->n_keep || options->n_features || options->limit || options->n_more_methods ||
        options->on_error != FTL_ON_ERROR_FAIL)
        return srv_reply_error(request, 422,
                               "keep, features, limit, on_error and several methods are for "
                               "answers that are tables: Accept: text/csv, say");
    if (srv_call_open(&call, request, model, methods, true, &result)) {
        ftl_method method = options->method_set ? options->method
                                                : (ftl_method)__builtin_ctz(call.methods);
        if (srv_call_read(&call, request->body.data ? request->body.data : "", request->body.size,
                          &read, NULL, &result) &&
            srv_call_run(&call, &result) &&
            srv_native_answer(&call, options->proba, method, &result))
            result = srv_reply_json(request, 200);
    }
    srv_call_close(&call);
    return result;
}

/* ---- A table as the answer ------------------------------------------------------------------- */

typedef struct body_reader {
    srv_request *request;
    size_t at;
} body_reader;

/* ftl_reader.read */
static int64_t read_body(void *user, void *data, size_t size)
{
    body_reader *reader = user;
    const ftl_strbuf *body = &reader->request->body;
    size_t n = body->size - reader->at < size ? body->size - reader->at : size;
    if (n)
        memcpy(data, body->data + reader->at, n);
    reader->at += n;
    return (int64_t)n;
}

/* ftl_writer.write */
static int write_reply(void *user, const void *data, size_t size)
{
    srv_request *request = user;
    ftl_strbuf_append(&request->out, data, size);
    return request->out.failed ? ENOMEM : 0;
}

static ftl_status score(srv_request *request, srv_model *model, const ftl_score_options *options,
                        const srv_media *answer, ftl_error *error)
{
    ftl_model *open = NULL;
    body_reader body = {.request = request};
    ftl_score_result result = {.struct_size = sizeof result};
    const ftl_reader reader = {
        .struct_size = sizeof reader, .user = &body, .read = read_body, .name = "the body"};
    const ftl_writer writer = {
        .struct_size = sizeof writer, .user = request, .write = write_reply, .name = answer->file};
    FTL_TRY(srv_model_take(request->server, model, NULL, NULL, &open, error));
    ftl_status status = ftl_score_stream(open, &reader, &writer, options, &result, error);
    ftl_model_release(open);
    request->rows = result.rows_read;
    srv_figures_rows(request->server->figures, &model->figures, status == FTL_OK, result.rows_read);
    return status;
}

static srv_result answer_table(srv_request *request, srv_model *model, srv_score *wanted,
                               const srv_media *body, const srv_media *answer)
{
    ftl_error error;
    ftl_error_clear(&error);
    if (request->on_loop)
        return SRV_DEFER;
    request->model = model->shown;
    wanted->options.input_format = body->format;
    if (score(request, model, &wanted->options, answer, &error) == FTL_OK)
        return srv_reply(request, 200, answer->type);
    srv_error_replace(&error, model->path, model->shown);
    srv_error_for_client(&error);
    return srv_reply_failure(request, &error);
}

/* ---- Both ------------------------------------------------------------------------------------ */

static bool accepts_json(const srv_request *request)
{
    srv_text accept = srv_request_header(request, "accept");
    return accept.size && memmem(accept.data, accept.size, "application/json", 16) != NULL;
}

static srv_model *find_model(srv_request *request, ftl_arena *arena, srv_result *result)
{
    ftl_error error;
    int status;
    srv_text path;
    ftl_error_clear(&error);
    if (!srv_query_text(request, "model_path", arena, &path, result) ||
        (!path.data && !srv_query_text(request, "model", arena, &path, result)))
        return NULL;
    if (path.size == 0) {
        *result = srv_reply_error(request, 422,
                                  "the query names the model: ?model_path=PATH or NAME");
        return NULL;
    }
    srv_model *model = srv_lookup_path(request, path, &status, &error);
    if (!model)
        *result = srv_reply_error(request, status, "%s", error.message);
    return model;
}

static srv_result predict(srv_request *request, ftl_arena *arena)
{
    bool anything;
    srv_score wanted;
    srv_result result = SRV_DONE;
    const srv_media *body = srv_media_of_body(request);
    const srv_media *answer = srv_media_accepted(request, &anything);
    srv_score_init(&wanted, arena);
    if (!srv_score_read_query(&wanted, request, &result))
        return result;
    if (wanted.options.input_format || wanted.options.output_format)
        return srv_reply_error(request, 422, "Content-Type and Accept say the formats here");
    srv_model *model = find_model(request, arena, &result);
    if (!model)
        return result;
    if (answer)
        return answer_table(request, model, &wanted, body, answer);
    if (anything || accepts_json(request))
        return answer_json(request, model, &wanted, body);
    return srv_reply_error(request, 406,
                           "answers are application/json, text/csv, application/x-ndjson, Arrow "
                           "or Parquet");
}

srv_result srv_tables_predict(srv_request *request)
{
    ftl_arena arena;
    ftl_arena_init(&arena, &request->server->account);
    srv_result result = predict(request, &arena);
    ftl_arena_free(&arena);
    return result;
}
