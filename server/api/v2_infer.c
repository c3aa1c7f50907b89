/* POST /v2/models/{model}[/versions/{version}]/infer. */
#include "api/api.h"
#include "api/v2.h"
#include "base/hash.h"
#include "base/number.h"
#include "serving/lookup.h"

#include <string.h>

srv_model *srv_v2_model(srv_request *request, srv_result *result)
{
    srv_text version = request->n_params > 1 ? request->params[1] : (srv_text){0};
    return srv_lookup_name(request, request->params[0], version, result);
}

/* ---- The body -------------------------------------------------------------------------------- */

/*
 * What browsers send to other sites without asking them is not taken: the protocol's clients say
 * JSON, bytes or nothing.
 */
static bool check_type(srv_request *request, srv_result *result)
{
    srv_text type = srv_request_header(request, "content-type");
    const char *semicolon = type.data ? memchr(type.data, ';', type.size) : NULL;
    if (semicolon)
        type.size = (size_t)(semicolon - type.data);
    while (type.size && type.data[type.size - 1] == ' ')
        type.size--;
    if (type.size == 0 || srv_text_is_nocase(type, "application/json") ||
        srv_text_is_nocase(type, "application/octet-stream") ||
        srv_text_is_nocase(type, "application/vnd.sagemaker-triton.binary+json"))
        return true;
    *result = srv_reply_error(request, 415,
                              "the body must be JSON (Content-Type: application/json), with the "
                              "bytes of tensors behind it or not (application/octet-stream)");
    return false;
}

/* The size of the JSON in front of the body: all of it unless a header says otherwise. */
static bool head_size(srv_request *request, size_t *out, srv_result *result)
{
    srv_text given = srv_request_header(request, "inference-header-content-length");
    int64_t size;
    *out = request->body.size;
    if (!given.data)
        return true;
    if (!ftl_parse_i64(given.data, given.size, &size) || size < 0) {
        *result = srv_reply_error(request, 400,
                                  "Inference-Header-Content-Length is no number of bytes");
        return false;
    }
    *out = (size_t)size;
    return true;
}

static bool read_body(srv_call *call, srv_v2_request *out, srv_result *result)
{
    srv_request *request = call->request;
    const char *body = request->body.data ? request->body.data : "";
    size_t size;
    ftl_error error;
    ftl_error_clear(&error);
    if (!head_size(request, &size, result))
        return false;
    ftl_status status;
    if (size == 0 && request->body.size) {
        ftl_model_info info = {.struct_size = sizeof info};
        status = ftl_model_get_info(call->open, &info);
        if (status == FTL_OK)
            status = srv_v2_read_raw(&request->scratch, body, request->body.size, info.n_inputs,
                                     out, &error);
    } else {
        status = srv_v2_read(&request->scratch, body, request->body.size, size, out, &error);
    }
    return status == FTL_OK || srv_call_fail(call, &error, result);
}

/* ---- Inputs become columns ------------------------------------------------------------------- */

typedef struct binding {
    ftl_arena *arena;
    const ftl_model *model;
    const srv_v2_request *request;
    ftl_model_info info;
    ftl_column *columns; /* [info.n_inputs] */
    const srv_tensor **of_input;
    ftl_matrix matrix;
    bool has_text, narrow, wide; /* inputs of texts; of FP32, of other numbers */
} binding;

/* LightGBM keeps the names of a data frame with underscores for spaces. */
static bool same_name(const binding *b, const char *name, srv_v2_text given)
{
    size_t size = strlen(name);
    if (size != given.size)
        return false;
    if (memcmp(name, given.data, size) == 0)
        return true;
    if (strcmp(b->info.library, "LightGBM") != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (name[i] != given.data[i] && !(name[i] == '_' && given.data[i] == ' '))
            return false;
    }
    return true;
}

/* Tensors by the hash of their names, where spaces are underscores: open addressing. */
typedef struct name_table {
    uint32_t *slots; /* 1 + index of the tensor; 0: empty */
    size_t mask;
} name_table;

