/*
 * Regular expressions from Python's re to PCRE2. Both are backtracking matchers with the same rules
 * of greed and order, so most constructs are written alike; here those that are not are rewritten,
 * and those that PCRE2 lacks or takes otherwise are refused by name.
 *
 * Python's character classes follow str: \w is isalnum() or '_', \s is isspace(). With PCRE2_UCP
 * \w is \p{L}, \p{N} or '_', which is the same; \s lacks the four separators U+001C to U+001F.
 */
#include "base/regex.h"
#include "base/strbuf.h"
#include "estimators/text.h"

#include <string.h>

enum { max_pattern = 1 << 12 };

typedef struct translator {
    const char *at, *end;
    ftl_strbuf *out;
    unsigned groups;
    const char *refused; /* what stands in the way; NULL: nothing */
} translator;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool refuse(translator *t, const char *what)
{
    if (!t->refused)
        t->refused = what;
    return false;
}

/* \xhh, \uhhhh and \Uhhhhhhhh become \x{...}. */
static bool put_code(translator *t, size_t digits)
{
    if ((size_t)(t->end - t->at) < digits)
        return refuse(t, "an unfinished escape");
    for (size_t i = 0; i < digits; i++) {
        if (!is_hex(t->at[i]))
            return refuse(t, "an escape without its hexadecimal digits");
    }
    ftl_strbuf_puts(t->out, "\\x{");
    ftl_strbuf_append(t->out, t->at, digits);
    ftl_strbuf_puts(t->out, "}");
    t->at += digits;
    return true;
}

/* What stands behind a backslash, inside or outside of a character class. */
static bool put_escape(translator *t, bool in_class)
{
    static const char spaces[] = "\\s\\x1c-\\x1f";
    if (t->at == t->end)
        return refuse(t, "a backslash at the end");
    char c = *t->at++;
    switch (c) {
    case 'w':
    case 'd':
    case 'W':
    case 'D':
    case 'n':
    case 't':
    case 'r':
    case 'f':
    case 'a':
        ftl_strbuf_putc(t->out, '\\');
        ftl_strbuf_putc(t->out, c);
        return true;
    case 's':
        ftl_strbuf_puts(t->out, in_class ? spaces : "[\\s\\x1c-\\x1f]");
        return true;
    case 'S':
        if (in_class)
            return refuse(t, "\\S in a character class");
        ftl_strbuf_puts(t->out, "[^\\s\\x1c-\\x1f]");
        return true;
    case 'v': /* PCRE2's \v is any vertical space */
        ftl_strbuf_puts(t->out, "\\x0b");
        return true;
    case 'b':
    case 'B':
        if (in_class && c == 'B')
            return refuse(t, "\\B in a character class");
        ftl_strbuf_putc(t->out, '\\');
        ftl_strbuf_putc(t->out, c);
        return true;
    case 'x':
        return put_code(t, 2);
    case 'u':
        return put_code(t, 4);
    case 'U':
        return put_code(t, 8);
    case 'A':
    case 'Z':
        if (in_class)
            return refuse(t, "\\A or \\Z in a character class");
        ftl_strbuf_puts(t->out, c == 'A' ? "\\A" : "\\z");
        return true;
    default:
        break;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c))
        return refuse(t, "an escape that has no counterpart (a back-reference or a rare one)");
    if ((unsigned char)c < 0x80)
        ftl_strbuf_putc(t->out, '\\');
    ftl_strbuf_putc(t->out, c);
    return true;
}

/* [ was read. Python knows no classes by name: a [ in a class is a bracket. */
static bool put_class(translator *t)
{
    ftl_strbuf_putc(t->out, '[');
    if (t->at < t->end && *t->at == '^') {
        ftl_strbuf_putc(t->out, '^');
        t->at++;
    }
    for (bool first = true; t->at < t->end; first = false) {
        char c = *t->at++;
        if (c == ']' && !first) {
            ftl_strbuf_putc(t->out, ']');
            return true;
        }
        if (c == '\\') {
            if (!put_escape(t, true))
                return false;
        } else {
            if (c == '[' || c == ']')
                ftl_strbuf_putc(t->out, '\\');
            ftl_strbuf_putc(t->out, c);
        }
    }
    return refuse(t, "a character class that is not closed");
}

/* ( was read. */
static bool put_group(translator *t)
{
    static const char *const same[] = {"?:", "?=", "?!", "?<=", "?<!", "?>"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        size_t n = strlen(same[i]);
        if ((size_t)(t->end - t->at) >= n && memcmp(t->at, same[i], n) == 0) {
            ftl_strbuf_putc(t->out, '(');
            ftl_strbuf_puts(t->out, same[i]);
            t->at += n;
            return true;
        }
    }
    if (t->at < t->end && *t->at == '?') {
        const char *close = memchr(t->at, '>', (size_t)(t->end - t->at));
        if ((size_t)(t->end - t->at) < 3 || memcmp(t->at, "?P<", 3) != 0 || !close)
            return refuse(t, "a group with flags, a comment, a condition or a reference");
        t->at = close + 1; /* the name does not matter */
    } else if (t->at < t->end && *t->at == '*') {
        return refuse(t, "a group that begins with *");
    }
    ftl_strbuf_putc(t->out, '(');
    t->groups++;
    return true;
}

