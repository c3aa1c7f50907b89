/*
 * Completion of words: shells ask `foretell __complete WORD...`, where the last word is the one
 * that is being written, and get a line for each word that may stand there: WORD tab WHAT IT IS.
 * A last line ":files" says that names of files may stand there as well. The scripts that ask are
 * small (completion.c), so that what they offer is always what this program takes.
 */
#include "table.h"

#include <foretell/arrow.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One line of an answer. */
static void offer(const char *before, const char *word, const char *about)
{
    /* of the sentences what comes before the details */
    enum { shown = 72 };
    size_t size = about ? strcspn(about, ";:(") : 0;
    while (size && about[size - 1] == ' ')
        size--;
    bool cut = size > shown;
    size = cut ? shown : size;
    printf("%s%s\t%.*s%s\n", before, word, (int)size, about ? about : "", cut ? "…" : "");
}

static bool starts(const char *word, const char *begun)
{
    return strncmp(word, begun, strlen(begun)) == 0;
}

static void offer_words(const char *before, const char *begun, const char *words)
{
    char word[32];
    for (size_t i = 0; cli_word_at(words, i, word, sizeof word); i++) {
        if (starts(word, begun))
            offer(before, word, NULL);
    }
}

/* Of a list of names the i-th; NULL behind the last. */
typedef const char *name_at(const void *list, size_t i);

/* Whether a shell, and a list with commas, take the name as it stands. */
static bool is_plain(const char *name)
{
    return *name && !strpbrk(name, ",\"'`$\\!&|;<>()[]{}*?~# \t\r\n") && !starts(name, "=");
}

/* "predict,ap": the names that are not there yet, behind those that are. */
static void offer_list(const char *before, const char *begun, name_at *names, const void *list)
{
    char named[256], all[300];
    const char *comma = strrchr(begun, ','), *name;
    size_t size = comma ? (size_t)(comma + 1 - begun) : 0;
    if (size >= sizeof named)
        return;
    memcpy(named, begun, size);
    named[size] = '\0';
    snprintf(all, sizeof all, ",%s", named);
    for (size_t i = 0; (name = names(list, i)) != NULL; i++) {
        char sought[128], whole[400];
        snprintf(sought, sizeof sought, ",%s,", name);
        if (strlen(name) > 100 || !is_plain(name) || strstr(all, sought) ||
            !starts(name, begun + size))
            continue;
        snprintf(whole, sizeof whole, "%s%s", named, name);
        offer(before, whole, NULL);
    }
}

/* name_at */
static const char *method_at(const void *unused, size_t i)
{
    (void)unused;
    return i < FTL_METHOD_COUNT ? ftl_method_name((ftl_method)i) : NULL;
}

/* name_at. list: the schema of a table */
static const char *column_at(const void *list, size_t i)
{
    const struct ArrowSchema *table = list;
    if (i >= (size_t)table->n_children)
        return NULL;
    const char *name = table->children[i]->name;
    return name ? name : "";
}

/* The columns of a file; what cannot be read has none. */
static void offer_columns(const char *before, const char *begun, const char *path)
{
    enum { most = 256 << 20 }; /* bytes of memory */
    ftl_error error;
    ftl_context *context = NULL;
    struct ArrowArrayStream table = {0};
    struct ArrowSchema schema = {0};
    struct stat about;
    const ftl_context_options options = {
        .struct_size = sizeof options, .threads = 1, .memory_limit = most};
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) ||
        ftl_context_create(&options, &context, &error) != FTL_OK)
        return;
    if (ftl_read_table(context, path, NULL, &table, &error) == FTL_OK) {
        if (table.get_schema(&table, &schema) == 0) {
            offer_list(before, begun, column_at, &schema);
            schema.release(&schema);
        }
        table.release(&table);
    }
    ftl_context_destroy(context);
}

static void offer_targets(const char *before, const char *begun)
{
    ftl_generate_target target = {.struct_size = sizeof target};
    for (size_t i = 0; ftl_generate_target_at(i, &target) == FTL_OK; i++) {
        if (starts(target.name, begun))
            offer(before, target.name, target.about);
    }
    offer_words(before, begun, "list");
}

/* The option that a word names, whether or not a value follows it behind a =. */
static const cli_option *named_option(cli_command_id command, const char *word)
{
    size_t size = strcspn(word, "=");
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!cli_takes(option, command))
            continue;
        if (option->letter && word[0] == '-' && word[1] == option->letter && !word[2])
            return option;
        if (strncmp(word, "--", 2) == 0 && strlen(option->name) == size - 2 &&
            memcmp(option->name, word + 2, size - 2) == 0)
            return option;
    }
    return NULL;
}

/* INPUT among the words in front of the last one; NULL: it is not there. */
static const char *find_input(cli_command_id command, char **words, int n)
{
    int seen = command == CLI_DOOR; /* its MODEL stands before the words */
    for (int i = 0; i + 1 < n; i++) {
        const cli_option *option = words[i][0] == '-' ? named_option(command, words[i]) : NULL;
        if (option && option->value != VALUE_NONE && !strchr(words[i], '='))
            i++;
        else if (strcmp(words[i], "+") == 0)
            i++;
        else if (!option && words[i][0] != '-' && seen++ == 1)
            return words[i];
    }
    return NULL;
}

