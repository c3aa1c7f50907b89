/*
 * TensorFlow Serving's REST API, version 1, which KServe's first protocol and Vertex AI's
 * containers speak as well: POST /v1/models/{model}:predict, and what tells about models.
 */
#include "api/api.h"
#include "api/body.h"
#include "serving/lookup.h"
#include "serving/rows.h"

#include <string.h>

static void put_text(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_json_string(out, text, strlen(text));
}

/* The model of the path; none in it: of a route that names none. */
static srv_model *find_model(srv_request *request, srv_result *result)
{
    srv_text version = request->n_params > 1 ? request->params[1] : (srv_text){0};
    return request->n_params ? srv_lookup_name(request, request->params[0], version, result)
                             : srv_lookup_only(request, result);
}

/* ---- Predictions ----------------------------------------------------------------------------- */

enum { INSTANCES, INPUTS, SIGNATURE, PARAMETERS, N_MEMBERS };

static bool find_rows(srv_request *request, srv_member members[N_MEMBERS], srv_text *method,
                      srv_result *result)
{
    members[INSTANCES] = (srv_member){.name = "instances", .passed = true};
    members[INPUTS] = (srv_member){.name = "inputs", .passed = true};
    members[SIGNATURE] = (srv_member){.name = "signature_name"};
    members[PARAMETERS] = (srv_member){.name = "parameters"};
    srv_text signature;
    if (!srv_json_members(request, members, N_MEMBERS, result) ||
        !srv_member_text(request, &members[SIGNATURE], false, &signature, result) ||
        !srv_method_member(request, &members[PARAMETERS], method, result))
        return false;
    if (signature.size && !srv_text_is(signature, "serving_default"))
        *method = signature;
    if (members[INSTANCES].found != members[INPUTS].found)
        return true;
    *result = srv_reply_error(request, 400, "the body has either instances or inputs");
    return false;
}

/* Rows that are instances give predictions; columns that are inputs give outputs. */
static bool predict(srv_call *call, srv_model *model, srv_result *result)
{
    srv_request *request = call->request;
    srv_member members[N_MEMBERS];
    srv_text method;
    uint32_t methods;
    if (!find_rows(request, members, &method, result))
        return false;
    const srv_member *rows = &members[members[INSTANCES].found ? INSTANCES : INPUTS];
    return srv_call_find(call, request, model, true, result) &&
           srv_rows_method(call, method, &methods, result) &&
           srv_call_plan(call, methods, FTL_F64, result) &&
           srv_rows_read(call, request->body.data + rows->at, rows->size, result) &&
           srv_rows_answer(
               call, members[INSTANCES].found ? "{\"predictions\":" : "{\"outputs\":", "}", result);
}

srv_result srv_tf_predict(srv_request *request)
{
    srv_result result;
    srv_call call = {.request = request};
    request->dialect = SRV_V2; /* of a path of its own, as Vertex AI gives one */
    if (!srv_body_may_be_json(request, &result))
        return result;
    srv_model *model = find_model(request, &result);
    if (!model)
        return result;
    predict(&call, model, &result);
    srv_call_close(&call);
    return result;
}

/* ---- Models ---------------------------------------------------------------------------------- */

typedef struct model_list {
    srv_request *request;
    const char *name;   /* of the model asked for, or of the last one listed */
    const char *wanted; /* version; NULL: all */
    size_t n;
    bool ready;
} model_list;

static void put_name(void *user, srv_model *model)
{
    model_list *list = user;
    if (list->name && strcmp(list->name, model->name) == 0)
        return; /* another version */
    if (list->n++)
        ftl_strbuf_putc(&list->request->out, ',');
    put_text(&list->request->out, model->name);
    list->name = model->name;
}

/* GET /v1/models and /v2/models, as KServe has them. */
srv_result srv_tf_models(srv_request *request)
{
    model_list list = {.request = request};
    ftl_strbuf_puts(&request->out, "{\"models\":[");
    srv_catalog_each(request->server->catalog, put_name, &list);
    ftl_strbuf_puts(&request->out, "]}");
    return srv_reply_json(request, 200);
}

static void put_version(void *user, srv_model *model)
{
    model_list *list = user;
    ftl_strbuf *out = &list->request->out;
    const char *version = model->version ? model->version : "1";
    if (strcmp(list->name, model->name) != 0 || (list->wanted && strcmp(list->wanted, version)))
        return;
    int state = model->state;
    bool usable = state != SRV_MODEL_FAILED && state != SRV_MODEL_UNLOADED &&
                  list->request->server->phase == SRV_READY;
    list->ready = list->ready || usable;
    ftl_strbuf_puts(out, list->n++ ? ",{\"version\":" : "{\"version\":");
    put_text(out, version);
    ftl_strbuf_printf(out, ",\"state\":\"%s\",\"status\":{\"error_code\":\"%s\",",
                      usable                        ? "AVAILABLE"
                      : state == SRV_MODEL_UNLOADED ? "END"
                                                    : "LOADING",
                      state == SRV_MODEL_FAILED ? "UNKNOWN" : "OK");
    ftl_strbuf_printf(out, "\"error_message\":\"%s\"}}",
                      state == SRV_MODEL_FAILED ? "the model could not be opened" : "");
}

/* GET /v1/models/{model}: TensorFlow Serving's status of its versions, and KServe's ready. */
srv_result srv_tf_status(srv_request *request)
{
    srv_text version = request->n_params > 1 ? request->params[1] : (srv_text){0};
    srv_model *model = srv_catalog_named(request->server->catalog, request->params[0], version);
    ftl_strbuf *out = &request->out;
    if (!model)
        return srv_reply_error(request, 404, "there is no such model");
    model_list list = {.request = request,
                       .name = model->name,
                       .wanted = request->n_params < 2 ? NULL
                                 : model->version      ? model->version
                                                       : "1"};
    ftl_strbuf_puts(out, "{\"name\":");
    put_text(out, model->name);
    ftl_strbuf_puts(out, ",\"model_version_status\":[");
    srv_catalog_each(request->server->catalog, put_version, &list);
    ftl_strbuf_puts(out, list.ready ? "],\"ready\":true}" : "],\"ready\":false}");
    return srv_reply_json(request, 200);
}
