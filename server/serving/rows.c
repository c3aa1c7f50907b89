#include "serving/rows.h"

#include "base/column.h"
#include "io/json.h"
#include "serving/values.h"

#include <string.h>

/* ---- What stands there ----------------------------------------------------------------------- */

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && memchr(" \t\r\n", *at, 4))
        at++;
    return at;
}

/* The first character of the value at a position; 0 at the end. */
static char first_of(const char *at, const char *end)
{
    at = skip_space(at, end);
    return (char)(at < end ? *at : 0);
}

/* The first character of an array's first element. */
static char first_element(const char *data, const char *end)
{
    return first_of(skip_space(data, end) + 1, end);
}

static bool fail(srv_call *call, ftl_status code, const char *message, srv_result *result)
{
    ftl_error error;
    ftl_error_set(&error, code, "%s", message);
    return srv_call_fail(call, &error, result);
}

static size_t input_count(const srv_call *call, bool *named)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(call->open, &info) != FTL_OK)
        return 0;
    *named = info.has_input_names;
    return info.n_inputs;
}

/* ---- Values alone ---------------------------------------------------------------------------- */

/* [1, 2, 3] is [[1], [2], [3]] for a model of one column. */
static bool read_column(srv_call *call, const char *data, size_t size, srv_result *result)
{
    ftl_json json;
    ftl_json_token token;
    ftl_error error;
    ftl_error_clear(&error);
    char *copy = ftl_arena_array(&call->request->scratch, size + 1, 3), *to = copy;
    if (!copy)
        return fail(call, FTL_NOMEM, "out of memory", result);
    ftl_json_init(&json, data, size, FTL_JSON_NONFINITE);
    ftl_status status = ftl_json_next(&json, &token, &error); /* the array */
    *to++ = '[';
    for (;;) {
        const char *at = skip_space(data + json.at, data + size);
        at = at < data + size && *at == ',' ? skip_space(at + 1, data + size) : at;
        if (status == FTL_OK)
            status = ftl_json_next(&json, &token, &error);
        if (status == FTL_OK && token != FTL_JSON_ARRAY_END)
            status = ftl_json_skip(&json, &error);
        if (status != FTL_OK)
            return srv_call_fail(call, &error, result);
        if (token == FTL_JSON_ARRAY_END)
            break;
        size_t value = (size_t)(data + json.at - at);
        if (to != copy + 1)
            *to++ = ',';
        *to++ = '[';
        memcpy(to, at, value);
        to += value;
        *to++ = ']';
    }
    *to++ = ']';
    return srv_call_read(call, copy, (size_t)(to - copy), NULL, NULL, result);
}

/* [1, 2, 3] or {"a": 1} is one row. */
static bool read_row(srv_call *call, const char *data, size_t size, srv_result *result)
{
    char *copy = ftl_arena_alloc(&call->request->scratch, size + 2);
    if (!copy)
        return fail(call, FTL_NOMEM, "out of memory", result);
    copy[0] = '[';
    memcpy(copy + 1, data, size);
    copy[size + 1] = ']';
    return srv_call_read(call, copy, size + 2, NULL, NULL, result);
}

static char *append(char *to, const char *data, size_t size)
{
    memcpy(to, data, size);
    return to + size;
}

/*
 * Copies JSON without the brackets of lists of one value three levels deep: {"a": [[1], [2]]} has
 * the column [1, 2], and [{"a": [1]}] the row {"a": 1}, as tensors of a width of 1 are written.
 */
static ftl_status unwrap(const char *data, size_t size, char *to, size_t *written, ftl_error *error)
{
    enum { CELLS = 3 };
    const char *from = data; /* what is not copied yet */
    char *first = to;
    ftl_json json;
    ftl_json_token token = FTL_JSON_NULL;
    ftl_json_init(&json, data, size, FTL_JSON_NONFINITE);
    while (token != FTL_JSON_DONE) {
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token != FTL_JSON_ARRAY || json.depth != CELLS)
            continue;
        const char *open = data + json.at - 1;
        FTL_TRY(ftl_json_next(&json, &token, error));
        const char *behind = data + json.at;
        if (token < FTL_JSON_STRING) /* no list, or not of a value */
            continue;
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token != FTL_JSON_ARRAY_END)
            continue;
        to = append(to, from, (size_t)(open - from));
        to = append(to, open + 1, (size_t)(behind - open - 1));
        from = data + json.at;
    }
    to = append(to, from, (size_t)(data + size - from));
    *written = (size_t)(to - first);
    return FTL_OK;
}

