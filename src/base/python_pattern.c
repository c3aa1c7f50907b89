/*
 * Both are backtracking matchers with the same rules of greed and order. What they read alike is
 * copied; \w, \d, \s and \b are spelt out where their sets differ, which changes with PCRE2's
 * version; what they read otherwise is refused by name.
 * Python's sets follow str:
 *   \w  isalnum() or '_'    [\p{L}\p{N}_]
 *   \d  isdecimal()         \p{Nd}
 *   \s  isspace()           separators, U+0009 to 000D, 001C to 001F and 0085; not U+180E
 */
#include "base/python_pattern.h"

#include "base/regex.h"
#include "base/utf8.h"

#include <string.h>

#define SPACE "\\t-\\r\\x{1c}-\\x{20}\\x{85}\\p{Z}"

/* In a class, and the places between; PCRE2's own forms are faster where they mean the same. */
typedef struct word_forms {
    const char *word, *boundary, *no_boundary;
} word_forms;

#define WORD "\\p{L}\\p{N}_"
static const word_forms long_forms = {
    .word = WORD,
    .boundary = "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "]))",
    .no_boundary = "(?:(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "]))"};
static const word_forms short_forms = {.word = "\\w", .boundary = "\\b", .no_boundary = "\\B"};

enum { most_pattern = 1 << 12, most_depth = 50, not_a_character = 0x110000 };

/* An open group, or the whole pattern; whether it may match without taking a character. */
typedef struct pattern_group {
    bool looks;     /* ahead or behind */
    bool takes;     /* the branch being read takes a character, if it matches */
    bool may_empty; /* an earlier branch may not */
} pattern_group;

typedef struct translation {
    const char *pattern; /* for messages */
    const char *p, *end;
    ftl_strbuf out, items; /* the pattern; the class being read */
    const word_forms *words;
    bool ignore_case;
    uint32_t groups, depth;
    pattern_group open[most_depth + 1];
    ftl_error *error;
} translation;

static ftl_status refuse(const translation *t, const char *what)
{
    return FTL_FAIL(t->error, FTL_UNSUPPORTED,
                    "token_pattern '%.80s' has %s, which foretell does not run", t->pattern, what);
}

static bool looking_at(const translation *t, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(t->end - t->p) >= n && memcmp(t->p, text, n) == 0;
}

static bool skip(translation *t, const char *text)
{
    bool found = looking_at(t, text);
    if (found)
        t->p += strlen(text);
    return found;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_alnum(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A character that stands for itself, inside and outside of classes. */
static void put_literal(ftl_strbuf *out, uint32_t c)
{
    char text[4];
    if (is_alnum(c) || c >= 0x80)
        ftl_strbuf_append(out, text, ftl_utf8_put(c, text));
    else
        ftl_strbuf_printf(out, "\\x{%x}", c);
}

/* ---- Escapes --------------------------------------------------------------------------------- */

static ftl_status hexadecimal(translation *t, int digits, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < digits; i++) {
        char c = t->p < t->end ? *t->p++ : '\0';
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16)
            return refuse(t, "a damaged escape");
        value = value << 4 | digit;
    }
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return refuse(t, "half a surrogate pair");
    *out = value;
    return FTL_OK;
}

/*
 * Behind a backslash: a character in *out, or not_a_character and a letter of dDsSwW (bBAZ outside
 * of classes) in *set.
 */
