#include "api/body.h"

#include <string.h>

static bool refuse(srv_request *request, const ftl_error *error, srv_result *result)
{
    *result = srv_reply_invalid(request, "json_invalid", NULL, "the body is no JSON: %s",
                                error->message);
    return false;
}

/* application/json, with or without parameters, and what ends in +json. */
static bool is_json(srv_text type)
{
    static const char json[] = "application/json";
    while (type.size && type.data[type.size - 1] == ' ')
        type.size--;
    const char *semicolon = memchr(type.data ? type.data : "", ';', type.size);
    if (semicolon)
        type.size = (size_t)(semicolon - type.data);
    while (type.size && type.data[type.size - 1] == ' ')
        type.size--;
    return srv_text_is_nocase(type, json) ||
           (type.size > 5 && srv_text_is_nocase((srv_text){type.data + type.size - 5, 5}, "+json"));
}

/* The body is not written to: a handler that defers reads it again. */
static bool resolve(srv_request *request, srv_text *text)
{
    ftl_strbuf *texts = &request->texts;
    if (texts->size == 0 && !ftl_strbuf_reserve(texts, request->body.size)) /* enough for all */
        return false;
    char *out = ftl_strbuf_extend(texts, text->size);
    if (!out)
        return false;
    *text = (srv_text){out, ftl_json_unescape(text->data, text->size, out)};
    return true;
}

static bool take_value(srv_request *request, ftl_json *json, srv_member *member, srv_result *result)
{
    ftl_error error;
    ftl_json_token token;
    ftl_error_clear(&error);
    size_t colon = json->at;
    if (ftl_json_next(json, &token, &error) != FTL_OK)
        return refuse(request, &error, result);
    size_t at = colon;
    while (strchr(" \t\r\n", request->body.data[at])) /* a value is there: it was a token */
        at++;
    srv_text text = {json->text, json->text_size};
    bool escaped = json->escaped;
    bool passed = member && member->passed;
    if ((passed ? ftl_json_pass(json, &error) : ftl_json_skip(json, &error)) != FTL_OK)
        return refuse(request, &error, result);
    if (!member)
        return true;
    if (member->found) {
        *result = srv_reply_invalid(request, "json_invalid", member->name,
                                    "the body has the member %s twice", member->name);
        return false;
    }
    *member = (srv_member){.name = member->name,
                           .found = true,
                           .token = token,
                           .at = at,
                           .size = json->at - at,
                           .flag = token == FTL_JSON_TRUE};
    if (token == FTL_JSON_STRING) {
        if (escaped && !resolve(request, &text)) {
            *result = srv_reply_error(request, 503, "out of memory");
            return false;
        }
        member->text = text;
    }
    return true;
}

bool srv_body_members(srv_request *request, srv_member *members, size_t n, srv_result *result)
{
    ftl_json json;
    ftl_json_token token;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_strbuf_clear(&request->texts);
    if (!is_json(srv_known_header(request, SRV_CONTENT_TYPE))) {
        *result = srv_reply_error(request, 415,
                                  "the body must be JSON: Content-Type: application/json");
        return false;
    }
    ftl_json_init(&json, request->body.data ? request->body.data : "", request->body.size,
                  FTL_JSON_NONFINITE);
    if (ftl_json_next(&json, &token, &error) != FTL_OK)
        return refuse(request, &error, result);
    if (token != FTL_JSON_OBJECT) {
        *result = srv_reply_invalid(request, "model_attributes_type", NULL,
                                    "the body must be a JSON object");
        return false;
    }
    for (;;) {
        if (ftl_json_next(&json, &token, &error) != FTL_OK)
            return refuse(request, &error, result);
        if (token == FTL_JSON_OBJECT_END)
            break;
        srv_member *member = NULL;
        for (size_t i = 0; i < n && !member; i++)
            member = ftl_json_is(&json, members[i].name) ? &members[i] : NULL;
        if (!take_value(request, &json, member, result))
            return false;
    }
    if (ftl_json_next(&json, &token, &error) != FTL_OK) /* nothing follows */
        return refuse(request, &error, result);
    return true;
}

bool srv_member_text(srv_request *request, const srv_member *member, bool needed, srv_text *out,
                     srv_result *result)
{
    bool is_null = member->found && member->token == FTL_JSON_NULL;
    *out = (srv_text){0};
    if (member->found && member->token == FTL_JSON_STRING) {
        *out = member->text;
        return true;
    }
    if (!member->found && needed)
        *result = srv_reply_invalid(request, "missing", member->name, "Field required");
    else if (member->found && (needed || !is_null))
        *result = srv_reply_invalid(request, "string_type", member->name,
                                    "Input should be a valid string");
    else
        return true;
    return false;
}

bool srv_member_flag(srv_request *request, const srv_member *member, bool otherwise, bool *out,
                     srv_result *result)
{
    *out = otherwise;
    if (!member->found)
        return true;
    if (member->token == FTL_JSON_TRUE || member->token == FTL_JSON_FALSE) {
        *out = member->flag;
        return true;
    }
    *result = srv_reply_invalid(request, "bool_type", member->name,
                                "Input should be a valid boolean");
    return false;
}
