#include "serving/tensor.h"

#include "base/checked.h"
#include "base/column.h"
#include "serving/tensor_data.h"

#include <string.h>

enum { MOST_COLUMNS = 1 << 20 };

/* ---- Datatypes ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *triton;
    ftl_type type;
} datatypes[] = {
#define DATATYPE(name, triton, type) {name, triton, type},
    SRV_DATATYPES(DATATYPE)
#undef DATATYPE
};

const char *srv_datatype_name(ftl_type type, bool triton)
{
    if (ftl_type_is_text(type))
        type = FTL_STRING_VIEW;
    for (size_t i = 0; i < FTL_ARRAY_LEN(datatypes); i++) {
        if (datatypes[i].type == type)
            return triton ? datatypes[i].triton : datatypes[i].name;
    }
    return "";
}

static ftl_status parse_datatype(const ftl_json *json, ftl_type *out, ftl_error *error)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(datatypes); i++) {
        if (ftl_json_is(json, datatypes[i].name)) {
            *out = datatypes[i].type;
            return FTL_OK;
        }
    }
    return FTL_FAIL(error, FTL_UNSUPPORTED, "the datatype %.*s is not taken%s",
                    (int)(json->text_size < 40 ? json->text_size : 40), json->text,
                    ftl_json_is(json, "BF16") ? "; send FP32" : "");
}

/* ---- The JSON of a request ------------------------------------------------------------------- */

/* What is known of an input while its object is read. */
typedef struct input_facts {
    bool has_name, has_type, has_shape, has_data, read, binary;
    size_t data_at;     /* where the array of its data begins, when it could not be read yet */
    size_t binary_size; /* bytes behind the JSON */
} input_facts;

typedef struct v2_reading {
    ftl_arena *arena;
    ftl_json json;
    const char *body;
    size_t size, binary_at; /* of the body; where the next input's bytes begin */
    srv_v2_request out;
    size_t inputs_room, outputs_room;
    srv_escaped escaped;
} v2_reading;

static ftl_status expect(v2_reading *r, ftl_json_token wanted, const char *what, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(&r->json, &token, error));
    return token == wanted ? FTL_OK : FTL_FAIL(error, FTL_CORRUPT, "%s", what);
}

/* A text of JSON: where it stands, or with its escapes resolved in the arena. */
static ftl_status read_text(v2_reading *r, const char *what, srv_v2_text *out, ftl_error *error)
{
    FTL_TRY(expect(r, FTL_JSON_STRING, what, error));
    *out = (srv_v2_text){r->json.text, r->json.text_size};
    return r->json.escaped ? ftl_json_copy(&r->json, r->arena, &out->data, &out->size, error)
                           : FTL_OK;
}

static ftl_status read_size(v2_reading *r, const char *what, size_t *out, ftl_error *error)
{
    int64_t number;
    FTL_TRY(expect(r, FTL_JSON_NUMBER, what, error));
    if (ftl_json_i64(&r->json, &number, NULL) != FTL_OK || number < 0)
        return FTL_FAIL(error, FTL_CORRUPT, "%s", what);
    *out = (size_t)number;
    return FTL_OK;
}

static ftl_status read_flag(v2_reading *r, const char *what, bool *out, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(&r->json, &token, error));
    if (token != FTL_JSON_TRUE && token != FTL_JSON_FALSE)
        return FTL_FAIL(error, FTL_CORRUPT, "%s", what);
    *out = token == FTL_JSON_TRUE;
    return FTL_OK;
}

/* A member that nobody asks for. */
static ftl_status pass_over(v2_reading *r, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(&r->json, &token, error));
    return ftl_json_skip(&r->json, error);
}

/* The next member of an object; *more false at its end. */
static ftl_status next_member(v2_reading *r, bool *more, ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(ftl_json_next(&r->json, &token, error));
    *more = token == FTL_JSON_KEY;
    return FTL_OK;
}

static ftl_status open_object(v2_reading *r, const char *what, ftl_error *error)
{
    return expect(r, FTL_JSON_OBJECT, what, error);
}

/* Another element of a list in the arena, cleared; the list grows by doubling. */
static void *add_element(ftl_arena *arena, void *items, size_t *n, size_t *room, size_t size)
{
    void **list = items;
    if (*n == *room) {
        size_t larger = *room ? 2 * *room : 8;
        void *copy = ftl_arena_array(arena, larger, size);
        if (!copy)
            return NULL;
        if (*n)
            memcpy(copy, *list, *n * size);
        *list = copy;
        *room = larger;
    }
    return memset((char *)*list + (*n)++ * size, 0, size);
}