static ftl_status read_escape(translation *t, bool in_class, uint32_t *out, char *set)
{
    static const char plain[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
    if (t->p == t->end)
        return refuse(t, "a backslash at its end");
    char c = *t->p;
    *out = not_a_character;
    *set = c;
    if ((unsigned char)c >= 0x80 || !is_alnum((unsigned char)c)) {
        *out = ftl_utf8_next(&t->p);
        return FTL_OK;
    }
    t->p++;
    if (strchr("dDsSwW", c) || (!in_class && strchr("bBAZ", c)))
        return FTL_OK;
    const char *known = strchr(plain, c);
    if (known) {
        *out = (unsigned char)codes[known - plain];
        return FTL_OK;
    }
    switch (c) {
    case 'x':
        return hexadecimal(t, 2, out);
    case 'u':
        return hexadecimal(t, 4, out);
    case 'U':
        return hexadecimal(t, 8, out);
    default:
        return refuse(t, is_digit(c) ? "a back-reference" : "an escape of another kind");
    }
}

/*
 * Case: both know the same partners of ASCII letters (the Kelvin sign, the long s) but for i, whose
 * partners in Python are the Turkish ones as well. Other letters are refused.
 */
static ftl_status check_case(const translation *t, uint32_t from, uint32_t to, bool *has_i)
{
    *has_i = t->ignore_case && ((from <= 'i' && 'i' <= to) || (from <= 'I' && 'I' <= to));
    return t->ignore_case && to >= 0x80 ? refuse(t, "(?i) and letters outside of ASCII") : FTL_OK;
}

static ftl_status put_character(translation *t, uint32_t c)
{
    bool has_i;
    FTL_TRY(check_case(t, c, c, &has_i));
    if (has_i)
        ftl_strbuf_puts(&t->out, "[i\\x{130}\\x{131}]");
    else
        put_literal(&t->out, c);
    return FTL_OK;
}

static ftl_status put_escape(translation *t)
{
    uint32_t c;
    char set;
    FTL_TRY(read_escape(t, false, &c, &set));
    if (c != not_a_character)
        return put_character(t, c);
    switch (set) {
    case 'w':
        ftl_strbuf_printf(&t->out, "[%s]", t->words->word);
        break;
    case 'W':
        ftl_strbuf_printf(&t->out, "[^%s]", t->words->word);
        break;
    case 'd':
        ftl_strbuf_puts(&t->out, "\\p{Nd}");
        break;
    case 'D':
        ftl_strbuf_puts(&t->out, "\\P{Nd}");
        break;
    case 's':
        ftl_strbuf_puts(&t->out, "[" SPACE "]");
        break;
    case 'S':
        ftl_strbuf_puts(&t->out, "[^" SPACE "]");
        break;
    case 'b':
        ftl_strbuf_puts(&t->out, t->words->boundary);
        break;
    case 'B': /* not in the empty text until Python 3.14 */
        ftl_strbuf_printf(&t->out, "(?:%s(?!\\A\\z))", t->words->no_boundary);
        break;
    case 'A':
        ftl_strbuf_puts(&t->out, "\\A");
        break;
    default:
        ftl_strbuf_puts(&t->out, "\\z");
        break;
    }
    return FTL_OK;
}

/* ---- Classes --------------------------------------------------------------------------------- */

/* One member: a character in *out, or a set in *set. */
static ftl_status read_member(translation *t, uint32_t *out, char *set)
{
    *set = '\0';
    if (t->p == t->end)
        return refuse(t, "a class without an end");
    if (*t->p == '\\') {
        t->p++;
        return read_escape(t, true, out, set);
    }
    *out = ftl_utf8_next(&t->p);
    return FTL_OK;
}

static void put_set(translation *t, char set)
{
    switch (set) {
    case 'w':
        ftl_strbuf_puts(&t->items, t->words->word);
        break;
    case 's':
        ftl_strbuf_puts(&t->items, SPACE);
        break;
    case 'd':
        ftl_strbuf_puts(&t->items, "\\p{Nd}");
        break;
    default:
        ftl_strbuf_puts(&t->items, "\\P{Nd}");
        break;
    }
}

/*
 * Writes the class. \W and \S are complements of classes that PCRE2 cannot put inside another:
 * [^x\W] is a word character that is not x. Atomic, as a character of both [x] and \W would give
 * the matcher two ways to take it, and n of them 2^n.
 */
static void put_class(translation *t, bool negated, const char *complement)
{
    const char *items = ftl_strbuf_text(&t->items);
    if (!complement)
        ftl_strbuf_printf(&t->out, "[%s%s]", negated ? "^" : "", items);
    else if (!items[0])
        ftl_strbuf_printf(&t->out, "[%s%s]", negated ? "" : "^", complement);
    else if (negated)
        ftl_strbuf_printf(&t->out, "(?:(?![%s])[%s])", items, complement);
    else
        ftl_strbuf_printf(&t->out, "(?>[%s]|[^%s])", items, complement);
}

static ftl_status read_class(translation *t)
{
    const char *complement = NULL;
    bool negated = skip(t, "^");
    ftl_strbuf_clear(&t->items);
    for (bool first = true; first || !looking_at(t, "]"); first = false) {
        uint32_t from = 0, to = 0;
        char set = '\0', end_set = '\0';
        FTL_TRY(read_member(t, &from, &set));
        bool has_i, range = looking_at(t, "-") && t->end - t->p > 1 && t->p[1] != ']';
        bool is_set = set && from == not_a_character;
        if (range && is_set)
            return refuse(t, "a damaged range");
        if (is_set && (set == 'W' || set == 'S')) {
            const char *wanted = set == 'W' ? t->words->word : SPACE;
            if (complement && strcmp(complement, wanted) != 0)
                return refuse(t, "a class with both \\W and \\S");
            complement = wanted;
        } else if (is_set) {
            put_set(t, set);
        } else {
            put_literal(&t->items, from);
            to = from;
        }
        if (is_set)
            continue;
        if (range) {
            t->p++;
            FTL_TRY(read_member(t, &to, &end_set));
            if (to == not_a_character || to < from)
                return refuse(t, "a damaged range");
            ftl_strbuf_putc(&t->items, '-');
            put_literal(&t->items, to);
        }
        FTL_TRY(check_case(t, from, to, &has_i));
        if (has_i)
            ftl_strbuf_puts(&t->items, "\\x{130}\\x{131}");
    }
    t->p++;
    put_class(t, negated, complement);
    return FTL_OK;
}

/* ---- Groups and repetitions ------------------------------------------------------------------ */

/* (?u), which says what is so anyway, (?i), (?s) and (?m) at the beginning. */
static ftl_status read_flags(translation *t)
{
    while (skip(t, "(?")) {
        const char *start = t->p;
        while (t->p < t->end && strchr("uism", *t->p))
            t->p++;
        if (t->p == start || !looking_at(t, ")")) {
            t->p = start - 2;
            return FTL_OK;
        }
        for (; start < t->p; start++) {
            t->ignore_case = t->ignore_case || *start == 'i';
            if (*start != 'u')
                ftl_strbuf_printf(&t->out, "(?%c)", *start);
        }
        t->p++;
    }
    return FTL_OK;
}

static ftl_status open_group(translation *t)
{
    static const char *const kinds[] = {"?:", "?>", "?=", "?!", "?<=", "?<!"};
    enum { first_that_looks = 2 };
    if (++t->depth > most_depth)
        return refuse(t, "groups nested very deep");
    pattern_group *group = &t->open[t->depth];
    *group = (pattern_group){0};
    ftl_strbuf_putc(&t->out, '(');
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        if (skip(t, kinds[i])) {
            ftl_strbuf_puts(&t->out, kinds[i]);
            group->looks = i >= first_that_looks;
            return FTL_OK;
        }
    }
    if (skip(t, "?P<")) {
        const char *close = memchr(t->p, '>', (size_t)(t->end - t->p));
        if (!close)
            return refuse(t, "a damaged group");
        t->p = close + 1;
    } else if (looking_at(t, "?") || looking_at(t, "*"))
        return refuse(t, "a group with flags, or of a kind other than (…), (?:…), (?=…) and (?!…)");
    if (++t->groups > 1)
        return refuse(t, "more than one group; use (?:…)");
    return FTL_OK;
}

