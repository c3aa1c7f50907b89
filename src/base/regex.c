#include "base/regex.h"

#include "base/number.h"
#include "base/status.h"

#include <string.h>

#if defined(FTL_HAVE_PCRE2)

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * PCRE2 counts a match's steps anew at every place where a match may begin, so its own limit bounds
 * the steps per character of a text, not those of the text. The budget bounds the text. PCRE2 calls
 * back before every item of the pattern (PCRE2_AUTO_CALLOUT), and each call is charged with one
 * step, with the characters passed since the call before, and with the least repetitions of the
 * item, which PCRE2 tries without further calls. A token takes a few steps a character.
 */
enum {
    max_steps = 10 * 1000 * 1000,
    steps_per_byte = 100,
    repetitions_per_step = 4, /* each is faster than a call */
    max_depth = 10000,
    max_heap_kib = 16 << 10
};

struct ftl_regex {
    ftl_account *account;
    const char *pattern; /* behind the struct */
    size_t pattern_size;
    uint64_t budget;  /* what is left of the text's steps */
    size_t last_call; /* where in the text */
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_code *code;
    pcre2_match_data *data;
};

static void *take(size_t size, void *account) { return ftl_alloc(account, size); }
static void give(void *block, void *account) { ftl_free(account, block); }

void ftl_regex_destroy(ftl_regex *regex)
{
    if (!regex)
        return;
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->match);
    pcre2_compile_context_free(regex->compile);
    pcre2_general_context_free(regex->general);
    ftl_free(regex->account, regex);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/*
 * The least repetitions of an item: 20 of [a-z]{20,30}. 0 for items that are not repeated, for
 * groups (PCRE2 calls back in each round of one) and for a character such as \x{20}.
 */
static uint64_t least_repetitions(const char *item, size_t size)
{
    uint64_t n = 0;
    if (size && (item[size - 1] == '?' || item[size - 1] == '+'))
        size--;
    if (size < 4 || item[size - 1] != '}' || item[0] == ')')
        return 0;
    size_t at = size - 1;
    while (at > 0 && (is_digit(item[at - 1]) || item[at - 1] == ','))
        at--;
    if (at < 2 || item[at - 1] != '{' || (at > 2 && item[at - 2] == 'x' && item[at - 3] == '\\'))
        return 0;
    for (; is_digit(item[at]) && n < UINT16_MAX; at++)
        n = n * 10 + (uint64_t)(item[at] - '0');
    return n;
}

static int charge(pcre2_callout_block *block, void *user)
{
    ftl_regex *regex = user;
    size_t at = block->current_position, last = regex->last_call;
    uint64_t steps = 1 + (at > last ? at - last : last - at);
    /* PCRE2 counts flags at the pattern's end twice */
    if (block->pattern_position < regex->pattern_size &&
        block->next_item_length <= regex->pattern_size - block->pattern_position)
        steps += least_repetitions(regex->pattern + block->pattern_position,
                                   block->next_item_length) /
                 repetitions_per_step;
    regex->last_call = at;
    if (steps > regex->budget)
        return PCRE2_ERROR_MATCHLIMIT;
    regex->budget -= steps;
    return 0;
}

void ftl_regex_begin(ftl_regex *regex, size_t size)
{
    regex->budget = max_steps + (uint64_t)size * steps_per_byte;
    regex->last_call = 0;
}

bool ftl_regex_words_are_plain(void)
{
    char version[64] = ""; /* "10.42 2022-12-11" */
    int64_t minor = 0;
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) > (int)sizeof version ||
        pcre2_config(PCRE2_CONFIG_VERSION, version) < 0 || strncmp(version, "10.", 3) != 0)
        return false;
    size_t digits = strspn(version + 3, "0123456789");
    return ftl_parse_i64(version + 3, digits, &minor) && minor < 43;
}

