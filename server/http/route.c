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

/* Parameters as they are meant. They lie in the request's head. */
static bool decode_params(srv_request *request)
{
    for (size_t i = 0; i < request->n_params; i++) {
        srv_text *param = &request->params[i];
        char *text = request->head.data + (param->data - request->head.data);
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

const srv_route *srv_route_find(srv_request *request, uint64_t *allowed)
{
    llhttp_method_t method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    *allowed = 0;
    request->n_params = 0;
    const srv_route *custom = find_custom(request, method, allowed);
    if (custom)
        return custom;
    for (size_t i = 0; i < FTL_ARRAY_LEN(routes); i++) {
        if (!matches(routes[i].pattern, request))
            continue;
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
