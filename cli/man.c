/* Manual pages (man(7)): the table of commands and options as roff. */
#include "table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#ifndef FTL_RELEASE_DATE
#error "the build names the day of the release"
#endif

/* Text of a line, with what roff would read otherwise taken from it. */
static void put_escaped(FILE *file, const char *text, size_t size)
{
    if (size && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", file);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\')
            fputs("\\e", file);
        else if (text[i] == '-')
            fputs("\\-", file);
        else if (text[i] == '\'')
            fputs("\\(aq", file);
        else if (text[i] == '`')
            fputs("\\(ga", file);
        else if (text[i] == '^' || text[i] == '~')
            fputs(text[i] == '^' ? "\\(ha" : "\\(ti", file);
        else
            fputc(text[i], file);
    }
}

static void put_text(FILE *file, const char *text)
{
    put_escaped(file, text, strlen(text));
    fputc('\n', file);
}

static void put_paragraphs(FILE *file, const char *text)
{
    for (const char *end; text; text = end ? end + 2 : NULL) {
        end = strstr(text, "\n\n");
        put_escaped(file, text, end ? (size_t)(end - text) : strlen(text));
        fputs(end ? "\n.PP\n" : "\n", file);
    }
}

static void put_head(FILE *file, const char *name, const char *summary)
{
    char upper[64] = "";
    for (size_t i = 0; name[i] && i + 1 < sizeof upper; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    fputs(".TH ", file);
    put_escaped(file, upper, strlen(upper));
    fprintf(file, " 1 %s \"foretell %s\" \"User Commands\"\n.SH NAME\n", FTL_RELEASE_DATE,
            ftl_version());
    put_escaped(file, name, strlen(name));
    fputs(" \\- ", file);
    put_text(file, summary);
}

static void put_item(FILE *file, const char *label, const char *help)
{
    fputs(".TP\n\\fB", file);
    put_escaped(file, label, strlen(label));
    fputs("\\fR\n", file);
    put_text(file, help);
}

static void put_option(FILE *file, const cli_option *option)
{
    fputs(".TP\n\\fB", file);
    if (option->letter)
        fprintf(file, "\\-%c\\fR, \\fB", option->letter);
    fputs("\\-\\-", file);
    put_escaped(file, option->name, strlen(option->name));
    fputs("\\fR", file);
    if (option->argument) {
        fputs(" \\fI", file);
        put_escaped(file, option->argument, strlen(option->argument));
        fputs("\\fR", file);
    }
    fputc('\n', file);
    put_text(file, option->help);
}

static void put_options(FILE *file, cli_command_id command)
{
    bool begun = false;
    for (cli_section section = SECTION_NONE; section < N_SECTIONS; section++) {
        bool titled = section == SECTION_NONE;
        for (size_t i = 0; i < cli_option_count; i++) {
            const cli_option *option = &cli_option_table[i];
            if (!cli_lists(option, command) || option->section != section)
                continue;
            if (!begun)
                fputs(".SH OPTIONS\n", file);
            if (!titled)
                fprintf(file, ".SS \"%s\"\n", cli_section_titles[section]);
            begun = titled = true;
            put_option(file, option);
        }
    }
}

/* Cuts the next cell off a line of cells with tabs between. */
static const char *next_cell(char **line)
{
    const char *cell = strsep(line, "\t");
    return cell ? cell : "";
}

/* Of foretell serve: what the server prints of its settings. */
static void put_settings(FILE *file)
{
    char *settings = cli_server_settings(), *rest = settings, *line;
    if (settings)
        fputs(".SH SETTINGS\nA setting is an option; an environment variable, "
              "FORETELL_SERVE_CACHE_SIZE sets cache\\-size; or a line KEY = VALUE of the file that "
              "\\-\\-config names.\n",
              file);
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        const char *name = next_cell(&line), *argument = next_cell(&line);
        const char *value = next_cell(&line), *help = next_cell(&line);
        fputs(".TP\n\\fB\\-\\-", file);
        put_escaped(file, name, strlen(name));
        fputs("\\fR \\fI", file);
        put_escaped(file, argument, strlen(argument));
        fputs("\\fR\n", file);
        put_escaped(file, help, strlen(help));
        if (*value) {
            fputs(" (default: ", file);
            put_escaped(file, value, strlen(value));
            fputc(')', file);
        }
        fputc('\n', file);
    }
    free(settings);
}

