/* The server and its models as the Open Inference Protocol describes them. */
#include "api/api.h"
#include "api/v2.h"
#include "serving/lookup.h"
#include "serving/values.h"

#include <string.h>

static void put_text(ftl_strbuf *out, const char *text)
{
    ftl_strbuf_json_string(out, text, strlen(text));
}

/* ---- The server ------------------------------------------------------------------------------ */

srv_result srv_v2_server(srv_request *request)
{
    ftl_strbuf_printf(&request->out,
                      "{\"name\":\"foretell\",\"version\":\"%s\",\"extensions\":["
                      "\"binary_tensor_data\",\"model_repository\",\"model_configuration\","
                      "\"statistics\"]}",
                      ftl_version());
    return srv_reply_json(request, 200);
}

srv_result srv_v2_live(srv_request *request)
{
    ftl_strbuf_puts(&request->out, "{\"live\":true}");
    return srv_reply_json(request, 200);
}

srv_result srv_v2_ready(srv_request *request)
{
    bool ready = srv_is_ready(request->server);
    ftl_strbuf_puts(&request->out, ready ? "{\"ready\":true}" : "{\"ready\":false}");
    return srv_reply_json(request, ready ? 200 : 503);
}

static srv_result reply_ready(srv_request *request, const srv_model *model, bool ready)
{
    ftl_strbuf_clear(&request->out);
    ftl_strbuf_puts(&request->out, "{\"name\":");
    put_text(&request->out, model->shown);
    ftl_strbuf_puts(&request->out, ready ? ",\"ready\":true}" : ",\"ready\":false}");
    return srv_reply_json(request, ready ? 200 : 503);
}

/* A model that nobody has asked for yet is opened: only then is it known. */
srv_result srv_v2_model_ready(srv_request *request)
{
    srv_text version = request->n_params > 1 ? request->params[1] : (srv_text){0};
    srv_model *model = srv_catalog_named(request->server->catalog, request->params[0], version);
    if (!model)
        return srv_reply_error(request, 404, "there is no such model");
    int state = model->state;
    if (request->server->phase != SRV_READY || state == SRV_MODEL_UNLOADED)
        return reply_ready(request, model, false);
    if (state == SRV_MODEL_OPENED)
        return reply_ready(request, model, true);
    if (request->on_loop)
        return SRV_DEFER;
    ftl_cache_answer answer = {.struct_size = sizeof answer};
    return reply_ready(request, model,
                       srv_model_warm(request->server, model, &answer, NULL) == FTL_OK);
}

/* ---- Tensors of a model ---------------------------------------------------------------------- */

typedef struct tensor_facts {
    const char *name;
    ftl_type type;
    int64_t columns; /* -1: any; 0: the tensor has one dimension */
} tensor_facts;

/* As the metadata has it, or as a configuration of Triton has it. */
static void put_tensor(ftl_strbuf *out, const tensor_facts *tensor, bool triton, bool first)
{
    ftl_strbuf_puts(out, first ? "{\"name\":" : ",{\"name\":");
    put_text(out, tensor->name);
    ftl_strbuf_printf(out, ",\"%s\":\"%s\",\"%s\":[-1", triton ? "data_type" : "datatype",
                      srv_datatype_name(tensor->type, triton), triton ? "dims" : "shape");
    if (tensor->columns)
        ftl_strbuf_printf(out, ",%lld", (long long)tensor->columns);
    ftl_strbuf_puts(out, "]}");
}

/* What a client sends for an input. */
static ftl_type input_type(const ftl_schema_column *input)
{
    if (input->kind == FTL_KIND_BOOL)
        return FTL_BOOL;
    return input->batch_type == FTL_STRING ? FTL_STRING_VIEW : FTL_F64;
}

