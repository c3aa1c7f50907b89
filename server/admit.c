/* Who may have a route, and when. */
#include "keys.h"
#include "server.h"

#include <string.h>

/* ---- Hosts: a page of somebody else may not reach a server on loopback by a name of its own ---- */

static bool is_loopback(const srv_server *server)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)&server->address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&server->address;
    if (server->address.ss_family == AF_INET)
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* "name" of "name:8000", "[::1]" of "[::1]:8000". */
static srv_text without_port(srv_text host)
{
    const char *bracket = host.size && host.data[0] == '[' ? memchr(host.data, ']', host.size)
                                                           : NULL;
    const char *from = bracket ? bracket : host.data;
    const char *colon = host.size ? memchr(from, ':', host.size - (size_t)(from - host.data))
                                  : NULL;
    return colon ? (srv_text){host.data, (size_t)(colon - host.data)} : host;
}

static bool is_listed(const srv_list *list, srv_text text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i], "*") == 0 || srv_text_is_nocase(text, list->items[i]))
            return true;
    }
    return false;
}

static bool is_own_name(const srv_server *server, srv_text host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    static const char below[] = ".localhost";
    size_t size = sizeof below - 1;
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++) {
        if (srv_text_is_nocase(host, names[i]))
            return true;
    }
    return srv_text_is_nocase(host, server->config->host) ||
           (host.size > size &&
            srv_text_is_nocase((srv_text){host.data + host.size - size, size}, below));
}

static bool is_known_host(const srv_server *server, srv_text given)
{
    const srv_list *allowed = &server->config->allowed_host;
    srv_text host = without_port(given);
    if (!given.data) /* HTTP/1.0: no browser */
        return true;
    if (is_loopback(server))
        return is_own_name(server, host) || is_listed(allowed, host) || is_listed(allowed, given);
    return allowed->n == 0 || is_listed(allowed, host) || is_listed(allowed, given);
}

/* ---- Origins: what pages of other sites may do ------------------------------------------------ */

static bool is_own_origin(srv_text origin, srv_text host)
{
    if (!origin.data)
        return false;
    const char *end = origin.data + origin.size;
    const char *slashes = memmem(origin.data, origin.size, "://", 3);
    return slashes && host.data && (size_t)(end - slashes - 3) == host.size &&
           memcmp(slashes + 3, host.data, host.size) == 0;
}

static void add_text_header(srv_request *request, const char *name, srv_text value)
{
    ftl_strbuf *out = &request->out_head;
    ftl_strbuf_puts(out, name);
    ftl_strbuf_append(out, value.data, value.size);
    ftl_strbuf_puts(out, "\r\n");
}

/* A browser asks what a page of another site may send. */
static void answer_preflight(srv_request *request)
{
    srv_add_header(request, "Access-Control-Allow-Methods", "GET, POST, DELETE");
    srv_add_header(request, "Access-Control-Allow-Headers",
                   "Authorization, Content-Type, X-API-Key, X-Request-Id, traceparent, "
                   "Inference-Header-Content-Length");
    srv_add_header(request, "Access-Control-Max-Age", "600");
    srv_reply(request, 204, NULL);
}

static void admit_origin(srv_request *request)
{
    srv_text origin = srv_known_header(request, SRV_ORIGIN);
    srv_text host = srv_known_header(request, SRV_HOST);
    if (!origin.data || is_own_origin(origin, host))
        return;
    if (is_listed(&request->server->config->cors_origin, origin)) {
        add_text_header(request, "Access-Control-Allow-Origin: ", origin);
        srv_add_header(request, "Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
        srv_add_header(request, "Vary", "Origin");
        if (request->method == HTTP_OPTIONS &&
            srv_request_header(request, "access-control-request-method").data)
            answer_preflight(request);
        return;
    }
    if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        srv_reply_error(request, 403,
                        "pages of other sites may not use this server; cors-origin names those "
                        "that may");
}

void srv_admit_client(srv_request *request)
{
    if (is_known_host(request->server, srv_known_header(request, SRV_HOST)))
        admit_origin(request);
    else
        srv_reply_error(request, 421,
                        "this server is not known by the name in Host; allowed-host adds one");
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static srv_text given_key(const srv_request *request)
{
    static const char bearer[] = "bearer ";
    srv_text value = srv_known_header(request, SRV_AUTHORIZATION);
    size_t n = sizeof bearer - 1;
    if (value.size > n && srv_text_is_nocase((srv_text){value.data, n}, bearer)) {
        while (n < value.size && value.data[n] == ' ')
            n++;
        return (srv_text){value.data + n, value.size - n};
    }
    return srv_known_header(request, SRV_API_KEY);
}

static bool refuse_key(srv_request *request, int status, const char *challenge, const char *why)
{
    if (challenge)
        srv_add_header(request, "WWW-Authenticate", challenge);
    srv_reply_error(request, status, "%s", why);
    return false;
}

static bool admit_key(srv_request *request)
{
    srv_keys *keys = request->server->keys;
    if (!srv_keys_are_needed(keys) || request->route->role == SRV_OPEN)
        return true;
    srv_text text = given_key(request);
    if (!text.data)
        return refuse_key(request, 401, "Bearer realm=\"foretell\"",
                          "this needs a key: Authorization: Bearer KEY, or X-API-Key: KEY");
    srv_key *key = srv_keys_find(keys, text);
    if (!key)
        return refuse_key(request, 401, "Bearer realm=\"foretell\", error=\"invalid_token\"",
                          "the key is not known here");
    request->client = srv_key_name(key);
    if (!srv_key_may(key, request->route->role))
        return refuse_key(request, 403, NULL, "the key is for other routes");
    uint64_t wait = srv_key_spend(key, request->loop->now);
    if (wait == 0)
        return true;
    ftl_strbuf_printf(&request->out_head, "Retry-After: %llu\r\n",
                      (unsigned long long)(wait / UINT64_C(1000000000) + 1));
    return refuse_key(request, 429, NULL, "the key has had its requests of this second");
}

bool srv_may(const srv_request *request, srv_role role)
{
    srv_keys *keys = request->server->keys;
    srv_text text = given_key(request);
    srv_key *key = text.data && srv_keys_are_needed(keys) ? srv_keys_find(keys, text) : NULL;
    return !srv_keys_are_needed(keys) || (key && srv_key_may(key, role));
}

/* While the server starts its probes say so, and who comes all the same waits for his model. */
void srv_admit(srv_request *request) { (void)admit_key(request); }

/* ---- Addresses ------------------------------------------------------------------------------- */

ftl_status srv_check_exposure(const srv_server *server, const srv_config *config,
                              const struct srv_keys *keys, ftl_error *error)
{
    if (is_loopback(server) || srv_keys_are_needed(keys) || config->no_auth)
        return FTL_OK;
    return FTL_FAIL(error, FTL_ARG,
                    "others could use this server: host %s is not loopback and there are no keys. "
                    "Set FORETELL_SERVE_INFERENCE_KEY and FORETELL_SERVE_ADMIN_KEY, or keys-file; "
                    "or say no-auth when something else keeps others away",
                    config->host);
}
