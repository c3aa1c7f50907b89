/* Which handler a path has. docs/SERVER.md lists them; another route is another line. */
#include "http/http.h"

#include "api/api.h"
#include "server.h"

#include <string.h>

static const srv_route routes[] = {
#define ROUTE(method, pattern, handler, role, flags) {HTTP_##method, pattern, handler, role, flags},
    SRV_ROUTES(ROUTE)
#undef ROUTE
};

const srv_route *srv_routes(size_t *n)
{
    *n = FTL_ARRAY_LEN(routes);
    return routes;
}

/* The segment at *at, behind its slash; *at is moved to its end. */
static srv_text next_segment(const char **at, const char *end)
{
    const char *first = ++*at;
    while (*at < end && **at != '/')
        ++*at;
    return (srv_text){first, (size_t)(*at - first)};
}

/* A segment of a pattern, "{name}" or "{name}:verb" or a word, fits one of a path. */
static bool fits(srv_text pattern, srv_text segment, srv_request *request)
{
    if (pattern.size == 0 || pattern.data[0] != '{')
        return pattern.size == segment.size &&
               memcmp(pattern.data, segment.data, segment.size) == 0;
    const char *close = memchr(pattern.data, '}', pattern.size);
    size_t verb = pattern.size - (size_t)(close + 1 - pattern.data);
    if (segment.size <= verb || memcmp(close + 1, segment.data + segment.size - verb, verb) != 0)
        return false;
    if (request->n_params == SRV_MOST_PARAMS)
        return false;
    request->params[request->n_params++] = (srv_text){segment.data, segment.size - verb};
    return true;
}

static bool matches(const char *pattern, srv_request *request)
{
    const char *pattern_end = pattern + strlen(pattern);
    const char *at = request->path.data, *end = at + request->path.size;
    request->n_params = 0;
    while (pattern < pattern_end && at < end) {
        if (!fits(next_segment(&pattern, pattern_end), next_segment(&at, end), request))
            return false;
    }
    return pattern == pattern_end && at == end;
}

/* Adds a text to the head, which may lie elsewhere then: what points to it moves with it. */
static bool add_to_head(srv_request *request, srv_text text, size_t *at)
{
    ftl_strbuf *head = &request->head;
    ptrdiff_t from = text.data - head->data, query = 0, params[SRV_MOST_PARAMS];
    if (request->query.data)
        query = request->query.data - head->data;
    for (size_t i = 0; i < request->n_params; i++)
        params[i] = request->params[i].data - head->data;
    *at = head->size;
    char *room = ftl_strbuf_extend(head, text.size);
    if (!room)
        return false;
    memcpy(room, head->data + from, text.size);
    request->path.data = head->data; /* the target begins it */
    if (request->query.data)
        request->query.data = head->data + query;
    for (size_t i = 0; i < request->n_params; i++)
        request->params[i].data = head->data + params[i];
    return true;
}

/* Parameters as they are meant: those that are encoded, behind the head. */
static bool decode_params(srv_request *request)
{
    for (size_t i = 0; i < request->n_params; i++) {
        srv_text *param = &request->params[i];
        size_t at;
        if (!memchr(param->data, '%', param->size))
            continue;
        if (!add_to_head(request, *param, &at))
            return false;
        char *text = request->head.data + at;
        param->data = text;
        if (!srv_percent_decode(text, &param->size) || memchr(text, '/', param->size))
            return false;
    }
    return true;
}

static const srv_route *find_custom(const srv_request *request, llhttp_method_t method,
                                    uint64_t *allowed)
{
    size_t n;
    const srv_custom *custom = srv_custom_routes(request->server, &n);
    for (size_t i = 0; i < n; i++) {
        if (!srv_text_is(request->path, custom[i].route.pattern))
            continue;
        *allowed |= UINT64_C(1) << custom[i].route.method;
        if (custom[i].route.method == method)
            return &custom[i].route;
    }
    return NULL;
}

/* "{model}:predict" is more exact than "{model}", which it fits as well. */
static bool has_verb(const char *pattern) { return strstr(pattern, "}:") != NULL; }

const srv_route *srv_route_find(srv_request *request, uint64_t *allowed)
{
    bool verb = false;
    llhttp_method_t method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    *allowed = 0;
    request->n_params = 0;
    const srv_route *custom = find_custom(request, method, allowed);
    if (custom)
        return custom;
    for (size_t i = 0; i < FTL_ARRAY_LEN(routes); i++) {
        if (!matches(routes[i].pattern, request) || (verb && !has_verb(routes[i].pattern)))
            continue;
        verb = has_verb(routes[i].pattern);
        *allowed |= UINT64_C(1) << routes[i].method;
        if (routes[i].method != method)
            continue;
        if (decode_params(request))
            return &routes[i];
        *allowed = 0; /* it is no path, with whatever method */
        return NULL;
    }
    return NULL;
}
