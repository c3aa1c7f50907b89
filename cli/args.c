/* Reads a command line by the table of options. */
#include "table.h"

#include "foretell/experimental.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
    for (size_t i = 0; i < cli_option_count; i++) {
        const char *name = cli_option_table[i].field;
        if (name && strlen(name) == size && memcmp(name, field, size) == 0) {
            put(file, "--", 2);
            put(file, cli_option_table[i].name, strlen(cli_option_table[i].name));
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

/* Behind an unknown letter of several, getopt stays at the word, and the one before is another. */
static const char *refused_word(int id, const char *word)
{
    static char letter[3] = "-?";
    if (id != '?' || optopt <= ' ' || optopt > '~')
        return word;
    letter[1] = (char)optopt;
    return letter;
}

/* Of the rows of the table that are called so, the one of the command; NULL: it takes none. */
static const cli_option *find_option(cli_command_id command, const char *name)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        if (cli_takes(&cli_option_table[i], command) && strcmp(cli_option_table[i].name, name) == 0)
            return &cli_option_table[i];
    }
    return NULL;
}

/* ftl_known_name. command: a cli_command_id */
static const char *option_at(const void *command, size_t i)
{
    const cli_command_id *id = command;
    return cli_takes(&cli_option_table[i], *id) ? cli_option_table[i].name : NULL;
}

/* What is wrong with a word that getopt does not take: id is its '?' or ':'. */
static int refuse_option(cli_command_id command, int id, const char *word)
{
    const char *said = cli_commands[command].name;
    char name[40];
    if (id == ':')
        return cli_usage(said, "%s needs a value", word);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    bool is_long = strncmp(name, "--", 2) == 0;
    for (size_t i = 0; is_long && i < cli_option_count; i++) {
        if (strcmp(name + 2, cli_option_table[i].name) != 0)
            continue;
        if (find_option(command, name + 2))
            return cli_usage(said, "%s takes no value", name);
        return cli_usage(said, "%s does not take %s", said[0] ? said : "this", name);
    }
    const char *nearest = is_long
                              ? ftl_name_nearest(name + 2, option_at, &command, cli_option_count)
                              : NULL;
    if (nearest)
        return cli_usage(said, "there is no option '%s'; did you mean --%s?", word, nearest);
    return cli_usage(said, "there is no option '%s'", word);
}

/* MODEL, or MODEL + MODEL + …, then what else the command takes: INPUT, and more of them. */
static int add_positional(const cli_command *command, const char *text, cli_options *out)
{
    if (out->plus) {
        out->then[out->n_then++] = text;
        out->plus = false;
        return -1;
    }
    if (command->chains && strcmp(text, "+") == 0 && out->n_positional == 1) {
        out->plus = true;
        return -1;
    }
    if (command->chains && strcmp(text, "+") == 0)
        return cli_usage(command->name, "+ stands between models; a file that is called so is ./+");
    if (out->n_positional + (int)out->n_more >= command->most) {
        if (command->surplus)
            return cli_usage(command->name, "%s", command->surplus);
        return cli_usage(command->name, "there is one argument too many: '%s'", text);
    }
    if (out->n_positional < 2)
        out->positional[out->n_positional++] = text;
    else
        out->more[out->n_more++] = text;
    return -1;
}

const char *cli_argument_at(const cli_options *options, size_t i)
{
    size_t n = (size_t)options->n_positional;
    return i < n ? options->positional[i] : i - n < options->n_more ? options->more[i - n] : NULL;
}

/* Takes one option; an exit code, or -1. Of two values the last one would win without a word. */
static int take_option(cli_command_id command, size_t i, char *value, cli_options *out)
{
    const cli_option *option = &cli_option_table[i];
    if (!option->set) /* --help */
        return cli_print_help(command);
    bool again = (out->seen[i / 64] & 1ull << i % 64) != 0;
    out->seen[i / 64] |= 1ull << i % 64;
    if (again && option->value != VALUE_NONE && !option->repeats)
        return cli_usage(cli_commands[command].name,
                         "--%s is given twice, and has one value; leave one of them out",
                         option->name);
    return option->set(cli_commands[command].name, option, value, out);
}

enum { MOST_OPTIONS = 128 }; /* of a command; options.c sees to it */

/* What getopt is told of the options of one command: an option's id is its place and 256. */
static void list_options(cli_command_id command, struct option *names, char *letters)
{
    *letters++ = '-'; /* arguments that are no options come as they stand */
    *letters++ = ':';
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!cli_takes(option, command))
            continue;
        bool valued = option->value != VALUE_NONE;
        *names++ = (struct option){option->name, valued ? required_argument : no_argument, NULL,
                                   256 + (int)i};
        if (option->letter)
            *letters++ = option->letter;
        if (option->letter && valued)
            *letters++ = ':';
    }
    *names = (struct option){0};
    *letters = '\0';
}

/* An option's place, from what getopt returns. */
static size_t place_of(cli_command_id command, int id)
{
    size_t i = 0;
    if (id >= 256)
        return (size_t)id - 256;
    while (!cli_takes(&cli_option_table[i], command) || cli_option_table[i].letter != id)
        i++;
    return i;
}

static int parse_words(int argc, char **argv, cli_command_id command, cli_options *out)
{
    const cli_command *about = &cli_commands[command];
    struct option names[MOST_OPTIONS + 1];
    char letters[2 * MOST_OPTIONS + 3];
    int code = -1;
    list_options(command, names, letters);
    opterr = 0;
    optind = 1;
    while (code < 0) {
        int id = getopt_long(argc, argv, letters, names, NULL);
        if (id == -1)
            break;
        if (id == 1)
            code = add_positional(about, optarg, out);
        else if (id == '?' || id == ':')
            code = refuse_option(command, id, refused_word(id, argv[optind - 1]));
        else
            code = take_option(command, place_of(command, id), optarg, out);
    }
    while (code < 0 && optind < argc) /* after "--" */
        code = add_positional(about, argv[optind++], out);
    return code;
}

int cli_parse(int argc, char **argv, cli_command_id command, cli_options *out)
{
    const cli_command *about = &cli_commands[command];
    *out = (cli_options){.score = {.struct_size = sizeof(ftl_score_options)},
                         .generate = {.struct_size = sizeof(ftl_generate_options)},
                         .rows_each = 1,
                         .tolerance = 1e-9};
    out->then = calloc((size_t)argc + 1, sizeof *out->then);
    out->also = calloc((size_t)argc + 1, sizeof *out->also);
    out->more = calloc((size_t)argc + 1, sizeof *out->more);
    if (!out->then || !out->also || !out->more) {
        fprintf(stderr, "foretell: error: out of memory\n");
        return EXIT_INTERNAL;
    }
    int code = parse_words(argc, argv, command, out);
    out->score.more_inputs = out->more;
    out->score.n_more_inputs = out->n_more;
    if (code < 0 && out->plus)
        return cli_usage(about->name, "a MODEL is missing behind +");
    if (code < 0 && out->n_positional < about->least)
        return cli_usage(about->name, "%s", about->missing);
    return code;
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