static ftl_status refuse_shared_memory(const ftl_json *json, ftl_error *error)
{
    if (ftl_json_is(json, "shared_memory_region"))
        return FTL_FAIL(error, FTL_UNSUPPORTED, "shared memory is not taken; send the data");
    return FTL_OK;
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static ftl_status read_shape(v2_reading *r, srv_tensor *tensor, ftl_error *error)
{
    static const char what[] = "shape is a list of whole numbers";
    ftl_json_token token;
    size_t shape[2] = {0, 1}, rank = 0;
    FTL_TRY(expect(r, FTL_JSON_ARRAY, what, error));
    for (;;) {
        int64_t number = -1;
        FTL_TRY(ftl_json_next(&r->json, &token, error));
        if (token == FTL_JSON_ARRAY_END)
            break;
        if (token != FTL_JSON_NUMBER || ftl_json_i64(&r->json, &number, NULL) != FTL_OK ||
            number < 0)
            return FTL_FAIL(error, FTL_CORRUPT, "%s", what);
        if (rank == 2)
            return FTL_FAIL(error, FTL_SHAPE, "a shape is [rows] or [rows, columns]");
        shape[rank++] = (size_t)number;
    }
    if (rank == 0)
        return FTL_FAIL(error, FTL_SHAPE, "a shape is [rows] or [rows, columns]");
    if (shape[1] > MOST_COLUMNS) /* a few bytes must not ask for much memory */
        return FTL_FAIL(error, FTL_LIMIT, "the shape has more than %d columns", (int)MOST_COLUMNS);
    tensor->rank = rank;
    tensor->rows = shape[0];
    tensor->width = shape[1];
    return FTL_OK;
}

static ftl_status read_input_parameters(v2_reading *r, input_facts *facts, ftl_error *error)
{
    bool more;
    FTL_TRY(open_object(r, "parameters is an object", error));
    for (;;) {
        FTL_TRY(next_member(r, &more, error));
        if (!more)
            return FTL_OK;
        FTL_TRY(refuse_shared_memory(&r->json, error));
        if (ftl_json_is(&r->json, "binary_data_size")) {
            FTL_TRY(
                read_size(r, "binary_data_size is a number of bytes", &facts->binary_size, error));
            facts->binary = true;
        } else {
            FTL_TRY(pass_over(r, error));
        }
    }
}

/* The data is read at once when it is known how, which spares going over it twice. */
static ftl_status read_data(v2_reading *r, srv_tensor *tensor, input_facts *facts, ftl_error *error)
{
    FTL_TRY(expect(r, FTL_JSON_ARRAY, "data is a list", error));
    facts->has_data = true;
    if (facts->has_type && facts->has_shape) {
        facts->read = true;
        return srv_tensor_read_json(r->arena, &r->json, tensor, &r->escaped, error);
    }
    facts->data_at = r->json.at - 1;
    return ftl_json_skip(&r->json, error);
}

static ftl_status read_input_member(v2_reading *r, srv_tensor *tensor, input_facts *facts,
                                    ftl_error *error)
{
    bool *seen = NULL;
    if (ftl_json_is(&r->json, "name"))
        seen = &facts->has_name;
    else if (ftl_json_is(&r->json, "datatype"))
        seen = &facts->has_type;
    else if (ftl_json_is(&r->json, "shape"))
        seen = &facts->has_shape;
    else if (ftl_json_is(&r->json, "data"))
        seen = &facts->has_data;
    else if (ftl_json_is(&r->json, "parameters"))
        return read_input_parameters(r, facts, error);
    else
        return pass_over(r, error);
    if (*seen)
        return FTL_FAIL(error, FTL_CORRUPT, "it has the member %.*s twice", (int)r->json.text_size,
                        r->json.text);
    if (seen == &facts->has_data)
        return read_data(r, tensor, facts, error);
    *seen = true;
    if (seen == &facts->has_name)
        return read_text(r, "name is a text", &tensor->name, error);
    if (seen == &facts->has_shape)
        return read_shape(r, tensor, error);
    FTL_TRY(expect(r, FTL_JSON_STRING, "datatype is a text", error));
    return parse_datatype(&r->json, &tensor->type, error);
}

/* The data of an input whose object is complete, unless it was read already. */
static ftl_status finish_input(v2_reading *r, srv_tensor *tensor, const input_facts *facts,
                               ftl_error *error)
{
    if (!facts->has_name || !facts->has_type || !facts->has_shape)
        return FTL_FAIL(error, FTL_CORRUPT, "an input has name, datatype and shape");
    if (facts->binary == facts->has_data)
        return FTL_FAIL(error, FTL_CORRUPT,
                        facts->binary ? "it has data and binary_data_size" : "it has no data");
    if (facts->binary) {
        size_t at = r->binary_at;
        if (facts->binary_size > r->size - at)
            return FTL_FAIL(error, FTL_SHAPE,
                            "binary_data_size is %zu, and the body has %zu bytes more",
                            facts->binary_size, r->size - at);
        r->binary_at += facts->binary_size;
        return srv_tensor_read_bytes(r->arena, r->body, at, facts->binary_size, tensor, error);
    }
    if (facts->read)
        return FTL_OK;
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, r->json.data, r->json.size, FTL_JSON_NONFINITE);
    json.at = facts->data_at;
    FTL_TRY(ftl_json_next(&json, &token, error));
    return srv_tensor_read_json(r->arena, &json, tensor, &r->escaped, error);
}

