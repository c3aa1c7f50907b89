#include "http/connection.h"

#include <string.h>
#include <strings.h>

bool srv_text_is(srv_text text, const char *word)
{
    return strlen(word) == text.size && memcmp(text.data, word, text.size) == 0;
}

bool srv_text_is_nocase(srv_text text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

static srv_text value_of(const srv_request *request, size_t i)
{
    const srv_header *header = &request->headers[i];
    return (srv_text){request->head.data + header->value, header->value_size};
}

void srv_headers_note(srv_request *request)
{
    static const srv_text names[] = {
#define NAME(name, text) {text, sizeof text - 1},
        SRV_KNOWN_HEADERS(NAME)
#undef NAME
    };
    memset(request->known, 0, sizeof request->known);
    memset(request->n_known, 0, sizeof request->n_known);
    for (size_t i = 0; i < request->n_headers; i++) {
        const srv_header *header = &request->headers[i];
        const char *name = request->head.data + header->name;
        for (size_t k = 0; k < SRV_N_KNOWN; k++) {
            if (names[k].size != header->name_size ||
                strncasecmp(name, names[k].data, names[k].size) != 0)
                continue;
            if (request->n_known[k]++ == 0)
                request->known[k] = (uint8_t)(i + 1);
            break;
        }
    }
}

srv_text srv_known_header(const srv_request *request, srv_known name)
{
    return request->known[name] ? value_of(request, request->known[name] - 1u) : (srv_text){0};
}

srv_text srv_request_header(const srv_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++) {
        const srv_header *header = &request->headers[i];
        const srv_text text = {request->head.data + header->name, header->name_size};
        if (srv_text_is_nocase(text, name))
            return value_of(request, i);
    }
    return (srv_text){0};
}

srv_text srv_request_query(const srv_request *request, const char *name)
{
    if (!request->query.data)
        return (srv_text){0};
    const char *at = request->query.data, *end = at + request->query.size;
    size_t size = strlen(name);
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop ? stop : end;
        if ((size_t)(stop - at) >= size && memcmp(at, name, size) == 0 &&
            (at + size == stop || at[size] == '=')) {
            const char *value = at + size < stop ? at + size + 1 : stop;
            return (srv_text){value, (size_t)(stop - value)};
        }
        at = stop + 1;
    }
    return (srv_text){0};
}

bool srv_request_peer(const srv_request *request, struct sockaddr_storage *out)
{
    int size = (int)sizeof *out;
    return request->connection &&
           uv_tcp_getpeername(&request->connection->tcp, (struct sockaddr *)out, &size) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool srv_percent_decode(char *text, size_t *size)
{
    size_t n = 0;
    for (size_t i = 0; i < *size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < *size ? hex_digit(text[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_digit(text[i + 2]);
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return false;
        text[n++] = c;
    }
    *size = n;
    return true;
}
