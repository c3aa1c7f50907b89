/* Options of the commands. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    OPT_OUTPUT = 'o',
    OPT_QUIET = 'q',
    OPT_HELP = 'h',
    OPT_METHOD = 256,
    OPT_PROBA,
    OPT_KEEP,
    OPT_FEATURES,
    OPT_DELIMITER,
    OPT_DECIMAL,
    OPT_NO_HEADER,
    OPT_NA,
    OPT_MAX_RECORD,
    OPT_LIMIT,
    OPT_ON_ERROR,
    OPT_REJECT,
    OPT_THREADS,
    OPT_BATCH_SIZE,
    OPT_GRAPH,
    OPT_JSON,
    OPT_SELECT
};

/* Every option: what it is called, and the field of the library's options that it sets. */
typedef struct flag {
    const char *name;
    const char *field; /* NULL: the program's own */
    int argument;
    int id;
} flag;

static const flag flags[] = {
    {"output", NULL, required_argument, OPT_OUTPUT},
    {"quiet", NULL, no_argument, OPT_QUIET},
    {"help", NULL, no_argument, OPT_HELP},
    {"method", "method", required_argument, OPT_METHOD},
    {"proba", "proba", no_argument, OPT_PROBA},
    {"keep", "keep", required_argument, OPT_KEEP},
    {"features", "features", required_argument, OPT_FEATURES},
    {"delimiter", "delimiter", required_argument, OPT_DELIMITER},
    {"decimal", "decimal", required_argument, OPT_DECIMAL},
    {"no-header", "no_header", no_argument, OPT_NO_HEADER},
    {"na", "na_values", required_argument, OPT_NA},
    {"max-record", "max_record_bytes", required_argument, OPT_MAX_RECORD},
    {"limit", "limit", required_argument, OPT_LIMIT},
    {"on-error", "on_error", required_argument, OPT_ON_ERROR},
    {"reject", "reject_path", required_argument, OPT_REJECT},
    {"threads", "threads", required_argument, OPT_THREADS},
    {"batch-size", "batch_rows", required_argument, OPT_BATCH_SIZE},
    {"graph", NULL, no_argument, OPT_GRAPH},
    {"json", NULL, no_argument, OPT_JSON},
    {"select", "select", required_argument, OPT_SELECT},
};

enum { n_flags = sizeof flags / sizeof flags[0] };

static const char *flag_name(int id)
{
    for (size_t i = 0; i < n_flags; i++) {
        if (flags[i].id == id)
            return flags[i].name;
    }
    return "";
}

/* Prints the flag that sets the field at text; the length of the field's name, 0 for other words.
 */
static size_t print_flag(FILE *file, const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
    for (size_t i = 0; i < n_flags; i++) {
        if (flags[i].field && strlen(flags[i].field) == size &&
            strncmp(flags[i].field, text, size) == 0) {
            fprintf(file, "--%s", flags[i].name);
            return size;
        }
    }
    return 0;
}

void cli_print_message(FILE *file, const char *text)
{
    static const char prefix[] = "options.";
    for (const char *at; (at = strstr(text, prefix)) != NULL;) {
        fprintf(file, "%.*s", (int)(at - text), text);
        text = at + strlen(prefix);
        size_t field = print_flag(file, text);
        if (field == 0)
            fputs(prefix, file);
        text += field;
    }
    fputs(text, file);
}

int cli_usage(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "foretell: usage: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see foretell%s%s --help\n", command[0] ? " " : "", command);
    return EXIT_USAGE;
}

/* "a,b,c" → a NULL-terminated array; the text is changed in place. NULL when out of memory. */
static const char **split_list(char *text, size_t *count)
{
    size_t n = 1;
    for (const char *c = text; *c; c++)
        n += *c == ',';
    const char **items = calloc(n + 1, sizeof *items);
    if (!items)
        return NULL;
    n = 0;
    for (char *item = text; item;) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma++ = '\0';
        items[n++] = item;
        item = comma;
    }
    *count = n;
    return items;
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

static bool parse_char(const char *text, char *out)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) {
        *out = '\t';
        return true;
    }
    *out = text[0];
    return text[0] && !text[1] && text[0] != '"' && text[0] != '\n' && text[0] != '\r';
}

static bool parse_on_error(const char *text, ftl_on_error *out)
{
    static const char *const names[] = {"fail", "skip", "null"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (ftl_on_error)i;
            return true;
        }
    }
    return false;
}

static int set_list(char *text, const char ***items, const char *const **target, size_t *count)
{
    free(*items);
    *items = split_list(text, count);
    *target = *items;
    if (!*items) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    return -1;
}