static bool read_unwrapped(srv_call *call, const char *data, size_t size, srv_result *result)
{
    ftl_error error;
    size_t written;
    ftl_error_clear(&error);
    char *copy = ftl_arena_alloc(&call->request->scratch, size);
    if (!copy)
        return fail(call, FTL_NOMEM, "out of memory", result);
    if (unwrap(data, size, copy, &written, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    return srv_call_read(call, copy, written, NULL, NULL, result);
}

/* Is the first value by name in a list, where the object of rows has values? */
static bool is_wrapped(const char *data, const char *end)
{
    ftl_json json;
    ftl_json_token token;
    ftl_json_init(&json, data, (size_t)(end - data), FTL_JSON_NONFINITE);
    return ftl_json_next(&json, &token, NULL) == FTL_OK && token == FTL_JSON_ARRAY &&
           ftl_json_next(&json, &token, NULL) == FTL_OK && token == FTL_JSON_OBJECT &&
           ftl_json_next(&json, &token, NULL) == FTL_OK && token == FTL_JSON_KEY &&
           ftl_json_next(&json, &token, NULL) == FTL_OK && token == FTL_JSON_ARRAY;
}

/* ---- Objects --------------------------------------------------------------------------------- */

typedef struct span {
    const char *data;
    size_t size;
} span;

/* What an object holds. */
typedef struct object_facts {
    size_t n;           /* members */
    bool lists;         /* every value is an array */
    bool containers;    /* some value is an array or an object */
    span columns, rows; /* "columns" and "data" */
    span only;          /* the value of the first member */
    bool behind;        /* columns stands behind data */
} object_facts;

static ftl_status look_at_member(ftl_json *json, object_facts *facts, ftl_error *error)
{
    ftl_json_token token;
    bool columns = ftl_json_is(json, "columns"), rows = ftl_json_is(json, "data");
    const char *end = json->data + json->size;
    const char *at = skip_space(json->data + json->at, end);
    FTL_TRY(ftl_json_next(json, &token, error));
    FTL_TRY(ftl_json_pass(json, error)); /* who reads the rows checks them */
    const span value = {at, (size_t)(json->data + json->at - at)};
    bool list = token == FTL_JSON_ARRAY;
    facts->lists = facts->lists && list;
    facts->containers = facts->containers || list || token == FTL_JSON_OBJECT;
    if (facts->n++ == 0)
        facts->only = value;
    if (list && columns) {
        facts->columns = value;
        facts->behind = facts->rows.data != NULL;
    }
    if (list && rows)
        facts->rows = value;
    return FTL_OK;
}

static ftl_status look_at_object(const char *data, size_t size, object_facts *facts,
                                 ftl_error *error)
{
    ftl_json json;
    ftl_json_token token;
    *facts = (object_facts){.lists = true};
    ftl_json_init(&json, data, size, FTL_JSON_NONFINITE);
    FTL_TRY(ftl_json_next(&json, &token, error));
    for (;;) {
        FTL_TRY(ftl_json_next(&json, &token, error));
        if (token != FTL_JSON_KEY)
            return FTL_OK;
        FTL_TRY(look_at_member(&json, facts, error));
    }
}

/* {"columns": [...], "data": [...]}: a table in the order that can be read in one go. */
static bool read_split(srv_call *call, const object_facts *facts, srv_result *result)
{
    static const char first[] = "{\"columns\":", second[] = ",\"data\":";
    size_t size = sizeof first + facts->columns.size + sizeof second + facts->rows.size;
    char *copy = ftl_arena_alloc(&call->request->scratch, size), *to = copy;
    if (!copy)
        return fail(call, FTL_NOMEM, "out of memory", result);
    to = append(to, first, sizeof first - 1);
    to = append(to, facts->columns.data, facts->columns.size);
    to = append(to, second, sizeof second - 1);
    to = append(to, facts->rows.data, facts->rows.size);
    *to++ = '}';
    return srv_call_read(call, copy, (size_t)(to - copy), NULL, NULL, result);
}

static bool read_object(srv_call *call, const char *data, size_t size, srv_result *result)
{
    bool named = false;
    object_facts facts;
    ftl_error error;
    ftl_error_clear(&error);
    if (look_at_object(data, size, &facts, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    (void)input_count(call, &named);
    if (facts.columns.data && facts.rows.data && !named) /* the names are nobody's */
        return srv_call_read(call, facts.rows.data, facts.rows.size, NULL, NULL, result);
    if (facts.columns.data && facts.rows.data && facts.behind)
        return read_split(call, &facts, result);
    if (facts.n == 1 && facts.lists &&
        memchr("[{", first_element(facts.only.data, facts.only.data + facts.only.size), 2))
        return srv_call_read(call, facts.only.data, facts.only.size, NULL, NULL, result);
    if (facts.n > 1 && facts.lists &&
        first_element(facts.only.data, facts.only.data + facts.only.size) == '[' &&
        !facts.columns.data)
        return read_unwrapped(call, data, size, result);
    if (facts.n && !facts.containers)
        return read_row(call, data, size, result);
    return srv_call_read(call, data, size, NULL, NULL, result);
}

bool srv_rows_read(srv_call *call, const char *data, size_t size, srv_result *result)
{
    const char *end = data + size;
    bool named;
    char first = first_of(data, end);
    if (first == '{')
        return read_object(call, data, size, result);
    if (first != '[')
        return fail(call, FTL_CORRUPT, "rows are a list, such as [[1, 2], [3, 4]]", result);
    char inner = first_element(data, end);
    if (inner == '{' && is_wrapped(data, end))
        return read_unwrapped(call, data, size, result);
    if (inner == '[' || inner == '{' || inner == ']' || inner == 0)
        return srv_call_read(call, data, size, NULL, NULL, result);
    return input_count(call, &named) == 1 ? read_column(call, data, size, result)
                                          : read_row(call, data, size, result);
}

/* ---- Methods and answers --------------------------------------------------------------------- */

ftl_status srv_method_named(srv_text name, ftl_method *method, ftl_error *error)
{
    char text[32] = "";
    if (name.size < sizeof text && !memchr(name.data, 0, name.size))
        memcpy(text, name.data, name.size);
    return ftl_method_parse(text, method, error);
}

bool srv_rows_method(srv_call *call, srv_text name, uint32_t *methods, srv_result *result)
{
    ftl_method method;
    ftl_error error;
    ftl_error_clear(&error);
    *methods = SRV_DEFAULT_METHOD;
    if (!name.size)
        return true;
    if (srv_method_named(name, &method, &error) != FTL_OK ||
        ftl_model_method_status(call->open, method, &error) != FTL_OK)
        return srv_call_fail(call, &error, result);
    *methods = 1u << method;
    return true;
}

/* A cell of CSV, as the program writes it; nothing for what is missing. */
static void put_cell(ftl_strbuf *out, const ftl_column *column, size_t row)
{
    char number[FTL_F64_TEXT_SIZE];
    size_t index, size = 0;
    if (!ftl_column_find(&column, row, &index))
        return;
    if (!ftl_type_is_text(column->type)) {
        ftl_strbuf_append(out, number, ftl_column_number_text(column, index, number));
        return;
    }
    const char *text = ftl_column_text(column, index, &size);
    bool quoted = false;
    for (size_t i = 0; i < size && !quoted; i++)
        quoted = memchr(",\"\r\n", text[i], 4) != NULL;
    if (!quoted) {
        ftl_strbuf_append(out, text, size);
        return;
    }
    ftl_strbuf_putc(out, '"');
    for (size_t i = 0; i < size; i++) {
        ftl_strbuf_putc(out, text[i]);
        if (text[i] == '"')
            ftl_strbuf_putc(out, '"');
    }
    ftl_strbuf_putc(out, '"');
}

bool srv_rows_answer_csv(srv_call *call, srv_result *result)
{
    ftl_batch batch;
    ftl_strbuf *out = &call->request->out;
    if (!srv_call_run(call, result) ||
        !srv_call_output(call, (ftl_method)__builtin_ctz(call->methods), &batch, result))
        return false;
    for (size_t row = 0; row < batch.rows; row++) {
        for (size_t i = 0; i < batch.n_columns; i++) {
            if (i)
                ftl_strbuf_putc(out, ',');
            put_cell(out, &batch.columns[i], row);
        }
        ftl_strbuf_putc(out, '\n');
    }
    *result = srv_reply(call->request, 200, "text/csv; charset=utf-8");
    return true;
}

bool srv_rows_answer(srv_call *call, const char *before, const char *behind, srv_result *result)
{
    ftl_batch batch;
    ftl_strbuf *out = &call->request->out;
    ftl_method method = (ftl_method)__builtin_ctz(call->methods);
    if (!srv_call_run(call, result) || !srv_call_output(call, method, &batch, result))
        return false;
    ftl_strbuf_puts(out, before);
    srv_put_rows(out, method, &batch);
    ftl_strbuf_puts(out, behind);
    *result = srv_reply_json(call->request, 200);
    return true;
}