/* How often an item may occur. */
typedef struct repetition {
    uint32_t least, most; /* no end: UINT32_MAX */
} repetition;

static uint32_t read_number(translation *t)
{
    uint32_t n = 0;
    for (; t->p < t->end && is_digit(*t->p); t->p++)
        n = n < 1 << 20 ? n * 10 + (uint32_t)(*t->p - '0') : n; /* PCRE2 refuses these */
    return n;
}

/* {m}, {m,}, {,n}, {m,n}; anything else is a brace like any other character. */
static bool read_brace(translation *t, repetition *out)
{
    const char *start = t->p, *number;
    if (!skip(t, "{"))
        return false;
    number = t->p;
    out->least = read_number(t);
    bool none = t->p == number;
    out->most = none ? UINT32_MAX : out->least;
    if (skip(t, ",")) {
        number = t->p;
        out->most = read_number(t);
        if (t->p == number)
            out->most = UINT32_MAX;
    } else if (none) {
        t->p = start;
        return false;
    }
    if (skip(t, "}"))
        return true;
    t->p = start;
    return false;
}

static bool read_repetition(translation *t, repetition *out)
{
    static const repetition star = {0, UINT32_MAX}, plus = {1, UINT32_MAX}, question = {0, 1};
    if (skip(t, "*"))
        *out = star;
    else if (skip(t, "+"))
        *out = plus;
    else if (skip(t, "?"))
        *out = question;
    else
        return read_brace(t, out);
    return true;
}

/*
 * What follows an item, which takes a character or may be empty. A group is read otherwise in two
 * places. Possessive: in Python each of the rounds by itself gives nothing back, too. Empty rounds:
 * Python tries no other round after one, PCRE2 does where their number is limited.
 */
static ftl_status put_repetition(translation *t, bool is_group, bool takes)
{
    repetition times = {1, 1};
    if (read_repetition(t, &times)) {
        if (times.most == 0)
            return refuse(t, "something that is repeated no times");
        if (!takes && times.most != UINT32_MAX && times.most > 1 && times.most > times.least)
            return refuse(t, "a group that may be empty, repeated up to a number of times");
        ftl_strbuf_printf(&t->out, "{%u,", times.least);
        if (times.most != UINT32_MAX)
            ftl_strbuf_printf(&t->out, "%u", times.most);
        ftl_strbuf_putc(&t->out, '}');
        if (is_group && looking_at(t, "+"))
            return refuse(t, "a group repeated possessively");
        if (looking_at(t, "?") || looking_at(t, "+"))
            ftl_strbuf_putc(&t->out, *t->p++);
    }
    pattern_group *group = &t->open[t->depth];
    group->takes = group->takes || (takes && times.least > 0);
    return FTL_OK;
}