static size_t name_slot(const name_table *table, const char *name, size_t size)
{
    uint64_t hash = ftl_hash_seed();
    char piece[64];
    for (size_t at = 0; at < size; at += sizeof piece) {
        size_t n = size - at < sizeof piece ? size - at : sizeof piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = name[at + i] == ' ' ? '_' : name[at + i];
        hash = ftl_hash_bytes(hash, piece, n);
    }
    return (size_t)hash & table->mask;
}

static ftl_status make_table(const binding *b, name_table *table, ftl_error *error)
{
    const srv_v2_request *request = b->request;
    size_t room = 16;
    while (room < 2 * request->n_inputs)
        room *= 2;
    *table = (name_table){ftl_arena_zero_array(b->arena, room, sizeof *table->slots), room - 1};
    if (!table->slots)
        return FTL_OOM(error);
    for (size_t i = 0; i < request->n_inputs; i++) {
        srv_v2_text name = request->inputs[i].name;
        size_t at = name_slot(table, name.data, name.size);
        for (; table->slots[at]; at = (at + 1) & table->mask) {
            srv_v2_text other = request->inputs[table->slots[at] - 1].name;
            if (other.size == name.size && memcmp(other.data, name.data, name.size) == 0)
                return FTL_FAIL(error, FTL_SCHEMA, "the request has two inputs '%.*s'",
                                (int)(name.size < 100 ? name.size : 100), name.data);
        }
        table->slots[at] = (uint32_t)i + 1;
    }
    return FTL_OK;
}

static const srv_tensor *find_tensor(const binding *b, const name_table *table, const char *name)
{
    const srv_tensor *near = NULL;
    for (size_t at = name_slot(table, name, strlen(name)); table->slots[at];
         at = (at + 1) & table->mask) {
        const srv_tensor *tensor = &b->request->inputs[table->slots[at] - 1];
        if (!same_name(b, name, tensor->name))
            continue;
        if (memcmp(name, tensor->name.data, tensor->name.size) == 0)
            return tensor;
        near = tensor;
    }
    return near;
}

/* The names of inputs that no tensor has, as many as an error has room for. */
static ftl_status refuse_missing(const binding *b, ftl_error *error)
{
    char names[400];
    size_t used = 0, n = 0;
    for (size_t i = 0; i < b->info.n_inputs; i++) {
        ftl_schema_column input = {.struct_size = sizeof input};
        if (b->of_input[i] || ftl_model_input(b->model, i, &input) != FTL_OK ||
            input.kind == FTL_KIND_UNUSED)
            continue;
        size_t size = strlen(input.name);
        if (n++ < 10 && size + 4 < sizeof names - used) {
            memcpy(names + used, used ? ", " : "", used ? 2 : 0);
            used += used ? 2 : 0;
            memcpy(names + used, input.name, size);
            used += size;
        }
    }
    return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_MISSING_COLUMNS,
                            "the request lacks %zu input%s of the model: %.*s%s", n,
                            n == 1 ? "" : "s", (int)used, names, n > 10 ? ", ..." : "");
}

/* A tensor for each input, by name: in the model's order as a rule, else through a table. */
static ftl_status match_names(binding *b, ftl_error *error)
{
    const srv_v2_request *request = b->request;
    name_table table = {0};
    bool missing = false;
    for (size_t i = 0; i < b->info.n_inputs; i++) {
        ftl_schema_column input = {.struct_size = sizeof input};
        if (ftl_model_input(b->model, i, &input) != FTL_OK || !input.name)
            return FTL_FAIL(error, FTL_INTERNAL, "input %zu of the model has no name", i);
        const srv_tensor *next = i < request->n_inputs ? &request->inputs[i] : NULL;
        if (!table.slots && !(next && same_name(b, input.name, next->name)))
            FTL_TRY(make_table(b, &table, error));
        b->of_input[i] = table.slots ? find_tensor(b, &table, input.name) : next;
        missing = missing || (!b->of_input[i] && input.kind != FTL_KIND_UNUSED);
    }
    return missing ? refuse_missing(b, error) : FTL_OK;
}

