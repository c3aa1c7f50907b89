/* Help for people: the table of commands and options as text. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 96,      /* of lines */
    GUTTER = 22,     /* where the sentences about an option begin */
    SHOWN = 48,      /* the same in the list of commands */
    FEW_OPTIONS = 12 /* so many need no titles */
};

/* Prints one paragraph in lines of WIDTH; column: where the first line stands already. */
static void put_wrapped(FILE *file, const char *text, size_t size, int indent, int column)
{
    bool first = true;
    for (size_t i = 0; i < size;) {
        size_t word = strcspn(text + i, " \n");
        word = word < size - i ? word : size - i;
        if (!first && column + 1 + (int)word > WIDTH) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', file);
            column++;
        }
        fwrite(text + i, 1, word, file);
        column += (int)word;
        first = false;
        for (i += word; i < size && text[i] == ' ';)
            i++;
    }
    fputc('\n', file);
}

/* Paragraphs with an empty line between. */
static void put_paragraphs(FILE *file, const char *text)
{
    for (const char *end; text; text = end ? end + 2 : NULL) {
        end = strstr(text, "\n\n");
        put_wrapped(file, text, end ? (size_t)(end - text) : strlen(text), 0, 0);
        if (end)
            fputc('\n', file);
    }
}

/* "  LABEL             text", the text behind the gutter. */
static void put_item(FILE *file, const char *label, const char *text)
{
    int column = fprintf(file, "  %s ", label);
    if (column > GUTTER) {
        fprintf(file, "\n%*s", GUTTER, "");
        column = GUTTER;
    }
    column += fprintf(file, "%*s", GUTTER - column, "");
    put_wrapped(file, text, strlen(text), GUTTER, column);
}

static void put_options(FILE *file, cli_command_id command, cli_section section)
{
    char label[64];
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!cli_lists(option, command) || (section != N_SECTIONS && option->section != section))
            continue;
        snprintf(label, sizeof label, "%s%.1s%s--%s%s%s", option->letter ? "-" : "",
                 option->letter ? &option->letter : "", option->letter ? ", " : "", option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");
        put_item(file, label, option->help);
    }
}

static size_t count_options(cli_command_id command)
{
    size_t n = 0;
    for (size_t i = 0; i < cli_option_count; i++)
        n += cli_lists(&cli_option_table[i], command);
    return n;
}

static void put_sections(FILE *file, cli_command_id command)
{
    for (cli_section section = SECTION_NONE; section < N_SECTIONS; section++) {
        bool any = false;
        for (size_t i = 0; i < cli_option_count; i++)
            any |= cli_lists(&cli_option_table[i], command) &&
                   cli_option_table[i].section == section;
        if (any && cli_section_titles[section])
            fprintf(file, "\n%s\n", cli_section_titles[section]);
        else if (any)
            fputc('\n', file);
        if (any)
            put_options(file, command, section);
    }
}

static void put_command(FILE *file, cli_command_id command)
{
    const cli_command *about = &cli_commands[command];
    size_t n = count_options(command);
    const char *line = about->synopsis;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        fprintf(file, "%s foretell %.*s\n", line == about->synopsis ? "usage:" : "      ",
                (int)(end - line), line);
    fprintf(file, "%s foretell %s\n\n", line == about->synopsis ? "usage:" : "      ", line);
    put_paragraphs(file, about->about);
    if (about->arguments[0].name)
        fputc('\n', file);
    for (size_t i = 0; i < CLI_MAX_ARGUMENTS && about->arguments[i].name; i++)
        put_item(file, about->arguments[i].name, about->arguments[i].help);
    if (n > FEW_OPTIONS)
        put_sections(file, command);
    else if (n)
        fputc('\n', file);
    if (n <= FEW_OPTIONS)
        put_options(file, command, N_SECTIONS);
    if (about->also) {
        fputc('\n', file);
        put_paragraphs(file, about->also);
    }
    if (about->examples[0])
        fputs("\nexamples\n", file);
    for (size_t i = 0; i < CLI_MAX_EXAMPLES && about->examples[i]; i++)
        fprintf(file, "  %s\n", about->examples[i]);
}

void cli_print_program_help(FILE *file)
{
    put_paragraphs(file, cli_about);
    fprintf(file, "\nusage\n  foretell %-*s%s\n  foretell %-*s%s\n", SHOWN - 4, "MODEL",
            "what it is, and how to run it", SHOWN - 4, "MODEL INPUT...",
            "a look at its predictions");
    for (size_t i = CLI_DOOR + 1; i < CLI_COMMAND_COUNT; i++)
        fprintf(file, "  foretell %-*s%s\n", SHOWN - 4, cli_commands[i].shown,
                cli_commands[i].summary);
    fputs("  foretell --version\n"
          "\n"
          "a first try\n"
          "  foretell inspect model.joblib\n"
          "  foretell predict model.joblib rows.csv -o predictions.csv --proba\n"
          "\n"
          "exit codes\n",
          file);
    for (size_t i = 0; i < CLI_EXIT_CODES; i++)
        fprintf(file, "  %d  %s\n", cli_exit_codes[i].code, cli_exit_codes[i].meaning);
}

FILE *cli_begin_text(cli_text *text)
{
    *text = (cli_text){0};
    text->file = open_memstream(&text->data, &text->size);
    if (!text->file)
        fprintf(stderr, "foretell: error: out of memory\n");
    return text->file;
}

int cli_end_text(cli_text *text)
{
    bool made = fclose(text->file) == 0;
    if (made)
        cli_put(text->data, text->size);
    else
        fprintf(stderr, "foretell: error: out of memory\n");
    free(text->data);
    return made ? cli_end_output(EXIT_DONE) : EXIT_INTERNAL;
}

int cli_print_help(cli_command_id command)
{
    cli_text text;
    FILE *file = cli_begin_text(&text);
    if (!file)
        return EXIT_INTERNAL;
    if (command == CLI_DOOR)
        cli_print_program_help(file);
    else
        put_command(file, command);
    return cli_end_text(&text);
}