static ftl_status read_input(v2_reading *r, ftl_error *error)
{
    bool more = true;
    input_facts facts = {0};
    srv_tensor *tensor = add_element(r->arena, &r->out.inputs, &r->out.n_inputs, &r->inputs_room,
                                     sizeof *tensor);
    if (!tensor)
        return FTL_OOM(error);
    ftl_status status = FTL_OK;
    while (status == FTL_OK && more) {
        status = next_member(r, &more, error);
        if (status == FTL_OK && more)
            status = read_input_member(r, tensor, &facts, error);
    }
    if (status == FTL_OK)
        status = finish_input(r, tensor, &facts, error);
    if (status != FTL_OK && error) {
        char message[FTL_ERROR_MESSAGE_SIZE];
        int size = (int)(tensor->name.size < 100 ? tensor->name.size : 100);
        memcpy(message, error->message, sizeof message);
        ftl_error_set(error, status, "input %zu%s%.*s%s: %.500s", r->out.n_inputs - 1,
                      facts.has_name ? " '" : "", size, tensor->name.data ? tensor->name.data : "",
                      facts.has_name ? "'" : "", message);
    }
    return status;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

static ftl_status read_output_parameters(v2_reading *r, srv_v2_output *output, ftl_error *error)
{
    bool more;
    FTL_TRY(open_object(r, "parameters is an object", error));
    for (;;) {
        FTL_TRY(next_member(r, &more, error));
        if (!more)
            return FTL_OK;
        FTL_TRY(refuse_shared_memory(&r->json, error));
        if (ftl_json_is(&r->json, "classification"))
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "the classification extension is not there; ask for predict_proba");
        if (ftl_json_is(&r->json, "binary_data")) {
            FTL_TRY(read_flag(r, "binary_data is true or false", &output->binary, error));
            output->says = true;
        } else {
            FTL_TRY(pass_over(r, error));
        }
    }
}

static ftl_status read_output(v2_reading *r, ftl_error *error)
{
    bool more;
    srv_v2_output *output = add_element(r->arena, &r->out.outputs, &r->out.n_outputs,
                                        &r->outputs_room, sizeof *output);
    if (!output)
        return FTL_OOM(error);
    for (;;) {
        FTL_TRY(next_member(r, &more, error));
        if (!more)
            break;
        if (ftl_json_is(&r->json, "name"))
            FTL_TRY(read_text(r, "the name of an output is a text", &output->name, error));
        else if (ftl_json_is(&r->json, "parameters"))
            FTL_TRY(read_output_parameters(r, output, error));
        else
            FTL_TRY(pass_over(r, error));
    }
    return output->name.data ? FTL_OK : FTL_FAIL(error, FTL_CORRUPT, "an output has a name");
}

/* ---- The request ----------------------------------------------------------------------------- */

static ftl_status read_parameters(v2_reading *r, ftl_error *error)
{
    bool more;
    FTL_TRY(open_object(r, "parameters is an object", error));
    for (;;) {
        FTL_TRY(next_member(r, &more, error));
        if (!more)
            return FTL_OK;
        if (ftl_json_is(&r->json, "binary_data_output"))
            FTL_TRY(read_flag(r, "binary_data_output is true or false", &r->out.binary, error));
        else
            FTL_TRY(pass_over(r, error));
    }
}

static ftl_status read_list(v2_reading *r, const char *what,
                            ftl_status (*read)(v2_reading *, ftl_error *), ftl_error *error)
{
    ftl_json_token token;
    FTL_TRY(expect(r, FTL_JSON_ARRAY, what, error));
    for (;;) {
        FTL_TRY(ftl_json_next(&r->json, &token, error));
        if (token == FTL_JSON_ARRAY_END)
            return FTL_OK;
        if (token != FTL_JSON_OBJECT)
            return FTL_FAIL(error, FTL_CORRUPT, "%s", what);
        FTL_TRY(read(r, error));
    }
}

static ftl_status read_id(v2_reading *r, ftl_error *error)
{
    FTL_TRY(expect(r, FTL_JSON_STRING, "id is a text", error));
    r->out.id = (srv_v2_text){r->json.text, r->json.text_size};
    return FTL_OK;
}