static ftl_status add_column(binding *b, size_t i, const srv_tensor *tensor, size_t column,
                             ftl_error *error)
{
    ftl_schema_column input = {.struct_size = sizeof input};
    if (!b->info.open_width && ftl_model_input(b->model, i, &input) != FTL_OK)
        return FTL_FAIL(error, FTL_INTERNAL, "the model has no input %zu", i);
    if (input.kind == FTL_KIND_UNUSED) {
        b->columns[i] = (ftl_column){0};
        return FTL_OK;
    }
    b->columns[i] = srv_tensor_column(b->request, tensor, column);
    if (input.batch_type == FTL_STRING)
        b->has_text = true;
    else
        *(tensor->type == FTL_F32 ? &b->narrow : &b->wide) = true;
    bool fractions = tensor->type == FTL_F64 || tensor->type == FTL_F32 || tensor->type == FTL_F16;
    if (fractions && tensor->width > 1 && input.kind == FTL_KIND_STRING)
        return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                                "column %zu of the model takes texts or categories, and the tensor "
                                "is of %s; send BYTES, or an input for each column",
                                i, srv_datatype_name(tensor->type, false));
    return FTL_OK;
}

static ftl_status check_rows(const binding *b, ftl_error *error)
{
    const srv_v2_request *request = b->request;
    for (size_t i = 1; i < request->n_inputs; i++) {
        if (request->inputs[i].rows != request->inputs[0].rows)
            return FTL_FAIL(error, FTL_SHAPE,
                            "inputs differ in rows: the first one has %zu, input %zu has %zu",
                            request->inputs[0].rows, i, request->inputs[i].rows);
    }
    return FTL_OK;
}

/* One column of the model in each tensor, by name. */
static ftl_status bind_named(binding *b, ftl_error *error)
{
    b->of_input = ftl_arena_zero_array(b->arena, b->info.n_inputs, sizeof *b->of_input);
    if (!b->of_input)
        return FTL_OOM(error);
    FTL_TRY(match_names(b, error));
    for (size_t i = 0; i < b->info.n_inputs; i++) {
        const srv_tensor *tensor = b->of_input[i];
        if (tensor && tensor->width != 1)
            return FTL_FAIL(
                error, FTL_SHAPE, "input '%.*s' is a column: its shape is [rows] or [rows, 1]",
                (int)(tensor->name.size < 100 ? tensor->name.size : 100), tensor->name.data);
        FTL_TRY(add_column(b, i, tensor, 0, error)); /* NULL where the model does not look */
    }
    return FTL_OK;
}

/* The columns of all tensors side by side are the model's. */
static ftl_status bind_positions(binding *b, ftl_error *error)
{
    const srv_v2_request *request = b->request;
    size_t at = 0, width = 0;
    for (size_t i = 0; i < request->n_inputs; i++)
        width += request->inputs[i].width < SIZE_MAX / 2 - width ? request->inputs[i].width
                                                                 : SIZE_MAX / 2 - width;
    if (width != b->info.n_inputs) {
        const srv_tensor *only = request->n_inputs == 1 ? &request->inputs[0] : NULL;
        bool row = only && only->rank == 1 && only->rows == b->info.n_inputs;
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "the inputs have %zu columns, and the model takes %zu%s", width,
                                b->info.n_inputs,
                                row ? "; the shape of one row is [1, columns]" : "");
    }
    for (size_t i = 0; i < request->n_inputs; i++) {
        for (size_t c = 0; c < request->inputs[i].width; c++)
            FTL_TRY(add_column(b, at++, &request->inputs[i], c, error));
    }
    return FTL_OK;
}

/* Is it the whole table in one tensor, whatever that is called? */
static bool is_table(const binding *b)
{
    const srv_tensor *only = &b->request->inputs[0];
    return b->request->n_inputs == 1 && only->rank == 2 && only->width == b->info.n_inputs;
}

