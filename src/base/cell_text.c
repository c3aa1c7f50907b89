#include "base/cell_text.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

void ftl_text_trim(const char **text, size_t *size)
{
    for (; *size && is_blank(**text); ++*text)
        --*size;
    while (*size && is_blank((*text)[*size - 1]))
        --*size;
}

bool ftl_text_to_bool(const char *text, size_t size, bool *out)
{
    if (is_word(text, size, "True") || is_word(text, size, "TRUE") || is_word(text, size, "true"))
        *out = true;
    else if (is_word(text, size, "False") || is_word(text, size, "FALSE") ||
             is_word(text, size, "false"))
        *out = false;
    else
        return false;
    return true;
}

/* What a number column takes besides plain numbers. */
static bool unusual_number(const char *text, size_t size, char decimal, const ftl_na_values *na,
                           double *out)
{
    bool truth;
    ftl_text_trim(&text, &size);
    if (na && ftl_na_values_has(na, text, size))
        *out = (double)NAN;
    else if (ftl_text_to_bool(text, size, &truth))
        *out = truth ? 1 : 0;
    else
        return ftl_parse_f64(text, size, decimal, out);
    return true;
}

bool ftl_text_to_f64(const char *text, size_t size, char decimal, const ftl_na_values *na,
                     double *out)
{
    if (FTL_UNLIKELY(!ftl_parse_f64(text, size, decimal, out)) &&
        !unusual_number(text, size, decimal, na, out))
        return false;
    if (na && na->n_numbers && ftl_na_values_has_number(na, *out))
        *out = (double)NAN;
    return true;
}
