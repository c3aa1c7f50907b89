/* The values of options: texts of the command line become members of cli_options. */
#include "table.h"

#include "foretell/experimental.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The member that the table's row names. */
static void put(cli_options *out, const cli_option *option, const void *value)
{
    memcpy((char *)out + option->at, value, option->size);
}

/*
 * Ends the item that begins at *text and moves *text behind its comma; NULL after the last item.
 * Quotes around an item are taken off, as in a CSV: a comma in them is text and "" is one quote.
 * False when a quote is not closed or something follows it. The text is changed in place.
 */
static bool end_item(char **text)
{
    char *from = *text, *to = *text;
    bool quoted = *from == '"';
    if (quoted) {
        for (from++; *from && (from[0] != '"' || from[1] == '"'); from++) {
            from += *from == '"';
            *to++ = *from;
        }
        if (*from++ != '"' || (*from && *from != ','))
            return false;
    } else {
        from += strcspn(from, ",");
        to = from;
    }
    *text = *from ? from + 1 : NULL;
    *to = '\0';
    return true;
}

/* Appends the items of a,"b, c",d to a list. An exit code, or -1. */
static int append_list(const char *command, const cli_option *option, char *text,
                       const char ***items, size_t *count)
{
    size_t n = 1;
    for (const char *c = text; *c; c++)
        n += *c == ',';
    const char **longer = realloc(*items, (*count + n) * sizeof *longer);
    if (!longer) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    *items = longer;
    while (text) {
        const char *item = text;
        if (!end_item(&text))
            return cli_usage(command, "--%s: a quote is not closed, or text follows it",
                             option->name);
        longer[(*count)++] = item;
    }
    return -1;
}

/* The library's list, of which items is the memory; every mention of the option adds to it. */
static int set_list(const char *command, const cli_option *option, char *text, const char ***items,
                    const char *const **target, size_t *count)
{
    int code = append_list(command, option, text, items, count);
    *target = *items;
    return code;
}

int cli_set_keep(const char *command, const cli_option *option, char *text, cli_options *out)
{
    return set_list(command, option, text, &out->keep, &out->score.keep, &out->score.n_keep);
}

int cli_set_features(const char *command, const cli_option *option, char *text, cli_options *out)
{
    return set_list(command, option, text, &out->features, &out->score.features,
                    &out->score.n_features);
}

int cli_set_na(const char *command, const cli_option *option, char *text, cli_options *out)
{
    return set_list(command, option, text, &out->na, &out->score.na_values,
                    &out->score.n_na_values);
}

int cli_set_also(const char *command, const cli_option *option, char *text, cli_options *out)
{
    (void)command;
    (void)option;
    out->also[out->n_also++] = text;
    return -1;
}

int cli_set_switch(const char *command, const cli_option *option, char *text, cli_options *out)
{
    (void)command;
    (void)text;
    const bool on = true;
    put(out, option, &on);
    return -1;
}

int cli_set_text(const char *command, const cli_option *option, char *text, cli_options *out)
{
    (void)command;
    const char *const value = text;
    put(out, option, &value);
    return -1;
}

/* "fail, skip or null" */
static void list_words(const char *words, char *out, size_t room)
{
    char word[32], next[32];
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; cli_word_at(words, i, word, sizeof word) && n < room; i++) {
        bool last = !cli_word_at(words, i + 1, next, sizeof next);
        n += (size_t)snprintf(out + n, room - n, "%s%s", i == 0 ? "" : last ? " or " : ", ", word);
    }
}

/* Which of the option's words it is; -1 after a message. */
static int find_word(const char *command, const cli_option *option, const char *text)
{
    char word[32], words[128];
    for (int i = 0; cli_word_at(option->words, (size_t)i, word, sizeof word); i++) {
        if (strcmp(text, word) == 0)
            return i;
    }
    list_words(option->words, words, sizeof words);
    (void)cli_usage(command, "--%s takes %s, not '%s'", option->name, words, text);
    return -1;
}

/* An enumeration whose values are the places of the words. */
int cli_set_word(const char *command, const cli_option *option, char *text, cli_options *out)
{
    int found = find_word(command, option, text);
    const unsigned value = (unsigned)found;
    if (found < 0)
        return EXIT_USAGE;
    put(out, option, &value);
    return -1;
}

int cli_set_empty(const char *command, const cli_option *option, char *text, cli_options *out)
{
    int found = find_word(command, option, text);
    if (found < 0)
        return EXIT_USAGE;
    out->score.empty_text = (ftl_empty_text)(FTL_EMPTY_IS_MISSING + found);
    return -1;
}