static void put_exit_codes(FILE *file)
{
    fputs(".SH EXIT STATUS\n", file);
    for (size_t i = 0; i < CLI_EXIT_CODES; i++)
        fprintf(file, ".TP\n%d\n%s\n", cli_exit_codes[i].code, cli_exit_codes[i].meaning);
}

static void put_see_also(FILE *file, const cli_command *except)
{
    const char *between = "";
    fputs(".SH SEE ALSO\n", file);
    if (except)
        fputs(".BR foretell (1),\n", file);
    for (size_t i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++) {
        if (&cli_commands[i] == except)
            continue;
        fprintf(file, "%s.BR foretell\\-%s (1)", between, cli_commands[i].name);
        between = ",\n";
    }
    fputc('\n', file);
}

static void put_command(FILE *file, const cli_command *command)
{
    char name[64];
    snprintf(name, sizeof name, "foretell-%s", command->name);
    put_head(file, name, command->summary);
    const char *line = command->synopsis;
    fputs(".SH SYNOPSIS\n\\fBforetell\\fR ", file);
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        put_escaped(file, line, (size_t)(end - line));
        fputs("\n.br\n\\fBforetell\\fR ", file);
    }
    put_text(file, line);
    fputs(".SH DESCRIPTION\n", file);
    put_paragraphs(file, command->about);
    for (size_t i = 0; i < CLI_MAX_ARGUMENTS && command->arguments[i].name; i++)
        put_item(file, command->arguments[i].name, command->arguments[i].help);
    put_options(file, (cli_command_id)(command - cli_commands));
    if (command->also)
        fputs(".PP\n", file);
    if (command->also)
        put_paragraphs(file, command->also);
    if (command == &cli_commands[CLI_SERVE])
        put_settings(file);
    if (command->examples[0])
        fputs(".SH EXAMPLES\n.nf\n", file);
    for (size_t i = 0; i < CLI_MAX_EXAMPLES && command->examples[i]; i++)
        put_text(file, command->examples[i]);
    if (command->examples[0])
        fputs(".fi\n", file);
    put_exit_codes(file);
    if (command->remote)
        fputs(".SH ENVIRONMENT\n.TP\n.B FORETELL_URL\nof the server, where \\-\\-url is not given\n"
              ".TP\n.B FORETELL_API_KEY\nthe key that is sent with each request\n",
              file);
    put_see_also(file, command);
}

static void put_program(FILE *file)
{
    put_head(file, "foretell", "runs saved scikit-learn, XGBoost, LightGBM and CatBoost models");
    fputs(".SH SYNOPSIS\n.B foretell\n.I MODEL\n.RI [ INPUT ...]\n.br\n.B foretell\n"
          ".I COMMAND\n.RI [ ARGUMENT ...]\n.SH DESCRIPTION\n",
          file);
    put_paragraphs(file, cli_about);
    fputs(".PP\nWith a model alone it prints what it is and how to run it; with a model and a "
          "table, on a terminal, a look at its predictions, elsewhere what foretell predict "
          "writes.\n.SH COMMANDS\n",
          file);
    for (size_t i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++)
        put_item(file, cli_commands[i].shown, cli_commands[i].summary);
    put_exit_codes(file);
    put_see_also(file, NULL);
}

int cli_print_manual(const cli_command *command)
{
    cli_text text;
    FILE *file = cli_begin_text(&text);
    if (!file)
        return EXIT_INTERNAL;
    if (command)
        put_command(file, command);
    else
        put_program(file);
    return cli_end_text(&text);
}
