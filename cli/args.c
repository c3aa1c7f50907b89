/* Options of the commands. */
#include "cli.h"

#include "foretell/experimental.h"

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
    OPT_SELECT,
    OPT_MEMORY_LIMIT,
    OPT_MAX_BYTES,
    OPT_ITERATIONS,
    OPT_ENCODING,
    OPT_EMPTY,
    OPT_LABELS,
    OPT_THRESHOLD,
    OPT_TARGET,
    OPT_INPUT_FORMAT,
    OPT_OUTPUT_FORMAT,
    OPT_ALSO,
    OPT_METRICS,
    OPT_PROGRESS,
    OPT_MEMORY,
    OPT_RESUME,
    OPT_COMPRESSION,
    OPT_DTYPE,
    OPT_PREFIX,
    OPT_DATA,
    OPT_PREDICTIONS,
    OPT_PLAIN,
    OPT_MAX_CODE
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
    {"memory-limit", "memory_limit", required_argument, OPT_MEMORY_LIMIT},
    {"max-bytes", "max_bytes", required_argument, OPT_MAX_BYTES},
    {"iterations", "iterations", required_argument, OPT_ITERATIONS},
    {"encoding", "encoding", required_argument, OPT_ENCODING},
    {"empty", "empty_text", required_argument, OPT_EMPTY},
    {"labels", "labels", required_argument, OPT_LABELS},
    {"threshold", "threshold", required_argument, OPT_THRESHOLD},
    {"target", "target", required_argument, OPT_TARGET},
    {"input-format", "input_format", required_argument, OPT_INPUT_FORMAT},
    {"output-format", "output_format", required_argument, OPT_OUTPUT_FORMAT},
    {"also", "more_models", required_argument, OPT_ALSO},
    {"metrics", "metrics_path", required_argument, OPT_METRICS},
    {"progress", NULL, required_argument, OPT_PROGRESS},
    {"memory", "memory", required_argument, OPT_MEMORY},
    {"resume", "resume", no_argument, OPT_RESUME},
    {"compression", "compression", required_argument, OPT_COMPRESSION},
    {"dtype", "input_dtype", required_argument, OPT_DTYPE},
    {"prefix", "prefix", required_argument, OPT_PREFIX},
    {"data", "data_path", required_argument, OPT_DATA},
    {"predictions", "output_path", required_argument, OPT_PREDICTIONS},
    {"plain", "plain", no_argument, OPT_PLAIN},
    {"max-code", "max_code_bytes", required_argument, OPT_MAX_CODE},
};

enum { n_flags = sizeof flags / sizeof flags[0] };
_Static_assert(n_flags <= 64, "a bit each in cli_options.seen");

static const char *flag_name(int id)
{
    for (size_t i = 0; i < n_flags; i++) {
        if (flags[i].id == id)
            return flags[i].name;
    }
    return "";
}

/* What stands on the command line where the library has a field; for those that are no flags. */
static const struct {
    const char *field, *shown;
} no_flags[] = {{"then", "MODEL + MODEL"}, {"inverse", "--method inverse_transform"}};

static void put(FILE *file, const char *text, size_t size)
{
    if (file == stdout)
        cli_put(text, size);
    else
        fwrite(text, 1, size, file);
}

/* Prints what sets the field; false for other words. */
static bool put_option(FILE *file, const char *field, size_t size)
{
    for (size_t i = 0; i < n_flags; i++) {
        const char *name = flags[i].field;
        if (name && strlen(name) == size && memcmp(name, field, size) == 0) {
            put(file, "--", 2);
            put(file, flags[i].name, strlen(flags[i].name));
            return true;
        }
    }
    for (size_t i = 0; i < sizeof no_flags / sizeof no_flags[0]; i++) {
        if (strlen(no_flags[i].field) == size && memcmp(no_flags[i].field, field, size) == 0) {
            put(file, no_flags[i].shown, strlen(no_flags[i].shown));
            return true;
        }
    }
    return false;
}

/* Of a message the first size bytes, which need no end. */
static void put_message(FILE *file, const char *text, size_t size)
{
    static const char prefix[] = "options.";
    const size_t skip = sizeof prefix - 1;
    for (const char *at; (at = memmem(text, size, prefix, skip)) != NULL;) {
        size_t before = (size_t)(at - text), field = 0;
        while (before + skip + field < size &&
               ((at[skip + field] >= 'a' && at[skip + field] <= 'z') || at[skip + field] == '_'))
            field++;
        put(file, text, before);
        if (!put_option(file, at + skip, field))
            put(file, at, skip + field);
        text += before + skip + field;
        size -= before + skip + field;
    }
    put(file, text, size);
}