/* The value of an option; before: what stands before it in the same word, as in --name=. */
static void offer_value(const cli_option *option, const char *before, const char *begun,
                        const char *input)
{
    if (option->value == VALUE_WORD)
        offer_words(before, begun, option->words);
    else if (option->value == VALUE_METHODS)
        offer_list(before, begun, method_at, NULL);
    else if (option->value == VALUE_COLUMNS && input)
        offer_columns(before, begun, input);
    else if (option->value == VALUE_TARGET)
        offer_targets(before, begun);
    else if (option->value == VALUE_FILE)
        puts(":files");
    else if (strcmp(option->name, "iterations") == 0)
        offer_words(before, begun, "all");
    else if (strcmp(option->name, "batch-size") == 0)
        offer_words(before, begun, "auto");
}

static bool is_given(cli_command_id command, const cli_option *option, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        if (named_option(command, words[i]) == option)
            return true;
    }
    return false;
}

/* words: those behind the command, the last of n being written. */
static void complete_options(cli_command_id command, char **words, int n)
{
    const char *begun = words[n - 1], *equals = strchr(begun, '=');
    const cli_option *last = n > 1 ? named_option(command, words[n - 2]) : NULL;
    bool only_files = false;
    for (int i = 0; i + 1 < n; i++)
        only_files |= strcmp(words[i], "--") == 0;
    if (!only_files && last && last->value != VALUE_NONE && !strchr(words[n - 2], '=')) {
        offer_value(last, "", begun, find_input(command, words, n));
    } else if (!only_files && starts(begun, "--") && equals) {
        char before[64];
        const cli_option *option = named_option(command, begun);
        snprintf(before, sizeof before, "%.*s", (int)(equals + 1 - begun), begun);
        if (option && option->value != VALUE_NONE)
            offer_value(option, before, equals + 1, find_input(command, words, n));
    } else if (!only_files && begun[0] == '-') {
        for (size_t i = 0; i < cli_option_count; i++) {
            const cli_option *option = &cli_option_table[i];
            char word[64];
            snprintf(word, sizeof word, "--%s", option->name);
            if (cli_takes(option, command) && starts(word, begun) &&
                (option->repeats || !is_given(command, option, words, n - 1)))
                offer("", word, option->help);
        }
    } else if (cli_commands[command].words) {
        if (n == 1)
            offer_words("", begun, cli_commands[command].words);
    } else if (cli_commands[command].most > 0) {
        puts(":files");
    }
}

/* Whether the line of a setting says that the word, "--name", has a value behind it. */
static bool has_value(const char *settings, const char *word)
{
    size_t size = strlen(word);
    if (!starts(word, "--"))
        return false;
    for (const char *line = settings; line && *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, word + 2, size - 2) == 0 && line[size - 2] == '\t')
            return line[size - 1] != '\t';
    }
    return false;
}

/* Of foretell serve: what the server says of its settings. */
static void complete_settings(char **words, int n)
{
    const char *begun = words[n - 1];
    char *settings = cli_server_settings(), *rest = settings, *line;
    bool options = begun[0] == '-' && !strchr(begun, '=') &&
                   !(n > 1 && has_value(settings, words[n - 2]));
    while (options && (line = strsep(&rest, "\n")) != NULL && *line) {
        char word[64];
        const char *help = strrchr(line, '\t');
        snprintf(word, sizeof word, "--%s", strsep(&line, "\t"));
        if (starts(word, begun))
            offer("", word, help ? help + 1 : NULL);
    }
    free(settings);
    if (!options)
        puts(":files");
}

static void complete_command(const char *begun)
{
    for (size_t i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++) {
        if (starts(cli_commands[i].name, begun))
            offer("", cli_commands[i].name, cli_commands[i].summary);
    }
    if (begun[0] == '-') {
        if (starts("--help", begun))
            offer("", "--help", cli_commands[CLI_HELP].summary);
        if (starts("--version", begun))
            offer("", "--version", "the version of the program");
    } else {
        puts(":files");
    }
}

int cli_complete(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_USAGE;
    const cli_command *command = cli_find_command(argv[1]);
    if (argc == 2)
        complete_command(argv[1]);
    else if (command == &cli_commands[CLI_SERVE])
        complete_settings(argv + 2, argc - 2);
    else if (command == &cli_commands[CLI_HELP])
        for (size_t i = CLI_DOOR + 1; argc == 3 && i < CLI_COMMAND_COUNT; i++) {
            if (starts(cli_commands[i].name, argv[2]))
                offer("", cli_commands[i].name, cli_commands[i].summary);
        }
    else
        complete_options(command ? (cli_command_id)(command - cli_commands) : CLI_DOOR, argv + 2,
                         argc - 2);
    return cli_end_output(EXIT_DONE);
}