static ftl_status compile(ftl_regex *regex, ftl_error *error)
{
    regex->general = pcre2_general_context_create(take, give, regex->account);
    if (regex->general) {
        regex->compile = pcre2_compile_context_create(regex->general);
        regex->match = pcre2_match_context_create(regex->general);
    }
    if (!regex->compile || !regex->match)
        return FTL_OOM(error);
    (void)pcre2_set_newline(regex->compile, PCRE2_NEWLINE_LF);
    (void)pcre2_set_parens_nest_limit(regex->compile, 50);
    (void)pcre2_set_match_limit(regex->match, max_steps);
    (void)pcre2_set_depth_limit(regex->match, max_depth);
    (void)pcre2_set_heap_limit(regex->match, max_heap_kib);
    (void)pcre2_set_callout(regex->match, charge, regex);
    /* ALT_CIRCUMFLEX: (?m)^ is true behind a newline that ends the text, as in Python. */
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C |
                             PCRE2_ALT_CIRCUMFLEX | PCRE2_AUTO_CALLOUT;
    int code = 0;
    PCRE2_SIZE at = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)regex->pattern, regex->pattern_size, options, &code,
                                &at, regex->compile);
    if (!regex->code) {
        PCRE2_UCHAR words[120] = "";
        if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY)
            return FTL_OOM(error);
        (void)pcre2_get_error_message(code, words, sizeof words);
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the regular expression does not compile (%s, at character %zu)",
                        (const char *)words, (size_t)at);
    }
    regex->data = pcre2_match_data_create(2, regex->general);
    return regex->data ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_regex_create(ftl_account *account, const char *pattern, ftl_regex **out,
                            ftl_error *error)
{
    size_t size = strlen(pattern);
    ftl_regex *regex = ftl_alloc_zero(account, 1, sizeof *regex + size + 1);
    if (!regex)
        return FTL_OOM(error);
    memcpy(regex + 1, pattern, size);
    regex->pattern = (const char *)(regex + 1);
    regex->pattern_size = size;
    regex->account = account;
    ftl_regex_begin(regex, 0);
    ftl_status status = compile(regex, error);
    if (status != FTL_OK) {
        ftl_regex_destroy(regex);
        return status;
    }
    *out = regex;
    return FTL_OK;
}

int ftl_regex_next(ftl_regex *regex, const char *text, size_t size, size_t from,
                   bool nonempty_at_from, unsigned group, size_t whole[2], size_t part[2])
{
    uint32_t options = PCRE2_NO_UTF_CHECK | (nonempty_at_from ? PCRE2_NOTEMPTY_ATSTART : 0);
    int n = pcre2_match(regex->code, (PCRE2_SPTR)text, size, from, options, regex->data,
                        regex->match);
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    if (n < 0)
        return n == PCRE2_ERROR_NOMEMORY ? -2 : -1;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->data);
    whole[0] = ends[0];
    whole[1] = ends[1];
    /* \K may put the beginning behind the end. */
    if (whole[0] > whole[1] || whole[1] > size)
        return -1;
    bool unset = group && (n < 2 || ends[2] == PCRE2_UNSET);
    part[0] = unset ? whole[0] : ends[2 * group];
    part[1] = unset ? whole[0] : ends[2 * group + 1];
    return 1;
}

#else

ftl_status ftl_regex_create(ftl_account *account, const char *pattern, ftl_regex **out,
                            ftl_error *error)
{
    (void)account;
    (void)pattern;
    (void)out;
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "this build has no regular expressions (FTL_WITH_PCRE2=OFF)");
}

bool ftl_regex_words_are_plain(void) { return false; }

void ftl_regex_destroy(ftl_regex *regex) { (void)regex; }

void ftl_regex_begin(ftl_regex *regex, size_t size)
{
    (void)regex;
    (void)size;
}

int ftl_regex_next(ftl_regex *regex, const char *text, size_t size, size_t from,
                   bool nonempty_at_from, unsigned group, size_t whole[2], size_t part[2])
{
    (void)regex;
    (void)text;
    (void)size;
    (void)from;
    (void)nonempty_at_from;
    (void)group;
    (void)whole;
    (void)part;
    return -1;
}

#endif