void cli_print_message(FILE *file, const char *text) { put_message(file, text, strlen(text)); }

/* The length of the JSON text that begins with a quote at text, both quotes included. */
static size_t quoted_size(const char *text, size_t size)
{
    size_t i = 1;
    while (i < size && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < size ? i + 1 : size;
}

/* Whose values are messages, not names of columns, classes and files. */
static bool is_message_key(const char *key, size_t size)
{
    static const char *const keys[] = {"\"note\"", "\"message\"", "\"error\"", "\"warnings\""};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strlen(keys[i]) == size && memcmp(keys[i], key, size) == 0)
            return true;
    }
    return false;
}

bool cli_put_json(const char *text, size_t size)
{
    bool is_message = false;
    for (size_t i = 0, n; i < size; i += n) {
        const char *quote = memchr(text + i, '"', size - i);
        n = quote ? (size_t)(quote - text) - i : size - i;
        put(stdout, text + i, n);
        i += n;
        n = quote ? quoted_size(quote, size - i) : 0;
        if (i + n < size && text[i + n] == ':')
            is_message = is_message_key(text + i, n);
        else if (is_message) {
            put_message(stdout, text + i, n);
            continue;
        }
        put(stdout, text + i, n);
    }
    return ferror(stdout) == 0;
}

void cli_print_plain(FILE *file, const char *text, size_t size)
{
    for (size_t i = 0, length; i < size;) {
        size_t bad = ftl_utf8_unprintable(text + i, size - i, &length);
        if (bad)
            fputc('?', file);
        else
            fwrite(text + i, 1, length, file);
        i += bad ? bad : length;
    }
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
static int append_list(const char *command, int id, char *text, const char ***items, size_t *count)
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
                             flag_name(id));
        longer[(*count)++] = item;
    }
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

