#include "api/body.h"

#include "base/cell_text.h"

#include <string.h>

static bool refuse(srv_request *request, const ftl_error *error, srv_result *result)
{
    *result = srv_reply_invalid(request, "json_invalid", NULL, "the body is no JSON: %s",
                                error->message);
    return false;
}

static srv_text trim(srv_text text)
{
    ftl_text_trim(&text.data, &text.size);
    return text;
}

/* What stands in front of a character, and what stands behind it. */
static srv_text cut(srv_text *rest, char at)
{
    const char *found = rest->size ? memchr(rest->data, at, rest->size) : NULL;
    srv_text first = *rest;
    *rest = (srv_text){0};
    if (found) {
        size_t size = (size_t)(found - first.data);
        *rest = (srv_text){found + 1, first.size - size - 1};
        first.size = size;
    }
    return trim(first);
}

srv_text srv_content_type(const srv_request *request)
{
    srv_text type = srv_request_header(request, "content-type");
    return cut(&type, ';');
}

srv_text srv_content_parameter(const srv_request *request, const char *name)
{
    srv_text rest = srv_request_header(request, "content-type");
    cut(&rest, ';');
    while (rest.size) {
        srv_text value = cut(&rest, ';');
        if (srv_text_is_nocase(cut(&value, '='), name))
            return trim(value);
    }
    return (srv_text){0};
}

/* application/json, and what ends in +json. */
static bool is_json(srv_text type)
{
    return srv_text_is_nocase(type, "application/json") ||
           (type.size > 5 && srv_text_is_nocase((srv_text){type.data + type.size - 5, 5}, "+json"));
}

static bool refuse_type(srv_request *request, srv_result *result)
{
    *result = srv_reply_error(request, 415,
                              "the body must be JSON: Content-Type: application/json");
    return false;
}

/* What `curl -d` says where it is told nothing; browsers say it of forms, and then where from. */
static bool is_curls(const srv_request *request, srv_text type)
{
    return srv_text_is_nocase(type, "application/x-www-form-urlencoded") &&
           !srv_request_header(request, "origin").data &&
           !srv_request_header(request, "referer").data;
}

bool srv_body_may_be_json(srv_request *request, srv_result *result)
{
    srv_text type = srv_content_type(request);
    return type.size == 0 || is_json(type) || is_curls(request, type) ||
           refuse_type(request, result);
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
        if (escaped) { /* not in place: a handler that defers reads the body again */
            char *copy = ftl_arena_alloc(&request->scratch, text.size + 1);
            if (!copy) {
                *result = srv_reply_error(request, 503, "out of memory");
                return false;
            }
            text = (srv_text){copy, ftl_json_unescape(text.data, text.size, copy)};
        }
        member->text = text;
    }
    return true;
}

bool srv_json_members(srv_request *request, srv_member *members, size_t n, srv_result *result)
{
    ftl_json json;
    ftl_json_token token;
    ftl_error error;
    ftl_error_clear(&error);
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

bool srv_body_members(srv_request *request, srv_member *members, size_t n, srv_result *result)
{
    if (!is_json(srv_content_type(request)))
        return refuse_type(request, result);
    return srv_json_members(request, members, n, result);
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

bool srv_method_member(srv_request *request, const srv_member *parameters, srv_text *out,
                       srv_result *result)
{
    ftl_json json;
    ftl_json_token token;
    *out = (srv_text){0};
    if (!parameters->found || parameters->token == FTL_JSON_NULL)
        return true;
    if (parameters->token != FTL_JSON_OBJECT) {
        *result = srv_reply_invalid(request, "dict_type", parameters->name, "%s is an object",
                                    parameters->name);
        return false;
    }
    ftl_json_init(&json, request->body.data + parameters->at, parameters->size, FTL_JSON_NONFINITE);
    ftl_status status = ftl_json_next(&json, &token, NULL); /* it was read before */
    while (status == FTL_OK && ftl_json_next(&json, &token, NULL) == FTL_OK &&
           token == FTL_JSON_KEY) {
        bool method = ftl_json_is(&json, "method");
        status = ftl_json_next(&json, &token, NULL);
        if (method && token != FTL_JSON_STRING) {
            *result = srv_reply_invalid(request, "string_type", "method",
                                        "the method is a text, such as \"predict_proba\"");
            return false;
        }
        if (method)
            *out = (srv_text){json.text, json.text_size};
        if (status == FTL_OK)
            status = ftl_json_skip(&json, NULL);
    }
    return true;
}