/* A tensor for each named column; without names one tensor of all columns. */
static void put_inputs(ftl_strbuf *out, const ftl_model *model, const ftl_model_info *info,
                       bool triton)
{
    bool texts = false, first = true;
    for (size_t i = 0; i < info->n_inputs; i++) {
        ftl_schema_column input = {.struct_size = sizeof input};
        if (ftl_model_input(model, i, &input) != FTL_OK)
            return;
        if (input.kind == FTL_KIND_UNUSED) /* nobody needs to send it */
            continue;
        texts = texts || input.batch_type == FTL_STRING;
        if (info->has_input_names)
            put_tensor(out, &(tensor_facts){input.name, input_type(&input), 1}, triton, first);
        first = false;
    }
    if (info->has_input_names)
        return;
    const tensor_facts all = {"input", texts ? FTL_STRING_VIEW : FTL_F64,
                              info->open_width ? -1 : (int64_t)info->n_inputs};
    put_tensor(out, &all, triton, true);
}

/* The tensors of each method, in the order of ftl_method. */
static void put_outputs(ftl_strbuf *out, const ftl_model *model, bool triton)
{
    bool first = true;
    for (ftl_method method = 0; method < FTL_METHOD_COUNT; method++) {
        size_t n = ftl_model_output_count(model, method);
        bool whole = true;
        ftl_output_column one = {.struct_size = sizeof one}, column = one;
        if (n == 0 || ftl_model_method_status(model, method, NULL) != FTL_OK ||
            ftl_model_output(model, method, 0, &one) != FTL_OK)
            continue;
        for (size_t i = 1; i < n && whole; i++)
            whole = ftl_model_output(model, method, i, &column) == FTL_OK &&
                    column.type == one.type;
        if (whole)
            one.name = ftl_method_name(method);
        bool flat = !whole || srv_is_flat(method, n);
        for (size_t i = 0; i < (whole ? 1 : n); i++, first = false) {
            if (!whole && ftl_model_output(model, method, i, &one) != FTL_OK)
                return;
            put_tensor(out, &(tensor_facts){one.name, one.type, flat ? 0 : (int64_t)n}, triton,
                       first);
        }
    }
}

/* ---- Metadata and configuration -------------------------------------------------------------- */

typedef struct version_list {
    ftl_strbuf *out;
    const srv_model *model;
    bool any;
} version_list;

static void put_version(void *user, srv_model *model)
{
    version_list *list = user;
    if (!list->model->name || strcmp(model->name, list->model->name) != 0)
        return;
    if (list->any)
        ftl_strbuf_putc(list->out, ',');
    put_text(list->out, model->version ? model->version : "1");
    list->any = true;
}

static void put_versions(ftl_strbuf *out, srv_server *server, const srv_model *model)
{
    version_list list = {.out = out, .model = model};
    srv_catalog_each(server->catalog, put_version, &list);
    if (!list.any)
        ftl_strbuf_puts(out, "\"1\"");
}

/* What a model takes and gives: as the protocol has it, or as Triton configures a model. */
static srv_result describe(srv_request *request, bool config)
{
    srv_result result;
    ftl_model *open = NULL;
    ftl_strbuf *out = &request->out;
    ftl_model_info info = {.struct_size = sizeof info};
    srv_model *model = srv_v2_model(request, &result);
    if (!model || !srv_model_get(request, model, &open, &result))
        return result;
    if (ftl_model_get_info(open, &info) == FTL_OK) {
        ftl_strbuf_puts(out, "{\"name\":");
        put_text(out, model->shown);
        if (!config) {
            ftl_strbuf_puts(out, ",\"versions\":[");
            put_versions(out, request->server, model);
            ftl_strbuf_putc(out, ']');
        }
        ftl_strbuf_puts(out, ",\"platform\":");
        put_text(out, info.library);
        if (config)
            ftl_strbuf_puts(out, ",\"backend\":\"foretell\",\"max_batch_size\":0");
        ftl_strbuf_puts(out, config ? ",\"input\":[" : ",\"inputs\":[");
        put_inputs(out, open, &info, config);
        ftl_strbuf_puts(out, config ? "],\"output\":[" : "],\"outputs\":[");
        put_outputs(out, open, config);
        ftl_strbuf_puts(out, "]}");
    }
    ftl_model_release(open);
    return srv_reply_json(request, 200);
}

srv_result srv_v2_metadata(srv_request *request) { return describe(request, false); }

srv_result srv_v2_config(srv_request *request) { return describe(request, true); }
