/*
 * MLflow's scoring protocol: POST /invocations, GET /ping, /health and /version. The same routes
 * are what SageMaker asks of a container.
 */
#include "api/api.h"
#include "api/body.h"
#include "serving/lookup.h"
#include "serving/media.h"
#include "serving/rows.h"

#include <string.h>

srv_result srv_mlflow_ping(srv_request *request)
{
    bool ready = srv_is_ready(request->server);
    ftl_strbuf_putc(&request->out, '\n');
    return srv_reply(request, ready ? 200 : 503, "application/json");
}

srv_result srv_mlflow_version(srv_request *request)
{
    ftl_strbuf_puts(&request->out, ftl_version());
    return srv_reply(request, 200, "text/plain; charset=utf-8");
}

/* ---- POST /invocations ----------------------------------------------------------------------- */

enum { SPLIT, RECORDS, INSTANCES, INPUTS, PARAMS, N_MEMBERS };

/* Exactly one of the first four; data is where it stands. */
static bool find_rows(srv_request *request, srv_member members[N_MEMBERS], const srv_member **rows,
                      srv_result *result)
{
    members[SPLIT] = (srv_member){.name = "dataframe_split", .passed = true};
    members[RECORDS] = (srv_member){.name = "dataframe_records", .passed = true};
    members[INSTANCES] = (srv_member){.name = "instances", .passed = true};
    members[INPUTS] = (srv_member){.name = "inputs", .passed = true};
    members[PARAMS] = (srv_member){.name = "params"};
    size_t n = 0;
    if (!srv_json_members(request, members, N_MEMBERS, result))
        return false;
    for (size_t i = SPLIT; i <= INPUTS; i++) {
        n += members[i].found;
        if (members[i].found)
            *rows = &members[i];
    }
    if (n == 1)
        return true;
    *result = srv_reply_error(request, 400,
                              "the body has exactly one of the members dataframe_split, "
                              "dataframe_records, instances and inputs, not %zu",
                              n);
    return false;
}

/* JSON, or CSV for who accepts that alone, as SageMaker's batches do. */
static bool answer(srv_call *call, srv_result *result)
{
    bool anything;
    const srv_media *accepted = srv_media_accepted(call->request, &anything);
    if (accepted && !anything && strcmp(accepted->format, "csv") == 0)
        return srv_rows_answer_csv(call, result);
    return srv_rows_answer(call, "{\"predictions\":", "}", result);
}

static bool predict_json(srv_call *call, srv_model *model, srv_result *result)
{
    srv_request *request = call->request;
    srv_member members[N_MEMBERS];
    const srv_member *rows = NULL;
    srv_text method;
    uint32_t methods;
    return find_rows(request, members, &rows, result) &&
           srv_method_member(request, &members[PARAMS], &method, result) &&
           srv_call_find(call, request, model, true, result) &&
           srv_rows_method(call, method, &methods, result) &&
           srv_call_plan(call, methods, FTL_F64, result) &&
           srv_rows_read(call, request->body.data + rows->at, rows->size, result) &&
           answer(call, result);
}

static bool predict_csv(srv_call *call, srv_model *model, srv_result *result)
{
    srv_request *request = call->request;
    srv_text header = srv_content_parameter(request, "header");
    const ftl_read_options options = {.struct_size = sizeof options,
                                      .format = "csv",
                                      .no_header = srv_text_is_nocase(header, "absent")};
    return srv_call_find(call, request, model, true, result) &&
           srv_call_plan(call, SRV_DEFAULT_METHOD, FTL_F64, result) &&
           srv_call_read(call, request->body.data ? request->body.data : "", request->body.size,
                         &options, NULL, result) &&
           answer(call, result);
}

srv_result srv_mlflow_invocations(srv_request *request)
{
    srv_result result;
    srv_call call = {.request = request};
    srv_text type = srv_content_type(request);
    bool csv = srv_text_is_nocase(type, "text/csv");
    if (!csv && !srv_text_is_nocase(type, "application/json"))
        return srv_reply_error(request, 415,
                               "the body is CSV or JSON: Content-Type: text/csv or "
                               "application/json");
    srv_model *model = srv_lookup_only(request, &result);
    if (!model)
        return result;
    if (csv)
        predict_csv(&call, model, &result);
    else
        predict_json(&call, model, &result);
    srv_call_close(&call);
    return result;
}