static ftl_status bind_inputs(binding *b, ftl_batch *out, ftl_error *error)
{
    const srv_v2_request *request = b->request;
    const srv_tensor *first = &request->inputs[0];
    bool floats = first->type == FTL_F64 || first->type == FTL_F32;
    bool open_width = b->info.open_width && request->n_inputs == 1;
    if (open_width)
        b->info.n_inputs = first->width;
    FTL_TRY(check_rows(b, error));
    *out = (ftl_batch){.rows = first->rows, .n_columns = b->info.n_inputs};
    if (open_width && floats) {
        b->narrow = first->type == FTL_F32;
        out->matrix = &b->matrix;
        return srv_tensor_matrix(b->arena, first, &b->matrix, error);
    }
    b->columns = ftl_arena_array(b->arena, b->info.n_inputs, sizeof *b->columns);
    if (!b->columns)
        return FTL_OOM(error);
    out->columns = b->columns;
    bool table = is_table(b);
    FTL_TRY(b->info.has_input_names && !table ? bind_named(b, error) : bind_positions(b, error));
    if (!table || !floats || b->has_text)
        return FTL_OK;
    out->matrix = &b->matrix;
    return srv_tensor_matrix(b->arena, first, &b->matrix, error);
}

/* ---- Outputs that are wanted ----------------------------------------------------------------- */

static bool choose_methods(srv_call *call, const srv_v2_request *request, srv_v2_wanted *wanted,
                           uint32_t *methods, srv_result *result)
{
    *methods = 0;
    if (request->n_outputs > FTL_METHOD_COUNT) {
        *result = srv_reply_error(call->request, 400, "an output is asked for twice");
        return false;
    }
    for (size_t i = 0; i < request->n_outputs; i++) {
        char name[32] = "";
        ftl_error error;
        ftl_error_clear(&error);
        const srv_v2_output *output = &request->outputs[i];
        if (output->name.size < sizeof name)
            memcpy(name, output->name.data, output->name.size);
        if (ftl_method_parse(name, &wanted[i].method, &error) != FTL_OK ||
            ftl_model_method_status(call->open, wanted[i].method, &error) != FTL_OK)
            return srv_call_fail(call, &error, result);
        wanted[i].binary = output->says ? output->binary : request->binary;
        if (*methods & 1u << wanted[i].method) {
            *result = srv_reply_error(call->request, 400, "the output %s is asked for twice", name);
            return false;
        }
        *methods |= 1u << wanted[i].method;
    }
    return true;
}

/* ---- The call -------------------------------------------------------------------------------- */

static bool infer(srv_call *call, srv_result *result)
{
    srv_v2_request request;
    srv_v2_wanted wanted[FTL_METHOD_COUNT];
    uint32_t methods;
    ftl_error error;
    binding b = {.arena = &call->request->scratch,
                 .model = call->open,
                 .request = &request,
                 .info = {.struct_size = sizeof b.info}};
    ftl_error_clear(&error);
    if (!read_body(call, &request, result) ||
        !choose_methods(call, &request, wanted, &methods, result))
        return false;
    ftl_status status = ftl_model_get_info(call->open, &b.info);
    ftl_batch rows;
    if (status == FTL_OK)
        status = bind_inputs(&b, &rows, &error);
    if (status != FTL_OK)
        return srv_call_fail(call, &error, result);
    if (!srv_call_take(call, &rows, result))
        return false;
    ftl_type dtype = b.narrow && !b.wide ? FTL_F32 : FTL_F64;
    if (!srv_call_plan(call, methods, dtype, result) || !srv_call_run(call, result))
        return false;
    if (!request.n_outputs)
        wanted[0] = (srv_v2_wanted){(ftl_method)__builtin_ctz(call->methods), request.binary};
    return srv_v2_write(call, &request, wanted, request.n_outputs ? request.n_outputs : 1, result);
}

srv_result srv_v2_infer(srv_request *request)
{
    srv_call call = {0};
    srv_result result;
    if (!check_type(request, &result))
        return result;
    srv_model *model = srv_v2_model(request, &result);
    if (!model)
        return result;
    if (srv_call_find(&call, request, model, true, &result) && infer(&call, &result))
        result = SRV_DONE;
    srv_call_close(&call);
    return result;
}
