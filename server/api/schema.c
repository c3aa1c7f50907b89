#include "api/schema.h"

#include "io/json.h"

#include <string.h>

/* A column, as the description has it; texts are JSON, quotes included. */
typedef struct srv_input {
    srv_text name; /* null or a text */
    srv_text kind, missing;
    srv_text categories; /* [..]; data NULL: none are known */
    srv_text first;      /* of the categories */
} srv_input;

static bool take_text(void *user, const char *text, size_t size)
{
    ftl_strbuf *out = user;
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    ftl_strbuf_append(out, text, size);
    return true;
}

ftl_status srv_put_description(ftl_strbuf *out, const ftl_model *model, ftl_error *error)
{
    return ftl_model_describe(model, true, take_text, out, error);
}

/* ---- Reading the description ----------------------------------------------------------------- */

/* The bytes of the value that begins with the next token; its first element, too, of an array. */
static bool take_value(ftl_json *json, srv_text *value, srv_text *first)
{
    ftl_json_token token;
    size_t start = json->at;
    if (ftl_json_next(json, &token, NULL) != FTL_OK)
        return false;
    size_t inside = json->at;
    if (ftl_json_skip(json, NULL) != FTL_OK)
        return false;
    while (start < json->at && (json->data[start] == ' ' || json->data[start] == ','))
        start++;
    *value = (srv_text){json->data + start, json->at - start};
    if (!first || token != FTL_JSON_ARRAY)
        return true;
    ftl_json inner;
    ftl_json_init(&inner, json->data + inside, json->at - inside - 1, 0);
    if (ftl_json_next(&inner, &token, NULL) == FTL_OK && token != FTL_JSON_DONE)
        *first = (srv_text){inner.data, inner.at};
    return true;
}

/* Behind the OBJECT of a column. */
static bool take_column(ftl_json *json, srv_input *out)
{
    ftl_json_token token;
    *out = (srv_input){0};
    while (ftl_json_next(json, &token, NULL) == FTL_OK && token == FTL_JSON_KEY) {
        srv_text ignored, *value = ftl_json_is(json, "name")         ? &out->name
                                   : ftl_json_is(json, "kind")       ? &out->kind
                                   : ftl_json_is(json, "missing")    ? &out->missing
                                   : ftl_json_is(json, "categories") ? &out->categories
                                                                     : &ignored;
        if (!take_value(json, value, value == &out->categories ? &out->first : NULL))
            return false;
    }
    return token == FTL_JSON_OBJECT_END;
}

/* Leaves json behind the ARRAY token of "inputs". */
static bool find_inputs(ftl_json *json, srv_text description)
{
    ftl_json_token token;
    ftl_json_init(json, description.data, description.size, 0);
    if (ftl_json_next(json, &token, NULL) != FTL_OK || token != FTL_JSON_OBJECT)
        return false;
    while (ftl_json_next(json, &token, NULL) == FTL_OK && token == FTL_JSON_KEY) {
        bool found = ftl_json_is(json, "inputs");
        if (ftl_json_next(json, &token, NULL) != FTL_OK)
            return false;
        if (found)
            return token == FTL_JSON_ARRAY;
        if (ftl_json_skip(json, NULL) != FTL_OK)
            return false;
    }
    return false;
}