static bool parse_number(const char *text, double *out)
{
    return ftl_number_parse(text, out) && *out - *out == 0; /* and finite */
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

static bool parse_empty(const char *text, ftl_empty_text *out)
{
    *out = strcmp(text, "text") == 0 ? FTL_EMPTY_IS_TEXT : FTL_EMPTY_IS_MISSING;
    return *out == FTL_EMPTY_IS_TEXT || strcmp(text, "missing") == 0;
}

/* The options' lists of one kind; every mention of the option adds to it. */
static int set_list(const char *command, int id, char *text, const char ***items,
                    const char *const **target, size_t *count)
{
    int code = append_list(command, id, text, items, count);
    *target = *items;
    return code;
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

static int set_bytes(const char *command, int id, const char *text, uint64_t *out)
{
    return parse_bytes(text, out)
               ? -1
               : cli_usage(command, "--%s takes bytes, such as 500M or 2G, not '%s'", flag_name(id),
                           text);
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

static int set_iterations(const char *command, const char *text, cli_options *out)
{
    unsigned long long n;
    if (strcmp(text, "all") == 0)
        out->iterations = FTL_ITERATIONS_ALL;
    else if (parse_count(text, INT32_MAX, &n))
        out->iterations = (uint32_t)n;
    else
        return cli_usage(command, "--iterations takes a whole number from 1 on, or all, not '%s'",
                         text);
    return -1;
}

/* "predict", or several with commas: "predict,apply". */
static int set_method(const char *command, char *text, cli_options *out)
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
            return cli_usage(command, "--method names %s twice", name);
        if (score->method_set)
            out->methods[score->n_more_methods++] = method;
        else
            score->method = method;
        score->method_set = true;
    }
    return -1;
}

static int set_batch_size(const char *command, const char *text, ftl_score_options *score)
{
    score->batch_rows = 0;
    return strcmp(text, "auto") == 0 ? -1 : set_number(command, OPT_BATCH_SIZE, text, score);
}

static int set_dtype(const char *command, const char *text, ftl_type *out)
{
    *out = strcmp(text, "float32") == 0 ? FTL_F32 : FTL_F64;
    return *out == FTL_F32 || strcmp(text, "float64") == 0
               ? -1
               : cli_usage(command, "--dtype takes float32 or float64, not '%s'", text);
}

/* Options of generate; the others are set_option's. */
static int set_generate(const char *command, int id, char *text, cli_options *out)
{
    ftl_generate_options *generate = &out->generate;
    switch (id) {
    case OPT_DTYPE:
        return set_dtype(command, text, &generate->input_dtype);
    case OPT_PREFIX:
        generate->prefix = text;
        return -1;
    case OPT_DATA:
        generate->data_path = text;
        return -1;
    case OPT_PREDICTIONS:
        generate->output_path = text;
        return -1;
    case OPT_PLAIN:
        generate->plain = true;
        return -1;
    default:
        return set_bytes(command, id, text, &generate->max_code_bytes);
    }
}

static int set_option(const char *command, int id, char *text, cli_options *out)
{
    ftl_score_options *score = &out->score;
    if (id >= OPT_DTYPE)
        return set_generate(command, id, text, out);
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
    case OPT_ITERATIONS:
        return set_iterations(command, text, out);
    case OPT_LABELS:
        out->labels = text;
        return -1;
    case OPT_TARGET:
        score->target = text;
        return -1;
    case OPT_THRESHOLD:
        out->threshold_set = parse_number(text, &out->threshold) && out->threshold >= 0 &&
                             out->threshold <= 1;
        return out->threshold_set
                   ? -1
                   : cli_usage(command, "--threshold takes a probability from 0 to 1, not '%s'",
                               text);
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
        return set_method(command, text, out);
    case OPT_KEEP:
        return set_list(command, id, text, &out->keep, &score->keep, &score->n_keep);
    case OPT_FEATURES:
        return set_list(command, id, text, &out->features, &score->features, &score->n_features);
    case OPT_NA:
        return set_list(command, id, text, &out->na, &score->na_values, &score->n_na_values);
    case OPT_MEMORY_LIMIT:
        return set_bytes(command, id, text, &out->memory_limit);
    case OPT_MAX_BYTES:
        return set_bytes(command, id, text, &out->max_bytes);
    case OPT_DELIMITER:
        return parse_char(text, &score->delimiter)
                   ? -1
                   : cli_usage(command, "--delimiter takes one character");
    case OPT_DECIMAL:
        return parse_char(text, &score->decimal)
                   ? -1
                   : cli_usage(command, "--decimal takes one character");
    case OPT_ENCODING:
        score->encoding = text;
        return -1;
    case OPT_ALSO:
        out->also[out->n_also++] = text;
        return -1;
    case OPT_METRICS:
        score->metrics_path = text;
        return -1;
    case OPT_PROGRESS:
        out->progress_json = strcmp(text, "json") == 0;
        return out->progress_json || strcmp(text, "auto") == 0
                   ? -1
                   : cli_usage(command, "--progress takes auto or json, not '%s'", text);
    case OPT_RESUME:
        score->resume = true;
        return -1;
    case OPT_MEMORY:
        return set_bytes(command, id, text, &score->memory);
    case OPT_BATCH_SIZE:
        return set_batch_size(command, text, score);
    case OPT_INPUT_FORMAT:
        score->input_format = text;
        return -1;
    case OPT_OUTPUT_FORMAT:
        score->output_format = text;
        return -1;
    case OPT_COMPRESSION:
        score->compression = text;
        return -1;
    case OPT_EMPTY:
        return parse_empty(text, &score->empty_text)
                   ? -1
                   : cli_usage(command, "--empty takes text or missing");
    case OPT_ON_ERROR:
        return parse_on_error(text, &score->on_error)
                   ? -1
                   : cli_usage(command, "--on-error takes fail, skip or null");
    default:
        return set_number(command, id, text, score);
    }
}

/* What is wrong with a word that getopt does not take: id is its '?' or ':'. */
/* Behind an unknown letter of several, getopt stays at the word, and the one before is another. */
static const char *refused_word(int id, const char *word)
{
    static char letter[3] = "-?";
    if (id != '?' || optopt <= ' ' || optopt > '~')
        return word;
    letter[1] = (char)optopt;
    return letter;
}

static bool is_allowed(const char *allowed, const char *name)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, " %s ", name);
    return strstr(allowed, wanted) != NULL;
}

/* ftl_known_name. allowed: as cli_parse's */
static const char *allowed_flag_at(const void *allowed, size_t i)
{
    return is_allowed(allowed, flags[i].name) ? flags[i].name : NULL;
}

static int refuse_option(const char *command, int id, const char *word, const char *allowed)
{
    char name[40];
    if (id == ':')
        return cli_usage(command, "%s needs a value", word);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    bool is_long = strncmp(name, "--", 2) == 0;
    for (size_t i = 0; is_long && i < n_flags; i++) {
        if (strcmp(name + 2, flags[i].name) == 0)
            return cli_usage(command, "%s takes no value", name);
    }
    const char *nearest = is_long ? ftl_name_nearest(name + 2, allowed_flag_at, allowed, n_flags)
                                  : NULL;
    if (nearest)
        return cli_usage(command, "there is no option '%s'; did you mean --%s?", word, nearest);
    return cli_usage(command, "there is no option '%s'", word);
}