static int set_number(const char *command, int id, const char *text, ftl_score_options *score)
{
    unsigned long long n;
    unsigned long long largest = id == OPT_THREADS ? 1024
                                 : id == OPT_LIMIT ? 1ull << 62
                                                   : 1ull << 30;
    if (!parse_count(text, largest, &n))
        return cli_usage(command, "--%s takes a whole number from 1 to %llu, not '%s'",
                         flag_name(id), largest, text);
    if (id == OPT_THREADS)
        score->threads = (uint32_t)n;
    else if (id == OPT_LIMIT)
        score->limit = n;
    else if (id == OPT_BATCH_SIZE)
        score->batch_rows = (uint32_t)n;
    else
        score->max_record_bytes = (size_t)n;
    return -1;
}

static int set_method(const char *command, const char *text, ftl_score_options *score)
{
    ftl_error error;
    if (ftl_method_parse(text, &score->method, &error) != FTL_OK)
        return cli_usage(command, "%s", error.message);
    score->method_set = true;
    return -1;
}

static int set_option(const char *command, int id, char *text, cli_options *out)
{
    ftl_score_options *score = &out->score;
    switch (id) {
    case OPT_OUTPUT:
        out->output = text;
        return -1;
    case OPT_QUIET:
        out->quiet = true;
        return -1;
    case OPT_GRAPH:
        out->graph = true;
        return -1;
    case OPT_JSON:
        out->json = true;
        return -1;
    case OPT_SELECT:
        out->select = text;
        return -1;
    case OPT_PROBA:
        score->proba = true;
        return -1;
    case OPT_NO_HEADER:
        score->no_header = true;
        return -1;
    case OPT_REJECT:
        score->reject_path = text;
        return -1;
    case OPT_METHOD:
        return set_method(command, text, score);
    case OPT_KEEP:
        return set_list(text, &out->keep, &score->keep, &score->n_keep);
    case OPT_FEATURES:
        return set_list(text, &out->features, &score->features, &score->n_features);
    case OPT_NA:
        return set_list(text, &out->na, &score->na_values, &score->n_na_values);
    case OPT_DELIMITER:
        return parse_char(text, &score->delimiter)
                   ? -1
                   : cli_usage(command, "--delimiter takes one character");
    case OPT_DECIMAL:
        return parse_char(text, &score->decimal)
                   ? -1
                   : cli_usage(command, "--decimal takes one character");
    case OPT_ON_ERROR:
        return parse_on_error(text, &score->on_error)
                   ? -1
                   : cli_usage(command, "--on-error takes fail, skip or null");
    default:
        return set_number(command, id, text, score);
    }
}

int cli_parse(int argc, char **argv, const char *allowed, const char *help, int n_positional,
              cli_options *out)
{
    const char *command = argv[0];
    struct option all_options[n_flags + 1] = {{0}};
    for (size_t i = 0; i < n_flags; i++)
        all_options[i] = (struct option){flags[i].name, flags[i].argument, NULL, flags[i].id};
    *out = (cli_options){.score = {.struct_size = sizeof(ftl_score_options)}};
    opterr = 0;
    optind = 1;
    for (;;) {
        int id = getopt_long(argc, argv, "-:o:qh", all_options, NULL);
        if (id == -1)
            break;
        if (id == 1) { /* an argument that is no option */
            if (out->n_positional >= n_positional)
                return cli_usage(command, "there is one argument too many: '%s'", optarg);
            out->positional[out->n_positional++] = optarg;
            continue;
        }
        if (id == OPT_HELP) {
            fputs(help, stdout);
            return fflush(stdout) == 0 ? EXIT_DONE : EXIT_DATA;
        }
        if (id == '?' || id == ':')
            return cli_usage(command, id == ':' ? "%s needs a value" : "there is no option '%s'",
                             argv[optind - 1]);
        char wanted[40];
        snprintf(wanted, sizeof wanted, " %s ", flag_name(id));
        if (!strstr(allowed, wanted))
            return cli_usage(command, "%s does not take --%s", command, flag_name(id));
        int code = set_option(command, id, optarg, out);
        if (code >= 0)
            return code;
    }
    while (optind < argc) { /* after "--" */
        if (out->n_positional >= n_positional)
            return cli_usage(command, "there is one argument too many: '%s'", argv[optind]);
        out->positional[out->n_positional++] = argv[optind++];
    }
    if (out->n_positional < n_positional)
        return cli_usage(command, n_positional == 1 ? "give a MODEL" : "give a MODEL and an INPUT");
    return -1;
}

void cli_options_free(cli_options *options)
{
    free(options->keep);
    free(options->features);
    free(options->na);
}
