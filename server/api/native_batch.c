/* POST /api/v1/inference/predict-batch, and /jobs. */
#include "api/api.h"
#include "api/body.h"
#include "serving/jobs.h"

#include <string.h>

enum { MODEL_PATH, DATA_PATH, OUTPUT_PATH, ASYNC, OVERWRITE, OPTIONS };
enum { MOST_MEMBERS = OPTIONS + 20 };

static bool refuse(srv_request *request, const srv_member *member, const ftl_error *error,
                   srv_result *result)
{
    ftl_error shown = *error;
    srv_error_for_client(&shown);
    if (error->code == FTL_NOMEM)
        *result = srv_reply_error(request, 503, "out of memory");
    else
        *result = srv_reply_invalid(request, "value_error", member->name, "%s", shown.message);
    return false;
}

/* The texts of an array. */
static ftl_status set_items(srv_score *score, srv_request *request, const srv_member *member,
                            ftl_error *error)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, request->body.data + member->at, member->size, FTL_JSON_NONFINITE);
    FTL_TRY(ftl_json_next(&json, &token, error));
    for (;;) {
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token == FTL_JSON_ARRAY_END)
            return FTL_OK;
        if (token != FTL_JSON_STRING)
            return FTL_FAIL(error, FTL_ARG, "Input should be a list of texts");
        const char *text;
        size_t size;
        FTL_TRY(ftl_json_copy(&json, score->arena, &text, &size, error));
        FTL_TRY(srv_score_set(score, member->name, (srv_text){text, size}, error));
    }
}

static ftl_status set_option(srv_score *score, srv_request *request, const srv_member *member,
                             bool is_list, ftl_error *error)
{
    switch (member->token) {
    case FTL_JSON_NULL:
        return FTL_OK;
    case FTL_JSON_STRING:
        return srv_score_set(score, member->name, member->text, error);
    case FTL_JSON_NUMBER:
    case FTL_JSON_TRUE:
    case FTL_JSON_FALSE:
        return srv_score_set(score, member->name,
                             (srv_text){request->body.data + member->at, member->size}, error);
    case FTL_JSON_ARRAY:
        if (is_list)
            return set_items(score, request, member, error);
        break;
    default:
        break;
    }
    return FTL_FAIL(error, FTL_ARG, "Input should be a text, a number, true or false%s",
                    is_list ? ", or a list of texts" : "");
}

static bool set_path(srv_request *request, const srv_member *member, bool needed, ftl_arena *arena,
                     const char **out, srv_result *result)
{
    srv_text text;
    if (!srv_member_text(request, member, needed, &text, result))
        return false;
    if (!text.data)
        return true;
    if (memchr(text.data, '\0', text.size)) {
        *result = srv_reply_invalid(request, "value_error", member->name, "a path has no NUL");
        return false;
    }
    *out = ftl_arena_string(arena, text.data, text.size);
    if (!*out)
        *result = srv_reply_error(request, 503, "out of memory");
    return *out != NULL;
}

static bool read_options(srv_request *request, const srv_member *members, srv_score *score,
                         srv_result *result)
{
    enum { USUAL_ROWS = 5000 };
    ftl_error error;
    const srv_member *size = NULL;
    ftl_error_clear(&error);
    score->options.batch_rows = USUAL_ROWS;
    for (size_t i = 0; srv_score_names[i].name; i++) {
        const srv_member *member = &members[OPTIONS + i];
        bool is_size = strcmp(member->name, "batch_size") == 0 ||
                       strcmp(member->name, "chunk_size") == 0;
        if (!member->found)
            continue;
        if (is_size && size) {
            *result = srv_reply_invalid(request, "value_error", member->name,
                                        "chunk_size is another name of batch_size: give one");
            return false;
        }
        size = is_size ? member : size;
        if (set_option(score, request, member, srv_score_names[i].is_list, &error) != FTL_OK)
            return refuse(request, member, &error, result);
    }
    srv_score_finish(score);
    return true;
}

static bool read_request(srv_request *request, srv_batch *batch, bool *async, srv_result *result)
{
    srv_member members[MOST_MEMBERS] = {[MODEL_PATH] = {.name = "model_path"},
                                        [DATA_PATH] = {.name = "data_path"},
                                        [OUTPUT_PATH] = {.name = "output_path"},
                                        [ASYNC] = {.name = "async"},
                                        [OVERWRITE] = {.name = "overwrite"}};
    size_t n = OPTIONS;
    for (size_t i = 0; srv_score_names[i].name && n < MOST_MEMBERS; i++)
        members[n++].name = srv_score_names[i].name;
    return srv_body_members(request, members, n, result) &&
           set_path(request, &members[MODEL_PATH], true, &batch->arena, &batch->model_path,
                    result) &&
           set_path(request, &members[DATA_PATH], true, &batch->arena, &batch->data_path, result) &&
           set_path(request, &members[OUTPUT_PATH], false, &batch->arena, &batch->output_path,
                    result) &&
           srv_member_flag(request, &members[ASYNC], false, async, result) &&
           srv_member_flag(request, &members[OVERWRITE], false, &batch->overwrite, result) &&
           read_options(request, members, &batch->score, result);
}

srv_result srv_native_predict_batch(srv_request *request)
{
    bool async = false;
    srv_result result = SRV_DONE;
    srv_job *job = srv_job_make(request->server->jobs);
    if (!job)
        return srv_reply_error(request, 503, "out of memory");
    bool understood = read_request(request, srv_job_batch(job), &async, &result);
    if (understood && !async)
        return srv_job_answer(job, request);
    if (understood && !request->on_loop)
        return srv_job_submit(job, request);
    srv_job_drop(job);
    return understood ? SRV_DEFER : result; /* whether the files are there is asked by the pool */
}

srv_result srv_native_jobs(srv_request *request)
{
    return srv_jobs_list(request->server->jobs, request);
}

srv_result srv_native_job(srv_request *request)
{
    return srv_jobs_show(request->server->jobs, request, request->params[0]);
}

srv_result srv_native_job_cancel(srv_request *request)
{
    return srv_jobs_cancel(request->server->jobs, request, request->params[0]);
}
