/* The parameter token_pattern: kept as Python has it, once it is known that it can be run. */
#include "base/python_pattern.h"
#include "base/regex.h"
#include "estimators/text/vectorizers.h"

#include <string.h>

/* Translates and compiles, and throws both away: plans do so again, for the PCRE2 that they have.
 */
static ftl_status check_pattern(ftl_build *build, const char *pattern, ftl_error *error)
{
    const char *translated = NULL;
    bool capture;
    ftl_regex *regex = NULL;
    FTL_TRY(ftl_python_pattern_translate(build->scratch, pattern, &translated, &capture, error));
    FTL_TRY(ftl_regex_create(build->account, translated, &regex, error));
    ftl_regex_destroy(regex);
    return FTL_OK;
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
    if (strlen(text.data) != text.size)
        return FTL_ATTR_FAIL(error, e, "token_pattern", FTL_UNSUPPORTED,
                             "token_pattern holds the character NUL");
    out->min_token = ftl_python_pattern_run(text.data);
    if (out->min_token)
        return FTL_OK;
    out->pattern = ftl_arena_string(build->arena, text.data, text.size);
    if (!out->pattern)
        return FTL_OOM(error);
    ftl_status status = check_pattern(build, out->pattern, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, "token_pattern");
    return status;
}