static ftl_status read_member(v2_reading *r, ftl_error *error)
{
    static const char inputs[] = "inputs is a list of objects";
    if (ftl_json_is(&r->json, "inputs") && r->out.inputs)
        return FTL_FAIL(error, FTL_CORRUPT, "the request has inputs twice");
    if (ftl_json_is(&r->json, "inputs"))
        return read_list(r, inputs, read_input, error);
    if (ftl_json_is(&r->json, "outputs"))
        return read_list(r, "outputs is a list of objects", read_output, error);
    if (ftl_json_is(&r->json, "parameters"))
        return read_parameters(r, error);
    return ftl_json_is(&r->json, "id") ? read_id(r, error) : pass_over(r, error);
}

static ftl_status read_request(v2_reading *r, ftl_error *error)
{
    bool more;
    ftl_json_token token;
    FTL_TRY(open_object(r, "the body is no JSON object", error));
    for (;;) {
        FTL_TRY(next_member(r, &more, error));
        if (!more)
            break;
        FTL_TRY(read_member(r, error));
    }
    FTL_TRY(ftl_json_next(&r->json, &token, error)); /* nothing follows */
    if (!r->out.n_inputs)
        return FTL_FAIL(error, FTL_CORRUPT, "the request has no inputs");
    if (r->binary_at != r->size)
        return FTL_FAIL(error, FTL_SHAPE, "behind the data of the inputs the body goes on");
    return FTL_OK;
}

ftl_status srv_v2_read(ftl_arena *arena, const char *body, size_t size, size_t head_size,
                       srv_v2_request *out, ftl_error *error)
{
    if (head_size > size)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "Inference-Header-Content-Length is %zu, and the body has %zu bytes",
                        head_size, size);
    v2_reading r = {.arena = arena, .body = body, .size = size, .binary_at = head_size};
    ftl_json_init(&r.json, body, head_size, FTL_JSON_NONFINITE);
    FTL_TRY(read_request(&r, error));
    *out = r.out;
    out->buffers[0] = body;
    out->buffer_sizes[0] = (int64_t)size;
    out->buffers[1] = r.escaped.data ? r.escaped.data : "";
    out->buffer_sizes[1] = (int64_t)r.escaped.size;
    return FTL_OK;
}

ftl_status srv_v2_read_raw(ftl_arena *arena, const char *body, size_t size, size_t width,
                           srv_v2_request *out, ftl_error *error)
{
    if (width == 0 || size % (width * sizeof(double)))
        return FTL_FAIL(error, FTL_SHAPE,
                        "a body of bytes alone is rows of %zu numbers of FP64, and it has %zu "
                        "bytes",
                        width, size);
    srv_tensor *tensor = FTL_ARENA_NEW(arena, srv_tensor);
    if (!tensor)
        return FTL_OOM(error);
    *tensor = (srv_tensor){.name = {"input", 5},
                           .type = FTL_F64,
                           .rank = 2,
                           .rows = size / (width * sizeof(double)),
                           .width = width,
                           .values = body};
    *out = (srv_v2_request){.inputs = tensor, .n_inputs = 1, .binary = true};
    return FTL_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

ftl_column srv_tensor_column(const srv_v2_request *request, const srv_tensor *tensor, size_t column)
{
    size_t bits = tensor->rows / 8 + 1;
    ftl_column out = {.type = tensor->type,
                      .validity = tensor->validity ? tensor->validity + column * bits : NULL};
    if (tensor->type == FTL_STRING_VIEW) {
        out.values = (const char *)tensor->values + column * tensor->rows * 16;
        out.buffers = request->buffers;
        out.buffer_sizes = request->buffer_sizes;
        out.n_buffers = 2;
        return out;
    }
    size_t size = ftl_type_size(tensor->type);
    out.values = (const char *)tensor->values + column * size;
    out.stride = (ptrdiff_t)(tensor->width * size);
    return out;
}

ftl_status srv_tensor_matrix(ftl_arena *arena, const srv_tensor *tensor, ftl_matrix *out,
                             ftl_error *error)
{
    size_t size = ftl_type_size(tensor->type), count = tensor->rows * tensor->width;
    const void *values = tensor->values;
    if ((uintptr_t)values % size) {
        char *copy = ftl_arena_alloc_aligned(arena, count * size);
        if (!copy)
            return FTL_OOM(error);
        values = memcpy(copy, values, count * size);
    }
    *out = (ftl_matrix){.data = values,
                        .dtype = tensor->type,
                        .rows = tensor->rows,
                        .columns = tensor->width,
                        .row_stride = (ptrdiff_t)tensor->width,
                        .column_stride = 1};
    return FTL_OK;
}
