#include "json.h"

#include "foretell/experimental.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DEPTH = 64 };

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Behind the text that begins at the quote; NULL: it has no end. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

/* Behind the value that begins at `at`; NULL: there is none. */
static const char *skip_value(const char *at, const char *end)
{
    int depth = 0;
    do {
        at = skip_space(at, end);
        if (at >= end)
            return NULL;
        if (*at == '"') {
            at = skip_text(at, end);
        } else if (*at == '{' || *at == '[') {
            at = ++depth > MOST_DEPTH ? NULL : at + 1;
        } else if (*at == '}' || *at == ']') {
            at = --depth < 0 ? NULL : at + 1;
        } else if (*at == ',' || *at == ':') {
            at = depth ? at + 1 : NULL;
        } else {
            const char *first = at;
            while (at < end && !strchr(" \t\r\n,:]}[{\"", *at))
                at++;
            at = at == first ? NULL : at;
        }
    } while (at && depth);
    return at;
}

cli_json cli_json_of(const char *text, size_t size)
{
    const char *end = text + size, *at = skip_space(text, end);
    const char *stop = at < end ? skip_value(at, end) : NULL;
    if (!stop || skip_space(stop, end) != end)
        return (cli_json){0};
    return (cli_json){at, (size_t)(stop - at)};
}

cli_json cli_json_next(cli_json array, size_t *state, cli_json *name)
{
    const char *end = array.at + array.size;
    if (array.size < 2 || (*array.at != '[' && *array.at != '{'))
        return (cli_json){0};
    bool object = *array.at == '{';
    const char *at = skip_space(array.at + (*state ? *state : 1), end);
    if (*state && at < end && *at == ',')
        at = skip_space(at + 1, end);
    if (at >= end || *at == ']' || *at == '}')
        return (cli_json){0};
    if (object) {
        const char *stop = *at == '"' ? skip_text(at, end) : NULL;
        if (!stop)
            return (cli_json){0};
        if (name)
            *name = (cli_json){at, (size_t)(stop - at)};
        at = skip_space(stop, end);
        if (at >= end || *at != ':')
            return (cli_json){0};
        at = skip_space(at + 1, end);
    }
    const char *stop = skip_value(at, end);
    if (!stop)
        return (cli_json){0};
    *state = (size_t)(stop - array.at);
    return (cli_json){at, (size_t)(stop - at)};
}

cli_json cli_json_member(cli_json object, const char *name)
{
    size_t state = 0;
    char text[256];
    cli_json key, value;
    if (object.size == 0 || *object.at != '{')
        return (cli_json){0};
    while ((value = cli_json_next(object, &state, &key)).size) {
        cli_json_text(key, text, sizeof text);
        if (strcmp(text, name) == 0)
            return value;
    }
    return (cli_json){0};
}

double cli_json_number(cli_json value, double otherwise)
{
    char text[64];
    double number;
    if (value.size == 0 || value.size >= sizeof text)
        return otherwise;
    memcpy(text, value.at, value.size);
    text[value.size] = '\0';
    return ftl_number_parse(text, &number) ? number : otherwise;
}

static unsigned hex(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 0;
        value = value << 4 | digit;
    }
    return value;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(first[n] | c);
    return n;
}

void cli_json_text(cli_json value, char *out, size_t room)
{
    static const char letters[] = "nrtbf", means[] = "\n\r\t\b\f";
    bool quoted = cli_json_is_text(value);
    const char *at = value.at + quoted, *end = value.at + value.size - quoted;
    size_t n = 0;
    while (at && at < end && n + 5 < room) {
        if (*at != '\\' || !quoted || at + 1 >= end) {
            out[n++] = *at++;
            continue;
        }
        char c = at[1];
        at += 2;
        if (c == 'u' && end - at >= 4) {
            uint32_t code = hex(at);
            at += 4;
            if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
                code = 0x10000 + ((code - 0xd800) << 10) + ((hex(at + 2) - 0xdc00) & 0x3ff);
                at += 6;
            }
            n += put_utf8(code, out + n);
        } else {
            const char *letter = strchr(letters, c);
            out[n++] = letter && c ? means[letter - letters] : c;
        }
    }
    if (room)
        out[n] = '\0';
}

bool cli_json_is_text(cli_json value) { return value.size >= 2 && *value.at == '"'; }

bool cli_json_is_array(cli_json value) { return value.size >= 2 && *value.at == '['; }

bool cli_json_is(cli_json value, const char *word)
{
    return value.size == strlen(word) && memcmp(value.at, word, value.size) == 0;
}