static ftl_status close_group(translation *t)
{
    if (t->depth == 0)
        return refuse(t, "a bracket that was never opened");
    pattern_group group = t->open[t->depth--];
    ftl_strbuf_putc(&t->out, ')');
    return put_repetition(t, true, group.takes && !group.may_empty && !group.looks);
}

static void next_branch(translation *t)
{
    pattern_group *group = &t->open[t->depth];
    group->may_empty = group->may_empty || !group->takes;
    group->takes = false;
    ftl_strbuf_putc(&t->out, '|');
}

/* A character, a class or an anchor, and how often. */
static ftl_status read_item(translation *t)
{
    repetition times;
    bool takes = true;
    if (read_repetition(t, &times))
        return refuse(t, "a repetition of nothing");
    uint32_t code = ftl_utf8_next(&t->p);
    if (code == '^' || code == '$' || code == '.') {
        ftl_strbuf_putc(&t->out, (char)code);
        takes = code == '.';
    } else if (code == '\\') {
        takes = !(t->p < t->end && strchr("bBAZ", *t->p));
        FTL_TRY(put_escape(t));
    } else if (code == '[') {
        FTL_TRY(read_class(t));
    } else {
        FTL_TRY(put_character(t, code));
    }
    return put_repetition(t, false, takes);
}

static ftl_status translate(translation *t)
{
    FTL_TRY(read_flags(t));
    while (t->p < t->end) {
        if (skip(t, "|"))
            next_branch(t);
        else if (skip(t, "("))
            FTL_TRY(open_group(t));
        else if (skip(t, ")"))
            FTL_TRY(close_group(t));
        else
            FTL_TRY(read_item(t));
    }
    return t->depth ? refuse(t, "a bracket that is never closed") : FTL_OK;
}

/* ---- The simple ones ------------------------------------------------------------------------- */

/*
 * \w+, \w\w+, \w{n,} and the like, with or without boundaries: runs of word characters. The
 * default,
 * (?u)\b\w\w+\b, is one of them.
 */
uint32_t ftl_python_pattern_run(const char *p)
{
    uint32_t n = 0;
    p += strncmp(p, "(?u)", 4) == 0 ? 4 : 0;
    p += strncmp(p, "\\b", 2) == 0 ? 2 : 0;
    for (; strncmp(p, "\\w", 2) == 0; p += 2)
        n++;
    if (n && p[0] == '{' && is_digit(p[1]) && p[1] != '0' && strncmp(p + 2, ",}", 2) == 0) {
        n += (uint32_t)(p[1] - '1');
        p += 4;
    } else if (n && p[0] == '+') {
        p++;
    } else {
        return 0;
    }
    p += strncmp(p, "\\b", 2) == 0 ? 2 : 0;
    return *p == '\0' ? n : 0;
}

/* ---- The whole pattern ----------------------------------------------------------------------- */

static ftl_status translate_all(translation *t, ftl_arena *arena, const char **out)
{
    FTL_TRY(translate(t));
    if (t->out.failed || t->items.failed)
        return FTL_OOM(t->error);
    *out = ftl_arena_string(arena, ftl_strbuf_text(&t->out), t->out.size);
    return *out ? FTL_OK : FTL_OOM(t->error);
}

ftl_status ftl_python_pattern_translate(ftl_arena *arena, const char *pattern, const char **out,
                                        bool *capture, ftl_error *error)
{
    size_t size = strlen(pattern);
    translation t = {.pattern = pattern,
                     .p = pattern,
                     .end = pattern + size,
                     .words = ftl_regex_words_are_plain() ? &short_forms : &long_forms,
                     .error = error};
    if (size > most_pattern)
        return FTL_FAIL(error, FTL_LIMIT, "token_pattern is longer than %d bytes",
                        (int)most_pattern);
    if (!ftl_utf8_valid(pattern, size)) {
        t.pattern = "…"; /* it cannot be shown */
        return refuse(&t, "half a surrogate pair");
    }
    ftl_strbuf_init(&t.out, arena->account, 1 << 20);
    ftl_strbuf_init(&t.items, arena->account, 1 << 20);
    ftl_status status = translate_all(&t, arena, out);
    ftl_strbuf_free(&t.out);
    ftl_strbuf_free(&t.items);
    *capture = t.groups == 1;
    return status;
}