static bool next_column(ftl_json *json, srv_input *out)
{
    ftl_json_token token;
    return ftl_json_next(json, &token, NULL) == FTL_OK && token == FTL_JSON_OBJECT &&
           take_column(json, out);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool is_named(const srv_input *column)
{
    return column->name.size && column->name.data[0] == '"';
}

static void put_text(ftl_strbuf *out, srv_text text)
{
    ftl_strbuf_append(out, text.data, text.size);
}

static void put_example_value(ftl_strbuf *out, const srv_input *column)
{
    if (column->first.size)
        put_text(out, column->first);
    else if (srv_text_is(column->kind, "\"string\""))
        ftl_strbuf_puts(out, "\"text\"");
    else if (srv_text_is(column->kind, "\"bool\""))
        ftl_strbuf_puts(out, "false");
    else
        ftl_strbuf_putc(out, '0');
}

void srv_put_example(ftl_strbuf *out, srv_text description)
{
    ftl_json json;
    srv_input column;
    bool any = false, named = false;
    if (!find_inputs(&json, description)) {
        ftl_strbuf_puts(out, "[]");
        return;
    }
    for (; next_column(&json, &column); any = true) {
        named = is_named(&column);
        ftl_strbuf_puts(out, any ? "," : named ? "{" : "[");
        if (named) {
            put_text(out, column.name);
            ftl_strbuf_putc(out, ':');
        }
        put_example_value(out, &column);
    }
    ftl_strbuf_puts(out, any ? (named ? "}" : "]") : "[]");
}

static void put_v2_column(ftl_strbuf *out, const srv_input *column)
{
    const char *type = srv_text_is(column->kind, "\"numeric\"") ? "FP64"
                       : srv_text_is(column->kind, "\"bool\"")  ? "BOOL"
                                                                : "BYTES";
    bool text = strcmp(type, "BYTES") == 0 && column->first.size && column->first.data[0] != '"';
    ftl_strbuf_puts(out, "{\"name\":");
    put_text(out, column->name);
    ftl_strbuf_printf(out, ",\"datatype\":\"%s\",\"shape\":[1],\"data\":[%s", type,
                      text ? "\"" : "");
    put_example_value(out, column); /* a category that is a number stands as a text here */
    ftl_strbuf_puts(out, text ? "\"]}" : "]}");
}

void srv_put_v2_example(ftl_strbuf *out, srv_text description)
{
    ftl_json json;
    srv_input column;
    size_t n = 0;
    bool named = false, texts = false;
    if (!find_inputs(&json, description))
        return;
    ftl_strbuf_puts(out, "{\"inputs\":[");
    for (size_t sent = 0; next_column(&json, &column); n++) {
        named = is_named(&column);
        texts = texts || srv_text_is(column.kind, "\"string\"") ||
                srv_text_is(column.kind, "\"mixed\"");
        if (!named || srv_text_is(column.kind, "\"unused\""))
            continue;
        ftl_strbuf_puts(out, sent++ ? "," : "");
        put_v2_column(out, &column);
    }
    if (!named) {
        ftl_strbuf_printf(out,
                          "{\"name\":\"input\",\"datatype\":\"%s\",\"shape\":[1,%zu],\"data\":",
                          texts ? "BYTES" : "FP64", n);
        srv_put_example(out, description);
        ftl_strbuf_putc(out, '}');
    }
    ftl_strbuf_puts(out, "]}");
}

/* Cells may be written as texts, and missing ones as null. */
static void put_column_schema(ftl_strbuf *out, const srv_input *column)
{
    const char *type = srv_text_is(column->kind, "\"numeric\"")
                           ? "[\"number\",\"string\",\"boolean\",\"null\"]"
                       : srv_text_is(column->kind, "\"string\"") ? "[\"string\",\"null\"]"
                       : srv_text_is(column->kind, "\"bool\"")   ? "[\"boolean\",\"null\"]"
                                                                 : NULL;
    ftl_strbuf_putc(out, '{');
    if (type)
        ftl_strbuf_printf(out, "\"type\":%s,", type);
    if (column->categories.data) {
        ftl_strbuf_puts(out, "\"x-categories\":");
        put_text(out, column->categories);
        ftl_strbuf_putc(out, ',');
    }
    ftl_strbuf_puts(out, "\"description\":");
    if (srv_text_is(column->kind, "\"unused\""))
        ftl_strbuf_puts(out, "\"the model does not look at it\"");
    else if (srv_text_is(column->missing, "\"refused\""))
        ftl_strbuf_puts(out, "\"may not be missing\"");
    else
        ftl_strbuf_puts(out, "\"null: missing\"");
    ftl_strbuf_puts(out, ",\"examples\":[");
    put_example_value(out, column);
    ftl_strbuf_puts(out, "]}");
}

void srv_put_row_schema(ftl_strbuf *out, srv_text description)
{
    ftl_json json;
    srv_input column;
    size_t n = 0;
    bool named = false;
    if (!find_inputs(&json, description)) {
        ftl_strbuf_puts(out, "{\"type\":\"array\"}");
        return;
    }
    for (; next_column(&json, &column); n++) {
        named = is_named(&column);
        ftl_strbuf_puts(out, n       ? ","
                             : named ? "{\"type\":\"object\",\"properties\":{"
                                     : "{\"type\":\"array\",\"prefixItems\":[");
        if (named) {
            put_text(out, column.name);
            ftl_strbuf_putc(out, ':');
        }
        put_column_schema(out, &column);
    }
    if (n == 0)
        ftl_strbuf_puts(out, "{\"type\":\"array\"}");
    else if (named)
        ftl_strbuf_puts(out, "}}");
    else
        ftl_strbuf_printf(out, "],\"minItems\":%zu,\"maxItems\":%zu}", n, n);
}