static bool parse_count(const char *text, unsigned long long largest, unsigned long long *out)
{
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 && *out >= 1 && *out <= largest;
}

int cli_set_count(const char *command, const cli_option *option, char *text, cli_options *out)
{
    unsigned long long n, largest = option->most ? option->most : 1ull << 62;
    if (!parse_count(text, largest, &n))
        return cli_usage(command, "--%s takes a whole number from 1 to %llu, not '%s'",
                         option->name, largest, text);
    const uint32_t narrow = (uint32_t)n;
    const uint64_t wide = n;
    put(out, option, option->size == sizeof narrow ? (const void *)&narrow : &wide);
    return -1;
}

/* "512", "64K", "100M", "2G", in powers of 1024. */
static bool parse_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    char digits[24];
    unsigned long long n, factor = 1;
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size >= sizeof digits)
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    if (text[size]) {
        const char *unit = strchr(units, text[size] >= 'a' ? text[size] - 'a' + 'A' : text[size]);
        if (!unit || text[size + 1])
            return false;
        factor = 1ull << (10 * (unit - units + 1));
    }
    if (!parse_count(digits, (1ull << 62) / factor, &n))
        return false;
    *out = n * factor;
    return true;
}

int cli_set_bytes(const char *command, const cli_option *option, char *text, cli_options *out)
{
    uint64_t bytes;
    if (!parse_bytes(text, &bytes))
        return cli_usage(command, "--%s takes bytes, such as 500M or 2G, not '%s'", option->name,
                         text);
    put(out, option, &bytes);
    return -1;
}

int cli_set_char(const char *command, const cli_option *option, char *text, cli_options *out)
{
    char c = text[0];
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        c = '\t';
    else if (!c || text[1] || c == '"' || c == '\n' || c == '\r')
        return cli_usage(command, "--%s takes one character", option->name);
    put(out, option, &c);
    return -1;
}

int cli_set_iterations(const char *command, const cli_option *option, char *text, cli_options *out)
{
    unsigned long long n;
    if (strcmp(text, "all") == 0)
        out->iterations = FTL_ITERATIONS_ALL;
    else if (parse_count(text, INT32_MAX, &n))
        out->iterations = (uint32_t)n;
    else
        return cli_usage(command, "--%s takes a whole number from 1 on, or all, not '%s'",
                         option->name, text);
    return -1;
}

int cli_set_batch_size(const char *command, const cli_option *option, char *text, cli_options *out)
{
    out->score.batch_rows = 0;
    return strcmp(text, "auto") == 0 ? -1 : cli_set_count(command, option, text, out);
}

static bool parse_number(const char *text, double *out)
{
    return ftl_number_parse(text, out) && *out - *out == 0; /* and finite */
}

int cli_set_threshold(const char *command, const cli_option *option, char *text, cli_options *out)
{
    out->threshold_set = parse_number(text, &out->threshold) && out->threshold >= 0 &&
                         out->threshold <= 1;
    return out->threshold_set ? -1
                              : cli_usage(command, "--%s takes a probability from 0 to 1, not '%s'",
                                          option->name, text);
}

int cli_set_tolerance(const char *command, const cli_option *option, char *text, cli_options *out)
{
    return ftl_number_parse(text, &out->tolerance) && out->tolerance >= 0
               ? -1
               : cli_usage(command, "--%s takes a number such as 1e-9, not '%s'", option->name,
                           text);
}

/* Those of verify that the Python package reads; where a service is asked they mean nothing. */
int cli_set_original(const char *command, const cli_option *option, char *text, cli_options *out)
{
    (void)text;
    (void)out;
    return cli_usage(command, "--%s goes without --against", option->name);
}

/* "predict", or several with commas: "predict,apply". */
int cli_set_method(const char *command, const cli_option *option, char *text, cli_options *out)
{
    ftl_error error;
    ftl_method method;
    ftl_score_options *score = &out->score;
    score->method_set = false;
    score->n_more_methods = 0;
    score->more_methods = out->methods;
    for (char *rest = text, *name; (name = strsep(&rest, ",")) != NULL;) {
        if (ftl_method_parse(name, &method, &error) != FTL_OK)
            return cli_usage(command, "%s", error.message);
        bool twice = score->method_set && score->method == method;
        for (size_t i = 0; i < score->n_more_methods; i++)
            twice = twice || out->methods[i] == method;
        if (twice)
            return cli_usage(command, "--%s names %s twice", option->name, name);
        if (score->method_set)
            out->methods[score->n_more_methods++] = method;
        else
            score->method = method;
        score->method_set = true;
    }
    return -1;
}
