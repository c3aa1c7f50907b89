#include "base/regex.h"

#include "base/number.h"
#include "base/status.h"

#include <string.h>

#if defined(FTL_HAVE_PCRE2)

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A token takes a few steps a character; these let no text of a record's size run for seconds. */
enum { max_steps = 10 * 1000 * 1000, max_depth = 10000, max_heap_kib = 16 << 10 };

struct ftl_regex {
    ftl_account *account;
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

static ftl_status compile(ftl_regex *regex, const char *pattern, ftl_error *error)
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
    int code = 0;
    PCRE2_SIZE at = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at,
                                regex->compile);
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
    ftl_regex *regex = ftl_alloc_zero(account, 1, sizeof *regex);
    if (!regex)
        return FTL_OOM(error);
    regex->account = account;
    ftl_status status = compile(regex, pattern, error);
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