/* { was read: a repetition {m}, {m,}, {,n} or {m,n}, else a brace. */
static void put_brace(translator *t)
{
    const char *at = t->at;
    bool low = false, high = false;
    for (; at < t->end && is_digit(*at); at++)
        low = true;
    if (at < t->end && *at == ',') {
        for (at++; at < t->end && is_digit(*at); at++)
            high = true;
    }
    if (at == t->end || *at != '}' || (!low && !high)) {
        ftl_strbuf_puts(t->out, "\\{");
        return;
    }
    ftl_strbuf_putc(t->out, '{');
    if (!low)
        ftl_strbuf_putc(t->out, '0');
    ftl_strbuf_append(t->out, t->at, (size_t)(at - t->at));
    ftl_strbuf_putc(t->out, '}');
    t->at = at + 1;
}

/* (?u) says what is so anyway; (?i), (?s) and (?m) are written alike. Global ones alone. */
static void skip_flags(translator *t)
{
    while (t->end - t->at > 3 && t->at[0] == '(' && t->at[1] == '?') {
        const char *at = t->at + 2;
        while (at < t->end && (*at == 'u' || *at == 'i' || *at == 's' || *at == 'm'))
            at++;
        if (at == t->at + 2 || at == t->end || *at != ')')
            return;
        for (const char *flag = t->at + 2; flag < at; flag++) {
            if (*flag != 'u')
                ftl_strbuf_printf(t->out, "(?%c)", *flag);
        }
        t->at = at + 1;
    }
}

static bool translate(translator *t)
{
    skip_flags(t);
    while (t->at < t->end) {
        char c = *t->at++;
        bool ok = true;
        switch (c) {
        case '\\':
            ok = put_escape(t, false);
            break;
        case '[':
            ok = put_class(t);
            break;
        case '(':
            ok = put_group(t);
            break;
        case '{':
            put_brace(t);
            break;
        case '\0':
            ok = refuse(t, "a zero byte");
            break;
        default:
            ftl_strbuf_putc(t->out, c);
        }
        if (!ok)
            return false;
    }
    return true;
}

/*
 * Forms of "a run of word characters": \w…\w+ with or without boundaries. The default,
 * (?u)\b\w\w+\b, is one of them.
 */
static uint32_t word_runs(const char *text)
{
    uint32_t n = 0;
    if (strncmp(text, "(?u)", 4) == 0)
        text += 4;
    if (strncmp(text, "\\b", 2) == 0)
        text += 2;
    while (strncmp(text, "\\w", 2) == 0) {
        text += 2;
        n++;
    }
    if (n == 0 || *text++ != '+')
        return 0;
    if (strncmp(text, "\\b", 2) == 0)
        text += 2;
    return *text == '\0' ? n : 0;
}

static ftl_status to_pcre2(ftl_build *build, const ftl_estimator *e, ftl_node_string text,
                           ftl_token_pattern *out, ftl_error *error)
{
    ftl_strbuf buffer;
    ftl_regex *regex = NULL;
    ftl_strbuf_init(&buffer, build->account, 0);
    translator t = {.at = text.data, .end = text.data + text.size, .out = &buffer};
    bool ok = translate(&t);
    out->pattern = ftl_arena_string(build->arena, buffer.data ? buffer.data : "", buffer.size);
    bool whole = !buffer.failed;
    ftl_strbuf_free(&buffer);
    if (!ok || t.groups > 1)
        return FTL_ATTR_FAIL(error, e, "token_pattern", FTL_UNSUPPORTED,
                             "token_pattern '%.80s' has %s", text.data,
                             t.refused ? t.refused : "more than one group");
    if (!whole || !out->pattern)
        return FTL_OOM(error);
    out->capture = t.groups == 1;
    ftl_status status = ftl_regex_create(build->account, out->pattern, &regex, error);
    ftl_regex_destroy(regex);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, "token_pattern");
    return status;
}

ftl_status ftl_token_pattern_read(ftl_build *build, const ftl_estimator *e, ftl_token_pattern *out,
                                  ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "token_pattern");
    ftl_node_string text;
    *out = (ftl_token_pattern){0};
    if (!node || !ftl_node_as_str(node, &text))
        return FTL_ATTR_FAIL(error, e, "token_pattern", FTL_UNSUPPORTED,
                             "token_pattern is not a text");
    if (text.size > max_pattern)
        return FTL_ATTR_FAIL(error, e, "token_pattern", FTL_LIMIT,
                             "token_pattern is longer than %d bytes", (int)max_pattern);
    out->min_token = strlen(text.data) == text.size ? word_runs(text.data) : 0;
    return out->min_token ? FTL_OK : to_pcre2(build, e, text, out, error);
}