/* MODEL, or MODEL + MODEL + …, then what else the command takes: INPUT, and more of them. */
static int add_positional(const char *command, const char *text, int most, cli_options *out)
{
    if (out->plus) {
        out->then[out->n_then++] = text;
        out->plus = false;
        return -1;
    }
    if (strcmp(text, "+") == 0 && out->n_positional == 1) {
        out->plus = true;
        return -1;
    }
    if (strcmp(text, "+") == 0)
        return cli_usage(command, "+ stands between models; a file that is called so is ./+");
    if (out->n_positional >= most)
        return cli_usage(command, "there is one argument too many: '%s'", text);
    if (out->n_positional < 2)
        out->positional[out->n_positional++] = text;
    else
        out->more[out->n_more++] = text;
    return -1;
}

/* Options whose every mention adds to the list; others have one value. */
static bool is_list(int id)
{
    return id == OPT_KEEP || id == OPT_FEATURES || id == OPT_NA || id == OPT_ALSO;
}

/* Of two values the last one would win without a word. seen: the options before, a bit each. */
static int refuse_repeat(const char *command, int id, uint64_t *seen)
{
    size_t i = 0;
    while (i < n_flags && flags[i].id != id)
        i++;
    bool again = i < n_flags && *seen & 1ull << i;
    *seen |= i < n_flags ? 1ull << i : 0;
    if (!again || flags[i].argument == no_argument || is_list(id))
        return -1;
    return cli_usage(command, "--%s is given twice, and has one value; leave one of them out",
                     flags[i].name);
}

/* Takes one option; an exit code, or -1. */
static int take_option(const char *command, int id, const char *allowed, const char *help,
                       char *value, cli_options *out)
{
    if (id == OPT_HELP)
        return cli_print(help);
    if (!is_allowed(allowed, flag_name(id)))
        return cli_usage(command, "%s does not take --%s", command[0] ? command : "this",
                         flag_name(id));
    int code = refuse_repeat(command, id, &out->seen);
    return code < 0 ? set_option(command, id, value, out) : code;
}

int cli_parse_between(int argc, char **argv, const char *allowed, const char *help, int least,
                      int most, cli_options *out)
{
    const char *command = argv[0];
    int code = -1;
    struct option all_options[n_flags + 1] = {{0}};
    for (size_t i = 0; i < n_flags; i++)
        all_options[i] = (struct option){flags[i].name, flags[i].argument, NULL, flags[i].id};
    *out = (cli_options){.score = {.struct_size = sizeof(ftl_score_options)},
                         .generate = {.struct_size = sizeof(ftl_generate_options)}};
    out->then = calloc((size_t)argc + 1, sizeof *out->then);
    out->also = calloc((size_t)argc + 1, sizeof *out->also);
    out->more = calloc((size_t)argc + 1, sizeof *out->more);
    if (!out->then || !out->also || !out->more) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    opterr = 0;
    optind = 1;
    while (code < 0) {
        int id = getopt_long(argc, argv, "-:o:qh", all_options, NULL);
        if (id == -1)
            break;
        if (id == 1) /* an argument that is no option */
            code = add_positional(command, optarg, most, out);
        else if (id == '?' || id == ':')
            code = refuse_option(command, id, refused_word(id, argv[optind - 1]), allowed);
        else
            code = take_option(command, id, allowed, help, optarg, out);
    }
    while (code < 0 && optind < argc) /* after "--" */
        code = add_positional(command, argv[optind++], most, out);
    out->score.more_inputs = out->more;
    out->score.n_more_inputs = out->n_more;
    if (code < 0 && out->plus)
        return cli_usage(command, "a MODEL is missing behind +");
    if (code < 0 && out->n_positional < least)
        return cli_usage(command, least == 1 ? "give a MODEL" : "give a MODEL and an INPUT");
    return code;
}

int cli_parse(int argc, char **argv, const char *allowed, const char *help, int n_positional,
              cli_options *out)
{
    return cli_parse_between(argc, argv, allowed, help, n_positional, n_positional, out);
}

void cli_options_free(cli_options *options)
{
    free(options->keep);
    free(options->features);
    free(options->na);
    free(options->then);
    free(options->also);
    free(options->more);
}
